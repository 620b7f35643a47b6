#include "base/sys.h"

#include <unistd.h>

#include "base/json.h"
#include "surface/cli/cli.h"

#define IMAGE_ROOT "/srv/trueup/images" /* as in the node that is written */

/* A folder's name as one word of a shell. */
static const char *quoted(struct cli *cli, const char *text)
{
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);
	const char *plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/";
	if (text[strspn(text, plain)] == '\0')
		return text;
	buf_add_shell(&out, text);
	return arena_strdup(cli->arena, buf_str(&out));
}

static void put_json(struct cli *cli, const char *folder, bool git, const char *const *next,
		     size_t n)
{
	json_t *object = json_object(), *files = json_array(), *lines = json_array();
	json_put_str(object, "folder", folder);
	for (const struct engine_init_file *file = engine_init_files; file->path; file++)
		json_array_append_new(files, json_string(file->path));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(lines, json_string(next[i]));
	json_object_set_new(object, "files", files);
	json_object_set_new(object, "repository", json_boolean(git));
	json_object_set_new(object, "next", lines);
	cli_put_json(cli, object);
}

int cmd_init(struct cli *cli)
{
	struct err err = ERR_INIT;
	bool git;
	const char *folder = cli->args[0];
	if (!folder[0] || folder[0] == '-')
		return cli_usage(cli, "name the folder to make");
	if (engine_init(folder, &git, &err) < 0)
		return cli_fail(cli, &err);
	const char *name = quoted(cli, folder);
	const char *next[] = {
		arena_printf(cli->arena, "trueup validate %s", name),
		arena_printf(cli->arena, "git -C %s add . && git -C %s commit -m 'Begin'", name,
			     name),
		git ? arena_printf(cli->arena,
				   "trueup plan --repo %s --rev HEAD "
				   "--policy.hostDriver.imageRoots=" IMAGE_ROOT "%s",
				   name, geteuid() == 0 ? " --policy.hostDriver.users=root" : "")
		    : arena_printf(cli->arena, "git -C %s push", name),
	};
	if (cli->json) {
		put_json(cli, folder, git, next, ARRAY_LEN(next));
		return EXIT_DONE;
	}
	cli_say("%s: a configuration%s; its README.md says what to change. Next:", folder,
		git ? " in a new Git repository" : " in the Git repository around it");
	for (size_t i = 0; i < ARRAY_LEN(next); i++)
		buf_addf(&cli->out, "%s\n", next[i]);
	return EXIT_DONE;
}

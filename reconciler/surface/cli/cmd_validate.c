#include "base/sys.h"

#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "surface/cli/cli.h"

static void put_text(struct cli *cli, const struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		diag_render(&diags->v[i], cli->colour ? DIAG_COLOUR : DIAG_PLAIN, &cli->out);
		buf_addc(&cli->out, '\n');
	}
}

static void say_sum(const struct diags *diags, size_t files, size_t documents, bool policy)
{
	cli_say("%zu file%s, %zu document%s: %zu error%s%s", files, files == 1 ? "" : "s",
		documents, documents == 1 ? "" : "s", diags->errors, diags->errors == 1 ? "" : "s",
		policy ? "" : "; policy not checked: no settings were given (--config)");
}

/*
 * Without a PATH: the configuration this folder belongs to, as far up as its organization.yaml.
 * What is said of it names files from there.
 */
static const char *find_folder(struct cli *cli)
{
	char folder[FS_PATH_MAX], file[FS_PATH_MAX];
	if (cli->args_n || cli->value[FLAG_PATH])
		return arena_printf(cli->arena, "%s%s%s", cli->args_n ? cli->args[0] : "",
				    cli->args_n && cli->value[FLAG_PATH] ? "/" : "",
				    cli->value[FLAG_PATH] ? cli->value[FLAG_PATH] : "");
	if (!getcwd(folder, sizeof folder))
		return ".";
	for (bool here = true;; here = false) {
		if (fs_join(file, folder, "organization.yaml") == 0 && fs_exists(file)) {
			if (!here)
				cli_say("in %s:", folder);
			return arena_strdup(cli->arena, folder);
		}
		char *slash = strrchr(folder, '/');
		if (!slash || slash == folder)
			return ".";
		*slash = '\0';
	}
}

int cmd_validate(struct cli *cli)
{
	AUTO_DIAGS struct diags diags = {0};
	struct err err = ERR_INIT;
	size_t files, documents;
	bool repo = cli->value[FLAG_REPO] || cli->value[FLAG_REV];
	const char *format = cli->json ? "json" : cli->value[FLAG_FORMAT];
	if (format && !str_eq(format, "json") && !str_eq(format, "text"))
		return cli_usage(cli, "--format is text or json, not %s", format);
	struct engine_validate what = {
		.folder = repo ? NULL : find_folder(cli),
		.repo = repo ? cli->settings->repo ? cli->settings->repo : "." : NULL,
		.revision = cli->value[FLAG_REV],
		.path = cli->settings->path,
		.settings = cli->settings,
		.with_policy = cli->config_path != NULL || cli->settings->policy != NULL,
	};
	if (repo && cli->args_n)
		return cli_usage(cli, "give a folder, or --repo and --rev, not both");
	if (what.folder && fs_exists(what.folder) && !fs_is_dir(what.folder))
		return cli_usage(cli, "%s is a file: give the folder of the whole configuration",
				 what.folder);
	if (engine_validate(&what, &diags, &files, &documents, &err) < 0)
		return cli_fail(cli, &err);
	if (str_eq(format, "json"))
		cli_put_json(cli, json_pack("{s:I,s:I,s:b,s:o}", "files", (json_int_t)files,
					    "documents", (json_int_t)documents, "policyChecked",
					    (int)what.with_policy, "diagnostics",
					    diags_json(diags.v, diags.n)));
	else
		put_text(cli, &diags);
	cli_flush(cli);
	say_sum(&diags, files, documents, what.with_policy);
	return diags.errors ? EXIT_REFUSED : EXIT_DONE;
}

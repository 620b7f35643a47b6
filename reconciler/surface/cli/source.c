#include "base/sys.h"

#include <unistd.h>

#include "base/fs.h"
#include "surface/cli/cli.h"

const char *cli_configuration(struct cli *cli)
{
	char folder[FS_PATH_MAX], file[FS_PATH_MAX];
	if (!getcwd(folder, sizeof folder))
		return ".";
	for (char *slash;; *slash = '\0') {
		if (fs_join(file, folder, "organization.yaml") == 0 && fs_exists(file))
			return arena_strdup(cli->arena, folder);
		slash = strrchr(folder, '/');
		if (!slash || slash == folder)
			return ".";
	}
}

/*
 * Where nothing is given: the configuration this folder belongs to, as far up as its
 * organization.yaml. What is said of it names files from there.
 */
static const char *find_folder(struct cli *cli, const char *given)
{
	if (given || cli->value[FLAG_PATH])
		return arena_printf(cli->arena, "%s%s%s", given ? given : "",
				    given && cli->value[FLAG_PATH] ? "/" : "",
				    cli->value[FLAG_PATH] ? cli->value[FLAG_PATH] : "");
	const char *folder = cli_configuration(cli);
	if (!str_eq(folder, ".") && !fs_exists("organization.yaml"))
		cli_say("in %s:", folder);
	return folder;
}

struct engine_source cli_source(struct cli *cli, const char *folder)
{
	bool repo = cli->value[FLAG_REPO] || cli->value[FLAG_REV];
	const struct settings *settings = cli->settings;
	if (!repo)
		return (struct engine_source){.folder = find_folder(cli, folder),
					      .settings = settings};
	const char *url = settings && settings->repo ? settings->repo : cli->value[FLAG_REPO];
	return (struct engine_source){
		.repo = url ? url : ".",
		.revision = cli->value[FLAG_REV],
		.path = settings ? settings->path : cli->value[FLAG_PATH],
		.settings = settings,
	};
}

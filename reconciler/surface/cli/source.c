#include "base/sys.h"

#include <unistd.h>

#include "base/fs.h"
#include "surface/cli/cli.h"

/*
 * Where nothing is given: the configuration this folder belongs to, as far up as its
 * organization.yaml. What is said of it names files from there.
 */
static const char *find_folder(struct cli *cli, const char *given)
{
	char folder[FS_PATH_MAX], file[FS_PATH_MAX];
	if (given || cli->value[FLAG_PATH])
		return arena_printf(cli->arena, "%s%s%s", given ? given : "",
				    given && cli->value[FLAG_PATH] ? "/" : "",
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

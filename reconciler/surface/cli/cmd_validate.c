#include "base/sys.h"

#include "base/fs.h"
#include "base/json.h"
#include "surface/cli/cli.h"

static void say_sum(const struct diags *diags, size_t files, size_t documents, bool policy)
{
	cli_say("%zu file%s, %zu document%s: %zu error%s%s", files, files == 1 ? "" : "s",
		documents, documents == 1 ? "" : "s", diags->errors, diags->errors == 1 ? "" : "s",
		policy ? "" : "; policy not checked: no settings were given (--config)");
}

/* The folder's path from the top of the repository around it; "" where there is none. */
static const char *path_in_repository(struct cli *cli, const char *folder)
{
	char *top AUTO_FREE = realpath(folder, NULL);
	char inside[FS_PATH_MAX];
	const char *whole = arena_strdup(cli->arena, top ? top : "");
	for (char *slash; top && top[0]; *slash = '\0') {
		if (fs_join(inside, top, ".git") == 0 && fs_exists(inside))
			return whole + strlen(top) + (whole[strlen(top)] == '/');
		slash = strrchr(top, '/');
	}
	return "";
}

static void put_json(struct cli *cli, const struct diags *diags, size_t files, size_t documents,
		     bool policy)
{
	cli_put_json(cli, json_pack("{s:I,s:I,s:b,s:o}", "files", (json_int_t)files, "documents",
				    (json_int_t)documents, "policyChecked", (int)policy,
				    "diagnostics", diags_json(diags->v, diags->n)));
}

static void put_sarif(struct cli *cli, const struct diags *diags, const char *folder)
{
	const char *root = folder ? path_in_repository(cli, folder) : cli->settings->path;
	cli_put_json(cli, diags_sarif(diags->v, diags->n, root));
}

static bool is_format(const char *format)
{
	return !format || str_eq(format, "text") || str_eq(format, "json") ||
	       str_eq(format, "sarif");
}

int cmd_validate(struct cli *cli)
{
	AUTO_DIAGS struct diags diags = {0};
	struct err err = ERR_INIT;
	size_t files, documents;
	const char *format = cli->json ? "json" : cli->value[FLAG_FORMAT];
	if (!is_format(format))
		return cli_usage(cli, "--format is text, json or sarif, not %s", format);
	struct engine_validate what = {
		.source = cli_source(cli, cli->args_n ? cli->args[0] : NULL),
		.with_policy = cli->config_path != NULL || cli->settings->policy != NULL,
	};
	if (what.source.repo && cli->args_n)
		return cli_usage(cli, "give a folder, or --repo and --rev, not both");
	if (what.source.folder && fs_exists(what.source.folder) && !fs_is_dir(what.source.folder))
		return cli_usage(cli, "%s is a file: give the folder of the whole configuration",
				 what.source.folder);
	if (engine_validate(&what, &diags, &files, &documents, &err) < 0)
		return cli_fail(cli, &err);
	if (str_eq(format, "json"))
		put_json(cli, &diags, files, documents, what.with_policy);
	else if (str_eq(format, "sarif"))
		put_sarif(cli, &diags, what.source.folder);
	else
		cli_put_diags(cli, &diags);
	cli_flush(cli);
	say_sum(&diags, files, documents, what.with_policy);
	return diags.errors ? EXIT_REFUSED : EXIT_DONE;
}

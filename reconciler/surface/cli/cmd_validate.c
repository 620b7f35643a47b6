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

int cmd_validate(struct cli *cli)
{
	AUTO_DIAGS struct diags diags = {0};
	struct err err = ERR_INIT;
	size_t files, documents;
	const char *format = cli->json ? "json" : cli->value[FLAG_FORMAT];
	if (format && !str_eq(format, "json") && !str_eq(format, "text"))
		return cli_usage(cli, "--format is text or json, not %s", format);
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

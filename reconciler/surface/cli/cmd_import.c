#include "base/sys.h"

#include "base/json.h"
#include "schema/forms.h"
#include "surface/cli/cli.h"

static void put_text(struct cli *cli, const struct engine_imported *imported, const char *out,
		     const struct diags *diags)
{
	cli_put_diags(cli, diags);
	for (size_t i = 0; i < imported->paths_n; i++)
		buf_addf(&cli->out, "%s/%s\n", out, imported->paths[i]);
	if (!imported->paths_n)
		return;
	cli_say("%zu container%s, %zu file%s written, %zu thing%s not carried over as it was%s",
		imported->containers, imported->containers == 1 ? "" : "s", imported->paths_n,
		imported->paths_n == 1 ? "" : "s", diags->n, diags->n == 1 ? "" : "s",
		diags->n ? " (above)" : "");
}

static void put_json(struct cli *cli, const struct engine_imported *imported,
		     const struct diags *diags)
{
	json_t *files = json_array();
	for (size_t i = 0; i < imported->paths_n; i++)
		json_array_append_new(files, json_string(imported->paths[i]));
	cli_put_json(cli, json_pack("{s:o,s:I,s:o}", "files", files, "containers",
				    (json_int_t)imported->containers, "diagnostics",
				    diags_json(diags->v, diags->n)));
}

int cmd_import(struct cli *cli)
{
	AUTO_DIAGS struct diags diags = {0};
	struct err err = ERR_INIT;
	struct engine_imported imported = {0};
	const struct engine_import what = {
		.file = cli->args[1],
		.project = cli->value[FLAG_PROJECT],
		.stage = cli->value[FLAG_STAGE],
		.node = cli->value[FLAG_NODE],
		.out = cli->value[FLAG_OUT] ? cli->value[FLAG_OUT] : cli_configuration(cli),
	};
	if (!str_eq(cli->args[0], "compose"))
		return cli_usage(cli, "import what? trueup import compose FILE");
	if (!what.project || !what.stage)
		return cli_usage(cli, "into which project and stage? --project and --stage");
	if (!form_text_fits(FORM_NAME, what.project) || !form_text_fits(FORM_NAME, what.stage))
		return cli_usage(cli, "a project and a stage are named with small letters, digits "
				      "and inner dashes");
	int status = engine_import(&what, cli->arena, &imported, &diags, &err);
	if (cli->json && status == 0)
		put_json(cli, &imported, &diags);
	else
		put_text(cli, &imported, what.out, &diags);
	if (status < 0)
		return cli_fail(cli, &err);
	if (!imported.containers)
		cli_say("%s: no container could be made of it; nothing was written", what.file);
	return imported.containers ? EXIT_DONE : EXIT_REFUSED;
}

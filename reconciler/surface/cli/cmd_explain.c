#include "base/sys.h"

#include "base/json.h"
#include "plan/render.h"
#include "schema/gen.h"
#include "surface/cli/cli.h"

/* ---- --merged ---- */

#define VALUE_WIDTH 240 /* a mounted file may have a megabyte; --json has all of it */

static void put_container(struct cli *cli, const json_t *container)
{
	AUTO_BUF struct buf rows = BUF_INIT(BUF_MAX_OUTPUT);
	size_t i;
	json_t *field;
	buf_addf(&cli->out, "\n%s, %s\n", json_str(container, "name", ""),
		 json_str(container, "image", ""));
	json_array_foreach(json_object_get(container, "fields"), i, field)
	{
		buf_addf(&rows, "  %s\t", json_str(field, "field", ""));
		render_value(&rows, json_str(field, "value", ""), VALUE_WIDTH);
		buf_addf(&rows, "\t%s:%lld\n", json_str(field, "file", ""),
			 (long long)json_int(field, "line", 0));
	}
	cli_table(cli, buf_str(&rows));
}

/* Nodes that get the same are told together. */
static void put_slots(struct cli *cli, const json_t *slots)
{
	size_t n = json_array_size(slots), end;
	for (size_t i = 0; i < n; i = end) {
		const json_t *containers = json_object_get(json_array_get(slots, i), "containers");
		size_t j;
		json_t *container;
		buf_adds(&cli->out, i ? "\non" : "on");
		for (end = i; end < n; end++) {
			const json_t *slot = json_array_get(slots, end);
			if (!json_equal(containers, json_object_get(slot, "containers")))
				break;
			buf_addf(&cli->out, "%s%s", end == i ? " " : ", ",
				 json_str(slot, "node", ""));
		}
		buf_adds(&cli->out, ":\n");
		json_array_foreach(containers, j, container) put_container(cli, container);
	}
}

static int explain_merged(struct cli *cli)
{
	struct engine_source source = cli_source(cli, NULL);
	struct err err = ERR_INIT;
	AUTO_JSON json_t *merged = NULL;
	size_t errors = 0;
	if (engine_merged(&source, cli->args[0], &merged, &errors, &err) < 0)
		return cli_fail(cli, &err);
	const json_t *slots = json_object_get(merged, "slots");
	if (cli->json) {
		cli_put_json(cli, json_incref(merged));
	} else {
		buf_addf(&cli->out, "%s/%s/%s ", json_str(merged, "project", ""),
			 json_str(merged, "stage", ""), json_str(merged, "deployment", ""));
		put_slots(cli, slots);
	}
	cli_flush(cli);
	if (json_array_size(slots) == 0)
		cli_say("it has no slot: its node, product or version is not there");
	if (errors)
		cli_say("%zu problem%s in the configuration: trueup validate", errors,
			errors == 1 ? "" : "s");
	return EXIT_DONE;
}

/* ---- kinds and fields ---- */

int cmd_explain(struct cli *cli)
{
	struct err err = ERR_INIT;
	if (cli->given[FLAG_MERGED])
		return cli->args_n ? explain_merged(cli) : cli_usage(cli, "--merged needs a NAME");
	if (cli->json || cli->value[FLAG_REPO] || cli->value[FLAG_REV] || cli->value[FLAG_PATH])
		return cli_usage(cli, "--json, --repo, --rev and --path go with --merged");
	return gen_explain(cli->args_n ? cli->args[0] : NULL, &cli->out, &err) < 0
		       ? cli_fail(cli, &err)
		       : EXIT_DONE;
}

int cmd_schema(struct cli *cli)
{
	gen_schema(&cli->out);
	return EXIT_DONE;
}

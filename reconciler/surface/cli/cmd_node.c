#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "surface/cli/status.h"

static void put_nodes(struct cli *cli, const json_t *nodes)
{
	size_t i;
	json_t *node;
	AUTO_BUF struct buf rows = BUF_INIT(BUF_MAX_OUTPUT);
	buf_adds(&rows, "NODE\tDRIVER\tREACHABLE\tLAST CHANGE SEEN\tDRIFT\t\n");
	json_array_foreach(nodes, i, node)
	{
		char time[CLOCK_TEXT_MAX];
		int64_t seen_ms = 0;
		clock_parse(json_str(node, "seenAt", ""), &seen_ms);
		buf_addf(&rows, "%s\t%s\t%s\t%s\t%zu\t%s\n", json_str(node, "name", ""),
			 json_str(node, "driver", "-"),
			 json_flag(node, "reachable", false) ? "yes" : "no",
			 view_time(seen_ms, time), json_array_size(json_object_get(node, "drift")),
			 json_str(node, "error", ""));
	}
	if (json_array_size(nodes))
		cli_table(cli, buf_str(&rows));
	else
		buf_adds(&cli->out, "No node is known yet.\n");
}

int cmd_node(struct cli *cli)
{
	struct ledger_view *view = NULL;
	int code = EXIT_DONE;
	if (view_open(cli, VIEW_STATUS, &view, &code) < 0)
		return code;
	AUTO_JSON json_t *status = status_json(cli, view);
	json_t *nodes = json_object_get(status, "nodes");
	if (cli->json)
		cli_put_json(cli, json_incref(nodes));
	else
		put_nodes(cli, nodes);
	ledger_view_close(&view);
	return EXIT_DONE;
}

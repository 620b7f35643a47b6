#include "base/sys.h"

#include "base/json.h"
#include "surface/cli/live.h"

static void show(struct cli *cli, const json_t *answer)
{
	const json_t *removals = json_object_get(answer, "removals");
	size_t i;
	json_t *slot;
	buf_addf(&cli->out, "approved %.12s\n", json_str(answer, "commit", ""));
	json_array_foreach(removals, i, slot)
		buf_addf(&cli->out, "  may remove %s\n", json_string_value(slot));
}

int cmd_approve(struct cli *cli)
{
	json_t *args = json_object();
	json_put_str(args, "commit", cli->args[0]);
	return live_call(cli, "approve", args, show);
}

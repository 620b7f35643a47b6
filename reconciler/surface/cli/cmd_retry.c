#include "base/sys.h"

#include "base/json.h"
#include "surface/cli/live.h"

static void show(struct cli *cli, const json_t *answer)
{
	const json_t *records = json_object_get(answer, "records");
	if (!records)
		buf_adds(&cli->out, "tried again\n");
	else if (json_array_size(records) == 0)
		buf_adds(&cli->out, "nothing of it is held by a failure; it is looked at again\n");
	else
		buf_addf(&cli->out, "%zu tried again\n", json_array_size(records));
}

int cmd_retry(struct cli *cli)
{
	json_t *args = json_object();
	json_put_str(args, "deployment", cli->args[0]);
	json_put_str(args, "node", cli->value[FLAG_NODE]);
	return live_call(cli, "retry", args, show);
}

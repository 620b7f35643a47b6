#include "base/sys.h"

#include "base/json.h"
#include "surface/cli/live.h"

static void show(struct cli *cli, const json_t *answer)
{
	if (!cli->given[FLAG_WAIT])
		buf_addf(&cli->out, "%.12s %s\n", json_str(answer, "commit", ""),
			 json_flag(answer, "synced", false) ? "synced" : "looking");
}

int cmd_sync(struct cli *cli)
{
	return live_call(cli, "sync", json_object(), show);
}

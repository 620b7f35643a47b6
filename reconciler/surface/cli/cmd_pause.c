#include "base/sys.h"

#include "base/json.h"
#include "surface/cli/live.h"

static void show(struct cli *cli, const json_t *answer)
{
	const json_t *scopes = json_object_get(answer, "paused");
	size_t i;
	json_t *scope;
	if (json_array_size(scopes) == 0)
		buf_adds(&cli->out, "nothing is paused\n");
	json_array_foreach(scopes, i, scope)
		buf_addf(&cli->out, "paused: %s\n", json_string_value(scope));
}

static int call(struct cli *cli, const char *op)
{
	json_t *args = json_object();
	json_put_str(args, "scope", cli->args_n ? cli->args[0] : "*");
	return live_call(cli, op, args, show);
}

int cmd_pause(struct cli *cli)
{
	return call(cli, "pause");
}

int cmd_resume(struct cli *cli)
{
	return call(cli, "resume");
}

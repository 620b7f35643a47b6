#include "base/sys.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "surface/cli/live.h"
#include "surface/cli/view.h"

static int collect(void *arg, const json_t *value)
{
	json_t *list = arg;
	const char *note = json_str(value, "note", NULL);
	if (note)
		cli_say("trueup: %s", note);
	else
		json_array_append_new(list, json_deep_copy(value));
	return 0;
}

static void put_containers(struct cli *cli, const json_t *containers)
{
	size_t i;
	json_t *one;
	AUTO_BUF struct buf rows = BUF_INIT(BUF_MAX_OUTPUT);
	buf_adds(&rows, "CONTAINER\tNODE\tSTATE\tHEALTH\tSINCE\tRESTARTS\tDIGEST\n");
	json_array_foreach(containers, i, one)
	{
		const char *digest = hash_digest_hex(json_str(one, "digest", NULL));
		char time[CLOCK_TEXT_MAX];
		int64_t since_ms = 0;
		clock_parse(json_str(one, "since", ""), &since_ms);
		buf_addf(&rows, "%s\t%s\t%s\t%s\t%s\t%d\t%.12s\n", json_str(one, "container", ""),
			 json_str(one, "node", ""), json_str(one, "state", ""),
			 json_str(one, "health", ""), view_ago(since_ms, time),
			 (int)json_int(one, "restarts", 0), digest ? digest : "-");
	}
	if (json_array_size(containers))
		cli_table(cli, buf_str(&rows));
	else
		buf_adds(&cli->out, "No container of it is there.\n");
}

int cmd_app_ps(struct cli *cli)
{
	AUTO_JSON json_t *containers = json_array();
	json_t *args = json_object();
	json_put_str(args, "deployment", cli->args[0]);
	json_put_str(args, "project", cli_lookup(cli, FLAG_PROJECT));
	json_put_str(args, "stage", cli_lookup(cli, FLAG_STAGE));
	json_put_str(args, "node", cli->value[FLAG_NODE]);
	int code = live_stream(cli, "ps", args, collect, containers);
	if (code != EXIT_DONE)
		return code;
	if (cli->json)
		cli_put_json(cli, json_incref(containers));
	else
		put_containers(cli, containers);
	return EXIT_DONE;
}

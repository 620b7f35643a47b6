#include "base/sys.h"

#include "base/json.h"
#include "base/log.h"
#include "surface/cli/cli.h"

static void on_progress(void *arg UNUSED, const char *line)
{
	cli_say("%s", line);
}

static void put_done(struct cli *cli, const json_t *done)
{
	size_t i;
	json_t *slot;
	AUTO_BUF struct buf rows = BUF_INIT(BUF_MAX_OUTPUT);
	buf_adds(&rows, "DEPLOYMENT\tVERSION\tNODE\tSTATUS\t\n");
	json_array_foreach(done, i, slot)
		buf_addf(&rows, "%s/%s/%s\t%s\t%s\t%s\t%s\n", json_str(slot, "project", ""),
			 json_str(slot, "stage", ""), json_str(slot, "deployment", ""),
			 json_str(slot, "version", "-"), json_str(slot, "node", ""),
			 json_str(slot, "status", "-"), json_str(slot, "error", ""));
	if (json_array_size(done))
		cli_table(cli, buf_str(&rows));
	else
		buf_adds(&cli->out, "Nothing is deployed.\n");
}

int cmd_apply(struct cli *cli)
{
	struct engine_options options;
	struct engine_outcome outcome = {0};
	struct err err = ERR_INIT;
	cli_engine_options(cli, &options);
	log_setup(LOG_TEXT, LOG_ERROR);
	int status = engine_apply(&options, cli->json ? NULL : on_progress, NULL, &outcome, &err);
	int code = status < 0 ? cli_fail(cli, &err) : outcome.exit;
	for (size_t i = 0; status == 0 && i < outcome.refused_n && !cli->json; i++) {
		AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);
		diag_render(&outcome.refused[i], DIAG_PLAIN, &text);
		fprintf(stderr, "%s\n", buf_str(&text));
	}
	if (status == 0 && cli->json)
		cli_put_json(cli, json_pack("{s:O,s:o}", "deployments", outcome.done, "refused",
					    diags_json(outcome.refused, outcome.refused_n)));
	else if (status == 0)
		put_done(cli, outcome.done);
	engine_outcome_release(&outcome);
	return code;
}

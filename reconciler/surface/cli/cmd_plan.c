#include "base/sys.h"

#include "base/json.h"
#include "plan/render.h"
#include "surface/cli/cli.h"

static int put_plan(struct cli *cli, const struct engine_outcome *outcome)
{
	const char *format = cli->json ? "json" : cli->value[FLAG_FORMAT];
	if (str_eq(format, "json")) {
		cli_put_json(cli, plan_json(outcome->plan));
	} else if (str_eq(format, "markdown")) {
		plan_markdown(outcome->plan, &cli->out);
	} else if (str_eq(format, "sarif")) {
		cli_put_json(cli, plan_sarif(outcome->plan, cli->settings->path));
	} else if (!format || str_eq(format, "text")) {
		plan_text(outcome->plan, cli->width, cli->colour, &cli->out);
	} else {
		return cli_usage(cli, "--format is text, json, markdown or sarif, not %s", format);
	}
	return outcome->exit;
}

int cmd_plan(struct cli *cli)
{
	struct engine_options options;
	struct engine_outcome outcome = {0};
	struct err err = ERR_INIT;
	cli_engine_options(cli, &options);
	int status = engine_plan(&options, &outcome, &err);
	int code = status < 0 ? cli_fail(cli, &err) : put_plan(cli, &outcome);
	engine_outcome_release(&outcome);
	return code;
}

#include "base/sys.h"

#include "base/log.h"
#include "schema/kinds.h"
#include "surface/cli/cli.h"

int cmd_run(struct cli *cli)
{
	struct engine_options options;
	struct err err = ERR_INIT;
	cli_engine_options(cli, &options);
	enum log_format format =
		KIND_OR(cli->settings, settings, log) == LOGS_JSON ? LOG_JSON : LOG_TEXT;
	log_setup(format, LOG_INFO);
	int code = engine_run(&options, &err);
	return err.code == E_NONE ? code : cli_fail(cli, &err);
}

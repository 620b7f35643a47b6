#include "base/sys.h"

#include "schema/gen.h"
#include "surface/cli/cli.h"

int cmd_explain(struct cli *cli)
{
	struct err err = ERR_INIT;
	return gen_explain(cli->args[0], &cli->out, &err) < 0 ? cli_fail(cli, &err) : EXIT_DONE;
}

int cmd_schema(struct cli *cli)
{
	gen_schema(&cli->out);
	return EXIT_DONE;
}

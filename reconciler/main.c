#include "base/sys.h"

#include "drivers/host_supervisor.h"
#include "surface/cli/cli.h"

int main(int argc, char **argv)
{
	/* The host driver starts this binary a second time, as the parent of a workload. */
	if (argc > 1 && str_eq(argv[1], HOST_SUPERVISE_VERB))
		return host_supervise(argc, argv);
	return cli_main(argc, argv);
}

#include "base/sys.h"
#include "base/version.h"
#include "drivers/host_supervisor.h"

int main(int argc, char **argv)
{
	if (argc > 1 && str_eq(argv[1], HOST_SUPERVISE_VERB))
		return host_supervise(argc, argv);
	printf("trueup %s\n", version_text());
	return EXIT_DONE;
}

#include "base/sys.h"
#include "base/version.h"

int main(void)
{
	printf("trueup %s\n", version_text());
	return EXIT_DONE;
}

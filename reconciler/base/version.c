#include "base/sys.h"
#include "base/version.h"

const char *version_text(void)
{
	return TRUEUP_VERSION;
}

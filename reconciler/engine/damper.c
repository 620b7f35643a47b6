#include "base/sys.h"

#include "engine/backoff.h"
#include "engine/damper.h"

#define MENDS_COUNTED 16 /* more of them make no difference */

static int64_t delay_of(int mends)
{
	int64_t delay = BACKOFF_FIRST_MS;
	if (mends < DAMPER_FREE)
		return 0;
	for (int i = DAMPER_FREE; i < mends && delay < DAMPER_WINDOW_MS; i++)
		delay *= 2;
	return delay < DAMPER_WINDOW_MS ? delay : DAMPER_WINDOW_MS;
}

int64_t damper_wait(struct damper *damper, int64_t now_ms)
{
	int64_t delay = delay_of(damper->mends), passed = now_ms - damper->last_ms;
	if (damper->mends && passed < delay)
		return delay - passed;
	if (passed > delay + DAMPER_WINDOW_MS)
		damper->mends = 0;
	damper->mends += damper->mends < MENDS_COUNTED;
	damper->last_ms = now_ms;
	return 0;
}

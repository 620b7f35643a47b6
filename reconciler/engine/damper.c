#include "base/sys.h"

#include "engine/backoff.h"
#include "engine/damper.h"

#define MENDS_COUNTED 32 /* more of them make no difference */

static int64_t delay_of(int mends, const struct damper_pace *pace)
{
	int64_t delay = pace->first_ms;
	if (mends < DAMPER_FREE)
		return 0;
	for (int i = DAMPER_FREE; i < mends && delay < pace->window_ms; i++)
		delay *= 2;
	return delay < pace->window_ms ? delay : pace->window_ms;
}

int64_t damper_wait_at(struct damper *damper, const struct damper_pace *pace, int64_t now_ms)
{
	int64_t delay = delay_of(damper->mends, pace), passed = now_ms - damper->last_ms;
	if (damper->mends && passed < delay)
		return delay - passed;
	if (passed > delay + pace->window_ms)
		damper->mends = 0;
	damper->mends += damper->mends < MENDS_COUNTED;
	damper->last_ms = now_ms;
	return 0;
}

int64_t damper_wait(struct damper *damper, int64_t now_ms)
{
	static const struct damper_pace usual = {BACKOFF_FIRST_MS, DAMPER_WINDOW_MS};
	return damper_wait_at(damper, &usual, now_ms);
}

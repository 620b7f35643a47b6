#include "base/sys.h"
#include "drivers/health.h"

#include "schema/kinds.h"

#define FIRST_DELAY_MS 50

#define SETTING(check, name) KIND_OR(check, health_check, name)

bool health_is_young(const struct health_check *check, int64_t running_ms)
{
	return running_ms <
	       SETTING(check, start_period) + SETTING(check, retries) * SETTING(check, interval);
}

void health_begin(struct health_count *count, const struct health_check *check, int64_t running_ms,
		  int64_t now_ms)
{
	int64_t interval = SETTING(check, interval), most = SETTING(check, retries) - 1;
	int64_t late_ms = running_ms - SETTING(check, start_period);
	int64_t failures = late_ms > 0 ? late_ms / interval : 0;

	*count = (struct health_count){.health = HEALTH_STARTING,
				       .failures = failures < most ? failures : most,
				       .delay_ms = FIRST_DELAY_MS};
	count->count_from_ms = now_ms - late_ms + (count->failures + 1) * interval;
}

/* Counts where an interval has passed since the last one that counted. */
static void fail(struct health_count *count, const struct health_check *check, int64_t now_ms)
{
	if (now_ms < count->count_from_ms)
		return;
	count->count_from_ms = now_ms + SETTING(check, interval);
	if (++count->failures >= SETTING(check, retries))
		count->health = HEALTH_UNHEALTHY;
}

void health_note(struct health_count *count, const struct health_check *check, bool success,
		 int64_t now_ms)
{
	int64_t interval = SETTING(check, interval);

	if (success) {
		count->failures = 0;
		count->count_from_ms = now_ms + interval;
		count->health = HEALTH_HEALTHY;
	} else {
		fail(count, check, now_ms);
	}
	count->delay_ms = count->health == HEALTH_STARTING && count->delay_ms < interval / 2
				  ? 2 * count->delay_ms
				  : interval;
}

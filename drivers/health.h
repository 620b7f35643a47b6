/*
 * health.h - from what one check after the other said to how healthy a workload is.
 *
 * Until the first success checks come quickly (after 50 ms, then at twice the distance each time,
 * up to the interval), but a failure counts only once an interval: so a workload is healthy as soon
 * as it serves, and unhealthy no sooner than startPeriod + retries x interval. Whoever begins to
 * count in the middle of a run takes it that so far every check has failed; then one more failure
 * tells of a workload that has had its time, and one success of any.
 */
#ifndef TRUEUP_DRIVERS_HEALTH_H
#define TRUEUP_DRIVERS_HEALTH_H

#include "drivers/workload.h"

struct health_count {
	enum run_health health; /* HEALTH_STARTING, HEALTH_HEALTHY or HEALTH_UNHEALTHY */
	int64_t failures;	/* one after the other */
	int64_t count_from_ms;	/* boot ms; no failure counts before it */
	int64_t delay_ms;	/* until the next check */
};
/* A run that has lasted so long; now_ms: boot time. */
void health_begin(struct health_count *count, const struct health_check *check, int64_t running_ms,
		  int64_t now_ms);
/* A check has succeeded or failed. */
void health_note(struct health_count *count, const struct health_check *check, bool success,
		 int64_t now_ms);
/* May it still be coming up, whatever a check says? */
bool health_is_young(const struct health_check *check, int64_t running_ms);

#endif

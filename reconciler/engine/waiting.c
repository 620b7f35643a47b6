#include "base/sys.h"

#include "base/clock.h"
#include "engine/waiting.h"
#include "schema/kinds.h"

void wait_for(struct slot_run *run, const char *reason, const char *detail)
{
	if (!run->wait) {
		run->wait = run->waited ? run->waited : mem_zalloc(1, sizeof *run->wait);
		run->waited = NULL;
	}
	if (!str_eq(run->wait->reason, reason))
		run->wait->since = clock_wall_ms();
	snprintf(run->wait->reason, sizeof run->wait->reason, "%s", reason);
	snprintf(run->wait->detail, sizeof run->wait->detail, "%s", detail ? detail : "");
}

bool waits_for(const struct slot_run *run, const char *reason)
{
	return run->wait && str_eq(run->wait->reason, reason);
}

void wait_over(struct slot_run *run)
{
	if (!run->wait)
		return;
	free(run->waited);
	run->waited = run->wait;
	run->wait = NULL;
}

void wait_settle(struct slot_run *run)
{
	if (run->backoff.failures && !run->wait)
		return;
	free(run->waited);
	run->waited = NULL;
}

void deadline_stop(struct slot_run *run)
{
	if (run->deadline_at && !run->paused_at)
		run->paused_at = clock_boot_ms();
}

void deadline_go_on(struct slot_run *run)
{
	if (run->paused_at)
		run->deadline_at += clock_boot_ms() - run->paused_at;
	run->paused_at = 0;
}

bool deadline_passed(struct slot_run *run, const struct slot_plan *plan)
{
	if (!run->deadline_at) {
		run->deadline_at = clock_boot_ms() +
				   KIND_OR(plan->slot->deployment->strategy, strategy, deadline);
		run->paused_at = 0;
	}
	return !run->paused_at && clock_boot_ms() >= run->deadline_at;
}

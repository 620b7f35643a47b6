#include "base/sys.h"

#include "base/clock.h"
#include "engine/waiting.h"
#include "schema/kinds.h"

void wait_for(struct slot_run *run, const char *reason, const char *detail)
{
	if (!str_eq(run->waiting, reason))
		run->waiting_since = clock_wall_ms();
	snprintf(run->waiting, sizeof run->waiting, "%s", reason);
	snprintf(run->waiting_detail, sizeof run->waiting_detail, "%s", detail ? detail : "");
}

void wait_over(struct slot_run *run)
{
	run->waiting[0] = run->waiting_detail[0] = '\0';
	run->waiting_since = 0;
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

/*
 * waiting.h - why a slot does nothing now, as status shows it, and the deadline of the record that
 * it tries.
 */
#ifndef TRUEUP_ENGINE_WAITING_H
#define TRUEUP_ENGINE_WAITING_H

#include "engine/core.h"

/*
 * Since when is kept for as long as the reason is the same, over every step that finds it again and
 * every try that fails again. detail may be NULL.
 */
void wait_for(struct slot_run *run, const char *reason, const char *detail);
bool waits_for(const struct slot_run *run, const char *reason);
/* Before a step: whether it goes on waiting is for the step to say, */
void wait_over(struct slot_run *run);
/* and after it: what did not go on is forgotten, unless this is another try of what failed. */
void wait_settle(struct slot_run *run);

/* While what a slot needs is out of reach its deadline stands still. */
void deadline_stop(struct slot_run *run);
void deadline_go_on(struct slot_run *run);
/* The first question starts it. plan->slot is not NULL. */
bool deadline_passed(struct slot_run *run, const struct slot_plan *plan);

#endif

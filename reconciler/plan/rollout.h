/*
 * rollout.h - the next changes for one slot, from what is wanted and what is seen. Pure.
 *
 * This is the whole crash safety: nothing remembers how far a rollout got. Whoever died when, the
 * next look gives the next changes; carried out in any prefix, they lead to the same end. A rollout
 * goes in phases over all containers of the slot:
 *
 *   1 make    every container that is wanted and not there is created, as <name>, or as <name>.next
 *             beside one that differs; leftovers called .next that are not wanted are removed
 *   2 start   rolling: in order, each when those before it are up; recreate: the old ones are
 *             stopped first (last one first)
 *   3 wait    until all are healthy
 *   4 take    the old ones are stopped and removed, .next takes the name, extra containers go
 *
 * A failure is not handled here: the record is failed in the ledger, another one is wanted, and the
 * same function finds the way back (the old ones are still there, at most stopped).
 */
#ifndef TRUEUP_PLAN_ROLLOUT_H
#define TRUEUP_PLAN_ROLLOUT_H

#include "drivers/driver.h"

enum rollout_state {
	ROLLOUT_DONE = 1, /* as wanted: all healthy, own names, nothing left over */
	ROLLOUT_OPS,	  /* carry out ops in order, then look again */
	ROLLOUT_WAIT,	  /* for health; look again on an event or after look_again_ms */
	ROLLOUT_FAILED,	  /* will not become healthy by waiting: failed_* say why */
};

struct rollout_input {
	const struct spec *wanted; /* in order of start; none: the slot is removed */
	size_t wanted_n;
	const struct workload *seen; /* workloads of this slot, any order, .next included */
	size_t seen_n;
	enum strategy_type_value strategy;
	int64_t min_healthy_ms;
	uint64_t live_fields; /* of the driver */
};

struct rollout {
	enum rollout_state state;
	struct op *ops;
	size_t ops_n;
	int64_t look_again_ms;	 /* WAIT: when time alone can change the answer; -1: only events */
	const char *waiting_for; /* WAIT: name of the first container that is not healthy */
	const char *failed_name, *failed_text; /* FAILED */
	enum err_code failed_code;
	bool serving; /* is at least one container of the wanted spec healthy under any name? */
};
void rollout_next(struct arena *arena, const struct rollout_input *input, struct rollout *out);

/* What the plan shows for one container. */
enum step_action {
	STEP_NONE = 1,
	STEP_CREATE,
	STEP_REPLACE,
	STEP_UPDATE,
	STEP_RESTART, /* as wanted, but not running */
	STEP_REMOVE,
};
const char *step_action_word(enum step_action action);

struct step {
	enum step_action action;
	const char *container; /* name on the node */
	const char *reason;    /* "version 1.1.0", "drift", "removed from the commit", ... */
	struct field_diff *fields;
	size_t fields_n;
};
/* The same comparison as a list for people: one step for each wanted or seen container, by name.
 * Empty of changes exactly when rollout_next says DONE or WAIT for health alone. */
size_t rollout_steps(struct arena *arena, const struct rollout_input *input, struct step **out);

#endif

/*
 * rollout.h - the next changes for one slot, from what is wanted and what is seen. Pure.
 *
 * This is the whole crash safety: nothing remembers how far a rollout got. Whoever died when, the
 * next look gives the next changes; carried out in any prefix, they lead to the same end. A rollout
 * goes in phases over all containers of the slot:
 *
 *   1 make    every container that is wanted and not there is pulled and created, as <name>, or as
 *             <name>.next beside one that differs; what differs only in live fields is updated.
 *             recreate: it answers to its final name from its start on, since nobody else will
 *   2 start   in order, each when those before it are up; recreate: whatever else runs is stopped
 *             first (last one first)
 *   3 wait    until all are healthy
 *   4 take    .next answers to the name as well, then the old ones are removed, .next is called
 *             so, extra containers go
 *
 * An init container is a job of the container behind it, and is run for each one that is made: it
 * is done as soon as that container was started, goes in phase 4, and is never kept for another
 * release: what is left of one is removed in phase 1.
 *
 * Up: started, healthy if it has a health check, ended as expected if it is a job. Healthy: its
 * health check says so, or without one it has been running for min_healthy_ms, or it is a job that
 * ended as expected.
 *
 * A container is the wanted one when it belongs to the same slot, runs the same digest and has the
 * same configuration, whichever record made it. Only what has ended, and every job, must have been
 * made by the record itself, or a new record would be judged by what an older one's did; of a
 * settled record they are its own, and a job that is gone is not missed.
 *
 * A failure is not handled here: the record is failed in the ledger, another one is wanted, and the
 * same function finds the way back (the old ones are still there, at most stopped). What a flip
 * leaves behind under .next is removed at once if it does not serve, else when what is wanted is
 * healthy; one that serves while its elder is gone takes the name before a third one comes up.
 */
#ifndef TRUEUP_PLAN_ROLLOUT_H
#define TRUEUP_PLAN_ROLLOUT_H

#include "drivers/driver.h"
#include "schema/canon.h"

enum rollout_state {
	ROLLOUT_DONE = 1, /* as wanted: all healthy, own names, nothing left over */
	ROLLOUT_OPS,	  /* carry out ops in order, then look again */
	ROLLOUT_WAIT,	  /* for health; look again on an event or after look_again_ms */
	ROLLOUT_FAILED,	  /* will not become healthy by waiting: failed_* say why */
};

struct rollout_input {
	const struct spec *wanted; /* in order of start; none: the slot is removed */
	size_t wanted_n;
	/*
	 * Workloads of this slot, any order, .next included; also those of a slot that is gone and
	 * whose names are wanted here now: they are replaced like old ones.
	 */
	const struct workload *const *seen;
	size_t seen_n;
	/* Names in the product in order of start, for stopping what is not wanted; may be empty. */
	const char *const *order;
	size_t order_n;
	enum strategy_type_value strategy;
	int64_t min_healthy_ms;
	uint64_t live_fields; /* of the driver, as is: */
	bool aliases;
	/* The record succeeded before: what ended is started again instead of being a failure. */
	bool settled;
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
	STEP_ACTIONS,
};
const char *step_action_word(enum step_action action);

/* Moments of a step at which connections break. */
enum step_drops {
	DROPS_ALIAS = 1, /* the new one's own, when it begins to answer to the name */
	DROPS_STOP = 2,	 /* all of the old one's, when it is stopped */
};

struct step {
	enum step_action action;
	unsigned drops;
	const char *container;	 /* name on the node */
	const struct spec *spec; /* what is wanted there; NULL: nothing */
	const char *hint;	 /* what else there is to know of it, or NULL */
	const char *reason;	 /* "env changed", "not running", ...; NULL with STEP_NONE */
	/* It is as its record made it but for what was done on the node since. */
	bool drift;
	struct field_diff *fields; /* image and digest among them */
	size_t fields_n;
};
/*
 * The same comparison as a list for people: one step for each wanted or seen container, by name.
 * All are STEP_NONE exactly when rollout_next says DONE, or WAIT with nothing to do afterwards.
 */
size_t rollout_steps(struct arena *arena, const struct rollout_input *input, struct step **out);

#endif

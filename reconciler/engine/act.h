/*
 * act.h - changes on one node, carried out in a child.
 *
 * The caller has written the intent of every change before it starts an act:
 * what will be done is known before the fork, because the rollout is pure. The
 * child works the groups one after the other; a failure ends its group and not
 * the others. Results come back one by one.
 */
#ifndef TRUEUP_ENGINE_ACT_H
#define TRUEUP_ENGINE_ACT_H

#include "drivers/driver.h"
#include "engine/job.h"

#define ACT_DEADLINE_MS 3700000 /* a stop may take its stopTimeout, at most an hour */

/* What belongs together: the changes of one slot, in order. */
struct act_group {
	const struct op *ops;
	size_t ops_n;
};
/* How far a pull is; of each at most one in a second, and one in five when nothing is new. */
struct act_progress {
	size_t group, op; /* indexes */
	struct op_progress progress;
};

struct act_request {
	const struct node *node;
	const struct driver_env *env;
	const struct act_group *groups;
	size_t groups_n;
	void (*progress)(void *owner, const struct act_progress *progress); /* NULL: nobody */
};

struct act_result {
	size_t group, op; /* indexes */
	bool ok, changed;
	int64_t took_ms;
	const char *unheard; /* struct op_result */
	enum err_code code;  /* when not ok */
	const char *text;    /* error, or the engine's words, or "" */
};

struct act;
/*
 * result: after each change. done: once, at the end; failure says that the child itself failed,
 * then results may be missing: what happened is unknown and must be looked at.
 */
struct act *act_start(struct loop *loop, const struct act_request *request,
		      void (*result)(void *owner, const struct act_result *result),
		      void (*done)(void *owner, const struct err *failure), void *owner,
		      struct err *err);
/* Ends the child after the change it is at, as far as TERM allows; `done` is still called. */
void act_hurry(struct act *act);

#endif

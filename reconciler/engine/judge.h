/*
 * judge.h - acceptance and guard together: what of a commit may be in force. Pure.
 *
 * They depend on each other: what the guard holds is accepted anew with the
 * older documents of that stage, and may then remove less. Holds only grow, so
 * this ends. `run`, `apply` and `plan` judge by the same function.
 */
#ifndef TRUEUP_ENGINE_JUDGE_H
#define TRUEUP_ENGINE_JUDGE_H

#include "engine/guard.h"

struct judge_input {
	const char *commit;		     /* full id */
	const struct file_set *tip;	     /* its files */
	const struct tree *tree;	     /* ... and the problems of its tree */
	const struct accept_outcome *before; /* in force until now; NULL: nothing */
	const struct history *history;
	const struct driver_env *env;
	const struct ledger_approval *approvals;
	size_t approvals_n;
	const char *const *prune_trailers;
	size_t prune_trailers_n;
};

/* *outcome is the caller's. removals (may be NULL): everything the commit removes, held or not. */
void judge_run(const struct judge_input *input, struct arena *arena, struct accept_outcome *outcome,
	       struct buf *removals);

#endif

/*
 * verdict.h - what is written and said when the tip was judged. Both are for the commit in
 * tip.loading, within the turn's transaction, and set tip.seen.
 */
#ifndef TRUEUP_ENGINE_VERDICT_H
#define TRUEUP_ENGINE_VERDICT_H

#include "engine/core.h"

/* The commit as a whole is refused: everything stays as it is in force. hint may be NULL. */
void verdict_refused(struct engine *engine, enum diag_code code, const char *message,
		     const char *hint);
/*
 * Its outcome, taken over, is what is in force from now on: held units are written down with their
 * diagnostics, and the nodes follow.
 */
void verdict_in_force(struct engine *engine, struct accept_outcome *outcome);

#endif

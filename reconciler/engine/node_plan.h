/*
 * node_plan.h - the plan for one node, from what is in force, what the ledger knows and what was
 * seen.
 */
#ifndef TRUEUP_ENGINE_NODE_PLAN_H
#define TRUEUP_ENGINE_NODE_PLAN_H

#include "engine/work.h"

/* Sets work->plan from work->history, in the work's arena. */
void node_plan_make(struct work *work);

#endif

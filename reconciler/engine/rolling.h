/*
 * rolling.h - one step of one slot: from what is wanted and what was seen to the next operations,
 * or to what the end of a rollout means for its record.
 */
#ifndef TRUEUP_ENGINE_ROLLING_H
#define TRUEUP_ENGINE_ROLLING_H

#include "engine/work.h"

/* -1: the ledger failed. That the slot failed is no failure here: it is written down. */
int rolling_step(struct work *work, const struct slot_plan *plan, struct slot_run *run);

#endif

/*
 * upkeep.h - images that nothing needs any more go from a node, once its slots are at rest.
 */
#ifndef TRUEUP_ENGINE_UPKEEP_H
#define TRUEUP_ENGINE_UPKEEP_H

#include "engine/work.h"

/*
 * After the slots of the node were worked on, when something ended there since the last time:
 * queues the removals, each an intent of its own. Nothing happens while anything else does, is
 * paused, or waits for the ledger to be rebuilt. -1: the ledger failed.
 */
int upkeep_work(struct work *work);

#endif

/*
 * work.h - what one piece of work on a node shares. Internal to the files around slots.c.
 *
 * A fresh look at a node is worked on once, from top to bottom, in an arena of its own:
 *
 *	node_plan.c  what is wanted of the node, from the commit in force and the ledger
 *	gates.c      may a new record begin? may one that is not wanted any more go?
 *	rolling.c    the next step of each slot, and what its end means
 *	upkeep.c     when all slots are at rest: images that nothing needs any more
 *	intents.c    changes are written down, then handed to children
 *
 * slots.c calls them in this order.
 */
#ifndef TRUEUP_ENGINE_WORK_H
#define TRUEUP_ENGINE_WORK_H

#include "engine/core.h"

struct work {
	struct engine *engine;
	struct node_run *node;
	const struct observed *observed; /* NULL: the node cannot be seen */
	struct arena *arena;
	const struct history *history;
	struct plan *plan;
	struct err *err;
	VEC(struct pending_group) groups;
};

#endif

/*
 * share.h - a node's share of what is wanted and of what was: the input of a plan for one node.
 */
#ifndef TRUEUP_ENGINE_SHARE_H
#define TRUEUP_ENGINE_SHARE_H

#include "engine/core.h"

/* The slots of a node, sorted as in the whole. The slots are shared with the whole. */
struct desired *share_desired(const struct engine *engine, const char *node, struct arena *arena);
/*
 * The records of a node with their contents, which are large and seldom needed: they are read here
 * and go with the arena. What is frozen concerns all nodes.
 */
struct history *share_history(struct engine *engine, const struct history *all, const char *node,
			      struct arena *arena);
/* Keeps what a slot's manifest says about its volumes, for when the manifest is gone. */
int share_keep_policy(struct engine *engine, const struct slot *slot, struct slot_run *run,
		      struct err *err);

#endif

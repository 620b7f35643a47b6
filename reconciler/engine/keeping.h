/*
 * keeping.h - what is in force is copied into the state directory's own object store, in the
 * background, so that a force-push with gc takes nothing away that a held unit or a restart needs.
 */
#ifndef TRUEUP_ENGINE_KEEPING_H
#define TRUEUP_ENGINE_KEEPING_H

#include "engine/core.h"

/* Keeps the commits that the ledger names now; while a child is at it, once more after it. */
void keeping_want(struct engine *engine);

#endif

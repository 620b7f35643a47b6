/*
 * watcher.h - one child that holds the event streams of all nodes and sends only node names, and
 * what the checks that drivers make themselves have found (driver_ops.checked).
 *
 * It is started anew when the set of nodes changes. Events are hints: a node
 * whose stream is lost is looked at.
 */
#ifndef TRUEUP_ENGINE_WATCHER_H
#define TRUEUP_ENGINE_WATCHER_H

#include "engine/core.h"

struct watcher;

/* Watches every node that the engine has now. NULL when the child could not be started. */
struct watcher *watcher_start(struct engine *engine);
void watcher_stop(struct watcher **watcher);
/* Was it started for exactly these nodes? */
bool watcher_is_current(const struct watcher *watcher, const struct engine *engine);

#endif

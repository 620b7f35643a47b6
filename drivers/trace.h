/*
 * trace.h - a driver that writes down every call to the one inside, and how it ended.
 *
 *	edge-1 observe -> 2 workloads, 1 volumes
 *	edge-1 apply create shop-prod-web -> changed
 *	edge-1 apply start shop-prod-web -> already so
 *	edge-1 apply rename shop-prod-web.next shop-prod-web -> error node-unreachable: no route
 *
 * One line a call, written when it returns: a call that never returned has none. Innermost of the
 * decorators, so that it shows what reached the node.
 */
#ifndef TRUEUP_DRIVERS_TRACE_H
#define TRUEUP_DRIVERS_TRACE_H

#include "drivers/driver.h"

/* Puts a trace round *driver; lines are appended to *into, which must live longer. Cannot fail. */
void trace_wrap(struct driver **driver, const char *node, struct buf *into);
/*
 * The same into a file, which is made when absent and only ever appended to, each line with one
 * write: several processes may share it. On failure *driver is as before.
 */
int trace_wrap_file(struct driver **driver, const char *node, const char *path, struct err *err);

#endif

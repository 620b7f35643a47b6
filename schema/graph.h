/*
 * graph.h - cycles in a graph whose nodes are the numbers from 0 to n - 1.
 */
#ifndef TRUEUP_SCHEMA_GRAPH_H
#define TRUEUP_SCHEMA_GRAPH_H

#include "base/sys.h"

#define GRAPH_END SIZE_MAX	     /* no more edges */
#define GRAPH_NOWHERE (SIZE_MAX - 1) /* this edge leads to nothing that is known */

struct graph {
	size_t n;
	/* The i-th node that `node` points to, or GRAPH_END, or GRAPH_NOWHERE. */
	size_t (*edge)(void *arg, size_t node, size_t i);
	/* Told once for each cycle found; cycle[0] is its smallest node, the last points to it. */
	void (*found)(void *arg, const size_t *cycle, size_t length);
	void *arg;
};

/* Walks every edge once; finds at least one cycle of every knot. No recursion. */
void graph_cycles(const struct graph *graph);

#endif

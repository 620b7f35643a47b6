/*
 * live.h - commands that need a running reconciler: one request over its control socket.
 */
#ifndef TRUEUP_SURFACE_LIVE_H
#define TRUEUP_SURFACE_LIVE_H

#include "surface/cli/cli.h"

/*
 * Sends op with args (stolen), adds who asks, --wait and --timeout, prints the answer as JSON or
 * by show(), and returns the exit code; with --wait the one of the pass, which is printed too.
 * Where no reconciler answers: 69, and the line to run where it is.
 */
int live_call(struct cli *cli, const char *op, json_t *args,
	      void (*show)(struct cli *cli, const json_t *answer));

/*
 * Sends op with args (stolen) and gives each JSON value that comes before the answer to take, which
 * returns -1 when nobody wants more. The exit code; errors are told as by live_call.
 */
int live_stream(struct cli *cli, const char *op, json_t *args,
		int (*take)(void *arg, const json_t *value), void *arg);

#endif

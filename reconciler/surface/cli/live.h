/*
 * live.h - commands that need a running reconciler: one request over its control socket.
 */
#ifndef TRUEUP_SURFACE_LIVE_H
#define TRUEUP_SURFACE_LIVE_H

#include "ledger/ledger_read.h"
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

/*
 * Images that come to nodes just now, as only the reconciler knows:
 * {"project/stage/deployment@node":
 * {"image","layers","layersDone","bytes","total","since"}}. NULL: none runs, or it is busy; nothing
 * is said then. New reference.
 */
json_t *live_pulls(struct cli *cli);
/* That of a slot among them, or JSON's null where none runs; new reference. */
json_t *live_pull_of(const json_t *pulls, const struct slot_key *slot);
/* Appends "pulling web: 12.3 of 45.6 MiB, layer 3 of 7". */
void live_put_pull(const json_t *pull, struct buf *out);

#endif

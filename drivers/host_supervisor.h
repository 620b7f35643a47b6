/*
 * host_supervisor.h - one small process for each workload that runs, which outlives the reconciler.
 *
 * The same binary, executed as `trueup supervise DATA_ROOT NAME` with every descriptor closed but
 * one (HOST_READY_FD, where it says once how the start went), in a session of its own, no child of
 * the reconciler. It holds the workload's lock for as long as it lives, runs the command, restarts
 * it as its policy says, looks after its health, log and bounds, and ends when the workload has
 * ended for good. It is asked by signal: TERM stops the workload, HUP reads spec.json again for
 * what can change while it runs.
 *
 * Restarts come after 1 s, then after twice as long each time, up to 5 min; a run of 10 s or more
 * sets that back to 1 s. When the command ends, whatever it left running is killed: nothing of a
 * workload outlives it. Those that left its process group or session are found too, since orphans
 * become the supervisor's children.
 */
#ifndef TRUEUP_DRIVERS_HOST_SUPERVISOR_H
#define TRUEUP_DRIVERS_HOST_SUPERVISOR_H

#include "base/sys.h"

#define HOST_SUPERVISE_VERB "supervise"
#define HOST_READY_FD 3
/* What it writes there: HOST_READY, or "<error code>: text". */
#define HOST_READY "ready"

/* argv: program, verb, data root, name. Returns the exit status. */
int host_supervise(int argc, char **argv);

/* Not constants, so that tests need not wait. */
struct host_backoff {
	int64_t first_ms, max_ms; /* time until a restart: doubles from first to max */
	int64_t reset_ms;	  /* a run this long sets it back to first */
};
extern struct host_backoff host_backoff;

#endif

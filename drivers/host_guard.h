/*
 * host_guard.h - notices that a workload's control folder is taken away while it runs.
 *
 * What is no longer on record would be made a second time. So a supervisor whose folder somebody
 * removes (by hand: the driver stops it first) ends its workload.
 *
 * The kernel tells by a signal (fcntl's F_NOTIFY). inotify would tell more, but a user may have 128
 * of its instances by default, and so no more workloads than that. Where the signal is not to be
 * had, a timer looks.
 */
#ifndef TRUEUP_DRIVERS_HOST_GUARD_H
#define TRUEUP_DRIVERS_HOST_GUARD_H

#include "base/loop.h"

struct host_guard {
	int dir; /* the caller's; -1: not watching */
	struct loop *loop;
	struct loop_timer *timer; /* NULL: the signal tells */
	void (*gone)(void *arg);
	void *arg;
};
#define HOST_GUARD_INIT                                                                            \
	{                                                                                          \
		.dir = -1                                                                          \
	}
/* Calls gone once when the lock in the folder is removed. Takes SIGIO for itself. */
int host_guard_open(struct host_guard *guard, struct loop *loop, int dir, void (*gone)(void *arg),
		    void *arg, struct err *err);
/* Before the loop and the folder are closed. */
void host_guard_release(struct host_guard *guard);

/* Not a constant, so that tests need not wait. */
extern int64_t host_guard_look_ms;

#endif

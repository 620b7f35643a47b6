/*
 * host_guard.h - notices that a workload's control folder is taken away while it runs.
 *
 * What is no longer on record would be made a second time. So a supervisor whose folder somebody
 * removes (by hand: the driver stops it first) ends its workload.
 */
#ifndef TRUEUP_DRIVERS_HOST_GUARD_H
#define TRUEUP_DRIVERS_HOST_GUARD_H

#include "base/loop.h"

struct host_guard {
	int fd; /* -1: not watching */
	struct loop_fd *source;
	void (*gone)(void *arg);
	void *arg;
};
#define HOST_GUARD_INIT                                                                            \
	{                                                                                          \
		.fd = -1                                                                           \
	}
/* Calls gone once when the lock in the folder is removed. */
int host_guard_open(struct host_guard *guard, struct loop *loop, int dir, void (*gone)(void *arg),
		    void *arg, struct err *err);
void host_guard_release(struct host_guard *guard);

#endif

/*
 * host_health.h - looking whether a workload serves: its command, HTTP or TCP check.
 *
 * Each check runs in a child of its own with a deadline, so that nothing it does can hold up the
 * supervisor. health.h says how often, and what counts.
 */
#ifndef TRUEUP_DRIVERS_HOST_HEALTH_H
#define TRUEUP_DRIVERS_HOST_HEALTH_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/loop.h"
#include "drivers/health.h"
#include "drivers/host_run.h"

struct host_health {
	/* Set once, before the first start. */
	struct loop *loop;
	const struct health_check *check; /* NULL: none */
	const struct host_run *like;	  /* whose user, folder and environment checks have */
	const struct host_run *command;	  /* prepared, for a command check */
	void (*changed)(void *arg);	  /* health or text is another now */
	void *arg;

	enum run_health health;
	char text[256]; /* what the last failure said; "" after a success */

	/* Its own. */
	pid_t pid; /* of the check that runs; 0: none */
	int pipe;
	struct loop_fd *pipe_source;
	struct loop_timer *next, *deadline;
	bool timed_out;
	struct health_count count;
	struct buf output;
};
void host_health_init(struct host_health *health, struct loop *loop);
/* A run has begun: checks begin. Without a check, health is HEALTH_NONE for ever. */
void host_health_start(struct host_health *health);
/* The run is over: a check that is under way is killed and forgotten. */
void host_health_stop(struct host_health *health);
/*
 * To be told of every child that has ended and is not reaped yet, so that its process group cannot
 * be another's; false: it was none of the checks.
 */
bool host_health_ended(struct host_health *health, pid_t pid, int wait_status);

#endif

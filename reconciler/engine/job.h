/*
 * job.h - one piece of risky work in a short-lived child: typed messages, a deadline, TERM then
 * KILL.
 *
 * A job ends exactly once: when its pipe is closed and its process reaped. A
 * body reports its own failure with job_fail; a death, an overrun or a torn
 * message becomes an error as well, so that the owner sees one kind of end.
 */
#ifndef TRUEUP_ENGINE_JOB_H
#define TRUEUP_ENGINE_JOB_H

#include "base/loop.h"
#include "base/msg.h"

struct job;

#define JOB_MSG_ERROR 1u       /* {"code":...,"text":...}: the body's own failure */
#define JOB_MSG_FIRST 16u      /* types of the jobs themselves start here */
#define JOB_KILL_AFTER_MS 2000 /* between TERM and KILL */

struct job_opts {
	const char *role;    /* "look edge-1": for the log and the process list */
	int64_t deadline_ms; /* from now; 0: none */
	int keep;	     /* a descriptor that the body has as well; 0: none */
	/* In the child: works, sends messages over fd, returns the exit status. */
	int (*body)(int fd, void *arg);
	void *arg; /* seen by the child as it was when the job started */
	/* In the parent. failure NULL: the body returned 0. The job is freed after `ended`. */
	void (*message)(void *owner, const struct msg *msg);
	void (*ended)(void *owner, const struct err *failure);
	void *owner;
};

/*
 * A descriptor that every job keeps: the state lock, so that a new daemon waits until the last
 * child of a killed one is gone. -1: none.
 */
void job_keep(int fd);

/* NULL and *err when no process could be started; `ended` is not called then. */
struct job *job_start(struct loop *loop, const struct job_opts *opts, struct err *err);
/* Ends it (TERM, KILL later) without calling its owner again. Sets the variable to NULL. */
void job_cancel(struct job **job);
/* Before the loop goes: until every cancelled job has ended, which KILL makes sure of. */
void job_drain(struct loop *loop);
/* Asks it to end early; `ended` is still called. */
void job_hurry(struct job *job);

/* For bodies: sends *err as the job's failure and returns 1, the exit status. */
int job_fail(int fd, const struct err *err);

#endif

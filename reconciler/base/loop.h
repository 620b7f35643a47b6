/*
 * loop.h - one thread, one epoll, many events.
 *
 * Callbacks run one at a time from loop_run. A callback may add and remove
 * sources, also its own. Timers run on CLOCK_BOOTTIME; due ones run in order of
 * their time. After the events of one turn, `turn` callbacks run once: that is
 * where what gathered in a turn becomes one transaction.
 */
#ifndef TRUEUP_BASE_LOOP_H
#define TRUEUP_BASE_LOOP_H

#include <sys/types.h>

#include "base/err.h"

struct loop;
struct loop_fd;
struct loop_timer;

struct loop *loop_new(struct err *err);
void loop_free(struct loop *loop);

/*
 * events: EPOLLIN and so on, level-triggered. The descriptor stays the caller's, who removes the
 * source before closing it. NULL with errno when epoll refuses it (EPERM: a regular file).
 */
struct loop_fd *loop_fd_add(struct loop *loop, int fd, uint32_t events,
			    void (*ready)(void *arg, uint32_t events), void *arg);
void loop_fd_set(struct loop_fd *source, uint32_t events);
/* NULL is allowed; sets the variable to NULL. */
void loop_fd_del(struct loop_fd **source);

/*
 * Runs once, delay_ms from now (0: in the next turn). The timer is gone before `due` is called, so
 * `due` begins by forgetting it.
 */
struct loop_timer *loop_timer_add(struct loop *loop, int64_t delay_ms, void (*due)(void *arg),
				  void *arg);
void loop_timer_del(struct loop_timer **timer);

/*
 * signalfd; blocks the signal for the process until loop_free (proc_fork unblocks it in children).
 * A second call for the same signal replaces the first.
 */
int loop_signal_add(struct loop *loop, int signal, void (*caught)(void *arg, int signal), void *arg,
		    struct err *err);
/*
 * Called once with the wait status when pid ends (-1: somebody else took it); the loop reaps it.
 * Not called after loop_child_del, which leaves the reaping to the caller.
 */
void loop_child_add(struct loop *loop, pid_t pid, void (*ended)(void *arg, int wait_status),
		    void *arg);
void loop_child_del(struct loop *loop, pid_t pid);
/* Called after the events of each turn, until removed with NULL. One slot. */
void loop_turn_set(struct loop *loop, void (*turn)(void *arg), void *arg);

/* Until loop_stop; the turn in which it is called is finished. The first turn waits for nothing. */
int loop_run(struct loop *loop, struct err *err);
/* One turn, waiting at most timeout_ms (-1: for ever). */
int loop_once(struct loop *loop, int64_t timeout_ms, struct err *err);
void loop_stop(struct loop *loop);
/*
 * For a loop within another one: the descriptor that is readable when a turn has something to do.
 * Always the same; to be asked for after each turn, and after a timer was added outside of one,
 * because that is when it learns of the next timer.
 */
int loop_descriptor(struct loop *loop, struct err *err);

#endif

/*
 * proc.h - short-lived children: forked, bounded, never left behind.
 *
 * The child gets SIGKILL when its parent dies, has default signal handling,
 * keeps only its end of the socket pair, standard error and the descriptors
 * named in `keep` (standard input and output are /dev/null unless named), runs
 * body() and leaves by _exit with what body returned.
 */
#ifndef TRUEUP_BASE_PROC_H
#define TRUEUP_BASE_PROC_H

#include <sys/types.h>

#include "base/err.h"

struct child {
	pid_t pid; /* 0: none */
	int fd;	   /* parent's end of the socket pair, non-blocking, O_CLOEXEC; -1: none */
};

struct child_opts {
	const char *role; /* for the log and for the process's name, e.g. "fetch" */
	const int *keep;  /* descriptors besides the pair that stay open */
	size_t keep_n;
};

/* body: runs in the child with its (blocking) end; its return value is the exit status. */
int proc_fork(struct child *child, const struct child_opts *opts, int (*body)(int fd, void *arg),
	      void *arg, struct err *err);
/* TERM now; KILL is the caller's, after its own wait (engine does so by timer). */
void proc_terminate(const struct child *child);
void proc_kill(const struct child *child);
/* Blocking reap; returns the wait status, -1 when somebody else took it. Closes fd. */
int proc_reap(struct child *child);
/* "exited with status 3", "killed by SIGSEGV" */
const char *proc_status_text(int wait_status, char *out, size_t size);

/*
 * Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)), 0 when
 * it is gone or a zombie. Pid and start time together name a process for ever.
 */
uint64_t proc_start_time(pid_t pid);
/* Every signal as it is by default, none blocked: for children, before they become what they are.
 */
void proc_default_signals(void);
/* Closes every descriptor >= 3 but those in keep (any order). */
void proc_close_fds(const int *keep, size_t keep_n);

#endif

/*
 * state.h - the state directory: who holds it, whose it is.
 *
 *	<state>/trueup        marker, "trueup state 1"; a folder that has other files and no
 *	                      marker is not ours (E_STATE_FOREIGN): nothing is written to it
 *	<state>/lock          flock, names pid and purpose
 *	<state>/instance      random id of this reconciler, made once
 *	<state>/ledger.db     the ledger
 *	<state>/objects.git   kept Git objects
 *	<state>/mirror.git    mirror of a remote
 *	<state>/control.sock  control socket of a running daemon, 0600
 *	<state>/credentials/  default credentials folder
 *	<state>/nodes/<node>/ data of host nodes without dataRoot
 */
#ifndef TRUEUP_LEDGER_STATE_H
#define TRUEUP_LEDGER_STATE_H

#include "base/err.h"

#define STATE_MARKER_FILE "trueup"
#define STATE_LOCK_FILE "lock"
#define STATE_INSTANCE_FILE "instance"
#define STATE_SOCKET_FILE "control.sock"
#define STATE_WAIT_MS 10000

#define STATE_INSTANCE_SIZE 33 /* 32 hex digits and a NUL */

struct state {
	char dir[4096]; /* absolute */
	char instance[STATE_INSTANCE_SIZE];
	int lock; /* descriptor that holds <state>/lock; -1: not held */
};
/*
 * Makes the folder (0700) and marker when absent, takes the lock (waits up to 10 s for a holder
 * that has no control socket; with a live control socket E_STATE_BUSY at once, naming pid and
 * purpose), reads or makes the instance id. A folder of ours that others may enter is closed
 * (0700); one that belongs to another user is refused (E_STATE_FOREIGN), as is one that holds
 * anything else than what an administrator prepares before the first start (credentials/,
 * lost+found/).
 */
int state_open(const char *dir, const char *purpose, struct state *out, struct err *err);
/* The same with another wait. */
int state_open_within(const char *dir, const char *purpose, int64_t wait_ms, struct state *out,
		      struct err *err);
/*
 * After the directory was removed under a running reconciler: state_open, but a folder without an
 * instance id gets this one, so that the nodes still belong to who goes on.
 */
int state_open_as(const char *dir, const char *purpose, const char *instance, struct state *out,
		  struct err *err);
/* 0 as long as what was opened is what lies there; E_STATE_LOST when it was removed or replaced. */
int state_check_there(const struct state *state, struct err *err);
/* Lets go of the lock. A struct that was never opened must have lock -1. */
void state_close(struct state *state);
/* Is a daemon answering on the control socket? Connects and closes. */
bool state_daemon_alive(const char *dir);
/*
 * For readers: 0 when the folder is ours, could become ours, or is not there; E_STATE_FOREIGN.
 * Changes nothing.
 */
int state_check_ours(const char *dir, struct err *err);

#endif

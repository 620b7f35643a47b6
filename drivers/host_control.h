/*
 * host_control.h - the control folder of one workload: what it is, how it is, who supervises it.
 *
 * Read by the driver and by the supervisor, which holds the folder open by descriptor: so a
 * workload can be renamed while it runs. Only the holder of the lock writes status.json; the
 * driver takes the lock itself before it writes for a supervisor that is gone.
 */
#ifndef TRUEUP_DRIVERS_HOST_CONTROL_H
#define TRUEUP_DRIVERS_HOST_CONTROL_H

#include <sys/types.h>

#include "drivers/workload.h"

#define HOST_SPEC_FILE "spec.json"
#define HOST_STATUS_FILE "status.json"
#define HOST_LOCK_FILE "lock"

#define HOST_ID_SIZE 17	 /* 16 hex digits and a NUL */
#define HOST_RUN_SIZE 33 /* 32 hex digits and a NUL */
#define HOST_TEXT_SIZE 256

/* spec.json */
struct host_spec {
	char id[HOST_ID_SIZE]; /* of this workload for as long as it exists, whatever its name */
	struct spec spec;
};
int host_spec_read(int dir, struct arena *arena, struct host_spec *out, struct err *err);
int host_spec_write(int dir, const char *id, const struct spec *spec, struct err *err);

/* status.json */
struct host_status {
	enum run_state state;
	enum run_health health;
	bool stopping;		 /* was asked to stop and has not ended yet */
	int64_t pid;		 /* of the command; 0: none */
	uint64_t start_time;	 /* of that process, as proc_start_time gives it */
	char run[HOST_RUN_SIZE]; /* in the environment of every process of the run; "": none yet */
	char boot[64];		 /* the boot that pids, times and the run belong to */
	int64_t started_ms;	 /* boot clock */
	int starts;		 /* since it was created */
	int exit_code;		 /* -1: has not ended yet; 128 + n: by signal n */
	char note[HOST_TEXT_SIZE];   /* on the state: why it ended, when it is started again */
	char check[HOST_TEXT_SIZE];  /* what the health check last said, "" when it was fine */
	char limits[HOST_TEXT_SIZE]; /* how its bounds are enforced, "" without bounds */
};
#define HOST_STATUS_INIT                                                                           \
	{                                                                                          \
		.state = RUN_CREATED, .health = HEALTH_NONE, .exit_code = -1                       \
	}
/* As after HOST_STATUS_INIT when there is no file yet. */
int host_status_read(int dir, struct host_status *out, struct err *err);
int host_status_write(int dir, const struct host_status *status, struct err *err);
/*
 * What is true, given what was written and whether a supervisor lives: one that was killed, or a
 * machine that was switched off, left a status that time has overtaken. True: that is so.
 */
bool host_status_settle(struct host_status *status, bool supervised, const char *boot);

/*
 * Takes the lock and writes our pid and start time into it. A descriptor, or -1. Held is
 * E_SUPERVISOR: a supervisor that was started by one who has been killed since may come up at any
 * moment.
 */
int host_lock_take(int dir, struct err *err);
/* Is it held, by whichever process? Takes nothing. */
bool host_lock_is_held(int dir);
/*
 * A pidfd of the supervisor that holds the lock; -1 with E_NOT_FOUND when none lives, E_SUPERVISOR
 * when one is just coming up. The process was looked at after it was opened: it is the one that
 * wrote the lock.
 */
int host_supervisor_open(int dir, struct err *err);

/* Writes under a temporary name in the folder and renames. */
int host_write_at(int dir, const char *name, const void *bytes, size_t len, struct err *err);

#endif

/*
 * host_run.h - one process of a workload, from its spec to execve: its command, and the commands
 * that check its health.
 *
 * The program is a path inside the image, whatever the working directory: nothing runs that is not
 * in an image folder the settings allow. The environment begins empty:
 *
 *	TRUEUP_RUN       the run's id (host_orphans.h)
 *	TRUEUP_DIR       the workload's own folder; HOME too
 *	TRUEUP_IMAGE     the image's copy
 *	TRUEUP_NAME      <prefix>-<container>, and -2, -3... for further instances
 *	TRUEUP_INSTANCE  1, 2, 3...
 *	PATH, LANG, USER and LOGNAME, then `env`, which may replace these but none of TRUEUP_*
 */
#ifndef TRUEUP_DRIVERS_HOST_RUN_H
#define TRUEUP_DRIVERS_HOST_RUN_H

#include <sys/types.h>

#include "drivers/host_limits.h"
#include "drivers/host_user.h"
#include "drivers/workload.h"

#define HOST_ENV_PREFIX "TRUEUP_"

/* Ready to be forked; all texts in the arena that it was prepared with. */
struct host_run {
	const char *program; /* absolute */
	const char **argv, **envp;
	int directory; /* to run in; -1: none. The caller closes it (host_run_release) */
	struct host_user user;
	const struct host_limits *limits; /* NULL: none. The caller's */
};
void host_run_release(struct host_run *run);

/*
 * The workload's own command. E_SPAWN when the image has no such program or working directory,
 * E_NOT_FOUND for an unknown user.
 */
int host_run_prepare(struct arena *arena, const char *data_root, const struct spec *spec,
		     const char *run_id, struct host_run *out, struct err *err);
/* Another command in the same environment. */
int host_run_command(struct arena *arena, const struct host_run *like, const char *data_root,
		     const struct spec *spec, const struct strings *command, struct host_run *out,
		     struct err *err);
/* <data root>/images/<hex> and the workload's folder, in the arena. */
const char *host_run_image(struct arena *arena, const char *data_root, const struct spec *spec);
const char *host_run_folder(struct arena *arena, const char *data_root, const struct spec *spec);

/*
 * Forks and executes, in a session of its own, with output to `output` (both streams), SIGKILL when
 * the caller dies, no way to gain rights. Returns the pid once the program runs; -1 with E_SPAWN
 * and the step that failed.
 */
pid_t host_run_spawn(const struct host_run *run, int output, struct err *err);
/* What every child of a supervisor does first: dies with it, default signals, no descriptors. */
int host_run_child(pid_t parent, int output, int keep);

#endif

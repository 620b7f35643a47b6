/*
 * host_launch.h - starting and ending supervisors, from the driver's side.
 */
#ifndef TRUEUP_DRIVERS_HOST_LAUNCH_H
#define TRUEUP_DRIVERS_HOST_LAUNCH_H

#include "drivers/host.h"

/*
 * Starts a supervisor for the workload and waits until it says that the command runs; on failure
 * the error is its own, or E_SUPERVISOR when it died without a word or met another one, which says
 * nothing about the release. The supervisor is no child of ours.
 */
int host_launch(const struct host *host, const char *name, struct err *err);
/*
 * Asks the supervisor of the workload (dir: its control folder) to stop it, and waits until it is
 * gone: at most the stop timeout and a minute, then E_ENGINE. No supervisor is success, *asked
 * false.
 */
int host_dismiss(int dir, int64_t stop_timeout_ms, bool *asked, struct err *err);
/* Waits for a supervisor that was asked to stop by somebody else. */
int host_await_end(int dir, int64_t stop_timeout_ms, struct err *err);
/* Tells the supervisor, if there is one, to read its spec again. */
void host_reload(int dir);

#endif

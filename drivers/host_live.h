/*
 * host_live.h - the fields of a container that can change while it runs.
 */
#ifndef TRUEUP_DRIVERS_HOST_LIVE_H
#define TRUEUP_DRIVERS_HOST_LIVE_H

#include "schema/model.h"

#define HOST_LIVE_FIELDS                                                                           \
	((uint64_t)1 << container_resources_F | (uint64_t)1 << container_restart_policy_F |        \
	 (uint64_t)1 << container_stop_signal_F | (uint64_t)1 << container_stop_timeout_F)

struct host_live {
	enum restart_policy_value restart;
	int stop_signal;
	int64_t stop_timeout_ms;
	struct resources resources;
};
/* What the configuration says, with its defaults. */
void host_live_read(const struct container *config, struct host_live *out);
/* Is a command that ended with this exit code started again? */
bool host_live_restarts(const struct host_live *live, int exit_code);
/* "SIGTERM" and so on; 0: no such signal. */
int host_signal_number(const char *name);

#endif

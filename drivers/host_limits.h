/*
 * host_limits.h - the upper bounds of one workload: memory and processors.
 *
 * By control group (version 1 or 2) where the machine lets us; else memory by RLIMIT_AS, which
 * bounds each process for itself, and processors not at all. The text says which, and goes to
 * status: a bound that is not enforced is never passed over in silence.
 */
#ifndef TRUEUP_DRIVERS_HOST_LIMITS_H
#define TRUEUP_DRIVERS_HOST_LIMITS_H

#include "drivers/host_cgroup.h"
#include "schema/model.h"

struct host_limits {
	int64_t memory;		  /* bytes; 0: unbounded */
	int64_t cpu;		  /* thousandths of a processor; 0: unbounded */
	char *group[CONTROLLERS]; /* NULL: not bounded by control group */
	int version[CONTROLLERS];
	int64_t oom_kills; /* seen so far */
	char text[256];	   /* "memory 64Mi by cgroup v2, cpu 0.5 is not enforced: ..." */
};
#define AUTO_LIMITS CLEANUP(host_limits_release)
/* Frees the texts; the groups stay. */
void host_limits_release(struct host_limits *limits);

/*
 * Brings *limits (all-zero at first) to what `resources` (NULL: unbounded) asks for the workload
 * with this id, making groups where they are needed. Never fails: what cannot be had is in the
 * text.
 */
void host_limits_set(struct host_limits *limits, const struct host_cgroups *cgroups, const char *id,
		     const struct resources *resources);
/* For the child, before it gives up its rights: enters the groups, or bounds itself. -1/errno. */
int host_limits_enter(const struct host_limits *limits);
/* The same for a process that runs already. */
void host_limits_adopt(const struct host_limits *limits, pid_t pid);
/* How often the kernel has killed for want of memory since this was last asked. */
int64_t host_limits_oom_kills(struct host_limits *limits);
/* Removes the groups of a workload; those that still have processes stay. */
void host_limits_remove(const struct host_cgroups *cgroups, const char *id);

#endif

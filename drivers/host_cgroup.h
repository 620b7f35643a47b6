/*
 * host_cgroup.h - where the kernel lets us make control groups, and making them.
 *
 * A workload's group is a child of the one that the reconciler itself is in (version 2: it must be
 * delegated to us or have its controllers enabled already), so that whoever bounds the reconciler
 * bounds its workloads too.
 */
#ifndef TRUEUP_DRIVERS_HOST_CGROUP_H
#define TRUEUP_DRIVERS_HOST_CGROUP_H

#include "base/err.h"

enum host_controller { CONTROLLER_MEMORY, CONTROLLER_CPU, CONTROLLERS };

/* The folder under which groups of a controller are made. */
struct host_cgroup_base {
	char *path; /* NULL: the controller is not to be had */
	int version;
};
struct host_cgroups {
	struct host_cgroup_base base[CONTROLLERS];
};
#define AUTO_CGROUPS CLEANUP(host_cgroups_release)
void host_cgroups_release(struct host_cgroups *cgroups);

/* Of this process. */
void host_cgroups_find(struct host_cgroups *out);
/* From the text of /proc/self/mountinfo and /proc/self/cgroup. */
void host_cgroups_parse(const char *mountinfo, const char *membership, struct host_cgroups *out);

/*
 * Makes (or finds) the group `name`, ready for its controller; the path is the caller's to free,
 * NULL with an error when the kernel or whoever set up this machine does not let us.
 */
char *host_cgroup_make(const struct host_cgroup_base *base, enum host_controller controller,
		       const char *name, struct err *err);
/* Where that group is or would be; NULL when the controller is not to be had. Caller frees. */
char *host_cgroup_path(const struct host_cgroup_base *base, const char *name);
/* Writes one of its files; -1 with errno. */
int host_cgroup_write(const char *group, const char *file, const char *value);
/* The number after key in one of its files ("oom_kill 3"), 0 when there is none. */
int64_t host_cgroup_read(const char *group, const char *file, const char *key);

#endif

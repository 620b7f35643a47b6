/*
 * host_user.h - as whom a workload runs, and whether the settings allow it.
 *
 * Without `user` it runs as the reconciler's own user. policy.hostDriver.users lists whom else it
 * may name; root must be listed even where the reconciler itself is root. A group that is not one
 * of the user's own must be listed together with the user, as "user:group".
 */
#ifndef TRUEUP_DRIVERS_HOST_USER_H
#define TRUEUP_DRIVERS_HOST_USER_H

#include <sys/types.h>

#include "base/err.h"
#include "schema/model.h"

#define HOST_GROUPS_MAX 64

struct host_user {
	uid_t uid;
	gid_t gid;
	gid_t groups[HOST_GROUPS_MAX];
	int groups_n;
	bool own;	    /* the reconciler's own: nothing needs to be switched */
	bool foreign_group; /* the group named is not one of the user's */
	char name[64];	    /* "" when the number has no name */
};

/* text as in `user`, or NULL. E_NOT_FOUND: no such user or group. */
int host_user_find(const char *text, struct host_user *out, struct err *err);
/* E_POLICY unless the settings (NULL: none) let workloads run as this user; text as above. */
int host_user_allow(const struct host_user *user, const char *text,
		    const struct host_policy *policy, struct err *err);
/* Becomes the user for good, in a child. -1 with errno. */
int host_user_become(const struct host_user *user);

#endif

#include "base/sys.h"
#include "drivers/host_user.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "base/num.h"

#define ENTRY_MAX ((size_t)16 << 10)

/* The entry in the user database, or NULL; its texts live in buffer. */
static struct passwd *find_entry(const char *name, struct passwd *entry, char *buffer)
{
	struct passwd *found = NULL;
	int64_t number;

	if (num_parse_int(name, 0, UINT32_MAX - 1, &number) == 0)
		(void)getpwuid_r((uid_t)number, entry, buffer, ENTRY_MAX, &found);
	else
		(void)getpwnam_r(name, entry, buffer, ENTRY_MAX, &found);
	return found;
}

static void take_own(struct host_user *out, char *buffer)
{
	struct passwd entry, *found = NULL;
	int n = getgroups(HOST_GROUPS_MAX, out->groups);

	out->uid = geteuid();
	out->gid = getegid();
	out->groups_n = n > 0 ? n : 0;
	out->own = true;
	if (getpwuid_r(out->uid, &entry, buffer, ENTRY_MAX, &found) == 0 && found)
		snprintf(out->name, sizeof out->name, "%s", found->pw_name);
}

static int find_group(const char *text, gid_t *out, struct err *err)
{
	AUTO_FREE char *buffer = mem_alloc(ENTRY_MAX);
	struct group entry, *found = NULL;
	int64_t number;

	if (num_parse_int(text, 0, UINT32_MAX - 1, &number) == 0) {
		*out = (gid_t)number;
		return 0;
	}
	if (getgrnam_r(text, &entry, buffer, ENTRY_MAX, &found) != 0 || !found)
		return err_set(err, E_NOT_FOUND, "no group %s on this machine", text);
	*out = found->gr_gid;
	return 0;
}

static bool is_member(const struct host_user *user, gid_t gid)
{
	for (int i = 0; i < user->groups_n; i++) {
		if (user->groups[i] == gid)
			return true;
	}
	return user->gid == gid;
}

static int take_group(struct host_user *out, const char *text, bool known, struct err *err)
{
	gid_t gid = 0;

	if (find_group(text, &gid, err) != 0)
		return -1;
	out->foreign_group = !known || !is_member(out, gid);
	out->own = out->own && out->gid == gid;
	out->gid = gid;
	return 0;
}

int host_user_find(const char *text, struct host_user *out, struct err *err)
{
	AUTO_FREE char *buffer = mem_alloc(ENTRY_MAX);
	AUTO_FREE char *name = text ? mem_strndup(text, strcspn(text, ":")) : NULL;
	const char *group = text ? strchr(text, ':') : NULL;
	struct passwd entry, *found;
	int64_t number;

	*out = (struct host_user){0};
	if (!text) {
		take_own(out, buffer);
		return 0;
	}
	found = find_entry(name, &entry, buffer);
	if (found && found->pw_uid == geteuid()) {
		take_own(out, buffer);
	} else if (found) {
		snprintf(out->name, sizeof out->name, "%s", found->pw_name);
		out->uid = found->pw_uid;
		out->gid = found->pw_gid;
		out->groups_n = HOST_GROUPS_MAX;
		if (getgrouplist(out->name, out->gid, out->groups, &out->groups_n) < 0)
			return err_set(err, E_NOT_SUPPORTED, "user %s is in more than %d groups",
				       name, HOST_GROUPS_MAX);
	} else if (num_parse_int(name, 0, UINT32_MAX - 1, &number) == 0 && group) {
		out->uid = (uid_t)number;
	} else {
		return err_set(err, E_NOT_FOUND, "no user %s on this machine", name);
	}
	return group ? take_group(out, group + 1, found != NULL, err) : 0;
}

static bool lists(const struct host_policy *policy, const char *text)
{
	for (size_t i = 0; policy && i < policy->users.n; i++) {
		if (str_eq(policy->users.v[i], text))
			return true;
	}
	return false;
}

static bool lists_user(const struct host_policy *policy, const struct host_user *user)
{
	char number[NUM_TEXT_MAX];

	snprintf(number, sizeof number, "%u", (unsigned)user->uid);
	return lists(policy, number) || (*user->name && lists(policy, user->name));
}

int host_user_allow(const struct host_user *user, const char *text,
		    const struct host_policy *policy, struct err *err)
{
	if (text && lists(policy, text))
		goto allowed;
	if (user->foreign_group)
		return err_set(err, E_POLICY,
			       "%s: the user is not in that group, and the settings' "
			       "policy.hostDriver.users does not list the pair",
			       text);
	if (user->uid == 0 && !lists_user(policy, user))
		return err_set(
			err, E_POLICY,
			"%s, and the settings' policy.hostDriver.users does not list root",
			text ? "it asks to run as root"
			     : "without `user` it would run as the reconciler, which is root");
	if (user->uid != geteuid() && !lists_user(policy, user))
		return err_set(err, E_POLICY,
			       "the settings' policy.hostDriver.users does not list %s", text);
allowed:
	if (!user->own && geteuid() != 0)
		return err_set(err, E_POLICY, "only a reconciler that is root can run it as %s",
			       text);
	return 0;
}

int host_user_become(const struct host_user *user)
{
	if (user->own)
		return 0;
	if (setgroups((size_t)user->groups_n, user->groups) != 0 ||
	    setresgid(user->gid, user->gid, user->gid) != 0)
		return -1;
	return setresuid(user->uid, user->uid, user->uid);
}

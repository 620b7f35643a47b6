#include "base/sys.h"
#include "drivers/host_limits.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/num.h"

#define PERIOD_US 100000
/* The kernel takes no quota below 1 ms: small shares need a longer period. */
#define LONG_PERIOD_US 1000000
#define SMALL_SHARE 10

void host_limits_release(struct host_limits *limits)
{
	for (size_t i = 0; i < CONTROLLERS; i++)
		free(limits->group[i]);
	*limits = (struct host_limits){0};
}

static char *group_name(const char *id)
{
	return mem_printf("trueup-%s", id);
}

/* ---- values -------------------------------------------------------------------------------- */

static int write_number(const char *group, const char *file, int64_t value)
{
	char text[32];

	snprintf(text, sizeof text, "%lld", (long long)value);
	return host_cgroup_write(group, file, text);
}

/* Swap counts too where it is counted; its bound may never be below that of memory alone. */
static int set_memory_v1(const char *group, int64_t bytes)
{
	int64_t value = bytes ? bytes : -1;
	int done = write_number(group, "memory.limit_in_bytes", value);

	if (write_number(group, "memory.memsw.limit_in_bytes", value) == 0 && done != 0)
		done = write_number(group, "memory.limit_in_bytes", value);
	return done;
}

static int set_memory_v2(const char *group, int64_t bytes)
{
	if (!bytes)
		return host_cgroup_write(group, "memory.max", "max");
	(void)host_cgroup_write(group, "memory.swap.max", "0");
	return write_number(group, "memory.max", bytes);
}

static int64_t period_of(int64_t milli)
{
	return milli && milli < SMALL_SHARE ? LONG_PERIOD_US : PERIOD_US;
}

static int set_cpu_v1(const char *group, int64_t milli)
{
	int64_t period = period_of(milli);

	/* A new period must fit the old quota, so that one goes first. */
	if (write_number(group, "cpu.cfs_quota_us", -1) != 0 ||
	    write_number(group, "cpu.cfs_period_us", period) != 0)
		return -1;
	return milli ? write_number(group, "cpu.cfs_quota_us", milli * period / 1000) : 0;
}

static int set_cpu_v2(const char *group, int64_t milli)
{
	int64_t period = period_of(milli);
	char text[64];

	if (milli)
		snprintf(text, sizeof text, "%lld %lld", (long long)(milli * period / 1000),
			 (long long)period);
	else
		snprintf(text, sizeof text, "max %lld", (long long)period);
	return host_cgroup_write(group, "cpu.max", text);
}

static int set_value(const struct host_limits *limits, enum host_controller controller)
{
	const char *group = limits->group[controller];
	bool v2 = limits->version[controller] == 2;

	if (controller == CONTROLLER_MEMORY)
		return v2 ? set_memory_v2(group, limits->memory)
			  : set_memory_v1(group, limits->memory);
	return v2 ? set_cpu_v2(group, limits->cpu) : set_cpu_v1(group, limits->cpu);
}

/* ---- bounds -------------------------------------------------------------------------------- */

static void say(struct host_limits *limits, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct host_limits *limits, const char *fmt, ...)
{
	size_t len = strlen(limits->text);
	va_list args;

	if (len > 0 && len + 3 < sizeof limits->text) {
		memcpy(limits->text + len, ", ", 3);
		len += 2;
	}
	va_start(args, fmt);
	vsnprintf(limits->text + len, sizeof limits->text - len, fmt, args);
	va_end(args);
}

/* True when the group is there and bounds what it must. */
static bool bound_by_group(struct host_limits *limits, const struct host_cgroups *cgroups,
			   enum host_controller controller, const char *id, struct err *err)
{
	const struct host_cgroup_base *base = &cgroups->base[controller];
	AUTO_FREE char *name = group_name(id);

	if (!limits->group[controller]) {
		limits->group[controller] = host_cgroup_make(base, controller, name, err);
		limits->version[controller] = base->version;
	}
	if (!limits->group[controller])
		return false;
	if (set_value(limits, controller) == 0)
		return true;
	err_errno(err, E_NOT_SUPPORTED, "%s", limits->group[controller]);
	if (rmdir(limits->group[controller]) == 0) {
		free(limits->group[controller]);
		limits->group[controller] = NULL;
	}
	return false;
}

static void bound(struct host_limits *limits, const struct host_cgroups *cgroups,
		  enum host_controller controller, const char *id)
{
	int64_t value = controller == CONTROLLER_MEMORY ? limits->memory : limits->cpu;
	struct err problem = ERR_INIT;
	char text[NUM_TEXT_MAX];

	if (!value) {
		if (limits->group[controller])
			(void)set_value(limits, controller);
		return;
	}
	if (controller == CONTROLLER_MEMORY)
		num_format_size(value, text);
	else
		num_format_cpu(value, text);
	if (bound_by_group(limits, cgroups, controller, id, &problem))
		say(limits, "%s %s by cgroup v%d",
		    controller == CONTROLLER_MEMORY ? "memory" : "cpu", text,
		    limits->version[controller]);
	else if (limits->group[controller])
		say(limits, "%s %s could not be set (%s)",
		    controller == CONTROLLER_MEMORY ? "memory" : "cpu", text, problem.text);
	else if (controller == CONTROLLER_MEMORY)
		say(limits, "memory %s by rlimit for each process (%s)", text, problem.text);
	else
		say(limits, "cpu %s is not enforced (%s)", text, problem.text);
}

void host_limits_set(struct host_limits *limits, const struct host_cgroups *cgroups, const char *id,
		     const struct resources *resources)
{
	limits->memory = resources ? resources->memory : 0;
	limits->cpu = resources ? resources->cpu : 0;
	limits->text[0] = '\0';
	bound(limits, cgroups, CONTROLLER_MEMORY, id);
	bound(limits, cgroups, CONTROLLER_CPU, id);
}

static struct rlimit address_space(const struct host_limits *limits)
{
	bool bounded = limits->memory && !limits->group[CONTROLLER_MEMORY];
	rlim_t value = bounded ? (rlim_t)limits->memory : RLIM_INFINITY;

	return (struct rlimit){value, value};
}

int host_limits_enter(const struct host_limits *limits)
{
	struct rlimit space = address_space(limits);

	for (size_t i = 0; i < CONTROLLERS; i++) {
		if (limits->group[i] &&
		    host_cgroup_write(limits->group[i], "cgroup.procs", "0") != 0)
			return -1;
	}
	return space.rlim_cur == RLIM_INFINITY ? 0 : setrlimit(RLIMIT_AS, &space);
}

void host_limits_adopt(const struct host_limits *limits, pid_t pid)
{
	struct rlimit space = address_space(limits);

	for (size_t i = 0; i < CONTROLLERS; i++) {
		if (limits->group[i])
			(void)write_number(limits->group[i], "cgroup.procs", pid);
	}
	(void)prlimit(pid, RLIMIT_AS, &space, NULL);
}

int64_t host_limits_oom_kills(struct host_limits *limits)
{
	const char *group = limits->group[CONTROLLER_MEMORY];
	bool v2 = limits->version[CONTROLLER_MEMORY] == 2;
	int64_t total, more;

	if (!group)
		return 0;
	total = host_cgroup_read(group, v2 ? "memory.events" : "memory.oom_control", "oom_kill");
	more = total - limits->oom_kills;
	limits->oom_kills = total;
	return more > 0 ? more : 0;
}

void host_limits_remove(const struct host_cgroups *cgroups, const char *id)
{
	AUTO_FREE char *name = group_name(id);

	for (size_t i = 0; i < CONTROLLERS; i++) {
		AUTO_FREE char *path = host_cgroup_path(&cgroups->base[i], name);

		if (path)
			(void)rmdir(path);
	}
}

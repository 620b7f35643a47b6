/* Bounds: where control groups are found, what is written, and what the machine really does. */
#include "tests/support/test.h"
#include "tests/support/host.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_limits.h"

#define NAME "shop-prod-web"

/* ---- finding ------------------------------------------------------------------------------- */

static void finds_version_2(void **state)
{
	struct host_cgroups found AUTO_CGROUPS = {0};

	(void)state;
	host_cgroups_parse("24 30 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
			   "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
			   "0::/system.slice/trueup.service\n", &found);
	for (size_t i = 0; i < CONTROLLERS; i++) {
		assert_int_equal(found.base[i].version, 2);
		/* no such folder here, so that it is the mount itself */
		assert_string_equal(found.base[i].path, "/sys/fs/cgroup");
	}
}

static void finds_version_1_before_2(void **state)
{
	struct host_cgroups found AUTO_CGROUPS = {0};

	(void)state;
	host_cgroups_parse(
		"31 30 0:27 / /cg/unified rw - cgroup2 cgroup2 rw\n"
		"32 30 0:28 / /cg/memory rw shared:1 master:2 - cgroup cgroup rw,memory\n"
		"33 30 0:29 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
		"34 30 0:30 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n",
		"9:name=systemd:/\n4:memory:/a\n3:cpuset:/c\n2:cpu,cpuacct:/b\n0::/\n", &found);
	assert_int_equal(found.base[CONTROLLER_MEMORY].version, 1);
	assert_string_equal(found.base[CONTROLLER_MEMORY].path, "/cg/memory");
	assert_int_equal(found.base[CONTROLLER_CPU].version, 1);
	assert_string_equal(found.base[CONTROLLER_CPU].path, "/cg/cpu");
}

static void finds_its_own_group(void **state)
{
	struct host_cgroups found AUTO_CGROUPS = {0};
	char *folder = test_folder();
	AUTO_FREE char *own = mem_printf("%s/a/b", folder);
	AUTO_FREE char *mounts = mem_printf("1 2 0:1 /outer %s rw - cgroup2 none rw\n", folder);
	struct err err = ERR_INIT;

	(void)state;
	assert_done(fs_make_dirs(own, 0755, &err), err);
	host_cgroups_parse(mounts, "0::/outer/a/b\n", &found);
	assert_string_equal(found.base[CONTROLLER_MEMORY].path, own);
	test_folder_remove(&folder);
}

static void finds_nothing(void **state)
{
	struct host_cgroups found AUTO_CGROUPS = {0};

	(void)state;
	host_cgroups_parse("", "", &found);
	assert_null(found.base[CONTROLLER_MEMORY].path);
	host_cgroups_parse("1\n2 \n - \n1 2 3 4 5 6 - cgroup2\n", "x\n:\n::\n0::", &found);
	assert_null(found.base[CONTROLLER_CPU].path);
}

/* ---- version 2, in a folder that looks like one -------------------------------------------- */

struct fake {
	char *folder;
	struct host_cgroups cgroups;
};

static void put(const struct fake *fake, const char *name, const char *text)
{
	AUTO_FREE char *path = test_path(fake->folder, name);
	struct err err = ERR_INIT;

	assert_done(fs_write_replace(path, text, strlen(text), 0644, &err), err);
}

static const char *get(const struct fake *fake, const char *name)
{
	static char text[256];
	AUTO_FREE char *path = test_path(fake->folder, name);
	struct buf content AUTO_BUF = BUF_INIT(sizeof text);
	struct err err = ERR_INIT;

	assert_done(fs_read(path, sizeof text - 1, &content, &err), err);
	snprintf(text, sizeof text, "%s", buf_str(&content));
	return text;
}

static void fake_open(struct fake *fake, const char *handed_on)
{
	AUTO_FREE char *group = NULL;

	*fake = (struct fake){.folder = test_folder()};
	group = test_path(fake->folder, "trueup-1");
	assert_int_equal(mkdir(group, 0755), 0);
	put(fake, "cgroup.controllers", "cpu memory pids\n");
	put(fake, "cgroup.subtree_control", handed_on);
	put(fake, "trueup-1/memory.max", "");
	put(fake, "trueup-1/memory.swap.max", "");
	put(fake, "trueup-1/cpu.max", "");
	put(fake, "trueup-1/cgroup.procs", "");
	for (size_t i = 0; i < CONTROLLERS; i++)
		fake->cgroups.base[i] = (struct host_cgroup_base){mem_strdup(fake->folder), 2};
}

static void fake_close(struct fake *fake)
{
	host_cgroups_release(&fake->cgroups);
	test_folder_remove(&fake->folder);
}

static void writes_version_2(void **state)
{
	struct resources resources = {.memory = 64 << 20, .cpu = 500};
	struct host_limits limits AUTO_LIMITS = {0};
	struct fake fake;

	(void)state;
	fake_open(&fake, "cpu memory\n");
	host_limits_set(&limits, &fake.cgroups, "1", &resources);
	assert_string_equal(limits.text, "memory 64Mi by cgroup v2, cpu 0.5 by cgroup v2");
	assert_string_equal(get(&fake, "trueup-1/memory.max"), "67108864");
	assert_string_equal(get(&fake, "trueup-1/memory.swap.max"), "0");
	assert_string_equal(get(&fake, "trueup-1/cpu.max"), "50000 100000");
	/* a share too small for the kernel's usual period */
	resources.cpu = 5;
	resources.memory = 0;
	host_limits_set(&limits, &fake.cgroups, "1", &resources);
	assert_string_equal(get(&fake, "trueup-1/cpu.max"), "5000 1000000");
	assert_string_equal(get(&fake, "trueup-1/memory.max"), "max");
	fake_close(&fake);
}

static void hands_controllers_on(void **state)
{
	struct resources resources = {.memory = 64 << 20};
	struct host_limits limits AUTO_LIMITS = {0};
	struct fake fake;

	(void)state;
	fake_open(&fake, "");
	host_limits_set(&limits, &fake.cgroups, "1", &resources);
	assert_string_equal(get(&fake, "cgroup.subtree_control"), "+memory");
	fake_close(&fake);
}

static void says_what_is_not_enforced(void **state)
{
	struct resources resources = {.memory = 64 << 20, .cpu = 500};
	struct host_limits limits AUTO_LIMITS = {0};
	struct host_cgroups none = {0};

	(void)state;
	host_limits_set(&limits, &none, "1", &resources);
	assert_non_null(strstr(limits.text, "memory 64Mi by rlimit for each process"));
	assert_non_null(strstr(limits.text, "cpu 0.5 is not enforced"));
	host_limits_set(&limits, &none, "1", NULL);
	assert_string_equal(limits.text, "");
}

static void rlimit_where_there_is_no_group(void **state)
{
	struct resources resources = {.memory = 64 << 20};
	struct host_limits limits AUTO_LIMITS = {0};
	struct host_cgroups none = {0};
	struct rlimit space;
	int status = 0;
	pid_t pid;

	(void)state;
	host_limits_set(&limits, &none, "1", &resources);
	pid = fork();
	if (pid == 0) {
		if (host_limits_enter(&limits) != 0 || getrlimit(RLIMIT_AS, &space) != 0)
			_exit(1);
		_exit(space.rlim_cur == 64 << 20 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- this machine -------------------------------------------------------------------------- */

static bool has_ended(const struct workload *workload)
{
	return workload->state == RUN_EXITED;
}

/* However it is enforced, one that wants more memory than it may have does not get it. */
static void memory_is_bounded(void **state)
{
	struct spec *spec =
		host_bench_spec("x=0123456789abcdef; while :; do x=\"$x$x\"; done; echo survived",
				"\"resources\":{\"memory\":\"32Mi\"},\"restartPolicy\":\"no\"");
	struct workload seen;

	(void)state;
	test_run_spec(host.driver, spec);
	seen = host_await(NAME, has_ended);
	assert_int_not_equal(seen.exit_code, 0);
	assert_non_null(strstr(seen.detail, "memory 32Mi by "));
	if (strstr(seen.detail, "by cgroup"))
		assert_non_null(strstr(seen.detail, "wanted more memory than its bound"));
}

static bool is_bounded(const struct workload *workload)
{
	return workload->detail && strstr(workload->detail, "memory 48Mi by ");
}

static bool is_unbounded(const struct workload *workload)
{
	return !workload->detail;
}

static void bounds_change_in_place(void **state)
{
	struct spec *spec = host_bench_spec("exec sleep 1000", NULL);
	struct spec *bounded = test_spec(host.arena, host.driver, NAME, "local/web:1",
					 "{\"command\":[\"./run\"],\"resources\":"
					 "{\"memory\":\"48Mi\",\"cpu\":\"500m\"}}");

	(void)state;
	test_run_spec(host.driver, spec);
	assert_null(test_see(host.driver, host.arena, NAME).detail);
	assert_true(test_apply(host.driver, OP_UPDATE, NAME, NULL, bounded));
	assert_int_equal(host_await(NAME, is_bounded).restarts, 0);
	assert_true(test_apply(host.driver, OP_UPDATE, NAME, NULL, spec));
	assert_int_equal(host_await(NAME, is_unbounded).restarts, 0);
}

static void groups_go_with_their_workload(void **state)
{
	struct spec *spec =
		host_bench_spec("exec sleep 1000", "\"resources\":{\"memory\":\"32Mi\"}");
	struct host_cgroups cgroups AUTO_CGROUPS = {0};
	AUTO_FREE char *name = NULL, *path = NULL;

	(void)state;
	test_run_spec(host.driver, spec);
	name = mem_printf("trueup-%s", test_see(host.driver, host.arena, NAME).id);
	host_cgroups_find(&cgroups);
	path = host_cgroup_path(&cgroups.base[CONTROLLER_MEMORY], name);
	if (!path || !fs_is_dir(path))
		SKIP_BECAUSE("no control groups for us on this machine");
	test_apply(host.driver, OP_REMOVE, NAME, NULL, NULL);
	assert_false(fs_is_dir(path));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_version_2),
	cmocka_unit_test(finds_version_1_before_2),
	cmocka_unit_test(finds_its_own_group),
	cmocka_unit_test(finds_nothing),
	cmocka_unit_test(writes_version_2),
	cmocka_unit_test(hands_controllers_on),
	cmocka_unit_test(says_what_is_not_enforced),
	cmocka_unit_test(rlimit_where_there_is_no_group),
	HOST_TEST(memory_is_bounded),
	HOST_TEST(bounds_change_in_place),
	HOST_TEST(groups_go_with_their_workload),
};

HOST_TEST_MAIN(tests)

#include "tests/support/test.h"
#include "tests/support/host.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/num.h"
#include "drivers/host.h"
#include "drivers/host_control.h"
#include "drivers/host_log.h"
#include "drivers/host_supervisor.h"
#include "schema/decode.h"

#define WAIT_MS 30000
#define TEXT_MAX ((size_t)1 << 20)

void host_test_supervise(int argc, char **argv)
{
	if (argc < 2 || !str_eq(argv[1], HOST_SUPERVISE_VERB))
		return;
	host_backoff = (struct host_backoff){.first_ms = 20, .max_ms = 80, .reset_ms = 60000};
	host_log_file_max = 4096;
	exit(host_supervise(argc, argv));
}

/* ---- the bench ----------------------------------------------------------------------------- */

static struct settings *make_settings(struct arena *arena, const char *folder, const char *setting)
{
	AUTO_DIAGS struct diags diags = {0};
	const char *overrides[] = {arena_printf(arena, "policy.hostDriver.imageRoots=%s", folder),
				   "policy.hostDriver.users=root", setting};
	struct settings *settings =
		settings_decode(arena, "settings", NULL, 0, overrides, setting ? 3 : 2, &diags);

	if (diags.n)
		fail_msg("settings: %s", diags.v[0].message);
	return settings;
}

void host_prepare(struct arena *arena, const char *folder, const char *setting, struct node *node,
		  struct driver_env *env)
{
	struct err err = ERR_INIT;
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

	assert_true(len > 0);
	self[len] = '\0';
	*node = (struct node){
		.name = "edge-1",
		.driver = DRIVER_HOST,
		.image_root = arena_printf(arena, "%s/images", folder),
		.data_root = arena_printf(arena, "%s/data", folder),
	};
	*env = (struct driver_env){
		.state_dir = arena_printf(arena, "%s/state", folder),
		.owner = TEST_OWNER,
		.settings = make_settings(arena, folder, setting),
		.self = arena_strdup(arena, self),
	};
	/* so that other users can pass, where a test is root */
	assert_int_equal(chmod(folder, 0755), 0);
	assert_done(fs_make_dirs(node->image_root, 0755, &err), err);
}

struct host_bench host;

int host_bench_setup(void **state)
{
	(void)state;
	host_bench_open(NULL);
	return 0;
}

int host_bench_teardown(void **state)
{
	(void)state;
	host_bench_close();
	return 0;
}

bool host_apply_on(enum op_kind kind, const char *name)
{
	return test_apply(host.driver, kind, name, NULL, NULL);
}

struct workload host_see(const char *name)
{
	return test_see(host.driver, host.arena, name);
}

struct spec *host_run(const char *script, const char *config)
{
	struct spec *spec = host_bench_spec(script, config);

	test_run_spec(host.driver, spec);
	return spec;
}

void host_bench_open(const char *setting)
{
	struct err err = ERR_INIT;

	host = (struct host_bench){.folder = test_folder(), .arena = arena_new(0)};
	host_prepare(host.arena, host.folder, setting, &host.node, &host.env);
	assert_done(driver_open(&host.node, &host.env, &host.driver, &err), err);
	test_apply(host.driver, OP_CLAIM, NULL, NULL, NULL);
}

void host_bench_close(void)
{
	struct observed observed = test_observe(host.driver, host.arena);

	for (size_t i = 0; i < observed.workloads_n; i++)
		test_apply(host.driver, OP_REMOVE, observed.workloads[i].name, NULL, NULL);
	driver_close(&host.driver);
	arena_free(host.arena);
	test_folder_remove(&host.folder);
}

struct driver *host_bench_another(const char *owner)
{
	struct driver_env *env = ARENA_NEW(host.arena, struct driver_env);
	struct driver *driver = NULL;
	struct err err = ERR_INIT;

	*env = host.env;
	if (owner)
		env->owner = owner;
	assert_done(driver_open(&host.node, env, &driver, &err), err);
	return driver;
}

/* ---- images and files ---------------------------------------------------------------------- */

static void put(const char *folder, const char *image, const char *path, const char *text,
		mode_t mode)
{
	AUTO_FREE char *file = mem_printf("%s/images/%s/%s", folder, image, path);
	AUTO_FREE char *parent = mem_strndup(file, (size_t)(strrchr(file, '/') - file));
	struct err err = ERR_INIT;

	assert_done(fs_make_dirs(parent, 0755, &err), err);
	assert_done(fs_write_replace(file, text, strlen(text), mode, &err), err);
}

void host_program(const char *folder, const char *image, const char *path, const char *text)
{
	AUTO_FREE char *script = mem_printf("#!/bin/sh\n%s\n", text);

	put(folder, image, path, script, 0755);
}

void host_bench_program(const char *image, const char *path, const char *text)
{
	host_program(host.folder, image, path, text);
}

void host_bench_file(const char *image, const char *path, const char *text)
{
	put(host.folder, image, path, text, 0644);
}

struct spec *host_bench_spec(const char *script, const char *config)
{
	host_bench_program("web/1", "run", script);
	return test_spec(host.arena, host.driver, "shop-prod-web", "local/web:1",
			 arena_printf(host.arena, "{\"command\":[\"./run\"]%s%s}",
				      config ? "," : "", config ? config : ""));
}

const char *host_bench_path(const char *path)
{
	return arena_printf(host.arena, "%s/data/%s", host.folder, path);
}

const char *host_bench_read(const char *path)
{
	struct buf text AUTO_BUF = BUF_INIT(TEXT_MAX);
	struct err err = ERR_INIT;

	assert_done(fs_read(host_bench_path(path), TEXT_MAX, &text, &err), err);
	return arena_strdup(host.arena, buf_str(&text));
}

const char *host_bench_own(const char *name)
{
	return host_bench_read(arena_printf(host.arena, "shop-prod-web/%s", name));
}

const char *host_bench_logs(const char *name, int n)
{
	struct buf text AUTO_BUF = BUF_INIT(TEXT_MAX);
	struct err err = ERR_INIT;

	assert_done(driver_tail(host.driver, name, n, &text, &err), err);
	return arena_strdup(host.arena, buf_str(&text));
}

/* ---- waiting ------------------------------------------------------------------------------- */

static void wait_for(int fd, int64_t until, const char *what)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int64_t left = until - clock_boot_ms();

	if (left <= 0 || poll(&ready, 1, (int)left) == 0)
		fail_msg("%s: it did not come in time", what);
}

struct workload host_await(const char *name, bool (*is_so)(const struct workload *workload))
{
	struct err err = ERR_INIT;
	int fd = host.driver->ops->watch(host.driver, &err);
	int64_t until = clock_boot_ms() + WAIT_MS;

	if (fd < 0)
		fail_msg("watch: %s", err.text);
	for (;;) {
		struct workload seen = test_see(host.driver, host.arena, name);

		if (is_so(&seen))
			return seen;
		wait_for(fd, until,
			 arena_printf(host.arena, "%s is %s and %s (%s)", name,
				      run_state_word(seen.state), run_health_word(seen.health),
				      seen.detail ? seen.detail : ""));
		host.driver->ops->watch_read(host.driver, &err);
	}
}

bool host_is_running(const struct workload *workload)
{
	return workload->state == RUN_RUNNING;
}

bool host_is_exited(const struct workload *workload)
{
	return workload->state == RUN_EXITED;
}

bool host_is_healthy(const struct workload *workload)
{
	return workload->health == HEALTH_HEALTHY;
}

bool host_is_unhealthy(const struct workload *workload)
{
	return workload->health == HEALTH_UNHEALTHY;
}

const char *host_await_file(const char *name)
{
	const char *folder = host_bench_path("shop-prod-web");
	const char *path = arena_printf(host.arena, "%s/%s", folder, name);
	int fd AUTO_FD = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int64_t until = clock_boot_ms() + WAIT_MS;
	char events[4096];

	assert_true(inotify_add_watch(fd, folder, IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY) >= 0);
	for (;;) {
		struct stat info;

		if (stat(path, &info) == 0 && info.st_size > 0)
			return host_bench_own(name);
		wait_for(fd, until, name);
		(void)!read(fd, events, sizeof events);
	}
}

void host_await_death(int64_t pid)
{
	int fd AUTO_FD = pidfd_open((pid_t)pid, 0);

	if (fd >= 0)
		wait_for(fd, clock_boot_ms() + WAIT_MS, "death of a process");
}

int64_t host_supervisor_pid(const char *name)
{
	const char *text = host_bench_read(
		arena_printf(host.arena, HOST_WORKLOADS "/%s/" HOST_LOCK_FILE, name));
	AUTO_FREE char *digits = mem_strndup(text, strcspn(text, " "));
	int64_t pid = 0;

	(void)num_parse_int(digits, 1, INT32_MAX, &pid);
	return pid;
}

/*
 * Whoever is killed at whichever change of the world, driver or supervisor: what is left is
 * understood, the next try completes it, and nothing runs twice.
 */
#include "tests/support/test.h"
#include "tests/support/host.h"
#include "tests/support/kill_at.h"

#include <dirent.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "drivers/host.h"

#define NAME "shop-prod-web"
#define NEXT NAME NEXT_SUFFIX
#define POINTS_MAX 500
/* All points take a minute: one in so many is enough unless EVERY_CHANGE is in the environment. */
#define STRIDE 11

static struct spec *spec, *other;
static pid_t test_pid;
static int point; /* the change at which somebody was killed last */

static void open_bench(void)
{
	host_bench_open(NULL);
	spec = host_bench_spec("sleep 1000 & wait",
			       "\"volumes\":[{\"name\":\"d\",\"path\":\"data\"}],"
			       "\"files\":[{\"path\":\"etc/x\",\"content\":\"x\"}],"
			       "\"stopTimeout\":\"200ms\"");
	other = test_spec(
		host.arena, host.driver, NAME, "local/web:1",
		"{\"command\":[\"./run\"],\"env\":{\"A\":\"1\"},\"stopTimeout\":\"200ms\"}");
}

/* ---- what is done -------------------------------------------------------------------------- */

static void change(enum op_kind kind, const char *name, const char *to, const struct spec *of)
{
	const struct op op = {.kind = kind, .name = name, .to = to, .spec = of};
	struct driver *driver = host_bench_another(NULL);
	struct err err = ERR_INIT;

	if (driver->ops->apply(driver, &op, NULL, &err) != 0) {
		/* the supervisor may be the one that was killed: then the driver says so */
		if (getpid() != test_pid)
			_exit(1);
		fail_msg("point %d: %s: %s", point, op_word(kind), err.text);
	}
	driver_close(&driver);
}

static void make(void *arg)
{
	(void)arg;
	change(OP_PULL, NULL, NULL, spec);
	change(OP_CREATE, NAME, NULL, spec);
	change(OP_START, NAME, NULL, NULL);
}

static void take_away(void *arg)
{
	(void)arg;
	change(OP_REMOVE, NAME, NULL, NULL);
	change(OP_VOLUME_REMOVE, "shop-prod-d", NULL, NULL);
	change(OP_IMAGE_REMOVE, spec->digest, NULL, NULL);
}

static bool is_there(const char *name)
{
	struct observed seen = test_observe(host.driver, host.arena);

	return observed_find(&seen, name) != NULL;
}

/* As a rollout would: by what it sees. */
static void replace(void *arg)
{
	struct observed seen = test_observe(host.driver, host.arena);
	const struct workload *now = observed_find(&seen, NAME);

	(void)arg;
	if (now && str_eq(now->labels.spec, other->labels.spec))
		return;
	change(OP_PULL, NULL, NULL, other);
	change(OP_CREATE, NEXT, NULL, other);
	if (now)
		change(OP_STOP, NAME, NULL, NULL);
	change(OP_START, NEXT, NULL, NULL);
	if (now)
		change(OP_REMOVE, NAME, NULL, NULL);
	change(OP_RENAME, NEXT, NAME, NULL);
}

/* ---- what must hold ------------------------------------------------------------------------ */

/* Processes anywhere that have the workload's folder in their environment. */
static int count_processes(void)
{
	AUTO_FREE char *pair = mem_printf("TRUEUP_DIR=%s/data/" NAME, host.folder);
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir))) {
		AUTO_FREE char *path = mem_printf("/proc/%s/environ", entry->d_name);
		struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
		    fs_read(path, BUF_MAX_TEXT, &text, NULL) == 0 &&
		    memmem(buf_str(&text), text.len, pair, strlen(pair) + 1))
			n++;
	}
	closedir(dir);
	return n;
}

static bool runs_for_good(const struct workload *workload)
{
	int n = count_processes();

	/* the shell and its sleep, or the shell alone when it is young */
	if (n > 2)
		fail_msg("point %d: %d processes", point, n);
	return workload->state == RUN_RUNNING && n > 0;
}

/* One that was killed before its program ran comes back by itself, so that we wait for it. */
static void assert_one_runs(void)
{
	host_await(NAME, runs_for_good);
	assert_false(is_there(NEXT));
	test_apply(host.driver, OP_STOP, NAME, NULL, NULL);
	assert_int_equal(count_processes(), 0);
	assert_int_equal(test_observe(host.driver, host.arena).foreign_n, 0);
}

static void no_leftovers(void *arg, const char *name)
{
	if (name[0] == '.')
		fail_msg("point %d: left over: %s/%s", point, (const char *)arg, name);
}

static int see_leftover(void *arg, const char *name, struct err *err)
{
	(void)err;
	no_leftovers(arg, name);
	return 0;
}

static void assert_tidy(void)
{
	static const char *const parts[] = {HOST_WORKLOADS, HOST_IMAGES, HOST_VOLUMES};
	struct err err = ERR_INIT;

	change(OP_CLAIM, NULL, NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		assert_done(host_each_entry(host_bench_path(parts[i]), see_leftover,
					    (void *)(uintptr_t)parts[i], &err),
			    err);
}

/* ---- the loops ----------------------------------------------------------------------------- */

static void at_every_change(void (*before)(void *arg), void (*body)(void *arg), void (*after)(void))
{
	bool killed = true;

	test_pid = getpid();
	for (int n = 1; killed; n += getenv("EVERY_CHANGE") ? 1 : STRIDE) {
		if (n > POINTS_MAX)
			fail_msg("it never comes to its end");
		open_bench();
		if (before)
			before(NULL);
		point = n;
		killed = kill_at(n, body, NULL);
		/* what is there can be seen, whatever it is */
		test_observe(host.driver, host.arena);
		body(NULL);
		after();
		host_bench_close();
	}
	print_message("# up to %d changes\n", point - 1);
}

static void after_make(void)
{
	assert_one_runs();
	assert_tidy();
}

static void after_take_away(void)
{
	struct observed seen = test_observe(host.driver, host.arena);

	assert_int_equal(count_processes(), 0);
	assert_int_equal(seen.workloads_n + seen.volumes_n + seen.foreign_n + seen.images_n, 0);
	assert_false(fs_exists(host_bench_path(NAME)));
	assert_tidy();
}

static void after_replace(void)
{
	assert_string_equal(test_see(host.driver, host.arena, NAME).labels.spec,
			    other->labels.spec);
	assert_one_runs();
	assert_tidy();
}

/* Where a promise was broken, something may still run. */
static int teardown(void **state)
{
	(void)state;
	if (host.driver)
		host_bench_close();
	return 0;
}

static void making(void **state)
{
	(void)state;
	if (!kill_at_works())
		SKIP_BECAUSE("no tracing here");
	at_every_change(NULL, make, after_make);
}

static void taking_away(void **state)
{
	(void)state;
	if (!kill_at_works())
		SKIP_BECAUSE("no tracing here");
	at_every_change(make, take_away, after_take_away);
}

static void replacing(void **state)
{
	(void)state;
	if (!kill_at_works())
		SKIP_BECAUSE("no tracing here");
	at_every_change(make, replace, after_replace);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_teardown(making, teardown),
	cmocka_unit_test_teardown(taking_away, teardown),
	cmocka_unit_test_teardown(replacing, teardown),
};

HOST_TEST_MAIN(tests)

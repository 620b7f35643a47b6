/* What wakes the reconciler, and what does not. */
#include "tests/support/test.h"
#include "tests/support/host.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host.h"
#include "drivers/host_control.h"

#define NAME "shop-prod-web"
#define WAIT_MS 20000
/* More than the kernel queues by default. */
#define EVENTS_TOO_MANY 20000

static struct driver *watcher;
static int watch_fd;

static int setup(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	host_bench_open(NULL);
	watcher = host_bench_another(NULL);
	watch_fd = watcher->ops->watch(watcher, &err);
	assert_true(watch_fd >= 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	driver_close(&watcher);
	host_bench_close();
	return 0;
}

/* Everything that was said so far, as the strongest answer. */
static int drain(void)
{
	struct err err = ERR_INIT;

	return watcher->ops->watch_read(watcher, &err);
}

static void assert_wakes(void)
{
	struct pollfd ready = {.fd = watch_fd, .events = POLLIN};

	do
		assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
	while (drain() == 0);
}

static void assert_quiet(void)
{
	struct pollfd ready = {.fd = watch_fd, .events = POLLIN};

	if (poll(&ready, 1, 0) > 0)
		assert_int_equal(drain(), 0);
}

static void the_whole_life(void **state)
{
	struct spec *spec = host_bench_spec("exec sleep 1000", NULL);

	(void)state;
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	assert_quiet();
	test_apply(host.driver, OP_CREATE, NAME, NULL, spec);
	assert_wakes();
	test_apply(host.driver, OP_START, NAME, NULL, NULL);
	assert_wakes();
	drain();
	test_apply(host.driver, OP_STOP, NAME, NULL, NULL);
	assert_wakes();
	drain();
	test_apply(host.driver, OP_REMOVE, NAME, NULL, NULL);
	assert_wakes();
}

static void the_death_of_a_supervisor(void **state)
{
	(void)state;
	test_run_spec(host.driver, host_bench_spec("exec sleep 1000", NULL));
	drain();
	assert_int_equal(kill((pid_t)host_supervisor_pid(NAME), SIGKILL), 0);
	assert_wakes();
}

static bool has_written(const struct workload *workload)
{
	return workload->state == RUN_RUNNING;
}

static void output_wakes_nobody(void **state)
{
	(void)state;
	test_run_spec(host.driver,
		      host_bench_spec("i=0; while [ $i -lt 500 ]; do i=$((i+1)); "
				      "echo a line that is long enough to fill files; done; "
				      "echo done > \"$TRUEUP_DIR/done\"; exec sleep 1000",
				      NULL));
	host_await(NAME, has_written);
	drain();
	host_await_file("done");
	assert_quiet();
}

static void folders_made_and_removed_by_hand(void **state)
{
	(void)state;
	assert_int_equal(mkdir(host_bench_path("shop-prod-other"), 0755), 0);
	assert_wakes();
	assert_int_equal(rmdir(host_bench_path("shop-prod-other")), 0);
	assert_wakes();
	assert_int_equal(mkdir(host_bench_path("lost+found"), 0755), 0);
	assert_quiet();
}

static void lost_events_are_told(void **state)
{
	const char *control = host_bench_path(HOST_WORKLOADS "/" NAME);
	const char *one = arena_printf(host.arena, "%s/" HOST_SPEC_FILE, control);
	const char *two = arena_printf(host.arena, "%s/aside", control);
	struct spec *spec = host_bench_spec("exec sleep 1000", NULL);

	(void)state;
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	test_apply(host.driver, OP_CREATE, NAME, NULL, spec);
	drain();
	for (int i = 0; i < EVENTS_TOO_MANY; i++) {
		assert_int_equal(rename(one, two), 0);
		assert_int_equal(rename(two, one), 0);
	}
	assert_int_equal(drain(), -1);
	/* and it goes on */
	test_apply(host.driver, OP_START, NAME, NULL, NULL);
	assert_wakes();
}

/* A node can be watched before it was ever claimed. */
static void before_there_was_anything(void **state)
{
	struct driver *early;
	struct err err = ERR_INIT;
	struct pollfd ready = {.events = POLLIN};

	(void)state;
	host.node.data_root = arena_printf(host.arena, "%s/elsewhere", host.folder);
	early = host_bench_another(NULL);
	ready.fd = early->ops->watch(early, &err);
	assert_true(ready.fd >= 0);
	test_apply(early, OP_CLAIM, NULL, NULL, NULL);
	assert_int_equal(
		mkdir(arena_printf(host.arena, "%s/elsewhere/shop-prod-x", host.folder), 0755), 0);
	assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
	driver_close(&early);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(the_whole_life),	    TEST(the_death_of_a_supervisor),
	TEST(output_wakes_nobody),  TEST(folders_made_and_removed_by_hand),
	TEST(lost_events_are_told), TEST(before_there_was_anything),
};

HOST_TEST_MAIN(tests)

#include "tests/support/test.h"
#include "tests/support/driver.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "drivers/dryrun.h"
#include "drivers/fault.h"
#include "drivers/memory.h"
#include "drivers/trace.h"

static struct arena *arena;
static char *folder;
static struct node node;
static struct driver *driver; /* what a test wraps */
static struct driver *plain;  /* the same node, without decorators */
static struct err err;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	folder = test_folder();
	node = test_memory_node(arena, "edge-1", folder);
	err_clear(&err);
	assert_done(driver_open(&node, &test_env, &driver, &err), err);
	assert_done(driver_open(&node, &test_env, &plain, &err), err);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	driver_close(&driver);
	driver_close(&plain);
	test_folder_remove(&folder);
	arena_free(arena);
	return 0;
}

static struct spec *a_spec(const char *config)
{
	return test_spec(arena, plain, "shop-prod-web", "local/web:1", config);
}

static enum run_state state_of(struct driver *of)
{
	return test_see(of, arena, "shop-prod-web").state;
}

static size_t count(struct driver *of)
{
	return test_observe(of, arena).workloads_n;
}

static char *read_file(const char *path)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	assert_done(fs_read(path, BUF_MAX_TEXT, &text, &err), err);
	return arena_strdup(arena, buf_str(&text));
}

/* ---- what all decorators keep ---- */

static void wrap_in_trace(struct buf *into)
{
	trace_wrap(&driver, "edge-1", into);
}

static void test_fixed_answers_shine_through(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	wrap_in_trace(&text);
	fault_wrap(&driver, NULL, 0);
	dryrun_wrap(&driver, TEST_OWNER);
	assert_string_equal(driver->ops->name, "memory");
	assert_true(driver->ops->live_fields == driver_memory.live_fields);
	assert_true(driver->ops->check == driver_memory.check);
	assert_ptr_equal(driver->ops->carries, driver_memory.carries);
	assert_int_equal(driver->ops->prefers_recreate, driver_memory.prefers_recreate);
	assert_int_equal(driver->ops->shares_ports, driver_memory.shares_ports);
	assert_null(driver->ops->checked);
}

static const struct checked_list some_list;

static const struct checked_list *tell_some(struct driver *told)
{
	(void)told;
	return &some_list;
}

/* Only a driver that has checks of its own has the slot; it gets through then. */
static void test_checks_get_through(void **state)
{
	struct driver_ops checking = *driver->ops;

	(void)state;
	checking.checked = tell_some;
	driver->ops = &checking;
	fault_wrap(&driver, NULL, 0);
	dryrun_wrap(&driver, TEST_OWNER);
	assert_ptr_equal(driver->ops->checked(driver), &some_list);
	driver_close(&driver);
}

static void test_every_call_gets_through(void **state)
{
	AUTO_BUF struct buf trace = BUF_INIT(BUF_MAX_TEXT), text = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	wrap_in_trace(&trace);
	fault_wrap(&driver, NULL, 0);
	test_run_spec(driver, a_spec("{}"));
	assert_int_equal(state_of(driver), RUN_RUNNING);
	assert_done(driver->ops->probe(driver, &text, &err), err);
	assert_string_equal(buf_str(&text), "memory");
	buf_clear(&text);
	assert_done(driver->ops->resolve(driver, "local/web:1", &text, &err), err);
	assert_string_equal(buf_str(&text), a_spec("{}")->digest);
	assert_done(driver_tail(driver, "shop-prod-web", 1, &text, &err), err);
	assert_true(driver->ops->watch(driver, &err) >= 0);
	assert_int_equal(driver->ops->watch_read(driver, &err), 0);
}

/* ---- trace ---- */

static void test_trace_lines(void **state)
{
	AUTO_BUF struct buf trace = BUF_INIT(BUF_MAX_TEXT), text = BUF_INIT(BUF_MAX_TEXT);
	struct spec *spec = a_spec("{\"volumes\":[{\"name\":\"d\",\"path\":\"/d\"}]}");
	char expected[2000];

	(void)state;
	wrap_in_trace(&trace);
	test_run_spec(driver, spec);
	test_apply(driver, OP_START, spec->name, NULL, NULL);
	test_observe(driver, arena);
	test_apply(driver, OP_RENAME, "shop-prod-web", "other", NULL);
	assert_fails(driver_tail(driver, "gone", 5, &text, &err), err, E_NOT_FOUND);
	assert_done(driver->ops->probe(driver, &text, &err), err);
	assert_done(driver->ops->resolve(driver, "local/web:1", &text, &err), err);
	driver->ops->watch(driver, &err);
	driver->ops->watch_read(driver, &err);
	snprintf(expected, sizeof expected,
		 "edge-1 apply pull local/web:1 -> changed\n"
		 "edge-1 apply create shop-prod-web -> changed\n"
		 "edge-1 apply start shop-prod-web -> changed\n"
		 "edge-1 apply start shop-prod-web -> already so\n"
		 "edge-1 observe -> 1 workloads, 1 volumes\n"
		 "edge-1 apply rename shop-prod-web other -> changed\n"
		 "edge-1 logs gone 5 -> error not-found: node edge-1 has no container gone\n"
		 "edge-1 probe -> memory\n"
		 "edge-1 resolve local/web:1 -> memory%s\n"
		 "edge-1 watch -> watching\n"
		 "edge-1 watch-read -> nothing\n",
		 spec->digest);
	assert_string_equal(buf_str(&trace), expected);
}

static void test_trace_keeps_a_line_a_line(void **state)
{
	AUTO_BUF struct buf trace = BUF_INIT(BUF_MAX_TEXT), text = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	wrap_in_trace(&trace);
	driver->ops->resolve(driver, "a\nb", &text, &err);
	assert_ptr_equal(strchr(trace.ptr, '\n'), trace.ptr + trace.len - 1);
}

static void test_trace_without_error_struct(void **state)
{
	AUTO_BUF struct buf trace = BUF_INIT(BUF_MAX_TEXT);
	const struct op op = {.kind = OP_START, .name = "gone"};

	(void)state;
	wrap_in_trace(&trace);
	assert_int_equal(driver->ops->apply(driver, &op, NULL, NULL), -1);
	assert_non_null(strstr(buf_str(&trace), "error not-found"));
}

static void test_trace_to_a_file(void **state)
{
	AUTO_FREE char *path = test_path(folder, "trace.txt");

	(void)state;
	assert_done(trace_wrap_file(&driver, "edge-1", path, &err), err);
	test_apply(driver, OP_CLAIM, NULL, NULL, NULL);
	driver_close(&driver);
	assert_done(driver_open(&node, &test_env, &driver, &err), err);
	assert_done(trace_wrap_file(&driver, "edge-2", path, &err), err);
	test_apply(driver, OP_CLAIM, NULL, NULL, NULL);
	assert_string_equal(read_file(path), "edge-1 apply claim -> changed\n"
					     "edge-2 apply claim -> already so\n");
}

static void test_trace_to_a_bad_path(void **state)
{
	struct driver *before = driver;

	(void)state;
	assert_fails(trace_wrap_file(&driver, "edge-1", "/nonexistent/trace", &err), err, E_IO);
	assert_ptr_equal(driver, before);
}

/* ---- fault ---- */

static void arm(const char *text)
{
	assert_done(fault_wrap_text(&driver, text, &err), err);
}

static void test_fault_before_leaves_no_effect(void **state)
{
	struct spec *spec = a_spec("{}");

	(void)state;
	arm("apply:create:1:before:engine");
	test_apply(driver, OP_PULL, NULL, NULL, spec);
	assert_int_equal(test_apply_code(driver, OP_CREATE, spec->name, NULL, spec), E_ENGINE);
	assert_int_equal(count(plain), 0);
	/* only the first */
	test_apply(driver, OP_CREATE, spec->name, NULL, spec);
	assert_int_equal(count(plain), 1);
}

static void test_fault_after_is_a_lost_reply(void **state)
{
	struct spec *spec = a_spec("{}");

	(void)state;
	arm("apply:create:1:after:node-unreachable");
	test_apply(driver, OP_PULL, NULL, NULL, spec);
	assert_int_equal(test_apply_code(driver, OP_CREATE, spec->name, NULL, spec),
			 E_NODE_UNREACHABLE);
	assert_int_equal(count(plain), 1);
	assert_false(test_apply(driver, OP_CREATE, spec->name, NULL, spec));
}

static void test_fault_nth(void **state)
{
	(void)state;
	arm("apply:3:before:engine,observe:2+:before:io,probe:*:before:io");
	assert_int_equal(test_apply_code(driver, OP_STOP, "a", NULL, NULL), E_NONE);
	assert_int_equal(test_apply_code(driver, OP_REMOVE, "a", NULL, NULL), E_NONE);
	assert_int_equal(test_apply_code(driver, OP_STOP, "a", NULL, NULL), E_ENGINE);
	assert_int_equal(test_apply_code(driver, OP_STOP, "a", NULL, NULL), E_NONE);
	assert_int_equal(count(driver), 0);
	for (int i = 0; i < 3; i++) {
		AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);
		struct observed observed;

		assert_fails(driver->ops->observe(driver, arena, &observed, &err), err, E_IO);
		assert_int_equal(observed.workloads_n, 0);
		assert_fails(driver->ops->probe(driver, &text, &err), err, E_IO);
	}
}

static void test_fault_of_one_kind_of_change(void **state)
{
	(void)state;
	arm("apply:volume-remove:1:before:engine");
	assert_int_equal(test_apply_code(driver, OP_REMOVE, "a", NULL, NULL), E_NONE);
	assert_int_equal(test_apply_code(driver, OP_VOLUME_REMOVE, "a", NULL, NULL), E_ENGINE);
}

static void test_fault_of_each_call(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);
	struct observed observed;

	(void)state;
	arm("probe:1:before:io,observe:1:after:io,resolve:1:before:io,logs:1:before:io,"
	    "watch:1:before:io");
	assert_fails(driver->ops->probe(driver, &text, &err), err, E_IO);
	assert_fails(driver->ops->observe(driver, arena, &observed, &err), err, E_IO);
	assert_fails(driver->ops->resolve(driver, "a", &text, &err), err, E_IO);
	assert_fails(driver_tail(driver, "a", 1, &text, &err), err, E_IO);
	assert_fails(driver->ops->watch(driver, &err), err, E_IO);
	assert_true(driver->ops->watch(driver, &err) >= 0);
}

/* A call that fails by itself says so, even where a fault would speak too. */
static void test_fault_keeps_the_first_error(void **state)
{
	const struct op op = {.kind = OP_START, .name = "gone"};

	(void)state;
	arm("apply:start:1:after:engine");
	assert_fails(driver->ops->apply(driver, &op, NULL, &err), err, E_NOT_FOUND);
}

static void test_fault_hangs_and_goes_on(void **state)
{
	int64_t before = clock_boot_ms();

	(void)state;
	arm("observe:1:before:hang=30ms");
	assert_int_equal(count(driver), 0);
	assert_true(clock_boot_ms() - before >= 30);
}

static void create_in_child(void *arg)
{
	arm(arg);
	test_apply(driver, OP_CREATE, "shop-prod-web", NULL, a_spec("{}"));
}

static void test_fault_kills(void **state)
{
	int status;

	(void)state;
	test_apply(plain, OP_PULL, NULL, NULL, a_spec("{}"));
	status = test_in_child(create_in_child, (char[]){"apply:create:1:before:kill"}, NULL, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(count(plain), 0);
	status = test_in_child(create_in_child, (char[]){"apply:create:1:after:kill"}, NULL, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(count(plain), 1);
}

static void test_fault_once_among_processes(void **state)
{
	AUTO_FREE char *path = test_path(folder, "fired");
	AUTO_FREE char *text = mem_printf("apply:*:before:engine:once=%s", path);

	(void)state;
	arm(text);
	assert_int_equal(test_apply_code(driver, OP_STOP, "a", NULL, NULL), E_ENGINE);
	assert_int_equal(test_apply_code(driver, OP_STOP, "a", NULL, NULL), E_NONE);
	driver_close(&driver);
	assert_done(driver_open(&node, &test_env, &driver, &err), err);
	arm(text);
	assert_int_equal(test_apply_code(driver, OP_STOP, "a", NULL, NULL), E_NONE);
}

static void test_fault_texts_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"apply",
		"apply:1",
		"apply:1:before",
		"apply:1:before:",
		"apply:1:before:nonsense",
		"apply:1:during:engine",
		"apply:0:before:engine",
		"apply:x:before:engine",
		"apply:+:before:engine",
		"apply::before:engine",
		"apply:destroy:1:before:engine",
		"build:1:before:engine",
		"apply:1:before:hang=",
		"apply:1:before:hang=5",
		"apply:1:before:engine:twice",
		"apply:1:before:engine:once=",
		"apply:1:before:engine,",
		"apply:1:before:engine,apply",
	};
	struct driver *before = driver;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_fails(fault_wrap_text(&driver, bad[i], &err), err, E_USAGE);
		assert_ptr_equal(driver, before);
	}
}

static void test_too_many_faults(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);

	(void)state;
	for (int i = 0; i <= FAULTS_MAX; i++)
		buf_addf(&text, "%sobserve:1:before:io", i ? "," : "");
	assert_fails(fault_wrap_text(&driver, buf_str(&text), &err), err, E_USAGE);
}

/* ---- dry run: the rules of changes are in test_driver_contract.c ---- */

static void test_dryrun_changes_nothing(void **state)
{
	AUTO_BUF struct buf trace = BUF_INIT(BUF_MAX_TEXT);
	struct spec *spec = a_spec("{\"volumes\":[{\"name\":\"d\",\"path\":\"/d\"}]}");
	struct observed before, after;
	AUTO_JSON json_t *one = NULL, *two = NULL;

	(void)state;
	test_apply(plain, OP_PULL, NULL, NULL, spec);
	test_apply(plain, OP_CREATE, "old", NULL, spec);
	before = test_observe(plain, arena);
	wrap_in_trace(&trace);
	dryrun_wrap(&driver, TEST_OWNER);
	test_apply(driver, OP_CLAIM, NULL, NULL, NULL);
	test_run_spec(driver, spec);
	test_apply(driver, OP_REMOVE, "old", NULL, NULL);
	test_apply(driver, OP_RENAME, spec->name, "new", NULL);
	test_apply(driver, OP_STOP, "new", NULL, NULL);
	test_apply(driver, OP_REMOVE, "new", NULL, NULL);
	test_apply(driver, OP_VOLUME_REMOVE, "shop-prod-d", NULL, NULL);
	test_apply(driver, OP_IMAGE_REMOVE, spec->digest, NULL, NULL);
	assert_int_equal(count(driver), 0);
	after = test_observe(plain, arena);
	one = observed_json(&before);
	two = observed_json(&after);
	assert_true(json_equal(one, two));
	/* one look, nothing else, reached the node */
	assert_string_equal(buf_str(&trace), "edge-1 observe -> 1 workloads, 1 volumes\n");
}

static void test_dryrun_shows_what_would_be(void **state)
{
	struct spec *job = test_spec(arena, plain, "shop-prod-job", "local/web:1",
				     "{\"expect\":{\"state\":\"exited\",\"exitCode\":3}}");
	struct spec *web = a_spec("{\"healthCheck\":{\"tcp\":{\"port\":80}}}");
	struct workload seen;

	(void)state;
	dryrun_wrap(&driver, TEST_OWNER);
	test_run_spec(driver, job);
	test_run_spec(driver, web);
	seen = test_see(driver, arena, "shop-prod-job");
	assert_int_equal(seen.state, RUN_EXITED);
	assert_int_equal(seen.exit_code, 3);
	seen = test_see(driver, arena, "shop-prod-web");
	assert_int_equal(seen.state, RUN_RUNNING);
	assert_int_equal(seen.health, HEALTH_HEALTHY);
	assert_int_equal(seen.running_ms, DRYRUN_SETTLED_MS);
}

/* The caller's spec may be gone when it is looked at, and the driver when the look is read. */
static void test_dryrun_keeps_and_gives_copies(void **state)
{
	struct arena *brief = arena_new(0);
	struct spec *spec = test_spec(brief, plain, arena_strdup(brief, "shop-prod-web"),
				      arena_strdup(brief, "local/web:1"),
				      "{\"env\":{\"A\":\"1\"},"
				      "\"volumes\":[{\"name\":\"d\",\"path\":\"/d\"}]}");
	struct observed seen;

	(void)state;
	dryrun_wrap(&driver, TEST_OWNER);
	test_run_spec(driver, spec);
	arena_free(brief);
	seen = test_observe(driver, arena);
	driver_close(&driver);
	assert_string_equal(seen.workloads[0].config->env.value[0], "1");
	assert_string_equal(seen.volumes[0].deployment, "web");
}

static void test_dryrun_of_an_unreachable_node(void **state)
{
	AUTO_WORLD struct memory_world *world = memory_world_open(folder);
	struct observed observed;

	(void)state;
	assert_done(memory_world_unreachable(world, "down", &err), err);
	dryrun_wrap(&driver, TEST_OWNER);
	assert_int_equal(test_apply_code(driver, OP_STOP, "a", NULL, NULL), E_NODE_UNREACHABLE);
	assert_fails(driver->ops->observe(driver, arena, &observed, &err), err, E_NODE_UNREACHABLE);
	/* it looks again as long as it has seen nothing */
	assert_done(memory_world_unreachable(world, NULL, &err), err);
	test_apply(driver, OP_STOP, "a", NULL, NULL);
}

static void test_dryrun_of_a_node_of_another(void **state)
{
	struct driver_env other = test_env;
	struct driver *theirs;

	(void)state;
	other.owner = TEST_OTHER;
	assert_done(driver_open(&node, &other, &theirs, &err), err);
	test_apply(theirs, OP_CLAIM, NULL, NULL, NULL);
	driver_close(&theirs);
	dryrun_wrap(&driver, TEST_OWNER);
	assert_int_equal(test_apply_code(driver, OP_CLAIM, NULL, NULL, NULL), E_NODE_OWNED);
}

/* ---- by environment, in builds for tests only ---- */

static void test_environment(void **state)
{
	AUTO_FREE char *path = test_path(folder, "trace.txt");
	struct driver *other;
	int opened;

	(void)state;
	setenv("TRUEUP_TRACE", path, 1);
	setenv("TRUEUP_FAULT", "apply:stop:1:before:engine", 1);
	assert_done(driver_open(&node, &test_env, &other, &err), err);
#ifdef TRUEUP_FAULTS
	assert_int_equal(test_apply_code(other, OP_STOP, "a", NULL, NULL), E_ENGINE);
	assert_int_equal(test_apply_code(other, OP_REMOVE, "a", NULL, NULL), E_NONE);
	/* what the fault swallowed never reached the node */
	assert_string_equal(read_file(path), "edge-1 apply remove a -> already so\n");
#else
	assert_int_equal(test_apply_code(other, OP_STOP, "a", NULL, NULL), E_NONE);
	assert_false(fs_exists(path));
#endif
	driver_close(&other);
	setenv("TRUEUP_FAULT", "nonsense", 1);
	opened = driver_open(&node, &test_env, &other, &err);
#ifdef TRUEUP_FAULTS
	assert_int_equal(opened, -1);
	assert_null(other);
#else
	assert_int_equal(opened, 0);
#endif
	driver_close(&other);
	unsetenv("TRUEUP_TRACE");
	unsetenv("TRUEUP_FAULT");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fixed_answers_shine_through),
		TEST(test_checks_get_through),
		TEST(test_every_call_gets_through),
		TEST(test_trace_lines),
		TEST(test_trace_keeps_a_line_a_line),
		TEST(test_trace_without_error_struct),
		TEST(test_trace_to_a_file),
		TEST(test_trace_to_a_bad_path),
		TEST(test_fault_before_leaves_no_effect),
		TEST(test_fault_after_is_a_lost_reply),
		TEST(test_fault_nth),
		TEST(test_fault_of_one_kind_of_change),
		TEST(test_fault_of_each_call),
		TEST(test_fault_keeps_the_first_error),
		TEST(test_fault_hangs_and_goes_on),
		TEST(test_fault_kills),
		TEST(test_fault_once_among_processes),
		TEST(test_fault_texts_refused),
		TEST(test_too_many_faults),
		TEST(test_dryrun_changes_nothing),
		TEST(test_dryrun_shows_what_would_be),
		TEST(test_dryrun_keeps_and_gives_copies),
		TEST(test_dryrun_of_an_unreachable_node),
		TEST(test_dryrun_of_a_node_of_another),
		TEST(test_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What driver.h promises, held against every driver. A new driver joins with one row in
 * `subjects`; a new promise is one function and one row in `promises`.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"
#include "tests/support/engines.h"
#include "tests/support/host.h"

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/vec.h"
#include "drivers/dryrun.h"
#include "drivers/memory.h"
#include "schema/canon.h"

#define WAIT_MS 20000

/* What a promise works with: a node of its own, and two reconcilers that have opened it. */
struct bench {
	const struct subject *subject;
	struct arena *arena;
	char *folder;
	struct memory_world *world; /* of memory subjects */
	struct node node;
	struct driver_env env, other_env;
	struct driver *driver; /* opened by TEST_OWNER */
	struct driver *other;  /* opened by TEST_OTHER */
};

enum subject_traits {
	KEEPS = 1,   /* what it does can be seen through another driver on the same node */
	MINGLES = 2, /* containers of two owners can stand side by side on one node */
	ENGINE = 4,  /* a real one, which promises share: each leaves it as it was */
};

struct subject {
	const char *name;
	unsigned traits;
	/* Fills node and env so that the images web:1 and web:2 are there and none:1 is not. */
	void (*prepare)(struct bench *bench);
	/* Wraps the opened driver; NULL: nothing to do. */
	void (*wrap)(struct bench *bench);
	const char *image, *other_image, *unknown_image;
	const char *engine; /* of engines.h; NULL: none */
};

/* Runs until it is told to end, after it wrote "hello"; ends at once with 3. */
#define RUNS "\"command\":[\"sh\",\"-c\",\"trap 'exit 0' TERM; echo hello; sleep 1000 & wait\"]"
#define ENDS "\"command\":[\"sh\",\"-c\",\"exit 3\"],\"restartPolicy\":\"no\""

/* ---- subjects ---- */

static void prepare_world(struct bench *bench)
{
	struct memory_behaviour unknown = MEMORY_BEHAVIOUR_INIT, any = MEMORY_BEHAVIOUR_INIT;
	struct memory_behaviour ends = MEMORY_BEHAVIOUR_INIT;
	struct err err = ERR_INIT;

	any.output = "hello\n";
	unknown.unknown = true;
	ends.exit_after_ms = 0;
	ends.exit_code = 3;
	assert_done(memory_world_image(bench->world, "*", &any, &err), err);
	assert_done(memory_world_image(bench->world, "local/none:1", &unknown, &err), err);
	assert_done(memory_world_container(bench->world, "shop-prod-ends", &ends, &err), err);
}

static void prepare_process(struct bench *bench)
{
	bench->world = memory_world_new();
	memory_world_attach(bench->world, "edge-1");
	bench->node = test_memory_node(bench->arena, "edge-1", NULL);
	prepare_world(bench);
}

static void prepare_folder(struct bench *bench)
{
	bench->world = memory_world_open(bench->folder);
	bench->node = test_memory_node(bench->arena, "edge-1", bench->folder);
	prepare_world(bench);
}

static void wrap_dryrun(struct bench *bench)
{
	dryrun_wrap(&bench->driver, TEST_OWNER);
}

/* Its images have a program called sh, since nothing runs that is in none. */
static void prepare_host(struct bench *bench)
{
	static const char *const images[] = {"web/1", "web/2"};

	host_prepare(bench->arena, bench->folder, NULL, &bench->node, &bench->env);
	for (size_t i = 0; i < ARRAY_LEN(images); i++) {
		host_program(bench->folder, images[i], "sh", "exec /bin/sh \"$@\"");
		host_program(bench->folder, images[i], "which", images[i]);
	}
}

static void prepare_engine(struct bench *bench)
{
	bench->node = engine_node(bench->arena, "edge-1", bench->subject->engine);
}

#define SHOP "127.0.0.1:5000/shop/"

static const struct subject subjects[] = {
	{"memory in a process", KEEPS | MINGLES, prepare_process, NULL, "local/web:1",
	 "local/web:2", "local/none:1", NULL},
	{"memory in a folder", KEEPS | MINGLES, prepare_folder, NULL, "local/web:1", "local/web:2",
	 "local/none:1", NULL},
	{"host", KEEPS, prepare_host, NULL, "local/web:1", "local/web:2", "local/none:1", NULL},
	{"dry run", MINGLES, prepare_process, wrap_dryrun, "local/web:1", "local/web:2",
	 "local/none:1", NULL},
	{"docker", KEEPS | MINGLES | ENGINE, prepare_engine, NULL, SHOP "web:1", SHOP "web:2",
	 SHOP "none:1", "docker"},
	{"podman", KEEPS | MINGLES | ENGINE, prepare_engine, NULL, SHOP "web:1", SHOP "web:2",
	 SHOP "none:1", "podman"},
};

/* ---- helpers ---- */

static struct spec *a_spec(struct bench *bench, const char *name, const char *config)
{
	return test_spec(bench->arena, bench->driver, name, bench->subject->image, config);
}

static struct spec *a_runner(struct bench *bench, const char *name)
{
	return a_spec(bench, name, "{" RUNS "}");
}

static void assert_absent(struct bench *bench, const char *name)
{
	struct observed observed = test_observe(bench->driver, bench->arena);

	assert_null(observed_find(&observed, name));
}

static bool lists(const struct observed *observed, const char *name)
{
	for (size_t i = 0; i < observed->foreign_n; i++) {
		if (str_eq(observed->foreign[i], name))
			return true;
	}
	return false;
}

/* Waits for the driver's own events until the container is as wanted. */
static struct workload await(struct bench *bench, const char *name,
			     bool (*is_so)(const struct workload *workload))
{
	struct err err = ERR_INIT;
	int fd = bench->driver->ops->watch(bench->driver, &err);
	int64_t until = clock_boot_ms() + WAIT_MS;

	for (;;) {
		struct workload seen = test_see(bench->driver, bench->arena, name);
		int64_t left = until - clock_boot_ms();
		struct pollfd ready = {.fd = fd, .events = POLLIN};

		if (is_so(&seen))
			return seen;
		if (left <= 0)
			fail_msg("%s is still %s", name, run_state_word(seen.state));
		/* events are hints: look again after a while all the same */
		if (poll(&ready, 1, left < 200 ? (int)left : 200) > 0)
			bench->driver->ops->watch_read(bench->driver, &err);
	}
}

/* Until that is the last line which it wrote. */
static void await_log(struct bench *bench, const char *name, const char *expected)
{
	struct err err = ERR_INIT;

	for (int64_t until = clock_boot_ms() + WAIT_MS;; poll(NULL, 0, 20)) {
		AUTO_BUF struct buf log = BUF_INIT(BUF_MAX_TEXT);

		assert_done(driver_tail(bench->driver, name, 1, &log, &err), err);
		if (str_eq(buf_str(&log), expected))
			return;
		if (clock_boot_ms() > until)
			fail_msg("the log is \"%s\"", buf_str(&log));
	}
}

static bool is_running(const struct workload *workload)
{
	return workload->state == RUN_RUNNING;
}

static bool is_exited(const struct workload *workload)
{
	return workload->state == RUN_EXITED;
}

/* ---- promises: the node ---- */

static void probe_names_the_engine(struct bench *bench)
{
	AUTO_BUF struct buf engine = BUF_INIT(BUF_MAX_LINE);
	struct err err = ERR_INIT;

	assert_done(bench->driver->ops->probe(bench->driver, &engine, &err), err);
	assert_true(engine.len > 0);
}

static void an_empty_node(struct bench *bench)
{
	struct observed observed = test_observe(bench->driver, bench->arena);

	assert_string_equal(observed.node, "edge-1");
	assert_int_equal(observed.workloads_n, 0);
	assert_int_equal(observed.volumes_n, 0);
	assert_null(observed.owner);
	assert_non_null(observed.engine);
	assert_non_null(observed.engine_id);
}

static void claim_twice(struct bench *bench)
{
	assert_true(test_apply(bench->driver, OP_CLAIM, NULL, NULL, NULL));
	assert_false(test_apply(bench->driver, OP_CLAIM, NULL, NULL, NULL));
	assert_string_equal(test_observe(bench->driver, bench->arena).owner, TEST_OWNER);
}

static void claim_by_another(struct bench *bench)
{
	test_apply(bench->driver, OP_CLAIM, NULL, NULL, NULL);
	assert_int_equal(test_apply_code(bench->other, OP_CLAIM, NULL, NULL, NULL), E_NODE_OWNED);
	assert_string_equal(test_observe(bench->other, bench->arena).owner, TEST_OWNER);
}

/* ---- promises: images ---- */

static void resolve_is_steady(struct bench *bench)
{
	AUTO_BUF struct buf one = BUF_INIT(BUF_MAX_LINE), two = BUF_INIT(BUF_MAX_LINE);
	AUTO_BUF struct buf other = BUF_INIT(BUF_MAX_LINE);
	struct driver *driver = bench->driver;
	struct err err = ERR_INIT;

	assert_done(driver->ops->resolve(driver, bench->subject->image, &one, &err), err);
	assert_done(driver->ops->resolve(driver, bench->subject->image, &two, &err), err);
	assert_done(driver->ops->resolve(driver, bench->subject->other_image, &other, &err), err);
	assert_true(str_starts(buf_str(&one), "sha256:"));
	assert_int_equal(one.len, strlen("sha256:") + HASH_HEX_SIZE - 1);
	assert_string_equal(buf_str(&one), buf_str(&two));
	assert_string_not_equal(buf_str(&one), buf_str(&other));
}

static void unknown_image(struct bench *bench)
{
	AUTO_BUF struct buf digest = BUF_INIT(BUF_MAX_LINE);
	struct driver *driver = bench->driver;
	struct err err = ERR_INIT;

	assert_fails(driver->ops->resolve(driver, bench->subject->unknown_image, &digest, &err),
		     err, E_IMAGE_UNKNOWN);
	assert_non_null(strstr(err.text, bench->subject->unknown_image));
}

static void pull_twice(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");

	assert_true(test_apply(bench->driver, OP_PULL, NULL, NULL, spec));
	assert_false(test_apply(bench->driver, OP_PULL, NULL, NULL, spec));
	assert_int_equal(test_observe(bench->driver, bench->arena).workloads_n, 0);
}

static void pull_of_what_is_gone(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");

	spec->digest = "sha256:"
		       "0000000000000000000000000000000000000000000000000000000000000000";
	assert_int_equal(test_apply_code(bench->driver, OP_PULL, NULL, NULL, spec),
			 E_IMAGE_CHANGED);
	spec->image = bench->subject->unknown_image;
	assert_int_equal(test_apply_code(bench->driver, OP_PULL, NULL, NULL, spec),
			 E_IMAGE_UNKNOWN);
}

static void create_needs_the_image(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");

	assert_int_equal(test_apply_code(bench->driver, OP_CREATE, spec->name, NULL, spec),
			 E_IMAGE_UNKNOWN);
	assert_absent(bench, spec->name);
}

static void images_are_seen(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");
	struct observed seen;

	assert_int_equal(test_observe(bench->driver, bench->arena).images_n, 0);
	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	seen = test_observe(bench->driver, bench->arena);
	assert_int_equal(seen.images_n, 1);
	assert_string_equal(seen.images[0], spec->digest);
	test_apply(bench->driver, OP_IMAGE_REMOVE, spec->digest, NULL, NULL);
	assert_int_equal(test_observe(bench->driver, bench->arena).images_n, 0);
}

static void image_in_use_stays(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");

	test_run_spec(bench->driver, spec);
	assert_false(test_apply(bench->driver, OP_IMAGE_REMOVE, spec->digest, NULL, NULL));
	assert_false(test_apply(bench->driver, OP_PULL, NULL, NULL, spec));
	assert_int_equal(test_see(bench->driver, bench->arena, spec->name).state, RUN_RUNNING);
}

static void image_out_of_use_goes(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	assert_true(test_apply(bench->driver, OP_IMAGE_REMOVE, spec->digest, NULL, NULL));
	assert_false(test_apply(bench->driver, OP_IMAGE_REMOVE, spec->digest, NULL, NULL));
	assert_true(test_apply(bench->driver, OP_PULL, NULL, NULL, spec));
}

/* ---- promises: containers ---- */

static void create_twice(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");
	struct workload seen;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	assert_true(test_apply(bench->driver, OP_CREATE, spec->name, NULL, spec));
	assert_false(test_apply(bench->driver, OP_CREATE, spec->name, NULL, spec));
	seen = test_see(bench->driver, bench->arena, spec->name);
	assert_int_equal(seen.state, RUN_CREATED);
	assert_int_equal(seen.running_ms, 0);
	assert_int_equal(seen.exit_code, -1);
}

static void create_over_another(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");
	struct spec *changed = a_spec(bench, "shop-prod-web", "{" RUNS ",\"env\":{\"A\":\"1\"}}");
	struct workload seen;

	test_run_spec(bench->driver, spec);
	assert_int_equal(test_apply_code(bench->driver, OP_CREATE, spec->name, NULL, changed),
			 E_CONFLICT);
	seen = test_see(bench->driver, bench->arena, spec->name);
	assert_string_equal(seen.labels.spec, spec->labels.spec);
	assert_int_equal(seen.state, RUN_RUNNING);
}

static void everything_comes_back(struct bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-web",
				   "{" RUNS ",\"env\":{\"A\":\"1\",\"B\":\"x y\"},"
				   "\"stopTimeout\":\"3s\",\"restartPolicy\":\"on-failure\"}");
	AUTO_JSON json_t *wanted = labels_json(&spec->labels), *got = NULL;
	struct workload seen;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	test_apply(bench->driver, OP_CREATE, spec->name, NULL, spec);
	seen = test_see(bench->driver, bench->arena, spec->name);
	got = labels_json(&seen.labels);
	assert_true(json_equal(wanted, got));
	assert_string_equal(seen.image, spec->image);
	assert_string_equal(seen.digest, spec->digest);
	assert_non_null(seen.id);
	assert_non_null(seen.config);
	assert_int_equal(canon_diff(bench->arena, seen.config, spec->config, CANON_ALL).n, 0);
}

static void start_twice(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");
	struct workload first, second;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	test_apply(bench->driver, OP_CREATE, spec->name, NULL, spec);
	assert_true(test_apply(bench->driver, OP_START, spec->name, NULL, NULL));
	first = await(bench, spec->name, is_running);
	assert_false(test_apply(bench->driver, OP_START, spec->name, NULL, NULL));
	second = test_see(bench->driver, bench->arena, spec->name);
	assert_string_equal(first.id, second.id);
	assert_true(second.running_ms >= first.running_ms);
	assert_int_equal(second.health, HEALTH_NONE);
	assert_int_equal(second.restarts, 0);
}

static void start_of_nothing(struct bench *bench)
{
	assert_int_equal(test_apply_code(bench->driver, OP_START, "shop-prod-web", NULL, NULL),
			 E_NOT_FOUND);
}

static void stop_twice(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");

	test_run_spec(bench->driver, spec);
	assert_true(test_apply(bench->driver, OP_STOP, spec->name, NULL, NULL));
	assert_false(test_apply(bench->driver, OP_STOP, spec->name, NULL, NULL));
	assert_int_equal(test_see(bench->driver, bench->arena, spec->name).state, RUN_STOPPED);
	assert_false(test_apply(bench->driver, OP_STOP, "shop-prod-none", NULL, NULL));
}

/* A stop tells of the signal that was not heard, and of none where it was. */
static void stop_that_is_not_heard(struct bench *bench)
{
	struct memory_behaviour deaf = MEMORY_BEHAVIOUR_INIT;
	struct spec *spec = a_spec(bench, "shop-prod-deaf",
				   "{\"command\":[\"sh\",\"-c\",\"trap '' INT; echo hello; sleep "
				   "1000\"],\"stopSignal\":\"SIGINT\",\"stopTimeout\":\"1s\"}");
	const struct op op = {.kind = OP_STOP, .name = spec->name};
	struct op_result result = {.detail = BUF_INIT(BUF_MAX_LINE)};
	struct err err = ERR_INIT;

	deaf.ignores_stop = true;
	deaf.output = "hello\n";
	if (bench->world)
		assert_done(memory_world_container(bench->world, spec->name, &deaf, &err), err);
	test_run_spec(bench->driver, spec);
	await_log(bench, spec->name, "hello\n");
	assert_done(bench->driver->ops->apply(bench->driver, &op, &result, &err), err);
	assert_true(result.changed);
	assert_string_equal(result.unheard, "SIGINT");
	/* the second stop asked nobody */
	*result.unheard = '\0';
	assert_done(bench->driver->ops->apply(bench->driver, &op, &result, &err), err);
	assert_string_equal(result.unheard, "");
	buf_release(&result.detail);
}

static void stop_that_is_heard(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");
	const struct op op = {.kind = OP_STOP, .name = spec->name};
	struct op_result result = {.detail = BUF_INIT(BUF_MAX_LINE)};
	struct err err = ERR_INIT;

	test_run_spec(bench->driver, spec);
	await_log(bench, spec->name, "hello\n");
	assert_done(bench->driver->ops->apply(bench->driver, &op, &result, &err), err);
	assert_string_equal(result.unheard, "");
	buf_release(&result.detail);
}

static void stop_and_start(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");
	struct workload first, second;

	test_run_spec(bench->driver, spec);
	first = await(bench, spec->name, is_running);
	test_apply(bench->driver, OP_STOP, spec->name, NULL, NULL);
	assert_true(test_apply(bench->driver, OP_START, spec->name, NULL, NULL));
	second = await(bench, spec->name, is_running);
	assert_string_equal(first.id, second.id);
}

static void remove_while_running(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");

	test_run_spec(bench->driver, spec);
	assert_true(test_apply(bench->driver, OP_REMOVE, spec->name, NULL, NULL));
	assert_absent(bench, spec->name);
	assert_false(test_apply(bench->driver, OP_REMOVE, spec->name, NULL, NULL));
}

static void remove_and_make_again(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");

	test_run_spec(bench->driver, spec);
	test_apply(bench->driver, OP_REMOVE, spec->name, NULL, NULL);
	assert_true(test_apply(bench->driver, OP_CREATE, spec->name, NULL, spec));
	assert_int_equal(test_see(bench->driver, bench->arena, spec->name).state, RUN_CREATED);
}

static void ends_by_itself(struct bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-ends", "{" ENDS "}");
	struct workload seen;

	test_run_spec(bench->driver, spec);
	seen = await(bench, spec->name, is_exited);
	assert_int_equal(seen.exit_code, 3);
	assert_int_equal(seen.running_ms, 0);
	/* one that has ended is stopped already, and can be started again */
	assert_false(test_apply(bench->driver, OP_STOP, spec->name, NULL, NULL));
	assert_true(test_apply(bench->driver, OP_START, spec->name, NULL, NULL));
}

/* ---- promises: names ---- */

static void beside_and_take_over(struct bench *bench)
{
	struct spec *old = a_runner(bench, "shop-prod-web");
	struct spec *new = a_spec(bench, "shop-prod-web", "{" RUNS ",\"env\":{\"A\":\"1\"}}");
	const char *next = "shop-prod-web" NEXT_SUFFIX;
	struct workload before, after;

	test_run_spec(bench->driver, old);
	assert_true(test_apply(bench->driver, OP_CREATE, next, NULL, new));
	assert_true(test_apply(bench->driver, OP_START, next, NULL, NULL));
	before = await(bench, next, is_running);
	assert_int_equal(test_apply_code(bench->driver, OP_RENAME, next, new->name, NULL),
			 E_CONFLICT);
	test_apply(bench->driver, OP_ALIAS, next, new->name, NULL);
	assert_false(test_apply(bench->driver, OP_ALIAS, next, new->name, NULL));
	assert_int_equal(test_see(bench->driver, bench->arena, next).state, RUN_RUNNING);
	assert_int_equal(test_see(bench->driver, bench->arena, new->name).state, RUN_RUNNING);
	test_apply(bench->driver, OP_REMOVE, old->name, NULL, NULL);
	assert_true(test_apply(bench->driver, OP_RENAME, next, new->name, NULL));
	after = test_see(bench->driver, bench->arena, new->name);
	assert_absent(bench, next);
	assert_string_equal(before.id, after.id);
	assert_string_equal(after.labels.spec, new->labels.spec);
	assert_int_equal(after.state, RUN_RUNNING);
	assert_true(after.running_ms >= before.running_ms);
	assert_int_equal(after.restarts, 0);
	/* it answers to its new name */
	assert_true(test_apply(bench->driver, OP_STOP, new->name, NULL, NULL));
}

static void rename_twice(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");
	const char *next = "shop-prod-web" NEXT_SUFFIX;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	test_apply(bench->driver, OP_CREATE, next, NULL, spec);
	assert_true(test_apply(bench->driver, OP_RENAME, next, spec->name, NULL));
	assert_false(test_apply(bench->driver, OP_RENAME, next, spec->name, NULL));
	test_apply(bench->driver, OP_REMOVE, spec->name, NULL, NULL);
	assert_int_equal(test_apply_code(bench->driver, OP_RENAME, next, spec->name, NULL),
			 E_NOT_FOUND);
	assert_int_equal(test_apply_code(bench->driver, OP_ALIAS, next, spec->name, NULL),
			 E_NOT_FOUND);
}

static void in_order_of_name(struct bench *bench)
{
	static const char *const names[] = {"shop-prod-c", "shop-prod-a", "shop-prod-a-2",
					    "shop-prod-b"};
	struct observed observed;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct spec *spec = a_runner(bench, names[i]);

		test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
		test_apply(bench->driver, OP_CREATE, names[i], NULL, spec);
	}
	observed = test_observe(bench->driver, bench->arena);
	assert_int_equal(observed.workloads_n, ARRAY_LEN(names));
	for (size_t i = 0; i + 1 < observed.workloads_n; i++)
		assert_true(strcmp(observed.workloads[i].name, observed.workloads[i + 1].name) < 0);
}

/* ---- promises: not ours ---- */

static void foreign_is_left_alone(struct bench *bench)
{
	struct spec *theirs = a_runner(bench, "shop-prod-web");
	struct spec *ours = a_runner(bench, "shop-prod-web");
	struct spec *next = a_runner(bench, "shop-prod-web" NEXT_SUFFIX);
	const enum op_kind touching[] = {OP_START, OP_STOP, OP_ALIAS, OP_REMOVE};
	struct observed observed;

	theirs->labels.owner = TEST_OTHER;
	theirs->labels.project = "theirs"; /* what a stage has on a node is one reconciler's */
	test_run_spec(bench->other, theirs);
	assert_int_equal(test_apply_code(bench->driver, OP_CREATE, ours->name, NULL, ours),
			 E_NAME_FOREIGN);
	for (size_t i = 0; i < ARRAY_LEN(touching); i++)
		assert_int_equal(
			test_apply_code(bench->driver, touching[i], ours->name, ours->name, NULL),
			E_NAME_FOREIGN);
	assert_int_equal(test_apply_code(bench->driver, OP_UPDATE, ours->name, NULL, ours),
			 E_NAME_FOREIGN);
	test_apply(bench->driver, OP_PULL, NULL, NULL, next);
	test_apply(bench->driver, OP_CREATE, next->name, NULL, next);
	assert_int_equal(test_apply_code(bench->driver, OP_RENAME, next->name, ours->name, NULL),
			 E_NAME_FOREIGN);
	observed = test_observe(bench->driver, bench->arena);
	assert_null(observed_find(&observed, theirs->name));
	assert_true(lists(&observed, theirs->name));
	assert_int_equal(test_see(bench->other, bench->arena, theirs->name).state, RUN_RUNNING);
}

/* ---- promises: operations in place ---- */

static void update_in_place(struct bench *bench)
{
	struct spec *spec =
		a_spec(bench, "shop-prod-web", "{" RUNS ",\"resources\":{\"memory\":\"64Mi\"}}");
	struct spec *more =
		a_spec(bench, "shop-prod-web", "{" RUNS ",\"resources\":{\"memory\":\"128Mi\"}}");
	struct workload before, after;

	if (!(bench->driver->ops->live_fields >> container_resources_F & 1))
		return;
	test_run_spec(bench->driver, spec);
	before = await(bench, spec->name, is_running);
	assert_true(test_apply(bench->driver, OP_UPDATE, spec->name, NULL, more));
	assert_false(test_apply(bench->driver, OP_UPDATE, spec->name, NULL, more));
	after = test_see(bench->driver, bench->arena, spec->name);
	assert_string_equal(before.id, after.id);
	assert_int_equal(after.state, RUN_RUNNING);
	assert_true(after.running_ms >= before.running_ms);
	assert_int_equal(after.config->resources->memory, 128 << 20);
	assert_int_equal(after.labels.record, spec->labels.record);
}

static void update_of_what_is_fixed(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");
	struct spec *env = a_spec(bench, "shop-prod-web", "{" RUNS ",\"env\":{\"A\":\"1\"}}");
	struct spec *image = test_spec(bench->arena, bench->driver, "shop-prod-web",
				       bench->subject->other_image, "{" RUNS "}");

	assert_int_equal(test_apply_code(bench->driver, OP_UPDATE, spec->name, NULL, env),
			 E_NOT_FOUND);
	test_run_spec(bench->driver, spec);
	assert_int_equal(test_apply_code(bench->driver, OP_UPDATE, spec->name, NULL, env),
			 E_NOT_SUPPORTED);
	assert_int_equal(test_apply_code(bench->driver, OP_UPDATE, spec->name, NULL, image),
			 E_NOT_SUPPORTED);
	assert_string_equal(test_see(bench->driver, bench->arena, spec->name).labels.spec,
			    spec->labels.spec);
}

/* ---- promises: volumes ---- */

static void volumes_outlive_containers(struct bench *bench)
{
	struct spec *spec =
		a_spec(bench, "shop-prod-web",
		       "{" RUNS ",\"volumes\":[{\"name\":\"data\",\"path\":\"data\"}]}");
	struct observed observed;

	test_run_spec(bench->driver, spec);
	observed = test_observe(bench->driver, bench->arena);
	assert_int_equal(observed.volumes_n, 1);
	assert_string_equal(observed.volumes[0].name, "shop-prod-data");
	assert_string_equal(observed.volumes[0].project, "shop");
	assert_string_equal(observed.volumes[0].stage, "prod");
	assert_string_equal(observed.volumes[0].deployment, "web");
	assert_int_equal(
		test_apply_code(bench->driver, OP_VOLUME_REMOVE, "shop-prod-data", NULL, NULL),
		E_CONFLICT);
	test_apply(bench->driver, OP_REMOVE, spec->name, NULL, NULL);
	assert_int_equal(test_observe(bench->driver, bench->arena).volumes_n, 1);
	assert_true(test_apply(bench->driver, OP_VOLUME_REMOVE, "shop-prod-data", NULL, NULL));
	assert_false(test_apply(bench->driver, OP_VOLUME_REMOVE, "shop-prod-data", NULL, NULL));
	assert_int_equal(test_observe(bench->driver, bench->arena).volumes_n, 0);
}

/* ---- promises: what is kept, said and told ---- */

static void opened_again_sees_the_same(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");
	struct workload first, second;
	struct err err = ERR_INIT;

	test_run_spec(bench->driver, spec);
	first = await(bench, spec->name, is_running);
	driver_close(&bench->driver);
	assert_done(driver_open(&bench->node, &bench->env, &bench->driver, &err), err);
	second = test_see(bench->driver, bench->arena, spec->name);
	assert_string_equal(first.id, second.id);
	assert_int_equal(second.state, RUN_RUNNING);
	assert_true(second.running_ms >= first.running_ms);
}

static void logs_end_with_the_last_line(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");

	test_run_spec(bench->driver, spec);
	await_log(bench, spec->name, "hello\n");
}

static void logs_of_nothing(struct bench *bench)
{
	AUTO_BUF struct buf log = BUF_INIT(BUF_MAX_TEXT);
	struct driver *driver = bench->driver;
	struct err err = ERR_INIT;

	assert_fails(driver_tail(driver, "shop-prod-web", 10, &log, &err), err, E_NOT_FOUND);
	assert_int_equal(log.len, 0);
}

static void watch_wakes(struct bench *bench)
{
	struct spec *spec = a_runner(bench, "shop-prod-web");
	struct driver *driver = bench->driver;
	struct err err = ERR_INIT;
	struct pollfd ready = {.events = POLLIN};

	test_run_spec(driver, spec);
	ready.fd = driver->ops->watch(driver, &err);
	assert_true(ready.fd >= 0);
	while (poll(&ready, 1, 0) > 0)
		driver->ops->watch_read(driver, &err);
	/* somebody else's driver, so that it is the node that tells */
	driver_close(&bench->other);
	assert_done(driver_open(&bench->node, &bench->env, &bench->other, &err), err);
	test_apply(bench->other, OP_STOP, spec->name, NULL, NULL);
	/* what comes first may be an answer's head, of which nothing is told */
	do
		assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
	while (driver->ops->watch_read(driver, &err) == 0);
}

/* ---- the table ---- */

static const struct promise {
	const char *name;
	void (*check)(struct bench *bench);
	unsigned needs; /* traits of the subject */
} promises[] = {
	{"probe names the engine", probe_names_the_engine, 0},
	{"an empty node", an_empty_node, 0},
	{"claim twice", claim_twice, 0},
	{"claim by another", claim_by_another, KEEPS},
	{"resolve is steady", resolve_is_steady, 0},
	{"unknown image", unknown_image, 0},
	{"pull twice", pull_twice, 0},
	{"pull of what is gone", pull_of_what_is_gone, KEEPS},
	{"create needs the image", create_needs_the_image, KEEPS},
	{"images are seen", images_are_seen, 0},
	{"image in use stays", image_in_use_stays, 0},
	{"image out of use goes", image_out_of_use_goes, KEEPS},
	{"create twice", create_twice, 0},
	{"create over another", create_over_another, 0},
	{"everything comes back", everything_comes_back, 0},
	{"start twice", start_twice, 0},
	{"start of nothing", start_of_nothing, 0},
	{"stop twice", stop_twice, 0},
	{"stop and start", stop_and_start, 0},
	{"stop that is not heard", stop_that_is_not_heard, KEEPS},
	{"stop that is heard", stop_that_is_heard, KEEPS},
	{"remove while running", remove_while_running, 0},
	{"remove and make again", remove_and_make_again, 0},
	{"ends by itself", ends_by_itself, KEEPS},
	{"beside and take over", beside_and_take_over, 0},
	{"rename twice", rename_twice, 0},
	{"in order of name", in_order_of_name, 0},
	{"foreign is left alone", foreign_is_left_alone, MINGLES},
	{"update in place", update_in_place, 0},
	{"update of what is fixed", update_of_what_is_fixed, 0},
	{"volumes outlive containers", volumes_outlive_containers, 0},
	{"opened again sees the same", opened_again_sees_the_same, KEEPS},
	{"logs end with the last line", logs_end_with_the_last_line, KEEPS},
	{"logs of nothing", logs_of_nothing, 0},
	{"watch wakes", watch_wakes, KEEPS},
};

struct row {
	const struct subject *subject;
	const struct promise *promise;
};

static int setup(void **state)
{
	const struct row *row = *state;
	struct bench *bench = mem_zalloc(1, sizeof *bench);
	struct err err = ERR_INIT;

	bench->subject = row->subject;
	bench->arena = arena_new(0);
	bench->folder = test_folder();
	bench->env = test_env;
	bench->env.state_dir = bench->folder;
	row->subject->prepare(bench);
	bench->other_env = bench->env;
	bench->other_env.owner = TEST_OTHER;
	assert_done(driver_open(&bench->node, &bench->env, &bench->driver, &err), err);
	assert_done(driver_open(&bench->node, &bench->other_env, &bench->other, &err), err);
	if (row->subject->wrap)
		row->subject->wrap(bench);
	*state = bench;
	return 0;
}

/* Nothing a promise started may outlive it. */
static void remove_all(struct driver *driver, struct arena *arena)
{
	struct observed observed = test_observe(driver, arena);

	for (size_t i = 0; i < observed.workloads_n; i++)
		test_apply(driver, OP_REMOVE, observed.workloads[i].name, NULL, NULL);
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	remove_all(bench->driver, bench->arena);
	remove_all(bench->other, bench->arena);
	if (bench->subject->traits & ENGINE) {
		engine_clean(bench->driver);
		engine_clean(bench->other);
	}
	driver_close(&bench->driver);
	driver_close(&bench->other);
	memory_world_free(&bench->world);
	test_folder_remove(&bench->folder);
	arena_free(bench->arena);
	free(bench);
	return 0;
}

static const struct row *current;

static int setup_row(void **state)
{
	current = *state;
	if (current->subject->engine && engine_missing(current->subject->engine)) {
		*state = NULL;
		return 0;
	}
	return setup(state);
}

static void check_row(void **state)
{
	if (!*state) {
		print_message("# %s\n", engine_missing(current->subject->engine));
		skip();
	}
	current->promise->check(*state);
}

static int teardown_row(void **state)
{
	return *state ? teardown(state) : 0;
}

int main(int argc, char **argv)
{
	static struct row rows[ARRAY_LEN(subjects) * ARRAY_LEN(promises)];
	VEC(struct CMUnitTest) tests = {0};
	AUTO_ARENA struct arena *names = NULL;
	int failed;

	host_test_supervise(argc, argv);
	engines_take();
	names = arena_new(0);
	for (size_t s = 0; s < ARRAY_LEN(subjects); s++) {
		for (size_t p = 0; p < ARRAY_LEN(promises); p++) {
			struct row *row = &rows[tests.n];

			if ((promises[p].needs & subjects[s].traits) != promises[p].needs)
				continue;
			*row = (struct row){&subjects[s], &promises[p]};
			VEC_PUSH(&tests,
				 (struct CMUnitTest){arena_printf(names, "%s: %s", subjects[s].name,
								  promises[p].name),
						     check_row, setup_row, teardown_row, row});
		}
	}
	failed = _cmocka_run_group_tests("driver contract", tests.v, tests.n, NULL, NULL);
	VEC_FREE(&tests);
	return failed;
}

#include "tests/support/test.h"
#include "tests/support/driver.h"

#include <dirent.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/memory.h"

/*
 * What only the memory driver has: rules, clocks, its two kinds of world. What every driver has is
 * in test_driver_contract.c.
 */
static struct arena *arena;
static char *folder;
static struct memory_world *world;
static struct node node;
static struct driver *driver;
static struct err err;

static void open_node(void)
{
	assert_done(driver_open(&node, &test_env, &driver, &err), err);
}

static int setup_process(void **state)
{
	(void)state;
	arena = arena_new(0);
	folder = test_folder();
	world = memory_world_new();
	memory_world_attach(world, "edge-1");
	node = test_memory_node(arena, "edge-1", NULL);
	err_clear(&err);
	open_node();
	return 0;
}

static int setup_folder(void **state)
{
	(void)state;
	arena = arena_new(0);
	folder = test_folder();
	world = memory_world_open(folder);
	node = test_memory_node(arena, "edge-1", folder);
	err_clear(&err);
	open_node();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	driver_close(&driver);
	memory_world_free(&world);
	test_folder_remove(&folder);
	arena_free(arena);
	return 0;
}

static struct spec *a_spec(const char *config)
{
	return test_spec(arena, driver, "shop-prod-web", "local/web:1", config);
}

static struct workload see(void)
{
	return test_see(driver, arena, "shop-prod-web");
}

static void set_clock(int64_t now_ms)
{
	assert_done(memory_world_set_clock(world, now_ms, &err), err);
}

static void advance(int64_t by_ms)
{
	assert_done(memory_world_advance(world, by_ms, &err), err);
}

static void set_image(const char *image, struct memory_behaviour behaviour)
{
	assert_done(memory_world_image(world, image, &behaviour, &err), err);
}

/* ---- time ---- */

static void test_running_time(void **state)
{
	(void)state;
	set_clock(5000);
	test_run_spec(driver, a_spec("{}"));
	assert_int_equal(see().running_ms, 0);
	advance(12345);
	assert_int_equal(see().running_ms, 12345);
	/* a clock that went back, as after a restart of the machine */
	set_clock(1000);
	assert_int_equal(see().running_ms, 0);
	assert_int_equal(see().state, RUN_RUNNING);
}

static void test_real_time_by_default(void **state)
{
	int64_t before;

	(void)state;
	test_run_spec(driver, a_spec("{}"));
	before = see().running_ms;
	assert_true(before >= 0 && before < 60000);
	while (see().running_ms == before)
		poll(NULL, 0, 1);
}

/* ---- ends ---- */

struct look {
	int64_t after_ms;
	enum run_state state;
	int64_t running_ms;
	int restarts, exit_code;
};

static void check_looks(const char *config, int exit_code, int64_t exit_after,
			const struct look *looks, size_t n)
{
	struct memory_behaviour ends = MEMORY_BEHAVIOUR_INIT;

	ends.exit_code = exit_code;
	ends.exit_after_ms = exit_after;
	set_image("local/web:1", ends);
	set_clock(0);
	test_run_spec(driver, a_spec(config));
	for (size_t i = 0; i < n; i++) {
		struct workload seen;

		set_clock(looks[i].after_ms);
		seen = see();
		assert_int_equal(seen.state, looks[i].state);
		assert_int_equal(seen.running_ms, looks[i].running_ms);
		assert_int_equal(seen.restarts, looks[i].restarts);
		assert_int_equal(seen.exit_code, looks[i].exit_code);
	}
}

static void test_crash_loop(void **state)
{
	static const struct look looks[] = {
		{0, RUN_RUNNING, 0, 0, -1},	 {499, RUN_RUNNING, 499, 0, -1},
		{500, RUN_RESTARTING, 0, 0, 9},	 {1499, RUN_RESTARTING, 0, 0, 9},
		{1500, RUN_RUNNING, 0, 1, 9},	 {1999, RUN_RUNNING, 499, 1, 9},
		{2000, RUN_RESTARTING, 0, 1, 9}, {15000, RUN_RUNNING, 0, 10, 9},
	};

	(void)state;
	check_looks("{}", 9, 500, looks, ARRAY_LEN(looks));
}

static void test_exits_at_once(void **state)
{
	static const struct look looks[] = {
		{0, RUN_RESTARTING, 0, 0, 1},
		{1000, RUN_RESTARTING, 0, 1, 1},
		{3000000000000, RUN_RESTARTING, 0, INT_MAX, 1},
	};

	(void)state;
	check_looks("{}", 1, 0, looks, ARRAY_LEN(looks));
}

static void test_job_is_done(void **state)
{
	static const struct look looks[] = {{0, RUN_RUNNING, 0, 0, -1},
					    {2000, RUN_EXITED, 0, 0, 0},
					    {900000, RUN_EXITED, 0, 0, 0}};

	(void)state;
	check_looks("{\"expect\":{\"state\":\"exited\"}}", 0, 2000, looks, ARRAY_LEN(looks));
	assert_string_equal(see().detail, "exited with 0");
}

static void test_on_failure(void **state)
{
	static const struct look failed[] = {{100, RUN_RESTARTING, 0, 0, 2}};
	static const struct look fine[] = {{100, RUN_EXITED, 0, 0, 0}};

	(void)state;
	check_looks("{\"restartPolicy\":\"on-failure\"}", 2, 100, failed, 1);
	test_apply(driver, OP_REMOVE, "shop-prod-web", NULL, NULL);
	check_looks("{\"restartPolicy\":\"on-failure\"}", 0, 100, fine, 1);
}

static void test_stopped_is_not_restarted(void **state)
{
	struct memory_behaviour stubborn = MEMORY_BEHAVIOUR_INIT;

	(void)state;
	set_clock(0);
	test_run_spec(driver, a_spec("{\"restartPolicy\":\"always\"}"));
	test_apply(driver, OP_STOP, "shop-prod-web", NULL, NULL);
	advance(60000);
	assert_int_equal(see().state, RUN_STOPPED);
	assert_int_equal(see().exit_code, 0);
	stubborn.ignores_stop = true;
	set_image("*", stubborn);
	test_apply(driver, OP_START, "shop-prod-web", NULL, NULL);
	test_apply(driver, OP_STOP, "shop-prod-web", NULL, NULL);
	assert_int_equal(see().exit_code, 137);
}

/* ---- health ---- */

#define CHECKED "{\"healthCheck\":{\"tcp\":{\"port\":80}}}"

static void test_health(void **state)
{
	struct memory_behaviour sick = MEMORY_BEHAVIOUR_INIT;

	(void)state;
	sick.healthy_after_ms = 3000;
	sick.unhealthy_after_ms = 9000;
	set_image("local/web:1", sick);
	set_clock(0);
	test_apply(driver, OP_PULL, NULL, NULL, a_spec(CHECKED));
	test_apply(driver, OP_CREATE, "shop-prod-web", NULL, a_spec(CHECKED));
	assert_int_equal(see().health, HEALTH_UNKNOWN);
	test_apply(driver, OP_START, "shop-prod-web", NULL, NULL);
	assert_int_equal(see().health, HEALTH_STARTING);
	advance(3000);
	assert_int_equal(see().health, HEALTH_HEALTHY);
	advance(6000);
	assert_int_equal(see().health, HEALTH_UNHEALTHY);
	test_apply(driver, OP_STOP, "shop-prod-web", NULL, NULL);
	assert_int_equal(see().health, HEALTH_UNKNOWN);
}

static void test_health_without_check(void **state)
{
	(void)state;
	test_run_spec(driver, a_spec("{}"));
	assert_int_equal(see().health, HEALTH_NONE);
}

/* ---- rules ---- */

static void test_which_rule(void **state)
{
	struct memory_behaviour by_name = MEMORY_BEHAVIOUR_INIT, by_image = MEMORY_BEHAVIOUR_INIT;
	struct memory_behaviour any = MEMORY_BEHAVIOUR_INIT;

	(void)state;
	by_name.exit_after_ms = by_image.exit_after_ms = any.exit_after_ms = 0;
	by_name.exit_code = 1;
	by_image.exit_code = 2;
	any.exit_code = 3;
	set_clock(0);
	test_run_spec(driver, a_spec("{}"));
	assert_int_equal(see().exit_code, -1);
	set_image("*", any);
	assert_int_equal(see().exit_code, 3);
	set_image("local/web:1", by_image);
	assert_int_equal(see().exit_code, 2);
	assert_done(memory_world_container(world, "shop-prod-web", &by_name, &err), err);
	assert_int_equal(see().exit_code, 1);
	/* the name it will have counts */
	test_apply(driver, OP_RENAME, "shop-prod-web", "shop-prod-web" NEXT_SUFFIX, NULL);
	assert_int_equal(test_see(driver, arena, "shop-prod-web" NEXT_SUFFIX).exit_code, 1);
}

static void test_refused_by_the_engine(void **state)
{
	struct memory_behaviour refuses = MEMORY_BEHAVIOUR_INIT;
	struct spec *spec = a_spec("{}");
	const struct op create = {.kind = OP_CREATE, .name = spec->name, .spec = spec};

	(void)state;
	refuses.refuse = "no more room";
	set_image("local/web:1", refuses);
	test_apply(driver, OP_PULL, NULL, NULL, spec);
	assert_fails(driver->ops->apply(driver, &create, NULL, &err), err, E_ENGINE);
	assert_string_equal(err.text, "no more room");
	assert_int_equal(test_observe(driver, arena).workloads_n, 0);
}

static void test_a_registry_with_rules(void **state)
{
	struct memory_behaviour rule = MEMORY_BEHAVIOUR_INIT;
	struct buf digest AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct spec *spec = a_spec("{}");
	const struct op pull = {.kind = OP_PULL, .spec = spec};

	(void)state;
	rule.no_registry = "connection refused";
	set_image("local/web:1", rule);
	assert_fails(driver->ops->resolve(driver, "local/web:1", &digest, &err), err, E_REGISTRY);
	assert_string_equal(err.text, "image local/web:1: connection refused");
	assert_fails(driver->ops->apply(driver, &pull, NULL, &err), err, E_REGISTRY);
	rule.no_registry = NULL;
	rule.no_login = "another login";
	set_image("local/web:1", rule);
	assert_fails(driver->ops->resolve(driver, "local/web:1", &digest, &err), err,
		     E_CREDENTIALS);
}

static void test_moved_tag(void **state)
{
	struct memory_behaviour moved = MEMORY_BEHAVIOUR_INIT;
	struct spec *spec = a_spec("{}");

	(void)state;
	test_run_spec(driver, spec);
	moved.digest = "sha256:"
		       "1111111111111111111111111111111111111111111111111111111111111111";
	set_image("local/web:1", moved);
	assert_string_not_equal(a_spec("{}")->digest, spec->digest);
	/* what was pulled stays, what runs stays */
	assert_false(test_apply(driver, OP_PULL, NULL, NULL, spec));
	assert_string_equal(see().digest, spec->digest);
	test_apply(driver, OP_REMOVE, spec->name, NULL, NULL);
	test_apply(driver, OP_IMAGE_REMOVE, spec->digest, NULL, NULL);
	assert_int_equal(test_apply_code(driver, OP_PULL, NULL, NULL, spec), E_IMAGE_CHANGED);
}

static void test_pinned_digest(void **state)
{
	static const char pinned[] =
		"local/web@sha256:"
		"2222222222222222222222222222222222222222222222222222222222222222";
	struct spec *spec = test_spec(arena, driver, "a", pinned, "{}");

	(void)state;
	assert_string_equal(spec->digest, pinned + strlen("local/web@"));
	test_apply(driver, OP_PULL, NULL, NULL, spec);
}

static void test_unresolved_is_our_mistake(void **state)
{
	struct spec *spec = a_spec("{}");

	(void)state;
	spec->digest = NULL;
	assert_int_equal(test_apply_code(driver, OP_PULL, NULL, NULL, spec), E_INTERNAL);
	assert_int_equal(test_apply_code(driver, OP_CREATE, spec->name, NULL, spec),
			 E_IMAGE_UNKNOWN);
}

static void test_unreachable(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);
	struct spec *spec = a_spec("{}");
	struct observed observed;

	(void)state;
	assert_done(memory_world_unreachable(world, "no route to host", &err), err);
	assert_fails(driver->ops->probe(driver, &text, &err), err, E_NODE_UNREACHABLE);
	assert_string_equal(err.text, "no route to host");
	assert_fails(driver->ops->observe(driver, arena, &observed, &err), err, E_NODE_UNREACHABLE);
	assert_fails(driver->ops->resolve(driver, "local/web:1", &text, &err), err,
		     E_NODE_UNREACHABLE);
	assert_fails(driver_tail(driver, "a", 1, &text, &err), err, E_NODE_UNREACHABLE);
	for (enum op_kind kind = OP_CLAIM; kind < OPS_COUNT; kind++)
		assert_int_equal(test_apply_code(driver, kind, "a", "b", spec), E_NODE_UNREACHABLE);
	err_clear(&err);
	assert_done(memory_world_unreachable(world, NULL, &err), err);
	assert_done(driver->ops->probe(driver, &text, &err), err);
	assert_string_equal(buf_str(&text), "memory");
}

static void test_foreign_names(void **state)
{
	struct spec *spec = a_spec("{}");
	struct observed observed;

	(void)state;
	assert_done(memory_world_add_foreign(world, "zz", &err), err);
	assert_done(memory_world_add_foreign(world, "shop-prod-web", &err), err);
	test_apply(driver, OP_PULL, NULL, NULL, spec);
	assert_int_equal(test_apply_code(driver, OP_CREATE, spec->name, NULL, spec),
			 E_NAME_FOREIGN);
	observed = test_observe(driver, arena);
	assert_int_equal(observed.foreign_n, 2);
	assert_string_equal(observed.foreign[0], "shop-prod-web");
	assert_string_equal(observed.foreign[1], "zz");
}

/* ---- ports ---- */

#define PORT "{\"ports\":[{\"container\":80,\"host\":8080}]}"

static void test_a_port_has_one_holder(void **state)
{
	struct spec *one = test_spec(arena, driver, "one", "local/web:1", PORT);
	struct spec *two = test_spec(arena, driver, "two", "local/web:1", PORT);
	struct spec *udp = test_spec(arena, driver, "udp", "local/web:1",
				     "{\"ports\":[{\"container\":80,\"host\":8080,"
				     "\"protocol\":\"udp\"}]}");
	const struct op start = {.kind = OP_START, .name = "two"};

	(void)state;
	test_run_spec(driver, one);
	test_run_spec(driver, udp);
	test_apply(driver, OP_CREATE, "two", NULL, two);
	assert_fails(driver->ops->apply(driver, &start, NULL, &err), err, E_NAME_FOREIGN);
	assert_non_null(strstr(err.text, "8080"));
	assert_non_null(strstr(err.text, "one"));
	assert_int_equal(test_see(driver, arena, "two").state, RUN_CREATED);
	/* free once its holder is down */
	test_apply(driver, OP_STOP, "one", NULL, NULL);
	test_apply(driver, OP_START, "two", NULL, NULL);
	assert_int_equal(test_apply_code(driver, OP_START, "one", NULL, NULL), E_NAME_FOREIGN);
	test_apply(driver, OP_REMOVE, "two", NULL, NULL);
	test_apply(driver, OP_START, "one", NULL, NULL);
	/* and it follows a rename */
	test_apply(driver, OP_RENAME, "one", "uno", NULL);
	test_apply(driver, OP_CREATE, "two", NULL, two);
	assert_int_equal(test_apply_code(driver, OP_START, "two", NULL, NULL), E_NAME_FOREIGN);
}

/* ---- logs ---- */

static const char *logs(int n)
{
	AUTO_BUF struct buf log = BUF_INIT(BUF_MAX_TEXT);

	assert_done(driver_tail(driver, "shop-prod-web", n, &log, &err), err);
	return arena_strdup(arena, buf_str(&log));
}

static void test_logs(void **state)
{
	struct memory_behaviour talks = MEMORY_BEHAVIOUR_INIT;

	(void)state;
	talks.output = "one\ntwo";
	set_image("*", talks);
	test_run_spec(driver, a_spec("{}"));
	assert_string_equal(logs(100), "one\ntwo\n");
	assert_string_equal(logs(1), "two\n");
	assert_string_equal(logs(0), "");
	test_apply(driver, OP_STOP, "shop-prod-web", NULL, NULL);
	test_apply(driver, OP_START, "shop-prod-web", NULL, NULL);
	assert_string_equal(logs(3), "two\none\ntwo\n");
}

static void test_logs_are_bounded(void **state)
{
	struct memory_behaviour talks = MEMORY_BEHAVIOUR_INIT;
	char line[1001];

	(void)state;
	memset(line, 'x', sizeof line);
	line[999] = '\n';
	line[1000] = '\0';
	talks.output = line;
	set_image("*", talks);
	test_apply(driver, OP_PULL, NULL, NULL, a_spec("{}"));
	test_apply(driver, OP_CREATE, "shop-prod-web", NULL, a_spec("{}"));
	for (int i = 0; i < 40; i++) {
		test_apply(driver, OP_START, "shop-prod-web", NULL, NULL);
		test_apply(driver, OP_STOP, "shop-prod-web", NULL, NULL);
	}
	assert_int_equal(strlen(logs(1000)), 16000);
	assert_int_equal(strlen(logs(1)), 1000);
}

/* ---- the two kinds of world ---- */

static void test_engine_ids(void **state)
{
	struct node same = test_memory_node(arena, "edge-2", folder);
	struct node spelt = test_memory_node(arena, "edge-3", arena_printf(arena, "%s/", folder));
	struct driver *other;
	const char *id;

	(void)state;
	test_apply(driver, OP_CLAIM, NULL, NULL, NULL);
	id = test_observe(driver, arena).engine_id;
	assert_done(driver_open(&same, &test_env, &other, &err), err);
	assert_string_equal(test_observe(other, arena).engine_id, id);
	driver_close(&other);
	assert_done(driver_open(&spelt, &test_env, &other, &err), err);
	assert_string_equal(test_observe(other, arena).engine_id, id);
	driver_close(&other);
}

static void test_worlds_are_apart(void **state)
{
	AUTO_WORLD struct memory_world *second = memory_world_new();
	struct node other_node = test_memory_node(arena, "edge-2", NULL);
	struct driver *other;

	(void)state;
	memory_world_attach(second, "edge-2");
	assert_done(driver_open(&other_node, &test_env, &other, &err), err);
	test_run_spec(driver, a_spec("{}"));
	assert_int_equal(test_observe(other, arena).workloads_n, 0);
	assert_string_not_equal(test_observe(other, arena).engine_id,
				test_observe(driver, arena).engine_id);
	driver_close(&other);
}

static void test_nodes_that_cannot_be_used(void **state)
{
	static const char *const endpoints[] = {
		"/srv/node",	      "http://localhost",  "file://", "file://srv",
		"file:///srv/../etc", "file:///srv//node", ""};
	struct node bad = {.name = "edge-9", .driver = DRIVER_MEMORY};
	struct driver *out;

	(void)state;
	assert_fails(driver_open(&bad, &test_env, &out, &err), err, E_BAD_INPUT);
	assert_null(out);
	assert_non_null(strstr(err.text, "edge-9"));
	assert_non_null(strstr(err.text, "endpoint: file:///"));
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		bad.endpoint = endpoints[i];
		assert_fails(driver_open(&bad, &test_env, &out, &err), err, E_BAD_INPUT);
	}
	bad.driver = DRIVER_SWARM;
	assert_fails(driver_open(&bad, &test_env, &out, &err), err, E_NOT_SUPPORTED);
	assert_non_null(strstr(err.text, "swarm"));
}

static void test_looking_makes_no_folder(void **state)
{
	AUTO_FREE char *path = test_path(folder, "not/yet");
	struct node fresh = test_memory_node(arena, "edge-2", path);
	struct driver *other;

	(void)state;
	assert_done(driver_open(&fresh, &test_env, &other, &err), err);
	assert_int_equal(test_observe(other, arena).workloads_n, 0);
	assert_false(fs_exists(path));
	test_apply(other, OP_CLAIM, NULL, NULL, NULL);
	assert_true(fs_is_dir(path));
	driver_close(&other);
}

static void start_elsewhere(void *arg)
{
	(void)arg;
	test_run_spec(driver, a_spec("{}"));
}

static void test_other_processes_see_a_folder(void **state)
{
	int status = test_in_child(start_elsewhere, NULL, NULL, 0);

	(void)state;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(see().state, RUN_RUNNING);
}

static void write_file(const char *name, const char *text)
{
	AUTO_FREE char *path = test_path(folder, name);

	assert_done(fs_write_replace(path, text, strlen(text), 0600, &err), err);
}

static void test_damaged_files(void **state)
{
	static const char *const texts[] = {"",
					    "{",
					    "[]",
					    "{\"state\":\"asleep\"}",
					    "{\"state\":\"created\",\"spec\":7}",
					    "\xff\xfe"};
	struct observed observed;

	(void)state;
	test_run_spec(driver, a_spec("{}"));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		write_file("containers/broken.json", texts[i]);
		assert_fails(driver->ops->observe(driver, arena, &observed, &err), err,
			     E_BAD_INPUT);
		assert_non_null(strstr(err.text, "broken"));
		assert_int_equal(test_apply_code(driver, OP_START, "broken", NULL, NULL),
				 E_BAD_INPUT);
	}
	write_file("behaviour.json", "[]");
	assert_fails(driver->ops->observe(driver, arena, &observed, &err), err, E_BAD_INPUT);
	assert_non_null(strstr(err.text, "behaviour.json"));
}

static void test_a_folder_that_fails(void **state)
{
	AUTO_FREE char *path = test_path(folder, "containers");
	struct spec *spec = a_spec("{}");
	struct observed observed;

	(void)state;
	test_apply(driver, OP_PULL, NULL, NULL, spec);
	write_file("containers", "not a folder");
	assert_fails(driver->ops->observe(driver, arena, &observed, &err), err, E_NODE_UNREACHABLE);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(test_apply_code(driver, OP_CREATE, spec->name, NULL, spec),
			 E_NODE_UNREACHABLE);
}

static void leave_half_a_write(void *arg)
{
	AUTO_FREE char *name = mem_printf("containers/.0badcafe.%d.tmp", (int)getpid());

	(void)arg;
	write_file(name, "{");
}

static void test_claim_tidies_up(void **state)
{
	AUTO_FREE char *path = test_path(folder, "containers");
	struct dirent **entries;
	int n;

	(void)state;
	test_run_spec(driver, a_spec("{}"));
	test_in_child(leave_half_a_write, NULL, NULL, 0);
	test_apply(driver, OP_CLAIM, NULL, NULL, NULL);
	n = scandir(path, &entries, NULL, alphasort);
	assert_int_equal(n, 3); /* with . and .. */
	assert_string_equal(entries[2]->d_name, "shop-prod-web.json");
	while (n > 0)
		free(entries[--n]);
	free(entries);
}

static void test_hand_written_rules(void **state)
{
	(void)state;
	write_file("behaviour.json",
		   "{\"clockMs\": 100, \"images\": {\"local/web:1\": {\"exitAfterMs\": 50, "
		   "\"exitCode\": 4}}, \"unheard\": true}");
	test_run_spec(driver, a_spec("{}"));
	assert_int_equal(see().state, RUN_RUNNING);
	advance(50);
	assert_int_equal(see().exit_code, 4);
}

static void test_stray_files_are_ignored(void **state)
{
	(void)state;
	test_run_spec(driver, a_spec("{}"));
	write_file("containers/README", "not a container");
	write_file("containers/.0badcafe.1.tmp", "{");
	assert_int_equal(test_observe(driver, arena).workloads_n, 1);
}

static void test_names_stay_in_the_folder(void **state)
{
	static const char *const names[] = {"../escape", "a/b", ".hidden", ""};
	struct spec *spec = a_spec("{}");
	char longest[400];

	(void)state;
	test_apply(driver, OP_PULL, NULL, NULL, spec);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(test_apply_code(driver, OP_CREATE, names[i], NULL, spec),
				 E_BAD_INPUT);
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(test_apply_code(driver, OP_CREATE, longest, NULL, spec), E_BAD_INPUT);
	assert_int_equal(test_apply_code(driver, OP_RENAME, "a", "../b", NULL), E_BAD_INPUT);
}

/* ---- events ---- */

static void test_watch_tells_of_rules_too(void **state)
{
	struct memory_behaviour ends = MEMORY_BEHAVIOUR_INIT;
	struct pollfd ready = {.events = POLLIN};

	(void)state;
	ready.fd = driver->ops->watch(driver, &err);
	assert_true(ready.fd >= 0);
	assert_int_equal(driver->ops->watch(driver, &err), ready.fd);
	assert_int_equal(driver->ops->watch_read(driver, &err), 0);
	set_image("*", ends);
	assert_int_equal(poll(&ready, 1, 20000), 1);
	assert_int_equal(driver->ops->watch_read(driver, &err), 1);
	assert_int_equal(driver->ops->watch_read(driver, &err), 0);
}

static void test_watch_ignores_other_files(void **state)
{
	(void)state;
	assert_true(driver->ops->watch(driver, &err) >= 0);
	write_file("notes.txt", "x");
	assert_int_equal(driver->ops->watch_read(driver, &err), 0);
}

static void test_watch_says_when_it_lost_sight(void **state)
{
	AUTO_FREE char *path = test_path(folder, "containers");

	(void)state;
	assert_true(driver->ops->watch(driver, &err) >= 0);
	assert_done(fs_remove_tree(path, &err), err);
	assert_int_equal(driver->ops->watch_read(driver, &err), -1);
	/* what it says is: look at everything */
	err_clear(&err);
	assert_int_equal(test_observe(driver, arena).workloads_n, 0);
}

/* ---- many ---- */

static void test_a_thousand(void **state)
{
	struct observed observed;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct spec *spec =
			test_spec(arena, NULL, arena_printf(arena, "shop-prod-web-%d", i + 1),
				  "local/web:1", PORT);

		test_apply(driver, OP_PULL, NULL, NULL, spec);
		test_apply(driver, OP_CREATE, spec->name, NULL, spec);
	}
	observed = test_observe(driver, arena);
	assert_int_equal(observed.workloads_n, 1000);
	assert_non_null(observed_find(&observed, "shop-prod-web-777"));
}

#define PROCESS(name) cmocka_unit_test_setup_teardown(name, setup_process, teardown)
#define FOLDER(name) cmocka_unit_test_setup_teardown(name, setup_folder, teardown)
#define BOTH(name) PROCESS(name), FOLDER(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_running_time),
		PROCESS(test_real_time_by_default),
		PROCESS(test_crash_loop),
		PROCESS(test_exits_at_once),
		PROCESS(test_job_is_done),
		PROCESS(test_on_failure),
		PROCESS(test_stopped_is_not_restarted),
		PROCESS(test_health),
		PROCESS(test_health_without_check),
		BOTH(test_which_rule),
		PROCESS(test_refused_by_the_engine),
		PROCESS(test_a_registry_with_rules),
		PROCESS(test_moved_tag),
		PROCESS(test_pinned_digest),
		PROCESS(test_unresolved_is_our_mistake),
		BOTH(test_unreachable),
		BOTH(test_foreign_names),
		BOTH(test_a_port_has_one_holder),
		PROCESS(test_logs),
		PROCESS(test_logs_are_bounded),
		FOLDER(test_engine_ids),
		PROCESS(test_worlds_are_apart),
		PROCESS(test_nodes_that_cannot_be_used),
		FOLDER(test_looking_makes_no_folder),
		FOLDER(test_other_processes_see_a_folder),
		FOLDER(test_damaged_files),
		FOLDER(test_a_folder_that_fails),
		FOLDER(test_claim_tidies_up),
		FOLDER(test_hand_written_rules),
		FOLDER(test_stray_files_are_ignored),
		BOTH(test_names_stay_in_the_folder),
		BOTH(test_watch_tells_of_rules_too),
		FOLDER(test_watch_ignores_other_files),
		FOLDER(test_watch_says_when_it_lost_sight),
		BOTH(test_a_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

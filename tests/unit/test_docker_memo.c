/*
 * What a look remembers for the next one: how much is asked then, counted between the driver and a
 * real engine, and that nothing is missed for it.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"
#include "tests/support/engine_proxy.h"
#include "tests/support/engines.h"

#include <poll.h>

struct trial {
	struct engine_bench *bench;
	struct engine_proxy proxy;
	struct node node; /* behind the proxy */
};

static struct spec *wanted(struct engine_bench *bench, const char *name)
{
	return test_spec(bench->arena, bench->driver, name, bench->image,
			 "{\"command\":[\"sleep\",\"1000\"],\"stopSignal\":\"SIGKILL\","
			 "\"networks\":[\"back\"],"
			 "\"volumes\":[{\"name\":\"data\",\"path\":\"/data\",\"shared\":true}]}");
}

/* A look through the proxy by whoever remembers this; the number of its requests. */
static int look(struct trial *trial, const struct look_memo *memo, struct observed *out)
{
	struct driver_env env = trial->bench->env;
	struct driver *driver;
	struct err err = ERR_INIT;

	env.memo = memo;
	*trial->proxy.orders = (struct proxy_orders){0};
	assert_done(driver_open(&trial->node, &env, &driver, &err), err);
	assert_done(driver->ops->observe(driver, trial->bench->arena, out, &err), err);
	driver_close(&driver);
	return trial->proxy.orders->seen;
}

/* The same when an event has spoken of something. */
static int look_after(struct trial *trial, const struct look_memo *memo, const char *word,
		      struct observed *out)
{
	struct look_memo now = *memo;
	AUTO_MAP struct map heard = {0};

	map_put(&heard, word, &heard);
	now.heard = &heard;
	return look(trial, &now, out);
}

/* All but how long it has been running. */
static json_t *without_times(const struct observed *observed)
{
	struct observed copy = *observed;
	struct workload workloads[4];

	assert_in_range(observed->workloads_n, 1, ARRAY_LEN(workloads));
	memcpy(workloads, observed->workloads, observed->workloads_n * sizeof *workloads);
	for (size_t i = 0; i < observed->workloads_n; i++)
		workloads[i].running_ms = workloads[i].running_ms > 0;
	copy.workloads = workloads;
	return observed_json(&copy);
}

static void assert_same_seen(const struct observed *a, const struct observed *b)
{
	AUTO_JSON json_t *one = without_times(a), *other = without_times(b);

	assert_true(json_equal(one, other));
}

static void what_is_known_is_not_asked(struct engine_bench *bench)
{
	struct trial trial = {
		.bench = bench,
		.node = bench->node,
		.proxy = engine_proxy_start(docker_of(bench->driver)->endpoint.unix_path)};
	struct spec *web = wanted(bench, "shop-prod-web"), *db = wanted(bench, "shop-prod-db");
	int things = docker_of(bench->driver)->is_podman ? 2 : 0; /* asked for each time there */
	struct observed first, again;
	struct look_memo memo = {0};

	test_run_spec(bench->driver, web);
	test_run_spec(bench->driver, db);
	trial.node.endpoint = arena_printf(bench->arena, "unix://%s", trial.proxy.path);
	/* what it is, three lists, two containers */
	assert_in_range(look(&trial, NULL, &first), 6, 7);
	memo.text = first.memo;
	assert_int_equal(look(&trial, &memo, &again), 1 + things);
	assert_same_seen(&first, &again);
	assert_true(again.workloads[1].running_ms >= first.workloads[1].running_ms);
	/* what was remembered is so on */
	memo.text = again.memo;
	assert_int_equal(look(&trial, &memo, &again), 1 + things);
	assert_same_seen(&first, &again);
	/* what an event spoke of is asked for */
	memo.text = first.memo;
	assert_int_equal(look_after(&trial, &memo, observed_find(&first, web->name)->id, &again),
			 2 + things);
	assert_int_equal(look_after(&trial, &memo, DOCKER_HEARD_THINGS, &again), 3);
	assert_in_range(look_after(&trial, &memo, DOCKER_HEARD_ALL, &again), 6, 7);
	/* and what the list tells, without any event */
	test_apply(bench->driver, OP_STOP, db->name, NULL, NULL);
	assert_int_equal(look(&trial, &memo, &again), 2 + things);
	assert_int_equal(observed_find(&again, db->name)->state, RUN_STOPPED);
	test_apply(bench->driver, OP_REMOVE, db->name, NULL, NULL);
	assert_int_equal(look(&trial, &memo, &again), 1 + things);
	assert_int_equal(again.workloads_n, 1);
	engine_proxy_stop(&trial.proxy);
}

/* A memo that no look wrote is worth nothing, and does no harm. */
static void a_strange_memo_is_passed_over(struct engine_bench *bench)
{
	static const char *const texts[] = {"", "[]", "{", "{\"containers\":7}",
					    "{\"containers\":{},\"volumes\":3,\"images\":{}}"};
	struct driver_env env = bench->env;
	struct observed plain = test_observe(bench->driver, bench->arena);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct look_memo memo = {.text = texts[i]};
		struct driver *driver;
		struct observed seen;
		struct err err = ERR_INIT;

		env.memo = &memo;
		assert_done(driver_open(&bench->node, &env, &driver, &err), err);
		assert_done(driver->ops->observe(driver, bench->arena, &seen, &err), err);
		assert_int_equal(seen.workloads_n, plain.workloads_n);
		assert_string_equal(seen.engine, plain.engine);
		driver_close(&driver);
	}
}

static void await_heard(struct driver *driver, const char *word)
{
	struct pollfd poll_fd = {.fd = driver->ops->watch(driver, NULL), .events = POLLIN};

	while (poll(&poll_fd, 1, 20000) > 0) {
		assert_true(driver->ops->watch_read(driver, NULL) >= 0);
		if (map_has(driver->ops->heard(driver), word))
			return;
		poll_fd.fd = driver->ops->watch(driver, NULL);
	}
	fail_msg("nothing was heard of %s", word);
}

/* Everything that a list does not show. */
static void events_tell_what_changed(struct engine_bench *bench)
{
	struct spec *web = wanted(bench, "shop-prod-web");
	const char *id;

	test_run_spec(bench->driver, web);
	id = test_see(bench->driver, bench->arena, web->name).id;
	assert_true(bench->driver->ops->watch(bench->driver, NULL) >= 0);
	engine_hand(bench->driver, "POST", NULL, "/containers/%s/restart?t=0", web->name);
	await_heard(bench->driver, id);
	if (!docker_of(bench->driver)->is_podman) {
		(void)bench->driver->ops->watch_read(bench->driver, NULL);
		engine_hand(bench->driver, "POST", "{\"CpuShares\":512}", "/containers/%s/update",
			    web->name);
		await_heard(bench->driver, id);
	}
	engine_hand(bench->driver, "POST",
		    "{\"Name\":\"shop-prod-more\",\"Labels\":{\"dev.trueup.owner\":\"" TEST_OWNER
		    "\"}}",
		    "/volumes/create");
	await_heard(bench->driver, DOCKER_HEARD_THINGS);
	test_apply(bench->driver, OP_REMOVE, web->name, NULL, NULL);
	if (!docker_of(bench->driver)->is_podman)	      /* which does not tell */
		await_heard(bench->driver, DOCKER_HEARD_ALL); /* its network went */
}

int main(void)
{
	static const struct engine_case cases[] = {
		{"what is known is not asked", what_is_known_is_not_asked},
		{"a strange memo is passed over", a_strange_memo_is_passed_over},
		{"events tell what changed", events_tell_what_changed},
	};

	return engine_run_cases("docker memo", cases, ARRAY_LEN(cases));
}

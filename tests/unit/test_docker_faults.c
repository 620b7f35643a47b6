/*
 * Every request of every change goes wrong once: a proxy stands between the driver and a real
 * engine, and answers one request with something else, before it reaches the engine or after. Then
 * the change is asked for again, as the engine room does after each look. In the end everything is
 * as it was wanted, and nothing is there twice. An engine that falls silent is given up after a
 * while, which is short here.
 *
 * `make check` has a few ways of going wrong; FAULTS_ALL=1 (as `make torture` sets it) has them
 * all.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"
#include "tests/support/engine_proxy.h"
#include "tests/support/engines.h"

/* ---- what goes wrong ---- */

#define ANSWER(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body

static const struct proxy_fault faults[] = {
	{"500 before", ANSWER("500 Error", "{\"message\":\"broken\"}"), false, true, false},
	{"500 after", ANSWER("500 Error", "{\"message\":\"broken\"}"), true, true, false},
	{"404 before", ANSWER("404 No", "{\"message\":\"none\"}"), false, true, false},
	{"404 after", ANSWER("404 No", "{\"message\":\"none\"}"), true, false, false},
	{"409 before", ANSWER("409 Conflict", "{\"message\":\"in the way\"}"), false, false, false},
	{"409 after", ANSWER("409 Conflict", "{\"message\":\"in the way\"}"), true, false, false},
	{"400 before", ANSWER("400 Bad", "{\"message\":\"bad\"}"), false, false, false},
	{"400 after", ANSWER("400 Bad", "{\"message\":\"bad\"}"), true, false, false},
	{"304 before", ANSWER("304 Not Modified", ""), false, false, false},
	{"304 after", ANSWER("304 Not Modified", ""), true, false, false},
	{"nonsense after", ANSWER("200 OK", "{\"a\":[1,"), true, false, false},
	{"nothing before", "", false, false, false},
	{"nothing after", "", true, true, false},
	{"half an answer", NULL, true, true, false},
	{"silence before", "", false, false, true},
	{"silence after", "", true, false, true},
	{"half an answer, then silence", NULL, true, false, true},
};

#define PATIENCE_MS 3000 /* for a change with requests that are answered, too */

/* ---- changes, each until nothing of it can go wrong any more ---- */

struct trial {
	struct engine_bench *bench;
	struct engine_proxy proxy;
	struct node node; /* behind the proxy */
	int wrong;	  /* requests that went wrong */
};

#define REQUESTS_MAX 60 /* of one change */

/* Like a child of the reconciler: opens the driver, makes one change, and is gone. */
static int once(struct trial *trial, const struct op *op, struct err *err)
{
	struct driver *driver;
	int result;

	assert_done(driver_open(&trial->node, &trial->bench->env, &driver, err), *err);
	docker_of(driver)->patience_ms = PATIENCE_MS;
	result = driver->ops->apply(driver, op, NULL, err);
	driver_close(&driver);
	return result;
}

static void insist(struct trial *trial, const struct op *op, const struct proxy_fault *fault)
{
	struct proxy_orders *orders = trial->proxy.orders;

	orders->fault = fault;
	for (int at = 1; at <= REQUESTS_MAX; at++) {
		struct err err = ERR_INIT;
		int result;

		orders->seen = 0;
		orders->fault_at = at;
		result = once(trial, op, &err);
		if (orders->seen < at) {
			if (result != 0)
				fail_msg("%s, %s %s: %s", fault->name, op_word(op->kind),
					 op->name ? op->name : "", err.text);
			return;
		}
		trial->wrong++;
	}
	fail_msg("%s needs more than %d requests", op_word(op->kind), REQUESTS_MAX);
}

static struct spec *wanted(struct engine_bench *bench, const char *release)
{
	return test_spec(bench->arena, bench->driver, "shop-prod-web", bench->image,
			 arena_printf(bench->arena,
				      "{\"command\":[\"sh\",\"-c\",\"cat /etc/a; sleep 1000\"],"
				      "\"stopSignal\":\"SIGKILL\",\"networks\":[\"back\"],"
				      "\"files\":[{\"path\":\"/etc/a\",\"content\":\"%s\\n\"}],"
				      "\"volumes\":[{\"name\":\"data\",\"path\":\"/data\","
				      "\"shared\":true}]}",
				      release));
}

static bool has_alias(const json_t *inspect, const char *network, const char *alias)
{
	const json_t *list = json_object_get(
		json_object_get(
			json_object_get(json_object_get(inspect, "NetworkSettings"), "Networks"),
			network),
		"Aliases");

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (str_eq(json_string_value(json_array_get(list, i)), alias))
			return true;
	}
	return false;
}

/* One container, the new one, with its names, its files and its volume. */
static void check_served(struct engine_bench *bench, const struct spec *spec)
{
	struct observed seen = test_observe(bench->driver, bench->arena);
	AUTO_JSON json_t *inspect = engine_inspect(bench->driver, spec->name);

	assert_int_equal(seen.workloads_n, 1);
	assert_string_equal(seen.workloads[0].name, spec->name);
	assert_string_equal(seen.workloads[0].labels.spec, spec->labels.spec);
	assert_int_equal(seen.workloads[0].state, RUN_RUNNING);
	assert_int_equal(seen.volumes_n, 1);
	assert_int_equal(seen.images_n, 1);
	assert_true(has_alias(inspect, "shop-prod", spec->name));
	assert_true(has_alias(inspect, "shop-prod.back", spec->name));
	assert_false(has_alias(inspect, "shop-prod", "shop-prod-web" NEXT_SUFFIX));
	engine_await_log(bench->driver, spec->name, "new\n");
}

/* A release, the next one beside it, and the end of both. */
static void go_through(struct trial *trial, const struct proxy_fault *fault)
{
	struct spec *old = wanted(trial->bench, "old"), *new = wanted(trial->bench, "new");
	const char *name = old->name, *next = "shop-prod-web" NEXT_SUFFIX;
	const struct op release[] = {
		{OP_CLAIM, NULL, NULL, NULL},  {OP_PULL, NULL, NULL, old},
		{OP_CREATE, name, NULL, old},  {OP_START, name, NULL, NULL},
		{OP_CREATE, next, NULL, new},  {OP_START, next, NULL, NULL},
		{OP_ALIAS, next, name, NULL},  {OP_STOP, name, NULL, NULL},
		{OP_REMOVE, name, NULL, NULL}, {OP_RENAME, next, name, NULL},
	};
	const struct op end[] = {
		{OP_REMOVE, name, NULL, NULL},
		{OP_VOLUME_REMOVE, "shop-prod-data", NULL, NULL},
		{OP_IMAGE_REMOVE, old->digest, NULL, NULL},
	};
	struct observed seen;

	for (size_t i = 0; i < ARRAY_LEN(release); i++)
		insist(trial, &release[i], fault);
	check_served(trial->bench, new);
	for (size_t i = 0; i < ARRAY_LEN(end); i++)
		insist(trial, &end[i], fault);
	seen = test_observe(trial->bench->driver, trial->bench->arena);
	assert_int_equal(seen.workloads_n + seen.volumes_n + seen.images_n, 0);
	assert_string_equal(seen.owner, TEST_OWNER);
}

static void each_request_goes_wrong(struct engine_bench *bench)
{
	const char *engine = docker_of(bench->driver)->endpoint.unix_path;
	struct trial trial = {
		.bench = bench, .node = bench->node, .proxy = engine_proxy_start(engine)};

	trial.node.endpoint = arena_printf(bench->arena, "unix://%s", trial.proxy.path);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		if (!faults[i].often && !getenv("FAULTS_ALL"))
			continue;
		trial.wrong = 0;
		go_through(&trial, &faults[i]);
		print_message("# %s: %d requests went wrong\n", faults[i].name, trial.wrong);
		assert_true(trial.wrong > 20);
	}
	engine_proxy_stop(&trial.proxy);
}

/* A look at one that falls silent ends, says so, and the next one sees all of it. */
static void silence_is_given_up(struct engine_bench *bench)
{
	const char *engine = docker_of(bench->driver)->endpoint.unix_path;
	struct trial trial = {
		.bench = bench, .node = bench->node, .proxy = engine_proxy_start(engine)};
	struct proxy_orders *orders = trial.proxy.orders;
	struct err err = ERR_INIT;

	trial.node.endpoint = arena_printf(bench->arena, "unix://%s", trial.proxy.path);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		for (int at = 1; at <= 4 && faults[i].silent; at++) {
			struct driver *driver;
			struct observed seen;

			*orders = (struct proxy_orders){.fault_at = at, .fault = &faults[i]};
			assert_done(driver_open(&trial.node, &bench->env, &driver, &err), err);
			docker_of(driver)->patience_ms = 200;
			assert_int_equal(driver->ops->observe(driver, bench->arena, &seen, &err),
					 -1);
			assert_int_equal(err_code_class(err.code), ERR_RETRY);
			docker_of(driver)->patience_ms = 0;
			orders->fault_at = 0;
			err = (struct err)ERR_INIT;
			assert_done(driver->ops->observe(driver, bench->arena, &seen, &err), err);
			driver_close(&driver);
		}
	}
	engine_proxy_stop(&trial.proxy);
}

int main(void)
{
	static const struct engine_case cases[] = {
		{"each request goes wrong", each_request_goes_wrong},
		{"silence is given up", silence_is_given_up},
	};

	return engine_run_cases("docker faults", cases, ARRAY_LEN(cases));
}

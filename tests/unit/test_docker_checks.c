/*
 * Checks by http and tcp on real engines, which have no such thing: a look that asks once, a watch
 * that asks for as long as it lasts, and the look that is given what a watch has found.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"
#include "tests/support/engines.h"

#include <poll.h>

#include "base/clock.h"

#define WAIT_MS 20000
#define NAME "shop-prod-web"

/* Serves /health until SIGUSR1, again from SIGUSR2 on. */
#define SERVES                                                                                     \
	"\"command\":[\"sh\",\"-c\",\"busybox mkdir /tmp/w; echo ok >/tmp/w/health; trap 'exit "   \
	"0' TERM; "                                                                                \
	"trap 'busybox rm /tmp/w/health' USR1; trap 'echo ok >/tmp/w/health' USR2; "               \
	"busybox httpd -f -p 8080 -h /tmp/w & while true; do wait; done\"],"                       \
	"\"stopSignal\":\"SIGKILL\""
#define SILENT                                                                                     \
	"\"command\":[\"sh\",\"-c\",\"trap 'exit 0' TERM; sleep 1000 & wait\"],"                   \
	"\"stopSignal\":\"SIGKILL\""
#define HTTP "\"http\":{\"path\":\"/health\",\"port\":8080}"
#define QUICK "\"interval\":\"100ms\",\"timeout\":\"2s\",\"retries\":2"
#define MISSING "GET /health on port 8080: status 404, wanted 200-399"

static void run(struct engine_bench *bench, const char *rest, const char *check)
{
	struct spec *spec =
		test_spec(bench->arena, bench->driver, NAME, bench->image,
			  arena_printf(bench->arena, "{%s,\"healthCheck\":{%s}}", rest, check));

	/* checks are made from the machine that the engine is on */
	engine_enter(bench->is_podman ? "podman" : "docker");
	test_run_spec(bench->driver, spec);
}

static void signal_it(struct engine_bench *bench, const char *signal)
{
	engine_hand(bench->driver, "POST", NULL, "/containers/" NAME "/kill?signal=%s", signal);
}

static struct workload see(struct engine_bench *bench)
{
	return test_see(bench->driver, bench->arena, NAME);
}

/* ---- a look on its own ---- */

/* Until looks, which have nobody to ask, say so. */
static struct workload see_until(struct engine_bench *bench, enum run_health health)
{
	for (int64_t until = clock_boot_ms() + WAIT_MS;;) {
		struct workload seen = see(bench);

		if (seen.health == health)
			return seen;
		if (clock_boot_ms() > until)
			fail_msg("it is %s: %s", run_health_word(seen.health),
				 seen.detail ? seen.detail : "");
		poll(NULL, 0, 20);
	}
}

static void a_look_asks_once(struct engine_bench *bench)
{
	run(bench, SERVES, HTTP ",\"startPeriod\":\"1h\"");
	assert_null(see_until(bench, HEALTH_HEALTHY).detail);
	signal_it(bench, "USR1");
	/* it could still be coming up, for all that one look knows */
	assert_string_equal(see_until(bench, HEALTH_STARTING).detail, "health check: " MISSING);
}

static void one_that_has_had_its_time(struct engine_bench *bench)
{
	struct workload seen;

	run(bench, SILENT, "\"tcp\":{\"port\":8080}," QUICK);
	seen = see_until(bench, HEALTH_UNHEALTHY);
	assert_string_equal(seen.detail, "health check: port 8080: connect: Connection refused");
	assert_int_equal(seen.state, RUN_RUNNING);
}

static void a_port_that_accepts(struct engine_bench *bench)
{
	run(bench, SERVES, "\"tcp\":{\"port\":8080}");
	see_until(bench, HEALTH_HEALTHY);
	test_apply(bench->driver, OP_STOP, NAME, NULL, NULL);
	assert_int_equal(see(bench).health, HEALTH_UNKNOWN);
}

static void a_status_that_is_wanted(struct engine_bench *bench)
{
	run(bench, SERVES, "\"http\":{\"path\":\"/none\",\"port\":8080,\"status\":\"404\"}");
	see_until(bench, HEALTH_HEALTHY);
}

/* It has the network of the machine: its port is one of the loopback. */
static void on_the_nodes_network(struct engine_bench *bench)
{
	run(bench,
	    "\"networkMode\":\"host\",\"stopSignal\":\"SIGKILL\",\"command\":[\"busybox\","
	    "\"httpd\",\"-f\",\"-p\",\"127.0.0.1:18099\",\"-h\",\"/bin\"]",
	    "\"http\":{\"path\":\"/sh\",\"port\":18099}");
	see_until(bench, HEALTH_HEALTHY);
}

/* A configuration that is too long to be kept leaves its check. */
static void of_a_long_configuration(struct engine_bench *bench)
{
	char *content = arena_alloc(bench->arena, DOCKER_CONFIG_MAX + 1);

	memset(content, 'x', DOCKER_CONFIG_MAX);
	content[DOCKER_CONFIG_MAX] = '\0';
	run(bench,
	    arena_printf(bench->arena,
			 SERVES ",\"files\":[{\"path\":\"/long\",\"content\":\"%s\"}]", content),
	    HTTP);
	assert_null(see_until(bench, HEALTH_HEALTHY).config);
}

/* ---- a watch ---- */

/* Follows the watch until it tells that. */
static const struct checked *follow(struct engine_bench *bench, const char *id,
				    enum run_health health)
{
	const struct driver_ops *ops = bench->driver->ops;
	struct err err = ERR_INIT;
	struct pollfd ready = {.fd = ops->watch(bench->driver, &err), .events = POLLIN};
	const struct checked *last = NULL;

	assert_true(ready.fd >= 0);
	for (int64_t until = clock_boot_ms() + WAIT_MS; clock_boot_ms() < until;) {
		const struct checked_list *list = ops->checked(bench->driver);

		for (size_t i = 0; list && i < list->n; i++) {
			last = &list->v[i];
			if (str_eq(last->id, id) && last->health == health)
				return last;
		}
		assert_true(poll(&ready, 1, WAIT_MS) > 0);
		assert_true(ops->watch_read(bench->driver, &err) >= 0);
	}
	fail_msg("the watch last said: %s: %s", last ? run_health_word(last->health) : "nothing",
		 last ? last->text : "");
	return NULL;
}

static void a_watch_asks_again_and_again(struct engine_bench *bench)
{
	const struct checked *checked;
	const char *id;

	/* it hears of what comes up later */
	engine_enter(bench->is_podman ? "podman" : "docker");
	assert_true(bench->driver->ops->watch(bench->driver, NULL) >= 0);
	run(bench, SERVES, HTTP "," QUICK);
	id = see(bench).id;
	follow(bench, id, HEALTH_HEALTHY);
	signal_it(bench, "USR1");
	checked = follow(bench, id, HEALTH_UNHEALTHY);
	assert_string_equal(checked->text, MISSING);
	signal_it(bench, "USR2");
	checked = follow(bench, id, HEALTH_HEALTHY);
	assert_string_equal(checked->text, "");
}

static void a_watch_finds_what_runs(struct engine_bench *bench)
{
	run(bench, SERVES, HTTP "," QUICK);
	follow(bench, see(bench).id, HEALTH_HEALTHY);
}

/* It comes back under another address, or as another run. */
static void a_watch_stays_with_it(struct engine_bench *bench)
{
	const char *id, *first;

	run(bench, SERVES, HTTP "," QUICK);
	id = see(bench).id;
	first = arena_strdup(bench->arena, follow(bench, id, HEALTH_HEALTHY)->run);
	test_apply(bench->driver, OP_RENAME, NAME, "shop-prod-other", NULL);
	test_apply(bench->driver, OP_STOP, "shop-prod-other", NULL, NULL);
	test_apply(bench->driver, OP_START, "shop-prod-other", NULL, NULL);
	for (int64_t until = clock_boot_ms() + WAIT_MS; clock_boot_ms() < until;) {
		if (!str_eq(follow(bench, id, HEALTH_HEALTHY)->run, first))
			return;
	}
	fail_msg("the watch knows nothing of the second run");
}

static bool lists(const struct checked_list *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++) {
		if (str_eq(list->v[i].id, id))
			return true;
	}
	return false;
}

static void what_ends_is_told_no_more(struct engine_bench *bench)
{
	const struct driver_ops *ops = bench->driver->ops;
	struct pollfd ready = {.events = POLLIN};
	const struct checked_list *list;
	const char *id;

	run(bench, SERVES, HTTP "," QUICK);
	id = see(bench).id;
	follow(bench, id, HEALTH_HEALTHY);
	test_apply(bench->driver, OP_STOP, NAME, NULL, NULL);
	ready.fd = ops->watch(bench->driver, NULL);
	for (int64_t until = clock_boot_ms() + WAIT_MS; clock_boot_ms() < until;) {
		list = ops->checked(bench->driver);
		if (list && !lists(list, id))
			return;
		assert_true(poll(&ready, 1, WAIT_MS) > 0);
		assert_true(ops->watch_read(bench->driver, NULL) >= 0);
	}
	fail_msg("the watch still tells of it");
}

/* ---- a look that is given what a watch has found ---- */

static void a_look_takes_what_it_is_given(struct engine_bench *bench)
{
	struct checked one = {.health = HEALTH_UNHEALTHY, .text = "by hearsay"};
	struct checked_list list = {&one, 1};
	struct workload seen;

	run(bench, SERVES, HTTP "," QUICK);
	one.id = see(bench).id;
	one.run = arena_strdup(bench->arena, follow(bench, one.id, HEALTH_HEALTHY)->run);
	bench->env.checked = &list;
	seen = see(bench);
	assert_int_equal(seen.health, HEALTH_UNHEALTHY);
	assert_string_equal(seen.detail, "health check: by hearsay");
	/* what was said of another run says nothing */
	one.run = "0001-01-01T00:00:00Z";
	seen = see(bench);
	assert_int_equal(seen.health, HEALTH_HEALTHY);
	assert_null(seen.detail);
	bench->env.checked = NULL;
}

int main(void)
{
	static const struct engine_case cases[] = {
		{"a look asks once", a_look_asks_once},
		{"one that has had its time", one_that_has_had_its_time},
		{"a port that accepts", a_port_that_accepts},
		{"a status that is wanted", a_status_that_is_wanted},
		{"on the node's network", on_the_nodes_network},
		{"of a long configuration", of_a_long_configuration},
		{"a watch asks again and again", a_watch_asks_again_and_again},
		{"a watch finds what runs", a_watch_finds_what_runs},
		{"a watch stays with it", a_watch_stays_with_it},
		{"what ends is told no more", what_ends_is_told_no_more},
		{"a look takes what it is given", a_look_takes_what_it_is_given},
	};

	return engine_run_cases("docker checks", cases, ARRAY_LEN(cases));
}

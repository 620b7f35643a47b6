/*
 * What the docker driver does on a node beyond the contract that it shares with every driver, on
 * real engines: networks and names in them, what is not ours, what was changed by hand, images.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"
#include "tests/support/engines.h"
#include "tests/support/registry.h"
#include "tests/support/shell.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define WAIT_MS 20000
#define RUNS "\"command\":[\"sh\",\"-c\",\"trap 'exit 0' TERM; sleep 1000 & wait\"]"

static struct spec *a_spec(struct engine_bench *bench, const char *name, const char *config)
{
	return test_spec(bench->arena, bench->driver, name, bench->image, config);
}

static const json_t *networks_of(const json_t *inspect)
{
	return json_object_get(json_object_get(inspect, "NetworkSettings"), "Networks");
}

static bool has_alias(const json_t *inspect, const char *network, const char *alias)
{
	const json_t *list =
		json_object_get(json_object_get(networks_of(inspect), network), "Aliases");

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (str_eq(json_string_value(json_array_get(list, i)), alias))
			return true;
	}
	return false;
}

static bool is_there(struct engine_bench *bench, const char *what, const char *name)
{
	AUTO_JSON json_t *json = NULL;

	return docker_get(docker_of(bench->driver), &json, NULL, "/%s/%s", what, name) >= 0;
}

/* ---- networks ---- */

/* One listens, the other one finds it by its full name. */
static void a_stage_is_a_network(struct engine_bench *bench)
{
	struct spec *db = a_spec(bench, "shop-prod-db",
				 "{\"command\":[\"sh\",\"-c\",\"while true; do echo pong | nc -l "
				 "-p 7000; done\"],\"stopSignal\":\"SIGKILL\"}");
	struct spec *web = a_spec(bench, "shop-prod-web",
				  "{\"command\":[\"sh\",\"-c\",\"until nc shop-prod-db 7000 "
				  "</dev/null 2>/dev/null; do sleep 0.1; done\"],"
				  "\"restartPolicy\":\"no\",\"stopSignal\":\"SIGKILL\"}");

	test_run_spec(bench->driver, db);
	test_run_spec(bench->driver, web);
	engine_await_log(bench->driver, web->name, "pong\n");
}

/* A child that makes one change, as the children of a reconciler do, side by side with others. */
static pid_t begin_change(struct engine_bench *bench, const struct op *op)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct driver *driver;

		_exit(driver_open(&bench->node, &bench->env, &driver, NULL) != 0 ||
		      driver->ops->apply(driver, op, NULL, NULL) != 0);
	}
	return pid;
}

static void await_changes(const pid_t *pids, size_t n)
{
	int status;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

/* Made by several at once, as the children of a reconciler do: it is one network all the same. */
static void made_side_by_side(struct engine_bench *bench)
{
	enum { CHILDREN = 6 };
	AUTO_JSON json_t *networks = NULL;
	struct err err = ERR_INIT;
	pid_t pids[CHILDREN];
	int found = 0;

	for (int i = 0; i < CHILDREN; i++) {
		struct spec *spec = a_spec(bench, arena_printf(bench->arena, "shop-prod-web%d", i),
					   "{" RUNS "}");

		if (i == 0)
			test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
		pids[i] = begin_change(
			bench, &(struct op){.kind = OP_CREATE, .name = spec->name, .spec = spec});
	}
	await_changes(pids, CHILDREN);
	assert_done(docker_get(docker_of(bench->driver), &networks, &err, "/networks") < 0, err);
	for (size_t i = 0; i < json_array_size(networks); i++)
		found += str_eq(json_str(json_array_get(networks, i), "Name", ""), "shop-prod");
	assert_int_equal(found, 1);
}

/* The first changes of a node come side by side, and each claims it. */
static void claimed_side_by_side(struct engine_bench *bench)
{
	enum { CHILDREN = 6, ROUNDS = 10 };
	const struct op op = {.kind = OP_CLAIM};
	struct err err = ERR_INIT;
	pid_t pids[CHILDREN];

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CHILDREN; i++)
			pids[i] = begin_change(bench, &op);
		await_changes(pids, CHILDREN);
		assert_done(docker_do(docker_of(bench->driver), "DELETE", NULL, &err,
				      "/volumes/" DOCKER_MARKER) < 0,
			    err);
	}
}

/* Containers come and go while somebody looks: that is no reason not to see the others. */
static void seen_while_others_go(struct engine_bench *bench)
{
	enum { ROUNDS = 40 };
	struct spec *spec = a_spec(bench, "shop-prod-web", "{" RUNS "}");
	struct observed observed;
	struct err err = ERR_INIT;
	int status;
	pid_t pid;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	pid = fork();
	if (pid == 0) {
		const struct op make = {.kind = OP_CREATE, .name = spec->name, .spec = spec};
		const struct op drop = {.kind = OP_REMOVE, .name = spec->name};
		struct driver *driver;
		bool fine = driver_open(&bench->node, &bench->env, &driver, NULL) == 0;

		for (int i = 0; fine && i < ROUNDS; i++)
			fine = driver->ops->apply(driver, &make, NULL, NULL) == 0 &&
			       driver->ops->apply(driver, &drop, NULL, NULL) == 0;
		_exit(!fine);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		assert_done(
			bench->driver->ops->observe(bench->driver, bench->arena, &observed, &err),
			err);
	assert_int_equal(status, 0);
}

/* It knows neither the name nor, by its address, a way. */
static void no_way_to_another_stage(struct engine_bench *bench)
{
	struct spec *db = a_spec(bench, "shop-prod-db",
				 "{\"command\":[\"sh\",\"-c\",\"while true; do echo pong | nc -l "
				 "-p 7000; done\"],\"stopSignal\":\"SIGKILL\"}");
	AUTO_JSON json_t *inspect = NULL;
	const char *address;
	struct spec *test;

	test_run_spec(bench->driver, db);
	inspect = engine_inspect(bench->driver, db->name);
	address = json_str(json_object_get(networks_of(inspect), "shop-prod"), "IPAddress", NULL);
	assert_non_null(address);
	test = a_spec(bench, "shop-test-web",
		      arena_printf(bench->arena,
				   "{\"command\":[\"sh\",\"-c\",\"nc -w 1 shop-prod-db 7000 "
				   "</dev/null 2>/dev/null; nc -w 1 %s 7000 </dev/null 2>/dev/null;"
				   " echo tried\"],\"restartPolicy\":\"no\"}",
				   address));
	test->labels.stage = "test";
	test_run_spec(bench->driver, test);
	engine_await_log(bench->driver, test->name, "tried\n");
	assert_true(is_there(bench, "networks", "shop-test"));
	test_apply(bench->driver, OP_REMOVE, test->name, NULL, NULL);
	/* a network goes with the last container of its stage, and no other one does */
	assert_false(is_there(bench, "networks", "shop-test"));
	assert_true(is_there(bench, "networks", "shop-prod"));
}

static void names_move_with_a_rename(struct engine_bench *bench)
{
	const char *next = "shop-prod-web" NEXT_SUFFIX;
	struct spec *spec = a_spec(bench, "shop-prod-web", "{" RUNS ",\"networks\":[\"back\"]}");
	AUTO_JSON json_t *before = NULL, *after = NULL;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	test_apply(bench->driver, OP_CREATE, next, NULL, spec);
	test_apply(bench->driver, OP_START, next, NULL, NULL);
	before = engine_inspect(bench->driver, next);
	assert_true(has_alias(before, "shop-prod", next));
	assert_false(has_alias(before, "shop-prod", spec->name));
	test_apply(bench->driver, OP_RENAME, next, spec->name, NULL);
	after = engine_inspect(bench->driver, spec->name);
	assert_true(has_alias(after, "shop-prod", spec->name));
	assert_true(has_alias(after, "shop-prod.back", spec->name));
	assert_false(has_alias(after, "shop-prod", next));
	assert_false(has_alias(after, "shop-prod.back", next));
}

#define ANSWERS(word)                                                                              \
	"{\"command\":[\"sh\",\"-c\",\"while true; do echo " word                                  \
	" | nc -l -p 7000; done\"],\"stopSignal\":\"SIGKILL\"}"

/* Whoever asks for the name finds one that serves before, while and after the old one goes. */
static void the_name_is_handed_over(struct engine_bench *bench)
{
	const char *next = "shop-prod-web" NEXT_SUFFIX, *endpoint;
	struct spec *old = a_spec(bench, "shop-prod-web", ANSWERS("old"));
	struct spec *new = a_spec(bench, "shop-prod-web", ANSWERS("new"));
	struct spec *asks = a_spec(bench, "shop-prod-asks",
				   "{\"command\":[\"sh\",\"-c\",\"until nc -w 1 shop-prod-web 7000 "
				   "</dev/null 2>/dev/null | grep new; do sleep 0.1; done\"],"
				   "\"restartPolicy\":\"no\",\"stopSignal\":\"SIGKILL\"}");
	AUTO_JSON json_t *elder = NULL, *before = NULL, *after = NULL;

	test_run_spec(bench->driver, old);
	test_apply(bench->driver, OP_CREATE, next, NULL, new);
	test_apply(bench->driver, OP_START, next, NULL, NULL);
	assert_true(test_apply(bench->driver, OP_ALIAS, next, new->name, NULL));
	elder = engine_inspect(bench->driver, old->name);
	assert_true(has_alias(elder, "shop-prod", old->name));
	before = engine_inspect(bench->driver, next);
	assert_true(has_alias(before, "shop-prod", new->name));
	test_apply(bench->driver, OP_REMOVE, old->name, NULL, NULL);
	test_run_spec(bench->driver, asks);
	engine_await_log(bench->driver, asks->name, "new\n");
	/* it has it already: nothing breaks any more */
	test_apply(bench->driver, OP_RENAME, next, new->name, NULL);
	after = engine_inspect(bench->driver, new->name);
	endpoint = json_str(json_object_get(networks_of(before), "shop-prod"), "EndpointID", "");
	assert_string_equal(
		json_str(json_object_get(networks_of(after), "shop-prod"), "EndpointID", NULL),
		endpoint);
}

static void one_that_is_made_has_the_name(struct engine_bench *bench)
{
	const char *next = "shop-prod-web" NEXT_SUFFIX;
	struct spec *spec = a_spec(bench, "shop-prod-web", "{" RUNS ",\"networks\":[\"back\"]}");
	const struct op create = {.kind = OP_CREATE, .name = next, .to = spec->name, .spec = spec};
	struct err err = ERR_INIT;
	AUTO_JSON json_t *made = NULL;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	assert_done(bench->driver->ops->apply(bench->driver, &create, NULL, &err), err);
	made = engine_inspect(bench->driver, next);
	assert_true(has_alias(made, "shop-prod", spec->name));
	assert_true(has_alias(made, "shop-prod.back", spec->name));
	assert_false(has_alias(made, "shop-prod", next));
}

/* Cut off between the two halves of a rename: the name is new, the aliases are old. */
static void half_a_rename_is_completed(struct engine_bench *bench)
{
	const char *next = "shop-prod-web" NEXT_SUFFIX;
	struct spec *spec = a_spec(bench, "shop-prod-web", "{" RUNS "}");
	AUTO_JSON json_t *after = NULL;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	test_apply(bench->driver, OP_CREATE, next, NULL, spec);
	engine_hand(bench->driver, "POST", NULL, "/containers/%s/rename?name=%s", next, spec->name);
	assert_true(test_apply(bench->driver, OP_RENAME, next, spec->name, NULL));
	assert_false(test_apply(bench->driver, OP_RENAME, next, spec->name, NULL));
	after = engine_inspect(bench->driver, spec->name);
	assert_true(has_alias(after, "shop-prod", spec->name));
	assert_false(has_alias(after, "shop-prod", next));
}

/* Cut off after the making proper: it is in one of its networks, and has no files yet. */
static void half_a_create_is_completed(struct engine_bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-web",
				   "{\"command\":[\"cat\",\"/etc/a\"],\"restartPolicy\":\"no\","
				   "\"networks\":[\"back\"],\"files\":[{\"path\":\"/etc/a\","
				   "\"content\":\"whole\\n\"}]}");
	AUTO_JSON json_t *after = NULL;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	test_apply(bench->driver, OP_CREATE, spec->name, NULL, spec);
	engine_hand(bench->driver, "POST", "{\"Container\":\"shop-prod-web\"}",
		    "/networks/shop-prod.back/disconnect");
	assert_true(test_apply(bench->driver, OP_CREATE, spec->name, NULL, spec));
	assert_false(test_apply(bench->driver, OP_CREATE, spec->name, NULL, spec));
	after = engine_inspect(bench->driver, spec->name);
	assert_true(has_alias(after, "shop-prod.back", spec->name));
	test_apply(bench->driver, OP_START, spec->name, NULL, NULL);
	engine_await_log(bench->driver, spec->name, "whole\n");
}

/* ---- not ours ---- */

static void foreign_network_in_the_way(struct engine_bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-web", "{" RUNS "}");

	engine_hand(bench->driver, "POST", "{\"Name\":\"shop-prod\"}", "/networks/create");
	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	assert_int_equal(test_apply_code(bench->driver, OP_CREATE, spec->name, NULL, spec),
			 E_NAME_FOREIGN);
	assert_false(is_there(bench, "containers", "shop-prod-web/json"));
	engine_hand(bench->driver, "DELETE", NULL, "/networks/shop-prod");
}

static void foreign_volume_in_the_way(struct engine_bench *bench)
{
	struct spec *spec =
		a_spec(bench, "shop-prod-web",
		       "{" RUNS ",\"volumes\":[{\"name\":\"data\",\"path\":\"/data\"}]}");

	engine_hand(bench->driver, "POST", "{\"Name\":\"shop-prod-data\"}", "/volumes/create");
	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	assert_int_equal(test_apply_code(bench->driver, OP_CREATE, spec->name, NULL, spec),
			 E_NAME_FOREIGN);
	assert_int_equal(
		test_apply_code(bench->driver, OP_VOLUME_REMOVE, "shop-prod-data", NULL, NULL),
		E_NAME_FOREIGN);
	assert_int_equal(test_observe(bench->driver, bench->arena).volumes_n, 0);
	assert_true(is_there(bench, "volumes", "shop-prod-data"));
}

/* Somebody else's container has it: found while what is replaced still runs. */
static void port_of_a_stranger(struct engine_bench *bench)
{
	struct spec *old = a_spec(bench, "shop-prod-web", "{" RUNS "}");
	struct spec *new = a_spec(bench, "shop-prod-web",
				  "{" RUNS ",\"ports\":[{\"container\":80,\"host\":18082},"
				  "{\"container\":80,\"host\":18081}]}");
	AUTO_FREE char *stranger = mem_printf(
		"{\"Image\":\"%s@%s\",\"Cmd\":[\"sleep\",\"1000\"],\"StopSignal\":\"SIGKILL\","
		"\"ExposedPorts\":{\"80/tcp\":{}},\"HostConfig\":{\"PortBindings\":"
		"{\"80/tcp\":[{\"HostPort\":\"18081\"}]}}}",
		engine_image(bench->arena, "web"), old->digest);
	const struct op op = {.kind = OP_CREATE, .name = "shop-prod-web" NEXT_SUFFIX, .spec = new};
	struct err err = ERR_INIT;
	struct observed seen;

	test_run_spec(bench->driver, old);
	engine_hand(bench->driver, "POST", stranger, "/containers/create?name=stranger");
	engine_hand(bench->driver, "POST", NULL, "/containers/stranger/start");
	assert_fails(bench->driver->ops->apply(bench->driver, &op, NULL, &err), err,
		     E_NAME_FOREIGN);
	assert_non_null(strstr(err.text, "host port 18081"));
	assert_non_null(strstr(err.text, "container stranger"));
	engine_hand(bench->driver, "DELETE", NULL, "/containers/stranger?force=1");
	assert_done(bench->driver->ops->apply(bench->driver, &op, NULL, &err), err);
	seen = test_observe(bench->driver, bench->arena);
	assert_int_equal(seen.workloads_n, 2); /* and nothing that was only tried */
	assert_int_equal(test_see(bench->driver, bench->arena, old->name).state, RUN_RUNNING);
}

static void port_in_the_way(struct engine_bench *bench)
{
	struct spec *one = a_spec(bench, "shop-prod-one",
				  "{" RUNS ",\"ports\":[{\"container\":80,\"host\":18080}]}");
	struct spec *two = a_spec(bench, "shop-prod-two",
				  "{" RUNS ",\"ports\":[{\"container\":81,\"host\":18080}]}");

	test_run_spec(bench->driver, one);
	test_apply(bench->driver, OP_CREATE, two->name, NULL, two);
	assert_int_equal(test_apply_code(bench->driver, OP_START, two->name, NULL, NULL),
			 E_NAME_FOREIGN);
	assert_int_equal(test_see(bench->driver, bench->arena, one->name).state, RUN_RUNNING);
}

/* Somebody else's container in our network: then it is not for us to remove it. */
static void a_guest_keeps_the_network(struct engine_bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-web", "{" RUNS "}");
	AUTO_FREE char *guest = mem_printf(
		"{\"Image\":\"%s@%s\",\"Cmd\":[\"sleep\",\"1000\"],\"StopSignal\":\"SIGKILL\","
		"\"HostConfig\":{\"NetworkMode\":\"shop-prod\"}}",
		engine_image(bench->arena, "web"), spec->digest);

	test_run_spec(bench->driver, spec);
	engine_hand(bench->driver, "POST", guest, "/containers/create?name=guest");
	engine_hand(bench->driver, "POST", NULL, "/containers/guest/start");
	test_apply(bench->driver, OP_REMOVE, spec->name, NULL, NULL);
	assert_true(is_there(bench, "networks", "shop-prod"));
	engine_hand(bench->driver, "DELETE", NULL, "/containers/guest?force=1");
	engine_hand(bench->driver, "DELETE", NULL, "/networks/shop-prod");
}

/* ---- changed by hand ---- */

static void a_lost_network_shows(struct engine_bench *bench)
{
	struct spec *spec =
		a_spec(bench, "shop-prod-web", "{" RUNS ",\"networks\":[\"back\",\"side\"]}");
	struct workload seen;

	test_run_spec(bench->driver, spec);
	engine_hand(bench->driver, "POST", "{\"Container\":\"shop-prod-web\",\"Force\":true}",
		    "/networks/shop-prod.back/disconnect");
	seen = test_see(bench->driver, bench->arena, spec->name);
	assert_int_equal(seen.config->networks.n, 1);
	assert_string_equal(seen.config->networks.v[0], "side");
	engine_hand(bench->driver, "POST", "{\"Container\":\"shop-prod-web\",\"Force\":true}",
		    "/networks/shop-prod/disconnect");
	seen = test_see(bench->driver, bench->arena, spec->name);
	assert_int_equal(seen.config->network_mode, NETWORK_NONE);
	assert_int_equal(seen.state, RUN_RUNNING);
}

/* Podman 4 has no way to change them by this API. */
static void changed_limits_show(struct engine_bench *bench)
{
	struct spec *spec =
		a_spec(bench, "shop-prod-web", "{" RUNS ",\"resources\":{\"memory\":\"64Mi\"}}");
	struct workload seen;

	if (bench->is_podman)
		return;
	test_run_spec(bench->driver, spec);
	engine_hand(bench->driver, "POST",
		    "{\"Memory\":134217728,\"MemorySwap\":134217728,"
		    "\"NanoCpus\":500000000,\"RestartPolicy\":{\"Name\":\"always\"}}",
		    "/containers/shop-prod-web/update");
	seen = test_see(bench->driver, bench->arena, spec->name);
	assert_int_equal(seen.config->resources->memory, 128 << 20);
	assert_int_equal(seen.config->resources->cpu, 500);
	assert_int_equal(seen.config->restart_policy, RESTART_ALWAYS);
}

static void what_happened_by_hand_shows(struct engine_bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-web", "{" RUNS "}");
	struct observed seen;

	test_run_spec(bench->driver, spec);
	engine_hand(bench->driver, "POST", NULL, "/containers/shop-prod-web/kill?signal=KILL");
	assert_int_equal(test_see(bench->driver, bench->arena, spec->name).state, RUN_STOPPED);
	test_apply(bench->driver, OP_START, spec->name, NULL, NULL);
	engine_hand(bench->driver, "POST", NULL, "/containers/shop-prod-web/pause");
	assert_int_equal(test_see(bench->driver, bench->arena, spec->name).state, RUN_PAUSED);
	test_apply(bench->driver, OP_START, spec->name, NULL, NULL);
	assert_int_equal(test_see(bench->driver, bench->arena, spec->name).state, RUN_RUNNING);
	engine_hand(bench->driver, "POST", NULL, "/containers/shop-prod-web/rename?name=moved");
	seen = test_observe(bench->driver, bench->arena);
	assert_null(observed_find(&seen, spec->name));
	assert_non_null(observed_find(&seen, "moved"));
}

static void hands_wake_the_watch(struct engine_bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-web", "{" RUNS "}");
	struct err err = ERR_INIT;
	struct pollfd ready = {.events = POLLIN};

	test_run_spec(bench->driver, spec);
	ready.fd = bench->driver->ops->watch(bench->driver, &err);
	assert_true(ready.fd >= 0);
	engine_hand(bench->driver, "POST", NULL, "/containers/shop-prod-web/kill?signal=KILL");
	for (int64_t until = clock_boot_ms() + WAIT_MS;;) {
		int result;

		if (clock_boot_ms() > until)
			fail_msg("no event came");
		assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
		result = bench->driver->ops->watch_read(bench->driver, &err);
		if (result > 0)
			break;
		assert_int_equal(result, 0);
	}
}

/* ---- images ---- */

static void what_an_image_declares_is_a_volume(struct engine_bench *bench)
{
	struct spec *spec = test_spec(bench->arena, bench->driver, "shop-prod-web",
				      engine_image(bench->arena, "web:3"), "{" RUNS "}");
	struct observed seen;

	test_run_spec(bench->driver, spec);
	seen = test_observe(bench->driver, bench->arena);
	assert_int_equal(seen.volumes_n, 1);
	assert_string_equal(seen.volumes[0].name, "shop-prod-web-cache");
	test_apply(bench->driver, OP_REMOVE, spec->name, NULL, NULL);
	assert_int_equal(test_observe(bench->driver, bench->arena).volumes_n, 1);
}

static void a_tag_of_somebody_keeps_the_image(struct engine_bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-web", "{" RUNS "}");

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	engine_hand(bench->driver, "POST", NULL,
		    "/images/127.0.0.1:5000/shop/web@%s/tag?repo=example.org/theirs&tag=1",
		    spec->digest);
	assert_true(test_apply(bench->driver, OP_IMAGE_REMOVE, spec->digest, NULL, NULL));
	assert_int_equal(test_observe(bench->driver, bench->arena).images_n, 0);
	assert_true(is_there(bench, "images", "example.org/theirs:1/json"));
	engine_hand(bench->driver, "DELETE", NULL, "/images/example.org/theirs:1?force=1");
}

/* An image that is on the engine, and in no registry. */
static void local_images(struct engine_bench *bench)
{
	const char *repository = bench->is_podman ? "localhost/local/own" : "local/own";
	struct spec *spec = a_spec(bench, "shop-prod-pulled", "{" RUNS "}"), *own;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	engine_hand(bench->driver, "POST", NULL,
		    "/images/127.0.0.1:5000/shop/web@%s/tag?repo=%s&tag=1", spec->digest,
		    repository);
	own = test_spec(bench->arena, bench->driver, "shop-prod-web", "local/own:1", "{" RUNS "}");
	assert_true(str_starts(own->digest, "sha256:"));
	assert_int_equal(test_apply_code(bench->driver, OP_CREATE, own->name, NULL, own),
			 E_IMAGE_UNKNOWN);
	test_run_spec(bench->driver, own);
	assert_int_equal(test_see(bench->driver, bench->arena, own->name).state, RUN_RUNNING);
	test_apply(bench->driver, OP_REMOVE, own->name, NULL, NULL);
	assert_true(test_apply(bench->driver, OP_IMAGE_REMOVE, own->digest, NULL, NULL));
	own->digest = "sha256:"
		      "0000000000000000000000000000000000000000000000000000000000000000";
	assert_int_equal(test_apply_code(bench->driver, OP_PULL, NULL, NULL, own), E_IMAGE_CHANGED);
	engine_hand(bench->driver, "DELETE", NULL, "/images/%s:1?force=1", repository);
}

/* ---- what an engine refuses ---- */

static int resolve(struct engine_bench *bench, const struct test_registry *registry,
		   const char *tag, struct buf *digest, struct err *err)
{
	const char *image = arena_printf(bench->arena, "%s/shop/web:%s", registry->host, tag);

	buf_clear(digest);
	err_clear(err);
	return bench->driver->ops->resolve(bench->driver, image, digest, err);
}

/*
 * The registry stands where we are, and where the engine has no way to: who has the digest has
 * asked it himself, and pulled nothing.
 */
static void a_registry_is_asked_from_here(struct engine_bench *bench)
{
	struct buf digest AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct test_registry registry = {.pid = 0};
	struct err err = ERR_INIT;

	if (test_registry_missing()) {
		print_message("# %s\n", test_registry_missing());
		return;
	}
	test_registry_start(&registry, REGISTRY_OPEN);
	/* of the index, since one of its images is for this machine */
	assert_done(resolve(bench, &registry, "index", &digest, &err), err);
	assert_string_equal(buf_str(&digest),
			    test_registry_digest(&registry, bench->arena, "index"));
	/* the engine was asked, too, since to it loopback may be another; ours has the better words
	 */
	assert_fails(resolve(bench, &registry, "none", &digest, &err), err, E_IMAGE_UNKNOWN);
	assert_non_null(strstr(err.text, "there is no such image"));
	assert_fails(resolve(bench, &registry, "foreign", &digest, &err), err, E_IMAGE_UNKNOWN);
	assert_non_null(strstr(err.text, "but for plan9/mips"));
	test_registry_stop(&registry);
	/* nobody has a way there any more */
	assert_fails(resolve(bench, &registry, "oci", &digest, &err), err, E_REGISTRY);
	assert_fails(resolve(bench, &registry, "oci", &digest, &err), err, E_REGISTRY);
	assert_non_null(strstr(err.text, "has just not answered"));
}

/* Who pulls is the engine, with the login that it is told. */
static void an_engine_is_told_the_login(struct engine_bench *bench)
{
	const char *host, *image = engine_closed_image(bench->arena, "web:1", &host);
	struct registry registry = {.name = "main",
				    .type = REGISTRY_V2,
				    .url = arena_printf(bench->arena, "http://%s", host)};
	const struct registry *list[] = {&registry};
	const struct model model = {.registrys = {.v = list, .n = ARRAY_LEN(list)}};
	struct buf digest AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	char *folder = test_folder();
	struct err err = ERR_INIT;
	struct spec *spec;

	bench->env.model = &model;
	bench->env.state_dir = folder;
	assert_fails(bench->driver->ops->resolve(bench->driver, image, &digest, &err), err,
		     E_CREDENTIALS);
	registry.credentials = "main";
	test_run(folder,
		 "umask 077; mkdir -p credentials/main; cd credentials/main; " ENGINE_LOGIN);
	spec = test_spec(bench->arena, bench->driver, "shop-prod-web", image, "{" RUNS "}");
	test_run_spec(bench->driver, spec);
	assert_string_equal(test_see(bench->driver, bench->arena, spec->name).digest, spec->digest);
	bench->env.model = NULL;
	test_folder_remove(&folder);
}

static void a_program_that_is_not_there(struct engine_bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-web", "{\"command\":[\"/no/such\"]}");
	const struct op op = {.kind = OP_START, .name = spec->name};
	struct err err = ERR_INIT;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	test_apply(bench->driver, OP_CREATE, spec->name, NULL, spec);
	assert_fails(bench->driver->ops->apply(bench->driver, &op, NULL, &err), err, E_ENGINE);
	assert_non_null(strstr(err.text, "/no/such"));
	assert_non_null(strstr(err.text, "edge-1"));
}

/* Docker says so; Podman makes it, as it does for its own commands. */
static void a_folder_that_is_not_there(struct engine_bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-web",
				   "{" RUNS ",\"volumes\":[{\"hostPath\":\"/no/such/folder\","
				   "\"path\":\"/data\"}]}");

	if (bench->is_podman)
		return;
	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	assert_int_equal(test_apply_code(bench->driver, OP_CREATE, spec->name, NULL, spec),
			 E_ENGINE);
}

/* Who wonders why a stop takes so long is told. */
static void a_process_that_hears_no_signal(struct engine_bench *bench)
{
	struct spec *spec = a_spec(bench, "shop-prod-web",
				   "{\"command\":[\"sleep\",\"1000\"],\"stopTimeout\":\"1s\"}");
	const struct op op = {.kind = OP_STOP, .name = spec->name};
	struct op_result result = {.detail = BUF_INIT(BUF_MAX_LINE)};
	struct err err = ERR_INIT;

	test_run_spec(bench->driver, spec);
	assert_done(bench->driver->ops->apply(bench->driver, &op, &result, &err), err);
	assert_non_null(strstr(buf_str(&result.detail), "within 1 s and was killed"));
	assert_string_equal(result.unheard, "SIGTERM");
	buf_clear(&result.detail);
	assert_done(bench->driver->ops->apply(bench->driver, &op, &result, &err), err);
	assert_int_equal(result.detail.len, 0);
	buf_release(&result.detail);
}

int main(void)
{
	static const struct engine_case cases[] = {
		{"a stage is a network", a_stage_is_a_network},
		{"made side by side", made_side_by_side},
		{"claimed side by side", claimed_side_by_side},
		{"seen while others go", seen_while_others_go},
		{"no way to another stage", no_way_to_another_stage},
		{"names move with a rename", names_move_with_a_rename},
		{"the name is handed over", the_name_is_handed_over},
		{"one that is made has the name", one_that_is_made_has_the_name},
		{"half a rename is completed", half_a_rename_is_completed},
		{"half a create is completed", half_a_create_is_completed},
		{"foreign network in the way", foreign_network_in_the_way},
		{"foreign volume in the way", foreign_volume_in_the_way},
		{"port in the way", port_in_the_way},
		{"port of a stranger", port_of_a_stranger},
		{"a guest keeps the network", a_guest_keeps_the_network},
		{"a lost network shows", a_lost_network_shows},
		{"changed limits show", changed_limits_show},
		{"what happened by hand shows", what_happened_by_hand_shows},
		{"hands wake the watch", hands_wake_the_watch},
		{"what an image declares is a volume", what_an_image_declares_is_a_volume},
		{"a tag of somebody keeps the image", a_tag_of_somebody_keeps_the_image},
		{"local images", local_images},
		{"a registry is asked from here", a_registry_is_asked_from_here},
		{"an engine is told the login", an_engine_is_told_the_login},
		{"a program that is not there", a_program_that_is_not_there},
		{"a process that hears no signal", a_process_that_hears_no_signal},
		{"a folder that is not there", a_folder_that_is_not_there},
	};

	return engine_run_cases("docker node", cases, ARRAY_LEN(cases));
}

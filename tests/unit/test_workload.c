#include "tests/support/test.h"
#include "tests/support/driver.h"

#include "base/json.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#define FULL_CONFIG                                                                                \
	"{\"args\":[\"-c\",\"a \\\"quoted\\\" word\"],\"env\":{\"A\":\"1\",\"LOG\":\"\\u00e4\"},"  \
	"\"healthCheck\":{\"interval\":\"2s\",\"tcp\":{\"port\":80}},"                             \
	"\"ports\":[{\"container\":80,\"host\":8080}],\"resources\":{\"memory\":\"64Mi\"},"        \
	"\"restartPolicy\":\"on-failure\",\"volumes\":[{\"name\":\"data\",\"path\":\"/data\"}]}"

/* ---- labels ---- */

static void add_label(void *arg, const char *key, const char *value)
{
	buf_addf(arg, "%s=%s\n", key, value);
}

static void test_labels_in_order(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);
	struct spec *spec = test_spec(arena, NULL, "shop-prod-web", "local/web:1", "{}");

	(void)state;
	spec->labels.spec = "1:ab";
	labels_each(&spec->labels, add_label, &text);
	assert_string_equal(buf_str(&text), "owner=" TEST_OWNER "\n"
					    "node=edge-1\nproject=shop\nstage=prod\n"
					    "deployment=web\nproduct=storefront\nversion=1.0.0\n"
					    "prefix=shop-prod\ncontainer=web\nspec=1:ab\n"
					    "commit=0123456789012345678901234567890123456789\n"
					    "record=7\n");
}

static void test_labels_unset_are_left_out(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);
	struct labels labels = {.owner = "acme/1", .product = "db"};

	(void)state;
	labels_each(&labels, add_label, &text);
	assert_string_equal(buf_str(&text), "owner=acme/1\nproduct=db\n");
}

static void set_label(void *arg, const char *key, const char *value)
{
	assert_int_equal(labels_set(arg, key, arena_strdup(arena, value)), 0);
}

static void test_labels_come_back(void **state)
{
	struct spec *spec = test_spec(arena, NULL, "shop-prod-web", "local/web:1", "{}");
	struct labels back = {0};
	AUTO_JSON json_t *wanted = labels_json(&spec->labels), *got = NULL;

	(void)state;
	labels_each(&spec->labels, set_label, &back);
	got = labels_json(&back);
	assert_true(json_equal(wanted, got));
	assert_int_equal(back.record, 7);
}

static void test_labels_refused(void **state)
{
	static const char *const numbers[] = {"", "0", "-1", "x", "1 ", "9223372036854775808"};
	struct labels labels = {.record = 3};

	(void)state;
	assert_int_equal(labels_set(&labels, "colour", "red"), -1);
	assert_int_equal(labels_set(&labels, "", "red"), -1);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		assert_int_equal(labels_set(&labels, "record", numbers[i]), -1);
	assert_int_equal(labels.record, 3);
}

/* ---- the hash of a spec ---- */

static const char *hash_of(const char *image, const char *digest, const char *config)
{
	struct spec spec = {.name = "x", .image = image, .digest = digest};
	char *out = arena_alloc(arena, HASH_HEX_SIZE + 8);

	spec.config = test_config(arena, config);
	spec_hash(&spec, out);
	return out;
}

/* Known answer: containers on nodes bear this, so it must never change within a format number. */
static void test_spec_hash_known(void **state)
{
	(void)state;
	assert_string_equal(hash_of("local/web:1", "sha256:00", "{}"),
			    "1:62088f9b68f2e48bdb3756d140838438f1c1d8d77bb7825fa128b05936fa1dad");
	assert_string_equal(hash_of("local/web:1", "sha256:00", FULL_CONFIG),
			    "1:8e5ea2bd27eb4cd36d727721b8488d49436af020308d3bf07806d0044a724c20");
}

static void test_spec_hash_what_counts(void **state)
{
	const char *plain = hash_of("local/web:1", "sha256:00", "{}");
	const char *one = hash_of("local/web:1", "sha256:00", "{\"env\":{\"A\":\"1\"}}");

	(void)state;
	/* the digest runs, whatever it is called */
	assert_string_equal(plain, hash_of("main/web:latest", "sha256:00", "{}"));
	assert_string_not_equal(plain, hash_of("local/web:1", "sha256:01", "{}"));
	/* without a digest the reference stands in, and is not mistaken for one */
	assert_string_not_equal(hash_of("a", NULL, "{}"), hash_of("b", NULL, "{}"));
	assert_string_not_equal(hash_of("a", "sha256:00", "{}"), hash_of("sha256:00", NULL, "{}"));
	/* every set field, release or operations, also one set to its default */
	assert_string_not_equal(plain, one);
	assert_string_not_equal(one,
				hash_of("local/web:1", "sha256:00", "{\"env\":{\"A\":\"2\"}}"));
	assert_string_not_equal(plain,
				hash_of("local/web:1", "sha256:00", "{\"stopTimeout\":\"10s\"}"));
	/* but not how many there are */
	assert_string_equal(plain, hash_of("local/web:1", "sha256:00", "{\"scale\":3}"));
	/* neither order nor spelling */
	assert_string_equal(hash_of("w", "sha256:00", "{\"env\":{\"A\":\"1\",\"B\":\"2\"}}"),
			    hash_of("w", "sha256:00", "{\"env\":{\"B\":\"2\",\"A\":\"1\"}}"));
	assert_string_equal(hash_of("w", "sha256:00", "{\"stopTimeout\":\"60s\"}"),
			    hash_of("w", "sha256:00", "{\"stopTimeout\":\"1m\"}"));
}

static void test_spec_hash_leaves_the_spec_alone(void **state)
{
	struct spec *spec = test_spec(arena, NULL, "a", "w", "{\"scale\":3}");
	char out[HASH_HEX_SIZE + 8];

	(void)state;
	spec_hash(spec, out);
	assert_true(IS_SET(spec->config, container, scale));
	assert_int_equal(spec->config->scale, 3);
}

/* ---- what is in force ---- */

static void test_restart_policy(void **state)
{
	static const struct {
		const char *config;
		enum restart_policy_value policy;
	} rows[] = {
		{"{}", RESTART_UNLESS_STOPPED},
		{"{\"restartPolicy\":\"always\"}", RESTART_ALWAYS},
		{"{\"expect\":{\"state\":\"exited\"}}", RESTART_NO},
		{"{\"expect\":{\"state\":\"running\"}}", RESTART_UNLESS_STOPPED},
		{"{\"expect\":{\"state\":\"exited\"},\"restartPolicy\":\"on-failure\"}",
		 RESTART_ON_FAILURE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(container_restart_policy(test_config(arena, rows[i].config)),
				 rows[i].policy);
}

static void test_volume_names(void **state)
{
	const struct container *config =
		test_config(arena, "{\"volumes\":[{\"name\":\"data\",\"path\":\"/a\"},"
				   "{\"hostPath\":\"/srv\",\"path\":\"/b\"},"
				   "{\"name\":\"scratch\",\"path\":\"/c\",\"type\":\"tmp\"}]}");

	(void)state;
	assert_string_equal(volume_node_name(arena, "shop-prod", &config->volumes.v[0]),
			    "shop-prod-data");
	assert_null(volume_node_name(arena, "shop-prod", &config->volumes.v[1]));
	assert_null(volume_node_name(arena, "shop-prod", &config->volumes.v[2]));
}

/* ---- JSON ---- */

static void test_spec_round_trip(void **state)
{
	struct spec *spec = test_spec(arena, NULL, "shop-prod-web", "local/web:1", FULL_CONFIG);
	AUTO_JSON json_t *json = spec_json(spec), *again = NULL;
	struct err err = ERR_INIT;
	char hash[HASH_HEX_SIZE + 8];
	struct spec back;

	(void)state;
	spec->instance = 3;
	json_decref(json);
	json = spec_json(spec);
	assert_done(spec_from_json(json, arena, &back, &err), err);
	again = spec_json(&back);
	assert_true(json_equal(json, again));
	assert_int_equal(back.instance, 3);
	spec_hash(&back, hash);
	assert_string_equal(hash, spec->labels.spec);
}

static struct workload a_workload(const char *name, enum run_state state, enum run_health health)
{
	const struct spec *spec = test_spec(arena, NULL, name, "local/web:1", FULL_CONFIG);

	return (struct workload){
		.name = name,
		.id = "4711",
		.image = spec->image,
		.digest = spec->digest,
		.config = spec->config,
		.labels = spec->labels,
		.state = state,
		.health = health,
		.running_ms = 5000000000,
		.restarts = 2,
		.exit_code = 137,
		.detail = "exited with 137",
	};
}

static void test_workload_round_trip_all_words(void **state)
{
	(void)state;
	for (int s = RUN_CREATED; s <= RUN_UNKNOWN; s++) {
		for (int h = HEALTH_NONE; h <= HEALTH_UNKNOWN; h++) {
			struct workload workload =
				a_workload("x", (enum run_state)s, (enum run_health)h);
			AUTO_JSON json_t *json = workload_json(&workload), *again = NULL;
			struct err err = ERR_INIT;
			struct workload back;

			assert_done(workload_from_json(json, arena, &back, &err), err);
			assert_int_equal(back.state, s);
			assert_int_equal(back.health, h);
			again = workload_json(&back);
			assert_true(json_equal(json, again));
		}
	}
}

static void test_workload_unreadable_config(void **state)
{
	struct workload workload = a_workload("x", RUN_RUNNING, HEALTH_NONE), back;
	AUTO_JSON json_t *json = NULL;
	struct err err = ERR_INIT;

	(void)state;
	workload.config = NULL;
	json = workload_json(&workload);
	assert_null(json_object_get(json, "config"));
	assert_done(workload_from_json(json, arena, &back, &err), err);
	assert_null(back.config);
}

static void test_observed_round_trip(void **state)
{
	struct workload workloads[] = {a_workload("b", RUN_RUNNING, HEALTH_HEALTHY),
				       a_workload("a", RUN_EXITED, HEALTH_NONE)};
	struct volume_seen volumes[] = {{"shop-prod-z", "shop", "prod", "web"},
					{"shop-prod-a", NULL, NULL, NULL}};
	const char *foreign[] = {"zz", "db"}, *images[] = {"sha256:b", "sha256:a"};
	struct observed observed = {.node = "edge-1",
				    .engine = "memory",
				    .engine_id = "memory:1",
				    .owner = TEST_OWNER,
				    .workloads = workloads,
				    .workloads_n = 2,
				    .volumes = volumes,
				    .volumes_n = 2,
				    .images = images,
				    .images_n = 2,
				    .foreign = foreign,
				    .foreign_n = 2};
	AUTO_JSON json_t *json = observed_json(&observed), *again = NULL;
	struct err err = ERR_INIT;
	struct observed back;

	(void)state;
	assert_done(observed_from_json(json, arena, &back, &err), err);
	/* it comes back sorted */
	assert_string_equal(back.workloads[0].name, "a");
	assert_string_equal(back.volumes[0].name, "shop-prod-a");
	assert_string_equal(back.images[0], "sha256:a");
	assert_string_equal(back.foreign[0], "db");
	observed_sort(&observed);
	json_decref(json);
	json = observed_json(&observed);
	again = observed_json(&back);
	assert_true(json_equal(json, again));
	assert_string_equal(back.owner, TEST_OWNER);
}

static void test_observed_empty(void **state)
{
	AUTO_JSON json_t *json = json_object();
	struct err err = ERR_INIT;
	struct observed back;

	(void)state;
	assert_done(observed_from_json(json, arena, &back, &err), err);
	assert_int_equal(back.workloads_n + back.volumes_n + back.foreign_n, 0);
	assert_null(back.owner);
	assert_null(observed_find(&back, "x"));
}

static void refuse(int (*read)(const json_t *json), const char *text)
{
	AUTO_JSON json_t *json = json_read(text, strlen(text), BUF_MAX_LINE, NULL);

	assert_non_null(json);
	assert_int_equal(read(json), -1);
}

static int read_spec(const json_t *json)
{
	struct err err = ERR_INIT;
	struct spec spec;
	int result = spec_from_json(json, arena, &spec, &err);

	assert_true(result == 0 || err.code == E_BAD_INPUT);
	return result;
}

static int read_observed(const json_t *json)
{
	struct err err = ERR_INIT;
	struct observed observed;
	int result = observed_from_json(json, arena, &observed, &err);

	assert_true(result == 0 || err.code == E_BAD_INPUT);
	return result;
}

static void test_json_refused(void **state)
{
	static const char *const specs[] = {
		"[]",
		"{}",
		"{\"name\":\"a\",\"image\":\"b\",\"labels\":{}}",
		"{\"name\":\"a\",\"image\":\"b\",\"config\":{}}",
		"{\"name\":\"a\",\"config\":{},\"labels\":{}}",
		"{\"name\":1,\"image\":\"b\",\"config\":{},\"labels\":{}}",
		"{\"name\":\"a\",\"image\":\"b\",\"config\":{},\"labels\":{},\"instance\":\"1\"}",
		"{\"name\":\"a\",\"image\":\"b\",\"config\":{},\"instance\":4294967296}",
		"{\"name\":\"a\",\"image\":\"b\",\"config\":[],\"labels\":{}}",
		"{\"name\":\"a\",\"image\":\"b\",\"config\":{\"nosuch\":1},\"labels\":{}}",
		"{\"name\":\"a\",\"image\":\"b\",\"config\":{},\"labels\":[]}",
		"{\"name\":\"a\",\"image\":\"b\",\"config\":{},\"labels\":{\"record\":\"7\"}}",
		"{\"name\":\"a\",\"image\":\"b\",\"config\":{},\"labels\":{\"owner\":7}}",
	};
	static const char *const observed[] = {
		"[]",
		"{\"workloads\":{}}",
		"{\"workloads\":[{}]}",
		"{\"workloads\":[{\"name\":\"a\"}]}",
		"{\"workloads\":[{\"name\":\"a\",\"labels\":{},\"state\":\"asleep\"}]}",
		"{\"workloads\":[{\"name\":\"a\",\"labels\":{},\"health\":\"\"}]}",
		"{\"workloads\":[{\"name\":\"a\",\"labels\":{},\"runningMs\":1.5}]}",
		"{\"volumes\":\"\"}",
		"{\"volumes\":[{}]}",
		"{\"foreign\":[1]}",
		"{\"node\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		refuse(read_spec, specs[i]);
	for (size_t i = 0; i < ARRAY_LEN(observed); i++)
		refuse(read_observed, observed[i]);
}

/* ---- sorted, and found ---- */

static void test_sort_and_find(void **state)
{
	struct workload workloads[7];
	struct observed observed = {.workloads = workloads, .workloads_n = ARRAY_LEN(workloads)};
	static const char *const names[] = {"g", "a", "c.next", "c", "b", "f", "d"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		workloads[i] = (struct workload){.name = names[i]};
	observed_sort(&observed);
	for (size_t i = 0; i + 1 < ARRAY_LEN(names); i++)
		assert_true(strcmp(workloads[i].name, workloads[i + 1].name) < 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_string_equal(observed_find(&observed, names[i])->name, names[i]);
	assert_null(observed_find(&observed, ""));
	assert_null(observed_find(&observed, "c.nex"));
	assert_null(observed_find(&observed, "zz"));
}

/* ---- changes as data ---- */

static void test_ops_round_trip(void **state)
{
	const struct spec *spec = test_spec(arena, NULL, "a", "local/web:1", FULL_CONFIG);
	const struct op ops[] = {
		{OP_CLAIM, NULL, NULL, NULL},
		{OP_PULL, NULL, NULL, spec},
		{OP_CREATE, "a", NULL, spec},
		{OP_START, "a", NULL, NULL},
		{OP_STOP, "a", NULL, NULL},
		{OP_ALIAS, "a.next", "a", NULL},
		{OP_REMOVE, "a", NULL, NULL},
		{OP_RENAME, "a.next", "a", NULL},
		{OP_UPDATE, "a", NULL, spec},
		{OP_VOLUME_REMOVE, "v", NULL, NULL},
		{OP_IMAGE_REMOVE, "sha256:0", NULL, NULL},
	};

	(void)state;
	assert_int_equal(ARRAY_LEN(ops), OPS_COUNT - 1);
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		AUTO_JSON json_t *json = op_json(&ops[i]), *again = NULL;
		struct err err = ERR_INIT;
		struct op back;

		assert_int_equal(op_find(op_word(ops[i].kind)), ops[i].kind);
		assert_done(op_from_json(json, arena, &back, &err), err);
		again = op_json(&back);
		assert_true(json_equal(json, again));
		assert_int_equal(back.kind, ops[i].kind);
	}
}

static int read_op(const json_t *json)
{
	struct err err = ERR_INIT;
	struct op op;
	int result = op_from_json(json, arena, &op, &err);

	assert_true(result == 0 || err.code == E_BAD_INPUT);
	return result;
}

static void test_ops_refused(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"op\":\"destroy\",\"name\":\"a\"}",
		"{\"op\":\"start\"}",
		"{\"op\":\"rename\",\"name\":\"a\"}",
		"{\"op\":\"pull\"}",
		"{\"op\":\"create\",\"name\":\"a\"}",
		"{\"op\":\"create\",\"name\":\"a\",\"spec\":{}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuse(read_op, bad[i]);
}

/* ---- owners ---- */

static void test_owner_same(void **state)
{
	(void)state;
	assert_true(owner_same("acme/1f", "acme/1f"));
	assert_true(owner_same("acme/1f", "acme-renamed/1f"));
	assert_false(owner_same("acme/1f", "acme/2f"));
	assert_false(owner_same("acme/1f", NULL));
	assert_false(owner_same(NULL, NULL));
	assert_false(owner_same("acme/", "acme/"));
	assert_false(owner_same("acme", "acme"));
}

/* ---- for people ---- */

static void test_tell(void **state)
{
	static const struct {
		struct workload workload;
		const char *said;
	} rows[] = {
		{{.state = RUN_CREATED, .exit_code = -1}, "created"},
		{{.state = RUN_RUNNING, .health = HEALTH_NONE, .exit_code = -1}, "running"},
		{{.state = RUN_RUNNING,
		  .health = HEALTH_UNHEALTHY,
		  .exit_code = -1,
		  .detail = "health check: exited with status 4"},
		 "running, health unhealthy: health check: exited with status 4"},
		{{.state = RUN_RUNNING, .restarts = 1, .exit_code = 3},
		 "running, 1 restart, last ended with exit code 3"},
		{{.state = RUN_RESTARTING,
		  .restarts = 3,
		  .exit_code = 3,
		  .detail = "exited with status 3; starts again after 4s"},
		 "restarting, 3 restarts: exited with status 3; starts again after 4s"},
		{{.state = RUN_EXITED, .exit_code = 137}, "exited, last ended by signal 9"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);

		workload_tell(&rows[i].workload, &text);
		assert_string_equal(buf_str(&text), rows[i].said);
	}
}

static void test_checked_round_trip(void **state)
{
	struct checked checked[] = {{"a1", "10:00", HEALTH_UNHEALTHY, "port 80: connect: refused"},
				    {"b2", "11:00", HEALTH_HEALTHY, ""}};
	const struct checked_list list = {checked, ARRAY_LEN(checked)};
	AUTO_JSON json_t *json = checked_json(&list);
	struct checked_list back;
	struct err err = ERR_INIT;

	(void)state;
	assert_done(checked_from_json(json, arena, &back, &err), err);
	assert_int_equal(back.n, list.n);
	for (size_t i = 0; i < list.n; i++) {
		assert_string_equal(back.v[i].id, checked[i].id);
		assert_string_equal(back.v[i].run, checked[i].run);
		assert_int_equal(back.v[i].health, checked[i].health);
		assert_string_equal(back.v[i].text ? back.v[i].text : "", checked[i].text);
	}
	json_object_del(json_array_get(json_object_get(json, "checked"), 1), "run");
	assert_fails(checked_from_json(json, arena, &back, &err), err, E_BAD_INPUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_labels_in_order),
		TEST(test_labels_unset_are_left_out),
		TEST(test_labels_come_back),
		TEST(test_labels_refused),
		TEST(test_spec_hash_known),
		TEST(test_spec_hash_what_counts),
		TEST(test_spec_hash_leaves_the_spec_alone),
		TEST(test_restart_policy),
		TEST(test_volume_names),
		TEST(test_spec_round_trip),
		TEST(test_workload_round_trip_all_words),
		TEST(test_workload_unreadable_config),
		TEST(test_observed_round_trip),
		TEST(test_observed_empty),
		TEST(test_json_refused),
		TEST(test_sort_and_find),
		TEST(test_ops_round_trip),
		TEST(test_ops_refused),
		TEST(test_owner_same),
		TEST(test_checked_round_trip),
		TEST(test_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

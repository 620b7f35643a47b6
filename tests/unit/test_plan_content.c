/*
 * Content and ids. The known answers are SHA-256 sums of the texts beside them: an id that changes
 * here would refuse or restart what is deployed, so it must never change without a new format.
 */
#include "tests/support/test.h"

#include "plan/content.h"
#include "schema/decode.h"
#include "tests/support/config_tree.h"

/* ---- content as text ---- */

#define WEB_DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char content_text[] =
	"{\"containers\":["
	"{\"config\":{\"command\":[\"serve\",\"a "
	"\\\"b\\\"\"],\"env\":{\"A\":\"1\",\"B\":\"\xc3\xa9\"},"
	"\"ports\":[{\"container\":8080,\"host\":80}]},"
	"\"digest\":\"" WEB_DIGEST "\",\"image\":\"local/web:1\",\"name\":\"web\"},"
	"{\"config\":{},\"image\":\"local/job:1\",\"name\":\"a-job\"}]}";

static void test_round_trip(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	struct content content;
	struct err err = ERR_INIT;

	(void)state;
	assert_done(content_read(content_text, arena, &content, &err), err);
	assert_int_equal(content.containers_n, 2);
	assert_string_equal(content.containers[0].digest, WEB_DIGEST);
	assert_string_equal(content.containers[0].config->command.v[1], "a \"b\"");
	assert_int_equal(content.containers[0].config->ports.v[0].host, 80);
	assert_null(content.containers[1].digest);
	assert_ptr_equal(content_find(&content, "a-job"), &content.containers[1]);
	assert_null(content_find(&content, "job"));
	content_write(&content, &text);
	assert_string_equal(buf_str(&text), content_text);
}

static void test_bad_content(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"containers\":{}}",
		"{\"containers\":[1]}",
		"{\"containers\":[{\"config\":{},\"name\":\"web\"}]}",
		"{\"containers\":[{\"config\":{},\"image\":\"i\"}]}",
		"{\"containers\":[{\"image\":\"i\",\"name\":\"web\"}]}",
		"{\"containers\":[{\"config\":[],\"image\":\"i\",\"name\":\"web\"}]}",
		"{\"containers\":[{\"config\":{\"nonsense\":1},\"image\":\"i\",\"name\":\"web\"}]}",
		"{\"containers\":[{\"config\":{\"env\":[]},\"image\":\"i\",\"name\":\"web\"}]}",
		"{\"containers\":[],\"containers\":[]}",
	};
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct content content = {.containers_n = 42};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_fails(content_read(bad[i], arena, &content, &err), err, E_BAD_INPUT);
		assert_int_equal(content.containers_n, 42);
	}
}

/* ---- documents to take ids of ---- */

#define PRODUCTS "projects/shop/products/web.yaml"

static const struct version *read_version(struct config_tree *tree, const char *text)
{
	config_put(tree, PRODUCTS, text);
	for (size_t i = 0; i < tree->files.v[0]->diags_n; i++)
		fail_msg("%s", tree->files.v[0]->diags[i].message);
	return tree->files.v[0]->documents[0].value;
}

static void version_id(const char *text, char out[RECORD_ID_SIZE])
{
	struct config_tree tree = {0};
	const struct version *version = read_version(&tree, text);

	ids_version(&version->images, &version->requires, out);
	config_release(&tree);
}

static const char one_version[] = "kind: Version\n"
				  "product: web\n"
				  "name: 1.0.0\n"
				  "type: incremental\n"
				  "images:\n"
				  "  - name: web\n"
				  "    image: local/web:1.0.0\n"
				  "    config:\n"
				  "      env: {B: two, A: one}\n"
				  "      ports: [{container: 8080, host: 80}]\n"
				  "      healthCheck: {tcp: {port: 80}, interval: 90s}\n"
				  "      scale: 2\n"
				  "  - {name: job, image: local/job:1.0.0}\n";

#define VERSION_TEXT                                                                               \
	"{\"images\":[{\"config\":{\"env\":{\"A\":\"one\",\"B\":\"two\"},"                         \
	"\"healthCheck\":{\"interval\":\"90s\",\"tcp\":{\"port\":80}},"                            \
	"\"ports\":[{\"container\":8080,\"host\":80}]},"                                           \
	"\"image\":\"local/web:1.0.0\",\"name\":\"web\"},"                                         \
	"{\"image\":\"local/job:1.0.0\",\"name\":\"job\"}]}"
#define VERSION_ID "1:42384b6c7dd4a20546676bb676938dc2c11bb2ef5aabfb693c44e546c9314d69"

/* An id is the sum of its text. */
static void assert_sum(const char *text, const char *id)
{
	char hex[HASH_HEX_SIZE];

	hash_hex(text, strlen(text), hex);
	assert_true(str_starts(id, "1:"));
	assert_string_equal(hex, id + 2);
}

static void test_version_id(void **state)
{
	char id[RECORD_ID_SIZE];

	(void)state;
	version_id(one_version, id);
	assert_sum(VERSION_TEXT, id);
	assert_string_equal(id, VERSION_ID);
}

static void test_version_id_is_stable(void **state)
{
	static const char *const same[] = {
		/* comments, order of fields, forms of writing */
		"# a comment\nname: \"1.0.0\"\nkind: Version\nimages:\n"
		"  - config:\n"
		"      healthCheck: {interval: 1m30s, tcp: {port: 80}}\n"
		"      ports: [\"80:8080\"]\n"
		"      env:\n        A: one # first\n        B: 'two'\n"
		"    image: local/web:1.0.0\n"
		"    name: web\n"
		"  - image: local/job:1.0.0\n    name: job\n"
		"product: web\ntype: incremental\n",
		/* operations, in any layer of it */
		"kind: Version\nproduct: web\nname: 1.0.0\ntype: incremental\n"
		"changelog: something\n"
		"images:\n"
		"  - name: web\n    image: local/web:1.0.0\n"
		"    config: {env: {A: one, B: two}, ports: [\"80:8080\"], scale: 7,\n"
		"      healthCheck: {interval: 90s, tcp: {port: 80}}, stopTimeout: 1s,\n"
		"      restartPolicy: always, stopSignal: SIGINT, resources: {memory: 64Mi}}\n"
		"  - name: job\n    image: local/job:1.0.0\n    config: {scale: 3}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		char id[RECORD_ID_SIZE];

		version_id(same[i], id);
		assert_string_equal(id, VERSION_ID);
	}
}

/* Each is one_version with one thing changed: every release field counts. */
static void test_version_id_differs(void **state)
{
	static const struct {
		const char *what, *from, *to;
	} rows[] = {
		{"image", "local/job:1.0.0", "local/job:1.0.1"},
		{"name", "name: job", "name: other"},
		{"env value", "B: two", "B: three"},
		{"env key", "B: two", "C: two"},
		{"port", "host: 80}", "host: 81}"},
		{"unset and default differ", "host: 80}", "host: 80, protocol: tcp}"},
		{"health check", "interval: 90s", "interval: 91s"},
		{"command", "      scale: 2\n", "      command: [serve]\n"},
		{"empty command", "      scale: 2\n", "      command: [serve]\n      args: []\n"},
		{"user", "      scale: 2\n", "      user: web\n"},
		{"workingDirectory", "      scale: 2\n", "      workingDirectory: /srv\n"},
		{"volumes", "      scale: 2\n", "      volumes: [{name: v, path: data}]\n"},
		{"files", "      scale: 2\n", "      files: [{path: a, content: b}]\n"},
		{"expect", "      scale: 2\n", "      expect: {state: running}\n"},
		{"track", "name: job,", "name: job, track: digest,"},
	};
	char seen[ARRAY_LEN(rows)][RECORD_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *at = strstr(one_version, rows[i].from);
		AUTO_FREE char *text = mem_printf("%.*s%s%s", (int)(at - one_version), one_version,
						  rows[i].to, at + strlen(rows[i].from));

		version_id(text, seen[i]);
		if (str_eq(seen[i], VERSION_ID))
			fail_msg("%s does not count", rows[i].what);
		for (size_t j = 0; j < i; j++) {
			if (str_eq(seen[i], seen[j]))
				fail_msg("%s and %s are the same", rows[i].what, rows[j].what);
		}
	}
}

/* The order of containers is the order of start. */
static void test_version_id_order(void **state)
{
	static const char text[] = "kind: Version\nproduct: web\nname: 1\ntype: rolling\nimages:\n"
				   "  - {name: %s, image: \"local/x:1\"}\n"
				   "  - {name: %s, image: \"local/x:1\"}\n";
	AUTO_FREE char *forth = mem_printf(text, "a", "b"), *back = mem_printf(text, "b", "a");
	char one[RECORD_ID_SIZE], other[RECORD_ID_SIZE];

	(void)state;
	version_id(forth, one);
	version_id(back, other);
	assert_string_not_equal(one, other);
}

/* ---- the three ids of a record ---- */

static const struct id_input place = {"edge-1", "shop-prod", "web", "1.0.0"};

static struct container *read_config(struct arena *arena, const char *json)
{
	struct err err = ERR_INIT;
	struct container *config = decode_object(arena, "container", json, strlen(json), &err);

	if (!config)
		fail_msg("%s: %s", json, err.text);
	return config;
}

#define PLACE_TEXT                                                                                 \
	"\"node\":\"edge-1\",\"prefix\":\"shop-prod\",\"product\":\"web\",\"version\":\"1.0.0\","  \
	"\"versionContent\":\"" VERSION_ID "\"}"

static void test_source_id(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	const char *names[] = {"web", "job", "idle"};
	struct instance instances[] = {
		{.config = read_config(arena, "{\"env\":{\"X\":\"1\"}}")},
		{.config = read_config(arena, "{\"user\":\"job\"}")},
		{.config = read_config(arena, "{\"scale\":3}")},
	};
	struct deployment deployment = {
		.config = read_config(arena, "{\"env\":{\"L\":\"i\"},\"scale\":2}"),
		.instances = {.name = names, .v = instances, .n = 3},
	};
	const struct deployment bare = {0};
	char id[RECORD_ID_SIZE], other[RECORD_ID_SIZE];

	(void)state;
	ids_source(VERSION_ID, &deployment, &place, id);
	assert_sum("{\"config\":{\"env\":{\"L\":\"i\"}},"
		   "\"instances\":{\"job\":{\"user\":\"job\"},\"web\":{\"env\":{\"X\":\"1\"}}}"
		   "," PLACE_TEXT,
		   id);
	assert_string_equal(id,
			    "1:d49368ddab226ad56a953e591504c79e354aff142786ad82d25176a3ebff0ade");
	/* an instance that says nothing of a release is none */
	deployment.instances.n = 2;
	ids_source(VERSION_ID, &deployment, &place, other);
	assert_string_equal(id, other);
	deployment.instances.n = 1;
	ids_source(VERSION_ID, &deployment, &place, other);
	assert_string_not_equal(id, other);
	/* nothing at all */
	ids_source(VERSION_ID, &bare, &place, id);
	assert_sum("{\"config\":{},\"instances\":{}," PLACE_TEXT, id);
	assert_string_equal(id,
			    "1:ba1e54c882a3a8ead79f21d8ee9b86135f436b58d95b9d261813725da975542e");
}

static void test_bundles_in_the_source_id(void **state)
{
	const char *names[] = {"logging", "common"}, *turned[] = {"common", "logging"};
	struct deployment deployment = {.bundles = {.v = names, .n = 2}};
	char id[RECORD_ID_SIZE], other[RECORD_ID_SIZE];

	(void)state;
	ids_source(VERSION_ID, &deployment, &place, id);
	assert_sum(
		"{\"bundles\":[\"common\",\"logging\"],\"config\":{},\"instances\":{}," PLACE_TEXT,
		id);
	deployment.bundles.v = turned;
	ids_source(VERSION_ID, &deployment, &place, other);
	assert_string_equal(id, other);
	deployment.bundles.n = 1;
	ids_source(VERSION_ID, &deployment, &place, other);
	assert_string_not_equal(id, other);
}

static void test_input_and_release_id(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct content content;
	struct err err = ERR_INIT;
	char input[RECORD_ID_SIZE], again[RECORD_ID_SIZE], release[RECORD_ID_SIZE];

	(void)state;
	assert_done(content_read(content_text, arena, &content, &err), err);
	ids_input(VERSION_ID, &content, &place, input);
	assert_sum("{\"containers\":[{\"config\":{\"command\":[\"serve\",\"a \\\"b\\\"\"],"
		   "\"env\":{\"A\":\"1\",\"B\":\"\xc3\xa9\"},"
		   "\"ports\":[{\"container\":8080,\"host\":80}]},"
		   "\"image\":\"local/web:1\",\"name\":\"web\"},"
		   "{\"config\":{},\"image\":\"local/job:1\",\"name\":\"a-job\"}]," PLACE_TEXT,
		   input);
	assert_string_equal(input,
			    "1:3afd4e66a31859d084539bcce846b5f56d0f5a5a4b961b86c0173af99bfbed6f");
	ids_release(input, &content, release);
	assert_sum(
		"{\"digests\":{\"web\":\"" WEB_DIGEST "\",\"a-job\":\"\"},"
		"\"input\":\"1:3afd4e66a31859d084539bcce846b5f56d0f5a5a4b961b86c0173af99bfbed6f\"}",
		release);
	assert_string_equal(release,
			    "1:e641fa71cf2d151bf8aae97d54144f6237abe57fa99c7df5266857cd30072995");
	/* digests are of the release only */
	content.containers[1].digest = WEB_DIGEST;
	ids_input(VERSION_ID, &content, &place, again);
	assert_string_equal(input, again);
	ids_release(input, &content, again);
	assert_string_not_equal(release, again);
}

/* Each part of the place counts, and none can be mistaken for another. */
static void test_place_counts(void **state)
{
	static const struct id_input places[] = {
		{"edge-1", "shop-prod", "web", "1.0.0"}, {"edge-2", "shop-prod", "web", "1.0.0"},
		{"edge-1", "shop-test", "web", "1.0.0"}, {"edge-1", "shop-prod", "api", "1.0.0"},
		{"edge-1", "shop-prod", "web", "1.0.1"}, {"edge-1", "shop-prod", "web", NULL},
		{"web", "shop-prod", "edge-1", "1.0.0"},
	};
	const struct deployment bare = {0};
	struct content nothing = {0};
	char source[ARRAY_LEN(places)][RECORD_ID_SIZE], input[ARRAY_LEN(places)][RECORD_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		ids_source(VERSION_ID, &bare, &places[i], source[i]);
		ids_input(VERSION_ID, &nothing, &places[i], input[i]);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(source[i], source[j]);
			assert_string_not_equal(input[i], input[j]);
		}
	}
}

/* ---- what is kept of a frozen version ---- */

/* ---- what runs before a container ---- */

#define INIT_DIGEST "sha256:" DIGEST_HEX
#define DIGEST_HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct content with_init(struct arena *arena, const char *digest)
{
	static const char text[] =
		"{\"containers\":[{\"config\":{\"init\":[{\"image\":\"local/a:1\",\"name\":\"a\"},"
		"{\"image\":\"local/b:1\",\"name\":\"b\"}]},\"digest\":\"" INIT_DIGEST
		"\",\"image\":\"local/web:1\"%s,\"name\":\"web\"}]}";
	struct content content;
	struct err err = ERR_INIT;

	assert_done(content_read(arena_printf(arena, text, digest), arena, &content, &err), err);
	return content;
}

#define FIRST ",\"initDigests\":[\"" INIT_DIGEST "\",\"\"]"
#define BOTH ",\"initDigests\":[\"" INIT_DIGEST "\",\"" INIT_DIGEST "\"]"

static void test_digests_of_inits(void **state)
{
	static const char *const kept[] = {"", FIRST, BOTH};
	AUTO_ARENA struct arena *arena = arena_new(0);
	char ids[ARRAY_LEN(kept)][RECORD_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		struct content content = with_init(arena, kept[i]), again;
		AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT), second = BUF_INIT(BUF_MAX_TEXT);
		struct err err = ERR_INIT;

		content_write(&content, &text);
		assert_int_equal(!strstr(buf_str(&text), "initDigests"), i == 0);
		assert_done(content_read(buf_str(&text), arena, &again, &err), err);
		content_write(&again, &second);
		assert_string_equal(buf_str(&second), buf_str(&text));
		assert_int_equal(content_is_resolved(&again), i == 2);
		ids_release("1:x", &again, ids[i]);
	}
	assert_string_not_equal(ids[0], ids[1]);
	assert_string_not_equal(ids[1], ids[2]);
}

static void test_what_is_no_list_of_digests(void **state)
{
	static const char *const wrong[] = {
		"{\"containers\":[{\"config\":{},\"image\":\"a\",\"initDigests\":[\"x\"],"
		"\"name\":\"web\"}]}",
		"{\"containers\":[{\"config\":{\"init\":[{\"image\":\"local/"
		"a:1\",\"name\":\"a\"}]},"
		"\"image\":\"a\",\"initDigests\":[7],\"name\":\"web\"}]}",
		"{\"containers\":[{\"config\":{\"init\":[{\"image\":\"local/"
		"a:1\",\"name\":\"a\"}]},"
		"\"image\":\"a\",\"initDigests\":{},\"name\":\"web\"}]}",
	};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct content content;
		struct err err = ERR_INIT;

		assert_fails(content_read(wrong[i], arena, &content, &err), err, E_BAD_INPUT);
	}
}

/* What a node has says the digests in the images: apart again it is the content that it was. */
static void test_pinned_and_apart_again(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct content content = with_init(arena, FIRST), plain = with_init(arena, "");
	AUTO_BUF struct buf was = BUF_INIT(BUF_MAX_TEXT), is = BUF_INIT(BUF_MAX_TEXT);
	struct content_container *web = content.containers;
	const struct container *pinned = content_pin(arena, web->config, web->init_digests);
	struct content_container seen = *web, wanted = *web;
	struct content one = {&seen, 1, {0}};

	(void)state;
	content_write(&content, &was);
	assert_string_equal(pinned->init.v[0].image, "local/a:1@" INIT_DIGEST);
	assert_string_equal(pinned->init.v[1].image, "local/b:1");
	assert_ptr_equal(content_pin(arena, plain.containers->config, NULL),
			 plain.containers->config);
	seen.config = pinned;
	seen.init_digests = NULL;
	content_unpin(arena, web, &seen);
	content_write(&one, &is);
	assert_string_equal(buf_str(&is), buf_str(&was));
	/* a digest that somebody wrote himself stays */
	wanted.config = seen.config = pinned;
	content_unpin(arena, &wanted, &seen);
	assert_string_equal(seen.config->init.v[0].image, "local/a:1@" INIT_DIGEST);
	assert_string_equal(seen.init_digests[0], INIT_DIGEST);
}

static void test_frozen_content(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	struct config_tree tree = {0};
	const struct version *version = read_version(&tree, one_version);
	struct content_container resolved[] = {
		{.name = "other", .image = "x", .digest = "sha256:00"},
		{.name = "web", .image = "x", .digest = WEB_DIGEST},
	};
	struct content content = {.containers = resolved, .containers_n = ARRAY_LEN(resolved)};
	struct err err = ERR_INIT;

	(void)state;
	content_write_version(&version->images, &version->requires, &content, &text);
	assert_done(content_read(buf_str(&text), arena, &content, &err), err);
	assert_int_equal(content.containers_n, 2);
	assert_string_equal(content.containers[0].digest, WEB_DIGEST);
	assert_string_equal(content.containers[0].config->env.value[1], "two");
	assert_null(content.containers[1].digest);
	assert_string_equal(content.containers[1].image, "local/job:1.0.0");
	config_release(&tree);
}

/* ---- what a version requires ---- */

static const char requiring[] = "kind: Version\n"
				"product: web\n"
				"name: 1.0.0\n"
				"type: incremental\n"
				"requires: {mq: 2, ledger: \">= 2.0.0\"}\n"
				"images: [{name: web, image: local/web:1.0.0}]\n";

/* It is part of the ids and of the content; without a pair it changes no id that was there before.
 */
static void test_requires(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	AUTO_FREE char *empty = mem_printf("%srequires: {}\n", one_version);
	char id[RECORD_ID_SIZE];
	struct config_tree tree = {0};
	struct content content = {0};
	struct err err = ERR_INIT;

	(void)state;
	version_id(empty, id);
	assert_string_equal(id, VERSION_ID);
	version_id(requiring, id);
	assert_sum("{\"images\":[{\"image\":\"local/web:1.0.0\",\"name\":\"web\"}],"
		   "\"requires\":{\"ledger\":\">= 2.0.0\",\"mq\":\"2\"}}",
		   id);
	const struct version *version = read_version(&tree, requiring);

	content_write_version(&version->images, &version->requires, &content, &text);
	assert_string_equal(buf_str(&text),
			    "{\"containers\":[{\"config\":{},\"image\":\"local/web:1.0.0\","
			    "\"name\":\"web\"}],"
			    "\"requires\":{\"ledger\":\">= 2.0.0\",\"mq\":\"2\"}}");
	assert_done(content_read(buf_str(&text), arena, &content, &err), err);
	assert_int_equal(content.requires.n, 2);
	assert_string_equal(content.requires.key[0], "ledger");
	assert_string_equal(content.requires.value[0], ">= 2.0.0");
	config_release(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bad_content),
		cmocka_unit_test(test_version_id),
		cmocka_unit_test(test_version_id_is_stable),
		cmocka_unit_test(test_version_id_differs),
		cmocka_unit_test(test_version_id_order),
		cmocka_unit_test(test_source_id),
		cmocka_unit_test(test_bundles_in_the_source_id),
		cmocka_unit_test(test_input_and_release_id),
		cmocka_unit_test(test_place_counts),
		cmocka_unit_test(test_frozen_content),
		cmocka_unit_test(test_digests_of_inits),
		cmocka_unit_test(test_what_is_no_list_of_digests),
		cmocka_unit_test(test_pinned_and_apart_again),
		cmocka_unit_test(test_requires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

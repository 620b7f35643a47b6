#include "tests/support/test.h"

#include "schema/canon.h"
#include "schema/decode.h"

static void *object(struct arena *arena, const char *type, const char *text)
{
	struct err err = ERR_INIT;
	void *out = decode_object(arena, type, text, strlen(text), &err);

	if (!out)
		fail_msg("%s: %s", text, err.text);
	return out;
}

static void assert_part(const char *text, enum canon_part part, const char *wanted)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);

	canon_container(object(arena, "container", text), part, &out);
	assert_string_equal(buf_str(&out), wanted);
}

static void test_shortest_forms(void **state)
{
	(void)state;
	assert_part("{stopTimeout: 120s, resources: {memory: 67108864, cpu: 0.250}, scale: 2}",
		    CANON_ALL,
		    "{\"resources\":{\"cpu\":\"0.25\",\"memory\":\"64Mi\"},\"scale\":2,"
		    "\"stopTimeout\":\"2m\"}");
	assert_part("{restartPolicy: no, user: no, workingDirectory: 012}", CANON_ALL,
		    "{\"restartPolicy\":\"no\",\"user\":\"no\",\"workingDirectory\":\"012\"}");
}

static void test_a_default_differs_from_nothing(void **state)
{
	(void)state;
	assert_part("{scale: 1}", CANON_ALL, "{\"scale\":1}");
	assert_part("{}", CANON_ALL, "{}");
}

static void test_order_does_not_matter_but_in_lists_of_texts(void **state)
{
	(void)state;
	assert_part("{ports: [\"9090:80\", 81, {container: 80, host: 8080, address: \"::1\"}, "
		    "\"8080:80\", 80]}",
		    CANON_ALL,
		    "{\"ports\":[{\"container\":80},{\"container\":80,\"host\":8080},"
		    "{\"address\":\"::1\",\"container\":80,\"host\":8080},"
		    "{\"container\":80,\"host\":9090},{\"container\":81}]}");
	assert_part("{user: a, env: {B: 1, A: 2}, ports: [81, 80], args: [b, a]}", CANON_ALL,
		    "{\"args\":[\"b\",\"a\"],\"env\":{\"A\":\"2\",\"B\":\"1\"},"
		    "\"ports\":[{\"container\":80},{\"container\":81}],\"user\":\"a\"}");
	assert_part(
		"{volumes: [{path: b, name: x}, {path: a, name: y}]}", CANON_ALL,
		"{\"volumes\":[{\"name\":\"y\",\"path\":\"a\"},{\"name\":\"x\",\"path\":\"b\"}]}");
}

static void test_what_says_nothing_is_left_out(void **state)
{
	(void)state;
	assert_part("{env: {}, ports: [], healthCheck: {}, resources: {}, args: []}", CANON_ALL,
		    "{\"args\":[]}");
}

static void test_parts(void **state)
{
	static const char text[] = "{env: {A: 1}, scale: 2, resources: {cpu: 1}, stopSignal: "
				   "SIGINT, healthCheck: {tcp: {port: 1}}, restartPolicy: always}";

	(void)state;
	assert_part(text, CANON_RELEASE,
		    "{\"env\":{\"A\":\"1\"},\"healthCheck\":{\"tcp\":{\"port\":1}}}");
	assert_part(text, CANON_OPERATIONS,
		    "{\"resources\":{\"cpu\":\"1\"},\"restartPolicy\":\"always\",\"scale\":2,"
		    "\"stopSignal\":\"SIGINT\"}");
}

static void assert_image(const char *text, enum canon_part part, const char *wanted)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);

	canon_image(object(arena, "image", text), part, &out);
	assert_string_equal(buf_str(&out), wanted);
}

/* The configuration of an image holds both parts; operations leave no trace in the release. */
static void test_images(void **state)
{
	static const char text[] = "{name: web, image: local/web:1, config: {scale: 2, user: a}}";

	(void)state;
	assert_image(text, CANON_ALL,
		     "{\"config\":{\"scale\":2,\"user\":\"a\"},\"image\":\"local/web:1\","
		     "\"name\":\"web\"}");
	assert_image(text, CANON_RELEASE,
		     "{\"config\":{\"user\":\"a\"},\"image\":\"local/web:1\",\"name\":\"web\"}");
	assert_image(text, CANON_OPERATIONS, "{\"config\":{\"scale\":2},\"name\":\"web\"}");
	assert_image("{name: web, image: local/web:1, config: {scale: 2}}", CANON_RELEASE,
		     "{\"image\":\"local/web:1\",\"name\":\"web\"}");
}

static void test_nulls_of_a_layer(void **state)
{
	(void)state;
	assert_part("{env: {A: null, B: 1}, user: null, healthCheck: {interval: null}}", CANON_ALL,
		    "{\"env\":{\"A\":null,\"B\":\"1\"},\"healthCheck\":{\"interval\":null},"
		    "\"user\":null}");
}

/* Whatever stands in a text comes back as it was. */
static void test_odd_texts_come_back(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"a b",
		"\"",
		"\\",
		"'",
		"\n",
		"\t",
		"\r\n",
		"\x01\x1f\x7f",
		"null",
		"~",
		"true",
		"012",
		"{{ version }}",
		"- a",
		"# no",
		"a: b",
		"\xc2\x85",
		"\xc2\xa0",
		"\xe2\x80\xa8",
		"\xe2\x80\xa9",
		"\xef\xbb\xbf",
		"\xef\xbf\xbe",
		"\xef\xbf\xbf",
		"\xf0\x9f\x98\x80",
		"\xc3\xa4\xe2\x82\xac",
		"*a &b !c",
		"%x @y `z",
		"  lead and trail  ",
	};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *key = "K", *value = texts[i];
		struct container config = {
			.head.set = UINT64_C(1) << container_env_F,
			.env = {.key = &key, .value = &value, .n = 1},
		};
		AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);
		const struct container *back;

		canon_container(&config, CANON_ALL, &out);
		back = object(arena, "container", buf_str(&out));
		assert_int_equal(back->env.n, 1);
		if (!str_eq(back->env.value[0], value))
			fail_msg("text %zu came back as %s", i, back->env.value[0]);
	}
}

/* What other JSON writers leave as it is. */
static void test_json_of_others(void **state)
{
	static const char json[] = "{\"env\": {\"A\": \"\x7f\xe2\x80\xa8\xc2\x85\xef\xbb\xbf\"}}";
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct container *config = object(arena, "container", json);

	(void)state;
	assert_string_equal(config->env.value[0], "\x7f\xe2\x80\xa8\xc2\x85\xef\xbb\xbf");
}

/* Three layers in one can be longer than any manifest. */
static void test_our_own_form_may_be_long(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	AUTO_FREE char *content = mem_zalloc(65537, 1);
	const struct container *config;

	(void)state;
	memset(content, 'x', 65536);
	buf_adds(&text, "{\"files\":[");
	for (int i = 0; i < 30; i++)
		buf_addf(&text, "%s{\"content\":\"%s\",\"path\":\"f%d\"}", i ? "," : "", content,
			 i);
	buf_adds(&text, "]}");
	assert_true(text.len > 1900000);
	config = object(arena, "container", buf_str(&text));
	assert_int_equal(config->files.n, 30);
	assert_int_equal(strlen(config->files.v[29].content), 65536);
}

static void test_other_things_than_canonical_form_are_refused(void **state)
{
	static const char *const texts[] = {"",
					    "[]",
					    "{",
					    "{\"nope\":1}",
					    "{scale: x}",
					    "null",
					    "{\"scale\":1,\"scale\":2}",
					    "{secrets: {A: b}}"};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = ERR_INIT;

		assert_null(decode_object(arena, "container", texts[i], strlen(texts[i]), &err));
		assert_int_equal(err.code, E_BAD_INPUT);
	}
	struct err err = ERR_INIT;

	assert_null(decode_object(arena, "nonsense", "{}", 2, &err));
	assert_int_equal(err.code, E_INTERNAL);
}

/* ---- differences ---- */

struct wanted_diff {
	const char *field, *from, *to;
	bool release;
};

static void assert_diffs(const char *from, const char *to, enum canon_part part,
			 const struct wanted_diff *wanted, size_t n)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct field_diffs found = canon_diff(arena, from ? object(arena, "container", from) : NULL,
					      to ? object(arena, "container", to) : NULL, part);

	for (size_t i = 0; i < found.n && i < n; i++) {
		assert_string_equal(found.v[i].field, wanted[i].field);
		assert_true(str_eq(found.v[i].from, wanted[i].from));
		assert_true(str_eq(found.v[i].to, wanted[i].to));
		assert_int_equal(found.v[i].release, wanted[i].release);
	}
	assert_int_equal(found.n, n);
}
#define DIFFS(from, to, part, ...)                                                                 \
	assert_diffs(from, to, part, (const struct wanted_diff[]){__VA_ARGS__},                    \
		     ARRAY_LEN(((const struct wanted_diff[]){__VA_ARGS__})))

static void test_differences(void **state)
{
	(void)state;
	DIFFS("{scale: 1}", "{scale: 2}", CANON_ALL, {"scale", "1", "2", false});
	DIFFS("{}", "{user: a}", CANON_ALL, {"user", NULL, "a", true});
	DIFFS("{user: a}", "{}", CANON_ALL, {"user", "a", NULL, true});
	DIFFS("{env: {A: 1, B: 2, C: 3}}", "{env: {B: 2, C: 4, D: 5}}", CANON_ALL,
	      {"env.A", "1", NULL, true}, {"env.C", "3", "4", true}, {"env.D", NULL, "5", true});
	DIFFS("{ports: [\"8080:80\"]}", "{ports: [\"8081:80\", 81]}", CANON_ALL,
	      {"ports.80.host", "8080", "8081", true}, {"ports.81.container", NULL, "81", true});
	DIFFS("{ports: [\"8080:80\"]}", "{ports: [\"9090:80\", \"8080:80\"]}", CANON_ALL,
	      {"ports.80@9090.container", NULL, "80", true},
	      {"ports.80@9090.host", NULL, "9090", true});
	DIFFS("{ports: [\"1:80\", {container: 80, host: 1, address: \"::1\"}]}",
	      "{ports: [\"1:80\", \"2:80\"]}", CANON_ALL,
	      {"ports.80@1@::1.container", "80", NULL, true},
	      {"ports.80@1@::1.host", "1", NULL, true},
	      {"ports.80@1@::1.address", "::1", NULL, true},
	      {"ports.80@2.container", NULL, "80", true}, {"ports.80@2.host", NULL, "2", true});
	DIFFS("{healthCheck: {interval: 10s, tcp: {port: 1}}}",
	      "{healthCheck: {interval: 20s, http: {port: 2}}}", CANON_ALL,
	      {"healthCheck.http.port", NULL, "2", true}, {"healthCheck.tcp.port", "1", NULL, true},
	      {"healthCheck.interval", "10s", "20s", true});
	DIFFS("{command: [a]}", "{command: [a, b]}", CANON_ALL,
	      {"command", "[\"a\"]", "[\"a\",\"b\"]", true});
	DIFFS("{volumes: [{path: d, name: a}]}", "{volumes: [{path: d, name: b}]}", CANON_ALL,
	      {"volumes.d.name", "a", "b", true});
	DIFFS("{args: []}", "{}", CANON_ALL, {"args", "[]", NULL, true});
	DIFFS(NULL, "{resources: {memory: 64Mi}}", CANON_ALL,
	      {"resources.memory", NULL, "64Mi", false});
	DIFFS("{user: null, env: null}", "{user: a}", CANON_ALL, {"env", "null", NULL, true},
	      {"user", "null", "a", true});
}

static void test_differences_of_a_part(void **state)
{
	static const char from[] = "{scale: 1, user: a}", to[] = "{scale: 2, user: b}";

	(void)state;
	DIFFS(from, to, CANON_RELEASE, {"user", "a", "b", true});
	DIFFS(from, to, CANON_OPERATIONS, {"scale", "1", "2", false});
}

static void test_no_difference(void **state)
{
	(void)state;
	assert_diffs("{env: {A: 1, B: 2}, ports: [80, 81]}", "{ports: [81, 80], env: {B: 2, A: 1}}",
		     CANON_ALL, NULL, 0);
	assert_diffs("{env: {}, healthCheck: {}}", "{}", CANON_ALL, NULL, 0);
	assert_diffs(NULL, NULL, CANON_ALL, NULL, 0);
}

static void test_places_of_differences(void **state)
{
	static const struct oid blob;
	static const char text[] = "kind: Deployment\nname: a\nproduct: p\nnode: n\nconfig:\n"
				   "  user: x\n"
				   "  env: {A: 1}\n";
	struct file *file = file_decode("projects/p/stages/s/1.yaml", &blob, text, sizeof text - 1);
	const struct deployment *deployment = file->documents[0].value;
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct field_diffs found = canon_diff(arena, NULL, deployment->config, CANON_ALL);

	(void)state;
	assert_int_equal(found.n, 2);
	assert_string_equal(found.v[0].field, "env.A");
	assert_int_equal(found.v[0].at.line, 7);
	assert_string_equal(found.v[0].path, "projects/p/stages/s/1.yaml");
	assert_int_equal(found.v[1].at.line, 6);
	file_unref(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shortest_forms),
		cmocka_unit_test(test_a_default_differs_from_nothing),
		cmocka_unit_test(test_order_does_not_matter_but_in_lists_of_texts),
		cmocka_unit_test(test_what_says_nothing_is_left_out),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_nulls_of_a_layer),
		cmocka_unit_test(test_odd_texts_come_back),
		cmocka_unit_test(test_json_of_others),
		cmocka_unit_test(test_our_own_form_may_be_long),
		cmocka_unit_test(test_other_things_than_canonical_form_are_refused),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_differences_of_a_part),
		cmocka_unit_test(test_no_difference),
		cmocka_unit_test(test_places_of_differences),
	};

	return cmocka_run_group_tests_name("schema canonical form", tests, NULL, NULL);
}

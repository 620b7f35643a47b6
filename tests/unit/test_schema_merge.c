#include "tests/support/test.h"

#include "schema/canon.h"
#include "schema/decode.h"
#include "schema/merge.h"

/* Layers over each other, templates, operations over a record, what only the whole shows. */

static const struct unit stage = {UNIT_STAGE, "shop", "prod"};

static const struct container *config(struct arena *arena, const char *text)
{
	struct err err = ERR_INIT;
	const struct container *out;

	if (!text)
		return NULL;
	out = decode_object(arena, "container", text, strlen(text), &err);
	if (!out)
		fail_msg("%s: %s", text, err.text);
	return out;
}

static void assert_canonical(const struct container *found, const char *wanted)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	canon_container(found, CANON_ALL, &text);
	assert_string_equal(buf_str(&text), wanted);
}

static void test_layers(void **state)
{
	static const struct {
		const char *layers[3], *merged;
	} rows[] = {
		{{NULL, NULL, NULL}, "{}"},
		{{"{}", "{}", NULL}, "{}"},
		/* scalars and lists are replaced */
		{{"{scale: 1, user: a}", "{scale: 2}", NULL}, "{\"scale\":2,\"user\":\"a\"}"},
		{{"{scale: 1}", NULL, "{scale: 3}"}, "{\"scale\":3}"},
		{{"{command: [a, b]}", "{command: [c]}", NULL}, "{\"command\":[\"c\"]}"},
		{{"{args: [a]}", "{args: []}", NULL}, "{\"args\":[]}"},
		/* maps by key */
		{{"{env: {A: 1, B: 2}}", "{env: {B: 3, C: 4}}", "{env: {A: 5}}"},
		 "{\"env\":{\"A\":\"5\",\"B\":\"3\",\"C\":\"4\"}}"},
		{{"{env: {A: 1}}", "{env: {}}", NULL}, "{\"env\":{\"A\":\"1\"}}"},
		/* ports by container port, field by field */
		{{"{ports: [80]}", "{ports: [{container: 80, host: 8080}, 81]}", NULL},
		 "{\"ports\":[{\"container\":80,\"host\":8080},{\"container\":81}]}"},
		{{"{ports: [\"8080:80\"]}", "{ports: [{container: 80, host: null}]}", NULL},
		 "{\"ports\":[{\"container\":80}]}"},
		/* several of one container port: those of the stronger layer, all of them */
		{{"{ports: [\"8080:80\", \"9090:80\", 81]}", "{ports: [\"82\"]}", NULL},
		 "{\"ports\":[{\"container\":80,\"host\":8080},{\"container\":80,\"host\":9090},"
		 "{\"container\":81},{\"container\":82}]}"},
		{{"{ports: [\"8080:80\", \"9090:80\"]}", "{ports: [\"7070:80\"]}", NULL},
		 "{\"ports\":[{\"container\":80,\"host\":7070}]}"},
		{{"{ports: [{container: 80, host: 1, address: 10.0.0.1}]}",
		  "{ports: [\"9090:80\", \"8080:80\"]}", "{ports: [80/udp]}"},
		 "{\"ports\":[{\"container\":80,\"host\":8080},{\"container\":80,\"host\":9090},"
		 "{\"container\":80,\"protocol\":\"udp\"}]}"},
		{{"{ports: [\"8080:80\", \"9090:80\"]}", "{ports: null}", NULL}, "{}"},
		/* volumes and files by path */
		{{"{volumes: [{path: a, name: x}]}", "{volumes: [{path: a, readOnly: true}]}",
		  NULL},
		 "{\"volumes\":[{\"name\":\"x\",\"path\":\"a\",\"readOnly\":true}]}"},
		{{"{volumes: [{path: a, name: x}]}", "{volumes: [{path: a, hostPath: /s}]}", NULL},
		 "{\"volumes\":[{\"hostPath\":\"/s\",\"path\":\"a\"}]}"},
		{{"{files: [{path: a, content: x}, {path: b, content: y}]}",
		  "{files: [{path: a, content: z}]}", NULL},
		 "{\"files\":[{\"content\":\"z\",\"path\":\"a\"},{\"content\":\"y\",\"path\":\"b\"}"
		 "]}"},
		/* objects field by field; of fields that exclude each other the stronger one */
		{{"{resources: {cpu: 1}}", "{resources: {memory: 64Mi}}", NULL},
		 "{\"resources\":{\"cpu\":\"1\",\"memory\":\"64Mi\"}}"},
		{{"{healthCheck: {tcp: {port: 1}, retries: 5}}", "{healthCheck: {interval: 1s}}",
		  "{healthCheck: {http: {port: 2}}}"},
		 "{\"healthCheck\":{\"http\":{\"port\":2},\"interval\":\"1s\",\"retries\":5}}"},
		{{"{healthCheck: {http: {port: 1, path: /a}}}", "{healthCheck: {http: {port: 2}}}",
		  NULL},
		 "{\"healthCheck\":{\"http\":{\"path\":\"/a\",\"port\":2}}}"},
		/* null removes */
		{{"{scale: 1, user: a}", "{user: null}", NULL}, "{\"scale\":1}"},
		{{"{user: a}", "{user: null}", "{user: b}"}, "{\"user\":\"b\"}"},
		{{"{env: {A: 1, B: 2}}", "{env: {A: null}}", NULL}, "{\"env\":{\"B\":\"2\"}}"},
		{{"{env: {A: 1}}", "{env: null}", "{env: {B: 2}}"}, "{\"env\":{\"B\":\"2\"}}"},
		{{"{healthCheck: {tcp: {port: 1}}}", "{healthCheck: null}", NULL}, "{}"},
		{{"{ports: [80]}", "{ports: null}", NULL}, "{}"},
		{{"{env: {A: null}, user: null, healthCheck: {interval: null, tcp: {port: 1}}}",
		  NULL, NULL},
		 "{\"healthCheck\":{\"tcp\":{\"port\":1}}}"},
	};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct container *layers[3];

		for (size_t j = 0; j < 3; j++)
			layers[j] = config(arena, rows[i].layers[j]);
		assert_canonical(merge_containers(arena, layers, 3), rows[i].merged);
	}
}

static const struct deployment *deployment(struct file *file)
{
	assert_int_equal(file->diags_n, 0);
	return file->documents[0].value;
}

/* Every field of the merged value knows its own file and line. */
static void test_places_of_merged_values(void **state)
{
	static const struct oid blob;
	static const char weak[] = "kind: Deployment\nname: a\nproduct: p\nnode: n\nconfig:\n"
				   "  user: x\n"
				   "  env:\n"
				   "    A: 1\n"
				   "    B: 2\n"
				   "  ports: [80]\n";
	static const char strong[] = "kind: Deployment\nname: a\nproduct: p\nnode: n\nconfig:\n"
				     "  scale: 3\n"
				     "  env: {B: 3}\n"
				     "  ports: [{container: 80, host: 8080}]\n";
	struct file *first =
		file_decode("projects/p/stages/s/1.yaml", &blob, weak, sizeof weak - 1);
	struct file *second =
		file_decode("projects/p/stages/s/2.yaml", &blob, strong, sizeof strong - 1);
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct container *layers[] = {deployment(first)->config, deployment(second)->config};
	const struct container *merged = merge_containers(arena, layers, 2);
	const struct port *port = &merged->ports.v[0];

	(void)state;
	assert_string_equal(PATH_OF(merged, container, user), "projects/p/stages/s/1.yaml");
	assert_int_equal(AT(merged, container, user).line, 6);
	assert_string_equal(PATH_OF(merged, container, scale), "projects/p/stages/s/2.yaml");
	assert_int_equal(AT(merged, container, scale).line, 6);
	assert_string_equal(merged->env.paths[0], "projects/p/stages/s/1.yaml");
	assert_int_equal(merged->env.at[0].line, 8);
	assert_string_equal(merged->env.paths[1], "projects/p/stages/s/2.yaml");
	assert_int_equal(merged->env.at[1].line, 7);
	assert_string_equal(PATH_OF(port, port, container), "projects/p/stages/s/2.yaml");
	assert_string_equal(PATH_OF(port, port, host), "projects/p/stages/s/2.yaml");
	assert_int_equal(AT(port, port, host).line, 8);
	file_unref(first);
	file_unref(second);
}

static void test_layers_stay_as_they_are(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct container *layers[] = {
		config(arena, "{env: {A: 1}, ports: [80], user: a, healthCheck: {tcp: {port: 1}}}"),
		config(arena,
		       "{env: {A: null}, ports: null, user: null, healthCheck: {http: {port: 2}}}"),
	};

	(void)state;
	merge_containers(arena, layers, 2);
	assert_canonical(layers[0], "{\"env\":{\"A\":\"1\"},\"healthCheck\":{\"tcp\":{\"port\":1}},"
				    "\"ports\":[{\"container\":80}],\"user\":\"a\"}");
	assert_canonical(layers[1], "{\"env\":{\"A\":null},\"healthCheck\":{\"http\":{\"port\":2}},"
				    "\"ports\":null,\"user\":null}");
}

static void test_operations_over_a_record(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct container *recorded =
		config(arena, "{env: {A: old}, scale: 1, stopSignal: SIGINT, user: a}");
	const struct container *now = config(
		arena, "{env: {A: new}, scale: 5, resources: {memory: 64Mi}, restartPolicy: no}");

	(void)state;
	assert_canonical(merge_operations(arena, recorded, now),
			 "{\"env\":{\"A\":\"old\"},\"resources\":{\"memory\":\"64Mi\"},"
			 "\"restartPolicy\":\"no\",\"scale\":5,\"user\":\"a\"}");
	assert_canonical(merge_operations(arena, recorded, config(arena, "{}")),
			 "{\"env\":{\"A\":\"old\"},\"user\":\"a\"}");
}

static void assert_incomplete(const char *text, size_t problems)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_DIAGS struct diags diags = {0};
	const struct container *layer = config(arena, text);

	assert_true(merged_check_needed(layer) == (problems > 0));
	merged_check(layer, &stage, &diags);
	assert_int_equal(diags.errors, problems);
}

static void test_what_only_the_whole_shows(void **state)
{
	(void)state;
	assert_incomplete("{}", 0);
	assert_incomplete("{healthCheck: {interval: 1s}}", 1);
	assert_incomplete("{healthCheck: {command: [a]}}", 0);
	assert_incomplete("{volumes: [{path: a}, {path: b, name: b}, {path: c}]}", 2);
	assert_incomplete("{files: [{path: a}]}", 1);
	assert_incomplete("{files: [{path: a, content: \"\"}]}", 0);
	assert_false(merged_check_needed(NULL));
}

/* ---- templates ---- */

static const struct template_values values = {"1.4.0", "prod", "shop", "edge-1", "shop-prod"};

static void test_texts(void **state)
{
	static const struct {
		const char *text, *wanted; /* NULL: refused */
	} rows[] = {
		{"plain", "plain"},
		{"", ""},
		{"{{ version }}", "1.4.0"},
		{"{{version}}", "1.4.0"},
		{"{{   stage   }}", "prod"},
		{"a{{ project }}b{{ node }}c{{ prefix }}d", "ashopbedge-1cshop-prodd"},
		{"{{ version }}{{ version }}", "1.4.01.4.0"},
		{"{{{{ version }}", "{{ version }}"},
		{"{{{{{{ version }}", "{{1.4.0"},
		{"} } }} {", "} } }} {"},
		{"{ {version} }", "{ {version} }"},
		{"{{ versions }}", NULL},
		{"{{ Version }}", NULL},
		{"{{ }}", NULL},
		{"{{", NULL},
		{"{{ version", NULL},
		{"{{ version }", NULL},
		{"{{\tversion }}", NULL},
		{"{{ version }} {{ x }}", NULL},
	};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		const char *found = template_text(arena, rows[i].text, &values, &err);

		if (!str_eq(found, rows[i].wanted))
			fail_msg("%s: %s", rows[i].text, found ? found : "refused");
		assert_true(found || err.code == E_BAD_INPUT);
	}
}

static void test_an_absent_value_is_empty(void **state)
{
	static const struct template_values nothing;
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	assert_string_equal(template_text(arena, "[{{ version }}]", &nothing, NULL), "[]");
}

static void test_every_value_is_expanded(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_DIAGS struct diags diags = {0};
	const struct container *layer = config(
		arena, "{name: \"{{ project }}-x\", env: {A: \"{{ stage }}\", B: c},"
		       "command: [run, \"--v={{ version }}\"], workingDirectory: \"/{{ node }}\","
		       "volumes: [{path: \"d/{{ stage }}\", name: d}],"
		       "files: [{path: f, content: \"{{ node }} {{ other }} {{{{\"}],"
		       "healthCheck: {command: [\"{{ prefix }}\"]}}");

	(void)state;
	assert_canonical(
		template_expand(arena, layer, &values, &stage, &diags),
		"{\"command\":[\"run\",\"--v=1.4.0\"],\"env\":{\"A\":\"prod\",\"B\":\"c\"},"
		"\"files\":[{\"content\":\"edge-1 {{ other }} {{\",\"path\":\"f\"}],"
		"\"healthCheck\":{\"command\":[\"shop-prod\"]},\"name\":\"shop-x\","
		"\"volumes\":[{\"name\":\"d\",\"path\":\"d/prod\"}],"
		"\"workingDirectory\":\"/edge-1\"}");
	assert_int_equal(diags.n, 0);
	assert_canonical(layer, "{\"command\":[\"run\",\"--v={{ version }}\"],\"env\":{\"A\":"
				"\"{{ stage }}\",\"B\":\"c\"},\"files\":[{\"content\":\"{{ node }} "
				"{{ other }} {{{{\",\"path\":\"f\"}],\"healthCheck\":{\"command\":"
				"[\"{{ prefix }}\"]},\"name\":\"{{ project }}-x\",\"volumes\":"
				"[{\"name\":\"d\",\"path\":\"d/{{ stage }}\"}],"
				"\"workingDirectory\":\"/{{ node }}\"}");
}

static void test_nothing_to_expand_is_the_same_object(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_DIAGS struct diags diags = {0};
	const struct container *layer = config(arena, "{env: {A: b}, command: [c]}");

	(void)state;
	assert_ptr_equal(template_expand(arena, layer, &values, &stage, &diags), layer);
}

/* What a template makes of a text must have the form of its field all the same. */
static void test_forms_after_expansion(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_DIAGS struct diags diags = {0};
	const struct container *layer =
		config(arena, "{name: \"{{ version }}\", user: \"{{ stage }} x\","
			      "volumes: [{path: \"../{{ stage }}\", name: a}]}");

	(void)state;
	template_expand(arena, layer, &values, &stage, &diags);
	assert_int_equal(diags.n, 3);
	assert_int_equal(diags.v[0].code, DIAG_BAD_NAME);
	assert_int_equal(diags.v[1].code, DIAG_BAD_VALUE);
	assert_int_equal(diags.v[2].code, DIAG_BAD_VALUE);
}

static void test_looking_only(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_DIAGS struct diags diags = {0};

	(void)state;
	template_check(config(arena, "{name: \"{{ version }}\", env: {A: \"{{ x }}\"}}"), &stage,
		       &diags);
	assert_int_equal(diags.n, 1);
	assert_int_equal(diags.v[0].code, DIAG_BAD_TEMPLATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_places_of_merged_values),
		cmocka_unit_test(test_layers_stay_as_they_are),
		cmocka_unit_test(test_operations_over_a_record),
		cmocka_unit_test(test_what_only_the_whole_shows),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_an_absent_value_is_empty),
		cmocka_unit_test(test_every_value_is_expanded),
		cmocka_unit_test(test_nothing_to_expand_is_the_same_object),
		cmocka_unit_test(test_forms_after_expansion),
		cmocka_unit_test(test_looking_only),
	};

	return cmocka_run_group_tests_name("schema merge", tests, NULL, NULL);
}

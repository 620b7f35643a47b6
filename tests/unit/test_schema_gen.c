#include "tests/support/test.h"

#include "base/json.h"
#include "schema/diag.h"
#include "schema/gen.h"
#include "schema/kinds.h"

static void assert_holds(const struct buf *text, const char *part)
{
	if (!strstr(buf_str(text), part))
		fail_msg("not found: %s, in\n%s", part, buf_str(text));
}

static json_t *schema(void)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	struct err err = ERR_INIT;
	json_t *json;

	gen_schema(&text);
	json = json_read(buf_str(&text), text.len, BUF_MAX_TEXT, &err);
	if (!json)
		fail_msg("%s", err.text);
	return json;
}

/* Follows object members. */
static const json_t *at(const json_t *json, const char *const *path)
{
	for (; *path && json; path++)
		json = json_object_get(json, *path);
	return json;
}
#define PART(json, ...) at(json, (const char *const[]){__VA_ARGS__, NULL})

static void test_schema_has_every_supported_field(void **state)
{
	AUTO_JSON json_t *json = schema();
	size_t kinds = 0;

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct object_type *type = kind_type((enum kind)i);
		const json_t *kind = PART(json, "$defs", type->title);
		bool there = !(type->flags & LATER) && type->scope != SCOPE_SETTINGS;

		assert_true((kind != NULL) == there);
		kinds += there;
		for (size_t j = 0; there && j < type->fields_n; j++) {
			const json_t *field = PART(kind, "properties", type->fields[j].key);

			assert_true((field != NULL) == !(type->fields[j].flags & LATER));
		}
	}
	assert_int_equal(json_array_size(json_object_get(json, "oneOf")), kinds);
	assert_null(PART(json, "$defs", "Settings"));
}

static void assert_references_lead_somewhere(const json_t *part, const json_t *definitions)
{
	const char *key;
	const json_t *value;
	json_t *object = json_incref((json_t *)(uintptr_t)part);
	size_t i;

	json_object_foreach(object, key, value)
	{
		if (str_eq(key, "$ref"))
			assert_non_null(json_object_get(definitions, json_string_value(value) +
									     strlen("#/$defs/")));
		assert_references_lead_somewhere(value, definitions);
	}
	json_array_foreach(object, i, value) assert_references_lead_somewhere(value, definitions);
	json_decref(object);
}

static void test_schema_references(void **state)
{
	AUTO_JSON json_t *json = schema();

	(void)state;
	assert_references_lead_somewhere(json, json_object_get(json, "$defs"));
}

static void test_schema_of_some_fields(void **state)
{
	AUTO_JSON json_t *json = schema();
	const json_t *port = PART(json, "$defs", "port", "properties", "container");
	const json_t *volume = PART(json, "$defs", "volume", "not", "anyOf");

	(void)state;
	assert_int_equal(json_int(port, "maximum", 0), 65535);
	assert_int_equal(json_array_size(volume), 1);
	assert_int_equal(json_array_size(PART(json, "$defs", "healthCheck", "not", "anyOf")), 3);
	assert_string_equal(json_str(PART(json, "$defs", "Team", "properties", "members",
					  "additionalProperties"),
				     "pattern", ""),
			    "^(?:owner|admin|user)$");
	assert_false(json_is_true(PART(json, "$defs", "Node", "additionalProperties")));
}

static void test_reference_has_every_field(void **state)
{
	AUTO_BUF struct buf page = BUF_INIT(BUF_MAX_TEXT);
	const struct object_type *type;

	(void)state;
	gen_reference(&page);
	for (size_t i = 0; (type = object_type_at(i)); i++) {
		for (size_t j = 0; j < type->fields_n; j++) {
			AUTO_FREE char *cell = mem_printf("| `%s`", type->fields[j].key);

			assert_holds(&page, cell);
		}
	}
	assert_holds(&page, "### Deployment");
	assert_holds(&page, "`redis://{host}:{port}/0`");
}

static void test_codes_page_has_every_code(void **state)
{
	AUTO_BUF struct buf page = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	gen_codes(&page);
	for (int code = 1; code < DIAG_CODES; code++) {
		AUTO_FREE char *cell = mem_printf("| `%s` |", diag_code_name((enum diag_code)code));

		assert_holds(&page, cell);
	}
}

static void explain(const char *topic, struct buf *out)
{
	struct err err = ERR_INIT;

	buf_clear(out);
	assert_done(gen_explain(topic, out, &err), err);
}

static void test_explain(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	explain(NULL, &text);
	assert_holds(&text, "Deployment");
	explain("deployment", &text);
	assert_holds(&text, "belongs in projects/<project>/stages/<stage>/");
	assert_holds(&text, "nodeSelector");
	explain("Deployment.config.healthCheck.http.port", &text);
	assert_holds(&text, "whole number, required");
	assert_holds(&text, "1 to 65535");
	explain("Deployment.strategy.deadline", &text);
	assert_holds(&text, "default  5m");
	assert_holds(&text, "operations");
	explain("Deployment.onRollback", &text);
	assert_holds(&text, "restore");
	assert_holds(&text, "not supported by this build");
	explain("unknown-version", &text);
	assert_holds(&text, "unknown-version: the product has no such version");
	explain("policy", &text);
	assert_non_null(
		strstr(buf_str(&text), "policy: the reconciler's settings do not allow it"));
	assert_holds(&text, "hostPaths");
	explain("healthCheck", &text);
	assert_holds(&text, "startPeriod");
	explain("SealingKey", &text);
	assert_holds(&text, "not supported by this build");
}

static void test_explain_what_is_not_there(void **state)
{
	static const struct {
		const char *topic, *says;
	} rows[] = {
		{"Deploymnet", "did you mean Deployment?"},
		{"Deployment.prefiks", "Deployment has no field prefiks; did you mean prefix?"},
		{"Deployment.prefix.x", "prefix has no fields of its own"},
		{"Deployment.config.zzz", "config has no field zzz"},
		{"zzz", "there is no kind zzz"},
		{".", "there is no kind "},
	};
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;

		assert_fails(gen_explain(rows[i].topic, &text, &err), err, E_NOT_FOUND);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].topic, err.text);
	}
	assert_int_equal(text.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schema_has_every_supported_field),
		cmocka_unit_test(test_schema_references),
		cmocka_unit_test(test_schema_of_some_fields),
		cmocka_unit_test(test_reference_has_every_field),
		cmocka_unit_test(test_codes_page_has_every_code),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_explain_what_is_not_there),
	};

	return cmocka_run_group_tests_name("schema generators", tests, NULL, NULL);
}

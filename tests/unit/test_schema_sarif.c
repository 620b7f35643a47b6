#include "tests/support/test.h"

#include "base/json.h"
#include "base/version.h"
#include "plan/render.h"
#include "schema/diag.h"

static const struct unit org = {UNIT_ORGANIZATION, NULL, NULL};

static struct loc at(uint32_t line, uint32_t column, uint32_t width)
{
	return (struct loc){line, column, width};
}

/* Behind the first run's key: the results, or what the driver is. */
static json_t *run_of(const json_t *log, const char *key)
{
	json_t *run = json_array_get(json_object_get(log, "runs"), 0);

	assert_int_equal(json_array_size(json_object_get(log, "runs")), 1);
	return json_object_get(run, key);
}

static json_t *rules_of(const json_t *log)
{
	return json_object_get(json_object_get(run_of(log, "tool"), "driver"), "rules");
}

static void assert_json(const json_t *found, const char *wanted)
{
	AUTO_JSON json_t *json = json_loads(wanted, 0, NULL);
	char *text AUTO_FREE = json_dumps(found, JSON_INDENT(1));

	assert_non_null(json);
	if (!json_equal(found, json))
		fail_msg("found %s\nnot %s", text, wanted);
}

static void assert_message(const char *message, const char *hint, const char *wanted)
{
	AUTO_DIAGS struct diags diags = {0};

	diags_add(&diags, DIAG_LIMIT, &org, NULL, at(0, 0, 0), "%s", message)->hint = hint;
	AUTO_JSON json_t *log = diags_sarif(diags.v, diags.n, NULL);
	json_t *result = json_array_get(run_of(log, "results"), 0);

	assert_string_equal(json_str(json_object_get(result, "message"), "text", ""), wanted);
	assert_null(json_object_get(result, "locations"));
}

static void test_nothing_found_is_an_empty_list(void **state)
{
	AUTO_JSON json_t *log = diags_sarif(NULL, 0, NULL);
	json_t *driver = json_object_get(run_of(log, "tool"), "driver");

	(void)state;
	assert_string_equal(json_str(log, "version", ""), "2.1.0");
	assert_string_equal(json_string_value(run_of(log, "columnKind")), "unicodeCodePoints");
	assert_string_equal(json_str(driver, "name", ""), "trueup");
	assert_string_equal(json_str(driver, "version", ""), version_text());
	assert_json(rules_of(log), "[]");
	assert_json(run_of(log, "results"), "[]");
}

static void test_a_result_has_its_place(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	struct diag *diag = diags_add(&diags, DIAG_DUPLICATE, &org, "nodes/a b.yaml", at(6, 10, 5),
				      "node edge stands twice");

	(void)state;
	diag->hint = "remove one of them";
	diag->related_path = "nodes/\xc3\xa4#%.yaml";
	diag->related = at(2, 1, 4);
	AUTO_JSON json_t *log = diags_sarif(diags.v, diags.n, "config");

	assert_json(run_of(log, "results"),
		    "[{\"ruleId\":\"duplicate\",\"ruleIndex\":0,\"level\":\"error\","
		    "\"message\":{\"text\":\"node edge stands twice. Remove one of them.\"},"
		    "\"locations\":[{\"physicalLocation\":{"
		    "\"artifactLocation\":{\"uri\":\"config/nodes/a%20b.yaml\"},"
		    "\"region\":{\"startLine\":6,\"startColumn\":10,\"endColumn\":15}}}],"
		    "\"relatedLocations\":[{\"physicalLocation\":{"
		    "\"artifactLocation\":{\"uri\":\"config/nodes/%C3%A4%23%25.yaml\"},"
		    "\"region\":{\"startLine\":2,\"startColumn\":1,\"endColumn\":5}},"
		    "\"message\":{\"text\":\"See also here.\"}}]}]");
}

static void test_a_file_as_a_whole_has_no_region(void **state)
{
	static const char *const roots[] = {NULL, "", "."};
	AUTO_DIAGS struct diags diags = {0};

	(void)state;
	diags_note(&diags, DIAG_IGNORED_FILE, &org, "x.yaml", at(0, 0, 0), "ignored");
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		AUTO_JSON json_t *log = diags_sarif(diags.v, diags.n, roots[i]);

		assert_json(run_of(log, "results"),
			    "[{\"ruleId\":\"ignored-file\",\"ruleIndex\":0,\"level\":\"note\","
			    "\"message\":{\"text\":\"ignored.\"},\"locations\":[{"
			    "\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"x.yaml\"}}}]}]");
	}
}

static void test_rules_are_those_that_occur(void **state)
{
	static const enum diag_code codes[] = {DIAG_LIMIT, DIAG_YAML_SYNTAX, DIAG_LIMIT};
	static const json_int_t indexes[] = {1, 0, 1};
	AUTO_DIAGS struct diags diags = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		diags_add(&diags, codes[i], &org, "x.yaml", at(1, 1, 0), "problem %zu", i);
	AUTO_JSON json_t *log = diags_sarif(diags.v, diags.n, NULL);
	json_t *rules = rules_of(log), *results = run_of(log, "results");

	assert_int_equal(json_array_size(rules), 2);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		json_t *result = json_array_get(results, i);
		json_t *rule = json_array_get(rules, (size_t)indexes[i]);

		assert_int_equal(json_int(result, "ruleIndex", -1), indexes[i]);
		assert_string_equal(json_str(rule, "id", ""), json_str(result, "ruleId", "-"));
		assert_string_equal(json_str(json_object_get(rule, "shortDescription"), "text", ""),
				    diag_code_text(codes[i]));
	}
}

static void test_the_hint_is_a_sentence(void **state)
{
	(void)state;
	assert_message("too large", NULL, "too large.");
	assert_message("too large", "did you mean 1.4.0?", "too large. Did you mean 1.4.0?");
	assert_message("too large", "trueup approve 12ab", "too large. trueup approve 12ab.");
	assert_message("too large", "kind: Settings", "too large. kind: Settings.");
	assert_message("\033[1mloud", NULL, " [1mloud.");
}

static void test_a_plan_gives_what_is_refused_and_held(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	struct plan_note notes[] = {
		{.slot = {"shop", "prod", "web", "edge"},
		 .reason = "approval",
		 .text = "its removal waits",
		 .hint = "trueup approve 12ab",
		 .path = "nodes/edge.yaml",
		 .at = {3, 1, 4}},
		{.slot = {.node = "edge"}, .reason = "unknown", .text = "it was not asked"},
	};
	const struct workload stray = {
		.name = "old-web",
		.labels = {.project = "shop", .stage = "old", .deployment = "web", .node = "edge"}};
	const struct workload *unclaimed[] = {&stray};

	(void)state;
	diags_add(&diags, DIAG_VERSION_FROZEN, &org, "v.yaml", at(2, 1, 1), "it is frozen");
	struct plan plan = {.refused = diags.v,
			    .refused_n = 1,
			    .held = notes,
			    .held_n = 2,
			    .unclaimed = unclaimed,
			    .unclaimed_n = 1};
	AUTO_JSON json_t *log = plan_sarif(&plan, "a");

	assert_int_equal(json_array_size(rules_of(log)), 2);
	assert_json(
		run_of(log, "results"),
		"[{\"ruleId\":\"version-frozen\",\"ruleIndex\":0,\"level\":\"error\","
		"\"message\":{\"text\":\"it is frozen.\"},\"locations\":[{\"physicalLocation\":{"
		"\"artifactLocation\":{\"uri\":\"a/v.yaml\"},"
		"\"region\":{\"startLine\":2,\"startColumn\":1,\"endColumn\":2}}}]},"
		"{\"ruleId\":\"held\",\"ruleIndex\":1,\"level\":\"note\",\"message\":{\"text\":"
		"\"shop/prod/web on edge (approval): its removal waits. trueup approve 12ab.\"},"
		"\"locations\":[{\"physicalLocation\":{"
		"\"artifactLocation\":{\"uri\":\"a/nodes/edge.yaml\"},"
		"\"region\":{\"startLine\":3,\"startColumn\":1,\"endColumn\":5}}}]},"
		"{\"ruleId\":\"held\",\"ruleIndex\":1,\"level\":\"note\",\"message\":{\"text\":"
		"\"edge (unknown): it was not asked.\"}},"
		"{\"ruleId\":\"held\",\"ruleIndex\":1,\"level\":\"note\",\"message\":{\"text\":"
		"\"shop/old/web on edge (unclaimed): old-web is ours, but of no deployment; "
		"it is left running.\"}}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_found_is_an_empty_list),
		cmocka_unit_test(test_a_result_has_its_place),
		cmocka_unit_test(test_a_file_as_a_whole_has_no_region),
		cmocka_unit_test(test_rules_are_those_that_occur),
		cmocka_unit_test(test_the_hint_is_a_sentence),
		cmocka_unit_test(test_a_plan_gives_what_is_refused_and_held),
	};

	return cmocka_run_group_tests_name("diagnostics as SARIF", tests, NULL, NULL);
}

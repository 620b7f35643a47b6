#include "tests/support/test.h"

#include "base/json.h"
#include "schema/diag.h"

static const struct unit org = {UNIT_ORGANIZATION, NULL, NULL};
static const struct unit stage = {UNIT_STAGE, "shop", "prod"};

static struct loc at(uint32_t line, uint32_t column, uint32_t width)
{
	return (struct loc){line, column, width};
}

static int read_text(void *arg, const char *path, struct buf *out)
{
	if (str_eq(path, "gone.yaml"))
		return -1;
	buf_adds(out, *(const char **)arg);
	return 0;
}

static void excerpts(struct diags *diags, const char *text)
{
	diags_excerpts(diags, read_text, &text);
}

static void assert_rendered(const struct diag *diag, const char *wanted)
{
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);

	diag_render(diag, DIAG_PLAIN, &out);
	assert_string_equal(buf_str(&out), wanted);
}

static void test_codes_are_stable_names(void **state)
{
	(void)state;
	for (int code = 1; code < DIAG_CODES; code++) {
		const char *name = diag_code_name((enum diag_code)code);

		assert_true(name[0] && diag_code_text((enum diag_code)code)[0]);
		assert_int_equal(diag_code_find(name), code);
	}
	assert_int_equal(diag_code_find("nonsense"), DIAG_NONE);
	assert_string_equal(diag_code_name(DIAG_NONE), "");
}

static void test_render_with_caret_and_hint(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	const char *text = "kind: Deployment\r\nname: a\nversion: 1.4.1\n";
	struct diag *diag =
		diags_add(&diags, DIAG_UNKNOWN_VERSION, &stage, "s/a.yaml", at(3, 10, 5),
			  "product %s has no version %s", "shop", "1.4.1");

	(void)state;
	diag->hint = "did you mean 1.4.0?";
	excerpts(&diags, text);
	assert_rendered(&diags.v[0], "s/a.yaml:3:10: error[unknown-version]: product shop has no "
				     "version 1.4.1\n"
				     "  |\n"
				     "3 | version: 1.4.1\n"
				     "  |          ^^^^^ did you mean 1.4.0?\n");
}

static void test_render_without_place(void **state)
{
	AUTO_DIAGS struct diags diags = {0};

	(void)state;
	diags_add(&diags, DIAG_EMPTY_TREE, &org, NULL, at(0, 0, 0), "nothing there");
	diags_add(&diags, DIAG_LIMIT, &org, "a.yaml", at(0, 0, 0), "too large")->hint = "split it";
	diags_add(&diags, DIAG_LIMIT, &org, "gone.yaml", at(7, 1, 1), "too deep");
	excerpts(&diags, "unused");
	assert_rendered(&diags.v[0], "error[empty-tree]: nothing there\n");
	assert_rendered(&diags.v[1], "a.yaml: error[limit]: too large\n  = split it\n");
	assert_rendered(&diags.v[2], "gone.yaml:7:1: error[limit]: too deep\n");
}

static void test_render_note_and_related(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	struct diag *diag =
		diags_note(&diags, DIAG_IGNORED_FILE, &org, "x.yaml", at(0, 0, 0), "no");

	(void)state;
	diag->related_path = "y.yaml";
	diag->related = at(2, 3, 1);
	assert_int_equal(diags.errors, 0);
	assert_rendered(diag, "x.yaml: note[ignored-file]: no\ny.yaml:2:3: note: see also here\n");
}

/* Characters count, not bytes; tabs keep their place; bytes that harm a terminal are not shown. */
static void test_caret_under_odd_characters(void **state)
{
	AUTO_DIAGS struct diags diags = {0};

	(void)state;
	diags_add(&diags, DIAG_BAD_VALUE, &org, "a", at(1, 6, 2), "m");
	excerpts(&diags, "\xef\xbb\xbf\xc3\xa4\tb: \xe2\x82\xac\xe2\x82\xac");
	assert_rendered(&diags.v[0], "a:1:6: error[bad-value]: m\n"
				     "  |\n"
				     "1 | \xc3\xa4\tb: \xe2\x82\xac\xe2\x82\xac\n"
				     "  |  \t   ^^\n");
}

static void test_escape_sequences_do_not_reach_the_terminal(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	diags_add(&diags, DIAG_BAD_VALUE, &org, "a\033[31m", at(1, 1, 1), "m\033]0;x\007")->hint =
		"h\x1b";
	excerpts(&diags, "x\033[2J");
	diag_render(&diags.v[0], DIAG_PLAIN, &out);
	assert_null(strchr(buf_str(&out), '\033'));
	assert_null(strchr(buf_str(&out), '\007'));
}

static void test_colour_only_when_asked(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	diags_add(&diags, DIAG_LIMIT, &org, "a", at(0, 0, 0), "m");
	diag_render(&diags.v[0], DIAG_COLOUR, &out);
	assert_non_null(strchr(buf_str(&out), '\033'));
}

static void test_far_columns_show_no_excerpt(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	char line[1000];

	(void)state;
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	diags_add(&diags, DIAG_LIMIT, &org, "a", at(1, 900, 5), "far");
	diags_add(&diags, DIAG_LIMIT, &org, "a", at(1, 2, 5000), "near");
	diags_add(&diags, DIAG_LIMIT, &org, "a", at(2, 1, 1), "beyond");
	excerpts(&diags, line);
	assert_null(diags.v[0].excerpt);
	assert_int_equal(strlen(diags.v[1].excerpt), 200);
	assert_null(diags.v[2].excerpt);
}

static void test_sort_and_duplicates(void **state)
{
	AUTO_DIAGS struct diags diags = {0};

	(void)state;
	diags_add(&diags, DIAG_LIMIT, &stage, "b", at(1, 1, 1), "m");
	diags_add(&diags, DIAG_LIMIT, &stage, "a", at(10, 1, 1), "m");
	diags_add(&diags, DIAG_LIMIT, &stage, "a", at(9, 2, 1), "m");
	diags_add(&diags, DIAG_BAD_NAME, &stage, "a", at(9, 2, 1), "m");
	diags_add(&diags, DIAG_LIMIT, &stage, "a", at(9, 2, 1), "m");
	diags_add(&diags, DIAG_LIMIT, &org, NULL, at(0, 0, 0), "m");
	diags_sort(&diags);
	assert_int_equal(diags.n, 5);
	assert_int_equal(diags.errors, 5);
	assert_null(diags.v[0].path);
	assert_int_equal(diags.v[1].code, DIAG_BAD_NAME);
	assert_int_equal(diags.v[2].code, DIAG_LIMIT);
	assert_int_equal(diags.v[3].at.line, 10);
	assert_string_equal(diags.v[4].path, "b");
}

/* However long the list: a unit with a problem is in it. */
static void test_the_list_is_bounded_and_forgets_no_unit(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	char name[16];

	(void)state;
	for (int i = 0; i < DIAGS_MAX + 500; i++)
		diags_add(&diags, DIAG_LIMIT, &stage, "a", at(1, 1, 1), "%d", i)->hint = "x";
	assert_int_equal(diags.n, DIAGS_MAX);
	assert_int_equal(diags.dropped, 500);
	for (int i = 0; i < 300; i++) {
		struct unit unit = {UNIT_STAGE, "shop", name};

		snprintf(name, sizeof name, "s%d", i / 100);
		diags_add(&diags, DIAG_LIMIT, &unit, "b", at(1, 1, 1), "%d", i);
	}
	assert_int_equal(diags.n, DIAGS_MAX + 3);
	assert_int_equal(diags.errors, DIAGS_MAX + 800);
	assert_string_equal(diags.v[DIAGS_MAX + 2].unit.stage, "s2");
}

static void test_texts_are_copies(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	char path[] = "path", project[] = "shop";
	struct unit unit = {UNIT_PROJECT, project, NULL};

	(void)state;
	diags_add(&diags, DIAG_LIMIT, &unit, path, at(1, 1, 1), "m");
	path[0] = project[0] = 'X';
	assert_string_equal(diags.v[0].path, "path");
	assert_string_equal(diags.v[0].unit.project, "shop");
}

static void test_long_messages_are_cut_between_characters(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	char text[3001];

	(void)state;
	for (size_t i = 0; i < 3000; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	text[3000] = '\0';
	diags_add(&diags, DIAG_LIMIT, &org, "a", at(1, 1, 1), "%s", text);
	assert_int_equal(strlen(diags.v[0].message) % 3, 0);
	assert_true(strlen(diags.v[0].message) > 1000);
}

static void test_json_both_ways(void **state)
{
	AUTO_DIAGS struct diags diags = {0}, back = {0};
	AUTO_JSON json_t *array = NULL;
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	struct diag *diag = diags_add(&diags, DIAG_DUPLICATE, &stage, "a", at(3, 4, 9), "m");

	(void)state;
	diag->hint = "h";
	diag->related_path = "b";
	diag->related = at(1, 2, 3);
	diags_note(&diags, DIAG_IGNORED_FILE, &org, NULL, at(0, 0, 0), "n");
	array = diags_json(diags.v, diags.n);
	json_write(array, &text);
	assert_string_equal(
		buf_str(&text),
		"[{\"code\":\"duplicate\",\"column\":4,\"file\":\"a\",\"hint\":\"h\","
		"\"line\":3,\"message\":\"m\",\"related\":{\"column\":2,\"file\":\"b\","
		"\"line\":1}},{\"code\":\"ignored-file\",\"column\":null,\"file\":null,"
		"\"hint\":null,\"line\":null,\"message\":\"n\",\"severity\":\"note\"}]");
	for (size_t i = 0; i < json_array_size(array); i++)
		assert_int_equal(diag_from_json(json_array_get(array, i), &stage, &back), 0);
	assert_int_equal(back.n, 2);
	assert_int_equal(back.errors, 1);
	assert_string_equal(back.v[0].related_path, "b");
	assert_int_equal(back.v[0].at.column, 4);
	assert_int_equal(back.v[1].severity, DIAG_NOTE);
	assert_null(back.v[1].path);
}

static void test_json_of_another_kind_is_refused(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	AUTO_JSON json_t *no_code = json_pack("{s:s}", "message", "m");
	AUTO_JSON json_t *no_message = json_pack("{s:s}", "code", "limit");

	(void)state;
	assert_int_equal(diag_from_json(no_code, &org, &diags), -1);
	assert_int_equal(diag_from_json(no_message, &org, &diags), -1);
	assert_int_equal(diags.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes_are_stable_names),
		cmocka_unit_test(test_render_with_caret_and_hint),
		cmocka_unit_test(test_render_without_place),
		cmocka_unit_test(test_render_note_and_related),
		cmocka_unit_test(test_caret_under_odd_characters),
		cmocka_unit_test(test_escape_sequences_do_not_reach_the_terminal),
		cmocka_unit_test(test_colour_only_when_asked),
		cmocka_unit_test(test_far_columns_show_no_excerpt),
		cmocka_unit_test(test_sort_and_duplicates),
		cmocka_unit_test(test_the_list_is_bounded_and_forgets_no_unit),
		cmocka_unit_test(test_texts_are_copies),
		cmocka_unit_test(test_long_messages_are_cut_between_characters),
		cmocka_unit_test(test_json_both_ways),
		cmocka_unit_test(test_json_of_another_kind_is_refused),
	};

	return cmocka_run_group_tests_name("schema diagnostics", tests, NULL, NULL);
}

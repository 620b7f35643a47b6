#include "tests/support/test.h"

#include "base/buf.h"
#include "schema/doc.h"

/* The tree, and what keeps it small: every cap is shown by counting, on both sides of it. */

static const struct unit nobody = {UNIT_ORGANIZATION, NULL, NULL};

struct parsed {
	struct arena *arena;
	struct diags diags;
	const struct doc_node *root; /* of the last document */
	size_t documents;
};

static void keep(void *arg, const struct doc_node *root)
{
	struct parsed *parsed = arg;

	parsed->root = root;
	parsed->documents++;
}

static struct parsed parse_bytes(const char *text, size_t len)
{
	struct parsed parsed = {.arena = arena_new(0)};
	struct doc_source source = {.path = "a.yaml", .unit = &nobody, .diags = &parsed.diags};

	doc_parse(parsed.arena, text, len, &source, keep, &parsed);
	return parsed;
}

static struct parsed parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void release(struct parsed *parsed)
{
	arena_free(parsed->arena);
	diags_release(&parsed->diags);
}
#define AUTO_PARSED CLEANUP(release)

static void assert_problem(const struct parsed *parsed, enum diag_code code)
{
	assert_int_equal(parsed->diags.n, 1);
	assert_string_equal(diag_code_name(parsed->diags.v[0].code), diag_code_name(code));
}

/* ---- the tree ---- */

static void test_a_tree(void **state)
{
	AUTO_PARSED struct parsed parsed =
		parse("a: 1\nb: [x, 'y', \"z\"]\nc:\n  d: |\n    e\n    f\n");
	const struct doc_node *root = parsed.root, *b, *c;

	(void)state;
	assert_int_equal(parsed.diags.n, 0);
	assert_int_equal(root->type, DOC_MAPPING);
	assert_int_equal(root->n, 3);
	assert_true(root->block);
	b = doc_get(root, "b")->value;
	assert_int_equal(b->type, DOC_SEQUENCE);
	assert_false(b->block);
	assert_int_equal(b->n, 3);
	assert_true(b->items[0]->plain);
	assert_false(b->items[1]->plain);
	assert_false(b->items[2]->plain);
	assert_int_equal(b->at.column, 4);
	assert_int_equal(b->at.width, strlen("[x, 'y', \"z\"]"));
	c = doc_get(root, "c")->value;
	assert_string_equal(doc_get(c, "d")->value->text, "e\nf\n");
	assert_null(doc_get(root, "e"));
	assert_int_equal(doc_pair_at(doc_get(root, "a")).column, 4);
	assert_int_equal(doc_pair_at(doc_get(root, "c")).column, 1);
}

static void test_core_rules(void **state)
{
	static const struct {
		const char *text, *what;
	} rows[] = {
		{"", "nothing"},
		{"~", "nothing"},
		{"null", "nothing"},
		{"Null", "nothing"},
		{"NULL", "nothing"},
		{"nULL", "a text"},
		{"\"\"", "a text"},
		{"'~'", "a text"},
		{"true", "true or false"},
		{"False", "true or false"},
		{"yes", "a text"},
		{"No", "a text"},
		{"on", "a text"},
		{"y", "a text"},
		{"012", "a number"},
		{"1e3", "a number"},
		{"0x10", "a number"},
		{"-5", "a number"},
		{"1.10", "a number"},
		{"'1'", "a text"},
		{"1.2.3", "a number"},
		{"a", "a text"},
		{"[]", "a list"},
		{"{}", "a mapping"},
		{"!!str true", "a text"},
		{"!!str", "a text"},
		{"!!bool 'true'", "true or false"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = mem_printf("k: %s\n", rows[i].text);
		AUTO_PARSED struct parsed parsed = parse(text);
		const char *what = doc_describe(parsed.root->pairs[0].value);

		assert_int_equal(parsed.diags.n, 0);
		if (!str_eq(what, rows[i].what))
			fail_msg("%s is %s", rows[i].text, what);
	}
}

static void test_whole_numbers(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} rows[] = {
		{"0", 0, 0},
		{"80", 0, 80},
		{"-5", 0, -5},
		{"+5", 0, 5},
		{"012", 0, 12},
		{"0x1F", 0, 31},
		{"0o17", 0, 15},
		{"0b1", -1, 0},
		{"1.0", -1, 0},
		{"1e3", -1, 0},
		{"1_000", -1, 0},
		{"0x", -1, 0},
		{"0o8", -1, 0},
		{"'5'", -1, 0},
		{"[5]", -1, 0},
		{"-0x1", -1, 0},
		{"9223372036854775807", 0, INT64_MAX},
		{"9223372036854775808", -1, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = mem_printf("k: %s\n", rows[i].text);
		AUTO_PARSED struct parsed parsed = parse(text);
		int64_t value = 0;

		if (doc_int(parsed.root->pairs[0].value, &value) != rows[i].result ||
		    value != rows[i].value)
			fail_msg("%s is %lld", rows[i].text, (long long)value);
	}
}

static void test_documents(void **state)
{
	AUTO_PARSED struct parsed several = parse("---\na: 1\n---\n---\n# none\n---\nb: 2\n...\n");
	AUTO_PARSED struct parsed none = parse("# nothing\n");
	AUTO_PARSED struct parsed empty = parse("");

	(void)state;
	assert_int_equal(several.documents, 2);
	assert_string_equal(several.root->pairs[0].key->text, "b");
	assert_int_equal(none.documents, 0);
	assert_int_equal(empty.documents + empty.diags.n + none.diags.n, 0);
}

static void test_what_came_before_a_syntax_error_is_used(void **state)
{
	AUTO_PARSED struct parsed parsed = parse("a: 1\n---\nb: [\n");

	(void)state;
	assert_int_equal(parsed.documents, 1);
	assert_problem(&parsed, DIAG_YAML_SYNTAX);
}

static void test_a_syntax_error_says_what_was_meant(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *hint;
	} rows[] = {
		{"a:\n\tb: 1\n", 2, "not with tabs"},
		{"a: 1\n b: 2\n", 2, "indented as the lines around"},
		{"a: b: c\n", 1, "needs quotes"},
		{"a:\n  b: 1\n c: 2\n", 3, "indented as the lines around"},
		{"a: \"b\nc: d\n\n", 1, "that begins here has no end"},
		{"a: [b\nc: d\n", 1, "ends with ]"},
		{"a: {b: c\nd: e\n", 1, "ends with }"},
		{"a: 1\nb\nc: 2\n", 2, "\": \" behind it"},
		{"a: @b\n", 1, "in quotes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_PARSED struct parsed parsed = parse(rows[i].text);

		assert_problem(&parsed, DIAG_YAML_SYNTAX);
		if (parsed.diags.v[0].at.line != rows[i].line || !parsed.diags.v[0].hint ||
		    !strstr(parsed.diags.v[0].hint, rows[i].hint))
			fail_msg("%s: line %u: %s", rows[i].text, parsed.diags.v[0].at.line,
				 parsed.diags.v[0].hint);
	}
}

static void test_an_alias_is_the_node_of_its_anchor(void **state)
{
	AUTO_PARSED struct parsed parsed = parse("a: &x {b: c}\nd: *x\ne: [*x, *x]\n");

	(void)state;
	assert_int_equal(parsed.diags.n, 0);
	assert_ptr_equal(doc_get(parsed.root, "d")->value, doc_get(parsed.root, "a")->value);
	assert_ptr_equal(doc_get(parsed.root, "e")->value->items[1],
			 doc_get(parsed.root, "a")->value);
}

static void test_the_latest_anchor_counts(void **state)
{
	AUTO_PARSED struct parsed parsed = parse("a: &x 1\nb: &x 2\nc: *x\n");

	(void)state;
	assert_string_equal(doc_get(parsed.root, "c")->value->text, "2");
}

/* ---- caps ---- */

static struct buf repeated(const char *before, const char *text, size_t n, const char *after)
{
	struct buf out = BUF_INIT(BUF_MAX_TEXT);

	buf_adds(&out, before);
	while (n--)
		buf_adds(&out, text);
	buf_adds(&out, after);
	return out;
}

static struct parsed parse_buf(struct buf text)
{
	struct parsed parsed = parse_bytes(buf_str(&text), text.len);

	buf_release(&text);
	return parsed;
}

static void assert_cap(struct buf below, struct buf beyond)
{
	AUTO_PARSED struct parsed fine = parse_buf(below);
	AUTO_PARSED struct parsed much = parse_buf(beyond);

	if (fine.diags.n)
		fail_msg("%s", fine.diags.v[0].message);
	assert_int_equal(fine.documents, 1);
	assert_problem(&much, DIAG_LIMIT);
	assert_int_equal(much.documents, 0);
}

static void test_bytes(void **state)
{
	(void)state;
	assert_cap(repeated("a: b\n#", "x", DOC_BYTES_MAX - 6, ""),
		   repeated("a: b\n#", "x", DOC_BYTES_MAX - 5, ""));
}

static void test_depth(void **state)
{
	AUTO_FREE char *close = mem_zalloc(DOC_DEPTH_MAX + 2, 1);

	(void)state;
	memset(close, ']', DOC_DEPTH_MAX);
	assert_cap(repeated("", "[", DOC_DEPTH_MAX, close),
		   repeated("", "[", DOC_DEPTH_MAX + 1, close));
	assert_cap(repeated("", "- ", DOC_DEPTH_MAX, "a"),
		   repeated("", "- ", DOC_DEPTH_MAX + 1, "a"));
}

/* A bomb that the scanner alone takes seconds for is left at the 65th bracket. */
static void test_a_million_brackets(void **state)
{
	AUTO_PARSED struct parsed lists = parse_buf(repeated("", "[", 1000000, ""));
	AUTO_PARSED struct parsed maps = parse_buf(repeated("", "{", 1000000, ""));

	(void)state;
	assert_problem(&lists, DIAG_LIMIT);
	assert_int_equal(lists.diags.v[0].at.column, DOC_DEPTH_MAX + 1);
	assert_problem(&maps, DIAG_LIMIT);
	assert_true(arena_held(lists.arena) < 65536);
}

static void test_nodes(void **state)
{
	(void)state;
	/* the mapping, its key and the list are nodes, too */
	assert_cap(repeated("a: [", "b,", DOC_NODES_MAX - 3, "]"),
		   repeated("a: [", "b,", DOC_NODES_MAX - 2, "]"));
}

static void test_nodes_are_counted_by_document(void **state)
{
	AUTO_PARSED struct parsed parsed;
	struct buf text = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct buf part = repeated("---\na: [", "b,", 60000, "]\n");

		buf_add(&text, buf_str(&part), part.len);
		buf_release(&part);
	}
	parsed = parse_buf(text);
	assert_int_equal(parsed.diags.n, 0);
	assert_int_equal(parsed.documents, 3);
}

static void test_texts(void **state)
{
	(void)state;
	assert_cap(repeated("a: ", "x", DOC_STRING_MAX, "\n"),
		   repeated("a: ", "x", DOC_STRING_MAX + 1, "\n"));
}

static void test_aliases(void **state)
{
	(void)state;
	assert_cap(repeated("a: [&x y,", "*x ,", DOC_ALIASES_MAX, "]"),
		   repeated("a: [&x y,", "*x ,", DOC_ALIASES_MAX + 1, "]"));
}

/* Ten aliases in each of nine levels stand for a billion copies. */
static void test_aliases_of_aliases(void **state)
{
	struct buf text = BUF_INIT(BUF_MAX_TEXT);
	AUTO_PARSED struct parsed parsed;

	(void)state;
	buf_adds(&text, "a0: &a0 [x]\n");
	for (int i = 1; i < 10; i++)
		buf_addf(&text, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n",
			 i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
			 i - 1);
	parsed = parse_buf(text);
	assert_problem(&parsed, DIAG_LIMIT);
	assert_true(arena_held(parsed.arena) < 65536);
}

/* Few aliases of something large count as all that they stand for. */
static void test_aliases_of_large_things(void **state)
{
	struct buf text = repeated("a: &x [", "b,", 60000, "]\nc: *x\n");
	AUTO_PARSED struct parsed parsed = parse_buf(text);

	(void)state;
	assert_problem(&parsed, DIAG_LIMIT);
}

/* The parser compares each with all others: thousands of them would take seconds. */
static void test_directives(void **state)
{
	AUTO_PARSED struct parsed two =
		parse("%YAML 1.2\n%TAG !e! tag:example.org,2000:\n---\na: b\n");
	struct buf text = BUF_INIT(BUF_MAX_TEXT);
	AUTO_PARSED struct parsed many;

	(void)state;
	assert_int_equal(two.diags.n, 0);
	assert_int_equal(two.documents, 1);
	for (int i = 0; i < 40000; i++)
		buf_addf(&text, "%%TAG !a%d! tag:x%d\n", i, i);
	buf_adds(&text, "---\na: b\n");
	many = parse_buf(text);
	assert_problem(&many, DIAG_LIMIT);
	assert_int_equal(many.diags.v[0].at.line, DOC_DIRECTIVES_MAX + 1);
}

static void use_wrongly(void *arg, const struct doc_node *root)
{
	struct parsed *parsed = arg;

	keep(arg, root);
	diags_add(&parsed->diags, DIAG_UNKNOWN_KIND, &nobody, "a.yaml", root->at, "no");
}

/* Each document is a problem: after a thousand, no more of them are read. */
static void test_many_problems(void **state)
{
	AUTO_PARSED struct parsed parsed = {.arena = arena_new(0)};
	struct doc_source source = {.path = "a.yaml", .unit = &nobody, .diags = &parsed.diags};
	struct buf text = repeated("", "a\n---\n", 100000, "");

	(void)state;
	doc_parse(parsed.arena, buf_str(&text), text.len, &source, use_wrongly, &parsed);
	buf_release(&text);
	assert_int_equal(parsed.documents, DOC_PROBLEMS_MAX + 1);
	assert_int_equal(parsed.diags.n, DOC_PROBLEMS_MAX + 2);
	assert_int_equal(parsed.diags.v[parsed.diags.n - 1].code, DIAG_LIMIT);
}

static void test_many_keys(void **state)
{
	struct buf text = BUF_INIT(BUF_MAX_TEXT);
	AUTO_PARSED struct parsed parsed;

	(void)state;
	for (int i = 0; i < 40000; i++)
		buf_addf(&text, "k%d: v\n", i);
	buf_adds(&text, "k77: again\n");
	parsed = parse_buf(text);
	assert_problem(&parsed, DIAG_YAML_DUPLICATE_KEY);
	assert_int_equal(parsed.root->n, 40000);
	assert_string_equal(doc_get(parsed.root, "k77")->value->text, "v");
}

static void test_many_anchors(void **state)
{
	struct buf text = BUF_INIT(BUF_MAX_TEXT);
	AUTO_PARSED struct parsed parsed;

	(void)state;
	buf_adds(&text, "a: [");
	for (int i = 0; i < DOC_ANCHORS_MAX; i++)
		buf_addf(&text, "&a%d x,", i);
	for (int i = 0; i < 1000; i++)
		buf_addf(&text, "*a%d ,", i);
	buf_adds(&text, "]");
	parsed = parse_buf(text);
	assert_int_equal(parsed.diags.n, 0);
}

static void test_anchors(void **state)
{
	struct buf text = BUF_INIT(BUF_MAX_TEXT);
	AUTO_PARSED struct parsed parsed;

	(void)state;
	buf_adds(&text, "a: [");
	for (int i = 0; i <= DOC_ANCHORS_MAX; i++)
		buf_addf(&text, "&a%d x,", i);
	buf_adds(&text, "]");
	parsed = parse_buf(text);
	assert_problem(&parsed, DIAG_LIMIT);
	assert_int_equal(parsed.documents, 0);
}

static void test_many_documents(void **state)
{
	AUTO_PARSED struct parsed fine =
		parse_buf(repeated("a: b\n", "---\n", DOC_DOCUMENTS_MAX - 1, ""));
	AUTO_PARSED struct parsed much =
		parse_buf(repeated("a: b\n", "---\n", DOC_DOCUMENTS_MAX, ""));

	(void)state;
	assert_int_equal(fine.diags.n, 0);
	assert_problem(&much, DIAG_LIMIT);
}

/* A problem with each value: the document is left in its middle. */
static void test_many_problems_in_one_document(void **state)
{
	AUTO_PARSED struct parsed parsed = parse_buf(repeated("a: [", "!t x,", 50000, "]\n"));

	(void)state;
	assert_int_equal(parsed.documents, 0);
	assert_int_equal(parsed.diags.n, DOC_PROBLEMS_MAX + 2);
	assert_int_equal(parsed.diags.v[parsed.diags.n - 1].code, DIAG_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_tree),
		cmocka_unit_test(test_core_rules),
		cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_what_came_before_a_syntax_error_is_used),
		cmocka_unit_test(test_a_syntax_error_says_what_was_meant),
		cmocka_unit_test(test_an_alias_is_the_node_of_its_anchor),
		cmocka_unit_test(test_the_latest_anchor_counts),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_a_million_brackets),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_nodes_are_counted_by_document),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_aliases_of_aliases),
		cmocka_unit_test(test_aliases_of_large_things),
		cmocka_unit_test(test_directives),
		cmocka_unit_test(test_many_problems),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_many_anchors),
		cmocka_unit_test(test_anchors),
		cmocka_unit_test(test_many_documents),
		cmocka_unit_test(test_many_problems_in_one_document),
	};

	return cmocka_run_group_tests_name("schema yaml", tests, NULL, NULL);
}

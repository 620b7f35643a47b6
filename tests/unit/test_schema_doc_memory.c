#include "tests/support/test.h"

#include <unistd.h>

#include "schema/doc.h"
#include "schema/doc_memory.h"

/* The pool that libyaml works in: what it gives, and that libyaml takes it from there. */

#define PIECES 200

static const struct unit nobody = {UNIT_ORGANIZATION, NULL, NULL};

static void parse(const char *text, doc_use *use, void *arg)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_DIAGS struct diags diags = {0};
	struct doc_source source = {.path = "a.yaml", .unit = &nobody, .diags = &diags};

	doc_parse(arena, text, strlen(text), &source, use, arg);
}

/* ---- pieces ---- */

/* From nothing to far beyond the largest class, and just at their borders. */
static size_t size_of(size_t i)
{
	return ((size_t)1 << i / 2 % 20) + (i & 1);
}

static void fill(unsigned char *piece, size_t size, size_t i)
{
	memset(piece, (int)(i & 0xff), size);
}

static void check(const unsigned char *piece, size_t size, size_t i)
{
	assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
	for (size_t at = 0; at < size; at++)
		if (piece[at] != (i & 0xff))
			fail_msg("piece %zu of %zu bytes: byte %zu changed", i, size, at);
}

static void test_pieces_are_apart(void **state UNUSED)
{
	unsigned char *pieces[PIECES];

	doc_memory_begin();
	for (size_t i = 0; i < PIECES; i++) {
		pieces[i] = yaml_malloc(size_of(i));
		fill(pieces[i], size_of(i), i);
	}
	assert_int_equal(doc_memory_taken(), PIECES);
	for (size_t i = 0; i < PIECES; i++) {
		check(pieces[i], size_of(i), i);
		yaml_free(pieces[i]);
	}
	assert_int_equal(doc_memory_taken(), 0);
	doc_memory_end();
}

static void test_pieces_grow(void **state UNUSED)
{
	const size_t last = (size_t)1 << 20;
	unsigned char *piece = NULL, *neighbour;

	doc_memory_begin();
	neighbour = yaml_malloc(16);
	fill(neighbour, 16, 2);
	for (size_t size = 1, filled = 0; size <= last; filled = size, size *= 2) {
		piece = yaml_realloc(piece, size);
		check(piece, filled, 1);
		fill(piece, size, 1);
	}
	check(piece, last, 1);
	check(neighbour, 16, 2);
	assert_int_equal(doc_memory_taken(), 2);
	yaml_free(piece);
	yaml_free(neighbour);
	doc_memory_end();
}

static void test_pieces_come_back(void **state UNUSED)
{
	void *first, *again, *other;

	doc_memory_begin();
	first = yaml_malloc(24);
	yaml_free(first);
	again = yaml_malloc(32);
	other = yaml_malloc(32);
	assert_ptr_equal(first, again);
	assert_ptr_not_equal(again, other);
	yaml_free(again);
	yaml_free(other);
	doc_memory_end();
	/* The next reading begins at the beginning. */
	doc_memory_begin();
	assert_ptr_equal(first, yaml_malloc(32));
	yaml_free(first);
	doc_memory_end();
}

static void test_copies_text(void **state UNUSED)
{
	unsigned char *copy;

	doc_memory_begin();
	copy = yaml_strdup((const unsigned char *)"a text");
	assert_string_equal((const char *)copy, "a text");
	assert_null(yaml_strdup(NULL));
	yaml_free(copy);
	yaml_free(NULL);
	doc_memory_end();
}

/* Outside of a reading the other users of libyaml in the process have malloc. */
static void test_outside_is_malloc(void **state UNUSED)
{
	char *piece = yaml_malloc(8);

	assert_int_equal(doc_memory_taken(), 0);
	piece = realloc(piece, 80);
	yaml_free(piece);
	free(yaml_strdup((const unsigned char *)"a text"));
}

/* ---- libyaml ---- */

static void see_taken(void *arg, const struct doc_node *root UNUSED)
{
	size_t *taken = arg;

	*taken = doc_memory_taken();
}

static void test_libyaml_takes_from_it(void **state UNUSED)
{
	size_t taken = 0;

	parse("a: b\n", see_taken, &taken);
	assert_true(taken > 0);
	assert_int_equal(doc_memory_taken(), 0);
}

static void parse_another(void *arg, const struct doc_node *root)
{
	size_t *lines = arg;

	parse("[1, 2, 3]", see_taken, &(size_t){0});
	*lines += root->at.line;
}

static void test_readings_are_nested(void **state UNUSED)
{
	size_t lines = 0;

	parse("a: b\n--- {c: d}\n---\n\"a longer text that is kept\"\n", parse_another, &lines);
	assert_int_equal(lines, 1 + 2 + 4);
	assert_int_equal(doc_memory_taken(), 0);
}

static void test_all_comes_back_of_broken_files(void **state UNUSED)
{
	static const char *const texts[] = {"a: [b, c\n",
					    "a: \"b\n",
					    "a: *b\n",
					    "%TAG ! a\n%TAG ! a\n",
					    "a: |\n b\n\tc: {",
					    "? &a !!str [x, \"y\\q\"]",
					    "&a [*a]",
					    "a: b: c",
					    "\x01"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		parse(texts[i], see_taken, &(size_t){0});
		assert_int_equal(doc_memory_taken(), 0);
	}
}

/* A library that finds its own functions first: nothing was asked for here. */
static void leave_out(void *arg UNUSED)
{
	void *piece;

	doc_memory_begin();
	doc_memory_check();
	piece = yaml_malloc(8);
	if (doc_memory_taken() != 0)
		_exit(1);
	free(piece);
	doc_memory_end();
	_exit(0);
}

static void test_libyaml_may_not_ask(void **state UNUSED)
{
	char text[256] = "";

	assert_int_equal(test_in_child(leave_out, NULL, text, sizeof text), 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_are_apart),
		cmocka_unit_test(test_pieces_grow),
		cmocka_unit_test(test_pieces_come_back),
		cmocka_unit_test(test_copies_text),
		cmocka_unit_test(test_outside_is_malloc),
		cmocka_unit_test(test_libyaml_takes_from_it),
		cmocka_unit_test(test_readings_are_nested),
		cmocka_unit_test(test_all_comes_back_of_broken_files),
		cmocka_unit_test(test_libyaml_may_not_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

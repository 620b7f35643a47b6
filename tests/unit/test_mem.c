#include "tests/support/test.h"

static void test_sizes_of_zero_give_memory(void **state)
{
	void *a AUTO_FREE = mem_alloc(0), *b AUTO_FREE = mem_zalloc(0, 5);
	void *c AUTO_FREE = mem_realloc(NULL, 0);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	c = mem_realloc(c, 0);
	assert_non_null(c);
}

static void test_zalloc_zeroes(void **state)
{
	char *bytes AUTO_FREE = mem_zalloc(100, 10);

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(bytes[i], 0);
}

static void test_texts(void **state)
{
	char *a AUTO_FREE = mem_strdup("abc"), *b AUTO_FREE = mem_strndup("abc", 2);
	char *c AUTO_FREE = mem_strndup("abc", SIZE_MAX), *d AUTO_FREE = mem_printf("%d%s", 1, "x");

	(void)state;
	assert_string_equal(a, "abc");
	assert_string_equal(b, "ab");
	assert_string_equal(c, "abc");
	assert_string_equal(d, "1x");
	mem_free_ptr(&a);
	assert_null(a);
}

static void zalloc_that_wraps(void *arg)
{
	(void)arg;
	free(mem_zalloc(SIZE_MAX / 2, 3));
}

static void realloc_that_wraps(void *arg)
{
	(void)arg;
	free(mem_realloc_array(NULL, SIZE_MAX / 2, 3));
}

/* The volatile keeps the compiler from seeing the size and refusing to build this. */
static void more_than_there_is(void *arg)
{
	volatile size_t size = PTRDIFF_MAX;

	(void)arg;
	free(mem_alloc(size));
}

static void test_exhaustion_ends_the_process_with_a_message(void **state)
{
	void (*const bodies[])(void *) = {zalloc_that_wraps, realloc_that_wraps,
					  more_than_there_is};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		assert_int_equal(test_in_child(bodies[i], NULL, text, sizeof text),
				 EXIT_ERROR << 8);
		assert_non_null(strstr(text, "trueup: out of memory\n"));
	}
}

static void test_string_helpers(void **state)
{
	(void)state;
	assert_true(str_cmp(NULL, "") < 0);
	assert_true(str_cmp("", NULL) > 0);
	assert_int_equal(str_cmp(NULL, NULL), 0);
	assert_true(str_cmp("a", "b") < 0);
	assert_true(str_eq("a", "a"));
	assert_false(str_eq("a", NULL));
	assert_true(str_starts("prefix", "pre"));
	assert_true(str_starts("x", ""));
	assert_false(str_starts("pr", "pre"));
	assert_true(str_ends("file.yaml", ".yaml"));
	assert_true(str_ends("x", ""));
	assert_false(str_ends("yaml", ".yaml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_of_zero_give_memory),
		cmocka_unit_test(test_zalloc_zeroes),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_exhaustion_ends_the_process_with_a_message),
		cmocka_unit_test(test_string_helpers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/test.h"

#include "base/arena.h"

static bool is_zero(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static void test_pieces_are_zeroed_aligned_and_apart(void **state)
{
	struct arena *arena AUTO_ARENA = arena_new(0);
	char *pieces[500];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		pieces[i] = arena_alloc(arena, i);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		assert_true(is_zero(pieces[i], i));
		memset(pieces[i], (int)(i % 255) + 1, i);
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		for (size_t j = 0; j < i; j++)
			assert_int_equal((unsigned char)pieces[i][j], i % 255 + 1);
	}
	assert_ptr_not_equal(pieces[0], pieces[1]);
}

static void test_large_pieces_do_not_waste_the_current_chunk(void **state)
{
	struct arena *arena AUTO_ARENA = arena_new(512);
	char *before = arena_alloc(arena, 16), *large, *after;

	(void)state;
	large = arena_alloc(arena, 10 << 20);
	memset(large, 1, 10 << 20);
	after = arena_alloc(arena, 16);
	assert_ptr_equal(after, before + 16);
}

static void test_texts(void **state)
{
	struct arena *arena AUTO_ARENA = arena_new(0);
	char *text = arena_strdup(arena, "hello"), *next;

	(void)state;
	assert_string_equal(text, "hello");
	assert_string_equal(arena_strndup(arena, "hello", 2), "he");
	assert_string_equal(arena_strndup(arena, "he", 99), "he");
	assert_string_equal(arena_strdup(arena, ""), "");
	assert_null(arena_strdup(arena, NULL));
	assert_null(arena_strndup(arena, NULL, 3));
	assert_string_equal(arena_printf(arena, "%s-%d", "a", 5), "a-5");
	assert_memory_equal(arena_memdup(arena, "a\0b", 3), "a\0b", 3);
	assert_non_null(arena_memdup(arena, NULL, 0));
	/* texts stand side by side */
	text = arena_strdup(arena, "12345");
	next = arena_strdup(arena, "67");
	assert_ptr_equal(next, text + 6);
}

static void test_clear_keeps_one_clean_chunk(void **state)
{
	struct arena *arena AUTO_ARENA = arena_new(512);
	size_t held = arena_held(arena);
	char *piece;

	(void)state;
	for (int i = 0; i < 1000; i++)
		memset(arena_alloc(arena, 100), 0xff, 100);
	assert_true(arena_held(arena) > 100000);
	assert_int_equal(arena_used(arena), 100000);
	arena_clear(arena);
	assert_int_equal(arena_held(arena), held);
	assert_int_equal(arena_used(arena), 0);
	piece = arena_alloc(arena, 400);
	assert_true(is_zero(piece, 400));
	assert_int_equal(arena_held(arena), held);
}

static void test_overhead_is_small(void **state)
{
	struct arena *arena AUTO_ARENA = arena_new(0);

	(void)state;
	for (int i = 0; i < 100000; i++)
		arena_strdup(arena, "a text of some length, as names are");
	assert_true(arena_held(arena) < arena_used(arena) + (512 << 10));
}

static void overflowing_array(void *arg)
{
	(void)arg;
	arena_array(arena_new(0), SIZE_MAX / 2, 3);
}

static void overflowing_piece(void *arg)
{
	(void)arg;
	arena_alloc(arena_new(0), SIZE_MAX - 4);
}

static void test_sizes_that_wrap_end_the_process(void **state)
{
	char text[200];

	(void)state;
	assert_int_equal(test_in_child(overflowing_array, NULL, text, sizeof text),
			 EXIT_ERROR << 8);
	assert_string_equal(text, "trueup: out of memory\n");
	assert_int_equal(test_in_child(overflowing_piece, NULL, text, sizeof text),
			 EXIT_ERROR << 8);
	assert_string_equal(text, "trueup: out of memory\n");
}

static void test_free_of_nothing(void **state)
{
	struct arena *arena = NULL;

	(void)state;
	arena_free(NULL);
	arena_free_ptr(&arena);
	assert_null(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(test_large_pieces_do_not_waste_the_current_chunk),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_clear_keeps_one_clean_chunk),
		cmocka_unit_test(test_overhead_is_small),
		cmocka_unit_test(test_sizes_that_wrap_end_the_process),
		cmocka_unit_test(test_free_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

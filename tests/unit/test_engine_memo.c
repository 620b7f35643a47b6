/*
 * When what a look remembers holds for the next one.
 */
#include "tests/support/test.h"

#include "engine/memo.h"

static int release(void **state)
{
	memo_release(*state);
	free(*state);
	return 0;
}

static int prepare(void **state)
{
	*state = mem_zalloc(1, sizeof(struct memo));
	return 0;
}

/* As the engine does for each look. */
static const char *begin_look(struct memo *memo, size_t *heard)
{
	static char text[32];
	const struct look_memo *given = memo_give(memo);

	*heard = given ? given->heard->count : 0;
	snprintf(text, sizeof text, "%s", given ? given->text : "nothing");
	memo_given(memo);
	return text;
}

static void test_not_without_events(void **state)
{
	struct memo *memo = *state;
	size_t heard;

	memo_take(memo, 1, "one");
	assert_string_equal(begin_look(memo, &heard), "nothing");
}

/* A look that began before its events were read may have missed what came in between. */
static void test_from_the_next_look_on(void **state)
{
	struct memo *memo = *state;
	size_t heard;

	memo_begin(memo, 2);
	memo_take(memo, 1, "one");
	assert_string_equal(begin_look(memo, &heard), "nothing");
	memo_take(memo, 2, "two");
	assert_string_equal(begin_look(memo, &heard), "two");
	assert_int_equal(heard, 0);
}

/* What is heard while a look is under way may be older than it, or not: the next one asks. */
static void test_what_is_heard_meanwhile(void **state)
{
	struct memo *memo = *state;
	size_t heard;

	memo_begin(memo, 1);
	memo_take(memo, 1, "one");
	memo_hear(memo, "a");
	assert_string_equal(begin_look(memo, &heard), "one");
	assert_int_equal(heard, 1);
	memo_hear(memo, "b");
	memo_hear(memo, "b");
	memo_hear(memo, "c");
	memo_take(memo, 2, "two");
	assert_string_equal(begin_look(memo, &heard), "two");
	assert_int_equal(heard, 2);
}

static void test_a_look_that_failed(void **state)
{
	struct memo *memo = *state;
	size_t heard;

	memo_begin(memo, 1);
	memo_take(memo, 1, "one");
	begin_look(memo, &heard);
	assert_string_equal(begin_look(memo, &heard), "nothing");
	memo_take(memo, 3, NULL);
	assert_string_equal(begin_look(memo, &heard), "nothing");
}

static void test_events_that_were_lost(void **state)
{
	struct memo *memo = *state;
	size_t heard;

	memo_begin(memo, 1);
	memo_take(memo, 1, "one");
	memo_end(memo);
	assert_string_equal(begin_look(memo, &heard), "nothing");
	memo_take(memo, 2, "two");
	assert_string_equal(begin_look(memo, &heard), "nothing");
}

/* More than is kept: the look under way is worth nothing to the next one, the one after it is. */
static void test_too_much(void **state)
{
	struct memo *memo = *state;
	char word[16];
	size_t heard;

	memo_begin(memo, 1);
	begin_look(memo, &heard);
	for (int i = 0; i < 1001; i++) {
		snprintf(word, sizeof word, "%d", i);
		memo_hear(memo, word);
	}
	memo_take(memo, 1, "one");
	assert_string_equal(begin_look(memo, &heard), "nothing");
	memo_take(memo, 2, "two");
	assert_string_equal(begin_look(memo, &heard), "two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_without_events, prepare, release),
		cmocka_unit_test_setup_teardown(test_from_the_next_look_on, prepare, release),
		cmocka_unit_test_setup_teardown(test_what_is_heard_meanwhile, prepare, release),
		cmocka_unit_test_setup_teardown(test_a_look_that_failed, prepare, release),
		cmocka_unit_test_setup_teardown(test_events_that_were_lost, prepare, release),
		cmocka_unit_test_setup_teardown(test_too_much, prepare, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What is wrong again and again is put right ever less often, and at once when it had been well for
 * a while.
 */
#include "tests/support/test.h"

#include "engine/damper.h"

#define BEGIN 5000000

/* Wrong again the moment it was put right: after how long it is the next time. */
static int64_t next_gap(struct damper *damper, int64_t *now)
{
	int64_t wait = damper_wait(damper, *now);

	if (wait > 0) {
		assert_int_equal(damper_wait(damper, *now + wait - 1), 1);
		assert_int_equal(damper_wait(damper, *now + wait), 0);
	}
	*now += wait;
	return wait;
}

static void test_ever_less_often(void **state)
{
	static const int64_t gaps[] = {0,     0,     0,	    1000,  2000,  4000,	 8000,
				       16000, 32000, 60000, 60000, 60000, 60000, 60000};
	struct damper damper = {0};
	int64_t now = BEGIN;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gaps); i++)
		assert_int_equal(next_gap(&damper, &now), gaps[i]);
	for (int i = 0; i < 100; i++)
		assert_int_equal(next_gap(&damper, &now), DAMPER_WINDOW_MS);
}

static void test_begins_anew(void **state)
{
	struct damper damper = {0};
	int64_t now = BEGIN;

	(void)state;
	for (int i = 0; i < 5; i++)
		next_gap(&damper, &now);
	now += 4000 + DAMPER_WINDOW_MS; /* not long enough: it counts on */
	assert_int_equal(damper_wait(&damper, now), 0);
	assert_int_equal(damper_wait(&damper, now), 8000);
	now += 8000 + DAMPER_WINDOW_MS + 1;
	for (int i = 0; i < DAMPER_FREE; i++)
		assert_int_equal(damper_wait(&damper, now), 0);
	assert_int_equal(damper_wait(&damper, now), 1000);
}

static void test_its_own_pace(void **state)
{
	static const struct damper_pace pace = {10, 35};
	static const int64_t gaps[] = {0, 0, 0, 10, 20, 35, 35};
	struct damper damper = {0};
	int64_t now = BEGIN;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gaps); i++) {
		assert_int_equal(damper_wait_at(&damper, &pace, now), gaps[i]);
		now += gaps[i];
		if (gaps[i])
			assert_int_equal(damper_wait_at(&damper, &pace, now), 0);
	}
	now += 35 + 35 + 1;
	assert_int_equal(damper_wait_at(&damper, &pace, now), 0);
	assert_int_equal(damper_wait_at(&damper, &pace, now), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ever_less_often),
		cmocka_unit_test(test_begins_anew),
		cmocka_unit_test(test_its_own_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* From what checks say to health: what counts, when, and how soon one asks again. */
#include "tests/support/test.h"

#include "base/arena.h"
#include "drivers/health.h"
#include "schema/decode.h"

#define INTERVAL 1000
#define START_PERIOD 5000
#define RETRIES 3
/* Before it no failure makes unhealthy. */
#define YOUNG (START_PERIOD + RETRIES * INTERVAL)
#define NOW 1000000

static struct arena *arena;
static const struct health_check *check;

static int set_up(void **state)
{
	static const char json[] = "{\"tcp\":{\"port\":1},\"interval\":\"1s\",\"retries\":3,"
				   "\"startPeriod\":\"5s\"}";

	(void)state;
	arena = arena_new(0);
	check = decode_object(arena, "health_check", json, sizeof json - 1, NULL);
	return check ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* Checks fail, each after the delay that was said; when is it unhealthy? */
static int64_t fails_until(struct health_count *count, int64_t now)
{
	for (int i = 0; i < 1000; i++) {
		now += count->delay_ms;
		health_note(count, check, false, now);
		if (count->health == HEALTH_UNHEALTHY)
			return now;
	}
	fail_msg("it never is unhealthy");
	return 0;
}

static void a_new_run_has_its_time(void **state)
{
	struct health_count count;
	int64_t when;

	(void)state;
	health_begin(&count, check, 0, NOW);
	assert_int_equal(count.health, HEALTH_STARTING);
	assert_int_equal(count.delay_ms, 50);
	when = fails_until(&count, NOW);
	assert_in_range(when, NOW + YOUNG, NOW + YOUNG + RETRIES * INTERVAL);
}

static void one_success_is_enough(void **state)
{
	struct health_count count;

	(void)state;
	health_begin(&count, check, 0, NOW);
	health_note(&count, check, false, NOW + 50);
	assert_int_equal(count.delay_ms, 100);
	health_note(&count, check, true, NOW + 150);
	assert_int_equal(count.health, HEALTH_HEALTHY);
	assert_int_equal(count.delay_ms, INTERVAL);
}

static void healthy_until_retries_fail(void **state)
{
	struct health_count count;

	(void)state;
	health_begin(&count, check, 0, NOW);
	health_note(&count, check, true, NOW);
	for (int i = 1; i < RETRIES; i++) {
		health_note(&count, check, false, NOW + i * INTERVAL);
		assert_int_equal(count.health, HEALTH_HEALTHY);
	}
	/* one between them begins the count anew */
	health_note(&count, check, true, NOW + RETRIES * INTERVAL);
	/* and what comes too soon does not count */
	health_note(&count, check, false, NOW + RETRIES * INTERVAL + 1);
	assert_int_equal(fails_until(&count, NOW + RETRIES * INTERVAL),
			 NOW + 2 * RETRIES * INTERVAL);
	health_note(&count, check, true, NOW + 3 * RETRIES * INTERVAL);
	assert_int_equal(count.health, HEALTH_HEALTHY);
}

/* Begun in the middle of a run: by its age one failure is told as what it would be by then. */
static void in_the_middle_of_a_run(void **state)
{
	static const struct {
		int64_t running_ms;
		enum run_health health;
	} rows[] = {
		{0, HEALTH_STARTING},
		{START_PERIOD, HEALTH_STARTING},
		{YOUNG - 1, HEALTH_STARTING},
		{YOUNG, HEALTH_UNHEALTHY},
		{INT64_MAX / 4, HEALTH_UNHEALTHY},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct health_count count;

		health_begin(&count, check, rows[i].running_ms, NOW);
		assert_int_equal(count.health, HEALTH_STARTING);
		health_note(&count, check, false, NOW);
		assert_int_equal(count.health, rows[i].health);
		assert_int_equal(health_is_young(check, rows[i].running_ms),
				 rows[i].health == HEALTH_STARTING);
		health_note(&count, check, true, NOW);
		assert_int_equal(count.health, HEALTH_HEALTHY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_run_has_its_time),
		cmocka_unit_test(one_success_is_enough),
		cmocka_unit_test(healthy_until_retries_fail),
		cmocka_unit_test(in_the_middle_of_a_run),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/*
 * What is kept of containers that did not end by their stop signal, and what is said of it.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"

#include "base/json.h"
#include "plan/slow_stop.h"

#define SLOT "shop/prod/web@edge-1"
static const struct slot_key slot = {"shop", "prod", "web", "edge-1"};

static const char *hint(const json_t *all, const char *name, const char *config,
			struct arena *arena)
{
	const struct workload seen = {.name = name,
				      .config = config ? test_config(arena, config) : NULL};

	return slow_stop_hint(all, &slot, &seen, arena);
}

static void test_told(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_JSON json_t *all = json_kept(NULL, BUF_MAX_TEXT);

	(void)state;
	assert_null(hint(all, "shop-prod-web", "{}", arena));
	assert_null(hint(NULL, "shop-prod-web", "{}", arena));
	assert_true(slow_stop_note(all, SLOT, "shop-prod-web", "SIGTERM", 10345));
	assert_string_equal(hint(all, "shop-prod-web", "{}", arena),
			    "its last stop took 10s: it did not end by SIGTERM and was killed; a "
			    "handler for that signal in its first process, or another stopSignal, "
			    "spares the wait");
	assert_non_null(hint(all, "shop-prod-web.next", NULL, arena));
	assert_null(hint(all, "shop-prod-db", "{}", arena));
	assert_false(slow_stop_note(all, SLOT, "shop-prod-web.next", "SIGTERM", 10001));
}

static void test_over(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_JSON json_t *all = json_kept("{}", BUF_MAX_TEXT);

	(void)state;
	assert_false(slow_stop_note(all, SLOT, "shop-prod-web", "", 12));
	assert_true(slow_stop_note(all, SLOT, "shop-prod-web", "SIGINT", 2000));
	assert_null(hint(all, "shop-prod-web", "{\"stopSignal\":\"SIGKILL\"}", arena));
	assert_non_null(hint(all, "shop-prod-web", "{\"stopSignal\":\"SIGINT\"}", arena));
	assert_true(slow_stop_note(all, SLOT, "shop-prod-web", "", 12));
	assert_null(hint(all, "shop-prod-web", "{}", arena));
	assert_int_equal(json_object_size(all), 0);
	assert_true(slow_stop_note(all, SLOT, "shop-prod-web", "SIGTERM", 2000));
	assert_true(slow_stop_forget(all, SLOT));
	assert_false(slow_stop_forget(all, SLOT));
	assert_null(hint(all, "shop-prod-web", "{}", arena));
}

/* Somebody may have written into the ledger. */
static void test_odd_values(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"7",
		"{\"" SLOT "\":7}",
		"{\"" SLOT "\":{\"shop-prod-web\":[]}}",
		"{\"" SLOT "\":{\"shop-prod-web\":{\"signal\":7}}}",
	};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO_JSON json_t *all = json_kept(texts[i], BUF_MAX_TEXT);

		assert_true(json_is_object(all));
		assert_null(hint(all, "shop-prod-web", "{}", arena));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_odd_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

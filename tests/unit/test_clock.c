#include "tests/support/test.h"

#include "base/clock.h"

#define REFUSED INT64_MIN

static int64_t parse(const char *text)
{
	int64_t ms = REFUSED;

	return clock_parse(text, &ms) == 0 ? ms : REFUSED;
}

static void test_format(void **state)
{
	char out[CLOCK_TEXT_MAX];

	(void)state;
	assert_string_equal(clock_format(0, out), "1970-01-01T00:00:00.000Z");
	assert_string_equal(clock_format(1767323045678, out), "2026-01-02T03:04:05.678Z");
	assert_string_equal(clock_format(-1, out), "1969-12-31T23:59:59.999Z");
	assert_string_equal(clock_format(951782400000, out), "2000-02-29T00:00:00.000Z");
	assert_string_equal(clock_format(INT64_MAX, out), "9999-12-31T23:59:59.999Z");
	assert_string_equal(clock_format(INT64_MIN, out), "0000-01-01T00:00:00.000Z");
}

static void test_parse(void **state)
{
	(void)state;
	assert_int_equal(parse("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(parse("2026-01-02T03:04:05.678Z"), 1767323045678);
	assert_int_equal(parse("2026-01-02t03:04:05.678901234z"), 1767323045678);
	assert_int_equal(parse("2026-01-02T05:34:05.6+02:30"), 1767323045600);
	assert_int_equal(parse("2026-01-01T22:04:05-05:00"), 1767323045000);
	assert_int_equal(parse("2016-12-31T23:59:60Z"), 1483228800000);
	assert_int_equal(parse("2000-02-29T00:00:00Z"), 951782400000);
	assert_int_equal(parse("0000-01-01T00:00:00Z"), -62167219200000);
	assert_int_equal(parse("9999-12-31T23:59:59.999Z"), 253402300799999);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-01-02",
		"2026-01-02T03:04:05",
		"2026-01-02 03:04:05Z",
		"2026-01-02T03:04Z",
		"2026-00-02T03:04:05Z",
		"2026-13-02T03:04:05Z",
		"2026-01-00T03:04:05Z",
		"2026-01-32T03:04:05Z",
		"2026-04-31T03:04:05Z",
		"2026-02-29T03:04:05Z",
		"1900-02-29T03:04:05Z",
		"2026-01-02T24:00:00Z",
		"2026-01-02T03:60:05Z",
		"2026-01-02T03:04:61Z",
		"2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05+0200",
		"2026-01-02T03:04:05+24:00",
		"2026-01-02T03:04:05Z ",
		" 2026-01-02T03:04:05Z",
		"+026-01-02T03:04:05Z",
		"2026-1-2T03:04:05Z",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse(bad[i]) != REFUSED)
			fail_msg("\"%s\" was accepted", bad[i]);
	}
}

static void test_round_trip(void **state)
{
	char out[CLOCK_TEXT_MAX];

	(void)state;
	for (int64_t ms = -62167219200000; ms < 253402300799999; ms += 86399999999)
		assert_int_equal(parse(clock_format(ms, out)), ms);
}

static void test_boot_clock_does_not_go_back(void **state)
{
	int64_t before = clock_boot_us();

	(void)state;
	assert_true(before > 0);
	assert_true(clock_boot_us() >= before);
	assert_true(clock_boot_ms() >= before / 1000);
	assert_true(clock_wall_ms() > 1700000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_boot_clock_does_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/test.h"

#include "base/num.h"

#define UNTOUCHED 4242

static int64_t parse_int(const char *text, int64_t min, int64_t max)
{
	int64_t value = UNTOUCHED;
	int result = num_parse_int(text, min, max, &value);

	assert_true(result == 0 || (result == -1 && value == UNTOUCHED));
	return value;
}

static void test_integers(void **state)
{
	(void)state;
	assert_int_equal(parse_int("0", 0, 10), 0);
	assert_int_equal(parse_int("10", 0, 10), 10);
	assert_int_equal(parse_int("11", 0, 10), UNTOUCHED);
	assert_int_equal(parse_int("-5", -5, 10), -5);
	assert_int_equal(parse_int("-6", -5, 10), UNTOUCHED);
	assert_int_equal(parse_int("9223372036854775807", 0, INT64_MAX), INT64_MAX);
	assert_int_equal(parse_int("9223372036854775808", 0, INT64_MAX), UNTOUCHED);
	assert_int_equal(parse_int("-9223372036854775808", INT64_MIN, 0), INT64_MIN);
	assert_int_equal(parse_int("-9223372036854775809", INT64_MIN, 0), UNTOUCHED);
	assert_int_equal(parse_int("18446744073709551617", 0, INT64_MAX), UNTOUCHED);
}

static void test_integers_refused(void **state)
{
	static const char *const bad[] = {"",
					  " ",
					  "1 ",
					  " 1",
					  "+1",
					  "-",
					  "-0",
					  "01",
					  "-01",
					  "1a",
					  "0x1",
					  "1e3",
					  "1.0",
					  "--1",
					  "1_000",
					  "\t1",
					  "1\n",
					  "\xd9\xa1",
					  "99999999999999999999999"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(parse_int(bad[i], INT64_MIN, INT64_MAX), UNTOUCHED);
	/* a sign only where negative values are possible */
	assert_int_equal(parse_int("-1", 0, 10), UNTOUCHED);
}

struct row {
	const char *text;
	int64_t value; /* UNTOUCHED: refused */
};

static void check(const struct row *rows, size_t n, int (*parse)(const char *, int64_t *))
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = UNTOUCHED;
		int result = parse(rows[i].text, &value);

		if (value != rows[i].value || result != (rows[i].value == UNTOUCHED ? -1 : 0))
			fail_msg("\"%s\": %d, %lld", rows[i].text, result, (long long)value);
	}
}

static void test_durations(void **state)
{
	static const struct row rows[] = {
		{"0s", 0},
		{"10s", 10000},
		{"5m", 300000},
		{"2h", 7200000},
		{"14d", 1209600000},
		{"250ms", 250},
		{"1h30m", 5400000},
		{"1d2h3m4s5ms", 93784005},
		{"1d5ms", 86400005},
		{"90m", 5400000},
		{"106751991167d", 9223372036828800000},
		{"9223372036854775807ms", INT64_MAX},
		{"106751991168d", UNTOUCHED},
		{"106751991167d1h", 9223372036828800000 + 3600000},
		{"106751991167d99h", UNTOUCHED},
		{"", UNTOUCHED},
		{"10", UNTOUCHED},
		{"s", UNTOUCHED},
		{"1.5h", UNTOUCHED},
		{"-1s", UNTOUCHED},
		{"1m1h", UNTOUCHED},
		{"1m1m", UNTOUCHED},
		{"1h 30m", UNTOUCHED},
		{"1h30", UNTOUCHED},
		{"1H", UNTOUCHED},
		{"1w", UNTOUCHED},
		{"1sec", UNTOUCHED},
		{"01s", UNTOUCHED},
		{"1s\n", UNTOUCHED},
	};

	(void)state;
	check(rows, ARRAY_LEN(rows), num_parse_duration);
}

static void test_sizes(void **state)
{
	static const struct row rows[] = {
		{"0", 0},
		{"1000", 1000},
		{"64Mi", 67108864},
		{"1Gi", 1073741824},
		{"500M", 500000000},
		{"1k", 1000},
		{"1K", 1000},
		{"1Ki", 1024},
		{"2T", 2000000000000},
		{"1Ti", 1099511627776},
		{"8388607Ti", 9223370937343148032},
		{"8388608Ti", UNTOUCHED},
		{"9223372036854775807", INT64_MAX},
		{"9223372036854775808", UNTOUCHED},
		{"", UNTOUCHED},
		{"Mi", UNTOUCHED},
		{"1mi", UNTOUCHED},
		{"1MiB", UNTOUCHED},
		{"1 Mi", UNTOUCHED},
		{"1.5Gi", UNTOUCHED},
		{"1Mi1Ki", UNTOUCHED},
		{"-1", UNTOUCHED},
		{"1P", UNTOUCHED},
	};

	(void)state;
	check(rows, ARRAY_LEN(rows), num_parse_size);
}

static void test_processors(void **state)
{
	static const struct row rows[] = {
		{"0", 0},
		{"2", 2000},
		{"0.5", 500},
		{"0.125", 125},
		{"1.05", 1050},
		{"500m", 500},
		{"1m", 1},
		{"9223372036854775.807", INT64_MAX},
		{"9223372036854775.808", UNTOUCHED},
		{"9223372036854776", UNTOUCHED},
		{"0.1234", UNTOUCHED},
		{".5", UNTOUCHED},
		{"1.", UNTOUCHED},
		{"1.5m", UNTOUCHED},
		{"", UNTOUCHED},
		{"m", UNTOUCHED},
		{"-1", UNTOUCHED},
		{"1,5", UNTOUCHED},
		{"1e3", UNTOUCHED},
	};

	(void)state;
	check(rows, ARRAY_LEN(rows), num_parse_cpu);
}

static void test_forms(void **state)
{
	char out[NUM_TEXT_MAX];

	(void)state;
	assert_string_equal(num_format_duration(0, out), "0s");
	assert_string_equal(num_format_duration(-5, out), "0s");
	assert_string_equal(num_format_duration(90000, out), "90s");
	assert_string_equal(num_format_duration(5400000, out), "90m");
	assert_string_equal(num_format_duration(3661000, out), "1h1m1s");
	assert_string_equal(num_format_duration(86400001, out), "1d1ms");
	assert_string_equal(num_format_duration(1500, out), "1s500ms");
	assert_string_equal(num_format_size(0, out), "0");
	assert_string_equal(num_format_size(67108864, out), "64Mi");
	assert_string_equal(num_format_size(500000000, out), "500M");
	assert_string_equal(num_format_size(1001, out), "1001");
	assert_string_equal(num_format_size(1024000, out), "1024K");
	assert_string_equal(num_format_cpu(0, out), "0");
	assert_string_equal(num_format_cpu(500, out), "0.5");
	assert_string_equal(num_format_cpu(125, out), "125m");
	assert_string_equal(num_format_cpu(2000, out), "2");
	assert_string_equal(num_format_cpu(1050, out), "1.05");
}

/* Whatever is shown is read back as the same value, up to the largest. */
static void test_round_trips(void **state)
{
	static const int64_t special[] = {
		1,     999,	1000,	       1023,	  1024,		 1025,		 59999,
		60000, 3600001, INT64_MAX / 2, INT64_MAX, INT64_MAX - 1, INT64_MAX - 807};
	uint64_t random = 88172645463325252u;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		int64_t value, back;
		char out[NUM_TEXT_MAX];

		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		value = i < ARRAY_LEN(special) ? special[i] : (int64_t)(random >> (1 + i % 63));
		assert_int_equal(num_parse_duration(num_format_duration(value, out), &back), 0);
		assert_int_equal(back, value);
		assert_int_equal(num_parse_size(num_format_size(value, out), &back), 0);
		assert_int_equal(back, value);
		assert_int_equal(num_parse_cpu(num_format_cpu(value, out), &back), 0);
		assert_int_equal(back, value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),    cmocka_unit_test(test_integers_refused),
		cmocka_unit_test(test_durations),   cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_processors),  cmocka_unit_test(test_forms),
		cmocka_unit_test(test_round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

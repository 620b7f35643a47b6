#include "tests/support/test.h"

#include "schema/semver.h"

/* In order; those on one line are the same version. The pre-releases are semver.org's own example.
 */
static const char *const ordered[][3] = {
	{"0"},
	{"0.0.1"},
	{"0.9.0", "0.9"},
	{"0.10.0"},
	{"1.0.0-alpha"},
	{"1.0.0-alpha.1"},
	{"1.0.0-alpha.beta"},
	{"1.0.0-beta"},
	{"1.0.0-beta.2"},
	{"1.0.0-beta.11"},
	{"1.0.0-rc.1", "1.0.0-rc.1+build.7"},
	{"1.0.0", "1", "1.0.0+20130313144700"},
	{"1.0.1--"},
	{"1.0.1-0-0"},
	{"1.0.1-a"},
	{"1.0.1"},
	{"2"},
	{"9.0.0"},
	{"10"},
	{"18446744073709551615.0.0"},
	{"18446744073709551616.0.0-99999999999999999998"},
	{"18446744073709551616.0.0-99999999999999999999"},
	{"18446744073709551616.0.0"},
};

static const char *const not_semantic[] = {
	"",	     "v1",	   "1.",       ".1",	   "1..2",
	"1.2.3.4",   "01",	   "1.02",     "1.2.03",   "1.2.3-",
	"1.2.3+",    "1.2.3-a..b", "1.2.3-01", "1.2.3-a.", "nightly",
	"1.2-rc1",   "2026-01-02", "2026.01",  " 1",	   "1 ",
	"1.2.3-a_b", "1.2.3+a+b",  "-1",       "1,2",	   "1.2.3-\xc3\xa4",
};

static struct semver parsed(const char *text)
{
	struct semver version;

	if (!semver_parse(text, &version))
		fail_msg("%s is a semantic version", text);
	return version;
}

static void assert_order(const char *one, const char *other, int order)
{
	struct semver a = parsed(one), b = parsed(other);
	int found = semver_cmp(&a, &b);

	if ((found > 0) - (found < 0) != order)
		fail_msg("%s against %s gives %d", one, other, found);
}

static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ordered); i++) {
		for (size_t j = 0; j < ARRAY_LEN(ordered); j++)
			assert_order(ordered[i][0], ordered[j][0], (i > j) - (i < j));
		for (size_t j = 1; j < 3 && ordered[i][j]; j++) {
			assert_order(ordered[i][0], ordered[i][j], 0);
			assert_order(ordered[i][j], ordered[i][0], 0);
		}
	}
}

static void test_what_is_no_version(void **state)
{
	struct semver version;

	(void)state;
	assert_false(semver_parse(NULL, &version));
	for (size_t i = 0; i < ARRAY_LEN(not_semantic); i++) {
		if (semver_parse(not_semantic[i], &version))
			fail_msg("\"%s\" is no semantic version", not_semantic[i]);
	}
}

static void test_ranges(void **state)
{
	static const struct {
		const char *range, *within[4], *outside[4];
	} rows[] = {
		{">= 2.0.0", {"2", "2.0.1", "10.0.0"}, {"1.9.0", "2.0.0-rc.1", "0"}},
		{">=2.0.0", {"2.0.0"}, {"1.99.99"}},
		{"> 1.2", {"1.2.1", "2"}, {"1.2.0", "1.2.0-a", "1"}},
		{"<= 1.2", {"1.2.0", "1.2.0-a", "1.1"}, {"1.2.1", "2"}},
		{"< 2", {"1.9.9", "2.0.0-a"}, {"2.0.0", "3"}},
		{"= 1.2.3", {"1.2.3", "1.2.3+b"}, {"1.2.4", "1.2.2", "1.2.3-a"}},
		{"1.2", {"1.2.0"}, {"1.2.1", "1"}},
		{">= 1.4 < 2", {"1.4.0", "1.99"}, {"2.0.0", "1.3.9"}},
		{">=1.4,<2", {"1.4.0", "1.99"}, {"2.0.0", "1.3.9"}},
		{">= 1.4 , < 2,  > 1.5", {"1.6"}, {"1.4.0", "1.5", "2"}},
		{"> 2 < 1", {NULL}, {"0", "1.5", "3"}},
		{">= 1.0.0-beta.2", {"1.0.0-beta.11", "1.0.0"}, {"1.0.0-beta", "1.0.0-alpha"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(semver_is_range(rows[i].range));
		for (size_t j = 0; j < 4 && rows[i].within[j]; j++) {
			struct semver version = parsed(rows[i].within[j]);

			if (!semver_fits(&version, rows[i].range))
				fail_msg("%s is within %s", rows[i].within[j], rows[i].range);
		}
		for (size_t j = 0; j < 4 && rows[i].outside[j]; j++) {
			struct semver version = parsed(rows[i].outside[j]);

			if (semver_fits(&version, rows[i].range))
				fail_msg("%s is not within %s", rows[i].outside[j], rows[i].range);
		}
	}
}

static void test_what_is_no_range(void **state)
{
	static const char *const wrong[] = {
		"",	 "*",	      "latest", ">=",	     ">= ",    "=> 1",	     "== 1",
		"!= 1",	 "~> 1.2",    "^1.2",	">= 1,",     ", >= 1", ">= 1,, < 2", ">= 1 || < 2",
		">= 1 ", " >= 1",     ">= v1",	"1.x",	     "1 - 2",  ">= 1\t< 2",  ">< 1",
		"> = 1", ">= 1.2-rc", ">=1<2",	"1.2.3 foo",
	};
	struct semver version = parsed("1.0.0");

	(void)state;
	assert_false(semver_is_range(NULL));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		if (semver_is_range(wrong[i]) || semver_fits(&version, wrong[i]))
			fail_msg("\"%s\" is no range", wrong[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_what_is_no_version),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_what_is_no_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

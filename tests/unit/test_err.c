#include "tests/support/test.h"

static void test_set_fills_and_returns_minus_one(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&err, E_NOT_FOUND, "node %s", "a"), -1);
	assert_int_equal(err.code, E_NOT_FOUND);
	assert_string_equal(err.text, "node a");
	err_clear(&err);
	assert_int_equal(err.code, E_NONE);
	assert_string_equal(err.text, "");
}

static void test_null_is_allowed(void **state)
{
	(void)state;
	errno = ENOENT;
	assert_int_equal(err_set(NULL, E_IO, "x"), -1);
	assert_int_equal(err_errno(NULL, E_IO, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
	err_clear(NULL);
}

static void test_errno_adds_the_reason(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	errno = EACCES;
	err_errno(&err, E_IO, "open %s", "f");
	assert_string_equal(err.text, "open f: Permission denied");
	assert_int_equal(err.code, E_IO);
	assert_int_equal(errno, EACCES);
	errno = 99999;
	err_errno(&err, E_IO, "open");
	assert_string_equal(err.text, "open: unknown error");
}

static void test_full_disk_has_its_own_code(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	errno = ENOSPC;
	err_errno(&err, E_IO, "write");
	assert_int_equal(err.code, E_DISK_FULL);
	errno = EDQUOT;
	err_errno(&err, E_LEDGER, "write");
	assert_int_equal(err.code, E_DISK_FULL);
}

static void test_wrap_goes_in_front_and_keeps_the_code(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, E_LEDGER, "inner");
	assert_int_equal(err_wrap(&err, "outer %d", 1), -1);
	assert_string_equal(err.text, "outer 1: inner");
	assert_int_equal(err.code, E_LEDGER);
	/* its own text as an argument */
	err_set(&err, E_IO, "again: %s", err.text);
	assert_string_equal(err.text, "again: outer 1: inner");
	err_wrap(&err, "%s", err.text);
	assert_string_equal(err.text, "again: outer 1: inner: again: outer 1: inner");
}

static void test_long_text_is_cut_between_characters(void **state)
{
	struct err err = ERR_INIT;
	char long_text[3 * ERR_TEXT_MAX];

	(void)state;
	memset(long_text, 'x', sizeof long_text);
	long_text[sizeof long_text - 1] = '\0';
	err_set(&err, E_IO, "%s", long_text);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	/* the last place falls on each byte of a three-byte character in turn */
	for (size_t shift = 0; shift < 3; shift++) {
		memset(long_text, 'x', shift);
		for (size_t i = shift; i + 3 < sizeof long_text; i += 3)
			memcpy(long_text + i, "\xe2\x82\xac", 3);
		err_set(&err, E_IO, "%s", long_text);
		assert_in_range(strlen(err.text), ERR_TEXT_MAX - 3, ERR_TEXT_MAX - 1);
		assert_int_equal((strlen(err.text) - shift) % 3, 0);
		assert_null(strchr(err.text, '?'));
	}
	err_set(&err, E_IO, "inner");
	long_text[ERR_TEXT_MAX * 2] = '\0';
	err_wrap(&err, "%s", long_text);
	assert_true(strlen(err.text) < ERR_TEXT_MAX);
}

static void test_text_is_one_clean_line(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, E_IO, "a\nb\x1b[31m\xff\xc2\x9b d\x7f");
	assert_string_equal(err.text, "a b [31m?   d ");
}

static void test_every_code_has_its_row(void **state)
{
	(void)state;
	for (unsigned i = E_NONE + 1; i < E_CODES; i++) {
		enum err_code code = (enum err_code)i;
		const char *name = err_code_name(code);

		assert_true(*name);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		assert_int_equal(err_code_find(name), code);
		assert_true(err_code_exit(code) != EXIT_DONE && err_code_exit(code) < 126);
	}
	assert_string_equal(err_code_name(E_NONE), "");
	assert_int_equal(err_code_class(E_NONE), ERR_BUG);
	assert_int_equal(err_code_exit(E_NONE), 0);
	assert_int_equal(err_code_find("no-such-code"), E_NONE);
	assert_int_equal(err_code_find(""), E_NONE);
	assert_int_equal(err_code_class(E_STATE_BUSY), ERR_RETRY);
	assert_int_equal(err_code_exit(E_STATE_BUSY), 75);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_fills_and_returns_minus_one),
		cmocka_unit_test(test_null_is_allowed),
		cmocka_unit_test(test_errno_adds_the_reason),
		cmocka_unit_test(test_full_disk_has_its_own_code),
		cmocka_unit_test(test_wrap_goes_in_front_and_keeps_the_code),
		cmocka_unit_test(test_long_text_is_cut_between_characters),
		cmocka_unit_test(test_text_is_one_clean_line),
		cmocka_unit_test(test_every_code_has_its_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

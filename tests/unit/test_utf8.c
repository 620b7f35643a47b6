#include "tests/support/test.h"

#include "base/utf8.h"

static size_t length(const char *text)
{
	return utf8_length(text, strlen(text));
}

static void test_well_formed(void **state)
{
	(void)state;
	assert_int_equal(utf8_length("\0", 1), 1);
	assert_int_equal(length("\x7f"), 1);
	assert_int_equal(length("\xc2\x80"), 2);
	assert_int_equal(length("\xdf\xbf"), 2);
	assert_int_equal(length("\xe0\xa0\x80"), 3);
	assert_int_equal(length("\xed\x9f\xbf"), 3);
	assert_int_equal(length("\xee\x80\x80"), 3);
	assert_int_equal(length("\xef\xbf\xbf"), 3);
	assert_int_equal(length("\xf0\x90\x80\x80"), 4);
	assert_int_equal(length("\xf4\x8f\xbf\xbf"), 4);
}

static void test_ill_formed(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf", /* overlong */
		"\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf", /* overlong */
		"\xed\xa0\x80",
		"\xed\xbf\xbf", /* surrogates */
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", /* past U+10FFFF */
		"\xfe",
		"\xff",
		"\xc2",
		"\xe2\x82",
		"\xf0\x9f\x98",
		"\xc2\x20",
		"\xe2\x82\x20",
		"\xf0\x9f\x98\x20",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(length(bad[i]), 0);
		assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
	}
	assert_true(utf8_is_valid("", 0));
	assert_true(utf8_is_valid("a\xe2\x82\xac\0b", 6));
}

/* Every sequence of three bytes against the table of RFC 3629, section 4. */
static bool by_the_table(const unsigned char *b)
{
	if (b[0] >= 0xc2 && b[0] <= 0xdf)
		return b[1] >= 0x80 && b[1] <= 0xbf;
	if (b[0] < 0xe0 || b[0] > 0xef || b[2] < 0x80 || b[2] > 0xbf)
		return false;
	if (b[0] == 0xe0)
		return b[1] >= 0xa0 && b[1] <= 0xbf;
	if (b[0] == 0xed)
		return b[1] >= 0x80 && b[1] <= 0x9f;
	return b[1] >= 0x80 && b[1] <= 0xbf;
}

static void test_all_sequences_of_up_to_three_bytes(void **state)
{
	(void)state;
	for (unsigned i = 0x800000; i <= 0xefffff; i++) {
		unsigned char bytes[3] = {(unsigned char)(i >> 16), (unsigned char)(i >> 8),
					  (unsigned char)i};
		bool good = utf8_length((const char *)bytes, 3) != 0;

		if (good != by_the_table(bytes))
			fail_msg("%06x", i);
	}
}

static void test_cut(void **state)
{
	static const char text[] = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

	(void)state;
	for (size_t len = 0; len < ARRAY_LEN(expected); len++)
		assert_int_equal(utf8_cut(text, len), expected[len]);
	assert_int_equal(utf8_cut("\x80\x80\x80\x80", 4), 4);
	assert_int_equal(utf8_cut("a\xff", 2), 2);
}

static void test_control_characters(void **state)
{
	(void)state;
	assert_true(utf8_is_control("\x1b", 1));
	assert_true(utf8_is_control("\n", 1));
	assert_true(utf8_is_control("\x7f", 1));
	assert_true(utf8_is_control("\xc2\x9b", 2));
	assert_false(utf8_is_control("\xc2\xa0", 2));
	assert_false(utf8_is_control(" ", 1));
	assert_false(utf8_is_control("\xc3\x9b", 2));
}

static void test_plain(void **state)
{
	static const struct {
		const char *text;
		bool plain;
	} rows[] = {{"", true},		 {"plain", true}, {"gr\xc3\xbc\xc3\x9f", true},
		    {"a\nb", false},	 {"a\tb", false}, {"\x7f", false},
		    {"\xc2\x9b", false}, {"\xff", false}, {"cut \xc3", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(utf8_is_plain(rows[i].text, strlen(rows[i].text)), rows[i].plain);
	assert_false(utf8_is_plain("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_well_formed),
		cmocka_unit_test(test_ill_formed),
		cmocka_unit_test(test_all_sequences_of_up_to_three_bytes),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

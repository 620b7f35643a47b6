#include "tests/support/test.h"

#include "base/buf.h"

static void test_starts_empty(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(10);

	(void)state;
	assert_string_equal(buf_str(&buf), "");
	assert_null(buf.ptr);
	buf_drop(&buf, 5);
	buf_clear(&buf);
	assert_string_equal(buf_str(&buf), "");
}

static void test_adds_up_to_the_maximum(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(10);

	(void)state;
	buf_adds(&buf, "12345");
	buf_add(&buf, "67890", 5);
	assert_string_equal(buf_str(&buf), "1234567890");
	assert_false(buf.overflow);
	assert_true(buf.cap <= 64);
	buf_addc(&buf, 'x');
	assert_true(buf.overflow);
	assert_string_equal(buf_str(&buf), "1234567890");
}

static void test_nothing_is_added_after_an_overflow(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(4);

	(void)state;
	buf_adds(&buf, "ab");
	buf_adds(&buf, "cde");
	buf_adds(&buf, "f");
	buf_addf(&buf, "%d", 1);
	assert_null(buf_reserve(&buf, 1));
	assert_string_equal(buf_str(&buf), "ab");
	buf_clear(&buf);
	assert_false(buf.overflow);
	buf_adds(&buf, "wxyz");
	assert_string_equal(buf_str(&buf), "wxyz");
}

static void test_lengths_that_wrap_are_refused(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(100);

	(void)state;
	buf_adds(&buf, "abc");
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_true(buf.overflow);
	buf_clear(&buf);
	assert_null(buf_reserve(&buf, SIZE_MAX - 2));
	assert_true(buf.overflow);
}

static void test_grows_over_many_pieces(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_addf(&buf, "%05d,", i);
	assert_int_equal(buf.len, 600000);
	assert_memory_equal(buf.ptr + 6 * 4242, "04242,", 6);
	assert_int_equal(strlen(buf.ptr), buf.len);
	assert_true(buf.cap < 2 * buf.len + 64);
}

static void test_formatted_text_keeps_to_the_maximum(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(8);

	(void)state;
	buf_addf(&buf, "%s", "12345678");
	assert_string_equal(buf_str(&buf), "12345678");
	assert_false(buf.overflow);
	buf_clear(&buf);
	buf_adds(&buf, "1234");
	buf_addf(&buf, "%s", "56789");
	assert_true(buf.overflow);
	assert_string_equal(buf_str(&buf), "1234");
	buf_clear(&buf);
	buf_addf(&buf, "%s", "");
	assert_string_equal(buf_str(&buf), "");
}

static void test_bytes_may_be_zero(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(10);

	(void)state;
	buf_add(&buf, "a\0b", 3);
	buf_add(&buf, NULL, 0);
	assert_int_equal(buf.len, 3);
	assert_memory_equal(buf.ptr, "a\0b", 4);
}

static void json(const char *text, const char *expected)
{
	struct buf buf AUTO_BUF = BUF_INIT(1000);

	buf_add_json(&buf, text);
	assert_string_equal(buf_str(&buf), expected);
}

static void test_json_strings(void **state)
{
	(void)state;
	json("", "\"\"");
	json("plain", "\"plain\"");
	json("a\"b\\c/", "\"a\\\"b\\\\c/\"");
	json("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
	json("\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"");
	json("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"");
	json("\xff\xc3", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	json("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	json("\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void clean(const char *text, const char *expected)
{
	struct buf buf AUTO_BUF = BUF_INIT(1000);

	buf_add_clean(&buf, text, strlen(text));
	assert_string_equal(buf_str(&buf), expected);
}

static void test_clean_text(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(10);

	(void)state;
	clean("two\nlines\tand a tab", "two\nlines\tand a tab");
	clean("\x1b[2J\x07\r\x7f", "[2J");
	clean("\xc2\x9b"
	      "31m\xc2\xa0",
	      "31m\xc2\xa0");
	clean("\x9b"
	      "31m",
	      "\xef\xbf\xbd"
	      "31m");
	buf_add_clean(&buf, "a\0b", 3);
	assert_string_equal(buf_str(&buf), "ab");
}

static void test_clean_text_of_one_line(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(100);

	(void)state;
	buf_adds(&buf, "a\nb: ");
	buf_add_clean_line(&buf, "two\nlines\tand\x07 a tab", 20);
	assert_string_equal(buf_str(&buf), "a\nb: two lines and a tab");
}

static void test_words_of_a_shell(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(100);

	(void)state;
	buf_add_shell(&buf, "it's $HOME");
	buf_add_shell(&buf, "");
	assert_string_equal(buf_str(&buf), "'it'\\''s $HOME'''");
}

static void note_line(void *arg, struct buf *line)
{
	buf_addf(arg, "<%s>", buf_str(line));
}

static void test_lines_however_they_are_cut(void **state)
{
	static const char text[] = "one\n\ntwo and\nthree";
	size_t len = sizeof text - 1;

	(void)state;
	for (size_t piece = 1; piece <= len; piece++) {
		struct buf line AUTO_BUF = BUF_INIT(100), seen AUTO_BUF = BUF_INIT(100);

		for (size_t at = 0; at < len; at += piece)
			buf_take_lines(&line, text + at, piece < len - at ? piece : len - at,
				       note_line, &seen);
		assert_string_equal(buf_str(&seen), "<one><><two and>");
		assert_string_equal(buf_str(&line), "three");
	}
}

static void test_drop_from_the_front(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(10);

	(void)state;
	buf_adds(&buf, "abcdef");
	buf_drop(&buf, 0);
	buf_drop(&buf, 2);
	assert_string_equal(buf_str(&buf), "cdef");
	buf_drop(&buf, 99);
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf.len, 0);
}

static void test_cut_at_the_end(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(6);

	(void)state;
	buf_cut(&buf, 0);
	buf_adds(&buf, "abcdef");
	buf_cut(&buf, 7);
	buf_cut(&buf, 4);
	assert_string_equal(buf_str(&buf), "abcd");
	assert_int_equal(buf.len, 4);
	buf_adds(&buf, "too much");
	buf_cut(&buf, 0);
	assert_string_equal(buf_str(&buf), "");
	assert_true(buf.overflow);
}

static void test_take_hands_over(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(10);
	char *text AUTO_FREE = NULL, *empty AUTO_FREE = NULL;

	(void)state;
	empty = buf_take(&buf);
	assert_string_equal(empty, "");
	buf_adds(&buf, "mine");
	text = buf_take(&buf);
	assert_string_equal(text, "mine");
	assert_null(buf.ptr);
	assert_int_equal(buf.max, 10);
	buf_adds(&buf, "next");
	assert_string_equal(buf_str(&buf), "next");
}

static void test_reserve_and_commit(void **state)
{
	struct buf buf AUTO_BUF = BUF_INIT(6);
	char *room = buf_reserve(&buf, 6);

	(void)state;
	assert_non_null(room);
	memcpy(room, "abc", 3);
	buf_commit(&buf, 3);
	assert_string_equal(buf_str(&buf), "abc");
	assert_null(buf_reserve(&buf, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_empty),
		cmocka_unit_test(test_adds_up_to_the_maximum),
		cmocka_unit_test(test_nothing_is_added_after_an_overflow),
		cmocka_unit_test(test_lengths_that_wrap_are_refused),
		cmocka_unit_test(test_grows_over_many_pieces),
		cmocka_unit_test(test_formatted_text_keeps_to_the_maximum),
		cmocka_unit_test(test_bytes_may_be_zero),
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_clean_text),
		cmocka_unit_test(test_clean_text_of_one_line),
		cmocka_unit_test(test_words_of_a_shell),
		cmocka_unit_test(test_lines_however_they_are_cut),
		cmocka_unit_test(test_drop_from_the_front),
		cmocka_unit_test(test_cut_at_the_end),
		cmocka_unit_test(test_take_hands_over),
		cmocka_unit_test(test_reserve_and_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

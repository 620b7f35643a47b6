#include "tests/support/test.h"

#include "base/json.h"

static json_t *read_text(const char *text, struct err *err)
{
	return json_read(text, strlen(text), 1 << 20, err);
}

static void test_reads_any_value(void **state)
{
	static const char *const good[] = {"{}",   "[]",   "1",	    "\"a\"",
					   "null", "true", " 1.5 ", "{\"a\":{\"b\":[1,2]}}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct err err = ERR_INIT;
		json_t *value AUTO_JSON = read_text(good[i], &err);

		if (!value)
			fail_msg("%s: %s", good[i], err.text);
	}
}

static void test_refuses(void **state)
{
	static const char *const bad[] = {
		"",	   "{",		  "{\"a\":1,\"a\":2}", "{} x",	   "[1,]",
		"{'a':1}", "nul",	  "\"\xff\"",	       "\"a\nb\"", "99999999999999999999",
		"1e999",   "\"\\ud800\"", "{\"a\\u0000\":1}",  "// x\n1",  "01",
		"NaN",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = ERR_INIT;
		json_t *value AUTO_JSON = read_text(bad[i], &err);

		if (value)
			fail_msg("%s was accepted", bad[i]);
		assert_int_equal(err.code, E_BAD_INPUT);
		assert_non_null(strstr(err.text, "line"));
	}
}

static void test_limits(void **state)
{
	struct err err = ERR_INIT;
	struct buf deep AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	assert_null(json_read("[1,2]", 5, 4, &err));
	assert_int_equal(err.code, E_TOO_LARGE);
	for (int i = 0; i < 100000; i++)
		buf_addc(&deep, '[');
	assert_null(json_read(deep.ptr, deep.len, deep.max, &err));
	assert_int_equal(err.code, E_BAD_INPUT);
	assert_null(json_read("[1", 2, 4, NULL));
}

static void test_length_counts_not_the_nul(void **state)
{
	json_t *value AUTO_JSON = json_read("12345", 3, 10, NULL);

	(void)state;
	assert_int_equal(json_integer_value(value), 123);
	assert_null(json_read("1\0002", 3, 10, NULL));
}

static void test_writes_the_same_bytes_for_the_same_value(void **state)
{
	json_t *a AUTO_JSON = read_text("{\"b\": [1, {\"z\":1,\"a\":null}], \"a\": 0.1}", NULL);
	json_t *b AUTO_JSON = read_text("{\"a\":0.1,\"b\":[1,{\"a\":null,\"z\":1}]}", NULL);
	struct buf first AUTO_BUF = BUF_INIT(1000), second AUTO_BUF = BUF_INIT(1000);

	(void)state;
	json_write(a, &first);
	json_write(b, &second);
	assert_string_equal(buf_str(&first), buf_str(&second));
	assert_string_equal(buf_str(&first),
			    "{\"a\":0.10000000000000001,\"b\":[1,{\"a\":null,\"z\":1}]}");
}

static void test_prints_for_people(void **state)
{
	json_t *value AUTO_JSON = read_text("{\"b\":1,\"a\":[]}", NULL);
	struct buf out AUTO_BUF = BUF_INIT(1000);

	(void)state;
	json_print(value, &out);
	assert_string_equal(buf_str(&out), "{\n  \"b\": 1,\n  \"a\": []\n}\n");
}

static void test_a_full_buffer_shows(void **state)
{
	json_t *value AUTO_JSON = read_text("[1,2,3]", NULL);
	struct buf out AUTO_BUF = BUF_INIT(3);

	(void)state;
	json_write(value, &out);
	assert_true(out.overflow);
}

static void test_members(void **state)
{
	json_t *value AUTO_JSON = read_text("{\"s\":\"t\",\"i\":-5,\"f\":true,\"n\":null}", NULL);

	(void)state;
	assert_string_equal(json_str(value, "s", "x"), "t");
	assert_string_equal(json_str(value, "i", "x"), "x");
	assert_null(json_str(value, "absent", NULL));
	assert_int_equal(json_int(value, "i", 1), -5);
	assert_int_equal(json_int(value, "s", 1), 1);
	assert_true(json_flag(value, "f", false));
	assert_true(json_flag(value, "n", true));
	assert_false(json_flag(value, "absent", false));
	assert_string_equal(json_str(NULL, "s", "x"), "x");
	assert_int_equal(json_int(NULL, "i", 2), 2);
}

static void test_put_str_takes_any_bytes(void **state)
{
	json_t *value AUTO_JSON = json_object();

	(void)state;
	json_put_str(value, "good", "gr\xc3\xbc\xc3\x9f");
	json_put_str(value, "bad",
		     "a\xff"
		     "b");
	json_put_str(value, "null", NULL);
	assert_string_equal(json_str(value, "good", ""), "gr\xc3\xbc\xc3\x9f");
	assert_string_equal(json_str(value, "bad", ""), "a\xef\xbf\xbd"
							"b");
	assert_true(json_is_null(json_object_get(value, "null")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_any_value),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_length_counts_not_the_nul),
		cmocka_unit_test(test_writes_the_same_bytes_for_the_same_value),
		cmocka_unit_test(test_prints_for_people),
		cmocka_unit_test(test_a_full_buffer_shows),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_put_str_takes_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

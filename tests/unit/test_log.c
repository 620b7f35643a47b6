#include "tests/support/test.h"

#include <unistd.h>

#include "base/json.h"
#include "base/log.h"

static char output[1 << 17];

static const char *logged(void (*body)(void *arg))
{
	assert_int_equal(test_in_child(body, NULL, output, sizeof output), 0);
	return output;
}

/* The part behind the time. */
static const char *behind_time(const char *line)
{
	assert_int_equal(line[4], '-');
	assert_int_equal(line[23], 'Z');
	return line + 24;
}

static void plain_line(void *arg)
{
	(void)arg;
	log_event(LOG_INFO, "pass done", "commit", "abc", "absent", NULL, "steps", log_int(3),
		  NULL);
}

static void test_text(void **state)
{
	(void)state;
	assert_string_equal(behind_time(logged(plain_line)),
			    " info  pass done commit=abc steps=3\n");
}

static void odd_values(void *arg)
{
	(void)arg;
	log_set_role("fetch");
	log_event(LOG_ERROR, "x", "a", "", "b", "two words", "c", "q\"q", "d", "l\nl", "e", "k=v",
		  "f", "\x1b[31mred\x07\xff", NULL);
}

static void test_values_that_need_quotes(void **state)
{
	(void)state;
	assert_string_equal(behind_time(logged(odd_values)),
			    " error x role=fetch a=\"\" b=\"two words\" c=\"q\\\"q\" d=\"l\\nl\" "
			    "e=\"k=v\" f=[31mred\xef\xbf\xbd\n");
}

static void json_line(void *arg)
{
	(void)arg;
	log_setup(LOG_JSON, LOG_DEBUG);
	log_set_role("apply");
	log_event(LOG_DEBUG, "a \"b\"", "k", "v\n\x1b\xff", NULL);
}

static void test_json(void **state)
{
	json_t *value AUTO_JSON = NULL;

	(void)state;
	logged(json_line);
	value = json_read(output, strlen(output), sizeof output, NULL);
	assert_non_null(value);
	assert_string_equal(json_str(value, "level", ""), "debug");
	assert_string_equal(json_str(value, "event", ""), "a \"b\"");
	assert_string_equal(json_str(value, "role", ""), "apply");
	assert_string_equal(json_str(value, "k", ""), "v\n\xef\xbf\xbd");
	assert_int_equal(strlen(json_str(value, "time", "")), 24);
	assert_int_equal(json_object_size(value), 5);
}

static void all_levels(void *arg)
{
	(void)arg;
	log_event(LOG_DEBUG, "no", NULL);
	log_setup(LOG_TEXT, LOG_WARN);
	log_event(LOG_INFO, "no", NULL);
	log_event(LOG_WARN, "yes", NULL);
	log_event(LOG_ERROR, "yes", NULL);
}

static void test_levels(void **state)
{
	(void)state;
	logged(all_levels);
	assert_null(strstr(output, "no"));
	assert_non_null(strstr(output, " warn  yes\n"));
	assert_non_null(strstr(output, " error yes\n"));
}

static void huge_value(void *arg)
{
	char *text = mem_zalloc(1, 100001);

	(void)arg;
	for (size_t i = 0; i + 2 < 100000; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	log_event(LOG_INFO, "x", "k", text, NULL);
	free(text);
}

static void test_long_values_are_cut(void **state)
{
	(void)state;
	logged(huge_value);
	assert_in_range(strlen(output), 4090, 4200);
	assert_null(strstr(output, "\xef\xbf\xbd"));
}

static void closed_stderr(void *arg)
{
	(void)arg;
	close(STDERR_FILENO);
	errno = EXDEV;
	log_event(LOG_INFO, "x", NULL);
	if (errno != EXDEV)
		_exit(1);
}

static void test_nobody_listens(void **state)
{
	(void)state;
	assert_string_equal(logged(closed_stderr), "");
}

static void test_figures(void **state)
{
	const char *first = log_int(INT64_MIN);

	(void)state;
	for (int i = 0; i < 15; i++)
		log_int(i);
	assert_string_equal(first, "-9223372036854775808");
	assert_string_equal(log_int(INT64_MAX), "9223372036854775807");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_values_that_need_quotes),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_long_values_are_cut),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

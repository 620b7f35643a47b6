#include "tests/support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/credentials.h"

static int setup(void **state)
{
	*state = test_folder();
	assert_int_equal(chmod(*state, 0700), 0);
	return 0;
}

static int teardown(void **state)
{
	char *folder = *state;

	chmod(folder, 0700);
	test_folder_remove(&folder);
	return 0;
}

static void put(const char *folder, const char *name, const char *text, mode_t mode)
{
	char *path AUTO_FREE = test_path(folder, name);
	struct err err = ERR_INIT;

	assert_done(fs_write_replace(path, text, strlen(text), mode, &err), err);
	assert_int_equal(chmod(path, mode), 0);
}

static void assert_value(const char *folder, const char *name, const char *wanted)
{
	struct buf out AUTO_SECRET = BUF_INIT(CREDENTIALS_FILE_MAX);
	struct err err = ERR_INIT;

	assert_done(credentials_read(folder, name, &out, &err), err);
	assert_string_equal(buf_str(&out), wanted);
}

static void assert_refused(const char *folder, const char *name, enum err_code code,
			   const char *word)
{
	struct buf out AUTO_SECRET = BUF_INIT(CREDENTIALS_FILE_MAX);
	struct err err = ERR_INIT;

	assert_fails(credentials_read(folder, name, &out, &err), err, code);
	if (!strstr(err.text, word))
		fail_msg("no %s in: %s", word, err.text);
	assert_int_equal(out.len, 0);
}

static void test_values(void **state)
{
	static const char *const rows[][2] = {
		{"s3cret", "s3cret"},	    {"s3cret\n", "s3cret"},	{"s3cret\r\n", "s3cret"},
		{"s3cret\n\n", "s3cret\n"}, {" s3 cret ", " s3 cret "}, {"a\nb\n", "a\nb"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put(*state, "token", rows[i][0], 0600);
		assert_value(*state, "token", rows[i][1]);
	}
	put(*state, "token", "x", 0400);
	assert_value(*state, "token", "x");
}

static void test_absent_and_empty(void **state)
{
	char *none AUTO_FREE = test_path(*state, "none");

	assert_refused(*state, "token", E_NOT_FOUND, "token");
	assert_refused(none, "token", E_CREDENTIALS, "none");
	put(*state, "token", "", 0600);
	assert_refused(*state, "token", E_CREDENTIALS, "empty");
	put(*state, "file", "x", 0600);
	free(none);
	none = test_path(*state, "file");
	assert_refused(none, "token", E_CREDENTIALS, "file");
}

static void test_open_to_others(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0666};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		put(*state, "token", "x", modes[i]);
		assert_refused(*state, "token", E_CREDENTIALS, "chmod 600");
	}
	put(*state, "token", "x", 0600);
	put(*state, "ca.pem", "x", 0644);
	put(*state, "known_hosts", "x", 0664);
	assert_value(*state, "ca.pem", "x");
	assert_refused(*state, "known_hosts", E_CREDENTIALS, "chmod 600");
	assert_int_equal(chmod(*state, 0750), 0);
	assert_refused(*state, "token", E_CREDENTIALS, "chmod 700");
	assert_int_equal(chmod(*state, 0701), 0);
	assert_refused(*state, "token", E_CREDENTIALS, "chmod 700");
}

static void test_of_another_user(void **state)
{
	char *path AUTO_FREE = test_path(*state, "token");

	if (geteuid() != 0)
		SKIP_BECAUSE("only root can give a file away");
	put(*state, "token", "x", 0600);
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_refused(*state, "token", E_CREDENTIALS, "another user");
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(chown(*state, 65534, 65534), 0);
	assert_refused(*state, "token", E_CREDENTIALS, "another user");
}

static void test_not_a_file(void **state)
{
	char *link AUTO_FREE = test_path(*state, "link"),
		   *pipe AUTO_FREE = test_path(*state, "pipe");
	char *folder AUTO_FREE = test_path(*state, "folder");

	put(*state, "token", "x", 0600);
	assert_int_equal(symlink("token", link), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_refused(*state, "link", E_CREDENTIALS, "link");
	assert_refused(*state, "pipe", E_CREDENTIALS, "regular");
	assert_refused(*state, "folder", E_CREDENTIALS, "regular");
}

static void test_too_large(void **state)
{
	char *text AUTO_FREE = mem_zalloc(CREDENTIALS_FILE_MAX + 2, 1);

	memset(text, 'x', CREDENTIALS_FILE_MAX + 1);
	put(*state, "token", text, 0600);
	assert_refused(*state, "token", E_CREDENTIALS, "64 KiB");
}

static void test_one_line(void **state)
{
	static const char *const bad[] = {"a\nb", "a\r\nX-Evil: 1", "a\x1b[0m", "a\x7f", "\xff"};
	struct buf out AUTO_SECRET = BUF_INIT(CREDENTIALS_FILE_MAX);
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		put(*state, "token", bad[i], 0600);
		assert_fails(credentials_read_line(*state, "token", &out, &err), err,
			     E_CREDENTIALS);
		assert_null(strstr(err.text, "Evil"));
	}
	buf_clear(&out);
	put(*state, "token", "gr\xc3\xbc\xc3\x9f\n", 0600);
	assert_done(credentials_read_line(*state, "token", &out, &err), err);
	assert_string_equal(buf_str(&out), "gr\xc3\xbc\xc3\x9f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent_and_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_to_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_of_another_user, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_line, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

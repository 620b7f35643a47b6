#include "tests/support/test.h"
#include "tests/support/ledger.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

static char *ledger_path(struct ledger_fixture *fixture)
{
	return test_path(fixture->dir, LEDGER_FILE);
}

static size_t count_files(const char *dir, const char *prefix)
{
	DIR *entries = opendir(dir);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(entries);
	while ((entry = readdir(entries)))
		n += str_starts(entry->d_name, prefix);
	closedir(entries);
	return n;
}

static void write_file(const char *path, const char *bytes, size_t len)
{
	int fd AUTO_FD = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_all(fd, bytes, len), 0);
}

/* Replaces the first occurrence of a text in the file by another of the same length. */
static void replace_bytes(struct ledger_fixture *fixture, const char *from, const char *to)
{
	char *path AUTO_FREE = ledger_path(fixture);
	struct buf bytes AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	char *found;

	assert_done(fs_read(path, BUF_MAX_TEXT, &bytes, &fixture->err), fixture->err);
	found = memmem(bytes.ptr, bytes.len, from, strlen(from));
	assert_non_null(found);
	memcpy(found, to, strlen(to));
	write_file(path, bytes.ptr, bytes.len);
}

/* ---- sound ---- */

static void test_made_closed_opened(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	char *path AUTO_FREE = ledger_path(fixture);
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_int_equal(count_files(fixture->dir, "ledger.db.new"), 0);
	test_add(fixture, &record);
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
	assert_int_equal(count_files(fixture->dir, "ledger.db.corrupt"), 0);
}

static void test_a_start_that_was_killed_while_making_it(void **state)
{
	struct ledger_fixture *fixture = *state;
	char *path AUTO_FREE = ledger_path(fixture);
	char *fresh AUTO_FREE = mem_printf("%s.new", path);
	char *journal AUTO_FREE = mem_printf("%s-journal", path);

	ledger_close(&fixture->ledger);
	assert_int_equal(unlink(path), 0);
	write_file(fresh, "half", 4);
	write_file(journal, "of a ledger that somebody deleted", 33);
	ledger_fixture_reopen(fixture, LEDGER_CREATED);
	assert_int_equal(count_files(fixture->dir, "ledger.db.new"), 0);
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
}

static void test_memory_is_small(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	int64_t now = 0, highest = 0;

	for (int i = 0; i < 300; i++) {
		char *content AUTO_FREE = mem_zalloc(1, 4001);

		memset(content, 'x', 4000);
		record.content = content;
		test_add(fixture, &record);
	}
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
	db_memory(&now, &highest);
	assert_in_range(now, 1, 512 << 10);
	assert_in_range(highest, 1, 2 << 20);
}

/* ---- newer, older, other ---- */

static void test_a_newer_one_is_refused(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct ledger_view *view;
	enum ledger_opened how;

	test_ledger_tamper(fixture, "PRAGMA user_version=2");
	assert_fails(ledger_open(fixture->dir, &fixture->ledger, &how, NULL, &fixture->err),
		     fixture->err, E_LEDGER_NEWER);
	assert_non_null(strstr(fixture->err.text, "format 2"));
	assert_int_equal(count_files(fixture->dir, "ledger.db.corrupt"), 0);
	assert_fails(ledger_view_open(fixture->dir, VIEW_STATUS, &view, &fixture->err),
		     fixture->err, E_LEDGER_NEWER);
	test_ledger_tamper(fixture, "PRAGMA user_version=1");
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
}

static void test_what_cannot_be_written_is_no_damage(void **state)
{
	struct ledger_fixture *fixture = *state;
	char *path AUTO_FREE = ledger_path(fixture);
	enum ledger_opened how;

	ledger_close(&fixture->ledger);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_fails(ledger_open(fixture->dir, &fixture->ledger, &how, NULL, &fixture->err),
		     fixture->err, E_LEDGER);
	assert_true(fs_is_dir(path));
}

/* ---- damaged: set aside, and a new one ---- */

struct damage {
	const char *sql;       /* by a hand that keeps the sums right */
	const char *from, *to; /* or in the bytes */
};

static void check_damage(const struct damage *damage)
{
	struct buf aside AUTO_BUF = BUF_INIT(FS_PATH_MAX);
	struct ledger_fixture *fixture;
	struct record record = test_record("web", "1.0.0");
	enum ledger_opened how = 0;
	struct history history;
	void *state;

	ledger_fixture_setup(&state);
	fixture = state;
	test_add_successful(fixture, &record);
	if (damage->sql) {
		test_ledger_tamper(fixture, damage->sql);
	} else {
		ledger_close(&fixture->ledger);
		replace_bytes(fixture, damage->from, damage->to);
	}
	assert_done(ledger_open(fixture->dir, &fixture->ledger, &how, &aside, &fixture->err),
		    fixture->err);
	if (how != LEDGER_REBUILT)
		fail_msg("not noticed: %s", damage->sql ? damage->sql : damage->to);
	assert_true(fs_exists(buf_str(&aside)));
	assert_int_equal(count_files(fixture->dir, "ledger.db.corrupt-2"), 2);
	assert_done(ledger_history(fixture->ledger, NULL, fixture->arena, &history, &fixture->err),
		    fixture->err);
	assert_int_equal(history.records_n, 0);
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
	ledger_fixture_teardown(&state);
}

static void test_damage(void **state)
{
	static const struct damage rows[] = {
		{.from = "SQLite format 3", .to = "SQLite format 4"},
		{.from = "storefront", .to = "stOrefront"},
		{.from = "{\"containers\":[]}", .to = "{\"containers\":[}}"},
		{.from = "successful", .to = "Successful"},
		{.from = "IN (0,1)", .to = "IN (0,2)"},
		{.sql = "PRAGMA application_id=7"},
		{.sql = "PRAGMA user_version=0"},
		{.sql = "DROP INDEX record_kept"},
		{.sql = "DROP TABLE node_state"},
		{.sql = "CREATE TABLE extra(a)"},
		{.sql = "CREATE TRIGGER extra AFTER INSERT ON fact BEGIN DELETE FROM record; END"},
		{.sql = "CREATE VIEW extra AS SELECT 1"},
		{.sql = "PRAGMA foreign_keys=OFF; DELETE FROM record"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_damage(&rows[i]);
}

static void test_cut_anywhere(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	char *path AUTO_FREE = ledger_path(fixture);
	struct stat info;

	test_add(fixture, &record);
	ledger_close(&fixture->ledger);
	assert_int_equal(stat(path, &info), 0);
	for (off_t size = info.st_size / 2; size >= 0; size = size ? size / 3 : -1) {
		assert_int_equal(truncate(path, size), 0);
		ledger_fixture_reopen(fixture, LEDGER_REBUILT);
		ledger_close(&fixture->ledger);
	}
}

static void test_so_many_are_kept(void **state)
{
	struct ledger_fixture *fixture = *state;
	char *path AUTO_FREE = ledger_path(fixture);

	for (int i = 0; i < 12; i++) {
		ledger_close(&fixture->ledger);
		write_file(path, "no ledger", 9);
		ledger_fixture_reopen(fixture, LEDGER_REBUILT);
	}
	assert_int_equal(count_files(fixture->dir, "ledger.db.corrupt-"), 8);
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_made_closed_opened),
		TEST(test_a_start_that_was_killed_while_making_it),
		TEST(test_memory_is_small),
		TEST(test_a_newer_one_is_refused),
		TEST(test_what_cannot_be_written_is_no_damage),
		cmocka_unit_test(test_damage),
		TEST(test_cut_anywhere),
		TEST(test_so_many_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

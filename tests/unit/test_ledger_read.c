#include "tests/support/test.h"
#include "tests/support/ledger.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "ledger/state.h"

#define ALL (VIEW_STATUS | VIEW_RECORDS | VIEW_CONTENT)

/* ---- nothing there ---- */

static void check_empty(const char *dir)
{
	const struct audit_query query = {0};
	struct arena *arena AUTO_ARENA = arena_new(0);
	struct err err = ERR_INIT;
	struct ledger_view *view;
	struct ledger_step *steps;
	struct audit_entry *entries;
	size_t n = 99;

	assert_done(ledger_view_open(dir, ALL, &view, &err), err);
	assert_false(view->exists);
	assert_int_equal(view->records_n + view->history.records_n + view->units_n, 0);
	assert_null(view->tip);
	ledger_view_close(&view);
	assert_done(ledger_view_steps(dir, 1, arena, &steps, &n, &err), err);
	assert_int_equal(n, 0);
	assert_done(audit_read(dir, &query, arena, &entries, &n, &err), err);
	assert_int_equal(n, 0);
	assert_done(audit_verify(dir, &n, &err), err);
	assert_int_equal(n, 0);
}

static void test_a_missing_folder_is_empty(void **state)
{
	char *folder = test_folder();
	char *dir AUTO_FREE = test_path(folder, "state");

	(void)state;
	check_empty(dir);
	assert_false(fs_exists(dir));
	assert_int_equal(mkdir(dir, 0700), 0);
	check_empty(dir);
	assert_int_equal(rmdir(dir), 0); /* still empty */
	test_folder_remove(&folder);
}

static void test_a_foreign_folder_is_named(void **state)
{
	struct ledger_view *view;
	struct err err = ERR_INIT;

	(void)state;
	assert_fails(ledger_view_open("/usr", ALL, &view, &err), err, E_STATE_FOREIGN);
}

/* ---- everything there ---- */

static void test_parts(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	struct ledger_view *view;

	test_add_successful(fixture, &record);
	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_done(ledger_put(fixture->ledger, "tip", "t", &fixture->err), fixture->err);
	assert_done(ledger_put(fixture->ledger, "branch", "main", &fixture->err), fixture->err);
	assert_done(ledger_commit(fixture->ledger, &fixture->err), fixture->err);
	assert_done(ledger_view_open(fixture->dir, 0, &view, &fixture->err), fixture->err);
	assert_true(view->exists);
	assert_string_equal(view->tip, "t");
	assert_string_equal(view->branch, "main");
	assert_null(view->repo);
	assert_int_equal(view->records_n + view->history.records_n, 0);
	ledger_view_close(&view);
	assert_done(ledger_view_open(fixture->dir, VIEW_RECORDS, &view, &fixture->err),
		    fixture->err);
	assert_int_equal(view->records_n, 1);
	assert_null(view->records[0].content);
	ledger_view_close(&view);
	assert_done(
		ledger_view_open(fixture->dir, VIEW_STATUS | VIEW_CONTENT, &view, &fixture->err),
		fixture->err);
	assert_int_equal(view->history.records_n, 1);
	assert_string_equal(view->history.records[0].content, record.content);
	ledger_view_close(&view);
}

/* What is not committed is not there, and what comes after the copy does not change it. */
static void test_one_instant(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct ledger_view *before, *during;
	int64_t id;
	struct record record = test_record("web", "1.0.0");

	assert_done(test_story_write(fixture->ledger, 1, &fixture->err), fixture->err);
	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_done(ledger_add_record(fixture->ledger, &record, &id, &fixture->err), fixture->err);
	assert_done(ledger_view_open(fixture->dir, ALL, &during, &fixture->err), fixture->err);
	ledger_rollback(fixture->ledger);
	assert_int_equal(test_story_check(during), 1);
	before = during;
	assert_done(test_story_write(fixture->ledger, 2, &fixture->err), fixture->err);
	assert_int_equal(test_story_check(before), 1);
	ledger_view_close(&before);
	assert_int_equal(test_story_read(fixture->dir), 2);
}

/* ---- beside a writer ---- */

static _Noreturn void write_story(const char *dir, int ready)
{
	enum ledger_opened how;
	struct ledger *ledger;
	struct state state;
	struct ledger_view *view;
	int64_t n;

	if (state_open(dir, "run", &state, NULL) != 0 ||
	    ledger_open(dir, &ledger, &how, NULL, NULL) != 0 || how == LEDGER_REBUILT ||
	    ledger_view_open(dir, VIEW_RECORDS, &view, NULL) != 0)
		_exit(1);
	n = (int64_t)view->records_n;
	ledger_view_close(&view);
	for (;;) {
		if (test_story_write(ledger, ++n, NULL) != 0)
			_exit(2);
		if (write(ready, "x", 1) != 1)
			_exit(0);
	}
}

static pid_t start_writer(const char *dir, int *ready)
{
	int ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		signal(SIGPIPE, SIG_DFL);
		write_story(dir, ends[1]);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	*ready = ends[0];
	return pid;
}

static void test_beside_a_busy_writer(void **state)
{
	char *folder = test_folder();
	char *dir AUTO_FREE = test_path(folder, "state");
	int64_t before = 0, seen = 0;
	pid_t pid;
	int ready, status;

	(void)state;
	pid = start_writer(dir, &ready);
	for (int i = 0; i < 12; i++) {
		seen = test_story_read(dir);
		assert_true(seen >= before && seen > 0);
		before = seen;
	}
	close(ready); /* and the writer ends by itself */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	assert_true(test_story_read(dir) >= seen);
	test_folder_remove(&folder);
}

/*
 * Killed at any moment, most often inside of a transaction: the reader sees what was committed and
 * acknowledged, or one more whose acknowledgement did not get out, and the next writer goes on.
 */
static void test_after_a_killed_writer(void **state)
{
	char *folder = test_folder();
	char *dir AUTO_FREE = test_path(folder, "state");
	int64_t acknowledged = 0;

	(void)state;
	for (int i = 0; i < 15; i++) {
		char bytes[4096];
		int ready, status;
		pid_t pid = start_writer(dir, &ready);
		ssize_t got;
		int64_t seen;

		usleep((useconds_t)(i * 977 % 12000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		acknowledged++;
		while ((got = read(ready, bytes, sizeof bytes)) > 0)
			acknowledged += got;
		close(ready);
		seen = test_story_read(dir);
		assert_in_range(seen, acknowledged, acknowledged + 1);
		acknowledged = seen;
	}
	test_folder_remove(&folder);
}

/* ---- a journal that must be rolled back ---- */

struct killed {
	const char *dir;
	long at;
};

static void die_while_committing(void *arg)
{
	const struct killed *killed = arg;
	enum ledger_opened how;
	struct ledger *ledger;
	struct err err = ERR_INIT;

	test_disk_install();
	if (ledger_open(killed->dir, &ledger, &how, NULL, &err) != 0 || how != LEDGER_OPENED)
		_exit(1);
	test_disk_fail(killed->at, 1, DISK_KILLS);
	_exit(test_story_write(ledger, 2, &err) == 0 ? 0 : 2);
}

static bool has_hot_journal(const char *dir)
{
	static const unsigned char magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	char *path AUTO_FREE = test_path(dir, LEDGER_FILE "-journal");
	struct buf bytes AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

	return fs_read(path, BUF_MAX_TEXT, &bytes, NULL) == 0 && bytes.len > 512 &&
	       memcmp(bytes.ptr, magic, sizeof magic) == 0;
}

/* Leaves a folder whose last transaction is half in the file: story 1 is whole, 2 is not. */
static void make_hot_journal(struct ledger_fixture *fixture)
{
	struct killed killed = {.dir = fixture->dir};

	assert_done(test_story_write(fixture->ledger, 1, &fixture->err), fixture->err);
	ledger_close(&fixture->ledger);
	do {
		int status;

		assert_true(++killed.at < 100);
		status = test_in_child(die_while_committing, &killed, NULL, 0);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	} while (!has_hot_journal(fixture->dir));
}

static void test_a_hot_journal_is_rolled_back(void **state)
{
	struct ledger_fixture *fixture = *state;

	make_hot_journal(fixture);
	assert_int_equal(test_story_read(fixture->dir), 1);
	assert_false(has_hot_journal(fixture->dir));
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
}

/* While somebody holds the state, the journal is that one's business: the reader waits for it. */
static void test_a_hot_journal_whose_owner_comes(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct err err = ERR_INIT;
	char *lock_path AUTO_FREE = test_path(fixture->dir, STATE_LOCK_FILE);
	int lock, status;
	pid_t pid;

	make_hot_journal(fixture);
	lock = fs_lock(lock_path, "run", 0, &err);
	assert_true(lock >= 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct ledger_view *view;

		_exit(ledger_view_open(fixture->dir, ALL, &view, &err) == 0 && view->records_n == 1
			      ? 0
			      : 1);
	}
	usleep(100000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_true(has_hot_journal(fixture->dir));
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(lock);
}

/* ---- a file system that cannot be written ---- */

enum { MOUNT_REFUSED = 77 };

static void read_readonly(void *arg)
{
	const char *dir = arg;

	if (!test_own_mounts() || mount(dir, dir, NULL, MS_BIND, NULL) != 0 ||
	    mount(NULL, dir, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0)
		_exit(MOUNT_REFUSED);
	if (has_hot_journal(dir)) {
		struct ledger_view *view;
		struct err err = ERR_INIT;

		_exit(ledger_view_open(dir, ALL, &view, &err) != 0 &&
				      err.code == E_LEDGER_UNFINISHED
			      ? 0
			      : 1);
	}
	_exit(test_story_read(dir) == 1 ? 0 : 1);
}

static void check_readonly(const char *dir)
{
	int status = test_in_child(read_readonly, (void *)dir, NULL, 0);

	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == MOUNT_REFUSED)
		SKIP_BECAUSE("no mounting in a namespace of our own here");
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_a_read_only_file_system(void **state)
{
	struct ledger_fixture *fixture = *state;

	assert_done(test_story_write(fixture->ledger, 1, &fixture->err), fixture->err);
	ledger_close(&fixture->ledger);
	check_readonly(fixture->dir);
}

static void test_a_hot_journal_that_cannot_be_rolled_back(void **state)
{
	struct ledger_fixture *fixture = *state;

	make_hot_journal(fixture);
	check_readonly(fixture->dir);
}

/* ---- another user's ---- */

static void read_as_nobody(void *arg)
{
	struct ledger_view *view;
	struct err err = ERR_INIT;

	if (setresuid(65534, 65534, 65534) != 0)
		_exit(1);
	_exit(ledger_view_open(arg, ALL, &view, &err) != 0 && err.code == E_NOT_PERMITTED ? 0 : 1);
}

static void test_another_users_ledger(void **state)
{
	struct ledger_fixture *fixture = *state;

	if (geteuid() != 0)
		SKIP_BECAUSE("only root can become somebody else");
	assert_int_equal(chmod(fixture->dir, 0700), 0);
	assert_int_equal(test_in_child(read_as_nobody, fixture->dir, NULL, 0), 0);
}

/* ---- damage that came after the start ---- */

static void test_a_changed_row_is_not_shown(void **state)
{
	struct ledger_fixture *fixture = *state;
	char *path AUTO_FREE = test_path(fixture->dir, LEDGER_FILE);
	struct buf bytes AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	struct ledger_view *view;
	char *found;
	int fd AUTO_FD = -1;

	assert_done(test_story_write(fixture->ledger, 1, &fixture->err), fixture->err);
	ledger_close(&fixture->ledger);
	assert_done(fs_read(path, BUF_MAX_TEXT, &bytes, &fixture->err), fixture->err);
	found = memmem(bytes.ptr, bytes.len, "storefront", 10);
	assert_non_null(found);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "b", 1, found - bytes.ptr), 1);
	assert_fails(ledger_view_open(fixture->dir, ALL, &view, &fixture->err), fixture->err,
		     E_LEDGER_CORRUPT);
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_missing_folder_is_empty),
		cmocka_unit_test(test_a_foreign_folder_is_named),
		TEST(test_parts),
		TEST(test_one_instant),
		cmocka_unit_test(test_beside_a_busy_writer),
		cmocka_unit_test(test_after_a_killed_writer),
		TEST(test_a_hot_journal_is_rolled_back),
		TEST(test_a_hot_journal_whose_owner_comes),
		TEST(test_a_read_only_file_system),
		TEST(test_a_hot_journal_that_cannot_be_rolled_back),
		TEST(test_another_users_ledger),
		TEST(test_a_changed_row_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

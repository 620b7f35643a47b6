#include "tests/support/test.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

static char *folder;
static char path[FS_PATH_MAX];

static int set_up(void **state)
{
	(void)state;
	folder = test_folder();
	return fs_join(path, folder, "lock");
}

static int tear_down(void **state)
{
	(void)state;
	test_folder_remove(&folder);
	return 0;
}

static void test_second_holder_is_refused_and_told(void **state)
{
	struct err err = ERR_INIT;
	char expected[64];
	int first = fs_lock(path, "apply node a", 0, &err);

	(void)state;
	assert_true(first >= 0);
	assert_fails(fs_lock(path, "other", 0, &err), err, E_STATE_BUSY);
	snprintf(expected, sizeof expected, "is held by %d apply node a", (int)getpid());
	assert_non_null(strstr(err.text, expected));
	close(first);
	first = fs_lock(path, "other", 0, &err);
	assert_true(first >= 0);
	close(first);
}

static void test_holder_line(void **state)
{
	struct err err = ERR_INIT;
	char line[256], expected[64], small[4], huge[1000];
	int fd;

	(void)state;
	fs_lock_holder(path, line, sizeof line);
	assert_string_equal(line, "");
	close(fs_lock(path, "a longer purpose", 0, &err));
	fd = fs_lock(path, "run", 0, &err);
	fs_lock_holder(path, line, sizeof line);
	snprintf(expected, sizeof expected, "%d run", (int)getpid());
	assert_string_equal(line, expected);
	fs_lock_holder(path, small, sizeof small);
	assert_int_equal(strlen(small), 3);
	close(fd);
	memset(huge, 'p', sizeof huge);
	huge[sizeof huge - 1] = '\0';
	close(fs_lock(path, huge, 0, &err));
	fs_lock_holder(path, line, sizeof line);
	assert_int_equal(strlen(line), 254);
	/* what a stranger wrote there cannot play with the terminal */
	assert_done(fs_write_replace(path, "\x1b[2Jhi\nmore", 10, 0600, &err), err);
	fs_lock_holder(path, line, sizeof line);
	assert_string_equal(line, "[2Jhi");
}

/* A child that holds the lock until its standard input ends; returns after it has it. */
static pid_t hold_in_child(int *let_go)
{
	int go[2], ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(go) | pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (fs_lock(path, "child", 0, NULL) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(go[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(go[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*let_go = go[1];
	return pid;
}

static void test_waits_for_the_holder(void **state)
{
	struct err err = ERR_INIT;
	int let_go, status, fd;
	pid_t holder = hold_in_child(&let_go), waiter;

	(void)state;
	waiter = fork();
	if (waiter == 0) {
		close(let_go);
		_exit(fs_lock(path, "waiter", 60000, NULL) >= 0 ? 0 : 1);
	}
	assert_fails(fs_lock(path, "impatient", 1, &err), err, E_STATE_BUSY);
	close(let_go);
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_int_equal(waitpid(waiter, &status, 0), waiter);
	assert_int_equal(status, 0);
	fd = fs_lock(path, "last", 0, &err);
	assert_true(fd >= 0);
	close(fd);
}

static void test_a_killed_holder_holds_no_more(void **state)
{
	struct err err = ERR_INIT;
	int let_go, fd;
	pid_t holder = hold_in_child(&let_go);

	(void)state;
	kill(holder, SIGKILL);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	close(let_go);
	fd = fs_lock(path, "next", 0, &err);
	assert_true(fd >= 0);
	close(fd);
}

static void test_a_lock_on_a_removed_file_is_none(void **state)
{
	struct err err = ERR_INIT;
	int old = fs_lock(path, "old", 0, &err), fresh;

	(void)state;
	assert_int_equal(unlink(path), 0);
	fresh = fs_lock(path, "new", 0, &err);
	assert_true(fresh >= 0);
	assert_fails(fs_lock(path, "third", 0, &err), err, E_STATE_BUSY);
	close(old);
	close(fresh);
}

static void test_one_winner_of_many(void **state)
{
	enum { RIVALS = 20 };
	pid_t pids[RIVALS];
	int start[2], done[2], winners = 0, status;
	char byte;

	(void)state;
	assert_int_equal(pipe(start) | pipe(done), 0);
	for (int i = 0; i < RIVALS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			close(start[1]);
			close(done[1]);
			(void)!read(start[0], &byte, 1);
			if (fs_lock(path, "rival", 0, NULL) < 0)
				_exit(1);
			(void)!read(done[0], &byte, 1);
			_exit(0);
		}
	}
	close(start[1]); /* all at once */
	close(start[0]);
	for (int left = RIVALS - 1; left > 0; left--)
		assert_true(wait(&status) > 0 && WEXITSTATUS(status) == 1);
	close(done[1]); /* the one that is left holds the lock */
	close(done[0]);
	assert_true(wait(&status) > 0);
	winners += status == 0;
	assert_int_equal(winners, 1);
}

static void test_errors(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_fails(fs_lock(path, "x", 0, &err), err, E_IO);
	assert_fails(fs_lock("/nonexistent/lock", "x", 0, &err), err, E_IO);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_second_holder_is_refused_and_told),
		TEST(test_holder_line),
		TEST(test_waits_for_the_holder),
		TEST(test_a_killed_holder_holds_no_more),
		TEST(test_a_lock_on_a_removed_file_is_none),
		TEST(test_one_winner_of_many),
		TEST(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/test.h"
#include "tests/support/ledger.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "ledger/state.h"

/* More changes than any of the operations below makes. */
#define CHANGES_MAX 400

static int setup(void **state)
{
	test_disk_install();
	test_disk_fail(0, 0, 0);
	return ledger_fixture_setup(state);
}

static bool says_so(const struct err *err, enum disk_fault fault)
{
	return err->code == E_DISK_FULL || (fault == DISK_FAILS && err->code == E_LEDGER);
}

/* ---- a disk that fails once, or for a while ---- */

/*
 * A commit that failed means "unknown": the transaction is there or not, whole in either case, the
 * ledger in hand says the same as the file, and the next transaction goes through.
 */
static void go_on(struct ledger_fixture *fixture, int64_t before)
{
	int64_t seen = test_story_read(fixture->dir);
	const char *value;

	assert_in_range(seen, before, before + 1);
	assert_done(ledger_get(fixture->ledger, "accepted", fixture->arena, &value, &fixture->err),
		    fixture->err);
	assert_int_equal(strtol(value, NULL, 10), seen);
	assert_done(test_story_write(fixture->ledger, seen + 1, &fixture->err), fixture->err);
	assert_int_equal(test_story_read(fixture->dir), seen + 1);
}

/* Meets the fault at each change of a transaction in turn; returns how many there were. */
static long fail_each_change(struct ledger_fixture *fixture, enum disk_fault fault, long times)
{
	long n = 0, failures = 0;
	int result;

	do {
		int64_t before = test_story_read(fixture->dir);

		err_clear(&fixture->err);
		test_disk_fail(++n, times, fault);
		result = test_story_write(fixture->ledger, before + 1, &fixture->err);
		failures += result != 0;
		if (result != 0 && !says_so(&fixture->err, fault))
			fail_msg("change %ld: %s", n, fixture->err.text);
		if (test_disk_changes() < n)
			break;
		test_disk_fail(0, 0, 0);
		go_on(fixture, before);
	} while (n < CHANGES_MAX);
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
	return failures;
}

static void check_transactions(void **state, enum disk_fault fault, long times)
{
	struct ledger_fixture *fixture = *state;

	assert_done(test_story_write(fixture->ledger, 1, &fixture->err), fixture->err);
	assert_in_range(fail_each_change(fixture, fault, times), 10, CHANGES_MAX);
}

static void test_one_failed_change(void **state)
{
	check_transactions(state, DISK_FAILS, 1);
}

static void test_a_disk_that_stays_broken(void **state)
{
	check_transactions(state, DISK_FAILS, 1000);
}

static void test_a_disk_that_is_full_once(void **state)
{
	check_transactions(state, DISK_FULL, 1);
}

static void test_a_disk_that_stays_full(void **state)
{
	check_transactions(state, DISK_FULL, 1000);
}

/* ---- while it is made or opened ---- */

static void check_opening(struct ledger_fixture *fixture, enum disk_fault fault,
			  enum ledger_opened wanted)
{
	char *path AUTO_FREE = test_path(fixture->dir, LEDGER_FILE);
	char *fresh AUTO_FREE = mem_printf("%s.new", path);
	enum ledger_opened how;
	int result;
	long n = 0;

	do {
		ledger_close(&fixture->ledger);
		if (wanted == LEDGER_CREATED)
			(void)unlink(path);
		err_clear(&fixture->err);
		test_disk_fail(++n, 1000, fault);
		result = ledger_open(fixture->dir, &fixture->ledger, &how, NULL, &fixture->err);
		test_disk_fail(0, 0, 0);
		if (result != 0 && !says_so(&fixture->err, fault))
			fail_msg("change %ld: %s", n, fixture->err.text);
		assert_false(fs_exists(fresh));
	} while (result != 0 && n < CHANGES_MAX);
	assert_int_equal(how, wanted);
	assert_true(n > (wanted == LEDGER_CREATED ? 10 : 0));
}

static void test_no_room_for_a_new_ledger(void **state)
{
	check_opening(*state, DISK_FULL, LEDGER_CREATED);
	check_opening(*state, DISK_FAILS, LEDGER_CREATED);
}

/* A sound ledger on a disk that cannot be written is not a damaged one: it stays where it is. */
static void test_no_room_to_open(void **state)
{
	struct ledger_fixture *fixture = *state;

	assert_done(test_story_write(fixture->ledger, 1, &fixture->err), fixture->err);
	check_opening(fixture, DISK_FULL, LEDGER_OPENED);
	check_opening(fixture, DISK_FAILS, LEDGER_OPENED);
	assert_int_equal(test_story_read(fixture->dir), 1);
}

/* ---- a file system that is really full ---- */

enum { MOUNT_REFUSED = 77, FAILED = 1 };

static void fill(const char *path)
{
	static const char block[4096];
	int fd AUTO_FD = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	while (fd >= 0 && fs_write_all(fd, block, sizeof block) == 0)
		;
}

static int complain(const char *what, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", what, err->text);
	return FAILED;
}

static int fill_and_empty(const char *dir)
{
	char *filler AUTO_FREE = test_path(dir, "filler");
	enum ledger_opened how;
	struct ledger *ledger;
	struct err err = ERR_INIT;
	int64_t n = 0;

	if (ledger_open(dir, &ledger, &how, NULL, &err) != 0)
		return complain("open", &err);
	while (n < 5)
		if (test_story_write(ledger, ++n, &err) != 0)
			return complain("write", &err);
	fill(filler);
	if (test_story_write(ledger, n + 1, &err) == 0 || err.code != E_DISK_FULL)
		return complain("write when full", &err);
	if (test_story_read(dir) != n)
		return complain("read when full", &err);
	if (unlink(filler) != 0 || test_story_write(ledger, n + 1, &err) != 0)
		return complain("write when there is room again", &err);
	ledger_close(&ledger);
	return test_story_read(dir) == n + 1 ? 0 : complain("read", &err);
}

static void on_small_file_system(void *arg)
{
	const char *dir = arg;

	if (!test_own_mounts() || mount("none", dir, "tmpfs", 0, "size=300k") != 0)
		_exit(MOUNT_REFUSED);
	_exit(fill_and_empty(dir));
}

static void test_a_small_file_system(void **state)
{
	struct ledger_fixture *fixture = *state;
	char said[1024];
	int status = test_in_child(on_small_file_system, fixture->dir, said, sizeof said);

	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == MOUNT_REFUSED)
		SKIP_BECAUSE("no mounting in a namespace of our own here");
	assert_string_equal(said, "");
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- killed at each change in turn, a write in hand half done ---- */

#define STORY 2

/* Every change, but a sample where the sanitizers make each child expensive. */
#ifdef __SANITIZE_ADDRESS__
#define KILL_STEP 7
#else
#define KILL_STEP 1
#endif

struct killed {
	const char *dir;
	long at;	 /* change at which it dies; 0: lives */
	int acknowledge; /* gets a byte for each transaction that was committed */
};

static void write_and_die(void *arg)
{
	const struct killed *killed = arg;
	enum ledger_opened how;
	struct ledger *ledger;
	struct ledger_view *view;
	struct state state;

	test_disk_fail(killed->at, 1, DISK_KILLS);
	if (state_open(killed->dir, "run", &state, NULL) != 0 ||
	    ledger_open(killed->dir, &ledger, &how, NULL, NULL) != 0 || how == LEDGER_REBUILT ||
	    ledger_view_open(killed->dir, VIEW_RECORDS, &view, NULL) != 0)
		_exit(FAILED);
	for (int64_t i = (int64_t)view->records_n + 1; i <= STORY; i++) {
		if (test_story_write(ledger, i, NULL) != 0 ||
		    write(killed->acknowledge, "x", 1) != 1)
			_exit(FAILED);
	}
	_exit(0);
}

/* Runs the writer until it dies; false when it came to its end. *committed: transactions told. */
static bool run_killed(const char *dir, long at, int64_t *committed)
{
	struct killed killed = {.dir = dir, .at = at};
	int ends[2], status;
	char byte;

	assert_int_equal(pipe(ends), 0);
	killed.acknowledge = ends[1];
	status = test_in_child(write_and_die, &killed, NULL, 0);
	close(ends[1]);
	while (read(ends[0], &byte, 1) == 1)
		++*committed;
	close(ends[0]);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	assert_int_equal(status, 0);
	return false;
}

/*
 * The first life dies at change n, the second, which begins by cleaning up after the first, at
 * change m. After each death exactly the acknowledged transactions are there, or one more. The
 * third comes to the end of the story.
 */
static bool three_lives(const char *dir, long n, long m)
{
	char *path AUTO_FREE = test_path(dir, LEDGER_FILE);
	int64_t committed = 0;
	bool died;

	(void)unlink(path);
	died = run_killed(dir, n, &committed);
	if (died && m)
		run_killed(dir, m, &committed);
	assert_in_range(test_story_read(dir), committed, committed + 1);
	committed = test_story_read(dir);
	run_killed(dir, 0, &committed);
	assert_int_equal(committed, STORY);
	assert_int_equal(test_story_read(dir), STORY);
	return died;
}

static void test_killed_at_each_change(void **state)
{
	struct ledger_fixture *fixture = *state;
	long n = 1;

	ledger_close(&fixture->ledger);
	while (n < CHANGES_MAX && three_lives(fixture->dir, n, 0))
		n += KILL_STEP;
	assert_in_range(n, 40, CHANGES_MAX - 1);
}

static void test_killed_while_cleaning_up(void **state)
{
	struct ledger_fixture *fixture = *state;
	long n = 1;

	ledger_close(&fixture->ledger);
	while (n < CHANGES_MAX && three_lives(fixture->dir, n, 1 + n % 8))
		n += 3 * KILL_STEP;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, ledger_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_failed_change),	     TEST(test_a_disk_that_stays_broken),
		TEST(test_a_disk_that_is_full_once), TEST(test_a_disk_that_stays_full),
		TEST(test_no_room_for_a_new_ledger), TEST(test_no_room_to_open),
		TEST(test_a_small_file_system),	     TEST(test_killed_at_each_change),
		TEST(test_killed_while_cleaning_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

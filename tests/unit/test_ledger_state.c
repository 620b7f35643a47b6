#include "tests/support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "ledger/state.h"

static char *folder; /* of the test */
static char *dir;    /* the state directory in it; not there yet */
static struct err err;

static int set_up(void **state)
{
	(void)state;
	folder = test_folder();
	dir = test_path(folder, "state");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(dir);
	test_folder_remove(&folder);
	return 0;
}

static mode_t mode_of(const char *path)
{
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	return info.st_mode & 07777;
}

static void put(const char *name, const char *text)
{
	char path[FS_PATH_MAX];

	assert_int_equal(fs_join(path, dir, name), 0);
	assert_done(fs_write_atomic(path, text, strlen(text), 0600, &err), err);
}

static void open_state(struct state *state)
{
	assert_done(state_open(dir, "test", state, &err), err);
}

/* ---- making and finding it ---- */

static void test_made_and_found_again(void **unused)
{
	char *deep AUTO_FREE = test_path(dir, "a/b");
	struct state state, again;

	(void)unused;
	free(dir);
	dir = mem_strdup(deep);
	open_state(&state);
	assert_int_equal(mode_of(dir), 0700);
	assert_int_equal(state.dir[0], '/');
	assert_int_equal(strspn(state.instance, "0123456789abcdef"), 32);
	state_close(&state);
	open_state(&again);
	assert_string_equal(again.instance, state.instance);
	state_close(&again);
	state_close(&again);
}

static void test_relative_name_becomes_absolute(void **unused)
{
	char *wanted AUTO_FREE = realpath(folder, NULL);
	int back AUTO_FD = open(".", O_RDONLY | O_DIRECTORY);
	struct state state;

	(void)unused;
	assert_int_equal(chdir(folder), 0);
	assert_done(state_open("here", "test", &state, &err), err);
	assert_int_equal(fchdir(back), 0);
	assert_true(str_starts(state.dir, wanted));
	assert_true(str_ends(state.dir, "/here"));
	state_close(&state);
}

static void test_modes_are_repaired(void **unused)
{
	struct state state;

	(void)unused;
	open_state(&state);
	state_close(&state);
	assert_int_equal(chmod(dir, 0755), 0);
	open_state(&state);
	assert_int_equal(mode_of(dir), 0700);
	state_close(&state);
}

static void test_what_an_administrator_prepares(void **unused)
{
	char *credentials AUTO_FREE = test_path(dir, "credentials");
	struct state state;

	(void)unused;
	assert_done(fs_make_dirs(credentials, 0700, &err), err);
	open_state(&state);
	state_close(&state);
}

static void test_a_first_start_that_was_killed(void **unused)
{
	struct state state;

	(void)unused;
	assert_done(fs_make_dirs(dir, 0700, &err), err);
	put(".0123abcd.999999999.tmp", "true");
	open_state(&state);
	state_close(&state);
}

/* ---- not ours ---- */

static void test_a_foreign_folder_is_left_alone(void **unused)
{
	char *marker AUTO_FREE = test_path(dir, STATE_MARKER_FILE);
	char *lock AUTO_FREE = test_path(dir, STATE_LOCK_FILE);
	struct state state;

	(void)unused;
	assert_done(fs_make_dirs(dir, 0755, &err), err);
	put("holiday.jpg", "x");
	assert_fails(state_open(dir, "test", &state, &err), err, E_STATE_FOREIGN);
	assert_non_null(strstr(err.text, "holiday.jpg"));
	assert_int_equal(mode_of(dir), 0755);
	assert_false(fs_exists(marker));
	assert_false(fs_exists(lock));
	assert_fails(state_check_ours(dir, &err), err, E_STATE_FOREIGN);
	assert_int_equal(state.lock, -1);
	state_close(&state);
}

static void test_another_marker(void **unused)
{
	struct state state;

	(void)unused;
	assert_done(fs_make_dirs(dir, 0700, &err), err);
	put(STATE_MARKER_FILE, "trueup state 2\n");
	assert_fails(state_open(dir, "test", &state, &err), err, E_STATE_FOREIGN);
	put(STATE_MARKER_FILE, "");
	assert_fails(state_open(dir, "test", &state, &err), err, E_STATE_FOREIGN);
}

static void test_a_file_in_its_place(void **unused)
{
	struct state state;

	(void)unused;
	assert_done(fs_write_atomic(dir, "x", 1, 0600, &err), err);
	err_clear(&err);
	assert_int_equal(state_open(dir, "test", &state, &err), -1);
	assert_true(err.code != E_NONE);
	assert_int_equal(state_check_ours(dir, &err), -1);
}

static void test_another_user(void **unused)
{
	struct state state;

	(void)unused;
	if (geteuid() != 0)
		SKIP_BECAUSE("only root can give a folder away");
	assert_done(fs_make_dirs(dir, 0700, &err), err);
	assert_int_equal(chown(dir, 12345, 12345), 0);
	assert_fails(state_open(dir, "test", &state, &err), err, E_STATE_FOREIGN);
	assert_non_null(strstr(err.text, "12345"));
}

static void test_readers_make_nothing(void **unused)
{
	(void)unused;
	assert_done(state_check_ours(dir, &err), err);
	assert_false(fs_exists(dir));
	assert_done(fs_make_dirs(dir, 0700, &err), err);
	assert_done(state_check_ours(dir, &err), err);
}

/* ---- instance ---- */

static void test_a_damaged_instance_is_not_replaced(void **unused)
{
	static const char *const bad[] = {"", "\n", "0123456789abcdef0123456789abcdef",
					  "0123456789abcdef0123456789abcdeX\n",
					  "0123456789abcdef0123456789abcdef0\n"};
	struct state state;

	(void)unused;
	open_state(&state);
	state_close(&state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		put(STATE_INSTANCE_FILE, bad[i]);
		assert_fails(state_open(dir, "test", &state, &err), err, E_BAD_INPUT);
		assert_int_equal(state.lock, -1);
	}
}

/* ---- one at a time ---- */

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static void test_a_second_start_is_told_who_holds_it(void **unused)
{
	char *socket_path AUTO_FREE = test_path(dir, STATE_SOCKET_FILE);
	char wanted[64];
	struct state first, second;
	int fd;

	(void)unused;
	assert_done(state_open(dir, "run", &first, &err), err);
	assert_false(state_daemon_alive(dir));
	assert_fails(state_open_within(dir, "apply", 100, &second, &err), err, E_STATE_BUSY);
	snprintf(wanted, sizeof wanted, "in use by process %d: trueup run", (int)getpid());
	assert_non_null(strstr(err.text, wanted));
	/* Who answers on the socket will not let go soon: no wait (this would last ten seconds). */
	fd = listen_at(socket_path);
	assert_true(state_daemon_alive(dir));
	assert_fails(state_open(dir, "apply", &second, &err), err, E_STATE_BUSY);
	close(fd);
	/* The socket of one who died is no sign of life. */
	assert_false(state_daemon_alive(dir));
	state_close(&first);
	assert_done(state_open(dir, "apply", &second, &err), err);
	state_close(&second);
}

static void test_a_directory_that_was_removed_is_missed(void **unused)
{
	char instance[STATE_INSTANCE_SIZE];
	struct state state;

	(void)unused;
	assert_done(state_open(dir, "run", &state, &err), err);
	assert_done(state_check_there(&state, &err), err);
	memcpy(instance, state.instance, sizeof instance);
	assert_done(fs_remove_tree(dir, &err), err);
	assert_fails(state_check_there(&state, &err), err, E_STATE_LOST);
	/* Another one in its place is not the one that was opened. */
	assert_done(fs_make_dirs(dir, 0700, &err), err);
	assert_fails(state_check_there(&state, &err), err, E_STATE_LOST);
	state_close(&state);
	assert_done(state_open_as(dir, "run", instance, &state, &err), err);
	assert_string_equal(state.instance, instance);
	state_close(&state);
	/* An id that is there is the one that holds. */
	assert_done(state_open_as(dir, "run", "0123456789abcdef0123456789abcdef", &state, &err),
		    err);
	assert_string_equal(state.instance, instance);
	state_close(&state);
}

static void test_a_full_queue_is_a_sign_of_life(void **unused)
{
	char *socket_path AUTO_FREE = test_path(dir, STATE_SOCKET_FILE);
	int fd AUTO_FD = -1;

	(void)unused;
	assert_done(fs_make_dirs(dir, 0700, &err), err);
	fd = listen_at(socket_path);
	for (int i = 0; i < 10; i++)
		assert_true(state_daemon_alive(dir));
}

static void test_a_long_name(void **unused)
{
	struct state state;

	(void)unused;
	for (int i = 0; i < 3; i++) {
		char *longer = mem_printf("%s/%0100d", dir, i);

		free(dir);
		dir = longer;
	}
	open_state(&state);
	assert_int_equal(chdir(dir), 0);
	close(listen_at(STATE_SOCKET_FILE));
	assert_false(state_daemon_alive(dir));
	assert_int_equal(unlink(STATE_SOCKET_FILE), 0);
	{
		int fd AUTO_FD = listen_at(STATE_SOCKET_FILE);

		assert_true(state_daemon_alive(dir));
	}
	assert_int_equal(chdir("/"), 0);
	state_close(&state);
}

/* A wait ends when the holder goes, not when the time is over. */
static void test_waiting_for_one_that_goes(void **unused)
{
	struct state state;
	int ends[2];
	char byte;
	pid_t pid;

	(void)unused;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (state_open(dir, "apply", &state, NULL) != 0 || write(ends[1], "x", 1) != 1)
			_exit(1);
		usleep(100000);
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	open_state(&state);
	state_close(&state);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Killed between a fork and the child's closing of what it inherited: the child is no daemon. */
static void test_a_dead_ones_child_is_waited_for(void **unused)
{
	struct state state;
	pid_t pid;

	(void)unused;
	pid = fork();
	if (pid == 0) {
		if (state_open(dir, "run", &state, NULL) != 0 || chdir(state.dir) != 0)
			_exit(1);
		(void)listen_at(STATE_SOCKET_FILE);
		if (fork() == 0)
			usleep(200000);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	open_state(&state);
	state_close(&state);
}

#define STARTS_DEFAULT 50

/* The winner listens and holds until all others have given up, as a daemon would. */
static void start_once(int gate, int gone)
{
	struct err own = ERR_INIT;
	struct state state;
	char byte;

	(void)!read(gate, &byte, 1);
	if (state_open(dir, "run", &state, &own) != 0)
		_exit(own.code == E_STATE_BUSY ? 75 : 1);
	if (chdir(state.dir) != 0)
		_exit(1);
	(void)listen_at(STATE_SOCKET_FILE);
	while (read(gone, &byte, 1) > 0)
		;
	_exit(0);
}

static void test_many_starts_one_winner(void **unused)
{
	const char *count = getenv("TRUEUP_STARTS");
	int starts = count ? (int)strtol(count, NULL, 10) : STARTS_DEFAULT;
	int gate[2], gone[2], won = 0, busy = 0, status;

	(void)unused;
	assert_int_equal(pipe(gate) | pipe(gone), 0);
	for (int i = 0; i < starts; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			close(gate[1]);
			close(gone[1]);
			start_once(gate[0], gone[0]);
		}
	}
	close(gate[1]);
	for (int i = 0; i + 1 < starts && wait(&status) > 0; i++)
		busy += WIFEXITED(status) && WEXITSTATUS(status) == 75;
	close(gone[1]);
	while (wait(&status) > 0)
		won += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	close(gate[0]);
	close(gone[0]);
	assert_int_equal(won, 1);
	assert_int_equal(busy, starts - 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_made_and_found_again),
		TEST(test_relative_name_becomes_absolute),
		TEST(test_modes_are_repaired),
		TEST(test_what_an_administrator_prepares),
		TEST(test_a_first_start_that_was_killed),
		TEST(test_a_foreign_folder_is_left_alone),
		TEST(test_another_marker),
		TEST(test_a_file_in_its_place),
		TEST(test_another_user),
		TEST(test_readers_make_nothing),
		TEST(test_a_damaged_instance_is_not_replaced),
		TEST(test_a_second_start_is_told_who_holds_it),
		TEST(test_a_directory_that_was_removed_is_missed),
		TEST(test_a_full_queue_is_a_sign_of_life),
		TEST(test_a_long_name),
		TEST(test_waiting_for_one_that_goes),
		TEST(test_a_dead_ones_child_is_waited_for),
		TEST(test_many_starts_one_winner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

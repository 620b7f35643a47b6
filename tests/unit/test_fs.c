#include "tests/support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

static char *folder;
static char path[FS_PATH_MAX]; /* what in() made last */

static int set_up(void **state)
{
	(void)state;
	folder = test_folder();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_folder_remove(&folder);
	return 0;
}

static const char *in(const char *name)
{
	assert_int_equal(fs_join(path, folder, name), 0);
	return path;
}

static void write_file(const char *name, const char *text)
{
	struct err err = ERR_INIT;

	assert_done(fs_write_replace(in(name), text, strlen(text), 0644, &err), err);
}

static void assert_content(const char *name, const char *expected)
{
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	struct err err = ERR_INIT;

	assert_done(fs_read(in(name), 1000000, &text, &err), err);
	assert_string_equal(buf_str(&text), expected);
}

static size_t count_entries(void)
{
	DIR *dir = opendir(folder);
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static mode_t mode_of(const char *name)
{
	struct stat info;

	assert_int_equal(lstat(in(name), &info), 0);
	return info.st_mode & 07777;
}

/* ---- reading ------------------------------------------------------------------------------- */

static void test_read_appends(void **state)
{
	struct buf text AUTO_BUF = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	write_file("f", "abc");
	buf_adds(&text, "x");
	assert_done(fs_read(in("f"), 3, &text, &err), err);
	assert_string_equal(buf_str(&text), "xabc");
	write_file("empty", "");
	assert_done(fs_read(in("empty"), 0, &text, &err), err);
	assert_string_equal(buf_str(&text), "xabc");
}

static void test_read_keeps_to_its_limits(void **state)
{
	struct buf text AUTO_BUF = BUF_INIT(100), tight AUTO_BUF = BUF_INIT(2);
	struct err err = ERR_INIT;

	(void)state;
	write_file("f", "abc");
	buf_adds(&text, "x");
	assert_fails(fs_read(in("f"), 2, &text, &err), err, E_TOO_LARGE);
	assert_string_equal(buf_str(&text), "x");
	assert_fails(fs_read(in("f"), 100, &tight, &err), err, E_TOO_LARGE);
	assert_string_equal(buf_str(&tight), "");
	assert_fails(fs_read("/dev/zero", 100, &text, &err), err, E_BAD_INPUT);
}

static void test_read_of_what_is_no_file(void **state)
{
	struct buf text AUTO_BUF = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_fails(fs_read(in("absent"), 9, &text, &err), err, E_NOT_FOUND);
	write_file("f", "abc");
	assert_fails(fs_read(in("f/x"), 9, &text, &err), err, E_NOT_FOUND);
	assert_fails(fs_read(folder, 9, &text, &err), err, E_BAD_INPUT);
	/* a pipe without a writer must not make it wait */
	assert_int_equal(mkfifo(in("pipe"), 0600), 0);
	assert_fails(fs_read(in("pipe"), 9, &text, &err), err, E_BAD_INPUT);
}

/* ---- writing ------------------------------------------------------------------------------- */

static void test_atomic_write_replaces(void **state)
{
	struct err err = ERR_INIT;
	mode_t mask = umask(077);

	(void)state;
	assert_done(fs_write_atomic(in("f"), "old", 3, 0644, &err), err);
	assert_int_equal(mode_of("f"), 0644);
	assert_done(fs_write_atomic(in("f"), "new one", 7, 0600, &err), err);
	umask(mask);
	assert_content("f", "new one");
	assert_int_equal(mode_of("f"), 0600);
	assert_int_equal(count_entries(), 1);
}

static void test_write_replaces_a_link_not_its_target(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	write_file("target", "precious");
	assert_int_equal(symlink("target", in("link")), 0);
	assert_done(fs_write_atomic(in("link"), "x", 1, 0600, &err), err);
	assert_content("target", "precious");
	assert_content("link", "x");
}

static void test_failed_write_leaves_all_as_it_was(void **state)
{
	struct err err = ERR_INIT;
	char long_name[FS_PATH_MAX + 10];

	(void)state;
	assert_int_equal(mkdir(in("dir"), 0700), 0);
	assert_fails(fs_write_atomic(in("dir"), "x", 1, 0600, &err), err, E_IO);
	assert_true(fs_is_dir(in("dir")));
	assert_int_equal(count_entries(), 1);
	assert_fails(fs_write_atomic(in("absent/f"), "x", 1, 0600, &err), err, E_IO);
	memset(long_name, 'a', sizeof long_name);
	long_name[sizeof long_name - 3] = '/';
	long_name[sizeof long_name - 1] = '\0';
	assert_fails(fs_write_atomic(long_name, "x", 1, 0600, &err), err, E_TOO_LARGE);
}

static void write_past_the_limit(void *arg)
{
	struct rlimit limit = {1000, 1000};
	char big[5000] = {0};
	struct err err = ERR_INIT;

	(void)arg;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	if (fs_write_atomic(in("f"), big, sizeof big, 0600, &err) == 0 || err.code != E_IO)
		_exit(1);
}

/* A file size limit cuts a write short just as a full disk does. */
static void test_short_write_keeps_the_old_content(void **state)
{
	(void)state;
	write_file("f", "old");
	assert_int_equal(test_in_child(write_past_the_limit, NULL, NULL, 0), 0);
	assert_content("f", "old");
	assert_int_equal(count_entries(), 1);
}

static void test_full_disk_is_told_apart(void **state)
{
	struct err err = ERR_INIT;
	int fd AUTO_FD = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(fs_write_all(fd, "x", 1), -1);
	assert_int_equal(errno, ENOSPC);
	err_errno(&err, E_IO, "write");
	assert_int_equal(err.code, E_DISK_FULL);
	assert_int_equal(fs_write_all(fd, "", 0), 0);
}

static void do_nothing(int number)
{
	(void)number;
}

/* Writes more than a pipe holds while signals without SA_RESTART keep coming. */
static void write_under_signals(void *arg)
{
	int *ends = arg;
	struct itimerval often = {{0, 1000}, {0, 1000}};
	struct sigaction action = {.sa_handler = do_nothing};
	char *bytes = mem_zalloc(1, 1 << 20);

	close(ends[0]);
	memset(bytes, 'y', 1 << 20);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	if (fs_write_all(ends[1], bytes, 1 << 20) != 0)
		_exit(1);
	free(bytes);
}

static void test_interrupted_writes_and_reads_go_on(void **state)
{
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = do_nothing}, before;
	struct err err = ERR_INIT;
	int ends[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		write_under_signals(ends);
		_exit(0);
	}
	close(ends[1]);
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_done(fs_read_fd(ends[0], "pipe", 2 << 20, &text, &err), err);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(text.len, 1 << 20);
	assert_int_equal(strspn(text.ptr, "y"), 1 << 20);
}

/* ---- temporary files that a killed process left -------------------------------------------- */

static void test_stale_temps(void **state)
{
	struct err err = ERR_INIT;
	char alive[64];

	(void)state;
	snprintf(alive, sizeof alive, ".0123abcd.%d.tmp", (int)getpid());
	write_file(alive, "");
	write_file(".0123abcd.2147483647.tmp", "");
	write_file(".0123abcd.x.tmp", "");
	write_file(".0123abcd..tmp", "");
	write_file(".0123ABCD.2147483647.tmp", "");
	write_file("x0123abcd.2147483647.tmp", "");
	write_file(".0123abcd.99999999999999999999.tmp", "");
	assert_done(fs_remove_stale_temps(folder, &err), err);
	assert_false(fs_exists(in(".0123abcd.2147483647.tmp")));
	assert_true(fs_exists(in(alive)));
	assert_int_equal(count_entries(), 6);
	assert_done(fs_remove_stale_temps(in("absent"), &err), err);
}

/* ---- folders ------------------------------------------------------------------------------- */

static void test_make_dirs(void **state)
{
	struct err err = ERR_INIT;
	mode_t mask = umask(077);

	(void)state;
	assert_done(fs_make_dirs(in("a//b/c/"), 0755, &err), err);
	umask(mask);
	assert_int_equal(mode_of("a"), 0755);
	assert_int_equal(mode_of("a/b/c"), 0755);
	/* again, and with another mode: what is there stays as it is */
	assert_done(fs_make_dirs(in("a/b/c"), 0700, &err), err);
	assert_int_equal(mode_of("a/b"), 0755);
	write_file("file", "");
	assert_fails(fs_make_dirs(in("file"), 0700, &err), err, E_IO);
	assert_fails(fs_make_dirs(in("file/x"), 0700, &err), err, E_IO);
	assert_int_equal(symlink("a", in("link")), 0);
	assert_done(fs_make_dirs(in("link/d"), 0700, &err), err);
	assert_true(fs_is_dir(in("a/d")));
	assert_done(fs_make_dirs("/", 0700, &err), err);
}

static void test_remove_tree(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	write_file("outside", "kept");
	assert_done(fs_make_dirs(in("t/a/b"), 0700, &err), err);
	assert_done(fs_make_dirs(in("elsewhere/x"), 0700, &err), err);
	write_file("t/a/f", "");
	write_file("elsewhere/f", "");
	assert_int_equal(symlink("../outside", in("t/link")), 0);
	assert_int_equal(symlink("../elsewhere", in("t/dirlink")), 0);
	assert_int_equal(chmod(in("t/a/b"), 0), 0);
	assert_int_equal(chmod(in("t/a"), 0500), 0);
	assert_done(fs_remove_tree(in("t"), &err), err);
	assert_false(fs_exists(in("t")));
	assert_content("outside", "kept");
	assert_content("elsewhere/f", "");
	assert_done(fs_remove_tree(in("t"), &err), err);
	assert_done(fs_remove_tree(in("outside"), &err), err);
	assert_false(fs_exists(in("outside")));
}

static void test_remove_of_a_link_removes_the_link(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_done(fs_make_dirs(in("real"), 0700, &err), err);
	write_file("real/f", "kept");
	assert_int_equal(symlink("real", in("link")), 0);
	assert_done(fs_remove_tree(in("link/"), &err), err);
	assert_false(fs_exists(in("link")));
	assert_content("real/f", "kept");
}

static void test_remove_refuses_nonsense(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_fails(fs_remove_tree("", &err), err, E_INTERNAL);
	assert_fails(fs_remove_tree("/", &err), err, E_INTERNAL);
	assert_fails(fs_remove_tree("///", &err), err, E_INTERNAL);
}

static void remove_with_few_descriptors(void *arg)
{
	struct rlimit few = {64, 64};
	struct err err = ERR_INIT;

	(void)arg;
	setrlimit(RLIMIT_NOFILE, &few);
	if (fs_remove_tree(in("deep"), &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		_exit(1);
	}
}

/* Deeper than a path can name, and than there are descriptors. */
static void test_remove_of_a_very_deep_tree(void **state)
{
	char text[2000];
	int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *name = "deep";

	(void)state;
	for (int depth = 0; depth < 3000; depth++) {
		int next;

		assert_int_equal(mkdirat(at, name, 0700), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
		assert_true(at >= 0);
		name = "level";
	}
	close(at);
	if (test_in_child(remove_with_few_descriptors, NULL, text, sizeof text) != 0)
		fail_msg("%s", text);
	assert_false(fs_exists(in("deep")));
}

static void test_exists_and_is_dir(void **state)
{
	(void)state;
	assert_int_equal(symlink("nowhere", in("dangling")), 0);
	assert_true(fs_exists(in("dangling")));
	assert_false(fs_is_dir(in("dangling")));
	assert_true(fs_is_dir(folder));
	assert_false(fs_exists(in("absent")));
}

/* ---- paths --------------------------------------------------------------------------------- */

static void test_join(void **state)
{
	char out[FS_PATH_MAX], long_name[FS_PATH_MAX];

	(void)state;
	assert_int_equal(fs_join(out, "a", "b"), 0);
	assert_string_equal(out, "a/b");
	assert_int_equal(fs_join(out, "a/", "b"), 0);
	assert_string_equal(out, "a/b");
	assert_int_equal(fs_join(out, "", "b"), 0);
	assert_string_equal(out, "b");
	memset(long_name, 'x', sizeof long_name);
	long_name[FS_PATH_MAX - 3] = '\0';
	assert_int_equal(fs_join(out, "a", long_name), 0);
	assert_int_equal(strlen(out), FS_PATH_MAX - 1);
	assert_int_equal(fs_join(out, "ab", long_name), -1);
}

static void test_inner_paths(void **state)
{
	static const char *const good[] = {"a", "a/b", "...", "a/..b", ".a", "a b"};
	static const char *const bad[] = {"",	"/",   "/a",   "a/",  "a//b", ".",
					  "..", "./a", "../a", "a/.", "a/..", "a/../b"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(fs_is_inner_path(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(fs_is_inner_path(bad[i]));
}

static void beneath(int (*open_it)(int, const char *, int, mode_t), int dir)
{
	char long_part[NAME_MAX + 20];
	int fd;

	fd = open_it(dir, "a/b/f", O_RDONLY, 0);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	fd = open_it(dir, "a/new", O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlink(in("a/new")), 0);
	assert_int_equal(open_it(dir, "a/out", O_RDONLY, 0), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(open_it(dir, "up/outside", O_RDONLY, 0), -1);
	assert_true(errno == ELOOP || errno == ENOTDIR);
	assert_int_equal(open_it(dir, "a/../a/b/f", O_RDONLY, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(open_it(dir, "/etc/passwd", O_RDONLY, 0), -1);
	assert_int_equal(open_it(dir, "a/absent/f", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(open_it(dir, "a/b/f/g", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOTDIR);
	memset(long_part, 'x', sizeof long_part);
	memcpy(long_part + sizeof long_part - 3, "/y", 3);
	assert_int_equal(open_it(dir, long_part, O_RDONLY, 0), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void test_open_beneath(void **state)
{
	struct err err = ERR_INIT;
	int dir AUTO_FD = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_done(fs_make_dirs(in("a/b"), 0700, &err), err);
	write_file("a/b/f", "x");
	assert_int_equal(symlink("/etc/passwd", in("a/out")), 0);
	assert_int_equal(symlink("a", in("up")), 0);
	beneath(fs_open_beneath, dir);
	beneath(fs_open_beneath_walk, dir);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read_appends),
		TEST(test_read_keeps_to_its_limits),
		TEST(test_read_of_what_is_no_file),
		TEST(test_atomic_write_replaces),
		TEST(test_write_replaces_a_link_not_its_target),
		TEST(test_failed_write_leaves_all_as_it_was),
		TEST(test_short_write_keeps_the_old_content),
		TEST(test_full_disk_is_told_apart),
		TEST(test_interrupted_writes_and_reads_go_on),
		TEST(test_stale_temps),
		TEST(test_make_dirs),
		TEST(test_remove_tree),
		TEST(test_remove_of_a_link_removes_the_link),
		TEST(test_remove_refuses_nonsense),
		TEST(test_remove_of_a_very_deep_tree),
		TEST(test_exists_and_is_dir),
		TEST(test_join),
		TEST(test_inner_paths),
		TEST(test_open_beneath),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_tree.h"

struct bench {
	char *folder;
	int dir;
};

static void put(const struct bench *bench, const char *name, const char *text, mode_t mode)
{
	AUTO_FREE char *path = test_path(bench->folder, name);
	struct err err = ERR_INIT;

	assert_done(fs_write_replace(path, text, strlen(text), mode, &err), err);
	assert_int_equal(chmod(path, mode), 0);
}

static void make_link(const struct bench *bench, const char *text, const char *name)
{
	assert_int_equal(symlinkat(text, bench->dir, name), 0);
}

static int setup(void **state)
{
	struct bench *bench = mem_zalloc(1, sizeof *bench);

	bench->folder = test_folder();
	bench->dir = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = bench;
	return bench->dir < 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	close(bench->dir);
	test_folder_remove(&bench->folder);
	free(bench);
	return 0;
}

static const char *digest(const struct bench *bench)
{
	static char out[16][HASH_HEX_SIZE];
	static int next;
	struct err err = ERR_INIT;

	next = (next + 1) % 16;
	assert_done(host_tree_digest(bench->dir, out[next], &err), err);
	return out[next];
}

/*
 * A digest is a promise over years and machines: these may never change. Worked out apart from this
 * code, from the description in host_tree.h, with lengths as 8 bytes, least significant first.
 */
static void known_digests(void **state)
{
	struct bench *bench = *state;

	assert_string_equal(digest(bench),
			    "03cc834f3bdf7d7b4c5b9d4ba0ebc4a49a7bca95f89cb7269a8d66f2ef01ccda");
	put(bench, "run", "#!/bin/sh\n", 0755);
	mkdirat(bench->dir, "lib", 0755);
	put(bench, "lib/a.txt", "hello\n", 0644);
	make_link(bench, "lib/a.txt", "link");
	assert_string_equal(digest(bench),
			    "3efab19e59e9541590d8f2861cefcb6830b236d55411a8b98269e160a3d81bd5");
}

/* What matters changes the digest, what does not leaves it alone. */
static void what_counts(void **state)
{
	struct bench *bench = *state;
	const char *before;

	put(bench, "a", "text", 0644);
	before = digest(bench);
	put(bench, "a", "text", 0600);
	assert_string_equal(digest(bench), before);
	put(bench, "a", "text", 0700);
	assert_string_not_equal(digest(bench), before);
	put(bench, "a", "texT", 0644);
	assert_string_not_equal(digest(bench), before);
	put(bench, "a", "text", 0644);
	put(bench, "b", "", 0644);
	assert_string_not_equal(digest(bench), before);
	unlinkat(bench->dir, "b", 0);
	assert_string_equal(digest(bench), before);
	assert_int_equal(renameat(bench->dir, "a", bench->dir, "c"), 0);
	assert_string_not_equal(digest(bench), before);
}

static void a_file_is_no_link_and_no_folder(void **state)
{
	struct bench *bench = *state;
	const char *file, *link, *folder;

	put(bench, "x", "y", 0644);
	put(bench, "y", "", 0644);
	file = digest(bench);
	unlinkat(bench->dir, "x", 0);
	make_link(bench, "y", "x");
	link = digest(bench);
	unlinkat(bench->dir, "x", 0);
	mkdirat(bench->dir, "x", 0755);
	folder = digest(bench);
	assert_string_not_equal(file, link);
	assert_string_not_equal(link, folder);
	assert_string_not_equal(folder, file);
}

static void refuses(const struct bench *bench, const char *name)
{
	char out[HASH_HEX_SIZE];
	struct err err = ERR_INIT;

	assert_fails(host_tree_digest(bench->dir, out, &err), err, E_IMAGE_INVALID);
	assert_non_null(strstr(err.text, name));
	unlinkat(bench->dir, name, 0);
}

static void links_that_leave(void **state)
{
	struct bench *bench = *state;
	char out[HASH_HEX_SIZE];
	struct err err = ERR_INIT;

	mkdirat(bench->dir, "a", 0755);
	make_link(bench, "/etc/passwd", "absolute");
	refuses(bench, "absolute");
	make_link(bench, "../x", "upwards");
	refuses(bench, "upwards");
	make_link(bench, "loop", "loop");
	refuses(bench, "loop");
	/* by way of another link, which alone is harmless: text would not tell */
	make_link(bench, "..", "a/up");
	assert_done(host_tree_digest(bench->dir, out, &err), err);
	make_link(bench, "a/up/../etc", "sly");
	refuses(bench, "sly");
	make_link(bench, "nothing", "dangling");
	assert_done(host_tree_digest(bench->dir, out, &err), err);
}

static void what_is_no_file(void **state)
{
	struct bench *bench = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd AUTO_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkfifoat(bench->dir, "pipe", 0600), 0);
	refuses(bench, "pipe");
	snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", bench->folder);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	refuses(bench, "socket");
}

static void too_deep(void **state)
{
	struct bench *bench = *state;
	char out[HASH_HEX_SIZE];
	struct err err = ERR_INIT;
	int at = dup(bench->dir);

	for (int i = 0; i <= HOST_TREE_DEPTH_MAX; i++) {
		int next;

		mkdirat(at, "d", 0755);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	close(at);
	assert_fails(host_tree_digest(bench->dir, out, &err), err, E_IMAGE_INVALID);
}

static mode_t mode_of(int dir, const char *name)
{
	struct stat info;

	assert_int_equal(fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW), 0);
	return info.st_mode;
}

static void a_copy_is_the_same_and_read_only(void **state)
{
	struct bench *bench = *state;
	AUTO_FREE char *copy = mem_printf("%s.copy", bench->folder);
	char copied[HASH_HEX_SIZE], again[HASH_HEX_SIZE];
	AUTO_FREE char *large = mem_alloc(300001);
	struct err err = ERR_INIT;
	int to AUTO_FD = -1;

	memset(large, 'x', 300000);
	large[300000] = '\0';
	put(bench, "run", "#!/bin/sh\n", 0755);
	mkdirat(bench->dir, "lib", 0700);
	put(bench, "lib/large", large, 0600);
	make_link(bench, "lib/large", "link");
	assert_int_equal(mkdir(copy, 0700), 0);
	to = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_done(host_tree_copy(bench->dir, to, copied, &err), err);
	assert_string_equal(copied, digest(bench));
	assert_done(host_tree_digest(to, again, &err), err);
	assert_string_equal(again, copied);
	assert_int_equal(mode_of(to, "run") & 07777, 0555);
	assert_int_equal(mode_of(to, "lib/large") & 07777, 0444);
	assert_int_equal(mode_of(to, "lib") & 07777, 0555);
	assert_int_equal(mode_of(to, ".") & 07777, 0555);
	assert_true(S_ISLNK(mode_of(to, "link")));
	test_folder_remove(&copy);
}

static void open_follows_links_inside_only(void **state)
{
	struct bench *bench = *state;
	int fd;

	mkdirat(bench->dir, "1.0", 0755);
	make_link(bench, "1.0", "latest");
	make_link(bench, "/etc", "out");
	fd = host_tree_open(bench->dir, "latest", O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(host_tree_open(bench->dir, "out", O_RDONLY | O_DIRECTORY), -1);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(host_tree_open(bench->dir, "../", O_RDONLY | O_DIRECTORY), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(known_digests),
		TEST(what_counts),
		TEST(a_file_is_no_link_and_no_folder),
		TEST(links_that_leave),
		TEST(what_is_no_file),
		TEST(too_deep),
		TEST(a_copy_is_the_same_and_read_only),
		TEST(open_follows_links_inside_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

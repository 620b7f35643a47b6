#include "tests/support/test.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char *test_folder(void)
{
	const char *base = getenv("TMPDIR");
	char *path = mem_printf("%s/test.XXXXXX", base && *base ? base : "/tmp");

	if (!mkdtemp(path))
		fail_msg("mkdtemp %s: %s", path, strerror(errno));
	return path;
}

static int make_writable(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)walk;
	return type == FTW_D || type == FTW_DNR ? chmod(path, 0700) : 0;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

void test_folder_remove(char **folder)
{
	if (!*folder)
		return;
	nftw(*folder, make_writable, 16, FTW_PHYS);
	nftw(*folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(*folder);
	*folder = NULL;
}

char *test_path(const char *folder, const char *name)
{
	return mem_printf("%s/%s", folder, name);
}

int test_in_child(void (*body)(void *arg), void *arg, char *text, size_t size)
{
	int ends[2], status = -1;
	size_t len = 0;
	pid_t pid;

	if (pipe(ends) != 0)
		fail_msg("pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (text)
			dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		body(arg);
		_exit(0);
	}
	close(ends[1]);
	while (text && len + 1 < size) {
		ssize_t got = read(ends[0], text + len, size - 1 - len);

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	if (text)
		text[len] = '\0';
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail_msg("fork: %s", strerror(errno));
	return status;
}

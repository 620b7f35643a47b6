/* The part of fs.h that removes things. */
#include "base/sys.h"
#include "base/fs.h"
#include "base/num.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * One open descriptor a level, so a tree may not decide how deep this goes: a folder found at the
 * limit is moved up to the top of the tree and removed from there in the next round.
 */
#define DEPTH_MAX 32

struct removal {
	int top;      /* the tree's own folder */
	dev_t device; /* of the tree; others are not entered */
	unsigned hoisted;
	struct err *err;
};

/* Read-only folders are emptied too: what is removed needs no permissions any more. */
static int open_writable(int parent, const char *name, struct stat *info)
{
	int path_fd AUTO_FD = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char link[64];

	if (path_fd < 0 || fstat(path_fd, info) != 0)
		return -1;
	if ((info->st_mode & S_IRWXU) != S_IRWXU) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);
		(void)chmod(link, (info->st_mode & 07777) | S_IRWXU);
	}
	return openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int empty_dir(struct removal *removal, int fd, int depth);

static int hoist(struct removal *removal, int dir, const char *name)
{
	char temp[64];

	do
		snprintf(temp, sizeof temp, ".removing-%u", removal->hoisted++);
	while (faccessat(removal->top, temp, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	if (renameat(dir, name, removal->top, temp) != 0)
		return err_errno(removal->err, E_IO, "remove %s", name);
	return 0;
}

static int remove_dir(struct removal *removal, int parent, const char *name, int depth)
{
	struct stat info;
	int fd;

	if (depth == DEPTH_MAX)
		return hoist(removal, parent, name);
	fd = open_writable(parent, name, &info);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(removal->err, E_IO, "open %s", name);
	if (info.st_dev != removal->device) {
		close(fd);
		return err_set(removal->err, E_IO, "%s is on another file system", name);
	}
	if (empty_dir(removal, fd, depth + 1) != 0)
		return err_wrap(removal->err, "%s", name);
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return err_errno(removal->err, E_IO, "remove %s", name);
	return 0;
}

static int remove_entry(struct removal *removal, int parent, const char *name, int depth)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(removal->err, E_IO, "remove %s", name);
	return remove_dir(removal, parent, name, depth);
}

/* Takes fd. */
static int empty_dir(struct removal *removal, int fd, int depth)
{
	DIR *dir AUTO_DIR = fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		close(fd);
		return err_errno(removal->err, E_IO, "list folder");
	}
	while ((errno = 0, entry = readdir(dir))) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		if (remove_entry(removal, dirfd(dir), entry->d_name, depth) != 0)
			return -1;
	}
	return errno ? err_errno(removal->err, E_IO, "list folder") : 0;
}

static int empty_tree(struct removal *removal, int top)
{
	unsigned before;

	do {
		int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return err_errno(removal->err, E_IO, "open folder");
		before = removal->hoisted;
		if (empty_dir(removal, fd, 0) != 0)
			return -1;
	} while (removal->hoisted != before);
	return 0;
}

static int remove_tree(int parent, const char *name, struct err *err)
{
	struct stat info;
	int top AUTO_FD = -1;
	struct removal removal = {.err = err};

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(err, E_IO, "remove %s", name);
	top = open_writable(parent, name, &info);
	if (top < 0)
		return err_errno(err, E_IO, "open %s", name);
	removal.top = top;
	removal.device = info.st_dev;
	if (empty_tree(&removal, top) != 0)
		return err_wrap(err, "remove %s", name);
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return err_errno(err, E_IO, "remove %s", name);
	return 0;
}

/* A slash at the end would make the kernel follow a link. */
int fs_remove_tree_at(int dir, const char *name, struct err *err)
{
	char path[FS_PATH_MAX];
	size_t len = strlen(name);

	while (len > 1 && name[len - 1] == '/')
		len--;
	if (len == 0 || len >= sizeof path || (len == 1 && name[0] == '/'))
		return err_set(err, E_INTERNAL, "remove \"%s\": not a path that can be removed",
			       name);
	memcpy(path, name, len);
	path[len] = '\0';
	return remove_tree(dir, path, err);
}

int fs_remove_tree(const char *path, struct err *err)
{
	return fs_remove_tree_at(AT_FDCWD, path, err);
}

/* The process that made ".<8 hex digits>.<pid>.tmp", or 0 for any other name. */
static pid_t temp_maker(const char *name)
{
	char digits[16];
	size_t len = strlen(name);
	int64_t pid;

	if (len < 15 || len > 14 + sizeof digits - 1 || name[0] != '.' || name[9] != '.' ||
	    strspn(name + 1, "0123456789abcdef") != 8 || !str_ends(name, ".tmp"))
		return 0;
	memcpy(digits, name + 10, len - 14);
	digits[len - 14] = '\0';
	return num_parse_int(digits, 1, INT32_MAX, &pid) == 0 ? (pid_t)pid : 0;
}

int fs_remove_stale_temps(const char *path, struct err *err)
{
	DIR *dir AUTO_DIR = opendir(path);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : err_errno(err, E_IO, "open %s", path);
	while ((entry = readdir(dir))) {
		pid_t maker = temp_maker(entry->d_name);

		if (maker && kill(maker, 0) != 0 && errno == ESRCH)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	return 0;
}

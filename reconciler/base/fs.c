#include "base/sys.h"
#include "base/fs.h"
#include "base/hash.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void fs_close_ptr(int *fd)
{
	int number = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = number;
}

void fs_close_dir_ptr(DIR **dir)
{
	if (*dir)
		closedir(*dir);
	*dir = NULL;
}

/* ---- reading ------------------------------------------------------------------------------- */

static int read_open_file(int fd, const char *name, size_t max, struct buf *out, struct err *err)
{
	char piece[16384];
	size_t start = out->len;
	ssize_t got;

	do {
		got = read(fd, piece, sizeof piece);
		if (got < 0 && errno != EINTR)
			return err_errno(err, E_IO, "read %s", name);
		if (got > 0 && (size_t)got > max - (out->len - start))
			return err_set(err, E_TOO_LARGE, "%s: more than %zu bytes", name, max);
		buf_add(out, piece, got > 0 ? (size_t)got : 0);
		if (out->overflow)
			return err_set(err, E_TOO_LARGE, "%s: more than %zu bytes", name, out->max);
	} while (got != 0);
	return 0;
}

int fs_read_fd(int fd, const char *name, size_t max, struct buf *out, struct err *err)
{
	size_t start = out->len;

	if (read_open_file(fd, name, max, out, err) == 0)
		return 0;
	out->len = start;
	if (out->ptr)
		out->ptr[start] = '\0';
	return -1;
}

/* Without O_NONBLOCK the open of a pipe without a writer would wait for ever. */
int fs_read_at(int dir, const char *name, size_t max, struct buf *out, struct err *err)
{
	int fd AUTO_FD = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info;

	if (fd < 0)
		return err_errno(err, errno == ENOENT || errno == ENOTDIR ? E_NOT_FOUND : E_IO,
				 "open %s", name);
	if (fstat(fd, &info) != 0)
		return err_errno(err, E_IO, "stat %s", name);
	if (!S_ISREG(info.st_mode))
		return err_set(err, E_BAD_INPUT, "%s is not a regular file", name);
	return fs_read_fd(fd, name, max, out, err);
}

int fs_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	return fs_read_at(AT_FDCWD, path, max, out, err);
}

/* ---- writing ------------------------------------------------------------------------------- */

int fs_write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t done = write(fd, at, len);

		if (done < 0 && errno != EINTR)
			return -1;
		if (done > 0) {
			at += done;
			len -= (size_t)done;
		}
	}
	return 0;
}

/* "<folder>/.<random>.<pid>.tmp" beside path: the form that fs_remove_stale_temps knows. */
static int temp_name(char out[FS_PATH_MAX], const char *path)
{
	const char *slash = strrchr(path, '/');
	int folder_len = slash ? (int)(slash - path + 1) : 0;
	uint32_t random;
	int len;

	hash_random(&random, sizeof random);
	len = snprintf(out, FS_PATH_MAX, "%.*s.%08x.%d.tmp", folder_len, path, random,
		       (int)getpid());
	return len < FS_PATH_MAX ? 0 : -1;
}

static int fill(int fd, const void *bytes, size_t len, mode_t mode, bool durable)
{
	if (fs_write_all(fd, bytes, len) != 0 || fchmod(fd, mode) != 0)
		return -1;
	return durable ? fsync(fd) : 0;
}

static int write_temp(const char *temp, const void *bytes, size_t len, mode_t mode, bool durable)
{
	int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result, number;

	if (fd < 0)
		return -1;
	result = fill(fd, bytes, len, mode, durable);
	number = errno;
	if (close(fd) != 0 && result == 0)
		return -1;
	errno = number;
	return result;
}

static int replace(const char *path, const void *bytes, size_t len, mode_t mode, bool durable,
		   struct err *err)
{
	char temp[FS_PATH_MAX];
	int number;

	if (temp_name(temp, path) != 0)
		return err_set(err, E_TOO_LARGE, "write %s: the path is too long", path);
	if (write_temp(temp, bytes, len, mode, durable) == 0 && rename(temp, path) == 0)
		return 0;
	number = errno;
	(void)unlink(temp);
	errno = number;
	return err_errno(err, E_IO, "write %s", path);
}

static int sync_folder_of(const char *path, struct err *err)
{
	char folder[FS_PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (!slash)
		return fs_sync_dir(".", err);
	memcpy(folder, path, len);
	folder[len] = '\0';
	return fs_sync_dir(len ? folder : "/", err);
}

int fs_write_atomic(const char *path, const void *bytes, size_t len, mode_t mode, struct err *err)
{
	if (replace(path, bytes, len, mode, true, err) != 0)
		return -1;
	return sync_folder_of(path, err);
}

int fs_write_replace(const char *path, const void *bytes, size_t len, mode_t mode, struct err *err)
{
	return replace(path, bytes, len, mode, false, err);
}

int fs_sync_dir(const char *path, struct err *err)
{
	int fd AUTO_FD = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return err_errno(err, E_IO, "sync %s", path);
	return 0;
}

/* ---- folders and paths --------------------------------------------------------------------- */

/* Success when it was made here or is a folder already. */
static int make_dir(const char *path, mode_t mode)
{
	int number;

	if (mkdir(path, mode) == 0)
		return chmod(path, mode);
	number = errno == EEXIST ? ENOTDIR : errno;
	if (fs_is_dir(path))
		return 0;
	errno = number;
	return -1;
}

int fs_make_dirs(const char *path, mode_t mode, struct err *err)
{
	char part[FS_PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof part)
		return err_set(err, E_TOO_LARGE, "make folder %s: the path is too long", path);
	for (size_t i = 1; i <= len; i++) {
		if ((path[i] != '/' && path[i] != '\0') || path[i - 1] == '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (make_dir(part, mode) != 0)
			return err_errno(err, E_IO, "make folder %s", part);
	}
	return 0;
}

bool fs_exists(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0;
}

bool fs_is_dir(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int fs_join(char *out, const char *dir, const char *name)
{
	size_t dir_len = strlen(dir);
	const char *between = dir_len && dir[dir_len - 1] != '/' ? "/" : "";
	int len = snprintf(out, FS_PATH_MAX, "%s%s%s", dir, between, name);

	return len < FS_PATH_MAX ? 0 : -1;
}

bool fs_is_inner_path(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}

/* ---- opening below a folder ---------------------------------------------------------------- */

int fs_open_beneath_walk(int dir, const char *path, int flags, mode_t mode)
{
	int at AUTO_FD = -1;
	char part[NAME_MAX + 1];
	size_t len;

	if (!fs_is_inner_path(path)) {
		errno = EINVAL;
		return -1;
	}
	for (; path[len = strcspn(path, "/")]; path += len + 1) {
		int next;

		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part, path, len);
		part[len] = '\0';
		next = openat(at < 0 ? dir : at, part,
			      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		fs_close_ptr(&at);
		if (next < 0)
			return -1;
		at = next;
	}
	return openat(at < 0 ? dir : at, path, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

int fs_open_beneath(int dir, const char *path, int flags, mode_t mode)
{
	bool creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = creates ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd;

	if (!fs_is_inner_path(path)) {
		errno = EINVAL;
		return -1;
	}
	fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
	/* Older sandboxes answer EPERM to system calls they do not know. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return fs_open_beneath_walk(dir, path, flags, mode);
	return (int)fd;
}

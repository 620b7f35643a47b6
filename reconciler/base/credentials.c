#include "base/sys.h"
#include "base/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/utf8.h"

static bool is_public(const char *name)
{
	return str_eq(name, "known_hosts") || str_eq(name, "ca.pem") || str_eq(name, "cert.pem");
}

static int check_owner(const struct stat *info, const char *path, struct err *err)
{
	if (info->st_uid == geteuid() || info->st_uid == 0)
		return 0;
	return err_set(err, E_CREDENTIALS, "%s belongs to another user: chown %ld %s", path,
		       (long)geteuid(), path);
}

static int check_folder(int fd, const char *dir, struct err *err)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return err_errno(err, E_CREDENTIALS, "%s", dir);
	if (info.st_mode & 077)
		return err_set(err, E_CREDENTIALS, "%s is open to other users: chmod 700 %s", dir,
			       dir);
	return check_owner(&info, dir, err);
}

static int check_file(int fd, const char *dir, const char *name, struct err *err)
{
	char path[FS_PATH_MAX];
	struct stat info;

	if (fs_join(path, dir, name) != 0)
		return err_set(err, E_CREDENTIALS, "%s: the path is too long", dir);
	if (fstat(fd, &info) != 0)
		return err_errno(err, E_CREDENTIALS, "%s", path);
	if (!S_ISREG(info.st_mode))
		return err_set(err, E_CREDENTIALS, "%s is not a regular file", path);
	if (info.st_mode & (is_public(name) ? 022 : 077))
		return err_set(err, E_CREDENTIALS, "%s is open to other users: chmod 600 %s", path,
			       path);
	if (info.st_size == 0)
		return err_set(err, E_CREDENTIALS, "%s is empty", path);
	return check_owner(&info, path, err);
}

static void drop_last_newline(struct buf *out)
{
	if (out->len && out->ptr[out->len - 1] == '\n')
		out->len--;
	if (out->len && out->ptr[out->len - 1] == '\r')
		out->len--;
	if (out->ptr)
		out->ptr[out->len] = '\0';
}

char *credentials_folder(const char *dir, const char *state_dir, const char *name)
{
	return dir ? mem_printf("%s/%s", dir, name)
		   : mem_printf("%s/credentials/%s", state_dir, name);
}

int credentials_read(const char *dir, const char *name, struct buf *out, struct err *err)
{
	int folder AUTO_FD = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd AUTO_FD = -1;

	if (folder < 0)
		return err_errno(err, E_CREDENTIALS, "the credentials folder %s", dir);
	if (check_folder(folder, dir, err) != 0)
		return -1;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, E_NOT_FOUND, "%s holds no %s", dir, name);
	if (fd < 0)
		return err_errno(err, E_CREDENTIALS, "%s/%s", dir, name);
	if (check_file(fd, dir, name, err) != 0)
		return -1;
	if (fs_read_fd(fd, name, CREDENTIALS_FILE_MAX, out, err) != 0)
		return err_set(err, E_CREDENTIALS, "%s/%s cannot be read or is larger than 64 KiB",
			       dir, name);
	drop_last_newline(out);
	return 0;
}

int credentials_read_line(const char *dir, const char *name, struct buf *out, struct err *err)
{
	size_t start = out->len;

	if (credentials_read(dir, name, out, err) != 0)
		return -1;
	if (!utf8_is_plain(buf_str(out) + start, out->len - start))
		return err_set(err, E_CREDENTIALS, "%s/%s is not one line of text", dir, name);
	return 0;
}

void credentials_wipe(struct buf *secret)
{
	if (secret->ptr)
		explicit_bzero(secret->ptr, secret->cap);
	buf_release(secret);
}

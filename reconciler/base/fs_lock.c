/* The part of fs.h that locks. */
#include "base/sys.h"
#include "base/clock.h"
#include "base/fs.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* flock has no deadline and a signal is no way to give it one: look again at this distance. */
#define LOOK_AGAIN_MS 20

/* The file may have been removed and made anew between our open and our lock. */
static bool is_still_there(int fd, const char *path)
{
	struct stat locked, named;

	return fstat(fd, &locked) == 0 && stat(path, &named) == 0 &&
	       locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

/* A descriptor, or -1 with errno EWOULDBLOCK when somebody else has the lock. */
static int try_lock(const char *path)
{
	int fd AUTO_FD = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int locked = fd;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
		return -1;
	if (!is_still_there(fd, path)) {
		errno = EINTR;
		return -1;
	}
	fd = -1;
	return locked;
}

/* Only for people who ask who holds it: a full disk must not keep anybody from the lock. */
static void write_holder(int fd, const char *purpose)
{
	char line[256];
	int len = snprintf(line, sizeof line, "%d %s\n", (int)getpid(), purpose);

	if ((size_t)len >= sizeof line) {
		len = sizeof line - 1;
		line[len - 1] = '\n';
	}
	if (ftruncate(fd, 0) == 0)
		(void)fs_write_all(fd, line, (size_t)len);
}

static int busy(const char *path, struct err *err)
{
	char holder[256];

	fs_lock_holder(path, holder, sizeof holder);
	return err_set(err, E_STATE_BUSY, "%s is held by %s", path,
		       *holder ? holder : "another process");
}

int fs_lock(const char *path, const char *purpose, int64_t wait_ms, struct err *err)
{
	int64_t until = clock_boot_ms() + wait_ms;

	for (;;) {
		int fd = try_lock(path);

		if (fd >= 0) {
			write_holder(fd, purpose);
			return fd;
		}
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return err_errno(err, E_IO, "lock %s", path);
		if (clock_boot_ms() >= until)
			return busy(path, err);
		usleep(LOOK_AGAIN_MS * 1000);
	}
}

void fs_lock_holder(const char *path, char *out, size_t size)
{
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct buf clean AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	if (fs_read(path, 4096, &text, NULL) == 0)
		buf_add_clean(&clean, buf_str(&text), strcspn(buf_str(&text), "\n"));
	snprintf(out, size, "%s", buf_str(&clean));
}

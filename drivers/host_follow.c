#include "base/sys.h"
#include "drivers/host_follow.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_log.h"

#define READ_BYTES ((size_t)16 << 10)
/* Of what was written before, at most so much is told: the newest. */
#define PAST_MAX ((size_t)32 << 20)
#define EVENTS (IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR)

struct follow {
	int dir;
	int file; /* the newest one when it was opened; -1: there is none yet */
	struct host_log_end end;
	struct log_lines lines;
};

/* ---- the newest file ---- */

static int open_newest(struct follow *follow)
{
	struct stat info;

	follow->file = openat(follow->dir, HOST_LOG_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (follow->file < 0)
		return -1;
	if (fstat(follow->file, &info) != 0) {
		fs_close_ptr(&follow->file);
		return -1;
	}
	follow->end = (struct host_log_end){.inode = info.st_ino, .at = info.st_size};
	return 0;
}

static bool was_rotated(const struct follow *follow)
{
	struct stat info;

	return fstatat(follow->dir, HOST_LOG_FILE, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	       info.st_ino != follow->end.inode;
}

static void read_on(struct follow *follow)
{
	char bytes[READ_BYTES];
	ssize_t n;

	while (!follow->lines.full &&
	       (n = pread(follow->file, bytes, sizeof bytes, follow->end.at)) > 0) {
		follow->end.at += n;
		log_lines_add(&follow->lines, 0, bytes, (size_t)n);
	}
}

/* What came since the last time: the rest of the file that is open, then all of a newer one. */
static void take_news(struct follow *follow)
{
	if (follow->file >= 0)
		read_on(follow);
	if (follow->file >= 0 && !was_rotated(follow))
		return;
	fs_close_ptr(&follow->file);
	if (open_newest(follow) != 0)
		return;
	follow->end.at = 0;
	read_on(follow);
}

/* ---- what was written before ---- */

static int tell_past(struct follow *follow, struct err *err)
{
	const struct log_request *request = follow->lines.request;
	struct buf past AUTO_BUF = BUF_INIT(PAST_MAX);
	const struct host_log_end *end = follow->file >= 0 ? &follow->end : NULL;

	if (host_log_tail(follow->dir, request->lines, end, &past, err) != 0)
		return -1;
	log_lines_add(&follow->lines, 0, buf_str(&past), past.len);
	return 0;
}

/* ---- following ---- */

static bool has_ended(int events)
{
	_Alignas(struct inotify_event) char bytes[4096];
	ssize_t n = read(events, bytes, sizeof bytes);

	for (char *at = bytes; at < bytes + n;) {
		const struct inotify_event *event = (const void *)at;

		if (event->mask & (IN_DELETE_SELF | IN_IGNORED | IN_UNMOUNT))
			return true;
		at += sizeof *event + event->len;
	}
	return n < 0 && errno != EAGAIN && errno != EINTR;
}

/* Watched before the past is told, so that nothing falls between the two. */
static int watch_folder(int dir, struct err *err)
{
	int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	AUTO_FREE char *path = mem_printf("/proc/self/fd/%d", dir);

	if (events >= 0 && inotify_add_watch(events, path, EVENTS) >= 0)
		return events;
	err_errno(err, E_IO, "inotify");
	fs_close_ptr(&events);
	return -1;
}

static int follow_on(struct follow *follow, int events, struct err *err)
{
	while (!follow->lines.full) {
		struct pollfd wait = {.fd = events, .events = POLLIN};

		take_news(follow);
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return err_errno(err, E_IO, "poll");
		if (has_ended(events)) {
			take_news(follow);
			return 0;
		}
	}
	return 0;
}

int host_follow(int dir, const struct log_request *request, struct err *err)
{
	struct follow follow = {.dir = dir, .file = -1, .lines = LOG_LINES(request, false)};
	AUTO_FD int events = -1;
	int result = 0;

	if (request->after_ns)
		return err_set(err, E_NOT_SUPPORTED, "lines are kept without times");
	if (request->follow && (events = watch_folder(dir, err)) < 0)
		return -1;
	(void)open_newest(&follow);
	result = tell_past(&follow, err);
	if (result == 0 && request->follow)
		result = follow_on(&follow, events, err);
	if (result == 0)
		log_lines_end(&follow.lines);
	log_lines_release(&follow.lines);
	fs_close_ptr(&follow.file);
	return result;
}

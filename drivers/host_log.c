#include "base/sys.h"
#include "drivers/host_log.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

#define PUMP_BYTES ((size_t)64 << 10)
/* One turn of the loop takes at most this much, so that a chatterbox cannot starve a stop. */
#define PUMP_ROUNDS 16

size_t host_log_file_max = (size_t)10 << 20;

static const char *file_name(int number, char *out, size_t size)
{
	if (number == 0)
		snprintf(out, size, HOST_LOG_FILE);
	else
		snprintf(out, size, HOST_LOG_FILE ".%d", number);
	return out;
}

static void rotate(struct host_log *log)
{
	char from[16], to[16];

	fs_close_ptr(&log->file);
	for (int number = HOST_LOG_FILES - 1; number > 0; number--)
		(void)renameat(log->dir, file_name(number - 1, from, sizeof from), log->dir,
			       file_name(number, to, sizeof to));
}

static void open_file(struct host_log *log)
{
	struct stat info;

	log->file = openat(log->dir, HOST_LOG_FILE,
			   O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	log->size = log->file >= 0 && fstat(log->file, &info) == 0 ? (size_t)info.st_size : 0;
}

/* How much of the bytes still goes into the newest file: whole lines, if there is one. */
static size_t part_that_fits(const struct host_log *log, const char *bytes, size_t len)
{
	size_t room = log->size < host_log_file_max ? host_log_file_max - log->size : 0;
	const char *newline;

	if (len <= room)
		return len;
	newline = memrchr(bytes, '\n', room);
	if (newline)
		return (size_t)(newline + 1 - bytes);
	return log->size == 0 ? room : 0;
}

/* What cannot be written is lost: the workload is never held up by its log. */
void host_log_write(struct host_log *log, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t part;

		if (log->file < 0)
			open_file(log);
		part = part_that_fits(log, bytes, len);
		if (part == 0) {
			rotate(log);
			open_file(log);
			part = part_that_fits(log, bytes, len);
		}
		if (log->file < 0 || part == 0)
			return;
		if (fs_write_all(log->file, bytes, part) == 0)
			log->size += part;
		bytes += part;
		len -= part;
	}
}

/* ---- the pipe ------------------------------------------------------------------------------ */

/* False at its end. */
static bool pump(struct host_log *log)
{
	char bytes[PUMP_BYTES];

	for (int round = 0; round < PUMP_ROUNDS; round++) {
		ssize_t n = read(log->pipe, bytes, sizeof bytes);

		if (n == 0)
			return false;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		host_log_write(log, bytes, (size_t)n);
	}
	return true;
}

static void forget_pipe(struct host_log *log)
{
	loop_fd_del(&log->source);
	fs_close_ptr(&log->pipe);
}

static void pipe_ready(void *arg, uint32_t events)
{
	struct host_log *log = arg;

	(void)events;
	if (!pump(log))
		forget_pipe(log);
}

int host_log_open_pipe(struct host_log *log, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, E_SPAWN, "pipe");
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	log->pipe = ends[0];
	log->source = loop_fd_add(log->loop, ends[0], EPOLLIN, pipe_ready, log);
	return ends[1];
}

void host_log_close_pipe(struct host_log *log)
{
	if (log->pipe >= 0)
		(void)pump(log);
	forget_pipe(log);
}

void host_log_release(struct host_log *log)
{
	forget_pipe(log);
	fs_close_ptr(&log->file);
}

/* ---- reading ------------------------------------------------------------------------------- */

/* The last bytes of a file of this size, as many as there is room for, in front of what *out holds.
 */
static int prepend(int fd, off_t file_size, const char *name, struct buf *out, struct err *err)
{
	struct buf joined = BUF_INIT(out->max);
	size_t room = out->max - out->len;
	size_t size = (size_t)file_size < room ? (size_t)file_size : room;
	AUTO_FREE char *bytes = mem_alloc(size + 1);
	ssize_t n = pread(fd, bytes, size, file_size - (off_t)size);

	if (n < 0)
		return err_errno(err, E_IO, "read %s", name);
	buf_add(&joined, bytes, (size_t)n);
	buf_add(&joined, buf_str(out), out->len);
	buf_release(out);
	*out = joined;
	return 0;
}

static int prepend_file(int dir, int number, const struct host_log_end *end, struct buf *out,
			struct err *err)
{
	char name[16];
	struct stat info;
	int fd AUTO_FD = openat(dir, file_name(number, name, sizeof name),
				O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(err, E_IO, "open %s", name);
	if (fstat(fd, &info) != 0)
		return err_errno(err, E_IO, "look at %s", name);
	if (end && info.st_ino == end->inode)
		info.st_size = end->at;
	else if (end && out->len == 0 && number == 0)
		return 0; /* newer than the end that is meant */
	return prepend(fd, info.st_size, name, out, err);
}

/* Where the last n lines begin; a text that does not end with a newline has one line more. */
static size_t tail_start(const struct buf *text, int n)
{
	size_t at = text->len;

	if (at > 0 && text->ptr[at - 1] == '\n')
		at--;
	for (; at > 0; at--) {
		if (text->ptr[at - 1] == '\n' && --n == 0)
			break;
	}
	return at;
}

static int count_lines(const struct buf *text)
{
	int n = 0;

	for (size_t i = 0; i < text->len; i++)
		n += text->ptr[i] == '\n';
	return n;
}

int host_log_tail(int dir, int n, const struct host_log_end *end, struct buf *out, struct err *err)
{
	struct buf text AUTO_BUF = BUF_INIT(out->max - out->len);
	size_t start;

	if (n <= 0)
		return 0;
	/* One newline more than lines are wanted: the first of them must be whole. */
	for (int number = 0; number < HOST_LOG_FILES && text.len < text.max; number++) {
		if (prepend_file(dir, number, end, &text, err) != 0)
			return -1;
		if (count_lines(&text) > n)
			break;
	}
	start = tail_start(&text, n);
	buf_add(out, buf_str(&text) + start, text.len - start);
	return 0;
}

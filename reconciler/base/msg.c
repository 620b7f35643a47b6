#include "base/sys.h"
#include "base/msg.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct header {
	uint32_t len, type;
};

/* Behind the payload stands a NUL, so that text can be used where it lies. */
#define FRAME_EXTRA (sizeof(struct header) + 1)
#define READ_SIZE ((size_t)64 << 10)

/* The blocking calls also work on a descriptor that does not block. */
static void wait_until_ready(int fd, short events)
{
	struct pollfd poll_one = {.fd = fd, .events = events};

	(void)poll(&poll_one, 1, -1);
}

static bool is_passing(int number)
{
	return number == EINTR || number == EAGAIN || number == EWOULDBLOCK;
}

static void skip_sent(struct msghdr *message, size_t sent)
{
	while (message->msg_iovlen && sent >= message->msg_iov->iov_len) {
		sent -= message->msg_iov->iov_len;
		message->msg_iov++;
		message->msg_iovlen--;
	}
	if (message->msg_iovlen) {
		message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + sent;
		message->msg_iov->iov_len -= sent;
	}
}

int msg_send(int fd, uint32_t type, const void *data, size_t len, struct err *err)
{
	struct header header = {.len = (uint32_t)len, .type = type};
	char nul = '\0';
	/* sendmsg only reads, but iov_base has no const. */
	struct iovec pieces[] = {
		{&header, sizeof header},
		{(void *)(uintptr_t)data, len},
		{&nul, 1},
	};
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = ARRAY_LEN(pieces)};

	if (len > MSG_MAX)
		return err_set(err, E_TOO_LARGE, "message of %zu bytes, at most %zu are sent", len,
			       MSG_MAX);
	while (message.msg_iovlen) {
		ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (sent >= 0)
			skip_sent(&message, (size_t)sent);
		else if (errno == EPIPE || errno == ECONNRESET)
			return err_errno(err, E_CHILD_DIED, "send message");
		else if (!is_passing(errno))
			return err_errno(err, E_IO, "send message");
		else if (errno != EINTR)
			wait_until_ready(fd, POLLOUT);
	}
	return 0;
}

static int cut_short(struct err *err)
{
	return err_set(err, E_BAD_INPUT, "message cut short");
}

/* Appends exactly len bytes to *in. 1, or 0 at the end of the stream before the first, or -1. */
static int receive(int fd, struct buf *in, size_t len, struct err *err)
{
	size_t start = in->len;
	char *room = buf_reserve(in, len);

	if (!room)
		return err_set(err, E_TOO_LARGE, "message of %zu bytes, at most %zu are taken", len,
			       in->max);
	while (in->len - start < len) {
		ssize_t got = read(fd, room + (in->len - start), len - (in->len - start));

		if (got > 0)
			buf_commit(in, (size_t)got);
		else if (got == 0 || errno == ECONNRESET)
			return in->len == start ? 0 : cut_short(err);
		else if (!is_passing(errno))
			return err_errno(err, E_IO, "receive message");
		else if (errno != EINTR)
			wait_until_ready(fd, POLLIN);
	}
	return 1;
}

static int check_length(const struct header *header, struct err *err)
{
	if (header->len <= MSG_MAX)
		return 0;
	return err_set(err, E_BAD_INPUT, "message of %u bytes announced, at most %zu are taken",
		       (unsigned)header->len, MSG_MAX);
}

static int check_nul(char last, struct err *err)
{
	return last == '\0' ? 0 : err_set(err, E_BAD_INPUT, "message without its end mark");
}

int msg_recv(int fd, struct buf *in, struct msg *out, struct err *err)
{
	struct header header;
	int result;

	buf_clear(in);
	result = receive(fd, in, sizeof header, err);
	if (result <= 0)
		return result;
	memcpy(&header, in->ptr, sizeof header);
	if (check_length(&header, err) != 0)
		return -1;
	buf_clear(in);
	result = receive(fd, in, (size_t)header.len + 1, err);
	if (result <= 0)
		return result < 0 ? -1 : cut_short(err);
	if (check_nul(in->ptr[header.len], err) != 0)
		return -1;
	*out = (struct msg){.type = header.type, .data = in->ptr, .len = header.len};
	return 1;
}

void msg_reader_release(struct msg_reader *reader)
{
	buf_release(&reader->in);
	*reader = (struct msg_reader){0};
}

static void give_back(struct msg_reader *reader)
{
	buf_release(&reader->in);
	reader->taken = 0;
}

int msg_reader_fill(struct msg_reader *reader, int fd, struct err *err)
{
	struct buf *in = &reader->in;
	char *room;
	ssize_t got;

	/* A frame that fits is complete before the buffer is full; one that does not is refused
	 * by msg_reader_next, which the caller has to call until it gives 0. */
	in->max = MSG_MAX + FRAME_EXTRA + READ_SIZE;
	buf_drop(in, reader->taken);
	reader->taken = 0;
	room = buf_reserve(in, READ_SIZE);
	if (!room)
		return err_set(err, E_TOO_LARGE, "messages come faster than they are taken");
	do
		got = read(fd, room, READ_SIZE);
	while (got < 0 && errno == EINTR);
	reader->drained = got <= 0;
	if (got > 0)
		buf_commit(in, (size_t)got);
	else if (got == 0 || errno == ECONNRESET)
		reader->ended = true;
	else if (!is_passing(errno))
		return err_errno(err, E_IO, "receive message");
	return !reader->ended;
}

int msg_reader_next(struct msg_reader *reader, struct msg *out, struct err *err)
{
	size_t left = reader->in.len - reader->taken;
	const char *start = buf_str(&reader->in) + reader->taken;
	struct header header = {0};

	if (left >= sizeof header) {
		memcpy(&header, start, sizeof header);
		if (check_length(&header, err) != 0)
			return -1;
	}
	/* A peer may be silent for days from here on. */
	if (left == 0)
		give_back(reader);
	if (left < sizeof header || left < header.len + FRAME_EXTRA)
		return reader->ended && left ? cut_short(err) : 0;
	start += sizeof header;
	if (check_nul(start[header.len], err) != 0)
		return -1;
	*out = (struct msg){.type = header.type, .data = start, .len = header.len};
	reader->taken += header.len + FRAME_EXTRA;
	return 1;
}

/*
 * msg.h - typed messages over a socket pair between the daemon and a child.
 *
 * A frame is: length of the payload (4 bytes, host order: same machine, same
 * binary), type (4 bytes), payload, a NUL that the length does not count. A
 * payload longer than MSG_MAX, a missing NUL, or a peer that ends in the middle
 * of a frame is E_BAD_INPUT.
 */
#ifndef TRUEUP_BASE_MSG_H
#define TRUEUP_BASE_MSG_H

#include "base/buf.h"
#include "base/err.h"

#define MSG_MAX ((size_t)64 << 20)

struct msg {
	uint32_t type;
	const char *data; /* NUL-terminated beyond len; valid until the next call on the reader */
	size_t len;
};

/* Blocking send of one frame; EPIPE is E_CHILD_DIED. */
int msg_send(int fd, uint32_t type, const void *data, size_t len, struct err *err);
/* Blocking receive; *in is emptied first and holds the payload. 1 a message, 0 end of stream, -1.
 */
int msg_recv(int fd, struct buf *in, struct msg *out, struct err *err);

/*
 * Non-blocking reader for the loop. All-zero is ready; release when done. After each fill, call
 * next until it gives something else than 1: also when fill gave 0 or -1, since whole messages may
 * have come before the end.
 */
struct msg_reader {
	struct buf in;
	size_t taken; /* bytes of `in` that were handed out already */
	bool ended;
	bool drained; /* the last fill found nothing more for now */
};
void msg_reader_release(struct msg_reader *reader);
/* Reads what is there. 1 more may come, 0 end of stream, -1. */
int msg_reader_fill(struct msg_reader *reader, int fd, struct err *err);
/* 1 and the next whole message, 0 none (yet), -1. */
int msg_reader_next(struct msg_reader *reader, struct msg *out, struct err *err);

#endif

/*
 * buf.h - a growing byte buffer with a named maximum.
 *
 * Adding past the maximum adds nothing and sets `overflow`; from then on
 * nothing is added until buf_clear, so that callers may add many pieces and
 * look once at the end, and never find a text with a hole. `ptr` is always
 * NUL-terminated once something was added (NULL before); len does not count it.
 */
#ifndef TRUEUP_BASE_BUF_H
#define TRUEUP_BASE_BUF_H

#include "base/sys.h"

struct buf {
	char *ptr;
	size_t len;
	size_t cap;
	size_t max; /* bytes; never grows past it */
	bool overflow;
};

#define BUF_INIT(maximum)                                                                          \
	{                                                                                          \
		.max = (maximum)                                                                   \
	}
#define AUTO_BUF CLEANUP(buf_release)

/* Common maxima; a buffer with a peculiar need names its own. */
#define BUF_MAX_LINE ((size_t)64 << 10)
#define BUF_MAX_TEXT ((size_t)16 << 20)
#define BUF_MAX_OUTPUT ((size_t)256 << 20)

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_adds(struct buf *buf, const char *text);
void buf_addc(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_addfv(struct buf *buf, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
/* Adds text as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void buf_add_json(struct buf *buf, const char *text);
/*
 * Adds text without control characters (C0 but \n and \t, DEL, C1): safe on a terminal. Bytes
 * that are not UTF-8 become U+FFFD.
 */
void buf_add_clean(struct buf *buf, const char *text, size_t len);
/* The same as one line: newlines and tabs become blanks. */
void buf_add_clean_line(struct buf *buf, const char *text, size_t len);
/* Adds text as a part of a URL: all but letters, digits and -_.~ as %XX (RFC 3986, 2.1). */
void buf_add_percent(struct buf *buf, const char *text);
/* Adds text as one word of a POSIX shell, in single quotes. */
void buf_add_shell(struct buf *buf, const char *text);
/*
 * Takes a stream apart into lines, however it was cut: `line` keeps what has no end yet, take is
 * called for each whole one with `line` holding it, without its newline, and `line` is empty after.
 */
void buf_take_lines(struct buf *line, const void *bytes, size_t len,
		    void (*take)(void *arg, struct buf *line), void *arg);
/*
 * For reading straight into the buffer: room for len bytes behind the text, or NULL, with
 * `overflow` set, when that is past the maximum; then buf_commit says how many were written.
 */
char *buf_reserve(struct buf *buf, size_t len);
void buf_commit(struct buf *buf, size_t len);
/* Removes what stands behind the first len bytes; an overflow stays. */
void buf_cut(struct buf *buf, size_t len);
/* Removes the first len bytes. */
void buf_drop(struct buf *buf, size_t len);
/* Empties and forgets an overflow, keeps the memory. */
void buf_clear(struct buf *buf);
/* Frees the memory; the buffer is as after BUF_INIT. */
void buf_release(struct buf *buf);
/* Hands the memory (never NULL, NUL-terminated) to the caller, who frees it with free(). */
char *buf_take(struct buf *buf);
/* The text, "" when empty. */
static inline const char *buf_str(const struct buf *buf)
{
	return buf->ptr ? buf->ptr : "";
}

#endif

/*
 * err.h - one error value for the whole house.
 *
 * A function that can fail takes `struct err *err` as its last argument and
 * returns 0, or -1 after it has filled *err. On success *err is untouched. The
 * caller owns the struct (it has no heap parts, so nothing to release) and
 * adds context on the way out: "open ledger: /var/lib/x: permission denied".
 * err may be NULL where the caller does not want to know.
 */
#ifndef TRUEUP_BASE_ERR_H
#define TRUEUP_BASE_ERR_H

#include "base/sys.h"

/* What the receiver should do. */
enum err_class {
	ERR_RETRY, /* try again later with back-off */
	ERR_ITEM,  /* this item failed; the others go on */
	ERR_RUN,   /* the whole run cannot go on */
	ERR_BUG,   /* our own mistake */
};

enum err_code {
	E_NONE,
#define ERR(name, code, class, exit, text) E_##name,
#include "base/err.def"
#undef ERR
	E_CODES,
};

#define ERR_TEXT_MAX 1024

struct err {
	enum err_code code;
	char text[ERR_TEXT_MAX]; /* one line, UTF-8, cut at a character boundary when too long */
	/* Whoever was asked said when it may be asked again: in so long; 0: it said nothing. */
	int64_t rest_ms;
};

/* clang-format off */
#define ERR_INIT {.code = E_NONE, .text = ""}
/* clang-format on */

/* Fill *err; always returns -1, so that `return err_set(...)` is the way out. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Same, with ": <strerror(errno)>" added; ENOSPC, EDQUOT turn the code into E_DISK_FULL. */
int err_errno(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Put "context: " in front of the text; keeps the code; returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What they return stands here too, for compilers and analyzers that see only one file. */
static inline int err_returned(void)
{
	return -1;
}
#define err_set(...) ((void)err_set(__VA_ARGS__), err_returned())
#define err_errno(...) ((void)err_errno(__VA_ARGS__), err_returned())
#define err_wrap(...) ((void)err_wrap(__VA_ARGS__), err_returned())
void err_clear(struct err *err);
/* After err_set, which forgets it. err may be NULL, as everywhere; returns -1. */
int err_rest(struct err *err, int64_t rest_ms);

/* The columns of err.def. code must be a real one; E_NONE gives "", ERR_BUG, 0. */
const char *err_code_name(enum err_code code);
enum err_class err_code_class(enum err_code code);
int err_code_exit(enum err_code code);
/* E_NONE when no code has that name. */
enum err_code err_code_find(const char *name);

#endif

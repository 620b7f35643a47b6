#include "base/sys.h"
#include "base/err.h"
#include "base/utf8.h"

static const struct {
	const char *name;
	enum err_class class;
	int exit;
} codes[E_CODES] = {
	[E_NONE] = {"", ERR_BUG, EXIT_DONE},
#define ERR(name, code, class, exit, text) [E_##name] = {code, ERR_##class, exit},
#include "base/err.def"
#undef ERR
};

/* One line of well-formed UTF-8: a name in a message may hold any byte. */
static void make_presentable(char *text)
{
	size_t len = strlen(text);

	for (size_t at = 0; at < len;) {
		size_t step = utf8_length(text + at, len - at);

		if (step == 0)
			text[at] = '?';
		else if (utf8_is_control(text + at, step))
			memset(text + at, ' ', step);
		at += step ? step : 1;
	}
}

static void put_text(struct err *err, char text[ERR_TEXT_MAX], int wanted_len)
{
	if (wanted_len >= ERR_TEXT_MAX)
		text[utf8_cut(text, ERR_TEXT_MAX - 1)] = '\0';
	make_presentable(text);
	memcpy(err->text, text, strlen(text) + 1);
}

/* The arguments may point into err->text, so the text is made elsewhere first. */
PRINTF_LIKE(3, 0)
static void set_text(struct err *err, enum err_code code, const char *fmt, va_list args)
{
	char text[ERR_TEXT_MAX];
	int len = vsnprintf(text, sizeof text, fmt, args);

	if (len < 0)
		text[0] = '\0';
	err->code = code;
	err->rest_ms = 0;
	put_text(err, text, len);
}

static void append_text(struct err *err, const char *more)
{
	char text[ERR_TEXT_MAX];
	int len = snprintf(text, sizeof text, "%s%s", err->text, more);

	put_text(err, text, len);
}

int(err_set)(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	set_text(err, code, fmt, args);
	va_end(args);
	return -1;
}

int(err_errno)(struct err *err, enum err_code code, const char *fmt, ...)
{
	int number = errno;
	const char *reason;
	va_list args;

	if (!err)
		return -1;
	if (number == ENOSPC || number == EDQUOT)
		code = E_DISK_FULL;
	va_start(args, fmt);
	set_text(err, code, fmt, args);
	va_end(args);
	reason = strerrordesc_np(number);
	append_text(err, ": ");
	append_text(err, reason ? reason : "unknown error");
	errno = number;
	return -1;
}

int(err_wrap)(struct err *err, const char *fmt, ...)
{
	char inner[ERR_TEXT_MAX];
	va_list args;

	if (!err)
		return -1;
	memcpy(inner, err->text, sizeof inner);
	va_start(args, fmt);
	set_text(err, err->code, fmt, args);
	va_end(args);
	append_text(err, ": ");
	append_text(err, inner);
	return -1;
}

int err_rest(struct err *err, int64_t rest_ms)
{
	if (err)
		err->rest_ms = rest_ms;
	return -1;
}

void err_clear(struct err *err)
{
	if (!err)
		return;
	err->code = E_NONE;
	err->text[0] = '\0';
	err->rest_ms = 0;
}

const char *err_code_name(enum err_code code)
{
	return codes[code].name;
}

enum err_class err_code_class(enum err_code code)
{
	return codes[code].class;
}

int err_code_exit(enum err_code code)
{
	return codes[code].exit;
}

enum err_code err_code_find(const char *name)
{
	for (unsigned code = E_NONE + 1; code < E_CODES; code++) {
		if (str_eq(codes[code].name, name))
			return (enum err_code)code;
	}
	return E_NONE;
}

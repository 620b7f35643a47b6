#include "base/sys.h"
#include "base/buf.h"
#include "base/utf8.h"

#define SMALLEST 64

/* Room for len more bytes and the NUL; false, with `overflow` set, when that is past the maximum.
 */
static bool reserve(struct buf *buf, size_t len)
{
	size_t need, cap;

	if (buf->overflow || len > buf->max || buf->len > buf->max - len) {
		buf->overflow = true;
		return false;
	}
	need = buf->len + len + 1;
	if (need <= buf->cap)
		return true;
	cap = buf->cap > buf->max / 2 ? buf->max + 1 : buf->cap * 2;
	if (cap < SMALLEST)
		cap = SMALLEST;
	if (cap < need)
		cap = need;
	buf->ptr = mem_realloc(buf->ptr, cap);
	buf->cap = cap;
	return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len)
		memcpy(buf->ptr + buf->len, bytes, len);
	buf->len += len;
	buf->ptr[buf->len] = '\0';
}

void buf_adds(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_addc(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_addfv(buf, fmt, args);
	va_end(args);
}

void buf_addfv(struct buf *buf, const char *fmt, va_list args)
{
	va_list again;
	size_t room = buf->cap - buf->len;
	int len;

	if (buf->overflow)
		return;
	va_copy(again, args);
	len = vsnprintf(buf->ptr ? buf->ptr + buf->len : NULL, buf->ptr ? room : 0, fmt, again);
	va_end(again);
	if (len < 0 || !reserve(buf, (size_t)len)) {
		buf->overflow = true;
		if (buf->ptr)
			buf->ptr[buf->len] = '\0';
		return;
	}
	if ((size_t)len >= room)
		vsnprintf(buf->ptr + buf->len, (size_t)len + 1, fmt, args);
	buf->len += (size_t)len;
}

static void add_json_byte(struct buf *buf, unsigned char byte)
{
	static const char names[] = {
		['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
		['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
	};

	if (byte < sizeof names && names[byte])
		buf_addf(buf, "\\%c", names[byte]);
	else
		buf_addf(buf, "\\u%04x", (unsigned)byte);
}

void buf_add_json(struct buf *buf, const char *text)
{
	size_t len = strlen(text), plain = 0;

	buf_addc(buf, '"');
	for (size_t at = 0; at < len;) {
		size_t step = utf8_length(text + at, len - at);
		unsigned char byte = (unsigned char)text[at];

		if (step > 1 || (step == 1 && byte >= 0x20 && byte != '"' && byte != '\\')) {
			at += step;
			continue;
		}
		buf_add(buf, text + plain, at - plain);
		if (step == 0)
			buf_adds(buf, UTF8_REPLACEMENT);
		else
			add_json_byte(buf, byte);
		plain = ++at;
	}
	buf_add(buf, text + plain, len - plain);
	buf_addc(buf, '"');
}

static bool is_clean(const char *text, size_t step)
{
	return step && (!utf8_is_control(text, step) || *text == '\n' || *text == '\t');
}

void buf_add_clean(struct buf *buf, const char *text, size_t len)
{
	size_t plain = 0;

	for (size_t at = 0; at < len;) {
		size_t step = utf8_length(text + at, len - at);

		if (is_clean(text + at, step)) {
			at += step;
			continue;
		}
		buf_add(buf, text + plain, at - plain);
		if (step == 0)
			buf_adds(buf, UTF8_REPLACEMENT);
		at += step ? step : 1;
		plain = at;
	}
	buf_add(buf, text + plain, len - plain);
}

void buf_add_clean_line(struct buf *buf, const char *text, size_t len)
{
	size_t start = buf->len;

	buf_add_clean(buf, text, len);
	for (size_t i = start; i < buf->len; i++) {
		if (buf->ptr[i] == '\n' || buf->ptr[i] == '\t')
			buf->ptr[i] = ' ';
	}
}

void buf_add_percent(struct buf *buf, const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (strchr("-_.~", byte) || (byte >= '0' && byte <= '9') ||
		    (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z'))
			buf_addc(buf, *text);
		else
			buf_addf(buf, "%%%02X", byte);
	}
}

void buf_add_shell(struct buf *buf, const char *text)
{
	buf_addc(buf, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_adds(buf, "'\\''");
		else
			buf_addc(buf, *text);
	}
	buf_addc(buf, '\'');
}

void buf_take_lines(struct buf *line, const void *bytes, size_t len,
		    void (*take)(void *arg, struct buf *line), void *arg)
{
	const char *at = bytes, *end = at + len, *newline;

	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		buf_add(line, at, (size_t)(newline - at));
		take(arg, line);
		buf_clear(line);
		at = newline + 1;
	}
	buf_add(line, at, (size_t)(end - at));
}

char *buf_reserve(struct buf *buf, size_t len)
{
	return reserve(buf, len) ? buf->ptr + buf->len : NULL;
}

void buf_commit(struct buf *buf, size_t len)
{
	buf->len += len;
	buf->ptr[buf->len] = '\0';
}

void buf_cut(struct buf *buf, size_t len)
{
	if (len >= buf->len)
		return;
	buf->len = len;
	buf->ptr[len] = '\0';
}

void buf_drop(struct buf *buf, size_t len)
{
	if (len > buf->len)
		len = buf->len;
	if (len == 0)
		return;
	buf->len -= len;
	memmove(buf->ptr, buf->ptr + len, buf->len + 1);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->overflow = false;
	if (buf->ptr)
		buf->ptr[0] = '\0';
}

void buf_release(struct buf *buf)
{
	free(buf->ptr);
	*buf = (struct buf)BUF_INIT(buf->max);
}

char *buf_take(struct buf *buf)
{
	char *text = buf->ptr ? buf->ptr : mem_strdup("");

	*buf = (struct buf)BUF_INIT(buf->max);
	return text;
}

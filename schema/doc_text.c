#include "base/sys.h"
#include "schema/doc_text.h"

#include "base/utf8.h"

struct diag *source_error(const struct doc_source *source, enum diag_code code, struct loc at,
			  const char *fmt, ...)
{
	struct diag *diag;
	va_list args;

	va_start(args, fmt);
	diag = diags_addv(source->diags, code, source->unit, source->path, at, fmt, args);
	va_end(args);
	return diag;
}

struct loc doc_text_place(const char *bytes, size_t offset)
{
	struct loc at = {1, 1, 1};

	if (offset >= 3 && memcmp(bytes, BYTE_ORDER_MARK, 3) == 0) {
		bytes += 3;
		offset -= 3;
	}
	for (size_t i = 0; i < offset;) {
		size_t step = utf8_length(bytes + i, offset - i);

		at.column++;
		if (bytes[i] == '\n') {
			at.line++;
			at.column = 1;
		}
		i += step ? step : 1;
	}
	return at;
}

/* How many of the bytes are ASCII, in steps of eight. */
static size_t skip_ascii(const char *bytes, size_t len)
{
	size_t at = 0;
	uint64_t eight;

	for (; at + sizeof eight <= len; at += sizeof eight) {
		memcpy(&eight, bytes + at, sizeof eight);
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	return at;
}

/* Offset of the first byte that is not UTF-8; len when there is none. */
static size_t valid_prefix(const char *bytes, size_t len)
{
	size_t at = skip_ascii(bytes, len);

	while (at < len) {
		size_t step = utf8_length(bytes + at, len - at);

		if (step == 0)
			break;
		at += step;
		if (step > 1)
			at += skip_ascii(bytes + at, len - at);
	}
	return at;
}

static bool is_utf16(const char *bytes, size_t len)
{
	return len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0);
}

static bool is_utf8(const char *bytes, size_t len, const struct doc_source *source)
{
	size_t valid = valid_prefix(bytes, len);

	if (valid == len)
		return true;
	source_error(source, DIAG_YAML_ENCODING, doc_text_place(bytes, valid),
		     "byte 0x%02x at offset %zu is not UTF-8",
		     (unsigned)(unsigned char)bytes[valid], valid)
		->hint = valid == 0 && is_utf16(bytes, len) ? "this is UTF-16: save it as UTF-8"
							    : "save the file as UTF-8";
	return false;
}

/*
 * Lines that begin like a directive (%YAML, %TAG). libyaml compares each with all before it; no
 * manifest needs more than a few.
 */
static bool has_few_directives(const char *at, size_t len, const struct doc_source *source)
{
	const char *end = at + len;
	size_t n = 0;
	uint32_t line = 1;

	while (at < end) {
		n += *at == '%';
		if (n > DOC_DIRECTIVES_MAX) {
			source_error(source, DIAG_LIMIT, (struct loc){line, 1, 1},
				     "more than %d lines that begin with %%", DOC_DIRECTIVES_MAX);
			return false;
		}
		at = memchr(at, '\n', (size_t)(end - at));
		if (!at)
			break;
		at++;
		line++;
	}
	return true;
}

bool doc_text_check(const char *bytes, size_t len, const struct doc_source *source)
{
	if (len > DOC_BYTES_MAX && !source->own) {
		source_error(source, DIAG_LIMIT, (struct loc){0, 0, 0},
			     "a manifest of more than 1 MiB");
		return false;
	}
	return is_utf8(bytes, len, source) && has_few_directives(bytes, len, source);
}

#include "base/sys.h"
#include "base/utf8.h"

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The bounds of the second byte rule out overlong forms, surrogates and values past U+10FFFF. */
static bool second_byte_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return is_continuation(second);
	}
}

static size_t announced_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

size_t utf8_length(const char *text, size_t len)
{
	const unsigned char *byte = (const unsigned char *)text;
	size_t want = announced_length(byte[0]);

	if (want <= 1)
		return want;
	if (want > len || !second_byte_fits(byte[0], byte[1]))
		return 0;
	for (size_t i = 2; i < want; i++) {
		if (!is_continuation(byte[i]))
			return 0;
	}
	return want;
}

bool utf8_is_valid(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		/* Most of it is ASCII. */
		size_t step = !(text[at] & 0x80) ? 1 : utf8_length(text + at, len - at);

		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

size_t utf8_cut(const char *text, size_t len)
{
	size_t start = len;

	/* Only the last three bytes can belong to a sequence that was cut. */
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char byte = (unsigned char)text[len - back];

		if (is_continuation(byte))
			continue;
		start = len - back;
		return announced_length(byte) > back ? start : len;
	}
	return start;
}

bool utf8_is_control(const char *text, size_t sequence_len)
{
	unsigned char first = (unsigned char)text[0];

	if (sequence_len == 1)
		return first < 0x20 || first == 0x7f;
	return sequence_len == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0;
}

/* A byte that begins no sequence counts as one character. */
static size_t step(const char *text, size_t len)
{
	size_t sequence = utf8_length(text, len);
	return sequence ? sequence : 1;
}

size_t utf8_count(const char *text, size_t len)
{
	size_t count = 0;
	for (size_t at = 0; at < len; count++)
		at += step(text + at, len - at);
	return count;
}

bool utf8_is_plain(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t step = utf8_length(text + at, len - at);

		if (step == 0 || utf8_is_control(text + at, step))
			return false;
		at += step;
	}
	return true;
}

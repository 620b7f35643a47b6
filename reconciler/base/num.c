#include "base/sys.h"
#include "base/num.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * The decimal number at *text into *out; *text is moved behind it. -1 when there is no digit, a
 * superfluous leading zero, or an overflow.
 */
static int take_number(const char **text, int64_t *out)
{
	const char *at = *text;
	int64_t value = 0;

	if (!is_digit(*at) || (at[0] == '0' && is_digit(at[1])))
		return -1;
	for (; is_digit(*at); at++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *at - '0', &value))
			return -1;
	}
	*text = at;
	*out = value;
	return 0;
}

/* Digits as a negative number, since INT64_MIN has no positive counterpart. */
static int take_negative(const char **text, int64_t *out)
{
	int64_t value = 0;

	if (!is_digit(**text) || **text == '0')
		return -1;
	for (; is_digit(**text); (*text)++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, **text - '0', &value))
			return -1;
	}
	*out = value;
	return 0;
}

int num_parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
	int64_t value;

	if (min < 0 && *text == '-') {
		text++;
		if (take_negative(&text, &value) != 0)
			return -1;
	} else if (take_number(&text, &value) != 0) {
		return -1;
	}
	if (*text || value < min || value > max)
		return -1;
	*out = value;
	return 0;
}

struct unit {
	const char *name;
	int64_t value;
};

static const struct unit durations[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

#define KI ((int64_t)1 << 10)
#define MI ((int64_t)1 << 20)
#define GI ((int64_t)1 << 30)
#define TI ((int64_t)1 << 40)

/* Powers of 1024 first: of two forms of one length, they are shown. */
static const struct unit sizes[] = {
	{"Ti", TI},	   {"Gi", GI},	   {"Mi", MI},	{"Ki", KI},  {"T", 1000000000000},
	{"G", 1000000000}, {"M", 1000000}, {"K", 1000}, {"k", 1000}, {"", 1},
};

/* The unit whose name is exactly the len bytes at text. */
static const struct unit *find_unit(const struct unit *units, size_t n, const char *text,
				    size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(units[i].name) == len && memcmp(units[i].name, text, len) == 0)
			return &units[i];
	}
	return NULL;
}

static size_t letters(const char *text)
{
	size_t n = 0;

	while ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z'))
		n++;
	return n;
}

/* A number and its unit; *text is moved behind them. */
static int take_quantity(const char **text, const struct unit *units, size_t n,
			 const struct unit **unit, int64_t *out)
{
	size_t len;

	if (take_number(text, out) != 0)
		return -1;
	len = letters(*text);
	*unit = find_unit(units, n, *text, len);
	if (!*unit || __builtin_mul_overflow(*out, (*unit)->value, out))
		return -1;
	*text += len;
	return 0;
}

int num_parse_duration(const char *text, int64_t *out_ms)
{
	const struct unit *before = NULL, *unit;
	int64_t sum = 0, part;

	do {
		if (take_quantity(&text, durations, ARRAY_LEN(durations), &unit, &part) != 0)
			return -1;
		if (before && unit <= before)
			return -1;
		if (__builtin_add_overflow(sum, part, &sum))
			return -1;
		before = unit;
	} while (*text);
	*out_ms = sum;
	return 0;
}

int num_parse_size(const char *text, int64_t *out_bytes)
{
	const struct unit *unit;
	int64_t bytes;

	if (take_quantity(&text, sizes, ARRAY_LEN(sizes), &unit, &bytes) != 0 || *text)
		return -1;
	*out_bytes = bytes;
	return 0;
}

/* Up to three digits behind the point, as thousandths. */
static int take_thousandths(const char **text, int64_t *out)
{
	int64_t weight = 100, sum = 0;

	if (!is_digit(**text))
		return -1;
	for (; is_digit(**text); (*text)++, weight /= 10) {
		if (weight == 0)
			return -1;
		sum += weight * (**text - '0');
	}
	*out = sum;
	return 0;
}

int num_parse_cpu(const char *text, int64_t *out_milli)
{
	int64_t whole, part = 0;

	if (take_number(&text, &whole) != 0)
		return -1;
	if (strcmp(text, "m") == 0) {
		*out_milli = whole;
		return 0;
	}
	if (*text == '.') {
		text++;
		if (take_thousandths(&text, &part) != 0)
			return -1;
	}
	if (*text || __builtin_mul_overflow(whole, 1000, &whole) ||
	    __builtin_add_overflow(whole, part, &whole))
		return -1;
	*out_milli = whole;
	return 0;
}

/* The largest unit that divides value; the last unit is 1 and divides all. */
static const struct unit *exact_unit(const struct unit *units, int64_t value)
{
	while (value % units->value != 0)
		units++;
	return units;
}

const char *num_format_duration(int64_t ms, char *out)
{
	size_t len = 0;
	const struct unit *unit;

	if (ms <= 0)
		return memcpy(out, "0s", sizeof "0s");
	unit = exact_unit(durations, ms);
	if (ms / unit->value < 1000) {
		snprintf(out, NUM_TEXT_MAX, "%lld%s", (long long)(ms / unit->value), unit->name);
		return out;
	}
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		int64_t part = ms / durations[i].value;

		if (part)
			len += (size_t)snprintf(out + len, NUM_TEXT_MAX - len, "%lld%s",
						(long long)part, durations[i].name);
		ms %= durations[i].value;
	}
	return out;
}

const char *num_format_size(int64_t bytes, char *out)
{
	char text[NUM_TEXT_MAX];

	if (bytes <= 0)
		return memcpy(out, "0", sizeof "0");
	snprintf(out, NUM_TEXT_MAX, "%lld", (long long)bytes);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		if (bytes % sizes[i].value != 0)
			continue;
		snprintf(text, sizeof text, "%lld%s", (long long)(bytes / sizes[i].value),
			 sizes[i].name);
		if (strlen(text) < strlen(out))
			memcpy(out, text, sizeof text);
	}
	return out;
}

const char *num_format_cpu(int64_t milli, char *out)
{
	char milli_text[NUM_TEXT_MAX];
	size_t len;

	if (milli <= 0)
		return memcpy(out, "0", sizeof "0");
	len = (size_t)snprintf(out, NUM_TEXT_MAX, "%lld.%03d", (long long)(milli / 1000),
			       (int)(milli % 1000));
	while (out[len - 1] == '0')
		len--;
	if (out[len - 1] == '.')
		len--;
	out[len] = '\0';
	snprintf(milli_text, sizeof milli_text, "%lldm", (long long)milli);
	if (strlen(milli_text) < len)
		memcpy(out, milli_text, sizeof milli_text);
	return out;
}

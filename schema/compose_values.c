#include "base/sys.h"
#include "schema/compose_work.h"

#include "base/buf.h"
#include "base/num.h"

/* Values that Compose writes in its own way: durations, sizes, command lines. */

/* ---- numbers with a fraction ---- */

/* Digits and a fraction in thousandths, up to a bound; moves *text behind them. */
static bool take_decimal(const char **text, uint64_t *thousandths)
{
	const char *at = *text;
	uint64_t value = 0, unit = 1000;

	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (value > UINT64_C(1) << 50)
			return false;
		value = value * 10 + (uint64_t)(*at - '0');
	}
	value *= 1000;
	for (at += *at == '.'; *at >= '0' && *at <= '9'; at++) {
		unit /= 10;
		value += unit * (uint64_t)(*at - '0');
	}
	*text = at;
	*thousandths = value;
	return true;
}

struct unit_of {
	const char *word;
	uint64_t factor;
};

/* The unit that `text` begins with, the longest one; its factor, or 0. */
static uint64_t take_unit(const char **text, const struct unit_of *units, size_t n)
{
	const struct unit_of *best = NULL;

	for (size_t i = 0; i < n; i++) {
		if (str_starts(*text, units[i].word) &&
		    (!best || strlen(best->word) < strlen(units[i].word)))
			best = &units[i];
	}
	if (best)
		*text += strlen(best->word);
	return best ? best->factor : 0;
}

static const struct doc_node *bad_value(struct compose_work *work, const struct doc_node *value,
					const char *key, const char *wanted)
{
	compose_error(work, DIAG_BAD_VALUE, value, "%s must be %s", key, wanted);
	return compose_wrong(work, value);
}

/* ---- durations ---- */

/* In microseconds times 1000, so that fractions of a millisecond are seen. */
static bool read_duration(const char *text, uint64_t *ms)
{
	static const struct unit_of units[] = {{"ns", 1},
					       {"us", 1000},
					       {"\xc2\xb5s", 1000},
					       {"ms", 1000000},
					       {"s", 1000000000},
					       {"m", 60000000000},
					       {"h", 3600000000000},
					       {"d", 86400000000000},
					       {"w", 604800000000000}};
	uint64_t total = 0;

	if (str_eq(text, "0")) {
		*ms = 0;
		return true;
	}
	while (*text) {
		uint64_t number, factor, part;

		if (!take_decimal(&text, &number))
			return false;
		factor = take_unit(&text, units, ARRAY_LEN(units));
		if (!factor || __builtin_mul_overflow(number, factor, &part))
			return false;
		total += part / 1000;
		if (total > (uint64_t)INT64_MAX / 2)
			return false;
	}
	*ms = total / 1000000 + (total % 1000000 != 0);
	return true;
}

const struct doc_node *compose_duration(struct compose_work *work, const struct doc_node *value,
					const char *key)
{
	char text[NUM_TEXT_MAX];
	uint64_t ms;

	if (value->type != DOC_SCALAR || value->n == 0 || !read_duration(value->text, &ms))
		return bad_value(work, value, key, "a duration such as 1m30s");
	return compose_plain(work, value,
			     arena_strdup(work->arena, num_format_duration((int64_t)ms, text)));
}

/* ---- sizes and processors ---- */

static bool read_size(const char *text, uint64_t *bytes)
{
	static const struct unit_of units[] = {{"b", 1},
					       {"k", 1 << 10},
					       {"kb", 1 << 10},
					       {"kib", 1 << 10},
					       {"ki", 1 << 10},
					       {"m", 1 << 20},
					       {"mb", 1 << 20},
					       {"mib", 1 << 20},
					       {"mi", 1 << 20},
					       {"g", 1 << 30},
					       {"gb", 1 << 30},
					       {"gib", 1 << 30},
					       {"gi", 1 << 30},
					       {"t", UINT64_C(1) << 40},
					       {"tb", UINT64_C(1) << 40},
					       {"tib", UINT64_C(1) << 40},
					       {"ti", UINT64_C(1) << 40}};
	char small[64];
	const char *at = small;
	uint64_t number, factor = 1;

	if (strlen(text) >= sizeof small)
		return false;
	for (size_t i = 0; i <= strlen(text); i++)
		small[i] = ascii_lower(text[i]);
	if (!take_decimal(&at, &number))
		return false;
	at += *at == ' ';
	if (*at)
		factor = take_unit(&at, units, ARRAY_LEN(units));
	if (*at || !factor || __builtin_mul_overflow(number, factor, bytes))
		return false;
	*bytes /= 1000;
	return *bytes <= INT64_MAX;
}

const struct doc_node *compose_size(struct compose_work *work, const struct doc_node *value,
				    const char *key)
{
	char text[NUM_TEXT_MAX];
	uint64_t bytes;

	if (value->type != DOC_SCALAR || !read_size(value->text, &bytes))
		return bad_value(work, value, key, "a size such as 512m");
	return compose_plain(work, value,
			     arena_strdup(work->arena, num_format_size((int64_t)bytes, text)));
}

const struct doc_node *compose_cpus(struct compose_work *work, const struct doc_node *value,
				    const char *key)
{
	const char *at = value->type == DOC_SCALAR ? value->text : "";
	char text[NUM_TEXT_MAX];
	uint64_t milli;

	if (!take_decimal(&at, &milli) || *at)
		return bad_value(work, value, key, "a number of processors such as 0.5");
	return compose_plain(work, value,
			     arena_strdup(work->arena, num_format_cpu((int64_t)milli, text)));
}

/* ---- command lines ---- */

/* Adds one word of a shell's line; moves *at behind it. False: a quote is not closed. */
static bool take_word(const char **at, struct buf *word)
{
	char quote = '\0';

	for (; **at && (quote || !strchr(" \t\n\r", **at)); ++*at) {
		char c = **at;

		if (c == quote)
			quote = '\0';
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else if (c == '\\' && quote != '\'' && (*at)[1])
			buf_addc(word, *++*at);
		else
			buf_addc(word, c);
	}
	return !quote;
}

const struct doc_node *compose_words(struct compose_work *work, const struct doc_node *value,
				     const char *key)
{
	const char *at = value->text;
	const struct doc_node **items;
	size_t n = 0;

	if (value->type != DOC_SCALAR)
		return compose_as_list(work, value, key);
	items = ARENA_ARRAY(work->arena, value->n / 2 + 1, const struct doc_node *);
	for (at += strspn(at, " \t\n\r"); *at; at += strspn(at, " \t\n\r")) {
		AUTO_BUF struct buf word = BUF_INIT(DOC_STRING_MAX);

		if (!take_word(&at, &word))
			return bad_value(work, value, key,
					 "a command line whose quotes are closed");
		items[n++] = compose_scalar(work, value,
					    arena_strndup(work->arena, buf_str(&word), word.len));
	}
	return compose_list(work, value, items, n);
}

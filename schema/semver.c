#include "base/sys.h"
#include "schema/semver.h"

#define DIGITS "0123456789"
#define WORD DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-"

/* Each take_* reads what begins at *at and moves it behind; false: there is none, *at is lost. */

static bool take_number(const char **at, struct semver_part *out)
{
	*out = (struct semver_part){*at, strspn(*at, DIGITS)};
	*at += out->len;
	return out->len == 1 || (out->len > 1 && out->text[0] != '0');
}

/* Words with dots between them; `numbers`: one of digits alone is a number, and written like one.
 */
static bool take_words(const char **at, bool numbers, struct semver_part *out)
{
	const char *start = *at;

	for (;; (*at)++) {
		size_t len = strspn(*at, WORD);

		if (len == 0)
			return false;
		if (numbers && len > 1 && **at == '0' && strspn(*at, DIGITS) == len)
			return false;
		*at += len;
		if (**at != '.')
			break;
	}
	*out = (struct semver_part){start, (size_t)(*at - start)};
	return true;
}

static bool take_version(const char **at, struct semver *out)
{
	static const struct semver_part zero = {"0", 1};
	struct semver_part build;
	size_t n = 0;

	*out = (struct semver){.number = {zero, zero, zero}};
	do {
		*at += n > 0;
		if (!take_number(at, &out->number[n++]))
			return false;
	} while (n < ARRAY_LEN(out->number) && **at == '.');
	if (n < ARRAY_LEN(out->number))
		return true;
	if (**at == '-') {
		(*at)++;
		if (!take_words(at, true, &out->pre))
			return false;
	}
	if (**at != '+')
		return true;
	(*at)++;
	return take_words(at, false, &build);
}

bool semver_parse(const char *text, struct semver *out)
{
	return text && take_version(&text, out) && *text == '\0';
}

/* ---- order ---- */

static int sign(bool more, bool less)
{
	return more - less;
}

static int text_cmp(const struct semver_part *a, const struct semver_part *b)
{
	int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);

	return order ? order : sign(a->len > b->len, a->len < b->len);
}

/* Without zeros in front the longer one is the greater. */
static int number_cmp(const struct semver_part *a, const struct semver_part *b)
{
	int order = sign(a->len > b->len, a->len < b->len);

	return order ? order : text_cmp(a, b);
}

static bool is_number(const struct semver_part *word)
{
	return strspn(word->text, DIGITS) >= word->len;
}

/* Numbers by value and before words, words by byte. */
static int word_cmp(const struct semver_part *a, const struct semver_part *b)
{
	bool left = is_number(a), right = is_number(b);

	if (left && right)
		return number_cmp(a, b);
	return left != right ? sign(right, left) : text_cmp(a, b);
}

/* The word at *at of a pre-release, which is not empty; *at is moved behind its dot. */
static struct semver_part next_word(const struct semver_part *pre, size_t *at)
{
	struct semver_part word = {pre->text + *at, 0};

	while (*at + word.len < pre->len && word.text[word.len] != '.')
		word.len++;
	*at += word.len + 1;
	return word;
}

static int pre_cmp(const struct semver_part *a, const struct semver_part *b)
{
	size_t left = 0, right = 0;

	if (a->len == 0 || b->len == 0)
		return sign(a->len == 0 && b->len, b->len == 0 && a->len);
	while (left < a->len && right < b->len) {
		struct semver_part one = next_word(a, &left), other = next_word(b, &right);
		int order = word_cmp(&one, &other);

		if (order)
			return order;
	}
	return sign(left < a->len, right < b->len);
}

int semver_cmp(const struct semver *a, const struct semver *b)
{
	for (size_t i = 0; i < ARRAY_LEN(a->number); i++) {
		int order = number_cmp(&a->number[i], &b->number[i]);

		if (order)
			return order;
	}
	return pre_cmp(&a->pre, &b->pre);
}

/* ---- ranges ---- */

/* Which outcomes of semver_cmp(version, bound) hold. */
struct comparison {
	bool less, equal, more;
	struct semver bound;
};

static bool take_comparison(const char **at, struct comparison *out)
{
	*out = (struct comparison){.less = **at == '<', .more = **at == '>'};
	*at += out->less || out->more;
	out->equal = **at == '=';
	*at += out->equal;
	if (!out->less && !out->more)
		out->equal = true;
	*at += strspn(*at, " ");
	return take_version(at, &out->bound);
}

/* Blanks, or one comma with blanks around it; false: neither, or nothing comes behind. */
static bool take_between(const char **at)
{
	const char *start = *at;

	*at += strspn(*at, " ");
	if (**at == ',') {
		(*at)++;
		*at += strspn(*at, " ");
	}
	return *at > start && **at;
}

static bool holds(const struct comparison *comparison, const struct semver *version)
{
	int order = semver_cmp(version, &comparison->bound);

	return order < 0 ? comparison->less : order > 0 ? comparison->more : comparison->equal;
}

/* Is it a range? *fits: is the version (NULL: none) within? */
static bool read_range(const char *text, const struct semver *version, bool *fits)
{
	struct comparison comparison;

	*fits = version != NULL;
	for (;;) {
		if (!take_comparison(&text, &comparison))
			return false;
		if (version)
			*fits &= holds(&comparison, version);
		if (*text == '\0')
			return true;
		if (!take_between(&text))
			return false;
	}
}

bool semver_is_range(const char *text)
{
	bool fits;

	return text && read_range(text, NULL, &fits);
}

bool semver_fits(const struct semver *version, const char *range)
{
	bool fits;

	return read_range(range, version, &fits) && fits;
}

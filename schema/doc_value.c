#include "base/sys.h"
#include "schema/doc.h"
#include "base/num.h"

/* What nodes mean: the core rules of YAML 1.2 (chapter 10.3.2 of its specification). */

struct loc doc_pair_at(const struct doc_pair *pair)
{
	const struct doc_node *value = pair->value;
	bool empty = value->type == DOC_SCALAR && value->plain && value->n == 0;

	return empty || value->block ? pair->key->at : value->at;
}

const struct doc_pair *doc_get(const struct doc_node *mapping, const char *key)
{
	for (size_t i = 0; i < mapping->n; i++) {
		const char *text = mapping->pairs[i].key->text;

		if (text[0] == key[0] && strcmp(text, key) == 0)
			return &mapping->pairs[i];
	}
	return NULL;
}

static bool is_one_of(const char *text, const char *const *words)
{
	while (*words && (text[0] != **words || strcmp(text, *words) != 0))
		words++;
	return *words != NULL;
}

bool doc_is_null(const struct doc_node *node)
{
	static const char *const words[] = {"~", "null", "Null", "NULL", NULL};

	if (node->type != DOC_SCALAR || !node->plain)
		return false;
	switch (node->text[0]) {
	case '\0':
		return true;
	case '~':
	case 'n':
	case 'N':
		return is_one_of(node->text, words);
	default:
		return false;
	}
}

int doc_bool(const struct doc_node *node, bool *out)
{
	static const char *const yes[] = {"true", "True", "TRUE", NULL};
	static const char *const no[] = {"false", "False", "FALSE", NULL};

	if (node->type != DOC_SCALAR || !node->plain)
		return -1;
	if (!is_one_of(node->text, yes) && !is_one_of(node->text, no))
		return -1;
	*out = is_one_of(node->text, yes);
	return 0;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static int parse_digits(const char *text, int base, int64_t *out)
{
	int64_t value = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		int digit = digit_value(*text);

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return -1;
	}
	*out = value;
	return 0;
}

int doc_int(const struct doc_node *node, int64_t *out)
{
	const char *text = node->text;
	int64_t value;

	if (node->type != DOC_SCALAR || !node->plain)
		return -1;
	if (str_starts(text, "0x"))
		return parse_digits(text + 2, 16, out);
	if (str_starts(text, "0o"))
		return parse_digits(text + 2, 8, out);
	if (parse_digits(text + (*text == '-' || *text == '+'), 10, &value) != 0)
		return -1;
	*out = *text == '-' ? -value : value;
	return 0;
}

static bool looks_like_number(const char *text)
{
	size_t digits;

	text += *text == '-' || *text == '+';
	digits = strspn(text, "0123456789");
	return digits && strspn(text, "0123456789.eE+-xo") == strlen(text);
}

const char *doc_describe(const struct doc_node *node)
{
	bool flag;

	if (node->type == DOC_SEQUENCE)
		return "a list";
	if (node->type == DOC_MAPPING)
		return "a mapping";
	if (doc_is_null(node))
		return "nothing";
	if (doc_bool(node, &flag) == 0)
		return "true or false";
	return node->plain && looks_like_number(node->text) ? "a number" : "a text";
}

struct doc_node *doc_scalar(struct arena *arena, const char *text, size_t len, bool plain)
{
	struct doc_node *node = ARENA_NEW(arena, struct doc_node);

	node->type = DOC_SCALAR;
	node->plain = plain;
	node->text = arena_strndup(arena, text, len);
	node->n = len;
	return node;
}

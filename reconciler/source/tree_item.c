#include "base/sys.h"
#include "source/tree_item.h"

#define MODE_DIGITS_MAX 7

static enum tree_kind kind_of(unsigned mode)
{
	switch (mode & 0170000) {
	case 0100000:
		return TREE_FILE;
	case 0040000:
		return TREE_FOLDER;
	case 0120000:
		return TREE_LINK;
	case 0160000:
		return TREE_SUBMODULE;
	default:
		return TREE_UNKNOWN;
	}
}

/* Reads the digits up to the space; NULL when there are none, too many, or others. */
static const char *take_mode(const char *at, const char *end, unsigned *mode)
{
	const char *start = at;

	*mode = 0;
	for (; at < end && *at >= '0' && *at <= '7'; at++) {
		if (at - start == MODE_DIGITS_MAX)
			return NULL;
		*mode = *mode << 3 | (unsigned)(*at - '0');
	}
	return at > start && at < end && *at == ' ' ? at + 1 : NULL;
}

int tree_item_next(struct tree_cursor *cursor, struct tree_item *out)
{
	const char *name, *end_of_name;
	unsigned mode;

	if (cursor->at == cursor->end)
		return 0;
	name = take_mode(cursor->at, cursor->end, &mode);
	if (!name)
		return -1;
	end_of_name = memchr(name, '\0', (size_t)(cursor->end - name));
	if (!end_of_name || end_of_name == name ||
	    (size_t)(cursor->end - end_of_name) < 1 + sizeof out->id.raw)
		return -1;
	out->kind = kind_of(mode);
	out->executable = out->kind == TREE_FILE && (mode & 0100);
	out->name = name;
	out->name_len = (size_t)(end_of_name - name);
	memcpy(out->id.raw, end_of_name + 1, sizeof out->id.raw);
	cursor->at = end_of_name + 1 + sizeof out->id.raw;
	return 1;
}

/* What stands behind the last byte that both names have. */
static int end_char(const struct tree_item *item, size_t at)
{
	if (at < item->name_len)
		return (unsigned char)item->name[at];
	return item->kind == TREE_FOLDER ? '/' : '\0';
}

int tree_item_cmp(const struct tree_item *a, const struct tree_item *b)
{
	size_t shared = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = memcmp(a->name, b->name, shared);

	return order ? order : end_char(a, shared) - end_char(b, shared);
}

bool tree_is_well_formed(const void *bytes, size_t len)
{
	struct tree_cursor cursor = tree_cursor(bytes, len);
	struct tree_item before = {0}, item;
	int result;

	while ((result = tree_item_next(&cursor, &item)) == 1) {
		if (before.name && tree_item_cmp(&before, &item) >= 0)
			return false;
		before = item;
	}
	return result == 0;
}

static bool ends_with(const struct tree_item *item, const char *suffix)
{
	size_t len = strlen(suffix);

	return item->name_len > len && memcmp(item->name + item->name_len - len, suffix, len) == 0;
}

bool tree_is_manifest(const struct tree_item *item)
{
	return item->kind == TREE_FILE && item->name[0] != '.' &&
	       (ends_with(item, ".yaml") || ends_with(item, ".yml"));
}

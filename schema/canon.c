#include "base/sys.h"
#include "schema/canon.h"

#include "base/num.h"
#include "base/utf8.h"
#include "schema/canon_value.h"

/*
 * A JSON string that YAML readers take for the same text: control characters and what YAML calls a
 * line break or cannot hold as it is are escaped, all else stands as itself.
 */
static bool is_plain(const char *text, size_t step)
{
	static const char *const odd[] = {"\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf",
					  "\xef\xbf\xbe", "\xef\xbf\xbf"};

	if (step == 1)
		return *text != '"' && *text != '\\' && !utf8_is_control(text, step);
	for (size_t i = 0; step == 3 && i < ARRAY_LEN(odd); i++) {
		if (memcmp(text, odd[i], 3) == 0)
			return false;
	}
	return step != 0 && !utf8_is_control(text, step);
}

/* The code point of a well-formed sequence of up to three bytes. */
static unsigned code_point(const char *text, size_t step)
{
	const unsigned char *byte = (const unsigned char *)text;

	if (step == 1)
		return byte[0];
	if (step == 2)
		return (byte[0] & 0x1fu) << 6 | (byte[1] & 0x3fu);
	return (byte[0] & 0x0fu) << 12 | (byte[1] & 0x3fu) << 6 | (byte[2] & 0x3fu);
}

static void add_escaped(struct buf *out, const char *text, size_t step)
{
	if (step == 0)
		buf_adds(out, UTF8_REPLACEMENT);
	else if (*text == '"' || *text == '\\')
		buf_addf(out, "\\%c", *text);
	else if (*text == '\n')
		buf_adds(out, "\\n");
	else
		buf_addf(out, "\\u%04x", code_point(text, step));
}

/* Adds text with all escaped that is not plain; ASCII stays where `ascii_too` is false. */
static void add_escaping(const char *text, size_t len, bool ascii_too, struct buf *out)
{
	size_t plain = 0;

	for (size_t at = 0; at < len;) {
		size_t step = utf8_length(text + at, len - at);
		bool ascii = step == 1 && text[at] != 0x7f;

		if (is_plain(text + at, step) || (ascii && !ascii_too)) {
			at += step;
			continue;
		}
		buf_add(out, text + plain, at - plain);
		add_escaped(out, text + at, step);
		at += step ? step : 1;
		plain = at;
	}
	buf_add(out, text + plain, len - plain);
}

void canon_text(const char *text, struct buf *out)
{
	buf_addc(out, '"');
	add_escaping(text, strlen(text), true, out);
	buf_addc(out, '"');
}

void canon_from_json(const char *json, size_t len, struct buf *out)
{
	add_escaping(json, len, false, out);
}

/* ---- which fields ---- */

bool canon_takes(const struct field_type_row *row, enum canon_part part)
{
	if (part == CANON_ALL || row->flags & KEY)
		return true;
	/* An object may hold both; what it has nothing of is left out as empty. */
	if (row->object == &type_container)
		return true;
	return (part & CANON_RELEASE && row->flags & REL) ||
	       (part & CANON_OPERATIONS && row->flags & OPS);
}

/* Numbers of those of an object's fields that are in `fields`, by key as written. */
static size_t sorted_fields(const struct object_type *type, uint64_t fields, unsigned order[64])
{
	size_t n = 0;

	for (unsigned i = 0; i < type->fields_n; i++) {
		size_t at = n;

		if (!((fields >> i) & 1))
			continue;
		for (n++; at && strcmp(type->fields[order[at - 1]].key, type->fields[i].key) > 0;
		     at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	return n;
}

static int item_cmp(const void *left, const void *right, void *type)
{
	return object_item_cmp(*(const struct object_type *const *)type, *(const void *const *)left,
			       *(const void *const *)right);
}

const void **canon_sorted_items(const struct field_type_row *row, const struct any_list *list)
{
	const struct object_type *type = row->object;
	const void **items = mem_realloc_array(NULL, list->n + 1, sizeof *items);

	for (size_t i = 0; i < list->n; i++)
		items[i] = (const char *)list->v + i * type->size;
	if (list->n && !(row->flags & WHOLE))
		qsort_r(items, list->n, sizeof *items, item_cmp, &type);
	return items;
}

/* ---- values ---- */

static void add_strings(const struct strings *list, struct buf *out)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			buf_addc(out, ',');
		canon_text(list->v[i], out);
	}
	buf_addc(out, ']');
}

void canon_pairs(const struct pairs *pairs, struct buf *out)
{
	buf_addc(out, '{');
	for (size_t i = 0; i < pairs->n; i++) {
		if (i)
			buf_addc(out, ',');
		canon_text(pairs->key[i], out);
		buf_addc(out, ':');
		if (pairs->value[i])
			canon_text(pairs->value[i], out);
		else
			buf_adds(out, "null");
	}
	buf_addc(out, '}');
}

static void add_list(const struct field_type_row *row, const void *slot, enum canon_part part,
		     struct buf *out)
{
	AUTO_FREE const void **items = NULL;
	struct any_list list;

	memcpy(&list, slot, sizeof list);
	items = canon_sorted_items(row, &list);
	buf_addc(out, '[');
	for (size_t i = 0; i < list.n; i++) {
		if (i)
			buf_addc(out, ',');
		canon_object(row->object, items[i], part, out);
	}
	buf_addc(out, ']');
}

static void add_map(const struct object_type *type, const void *slot, enum canon_part part,
		    struct buf *out)
{
	struct any_map map;

	memcpy(&map, slot, sizeof map);
	buf_addc(out, '{');
	for (size_t i = 0; i < map.n; i++) {
		if (i)
			buf_addc(out, ',');
		canon_text(map.name[i], out);
		buf_addc(out, ':');
		canon_object(type, (const char *)map.v + i * type->size, part, out);
	}
	buf_addc(out, '}');
}

void canon_value(const struct field_type_row *row, const void *slot, enum canon_part part,
		 struct buf *out)
{
	char text[NUM_TEXT_MAX];
	const void *object;

	switch (row->type) {
	case TYPE_STRING:
	case TYPE_NAME:
		canon_text(*(const char *const *)slot, out);
		return;
	case TYPE_BOOL:
		buf_adds(out, *(const bool *)slot ? "true" : "false");
		return;
	case TYPE_INT:
		buf_addf(out, "%lld", (long long)*(const int64_t *)slot);
		return;
	case TYPE_DURATION:
		canon_text(num_format_duration(*(const int64_t *)slot, text), out);
		return;
	case TYPE_SIZE:
		canon_text(num_format_size(*(const int64_t *)slot, text), out);
		return;
	case TYPE_CPU:
		canon_text(num_format_cpu(*(const int64_t *)slot, text), out);
		return;
	case TYPE_ENUM:
		canon_text(enum_word(row->enumeration, *(const int *)slot), out);
		return;
	case TYPE_STRINGS:
		add_strings(slot, out);
		return;
	case TYPE_MAP:
		canon_pairs(slot, out);
		return;
	case TYPE_OBJECT:
		memcpy(&object, slot, sizeof object);
		canon_object(row->object, object, part, out);
		return;
	case TYPE_LIST:
		add_list(row, slot, part, out);
		return;
	case TYPE_OBJMAP:
		add_map(row->object, slot, part, out);
		return;
	case TYPE_ANY:
		return;
	}
}

/* Says nothing: a mapping without pairs, or nothing of this part. Lists of texts always say
 * something, since an empty one replaces. */
static bool is_empty(const struct field_type_row *row, const struct buf *out, size_t value)
{
	return out->len - value == 2 && (row->type == TYPE_MAP || row->type == TYPE_OBJECT ||
					 row->type == TYPE_LIST || row->type == TYPE_OBJMAP);
}

/* ,"key":value, or nothing. */
static void add_field(const struct field_type_row *row, const void *object, bool set,
		      enum canon_part part, struct buf *out)
{
	size_t start = out->len, value;

	if (out->ptr[start - 1] != '{')
		buf_addc(out, ',');
	canon_text(row->key, out);
	buf_addc(out, ':');
	value = out->len;
	if (set)
		canon_value(row, field_const_slot(object, row), part, out);
	else
		buf_adds(out, "null");
	if (set && is_empty(row, out, value))
		buf_cut(out, start);
}

void canon_object(const struct object_type *type, const void *object, enum canon_part part,
		  struct buf *out)
{
	const struct head *head = object;
	unsigned order[64];
	size_t n = sorted_fields(type, head->set | head->null, order);

	buf_addc(out, '{');
	for (size_t i = 0; i < n && !out->overflow; i++) {
		const struct field_type_row *row = &type->fields[order[i]];

		if (canon_takes(row, part))
			add_field(row, object, (head->set >> order[i]) & 1, part, out);
	}
	buf_addc(out, '}');
}

void canon_container(const struct container *config, enum canon_part part, struct buf *out)
{
	canon_object(&type_container, config, part, out);
}

void canon_image(const struct image *image, enum canon_part part, struct buf *out)
{
	canon_object(&type_image, image, part, out);
}

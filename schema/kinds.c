#include "base/sys.h"
#include "schema/kinds.h"

#include "base/buf.h"
#include "base/num.h"

/*
 * kinds.def becomes: one array of values and one enum_type for each ENUM, one array of fields and
 * one object_type for each OBJECT and KIND, and the list of all of them.
 */

/* clang-format off */
#define OBJECT(name, text)
#define KIND(name, title, scope, flags, text)
#define FIELD(owner, member, key, type, sub, flags, min, max, dflt, text)
#define END(name)
#define ENUM(name, text) static const struct enum_value values_##name[] = {
#define VALUE(name, constant, word, flags, text) {constant, word, flags, text},
#define END_ENUM(name) };
#include "schema/kinds.def"
#undef ENUM
#undef VALUE
#undef END_ENUM
#define VALUE(name, constant, word, flags, text)
#define END_ENUM(name)
#define ENUM(name, text)                                                                           \
	const struct enum_type words_##name = {#name, text, values_##name,                         \
					       ARRAY_LEN(values_##name)};
#include "schema/kinds.def"
#undef ENUM
#undef OBJECT
#undef KIND
#undef FIELD
#undef END

/* What `sub` means depends on the type of the field. */
#define OBJECT_OF_STRING(sub) NULL
#define OBJECT_OF_NAME(sub) NULL
#define OBJECT_OF_BOOL(sub) NULL
#define OBJECT_OF_INT(sub) NULL
#define OBJECT_OF_DURATION(sub) NULL
#define OBJECT_OF_SIZE(sub) NULL
#define OBJECT_OF_CPU(sub) NULL
#define OBJECT_OF_ENUM(sub) NULL
#define OBJECT_OF_STRINGS(sub) NULL
#define OBJECT_OF_MAP(sub) NULL
#define OBJECT_OF_OBJECT(sub) &type_##sub
#define OBJECT_OF_LIST(sub) &type_##sub
#define OBJECT_OF_OBJMAP(sub) &type_##sub
#define OBJECT_OF_ANY(sub) NULL
#define WORDS_OF_STRING(sub) NULL
#define WORDS_OF_NAME(sub) NULL
#define WORDS_OF_BOOL(sub) NULL
#define WORDS_OF_INT(sub) NULL
#define WORDS_OF_DURATION(sub) NULL
#define WORDS_OF_SIZE(sub) NULL
#define WORDS_OF_CPU(sub) NULL
#define WORDS_OF_ENUM(sub) &words_##sub
#define WORDS_OF_STRINGS(sub) NULL
#define WORDS_OF_MAP(sub) NULL
#define WORDS_OF_OBJECT(sub) NULL
#define WORDS_OF_LIST(sub) NULL
#define WORDS_OF_OBJMAP(sub) NULL
#define WORDS_OF_ANY(sub) NULL

#define ENUM(name, text)
#define OBJECT(name, text) static const struct field_type_row fields_##name[] = {
#define KIND(name, title, scope, flags, text) static const struct field_type_row fields_##name[] = {
#define FIELD(owner, member, key, type, sub, flags, min, max, dflt, text)                          \
	{#member, key, TYPE_##type, OBJECT_OF_##type(sub), WORDS_OF_##type(sub), flags,            \
	 min,     max, dflt,        text,                  offsetof(struct owner, member)},
#define END(name) };
#include "schema/kinds.def"
#undef OBJECT
#undef KIND
#undef FIELD
#undef END

#define TYPE_ROW(name, title, scope, flags, text)                                                  \
	const struct object_type type_##name = {                                                   \
		#name, title, scope, flags, text, fields_##name, name##_FIELDS,                    \
		sizeof(struct name)};                                                              \
	_Static_assert((int)name##_FIELDS <= FIELDS_MAX, "one bit a field");
#define OBJECT(name, text) TYPE_ROW(name, NULL, SCOPE_NONE, 0, text)
#define KIND(name, title, scope, flags, text) TYPE_ROW(name, title, scope, flags, text)
#define FIELD(owner, member, key, type, sub, flags, min, max, dflt, text)
#define END(name)
#include "schema/kinds.def"
#undef OBJECT
#undef KIND

static const struct object_type *const all_types[] = {
#define OBJECT(name, text) &type_##name,
#define KIND(name, title, scope, flags, text) &type_##name,
#include "schema/kinds.def"
#undef OBJECT
#undef KIND
};

static const struct object_type *const kind_types[KINDS] = {
#define OBJECT(name, text)
#define KIND(name, title, scope, flags, text) [KIND_##name] = &type_##name,
#include "schema/kinds.def"
#undef OBJECT
#undef KIND
#undef ENUM
};

static const struct enum_type *const all_words[] = {
#define OBJECT(name, text)
#define KIND(name, title, scope, flags, text)
#define ENUM(name, text) &words_##name,
#include "schema/kinds.def"
};
/* clang-format on */

const struct object_type *object_type_at(size_t i)
{
	return i < ARRAY_LEN(all_types) ? all_types[i] : NULL;
}

const struct object_type *object_type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(all_types); i++) {
		if (str_eq(all_types[i]->name, name))
			return all_types[i];
	}
	return NULL;
}

const struct object_type *kind_find(const char *title)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (str_eq(kind_types[i]->title, title))
			return kind_types[i];
	}
	return NULL;
}

const struct object_type *kind_type(enum kind kind)
{
	return kind_types[kind];
}

enum kind kind_of(const struct object_type *type)
{
	size_t i = 0;

	while (i < KINDS && kind_types[i] != type)
		i++;
	return (enum kind)i;
}

const struct field_type_row *object_field(const struct object_type *type, const char *key)
{
	for (size_t i = 0; i < type->fields_n; i++) {
		const char *own = type->fields[i].key;

		if (own[0] == key[0] && strcmp(own, key) == 0)
			return &type->fields[i];
	}
	return NULL;
}

const struct field_type_row *object_key(const struct object_type *type)
{
	const struct field_type_row *row = type->fields;

	while (row < type->fields + type->fields_n && !(row->flags & KEY))
		row++;
	return row;
}

/* Of a KEY field that is not set the default counts. */
static int key_word(const struct field_type_row *key, const void *slot)
{
	const int value = *(const int *)slot;
	const struct enum_value *word =
		value || !key->fallback ? NULL : enum_find(key->enumeration, key->fallback);

	return word ? word->value : value;
}

static int key_cmp(const struct field_type_row *key, const void *a, const void *b)
{
	const void *left = field_const_slot(a, key), *right = field_const_slot(b, key);

	if (key->type == TYPE_ENUM)
		return key_word(key, left) - key_word(key, right);
	if (key->type == TYPE_INT)
		return (*(const int64_t *)left > *(const int64_t *)right) -
		       (*(const int64_t *)left < *(const int64_t *)right);
	return str_cmp(*(const char *const *)left, *(const char *const *)right);
}

/* By the fields with one of the flags, the first of which is a KEY. */
static int cmp_by(const struct object_type *type, unsigned flags, const void *a, const void *b)
{
	const struct field_type_row *row = object_key(type), *end = type->fields + type->fields_n;
	int order = 0;

	for (; row < end && order == 0; row++) {
		if (row->flags & flags)
			order = key_cmp(row, a, b);
	}
	return order;
}

int object_key_cmp(const struct object_type *type, const void *a, const void *b)
{
	return cmp_by(type, KEY, a, b);
}

int object_item_cmp(const struct object_type *type, const void *a, const void *b)
{
	int order = cmp_by(type, KEY, a, b);

	return order ? order : cmp_by(type, APART, a, b);
}

/* The word of a further KEY field, where it is not the default. */
static const char *further_word(const struct field_type_row *row, const void *item)
{
	const char *word = "";

	if (row->flags & KEY)
		word = enum_word(row->enumeration, *(const int *)field_const_slot(item, row));
	return str_eq(word, row->fallback) ? "" : word;
}

char *object_key_text(const struct object_type *type, const void *item)
{
	const struct field_type_row *row = object_key(type), *end = type->fields + type->fields_n;
	const void *slot = field_const_slot(item, row);
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);

	if (row->type == TYPE_INT)
		buf_addf(&out, "%lld", (long long)*(const int64_t *)slot);
	else
		buf_adds(&out, *(const char *const *)slot);
	for (row++; row < end; row++) {
		const char *word = further_word(row, item);

		buf_addf(&out, *word ? "/%s" : "%s", word);
	}
	return buf_take(&out);
}

static bool is_set(const void *object, unsigned field)
{
	const struct head *head = object;

	return head && ((head->set >> field) & 1);
}

char *object_item_text(const struct object_type *type, const void *item)
{
	AUTO_FREE char *key = object_key_text(type, item);
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);

	buf_adds(&out, key);
	for (size_t i = 0; i < type->fields_n; i++) {
		const struct field_type_row *row = &type->fields[i];
		const void *slot = field_const_slot(item, row);

		if (!(row->flags & APART) || !is_set(item, (unsigned)i))
			continue;
		if (row->type == TYPE_INT)
			buf_addf(&out, "@%lld", (long long)*(const int64_t *)slot);
		else
			buf_addf(&out, "@%s", *(const char *const *)slot);
	}
	return buf_take(&out);
}

const char *enum_word(const struct enum_type *type, int value)
{
	for (size_t i = 0; i < type->values_n; i++) {
		if (type->values[i].value == value)
			return type->values[i].word;
	}
	return "";
}

const struct enum_type *enum_type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(all_words); i++) {
		if (str_eq(all_words[i]->name, name))
			return all_words[i];
	}
	return NULL;
}

const struct enum_value *enum_find(const struct enum_type *type, const char *word)
{
	for (size_t i = 0; i < type->values_n; i++) {
		if (str_eq(type->values[i].word, word))
			return &type->values[i];
	}
	return NULL;
}

size_t field_size(enum field_type type)
{
	static const size_t sizes[] = {
		[TYPE_STRING] = sizeof(const char *),
		[TYPE_NAME] = sizeof(const char *),
		[TYPE_BOOL] = sizeof(bool),
		[TYPE_INT] = sizeof(int64_t),
		[TYPE_DURATION] = sizeof(int64_t),
		[TYPE_SIZE] = sizeof(int64_t),
		[TYPE_CPU] = sizeof(int64_t),
		[TYPE_ENUM] = sizeof(int),
		[TYPE_STRINGS] = sizeof(struct strings),
		[TYPE_MAP] = sizeof(struct pairs),
		[TYPE_OBJECT] = sizeof(void *),
		[TYPE_LIST] = sizeof(struct any_list),
		[TYPE_OBJMAP] = sizeof(struct any_map),
		[TYPE_ANY] = 0,
	};

	return sizes[type];
}

/* The table's own texts always parse: test_schema_kinds holds them to it. */
static int64_t default_int(const struct field_type_row *row)
{
	const struct enum_value *word;
	int64_t value = 0;

	if (!row->fallback)
		return 0;
	switch (row->type) {
	case TYPE_BOOL:
		return str_eq(row->fallback, "true");
	case TYPE_INT:
		num_parse_int(row->fallback, INT64_MIN, INT64_MAX, &value);
		return value;
	case TYPE_DURATION:
		num_parse_duration(row->fallback, &value);
		return value;
	case TYPE_SIZE:
		num_parse_size(row->fallback, &value);
		return value;
	case TYPE_CPU:
		num_parse_cpu(row->fallback, &value);
		return value;
	case TYPE_ENUM:
		word = enum_find(row->enumeration, row->fallback);
		return word ? word->value : 0;
	case TYPE_STRING:
	case TYPE_NAME:
	case TYPE_STRINGS:
	case TYPE_MAP:
	case TYPE_OBJECT:
	case TYPE_LIST:
	case TYPE_OBJMAP:
	case TYPE_ANY:
		break;
	}
	return 0;
}

int64_t kind_int(const void *object, const struct object_type *type, unsigned field)
{
	const struct field_type_row *row = &type->fields[field];
	const void *slot;

	if (!is_set(object, field))
		return default_int(row);
	slot = field_const_slot(object, row);
	if (row->type == TYPE_BOOL)
		return *(const bool *)slot;
	if (row->type == TYPE_ENUM)
		return *(const int *)slot;
	return *(const int64_t *)slot;
}

const char *kind_text(const void *object, const struct object_type *type, unsigned field)
{
	const struct field_type_row *row = &type->fields[field];

	if (!is_set(object, field))
		return row->fallback;
	return *(const char *const *)field_const_slot(object, row);
}

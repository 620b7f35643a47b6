/*
 * kinds.h - kinds.def as data: what decoding, merging, canonical form and the generators walk over.
 */
#ifndef TRUEUP_SCHEMA_KINDS_H
#define TRUEUP_SCHEMA_KINDS_H

#include "schema/model.h"

/* clang-format off */
enum field_type {
	TYPE_STRING, TYPE_NAME, TYPE_BOOL, TYPE_INT, TYPE_DURATION, TYPE_SIZE, TYPE_CPU, TYPE_ENUM,
	TYPE_STRINGS, TYPE_MAP, TYPE_OBJECT, TYPE_LIST, TYPE_OBJMAP, TYPE_ANY,
};

enum field_flags {
	REQ = 1, REL = 2, OPS = 4, LATER = 8, SECRET = 16, KEY = 32, SHORT = 64, ONE = 128,
	WHOLE = 256, LONG = 512, APART = 1024,
};
/* The form of a text rides in the upper half of the flags: REL | FORM(SIGNAL). */
#define FORM(name) ((unsigned)FORM_##name << 16)
#define FLAGS_FORM(flags) ((enum form)((flags) >> 16))

enum form {
	FORM_NONE,
#define TEXT_FORM(constant, name, pattern, text) FORM_##constant,
#define PAIR_FORM(constant, name, key_pattern, value_pattern, text, value_text) FORM_##constant,
#include "schema/forms.def"
#undef TEXT_FORM
#undef PAIR_FORM
	FORMS,
};

enum kind_scope {
	SCOPE_NONE, /* an object, not a document */
	SCOPE_ORGANIZATION, SCOPE_PROJECT, SCOPE_STAGE,
	SCOPE_SHARED, /* organization or project */
	SCOPE_ANY, SCOPE_SETTINGS,
};

struct enum_value {
	int value;
	const char *word;
	unsigned flags;
	const char *text;
};
struct enum_type {
	const char *name, *text;
	const struct enum_value *values;
	size_t values_n;
};

struct object_type;
struct field_type_row {
	const char *member; /* name in C */
	const char *key;    /* name in YAML */
	enum field_type type;
	const struct object_type *object;   /* of OBJECT, LIST, OBJMAP */
	const struct enum_type *enumeration; /* of ENUM */
	unsigned flags;
	int64_t min, max;
	const char *fallback; /* default, as it would be written; NULL: none */
	const char *text;
	size_t offset; /* in the struct */
};
struct object_type {
	const char *name;  /* "container" */
	const char *title; /* kind as written; NULL for an object */
	enum kind_scope scope;
	unsigned flags;
	const char *text;
	const struct field_type_row *fields; /* index = field number */
	size_t fields_n;
	size_t size; /* of the struct */
};

/* Each row of the table by its C name: type_container, type_deployment; words_protocol. */
#define ENUM(name, text) extern const struct enum_type words_##name;
#define VALUE(name, constant, word, flags, text)
#define END_ENUM(name)
#define OBJECT(name, text) extern const struct object_type type_##name;
#define KIND(name, title, scope, flags, text) extern const struct object_type type_##name;
#define FIELD(owner, member, key, type, sub, flags, min, max, dflt, text)
#define END(name)
#include "schema/kinds.def"
#undef ENUM
#undef VALUE
#undef END_ENUM
#undef OBJECT
#undef KIND
#undef FIELD
#undef END

/* clang-format on */

/* By C name ("container") and by kind as written ("Deployment"); NULL when there is none. */
const struct object_type *object_type_find(const char *name);
const struct object_type *kind_find(const char *title);
const struct object_type *kind_type(enum kind kind);
/* The reverse; type must be one of a document. */
enum kind kind_of(const struct object_type *type);
/* In order of the table; NULL after the last. */
const struct object_type *object_type_at(size_t i);
/* The field with this key as written in YAML; NULL when the object has none. */
const struct field_type_row *object_field(const struct object_type *type, const char *key);
/* Number of a field; the row must be one of type's. */
static inline unsigned field_number(const struct object_type *type,
				    const struct field_type_row *row)
{
	return (unsigned)(row - type->fields);
}

/* The field that items of a list merge by; behind the last field when there is none. */
const struct field_type_row *object_key(const struct object_type *type);
/* Compares two items by that field, and then by the others with KEY. */
int object_key_cmp(const struct object_type *type, const void *a, const void *b);
/* The same, and then by the fields with APART. */
int object_item_cmp(const struct object_type *type, const void *a, const void *b);
/* What tells an item from the others: "80", "53/udp", "/data"; to be freed by the caller. */
char *object_key_text(const struct object_type *type, const void *item);
/* The same of one that is not alone with its KEY: "80@8080". */
char *object_item_text(const struct object_type *type, const void *item);

/* The word of an enum value; "" for 0. ENUM_WORD(drift, deployment->drift) */
const char *enum_word(const struct enum_type *type, int value);
#define ENUM_WORD(name, value) enum_word(&words_##name, (value))
/* NULL when there is none. */
const struct enum_type *enum_type_find(const char *name);
const struct enum_value *enum_find(const struct enum_type *type, const char *word);

/* The bytes of a field in its object. */
static inline void *field_slot(void *object, const struct field_type_row *row)
{
	return (char *)object + row->offset;
}
static inline const void *field_const_slot(const void *object, const struct field_type_row *row)
{
	return (const char *)object + row->offset;
}

/* Does a field hold others, so that it merges piece by piece? */
static inline bool field_holds_parts(const struct field_type_row *row)
{
	return row->type == TYPE_MAP || row->type == TYPE_OBJECT || row->type == TYPE_OBJMAP ||
	       (row->type == TYPE_LIST && !(row->flags & WHOLE));
}
/* Bytes of a slot of this type. */
size_t field_size(enum field_type type);
/* The common shape of every LIST and OBJMAP slot; to be copied in and out with memcpy. */
struct any_list {
	void *v;
	size_t n;
};
struct any_map {
	const char **name;
	void *v;
	const struct loc *at;
	size_t n;
};

/* Defaults, by object and field number: what a driver or the plan uses where nothing is set. */
int64_t kind_int(const void *object, const struct object_type *type, unsigned field);
const char *kind_text(const void *object, const struct object_type *type, unsigned field);
/*
 * KIND_OR(object, container, stop_timeout): the value if set, else the table's default (DURATION,
 * SIZE, CPU, INT, BOOL and ENUM as numbers; 0 where the table has none). KIND_TEXT_OR is the same
 * for STRING and NAME (NULL where the table has none). object may be NULL: the default.
 */
#define KIND_OR(object, type, member) kind_int((object), &type_##type, type##_##member##_F)
#define KIND_TEXT_OR(object, type, member) kind_text((object), &type_##type, type##_##member##_F)

#endif

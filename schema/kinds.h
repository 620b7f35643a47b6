/*
 * kinds.h - kinds.def as data: what decoding, merging, canonical form and the generators walk over.
 */
#ifndef TRUEUP_SCHEMA_KINDS_H
#define TRUEUP_SCHEMA_KINDS_H

#include "schema/model.h"

enum field_type {
	TYPE_STRING,
	TYPE_NAME,
	TYPE_BOOL,
	TYPE_INT,
	TYPE_DURATION,
	TYPE_SIZE,
	TYPE_CPU,
	TYPE_ENUM,
	TYPE_STRINGS,
	TYPE_MAP,
	TYPE_OBJECT,
	TYPE_LIST,
	TYPE_OBJMAP,
	TYPE_ANY,
};

enum field_flags {
	REQ = 1,
	REL = 2,
	OPS = 4,
	LATER = 8,
	SECRET = 16,
	KEY = 32,
	SHORT = 64,
};

enum kind_scope {
	SCOPE_NONE, /* an object, not a document */
	SCOPE_ORGANIZATION,
	SCOPE_PROJECT,
	SCOPE_STAGE,
	SCOPE_ANY,
	SCOPE_SETTINGS,
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
	const struct object_type *object;    /* of OBJECT, LIST, OBJMAP */
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

/* By C name ("container") and by kind as written ("Deployment"); NULL when there is none. */
const struct object_type *object_type_find(const char *name);
const struct object_type *kind_find(const char *title);
const struct object_type *kind_type(enum kind kind);
/* In order of the table; NULL after the last. */
const struct object_type *object_type_at(size_t i);

/* The word of an enum value; "" for 0. */
const char *enum_word(const struct enum_type *type, int value);
const struct enum_type *enum_type_find(const char *name);

/* Defaults, by object and member: what a driver or the plan uses where nothing is set. */
int64_t kind_int(const void *object, const struct object_type *type, unsigned field);
/*
 * KIND_OR(object, container, stop_timeout): the value if set, else the table's default (DURATION,
 * SIZE, CPU, INT, BOOL and ENUM as numbers). object may be NULL: the default.
 */
#define KIND_OR(object, type, member)                                                              \
	kind_int((object), object_type_find(#type), type##_##member##_F)

#endif

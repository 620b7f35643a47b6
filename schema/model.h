/*
 * model.h - the manifests as C values. The structs come from kinds.def.
 *
 * A decoded file owns an arena; every pointer below lives in it. Absent values
 * are NULL, 0 or empty and their bit in `head.set` is clear: accessors that know
 * the defaults of kinds.def are in kinds.h (kind_default_*). Nothing here is ever
 * changed after decoding; merging makes new values.
 */
#ifndef TRUEUP_SCHEMA_MODEL_H
#define TRUEUP_SCHEMA_MODEL_H

#include "base/arena.h"
#include "base/oid.h"
#include "schema/file_set.h"

/* Where a value stands: line and column from 1, in characters; 0: nowhere. */
struct loc {
	uint32_t line, column;
	uint32_t width; /* characters that the caret line underlines */
};

struct strings {
	const char **v;
	const struct loc *at; /* one for each, or NULL */
	size_t n;
};

/* Sorted by key. value NULL: "remove this key", before merging only. */
struct pairs {
	const char **key;
	const char **value;
	const struct loc *at; /* of the key, one for each, or NULL */
	const char *const
		*paths; /* the file of each, in merged values; NULL: all in the object's */
	size_t n;
};

/* No object has more fields: their sets are bits of one number. */
#define FIELDS_MAX 64

/* First member of every object. */
struct head {
	uint64_t set;  /* bit i: field number i (enum <object>_field) was given */
	uint64_t null; /* bit i: given as null, which removes it when merged over a weaker layer */
	uint64_t bad;  /* bit i: given, but wrong and reported; the field is unset */
	uint64_t placed;      /* bit i: it is known where field number i stands */
	const struct loc *at; /* of the placed fields alone, in order of their numbers: head_at */
	const char *path;     /* the file the locations are in */
	const char *const *paths; /* as `at`, in merged values of several files; else NULL */
};

/* How many placed fields stand before this one, itself placed. */
static inline unsigned head_rank(const struct head *head, unsigned field)
{
	return (unsigned)__builtin_popcountll(head->placed & ((UINT64_C(1) << field) - 1));
}

/* The file in which a field was given; NULL when not known. */
static inline const char *head_path(const struct head *head, unsigned field)
{
	bool own = head->paths && (head->placed >> field & 1);

	return own ? head->paths[head_rank(head, field)] : head->path;
}

/* Where a field was given; all zero when it was not, or is not known. */
static inline struct loc head_at(const struct head *head, unsigned field)
{
	bool known = head->placed >> field & 1;

	return known ? head->at[head_rank(head, field)] : (struct loc){0, 0, 0};
}

/*
 * Keeps the places of these fields, and no others: at and paths (NULL: all are in head->path) have
 * an entry by field number for each of them.
 */
void head_place(struct arena *arena, struct head *head, uint64_t fields, const struct loc *at,
		const char *const *paths);

enum unit_level { UNIT_ORGANIZATION, UNIT_PROJECT, UNIT_STAGE };

/* What is accepted or refused as a whole. */
struct unit {
	enum unit_level level;
	const char *project; /* NULL for the organization */
	const char *stage;   /* NULL but for a stage */
};
/* NULL names first; organization before project before stage. */
int unit_cmp(const struct unit *a, const struct unit *b);

struct file;

struct product;

/* Second member of every document. */
struct origin {
	const struct file *file;
	struct loc at; /* of the document's first key */
	/*
	 * NULL for what somebody wrote as such. A deployment that was derived from another document
	 * (derive.h), and the product derived with it: that product, which no name leads to.
	 */
	const struct product *derived;
};

/* clang-format off */
#define CTYPE_STRING(sub) const char *
#define CTYPE_NAME(sub) const char *
#define CTYPE_BOOL(sub) bool
#define CTYPE_INT(sub) int64_t
#define CTYPE_DURATION(sub) int64_t
#define CTYPE_SIZE(sub) int64_t
#define CTYPE_CPU(sub) int64_t
#define CTYPE_ENUM(sub) int
#define CTYPE_STRINGS(sub) struct strings
#define CTYPE_MAP(sub) struct pairs
#define CTYPE_OBJECT(sub) const struct sub *
#define CTYPE_LIST(sub) struct sub##_list
#define CTYPE_OBJMAP(sub) struct sub##_map
#define CTYPE_ANY(sub) struct nothing

struct nothing {
	char unused[0];
};

/* enum role_value { ROLE_OWNER = 1, ... } */
#define ENUM(name, text) enum name##_value { name##_none_,
#define VALUE(name, constant, word, flags, text) constant,
#define END_ENUM(name) name##_end_ };
#define OBJECT(name, text)
#define KIND(name, title, scope, flags, text)
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

/* Field numbers: enum container_field { container_env_F, ... , container_FIELDS } */
#define ENUM(name, text)
#define VALUE(name, constant, word, flags, text)
#define END_ENUM(name)
#define OBJECT(name, text) enum name##_field {
#define KIND(name, title, scope, flags, text) enum name##_field {
#define FIELD(owner, member, key, type, sub, flags, min, max, dflt, text) owner##_##member##_F,
#define END(name) name##_FIELDS };
#include "schema/kinds.def"
#undef OBJECT
#undef KIND
#undef FIELD
#undef END

/* struct container_list { struct container *v; size_t n; } and the map by name */
#define OBJECT(object, text)                                                                       \
	struct object;                                                                             \
	struct object##_list {                                                                     \
		struct object *v;                                                                  \
		size_t n;                                                                          \
	};                                                                                         \
	struct object##_map {                                                                      \
		const char **name;                                                                 \
		struct object *v;                                                                  \
		const struct loc *at; /* of the name, one for each, or NULL */                     \
		size_t n;                                                                          \
	};
#define KIND(name, title, scope, flags, text)
#define FIELD(owner, member, key, type, sub, flags, min, max, dflt, text)
#define END(name)
#include "schema/kinds.def"
#undef OBJECT
#undef KIND
#undef FIELD
#undef END

/* The structs themselves. */
#define OBJECT(name, text) struct name { struct head head;
#define KIND(name, title, scope, flags, text) struct name { struct head head; struct origin from;
#define FIELD(owner, member, key, type, sub, flags, min, max, dflt, text) CTYPE_##type(sub) member;
#define END(name) };
#include "schema/kinds.def"
#undef OBJECT
#undef KIND
#undef FIELD
#undef END

/* enum kind { KIND_organization, ... } */
enum kind {
#define OBJECT(name, text)
#define KIND(name, title, scope, flags, text) KIND_##name,
#define FIELD(owner, member, key, type, sub, flags, min, max, dflt, text)
#define END(name)
#include "schema/kinds.def"
#undef OBJECT
#undef KIND
#undef FIELD
#undef END
	KINDS,
};
#undef ENUM
#undef VALUE
#undef END_ENUM

/* clang-format on */

/* One of the structs above by its kind. */
struct document {
	enum kind kind;
	void *value; /* struct deployment * and so on; its first members are head and origin */
};
static inline struct origin *document_origin(const struct document *document)
{
	return (struct origin *)(void *)((char *)document->value + sizeof(struct head));
}

struct diag;

/*
 * One blob, decoded. Immutable; counted references, so that two models can share it. The same path
 * and blob always give the same file.
 */
struct file {
	const char *path; /* relative to the root of the configuration */
	struct oid blob;
	struct unit unit;
	struct document *documents;
	size_t documents_n;
	struct diag *diags; /* what decoding found, in order of line and column */
	size_t diags_n;
	/* What the Compose file is that the path names, and all it needs; NULL: it is none. */
	const struct image_list *compose;
	struct arena *arena;
	unsigned references;
};

/*
 * All documents of one accepted state, indexed. The arrays hold pointers sorted by (project, stage,
 * [product,] name); scopes come from the file's unit.
 */
struct model {
	struct file_set files;
	const struct organization *organization; /* NULL: none */
/* clang-format off */
#define MODEL_INDEX(kind) struct { const struct kind **v; size_t n; } kind##s
	MODEL_INDEX(team);
	MODEL_INDEX(user);
	MODEL_INDEX(node);
	MODEL_INDEX(registry); /* registrys */
	MODEL_INDEX(project);
	MODEL_INDEX(product);
	MODEL_INDEX(version);
	MODEL_INDEX(stage);
	MODEL_INDEX(deployment);
	MODEL_INDEX(bundle);
#undef MODEL_INDEX
	/* clang-format on */
};

struct diags;

/*
 * Indexes the files (in any order) and reports documents with the same identity (`duplicate`).
 * Takes a reference to each file. Never fails; problems go to *diags.
 */
struct model *model_build(struct file *const *files, size_t n, struct diags *diags);
/* The same from a set. */
struct model *model_of(const struct file_set *files, struct diags *diags);
/*
 * The same on top of a model of other files, which differ in these n changes: as much work as they
 * are. NULL when it cannot be told so whether all is well, and model_of has to say: a document
 * would have two, or none to go, or the organization itself changes.
 */
struct model *model_update(const struct model *base, const struct file_set *files,
			   const struct file_change *changes, size_t n);
void model_free(struct model *model);
/* A file without documents; one reference is the caller's. size: bytes it will want, roughly. */
struct file *file_new(const char *path, const struct oid *blob, size_t size);
struct file *file_ref(struct file *file);
void file_unref(struct file *file);
/* How many of its documents somebody wrote; the others are derived from those. */
size_t file_written(const struct file *file);

/* Look-ups by identity; NULL when absent. */
const struct team *model_team(const struct model *model, const char *name);
const struct user *model_user(const struct model *model, const char *name);
const struct node *model_node(const struct model *model, const char *name);
const struct registry *model_registry(const struct model *model, const char *name);
const struct project *model_project(const struct model *model, const char *name);
const struct product *model_product(const struct model *model, const char *project,
				    const char *name);
const struct version *model_version(const struct model *model, const char *project,
				    const char *product, const char *name);
const struct stage *model_stage(const struct model *model, const char *project, const char *name);
const struct deployment *model_deployment(const struct model *model, const char *project,
					  const char *stage, const char *name);

/*
 * What a deployment deploys: the product derived with it, the one that it names, or, where it names
 * none, that of the Compose file beside it. NULL when there is none.
 */
const struct product *model_product_of(const struct model *model,
				       const struct deployment *deployment);
/* Is it what a deployment document beside the Compose file says, and more? */
bool model_is_stack(const struct deployment *deployment);
/*
 * The document that somebody wrote and that the deployment stands for, an App; NULL when it is
 * written itself, or is that of a Compose file.
 */
const struct document *model_written(const struct deployment *deployment);
/* That document as what it is; NULL when it is something else, or deployment is NULL. */
const struct app *model_app_of(const struct deployment *deployment);
const struct service *model_service_of(const struct deployment *deployment);
/*
 * The Compose file that a document names, by its path from the document's folder; NULL when there
 * is none. And the images that a version or simple product consists of, its own or those of that
 * file; NULL when there are none to be had.
 */
const struct file *model_compose(const struct model *model, const struct origin *from,
				 const char *path);
const struct image_list *model_version_images(const struct model *model,
					      const struct version *version);
const struct image_list *model_product_images(const struct model *model,
					      const struct product *product);

/* Of the project, or of the organization: a name is one or the other's (check_model sees to it). */
const struct bundle *model_bundle(const struct model *model, const char *project, const char *name);

#define SET_FIELD(object, type, member) ((object)->head.set |= UINT64_C(1) << type##_##member##_F)
#define IS_SET(object, type, member) (((object)->head.set >> type##_##member##_F) & 1)
/* Also when its value was wrong: "absent" would be the wrong thing to say. Null is absent. */
#define IS_GIVEN(object, type, member)                                                             \
	((((object)->head.set | (object)->head.bad) >> type##_##member##_F) & 1)
/* Location of a field, AT(deployment, deployment, version), and its file. */
#define AT(object, type, member) head_at(&(object)->head, type##_##member##_F)

#define PATH_OF(object, type, member) head_path(&(object)->head, type##_##member##_F)

#endif

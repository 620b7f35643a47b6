/*
 * doc.h - YAML as a tree that knows where each value stands; the only includer of <yaml.h>.
 *
 * Text comes from anybody who can push, so the tree is built from events and every way to make it
 * explode has a cap. Plain scalars follow the core rules of YAML 1.2: only null and true/false and
 * numbers mean something else than their text, and only where something else is wanted, so `no`,
 * `012` and `1e3` stay as written wherever a text is wanted. Tags other than the core ones, and
 * keys that stand twice, are problems. An alias is the node of its anchor.
 *
 *	doc_parse(arena, bytes, len, &source, use, arg)    calls use() for each document
 *
 * Nodes live in the arena until the caller clears it, which use() may do after it is done.
 */
#ifndef TRUEUP_SCHEMA_DOC_H
#define TRUEUP_SCHEMA_DOC_H

#include "base/arena.h"
#include "schema/diag.h"

#define DOC_BYTES_MAX ((size_t)1 << 20) /* of one file */
#define DOC_DEPTH_MAX 64
#define DOC_NODES_MAX 100000 /* of one document, an alias counting as all it stands for */
#define DOC_ALIASES_MAX 1000 /* of one document, counted as if each were written out */
#define DOC_STRING_MAX 65536 /* bytes; in our own form DOC_BYTES_MAX, as of a mounted file */

#define DOC_ANCHORS_MAX 10000	/* of one document */
#define DOC_DOCUMENTS_MAX 50000 /* of one file, the empty ones, too */
#define DOC_DIRECTIVES_MAX 100	/* of one file */
#define DOC_PROBLEMS_MAX 1000	/* in the list, after which the rest of the file is not read */

enum doc_type { DOC_SCALAR, DOC_SEQUENCE, DOC_MAPPING };
/* What a value says of the one that it is laid over; only Compose files can say so. */
enum doc_over { DOC_MERGES, DOC_RESETS, DOC_OVERRIDES };

struct doc_node {
	enum doc_type type;
	bool plain; /* a scalar without quotes: may be a null, a number, true or false */
	bool block; /* a sequence or mapping without brackets */
	bool wrong; /* a problem with it was reported: what it would be is not worth a second one */
	unsigned char over; /* enum doc_over */
	struct loc at;
	uint32_t file; /* the source's number */
	size_t n;      /* bytes, items or pairs */
	union {
		const char *text; /* NUL-terminated, without a NUL inside */
		struct doc_node **items;
		struct doc_pair *pairs; /* in order of the text */
	};
};
struct doc_pair {
	const struct doc_node *key; /* a scalar */
	const struct doc_node *value;
};

/* Who is told about problems, and whose they are. */
struct doc_source {
	const char *path;
	const struct unit *unit;
	struct diags *diags;
	bool own; /* our own canonical form: three layers in one, so DOC_BYTES_MAX is not for it */
	bool compose;  /* a Compose file: !reset and !override are known */
	uint32_t file; /* a number for those who read several files: it goes to each node */
};

/* Has so much been found that the rest of the file is not read? */
static inline bool source_is_full(const struct doc_source *source)
{
	return source->diags->errors > DOC_PROBLEMS_MAX;
}

/* Adds an error at a place of the source. */
struct diag *source_error(const struct doc_source *source, enum diag_code code, struct loc at,
			  const char *fmt, ...) PRINTF_LIKE(4, 5);
/* root is never NULL; documents without content are passed over. */
typedef void doc_use(void *arg, const struct doc_node *root);

/*
 * Parses a whole file. Problems go to source->diags; after a syntax error or a cap the rest of the
 * file is not read, and the document in which it happened is not used.
 */
void doc_parse(struct arena *arena, const char *bytes, size_t len, const struct doc_source *source,
	       doc_use *use, void *arg);

/* Where a field's value is best shown: at the value, or at its key where that says more. */
struct loc doc_pair_at(const struct doc_pair *pair);
/* NULL when there is none. */
const struct doc_pair *doc_get(const struct doc_node *mapping, const char *key);

/* What a scalar is by the core rules. */
bool doc_is_null(const struct doc_node *node);
/* 0, or -1 when it is something else. */
int doc_bool(const struct doc_node *node, bool *out);
int doc_int(const struct doc_node *node, int64_t *out);
/* "a list", "a mapping", "a text", "a number", "true or false", "nothing": for messages. */
const char *doc_describe(const struct doc_node *node);

/* A tree made by hand, for values that do not come from a file. */
struct doc_node *doc_scalar(struct arena *arena, const char *text, size_t len, bool plain);

#endif

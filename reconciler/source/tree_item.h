/*
 * tree_item.h - private to this folder: the entries of one Git tree object, from its bytes.
 *
 * The form is "<octal mode> <name>\0<20 bytes of id>", again and again, sorted as if the name of a
 * tree ended in "/" (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects). Trees are hostile
 * input: git itself refuses most malformed ones when it writes them, other programs do not.
 */
#ifndef TRUEUP_SOURCE_TREE_ITEM_H
#define TRUEUP_SOURCE_TREE_ITEM_H

#include "base/oid.h"

enum tree_kind { TREE_FILE, TREE_FOLDER, TREE_LINK, TREE_SUBMODULE, TREE_UNKNOWN };

struct tree_item {
	enum tree_kind kind;
	const char *name; /* in the bytes, NUL-terminated, never empty */
	size_t name_len;
	bool executable; /* of a file: the mode says so */
	struct oid id;
};

struct tree_cursor {
	const char *at, *end;
};

static inline struct tree_cursor tree_cursor(const void *bytes, size_t len)
{
	return (struct tree_cursor){.at = bytes, .end = (const char *)bytes + len};
}

/* 1: *out is the next entry; 0: there are no more; -1: the bytes do not have the form. */
int tree_item_next(struct tree_cursor *cursor, struct tree_item *out);
/* As memcmp, in the order that git gives the entries of a tree. */
int tree_item_cmp(const struct tree_item *a, const struct tree_item *b);
/* All entries have the form and are strictly in order, so that no name comes twice. */
bool tree_is_well_formed(const void *bytes, size_t len);
/* Is it the name of a manifest: *.yaml or *.yml, and no dot file? */
bool tree_is_manifest(const struct tree_item *item);

#endif

/*
 * canon_value.h - inside of canon.c, canon_diff.c and bundles.c: canonical form of any object and
 * any field, and how a field inside of others is called.
 */
#ifndef TRUEUP_SCHEMA_CANON_VALUE_H
#define TRUEUP_SCHEMA_CANON_VALUE_H

#include "schema/canon.h"
#include "schema/kinds.h"

/* A JSON string, escaped so that a YAML reader gives the same text. */
void canon_text(const char *text, struct buf *out);
void canon_value(const struct field_type_row *row, const void *slot, enum canon_part part,
		 struct buf *out);
void canon_object(const struct object_type *type, const void *object, enum canon_part part,
		  struct buf *out);
/* Does a field belong to this part? */
bool canon_takes(const struct field_type_row *row, enum canon_part part);
/* The items of a list in canonical order; the array is the caller's to free. */
const void **canon_sorted_items(const struct field_type_row *row, const struct any_list *list);

/* The name of what stands below prefix: "env" and "LEVEL" give "env.LEVEL"; prefix may be "". */
const char *canon_below(struct arena *arena, const char *prefix, const char *name);
/* How an item of a list is called, by its KEY field: "8080". May borrow from the item. */
const char *canon_item_name(struct arena *arena, const struct object_type *type, const void *item,
			    bool twin);

#endif

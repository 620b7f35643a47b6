/*
 * field_hints.h - inside of the reading of fields: what a person probably meant.
 *
 * Each function gives a hint for a problem that was found, in the arena of the list or static; NULL
 * where nothing sensible can be said.
 */
#ifndef TRUEUP_SCHEMA_FIELD_HINTS_H
#define TRUEUP_SCHEMA_FIELD_HINTS_H

#include "schema/fields.h"

#define MERGE_KEY "<<"
#define MERGE_KEY_HINT "merge keys (<<) are not part of manifests; write the fields out"

#define FIELD_WORDS_MAX 16 /* of an ENUM */
#define FIELD_LIST_MAX 256

/* "a, b or c": the words of an ENUM that this build carries out. */
void field_words(const struct enum_type *type, char out[FIELD_LIST_MAX]);

/* For a text that does not have the form of its field. */
const char *hint_text(struct diags *diags, const struct field_type_row *row, const char *text);
/* For a key, and for a value, that cannot stand in a MAP. */
const char *hint_pair_key(struct diags *diags, const struct field_type_row *row, const char *key);
const char *hint_pair_value(struct diags *diags, const struct field_type_row *row,
			    const struct doc_node *value);
/* For a value that is not of the field's type. */
const char *hint_type(struct diags *diags, const struct field_type_row *row,
		      const struct doc_node *node);

/* The field that is called almost so, here or elsewhere; NULL: none, or the list is long. */
const struct field_type_row *hint_meant_field(const struct diags *diags,
					      const struct object_type *type, const char *key);
/* `meant` is what hint_meant_field said. */
const char *hint_unknown_field(struct diags *diags, const struct object_type *type, const char *key,
			       const struct field_type_row *meant);
const char *hint_missing_field(struct diags *diags, const struct field_type_row *row);

#endif

/*
 * fields.h - from a node of the YAML tree to a struct of kinds.def; used by decode.c, settings.c
 * and whoever reads canonical form back.
 */
#ifndef TRUEUP_SCHEMA_FIELDS_H
#define TRUEUP_SCHEMA_FIELDS_H

#include "base/err.h"
#include "schema/doc.h"
#include "schema/kinds.h"

struct fields_reader {
	struct arena *arena; /* gets the values */
	struct doc_source source;
	const char *const *paths; /* of the files that nodes name by number; NULL: all are in one */
	bool without_places;	  /* leave out the locations: nobody will ask for them */
	const char *const *foreign_keys; /* top-level keys that are somebody else's; NULL-ended */
};

/*
 * Fills a zeroed object of `type` from a mapping and reports what is wrong with it: unknown, unfit,
 * missing and excluding fields. What is wrong stays unset, with its bit in head.bad; so does the
 * field that was meant by one that there is not: a slip is one problem, and nothing is missing.
 */
void fields_read(struct fields_reader *reader, const struct object_type *type,
		 const struct doc_node *mapping, void *object);

/* The rules that need no YAML: what is read from another form of the same values keeps them too. */

/* Are the required fields set, and at most one of those that exclude each other? Null is not set.
 */
bool fields_presence_fits(const struct object_type *type, const struct head *head);
/* Do no two of the n items of a LIST have the same value in their KEY field? */
bool fields_keys_differ(const struct field_type_row *row, const void *items, size_t n);
/*
 * Length and form of what a slot holds as text, if it does; templates are looked at once they are
 * filled in. Reports, and false when something does not fit.
 */
bool fields_texts_fit(const struct doc_source *source, const struct object_type *type,
		      const struct field_type_row *row, const void *slot, struct loc at);
#define FIELD_KEY_MAX 255 /* bytes of a key of a MAP */

/* "did you mean X?" in the arena of the list; NULL when nothing is near, or the list is long. */
const char *hint_nearest(struct diags *diags, const char *word, const char *const *candidates,
			 size_t n);

/* May texts of this field hold {{ templates }}, so that their form shows only once filled in? */
bool field_takes_templates(const struct object_type *type, const struct field_type_row *row);
/* Reports an image reference that image.h refused. */
void report_image(const struct doc_source *source, struct loc at, const char *key,
		  const struct err *err);
/*
 * Reports a text of a STRING, NAME or STRINGS field that does not have its length or form; false
 * when it did. Templates are not looked at.
 */
bool field_text_fits(const struct field_type_row *row, const char *text, struct loc at,
		     const struct doc_source *source);

#endif

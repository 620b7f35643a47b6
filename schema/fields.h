/*
 * fields.h - from a node of the YAML tree to a struct of kinds.def; used by decode.c, settings.c
 * and whoever reads canonical form back.
 */
#ifndef TRUEUP_SCHEMA_FIELDS_H
#define TRUEUP_SCHEMA_FIELDS_H

#include "schema/doc.h"
#include "schema/kinds.h"

struct fields_reader {
	struct arena *arena; /* gets the values */
	struct doc_source source;
	bool without_places;		 /* leave out the locations: nobody will ask for them */
	const char *const *foreign_keys; /* top-level keys that are somebody else's; NULL-ended */
};

/*
 * Fills a zeroed object of `type` from a mapping and reports what is wrong with it: unknown, unfit,
 * missing and excluding fields. What is wrong stays unset, with its bit in head.bad.
 */
void fields_read(struct fields_reader *reader, const struct object_type *type,
		 const struct doc_node *mapping, void *object);

/* "did you mean X?" in the arena of the list; NULL when nothing is near, or the list is long. */
const char *hint_nearest(struct diags *diags, const char *word, const char *const *candidates,
			 size_t n);

/* May texts of this field hold {{ templates }}, so that their form shows only once filled in? */
bool field_takes_templates(const struct object_type *type, const struct field_type_row *row);
/*
 * Reports a text of a STRING, NAME or STRINGS field that does not have its length or form; false
 * when it did. Templates are not looked at.
 */
bool field_text_fits(const struct field_type_row *row, const char *text, struct loc at,
		     const struct doc_source *source);

#endif

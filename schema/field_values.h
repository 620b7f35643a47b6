/*
 * field_values.h - inside of fields.c and field_values.c: one reading function for each type.
 */
#ifndef TRUEUP_SCHEMA_FIELD_VALUES_H
#define TRUEUP_SCHEMA_FIELD_VALUES_H

#include "schema/fields.h"

/*
 * Gets the node and the field's slot in the struct; false when it reported a problem (the slot is
 * then cleared by the caller). `at` is where problems with the field as a whole are shown.
 */
typedef bool read_value(struct fields_reader *reader, const struct field_type_row *row,
			const struct doc_node *node, struct loc at, void *slot);

/* By enum field_type; NULL for ANY, which is never read. */
extern read_value *const value_readers[];
/* Those of OBJECT, LIST and OBJMAP, which call fields_read again (fields.c). */
read_value fields_object, fields_list, fields_objmap;

/*
 * field_short.c: fills a zeroed object of a type that may be written as one text (SHORT) from that
 * text; places are the caller's to set. false when it reported a problem.
 */
bool field_read_short(struct fields_reader *reader, const struct object_type *type,
		      const struct doc_node *node, void *object);
/* Reports "KEY must be X, not Y"; always false. */
bool field_wrong_type(struct fields_reader *reader, const struct field_type_row *row,
		      const struct doc_node *node, struct loc at);
/* Number of entries against the row's bounds. */
bool field_count_fits(struct fields_reader *reader, const struct field_type_row *row, size_t n,
		      struct loc at);
/* The pairs of a mapping, by key. */
const struct doc_pair *field_sorted_pairs(struct fields_reader *reader,
					  const struct doc_node *mapping);

#endif

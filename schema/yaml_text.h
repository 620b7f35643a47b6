/*
 * yaml_text.h - manifests as people would write them: from canonical JSON to YAML in blocks.
 *
 * Fields stand in the order of their table. What comes back when it is read is the same: a text
 * that another reader could take for a number or a flag is quoted, several lines are a block.
 */
#ifndef TRUEUP_SCHEMA_YAML_TEXT_H
#define TRUEUP_SCHEMA_YAML_TEXT_H

#include <jansson.h>

#include "base/buf.h"
#include "schema/kinds.h"

/* One line "key: value" or more for each field, after `indent` blanks. */
void yaml_put_object(const struct object_type *type, const json_t *object, int indent,
		     struct buf *out);
/* A text, quoted where it has to be, on one line. */
void yaml_put_text(const char *text, struct buf *out);

#endif

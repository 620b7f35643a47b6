/*
 * gen_words.h - inside of gen_*.c: fields in words.
 */
#ifndef TRUEUP_SCHEMA_GEN_WORDS_H
#define TRUEUP_SCHEMA_GEN_WORDS_H

#include "base/buf.h"
#include "schema/kinds.h"

/* "whole number", "list of port", "one of tcp, udp", "duration". */
void gen_type_words(const struct field_type_row *row, struct buf *out);
/* "1 to 65535", "at most 63 characters"; nothing where there are none. */
void gen_bounds_words(const struct field_type_row *row, struct buf *out);
/* "required", "not supported by this build", "frozen with a version", "never frozen" or "". */
const char *gen_part_word(const struct field_type_row *row);
/* How an object is called where it has no kind: the key people write, "healthCheck". */
const char *gen_object_name(const struct object_type *type);
/* Is it the Settings, or a part of them? */
bool gen_is_settings(const struct object_type *type);
/* "projects/<project>/stages/<stage>/" and so on. */
const char *gen_scope_words(enum kind_scope scope);

/* Text in Markdown, and as one cell of a table with the bar behind it. */
void gen_markdown(const char *text, struct buf *out);
void gen_cell(const char *text, struct buf *out);
/* gen_services.c: the part of the reference page that the catalogue makes. */
void gen_services(struct buf *out);

#endif

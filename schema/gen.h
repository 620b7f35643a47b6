/*
 * gen.h - what people and editors read, made from kinds.def, codes.def, compose.def and
 * catalogue.def: nothing is written twice.
 */
#ifndef TRUEUP_SCHEMA_GEN_H
#define TRUEUP_SCHEMA_GEN_H

#include "base/buf.h"
#include "base/err.h"

/*
 * One JSON Schema (draft 2020-12) for every document of the repository, told apart by kind. What
 * this build does not support is not in it, so that an editor marks it.
 */
void gen_schema(struct buf *out);

/* The reference pages of kinds and fields, of the diagnostics, and of Compose files, as Markdown.
 */
void gen_reference(struct buf *out);
void gen_codes(struct buf *out);
void gen_compose(struct buf *out);

/*
 * Plain text on "KIND[.field...]" ("Deployment.config.healthCheck"), on an object by its own name
 * ("healthCheck"), on the code of a diagnostic, or, for NULL or "", the list of kinds. Large and
 * small letters are the same. E_NOT_FOUND with the nearest name.
 */
int gen_explain(const char *topic, struct buf *out, struct err *err);

#endif

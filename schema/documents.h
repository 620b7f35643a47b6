/*
 * documents.h - what must hold within one document, beyond its fields one by one.
 */
#ifndef TRUEUP_SCHEMA_DOCUMENTS_H
#define TRUEUP_SCHEMA_DOCUMENTS_H

#include "schema/doc.h"
#include "schema/model.h"

/* Reports what is wrong; `value` is the struct of `kind`, just read from source. */
void document_check(enum kind kind, const void *value, const struct doc_source *source);

#endif

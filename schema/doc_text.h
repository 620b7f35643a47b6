/*
 * doc_text.h - inside of doc.c: what can be wrong with the bytes before they are parsed.
 */
#ifndef TRUEUP_SCHEMA_DOC_TEXT_H
#define TRUEUP_SCHEMA_DOC_TEXT_H

#include "schema/doc.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Too long, not UTF-8, too many directives: reports and gives false. */
bool doc_text_check(const char *bytes, size_t len, const struct doc_source *source);
/* Line and column of the byte at an offset. */
struct loc doc_text_place(const char *bytes, size_t offset);

#endif

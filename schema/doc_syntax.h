/*
 * doc_syntax.h - inside of doc.c: what is said about text that is not YAML.
 */
#ifndef TRUEUP_SCHEMA_DOC_SYNTAX_H
#define TRUEUP_SCHEMA_DOC_SYNTAX_H

#include "schema/doc.h"

/* A place as libyaml counts: from 0, in characters. */
struct doc_mark {
	size_t line, column;
};

/* What the parser found, and within what. */
struct doc_fault {
	const char *problem, *context; /* in its words; NULL: none */
	struct doc_mark at, context_at;
	const char *bytes; /* the text that was parsed */
	size_t len;
};

void doc_report_syntax(const struct doc_source *source, const struct doc_fault *fault);

#endif

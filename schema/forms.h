/*
 * forms.h - does a text have the form that its field asks for?
 */
#ifndef TRUEUP_SCHEMA_FORMS_H
#define TRUEUP_SCHEMA_FORMS_H

#include "schema/kinds.h"

struct form_row {
	const char *name;
	const char *pattern;	   /* of the text, or of a pair's key */
	const char *value_pattern; /* of a pair's value; NULL for forms of texts */
	const char *text;	   /* completes "must be ...", for pairs that of a key */
	const char *value_text;	   /* and of a value; NULL for forms of texts */
};
const struct form_row *form_row(enum form form);

/* For forms of texts; FORM_NONE fits everything. */
bool form_text_fits(enum form form, const char *text);
/* For forms of pairs. */
bool form_key_fits(enum form form, const char *key);
bool form_value_fits(enum form form, const char *value);

/* The number of a signal ("SIGTERM" is 15), or -1. */
int form_signal(const char *name);
/* Low and high end of "8080" or "1024-65535"; 0, or -1. */
int form_ports(const char *text, int64_t *low, int64_t *high);
/* The permission bits of "0644"; the text must fit FORM_MODE. */
unsigned form_mode(const char *text);
/* Is `status` among the codes of "200-399,404"? The text must fit FORM_STATUS. */
bool form_status_accepts(const char *text, int64_t status);

#endif

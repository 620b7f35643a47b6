/*
 * catalogue.h - how services are run, by type: catalogue.def as data.
 */
#ifndef TRUEUP_SCHEMA_CATALOGUE_H
#define TRUEUP_SCHEMA_CATALOGUE_H

#include "schema/model.h"

#define CATALOGUE_WORDS 8

struct catalogue_row {
	enum service_type_value type;
	const char *image; /* without tag; NULL: what options.image says, or no container at all */
	const char *version; /* its tag where the service names none */
	int64_t port;	     /* 0: none */
	const char *volume;  /* where its data is; NULL: it has none, or options say so */
	const char *env[CATALOGUE_WORDS][2]; /* NULL-ended, by name, as all of these */
	const char *args[CATALOGUE_WORDS];
	const char *check[CATALOGUE_WORDS]; /* a command that ends with 0 when it serves */
	const char *url;		    /* what links get; NULL: what options.url says */
	const char *database, *user;	    /* defaults of these options */
	uint64_t options;		    /* that it has, by field number of service_options */
};

/* NULL for a type that there is not. */
const struct catalogue_row *catalogue_find(int type);
/* A text of the catalogue, or options.url, with everything in braces filled in. */
const char *catalogue_text(struct arena *arena, const char *text, const struct service *service);
/* What a link to the service gets as URL; NULL: the service has none. */
const char *catalogue_url(struct arena *arena, const struct service *service);
/*
 * The first word in braces of a text that stands for nothing a service has, in arena; NULL: none.
 */
const char *catalogue_unknown(struct arena *arena, const char *text);

#endif

/*
 * import.h - manifests in place of a Compose file, as somebody would have written them: a simple
 * product with the services as its containers, and its deployment.
 *
 * The deployment has the prefix that a stack of the same name would have, so that volumes keep
 * their names. Comments that stand right before a service stand before its container. What is not
 * the same any more is a note, compose-import: names that a manifest does not know, and places
 * where one service names another, which is reached by its full name now.
 */
#ifndef TRUEUP_SCHEMA_IMPORT_H
#define TRUEUP_SCHEMA_IMPORT_H

#include "schema/compose.h"

struct import {
	const char *project, *stage, *node;
	const struct compose_folder *folder; /* for the comments; its path is that of messages */
	const struct compose *compose;
};
/* The name of product and deployment, from that of the Compose file; in arena. */
const char *import_name(const struct import *import, struct arena *arena);
/*
 * Appends the documents. *n: how many containers the product has; one without an image is left out,
 * which was told when the Compose file was read. Notes go to diags.
 */
void import_product(const struct import *import, struct buf *out, size_t *n, struct diags *diags);
void import_deployment(const struct import *import, struct buf *out);

#endif

/*
 * content.h - a record's content: the containers exactly as they are deployed, and the three ids.
 *
 * Canonical JSON,
 * {"containers":[{"config":{...},"digest":"sha256:...","image":"...","name":"web"}],
 *  "requires":{"ledger":">= 2.0.0"}}: release fields only, templates expanded, names and order as
 * in the version, and what the version requires, where it does. What is operations is not in it:
 * that comes from the accepted commit (merge_operations).
 */
#ifndef TRUEUP_PLAN_CONTENT_H
#define TRUEUP_PLAN_CONTENT_H

#include "base/buf.h"
#include "plan/record.h"

struct content_container {
	const char *name;		/* in the product */
	const char *image;		/* as written */
	const char *digest;		/* NULL: not resolved yet */
	const struct container *config; /* never NULL */
};
struct content {
	struct content_container *containers; /* in order of start */
	size_t containers_n;
	struct pairs requires; /* of the version: product to range */
};
void content_write(const struct content *content, struct buf *out);
/* The reverse; everything in arena. E_BAD_INPUT when the text is not of that form. */
int content_read(const char *json, struct arena *arena, struct content *out, struct err *err);
/* By name in the product; NULL when there is none. */
const struct content_container *content_find(const struct content *content, const char *name);
/*
 * What is kept of a frozen version (struct frozen): its images as its document has them, before
 * any deployment's layers and templates, with the digests that `resolved` has for them, and what it
 * requires.
 */
void content_write_version(const struct image_list *images, const struct pairs *requires,
			   const struct content *resolved, struct buf *out);

/*
 * An id is "<format>:<SHA-256>" over one canonical JSON object, so that any of them can be checked
 * with sha256sum. Only release fields that are set are in it: comments, the order of fields and
 * files, operations, and new fields or defaults of a later trueup change no id.
 */
#define RECORD_ID_FORMAT "1"

/* What the ids are made of besides the content. */
struct id_input {
	const char *node, *prefix;
	const char *product, *version; /* version NULL: simple product */
};
/*
 * Hash of a version's own release content (images, env, ... as written in its document, or in its
 * product's). requires without pairs is as good as none.
 */
void ids_version(const struct image_list *images, const struct pairs *requires,
		 char out[RECORD_ID_SIZE]);
/*
 * The source id says whether the manifests still say what was deployed: version content, the
 * deployment's and instances' own configuration, and the names of its bundles, in any order; what
 * stands in the bundles is not in it.
 */
void ids_source(const char *version_id, const struct deployment *deployment,
		const struct id_input *input, char out[RECORD_ID_SIZE]);
/* The input id says whether the same would be deployed again: merged configuration, no digests. */
void ids_input(const char *version_id, const struct content *merged, const struct id_input *input,
	       char out[RECORD_ID_SIZE]);
/* The release id says what really runs: the input id and the digests. */
void ids_release(const char *input_id, const struct content *resolved, char out[RECORD_ID_SIZE]);

#endif

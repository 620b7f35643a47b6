/*
 * content.h - a record's content: the containers exactly as they are deployed, and the three ids.
 *
 * Canonical JSON,
 * {"containers":[{"config":{...},"digest":"sha256:...","image":"...","initDigests":[...],
 *  "name":"web"}],"requires":{"ledger":">= 2.0.0"}}: release fields only, templates expanded, names
 * and order as in the version, and what the version requires, where it does. What is operations is
 * not in it: that comes from the accepted commit (merge_operations).
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
	const char **init_digests;	/* one for each of config->init; NULL: none is resolved */
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
 * Walks all images of a content: those of a container's init, then its own.
 *	for (struct content_image at = {0}; content_next_image(content, &at);)
 */
struct content_image {
	const struct content_container *container;
	const struct init *init;    /* NULL: the container's own */
	const char *image, *digest; /* digest NULL: not resolved yet */
	size_t number, next_init;   /* of the container and of the next image in it */
	bool over;		    /* the next one is of the next container */
};
bool content_next_image(const struct content *content, struct content_image *at);
/* "web", "web.init-migrate" */
const char *content_image_name(struct arena *arena, const struct content_image *at);
/* The digest that a content has for the same image in the same place; NULL: none. */
const char *content_digest_of(const struct content *content, const struct content_image *wanted);
/*
 * Sets one of a content of the caller's own; a list of digests that it needs is made in arena. `at`
 * may come from the content that this one is a copy of.
 */
void content_set_digest(struct arena *arena, struct content *content,
			const struct content_image *at, const char *digest);
/* Has every image its digest? */
bool content_is_resolved(const struct content *content);
/*
 * A configuration whose init images are written with their digests, as the node gets it: another
 * digest is another configuration. content_unpin takes one that was seen there apart again; a
 * digest that stands in the image of `wanted` (NULL: none is known) is part of it.
 */
const struct container *content_pin(struct arena *arena, const struct container *config,
				    const char *const *init_digests);
void content_unpin(struct arena *arena, const struct content_container *wanted,
		   struct content_container *container);
/* Both parts of an image that is written with its digest: that without it, and the digest or NULL.
 */
const char *content_image_plain(struct arena *arena, const char *image);
const char *content_image_digest(const char *image);
/* By name; NULL when there is none of it. config NULL is empty. */
const struct init *content_find_init(const struct container *config, const char *name);
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

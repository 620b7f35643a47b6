/*
 * content.h - a record's content: the containers exactly as they are deployed, and the three ids.
 *
 * Canonical JSON,
 * {"containers":[{"config":{...},"digest":"sha256:...","image":"...","name":"web"}]}: release
 * fields only, templates expanded, names and order as in the version. What is operations is not in
 * it: that comes from the accepted commit (merge_operations).
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
};
void content_write(const struct content *content, struct buf *out);
int content_read(const char *json, struct arena *arena, struct content *out, struct err *err);

/* What the ids are made of besides the content. */
struct id_input {
	const char *node, *prefix;
	const char *product, *version;
};
/* Hash of a version's own release content (images, env, ... as written in its document). */
void ids_version(const struct image *images, size_t n, char out[RECORD_ID_SIZE]);
/*
 * Source id = hash(version content, deployment and instance configuration, node, prefix).
 * Input id = hash(version content, merged configuration before digests, node, prefix).
 * Release id = hash(input id, resolved digests). Only set release fields count.
 */
void ids_source(const char *version_id, const struct container *deployment,
		const struct instance_map *instances, const struct id_input *input,
		char out[RECORD_ID_SIZE]);
void ids_input(const char *version_id, const struct content *merged, const struct id_input *input,
	       char out[RECORD_ID_SIZE]);
void ids_release(const char *input_id, const struct content *resolved, char out[RECORD_ID_SIZE]);

#endif

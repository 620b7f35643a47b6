/*
 * bundles.h - configuration that several deployments share.
 *
 * A deployment names ConfigBundles of its project or of the organization; they come over the
 * image's configuration and under the deployment's own. Which of two bundles is the stronger one is
 * not said anywhere, and need not be: where it would make a difference they conflict, unless a
 * stronger layer decides.
 */
#ifndef TRUEUP_SCHEMA_BUNDLES_H
#define TRUEUP_SCHEMA_BUNDLES_H

#include "schema/model.h"

struct bundle_list {
	const struct bundle **v;
	size_t n;
};
/* The bundles that a deployment names and that are there, in its order; in arena. */
struct bundle_list bundles_of(const struct model *model, const struct deployment *deployment,
			      struct arena *arena);
/* What a deployment says of one container of its own; NULL: nothing, or container is NULL. */
const struct container *bundles_instance(const struct deployment *deployment,
					 const char *container);
/*
 * What a container of the deployment gets, image < bundles < deployment < instance. image, its own
 * configuration, and its name may be NULL. Never NULL.
 */
const struct container *bundles_merge(struct arena *arena, const struct deployment *deployment,
				      const struct bundle_list *bundles, const char *container,
				      const struct container *image);

/* A field that two configurations set differently. */
struct bundle_clash {
	const char *field; /* "env.LEVEL" */
	const char *path[2];
	struct loc at[2];
};
struct bundle_clashes {
	struct bundle_clash *v;
	size_t n;
};
/*
 * Where it would make a difference which of a and b is merged over the other, although each of the
 * n layers in `over` (NULL ones are skipped) comes over both. In order of field; in arena.
 */
struct bundle_clashes bundles_compare(struct arena *arena, const struct container *a,
				      const struct container *b,
				      const struct container *const *over, size_t n);

#endif

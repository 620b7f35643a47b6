/*
 * host_image.h - images of the host driver: folders below imageRoot, and the copies that run.
 *
 * "local/<path>:<tag>" is <imageRoot>/<path>/<tag>/ ("latest" without a tag); a part of it may be a
 * link that stays below imageRoot. Its digest is "sha256:" and host_tree.h's. What runs is always a
 * copy, <data root>/images/<hex>/, whose every byte went through the digest it is called by; so a
 * later change of the source touches nothing. A copy is proven again once in each boot, before it
 * is first used: that replaces flushing it to disk, and finds rot.
 */
#ifndef TRUEUP_DRIVERS_HOST_IMAGE_H
#define TRUEUP_DRIVERS_HOST_IMAGE_H

#include "drivers/host.h"

#define HOST_IMAGE_PREFIX "local/"

/* An image reference in its parts; the caller releases. */
struct host_image {
	char *path, *tag;
	char *digest; /* after "@", with "sha256:"; NULL: none */
};
#define AUTO_IMAGE CLEANUP(host_image_release)
void host_image_release(struct host_image *image);
/* E_BAD_INPUT; not "local/" is E_NOT_SUPPORTED. */
int host_image_parse(const char *reference, struct host_image *out, struct err *err);

/*
 * E_POLICY unless the node's imageRoot, by its real path, is inside one of
 * policy.hostDriver.imageRoots, by theirs.
 */
int host_image_root_check(const struct node *node, const struct settings *settings,
			  struct err *err);

/* What the reference means now. E_IMAGE_UNKNOWN, E_IMAGE_INVALID, E_POLICY. */
int host_image_resolve(const struct host *host, const char *reference, struct buf *digest,
		       struct err *err);
/*
 * Makes the copy. E_IMAGE_CHANGED when there is none and the source has another digest;
 * E_IMAGE_UNKNOWN when there is no source either.
 */
int host_image_pull(const struct host *host, const struct spec *spec, bool *changed,
		    struct err *err);
/* Is there a copy that is what its name says? E_IMAGE_UNKNOWN; a rotten one is removed. */
int host_image_prove(const struct host *host, const char *digest, struct err *err);
/* Also what an interrupted pull or removal left of any image. */
int host_image_remove(const struct host *host, const char *digest, bool *changed, struct err *err);

#endif

/*
 * image.h - image references: <first>/<path>[:tag][@digest].
 *
 * The first part is `local` (a folder of the node's imageRoot), the name of a Registry, or a host
 * (it has a dot, a colon, or is localhost); without such a part the image is Docker Hub's. Grammar
 * of path, tag and digest: the distribution project's reference format, with sha256 digests only.
 */
#ifndef TRUEUP_SCHEMA_IMAGE_H
#define TRUEUP_SCHEMA_IMAGE_H

#include "base/arena.h"
#include "base/err.h"

#define IMAGE_TEXT_MAX 512
#define IMAGE_RULE "; " /* in the text of an error: what stands behind it is the rule */

enum image_source {
	IMAGE_LOCAL = 1, /* local/<path>:<tag> */
	IMAGE_HOST,	 /* registry.example.org/<path> */
	IMAGE_NAMED,	 /* <first>/<path>: a Registry of that name, or else Docker Hub */
	IMAGE_HUB,	 /* <path> of one part: Docker Hub's library */
};

struct image_ref {
	enum image_source source;
	const char *registry; /* the first part; NULL for IMAGE_HUB */
	const char *path;     /* behind the first part */
	const char *tag;      /* NULL: none given */
	const char *digest;   /* "sha256:<64 hex>"; NULL: none given */
};

/*
 * Takes the reference apart; texts go to the arena. E_BAD_INPUT whose text says what is wrong. A
 * local image needs its tag, since the tag is the folder.
 */
int image_ref_parse(struct arena *arena, const char *text, struct image_ref *out, struct err *err);
/* The same without keeping anything. */
int image_ref_check(const char *text, struct err *err);

#endif

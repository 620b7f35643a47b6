/*
 * moved_tag.h - tags that mean another digest now than the records that were made from them.
 *
 * What runs is a digest; its tag is asked for again now and then (engine/tags.h), and what differs
 * is kept in the ledger, so that status and the next plan can say so. A version that has not said
 * `track: tag` is left as it is; one that has gets a new record with the digest that is followed,
 * which is behind what the tag means where the tag moves too often.
 *
 * All of them are one JSON object, the small value "tags" of the ledger: {"<node>": {"<image>":
 * {"digest": "sha256:...", "since": ms, "follow": "sha256:..."}}}. Functions that only read take
 * NULL for none.
 */
#ifndef TRUEUP_PLAN_MOVED_TAG_H
#define TRUEUP_PLAN_MOVED_TAG_H

#include <jansson.h>

#include "plan/content.h"
#include "schema/model.h"

/* The image means this digest, which is another one than that of a record. True: that is news. */
bool moved_tag_note(json_t *all, const char *node, const char *image, const char *digest,
		    int64_t now_ms);
/* Versions that follow the tag get what it means now. True: that is news. */
bool moved_tag_follow(json_t *all, const char *node, const char *image);
/* Does it wait to be followed? */
bool moved_tag_is_ahead(const json_t *all, const char *node, const char *image);
/* It means what was recorded, or nobody runs it. True when there was something to forget. */
bool moved_tag_forget(json_t *all, const char *node, const char *image);
/* The digest that versions follow, NULL: none but the recorded one. */
const char *moved_tag_followed(const json_t *all, const char *node, const char *image);

struct moved_tag {
	const char *container, *image; /* as in the content */
	const struct init *init;       /* it is this one's image; NULL: the container's own */
	const char *name;	       /* content_image_name */
	const char *from, *to;	       /* digests: recorded, meant now */
	int64_t since_ms;	       /* wall time of the look that found it */
	const char *hint;	       /* the way out; NULL: none is needed */
};
/* Those of a content, in arena; *n of them. */
struct moved_tag *moved_tags(const json_t *all, const char *node, const struct content *content,
			     struct arena *arena, size_t *n);

/* Is it an image whose tag can move? One that is written with its digest cannot. */
bool moved_tag_can(const char *image);
/* Does the container of that name follow its tag? images NULL: no. */
bool moved_tag_tracks(const struct image_list *images, const char *container);

#endif

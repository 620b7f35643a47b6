#include "base/sys.h"
#include "plan/plan_work.h"

/*
 * `track: tag`: the digest that is followed is an input, as if the manifest named it. What fails is
 * therefore held until the tag moves on, and what is given back is what served before.
 */

/* The id of what the record would be with the digests that are followed; false: one is not known.
 */
static bool followed_release(const struct plan_input *input, const struct slot *slot,
			     const struct record *record, struct arena *arena,
			     char out[RECORD_ID_SIZE])
{
	struct content content;

	if (!record->content || content_read(record->content, arena, &content, NULL) != 0)
		return false;
	for (struct content_image at = {0}; content_next_image(&content, &at);) {
		const char *followed =
			moved_tag_followed(input->moved_tags, slot->key.node, at.image);

		if (followed && moved_tag_tracks(slot->images, at.container->name))
			content_set_digest(arena, &content, &at, followed);
	}
	if (!content_is_resolved(&content))
		return false;
	ids_release(record->input_id, &content, out);
	return true;
}

/* Does what serves have the digests that are followed? */
static bool serves_already(const struct plan_input *input, const struct slot *slot,
			   const struct record *active, struct arena *arena)
{
	char release[RECORD_ID_SIZE];

	return active && str_eq(active->input_id, slot->input_id) &&
	       followed_release(input, slot, active, arena, release) &&
	       str_eq(release, active->release_id);
}

void plan_track(const struct plan_input *input, const struct slot *slot, struct arena *arena,
		struct decision *decision)
{
	const struct record *last = decision->record;
	char release[RECORD_ID_SIZE];

	if ((decision->kind != DECIDE_KEEP && decision->kind != DECIDE_HELD) ||
	    !lifecycle_follows(slot))
		return;
	if (serves_already(input, slot, decision->active, arena)) {
		decision->kind = DECIDE_KEEP;
		decision->record = decision->active;
		return;
	}
	if (!followed_release(input, slot, last, arena, release) ||
	    str_eq(release, last->release_id))
		return;
	*decision = (struct decision){.kind = DECIDE_NEW,
				      .active = decision->active,
				      .digests_of = last,
				      .follows = true};
}

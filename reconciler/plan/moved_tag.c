#include "base/sys.h"
#include "plan/moved_tag.h"

#include "base/json.h"
#include "base/vec.h"

/* ---- what is kept ---- */

static json_t *entry_of(const json_t *all, const char *node, const char *image)
{
	return json_object_get(json_object_get(all, node), image);
}

static json_t *make_entry(json_t *all, const char *node, const char *image)
{
	json_t *of_node = json_object_get(all, node), *entry = json_object();

	if (!of_node) {
		of_node = json_object();
		json_object_set_new(all, node, of_node);
	}
	json_object_set_new(of_node, image, entry);
	return entry;
}

bool moved_tag_note(json_t *all, const char *node, const char *image, const char *digest,
		    int64_t now_ms)
{
	json_t *entry = entry_of(all, node, image);

	if (str_eq(json_str(entry, "digest", NULL), digest))
		return false;
	if (!entry)
		entry = make_entry(all, node, image);
	json_put_str(entry, "digest", digest);
	json_object_set_new(entry, "since", json_integer(now_ms));
	return true;
}

bool moved_tag_is_ahead(const json_t *all, const char *node, const char *image)
{
	const json_t *entry = entry_of(all, node, image);

	return entry && !str_eq(json_str(entry, "follow", NULL), json_str(entry, "digest", NULL));
}

bool moved_tag_follow(json_t *all, const char *node, const char *image)
{
	json_t *entry = entry_of(all, node, image);

	if (!moved_tag_is_ahead(all, node, image))
		return false;
	json_put_str(entry, "follow", json_str(entry, "digest", NULL));
	return true;
}

bool moved_tag_forget(json_t *all, const char *node, const char *image)
{
	json_t *of_node = json_object_get(all, node);

	if (json_object_del(of_node, image) != 0)
		return false;
	if (json_object_size(of_node) == 0)
		json_object_del(all, node);
	return true;
}

const char *moved_tag_followed(const json_t *all, const char *node, const char *image)
{
	return json_str(entry_of(all, node, image), "follow", NULL);
}

/* ---- what it means for a content ---- */

bool moved_tag_can(const char *image)
{
	return !content_image_digest(image);
}

bool moved_tag_tracks(const struct image_list *images, const char *container)
{
	for (size_t i = 0; images && i < images->n; i++)
		if (str_eq(images->v[i].name, container))
			return images->v[i].track == TRACK_TAG;
	return false;
}

struct moved_tag *moved_tags(const json_t *all, const char *node, const struct content *content,
			     struct arena *arena, size_t *n)
{
	VEC(struct moved_tag) list = {0};
	struct moved_tag *copy;

	for (struct content_image at = {0}; content_next_image(content, &at);) {
		const json_t *entry = entry_of(all, node, at.image);
		const char *digest = json_str(entry, "digest", NULL);

		if (digest && at.digest && !str_eq(digest, at.digest))
			VEC_PUSH(&list,
				 (struct moved_tag){.container = at.container->name,
						    .init = at.init,
						    .name = content_image_name(arena, &at),
						    .image = at.image,
						    .from = at.digest,
						    .to = digest,
						    .since_ms = json_int(entry, "since", 0)});
	}
	*n = list.n;
	copy = arena_memdup(arena, list.v, list.n * sizeof *list.v);
	VEC_FREE(&list);
	return copy;
}

/*
 * Images. What was brought here for us bears a tag of ours, "trueup.invalid/<instance>:<hex of the
 * digest>": an engine can tell what it holds, but not for whom. Removing an image is removing that
 * tag; the image goes with it where nobody else has given it a name.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include "schema/registry.h"

/* ---- names ---- */

const char *docker_image_mark(struct docker *docker, struct arena *arena)
{
	const char *slash = strrchr(docker->env->owner, '/');

	return arena_printf(arena, DOCKER_IMAGES "/%s", slash ? slash + 1 : docker->env->owner);
}

static const char *docker_image_mark_of(struct docker *docker, struct arena *arena,
					const char *digest)
{
	const char *hex = hash_digest_hex(digest);

	return arena_printf(arena, "%s:%s", docker_image_mark(docker, arena), hex ? hex : digest);
}

static const char *repository_of(struct arena *arena, const struct docker_place *place)
{
	const struct image_ref *ref = &place->ref;

	switch (ref->source) {
	case IMAGE_LOCAL:
		return arena_printf(arena, REGISTRY_LOCAL_NAME "/%s", ref->path);
	case IMAGE_HUB:
		return arena_printf(arena, REGISTRY_HUB_HOST "/library/%s", ref->path);
	case IMAGE_NAMED:
		/* its first part is a Registry's name, or a user of Docker Hub's */
		return str_eq(place->registry ? place->registry->name : NULL, ref->registry)
			       ? arena_printf(arena, "%s/%s", registry_host(place->registry),
					      ref->path)
			       : arena_printf(arena, REGISTRY_HUB_HOST "/%s/%s", ref->registry,
					      ref->path);
	case IMAGE_HOST:
		break;
	}
	return arena_printf(arena, "%s/%s", ref->registry, ref->path);
}

const char *docker_place_tag(const struct docker_place *place)
{
	return place->ref.tag ? place->ref.tag : "latest";
}

int docker_place_find(struct docker *docker, struct arena *arena, const char *image,
		      struct docker_place *out, struct err *err)
{
	const struct model *model = docker->env->model;

	*out = (struct docker_place){.image = image};
	if (image_ref_parse(arena, image, &out->ref, err) != 0)
		return -1;
	if (model)
		out->registry = registry_of_image(model, NULL, &out->ref).registry;
	out->repository = repository_of(arena, out);
	if (out->ref.digest)
		out->name = arena_printf(arena, "%s@%s", out->repository, out->ref.digest);
	else
		out->name = arena_printf(arena, "%s:%s", out->repository, docker_place_tag(out));
	return 0;
}

/* What the engine knows a spec's image by, and its place; NULL: it fails. */
static const char *find_pinned(struct docker *docker, struct arena *arena, const struct spec *spec,
			       struct docker_place *place, struct err *err)
{
	if (!spec->digest) {
		err_set(err, E_INTERNAL, "node %s: image %s was not resolved", docker->node->name,
			spec->image);
		return NULL;
	}
	if (docker_place_find(docker, arena, spec->image, place, err) != 0)
		return NULL;
	if (place->ref.source == IMAGE_LOCAL)
		return spec->digest;
	return arena_printf(arena, "%s@%s", place->repository, spec->digest);
}

int docker_image_name(struct docker *docker, struct arena *arena, const struct spec *spec,
		      const char **out, struct err *err)
{
	struct docker_place place;

	*out = find_pinned(docker, arena, spec, &place, err);
	return *out ? 0 : -1;
}

/* ---- what the engine has ---- */

/* 1 and *out, 0: it has no such image. */
int docker_image_find(struct docker *docker, struct arena *arena, const char *name, json_t **out,
		      struct err *err)
{
	return docker_look_up(docker, out, err, "/images/%s/json", docker_quote(arena, name));
}

int docker_image_unknown(const char *image, const char *words, struct err *err)
{
	return err_set(err, E_IMAGE_UNKNOWN, "image %s does not exist%s%s", image,
		       words ? ": " : "", words ? words : "");
}

/* ---- the change "pull" ---- */

static int tag(struct docker_call *call, const char *id, const char *digest, struct err *err)
{
	const char *mark = docker_image_mark(call->docker, call->arena);

	return docker_do(call->docker, "POST", NULL, err, "/images/%s/tag?repo=%s&tag=%s",
			 docker_quote(call->arena, id), docker_quote(call->arena, mark),
			 digest + strlen(HASH_PREFIX)) < 0
		       ? -1
		       : 0;
}

int docker_pull(struct docker_call *call, const struct spec *spec, struct err *err)
{
	AUTO_JSON json_t *marked = NULL, *image = NULL;
	struct docker_place place;
	const char *name = find_pinned(call->docker, call->arena, spec, &place, err);
	int there;

	if (!name)
		return -1;
	there = docker_image_find(call->docker, call->arena,
				  docker_image_mark_of(call->docker, call->arena, spec->digest),
				  &marked, err);
	if (there != 0)
		return there < 0 ? -1 : 0;
	there = docker_image_find(call->docker, call->arena, name, &image, err);
	if (there == 0) {
		if (docker_image_bring(call, &place, spec->digest, err) != 0)
			return -1;
		there = docker_image_find(call->docker, call->arena, name, &image, err);
	}
	if (there <= 0)
		return there < 0 ? -1
				 : err_set(err, E_ENGINE,
					   "node %s: image %s was pulled, and is not there",
					   call->docker->node->name, name);
	if (tag(call, json_str(image, "Id", ""), spec->digest, err) != 0)
		return -1;
	call->changed = true;
	return 0;
}

int docker_image_volumes(struct docker_call *call, const struct spec *spec, struct strings *out,
			 struct err *err)
{
	const char *mark, *path;
	AUTO_JSON json_t *image = NULL;
	json_t *paths, *value;
	int there;

	*out = (struct strings){0};
	if (!spec->digest)
		return docker_image_unknown(spec->image, "it was not resolved", err);
	mark = docker_image_mark_of(call->docker, call->arena, spec->digest);
	there = docker_image_find(call->docker, call->arena, mark, &image, err);
	if (there <= 0)
		return there < 0 ? -1 : docker_image_unknown(spec->image, "it was not pulled", err);
	paths = json_object_get(json_object_get(image, "Config"), "Volumes");
	out->v = ARENA_ARRAY(call->arena, json_object_size(paths), const char *);
	json_object_foreach(paths, path, value) out->v[out->n++] = arena_strdup(call->arena, path);
	return 0;
}

/* ---- the change "image-remove" ---- */

static int is_in_use(struct docker_call *call, const char *id, struct err *err)
{
	AUTO_JSON json_t *list = NULL;

	if (docker_get(call->docker, &list, err, "/containers/json?all=1") < 0)
		return -1;
	if (!json_is_array(list))
		return 1; /* rather one too many than one that somebody needs */
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (str_eq(json_str(json_array_get(list, i), "ImageID", ""), id))
			return 1;
	}
	return 0;
}

static bool has_other_names(const json_t *image, const char *mark)
{
	const json_t *tags = json_object_get(image, "RepoTags");

	for (size_t i = 0; i < json_array_size(tags); i++) {
		const char *one = json_string_value(json_array_get(tags, i));

		if (one && !str_eq(one, mark) && !str_starts(one, "<none>"))
			return true;
	}
	return false;
}

/* Podman tells of names by digest that it made up from others, and then does not know them. */
static bool is_no_name(struct docker_call *call, const struct err *why)
{
	return call->docker->is_podman && strstr(why->text, "tag not known");
}

static int drop_name(struct docker_call *call, const char *name, struct err *err)
{
	struct err why = ERR_INIT;

	if (docker_do(call->docker, "DELETE", NULL, &why, "/images/%s",
		      docker_quote(call->arena, name)) >= 0 ||
	    why.code == E_NOT_FOUND || why.code == E_CONFLICT || is_no_name(call, &why))
		return 0;
	return err_set(err, why.code, "%s", why.text);
}

/* The names by which it was pulled: with a tag of somebody else's they are that one's, too. */
static int drop_pulled_names(struct docker_call *call, const json_t *image, const char *digest,
			     struct err *err)
{
	const json_t *digests = json_object_get(image, "RepoDigests");

	for (size_t i = 0; i < json_array_size(digests); i++) {
		const char *one = json_string_value(json_array_get(digests, i));

		if (one && str_ends(one, digest) && !str_starts(one, DOCKER_IMAGES) &&
		    drop_name(call, one, err) != 0)
			return -1;
	}
	return 0;
}

int docker_image_remove(struct docker_call *call, const char *digest, struct err *err)
{
	const char *mark = docker_image_mark_of(call->docker, call->arena, digest);
	AUTO_JSON json_t *image = NULL;
	int there = docker_image_find(call->docker, call->arena, mark, &image, err), used;

	if (there <= 0)
		return there;
	used = is_in_use(call, json_str(image, "Id", ""), err);
	if (used != 0)
		return used < 0 ? -1 : 0;
	if (drop_name(call, mark, err) != 0 ||
	    (!has_other_names(image, mark) && drop_pulled_names(call, image, digest, err) != 0))
		return -1;
	call->changed = true;
	return 0;
}

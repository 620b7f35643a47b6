#include "base/sys.h"
#include "drivers/docker.h"

#include "base/clock.h"
#include "base/vec.h"

struct look {
	struct docker *docker;
	struct arena *arena;
	int64_t now_ms;
	VEC(struct workload) workloads;
	struct docker_probes probes;
	struct docker_memo memo;
	VEC(struct volume_seen) volumes;
	VEC(const char *) images;
	VEC(const char *) foreign;
};

/* A list of objects; anything else is no answer. */
static int get_list(struct look *look, const char *path, const char *member, json_t **out,
		    struct err *err)
{
	const json_t *list;

	if (docker_get(look->docker, out, err, "%s", path) < 0)
		return -1;
	list = member ? json_object_get(*out, member) : *out;
	if (!json_is_array(list) && !json_is_null(list))
		return err_set(err, E_BAD_INPUT, "node %s: the answer to %s is no list",
			       look->docker->node->name, path);
	return 0;
}

/* The same of volumes and images, which the look before may have asked for. */
static int get_things(struct look *look, const char *key, const char *path, const char *member,
		      json_t **out, struct err *err)
{
	const json_t *known = docker_memo_things(&look->memo, key);

	*out = NULL;
	if (known)
		*out = json_incref((json_t *)(uintptr_t)known);
	else if (get_list(look, path, member, out, err) != 0)
		return -1;
	docker_memo_note_things(&look->memo, key, *out);
	return 0;
}

/* ---- containers ---- */

static int look_closer(struct look *look, const json_t *row, struct err *err)
{
	AUTO_JSON json_t *inspect = NULL;
	struct workload seen;
	int there = docker_look_up(look->docker, &inspect, err, "/containers/%s/json",
				   docker_quote(look->arena, json_str(row, "Id", "")));

	if (there <= 0) /* it went while we looked */
		return there;
	if (docker_seen_workload(inspect, look->now_ms, look->arena, &seen, err) != 0)
		return err_wrap(err, "node %s", look->docker->node->name);
	if (seen.state == RUN_RUNNING && seen.restarts > 0 &&
	    seen.running_ms < DOCKER_ENDS_WITHIN_MS)
		seen.exit_code = docker_ends_last(look->docker, look->arena, seen.id, look->now_ms);
	docker_memo_note(&look->memo, row, &seen, look->now_ms, look->arena);
	docker_probes_note(&look->probes, look->docker, inspect, &seen, look->arena);
	VEC_PUSH(&look->workloads, seen);
	return 0;
}

static int see_ours(struct look *look, const json_t *row, struct err *err)
{
	struct workload seen;

	if (!docker_memo_recall(&look->memo, row, look->now_ms, look->arena, &seen))
		return look_closer(look, row, err);
	VEC_PUSH(&look->workloads, seen);
	return 0;
}

static void see_foreign(struct look *look, const json_t *container)
{
	const json_t *names = json_object_get(container, "Names");

	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));

		/* a name with another slash in it is a link's */
		if (name && *name == '/' && !strchr(name + 1, '/'))
			VEC_PUSH(&look->foreign, arena_strdup(look->arena, name + 1));
	}
}

static int see_containers(struct look *look, struct err *err)
{
	AUTO_JSON json_t *list = NULL;

	if (get_list(look, "/containers/json?all=1", NULL, &list, err) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *container = json_array_get(list, i);

		if (!docker_is_ours(look->docker, json_object_get(container, "Labels")))
			see_foreign(look, container);
		else if (see_ours(look, container, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- volumes, the marker among them ---- */

static const char *label(struct look *look, const json_t *labels, const char *key)
{
	AUTO_FREE char *name = mem_printf(LABEL_NAMESPACE "%s", key);

	return arena_strdup(look->arena, json_str(labels, name, NULL));
}

static void see_marker(struct look *look, const json_t *labels, struct observed *out)
{
	out->owner = label(look, labels, "owner");
	out->engine_id = arena_strdup(look->arena, json_str(labels, DOCKER_LABEL_ENGINE, NULL));
}

static int see_volumes(struct look *look, struct observed *out, struct err *err)
{
	AUTO_JSON json_t *json = NULL;
	const json_t *list;

	/* filters={"label":["dev.trueup.owner"]} */
	if (get_things(look, "volumes",
		       "/volumes?filters=%7B%22label%22%3A%5B%22" LABEL_NAMESPACE "owner%22%5D%7D",
		       "Volumes", &json, err) != 0)
		return -1;
	list = json_object_get(json, "Volumes");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *volume = json_array_get(list, i);
		const json_t *labels = json_object_get(volume, "Labels");
		const char *name = json_str(volume, "Name", "");

		if (str_eq(name, DOCKER_MARKER))
			see_marker(look, labels, out);
		else if (docker_is_ours(look->docker, labels))
			VEC_PUSH(&look->volumes,
				 (struct volume_seen){.name = arena_strdup(look->arena, name),
						      .project = label(look, labels, "project"),
						      .stage = label(look, labels, "stage"),
						      .deployment =
							      label(look, labels, "deployment")});
	}
	return 0;
}

/* ---- images with our mark ---- */

static int see_images(struct look *look, struct err *err)
{
	const char *mark = docker_image_mark(look->docker, look->arena);
	AUTO_JSON json_t *list = NULL;
	size_t len = strlen(mark);

	if (get_things(look, "images", "/images/json", NULL, &list, err) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *tags = json_object_get(json_array_get(list, i), "RepoTags");

		for (size_t t = 0; t < json_array_size(tags); t++) {
			const char *tag = json_string_value(json_array_get(tags, t));

			if (tag && strncmp(tag, mark, len) == 0 && tag[len] == ':' &&
			    hash_is_hex(tag + len + 1))
				VEC_PUSH(&look->images, arena_printf(look->arena, HASH_PREFIX "%s",
								     tag + len + 1));
		}
	}
	return 0;
}

/* ---- all of it ---- */

#define TAKE(look, out, list)                                                                      \
	do {                                                                                       \
		(out)->list##_n = (look)->list.n;                                                  \
		(out)->list = arena_memdup((look)->arena, (look)->list.v,                          \
					   (look)->list.n * sizeof *(look)->list.v);               \
		VEC_FREE(&(look)->list);                                                           \
	} while (0)

int docker_observe(struct docker *docker, struct arena *arena, struct observed *out,
		   struct err *err)
{
	struct look look = {.docker = docker, .arena = arena, .now_ms = clock_wall_ms()};
	int result = -1;

	*out = (struct observed){0};
	docker_memo_open(&look.memo, docker);
	if (docker_meet(docker, err) == 0 && see_containers(&look, err) == 0 &&
	    see_volumes(&look, out, err) == 0 && see_images(&look, err) == 0)
		result = 0;
	if (result == 0)
		out->memo = docker_memo_text(&look.memo, docker, arena);
	docker_memo_release(&look.memo);
	if (result == 0)
		docker_probes_run(&look.probes, look.workloads.v, look.workloads.n, arena);
	docker_probes_release(&look.probes);
	out->node = arena_strdup(arena, docker->node->name);
	out->engine = arena_strdup(arena, docker->engine);
	/* nobody's yet: nothing tells it from another one but the way there */
	if (!out->engine_id)
		out->engine_id =
			arena_printf(arena, "unclaimed %s%s", docker->endpoint.base,
				     docker->endpoint.unix_path ? docker->endpoint.unix_path : "");
	TAKE(&look, out, workloads);
	TAKE(&look, out, volumes);
	TAKE(&look, out, images);
	TAKE(&look, out, foreign);
	observed_sort(out);
	return result;
}

/*
 * What a look remembers for the next one, so that a node on which nothing happened costs one list.
 *
 * Of each container its row in that list is kept, as a hash, and what the inspection behind it
 * said. The row shows state, health, names and networks; what it does not show (limits, restarts,
 * another run) is told by an event, which takes the container out of what is remembered. Volumes
 * and images are told by events alone, and so are asked for anew after each of theirs.
 *
 *	{"api": "/v1.41", "engine": "Docker Engine 20.10.24", "podman": false,
 *	 "volumes": <the answer>, "images": <the answer>,
 *	 "containers": {"<id>": {"row": "<hash>", "seen": <workload.h>, "at": <wall ms>}}}
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include "base/hash.h"
#include "base/map.h"

/* ---- of the look before ---- */

static bool was_heard(const struct look_memo *given, const char *word)
{
	return given->heard &&
	       (map_has(given->heard, word) || map_has(given->heard, DOCKER_HEARD_ALL));
}

void docker_memo_open(struct docker_memo *memo, struct docker *docker)
{
	const struct look_memo *given = docker->env->memo;

	*memo = (struct docker_memo){.next = json_object()};
	json_object_set_new(memo->next, "containers", json_object());
	if (!given || !given->text || was_heard(given, DOCKER_HEARD_ALL))
		return;
	memo->last = json_kept(given->text, DOCKER_ANSWER_MAX);
	memo->given = given;
	snprintf(docker->api, sizeof docker->api, "%s", json_str(memo->last, "api", ""));
	snprintf(docker->engine, sizeof docker->engine, "%s", json_str(memo->last, "engine", ""));
	docker->is_podman = json_flag(memo->last, "podman", false);
}

/* Of a state in words what does not change with time: the brackets of "Exited (1) 3 minutes ago".
 */
static void put_status(json_t *out, const char *status)
{
	const char *open = strchr(status, '(');

	if (open)
		json_object_set_new(out, "Status", json_stringn(open, strcspn(open, ")")));
}

static void row_hash(const json_t *row, char out[HASH_HEX_SIZE])
{
	static const char *const keys[] = {"Id",      "Names",	    "ImageID",	      "State",
					   "Created", "HostConfig", "NetworkSettings"};
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_OUTPUT);
	AUTO_JSON json_t *kept = json_object();

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		json_object_set(kept, keys[i], json_object_get(row, keys[i]));
	put_status(kept, json_str(row, "Status", ""));
	json_write(kept, &text);
	hash_hex(text.ptr, text.len, out);
}

static void keep(struct docker_memo *memo, const char *id, json_t *entry)
{
	json_object_set(json_object_get(memo->next, "containers"), id, entry);
}

bool docker_memo_recall(struct docker_memo *memo, const json_t *row, int64_t now_ms,
			struct arena *arena, struct workload *out)
{
	const char *id = json_str(row, "Id", "");
	json_t *entry = json_object_get(json_object_get(memo->last, "containers"), id);
	char hash[HASH_HEX_SIZE];
	int64_t since = now_ms - json_int(entry, "at", now_ms);

	if (!entry || was_heard(memo->given, id))
		return false;
	row_hash(row, hash);
	if (!str_eq(json_str(entry, "row", NULL), hash) ||
	    workload_from_json(json_object_get(entry, "seen"), arena, out, NULL) != 0)
		return false;
	if (out->state == RUN_RUNNING && since > 0)
		out->running_ms += since;
	keep(memo, id, entry);
	return true;
}

const json_t *docker_memo_things(const struct docker_memo *memo, const char *key)
{
	if (!memo->last || json_flag(memo->last, "podman", false) ||
	    was_heard(memo->given, DOCKER_HEARD_THINGS))
		return NULL;
	return json_object_get(memo->last, key);
}

/* ---- for the next one ---- */

/* One that may be another in a moment without an event, or whose check we make ourselves. */
static bool is_restless(const json_t *row, const struct workload *seen, struct arena *arena)
{
	bool fresh = seen->restarts > 0 && seen->running_ms < DOCKER_ENDS_WITHIN_MS;

	return seen->state == RUN_RESTARTING || seen->state == RUN_UNKNOWN ||
	       (seen->state == RUN_RUNNING && fresh) ||
	       docker_probe_check(json_object_get(row, "Labels"), arena);
}

void docker_memo_note(struct docker_memo *memo, const json_t *row, const struct workload *seen,
		      int64_t now_ms, struct arena *arena)
{
	AUTO_JSON json_t *entry = json_object();
	char hash[HASH_HEX_SIZE];

	if (is_restless(row, seen, arena))
		return;
	row_hash(row, hash);
	json_put_str(entry, "row", hash);
	json_object_set_new(entry, "seen", workload_json(seen));
	json_object_set_new(entry, "at", json_integer(now_ms));
	keep(memo, json_str(row, "Id", ""), entry);
}

void docker_memo_note_things(struct docker_memo *memo, const char *key, json_t *things)
{
	json_object_set(memo->next, key, things);
}

const char *docker_memo_text(struct docker_memo *memo, const struct docker *docker,
			     struct arena *arena)
{
	struct buf text AUTO_BUF = BUF_INIT(DOCKER_ANSWER_MAX);

	json_put_str(memo->next, "api", docker->api);
	json_put_str(memo->next, "engine", docker->engine);
	json_object_set_new(memo->next, "podman", json_boolean(docker->is_podman));
	json_write(memo->next, &text);
	return text.overflow ? NULL : arena_strdup(arena, buf_str(&text));
}

void docker_memo_release(struct docker_memo *memo)
{
	json_decref_ptr(&memo->last);
	json_decref_ptr(&memo->next);
}

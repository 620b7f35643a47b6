#include "base/sys.h"
#include "drivers/memory_node.h"

#include "base/hash.h"
#include "base/json.h"

/* ---- one call ---- */

void memory_call_end(struct memory_call *call)
{
	memory_rules_release(&call->rules);
	arena_free(call->arena);
}

int memory_call_begin(struct driver *driver, struct memory_call *call, struct err *err)
{
	*call = (struct memory_call){.memory = memory_self(driver),
				     .store = memory_self(driver)->store};
	call->arena = arena_new(0);
	if (memory_rules_load(call->store, &call->rules, err) != 0)
		return -1;
	if (call->rules.unreachable)
		return err_set(err, E_NODE_UNREACHABLE, "%s", call->rules.unreachable);
	return 0;
}

/* ---- texts on shelves ---- */

int memory_load(struct memory_call *call, enum shelf shelf, const char *name, json_t **json,
		struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(MEMORY_STORE_TEXT_MAX);
	int there = call->store->ops->get(call->store, shelf, name, &text, err);

	*json = NULL;
	if (there <= 0)
		return there;
	*json = json_read(buf_str(&text), text.len, MEMORY_STORE_TEXT_MAX, err);
	return *json ? 1 : err_wrap(err, "%s", name);
}

int memory_save(struct memory_call *call, enum shelf shelf, const char *name, const json_t *json,
		struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(MEMORY_STORE_TEXT_MAX);

	json_write(json, &text);
	if (text.overflow)
		return err_set(err, E_TOO_LARGE, "%s is too large to keep", name);
	call->changed = true;
	return call->store->ops->put(call->store, shelf, name, buf_str(&text), text.len, err);
}

int memory_drop(struct memory_call *call, enum shelf shelf, const char *name, struct err *err)
{
	int there = call->store->ops->del(call->store, shelf, name, err);

	call->changed = call->changed || there > 0;
	return there < 0 ? -1 : 0;
}

bool memory_is_ours(const struct memory_call *call, const char *owner)
{
	return owner_same(owner, call->memory->owner);
}

/* ---- containers ---- */

const char *const memory_kept_words[] = {
	[KEPT_CREATED] = "created", [KEPT_STARTED] = "started", [KEPT_STOPPED] = "stopped"};

static int kept_from_json(const json_t *json, struct arena *arena, struct kept *out,
			  struct err *err)
{
	const char *state = json_str(json, "state", NULL);

	*out = (struct kept){
		.id = arena_strdup(arena, json_str(json, "id", NULL)),
		.started_ms = json_int(json, "startedMs", 0),
		.exit_code = (int)json_int(json, "exitCode", -1),
		.log = arena_strdup(arena, json_str(json, "log", NULL)),
	};
	while (out->state <= KEPT_STOPPED && !str_eq(memory_kept_words[out->state], state))
		out->state++;
	if (out->state > KEPT_STOPPED)
		return err_set(err, E_BAD_INPUT, "no such state");
	return spec_from_json(json_object_get(json, "spec"), arena, &out->spec, err);
}

void memory_found_release(struct memory_found *found)
{
	json_decref_ptr(&found->json);
}

int memory_find_any(struct memory_call *call, const char *name, struct arena *arena,
		    struct memory_found *found, struct err *err)
{
	struct memory_behaviour behaviour;
	int there;

	*found = (struct memory_found){0};
	there = memory_load(call, SHELF_CONTAINERS, name, &found->json, err);
	if (there <= 0)
		return there;
	if (kept_from_json(found->json, arena, &found->kept, err) != 0)
		return err_wrap(err, "container %s", name);
	memory_rules_find(&call->rules, name, found->kept.spec.image, &behaviour);
	memory_look(&found->kept, &behaviour, call->rules.now_ms, arena, &found->seen);
	return 1;
}

int memory_find(struct memory_call *call, const char *name, struct memory_found *found,
		struct err *err)
{
	int there = memory_find_any(call, name, call->arena, found, err);

	if (there < 0)
		return -1;
	if ((there && !memory_is_ours(call, found->kept.spec.labels.owner)) ||
	    memory_rules_is_foreign(&call->rules, name))
		return err_set(err, E_NAME_FOREIGN, "container %s of node %s is not ours", name,
			       call->memory->node);
	return there;
}

int memory_each(struct memory_call *call, struct arena *arena,
		int (*use)(void *arg, const char *name, const struct memory_found *found),
		void *arg, struct err *err)
{
	const char **names;
	size_t n;

	if (call->store->ops->list(call->store, SHELF_CONTAINERS, call->arena, &names, &n, err) !=
	    0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		AUTO_FOUND struct memory_found found = {0};
		int there = memory_find_any(call, names[i], arena, &found, err);
		int answer = there > 0 ? use(arg, names[i], &found) : there;

		if (answer != 0)
			return answer;
	}
	return 0;
}

int memory_must_find(struct memory_call *call, const char *name, struct memory_found *found,
		     struct err *err)
{
	int there = memory_find(call, name, found, err);

	if (there == 0)
		return err_set(err, E_NOT_FOUND, "node %s has no container %s", call->memory->node,
			       name);
	return there < 0 ? -1 : 0;
}

/* ---- images ---- */

static const char *digest_of(struct memory_call *call, const struct memory_behaviour *behaviour,
			     const char *image)
{
	const char *pinned = strstr(image, "@sha256:");
	char hex[HASH_HEX_SIZE];

	if (behaviour->digest)
		return arena_strdup(call->arena, behaviour->digest);
	if (pinned)
		return arena_strdup(call->arena, pinned + 1);
	hash_hex(image, strlen(image), hex);
	return arena_printf(call->arena, HASH_PREFIX "%s", hex);
}

int memory_current_digest(struct memory_call *call, const char *image, const char **out,
			  struct err *err)
{
	struct memory_behaviour behaviour;

	memory_rules_find(&call->rules, NULL, image, &behaviour);
	if (behaviour.no_registry) {
		err_set(err, E_REGISTRY, "image %s: %s", image, behaviour.no_registry);
		return err_rest(err, behaviour.rest_ms);
	}
	if (behaviour.no_login)
		return err_set(err, E_CREDENTIALS, "image %s: %s", image, behaviour.no_login);
	if (behaviour.unknown)
		return memory_image_unknown(image, err);
	*out = digest_of(call, &behaviour, image);
	return 0;
}

int memory_image_unknown(const char *image, struct err *err)
{
	return err_set(err, E_IMAGE_UNKNOWN, "there is no image %s", image);
}

#include "base/sys.h"
#include "drivers/memory_world.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"

/* ---- rules ---- */

#define RULES "behaviour"

int memory_rules_load(struct memory_store *store, struct memory_rules *rules, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(MEMORY_STORE_TEXT_MAX);
	int there = store->ops->get(store, SHELF_NODE, RULES, &text, err);

	*rules = (struct memory_rules){0};
	if (there < 0)
		return -1;
	rules->json = there ? json_read(buf_str(&text), text.len, MEMORY_STORE_TEXT_MAX, err)
			    : json_object();
	if (!json_is_object(rules->json)) {
		if (rules->json)
			err_set(err, E_BAD_INPUT, "not an object");
		memory_rules_release(rules);
		return err_wrap(err, RULES ".json");
	}
	rules->now_ms = json_int(rules->json, "clockMs", clock_boot_ms());
	rules->unreachable = json_str(rules->json, "unreachable", NULL);
	return 0;
}

void memory_rules_release(struct memory_rules *rules)
{
	json_decref_ptr(&rules->json);
	*rules = (struct memory_rules){0};
}

static int rules_save(struct memory_store *store, const struct memory_rules *rules, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(MEMORY_STORE_TEXT_MAX);

	json_print(rules->json, &text);
	return store->ops->put(store, SHELF_NODE, RULES, buf_str(&text), text.len, err);
}

static const json_t *find_rule(const struct memory_rules *rules, const char *name,
			       const char *image)
{
	const json_t *images = json_object_get(rules->json, "images"), *rule = NULL;

	if (name) {
		AUTO_FREE char *own_name = mem_strndup(name, workload_stem_length(name));

		rule = json_object_get(json_object_get(rules->json, "containers"), own_name);
	}
	if (!rule)
		rule = json_object_get(images, image);
	return rule ? rule : json_object_get(images, "*");
}

void memory_rules_find(const struct memory_rules *rules, const char *name, const char *image,
		       struct memory_behaviour *out)
{
	const json_t *rule = find_rule(rules, name, image);

	*out = (struct memory_behaviour){
		.digest = json_str(rule, "digest", NULL),
		.unknown = json_flag(rule, "unknown", false),
		.no_registry = json_str(rule, "noRegistry", NULL),
		.rest_ms = json_int(rule, "restMs", 0),
		.no_login = json_str(rule, "noLogin", NULL),
		.refuse = json_str(rule, "refuse", NULL),
		.exit_after_ms = json_int(rule, "exitAfterMs", -1),
		.exit_code = (int)(json_int(rule, "exitCode", 0) & 255),
		.healthy_after_ms = json_int(rule, "healthyAfterMs", 0),
		.unhealthy_after_ms = json_int(rule, "unhealthyAfterMs", -1),
		.ignores_stop = json_flag(rule, "ignoresStop", false),
		.output = json_str(rule, "output", NULL),
	};
}

static json_t *behaviour_json(const struct memory_behaviour *behaviour)
{
	json_t *json = json_object();

	if (behaviour->digest)
		json_put_str(json, "digest", behaviour->digest);
	if (behaviour->no_registry)
		json_put_str(json, "noRegistry", behaviour->no_registry);
	if (behaviour->rest_ms)
		json_object_set_new(json, "restMs", json_integer(behaviour->rest_ms));
	if (behaviour->no_login)
		json_put_str(json, "noLogin", behaviour->no_login);
	if (behaviour->refuse)
		json_put_str(json, "refuse", behaviour->refuse);
	if (behaviour->output)
		json_put_str(json, "output", behaviour->output);
	json_object_set_new(json, "unknown", json_boolean(behaviour->unknown));
	json_object_set_new(json, "exitAfterMs", json_integer(behaviour->exit_after_ms));
	json_object_set_new(json, "exitCode", json_integer(behaviour->exit_code));
	json_object_set_new(json, "healthyAfterMs", json_integer(behaviour->healthy_after_ms));
	json_object_set_new(json, "unhealthyAfterMs", json_integer(behaviour->unhealthy_after_ms));
	json_object_set_new(json, "ignoresStop", json_boolean(behaviour->ignores_stop));
	return json;
}

bool memory_rules_is_foreign(const struct memory_rules *rules, const char *name)
{
	const json_t *foreign = json_object_get(rules->json, "foreign");

	for (size_t i = 0; i < json_array_size(foreign); i++) {
		if (str_eq(json_string_value(json_array_get(foreign, i)), name))
			return true;
	}
	return false;
}

/* ---- what follows from them ---- */

bool memory_is_up(enum run_state state)
{
	return state == RUN_RUNNING || state == RUN_RESTARTING;
}

static bool starts_again(const struct container *config, int exit_code)
{
	enum restart_policy_value policy = container_restart_policy(config);

	return policy == RESTART_ALWAYS || policy == RESTART_UNLESS_STOPPED ||
	       (policy == RESTART_ON_FAILURE && exit_code != 0);
}

static void look_at_started(const struct kept *kept, const struct memory_behaviour *behaviour,
			    int64_t now_ms, struct arena *arena, struct workload *out)
{
	int64_t elapsed = now_ms > kept->started_ms ? now_ms - kept->started_ms : 0;
	int64_t run = behaviour->exit_after_ms, cycle = run + MEMORY_BACKOFF_MS;

	out->state = RUN_RUNNING;
	out->running_ms = elapsed;
	if (run < 0 || elapsed < run)
		return;
	out->exit_code = behaviour->exit_code;
	out->detail = arena_printf(arena, "exited with %d", out->exit_code);
	if (!starts_again(kept->spec.config, out->exit_code)) {
		out->state = RUN_EXITED;
		out->running_ms = 0;
		return;
	}
	out->restarts = elapsed / cycle < INT_MAX ? (int)(elapsed / cycle) : INT_MAX;
	out->running_ms = elapsed % cycle;
	if (out->running_ms >= run) {
		out->state = RUN_RESTARTING;
		out->running_ms = 0;
	}
}

static enum run_health look_at_health(const struct kept *kept,
				      const struct memory_behaviour *behaviour,
				      const struct workload *seen)
{
	if (!IS_SET(kept->spec.config, container, health_check))
		return HEALTH_NONE;
	if (seen->state != RUN_RUNNING)
		return HEALTH_UNKNOWN;
	if (behaviour->unhealthy_after_ms >= 0 && seen->running_ms >= behaviour->unhealthy_after_ms)
		return HEALTH_UNHEALTHY;
	return seen->running_ms < behaviour->healthy_after_ms ? HEALTH_STARTING : HEALTH_HEALTHY;
}

void memory_look(const struct kept *kept, const struct memory_behaviour *behaviour, int64_t now_ms,
		 struct arena *arena, struct workload *out)
{
	out->exit_code = kept->exit_code;
	if (kept->state == KEPT_STARTED)
		look_at_started(kept, behaviour, now_ms, arena, out);
	else
		out->state = kept->state == KEPT_CREATED ? RUN_CREATED : RUN_STOPPED;
	out->health = look_at_health(kept, behaviour, out);
}

/* ---- worlds ---- */

struct memory_world {
	struct memory_store *store;
};

/* Node name -> world. The one piece of global state: it stands for the network. */
static struct map attached;

struct memory_world *memory_world_new(void)
{
	struct memory_world *world = mem_zalloc(1, sizeof *world);

	world->store = memory_store_process();
	return world;
}

struct memory_world *memory_world_open(const char *folder)
{
	struct memory_world *world = mem_zalloc(1, sizeof *world);

	world->store = memory_store_folder(folder);
	return world;
}

void memory_world_free(struct memory_world **world)
{
	if (!*world)
		return;
	for (struct map_entry *e = NULL; (e = map_next(&attached, e));) {
		if (e->value == *world)
			map_del(&attached, e->key);
	}
	if (attached.count == 0)
		map_release(&attached);
	memory_store_free((*world)->store);
	free(*world);
	*world = NULL;
}

void memory_world_attach(struct memory_world *world, const char *node)
{
	map_put(&attached, node, world);
}

struct memory_store *memory_world_find(const char *node)
{
	struct memory_world *world = map_get(&attached, node);

	return world ? world->store : NULL;
}

/* ---- setting up rules: read, change, write ---- */

/* Sets member (of the object `inside`, made when absent; NULL: of the whole); takes over value. */
static int change(struct memory_world *world, const char *inside, const char *member, json_t *value,
		  struct err *err)
{
	AUTO_JSON json_t *owned = value;
	AUTO_RULES struct memory_rules rules = {0};
	json_t *object;

	if (memory_rules_load(world->store, &rules, err) != 0)
		return -1;
	object = rules.json;
	if (inside && !json_is_object(json_object_get(object, inside)))
		json_object_set_new(object, inside, json_object());
	if (inside)
		object = json_object_get(object, inside);
	if (json_is_null(owned))
		json_object_del(object, member);
	else
		json_object_set(object, member, owned);
	return rules_save(world->store, &rules, err);
}

int memory_world_image(struct memory_world *world, const char *image,
		       const struct memory_behaviour *behaviour, struct err *err)
{
	return change(world, "images", image, behaviour_json(behaviour), err);
}

int memory_world_container(struct memory_world *world, const char *name,
			   const struct memory_behaviour *behaviour, struct err *err)
{
	return change(world, "containers", name, behaviour_json(behaviour), err);
}

int memory_world_unreachable(struct memory_world *world, const char *why, struct err *err)
{
	return change(world, NULL, "unreachable", why ? json_string(why) : json_null(), err);
}

int memory_world_set_clock(struct memory_world *world, int64_t now_ms, struct err *err)
{
	return change(world, NULL, "clockMs", json_integer(now_ms), err);
}

int memory_world_advance(struct memory_world *world, int64_t by_ms, struct err *err)
{
	AUTO_RULES struct memory_rules rules = {0};

	if (memory_rules_load(world->store, &rules, err) != 0)
		return -1;
	return memory_world_set_clock(world, json_int(rules.json, "clockMs", 0) + by_ms, err);
}

int memory_world_add_foreign(struct memory_world *world, const char *name, struct err *err)
{
	AUTO_RULES struct memory_rules rules = {0};
	json_t *names;

	if (memory_rules_load(world->store, &rules, err) != 0)
		return -1;
	names = json_object_get(rules.json, "foreign");
	names = json_is_array(names) ? json_incref(names) : json_array();
	json_array_append_new(names, json_string(name));
	return change(world, NULL, "foreign", names, err);
}

#include "base/sys.h"
#include "drivers/memory_node.h"

#include "base/json.h"

#define LOG_MAX ((size_t)16 << 10)

/* ---- volumes ---- */

static int check_volume(struct memory_call *call, const char *name, json_t **json, struct err *err)
{
	int there = memory_load(call, SHELF_VOLUMES, name, json, err);

	if (there > 0 && !memory_is_ours(call, json_str(*json, "owner", NULL))) {
		json_decref_ptr(json);
		return err_set(err, E_NAME_FOREIGN, "volume %s of node %s is not ours", name,
			       call->memory->node);
	}
	return there;
}

static int make_volume(struct memory_call *call, const char *name, const struct labels *labels,
		       struct err *err)
{
	AUTO_JSON json_t *json = NULL;
	int there = check_volume(call, name, &json, err);

	if (there != 0)
		return there < 0 ? -1 : 0;
	json = json_object();
	json_put_str(json, "owner", labels->owner);
	json_put_str(json, "project", labels->project);
	json_put_str(json, "stage", labels->stage);
	json_put_str(json, "deployment", labels->deployment);
	return memory_save(call, SHELF_VOLUMES, name, json, err);
}

static int make_volumes(struct memory_call *call, const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->config->volumes.n; i++) {
		const char *name = volume_node_name(call->arena, spec->labels.prefix,
						    &spec->config->volumes.v[i]);

		if (name && make_volume(call, name, &spec->labels, err) != 0)
			return -1;
	}
	return 0;
}

static int has_volume(void *arg, const char *name, const struct memory_found *found)
{
	const struct spec *spec = &found->kept.spec;
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)name;
	for (size_t i = 0; i < spec->config->volumes.n; i++) {
		if (str_eq(arg, volume_node_name(arena, spec->labels.prefix,
						 &spec->config->volumes.v[i])))
			return 1;
	}
	return 0;
}

/* ---- host ports: a note on who has each, trusted only while that one is up ---- */

static const char *port_name(struct memory_call *call, const struct port *port)
{
	return arena_printf(call->arena, "%lld-%s", (long long)port->host,
			    port->protocol == PROTOCOL_UDP ? "udp" : "tcp");
}

/* The present name of the container that has the port; NULL: it is free. -1 on failure. */
static int port_holder(struct memory_call *call, const char *port, const char **holder,
		       struct err *err)
{
	AUTO_JSON json_t *json = NULL;
	AUTO_FOUND struct memory_found found = {0};
	int there = memory_load(call, SHELF_PORTS, port, &json, err);
	const char *noted = json_str(json, "container", NULL);

	*holder = NULL;
	if (there <= 0 || !noted)
		return there < 0 ? -1 : 0;
	there = memory_find_any(call, noted, call->arena, &found, err);
	if (there > 0 && memory_is_up(found.seen.state) &&
	    str_eq(found.kept.id, json_str(json, "id", NULL)))
		*holder = arena_strdup(call->arena, noted);
	return there < 0 ? -1 : 0;
}

static int note_ports(struct memory_call *call, const char *name, const struct kept *kept,
		      struct err *err)
{
	AUTO_JSON json_t *json = json_object();
	const struct port_list *ports = &kept->spec.config->ports;

	json_put_str(json, "container", name);
	json_put_str(json, "id", kept->id);
	for (size_t i = 0; i < ports->n; i++) {
		if (ports->v[i].host &&
		    memory_save(call, SHELF_PORTS, port_name(call, &ports->v[i]), json, err) != 0)
			return -1;
	}
	return 0;
}

static int take_ports(struct memory_call *call, const char *name, const struct kept *kept,
		      struct err *err)
{
	const struct port_list *ports = &kept->spec.config->ports;

	for (size_t i = 0; i < ports->n; i++) {
		const char *holder;

		if (!ports->v[i].host)
			continue;
		if (port_holder(call, port_name(call, &ports->v[i]), &holder, err) != 0)
			return -1;
		if (holder && !str_eq(holder, name))
			return err_set(err, E_NAME_FOREIGN, "port %lld of node %s is used by %s",
				       (long long)ports->v[i].host, call->memory->node, holder);
	}
	return note_ports(call, name, kept, err);
}

/* ---- the changes ---- */

static int op_claim(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *json = NULL;
	const char *owner;
	int result;

	(void)op;
	if (call->store->ops->lock(call->store, err) != 0)
		return -1;
	result = memory_load(call, SHELF_NODE, "marker", &json, err);
	owner = json_str(json, "owner", NULL);
	if (result > 0 && !memory_is_ours(call, owner)) {
		result = err_set(err, E_NODE_OWNED, "node %s belongs to %s", call->memory->node,
				 owner ? owner : "somebody");
	} else if (result == 0) {
		json = json_object();
		json_put_str(json, "owner", call->memory->owner);
		result = memory_save(call, SHELF_NODE, "marker", json, err);
	}
	call->store->ops->unlock(call->store);
	return result < 0 ? -1 : 0;
}

static int op_pull(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *json = NULL;
	const char *digest = op->spec->digest, *current;
	int there;

	if (!digest)
		return err_set(err, E_INTERNAL, "image %s was not resolved", op->spec->image);
	there = memory_load(call, SHELF_IMAGES, digest, &json, err);
	if (there != 0)
		return there < 0 ? -1 : 0;
	if (memory_current_digest(call, op->spec->image, &current, err) != 0)
		return -1;
	if (!str_eq(current, digest))
		return err_set(err, E_IMAGE_CHANGED, "image %s is now %s, not %s", op->spec->image,
			       current, digest);
	json = json_object();
	json_put_str(json, "image", op->spec->image);
	return memory_save(call, SHELF_IMAGES, digest, json, err);
}

static const char *new_id(struct memory_call *call, const struct op *op)
{
	char hex[HASH_HEX_SIZE];
	const char *text =
		arena_printf(call->arena, "%s %s %lld %lld", op->name,
			     op->spec->labels.spec ? op->spec->labels.spec : "",
			     (long long)op->spec->labels.record, (long long)call->rules.now_ms);

	hash_hex(text, strlen(text), hex);
	return arena_strndup(call->arena, hex, 12);
}

static json_t *kept_json(const struct spec *spec, const char *id)
{
	json_t *json = json_object();

	json_object_set_new(json, "spec", spec_json(spec));
	json_put_str(json, "id", id);
	json_put_str(json, "state", memory_kept_words[KEPT_CREATED]);
	json_object_set_new(json, "exitCode", json_integer(-1));
	return json;
}

static void set_state(json_t *json, enum kept_state state, int64_t started_ms, int exit_code)
{
	json_put_str(json, "state", memory_kept_words[state]);
	json_object_set_new(json, "startedMs", json_integer(started_ms));
	json_object_set_new(json, "exitCode", json_integer(exit_code));
}

static int op_create(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_FOUND struct memory_found found = {0};
	AUTO_JSON json_t *image = NULL, *json = NULL;
	struct memory_behaviour behaviour;
	int there = memory_find(call, op->name, &found, err);

	if (there < 0)
		return -1;
	if (there && str_eq(found.kept.spec.labels.spec, op->spec->labels.spec))
		return 0;
	if (there)
		return err_set(err, E_CONFLICT, "container %s of node %s is there, made otherwise",
			       op->name, call->memory->node);
	memory_rules_find(&call->rules, op->name, op->spec->image, &behaviour);
	if (behaviour.refuse)
		return err_set(err, E_ENGINE, "%s", behaviour.refuse);
	there = op->spec->digest ? memory_load(call, SHELF_IMAGES, op->spec->digest, &image, err)
				 : 0;
	if (there <= 0)
		return there < 0 ? -1 : memory_image_unknown(op->spec->image, err);
	if (make_volumes(call, op->spec, err) != 0)
		return -1;
	json = kept_json(op->spec, new_id(call, op));
	return memory_save(call, SHELF_CONTAINERS, op->name, json, err);
}

/* The newest LOG_MAX bytes, whole lines. */
static void add_output(json_t *json, const char *output)
{
	AUTO_BUF struct buf log = BUF_INIT(MEMORY_STORE_TEXT_MAX);
	const char *line;

	buf_adds(&log, json_str(json, "log", ""));
	buf_adds(&log, output);
	if (log.len && log.ptr[log.len - 1] != '\n')
		buf_addc(&log, '\n');
	if (log.len > LOG_MAX) {
		line = strchr(log.ptr + (log.len - LOG_MAX), '\n');
		buf_drop(&log, (size_t)(line + 1 - log.ptr));
	}
	json_put_str(json, "log", buf_str(&log));
}

static int op_start(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_FOUND struct memory_found found = {0};
	struct memory_behaviour behaviour;

	if (memory_must_find(call, op->name, &found, err) != 0)
		return -1;
	if (memory_is_up(found.seen.state))
		return 0;
	if (take_ports(call, op->name, &found.kept, err) != 0)
		return -1;
	memory_rules_find(&call->rules, op->name, found.kept.spec.image, &behaviour);
	if (behaviour.output)
		add_output(found.json, behaviour.output);
	set_state(found.json, KEPT_STARTED, call->rules.now_ms, found.seen.exit_code);
	return memory_save(call, SHELF_CONTAINERS, op->name, found.json, err);
}

/* Nobody can ignore KILL. */
static const char *ignored_signal(const struct container *config, struct arena *arena)
{
	const char *signal = config->stop_signal ? config->stop_signal : "SIGTERM";

	return str_eq(signal, "SIGKILL") ? NULL : arena_strdup(arena, signal);
}

static int op_stop(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_FOUND struct memory_found found = {0};
	struct memory_behaviour behaviour;
	int there = memory_find(call, op->name, &found, err);

	if (there <= 0 || !memory_is_up(found.seen.state))
		return there < 0 ? -1 : 0;
	memory_rules_find(&call->rules, op->name, found.kept.spec.image, &behaviour);
	set_state(found.json, KEPT_STOPPED, 0, behaviour.ignores_stop ? 128 + 9 : 0);
	if (behaviour.ignores_stop)
		call->unheard = ignored_signal(found.kept.spec.config, call->arena);
	return memory_save(call, SHELF_CONTAINERS, op->name, found.json, err);
}

/* A folder or a process has no networks. */
static int op_alias(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_FOUND struct memory_found found = {0};

	return memory_must_find(call, op->name, &found, err);
}

static int op_remove(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_FOUND struct memory_found found = {0};
	int there = memory_find(call, op->name, &found, err);
	const struct port_list *ports;

	if (there <= 0)
		return there;
	ports = &found.kept.spec.config->ports;
	for (size_t i = 0; i < ports->n; i++) {
		const char *holder;

		if (!ports->v[i].host)
			continue;
		if (port_holder(call, port_name(call, &ports->v[i]), &holder, err) != 0)
			return -1;
		if (str_eq(holder, op->name) &&
		    memory_drop(call, SHELF_PORTS, port_name(call, &ports->v[i]), err) != 0)
			return -1;
	}
	return memory_drop(call, SHELF_CONTAINERS, op->name, err);
}

static int op_rename(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_FOUND struct memory_found from = {0}, to = {0};
	int there = memory_find(call, op->name, &from, err), taken;

	if (there < 0)
		return -1;
	taken = memory_find(call, op->to, &to, err);
	if (taken < 0)
		return -1;
	if (there && taken)
		return err_set(err, E_CONFLICT, "container %s of node %s is still there", op->to,
			       call->memory->node);
	if (taken)
		return 0;
	if (!there)
		return err_set(err, E_NOT_FOUND, "node %s has no container %s", call->memory->node,
			       op->name);
	if (call->store->ops->move(call->store, SHELF_CONTAINERS, op->name, op->to, err) < 0)
		return -1;
	call->changed = true;
	return memory_is_up(from.seen.state) ? note_ports(call, op->to, &from.kept, err) : 0;
}

static int op_update(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_FOUND struct memory_found found = {0};
	AUTO_JSON json_t *wanted = spec_json(op->spec);
	json_t *spec, *labels;

	if (memory_must_find(call, op->name, &found, err) != 0 ||
	    driver_check_update(&driver_memory, found.kept.spec.digest, found.kept.spec.config,
				op->spec, err) != 0)
		return -1;
	spec = json_object_get(found.json, "spec");
	labels = json_object_get(spec, "labels");
	if (json_equal(json_object_get(spec, "config"), json_object_get(wanted, "config")) &&
	    str_eq(found.kept.spec.labels.spec, op->spec->labels.spec))
		return 0;
	json_object_set(spec, "config", json_object_get(wanted, "config"));
	json_object_set(labels, "spec", json_object_get(json_object_get(wanted, "labels"), "spec"));
	return memory_save(call, SHELF_CONTAINERS, op->name, found.json, err);
}

static int op_volume_remove(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *json = NULL;
	AUTO_FREE char *name = mem_strdup(op->name);
	int there = check_volume(call, name, &json, err), used;

	if (there <= 0)
		return there;
	used = memory_each(call, call->arena, has_volume, name, err);
	if (used > 0)
		return err_set(err, E_CONFLICT, "volume %s of node %s is in use", name,
			       call->memory->node);
	return used < 0 ? -1 : memory_drop(call, SHELF_VOLUMES, name, err);
}

static int has_image(void *arg, const char *name, const struct memory_found *found)
{
	(void)name;
	return str_eq(arg, found->kept.spec.digest);
}

static int op_image_remove(struct memory_call *call, const struct op *op, struct err *err)
{
	AUTO_FREE char *digest = mem_strdup(op->name);
	int used = memory_each(call, call->arena, has_image, digest, err);

	if (used != 0)
		return used < 0 ? -1 : 0;
	return memory_drop(call, SHELF_IMAGES, digest, err);
}

int (*const memory_changes[OPS_COUNT])(struct memory_call *call, const struct op *op,
				       struct err *err) = {
	[OP_CLAIM] = op_claim,
	[OP_PULL] = op_pull,
	[OP_CREATE] = op_create,
	[OP_START] = op_start,
	[OP_STOP] = op_stop,
	[OP_ALIAS] = op_alias,
	[OP_REMOVE] = op_remove,
	[OP_RENAME] = op_rename,
	[OP_UPDATE] = op_update,
	[OP_VOLUME_REMOVE] = op_volume_remove,
	[OP_IMAGE_REMOVE] = op_image_remove,
};

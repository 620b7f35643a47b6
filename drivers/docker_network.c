/*
 * A stage has a network, <project>-<stage>, in which a container answers to its full name. Networks
 * that a configuration asks for are the stage's own as well, <project>-<stage>.<name>: so there is
 * no way from one stage to another. The services of a Compose file have one more among themselves,
 * <project>-<stage>..<deployment> (no name that is asked for begins with a dot), in which they
 * answer to the names of their services, all instances of one to the same.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include <unistd.h>

#include "base/fs.h"

#define LOCK_FILE "networks.lock" /* in the state directory */
#define LOCK_WAIT_MS 30000

const char *docker_network_name(struct arena *arena, const struct spec *spec)
{
	int mode = spec->config->network_mode;

	if (mode == NETWORK_NONE || mode == NETWORK_HOST)
		return NULL;
	return arena_printf(arena, "%s-%s", spec->labels.project, spec->labels.stage);
}

const char *docker_network_inner(struct arena *arena, const char *stage_network, const char *name)
{
	return arena_printf(arena, "%s.%s", stage_network, name);
}

const char *docker_network_stack(struct arena *arena, const struct labels *labels)
{
	return labels->stack ? arena_printf(arena, "%s-%s..%s", labels->project, labels->stage,
					    labels->stack)
			     : NULL;
}

const char *docker_network_alias(struct arena *arena, const struct labels *labels,
				 const char *network, const char *name)
{
	const char *stack = docker_network_stack(arena, labels);

	if (!stack || !str_eq(network, stack) || labels->init)
		return name;
	return str_ends(name, NEXT_SUFFIX)
		       ? arena_printf(arena, "%s" NEXT_SUFFIX, labels->container)
		       : labels->container;
}

/*
 * All networks of a container and the alias that it has in each; name: what the container is called
 * now. One that is still to take over answers to nobody else's name.
 */
struct membership {
	const char *network, *alias;
};
struct memberships {
	struct membership *v;
	size_t n;
};

static struct memberships memberships_of(struct arena *arena, const struct spec *spec,
					 const char *name)
{
	const char *network = docker_network_name(arena, spec);
	const char *stack = docker_network_stack(arena, &spec->labels);
	const struct strings *more = &spec->config->networks;
	struct memberships all = {.v = ARENA_ARRAY(arena, more->n + 2, struct membership)};

	if (!network)
		return all;
	all.v[all.n++] = (struct membership){network, name};
	if (stack)
		all.v[all.n++] = (struct membership){
			stack, docker_network_alias(arena, &spec->labels, stack, name)};
	for (size_t i = 0; i < more->n; i++)
		all.v[all.n++] =
			(struct membership){docker_network_inner(arena, network, more->v[i]), name};
	return all;
}

/* ---- making ---- */

/* 1, 0: there is none of that name; E_NAME_FOREIGN. */
static int find_network(struct docker_call *call, const char *name, struct err *err)
{
	AUTO_JSON json_t *json = NULL;
	int there = docker_look_up(call->docker, &json, err, "/networks/%s",
				   docker_quote(call->arena, name));

	if (there <= 0)
		return there;
	if (!str_eq(json_str(json, "Name", NULL), name)) /* found by its id */
		return 0;
	if (!docker_is_ours(call->docker, json_object_get(json, "Labels")))
		return err_set(err, E_NAME_FOREIGN, "network %s of node %s is not ours", name,
			       call->docker->node->name);
	return 1;
}

static int create_network(struct docker_call *call, const char *name, const struct spec *spec,
			  struct err *err)
{
	AUTO_JSON json_t *body = json_object();
	json_t *labels = json_object();

	json_object_set_new(body, "Labels", labels);
	json_put_str(labels, LABEL_NAMESPACE "owner", spec->labels.owner);
	json_put_str(labels, LABEL_NAMESPACE "project", spec->labels.project);
	json_put_str(labels, LABEL_NAMESPACE "stage", spec->labels.stage);
	json_put_str(body, "Name", name);
	json_put_str(body, "Driver", "bridge");
	json_object_set_new(body, "CheckDuplicate", json_true());
	return docker_do(call->docker, "POST", body, err, "/networks/create") < 0 ? -1 : 0;
}

/*
 * Containers of one stage are made side by side, by several children. Docker checks whether there
 * is such a network, and then makes it: asked twice at once it makes two, and from then on finds
 * neither by its name. So only one of us makes one at a time.
 */
static int make_network(struct docker_call *call, const char *name, const struct spec *spec,
			struct err *err)
{
	AUTO_FREE char *path = mem_printf("%s/" LOCK_FILE, call->docker->env->state_dir);
	int there = find_network(call, name, err);
	int lock AUTO_FD = -1;

	if (there != 0)
		return there < 0 ? -1 : 0;
	lock = fs_lock(path, name, LOCK_WAIT_MS, err);
	if (lock < 0)
		return -1;
	there = find_network(call, name, err);
	if (there != 0)
		return there < 0 ? -1 : 0;
	return create_network(call, name, spec, err);
}

int docker_networks_make(struct docker_call *call, const struct spec *spec, struct err *err)
{
	const struct memberships all = memberships_of(call->arena, spec, spec->name);

	for (size_t i = 0; i < all.n; i++) {
		if (make_network(call, all.v[i].network, spec, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- being in them ---- */

static const json_t *joined_networks(const json_t *inspect)
{
	return json_object_get(json_object_get(inspect, "NetworkSettings"), "Networks");
}

static int join(struct docker_call *call, const char *id, const char *network, const char *alias,
		struct err *err)
{
	AUTO_JSON json_t *body = json_object();
	json_t *aliases = json_array(), *endpoint = json_object();

	json_array_append_new(aliases, json_string(alias));
	json_object_set_new(endpoint, "Aliases", aliases);
	json_object_set_new(body, "EndpointConfig", endpoint);
	json_put_str(body, "Container", id);
	if (docker_do(call->docker, "POST", body, err, "/networks/%s/connect",
		      docker_quote(call->arena, network)) < 0)
		return -1;
	call->changed = true;
	return 0;
}

static int leave(struct docker_call *call, const char *id, const char *network, struct err *err)
{
	AUTO_JSON json_t *body = json_object();

	json_put_str(body, "Container", id);
	json_object_set_new(body, "Force", json_true());
	return docker_do(call->docker, "POST", body, err, "/networks/%s/disconnect",
			 docker_quote(call->arena, network)) < 0
		       ? -1
		       : 0;
}

int docker_networks_join(struct docker_call *call, const json_t *inspect, const struct spec *spec,
			 const char *name, struct err *err)
{
	const char *id = json_str(inspect, "Id", "");
	const json_t *joined = joined_networks(inspect);
	const struct memberships all = memberships_of(call->arena, spec, name);

	for (size_t i = 0; i < all.n; i++) {
		if (!json_object_get(joined, all.v[i].network) &&
		    join(call, id, all.v[i].network, all.v[i].alias, err) != 0)
			return -1;
	}
	return 0;
}

/* Does the endpoint have this alias, and none that is another name of a container? */
static bool answers_to(const json_t *endpoint, const char *alias, const char *id)
{
	const json_t *aliases = json_object_get(endpoint, "Aliases");
	bool found = false;

	for (size_t i = 0; i < json_array_size(aliases); i++) {
		const char *one = json_string_value(json_array_get(aliases, i));

		if (str_eq(one, alias))
			found = true;
		else if (one && !str_starts(id, one)) /* engines add the beginning of the id */
			return false;
	}
	return found;
}

static bool is_of_stage(const char *network, const json_t *labels)
{
	AUTO_FREE char *stage = mem_printf("%s-%s", json_str(labels, LABEL_NAMESPACE "project", ""),
					   json_str(labels, LABEL_NAMESPACE "stage", ""));
	size_t len = strlen(stage);

	return str_starts(network, stage) && (!network[len] || network[len] == '.');
}

/* Whose networks a container that is there is in. */
static struct labels labels_of(const json_t *labels)
{
	return (struct labels){.owner = json_str(labels, LABEL_NAMESPACE "owner", ""),
			       .project = json_str(labels, LABEL_NAMESPACE "project", ""),
			       .stage = json_str(labels, LABEL_NAMESPACE "stage", ""),
			       .container = json_str(labels, LABEL_NAMESPACE "container", ""),
			       .init = json_str(labels, LABEL_NAMESPACE "init", NULL),
			       .stack = json_str(labels, LABEL_NAMESPACE "stack", NULL)};
}

/* Those of its stage that it is in. */
static struct memberships memberships_joined(struct docker_call *call, const json_t *inspect,
					     const struct labels *labels, const char *name)
{
	json_t *joined = (json_t *)(uintptr_t)joined_networks(inspect), *endpoint;
	struct memberships all = {
		.v = ARENA_ARRAY(call->arena, json_object_size(joined), struct membership)};
	const char *network;

	json_object_foreach(joined, network, endpoint)
	{
		if (is_of_stage(network, docker_seen_labels(inspect)))
			all.v[all.n++] = (struct membership){
				network, docker_network_alias(call->arena, labels, network, name)};
	}
	return all;
}

/*
 * Also a network that it has left already, to come back under another name: its configuration
 * knows, where it can be read.
 */
int docker_networks_alias(struct docker_call *call, const json_t *inspect, const char *name,
			  struct err *err)
{
	const json_t *own = docker_seen_labels(inspect);
	const struct spec spec = {.labels = labels_of(own),
				  .config = docker_seen_config(own, call->arena)};
	const char *id = json_str(inspect, "Id", "");
	const struct memberships all =
		spec.config ? memberships_of(call->arena, &spec, name)
			    : memberships_joined(call, inspect, &spec.labels, name);

	for (size_t i = 0; i < all.n; i++) {
		const struct membership *one = &all.v[i];
		const json_t *endpoint = json_object_get(joined_networks(inspect), one->network);

		if (answers_to(endpoint, one->alias, id))
			continue;
		if ((endpoint && leave(call, id, one->network, err) != 0) ||
		    join(call, id, one->network, one->alias, err) != 0)
			return -1;
	}
	return 0;
}

static int mend_one(struct docker_call *call, const json_t *inspect, const struct spec *spec,
		    const struct membership *one, struct err *err)
{
	const char *id = json_str(inspect, "Id", "");
	int there = find_network(call, one->network, err);

	if (there != 0)
		return there < 0 ? -1 : 0;
	if (make_network(call, one->network, spec, err) != 0)
		return -1;
	/* the one that is gone, as far as it is remembered */
	(void)leave(call, id, one->network, NULL);
	return join(call, id, one->network, one->alias, err);
}

int docker_networks_mend(struct docker_call *call, const json_t *inspect, const char *name,
			 struct err *err)
{
	const struct spec spec = {.labels = labels_of(docker_seen_labels(inspect))};
	const struct memberships all = memberships_joined(call, inspect, &spec.labels, name);

	for (size_t i = 0; i < all.n; i++) {
		if (mend_one(call, inspect, &spec, &all.v[i], err) != 0)
			return -1;
	}
	return 0;
}

/* ---- removing ---- */

static const char *filters(struct docker_call *call, const char *key, json_t *values)
{
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	AUTO_JSON json_t *json = json_object();

	json_object_set_new(json, key, values);
	json_write(json, &text);
	return docker_quote(call->arena, buf_str(&text));
}

static json_t *stage_labels(struct docker_call *call, const json_t *labels)
{
	static const char *const keys[] = {"owner", "project", "stage"};
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *key = arena_printf(call->arena, LABEL_NAMESPACE "%s", keys[i]);
		const char *value = json_str(labels, key, "");

		json_array_append_new(list,
				      json_string(arena_printf(call->arena, "%s=%s", key, value)));
	}
	return list;
}

/* What most networks are, and quick to tell. */
static bool has_running(struct docker_call *call, const char *network)
{
	AUTO_JSON json_t *json = NULL;

	return docker_get(call->docker, &json, NULL, "/networks/%s",
			  docker_quote(call->arena, network)) >= 0 &&
	       json_object_size(json_object_get(json, "Containers")) > 0;
}

/*
 * Is there a container in it, started or not, whoever's it is? Docker refuses to remove a network
 * with a running one, Podman throws that one out.
 */
static int is_in_use(struct docker_call *call, const char *network, struct err *err)
{
	AUTO_JSON json_t *list = NULL;
	json_t *names;

	if (has_running(call, network))
		return 1;
	names = json_array();
	json_array_append_new(names, json_string(network));
	if (docker_get(call->docker, &list, err, "/containers/json?all=1&filters=%s",
		       filters(call, "network", names)) < 0)
		return -1;
	return !json_is_array(list) || json_array_size(list) > 0;
}

int docker_networks_tidy(struct docker_call *call, const json_t *labels, struct err *err)
{
	AUTO_JSON json_t *networks = NULL;

	if (docker_get(call->docker, &networks, err, "/networks?filters=%s",
		       filters(call, "label", stage_labels(call, labels))) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(networks); i++) {
		const char *name = json_str(json_array_get(networks, i), "Name", "");
		int used = is_in_use(call, name, err);

		if (used < 0)
			return -1;
		/* one that was joined in this moment stays until that container goes */
		if (!used)
			(void)docker_do(call->docker, "DELETE", NULL, NULL, "/networks/%s",
					docker_quote(call->arena, name));
	}
	return 0;
}

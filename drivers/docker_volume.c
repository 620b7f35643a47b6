#include "base/sys.h"
#include "drivers/docker.h"

static int refuse_foreign(struct docker_call *call, const char *name, struct err *err)
{
	return err_set(err, E_NAME_FOREIGN, "volume %s of node %s is not ours", name,
		       call->docker->node->name);
}

/* 1 and its labels (borrowed from *json), 0 when there is none; E_NAME_FOREIGN. */
static int find_volume(struct docker_call *call, const char *name, json_t **json, struct err *err)
{
	int there = docker_look_up(call->docker, json, err, "/volumes/%s",
				   docker_quote(call->arena, name));

	if (there <= 0)
		return there;
	if (docker_is_ours(call->docker, json_object_get(*json, "Labels")))
		return 1;
	json_decref(*json);
	*json = NULL;
	return refuse_foreign(call, name, err);
}

/*
 * Making one that is there already gives that one, as it is: its labels say whose it is. Only when
 * two make it in the same moment Podman refuses one of them.
 */
static int make(struct docker_call *call, const char *name, json_t *labels, json_t **made,
		struct err *err)
{
	AUTO_JSON json_t *body = json_object();
	const struct docker_request request = {
		.method = "POST", .path = "/volumes/create", .body = body};
	struct err why = ERR_INIT;

	json_put_str(body, "Name", name);
	json_object_set_new(body, "Labels", labels);
	if (docker_ask(call->docker, &request, made, &why) >= 0 ||
	    docker_look_up(call->docker, made, NULL, "/volumes/%s",
			   docker_quote(call->arena, name)) > 0)
		return 0;
	return err_set(err, why.code, "%s", why.text);
}

/* ---- the marker ---- */

static int refuse_owner(struct docker_call *call, const char *owner, struct err *err)
{
	return err_set(err, E_NODE_OWNED, "node %s belongs to %s (volume " DOCKER_MARKER ")",
		       call->docker->node->name, owner ? owner : "somebody");
}

int docker_claim(struct docker_call *call, struct err *err)
{
	AUTO_JSON json_t *there = NULL, *made = NULL;
	unsigned char number[16];
	char hex[2 * sizeof number + 1];
	json_t *labels;
	int found = docker_look_up(call->docker, &there, err, "/volumes/" DOCKER_MARKER);

	if (found < 0)
		return -1;
	if (found) {
		labels = json_object_get(there, "Labels");
		return docker_is_ours(call->docker, labels)
			       ? 0
			       : refuse_owner(call, json_str(labels, LABEL_NAMESPACE "owner", NULL),
					      err);
	}
	hash_random(number, sizeof number);
	hash_to_hex(number, sizeof number, hex);
	labels = json_object();
	json_put_str(labels, LABEL_NAMESPACE "owner", call->docker->env->owner);
	json_put_str(labels, DOCKER_LABEL_ENGINE, hex);
	if (make(call, DOCKER_MARKER, labels, &made, err) != 0)
		return -1;
	labels = json_object_get(made, "Labels");
	if (!docker_is_ours(call->docker, labels)) /* another one was quicker */
		return refuse_owner(call, json_str(labels, LABEL_NAMESPACE "owner", NULL), err);
	call->changed = true;
	return 0;
}

/* ---- volumes of containers ---- */

static json_t *labels_for(const struct spec *spec)
{
	json_t *labels = json_object();

	json_put_str(labels, LABEL_NAMESPACE "owner", spec->labels.owner);
	json_put_str(labels, LABEL_NAMESPACE "project", spec->labels.project);
	json_put_str(labels, LABEL_NAMESPACE "stage", spec->labels.stage);
	json_put_str(labels, LABEL_NAMESPACE "deployment", spec->labels.deployment);
	return labels;
}

static int make_one(struct docker_call *call, const struct spec *spec, const char *name,
		    struct err *err)
{
	AUTO_JSON json_t *json = NULL, *made = NULL;
	int there = find_volume(call, name, &json, err);

	if (there != 0)
		return there < 0 ? -1 : 0;
	if (make(call, name, labels_for(spec), &made, err) != 0)
		return -1;
	return docker_is_ours(call->docker, json_object_get(made, "Labels"))
		       ? 0
		       : refuse_foreign(call, name, err);
}

int docker_volumes_make(struct docker_call *call, const struct spec *spec,
			const struct strings *declared, struct err *err)
{
	const struct volume_list *volumes = &spec->config->volumes;

	for (size_t i = 0; i < volumes->n; i++) {
		const char *name =
			volume_node_name(call->arena, spec->labels.prefix, &volumes->v[i]);

		if (name && make_one(call, spec, name, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < declared->n; i++) {
		if (make_one(call, spec, docker_declared_volume(call->arena, spec, declared->v[i]),
			     err) != 0)
			return -1;
	}
	return 0;
}

int docker_volume_remove(struct docker_call *call, const char *name, struct err *err)
{
	AUTO_JSON json_t *json = NULL;
	int there = find_volume(call, name, &json, err);

	if (there <= 0)
		return there;
	if (docker_do(call->docker, "DELETE", NULL, err, "/volumes/%s",
		      docker_quote(call->arena, name)) < 0)
		return -1;
	call->changed = true;
	return 0;
}

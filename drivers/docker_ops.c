/*
 * The changes: look, be content when it is already so, refuse what is not ours, do one thing.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include <signal.h>

#include "base/clock.h"
#include "base/num.h"

#define STOP_SLACK_MS 30000 /* what an engine may need besides the stop timeout */
#define USUAL_STOP_S 10
#define USUAL_SIGNAL "SIGTERM"

bool docker_is_ours(const struct docker *docker, const json_t *labels)
{
	return owner_same(json_str(labels, LABEL_NAMESPACE "owner", NULL), docker->env->owner);
}

/* ---- finding ---- */

int docker_find(struct docker_call *call, const char *name, json_t **inspect, struct err *err)
{
	int there = docker_look_up(call->docker, inspect, err, "/containers/%s/json",
				   docker_quote(call->arena, name));
	const char *found;

	if (there <= 0)
		return there;
	found = json_str(*inspect, "Name", "");
	if (str_eq(*found == '/' ? found + 1 : found, name)) {
		if (docker_is_ours(call->docker, docker_seen_labels(*inspect)))
			return 1;
		err_set(err, E_NAME_FOREIGN, "container %s of node %s is not ours", name,
			call->docker->node->name);
		json_decref_ptr(inspect);
		return -1;
	}
	json_decref_ptr(inspect); /* found by its id */
	return 0;
}

static int must_find(struct docker_call *call, const char *name, json_t **inspect, struct err *err)
{
	int there = docker_find(call, name, inspect, err);

	if (there == 0)
		return err_set(err, E_NOT_FOUND, "node %s has no container %s",
			       call->docker->node->name, name);
	return there < 0 ? -1 : 0;
}

static const char *status_of(const json_t *inspect)
{
	return json_str(json_object_get(inspect, "State"), "Status", "");
}

/* Something that has to be stopped before it is quiet. */
static bool is_up(const json_t *inspect)
{
	static const char *const words[] = {"running", "restarting", "paused", "stopping"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_eq(status_of(inspect), words[i]))
			return true;
	}
	return false;
}

static bool is_new(const json_t *inspect)
{
	return docker_seen_is_new(status_of(inspect));
}

static bool is_init(const json_t *inspect)
{
	return json_object_get(docker_seen_labels(inspect), LABEL_NAMESPACE "init") != NULL;
}

/* ---- making ---- */

/* The name that it is found by on its networks. */
static const char *answers_to(const struct op *op)
{
	return op->to ? op->to : op->name;
}

/* What comes after the making proper, and may have been cut off: all of it can be done again. */
static int finish(struct docker_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *inspect = NULL;

	if (must_find(call, op->name, &inspect, err) != 0)
		return -1;
	if (!is_new(inspect))
		return 0;
	if (docker_networks_join(call, inspect, op->spec, answers_to(op), err) != 0)
		return -1;
	return docker_files_put(call, json_str(inspect, "Id", ""), op->spec->config, err);
}

/*
 * What the image of an init container declares as volumes is nothing that lasts: the engine makes
 * nameless ones, which go with it.
 */
static int volumes_of_image(struct docker_call *call, const struct spec *spec, struct strings *out,
			    struct err *err)
{
	if (docker_image_volumes(call, spec, out, err) != 0)
		return -1;
	if (spec->labels.init)
		out->n = 0;
	return 0;
}

static int make(struct docker_call *call, const struct op *op, struct err *err)
{
	struct docker_make make = {.alias = answers_to(op),
				   .is_podman = call->docker->is_podman,
				   .network = docker_network_name(call->arena, op->spec)};
	AUTO_JSON json_t *body = NULL;
	struct err why = ERR_INIT;
	struct strings declared;

	if (volumes_of_image(call, op->spec, &declared, err) != 0 ||
	    docker_image_name(call->docker, call->arena, op->spec, &make.image, err) != 0 ||
	    docker_volumes_make(call, op->spec, &declared, err) != 0 ||
	    docker_networks_make(call, op->spec, err) != 0)
		return -1;
	make.declared = &declared;
	body = docker_spec_json(op->spec, &make);
	if (docker_ports_check(call, op->name, body, err) != 0)
		return -1;
	if (docker_do(call->docker, "POST", body, &why, "/containers/create?name=%s",
		      docker_quote(call->arena, op->name)) >= 0) {
		call->changed = true;
		return 0;
	}
	return err_set(err, why.code == E_NOT_FOUND ? E_ENGINE : why.code, "%s", why.text);
}

static int op_create(struct docker_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *inspect = NULL;
	int there = docker_find(call, op->name, &inspect, err);

	if (there < 0)
		return -1;
	if (there && !str_eq(json_str(docker_seen_labels(inspect), LABEL_NAMESPACE "spec", NULL),
			     op->spec->labels.spec))
		return err_set(err, E_CONFLICT, "container %s of node %s is there, made otherwise",
			       op->name, call->docker->node->name);
	if (!there && make(call, op, err) != 0)
		return -1;
	return finish(call, op, err);
}

/* ---- running ---- */

/* 1: started, 0: it ran already. */
static int start(struct docker_call *call, const json_t *inspect, struct err *err)
{
	int status = docker_do(call->docker, "POST", NULL, err, "/containers/%s/%s",
			       json_str(inspect, "Id", ""),
			       str_eq(status_of(inspect), "paused") ? "unpause" : "start");

	return status < 0 ? -1 : status != 304;
}

static int op_start(struct docker_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *inspect = NULL;
	struct err why = ERR_INIT;
	int started;

	if (must_find(call, op->name, &inspect, err) != 0)
		return -1;
	started = start(call, inspect, &why);
	/* the container is there: it may be a network of its that is not */
	if (started < 0 && why.code == E_NOT_FOUND) {
		if (docker_networks_mend(call, inspect, op->name, err) != 0)
			return -1;
		started = start(call, inspect, &why);
	}
	if (started < 0 && docker_ports_refused(why.text))
		return err_set(err, E_NAME_FOREIGN, "%s", why.text);
	if (started < 0)
		return err_set(err, why.code == E_NOT_FOUND ? E_ENGINE : why.code, "%s", why.text);
	call->changed = started > 0;
	return 0;
}

/* What it was asked to end by: as written, else the image's, else the usual one. Podman has a
 * number. */
static const char *stop_signal(struct docker_call *call, const json_t *inspect)
{
	const struct container *config =
		docker_seen_config(docker_seen_labels(inspect), call->arena);
	const char *text = json_str(json_object_get(inspect, "Config"), "StopSignal", USUAL_SIGNAL);
	int64_t number;

	if (config && config->stop_signal)
		return config->stop_signal;
	if (num_parse_int(text, 1, 31, &number) == 0)
		return arena_printf(call->arena, "SIG%s", sigabbrev_np((int)number));
	return text;
}

static bool was_killed(struct docker_call *call, const char *id)
{
	AUTO_JSON json_t *inspect = NULL;

	return docker_get(call->docker, &inspect, NULL, "/containers/%s/json", id) >= 0 &&
	       json_int(json_object_get(inspect, "State"), "ExitCode", 0) == 128 + SIGKILL;
}

/*
 * The kernel keeps signals without a handler from the first process of a container, so that each
 * stop of such a one takes the whole timeout; people then blame whoever stopped it.
 */
static void tell_of_kill(struct docker_call *call, const json_t *inspect, int64_t seconds)
{
	const char *signal = stop_signal(call, inspect);
	struct op_result *result = call->result;

	if (!result || strcasestr(signal, "KILL") || !was_killed(call, json_str(inspect, "Id", "")))
		return;
	snprintf(result->unheard, sizeof result->unheard, "%s", signal);
	buf_addf(&result->detail,
		 "it did not end by %s within %lld s and was killed: its first process may have no "
		 "handler for it; stopSignal: SIGKILL would spare the wait",
		 signal, (long long)seconds);
}

static int stop(struct docker_call *call, const json_t *inspect, struct err *err)
{
	int64_t began = clock_boot_ms();
	int64_t seconds = json_int(json_object_get(inspect, "Config"), "StopTimeout", USUAL_STOP_S);
	struct docker_request request = {
		.method = "POST",
		.path = arena_printf(call->arena, "/containers/%s/stop?t=%lld",
				     json_str(inspect, "Id", ""), (long long)seconds),
		.total_ms = seconds * 1000 + STOP_SLACK_MS,
	};
	struct err why = ERR_INIT;
	int status;

	if (!is_up(inspect))
		return 0;
	if (str_eq(status_of(inspect), "paused") &&
	    docker_do(call->docker, "POST", NULL, err, "/containers/%s/unpause",
		      json_str(inspect, "Id", "")) < 0)
		return -1;
	status = docker_ask(call->docker, &request, NULL, &why);
	if (status < 0 && why.code != E_NOT_FOUND)
		return err_set(err, why.code, "%s", why.text);
	call->changed = status >= 0 && status != 304;
	if (seconds > 0 && clock_boot_ms() - began >= seconds * 1000)
		tell_of_kill(call, inspect, seconds);
	return 0;
}

static int op_stop(struct docker_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *inspect = NULL;
	int there = docker_find(call, op->name, &inspect, err);

	if (there <= 0)
		return there;
	return stop(call, inspect, err);
}

static int op_remove(struct docker_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *inspect = NULL;
	int there = docker_find(call, op->name, &inspect, err);
	struct err why = ERR_INIT;

	if (there <= 0)
		return there;
	if (stop(call, inspect, err) != 0)
		return -1;
	if (docker_do(call->docker, "DELETE", NULL, &why, "/containers/%s?force=1%s",
		      json_str(inspect, "Id", ""), is_init(inspect) ? "&v=1" : "") < 0 &&
	    why.code != E_NOT_FOUND)
		return err_set(err, why.code, "%s", why.text);
	call->changed = true;
	return docker_networks_tidy(call, docker_seen_labels(inspect), err);
}

/* ---- names ---- */

static int op_rename(struct docker_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *from = NULL, *to = NULL;
	int there = docker_find(call, op->name, &from, err), taken;

	if (there < 0)
		return -1;
	taken = docker_find(call, op->to, &to, err);
	if (taken < 0)
		return -1;
	if (there && taken)
		return err_set(err, E_CONFLICT, "container %s of node %s is still there", op->to,
			       call->docker->node->name);
	if (taken) /* renamed; were its aliases? */
		return docker_networks_alias(call, to, op->to, err);
	if (!there)
		return err_set(err, E_NOT_FOUND, "node %s has no container %s",
			       call->docker->node->name, op->name);
	if (docker_do(call->docker, "POST", NULL, err, "/containers/%s/rename?name=%s",
		      json_str(from, "Id", ""), docker_quote(call->arena, op->to)) < 0)
		return -1;
	call->changed = true;
	return docker_networks_alias(call, from, op->to, err);
}

static int op_alias(struct docker_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *inspect = NULL;

	if (must_find(call, op->name, &inspect, err) != 0)
		return -1;
	return docker_networks_alias(call, inspect, op->to, err);
}

/* Nothing can change in place (docker.h): only what is so already can be asked for. */
static int op_update(struct docker_call *call, const struct op *op, struct err *err)
{
	AUTO_JSON json_t *inspect = NULL;
	struct workload seen;

	if (must_find(call, op->name, &inspect, err) != 0 ||
	    docker_seen_workload(inspect, clock_wall_ms(), call->arena, &seen, err) != 0)
		return -1;
	return driver_check_update(call->docker->driver.ops, seen.digest, seen.config, op->spec,
				   err);
}

/* ---- the rest ---- */

static int op_claim(struct docker_call *call, const struct op *op, struct err *err)
{
	(void)op;
	return docker_claim(call, err);
}

static int op_pull(struct docker_call *call, const struct op *op, struct err *err)
{
	return docker_pull(call, op->spec, err);
}

static int op_volume_remove(struct docker_call *call, const struct op *op, struct err *err)
{
	return docker_volume_remove(call, op->name, err);
}

static int op_image_remove(struct docker_call *call, const struct op *op, struct err *err)
{
	return docker_image_remove(call, op->name, err);
}

static int (*const changes[OPS_COUNT])(struct docker_call *call, const struct op *op,
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

/*
 * On Podman 4 a container that is in two networks is told one name server for each, and believes
 * whichever it asks first: in a network of its stack it would lose the names of its stage by
 * chance.
 */
static struct op what_engine_can(const struct docker *docker, const struct op *op,
				 struct spec *place)
{
	struct op same = *op;

	if (!docker->is_podman || !op->spec || !op->spec->labels.stack)
		return same;
	*place = *op->spec;
	place->labels.stack = NULL;
	same.spec = place;
	return same;
}

int docker_apply(struct docker *docker, const struct op *op, struct op_result *result,
		 struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct docker_call call = {.docker = docker, .arena = arena, .result = result};
	int64_t began = clock_boot_ms();
	struct spec place;
	struct op now;
	int done;

	/* what it is shows in its first answer */
	if (op->spec && op->spec->labels.stack && docker_meet(docker, err) != 0)
		return -1;
	now = what_engine_can(docker, op, &place);
	done = changes[op->kind](&call, &now, err);
	if (result) {
		result->changed = done == 0 && call.changed;
		result->took_ms = clock_boot_ms() - began;
	}
	return done;
}

/*
 * Host ports that are taken, found when a container is made: by then nothing of what it replaces
 * was stopped.
 *
 * What containers have, their list tells. What a process beside them has no call tells, and whoever
 * asks may be on another machine. So, but only where something runs that would have to be stopped,
 * the engine is asked to start a container with these ports whose program does not exist: it takes
 * the ports before it looks for the program.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include "base/num.h"

#define TRIAL_SUFFIX ".ports"
#define TRIAL_PROGRAM "/trueup.invalid"

bool docker_ports_refused(const char *words)
{
	return strstr(words, "port is already allocated") ||
	       strstr(words, "address already in use");
}

/* ---- who has which ---- */

static bool is_any(const char *address)
{
	return !*address || str_eq(address, "0.0.0.0") || str_eq(address, "::");
}

/* binding: {"HostIp", "HostPort"} of a container to be made; port: of one in the list. */
static bool clashes(const char *protocol, const json_t *binding, const json_t *port)
{
	const char *wanted = json_str(binding, "HostIp", ""), *has = json_str(port, "IP", "");
	int64_t number;

	return str_eq(json_str(port, "Type", ""), protocol) &&
	       num_parse_int(json_str(binding, "HostPort", ""), 1, 65535, &number) == 0 &&
	       json_int(port, "PublicPort", 0) == number &&
	       (is_any(wanted) || is_any(has) || str_eq(wanted, has));
}

static bool has_port(const json_t *container, const char *protocol, const json_t *binding)
{
	const json_t *ports = json_object_get(container, "Ports");

	for (size_t i = 0; i < json_array_size(ports); i++) {
		if (clashes(protocol, binding, json_array_get(ports, i)))
			return true;
	}
	return false;
}

static const json_t *holder_of(const json_t *running, const char *protocol, const json_t *binding)
{
	for (size_t i = 0; i < json_array_size(running); i++) {
		if (has_port(json_array_get(running, i), protocol, binding))
			return json_array_get(running, i);
	}
	return NULL;
}

static int taken_by(struct docker_call *call, const json_t *holder, const json_t *binding,
		    struct err *err)
{
	const char *name = json_string_value(json_array_get(json_object_get(holder, "Names"), 0));

	return err_set(err, E_NAME_FOREIGN,
		       "host port %s of node %s is taken by container %s, which is not ours",
		       json_str(binding, "HostPort", ""), call->docker->node->name,
		       name ? name + (*name == '/') : "without a name");
}

/* Those of one port of the container that nobody has go to *rest. */
static int check_port(struct docker_call *call, const json_t *running, const char *key,
		      json_t *list, json_t *rest, struct err *err)
{
	const char *slash = strchr(key, '/'), *protocol = slash ? slash + 1 : "tcp";
	AUTO_JSON json_t *open = json_array();

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *binding = json_array_get(list, i);
		const json_t *holder = holder_of(running, protocol, binding);

		if (!holder)
			json_array_append(open, binding);
		else if (!docker_is_ours(call->docker, json_object_get(holder, "Labels")))
			return taken_by(call, holder, binding, err);
	}
	if (json_array_size(open))
		json_object_set(rest, key, open);
	return 0;
}

/* Those that nobody has go to *rest; of ours, whoever has one will be asked to end. */
static int check_list(struct docker_call *call, const json_t *running, json_t *bindings,
		      json_t *rest, struct err *err)
{
	const char *key;
	json_t *list;

	json_object_foreach(bindings, key, list)
	{
		if (check_port(call, running, key, list, rest, err) != 0)
			return -1;
	}
	return 0;
}

/* Does anything run of the deployment whose container is made? */
static bool is_replacing(const json_t *running, const json_t *labels)
{
	static const char *const keys[] = {LABEL_NAMESPACE "owner", LABEL_NAMESPACE "project",
					   LABEL_NAMESPACE "stage", LABEL_NAMESPACE "deployment"};

	for (size_t i = 0; i < json_array_size(running); i++) {
		const json_t *theirs = json_object_get(json_array_get(running, i), "Labels");
		size_t same = 0;

		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			same += str_eq(json_str(theirs, keys[k], ""),
				       json_str(labels, keys[k], NULL));
		if (same == ARRAY_LEN(keys))
			return true;
	}
	return false;
}

/* ---- a trial ---- */

/*
 * It bears the labels of the container that it stands for: what is left of it when somebody dies
 * here is one container too many of that deployment, and goes like any other.
 */
static json_t *trial_body(const json_t *body, json_t *bindings)
{
	const json_t *host = json_object_get(body, "HostConfig");
	json_t *trial = json_object(), *trial_host = json_object(), *program = json_array();

	json_array_append_new(program, json_string(TRIAL_PROGRAM));
	json_object_set_new(trial, "Entrypoint", program);
	json_put_str(trial, "Image", json_str(body, "Image", ""));
	json_object_set(trial, "Labels", json_object_get(body, "Labels"));
	json_object_set(trial, "ExposedPorts", json_object_get(body, "ExposedPorts"));
	json_object_set(trial_host, "PortBindings", bindings);
	json_put_str(trial_host, "NetworkMode", json_str(host, "NetworkMode", "default"));
	json_object_set_new(trial, "HostConfig", trial_host);
	return trial;
}

static bool is_named(const char *port, const char *words)
{
	AUTO_FREE char *ending = mem_printf(":%s", port);
	const char *at = strstr(words, ending);

	return at && !strchr("0123456789", at[strlen(ending)]);
}

/* The one that the engine's words name. */
static const char *refused_port(json_t *bindings, const char *words)
{
	const char *key, *first = NULL;
	json_t *list;

	json_object_foreach(bindings, key, list)
	{
		for (size_t i = 0; i < json_array_size(list); i++) {
			const char *port = json_str(json_array_get(list, i), "HostPort", "");

			if (is_named(port, words))
				return port;
			first = first ? first : port;
		}
	}
	return first;
}

static int try_ports(struct docker_call *call, const char *name, const json_t *body,
		     json_t *bindings, struct err *err)
{
	AUTO_JSON json_t *trial = trial_body(body, bindings);
	const char *quoted =
		docker_quote(call->arena, arena_printf(call->arena, "%s" TRIAL_SUFFIX, name));
	struct err why = ERR_INIT;

	/* one that was left there may be of other ports */
	if ((docker_do(call->docker, "DELETE", NULL, &why, "/containers/%s?force=1", quoted) < 0 &&
	     why.code != E_NOT_FOUND) ||
	    docker_do(call->docker, "POST", trial, &why, "/containers/create?name=%s", quoted) < 0)
		return err_set(err, why.code == E_NOT_FOUND ? E_ENGINE : why.code, "%s", why.text);
	why = (struct err)ERR_INIT;
	(void)docker_do(call->docker, "POST", NULL, &why, "/containers/%s/start", quoted);
	if (docker_do(call->docker, "DELETE", NULL, err, "/containers/%s?force=1", quoted) < 0)
		return -1;
	if (why.code != E_NONE && docker_ports_refused(why.text))
		return err_set(err, E_NAME_FOREIGN,
			       "host port %s is taken by something that is no container: %s",
			       refused_port(bindings, why.text), why.text);
	return 0;
}

int docker_ports_check(struct docker_call *call, const char *name, const json_t *body,
		       struct err *err)
{
	json_t *bindings = json_object_get(json_object_get(body, "HostConfig"), "PortBindings");
	AUTO_JSON json_t *running = NULL, *rest = json_object();

	if (json_object_size(bindings) == 0)
		return 0;
	if (docker_get(call->docker, &running, err, "/containers/json") < 0 ||
	    check_list(call, running, bindings, rest, err) != 0)
		return -1;
	if (json_object_size(rest) == 0 || !is_replacing(running, json_object_get(body, "Labels")))
		return 0;
	return try_ports(call, name, body, rest, err);
}

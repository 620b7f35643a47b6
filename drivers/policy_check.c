/*
 * policy_check.c - what a container asks of its node, held against the settings.
 */
#include "base/sys.h"
#include "drivers/policy.h"

#include "schema/forms.h"

struct asking {
	const struct settings *settings;
	const struct node *machine;
	const char *node; /* its name */
	const struct unit *unit;
	struct diags *diags;
};

/* Reports at a field of an object, with the setting that says what is allowed. */
#define REFUSE(asking, object, type, member, setting_hint, ...)                                    \
	(diags_add((asking)->diags, DIAG_POLICY, (asking)->unit, PATH_OF((object), type, member),  \
		   AT((object), type, member), __VA_ARGS__)                                        \
		 ->hint = (setting_hint))

/* ---- ports ---- */

#define PORTS_HINT "the settings' policy.hostPorts lists the ports that may"

static bool port_allowed(const struct asking *asking, int64_t port)
{
	return policy_port_allowed(asking->settings, asking->node, port);
}

static void check_ports(const struct asking *asking, const struct container *config)
{
	bool shares = config->network_mode == NETWORK_HOST;

	for (size_t i = 0; i < config->ports.n; i++) {
		const struct port *port = &config->ports.v[i];

		if (port->host && !port_allowed(asking, port->host))
			REFUSE(asking, port, port, host, PORTS_HINT,
			       "port %lld of node %s may not be used", (long long)port->host,
			       asking->node);
		else if (shares && !port->host && !port_allowed(asking, port->container))
			REFUSE(asking, port, port, container, PORTS_HINT,
			       "port %lld of node %s may not be used", (long long)port->container,
			       asking->node);
	}
}

static void check_port_ranges(const struct asking *asking, const struct container *config)
{
	for (size_t i = 0; i < config->port_ranges.n; i++) {
		const struct port_range *range = &config->port_ranges.v[i];
		int64_t low, high;

		if (!range->host || form_ports(range->host, &low, &high) != 0)
			continue;
		while (low <= high && port_allowed(asking, low))
			low++;
		if (low <= high)
			REFUSE(asking, range, port_range, host, PORTS_HINT,
			       "port %lld of node %s may not be used", (long long)low,
			       asking->node);
	}
}

/* ---- places ---- */

/* As engines install themselves; below /run/user/<uid>, the same for engines of users. */
static const char *const engine_sockets[] = {
	"/run/docker.sock",    "/run/podman/podman.sock",      "/run/containerd/containerd.sock",
	"/run/crio/crio.sock", "/run/buildkit/buildkitd.sock",
};

/* The part of a path behind a folder; NULL when it is not in it. */
static const char *below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0')
		       ? path + len
		       : NULL;
}

/* Is the file what the path names, or in what it names? */
static bool holds(const char *path, const char *file)
{
	return str_eq(path, "/") || below(file, path);
}

#define UNIX_URL "unix://"

bool policy_path_has_engine_socket(const struct node *node, const char *path)
{
	const char *rest = below(path, "/run");
	char plain[4096];

	if (node->endpoint && str_starts(node->endpoint, UNIX_URL) &&
	    holds(path, node->endpoint + strlen(UNIX_URL)))
		return true;
	rest = rest ? rest : below(path, "/var/run");
	if (rest && below(rest, "/user")) {
		rest += strlen("/user");
		rest += *rest == '/';
		rest += strcspn(rest, "/");
	}
	if (rest && (size_t)snprintf(plain, sizeof plain, "/run%s", rest) < sizeof plain)
		path = plain;
	for (size_t i = 0; i < ARRAY_LEN(engine_sockets); i++) {
		if (holds(path, engine_sockets[i]))
			return true;
	}
	return str_eq(path, "/var");
}

static void check_volumes(const struct asking *asking, const struct volume_list *volumes)
{
	struct strings allowed = policy_host_paths(asking->settings, asking->node);

	for (size_t i = 0; i < volumes->n; i++) {
		const struct volume *volume = &volumes->v[i];

		if (!volume->host_path)
			continue;
		if (!policy_path_within(volume->host_path, &allowed))
			REFUSE(asking, volume, volume, host_path,
			       "the settings' policy.hostPaths lists the folders that may",
			       "folder %s of node %s may not be used", volume->host_path,
			       asking->node);
		else if (policy_path_has_engine_socket(asking->machine, volume->host_path) &&
			 !policy_engine_sockets(asking->settings, asking->node))
			REFUSE(asking, volume, volume, host_path,
			       "the settings' policy.engineSockets says whether it may: who has it "
			       "has the node",
			       "%s of node %s is or holds the socket of an engine, which may not "
			       "be used",
			       volume->host_path, asking->node);
	}
}

static struct loc item_at(const struct strings *list, size_t i, struct loc at)
{
	return list->at ? list->at[i] : at;
}

static void check_devices(const struct asking *asking, const struct container *config)
{
	struct strings allowed = policy_devices(asking->settings, asking->node);

	for (size_t i = 0; i < config->devices.n; i++) {
		const char *text = config->devices.v[i];
		AUTO_FREE char *device = mem_strndup(text, strcspn(text, ":"));

		if (policy_path_within(device, &allowed))
			continue;
		diags_add(asking->diags, DIAG_POLICY, asking->unit,
			  PATH_OF(config, container, devices),
			  item_at(&config->devices, i, AT(config, container, devices)),
			  "device %s of node %s may not be used", device, asking->node)
			->hint = "the settings' policy.devices lists the devices that may";
	}
}

/* ---- rights ---- */

static void check_capabilities(const struct asking *asking, const struct container *config)
{
	for (size_t i = 0; i < config->capabilities.n; i++) {
		const char *name = config->capabilities.v[i];

		if (*name == '-' || policy_capability_allowed(asking->settings, asking->node, name))
			continue;
		diags_add(asking->diags, DIAG_POLICY, asking->unit,
			  PATH_OF(config, container, capabilities),
			  item_at(&config->capabilities, i, AT(config, container, capabilities)),
			  "capability %s may not be added on node %s", name, asking->node)
			->hint = "the settings' policy.capabilities lists those that may";
	}
}

static void check_rights(const struct asking *asking, const struct container *config)
{
	if (config->privileged && !policy_privileged(asking->settings, asking->node))
		REFUSE(asking, config, container, privileged,
		       "the settings' policy.privileged says whether they may",
		       "privileged containers may not run on node %s", asking->node);
	if (config->network_mode == NETWORK_HOST &&
	    !policy_host_namespaces(asking->settings, asking->node))
		REFUSE(asking, config, container, network_mode,
		       "the settings' policy.hostNamespaces says whether it may",
		       "the network of node %s itself may not be used", asking->node);
}

void policy_check(const struct node *node, const struct driver_env *env, const struct spec *spec,
		  const struct unit *unit, struct diags *diags)
{
	const struct container *config = spec->config;

	if (!env)
		return;
	const struct asking asking = {env->settings, node, node->name, unit, diags};

	check_ports(&asking, config);
	check_port_ranges(&asking, config);
	check_volumes(&asking, &config->volumes);
	for (size_t i = 0; i < config->init.n; i++)
		check_volumes(&asking, &config->init.v[i].volumes);
	check_devices(&asking, config);
	check_capabilities(&asking, config);
	check_rights(&asking, config);
}

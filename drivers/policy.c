#include "base/sys.h"
#include "drivers/policy.h"

#include "base/num.h"

static const char *const default_ports[] = {"80", "443", "1024-65535"};

/* The exceptions for a node, or NULL. */
static const struct node_policy *exceptions(const struct settings *settings, const char *node)
{
	const struct policy *policy = settings->policy;

	for (size_t i = 0; policy && i < policy->nodes.n; i++) {
		if (str_eq(policy->nodes.name[i], node))
			return &policy->nodes.v[i];
	}
	return NULL;
}

const struct host_policy *policy_host_driver(const struct settings *settings, const char *node)
{
	const struct node_policy *exception = exceptions(settings, node);

	if (exception && IS_SET(exception, node_policy, host_driver))
		return exception->host_driver;
	return settings->policy ? settings->policy->host_driver : NULL;
}

static struct strings allowed_ports(const struct settings *settings, const char *node)
{
	const struct node_policy *exception = exceptions(settings, node);

	if (exception && IS_SET(exception, node_policy, host_ports))
		return exception->host_ports;
	if (settings->policy && IS_SET(settings->policy, policy, host_ports))
		return settings->policy->host_ports;
	return (struct strings){.v = (const char **)(uintptr_t)default_ports,
				.n = ARRAY_LEN(default_ports)};
}

struct strings policy_host_paths(const struct settings *settings, const char *node)
{
	const struct node_policy *exception = exceptions(settings, node);

	if (exception && IS_SET(exception, node_policy, host_paths))
		return exception->host_paths;
	return settings->policy ? settings->policy->host_paths : (struct strings){0};
}

/* "80" or "1024-65535"; a range that cannot be read allows nothing. */
static bool in_range(const char *range, int64_t port)
{
	const char *dash = strchr(range, '-');
	AUTO_FREE char *low = mem_strndup(range, dash ? (size_t)(dash - range) : strlen(range));
	int64_t from, to;

	if (num_parse_int(low, 1, 65535, &from) != 0)
		return false;
	to = from;
	if (dash && num_parse_int(dash + 1, from, 65535, &to) != 0)
		return false;
	return from <= port && port <= to;
}

bool policy_port_allowed(const struct settings *settings, const char *node, int64_t port)
{
	struct strings allowed = allowed_ports(settings, node);

	for (size_t i = 0; i < allowed.n; i++) {
		if (in_range(allowed.v[i], port))
			return true;
	}
	return false;
}

static void check_port(const struct settings *settings, const struct node *node,
		       const struct port *port, const struct unit *unit, struct diags *diags)
{
	struct diag *diag;

	if (policy_port_allowed(settings, node->name, port->host))
		return;
	diag = diags_add(diags, DIAG_POLICY, unit, head_path(&port->head, port_host_F),
			 AT(port, port, host), "port %lld of node %s may not be used",
			 (long long)port->host, node->name);
	diag->hint = "the settings' policy.hostPorts lists the ports that may";
}

bool policy_path_is_plain(const char *path)
{
	if (*path != '/')
		return false;
	while (*path) {
		size_t len = strcspn(++path, "/");

		if (len == 0 && *path)
			return false;
		if (len > 0 && len <= 2 && strspn(path, ".") >= len)
			return false;
		path += len;
	}
	return true;
}

static bool is_within(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	while (len > 0 && folder[len - 1] == '/')
		len--;
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

bool policy_path_within(const char *path, const struct strings *folders)
{
	for (size_t i = 0; policy_path_is_plain(path) && i < folders->n; i++) {
		if (policy_path_is_plain(folders->v[i]) && is_within(path, folders->v[i]))
			return true;
	}
	return false;
}

static void check_path(const struct strings *allowed, const struct node *node,
		       const struct volume *volume, const struct unit *unit, struct diags *diags)
{
	const char *file = head_path(&volume->head, volume_host_path_F);
	struct loc at = AT(volume, volume, host_path);
	struct diag *diag;

	if (policy_path_within(volume->host_path, allowed))
		return;
	diag = diags_add(diags, DIAG_POLICY, unit, file, at, "folder %s of node %s may not be used",
			 volume->host_path, node->name);
	diag->hint = "the settings' policy.hostPaths lists the folders that may";
}

void policy_check(const struct node *node, const struct driver_env *env, const struct spec *spec,
		  const struct unit *unit, struct diags *diags)
{
	const struct container *config = spec->config;
	struct strings paths;

	if (!env)
		return;
	paths = policy_host_paths(env->settings, node->name);
	for (size_t i = 0; i < config->ports.n; i++) {
		if (IS_SET(&config->ports.v[i], port, host))
			check_port(env->settings, node, &config->ports.v[i], unit, diags);
	}
	for (size_t i = 0; i < config->volumes.n; i++) {
		if (IS_SET(&config->volumes.v[i], volume, host_path))
			check_path(&paths, node, &config->volumes.v[i], unit, diags);
	}
}

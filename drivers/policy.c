#include "base/sys.h"
#include "drivers/policy.h"

#include "base/num.h"
#include "schema/kinds.h"

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

/* The value that is in force for a node: of its exception, else the general one; NULL: none. */
static const void *setting(const struct settings *settings, const char *node, unsigned special,
			   unsigned general)
{
	const struct node_policy *exception = exceptions(settings, node);

	if (exception && exception->head.set >> special & 1)
		return field_const_slot(exception, &type_node_policy.fields[special]);
	if (settings->policy && settings->policy->head.set >> general & 1)
		return field_const_slot(settings->policy, &type_policy.fields[general]);
	return NULL;
}
#define SETTING(settings, node, member)                                                            \
	setting((settings), (node), node_policy_##member##_F, policy_##member##_F)

static struct strings list_or_none(const struct strings *list)
{
	return list ? *list : (struct strings){0};
}

static bool has_word(const struct strings *list, const char *word)
{
	for (size_t i = 0; i < list->n; i++) {
		if (str_eq(list->v[i], word))
			return true;
	}
	return false;
}

const struct host_policy *policy_host_driver(const struct settings *settings, const char *node)
{
	const struct host_policy *const *value = SETTING(settings, node, host_driver);

	return value ? *value : NULL;
}

struct strings policy_host_paths(const struct settings *settings, const char *node)
{
	return list_or_none(SETTING(settings, node, host_paths));
}

struct strings policy_devices(const struct settings *settings, const char *node)
{
	return list_or_none(SETTING(settings, node, devices));
}

bool policy_privileged(const struct settings *settings, const char *node)
{
	const bool *value = SETTING(settings, node, privileged);

	return value && *value;
}

bool policy_host_namespaces(const struct settings *settings, const char *node)
{
	const bool *value = SETTING(settings, node, host_namespaces);

	return value && *value;
}

bool policy_engine_sockets(const struct settings *settings, const char *node)
{
	const bool *value = SETTING(settings, node, engine_sockets);

	return value && *value;
}

bool policy_capability_allowed(const struct settings *settings, const char *node, const char *name)
{
	const struct strings allowed = list_or_none(SETTING(settings, node, capabilities));

	return has_word(&allowed, "ALL") || has_word(&allowed, name);
}

bool policy_registry_allowed(const struct settings *settings, const char *node, const char *name)
{
	const struct strings *allowed = SETTING(settings, node, registries);

	return !allowed || has_word(allowed, REGISTRIES_DECLARED) || has_word(allowed, name);
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
	const struct strings *allowed = SETTING(settings, node, host_ports);
	size_t n = allowed ? allowed->n : ARRAY_LEN(default_ports);

	for (size_t i = 0; i < n; i++) {
		if (in_range(allowed ? allowed->v[i] : default_ports[i], port))
			return true;
	}
	return false;
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

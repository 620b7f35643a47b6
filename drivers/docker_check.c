/*
 * What a manifest cannot have on an engine, beyond the fields that the driver does not carry out.
 */
#include "base/sys.h"
#include "drivers/docker.h"

/* A container that has the node's network, or none, can be in no other. */
static void check_networks(const struct spec *spec, const struct unit *unit, struct diags *diags)
{
	const struct container *config = spec->config;

	if (config->networks.n > 0 &&
	    (config->network_mode == NETWORK_NONE || config->network_mode == NETWORK_HOST))
		diags_add(diags, DIAG_BAD_VALUE, unit, PATH_OF(config, container, networks),
			  AT(config, container, networks),
			  "a container with networkMode %s is in no network",
			  config->network_mode == NETWORK_HOST ? "host" : "none");
}

/* A rootless engine's containers are in a network that only its own processes can see. */
static const char *why_out_of_reach(const struct node *node)
{
	if (!node->endpoint)
		return NULL;
	if (!str_starts(node->endpoint, "unix://"))
		return "its engine is not asked by a socket there";
	if (str_starts(node->endpoint, "unix:///run/user/"))
		return "its engine is rootless, and no container of it can be reached";
	return NULL;
}

/* Engines run commands only: all else is asked from here, at the container's own address. */
static void check_probe(const struct node *node, const struct spec *spec, const struct unit *unit,
			struct diags *diags)
{
	const struct health_check *check = spec->config->health_check;
	bool alone = spec->config->network_mode == NETWORK_NONE;
	const char *why =
		alone ? "a container with networkMode none has no port" : why_out_of_reach(node);
	struct diag *diag;

	if (!probe_is_for(check) || !why)
		return;
	diag = diags_add(diags, alone ? DIAG_BAD_VALUE : DIAG_NOT_SUPPORTED, unit,
			 check->http ? PATH_OF(check, health_check, http)
				     : PATH_OF(check, health_check, tcp),
			 check->http ? AT(check, health_check, http) : AT(check, health_check, tcp),
			 "node %s: a check by %s is made from the reconciler's machine, but %s",
			 node->name, check->http ? "http" : "tcp", why);
	diag->hint = "healthCheck: {command: [...]} is run inside the container";
}

static void check_endpoint(const struct node *node, const struct driver_env *env,
			   const struct unit *unit, struct diags *diags)
{
	struct docker_endpoint endpoint;
	struct err problem = ERR_INIT;
	struct node there = *node;

	if (!env)
		return;
	there.credentials = NULL; /* what is in the folder shows when it is needed */
	if (docker_endpoint_read(&there, env, &endpoint, &problem) != 0)
		diags_add(diags, DIAG_BAD_VALUE, unit, PATH_OF(node, node, endpoint),
			  AT(node, node, endpoint), "node %s: %s", node->name, problem.text);
	docker_endpoint_release(&endpoint);
}

void docker_check(const struct node *node, const struct driver_env *env, const struct spec *spec,
		  const struct unit *unit, struct diags *diags)
{
	check_endpoint(node, env, unit, diags);
	check_networks(spec, unit, diags);
	check_probe(node, spec, unit, diags);
}

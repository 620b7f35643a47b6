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
}

#include "base/sys.h"
#include "schema/whole.h"

#include "base/num.h"
#include "schema/forms.h"
#include "schema/kinds.h"

struct whole {
	const struct container *config;
	const struct unit *unit;
	struct diags *diags;
};

/* Reports at a field of an object. */
#define REPORT(whole, code, object, type, member, ...)                                             \
	diags_add((whole)->diags, (code), (whole)->unit, PATH_OF((object), type, member),          \
		  AT((object), type, member), __VA_ARGS__)

/* ---- ports and routing ---- */

static bool has_port(const struct container *config, int64_t number)
{
	int64_t low, high;

	for (size_t i = 0; i < config->ports.n; i++) {
		if (config->ports.v[i].container == number)
			return true;
	}
	for (size_t i = 0; i < config->port_ranges.n; i++) {
		if (form_ports(config->port_ranges.v[i].container, &low, &high) == 0 &&
		    low <= number && number <= high)
			return true;
	}
	return false;
}

/* Is there exactly one, whatever ports of the node lead to it, so that it need not be named? */
static bool has_one_port(const struct container *config)
{
	const struct port_list *ports = &config->ports;
	size_t same = 0;

	for (size_t i = 0; i < ports->n; i++)
		same += object_key_cmp(&type_port, &ports->v[0], &ports->v[i]) == 0;
	return ports->n > 0 && same == ports->n && config->port_ranges.n == 0;
}

static void check_routing_port(const struct whole *whole, const struct routing *routing)
{
	const struct container *config = whole->config;

	if (IS_SET(routing, routing, port)) {
		if (!has_port(config, routing->port))
			REPORT(whole, DIAG_ROUTING_PORT, routing, routing, port,
			       "the container has no port %lld to route requests to",
			       (long long)routing->port)
				->hint = diags_text(whole->diags, "ports: [%lld] says that it has",
						    (long long)routing->port);
	} else if (!has_one_port(config)) {
		REPORT(whole, DIAG_ROUTING_PORT, config, container, routing,
		       config->ports.n + config->port_ranges.n
			       ? "the container has several ports: routing must name one"
			       : "the container has no port to route requests to")
			->hint = "ports: [8080] and routing: {port: 8080}, for instance";
	}
}

static void check_routing(const struct whole *whole)
{
	const struct routing *routing = whole->config->routing;

	if (!routing)
		return;
	if (!IS_SET(routing, routing, domain))
		REPORT(whole, DIAG_MISSING_FIELD, whole->config, container, routing,
		       "the routing needs a domain")
			->hint = "domain: shop.example.org, for instance";
	check_routing_port(whole, routing);
}

static void check_expose(const struct whole *whole)
{
	const struct container *config = whole->config;

	/* of a routing it was told which port is missing */
	if (KIND_OR(config, container, expose) != EXPOSE_NONE && !config->routing &&
	    !has_one_port(config))
		REPORT(whole, DIAG_ROUTING_PORT, config, container, expose,
		       config->ports.n + config->port_ranges.n
			       ? "the container has several ports: which one is exposed?"
			       : "the container has no port to expose")
			->hint = "ports: [8080], for instance";
}

/* ---- networks ---- */

/* A port of the node leads to a container through a network of its own, and there only. */
static void check_port_on(const struct whole *whole, const struct port *port)
{
	int mode = whole->config->network_mode;

	if (!IS_SET(port, port, host))
		return;
	if (mode == NETWORK_NONE)
		REPORT(whole, DIAG_FIELDS_EXCLUDE, port, port, host,
		       "a host port and networkMode: none exclude each other");
	else if (mode == NETWORK_HOST && port->host != port->container)
		REPORT(whole, DIAG_FIELDS_EXCLUDE, port, port, host,
		       "with networkMode: host port %lld of the container is port %lld of the node",
		       (long long)port->container, (long long)port->container)
			->hint = "leave out host";
}

static void check_range_on(const struct whole *whole, const struct port_range *range)
{
	int mode = whole->config->network_mode;

	if (!range->host)
		return;
	if (mode == NETWORK_NONE)
		REPORT(whole, DIAG_FIELDS_EXCLUDE, range, port_range, host,
		       "host ports and networkMode: none exclude each other");
	else if (mode == NETWORK_HOST && !str_eq(range->host, range->container))
		REPORT(whole, DIAG_FIELDS_EXCLUDE, range, port_range, host,
		       "with networkMode: host the ports of the container are those of the node")
			->hint = "leave out host";
}

static void check_networks(const struct whole *whole)
{
	const struct container *config = whole->config;
	int mode = config->network_mode;

	if (mode != NETWORK_NONE && mode != NETWORK_HOST)
		return;
	if (config->networks.n)
		REPORT(whole, DIAG_FIELDS_EXCLUDE, config, container, networks,
		       "networks and networkMode: %s exclude each other",
		       ENUM_WORD(network_mode, mode));
	for (size_t i = 0; i < config->ports.n; i++)
		check_port_on(whole, &config->ports.v[i]);
	for (size_t i = 0; i < config->port_ranges.n; i++)
		check_range_on(whole, &config->port_ranges.v[i]);
}

/* ---- resources ---- */

static void check_requests(const struct whole *whole)
{
	const struct resources *resources = whole->config->resources;
	const struct amounts *requests = resources ? resources->requests : NULL;
	char asked[NUM_TEXT_MAX], most[NUM_TEXT_MAX];

	if (!requests)
		return;
	if (resources->cpu && requests->cpu > resources->cpu)
		REPORT(whole, DIAG_BAD_VALUE, requests, amounts, cpu,
		       "requests.cpu is %s, more than the upper bound cpu: %s",
		       num_format_cpu(requests->cpu, asked), num_format_cpu(resources->cpu, most));
	if (resources->memory && requests->memory > resources->memory)
		REPORT(whole, DIAG_BAD_VALUE, requests, amounts, memory,
		       "requests.memory is %s, more than the upper bound memory: %s",
		       num_format_size(requests->memory, asked),
		       num_format_size(resources->memory, most));
}

/* ---- all ---- */

bool whole_check_needed(const struct container *layer)
{
	return layer && (layer->routing || layer->expose || layer->network_mode ||
			 (layer->resources && layer->resources->requests));
}

void whole_check(const struct container *merged, const struct unit *unit, struct diags *diags)
{
	const struct whole whole = {merged, unit, diags};

	check_routing(&whole);
	check_expose(&whole);
	check_networks(&whole);
	check_requests(&whole);
}

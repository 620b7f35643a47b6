#include "base/sys.h"
#include "schema/compose_work.h"

#include "base/num.h"
#include "schema/forms.h"

/* Published ports: both forms, ranges, addresses. */

#define PORTS_MAX 100 /* that one entry may stand for, and all of a service together */

struct published {
	const struct doc_node *at;
	const char *address;
	int64_t container, host; /* the first ones; host 0: none */
	int64_t n;		 /* of a range */
	bool udp;
};
struct ports {
	struct compose_work *work;
	struct published v[PORTS_MAX];
	size_t n;
	struct compose_build *config;
};

static bool bad_port(struct ports *ports, const struct doc_node *at, const char *why)
{
	compose_error(ports->work, DIAG_BAD_VALUE, at, "%s", why)->hint =
		"[address:][host:]container[/protocol], with ranges such as 3000-3005";
	return false;
}

/* "8000-8003" as its first number and how many there are. */
static bool read_range(const char *text, int64_t *first, int64_t *n)
{
	int64_t last;

	if (form_ports(text, first, &last) != 0 || *first < 1 || last > 65535 || last < *first)
		return false;
	*n = last - *first + 1;
	return true;
}

static bool take(struct ports *ports, struct published *port, const char *container,
		 const char *host)
{
	int64_t hosts = 0;

	if (!read_range(container, &port->container, &port->n))
		return bad_port(ports, port->at, "a port must be a number from 1 to 65535");
	if (host && *host && !read_range(host, &port->host, &hosts))
		return bad_port(ports, port->at,
				"a port of the node must be a number from 1 to 65535");
	if (hosts && hosts != port->n)
		return bad_port(ports, port->at, "ranges of ports must be of one length");
	if (ports->n == PORTS_MAX)
		return bad_port(ports, port->at, "more than 100 entries of ports");
	ports->v[ports->n++] = *port;
	return true;
}

static bool take_protocol(struct ports *ports, struct published *port, const char *text)
{
	port->udp = str_eq(text, "udp");
	if (port->udp || str_eq(text, "tcp"))
		return true;
	return bad_port(ports, port->at, "the protocol of a port must be tcp or udp");
}

/* "[address:][host:]container[/protocol]"; an IPv6 address stands in brackets. */
static bool take_short(struct ports *ports, const struct doc_node *item)
{
	struct published port = {.at = item};
	char *text = arena_strdup(ports->work->arena, item->text);
	char *slash = strchr(text, '/'), *colon, *before;

	if (slash) {
		*slash = '\0';
		if (!take_protocol(ports, &port, slash + 1))
			return false;
	}
	colon = strrchr(text, ':');
	if (!colon)
		return take(ports, &port, text, NULL);
	*colon = '\0';
	before = strrchr(text, ':');
	if (!before || before[1] == ']')
		return take(ports, &port, colon + 1, text);
	*before = '\0';
	port.address = text;
	if (*text == '[' && str_ends(text, "]")) {
		before[-1] = '\0';
		port.address = text + 1;
	}
	return take(ports, &port, colon + 1, before + 1);
}

static bool take_long(struct ports *ports, const struct doc_node *item)
{
	struct published port = {.at = item};
	const char *target, *protocol;

	if (!compose_section(ports->work, COMPOSE_PORT, item, "ports"))
		return false;
	target = compose_text_of(ports->work, item, "target");
	protocol = compose_text_of(ports->work, item, "protocol");
	port.address = compose_text_of(ports->work, item, "host_ip");
	if (!target)
		return bad_port(ports, item, "the key target is missing");
	if (protocol && !take_protocol(ports, &port, protocol))
		return false;
	return take(ports, &port, target, compose_text_of(ports->work, item, "published"));
}

/* ---- as ports and ranges of ports ---- */

static const struct doc_node *number(struct ports *ports, const struct doc_node *at, int64_t value)
{
	return compose_plain(ports->work, at, compose_text(ports->work, "%lld", (long long)value));
}

static const struct doc_node *one_port(struct ports *ports, const struct published *port, int64_t i)
{
	struct compose_work *work = ports->work;
	struct compose_build build = {0};

	compose_put(work, &build, "container", port->at,
		    number(ports, port->at, port->container + i));
	if (port->host)
		compose_put(work, &build, "host", port->at,
			    number(ports, port->at, port->host + i));
	if (port->udp)
		compose_put(work, &build, "protocol", port->at,
			    compose_scalar(work, port->at, "udp"));
	if (port->address && *port->address)
		compose_put(work, &build, "address", port->at,
			    compose_scalar(work, port->at, port->address));
	return compose_built(work, &build, port->at);
}

/* Only TCP ports that are fixed and on every address can be ranges. */
static bool may_be_range(const struct published *port)
{
	return port->host && !port->udp && !port->address;
}

static const struct doc_node *one_range(struct ports *ports, const struct published *port)
{
	struct compose_work *work = ports->work;
	struct compose_build build = {0};
	const int64_t firsts[] = {port->container, port->host};
	static const char *const keys[] = {"container", "host"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		compose_put(work, &build, keys[i], port->at,
			    compose_scalar(work, port->at,
					   compose_text(work, "%lld-%lld", (long long)firsts[i],
							(long long)(firsts[i] + port->n - 1))));
	return compose_built(work, &build, port->at);
}

static void put_ports(struct ports *ports, const struct doc_node *key)
{
	const struct doc_node *single[PORTS_MAX], *ranges[PORTS_MAX];
	size_t singles = 0, ranges_n = 0;

	for (size_t i = 0; i < ports->n; i++) {
		const struct published *port = &ports->v[i];

		if (port->n > 1 && may_be_range(port)) {
			ranges[ranges_n++] = one_range(ports, port);
			continue;
		}
		for (int64_t j = 0; j < port->n && singles < PORTS_MAX; j++)
			single[singles++] = one_port(ports, port, j);
		if (port->n > PORTS_MAX)
			bad_port(ports, port->at, "more than 100 ports in one range");
	}
	if (singles)
		compose_put(ports->work, ports->config, "ports", key,
			    compose_list(ports->work, key, single, singles));
	if (ranges_n)
		compose_put(ports->work, ports->config, "portRanges", key,
			    compose_list(ports->work, key, ranges, ranges_n));
}

void compose_service_ports(struct compose_work *work, const struct doc_node *service,
			   struct compose_build *config)
{
	const struct doc_node *value = compose_value(service, "ports");
	struct ports ports = {.work = work, .config = config};

	if (!value || !compose_is(work, value, DOC_SEQUENCE, "ports"))
		return;
	for (size_t i = 0; i < value->n; i++) {
		const struct doc_node *item = value->items[i];

		if (item->wrong || item->over == DOC_RESETS)
			continue;
		if (item->type == DOC_SCALAR)
			take_short(&ports, item);
		else
			take_long(&ports, item);
	}
	put_ports(&ports, doc_get(service, "ports")->key);
}

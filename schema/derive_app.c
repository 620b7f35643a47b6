/*
 * derive_app.c - the containers of an app.
 */
#include "base/sys.h"
#include "schema/derive_parts.h"

#include "schema/kinds.h"

size_t derive_main_task(const struct app *app)
{
	for (size_t i = 0; i < app->tasks.n; i++) {
		if (str_eq(app->tasks.name[i], app->name))
			return i;
	}
	return app->tasks.n == 1 ? 0 : app->tasks.n;
}

/* ---- network ---- */

/* What listens by another protocol than TCP says so once, for all ports. */
static struct port_list ports_of(const struct network *network, struct arena *arena)
{
	struct port_list ports = network->ports;

	if (network->protocol != APP_UDP)
		return ports;
	ports.v = arena_memdup(arena, ports.v, ports.n * sizeof *ports.v);
	for (size_t i = 0; i < ports.n; i++) {
		if (IS_SET(&ports.v[i], port, protocol))
			continue;
		ports.v[i].protocol = PROTOCOL_UDP;
		SET_FIELD(&ports.v[i], port, protocol);
	}
	return ports;
}

/* The request goes to the first port. */
static const struct health_check *health_of(const struct app *app, struct arena *arena)
{
	const struct network *network = app->network;
	const struct app_check *said = network->health_check;
	struct http_check *http = ARENA_NEW(arena, struct http_check);
	struct health_check *check = ARENA_NEW(arena, struct health_check);
	struct derived request = DERIVED(http, app->from.file, AT(network, network, health_check));
	struct derived derived = DERIVED(check, app->from.file, AT(network, network, health_check));

	if (said->path) {
		http->path = said->path;
		derive_give(&request, http_check_path_F, AT(said, app_check, path));
	}
	if (said->status) {
		http->status = said->status;
		derive_give(&request, http_check_status_F, AT(said, app_check, status));
	}
	http->port = network->ports.v[0].container;
	derive_give(&request, http_check_port_F, AT(network, network, ports));
	derive_end(&request, arena);
	check->http = http;
	derive_give(&derived, health_check_http_F, AT(network, network, health_check));
	derive_end(&derived, arena);
	return check;
}

size_t derive_main_domain(const struct app *app)
{
	for (size_t i = 0; i < app->domains.n; i++) {
		if (app->domains.v[i].primary)
			return i;
	}
	return 0;
}

/* All but the main one. */
static struct strings aliases_of(const struct app *app, struct arena *arena)
{
	size_t main = derive_main_domain(app), n = app->domains.n - 1;
	const char **names = ARENA_ARRAY(arena, n, const char *);
	struct loc *places = ARENA_ARRAY(arena, n, struct loc);

	for (size_t i = 0, out = 0; i < app->domains.n; i++) {
		if (i == main)
			continue;
		names[out] = app->domains.name[i];
		places[out++] = app->domains.at[i];
	}
	return (struct strings){.v = names, .n = n, .at = places};
}

static void take_domain(const struct app *app, struct container *config, struct derived *derived,
			struct arena *arena)
{
	size_t i = derive_main_domain(app);
	const struct port_list *ports = &config->ports;
	struct routing *routing = ARENA_NEW(arena, struct routing);
	struct derived parts = DERIVED(routing, app->from.file, AT(app, app, domains));

	if (i == app->domains.n || !ports->n)
		return;
	routing->domain = app->domains.name[i];
	routing->port = ports->v[0].container;
	derive_give(&parts, routing_domain_F, app->domains.at[i]);
	derive_give(&parts, routing_port_F, app->domains.at[i]);
	if (app->domains.n > 1) {
		routing->aliases = aliases_of(app, arena);
		derive_give(&parts, routing_aliases_F, AT(app, app, domains));
	}
	derive_end(&parts, arena);
	config->routing = routing;
	derive_give(derived, container_routing_F, app->domains.at[i]);
}

static void take_network(const struct app *app, struct container *config, struct derived *derived,
			 struct arena *arena)
{
	const struct network *network = app->network;

	if (!network)
		return;
	if (network->ports.n) {
		config->ports = ports_of(network, arena);
		derive_give(derived, container_ports_F, AT(network, network, ports));
	}
	if (network->health_check && network->ports.n) {
		config->health_check = health_of(app, arena);
		derive_give(derived, container_health_check_F, AT(network, network, health_check));
	}
	if (network->public) {
		config->expose = EXPOSE_HTTP;
		derive_give(derived, container_expose_F, AT(network, network, public));
	}
}

/* ---- tasks ---- */

static void take_task(const struct task *task, struct container *config, struct derived *derived)
{
	if (IS_SET(task, task, command)) {
		config->command = task->command;
		derive_give(derived, container_command_F, AT(task, task, command));
	}
	if (IS_SET(task, task, args)) {
		config->args = task->args;
		derive_give(derived, container_args_F, AT(task, task, args));
	}
}

static const struct container *config_of(const struct app *app, const struct task *task, bool main,
					 struct arena *arena)
{
	struct container *config = ARENA_NEW(arena, struct container);
	struct derived derived = DERIVED(config, app->from.file, app->from.at);

	if (task)
		take_task(task, config, &derived);
	if (main)
		take_network(app, config, &derived, arena);
	if (main)
		take_domain(app, config, &derived, arena);
	if (IS_SET(app, app, env)) {
		config->env = app->env;
		derive_give(&derived, container_env_F, AT(app, app, env));
	}
	if (IS_SET(app, app, scale)) {
		config->scale = app->scale;
		derive_give(&derived, container_scale_F, AT(app, app, scale));
	}
	if (app->resources) {
		config->resources = app->resources;
		derive_give(&derived, container_resources_F, AT(app, app, resources));
	}
	derive_end(&derived, arena);
	return config;
}

/* One container: of the i-th task, or of the app as a whole. */
static void derive_image(const struct app *app, size_t i, struct arena *arena, struct image *image)
{
	bool named = i < app->tasks.n && !str_eq(app->tasks.name[i], app->name);
	struct derived derived = DERIVED(image, app->from.file, app->from.at);

	image->name =
		named ? arena_printf(arena, "%s-%s", app->name, app->tasks.name[i]) : app->name;
	image->image = app->image;
	image->config = config_of(app, i < app->tasks.n ? &app->tasks.v[i] : NULL,
				  i == derive_main_task(app), arena);
	derive_give(&derived, image_name_F,
		    named && app->tasks.at ? app->tasks.at[i] : AT(app, app, name));
	derive_give(&derived, image_image_F, AT(app, app, image));
	derive_give(&derived, image_config_F, app->from.at);
	derive_end(&derived, arena);
}

struct image_list derive_app(const struct app *app, struct arena *arena)
{
	struct image_list images = {.n = app->tasks.n ? app->tasks.n : 1};

	if (!app->image)
		return (struct image_list){0};
	images.v = ARENA_ARRAY(arena, images.n, struct image);
	for (size_t i = 0; i < images.n; i++)
		derive_image(app, i, arena, &images.v[i]);
	return images;
}

/*
 * derive_service.c - the container of a service, as the catalogue has it.
 */
#include "base/sys.h"
#include "schema/derive_parts.h"

#include "schema/catalogue.h"
#include "schema/kinds.h"

struct making {
	const struct service *service;
	const struct service_options *options; /* never NULL */
	const struct catalogue_row *row;
	struct loc type_at; /* for what the type alone says */
	struct arena *arena;
	struct container *config;
	struct derived derived;
};

/* ---- what the catalogue says ---- */

static struct strings texts_of(const struct making *m, const char *const *texts)
{
	struct strings list = {0};
	struct loc *places = ARENA_ARRAY(m->arena, CATALOGUE_WORDS, struct loc);

	list.v = ARENA_ARRAY(m->arena, CATALOGUE_WORDS, const char *);
	list.at = places;
	for (; list.n < CATALOGUE_WORDS && texts[list.n]; list.n++) {
		list.v[list.n] = catalogue_text(m->arena, texts[list.n], m->service);
		places[list.n] = m->type_at;
	}
	return list;
}

static void take_env(struct making *m)
{
	struct pairs *env = &m->config->env;
	struct loc *places = ARENA_ARRAY(m->arena, CATALOGUE_WORDS, struct loc);

	env->key = ARENA_ARRAY(m->arena, CATALOGUE_WORDS, const char *);
	env->value = ARENA_ARRAY(m->arena, CATALOGUE_WORDS, const char *);
	env->at = places;
	for (; env->n < CATALOGUE_WORDS && m->row->env[env->n][0]; env->n++) {
		env->key[env->n] = m->row->env[env->n][0];
		env->value[env->n] = catalogue_text(m->arena, m->row->env[env->n][1], m->service);
		places[env->n] = m->type_at;
	}
	derive_give(&m->derived, container_env_F, m->type_at);
}

static void take_port(struct making *m)
{
	struct port *port = ARENA_NEW(m->arena, struct port);
	struct derived derived = DERIVED(port, m->service->from.file, m->type_at);

	port->container = m->row->port;
	derive_give(&derived, port_container_F, m->type_at);
	derive_end(&derived, m->arena);
	m->config->ports = (struct port_list){port, 1};
	derive_give(&m->derived, container_ports_F, m->type_at);
}

/* Its data has the name of the service. */
static void take_volume(struct making *m)
{
	struct volume *volume = ARENA_NEW(m->arena, struct volume);
	struct derived derived = DERIVED(volume, m->service->from.file, m->type_at);

	volume->name = m->service->name;
	volume->path = m->row->volume;
	derive_give(&derived, volume_name_F, AT(m->service, service, name));
	derive_give(&derived, volume_path_F, m->type_at);
	derive_end(&derived, m->arena);
	m->config->volumes = (struct volume_list){volume, 1};
	derive_give(&m->derived, container_volumes_F, m->type_at);
}

static void take_check(struct making *m)
{
	struct health_check *check = ARENA_NEW(m->arena, struct health_check);
	struct derived derived = DERIVED(check, m->service->from.file, m->type_at);

	check->command = texts_of(m, m->row->check);
	derive_give(&derived, health_check_command_F, m->type_at);
	derive_end(&derived, m->arena);
	m->config->health_check = check;
	derive_give(&m->derived, container_health_check_F, m->type_at);
}

static void take_row(struct making *m)
{
	if (m->row->env[0][0])
		take_env(m);
	if (m->row->port)
		take_port(m);
	if (m->row->volume)
		take_volume(m);
	if (m->row->check[0])
		take_check(m);
	if (m->row->args[0]) {
		m->config->args = texts_of(m, m->row->args);
		derive_give(&m->derived, container_args_F, m->type_at);
	}
}

/* ---- what the options say ---- */

#define TAKE(m, member)                                                                            \
	do {                                                                                       \
		if (IS_SET((m)->options, service_options, member)) {                               \
			(m)->config->member = (m)->options->member;                                \
			derive_give(&(m)->derived, container_##member##_F,                         \
				    AT((m)->options, service_options, member));                    \
		}                                                                                  \
	} while (0)

static void take_options(struct making *m)
{
	TAKE(m, command);
	TAKE(m, args);
	TAKE(m, ports);
	TAKE(m, env);
	TAKE(m, volumes);
	TAKE(m, health_check);
	TAKE(m, resources);
}

/* ---- the container ---- */

static const char *image_of(const struct making *m, struct loc *at)
{
	const struct service *service = m->service;

	*at = IS_SET(service, service, version) ? AT(service, service, version) : m->type_at;
	if (m->options->image) {
		*at = AT(m->options, service_options, image);
		return m->options->image;
	}
	if (!m->row->image)
		return NULL;
	return arena_printf(m->arena, "%s:%s", m->row->image,
			    service->version ? service->version : m->row->version);
}

static void make_config(struct making *m)
{
	m->config = ARENA_NEW(m->arena, struct container);
	m->derived = (struct derived)DERIVED(m->config, m->service->from.file, m->type_at);
	take_row(m);
	take_options(m);
	derive_end(&m->derived, m->arena);
}

struct image_list derive_service(const struct service *service, struct arena *arena)
{
	static const struct service_options none;
	struct making m = {
		.service = service,
		.options = service->options ? service->options : &none,
		.row = catalogue_find(service->type),
		.type_at = AT(service, service, type),
		.arena = arena,
	};
	struct loc at;
	const char *text = m.row ? image_of(&m, &at) : NULL;
	struct image *image;
	struct derived derived;

	if (!text || !service->name)
		return (struct image_list){0};
	image = ARENA_NEW(arena, struct image);
	derived = (struct derived)DERIVED(image, service->from.file, service->from.at);
	make_config(&m);
	image->name = service->name;
	image->image = text;
	image->config = m.config;
	derive_give(&derived, image_name_F, AT(service, service, name));
	derive_give(&derived, image_image_F, at);
	derive_give(&derived, image_config_F, m.type_at);
	derive_end(&derived, arena);
	return (struct image_list){image, 1};
}

/*
 * derive_links.c - what an app gets of the services that it links to.
 */
#include "base/sys.h"
#include "schema/derive_parts.h"

#include "schema/catalogue.h"
#include "schema/kinds.h"

const struct service *derive_link_target(const struct model *model, const struct app *app,
					 const char *name)
{
	const struct unit *unit = &app->from.file->unit;

	return model_service_of(model_deployment(model, unit->project, unit->stage, name));
}

struct linking {
	const struct app *app;
	struct arena *arena;
	struct pairs env;
	struct loc *env_at;
	struct volume_list volumes;
};

/* Maps are sorted by key, links by service: each variable goes to its place. */
static void take_url(struct linking *l, const struct link *link, const char *url)
{
	struct pairs *env = &l->env;
	size_t at = env->n++;

	for (; at > 0 && strcmp(env->key[at - 1], link->env_key) > 0; at--) {
		env->key[at] = env->key[at - 1];
		env->value[at] = env->value[at - 1];
		l->env_at[at] = l->env_at[at - 1];
	}
	env->key[at] = link->env_key;
	env->value[at] = url;
	l->env_at[at] = AT(link, link, env_key);
}

/* The volume is the service's, whose name it has; several write to it. */
static void take_volume(struct linking *l, const struct link *link, const char *name, struct loc at)
{
	struct volume *volume = &l->volumes.v[l->volumes.n++];
	struct derived derived = DERIVED(volume, l->app->from.file, at);

	volume->name = name;
	volume->path = link->path;
	volume->shared = true;
	derive_give(&derived, volume_name_F, at);
	derive_give(&derived, volume_path_F, AT(link, link, path));
	derive_give(&derived, volume_shared_F, at);
	if (link->read_only) {
		volume->read_only = true;
		derive_give(&derived, volume_read_only_F, AT(link, link, read_only));
	}
	derive_end(&derived, l->arena);
}

static const struct container *end_layer(struct linking *l)
{
	struct container *layer = ARENA_NEW(l->arena, struct container);
	struct derived derived = DERIVED(layer, l->app->from.file, AT(l->app, app, links));

	layer->env = l->env;
	layer->volumes = l->volumes;
	if (l->env.n)
		derive_give(&derived, container_env_F, l->env_at[0]);
	if (l->volumes.n)
		derive_give(&derived, container_volumes_F, AT(l->app, app, links));
	derive_end(&derived, l->arena);
	return layer;
}

const struct container *derive_links(const struct model *model, const struct app *app,
				     struct arena *arena)
{
	size_t n = app->links.n;
	struct linking l = {.app = app, .arena = arena};

	if (!n)
		return NULL;
	l.env.key = ARENA_ARRAY(arena, n, const char *);
	l.env.value = ARENA_ARRAY(arena, n, const char *);
	l.env.at = l.env_at = ARENA_ARRAY(arena, n, struct loc);
	l.volumes.v = ARENA_ARRAY(arena, n, struct volume);
	for (size_t i = 0; i < n; i++) {
		const struct link *link = &app->links.v[i];
		const struct service *service = derive_link_target(model, app, app->links.name[i]);
		const char *url = service ? catalogue_url(arena, service) : NULL;

		if (url && link->env_key)
			take_url(&l, link, url);
		if (service && service->type == SERVICE_VOLUME && link->path)
			take_volume(&l, link, service->name, app->links.at[i]);
	}
	return end_layer(&l);
}

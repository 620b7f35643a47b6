#include "base/sys.h"
#include "schema/registry.h"

#include "schema/fields.h"

/* ---- one Registry ---- */

static const char *const hosts[registry_type_end_] = {
	[REGISTRY_HUB] = REGISTRY_HUB_HOST,
	[REGISTRY_GITHUB] = "ghcr.io",
	[REGISTRY_GITLAB] = "registry.gitlab.com",
	[REGISTRY_GOOGLE] = "gcr.io",
};

const char *registry_host(const struct registry *registry)
{
	const char *scheme = registry->url ? strstr(registry->url, "://") : NULL;

	if (!registry->url)
		return hosts[registry->type];
	return scheme ? scheme + strlen("://") : registry->url;
}

bool registry_is_plain(const struct registry *registry)
{
	return registry->url && str_starts(registry->url, "http://");
}

bool registry_host_is_loopback(const char *host)
{
	size_t len = strcspn(host, ":");

	return (len == strlen("localhost") && str_starts(host, "localhost")) ||
	       (str_starts(host, "127.") && strspn(host, "0123456789.") == len) ||
	       str_eq(host, "[::1]") || str_starts(host, "[::1]:");
}

bool registry_allowed(const struct project *project, const struct registry *registry)
{
	return !registry->team || (project && str_eq(project->team, registry->team));
}

/* ---- of an image ---- */

bool registry_host_is_hub(const char *host)
{
	static const char *const names[] = {REGISTRY_HUB_HOST, "index.docker.io",
					    "registry-1.docker.io"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcasecmp(names[i], host) == 0)
			return true;
	}
	return false;
}

static struct image_origin origin_of(const char *name, const struct registry *registry)
{
	return (struct image_origin){.known = true, .name = name, .registry = registry};
}

static struct image_origin by_host(const struct model *model, const struct project *project,
				   const char *host)
{
	const struct registry *found = NULL;

	for (size_t i = 0; i < model->registrys.n; i++) {
		const struct registry *registry = model->registrys.v[i];
		const char *own = registry_host(registry);

		if (!own || strcasecmp(own, host) != 0)
			continue;
		if (!found || !registry_allowed(project, found))
			found = registry;
	}
	if (found)
		return origin_of(found->name, found);
	if (registry_host_is_hub(host))
		return origin_of(REGISTRY_HUB_NAME, NULL);
	return (struct image_origin){0};
}

static struct image_origin by_name(const struct model *model, const struct image_ref *ref)
{
	const struct registry *registry = model_registry(model, ref->registry);

	if (registry)
		return origin_of(registry->name, registry);
	if (strchr(ref->path, '/'))
		return (struct image_origin){0};
	return origin_of(REGISTRY_HUB_NAME, model_registry(model, REGISTRY_HUB_NAME));
}

struct image_origin registry_of_image(const struct model *model, const struct project *project,
				      const struct image_ref *ref)
{
	switch (ref->source) {
	case IMAGE_LOCAL:
		return origin_of(REGISTRY_LOCAL_NAME, model_registry(model, REGISTRY_LOCAL_NAME));
	case IMAGE_HOST:
		return by_host(model, project, ref->registry);
	case IMAGE_NAMED:
		return by_name(model, ref);
	case IMAGE_HUB:
		break;
	}
	return origin_of(REGISTRY_HUB_NAME, model_registry(model, REGISTRY_HUB_NAME));
}

/* ---- what is wrong with it ---- */

static const char *unknown_hint(const struct model *model, const struct image_ref *ref,
				struct diags *diags)
{
	bool by_url = ref->source == IMAGE_HOST;
	AUTO_FREE const char **names =
		mem_realloc_array(NULL, model->registrys.n + 1, sizeof *names);
	const char *hint;
	size_t n = 0;

	for (size_t i = 0; i < model->registrys.n; i++) {
		const struct registry *registry = model->registrys.v[i];
		const char *name = by_url ? registry_host(registry) : registry->name;

		if (name)
			names[n++] = name;
	}
	hint = hint_nearest(diags, ref->registry, names, n);
	if (hint)
		return hint;
	return by_url ? diags_text(
				diags,
				"a document in registries/ declares it: kind: Registry, type: v2, "
				"url: %s",
				ref->registry)
		      : "a document in registries/ declares it: kind: Registry; an image of Docker "
			"Hub has two parts at most";
}

static void report_unknown(const struct model *model, const struct image_ref *ref, struct loc at,
			   const struct doc_source *source)
{
	source_error(source, DIAG_UNKNOWN_REGISTRY, at,
		     ref->source == IMAGE_HOST ? "no Registry has the url %s"
					       : "there is no Registry %s",
		     ref->registry)
		->hint = unknown_hint(model, ref, source->diags);
}

void registry_check_image(const struct model *model, const struct project *project, bool certain,
			  const char *image, struct loc at, const struct doc_source *source)
{
	bool local = image && str_starts(image, REGISTRY_LOCAL_NAME "/");
	AUTO_ARENA struct arena *arena = NULL;
	struct image_origin origin;
	struct image_ref ref;

	if (!image || (local && !model->registrys.n))
		return;
	arena = arena_new(0);
	if (image_ref_parse(arena, image, &ref, NULL) != 0)
		return;
	origin = registry_of_image(model, project, &ref);
	if (!origin.known && certain)
		report_unknown(model, &ref, at, source);
	if (!origin.registry || !project || registry_allowed(project, origin.registry))
		return;
	source_error(source, DIAG_TEAM_MISMATCH, at, "the registry %s belongs to the team %s",
		     origin.name, origin.registry->team)
		->hint = diags_text(source->diags,
				    project->team ? "the project %s belongs to %s"
						  : "the project %s belongs to no team",
				    project->name, project->team);
}

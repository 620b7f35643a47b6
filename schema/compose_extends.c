#include "base/sys.h"
#include "schema/compose_work.h"

/* extends: what another service says, of this file or of another one of the folder, lies below. */

/* The services that are being made whole, innermost first. */
struct chain {
	const struct doc_node *value;
	const char *name;
	const struct chain *outer;
};
#define CHAIN_MAX 100

static const struct doc_node *make_whole(struct compose_work *work, const struct doc_node *scope,
					 const struct chain *here, unsigned depth);

/* The value of a service: of a file's own, or (scope NULL) of the Compose file's. */
static const struct doc_node *find_service(struct compose_work *work, const struct doc_node *scope,
					   const char *name)
{
	const struct compose_service *service;

	if (scope)
		return compose_value(scope, name);
	service = map_get(&work->services, name);
	return service ? service->value : NULL;
}

/* Whoever comes to a circle walks round it: the first one tells of all who are in it. */
static bool is_first_round(struct compose_work *work, const struct chain *here,
			   const struct doc_node *value)
{
	bool first = !map_has(&work->circles, compose_text(work, "%p", (const void *)value));

	for (const struct chain *link = here; first; link = link->outer) {
		map_put(&work->circles, compose_text(work, "%p", (const void *)link->value), work);
		if (link->value == value)
			break;
	}
	return first;
}

static bool closes_circle(struct compose_work *work, const struct chain *here,
			  const struct doc_node *value, const struct doc_node *at)
{
	const struct chain *link = here;
	const char *path = here->name;

	while (link && link->value != value) {
		link = link->outer;
		if (link)
			path = compose_text(work, "%s -> %s", link->name, path);
	}
	if (link && is_first_round(work, here, value))
		compose_error(work, DIAG_COMPOSE_CYCLE, at,
			      "services that extend each other: %s -> %s", path, link->name);
	return link != NULL;
}

/* The services of another file, which is read once. */
static const struct doc_node *
services_of(struct compose_work *work, const struct compose_file *file, const struct doc_node *at)
{
	const struct doc_node *known = map_get(&work->extended, file->name), *tree, *services;

	if (known)
		return known;
	tree = compose_load_file(work, file, compose_folder_of(work, file->name),
				 work->sources[at->file].env, at);
	if (!tree)
		return NULL;
	services = compose_value(tree, "services");
	if (!services || services->type != DOC_MAPPING) {
		compose_error(work, DIAG_COMPOSE_UNKNOWN, at, "%.200s has no services", file->name);
		return NULL;
	}
	map_put(&work->extended, file->name, (void *)(uintptr_t)services);
	return services;
}

/* What `extends` names, and among which services; false when there is none, after a report. */
struct named {
	const struct doc_node *at;
	const char *service;
	const struct doc_node *scope;
};

static bool read_extends(struct compose_work *work, const struct doc_node *extends,
			 const struct doc_node *scope, struct named *out)
{
	const struct doc_node *service = extends, *file = NULL;
	const struct compose_file *found;

	*out = (struct named){.scope = scope};
	if (extends->type == DOC_MAPPING) {
		compose_section(work, COMPOSE_EXTENDS, extends, "extends");
		service = compose_value(extends, "service");
		file = compose_value(extends, "file");
	}
	if (!service) {
		compose_error(work, DIAG_MISSING_FIELD, extends, "the key service is missing");
		return false;
	}
	out->at = service;
	out->service = compose_as_text(work, service, "extends");
	if (!out->service || !file || !compose_as_text(work, file, "file"))
		return out->service && !file;
	found = compose_named_file(work, file, file->text, false);
	out->scope = found ? services_of(work, found, file) : NULL;
	return out->scope != NULL;
}

static const struct doc_node *extended(struct compose_work *work, const struct doc_node *scope,
				       const struct doc_node *extends, const struct chain *here,
				       unsigned depth)
{
	struct chain next = {.outer = here};
	struct named named;

	if (!read_extends(work, extends, scope, &named))
		return NULL;
	next.name = named.service;
	next.value = find_service(work, named.scope, named.service);
	if (!next.value) {
		compose_error(work, DIAG_COMPOSE_UNKNOWN, named.at,
			      "there is no service %.100s to extend", named.service);
		return NULL;
	}
	if (closes_circle(work, here, next.value, named.at))
		return NULL;
	if (depth == CHAIN_MAX) {
		compose_error(work, DIAG_LIMIT, named.at, "more than %d services extend each other",
			      CHAIN_MAX);
		return NULL;
	}
	return make_whole(work, named.scope, &next, depth + 1);
}

/* Without the key `extends`, which is done with. */
static const struct doc_node *without_extends(struct compose_work *work,
					      const struct doc_node *service)
{
	struct compose_build build = {0};

	for (size_t i = 0; i < service->n; i++) {
		if (!str_eq(service->pairs[i].key->text, "extends"))
			compose_put_pair(&build, &service->pairs[i]);
	}
	return compose_built(work, &build, service);
}

/* Of a service that cannot be had: it may have had an image. */
static const struct doc_node *unknown_image(struct compose_work *work, const struct doc_node *like)
{
	struct compose_build build = {0};

	compose_put(work, &build, "image", like, compose_wrong(work, like));
	return compose_built(work, &build, like);
}

static const struct doc_node *make_whole(struct compose_work *work, const struct doc_node *scope,
					 const struct chain *here, unsigned depth)
{
	const struct doc_node *value = here->value, *extends, *below;

	if (value->type != DOC_MAPPING)
		return value;
	extends = compose_value(value, "extends");
	if (!extends)
		return value;
	value = without_extends(work, value);
	below = extended(work, scope, extends, here, depth);
	return compose_lay(work, COMPOSE_SERVICE, below ? below : unknown_image(work, extends),
			   value);
}

void compose_extend_all(struct compose_work *work)
{
	AUTO_MAP struct map whole = {0};
	struct map_entry *entry = NULL;

	while ((entry = map_next(&work->services, entry)) && !work->full) {
		struct compose_service *service = entry->value;
		const struct chain here = {service->value, service->name, NULL};

		map_put(&whole, service->name, (void *)(uintptr_t)make_whole(work, NULL, &here, 0));
	}
	while ((entry = map_next(&whole, entry))) {
		struct compose_service *service = map_get(&work->services, entry->key);

		service->value = entry->value;
	}
}

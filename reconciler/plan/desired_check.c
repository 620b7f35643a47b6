/*
 * desired_check.c - what must hold in a slot and on a node. Clashes are in desired_claim.c.
 */
#include "base/sys.h"
#include "plan/desired_group.h"

#include "base/vec.h"
#include "schema/kinds.h"
#include "schema/registry.h"

#define NAME_MAX_LENGTH 63

/* ---- in a slot ---- */

static void check_name(const struct slot *slot, const struct content_container *container,
		       struct arena *arena, struct diags *diags)
{
	const struct container *config = container->config;
	int64_t scale = KIND_OR(config, container, scale);
	const char *name = instance_name(arena, slot->prefix, container, scale > 1 ? scale : 1);
	const struct deployment *deployment = slot->deployment;
	struct place place =
		place_or(PATH_OF(config, container, name), AT(config, container, name), slot);
	struct diag *diag;

	if (strlen(name) <= NAME_MAX_LENGTH)
		return;
	if (!config->name && IS_SET(deployment, deployment, prefix))
		place.at = AT(deployment, deployment, prefix);
	diag = diags_add(diags, DIAG_NAME_TOO_LONG, &slot->unit, place.path, place.at,
			 "container name %s has %zu characters, at most %d are possible", name,
			 strlen(name), NAME_MAX_LENGTH);
	diag->hint = "shorten the prefix or the container's name";
}

static void check_scale(const struct slot *slot, const struct content_container *container,
			struct diags *diags)
{
	const struct container *config = container->config;
	struct place place =
		place_or(PATH_OF(config, container, scale), AT(config, container, scale), slot);
	struct node_ports taken;
	struct diag *diag;

	if (KIND_OR(config, container, scale) <= 1)
		return;
	for (size_t i = 0; node_ports_at(slot, config, i, &taken); i++) {
		if (!taken.low)
			continue;
		diag = diags_add(diags, DIAG_SCALE_FIXED_PORT, &slot->unit, place.path, place.at,
				 "%lld instances of container %s cannot all have host port %lld",
				 (long long)config->scale, container->name, (long long)taken.low);
		diag->hint = "leave out the host port, or scale to 1";
		if (taken.path)
			diag->related_path = diags_text(diags, "%s", taken.path);
		diag->related = taken.at;
		return;
	}
}

static bool has_volume(const struct container *config, const char *name)
{
	for (size_t i = 0; i < config->volumes.n; i++) {
		if (str_eq(config->volumes.v[i].name, name))
			return true;
	}
	return false;
}

/* A volume that only an init container had would be nobody's once that has ended. */
static void check_init_volumes(const struct slot *slot, const struct content_container *container,
			       const struct init *init, struct diags *diags)
{
	for (size_t i = 0; i < init->volumes.n; i++) {
		const struct volume *volume = &init->volumes.v[i];
		struct place place =
			place_or(PATH_OF(volume, volume, name), AT(volume, volume, name), slot);

		if (!volume->name || volume->type == VOLUME_TMP ||
		    has_volume(container->config, volume->name))
			continue;
		diags_add(diags, DIAG_UNKNOWN_VOLUME, &slot->unit, place.path, place.at,
			  "container %s has no volume %s, which %s is to see before it",
			  container->name, volume->name, init->name)
			->hint = "name it in the container's volumes, or write `type: tmp`";
	}
}

static void check_inits(const struct slot *slot, const struct content_container *container,
			struct diags *diags)
{
	for (size_t i = 0; i < container->config->init.n; i++)
		check_init_volumes(slot, container, &container->config->init.v[i], diags);
}

static void check_strategy(const struct slot *slot, struct arena *arena, struct diags *diags)
{
	const struct strategy *strategy = slot->deployment->strategy;
	struct obstacle obstacle;
	struct diag *diag;

	if (!strategy || strategy->type != STRATEGY_ROLLING)
		return;
	obstacle = find_obstacle(arena, slot);
	if (!obstacle.reason)
		return;
	diag = diags_add(diags, DIAG_STRATEGY_IMPOSSIBLE, &slot->unit,
			 slot->deployment->from.file->path, AT(strategy, strategy, type),
			 "rolling is not possible with a %s: old and new cannot run side by side",
			 obstacle.reason);
	diag->hint = "write `recreate`, or leave the type out";
	if (obstacle.path)
		diag->related_path = diags_text(diags, "%s", obstacle.path);
	diag->related = obstacle.at;
}

/* What a driver misses stands nowhere: it is shown where the deployment says what it deploys. */
static void place_problems(struct diags *diags, size_t first, const struct slot *slot)
{
	struct place place = place_or(NULL, (struct loc){0}, slot);

	for (size_t i = first; i < diags->n; i++) {
		struct diag *diag = &diags->v[i];

		if (diag->path && (diag->at.line || !str_eq(diag->path, place.path)))
			continue;
		diag->path = diags_text(diags, "%s", place.path);
		diag->at = place.at;
	}
}

static void check_driver(const struct slot *slot, const struct content_container *container,
			 const struct driver_env *env, struct arena *arena, struct diags *diags)
{
	const struct driver_ops *driver = driver_find((enum driver_value)slot->node->driver);
	struct spec spec = {
		.name = instance_name(arena, slot->prefix, container, 1),
		.instance = 1,
		.image = container->image,
		.config = container->config,
		.labels = {.node = slot->key.node,
			   .project = slot->key.project,
			   .stage = slot->key.stage,
			   .deployment = slot->key.deployment,
			   .product = slot->product->name,
			   .version = slot->version_name,
			   .prefix = slot->prefix,
			   .container = container->name},
	};

	size_t first = diags->n;

	if (!driver)
		return;
	driver_check(driver, slot->node, env, &spec, &slot->unit, diags);
	place_problems(diags, first, slot);
}

/* ---- where images come from ---- */

/* Of an image without a place the deployment is shown. */
static void check_registry(const struct slot *slot, const struct model *model,
			   const struct driver_env *env, const char *image, struct place place,
			   struct diags *diags)
{
	const struct project *project = model_project(model, slot->key.project);
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct image_origin origin;
	struct image_ref ref;

	if (image_ref_parse(arena, image, &ref, NULL) != 0 || ref.source == IMAGE_LOCAL)
		return;
	origin = registry_of_image(model, project, &ref);
	if (!origin.known || driver_registry_allowed(slot->node, env, origin.name))
		return;
	diags_add(diags, DIAG_POLICY, &slot->unit, place.path, place.at,
		  "images of the registry %s may not run on node %s", origin.name, slot->key.node)
		->hint = "the settings' policy.registries lists those that may";
}

static void check_registries(const struct slot *slot, const struct model *model,
			     const struct driver_env *env,
			     const struct content_container *container, struct diags *diags)
{
	check_registry(slot, model, env, container->image, place_or(NULL, (struct loc){0}, slot),
		       diags);
	for (size_t i = 0; i < container->config->init.n; i++) {
		const struct init *init = &container->config->init.v[i];

		check_registry(slot, model, env, init->image,
			       place_or(PATH_OF(init, init, image), AT(init, init, image), slot),
			       diags);
	}
}

/* Only a file without errors has documents that are complete. */
static bool is_complete(const struct slot *slot)
{
	for (size_t i = 0; i < slot->inputs_n; i++) {
		for (size_t j = 0; j < slot->inputs[i]->diags_n; j++) {
			if (slot->inputs[i]->diags[j].severity == DIAG_ERROR)
				return false;
		}
	}
	return true;
}

static void check_slot(const struct slot *slot, const struct model *model,
		       const struct driver_env *env, struct arena *arena, struct diags *diags)
{
	bool complete = is_complete(slot);

	check_strategy(slot, arena, diags);
	for (size_t i = 0; i < slot->content.containers_n; i++) {
		const struct content_container *container = &slot->content.containers[i];

		check_name(slot, container, arena, diags);
		check_scale(slot, container, diags);
		check_inits(slot, container, diags);
		if (env)
			check_registries(slot, model, env, container, diags);
		if (complete)
			check_driver(slot, container, env, arena, diags);
	}
}

/* ---- between nodes ---- */

/* Where a node keeps things, in words: two nodes with the same text are the same place. */
struct node_place {
	const char *text;
	const struct node *node;
	struct loc at;
};
typedef VEC(struct node_place) place_list;

/* A URL with and without a slash at its end is the same; a path has only one form. */
static const char *plain_endpoint(struct arena *arena, const char *url)
{
	size_t len = strlen(url);

	while (len > 1 && url[len - 1] == '/')
		len--;
	return arena_strndup(arena, url, len);
}

static void add_place(struct arena *arena, place_list *places, const struct node *node,
		      const char *word, const char *value, struct loc at)
{
	if (value)
		VEC_PUSH(places,
			 (struct node_place){arena_printf(arena, "%s %s", word, value), node, at});
}

static int node_place_cmp(const void *a, const void *b)
{
	const struct node_place *left = a, *right = b;
	int order = str_cmp(left->text, right->text);

	return order ? order : str_cmp(left->node->name, right->node->name);
}

static void report_node(const struct node_place *place, const struct node_place *other,
			struct diags *diags)
{
	const struct file *file = place->node->from.file;
	struct diag *diag = diags_add(diags, DIAG_DUPLICATE_NODE, &file->unit, file->path,
				      place->at, "node %s has the same %s as node %s",
				      place->node->name, place->text, other->node->name);

	diag->hint = "one document for one engine or folder: remove one of them";
	diag->related_path = diags_text(diags, "%s", other->node->from.file->path);
	diag->related = other->at;
}

static void check_nodes(const struct model *model, struct arena *arena, struct diags *diags)
{
	place_list places = {0};

	for (size_t i = 0; i < model->nodes.n; i++) {
		const struct node *node = model->nodes.v[i];

		if (node->endpoint)
			add_place(arena, &places, node, "endpoint",
				  plain_endpoint(arena, node->endpoint), AT(node, node, endpoint));
		add_place(arena, &places, node, "dataRoot", node->data_root,
			  AT(node, node, data_root));
	}
	VEC_SORT(&places, node_place_cmp);
	for (size_t i = 1; i < places.n; i++) {
		if (!str_eq(places.v[i - 1].text, places.v[i].text))
			continue;
		if (i == 1 || !str_eq(places.v[i - 2].text, places.v[i].text))
			report_node(&places.v[i - 1], &places.v[i], diags);
		report_node(&places.v[i], &places.v[i - 1], diags);
	}
	VEC_FREE(&places);
}

/* Nodes were compared before unless one of them is new. */
static bool has_new_node(const struct desired *desired)
{
	for (size_t i = 0; i < desired->added_n; i++) {
		const struct file *file = desired->added[i];

		for (size_t j = 0; j < file->documents_n; j++) {
			if (file->documents[j].kind == KIND_node)
				return true;
		}
	}
	return false;
}

void desired_check(const struct desired *desired, const struct model *model,
		   const struct driver_env *env, struct diags *diags)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct settings *settings = env ? env->settings : NULL;
	const struct desired_verdict *before = &desired->before;
	bool trusted = before->checked && !before->wrong && before->settings == settings;
	size_t errors = diags->errors;

	for (size_t i = 0; i < desired->groups_n; i++) {
		const struct slot_group *group = desired->groups[i];

		for (size_t j = 0; is_new(desired, trusted, i) && j < group->slots_n; j++)
			check_slot(&group->slots[j], model, env, arena, diags);
	}
	claims_check(desired, trusted, diags);
	requirements_check(desired, trusted, arena, diags);
	if (!trusted || has_new_node(desired))
		check_nodes(model, arena, diags);
	desired->verdict->checked = true;
	desired->verdict->wrong |= diags->errors > errors;
	desired->verdict->settings = settings;
}

/*
 * desired_slot.c - from one deployment's documents to its slots.
 */
#include "base/sys.h"
#include "plan/desired_group.h"

#include "base/vec.h"
#include "schema/check.h"
#include "schema/derive.h"
#include "schema/fields.h"
#include "schema/forms.h"
#include "schema/image.h"
#include "schema/kinds.h"
#include "schema/merge.h"
#include "schema/registry.h"

/* What is being put together for one deployment. */
struct making {
	const struct model *model;
	const struct deployment *deployment;
	const struct project *project;
	const struct stage *stage;
	const struct product *product;
	const struct version *version; /* NULL: simple product, or its file is gone */
	const char *version_name, *parent;
	enum version_type_value type;
	char version_id[RECORD_ID_SIZE];
	const struct image_list *images; /* of the version; NULL: from the ledger */
	const struct app *app;		 /* that the deployment stands for; or NULL */
	const struct file *compose;	 /* that the version, or simple product, names; or NULL */
	struct content own;		 /* of the version itself */
	struct content merged; /* with the deployment's layers, templates not yet expanded */
	struct bundle_list bundles;
	VEC(const struct node *) nodes;
	struct slot_group *group;
	struct diags *diags;
};

/* ---- the version ---- */

static const struct container no_config;

/* An image without what it needs is in a file with errors, and reported there. */
static bool take_own(struct making *m, const struct image_list *images,
		     const struct pairs *requires)
{
	struct content_container *list;

	/* of a Compose file that is not there, which check_model reports */
	if (!images)
		return false;
	list = ARENA_ARRAY(m->group->arena, images->n, struct content_container);
	m->images = images;
	m->own.containers = list;
	for (size_t i = 0; i < images->n; i++) {
		const struct image *image = &images->v[i];

		if (image->name && image->image)
			list[m->own.containers_n++] = (struct content_container){
				.name = image->name,
				.image = image->image,
				.config = image->config ? image->config : &no_config,
			};
	}
	m->own.requires = *requires;
	ids_version(images, requires, m->version_id);
	return true;
}

/* A version whose file is gone is as it was frozen. */
static bool take_frozen(struct making *m, const struct history *history)
{
	const struct frozen *frozen =
		history_frozen(history, m->deployment->from.file->unit.project, m->product->name,
			       m->deployment->version);
	struct arena *arena = m->group->arena;

	if (!frozen || content_read(frozen->content, arena, &m->own, NULL) != 0)
		return false;
	for (size_t i = 0; i < m->own.containers_n; i++)
		m->own.containers[i].digest = NULL;
	snprintf(m->version_id, sizeof m->version_id, "%s", frozen->content_id);
	m->parent = arena_strdup(arena, frozen->parent);
	m->type = VERSION_INCREMENTAL;
	m->group->from_ledger = true;
	return true;
}

static bool take_version(struct making *m, const struct history *history)
{
	const char *project = m->deployment->from.file->unit.project;

	m->type = VERSION_ROLLING;
	if (m->product->type == PRODUCT_SIMPLE) {
		return take_own(m, model_product_images(m->model, m->product),
				&m->product->requires);
	}
	if (!m->deployment->version)
		return false;
	m->version_name = m->deployment->version;
	m->version = model_version(m->model, project, m->product->name, m->version_name);
	if (!m->version)
		return take_frozen(m, history);
	m->parent = m->version->parent;
	if (m->version->type == VERSION_INCREMENTAL)
		m->type = VERSION_INCREMENTAL;
	return take_own(m, model_version_images(m->model, m->version), &m->version->requires);
}

/* ---- the nodes ---- */

static void add_node(struct making *m, const char *name)
{
	const struct node *node = model_node(m->model, name);

	if (!node)
		m->group->open = true;
	else if (check_node_allowed(m->project, node))
		VEC_PUSH(&m->nodes, node);
}

static int node_cmp(const void *a, const void *b)
{
	return str_cmp((*(const struct node *const *)a)->name,
		       (*(const struct node *const *)b)->name);
}

static void select_nodes(struct making *m)
{
	const struct deployment *deployment = m->deployment;
	size_t kept = 0;

	if (deployment->node)
		add_node(m, deployment->node);
	for (size_t i = 0; i < deployment->nodes.n; i++)
		add_node(m, deployment->nodes.v[i]);
	for (size_t i = 0; !deployment_names_nodes(deployment) && i < m->stage->nodes.n; i++)
		add_node(m, m->stage->nodes.v[i]);
	m->group->by_selector = deployment->node_selector.n > 0;
	for (size_t i = 0; m->group->by_selector && i < m->model->nodes.n; i++) {
		const struct node *node = m->model->nodes.v[i];

		if (check_node_selected(node, &deployment->node_selector) &&
		    check_node_allowed(m->project, node))
			VEC_PUSH(&m->nodes, node);
	}
	VEC_SORT(&m->nodes, node_cmp);
	for (size_t i = 0; i < m->nodes.n; i++) {
		if (kept == 0 || m->nodes.v[kept - 1] != m->nodes.v[i])
			m->nodes.v[kept++] = m->nodes.v[i];
	}
	m->nodes.n = kept;
}

/* ---- the configuration ---- */

static void merge_layers(struct making *m)
{
	struct arena *arena = m->group->arena;
	const struct container *links = m->app ? derive_links(m->model, m->app, arena) : NULL;

	m->merged = m->own;
	m->merged.containers = arena_memdup(arena, m->own.containers,
					    m->own.containers_n * sizeof *m->own.containers);
	for (size_t i = 0; i < m->merged.containers_n; i++) {
		struct content_container *container = &m->merged.containers[i];

		if (links)
			container->config = merge_containers(
				arena, (const struct container *[]){container->config, links}, 2);
		container->config = bundles_merge(arena, m->deployment, &m->bundles,
						  container->name, container->config);
	}
}

/*
 * Only a value that a template made unfit is news: unknown templates are reported by check_model,
 * of the file they stand in and to its unit.
 */
static void pass_on(const struct diags *said, struct diags *diags)
{
	for (size_t i = 0; i < said->n; i++) {
		if (said->v[i].code != DIAG_BAD_TEMPLATE)
			diags_append(diags, &said->v[i], 1);
	}
}

/* Where an image reference stands, or the deployment when only the ledger has it. */
static struct place image_place(const struct making *m, const char *name, const struct slot *slot)
{
	for (size_t i = 0; m->images && i < m->images->n; i++) {
		const struct image *image = &m->images->v[i];

		if (str_eq(image->name, name))
			return place_or(PATH_OF(image, image, image), AT(image, image, image),
					slot);
	}
	return place_or(NULL, (struct loc){0}, slot);
}

static void expand_image(const struct making *m, const struct slot *slot,
			 const struct template_values *values, struct content_container *container)
{
	struct err err = ERR_INIT;
	const char *text = template_text(m->group->arena, container->image, values, &err);
	struct doc_source source = {.unit = &slot->unit, .diags = m->diags};
	struct place place;

	/* unknown templates, and references that were never right, were reported with the file */
	if (!text || text == container->image)
		return;
	container->image = text;
	place = image_place(m, container->name, slot);
	source.path = place.path;
	if (image_ref_check(text, &err) != 0)
		report_image(&source, place.at, text, &err);
	else
		registry_check_image(m->model, m->project, true, text, place.at, &source);
}

/* Does what an image of the container means depend on the Registries that there are? */
static bool asks_a_registry(const struct content_container *container)
{
	const struct init_list *init = &container->config->init;
	bool asks = !str_starts(container->image, REGISTRY_LOCAL_NAME "/");

	for (size_t i = 0; i < init->n && !asks; i++)
		asks = !str_starts(init->v[i].image, REGISTRY_LOCAL_NAME "/");
	return asks;
}

static void expand(struct making *m, struct slot *slot)
{
	const struct template_values values = {
		.version = slot->version_name,
		.stage = slot->key.stage,
		.project = slot->key.project,
		.node = slot->key.node,
		.prefix = slot->prefix,
	};
	AUTO_DIAGS struct diags said = {0};
	struct arena *arena = m->group->arena;

	slot->content = m->merged;
	slot->content.containers = arena_memdup(
		arena, m->merged.containers, m->merged.containers_n * sizeof *m->merged.containers);
	for (size_t i = 0; i < slot->content.containers_n; i++) {
		struct content_container *container = &slot->content.containers[i];

		container->config =
			template_expand(arena, container->config, &values, &slot->unit, &said);
		expand_image(m, slot, &values, container);
		m->group->by_registry |= asks_a_registry(container);
	}
	pass_on(&said, m->diags);
}

/* ---- the strategy ---- */

static bool is_writable(const struct volume *volume)
{
	return KIND_OR(volume, volume, type) == VOLUME_RW && !volume->read_only;
}

static struct obstacle volume_obstacle(struct arena *arena, const struct volume *volume)
{
	const char *name = volume->name ? volume->name : volume->host_path;

	if (!is_writable(volume) || volume->shared)
		return (struct obstacle){0};
	return (struct obstacle){
		arena_printf(arena, "writable volume %s", name ? name : "without name"),
		PATH_OF(volume, volume, path),
		AT(volume, volume, path),
	};
}

/* Does the container listen on the node's own ports? */
static bool shares_ports(const struct slot *slot, const struct container *config)
{
	const struct driver_ops *driver = driver_find((enum driver_value)slot->node->driver);

	return config->network_mode == NETWORK_HOST || (driver && driver->shares_ports);
}

static void take_port(const struct port *port, bool shares, struct node_ports *out)
{
	unsigned field = port->host ? port_host_F : port_container_F;

	if (!port->host && !shares)
		return;
	out->low = out->high = port->host ? port->host : port->container;
	out->protocol = (enum protocol_value)KIND_OR(port, port, protocol);
	out->address = port->address;
	out->path = head_path(&port->head, field);
	out->at = head_at(&port->head, field);
}

static void take_range(const struct port_range *range, bool shares, struct node_ports *out)
{
	unsigned field = range->host ? port_range_host_F : port_range_container_F;
	const char *text = range->host ? range->host : range->container;

	if ((!range->host && !shares) || form_ports(text, &out->low, &out->high) != 0)
		return;
	out->path = head_path(&range->head, field);
	out->at = head_at(&range->head, field);
}

bool node_ports_at(const struct slot *slot, const struct container *config, size_t i,
		   struct node_ports *out)
{
	bool shares = shares_ports(slot, config);

	*out = (struct node_ports){.protocol = PROTOCOL_TCP};
	if (i < config->ports.n)
		take_port(&config->ports.v[i], shares, out);
	else if (i - config->ports.n < config->port_ranges.n)
		take_range(&config->port_ranges.v[i - config->ports.n], shares, out);
	else
		return false;
	return true;
}

static struct obstacle port_obstacle(struct arena *arena, const struct slot *slot,
				     const struct container *config)
{
	struct node_ports taken;

	for (size_t i = 0; node_ports_at(slot, config, i, &taken); i++) {
		if (taken.low)
			return (struct obstacle){
				arena_printf(arena, "fixed host port %lld", (long long)taken.low),
				taken.path, taken.at};
	}
	return (struct obstacle){0};
}

static struct obstacle volumes_obstacle(struct arena *arena, const struct volume_list *volumes)
{
	struct obstacle found = {0};

	for (size_t i = 0; i < volumes->n && !found.reason; i++)
		found = volume_obstacle(arena, &volumes->v[i]);
	return found;
}

/* Two containers in the network of the node are in each other's way in more than ports. */
static struct obstacle network_obstacle(const struct container *config)
{
	if (config->network_mode != NETWORK_HOST)
		return (struct obstacle){0};
	return (struct obstacle){"networkMode host", PATH_OF(config, container, network_mode),
				 AT(config, container, network_mode)};
}

static struct obstacle container_obstacle(struct arena *arena, const struct slot *slot,
					  const struct container *config)
{
	struct obstacle found = volumes_obstacle(arena, &config->volumes);

	for (size_t i = 0; i < config->init.n && !found.reason; i++)
		found = volumes_obstacle(arena, &config->init.v[i].volumes);
	if (!found.reason)
		found = port_obstacle(arena, slot, config);
	return found.reason ? found : network_obstacle(config);
}

struct obstacle find_obstacle(struct arena *arena, const struct slot *slot)
{
	const struct content *content = &slot->content;
	struct obstacle found = {0};

	for (size_t i = 0; i < content->containers_n && !found.reason; i++)
		found = container_obstacle(arena, slot, content->containers[i].config);
	return found;
}

static void choose_strategy(struct arena *arena, struct slot *slot)
{
	int written = slot->deployment->strategy ? slot->deployment->strategy->type : 0;
	const struct driver_ops *driver = driver_find((enum driver_value)slot->node->driver);

	slot->strategy = STRATEGY_RECREATE;
	if (written == STRATEGY_RECREATE)
		return;
	slot->strategy_reason = find_obstacle(arena, slot).reason;
	if (slot->strategy_reason)
		return;
	if (written != STRATEGY_ROLLING && driver && driver->prefers_recreate)
		slot->strategy_reason = arena_printf(arena, "%s driver", driver->name);
	else
		slot->strategy = STRATEGY_ROLLING;
}

/* ---- the slot ---- */

static void add_input(const struct file **list, size_t *n, const struct file *file)
{
	for (size_t i = 0; i < *n; i++) {
		if (list[i] == file)
			return;
	}
	list[(*n)++] = file;
}

#define DOCUMENTS_MAX 6 /* the deployment's, not counting bundles and nodes */

/* A service says what its URL is; one that is not there may come. */
static void take_link(struct making *m, const char *name)
{
	const struct service *service = derive_link_target(m->model, m->app, name);

	if (service)
		add_input(m->group->inputs, &m->group->inputs_n, service->from.file);
	else
		m->group->open = true;
}

static void take_inputs(struct making *m)
{
	struct slot_group *group = m->group;

	group->inputs = ARENA_ARRAY(group->arena,
				    DOCUMENTS_MAX + m->bundles.n + m->nodes.n +
					    (m->app ? m->app->links.n : 0),
				    const struct file *);
	add_input(group->inputs, &group->inputs_n, m->deployment->from.file);
	add_input(group->inputs, &group->inputs_n, m->project->from.file);
	add_input(group->inputs, &group->inputs_n, m->stage->from.file);
	add_input(group->inputs, &group->inputs_n, m->product->from.file);
	if (m->version)
		add_input(group->inputs, &group->inputs_n, m->version->from.file);
	if (m->compose)
		add_input(group->inputs, &group->inputs_n, m->compose);
	for (size_t i = 0; i < m->bundles.n; i++)
		add_input(group->inputs, &group->inputs_n, m->bundles.v[i]->from.file);
	for (size_t i = 0; m->app && i < m->app->links.n; i++)
		take_link(m, m->app->links.name[i]);
}

/* What is read before a node is known, and the node. */
static void take_slot_inputs(struct making *m, size_t documents, struct slot *slot)
{
	struct slot_group *group = m->group;

	slot->inputs = ARENA_ARRAY(group->arena, documents + 1, const struct file *);
	memcpy(slot->inputs, group->inputs, documents * sizeof *slot->inputs);
	slot->inputs_n = documents;
	add_input(slot->inputs, &slot->inputs_n, slot->node->from.file);
	add_input(group->inputs, &group->inputs_n, slot->node->from.file);
}

static void take_ids(const struct making *m, struct slot *slot)
{
	const struct id_input input = {slot->key.node, slot->prefix, m->product->name,
				       slot->version_name};

	memcpy(slot->version_id, m->version_id, sizeof slot->version_id);
	ids_source(m->version_id, m->deployment, &input, slot->source_id);
	ids_input(m->version_id, &slot->content, &input, slot->input_id);
}

/* A stack's containers have the names that its Compose file gives them, which others may use too.
 */
static const char *default_prefix(const struct making *m)
{
	const struct unit *unit = &m->deployment->from.file->unit;

	if (model_is_stack(m->deployment))
		return arena_printf(m->group->arena, "%s-%s-%s", unit->project, unit->stage,
				    m->deployment->name);
	return arena_printf(m->group->arena, "%s-%s", unit->project, unit->stage);
}

/* The Compose file that stands for the images of a version or simple product. */
static const struct file *find_compose(const struct making *m)
{
	if (m->version)
		return m->version->compose
			       ? model_compose(m->model, &m->version->from, m->version->compose)
			       : NULL;
	return m->product->compose ? model_compose(m->model, &m->product->from, m->product->compose)
				   : NULL;
}

static void make_slot(struct making *m, const struct node *node, struct slot *slot)
{
	const struct unit *unit = &m->deployment->from.file->unit;

	*slot = (struct slot){
		.key = {unit->project, unit->stage, m->deployment->name, node->name},
		.unit = *unit,
		.deployment = m->deployment,
		.product = m->product,
		.version = m->version,
		.node = node,
		.stage = m->stage,
		.version_name = m->version_name,
		.parent = m->parent,
		.type = m->type,
		.prefix = m->deployment->prefix,
		.is_stack = m->compose || model_is_stack(m->deployment),
		.images = m->images,
		.bundles = m->bundles,
	};
	if (!slot->prefix)
		slot->prefix = default_prefix(m);
	expand(m, slot);
	take_ids(m, slot);
	choose_strategy(m->group->arena, slot);
}

static void make_slots(struct making *m)
{
	struct slot_group *group = m->group;
	size_t documents;

	take_inputs(m);
	documents = group->inputs_n;
	merge_layers(m);
	group->slots = ARENA_ARRAY(group->arena, m->nodes.n, struct slot);
	for (size_t i = 0; i < m->nodes.n; i++) {
		struct slot *slot = &group->slots[group->slots_n++];

		make_slot(m, m->nodes.v[i], slot);
		take_slot_inputs(m, documents, slot);
	}
	slot_group_claim(group);
}

/* A deployment of one container on one node takes some 1.1 KiB; a second chunk would be twice the
 * first.
 */
#define GROUP_CHUNK 1280

struct slot_group *slot_group_make(const struct model *model, const struct history *history,
				   const struct deployment *deployment, struct diags *diags)
{
	const struct unit *unit = &deployment->from.file->unit;
	struct arena *arena = arena_new(GROUP_CHUNK);
	struct slot_group *group = ARENA_NEW(arena, struct slot_group);
	struct making making = {
		.model = model, .deployment = deployment, .group = group, .diags = diags};

	group->references = 1;
	group->arena = arena;
	group->deployment = deployment;
	making.project = model_project(model, unit->project);
	making.stage = model_stage(model, unit->project, unit->stage);
	making.product = model_product_of(model, deployment);
	if (!making.project || !making.stage || !making.product ||
	    !take_version(&making, history)) {
		group->open = true;
		return group;
	}
	making.app = model_app_of(deployment);
	making.compose = find_compose(&making);
	making.bundles = bundles_of(model, deployment, arena);
	group->open |= making.bundles.n < deployment->bundles.n;
	select_nodes(&making);
	make_slots(&making);
	VEC_FREE(&making.nodes);
	return group;
}

void slot_group_unref(struct slot_group *group)
{
	if (--group->references == 0)
		arena_free(group->arena);
}

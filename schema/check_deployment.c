#include "base/sys.h"
#include "schema/check_parts.h"

#include "schema/merge.h"

/* Stages and deployments: what they deploy, where, and what they wait for. */

/* ---- nodes ---- */

bool check_node_allowed(const struct project *project, const struct node *node)
{
	return !node->team || (project && str_eq(project->team, node->team));
}

bool deployment_names_nodes(const struct deployment *deployment)
{
	return IS_GIVEN(deployment, deployment, node) || IS_GIVEN(deployment, deployment, nodes) ||
	       IS_GIVEN(deployment, deployment, node_selector);
}

bool check_node_selected(const struct node *node, const struct pairs *selector)
{
	size_t j = 0;

	/* both are sorted by key */
	for (size_t i = 0; i < selector->n; i++) {
		while (j < node->labels.n && strcmp(node->labels.key[j], selector->key[i]) < 0)
			j++;
		if (j == node->labels.n || !str_eq(node->labels.key[j], selector->key[i]) ||
		    !str_eq(node->labels.value[j], selector->value[i]))
			return false;
	}
	return true;
}

static const struct project *project_of(const struct checker *checker, const struct origin *from)
{
	return model_project(checker->model, from->file->unit.project);
}

/* A node that a document of a stage names: does it exist, may the project use it? */
static void check_node_name(struct checker *checker, const struct origin *from, const char *name,
			    struct loc at)
{
	const struct node *node = model_node(checker->model, name);
	const struct project *project = project_of(checker, from);

	if (!node && !check_is_broken(checker, &check_organization_unit))
		check_error_at(checker, DIAG_UNKNOWN_NODE, from, at, "there is no node %s", name)
			->hint = check_node_hint(checker, name);
	if (node && project && !check_node_allowed(project, node))
		check_error_at(checker, DIAG_TEAM_MISMATCH, from, at,
			       "the node %s belongs to the team %s", name, node->team)
			->hint = diags_text(checker->diags,
					    project->team ? "the project %s belongs to %s"
							  : "the project %s belongs to no team",
					    project->name, project->team);
}

static void check_node_list(struct checker *checker, const struct origin *from,
			    const struct strings *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		check_node_name(checker, from, nodes->v[i], nodes->at[i]);
		for (size_t j = 0; j < i; j++) {
			if (!str_eq(nodes->v[i], nodes->v[j]))
				continue;
			check_error_at(checker, DIAG_DUPLICATE, from, nodes->at[i],
				       "the node %s is named twice", nodes->v[i]);
			break;
		}
	}
}

/* The first label that no node has by itself. */
static const char *selector_hint(struct checker *checker, const struct pairs *selector)
{
	for (size_t i = 0; i < selector->n; i++) {
		const struct pairs one = {
			.key = selector->key + i, .value = selector->value + i, .n = 1};
		size_t fit = 0;

		for (size_t j = 0; j < checker->model->nodes.n; j++)
			fit += check_node_selected(checker->model->nodes.v[j], &one);
		if (!fit)
			return diags_text(checker->diags, "none has %s: %s", selector->key[i],
					  selector->value[i]);
	}
	return "each label is there, on no node all of them";
}

static void check_selector(struct checker *checker, const struct deployment *deployment)
{
	const struct project *project = project_of(checker, &deployment->from);
	size_t fit = 0, allowed = 0;

	if (!IS_SET(deployment, deployment, node_selector) ||
	    check_is_broken(checker, &check_organization_unit))
		return;
	for (size_t i = 0; i < checker->model->nodes.n; i++) {
		const struct node *node = checker->model->nodes.v[i];

		if (!check_node_selected(node, &deployment->node_selector))
			continue;
		fit++;
		allowed += check_node_allowed(project, node);
	}
	if (allowed)
		return;
	check_error(checker, DIAG_NO_NODE, &deployment->head, &deployment->from,
		    deployment_node_selector_F,
		    fit ? "the nodes with these labels belong to other teams"
			: "no node has these labels")
		->hint = fit ? NULL : selector_hint(checker, &deployment->node_selector);
}

/* ---- product, version, containers ---- */

static const struct version *check_version_field(struct checker *checker,
						 const struct deployment *deployment,
						 const struct product *product)
{
	const char *project = deployment->from.file->unit.project;
	struct unit unit = check_project_unit(&deployment->from);

	if (product->type == PRODUCT_SIMPLE && IS_GIVEN(deployment, deployment, version))
		check_error(checker, DIAG_FIELDS_EXCLUDE, &deployment->head, &deployment->from,
			    deployment_version_F, "%s is a simple product: it has no versions",
			    product->name);
	if (product->type != PRODUCT_COMPLEX)
		return NULL;
	if (!IS_GIVEN(deployment, deployment, version))
		check_error(checker, DIAG_MISSING_FIELD, &deployment->head, &deployment->from,
			    deployment_product_F,
			    "the field version is missing: %s is a complex product", product->name)
			->hint = check_newest_hint(checker, project, product->name);
	if (!deployment->version)
		return NULL;
	if (!check_is_broken(checker, &unit) &&
	    !check_version_known(checker, project, product->name, deployment->version))
		check_error(checker, DIAG_UNKNOWN_VERSION, &deployment->head, &deployment->from,
			    deployment_version_F, "product %s has no version %s", product->name,
			    deployment->version)
			->hint = check_version_hint(checker, project, product->name,
						    deployment->version, NULL);
	return model_version(checker->model, project, product->name, deployment->version);
}

static const struct image *find_image(const struct image_list *images, const char *name)
{
	for (size_t i = 0; i < images->n; i++) {
		if (str_eq(images->v[i].name, name))
			return &images->v[i];
	}
	return NULL;
}

static void check_instances(struct checker *checker, const struct deployment *deployment,
			    const struct image_list *images)
{
	AUTO_FREE const char **names = NULL;
	const char *version = deployment->version;

	for (size_t i = 0; i < deployment->instances.n; i++) {
		const char *name = deployment->instances.name[i];

		if (find_image(images, name))
			continue;
		free(names);
		names = mem_realloc_array(NULL, images->n + 1, sizeof *names);
		for (size_t j = 0; j < images->n; j++)
			names[j] = images->v[j].name ? images->v[j].name : "";
		check_error_at(checker, DIAG_UNKNOWN_CONTAINER, &deployment->from,
			       deployment->instances.at[i], "%s%s%s has no container %s",
			       deployment->product ? deployment->product : deployment->name,
			       version ? " " : "", version ? version : "", name)
			->hint = check_hint(checker, name, names, images->n);
	}
}

/* Most layers are complete by themselves; only where one is not, the whole has to be looked at. */
static bool is_merged_check_needed(const struct deployment *deployment, const struct image *image,
				   const struct bundle_list *bundles)
{
	for (size_t i = 0; i < bundles->n; i++) {
		if (merged_check_needed(bundles->v[i]->config))
			return true;
	}
	return merged_check_needed(image->config) || merged_check_needed(deployment->config) ||
	       merged_check_needed(bundles_instance(deployment, image->name));
}

static void check_merged(struct checker *checker, const struct deployment *deployment,
			 const struct image_list *images, const struct bundle_list *bundles)
{
	for (size_t i = 0; i < images->n; i++) {
		const struct image *image = &images->v[i];
		AUTO_ARENA struct arena *arena = NULL;

		if (!is_merged_check_needed(deployment, image, bundles))
			continue;
		arena = arena_new(0);
		merged_check(bundles_merge(arena, deployment, bundles, image->name, image->config),
			     &deployment->from.file->unit, checker->diags);
	}
}

/* Without a name it is that of the Compose file beside it. */
static const struct product *check_product(struct checker *checker,
					   const struct deployment *deployment)
{
	const struct origin *from = &deployment->from;
	const struct product *product;

	if (IS_GIVEN(deployment, deployment, product) && !from->derived)
		return check_product_name(checker, &deployment->head, from, deployment_product_F,
					  deployment->product);
	product = model_product_of(checker->model, deployment);
	if (!product && !check_is_broken(checker, &from->file->unit))
		check_error_at(checker, DIAG_MISSING_FIELD, from, from->at,
			       "the field product is missing")
			->hint = "product: what is deployed";
	if (product && !str_eq(product->name, deployment->name))
		check_error(checker, DIAG_SCOPE_MISMATCH, &deployment->head, from,
			    deployment_name_F, "the name must be that of the folder, %s",
			    product->name)
			->hint = "the Compose file beside it is deployed under that name";
	return product;
}

static void check_content(struct checker *checker, const struct deployment *deployment)
{
	const struct product *product = check_product(checker, deployment);
	AUTO_ARENA struct arena *arena = deployment->bundles.n ? arena_new(0) : NULL;
	const struct bundle_list bundles = bundles_of(checker->model, deployment, arena);
	const struct image_list *images = NULL;
	const struct version *version;

	if (!product)
		return;
	version = check_version_field(checker, deployment, product);
	if (product->type == PRODUCT_SIMPLE)
		images = model_product_images(checker->model, product);
	if (version)
		images = model_version_images(checker->model, version);
	check_bundles(checker, deployment, images, &bundles);
	if (!images)
		return;
	check_instances(checker, deployment, images);
	check_merged(checker, deployment, images, &bundles);
}

/* ---- dependencies within a stage ---- */

static const char *deployment_hint(struct checker *checker, const struct deployment *near,
				   const char *name)
{
	const struct model *model = checker->model;
	AUTO_FREE const char **names =
		mem_realloc_array(NULL, model->deployments.n + 1, sizeof *names);
	size_t n = 0;

	for (size_t i = 0; i < model->deployments.n; i++) {
		const struct deployment *other = model->deployments.v[i];

		if (other != near && unit_cmp(&other->from.file->unit, &near->from.file->unit) == 0)
			names[n++] = other->name;
	}
	return check_hint(checker, name, names, n);
}

static void check_dependencies(struct checker *checker, const struct deployment *deployment)
{
	const struct unit *unit = &deployment->from.file->unit;
	const struct document *written = model_written(deployment);

	/* an app waits for what it links to, and for nothing else */
	if (written) {
		if (written->kind == KIND_app)
			check_links(checker, written->value);
		return;
	}
	for (size_t i = 0; i < deployment->depends_on.n; i++) {
		const char *name = deployment->depends_on.v[i];
		struct loc at = deployment->depends_on.at[i];

		if (str_eq(name, deployment->name))
			check_error_at(checker, DIAG_DEPENDENCY_CYCLE, &deployment->from, at,
				       "a deployment cannot wait for itself");
		else if (!model_deployment(checker->model, unit->project, unit->stage, name) &&
			 !check_is_broken(checker, unit))
			check_error_at(checker, DIAG_UNKNOWN_DEPENDENCY, &deployment->from, at,
				       "the stage %s has no deployment %s", unit->stage, name)
				->hint = deployment_hint(checker, deployment, name);
	}
}

/* ---- all ---- */

void check_stages(struct checker *checker)
{
	for (size_t i = 0; i < checker->model->stages.n; i++) {
		const struct stage *stage = checker->model->stages.v[i];

		check_node_list(checker, &stage->from, &stage->nodes);
	}
}

/* What names no node goes to the nodes of its stage. */
static void check_stage_nodes(struct checker *checker, const struct deployment *deployment)
{
	const struct unit *unit = &deployment->from.file->unit;
	const struct stage *stage = model_stage(checker->model, unit->project, unit->stage);

	if (deployment_names_nodes(deployment) || !stage || IS_GIVEN(stage, stage, nodes))
		return;
	check_error_at(checker, DIAG_NO_NODE, &deployment->from, deployment->from.at,
		       "the stage %s has no nodes for %s", stage->name, deployment->name)
		->hint = diags_text(checker->diags, "%s: nodes: [a node]", stage->from.file->path);
}

void check_deployment(struct checker *checker, const struct deployment *deployment)
{
	check_stage_nodes(checker, deployment);
	if (deployment->node)
		check_node_name(checker, &deployment->from, deployment->node,
				AT(deployment, deployment, node));
	check_node_list(checker, &deployment->from, &deployment->nodes);
	check_selector(checker, deployment);
	check_bundle_names(checker, deployment);
	check_deployment_images(checker, deployment);
	check_content(checker, deployment);
	check_dependencies(checker, deployment);
}

void check_deployments(struct checker *checker)
{
	const struct model *model = checker->model;

	for (size_t first = 0, end; first < model->deployments.n; first = end) {
		const struct unit *unit = &model->deployments.v[first]->from.file->unit;

		for (end = first; end < model->deployments.n &&
				  unit_cmp(&model->deployments.v[end]->from.file->unit, unit) == 0;
		     end++)
			check_deployment(checker, model->deployments.v[end]);
		check_waiting(checker, model->deployments.v + first, end - first);
	}
}

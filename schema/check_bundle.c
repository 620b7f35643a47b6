#include "base/sys.h"
#include "schema/check_parts.h"

/* Bundles, and the deployments that name them. */

/* ---- the bundles themselves ---- */

/* A name is the organization's or the project's: else a new bundle would change what others name.
 */
void check_bundle_documents(struct checker *checker)
{
	const struct model *model = checker->model;

	for (size_t i = 0; i < model->bundles.n; i++) {
		const struct bundle *bundle = model->bundles.v[i];
		const struct bundle *other = model_bundle(model, NULL, bundle->name);
		struct diag *diag;

		check_bundle_images(checker, bundle);
		if (!bundle->from.file->unit.project || !other)
			continue;
		diag = check_error(checker, DIAG_DUPLICATE, &bundle->head, &bundle->from,
				   bundle_name_F, "the organization has a ConfigBundle %s too",
				   bundle->name);
		diag->hint = "give this one another name";
		diag->related_path = diags_text(checker->diags, "%s", other->from.file->path);
		diag->related = other->from.at;
	}
}

/* ---- names ---- */

static const char *bundle_hint(struct checker *checker, const struct deployment *deployment,
			       const char *name)
{
	const struct model *model = checker->model;
	const char *project = deployment->from.file->unit.project;
	AUTO_FREE const char **names = mem_realloc_array(NULL, model->bundles.n + 1, sizeof *names);
	size_t n = 0;

	for (size_t i = 0; i < model->bundles.n; i++) {
		const struct bundle *bundle = model->bundles.v[i];
		const char *owner = bundle->from.file->unit.project;

		if (!owner || str_eq(owner, project))
			names[n++] = bundle->name;
	}
	return check_hint(checker, name, names, n);
}

void check_bundle_names(struct checker *checker, const struct deployment *deployment)
{
	const struct strings *names = &deployment->bundles;
	struct unit unit = check_project_unit(&deployment->from);
	bool certain = !check_is_broken(checker, &unit) &&
		       !check_is_broken(checker, &check_organization_unit);

	for (size_t i = 0; i < names->n; i++) {
		for (size_t j = 0; j < i; j++) {
			if (str_eq(names->v[i], names->v[j]))
				check_error_at(checker, DIAG_DUPLICATE, &deployment->from,
					       names->at[i], "the bundle %s is named twice",
					       names->v[i]);
		}
		if (certain && !model_bundle(checker->model, unit.project, names->v[i]))
			check_error_at(checker, DIAG_UNKNOWN_BUNDLE, &deployment->from,
				       names->at[i], "there is no ConfigBundle %s", names->v[i])
				->hint = bundle_hint(checker, deployment, names->v[i]);
	}
}

/* ---- what they say ---- */

struct bundle_pair {
	struct checker *checker;
	const struct deployment *deployment;
	const struct bundle *first, *second;
	struct map told; /* field -> itself */
};

static struct loc place_of_name(const struct deployment *deployment, const char *name)
{
	for (size_t i = 0; i < deployment->bundles.n; i++) {
		if (str_eq(deployment->bundles.v[i], name))
			return deployment->bundles.at[i];
	}
	return deployment->from.at;
}

static void report_clash(struct bundle_pair *pair, const struct bundle_clash *clash)
{
	struct diags *diags = pair->checker->diags;
	AUTO_FREE char *place = NULL;
	struct diag *diag;

	if (map_get(&pair->told, clash->field))
		return;
	map_put(&pair->told, clash->field, pair);
	/* A null stands nowhere. */
	if (clash->at[1].line)
		place = mem_printf("%s:%u", clash->path[1], (unsigned)clash->at[1].line);
	diag = check_error_at(pair->checker, DIAG_BUNDLE_CONFLICT, &pair->deployment->from,
			      place_of_name(pair->deployment, pair->second->name),
			      "the bundles %s and %s set %s differently (%s)", pair->first->name,
			      pair->second->name, clash->field, place ? place : clash->path[1]);
	diag->hint = diags_text(diags, "set %s in the deployment too, or leave one of them out",
				clash->field);
	diag->related_path = diags_text(diags, "%s", clash->path[0]);
	diag->related = clash->at[0];
}

static void compare_pair(struct bundle_pair *pair, const struct container *instance)
{
	const struct container *over[] = {pair->deployment->config, instance};
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct bundle_clashes clashes = bundles_compare(
		arena, pair->first->config, pair->second->config, over, ARRAY_LEN(over));

	for (size_t i = 0; i < clashes.n; i++)
		report_clash(pair, &clashes.v[i]);
}

/* images NULL: not known. */
static void check_bundle_pair(struct bundle_pair *pair, const struct image_list *images)
{
	if (!pair->first->config || !pair->second->config)
		return;
	for (size_t i = 0; images && i < images->n; i++)
		compare_pair(pair, bundles_instance(pair->deployment, images->v[i].name));
	if (!images)
		compare_pair(pair, NULL);
	map_release(&pair->told);
}

void check_bundles(struct checker *checker, const struct deployment *deployment,
		   const struct image_list *images, const struct bundle_list *bundles)
{
	for (size_t second = 1; second < bundles->n; second++) {
		for (size_t first = 0; first < second; first++) {
			struct bundle_pair pair = {
				.checker = checker,
				.deployment = deployment,
				.first = bundles->v[first],
				.second = bundles->v[second],
			};

			if (pair.first != pair.second)
				check_bundle_pair(&pair, images);
		}
	}
}

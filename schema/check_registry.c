#include "base/sys.h"
#include "schema/check_parts.h"

#include "schema/registry.h"

/* Where images come from: of versions, simple products, and what runs before a container. */

struct image_check {
	struct checker *checker;
	const struct project *project; /* NULL: of none; no team is asked */
	struct doc_source source;
	bool certain;
};

static struct image_check image_check_of(struct checker *checker, const struct origin *from)
{
	const struct file *file = from->file;

	return (struct image_check){
		.checker = checker,
		.project = model_project(checker->model, file->unit.project),
		.source = {.path = file->path, .unit = &file->unit, .diags = checker->diags},
		.certain = !check_is_broken(checker, &check_organization_unit),
	};
}

static void check_image(const struct image_check *check, const char *image, struct loc at)
{
	registry_check_image(check->checker->model, check->project, check->certain, image, at,
			     &check->source);
}

static void check_config(const struct image_check *check, const struct container *config)
{
	for (size_t i = 0; config && i < config->init.n; i++)
		check_image(check, config->init.v[i].image, AT(&config->init.v[i], init, image));
}

static void check_images(struct checker *checker, const struct origin *from,
			 const struct image_list *images)
{
	struct image_check check = image_check_of(checker, from);

	for (size_t i = 0; images && i < images->n; i++) {
		/* those of a Compose file stand there */
		check.source.path = PATH_OF(&images->v[i], image, image);
		check_image(&check, images->v[i].image, AT(&images->v[i], image, image));
		check_config(&check, images->v[i].config);
	}
}

void check_version_images(struct checker *checker, const struct version *version)
{
	check_images(checker, &version->from, model_version_images(checker->model, version));
}

void check_products(struct checker *checker)
{
	for (size_t i = 0; i < checker->model->products.n; i++) {
		const struct product *product = checker->model->products.v[i];

		check_images(checker, &product->from,
			     model_product_images(checker->model, product));
	}
}

void check_bundle_images(struct checker *checker, const struct bundle *bundle)
{
	struct image_check check = image_check_of(checker, &bundle->from);

	check_config(&check, bundle->config);
}

/* What a bundle of the organization runs may be of a team: not of any that names the bundle. */
static void check_bundle_team(const struct image_check *check, const struct bundle *bundle,
			      struct loc at)
{
	for (size_t i = 0; bundle->config && i < bundle->config->init.n; i++)
		registry_check_image(check->checker->model, check->project, false,
				     bundle->config->init.v[i].image, at, &check->source);
}

void check_deployment_images(struct checker *checker, const struct deployment *deployment)
{
	struct image_check check = image_check_of(checker, &deployment->from);

	if (deployment->from.derived)
		check_images(checker, &deployment->from, &deployment->from.derived->images);
	check_config(&check, deployment->config);
	for (size_t i = 0; i < deployment->instances.n; i++)
		check_config(&check, deployment->instances.v[i].config);
	for (size_t i = 0; i < deployment->bundles.n; i++) {
		const struct bundle *bundle =
			model_bundle(checker->model, NULL, deployment->bundles.v[i]);

		if (bundle)
			check_bundle_team(&check, bundle, deployment->bundles.at[i]);
	}
}

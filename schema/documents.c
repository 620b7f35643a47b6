#include "base/sys.h"
#include "schema/documents.h"

#include "schema/fields.h"
#include "schema/image.h"
#include "schema/merge.h"

/* Rules between the fields of one document; each reports and goes on. */

/* ---- container configuration ---- */

static struct loc place(const struct head *head, unsigned field)
{
	return head->at ? head->at[field] : (struct loc){0, 0, 0};
}

static void check_volume(const struct volume *volume, const struct doc_source *source)
{
	if (volume->type != VOLUME_TMP)
		return;
	if (volume->host_path)
		source_error(source, DIAG_FIELDS_EXCLUDE, place(&volume->head, volume_host_path_F),
			     "type tmp and hostPath exclude each other")
			->hint = "a tmp volume has a name, and no folder of the node";
	if (volume->read_only)
		source_error(source, DIAG_FIELDS_EXCLUDE, place(&volume->head, volume_read_only_F),
			     "type tmp and readOnly exclude each other");
}

static void check_configuration(const struct container *config, const struct doc_source *source)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->volumes.n; i++)
		check_volume(&config->volumes.v[i], source);
	if (config->expect && config->expect->state == EXPECT_RUNNING &&
	    IS_SET(config->expect, expect, exit_code))
		source_error(source, DIAG_FIELDS_EXCLUDE,
			     place(&config->expect->head, expect_exit_code_F),
			     "exitCode needs state: exited");
	template_check(config, source->unit, source->diags);
}

/* ---- images ---- */

/*
 * Registries are documents that this build does not know yet, so that nothing but local images can
 * be had; what else is named is told apart here, so that the message fits.
 */
static void check_source(const struct image *image, const struct image_ref *ref,
			 const struct doc_source *source)
{
	struct loc at = place(&image->head, image_image_F);

	switch (ref->source) {
	case IMAGE_LOCAL:
		if (ref->digest)
			source_error(source, DIAG_NOT_SUPPORTED, at,
				     "a digest of a local image is not supported by this build");
		return;
	case IMAGE_HOST:
		source_error(source, DIAG_UNKNOWN_REGISTRY, at, "no Registry has the url %s",
			     ref->registry)
			->hint = "images of this build are local/<path>:<tag>";
		return;
	case IMAGE_NAMED:
	case IMAGE_HUB:
		source_error(source, DIAG_NOT_SUPPORTED, at,
			     "images of Docker Hub are not supported by this build")
			->hint = "images of this build are local/<path>:<tag>";
		return;
	}
}

static void check_image(const struct image *image, const struct doc_source *source)
{
	static const struct template_values sample = {"1", "s", "p", "n", "p-s"};
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct image_ref ref;
	struct err err = ERR_INIT;
	const char *text;

	check_configuration(image->config, source);
	if (!image->image)
		return;
	text = template_text(arena, image->image, &sample, &err);
	if (!text)
		source_error(source, DIAG_BAD_TEMPLATE, place(&image->head, image_image_F), "%s",
			     err.text);
	else if (image_ref_parse(arena, text, &ref, &err) != 0)
		source_error(source, DIAG_BAD_IMAGE, place(&image->head, image_image_F), "%s",
			     err.text);
	else
		check_source(image, &ref, source);
}

static void check_images(const struct image_list *images, const struct doc_source *source)
{
	for (size_t i = 0; i < images->n; i++)
		check_image(&images->v[i], source);
}

/* ---- kinds ---- */

static void check_team(const struct team *team, const struct doc_source *source)
{
	if (!IS_SET(team, team, members))
		return;
	for (size_t i = 0; i < team->members.n; i++) {
		if (str_eq(team->members.value[i], "owner"))
			return;
	}
	source_error(source, DIAG_NO_OWNER, AT(team, team, members),
		     "a team needs at least one owner");
}

static void refuse_field(const struct doc_source *source, const struct head *head, unsigned field,
			 const struct object_type *type, const char *reason)
{
	if ((head->set | head->bad) >> field & 1)
		source_error(source, DIAG_FIELDS_EXCLUDE, place(head, field),
			     "%s cannot stand here: %s", type->fields[field].key, reason);
}

static void check_node(const struct node *node, const struct doc_source *source)
{
	if (node->driver != DRIVER_HOST)
		return;
	refuse_field(source, &node->head, node_endpoint_F, &type_node,
		     "the host driver has no endpoint");
	if (!IS_GIVEN(node, node, image_root))
		source_error(source, DIAG_MISSING_FIELD, AT(node, node, driver),
			     "the field imageRoot is missing: the host driver runs images from it")
			->hint = "imageRoot: /srv/images, for instance";
}

static void check_product(const struct product *product, const struct doc_source *source)
{
	check_images(&product->images, source);
	if (product->type == PRODUCT_COMPLEX)
		refuse_field(source, &product->head, product_images_F, &type_product,
			     "a complex product has its images in Version documents");
	if (product->type == PRODUCT_SIMPLE && !IS_GIVEN(product, product, images))
		source_error(source, DIAG_MISSING_FIELD, AT(product, product, type),
			     "the field images is missing: a simple product has them inline");
}

static void check_version(const struct version *version, const struct doc_source *source)
{
	check_images(&version->images, source);
	if (version->type == VERSION_ROLLING)
		refuse_field(source, &version->head, version_parent_F, &type_version,
			     "a rolling version has no parent");
	if (version->parent && str_eq(version->parent, version->name))
		source_error(source, DIAG_VERSION_CYCLE, AT(version, version, parent),
			     "a version cannot be its own parent");
}

static void check_deployment(const struct deployment *deployment, const struct doc_source *source)
{
	check_configuration(deployment->config, source);
	for (size_t i = 0; i < deployment->instances.n; i++)
		check_configuration(deployment->instances.v[i].config, source);
	if (!IS_GIVEN(deployment, deployment, node) && !IS_GIVEN(deployment, deployment, nodes) &&
	    !IS_GIVEN(deployment, deployment, node_selector))
		source_error(source, DIAG_NO_NODE, deployment->from.at,
			     "the deployment names no node")
			->hint = "one of node, nodes or nodeSelector is needed";
}

void document_check(enum kind kind, const void *value, const struct doc_source *source)
{
	switch (kind) {
	case KIND_team:
		check_team(value, source);
		break;
	case KIND_node:
		check_node(value, source);
		break;
	case KIND_product:
		check_product(value, source);
		break;
	case KIND_version:
		check_version(value, source);
		break;
	case KIND_deployment:
		check_deployment(value, source);
		break;
	default:
		break;
	}
}

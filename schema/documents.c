#include "base/sys.h"
#include "schema/documents.h"

#include "schema/check.h"
#include "schema/decode.h"
#include "schema/fields.h"
#include "schema/forms.h"
#include "schema/registry.h"

/* Rules between the fields of one document; each reports and goes on. */

/* ---- place and name ---- */

static void check_folder(const struct doc_source *source, const char *what, const char *name,
			 int64_t max)
{
	static const struct loc nowhere = {0, 0, 0};

	if (!name || (form_text_fits(FORM_NAME, name) && (int64_t)strlen(name) <= max))
		return;
	source_error(source, DIAG_BAD_NAME, nowhere,
		     "the %s folder %s must be named with at most %lld small letters, digits and "
		     "inner dashes",
		     what, name, (long long)max);
}

void document_folders_check(const struct doc_source *source)
{
	check_folder(source, "project", source->unit->project,
		     type_project.fields[project_name_F].max);
	check_folder(source, "stage", source->unit->stage, type_stage.fields[stage_name_F].max);
}

bool document_belongs(enum kind kind, enum unit_level level)
{
	switch (kind_type(kind)->scope) {
	case SCOPE_ORGANIZATION:
		return level == UNIT_ORGANIZATION;
	case SCOPE_PROJECT:
		return level == UNIT_PROJECT;
	case SCOPE_STAGE:
		return level == UNIT_STAGE;
	case SCOPE_SHARED:
		return level != UNIT_STAGE;
	case SCOPE_ANY:
		return true;
	case SCOPE_NONE:
	case SCOPE_SETTINGS:
		break;
	}
	return false;
}

static bool name_by_folder(const struct doc_source *source, const char **name,
			   const struct head *head, unsigned field, const char *wanted)
{
	/* what cannot be a name was told of the folder */
	if (*name && !str_eq(*name, wanted) && form_text_fits(FORM_NAME, wanted)) {
		source_error(source, DIAG_SCOPE_MISMATCH, head_at(head, field),
			     "the name must be that of the folder, %s", wanted);
		*name = wanted;
	}
	return *name != NULL;
}

bool document_is_known(const struct document *document, const struct doc_source *source)
{
	switch (document->kind) {
	case KIND_project: {
		struct project *project = document->value;

		return name_by_folder(source, &project->name, &project->head, project_name_F,
				      source->unit->project);
	}
	case KIND_stage: {
		struct stage *stage = document->value;

		return name_by_folder(source, &stage->name, &stage->head, stage_name_F,
				      source->unit->stage);
	}
	case KIND_version: {
		const struct version *version = document->value;

		return version->product && version->name;
	}
	default: {
		const struct object_type *type = kind_type(document->kind);
		const struct field_type_row *row = object_field(type, "name");

		return *(const char *const *)field_const_slot(document->value, row) != NULL;
	}
	}
}

/* ---- images ---- */

static void check_track(const struct image *image, const struct doc_source *source)
{
	if (image->track == TRACK_TAG && image->image && strchr(image->image, '@'))
		source_error(source, DIAG_FIELDS_EXCLUDE, AT(image, image, track),
			     "an image that names its digest has no tag to follow")
			->hint = "leave the digest out, or write `track: digest`";
}

void document_images_check(const struct image_list *images, const struct doc_source *source)
{
	for (size_t i = 0; i < images->n; i++) {
		const struct image *image = &images->v[i];

		document_config_check(image->config, source);
		document_image_check(image->image, AT(image, image, image), source);
		check_track(image, source);
	}
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
		     "a team needs at least one owner")
		->hint = diags_text(source->diags, "%s: owner, for instance", team->members.key[0]);
}

static void refuse_field(const struct doc_source *source, const struct head *head, unsigned field,
			 const struct object_type *type, const char *reason)
{
	uint64_t there = type->fields[field].object ? head->set | head->bad : head->set;

	/* of a scalar that is wrong in itself one problem is told, of what is inside all of them */
	if (there >> field & 1)
		source_error(source, DIAG_FIELDS_EXCLUDE, head_at(head, field),
			     "%s cannot stand here: %s", type->fields[field].key, reason);
}

static void check_node(const struct node *node, const struct doc_source *source)
{
	if (node->driver == DRIVER_HOST || node->driver == DRIVER_MEMORY)
		refuse_field(source, &node->head, node_credentials_F, &type_node,
			     "there is no engine that would ask for them");
	if (node->driver != DRIVER_HOST)
		return;
	refuse_field(source, &node->head, node_endpoint_F, &type_node,
		     "the host driver has no endpoint");
	if (!IS_GIVEN(node, node, image_root))
		source_error(source, DIAG_MISSING_FIELD, AT(node, node, driver),
			     "the field imageRoot is missing: the host driver runs images from it")
			->hint = "imageRoot: /srv/images, for instance";
}

/* Names that mean something by themselves are of that type, or of none. */
static void check_registry_name(const struct registry *registry, const struct doc_source *source)
{
	static const struct {
		const char *name;
		int type;
	} reserved[] = {{REGISTRY_LOCAL_NAME, REGISTRY_LOCAL},
			{REGISTRY_HUB_NAME, REGISTRY_HUB},
			{"declared", registry_type_none_}};

	for (size_t i = 0; registry->type && i < ARRAY_LEN(reserved); i++) {
		bool named = str_eq(registry->name, reserved[i].name);

		if (named && registry->type != reserved[i].type)
			source_error(source, DIAG_BAD_NAME, AT(registry, registry, name),
				     "a Registry called %s cannot be of type %s", registry->name,
				     ENUM_WORD(registry_type, registry->type))
				->hint = "the name has a meaning of its own: give it another one";
		if (!named && registry->name && registry->type == REGISTRY_LOCAL &&
		    reserved[i].type == REGISTRY_LOCAL)
			source_error(source, DIAG_BAD_NAME, AT(registry, registry, name),
				     "the Registry of type local is called local")
				->hint = "it needs no document, but for a team";
	}
}

static void check_registry(const struct registry *registry, const struct doc_source *source)
{
	check_registry_name(registry, source);
	if (registry->type == REGISTRY_V2 && !IS_GIVEN(registry, registry, url))
		source_error(source, DIAG_MISSING_FIELD, AT(registry, registry, type),
			     "the field url is missing: a registry of type v2 is found by it")
			->hint = "url: registry.example.org, for instance";
	if (registry->type == REGISTRY_LOCAL) {
		refuse_field(source, &registry->head, registry_url_F, &type_registry,
			     "local images are in the imageRoot of each node");
		refuse_field(source, &registry->head, registry_credentials_F, &type_registry,
			     "local images are in the imageRoot of each node");
	}
	if (registry->type == REGISTRY_HUB || registry->type == REGISTRY_GITHUB)
		refuse_field(source, &registry->head, registry_url_F, &type_registry,
			     "the type says where it is; of type v2 it has a url");
	if (registry_is_plain(registry) && !registry_host_is_loopback(registry_host(registry)))
		source_error(source, DIAG_BAD_VALUE, AT(registry, registry, url),
			     "plain http is for registries on this machine only")
			->hint = "https://, or without it, which means the same";
}

static void check_notification(const struct notification *notification,
			       const struct doc_source *source)
{
	const char *target = notification->target;
	bool mail = notification->type == NOTIFY_EMAIL;

	if (!target || !notification->type)
		return;
	if (mail ? form_text_fits(FORM_EMAIL, target)
		 : str_starts(target, "https://") && target[strlen("https://")])
		return;
	source_error(source, DIAG_BAD_VALUE, AT(notification, notification, target),
		     mail ? "the target of an email must be an e-mail address"
			  : "the target of a hook must be its address, https://")
		->hint = mail ? "ops@example.org, for instance" : NULL;
}

static void check_product(const struct product *product, const struct doc_source *source)
{
	document_images_check(&product->images, source);
	if (product->type == PRODUCT_COMPLEX)
		refuse_field(source, &product->head, product_images_F, &type_product,
			     "a complex product has its images in Version documents");
	if (product->type == PRODUCT_COMPLEX)
		refuse_field(source, &product->head, product_requires_F, &type_product,
			     "the versions of a complex product say what they require");
	if (product->type == PRODUCT_COMPLEX)
		refuse_field(source, &product->head, product_compose_F, &type_product,
			     "the versions of a complex product have their own");
	if (product->type == PRODUCT_SIMPLE && !IS_GIVEN(product, product, images) &&
	    !IS_GIVEN(product, product, compose))
		source_error(source, DIAG_MISSING_FIELD, AT(product, product, type),
			     "the field images is missing: a simple product has them inline")
			->hint = "images: its containers, or compose: the path of a Compose file";
}

static void check_frozen_track(const struct image *image, const struct doc_source *source)
{
	if (image->track == TRACK_TAG)
		source_error(source, DIAG_FIELDS_EXCLUDE, AT(image, image, track),
			     "an incremental version is frozen, and follows no tag")
			->hint = "only rolling versions and simple products do; write `track: "
				 "digest`, or `type: rolling`";
}

static void check_version(const struct version *version, const struct doc_source *source)
{
	document_images_check(&version->images, source);
	if (!IS_GIVEN(version, version, images) && !IS_GIVEN(version, version, compose))
		source_error(source, DIAG_MISSING_FIELD, version->from.at,
			     "the field images is missing: of what does the version consist?")
			->hint = "images: its containers, or compose: the path of a Compose file";
	for (size_t i = 0; version->type == VERSION_INCREMENTAL && i < version->images.n; i++)
		check_frozen_track(&version->images.v[i], source);
	if (version->type == VERSION_ROLLING)
		refuse_field(source, &version->head, version_parent_F, &type_version,
			     "a rolling version has no parent");
	if (version->parent && str_eq(version->parent, version->name))
		source_error(source, DIAG_VERSION_CYCLE, AT(version, version, parent),
			     "a version cannot be its own parent");
}

/* The only manifest that may stand beside a Compose file; check_model sees whether there is one. */
static bool is_stack(const struct deployment *deployment, const struct doc_source *source)
{
	const char *slash = strrchr(source->path, '/');
	const char *name = slash ? slash + 1 : source->path;

	return !IS_GIVEN(deployment, deployment, product) &&
	       (str_eq(name, "deployment.yaml") || str_eq(name, "deployment.yml"));
}

static void check_deployment(const struct deployment *deployment, const struct doc_source *source)
{
	document_config_check(deployment->config, source);
	for (size_t i = 0; i < deployment->instances.n; i++)
		document_config_check(deployment->instances.v[i].config, source);
	if (is_stack(deployment, source))
		return;
	if (!IS_GIVEN(deployment, deployment, product))
		source_error(source, DIAG_MISSING_FIELD, deployment->from.at,
			     "the field product is missing")
			->hint = "product: what is deployed";
	if (!deployment_names_nodes(deployment))
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
	case KIND_notification:
		check_notification(value, source);
		break;
	case KIND_registry:
		check_registry(value, source);
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
	case KIND_app:
		document_app_check(value, source);
		break;
	case KIND_service:
		document_service_check(value, source);
		break;
	case KIND_bundle:
		document_config_check(((const struct bundle *)value)->config, source);
		break;
	default:
		break;
	}
}

#include "base/sys.h"
#include "schema/derive.h"

#include "schema/derive_parts.h"
#include "schema/documents.h"
#include "schema/kinds.h"

/* ---- objects ---- */

void derive_give(struct derived *derived, unsigned field, struct loc at)
{
	derived->head->set |= UINT64_C(1) << field;
	derived->at[field] = at.line ? at : derived->document;
}

void derive_end(const struct derived *derived, struct arena *arena)
{
	head_place(arena, derived->head, derived->head->set, derived->at, NULL);
}

/* ---- a deployment ---- */

static void end_product(struct file *file, struct product *product, const struct derived_name *name)
{
	struct derived derived = DERIVED(product, file, name->document);

	derive_give(&derived, product_name_F, name->at);
	derive_give(&derived, product_type_F, name->document);
	if (product->images.n)
		derive_give(&derived, product_images_F, name->document);
	derive_end(&derived, file->arena);
}

struct document derive_deployment(struct file *file, const struct derived_name *name,
				  const struct image_list *images, const struct link_map *links)
{
	struct product *product = ARENA_NEW(file->arena, struct product);
	struct deployment *deployment = ARENA_NEW(file->arena, struct deployment);
	const struct origin from = {file, name->document, product};
	struct derived derived = DERIVED(deployment, file, name->document);

	product->from = from;
	product->name = name->text;
	product->type = PRODUCT_SIMPLE;
	product->images = *images;
	end_product(file, product, name);
	deployment->from = from;
	deployment->name = name->text;
	deployment->product = name->text;
	derive_give(&derived, deployment_name_F, name->at);
	derive_give(&derived, deployment_product_F, name->at);
	if (links && links->n) {
		deployment->depends_on = (struct strings){links->name, links->at, links->n};
		derive_give(&derived, deployment_depends_on_F, links->at[0]);
	}
	derive_end(&derived, file->arena);
	return (struct document){KIND_deployment, deployment};
}

/* ---- files ---- */

static bool stands_for_more(const struct document *document)
{
	return document->kind == KIND_app || document->kind == KIND_service;
}

static struct document derive(struct file *file, const struct document *document,
			      const struct doc_source *source)
{
	const bool is_app = document->kind == KIND_app;
	const struct app *app = document->value;
	const struct service *service = document->value;
	const struct image_list images =
		is_app ? derive_app(app, file->arena) : derive_service(service, file->arena);
	const struct derived_name name = {
		.text = is_app ? app->name : service->name,
		.at = is_app ? AT(app, app, name) : AT(service, service, name),
		.document = document_origin(document)->at,
	};

	for (size_t i = 0; i < images.n; i++)
		document_config_check(images.v[i].config, source);
	return derive_deployment(file, &name, &images, is_app ? &app->links : NULL);
}

void derive_documents(struct file *file, const struct doc_source *source)
{
	const struct document *written = file->documents;
	size_t n = file->documents_n, more = 0;

	for (size_t i = 0; i < n; i++)
		more += stands_for_more(&written[i]);
	if (!more)
		return;
	file->documents = ARENA_ARRAY(file->arena, n + more, struct document);
	file->documents_n = 0;
	for (size_t i = 0; i < n; i++) {
		file->documents[file->documents_n++] = written[i];
		if (stands_for_more(&written[i]))
			file->documents[file->documents_n++] = derive(file, &written[i], source);
	}
}

#include "base/sys.h"
#include "schema/documents.h"

#include "schema/catalogue.h"
#include "schema/kinds.h"

/* Rules within a service, most of them from the catalogue; each reports and goes on. */

static void refuse_options(const struct service *service, const struct catalogue_row *row,
			   const struct doc_source *source)
{
	const struct head *head = &service->options->head;

	for (uint64_t left = head->set & ~row->options; left; left &= left - 1) {
		unsigned field = (unsigned)__builtin_ctzll(left);
		const char *key = type_service_options.fields[field].key;

		source_error(source, DIAG_FIELDS_EXCLUDE, head_at(head, field),
			     "%s cannot stand here: a service of type %s has no such option", key,
			     ENUM_WORD(service_type, service->type))
			->hint = "trueup explain Service.options says which type has which";
	}
}

static void check_url(const struct service *service, const struct doc_source *source)
{
	const struct service_options *options = service->options;
	AUTO_ARENA struct arena *arena = arena_new(0);
	const char *unknown;

	if (!options->url)
		return;
	unknown = catalogue_unknown(arena, options->url);
	if (unknown)
		source_error(source, DIAG_BAD_TEMPLATE, AT(options, service_options, url),
			     "unknown word %.100s in a URL", unknown)
			->hint = "there are {host} and {port}";
	else if (strstr(options->url, "{port}") && !IS_GIVEN(options, service_options, ports))
		source_error(source, DIAG_MISSING_FIELD, AT(options, service_options, url),
			     "the field ports is missing: which port is in the URL?")
			->hint = "ports: [8080], for instance";
}

/* The tag is in the image where somebody names one. */
static void check_image(const struct service *service, const struct catalogue_row *row,
			const struct doc_source *source)
{
	const struct service_options *options = service->options;
	AUTO_ARENA struct arena *arena = arena_new(0);

	if (IS_SET(service, service, version) && (!row->image || (options && options->image))) {
		source_error(source, DIAG_FIELDS_EXCLUDE, AT(service, service, version),
			     row->options >> service_options_image_F & 1
				     ? "version cannot stand here: options.image says which"
				     : "version cannot stand here: a volume has none");
		return;
	}
	if (service->version)
		document_image_check(arena_printf(arena, "%s:%s", row->image, service->version),
				     AT(service, service, version), source);
	if (options && options->image)
		document_image_check(options->image, AT(options, service_options, image), source);
	if (service->type == SERVICE_CUSTOM &&
	    !(options && IS_GIVEN(options, service_options, image)))
		source_error(source, DIAG_MISSING_FIELD, AT(service, service, type),
			     "the field options.image is missing: what does it run?")
			->hint = "options: {image: <registry>/<path>:<tag>}";
}

void document_service_check(const struct service *service, const struct doc_source *source)
{
	const struct catalogue_row *row = catalogue_find(service->type);

	if (!row)
		return;
	check_image(service, row, source);
	if (!service->options)
		return;
	refuse_options(service, row, source);
	check_url(service, source);
}

#include "base/sys.h"
#include "schema/documents.h"

#include "schema/fields.h"
#include "schema/forms.h"
#include "schema/image.h"
#include "schema/merge.h"

/* Rules within one layer of a container's configuration; each reports and goes on. */

/* ---- images ---- */

void document_image_check(const char *text, struct loc at, const struct doc_source *source)
{
	static const struct template_values sample = {"1", "s", "p", "n", "p-s"};
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct image_ref ref;
	struct err err = ERR_INIT;
	const char *filled;

	if (!text)
		return;
	filled = template_text(arena, text, &sample, &err);
	if (!filled)
		source_error(source, DIAG_BAD_TEMPLATE, at, "%s", err.text)->hint = TEMPLATE_HINT;
	else if (image_ref_parse(arena, filled, &ref, &err) != 0)
		report_image(source, at, "image", &err);
	else if (ref.source == IMAGE_LOCAL && ref.digest)
		source_error(source, DIAG_NOT_SUPPORTED, at,
			     "a digest of a local image is not supported by this build");
}

/* ---- volumes ---- */

static void check_volume(const struct volume *volume, const struct doc_source *source)
{
	if (volume->type != VOLUME_TMP)
		return;
	if (volume->host_path)
		source_error(source, DIAG_FIELDS_EXCLUDE,
			     head_at(&volume->head, volume_host_path_F),
			     "type tmp and hostPath exclude each other")
			->hint = "a tmp volume has a name, and no folder of the node";
	if (volume->read_only)
		source_error(source, DIAG_FIELDS_EXCLUDE,
			     head_at(&volume->head, volume_read_only_F),
			     "type tmp and readOnly exclude each other");
}

/* ---- ranges of ports ---- */

#define RANGES_PORTS_MAX 1000 /* in all ranges of a container */

/* How many ports a range has; 0 where that is not known, as before templates are filled in. */
static int64_t range_length(const char *text)
{
	int64_t low, high;

	return text && form_ports(text, &low, &high) == 0 ? high - low + 1 : 0;
}

static void check_port_ranges(const struct container *config, const struct doc_source *source)
{
	int64_t ports = 0;

	for (size_t i = 0; i < config->port_ranges.n; i++) {
		const struct port_range *range = &config->port_ranges.v[i];
		int64_t inside = range_length(range->container),
			outside = range_length(range->host);

		if (inside && outside && inside != outside)
			source_error(source, DIAG_BAD_VALUE, AT(range, port_range, host),
				     "host has %lld ports and container %lld: they must be as many",
				     (long long)outside, (long long)inside);
		if (ports <= RANGES_PORTS_MAX && ports + inside > RANGES_PORTS_MAX)
			source_error(source, DIAG_BAD_VALUE, AT(range, port_range, container),
				     "portRanges can have at most %d ports in all",
				     RANGES_PORTS_MAX)
				->hint = "networkMode: host needs none, where the policy allows it";
		ports += inside;
	}
}

/* ---- lists of texts ---- */

static struct loc item_at(const struct strings *list, size_t i)
{
	return list->at ? list->at[i] : (struct loc){0, 0, 0};
}

/* Does an entry say the same as one before it? Of capabilities also: the opposite. */
static void check_repeated(const struct strings *list, const char *key, bool signs,
			   const struct doc_source *source)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *text = list->v[i] + (signs && *list->v[i] == '-');

		for (size_t j = 0; j < i; j++) {
			const char *other = list->v[j] + (signs && *list->v[j] == '-');

			if (!str_eq(text, other))
				continue;
			if (str_eq(list->v[i], list->v[j]))
				source_error(source, DIAG_DUPLICATE, item_at(list, i),
					     "%s stands twice in %s", list->v[i], key);
			else
				source_error(source, DIAG_FIELDS_EXCLUDE, item_at(list, i),
					     "%s and %s exclude each other", list->v[j],
					     list->v[i]);
			break;
		}
	}
}

/* ---- all ---- */

void document_config_check(const struct container *config, const struct doc_source *source)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->volumes.n; i++)
		check_volume(&config->volumes.v[i], source);
	for (size_t i = 0; i < config->init.n; i++) {
		const struct init *init = &config->init.v[i];

		document_image_check(init->image, AT(init, init, image), source);
		for (size_t j = 0; j < init->volumes.n; j++)
			check_volume(&init->volumes.v[j], source);
	}
	check_port_ranges(config, source);
	check_repeated(&config->networks, "networks", false, source);
	check_repeated(&config->capabilities, "capabilities", true, source);
	if (config->expect && config->expect->state == EXPECT_RUNNING &&
	    IS_SET(config->expect, expect, exit_code))
		source_error(source, DIAG_FIELDS_EXCLUDE,
			     head_at(&config->expect->head, expect_exit_code_F),
			     "exitCode needs state: exited");
	template_check(config, source->unit, source->diags);
}

#include "base/sys.h"

#include "base/json.h"
#include "engine/configuration.h"
#include "schema/canon.h"
#include "schema/check.h"

/* What a deployment's containers get, and where each field comes from. */

/* ---- which one ---- */

/* "storefront" or "shop/production/storefront". */
static bool is_called(const struct deployment *deployment, const char *name)
{
	const struct unit *unit = &deployment->from.file->unit;
	AUTO_FREE char *full = mem_printf("%s/%s/%s", unit->project, unit->stage, deployment->name);
	return str_eq(name, strchr(name, '/') ? full : deployment->name);
}

static int no_such(const struct model *model, const char *name, struct err *err)
{
	size_t n = model->deployments.n;
	AUTO_FREE const char **names = mem_realloc_array(NULL, n + 1, sizeof *names);
	for (size_t i = 0; i < n; i++)
		names[i] = model->deployments.v[i]->name;
	err_set(err, E_NOT_FOUND, "there is no deployment %s", name);
	return check_suggest(name, names, n, err);
}

static int several(const struct deployment *first, const struct deployment *second,
		   const char *name, struct err *err)
{
	const struct unit *a = &first->from.file->unit, *b = &second->from.file->unit;
	return err_set(err, E_AMBIGUOUS, "%s is %s/%s/%s and %s/%s/%s: say which", name, a->project,
		       a->stage, name, b->project, b->stage, name);
}

static const struct deployment *find(const struct model *model, const char *name, struct err *err)
{
	const struct deployment *found = NULL;
	for (size_t i = 0; i < model->deployments.n; i++) {
		const struct deployment *deployment = model->deployments.v[i];
		if (!is_called(deployment, name))
			continue;
		if (found) {
			several(found, deployment, name, err);
			return NULL;
		}
		found = deployment;
	}
	if (!found)
		no_such(model, name, err);
	return found;
}

/* ---- as JSON ---- */

static json_t *fields_json(const struct container *config)
{
	static const struct container nothing;
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct field_diffs fields = canon_diff(arena, &nothing, config, CANON_ALL);
	json_t *list = json_array();
	for (size_t i = 0; i < fields.n; i++) {
		const struct field_diff *field = &fields.v[i];
		bool known = field->path && field->at.line;
		json_array_append_new(
			list,
			json_pack("{s:s,s:s,s:s?,s:o,s:o}", "field", field->field, "value",
				  field->to, "file", known ? field->path : NULL, "line",
				  known ? json_integer(field->at.line) : json_null(), "column",
				  known ? json_integer(field->at.column) : json_null()));
	}
	return list;
}

static json_t *containers_json(const struct content *content)
{
	json_t *list = json_array();
	for (size_t i = 0; i < content->containers_n; i++) {
		const struct content_container *container = &content->containers[i];
		json_array_append_new(list, json_pack("{s:s,s:s?,s:o}", "name", container->name,
						      "image", container->image, "fields",
						      fields_json(container->config)));
	}
	return list;
}

static json_t *merged_json(const struct desired *desired, const struct deployment *deployment)
{
	const struct unit *unit = &deployment->from.file->unit;
	json_t *slots = json_array();
	for (size_t i = 0; i < desired->slots_n; i++) {
		const struct slot *slot = desired->slots[i];
		if (slot->deployment == deployment)
			json_array_append_new(slots, json_pack("{s:s,s:o}", "node", slot->key.node,
							       "containers",
							       containers_json(&slot->content)));
	}
	return json_pack("{s:s,s:s,s:s,s:o}", "project", unit->project, "stage", unit->stage,
			 "deployment", deployment->name, "slots", slots);
}

int engine_merged(const struct engine_source *source, const char *name, json_t **out,
		  size_t *errors, struct err *err)
{
	AUTO_CONFIGURATION struct configuration configuration = {0};
	AUTO_DIAGS struct diags diags = {0};
	if (configuration_load(source, &configuration, err) < 0)
		return -1;
	struct model *model;
	struct desired *desired;
	configuration_build(&configuration, &model, &desired, &diags);
	const struct deployment *deployment = find(model, name, err);
	if (deployment)
		*out = merged_json(desired, deployment);
	*errors = diags.errors;
	desired_free(desired);
	model_free(model);
	return deployment ? 0 : -1;
}

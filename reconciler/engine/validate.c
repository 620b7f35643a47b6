#include "base/sys.h"

#include "engine/configuration.h"

/* The same checks as at apply, as far as they need no ledger. */
static void check(const struct engine_validate *what, const struct configuration *configuration,
		  struct diags *diags)
{
	struct driver_env env = {.state_dir = "/", .owner = "", .settings = what->source.settings};
	struct model *model;
	struct desired *desired;
	configuration_build(configuration, &model, &desired, diags);
	desired_check(desired, model, what->with_policy ? &env : NULL, diags);
	desired_free(desired);
	model_free(model);
}

static void report_entries(const struct tree *tree, size_t files, struct diags *diags)
{
	for (size_t i = 0; i < tree->problems_n; i++) {
		struct unit unit = {.level = UNIT_ORGANIZATION};
		struct unit_names names;
		path_classify(tree->problems[i].path, &unit, &names);
		diags_add(diags, DIAG_BAD_ENTRY, &unit, tree->problems[i].path, (struct loc){0},
			  "%s", tree->problems[i].text);
	}
	/* In a folder without any configuration nothing is outside of it. */
	for (size_t i = 0; i < tree->entries_n && files; i++) {
		struct unit unit = {.level = UNIT_ORGANIZATION};
		struct unit_names names;
		if (path_classify(tree->entries[i].path, &unit, &names) != PATH_ELSEWHERE)
			continue;
		diags_add(diags, DIAG_IGNORED_FILE, &unit, tree->entries[i].path, (struct loc){0},
			  "this file is outside the folders that hold configuration")
			->severity = DIAG_NOTE;
		diags->errors--;
	}
}

int engine_validate(const struct engine_validate *what, struct diags *diags, size_t *files,
		    size_t *documents, struct err *err)
{
	AUTO_CONFIGURATION struct configuration configuration = {0};
	*files = *documents = 0;
	if (configuration_load(&what->source, &configuration, err) < 0)
		return -1;
	*files = configuration.files.n;
	report_entries(&configuration.tree, *files, diags);
	for (size_t i = 0; i < *files; i++)
		*documents += file_written(configuration.files.v[i]);
	check(what, &configuration, diags);
	diags_sort(diags);
	diags_excerpts(diags, configuration_read, &configuration);
	return 0;
}

#include "base/sys.h"
#include "schema/check.h"

#include "schema/check_parts.h"
#include "schema/fields.h"

/*
 * What every part of the check uses, and the organization: who there is, and that the documents
 * are there that name a folder. Products, versions and deployments have files of their own.
 */

const struct unit check_organization_unit = {UNIT_ORGANIZATION, NULL, NULL};

struct unit check_project_unit(const struct origin *from)
{
	return (struct unit){UNIT_PROJECT, from->file->unit.project, NULL};
}

static void unit_key(const struct unit *unit, char out[160])
{
	snprintf(out, 160, "%s/%s", unit->project ? unit->project : "",
		 unit->stage ? unit->stage : "");
}

bool check_is_broken(const struct checker *checker, const struct unit *unit)
{
	char key[160];

	if (checker->broken.count == 0)
		return false;
	unit_key(unit, key);
	return map_has(&checker->broken, key);
}

static void find_broken_units(struct checker *checker)
{
	static char yes;
	char key[160];

	for (size_t i = 0; i < checker->model->files.n; i++) {
		const struct file *file = checker->model->files.v[i];

		for (size_t j = 0; j < file->diags_n; j++) {
			if (file->diags[j].severity != DIAG_ERROR)
				continue;
			unit_key(&file->unit, key);
			map_put(&checker->broken, key, &yes);
			break;
		}
	}
}

static struct diag *add_error(struct checker *checker, enum diag_code code, const struct file *file,
			      struct loc at, const char *fmt, va_list args) PRINTF_LIKE(5, 0);

static struct diag *add_error(struct checker *checker, enum diag_code code, const struct file *file,
			      struct loc at, const char *fmt, va_list args)
{
	return diags_addv(checker->diags, code, &file->unit, file->path, at, fmt, args);
}

struct diag *check_error_at(struct checker *checker, enum diag_code code, const struct origin *from,
			    struct loc at, const char *fmt, ...)
{
	struct diag *diag;
	va_list args;

	va_start(args, fmt);
	diag = add_error(checker, code, from->file, at, fmt, args);
	va_end(args);
	return diag;
}

struct diag *check_error(struct checker *checker, enum diag_code code, const struct head *head,
			 const struct origin *from, unsigned field, const char *fmt, ...)
{
	struct loc at = head_at(head, field);
	struct diag *diag;
	va_list args;

	va_start(args, fmt);
	diag = add_error(checker, code, from->file, at.line ? at : from->at, fmt, args);
	va_end(args);
	return diag;
}

const char *check_hint(struct checker *checker, const char *word, const char *const *names,
		       size_t n)
{
	return hint_nearest(checker->diags, word, names, n);
}

#define HINT_FROM_INDEX(kind)                                                                      \
	const char *check_##kind##_hint(struct checker *checker, const char *word)                 \
	{                                                                                          \
		size_t n = checker->model->kind##s.n;                                              \
		AUTO_FREE const char **names = mem_realloc_array(NULL, n + 1, sizeof *names);      \
                                                                                                   \
		for (size_t i = 0; i < n; i++)                                                     \
			names[i] = checker->model->kind##s.v[i]->name;                             \
		return check_hint(checker, word, names, n);                                        \
	}
HINT_FROM_INDEX(team)
HINT_FROM_INDEX(user)
HINT_FROM_INDEX(node)
#undef HINT_FROM_INDEX

/* ---- the organization ---- */

static void check_organization(struct checker *checker)
{
	static const struct loc nowhere = {0, 0, 0};
	const struct model *model = checker->model;
	size_t documents = 0;

	for (size_t i = 0; i < model->files.n; i++)
		documents += model->files.v[i]->documents_n;
	if (model->organization || check_is_broken(checker, &check_organization_unit))
		return;
	if (documents == 0 && checker->broken.count == 0)
		diags_add(checker->diags, DIAG_EMPTY_TREE, &check_organization_unit, NULL, nowhere,
			  "there are no manifests")
			->hint = "a configuration begins with organization.yaml";
	else
		diags_add(checker->diags, DIAG_NO_ORGANIZATION, &check_organization_unit, NULL,
			  nowhere, "there is no Organization document")
			->hint = "organization.yaml begins with kind: Organization";
}

/* The first owner that a team names if none of those that it names is there; else n. */
static size_t missing_owner(const struct checker *checker, const struct team *team)
{
	size_t first = team->members.n;

	for (size_t i = team->members.n; i-- > 0;) {
		if (!str_eq(team->members.value[i], "owner"))
			continue;
		if (model_user(checker->model, team->members.key[i]))
			return team->members.n;
		first = i;
	}
	return first;
}

/* The last owner cannot go, which is told apart from a slip of the pen. */
static void check_members(struct checker *checker, const struct team *team)
{
	size_t owner = missing_owner(checker, team);

	for (size_t i = 0; i < team->members.n; i++) {
		const char *user = team->members.key[i], *near;

		if (model_user(checker->model, user) ||
		    check_is_broken(checker, &check_organization_unit))
			continue;
		near = check_user_hint(checker, user);
		if (i == owner && !near)
			check_error_at(checker, DIAG_NO_OWNER, &team->from, team->members.at[i],
				       "there is no user %s: the team %s would be left without an "
				       "owner",
				       user, team->name)
				->hint = "make another member its owner first, or in the same "
					 "commit";
		else
			check_error_at(checker, DIAG_UNKNOWN_USER, &team->from, team->members.at[i],
				       "there is no user %s", user)
				->hint = near;
	}
}

static void check_team_name(struct checker *checker, const char *team, const struct head *head,
			    const struct origin *from, unsigned field)
{
	if (!team || model_team(checker->model, team) ||
	    check_is_broken(checker, &check_organization_unit))
		return;
	check_error(checker, DIAG_UNKNOWN_TEAM, head, from, field, "there is no team %s", team)
		->hint = check_team_hint(checker, team);
}

static void check_people(struct checker *checker)
{
	const struct model *model = checker->model;

	for (size_t i = 0; i < model->teams.n; i++)
		check_members(checker, model->teams.v[i]);
	for (size_t i = 0; i < model->nodes.n; i++) {
		const struct node *node = model->nodes.v[i];

		check_team_name(checker, node->team, &node->head, &node->from, node_team_F);
	}
	for (size_t i = 0; i < model->registrys.n; i++) {
		const struct registry *registry = model->registrys.v[i];

		check_team_name(checker, registry->team, &registry->head, &registry->from,
				registry_team_F);
	}
	for (size_t i = 0; i < model->projects.n; i++) {
		const struct project *project = model->projects.v[i];

		check_team_name(checker, project->team, &project->head, &project->from,
				project_team_F);
	}
}

/* ---- folders ---- */

static void check_project_document(struct checker *checker, const struct file *file)
{
	static const struct loc nowhere = {0, 0, 0};
	struct unit project = {UNIT_PROJECT, file->unit.project, NULL};

	if (model_project(checker->model, project.project) || check_is_broken(checker, &project))
		return;
	diags_add(checker->diags, DIAG_UNKNOWN_PROJECT, &file->unit, file->path, nowhere,
		  "the project %s has no Project document", project.project)
		->hint =
		diags_text(checker->diags, "projects/%s/project.yaml holds it", project.project);
}

static void check_stage_document(struct checker *checker, const struct file *file)
{
	static const struct loc nowhere = {0, 0, 0};
	const struct unit *unit = &file->unit;

	if (model_stage(checker->model, unit->project, unit->stage) ||
	    check_is_broken(checker, unit))
		return;
	diags_add(checker->diags, DIAG_UNKNOWN_STAGE, unit, file->path, nowhere,
		  "the stage %s has no Stage document", unit->stage)
		->hint = diags_text(checker->diags, "projects/%s/stages/%s/stage.yaml holds it",
				    unit->project, unit->stage);
}

void check_folder(struct checker *checker, const struct file *file)
{
	if (file->unit.level == UNIT_ORGANIZATION || !file->documents_n)
		return;
	check_project_document(checker, file);
	if (file->unit.level == UNIT_STAGE)
		check_stage_document(checker, file);
}

/* A folder in use needs the document that names it; told once a unit, at its first file. */
static void check_folders(struct checker *checker)
{
	CLEANUP(map_release) struct map told = {0};
	const struct unit *last = &check_organization_unit;
	static char yes;
	char key[160];

	for (size_t i = 0; i < checker->model->files.n; i++) {
		const struct file *file = checker->model->files.v[i];

		/* by path, most files stand beside others of their unit */
		if (!file->documents_n || unit_cmp(&file->unit, last) == 0)
			continue;
		last = &file->unit;
		unit_key(last, key);
		if (!map_put(&told, key, &yes))
			check_folder(checker, file);
	}
}

void check_model(const struct model *model, const struct check_history *history,
		 struct diags *diags)
{
	static const struct check_history nothing_known = {NULL, NULL};
	struct checker checker = {model, history ? history : &nothing_known, diags, {0}};

	find_broken_units(&checker);
	check_organization(&checker);
	check_people(&checker);
	check_folders(&checker);
	check_products(&checker);
	check_versions(&checker);
	check_requirements(&checker);
	check_bundle_documents(&checker);
	check_stages(&checker);
	check_deployments(&checker);
	map_release(&checker.broken);
}

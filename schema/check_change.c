#include "base/sys.h"
#include "schema/check_parts.h"

/*
 * The short way of check_model. Everything was right in the base, so only two things can be wrong
 * now: a document that came, and one that names what came, went or changed. Each function says
 * whether all is well; what it cannot tell cheaply it calls unwell, and check_model says the rest.
 */

struct following {
	struct checker checker;
	const struct model *base;
};

static bool nothing_found(const struct following *f)
{
	return f->checker.diags->n == 0;
}

static bool is_whole(const struct file *file)
{
	for (size_t i = 0; i < file->diags_n; i++) {
		if (file->diags[i].severity == DIAG_ERROR)
			return false;
	}
	return true;
}

/* ---- what deploys a version ---- */

/* Deployments of one project stand together: the first of them. */
static size_t first_deployment(const struct model *model, const char *project)
{
	size_t low = 0, high = model->deployments.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_cmp(model->deployments.v[middle]->from.file->unit.project, project) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Deployments of one stage stand together. */
static const struct deployment *const *stage_run(const struct model *model, const struct unit *unit,
						 size_t *n)
{
	size_t first = first_deployment(model, unit->project), end;

	while (first < model->deployments.n &&
	       unit_cmp(&model->deployments.v[first]->from.file->unit, unit) < 0)
		first++;
	for (end = first; end < model->deployments.n &&
			  unit_cmp(&model->deployments.v[end]->from.file->unit, unit) == 0;)
		end++;
	*n = end - first;
	return model->deployments.v + first;
}

/* A circle of the stage goes through this deployment only if it waits for another one. */
static void check_stage_of(struct following *f, const struct deployment *deployment)
{
	const struct pairs *requires = check_requires_of(f->checker.model, deployment);
	const struct deployment *const *stage;
	size_t n;

	if (!deployment->depends_on.n && !(requires && requires->n))
		return;
	stage = stage_run(f->checker.model, &deployment->from.file->unit, &n);
	check_waiting(&f->checker, stage, n);
}

/*
 * They say which containers of the version they configure, and what they give them; and they wait
 * for what it requires.
 */
static bool users_hold(struct following *f, const struct version *version)
{
	const struct model *model = f->checker.model;
	const char *project = version->from.file->unit.project;

	for (size_t i = first_deployment(model, project); i < model->deployments.n; i++) {
		const struct deployment *deployment = model->deployments.v[i];

		if (!str_eq(deployment->from.file->unit.project, project))
			break;
		if (str_eq(deployment->product, version->product) &&
		    str_eq(deployment->version, version->name)) {
			check_deployment(&f->checker, deployment);
			check_stage_of(f, deployment);
		}
	}
	return nothing_found(f);
}

/* ---- versions ---- */

static const struct version *same_version(const struct model *model, const struct version *version)
{
	return model_version(model, version->from.file->unit.project, version->product,
			     version->name);
}

/* Is there another one with this parent? */
static bool has_child(const struct model *model, const struct version *beside, const char *parent)
{
	size_t n, first = check_version_run(model, beside->from.file->unit.project, beside->product,
					    &n);

	for (size_t i = first; i < first + n; i++) {
		const struct version *version = model->versions.v[i];

		if (version != beside && str_eq(version->parent, parent))
			return true;
	}
	return false;
}

/* A new one at the end of its chain makes no fork and no circle. */
static bool ends_chain(const struct model *model, const struct version *version)
{
	return !has_child(model, version, version->name) &&
	       (!version->parent || !has_child(model, version, version->parent));
}

static bool names(const struct pairs *requires, const char *product)
{
	for (size_t i = 0; i < requires->n; i++) {
		if (str_eq(requires->key[i], product))
			return true;
	}
	return false;
}

/* Its product required the same before, by some version: then no new circle of products begins. */
static bool requires_nothing_new(const struct following *f, const struct version *version)
{
	const struct model *base = f->base;
	size_t n, first = check_version_run(base, version->from.file->unit.project,
					    version->product, &n);

	for (size_t i = 0; i < version->requires.n; i++) {
		size_t at = first;

		while (at < first + n &&
		       !names(&base->versions.v[at]->requires, version->requires.key[i]))
			at++;
		if (at == first + n)
			return false;
	}
	return true;
}

static bool version_came(struct following *f, const struct version *version)
{
	const struct version *before = same_version(f->base, version);

	if (before ? before->type != version->type || !str_eq(before->parent, version->parent)
		   : !ends_chain(f->checker.model, version))
		return false;
	if (!requires_nothing_new(f, version))
		return false;
	check_version(&f->checker, version);
	return users_hold(f, version);
}

static bool version_went(struct following *f, const struct version *version)
{
	if (same_version(f->checker.model, version))
		return true;
	return !has_child(f->checker.model, version, version->name) && users_hold(f, version);
}

/* ---- deployments ---- */

/* An app can link to what came only if that is a service with a URL, or with a volume. */
static bool links_hold(struct following *f, const struct deployment *deployment)
{
	const struct deployment *const *stage;
	size_t n;

	stage = stage_run(f->checker.model, &deployment->from.file->unit, &n);
	for (size_t i = 0; i < n; i++) {
		const struct app *app = stage[i]->depends_on.n ? model_app_of(stage[i]) : NULL;

		for (size_t j = 0; app && j < app->links.n; j++) {
			if (!str_eq(app->links.name[j], deployment->name))
				continue;
			check_links(&f->checker, app);
			break;
		}
	}
	return nothing_found(f);
}

static bool deployment_came(struct following *f, const struct deployment *deployment)
{
	check_deployment(&f->checker, deployment);
	check_stage_of(f, deployment);
	return nothing_found(f) && links_hold(f, deployment);
}

static bool deployment_went(struct following *f, const struct deployment *deployment)
{
	const struct unit *unit = &deployment->from.file->unit;
	const struct deployment *const *stage;
	size_t n;

	if (model_deployment(f->checker.model, unit->project, unit->stage, deployment->name))
		return true;
	stage = stage_run(f->checker.model, unit, &n);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < stage[i]->depends_on.n; j++) {
			if (str_eq(stage[i]->depends_on.v[j], deployment->name))
				return false;
		}
	}
	return true;
}

/* ---- files ---- */

static bool document_holds(struct following *f, const struct document *document, bool came)
{
	switch (document->kind) {
	case KIND_version:
		return came ? version_came(f, document->value) : version_went(f, document->value);
	case KIND_deployment:
		return came ? deployment_came(f, document->value)
			    : deployment_went(f, document->value);
	case KIND_app:
	case KIND_service:
		return true; /* what it stands for is the document behind it */
	default:
		return false; /* too much may hang on it */
	}
}

static bool file_holds(struct following *f, const struct file *file, bool came)
{
	if (file->compose)
		return false; /* who names it, and what stands beside it, is not looked for here */
	for (size_t i = 0; i < file->documents_n; i++) {
		if (!document_holds(f, &file->documents[i], came))
			return false;
	}
	return true;
}

bool check_still_holds(const struct model *model, const struct model *base,
		       const struct file_change *changes, size_t n,
		       const struct check_history *history)
{
	static const struct check_history nothing_known = {NULL, NULL};
	AUTO_DIAGS struct diags diags = {0};
	struct following f = {
		{model, history ? history : &nothing_known, &diags, {0}},
		base,
	};

	for (size_t i = 0; i < n; i++) {
		const struct file *before = changes[i].before, *now = changes[i].now;

		if (before && !file_holds(&f, before, false))
			return false;
		if (!now)
			continue;
		if (!is_whole(now) || !file_holds(&f, now, true))
			return false;
		check_folder(&f.checker, now);
	}
	return nothing_found(&f);
}

#include "base/sys.h"
#include "schema/check_parts.h"

#include "schema/catalogue.h"
#include "schema/derive.h"

/* Apps: what they link to. */

/* ---- links ---- */

/* Another stage has it, which is no help, but explains a lot; else the nearest name of this one. */
static const char *link_hint(struct checker *checker, const struct app *app, const char *name)
{
	const struct model *model = checker->model;
	const struct unit *own = &app->from.file->unit;
	AUTO_FREE const char **names =
		mem_realloc_array(NULL, model->deployments.n + 1, sizeof *names);
	const struct unit *other = NULL;
	size_t n = 0;

	for (size_t i = 0; i < model->deployments.n; i++) {
		const struct deployment *deployment = model->deployments.v[i];
		const struct unit *unit = &deployment->from.file->unit;

		if (!model_service_of(deployment))
			continue;
		if (unit_cmp(unit, own) == 0)
			names[n++] = deployment->name;
		else if (!other && str_eq(deployment->name, name))
			other = unit;
	}
	if (other)
		return diags_text(checker->diags,
				  "%s/%s has one: an app has the services of its own stage only",
				  other->project, other->stage);
	return check_hint(checker, name, names, n);
}

/* What it is that has the name, and is no service. */
static void report_no_service(struct checker *checker, const struct app *app, size_t i)
{
	const struct unit *unit = &app->from.file->unit;
	const char *name = app->links.name[i];
	const struct deployment *deployment =
		model_deployment(checker->model, unit->project, unit->stage, name);

	if (deployment) {
		check_error_at(checker, DIAG_UNKNOWN_LINK, &app->from, app->links.at[i],
			       "%s is no service, but %s", name,
			       model_app_of(deployment) ? "an App" : "a Deployment");
		return;
	}
	check_error_at(checker, DIAG_UNKNOWN_LINK, &app->from, app->links.at[i],
		       "the stage %s has no service %.100s", unit->stage, name)
		->hint = link_hint(checker, app, name);
}

/* A volume is mounted, everything else has a URL. */
static void check_gift(struct checker *checker, const struct app *app, size_t i,
		       const struct service *service)
{
	const struct link *link = &app->links.v[i];
	AUTO_ARENA struct arena *arena = arena_new(0);
	bool is_volume = service->type == SERVICE_VOLUME;

	if (is_volume && link->env_key)
		check_error_at(checker, DIAG_FIELDS_EXCLUDE, &app->from, AT(link, link, env_key),
			       "the volume %s has no URL", service->name)
			->hint = "path: /data, for instance";
	else if (!is_volume && link->path)
		check_error_at(checker, DIAG_FIELDS_EXCLUDE, &app->from, AT(link, link, path),
			       "%s is no volume that could be mounted", service->name)
			->hint = "envKey: DATABASE_URL, for instance";
	else if (link->env_key && !catalogue_url(arena, service))
		check_error_at(checker, DIAG_UNKNOWN_LINK, &app->from, AT(link, link, env_key),
			       "the service %s does not say its URL", service->name)
			->hint = diags_text(checker->diags,
					    "%s: options: {url: "
					    "\"http://{host}:{port}\"}",
					    service->from.file->path);
}

void check_links(struct checker *checker, const struct app *app)
{
	for (size_t i = 0; i < app->links.n; i++) {
		const struct service *service =
			derive_link_target(checker->model, app, app->links.name[i]);

		/* of a service without a type its file tells */
		if (service && service->type)
			check_gift(checker, app, i, service);
		else if (!service && !check_is_broken(checker, &app->from.file->unit))
			report_no_service(checker, app, i);
	}
}

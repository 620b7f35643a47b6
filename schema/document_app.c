#include "base/sys.h"
#include "schema/documents.h"

#include "schema/derive.h"
#include "schema/forms.h"
#include "schema/kinds.h"

/* Rules within an app; each reports and goes on. */

/* ---- tasks ---- */

static void check_task_name(const struct app *app, const char *task, struct loc at,
			    const struct doc_source *source)
{
	const size_t max = (size_t)type_image.fields[image_name_F].max;
	bool fits = form_text_fits(FORM_NAME, task);

	if (!fits)
		source_error(source, DIAG_BAD_NAME, at, "the task %.100s must be named with %s",
			     task, form_row(FORM_NAME)->text);
	else if (app->name && !str_eq(task, app->name) &&
		 strlen(app->name) + 1 + strlen(task) > max)
		source_error(source, DIAG_NAME_TOO_LONG, at,
			     "the container %s-%s has more than %zu characters", app->name, task,
			     max);
}

/* ---- network ---- */

static void refuse(const struct doc_source *source, const struct network *network, unsigned field,
		   const char *why)
{
	if (network->head.set >> field & 1)
		source_error(source, DIAG_FIELDS_EXCLUDE, head_at(&network->head, field),
			     "%s cannot stand here: %s", type_network.fields[field].key, why);
}

static void check_network(const struct network *network, const struct doc_source *source)
{
	bool http = KIND_OR(network, network, protocol) == APP_HTTP;

	if (!http && network->public)
		refuse(source, network, network_public_F, "only http is reached from outside");
	if (!http)
		refuse(source, network, network_health_check_F, "it is a request of http");
	if (network->health_check && !IS_GIVEN(network, network, ports))
		source_error(source, DIAG_MISSING_FIELD, AT(network, network, health_check),
			     "the field ports is missing: which port is asked?")
			->hint = "ports: [8080], for instance";
}

/* ---- links ---- */

static bool has_variable(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->env.n; i++) {
		if (str_eq(app->env.key[i], name))
			return true;
	}
	return false;
}

/* What two links give twice, and what env sets as well: neither is stronger than the other. */
static void check_once(const struct app *app, size_t i, const struct doc_source *source)
{
	const struct link *link = &app->links.v[i];

	if (link->env_key && has_variable(app, link->env_key))
		source_error(source, DIAG_DUPLICATE, AT(link, link, env_key),
			     "the variable %s is set by env, too", link->env_key);
	for (size_t j = 0; j < i; j++) {
		const struct link *other = &app->links.v[j];

		if (link->env_key && str_eq(link->env_key, other->env_key))
			source_error(source, DIAG_DUPLICATE, AT(link, link, env_key),
				     "the variable %s is set by the link to %s, too", link->env_key,
				     app->links.name[j]);
		if (link->path && str_eq(link->path, other->path))
			source_error(source, DIAG_DUPLICATE, AT(link, link, path),
				     "the volume %s is at %s, too", app->links.name[j], link->path);
	}
}

static void check_link(const struct app *app, size_t i, const struct doc_source *source)
{
	const struct link *link = &app->links.v[i];

	if (link->env_key && !form_key_fits(FORM_ENV, link->env_key))
		source_error(source, DIAG_BAD_VALUE, AT(link, link, env_key), "envKey must be %s",
			     form_row(FORM_ENV)->text);
	if (!IS_GIVEN(link, link, env_key) && !IS_GIVEN(link, link, path))
		source_error(source, DIAG_MISSING_FIELD, app->links.at[i],
			     "what does the app get of %.100s?", app->links.name[i])
			->hint = "envKey: the variable with its URL; of a volume path: where it is "
				 "seen";
	if (link->env_key && IS_SET(link, link, read_only))
		source_error(source, DIAG_FIELDS_EXCLUDE, AT(link, link, read_only),
			     "readOnly goes with the path of a volume");
	check_once(app, i, source);
}

/* ---- domains ---- */

static void check_domain_names(const struct app *app, const struct doc_source *source)
{
	size_t main = derive_main_domain(app);

	if (app->domains.n && !(app->network && IS_GIVEN(app->network, network, ports)))
		source_error(source, DIAG_ROUTING_PORT, AT(app, app, domains),
			     "the app has no port that requests could go to")
			->hint = "network: {ports: [8080]}, for instance";
	for (size_t i = 0; i < app->domains.n; i++) {
		bool fits = form_text_fits(FORM_DOMAIN, app->domains.name[i]);

		if (!fits)
			source_error(source, DIAG_BAD_VALUE, app->domains.at[i],
				     "a domain must be %s", form_row(FORM_DOMAIN)->text);
		if (fits && i != main && app->domains.v[i].primary)
			source_error(source, DIAG_FIELDS_EXCLUDE, app->domains.at[i],
				     "%s is primary already", app->domains.name[main]);
	}
	if (app->domains.n > 1 && !app->domains.v[main].primary)
		source_error(source, DIAG_MISSING_FIELD, AT(app, app, domains),
			     "which of the %zu domains is the primary one?", app->domains.n)
			->hint = diags_text(source->diags, "%.253s: {primary: true}, for instance",
					    app->domains.name[main]);
}

static void check_main_task(const struct app *app, const struct doc_source *source)
{
	unsigned field = app->network ? app_network_F : app_domains_F;

	if (app->tasks.n && derive_main_task(app) == app->tasks.n &&
	    (app->network || app->domains.n))
		source_error(source, DIAG_UNKNOWN_CONTAINER, head_at(&app->head, field),
			     "which task has the %s? None is named like the app, %s",
			     type_app.fields[field].key, app->name ? app->name : "")
			->hint = "one task is to have the name of the app";
}

void document_app_check(const struct app *app, const struct doc_source *source)
{
	check_main_task(app, source);
	document_image_check(app->image, AT(app, app, image), source);
	for (size_t i = 0; i < app->tasks.n; i++)
		check_task_name(app, app->tasks.name[i], app->tasks.at[i], source);
	if (app->network)
		check_network(app->network, source);
	for (size_t i = 0; i < app->links.n; i++)
		check_link(app, i, source);
	check_domain_names(app, source);
}

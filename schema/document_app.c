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

static void check_network(const struct app *app, const struct network *network,
			  const struct doc_source *source)
{
	bool http = KIND_OR(network, network, protocol) == APP_HTTP;

	if (app->tasks.n && derive_main_task(app) == app->tasks.n)
		source_error(source, DIAG_UNKNOWN_CONTAINER, AT(app, app, network),
			     "which task has the network? None is named like the app, %s",
			     app->name ? app->name : "")
			->hint = "one task is to have the name of the app";
	if (!http && network->public)
		refuse(source, network, network_public_F, "only http is reached from outside");
	if (!http)
		refuse(source, network, network_health_check_F, "it is a request of http");
	if (network->health_check && !IS_GIVEN(network, network, ports))
		source_error(source, DIAG_MISSING_FIELD, AT(network, network, health_check),
			     "the field ports is missing: which port is asked?")
			->hint = "ports: [8080], for instance";
}

void document_app_check(const struct app *app, const struct doc_source *source)
{
	document_image_check(app->image, AT(app, app, image), source);
	for (size_t i = 0; i < app->tasks.n; i++)
		check_task_name(app, app->tasks.name[i], app->tasks.at[i], source);
	if (app->network)
		check_network(app, app->network, source);
}

#include "base/sys.h"
#include "schema/compose_work.h"

#include "schema/check.h"

/* Which services there are, and in which order they start. */

/* ---- profiles ---- */

/* Is the word one of a list with commas? "*" is every word. */
static bool is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		size_t part;

		list += strspn(list, ", ");
		part = strcspn(list, ", ");
		if ((part == len && memcmp(list, word, len) == 0) || (part == 1 && *list == '*'))
			return true;
		list += part;
	}
	return false;
}

static bool is_active(struct compose_work *work, const struct compose_service *service)
{
	const char *profiles = compose_env_get(&work->envs[0], "COMPOSE_PROFILES");
	const struct doc_node *value = service->value->type == DOC_MAPPING
					       ? compose_value(service->value, "profiles")
					       : NULL;
	const struct doc_node *list;

	if (!value)
		return true;
	list = compose_as_list(work, value, "profiles");
	for (size_t i = 0; i < list->n; i++) {
		if (is_listed(profiles ? profiles : "", list->items[i]->text))
			return true;
	}
	if (list->n)
		compose_note(work, DIAG_COMPOSE_INACTIVE, service->key,
			     "the service %.100s is left out: none of its profiles is active",
			     service->name)
			->hint =
			"COMPOSE_PROFILES in .env beside the Compose file makes profiles active";
	return list->n == 0;
}

/* ---- order ---- */

struct order {
	struct compose_work *work;
	struct compose_service **v;
	size_t n;
	struct compose_service *path[COMPOSE_SERVICES_MAX]; /* those that wait, outermost first */
	size_t path_n;
};

static void visit(struct order *order, struct compose_service *service);

static void report_circle(struct order *order, const struct compose_service *again,
			  const struct doc_node *at)
{
	const char *text = "";
	size_t i = 0;

	while (order->path[i] != again)
		i++;
	for (; i < order->path_n; i++)
		text = compose_text(order->work, "%s%s -> ", text, order->path[i]->name);
	compose_error(order->work, DIAG_COMPOSE_CYCLE, at,
		      "services that wait for each other: %s%s", text, again->name);
}

static const char *near_service(struct compose_work *work, const char *name)
{
	const char *names[COMPOSE_SERVICES_MAX], *near;
	struct map_entry *entry = NULL;
	size_t n = 0;

	while ((entry = map_next(&work->services, entry)) && n < ARRAY_LEN(names))
		names[n++] = entry->key;
	near = check_nearest(name, names, n);
	return near ? diags_text(work->diags, "did you mean %s?", near) : NULL;
}

/* One that a service waits for; required: it must be there. */
static struct compose_service *awaited(struct order *order, const struct doc_node *at,
				       const char *name, bool required)
{
	struct compose_service *other = map_get(&order->work->services, name);

	if (other && other->active) {
		if (other->ordered == ORDER_NOW)
			report_circle(order, other, at);
		else
			visit(order, other);
		return other;
	}
	if (required && other)
		compose_error(order->work, DIAG_COMPOSE_UNKNOWN, at,
			      "the service %.100s is left out by its profiles", name)
			->hint = "make its profile active too, or say required: false";
	else if (required)
		compose_error(order->work, DIAG_COMPOSE_UNKNOWN, at, "there is no service %.100s",
			      name)
			->hint = near_service(order->work, name);
	return NULL;
}

static void read_condition(struct order *order, const struct doc_node *entry,
			   struct compose_service *other)
{
	const struct doc_node *value = compose_value(entry, "condition");
	const char *text = value ? compose_as_text(order->work, value, "condition") : NULL;

	if (!text || str_eq(text, "service_started") || str_eq(text, "service_healthy"))
		return;
	if (!str_eq(text, "service_completed_successfully"))
		compose_error(order->work, DIAG_BAD_VALUE, value,
			      "condition must be service_started, service_healthy or "
			      "service_completed_successfully");
	else if (other)
		other->job = true;
}

static void visit_dependency(struct order *order, const struct doc_pair *pair)
{
	const struct doc_node *entry = pair->value, *required;
	struct compose_service *other;
	bool must = true;

	if (entry->over == DOC_RESETS)
		return;
	if (!doc_is_null(entry) &&
	    !compose_section(order->work, COMPOSE_DEPENDENCY, entry, "depends_on"))
		return;
	required = entry->type == DOC_MAPPING ? compose_value(entry, "required") : NULL;
	if (required)
		compose_as_bool(order->work, required, "required", &must);
	other = awaited(order, pair->key, pair->key->text, must);
	if (entry->type == DOC_MAPPING)
		read_condition(order, entry, other);
}

/* "db" or "db:alias": the services reach each other by name, which is all that there is. */
static void visit_link(struct order *order, const struct doc_node *item)
{
	const char *colon = strchr(item->text, ':');
	size_t len = colon ? (size_t)(colon - item->text) : item->n;
	const char *name = arena_strndup(order->work->arena, item->text, len);

	if (colon && !str_eq(colon + 1, name))
		compose_error(order->work, DIAG_COMPOSE_REFUSED, item,
			      "the alias %.100s is not carried out", colon + 1)
			->hint = "use the service's name";
	awaited(order, item, name, true);
}

static void visit(struct order *order, struct compose_service *service)
{
	struct compose_work *work = order->work;
	const struct doc_node *value;

	if (service->ordered != ORDER_NOT_YET)
		return;
	service->ordered = ORDER_NOW;
	order->path[order->path_n++] = service;
	value = compose_value(service->value, "depends_on");
	if (value)
		value = compose_as_mapping(work, value, "depends_on", false);
	for (size_t i = 0; value && i < value->n; i++)
		visit_dependency(order, &value->pairs[i]);
	value = compose_value(service->value, "links");
	if (value)
		value = compose_as_list(work, value, "links");
	for (size_t i = 0; value && i < value->n; i++)
		visit_link(order, value->items[i]);
	order->path_n--;
	service->ordered = ORDER_DONE;
	order->v[order->n++] = service;
}

/* How many are active; those that are no mappings are reported and left out. */
static size_t choose(struct compose_work *work)
{
	struct map_entry *entry = NULL;
	size_t n = 0;

	while ((entry = map_next(&work->services, entry))) {
		struct compose_service *service = entry->value;

		if (service->value->type != DOC_MAPPING) {
			if (!service->value->wrong)
				compose_error(work, DIAG_WRONG_TYPE, service->key,
					      "the service %.100s must be a mapping, not %s",
					      service->name, doc_describe(service->value));
			continue;
		}
		service->active = is_active(work, service);
		n += service->active;
		if (n <= COMPOSE_SERVICES_MAX)
			continue;
		compose_error(work, DIAG_LIMIT, service->key, "more than %d services",
			      COMPOSE_SERVICES_MAX);
		work->full = true;
		return 0;
	}
	return n;
}

struct compose_service **compose_order(struct compose_work *work, size_t *n)
{
	struct order order = {.work = work};
	struct map_entry *entry = NULL;

	*n = choose(work);
	order.v = ARENA_ARRAY(work->arena, *n, struct compose_service *);
	while (*n && (entry = map_next(&work->services, entry))) {
		struct compose_service *service = entry->value;

		if (service->active)
			visit(&order, service);
	}
	*n = order.n;
	return order.v;
}

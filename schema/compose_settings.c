#include "base/sys.h"
#include "schema/compose_work.h"

/* Parts of a service that are settings of their own: variables, labels, health, limits. */

/* ---- env_file and environment ---- */

struct entries {
	struct compose_work *work;
	struct compose_build build;
	const struct doc_node *like; /* where the file is named */
};

static void add_entry(void *arg, const char *name, const char *value, struct loc at UNUSED)
{
	struct entries *entries = arg;
	struct compose_work *work = entries->work;

	if (!value)
		value = compose_env_get(work->sources[entries->like->file].env, name);
	if (value)
		compose_put(work, &entries->build, arena_strdup(work->arena, name), entries->like,
			    compose_scalar(work, entries->like, value));
}

/* What an env file says, as a mapping, shown where it is named first. It is read once. */
static const struct doc_node *file_entries(struct compose_work *work, const struct doc_node *at,
					   const struct compose_file *file, bool raw)
{
	const char *key =
		arena_printf(work->arena, "%d:%u:%s", raw, (unsigned)at->file, file->name);
	const struct doc_node *known = map_get(&work->env_files, key);
	struct entries entries = {.work = work, .like = at};

	if (known)
		return known;
	compose_env_read(work, file, raw, work->sources[at->file].env, at, add_entry, &entries);
	known = compose_built(work, &entries.build, at);
	map_put(&work->env_files, key, (void *)(uintptr_t)known);
	return known;
}

/* One entry of env_file or label_file; NULL when there is nothing in it. */
static const struct doc_node *read_file_entry(struct compose_work *work,
					      const struct doc_node *entry, const char *key)
{
	const struct doc_node *path = entry, *required, *format;
	const struct compose_file *file;
	bool must = true, raw = false;

	if (entry->type == DOC_MAPPING) {
		compose_section(work, COMPOSE_ENV_FILE, entry, key);
		path = compose_value(entry, "path");
		required = compose_value(entry, "required");
		format = compose_value(entry, "format");
		if (required)
			compose_as_bool(work, required, "required", &must);
		raw = format && format->type == DOC_SCALAR && str_eq(format->text, "raw");
		if (format && !raw)
			compose_error(work, DIAG_BAD_VALUE, format, "format must be raw");
	}
	if (!path || path->wrong) {
		if (!path)
			compose_error(work, DIAG_MISSING_FIELD, entry, "the key path is missing");
		return NULL;
	}
	if (!compose_as_text(work, path, key))
		return NULL;
	file = compose_named_file(work, path, path->text, !must);
	return file ? file_entries(work, path, file, raw) : NULL;
}

/* A mapping that grows by key: a later value takes the place of an earlier one. */
struct texts {
	struct compose_build build;
	struct map index; /* key -> its number and one */
};

static void set_text(struct texts *texts, const struct doc_pair *pair, bool null_removes)
{
	uintptr_t at = (uintptr_t)map_get(&texts->index, pair->key->text);

	if (doc_is_null(pair->value) && !pair->value->wrong && null_removes && !at)
		return;
	if (at) {
		texts->build.v[at - 1] = *pair;
		return;
	}
	compose_put_pair(&texts->build, pair);
	map_put(&texts->index, pair->key->text, (void *)(uintptr_t)texts->build.n);
}

static void add_files(struct compose_work *work, const struct doc_node *service, const char *key,
		      struct texts *texts)
{
	const struct doc_node *value = compose_value(service, key);
	const struct doc_node *const *entries = &value;
	size_t n = value ? 1 : 0;

	if (value && value->type == DOC_SEQUENCE) {
		n = value->n;
		entries = (const struct doc_node *const *)value->items;
	}
	for (size_t i = 0; i < n; i++) {
		const struct doc_node *mapping = read_file_entry(work, entries[i], key);

		for (size_t j = 0; mapping && j < mapping->n; j++)
			set_text(texts, &mapping->pairs[j], false);
	}
}

/* A variable that has no value here has that of .env, or there is none. */
static const struct doc_node *text_of(struct compose_work *work, const struct doc_pair *pair,
				      bool from_env)
{
	const char *value;

	if (pair->value->wrong || !doc_is_null(pair->value))
		return pair->value->type == DOC_SCALAR && !pair->value->wrong
			       ? compose_scalar(work, pair->value, pair->value->text)
			       : pair->value;
	value = from_env ? compose_env_get(work->sources[pair->key->file].env, pair->key->text)
			 : "";
	return value ? compose_scalar(work, pair->key, value) : pair->value;
}

static void put_texts(struct compose_work *work, const struct doc_node *service, const char *files,
		      const char *key, struct compose_build *config, const char *field)
{
	const struct doc_node *value = compose_value(service, key);
	bool variables = str_eq(field, "env");
	struct texts texts = {0};

	add_files(work, service, files, &texts);
	if (value)
		value = compose_as_mapping(work, value, key, true);
	for (size_t i = 0; value && i < value->n; i++) {
		struct doc_pair pair = value->pairs[i];

		if (pair.value->over == DOC_RESETS)
			continue;
		pair.value = text_of(work, &pair, variables);
		set_text(&texts, &pair, variables);
	}
	map_release(&texts.index);
	if (texts.build.n)
		compose_put(work, config, field, doc_get(service, value ? key : files)->key,
			    compose_built(work, &texts.build, value ? value : service));
	compose_dropped(&texts.build);
}

void compose_service_env(struct compose_work *work, const struct doc_node *service,
			 struct compose_build *config)
{
	put_texts(work, service, "env_file", "environment", config, "env");
}

void compose_service_labels(struct compose_work *work, const struct doc_node *service,
			    struct compose_build *config)
{
	put_texts(work, service, "label_file", "labels", config, "labels");
}

/* ---- healthcheck ---- */

/* The command of a test, NULL for none (then *none says that it was meant). */
static const struct doc_node *test_command(struct compose_work *work, const struct doc_node *test,
					   bool *none)
{
	const struct doc_node *list = test, *items[3];
	const char *how;

	if (test->type == DOC_SEQUENCE)
		list = compose_as_list(work, test, "test");
	how = test->type == DOC_SCALAR ? "CMD-SHELL" : list->n ? list->items[0]->text : "";
	*none = str_eq(how, "NONE");
	if (str_eq(how, "CMD") && list->n > 1)
		return compose_list(work, test, (const struct doc_node *const *)list->items + 1,
				    list->n - 1);
	if (str_eq(how, "CMD-SHELL") && (test->type == DOC_SCALAR || list->n == 2)) {
		items[2] = test->type == DOC_SCALAR ? test : list->items[1];
		items[0] = compose_scalar(work, items[2], "/bin/sh");
		items[1] = compose_scalar(work, items[2], "-c");
		return compose_list(work, test, items, 3);
	}
	if (!*none)
		compose_error(work, DIAG_BAD_VALUE, test,
			      "test must be a text, or a list that begins with CMD, CMD-SHELL or "
			      "NONE");
	return NULL;
}

static void put_time(struct compose_work *work, const struct doc_node *check, const char *key,
		     const char *fallback, struct compose_build *out, const char *field)
{
	const struct doc_node *value = compose_value(check, key);

	if (value)
		compose_put(work, out, field, doc_get(check, key)->key,
			    compose_duration(work, value, key));
	else if (fallback)
		compose_put(work, out, field, check, compose_plain(work, check, fallback));
}

void compose_service_health(struct compose_work *work, const struct doc_node *service,
			    struct compose_build *config)
{
	const struct doc_node *check = compose_value(service, "healthcheck"), *test, *value,
			      *command;
	struct compose_build build = {0};
	bool off = false;

	if (check)
		check = compose_section(work, COMPOSE_HEALTH, check, "healthcheck");
	if (!check)
		return;
	value = compose_value(check, "disable");
	if (value)
		compose_as_bool(work, value, "disable", &off);
	test = compose_value(check, "test");
	if (!off && !test)
		compose_note(work, DIAG_COMPOSE_IGNORED, doc_get(service, "healthcheck")->key,
			     "healthcheck is ignored: without a test it changes the image's own, "
			     "which is not known here");
	command = !off && test ? test_command(work, test, &off) : NULL;
	if (!command)
		return;
	compose_put(work, &build, "command", doc_get(check, "test")->key, command);
	put_time(work, check, "interval", "30s", &build, "interval");
	put_time(work, check, "timeout", "30s", &build, "timeout");
	put_time(work, check, "start_period", NULL, &build, "startPeriod");
	value = compose_value(check, "retries");
	if (value)
		compose_put(work, &build, "retries", value, compose_number(work, value));
	compose_put(work, config, "healthCheck", doc_get(service, "healthcheck")->key,
		    compose_built(work, &build, check));
}

/* ---- limits ---- */

/* A limit under one of two keys, of which the one in deploy counts more; "0" is none. */
static void put_limit(struct compose_work *work, const struct doc_node *first,
		      const char *first_key, const struct doc_node *other, const char *other_key,
		      bool cpu, struct compose_build *out)
{
	const struct doc_node *value = first ? compose_value(first, first_key) : NULL;
	const char *key = value ? first_key : other_key;
	const struct doc_node *mapping = value ? first : other;

	if (!value && other)
		value = compose_value(other, other_key);
	if (!value || (value->type == DOC_SCALAR && str_eq(value->text, "0")))
		return;
	compose_put(work, out, cpu ? "cpu" : "memory", doc_get(mapping, key)->key,
		    cpu ? compose_cpus(work, value, key) : compose_size(work, value, key));
}

static const struct doc_node *amounts(struct compose_work *work, const struct doc_node *resources,
				      const char *key, enum compose_section section)
{
	const struct doc_node *value = resources ? compose_value(resources, key) : NULL;

	return value ? compose_section(work, section, value, key) : NULL;
}

void compose_service_limits(struct compose_work *work, const struct doc_node *service,
			    const struct doc_node *deploy, struct compose_build *config)
{
	const struct doc_node *resources = deploy ? compose_value(deploy, "resources") : NULL;
	const struct doc_node *limits, *reserved, *like;
	struct compose_build build = {0}, requests = {0};

	if (resources)
		resources = compose_section(work, COMPOSE_RESOURCES, resources, "resources");
	limits = amounts(work, resources, "limits", COMPOSE_LIMITS);
	reserved = amounts(work, resources, "reservations", COMPOSE_RESERVATIONS);
	put_limit(work, limits, "cpus", service, "cpus", true, &build);
	put_limit(work, limits, "memory", service, "mem_limit", false, &build);
	put_limit(work, reserved, "cpus", NULL, NULL, true, &requests);
	put_limit(work, reserved, "memory", service, "mem_reservation", false, &requests);
	if (requests.n) {
		like = requests.v[0].key;
		compose_put(work, &build, "requests", like, compose_built(work, &requests, like));
	}
	if (!build.n)
		return;
	like = build.v[0].key;
	compose_put(work, config, "resources", like, compose_built(work, &build, like));
}

#include "base/sys.h"
#include "schema/compose_work.h"

#include "schema/forms.h"

/* One service as the tree of an image, as it would be written by hand. */

typedef const struct doc_node *value_fn(struct compose_work *work, const struct doc_node *value,
					const char *key);

static const struct doc_node *key_of(const struct doc_node *mapping, const char *key)
{
	return doc_get(mapping, key)->key;
}

/* Puts what `convert` makes of the value of a key, if there is one. */
static void put_value(struct compose_work *work, const struct doc_node *mapping, const char *key,
		      value_fn *convert, struct compose_build *out, const char *field)
{
	const struct doc_node *value = compose_value(mapping, key);

	if (value)
		compose_put(work, out, field, key_of(mapping, key), convert(work, value, key));
}

/* ---- values that are nearly the same ---- */

static const struct doc_node *as_it_is(struct compose_work *work, const struct doc_node *value,
				       const char *key)
{
	const char *text = compose_as_text(work, value, key);

	return text ? compose_scalar(work, value, text) : compose_wrong(work, value);
}

static const struct doc_node *as_flag(struct compose_work *work, const struct doc_node *value,
				      const char *key)
{
	bool flag;

	if (!compose_as_bool(work, value, key, &flag))
		return compose_wrong(work, value);
	return compose_plain(work, value, flag ? "true" : "false");
}

/* "SIGINT", "INT" and 2 are the same. */
static const struct doc_node *as_signal(struct compose_work *work, const struct doc_node *value,
					const char *key)
{
	static const struct {
		const char *number, *name;
	} numbers[] = {{"1", "HUP"},  {"2", "INT"},   {"3", "QUIT"},  {"6", "ABRT"},
		       {"9", "KILL"}, {"10", "USR1"}, {"12", "USR2"}, {"15", "TERM"}};
	const char *text = compose_as_text(work, value, key);

	for (size_t i = 0; text && i < ARRAY_LEN(numbers); i++) {
		if (str_eq(text, numbers[i].number))
			text = numbers[i].name;
	}
	if (!text)
		return compose_wrong(work, value);
	if (!str_starts(text, "SIG"))
		text = compose_text(work, "SIG%s", text);
	if (form_text_fits(FORM_SIGNAL, text))
		return compose_scalar(work, value, text);
	compose_error(work, DIAG_BAD_VALUE, value, "%s must be %s", key,
		      form_row(FORM_SIGNAL)->text);
	return compose_wrong(work, value);
}

/* Labels and the like: a mapping or a list of KEY=VALUE; a key alone is an empty text. */
static const struct doc_node *as_texts(struct compose_work *work, const struct doc_node *value,
				       const char *key)
{
	const struct doc_node *mapping = compose_as_mapping(work, value, key, true);
	struct compose_build build = {0};

	for (size_t i = 0; i < mapping->n; i++) {
		struct doc_pair pair = mapping->pairs[i];

		if (pair.value->over == DOC_RESETS)
			continue;
		if (doc_is_null(pair.value) && !pair.value->wrong)
			pair.value = compose_scalar(work, pair.key, "");
		compose_put_pair(&build, &pair);
	}
	return compose_built(work, &build, mapping);
}

/* ---- command and entrypoint ---- */

static void put_command(struct compose_work *work, const struct doc_node *service,
			struct compose_build *config)
{
	const struct doc_node *command = compose_value(service, "command");
	const struct doc_node *entrypoint = compose_value(service, "entrypoint");
	const struct doc_node *first = NULL, *rest = NULL;

	if (entrypoint)
		first = compose_words(work, entrypoint, "entrypoint");
	if (command)
		rest = compose_words(work, command, "command");
	if (first && !first->wrong && first->n == 0) {
		if (!rest || rest->n == 0) {
			compose_error(work, DIAG_BAD_VALUE, key_of(service, "entrypoint"),
				      "an empty entrypoint needs a command");
			return;
		}
		first = rest; /* what is left of both is the command */
		rest = NULL;
		entrypoint = command;
	}
	if (first)
		compose_put(work, config, "command",
			    key_of(service, entrypoint == command ? "command" : "entrypoint"),
			    first);
	if (rest)
		compose_put(work, config, "args", key_of(service, "command"), rest);
}

/* ---- restart, scale, jobs ---- */

/* What a word of Compose is called here; NULL when it is none. */
static const char *restart_word(const char *key, const char *text)
{
	static const struct {
		const char *key, *word, *policy;
	} words[] = {{"restart", "no", "no"},
		     {"restart", "always", "always"},
		     {"restart", "unless-stopped", "unless-stopped"},
		     {"restart", "on-failure", "on-failure"},
		     {"condition", "none", "no"},
		     {"condition", "on-failure", "on-failure"},
		     {"condition", "any", "always"}};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_eq(words[i].key, key) && str_eq(words[i].word, text))
			return words[i].policy;
	}
	return NULL;
}

static const struct doc_node *restart_policy(struct compose_work *work,
					     const struct doc_node *value, const char *key,
					     const char *text)
{
	const char *word;

	if (str_starts(text, "on-failure:") && str_eq(key, "restart")) {
		compose_note(work, DIAG_COMPOSE_IGNORED, value,
			     "the number of restarts is ignored: a release that does not come up "
			     "fails at its deadline");
		text = "on-failure";
	}
	word = restart_word(key, text);
	if (word)
		return compose_scalar(work, value, word);
	compose_error(work, DIAG_BAD_VALUE, value, "%s must be %s", key,
		      str_eq(key, "restart") ? "no, always, on-failure or unless-stopped"
					     : "none, on-failure or any");
	return compose_wrong(work, value);
}

/* What deploy.restart_policy says counts more than restart; nothing said is no. */
static void put_restart(struct compose_work *work, const struct compose_service *service,
			const struct doc_node *deploy, struct compose_build *config)
{
	const struct doc_node *value = compose_value(service->value, "restart");
	const struct doc_node *policy = deploy ? compose_value(deploy, "restart_policy") : NULL;
	const char *key = "restart", *text = value ? compose_as_text(work, value, key) : NULL;

	if (policy)
		policy = compose_section(work, COMPOSE_RESTART, policy, "restart_policy");
	if (policy) {
		key = "condition";
		value = compose_value(policy, key);
		text = value ? compose_as_text(work, value, key) : "any";
		value = value ? value : policy;
	}
	if (text)
		compose_put(work, config, "restartPolicy", value,
			    restart_policy(work, value, key, text));
	else if (!service->job && !value)
		compose_put(work, config, "restartPolicy", service->key,
			    compose_scalar(work, service->key, "no"));
}

static void put_scale(struct compose_work *work, const struct doc_node *service,
		      const struct doc_node *deploy, struct compose_build *config)
{
	const struct doc_node *scale = compose_value(service, "scale");
	const struct doc_node *replicas = deploy ? compose_value(deploy, "replicas") : NULL;
	const struct doc_node *mode = deploy ? compose_value(deploy, "mode") : NULL;

	if (mode && compose_as_text(work, mode, "mode") && !str_eq(mode->text, "replicated"))
		compose_error(work, DIAG_COMPOSE_REFUSED, mode, "the mode %.60s is not carried out",
			      mode->text)
			->hint = "name the nodes in a Deployment beside the file";
	if (scale && replicas && scale->type == DOC_SCALAR && replicas->type == DOC_SCALAR &&
	    !str_eq(scale->text, replicas->text))
		compose_error(work, DIAG_FIELDS_EXCLUDE, scale, "scale and deploy.replicas differ");
	scale = replicas ? replicas : scale;
	if (scale)
		compose_put(work, config, "scale", scale, compose_number(work, scale));
}

static void put_job(struct compose_work *work, const struct compose_service *service,
		    struct compose_build *config)
{
	struct compose_build expect = {0};

	if (!service->job)
		return;
	compose_put(work, &expect, "state", service->key,
		    compose_scalar(work, service->key, "exited"));
	compose_put(work, config, "expect", service->key,
		    compose_built(work, &expect, service->key));
}

/* ---- networks ---- */

static void put_network_mode(struct compose_work *work, const struct doc_node *service,
			     struct compose_build *config)
{
	const struct doc_node *mode = compose_value(service, "network_mode");

	if (!mode || !compose_as_text(work, mode, "network_mode"))
		return;
	if (str_eq(mode->text, "none") || str_eq(mode->text, "host") ||
	    str_eq(mode->text, "bridge"))
		compose_put(work, config, "networkMode", key_of(service, "network_mode"), mode);
	else
		compose_error(work, DIAG_COMPOSE_REFUSED, mode,
			      "the network mode %.60s is not carried out", mode->text)
			->hint = "there are none, host and bridge; services of one file reach each "
				 "other by name";
}

static const struct doc_node *own_network(struct compose_work *work, const struct doc_node *key,
					  const struct doc_node *declared)
{
	const struct doc_node *name =
		declared->type == DOC_MAPPING ? compose_value(declared, "name") : NULL;

	if (name)
		compose_note(work, DIAG_COMPOSE_IGNORED, name,
			     "name is ignored: on a node a network is named after the prefix");
	return compose_scalar(work, key, compose_text(work, "{{ prefix }}-%.100s", key->text));
}

/* On a node a network is <prefix>-<name>, one from outside what it is called there. */
static const struct doc_node *network_name(struct compose_work *work, const struct doc_node *key)
{
	const struct doc_pair *declared = map_get(&work->resources[COMPOSE_NETWORKS], key->text);
	const struct doc_node *external, *name;
	bool outside = false;

	if (!declared) {
		if (!str_eq(key->text, "default"))
			compose_error(work, DIAG_COMPOSE_UNKNOWN, key, "there is no network %.100s",
				      key->text)
				->hint = "declare it under networks:";
		return NULL;
	}
	if (declared->value->type != DOC_MAPPING)
		external = NULL;
	else
		external = compose_value(declared->value, "external");
	if (external && external->type == DOC_MAPPING)
		outside = compose_section(work, COMPOSE_EXTERNAL, external, "external") != NULL;
	else if (external)
		compose_as_bool(work, external, "external", &outside);
	if (str_eq(key->text, "default") && !outside)
		return NULL;
	if (!outside)
		return own_network(work, key, declared->value);
	name = compose_value(external->type == DOC_MAPPING ? external : declared->value, "name");
	return compose_scalar(work, key, name && name->type == DOC_SCALAR ? name->text : key->text);
}

static void put_networks(struct compose_work *work, const struct doc_node *service,
			 struct compose_build *config)
{
	const struct doc_node *value = compose_value(service, "networks"), **names;
	size_t n = 0;

	if (!value)
		return;
	if (compose_value(service, "network_mode"))
		compose_error(work, DIAG_FIELDS_EXCLUDE, key_of(service, "networks"),
			      "network_mode and networks exclude each other");
	value = compose_as_mapping(work, value, "networks", false);
	names = ARENA_ARRAY(work->arena, value->n, const struct doc_node *);
	for (size_t i = 0; i < value->n; i++) {
		const struct doc_pair *pair = &value->pairs[i];

		if (pair->value->over == DOC_RESETS)
			continue;
		if (!doc_is_null(pair->value))
			compose_section(work, COMPOSE_JOINED, pair->value, pair->key->text);
		names[n] = network_name(work, pair->key);
		n += names[n] != NULL;
	}
	if (n)
		compose_put(work, config, "networks", key_of(service, "networks"),
			    compose_list(work, value, names, n));
}

/* ---- what it may do ---- */

static size_t add_capabilities(struct compose_work *work, const struct doc_node *service,
			       const char *key, const char *sign, const struct doc_node **out)
{
	const struct doc_node *value = compose_value(service, key);
	size_t n = 0;

	if (!value)
		return 0;
	value = compose_as_list(work, value, key);
	for (size_t i = 0; i < value->n && i < COMPOSE_CAPABILITIES_MAX; i++) {
		char *name = arena_strdup(work->arena, value->items[i]->text);

		for (char *c = name; *c; c++)
			*c = ascii_upper(*c);
		out[n++] = compose_scalar(
			work, value->items[i],
			compose_text(work, "%s%.100s", sign,
				     str_starts(name, "CAP_") ? name + strlen("CAP_") : name));
	}
	return n;
}

static void put_capabilities(struct compose_work *work, const struct doc_node *service,
			     struct compose_build *config)
{
	const struct doc_node *items[2 * COMPOSE_CAPABILITIES_MAX];
	size_t n = add_capabilities(work, service, "cap_add", "", items);

	n += add_capabilities(work, service, "cap_drop", "-", items + n);
	if (n)
		compose_put(work, config, "capabilities", items[0],
			    compose_list(work, items[0], items, n));
}

/* One in its long form as one text. */
static const struct doc_node *device(struct compose_work *work, const struct doc_node *item)
{
	static const char *const keys[] = {"source", "target", "permissions"};
	const char *text = "";

	if (item->type == DOC_SCALAR)
		return item;
	if (!compose_section(work, COMPOSE_DEVICE, item, "devices"))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct doc_node *value = compose_value(item, keys[i]);

		if (value && value->type == DOC_SCALAR)
			text = compose_text(work, "%s%s%.300s", text, *text ? ":" : "",
					    value->text);
	}
	return compose_scalar(work, item, text);
}

static void put_devices(struct compose_work *work, const struct doc_node *service,
			struct compose_build *config)
{
	const struct doc_node *value = compose_value(service, "devices"), **items;
	size_t n = 0;

	if (!value || !compose_is(work, value, DOC_SEQUENCE, "devices"))
		return;
	items = ARENA_ARRAY(work->arena, value->n, const struct doc_node *);
	for (size_t i = 0; i < value->n; i++) {
		items[n] = device(work, value->items[i]);
		n += items[n] != NULL;
	}
	if (n)
		compose_put(work, config, "devices", key_of(service, "devices"),
			    compose_list(work, value, items, n));
}

/* ---- logging ---- */

static void put_logging(struct compose_work *work, const struct doc_node *service,
			struct compose_build *config)
{
	const struct doc_node *value = compose_value(service, "logging");
	struct compose_build logging = {0};

	if (value)
		value = compose_section(work, COMPOSE_LOGGING, value, "logging");
	if (!value)
		return;
	put_value(work, value, "driver", as_it_is, &logging, "driver");
	put_value(work, value, "options", as_texts, &logging, "options");
	compose_put(work, config, "logging", key_of(service, "logging"),
		    compose_built(work, &logging, value));
}

/* ---- the whole ---- */

static const struct doc_node *config_of(struct compose_work *work,
					const struct compose_service *service)
{
	const struct doc_node *value = service->value, *deploy = compose_value(value, "deploy");
	struct compose_build config = {0};

	if (deploy)
		deploy = compose_section(work, COMPOSE_DEPLOY, deploy, "deploy");
	compose_service_env(work, value, &config);
	put_command(work, value, &config);
	put_value(work, value, "user", as_it_is, &config, "user");
	put_value(work, value, "working_dir", as_it_is, &config, "workingDirectory");
	put_value(work, value, "tty", as_flag, &config, "tty");
	compose_service_ports(work, value, &config);
	compose_service_mounts(work, service, &config);
	compose_service_health(work, value, &config);
	compose_service_limits(work, value, deploy, &config);
	put_scale(work, value, deploy, &config);
	put_restart(work, service, deploy, &config);
	put_network_mode(work, value, &config);
	put_networks(work, value, &config);
	put_logging(work, value, &config);
	compose_service_labels(work, value, &config);
	put_value(work, value, "annotations", as_texts, &config, "annotations");
	put_job(work, service, &config);
	put_capabilities(work, value, &config);
	put_value(work, value, "privileged", as_flag, &config, "privileged");
	put_devices(work, value, &config);
	put_value(work, value, "stop_signal", as_signal, &config, "stopSignal");
	put_value(work, value, "stop_grace_period", compose_duration, &config, "stopTimeout");
	return compose_built(work, &config, service->value);
}

static void put_no_image(struct compose_work *work, const struct compose_service *service,
			 struct compose_build *build)
{
	compose_put(work, build, "image", service->key, compose_wrong(work, service->key));
	/* of these two the reason is told */
	if (!doc_get(service->value, "build") && !doc_get(service->value, "provider"))
		compose_error(work, DIAG_MISSING_FIELD, service->key,
			      "the service %.100s has no image", service->name)
			->hint = "image: postgres:16, for instance";
}

const struct doc_node *compose_image(struct compose_work *work,
				     const struct compose_service *service)
{
	const struct doc_pair *image = doc_get(service->value, "image");
	struct compose_build build = {0};

	compose_section(work, COMPOSE_SERVICE, service->value, service->name);
	compose_put(work, &build, "name", service->key, service->key);
	if (image && (!doc_is_null(image->value) || image->value->wrong))
		compose_put(work, &build, "image", image->key, image->value);
	else
		put_no_image(work, service, &build);
	compose_put(work, &build, "config", service->key, config_of(work, service));
	return compose_built(work, &build, service->value);
}

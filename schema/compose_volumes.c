#include "base/sys.h"
#include "schema/compose_mounts.h"

#include "schema/forms.h"

/* The keys of a service that mount something: volumes, tmpfs, configs, secrets. */

/* ---- volumes ---- */

/* "ro,z": what is not known does not matter, and is said. */
static void read_options(struct compose_mounts *mounts, struct compose_mount *mount,
			 const char *text)
{
	while (*text) {
		size_t len = strcspn(text, ",");
		const char *option = arena_strndup(mounts->work->arena, text, len);

		if (str_eq(option, "ro"))
			mount->read_only = true;
		else if (!str_eq(option, "rw"))
			compose_note(mounts->work, DIAG_COMPOSE_IGNORED, mount->at,
				     "the option %.60s of a mount is ignored: the driver decides",
				     option);
		text += len + (text[len] == ',');
	}
}

static bool is_path(const char *source)
{
	return *source == '.' || *source == '/' || *source == '~';
}

/* "[source:]target[:options]" */
static void take_short(struct compose_mounts *mounts, const struct doc_node *item)
{
	struct compose_mount mount = {.kind = MOUNT_ANONYMOUS, .at = item, .target = item->text};
	char *source = arena_strdup(mounts->work->arena, item->text);
	char *target = strchr(source, ':'), *options;

	if (target) {
		*target++ = '\0';
		options = strchr(target, ':');
		if (options) {
			*options++ = '\0';
			read_options(mounts, &mount, options);
		}
		mount.kind = is_path(source) ? MOUNT_BIND : MOUNT_NAMED;
		mount.source = source;
		mount.target = target;
	}
	compose_mount_take(mounts, &mount);
}

static bool read_kind(struct compose_mounts *mounts, const struct doc_node *type,
		      struct compose_mount *mount)
{
	if (str_eq(type->text, "bind"))
		mount->kind = MOUNT_BIND;
	else if (str_eq(type->text, "volume"))
		mount->kind = mount->source ? MOUNT_NAMED : MOUNT_ANONYMOUS;
	else if (str_eq(type->text, "tmpfs"))
		mount->kind = MOUNT_TMP;
	else {
		compose_error(mounts->work, DIAG_COMPOSE_REFUSED, type,
			      "mounts of type %.60s are not carried out", type->text)
			->hint = "there are bind, volume and tmpfs";
		return false;
	}
	return true;
}

static void check_parts(struct compose_mounts *mounts, const struct doc_node *item)
{
	static const struct {
		const char *key;
		enum compose_section section;
	} parts[] = {
		{"bind", COMPOSE_BIND}, {"volume", COMPOSE_VOLUME_MOUNT}, {"tmpfs", COMPOSE_TMPFS}};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const struct doc_node *part = compose_value(item, parts[i].key);

		if (part)
			compose_section(mounts->work, parts[i].section, part, parts[i].key);
	}
}

static void take_long(struct compose_mounts *mounts, const struct doc_node *item)
{
	struct compose_mount mount = {.at = item};
	const struct doc_node *type, *read_only;

	if (!compose_section(mounts->work, COMPOSE_MOUNT, item, "volumes"))
		return;
	check_parts(mounts, item);
	type = compose_value(item, "type");
	read_only = compose_value(item, "read_only");
	mount.source = compose_text_of(mounts->work, item, "source");
	mount.target = compose_text_of(mounts->work, item, "target");
	if (!type || !mount.target || !compose_as_text(mounts->work, type, "type")) {
		compose_error(mounts->work, DIAG_MISSING_FIELD, item,
			      "a mount needs the keys type and target");
		return;
	}
	if (read_only)
		compose_as_bool(mounts->work, read_only, "read_only", &mount.read_only);
	if (!read_kind(mounts, type, &mount))
		return;
	if (mount.kind == MOUNT_BIND && !mount.source)
		compose_error(mounts->work, DIAG_MISSING_FIELD, item, "the key source is missing");
	else
		compose_mount_take(mounts, &mount);
}

/* "/run" or "/run:size=64m" */
static void take_tmpfs(struct compose_mounts *mounts, const struct doc_node *item)
{
	size_t len = strcspn(item->text, ":");
	struct compose_mount mount = {.kind = MOUNT_TMP, .at = item};

	if (item->text[len])
		compose_note(mounts->work, DIAG_COMPOSE_IGNORED, item,
			     "options of tmpfs are ignored: the driver decides");
	mount.target = arena_strndup(mounts->work->arena, item->text, len);
	compose_mount_take(mounts, &mount);
}

/* ---- configs and secrets ---- */

struct grant {
	const struct doc_node *at;
	const char *source, *target, *mode;
};

static bool read_mode(struct compose_mounts *mounts, const struct doc_node *value,
		      struct grant *grant)
{
	const char *text = compose_as_text(mounts->work, value, "mode");

	if (text && str_starts(text, "0o"))
		text = compose_text(mounts->work, "0%.8s", text + 2);
	grant->mode = text;
	if (text && form_text_fits(FORM_MODE, text))
		return true;
	if (text)
		compose_error(mounts->work, DIAG_BAD_VALUE, value,
			      "mode must be three octal digits");
	return false;
}

static bool read_grant(struct compose_mounts *mounts, const struct doc_node *item, const char *key,
		       struct grant *grant)
{
	const struct doc_node *mode;

	*grant = (struct grant){.at = item, .mode = "0444"};
	if (item->type == DOC_SCALAR) {
		grant->source = grant->target = item->text;
		return true;
	}
	if (!compose_section(mounts->work, COMPOSE_GRANT, item, key))
		return false;
	grant->source = compose_text_of(mounts->work, item, "source");
	grant->target = compose_text_of(mounts->work, item, "target");
	grant->target = grant->target ? grant->target : grant->source;
	mode = compose_value(item, "mode");
	if (!grant->source)
		compose_error(mounts->work, DIAG_MISSING_FIELD, item, "the key source is missing");
	return grant->source && (!mode || read_mode(mounts, mode, grant));
}

/* What a config or secret holds, as a file: one of the commit, or made of a text. */
static bool content_of(struct compose_mounts *mounts, const struct doc_pair *resource,
		       struct compose_file *out)
{
	struct compose_work *work = mounts->work;
	const struct doc_node *value = resource->value;
	const struct doc_node *file, *text, *variable;
	const struct compose_file *found;

	if (value->type != DOC_MAPPING)
		return false;
	file = compose_value(value, "file");
	text = compose_value(value, "content");
	variable = compose_value(value, "environment");
	if ((file != NULL) + (text != NULL) + (variable != NULL) > 1) {
		compose_error(work, DIAG_FIELDS_EXCLUDE, resource->key,
			      "file, content and environment of %.100s exclude each other",
			      resource->key->text);
		return false;
	}
	if (file) {
		found = compose_as_text(work, file, "file")
				? compose_named_file(work, file, file->text, false)
				: NULL;
		if (found)
			*out = *found;
		return found != NULL;
	}
	*out = (struct compose_file){.name = resource->key->text};
	if (text)
		out->bytes = compose_as_text(work, text, "content");
	else if (variable && compose_as_text(work, variable, "environment"))
		out->bytes = compose_env_get(work->sources[variable->file].env, variable->text);
	if (variable && !out->bytes)
		compose_error(work, DIAG_COMPOSE_VARIABLE, variable,
			      "the variable %.100s is not set", variable->text)
			->hint = "set it in .env beside the Compose file";
	else if (!out->bytes && !text && !compose_value(value, "external"))
		compose_error(work, DIAG_MISSING_FIELD, resource->key,
			      "%.100s needs file, content or environment", resource->key->text);
	out->size = out->bytes ? strlen(out->bytes) : 0;
	return out->bytes != NULL;
}

static void take_grant(struct compose_mounts *mounts, const struct doc_node *item, const char *key,
		       enum compose_kind kind)
{
	struct compose_work *work = mounts->work;
	const struct doc_pair *resource;
	struct compose_file file;
	struct grant grant;
	const char *path;

	if (!read_grant(mounts, item, key, &grant))
		return;
	resource = map_get(&work->resources[kind], grant.source);
	if (!resource) {
		compose_error(work, DIAG_COMPOSE_UNKNOWN, item, "%s has no %.100s", key,
			      grant.source)
			->hint = "declare it at the end of the file";
		return;
	}
	path = *grant.target == '/'
		       ? grant.target
		       : arena_printf(work->arena, "%s/%s",
				      kind == COMPOSE_SECRETS ? "/run/secrets" : "", grant.target);
	if (content_of(mounts, resource, &file))
		compose_mount_file(mounts, grant.at, &file, path, grant.mode);
}

/* ---- the whole ---- */

static void put_entries(struct compose_mounts *mounts, struct compose_build *entries,
			const struct doc_node *like, struct compose_build *config,
			const char *field)
{
	struct compose_work *work = mounts->work;
	const struct doc_node **items =
		ARENA_ARRAY(work->arena, entries->n, const struct doc_node *);

	for (size_t i = 0; i < entries->n; i++)
		items[i] = entries->v[i].value;
	if (entries->n)
		compose_put(work, config, field, entries->v[0].key,
			    compose_list(work, like, items, entries->n));
	compose_dropped(entries);
}

static void each(struct compose_mounts *mounts, const char *key,
		 void (*take)(struct compose_mounts *, const struct doc_node *, const char *))
{
	const struct doc_node *value = compose_value(mounts->service->value, key);

	if (!value || !compose_is(mounts->work, value, DOC_SEQUENCE, key))
		return;
	for (size_t i = 0; i < value->n && !mounts->work->full; i++) {
		if (!value->items[i]->wrong && value->items[i]->over != DOC_RESETS)
			take(mounts, value->items[i], key);
	}
}

static void take_volume(struct compose_mounts *mounts, const struct doc_node *item,
			const char *key UNUSED)
{
	if (item->type == DOC_SCALAR)
		take_short(mounts, item);
	else
		take_long(mounts, item);
}

static void take_config(struct compose_mounts *mounts, const struct doc_node *item, const char *key)
{
	take_grant(mounts, item, key, COMPOSE_CONFIGS);
}

static void take_secret(struct compose_mounts *mounts, const struct doc_node *item, const char *key)
{
	take_grant(mounts, item, key, COMPOSE_SECRETS);
}

void compose_service_mounts(struct compose_work *work, const struct compose_service *service,
			    struct compose_build *config)
{
	struct compose_mounts mounts = {.work = work, .service = service};
	const struct doc_node *tmpfs = compose_value(service->value, "tmpfs");

	each(&mounts, "volumes", take_volume);
	if (tmpfs)
		tmpfs = compose_as_list(work, tmpfs, "tmpfs");
	for (size_t i = 0; tmpfs && i < tmpfs->n; i++)
		take_tmpfs(&mounts, tmpfs->items[i]);
	each(&mounts, "configs", take_config);
	each(&mounts, "secrets", take_secret);
	put_entries(&mounts, &mounts.volumes, service->key, config, "volumes");
	put_entries(&mounts, &mounts.files, service->key, config, "files");
}

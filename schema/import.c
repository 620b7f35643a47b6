#include "base/sys.h"
#include "schema/import.h"

#include "base/json.h"
#include "base/map.h"
#include "schema/canon.h"
#include "schema/doc.h"
#include "schema/forms.h"
#include "schema/yaml_text.h"

static const struct unit unit = {.level = UNIT_ORGANIZATION};

/* ---- names ---- */

/* What can be a name of what is one to Compose: small letters, digits and inner dashes. */
static char *plain_name(const char *text)
{
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_LINE);

	for (; *text && out.len < 63; text++) {
		char c = ascii_lower(*text);
		bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (fine)
			buf_addc(&out, c);
		else if (out.len && buf_str(&out)[out.len - 1] != '-')
			buf_addc(&out, '-');
	}
	while (out.len && buf_str(&out)[out.len - 1] == '-')
		buf_cut(&out, out.len - 1);
	return buf_take(&out);
}

const char *import_name(const struct import *import, struct arena *arena)
{
	AUTO_FREE char *name = plain_name(import->compose->name);

	return arena_strdup(arena, form_text_fits(FORM_NAME, name) ? name : "app");
}

struct imported {
	const struct image *image;
	char *name; /* in the product */
};

struct importing {
	const struct import *import;
	struct diags *diags;
	const char *name;
	struct imported *services;
	size_t n;
	struct map volumes; /* what they are called now -> what they were called */
};

static struct diag *note(const struct importing *importing, const struct head *head, unsigned field,
			 const char *fmt, ...) PRINTF_LIKE(4, 5);

static struct diag *note(const struct importing *importing, const struct head *head, unsigned field,
			 const char *fmt, ...)
{
	struct diag *diag;
	va_list args;

	va_start(args, fmt);
	diag = diags_notev(importing->diags, DIAG_COMPOSE_IMPORT, &unit, head_path(head, field),
			   head_at(head, field), fmt, args);
	va_end(args);
	return diag;
}

static bool is_taken(const struct importing *importing, const char *name)
{
	for (size_t i = 0; i < importing->n; i++) {
		if (str_eq(importing->services[i].name, name))
			return true;
	}
	return false;
}

static void take_service(struct importing *importing, const struct image *image)
{
	char *name = plain_name(image->name);

	if (!form_text_fits(FORM_NAME, name) || is_taken(importing, name)) {
		free(name);
		name = mem_printf("container-%zu", importing->n + 1);
	}
	if (!str_eq(name, image->name))
		note(importing, &image->head, image_name_F, "the service %s is called %s now",
		     image->name, name);
	importing->services[importing->n++] = (struct imported){image, name};
}

/* ---- who names whom ---- */

static bool is_word(char c)
{
	return c == '-' || c == '_' || c == '.' || (c >= '0' && c <= '9') ||
	       (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* Does the name stand in the text by itself? */
static bool names(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = text; (at = strstr(at, name)); at++) {
		if ((at == text || !is_word(at[-1])) && !is_word(at[len]))
			return true;
	}
	return false;
}

static void look_for_names(const struct importing *importing, const struct imported *service,
			   const struct head *head, unsigned field, const char *key,
			   const char *text)
{
	for (size_t i = 0; text && i < importing->n; i++) {
		const struct imported *other = &importing->services[i];

		if (other == service || !names(text, other->image->name))
			continue;
		note(importing, head, field,
		     "%s of %s names %s, which is reached as %s-%s-%s-%s now", key, service->name,
		     other->image->name, importing->import->project, importing->import->stage,
		     importing->name, other->name)
			->hint = "templates work here: {{ prefix }}-NAME";
	}
}

static void look_at_references(const struct importing *importing, const struct imported *service)
{
	const struct container *config = service->image->config;
	const struct head *head = &config->head;

	for (size_t i = 0; i < config->env.n; i++) {
		AUTO_FREE char *key = mem_printf("env.%s", config->env.key[i]);

		look_for_names(importing, service, head, container_env_F, key,
			       config->env.value[i]);
	}
	for (size_t i = 0; i < config->command.n; i++)
		look_for_names(importing, service, head, container_command_F, "command",
			       config->command.v[i]);
	for (size_t i = 0; i < config->args.n; i++)
		look_for_names(importing, service, head, container_args_F, "args",
			       config->args.v[i]);
	for (size_t i = 0; i < config->files.n; i++) {
		const struct config_file *file = &config->files.v[i];

		look_for_names(importing, service, &file->head, config_file_path_F, file->path,
			       file->content);
	}
}

/* ---- comments ---- */

static const struct compose_file *file_of(const struct import *import, const char *path)
{
	size_t len = strlen(import->folder->path);
	const char *name = len && strncmp(path, import->folder->path, len) == 0 && path[len] == '/'
				   ? path + len + 1
				   : path;

	for (size_t i = 0; i < import->folder->files_n; i++) {
		if (str_eq(import->folder->files[i].name, name))
			return &import->folder->files[i];
	}
	return NULL;
}

static const char *line_before(const char *text, const char *line)
{
	const char *at = line - 1;

	if (line == text)
		return NULL;
	while (at > text && at[-1] != '\n')
		at--;
	return at;
}

static bool is_comment(const char *line)
{
	return line && line[strspn(line, " \t")] == '#';
}

/* The comment lines right above the service, as they are but for their indentation. */
static void put_comment(const struct import *import, const struct image *image, struct buf *out)
{
	const struct compose_file *file = file_of(import, head_path(&image->head, image_name_F));
	uint32_t line = head_at(&image->head, image_name_F).line;
	const char *at, *first, *before;

	if (!file || !file->bytes || !line)
		return;
	for (at = file->bytes; line > 1 && (at = strchr(at, '\n')); line--)
		at++;
	if (!at)
		return;
	for (first = at; is_comment(before = line_before(file->bytes, first));)
		first = before;
	while (first < at) {
		size_t len = strcspn(first, "\n");

		buf_adds(out, "  ");
		buf_add(out, first + strspn(first, " \t"), len - strspn(first, " \t"));
		buf_addc(out, '\n');
		first += len + 1;
	}
}

/* ---- volumes ---- */

/* What the volume is called in a manifest, by which no other one is; to be freed. */
static char *volume_name(struct importing *importing, const struct volume *volume)
{
	char *name = plain_name(volume->name);

	for (int i = 2;; i++) {
		const char *was = map_get(&importing->volumes, name);
		AUTO_FREE char *stem = NULL;

		if (form_text_fits(FORM_NAME, name) && (!was || str_eq(was, volume->name)))
			break;
		stem = plain_name(volume->name);
		free(name);
		name = mem_printf("%.50s-%d", *stem ? stem : "volume", i);
	}
	if (!str_eq(name, volume->name) && !map_has(&importing->volumes, name))
		note(importing, &volume->head, volume_name_F,
		     "the volume %s is called %s now, and begins empty where %s is there already",
		     volume->name, name, volume->name);
	map_put(&importing->volumes, name, (void *)(uintptr_t)volume->name);
	return name;
}

/* The canonical form has the same volumes, by their path. */
static void rename_volumes(struct importing *importing, const struct container *config,
			   json_t *object)
{
	const json_t *volumes = json_object_get(object, "volumes");
	json_t *item;
	size_t i;

	json_array_foreach(volumes, i, item)
	{
		for (size_t j = 0; j < config->volumes.n; j++) {
			const struct volume *volume = &config->volumes.v[j];
			AUTO_FREE char *name = NULL;

			if (!volume->name || !str_eq(volume->path, json_str(item, "path", "")))
				continue;
			name = volume_name(importing, volume);
			json_put_str(item, "name", name);
		}
	}
}

/* ---- documents ---- */

/* Content that does not fit into a manifest is left out, and told. */
static void drop_large(const struct importing *importing, const struct container *config,
		       json_t *object)
{
	json_t *files = json_object_get(object, "files");

	for (size_t i = json_array_size(files); i-- > 0;) {
		const json_t *item = json_array_get(files, i);
		const char *path = json_str(item, "path", ""),
			   *content = json_str(item, "content", "");

		if (strlen(content) <= DOC_STRING_MAX)
			continue;
		for (size_t j = 0; j < config->files.n; j++) {
			const struct config_file *file = &config->files.v[j];

			if (str_eq(file->path, path))
				note(importing, &file->head, config_file_path_F,
				     "the file %s is left out: a text of a manifest has at most 64 "
				     "KiB",
				     path)
					->hint = "put it into the image, or keep the Compose file";
		}
		json_array_remove(files, i);
	}
}

static void put_image(struct importing *importing, const struct imported *service, struct buf *out)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	json_t *object;

	canon_image(service->image, CANON_ALL, &text);
	object = json_loadb(buf_str(&text), text.len, 0, NULL);
	drop_large(importing, service->image->config, json_object_get(object, "config"));
	rename_volumes(importing, service->image->config, json_object_get(object, "config"));
	json_put_str(object, "name", service->name);
	put_comment(importing->import, service->image, out);
	buf_clear(&text);
	yaml_put_object(&type_image, object, 4, &text);
	buf_adds(out, "  - ");
	buf_add(out, text.ptr + 4, text.len - 4);
	json_decref(object);
}

void import_product(const struct import *import, struct buf *out, size_t *n, struct diags *diags)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct image_list *images = &import->compose->images;
	AUTO_FREE struct imported *services = mem_zalloc(images->n + 1, sizeof *services);
	struct importing importing = {
		.import = import,
		.diags = diags,
		.name = import_name(import, arena),
		.services = services,
	};

	for (size_t i = 0; i < images->n; i++) {
		if (images->v[i].image && images->v[i].name && images->v[i].config)
			take_service(&importing, &images->v[i]);
	}
	buf_addf(out, "kind: Product\nname: %s\ntype: simple\nimages:\n", importing.name);
	for (size_t i = 0; i < importing.n; i++) {
		look_at_references(&importing, &services[i]);
		put_image(&importing, &services[i], out);
	}
	for (size_t i = 0; i < importing.n; i++)
		free(services[i].name);
	map_release(&importing.volumes);
	*n = importing.n;
}

void import_deployment(const struct import *import, struct buf *out)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	const char *name = import_name(import, arena);

	buf_addf(out, "kind: Deployment\nname: %s\nproduct: %s\nnode: %s\nprefix: %s-%s-%s\n", name,
		 name, import->node, import->project, import->stage, name);
}

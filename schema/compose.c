#include "base/sys.h"
#include "schema/compose_work.h"

#include "base/buf.h"
#include "schema/fields.h"

/* The reading as a whole: files, services, order, trees, and at last the images. */

/* {{ }} is nothing special in a Compose file: it is written so that templates leave it alone. */
static const char *as_written(struct compose_work *work, const char *text)
{
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);
	const char *mark;

	while ((mark = strstr(text, "{{"))) {
		buf_add(&out, text, (size_t)(mark - text));
		buf_adds(&out, "{{{{");
		text = mark + 2;
	}
	buf_adds(&out, text);
	return arena_strndup(work->arena, buf_str(&out), out.len);
}

static const struct doc_node *escaped(struct compose_work *work, const struct doc_node *node)
{
	struct doc_node *copy;

	if (node->type == DOC_SCALAR && !strstr(node->text, "{{"))
		return node;
	copy = arena_memdup(work->arena, node, sizeof *node);
	if (node->type == DOC_SCALAR) {
		copy->text = as_written(work, node->text);
		copy->n = strlen(copy->text);
	} else if (node->type == DOC_SEQUENCE) {
		copy->items = ARENA_ARRAY(work->arena, node->n, struct doc_node *);
		for (size_t i = 0; i < node->n; i++)
			copy->items[i] = arena_memdup(work->arena, escaped(work, node->items[i]),
						      sizeof *node);
	} else {
		copy->pairs = ARENA_ARRAY(work->arena, node->n, struct doc_pair);
		for (size_t i = 0; i < node->n; i++) {
			copy->pairs[i] = node->pairs[i];
			/* these names are made here, with the prefix as a template */
			if (!str_eq(node->pairs[i].key->text, "networks"))
				copy->pairs[i].value = escaped(work, node->pairs[i].value);
		}
	}
	return copy;
}

/* ---- volumes that several containers write ---- */

static void count_volumes(const struct image_list *images, struct map *uses)
{
	for (size_t i = 0; i < images->n; i++) {
		const struct container *config = images->v[i].config;
		uintptr_t copies = config && IS_SET(config, container, scale) && config->scale > 1;

		for (size_t j = 0; config && j < config->volumes.n; j++) {
			const char *name = config->volumes.v[j].name;
			uintptr_t n = name ? (uintptr_t)map_get(uses, name) : 0;

			if (name)
				map_put(uses, name, (void *)(n + 1 + copies));
		}
	}
}

static void share_volumes(struct image_list *images)
{
	AUTO_MAP struct map uses = {0};

	count_volumes(images, &uses);
	for (size_t i = 0; i < images->n; i++) {
		const struct container *config = images->v[i].config;

		for (size_t j = 0; config && j < config->volumes.n; j++) {
			struct volume *volume = &config->volumes.v[j];

			if (!volume->name || volume->type == VOLUME_TMP ||
			    (uintptr_t)map_get(&uses, volume->name) < 2)
				continue;
			volume->shared = true;
			SET_FIELD(volume, volume, shared);
		}
	}
}

/* ---- images ---- */

static void read_images(struct compose_work *work, struct compose_service **services, size_t n,
			struct image_list *out)
{
	const char *paths[COMPOSE_FILES_MAX];
	struct fields_reader reader = {.arena = work->arena};

	for (size_t i = 0; i < work->sources_n; i++)
		paths[i] = work->sources[i].path;
	reader.paths = paths;
	reader.source =
		(struct doc_source){.unit = work->unit, .diags = work->diags, .compose = true};
	out->v = ARENA_ARRAY(work->arena, n, struct image);
	for (size_t i = 0; i < n && !work->full; i++) {
		const struct doc_node *tree = escaped(work, compose_image(work, services[i]));

		reader.source.path = compose_path(work, tree);
		fields_read(&reader, &type_image, tree, &out->v[out->n++]);
	}
}

static void release(struct compose_work *work)
{
	map_release(&work->unset);
	map_release(&work->services);
	map_release(&work->folders);
	map_release(&work->extended);
	map_release(&work->circles);
	map_release(&work->env_files);
	for (size_t i = 0; i < COMPOSE_KINDS; i++)
		map_release(&work->resources[i]);
	for (size_t i = 0; i < work->envs_n; i++)
		map_release(&work->envs[i].vars);
}

bool compose_read(const struct compose_folder *folder, const char *file,
		  const struct compose_names *names, struct arena *arena, const struct unit *unit,
		  struct compose *out, struct diags *diags)
{
	struct compose_work work = {
		.folder = folder, .names = names, .arena = arena, .unit = unit, .diags = diags};
	size_t before = diags->errors, n = 0;
	struct compose_service **services;

	*out = (struct compose){0};
	compose_load(&work, file);
	compose_extend_all(&work);
	services = compose_order(&work, &n);
	read_images(&work, services, n, &out->images);
	share_volumes(&out->images);
	if (!n && diags->errors == before)
		diags_add(diags, DIAG_MISSING_FIELD, unit, compose_full_path(&work, file),
			  (struct loc){0, 0, 0}, "the Compose file has no services");
	out->name = compose_env_get(&work.envs[0], "COMPOSE_PROJECT_NAME");
	out->name = out->name ? out->name : "";
	release(&work);
	return diags->errors == before;
}

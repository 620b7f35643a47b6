/*
 * decode_compose.c - from a folder with a Compose file to what it stands for.
 */
#include "base/sys.h"
#include "schema/decode.h"

#include "schema/decode_parts.h"
#include "schema/derive_parts.h"
#include "schema/documents.h"
#include "schema/forms.h"
#include "schema/kinds.h"

/* A file of the folder by its path from the root of the configuration. */
static int give_file(void *arg, const char *path, struct buf *out)
{
	const struct compose_folder *folder = arg;
	size_t len = strlen(folder->path);

	if (strncmp(path, folder->path, len) != 0 || path[len] != '/')
		return -1;
	for (size_t i = 0; i < folder->files_n; i++) {
		const struct compose_file *file = &folder->files[i];

		if (!str_eq(file->name, path + len + 1) || !file->bytes)
			continue;
		buf_add(out, file->bytes, file->size);
		return 0;
	}
	return -1;
}

static const struct loc first_line = {1, 1, 1};

/* The name of the folder; NULL after a report when it cannot be one of a deployment. */
static const char *stack_name(const struct doc_source *source, const struct compose_folder *folder,
			      struct arena *arena)
{
	const char *slash = strrchr(folder->path, '/');
	const char *name = slash ? slash + 1 : folder->path;

	if (form_text_fits(FORM_NAME, name))
		return arena_strdup(arena, name);
	source_error(source, DIAG_BAD_NAME, first_line,
		     "the folder %s of a stack must be named with small letters, digits and inner "
		     "dashes",
		     name)
		->hint = "the stack is deployed under the name of its folder";
	return NULL;
}

/* What holds for images that are written by hand. */
static void check_images(const struct image_list *images, const struct doc_source *source)
{
	for (size_t i = 0; i < images->n; i++) {
		struct image_list one = {.v = &images->v[i], .n = 1};
		struct doc_source from = *source;

		from.path = PATH_OF(one.v, image, image);
		document_images_check(&one, &from);
	}
}

struct file *compose_decode(const char *path, const struct oid *tree,
			    const struct compose_folder *folder)
{
	struct file *file = file_new(path, tree, 0);
	struct diags diags = {.arena = file->arena};
	const struct doc_source source = {.path = file->path, .unit = &file->unit, .diags = &diags};
	const struct compose_names names = {.project = strrchr(folder->path, '/') + 1};
	struct compose *compose = ARENA_NEW(file->arena, struct compose);
	const char *name = NULL;

	document_folders_check(&source);
	compose_read(folder, strrchr(path, '/') + 1, &names, file->arena, &file->unit, compose,
		     &diags);
	check_images(&compose->images, &source);
	file->compose = &compose->images;
	if (file->unit.level == UNIT_STAGE)
		name = stack_name(&source, folder, file->arena);
	if (name) {
		file->documents = ARENA_NEW(file->arena, struct document);
		file->documents_n = 1;
		*file->documents = derive_deployment(
			file, &(struct derived_name){name, first_line, first_line}, file->compose,
			NULL);
	}
	file_keep_diags(file, &diags, give_file, (void *)(uintptr_t)folder);
	return file;
}

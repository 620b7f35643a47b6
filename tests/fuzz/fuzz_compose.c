#include "base/sys.h"
#include "schema/canon.h"
#include "schema/check.h"
#include "schema/decode.h"
#include "tests/fuzz/fuzz.h"

/*
 * A folder with a Compose file, as one text: each file of it begins with a line ">>> name", what
 * stands before the first is the Compose file. Whatever is read without a problem must come back
 * the same through canonical form, and nothing may bring down the checks.
 */

#define FILES_MAX 16
#define MARK "\n>>> "
#define FOLDER "projects/p/stages/s/x"

struct folder {
	struct compose_file files[FILES_MAX];
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct compose_file *)a)->name,
		      ((const struct compose_file *)b)->name);
}

static bool is_there(const struct folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->n; i++) {
		if (str_eq(folder->files[i].name, name))
			return true;
	}
	return false;
}

/* Names as they come from a Git tree: neither empty, nor with parts that mean something else. */
static bool is_name(const char *name)
{
	AUTO_FREE char *padded = mem_printf("/%s/", name);

	return *name && !strstr(padded, "//") && !strstr(padded, "/./") && !strstr(padded, "/../");
}

/* Cuts text, which it changes, into files. */
static void cut(char *text, size_t size, struct folder *folder)
{
	char *end = text + size, *next;

	folder->files[folder->n++] = (struct compose_file){.name = "compose.yaml", .bytes = text};
	for (char *from = text; from; from = next) {
		struct compose_file *file = &folder->files[folder->n - 1];
		char *name;

		next = memmem(from, (size_t)(end - from), MARK, strlen(MARK));
		file->size = (size_t)((next ? next + 1 : end) - file->bytes);
		if (!next || folder->n == FILES_MAX)
			return;
		name = next + strlen(MARK);
		next = memchr(name, '\n', (size_t)(end - name));
		if (!next)
			return;
		*next = '\0';
		if (!is_name(name) || is_there(folder, name))
			return;
		folder->files[folder->n++] = (struct compose_file){
			.name = name, .bytes = next + 1, .executable = *name == 'x'};
		next++;
	}
}

static void there_and_back(const struct image *image)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT), again = BUF_INIT(BUF_MAX_TEXT);
	const struct container *back;
	struct err err = ERR_INIT;

	if (!image->config)
		return;
	canon_container(image->config, CANON_ALL, &text);
	back = decode_object(arena, "container", buf_str(&text), text.len, &err);
	FUZZ_CHECK(back != NULL);
	canon_container(back, CANON_ALL, &again);
	FUZZ_CHECK(str_eq(buf_str(&text), buf_str(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct oid tree;
	AUTO_FREE char *text = mem_alloc(size + 1);
	AUTO_DIAGS struct diags diags = {0};
	AUTO_BUF struct buf shown = BUF_INIT(BUF_MAX_TEXT);
	struct folder folder = {0};
	struct model *model;
	struct file *file;

	memcpy(text, data, size);
	text[size] = '\0';
	cut(text, size, &folder);
	qsort(folder.files, folder.n, sizeof folder.files[0], by_name);
	file = compose_decode(FOLDER "/compose.yaml", &tree,
			      &(struct compose_folder){FOLDER, folder.files, folder.n});
	diags_append(&diags, file->diags, file->diags_n);
	model = model_build(&file, 1, &diags);
	check_model(model, NULL, &diags);
	diags_sort(&diags);
	for (size_t i = 0; i < diags.n && i < 100; i++)
		diag_render(&diags.v[i], DIAG_COLOUR, &shown);
	for (size_t i = 0; diags.errors == 0 && i < file->compose->n; i++)
		there_and_back(&file->compose->v[i]);
	model_free(model);
	file_unref(file);
	return 0;
}

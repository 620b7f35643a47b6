#include "tests/support/test.h"
#include "tests/support/decode_texts.h"

#include "base/hash.h"
#include "engine/readers.h"
#include "schema/decode.h"
#include "source/whole.h"

static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

static bool is_in(const char *path, const char *folder, size_t len)
{
	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* The Compose file of the folder that is the first `len` bytes of path. */
static const struct text_file *compose_of(const struct text_file *texts, size_t n, const char *path,
					  size_t len)
{
	const struct text_file *found = NULL;
	const char *name = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *other = texts[i].path + len + 1;

		if (!is_in(texts[i].path, path, len) || whole_prefer(name, other) == name)
			continue;
		name = other;
		found = &texts[i];
	}
	return found;
}

/* The Compose file of the folder that the file is in, if that is read as a whole. */
static const struct text_file *whole_of(const struct text_file *texts, size_t n, const char *path)
{
	for (const char *slash = path; (slash = strchr(slash, '/')); slash++) {
		size_t len = (size_t)(slash - path);
		AUTO_FREE char *folder = mem_strndup(path, len);
		const struct text_file *compose = whole_possible(whole_place(folder))
							  ? compose_of(texts, n, path, len)
							  : NULL;

		if (compose)
			return compose;
	}
	return NULL;
}

static void add_text(struct hash *hash, const struct text_file *text)
{
	hash_add(hash, text->path, strlen(text->path) + 1);
	hash_add(hash, text->text, text->len);
}

static struct oid id_of(struct hash *hash)
{
	unsigned char digest[HASH_SIZE];
	struct oid id;

	hash_final(hash, digest);
	memcpy(id.raw, digest, sizeof id.raw);
	return id;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct tree_file *)a)->path, ((const struct tree_file *)b)->path);
}

static struct file *decode_folder(const struct text_file *texts, size_t n,
				  const struct text_file *compose)
{
	size_t len = folder_length(compose->path);
	struct tree_entry entry = {.path = compose->path, .whole = true};
	VEC(struct tree_file) inside = {0};
	struct file *file;
	struct hash hash;

	hash_init(&hash);
	for (size_t i = 0; i < n; i++) {
		if (!is_in(texts[i].path, compose->path, len))
			continue;
		add_text(&hash, &texts[i]);
		VEC_PUSH(&inside, ((struct tree_file){.path = texts[i].path + len + 1,
						      .bytes = texts[i].text,
						      .size = texts[i].len}));
	}
	VEC_SORT(&inside, by_path);
	entry.blob = id_of(&hash);
	file = decode_whole(&entry, inside.v, inside.n);
	VEC_FREE(&inside);
	return file;
}

static struct file *decode_one(const struct text_file *text)
{
	struct hash hash;
	struct oid blob;

	hash_init(&hash);
	hash_add(&hash, text->text, text->len);
	blob = id_of(&hash);
	return file_decode(text->path, &blob, text->text, text->len);
}

void decode_texts(const struct text_file *texts, size_t n, struct decoded_files *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct text_file *compose = whole_of(texts, n, texts[i].path);
		struct unit_names names;
		struct unit unit;

		if (compose == &texts[i]) {
			VEC_PUSH(&out->files, decode_folder(texts, n, compose));
			continue;
		}
		if (compose && !(folder_length(compose->path) == folder_length(texts[i].path) &&
				 whole_has_manifest(strrchr(texts[i].path, '/') + 1)))
			continue;
		if (path_classify(texts[i].path, &unit, &names) == PATH_MANIFEST)
			VEC_PUSH(&out->files, decode_one(&texts[i]));
	}
}

void decoded_release(struct decoded_files *decoded)
{
	for (size_t i = 0; i < decoded->files.n; i++)
		file_unref(decoded->files.v[i]);
	VEC_FREE(&decoded->files);
}

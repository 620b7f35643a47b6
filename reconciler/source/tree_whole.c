/*
 * tree_whole.c - the files of a folder that is read as a whole.
 */
#include "base/sys.h"
#include "source/tree.h"

#include "base/vec.h"
#include "source/gitlib.h"
#include "source/whole.h"

/* A sub-tree can stand in many places: folders are counted as well. */
#define LOOKED_AT_MAX 100000

struct reading {
	struct repo *repo;
	struct arena *arena;
	struct buf path; /* of the folder at hand, "" or with "/" at its end */
	size_t bytes;	 /* that were read */
	size_t looked_at;
	VEC(struct tree_file) files;
};

static void reading_release(struct reading *reading)
{
	buf_release(&reading->path);
	VEC_FREE(&reading->files);
}

/* NULL: it is too large, or the folder was. */
static const char *read_bytes(struct reading *reading, const struct oid *blob, size_t *size,
			      struct err *err)
{
	AUTO_BUF struct buf bytes = BUF_INIT(TREE_WHOLE_FILE_MAX);
	git_oid id = gitlib_id(blob);
	git_object_t type;

	if (git_odb_read_header(size, &type, reading->repo->odb, &id) != 0) {
		gitlib_fail(err, E_REPO_UNREADABLE, "a file of %s", buf_str(&reading->path));
		return NULL;
	}
	if (*size > TREE_WHOLE_FILE_MAX || reading->bytes + *size > TREE_WHOLE_BYTES_MAX ||
	    repo_blob(reading->repo, blob, TREE_WHOLE_FILE_MAX, &bytes, err) != 0)
		return NULL;
	reading->bytes += *size;
	return arena_strndup(reading->arena, buf_str(&bytes), bytes.len);
}

static int read_file(struct reading *reading, const struct tree_item *item, struct err *err)
{
	struct err failure = ERR_INIT;
	struct tree_file file = {
		.path = arena_printf(reading->arena, "%s%s", buf_str(&reading->path), item->name),
		.executable = item->executable};

	file.bytes = read_bytes(reading, &item->id, &file.size, &failure);
	if (failure.code != E_NONE) {
		*err = failure;
		return -1;
	}
	VEC_PUSH(&reading->files, file);
	return 0;
}

static int read_tree(struct reading *reading, const struct oid *tree, unsigned depth,
		     struct err *err)
{
	git_odb_object *object AUTO_GIT(git_odb_object) = NULL;
	struct tree_cursor cursor;
	struct tree_item item;
	int status = 0;

	if (gitlib_read(reading->repo->odb, tree, GIT_OBJECT_TREE, REPO_OBJECT_MAX, &object, err) !=
	    0)
		return -1;
	cursor = tree_cursor(git_odb_object_data(object), git_odb_object_size(object));
	while (status == 0 && reading->files.n < TREE_WHOLE_FILES_MAX &&
	       reading->looked_at++ < LOOKED_AT_MAX && tree_item_next(&cursor, &item) == 1) {
		size_t len = reading->path.len;

		if (item.kind == TREE_FILE) {
			status = read_file(reading, &item, err);
		} else if (item.kind == TREE_FOLDER && depth < TREE_DEPTH_MAX) {
			buf_addf(&reading->path, "%s/", item.name);
			status = read_tree(reading, &item.id, depth + 1, err);
			buf_cut(&reading->path, len);
		}
	}
	return status;
}

static int cmp_file(const void *a, const void *b)
{
	return strcmp(((const struct tree_file *)a)->path, ((const struct tree_file *)b)->path);
}

int tree_read_whole(struct repo *repo, const struct tree_entry *entry, struct arena *arena,
		    struct tree_file **out, size_t *n, struct err *err)
{
	CLEANUP(reading_release)
	struct reading reading = {.repo = repo,
				  .arena = arena,
				  .path = BUF_INIT(((size_t)TREE_DEPTH_MAX + 1) * (NAME_MAX + 1))};

	if (read_tree(&reading, &entry->blob, 0, err) != 0)
		return -1;
	VEC_SORT(&reading.files, cmp_file);
	*out = arena_memdup(arena, reading.files.v, reading.files.n * sizeof **out);
	*n = reading.files.n;
	return 0;
}

/* ---- one of them ---- */

int tree_read_inside(struct repo *repo, const struct oid *tree, const char *path, struct buf *out)
{
	struct oid at = *tree;

	for (;;) {
		git_odb_object *object AUTO_GIT(git_odb_object) = NULL;
		const char *end = strchrnul(path, '/');
		enum tree_kind wanted = *end ? TREE_FOLDER : TREE_FILE;
		struct tree_cursor cursor;
		struct tree_item item;
		bool found = false;

		if (gitlib_read(repo->odb, &at, GIT_OBJECT_TREE, REPO_OBJECT_MAX, &object, NULL) !=
		    0)
			return -1;
		cursor = tree_cursor(git_odb_object_data(object), git_odb_object_size(object));
		while (!found && tree_item_next(&cursor, &item) == 1)
			found = item.kind == wanted && item.name_len == (size_t)(end - path) &&
				memcmp(item.name, path, item.name_len) == 0;
		if (!found)
			return -1;
		if (wanted == TREE_FILE)
			return repo_blob(repo, &item.id, REPO_OBJECT_MAX, out, NULL);
		at = item.id;
		path = end + 1;
	}
}

#include "base/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "engine/folder.h"
#include "engine/readers.h"
#include "source/whole.h"

/* A folder that is read as a whole. */
struct whole {
	const char *path; /* of its Compose file */
	size_t skip;	  /* so much of a path stands before the names of its files */
	size_t bytes;	  /* of all files that were read */
	VEC(struct tree_file) files;
};

struct walk {
	const char *folder;
	struct arena *arena;
	VEC(struct tree_entry) entries;
	VEC(struct tree_problem) problems;
	VEC(struct whole) wholes;
	size_t max;
};

static bool is_yaml(const char *name)
{
	return str_ends(name, ".yaml") || str_ends(name, ".yml");
}

static int add_entry(struct walk *walk, const char *path, bool whole, struct err *err)
{
	if (walk->entries.n >= walk->max)
		return err_set(err, E_TOO_LARGE, "more than %zu files (setting maxFiles)",
			       walk->max);
	VEC_PUSH(&walk->entries, ((struct tree_entry){.path = path, .whole = whole}));
	return 0;
}

/* ---- what each entry of a folder is, by where it stands ---- */

typedef int visit_fn(struct walk *walk, const char *name, const char *path, const struct stat *st,
		     int depth, struct err *err);

static const char *inner_path(struct walk *walk, const char *folder, const char *name)
{
	return folder[0] ? arena_printf(walk->arena, "%s/%s", folder, name)
			 : arena_strdup(walk->arena, name);
}

/* Calls visit for each entry; hidden ones only where they count. */
static int each_entry(struct walk *walk, const char *path, int depth, bool hidden, visit_fn *visit,
		      struct err *err)
{
	char full[FS_PATH_MAX];
	int status = 0;
	if (depth > TREE_DEPTH_MAX)
		return err_set(err, E_TOO_LARGE, "%s: deeper than %d folders", path,
			       TREE_DEPTH_MAX);
	if (fs_join(full, walk->folder, path[0] ? path : ".") < 0)
		return err_set(err, E_TOO_LARGE, "%s: path too long", path);
	AUTO_DIR DIR *list = opendir(full);
	if (!list)
		return err_errno(err, E_IO, "%s", path);
	for (const struct dirent *entry; status == 0 && (entry = readdir(list));) {
		struct stat st;
		const char *name = entry->d_name;
		if (str_eq(name, ".") || str_eq(name, "..") || (name[0] == '.' && !hidden))
			continue;
		if (fstatat(dirfd(list), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_errno(err, E_IO, "%s/%s", path, name);
		status = visit(walk, name, inner_path(walk, path, name), &st, depth, err);
	}
	return status;
}

static int add_link(struct walk *walk, const char *path)
{
	VEC_PUSH(&walk->problems, ((struct tree_problem){path, "is a symbolic link"}));
	return 0;
}

/* ---- a folder with a Compose file ---- */

static int visit_part(struct walk *walk, const char *name, const char *path, const struct stat *st,
		      int depth, struct err *err)
{
	struct whole *whole = &walk->wholes.v[walk->wholes.n - 1];
	struct tree_file file = {.path = path + whole->skip, .size = (size_t)st->st_size};
	if (S_ISDIR(st->st_mode))
		return str_eq(name, ".git")
			       ? 0
			       : each_entry(walk, path, depth + 1, true, visit_part, err);
	if (S_ISLNK(st->st_mode))
		return add_link(walk, path);
	if (!S_ISREG(st->st_mode) || whole->files.n >= TREE_WHOLE_FILES_MAX)
		return 0;
	file.executable = st->st_mode & 0100;
	if (file.size <= TREE_WHOLE_FILE_MAX && whole->bytes <= TREE_WHOLE_BYTES_MAX) {
		AUTO_BUF struct buf bytes = BUF_INIT(TREE_WHOLE_FILE_MAX);
		if (folder_read((void *)(uintptr_t)walk->folder, path, &bytes) < 0)
			return err_set(err, E_IO, "%s cannot be read", path);
		file.bytes = arena_strndup(walk->arena, buf_str(&bytes), bytes.len);
		file.size = bytes.len;
		whole->bytes += bytes.len;
	}
	VEC_PUSH(&whole->files, file);
	return str_eq(file.path, name) && whole_has_manifest(name)
		       ? add_entry(walk, path, false, err)
		       : 0;
}

/* The name of the folder's Compose file; NULL when it has none, or is none that counts. */
static const char *compose_name(const struct walk *walk, const char *path)
{
	char full[FS_PATH_MAX];
	const char *found = NULL;
	if (!whole_possible(whole_place(path)) || fs_join(full, walk->folder, path) < 0)
		return NULL;
	AUTO_DIR DIR *list = opendir(full);
	for (const struct dirent *entry; list && (entry = readdir(list));) {
		struct stat st;
		if (whole_prefer(NULL, entry->d_name) &&
		    fstatat(dirfd(list), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			found = whole_prefer(found, arena_strdup(walk->arena, entry->d_name));
	}
	return found;
}

static int file_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct tree_file *)a)->path, ((const struct tree_file *)b)->path);
}

static int walk_whole(struct walk *walk, const char *path, const char *compose, int depth,
		      struct err *err)
{
	struct whole whole = {.path = inner_path(walk, path, compose), .skip = strlen(path) + 1};
	VEC_PUSH(&walk->wholes, whole);
	if (add_entry(walk, whole.path, true, err) < 0 ||
	    each_entry(walk, path, depth, true, visit_part, err) < 0)
		return -1;
	VEC_SORT(&walk->wholes.v[walk->wholes.n - 1].files, file_cmp);
	return 0;
}

/* ---- any other ---- */

static int visit_entry(struct walk *walk, const char *name, const char *path, const struct stat *st,
		       int depth, struct err *err);

static int walk_folder(struct walk *walk, const char *path, int depth, struct err *err)
{
	const char *compose = compose_name(walk, path);
	return compose ? walk_whole(walk, path, compose, depth, err)
		       : each_entry(walk, path, depth, false, visit_entry, err);
}

static int visit_entry(struct walk *walk, const char *name, const char *path, const struct stat *st,
		       int depth, struct err *err)
{
	if (S_ISDIR(st->st_mode))
		return walk_folder(walk, path, depth + 1, err);
	if (S_ISLNK(st->st_mode))
		return add_link(walk, path);
	return S_ISREG(st->st_mode) && is_yaml(name) ? add_entry(walk, path, false, err) : 0;
}

static int entry_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct tree_entry *)a)->path, ((const struct tree_entry *)b)->path);
}

int folder_write(const char *folder, const char *path, const char *text, size_t len,
		 struct err *err)
{
	char full[FS_PATH_MAX];
	char *slash;

	if (fs_join(full, folder, path) < 0)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", folder);
	slash = strrchr(full, '/');
	*slash = '\0';
	if (fs_make_dirs(full, 0755, err) < 0)
		return -1;
	*slash = '/';
	return fs_write_atomic(full, text, len, 0644, err);
}

int folder_read(void *arg, const char *path, struct buf *out)
{
	char full[FS_PATH_MAX];
	if (fs_join(full, arg, path) < 0)
		return -1;
	return fs_read(full, REPO_OBJECT_MAX, out, NULL);
}

typedef VEC(struct file *) file_list;

static struct file *find_whole(const struct walk *walk, const struct tree_entry *entry)
{
	for (size_t i = 0; i < walk->wholes.n; i++) {
		if (str_eq(walk->wholes.v[i].path, entry->path))
			return decode_whole(entry, walk->wholes.v[i].files.v,
					    walk->wholes.v[i].files.n);
	}
	return decode_whole(entry, NULL, 0);
}

static int decode_all(const struct walk *walk, const struct tree *tree, file_list *files,
		      struct err *err)
{
	for (size_t i = 0; i < tree->entries_n; i++) {
		const struct tree_entry *entry = &tree->entries[i];
		struct unit unit;
		struct unit_names names;
		char full[FS_PATH_MAX];
		AUTO_BUF struct buf bytes = BUF_INIT(REPO_OBJECT_MAX);
		if (path_classify(entry->path, &unit, &names) != PATH_MANIFEST)
			continue;
		if (entry->whole) {
			VEC_PUSH(files, find_whole(walk, entry));
			continue;
		}
		if (fs_join(full, walk->folder, entry->path) < 0)
			return err_set(err, E_TOO_LARGE, "%s: path too long", entry->path);
		if (fs_read(full, REPO_OBJECT_MAX, &bytes, err) < 0)
			return -1;
		VEC_PUSH(files, file_decode(entry->path, &entry->blob, buf_str(&bytes), bytes.len));
	}
	return 0;
}

int folder_load(const char *folder, size_t max_files, struct arena *arena, struct tree *tree,
		struct file_set *set, struct err *err)
{
	struct walk walk = {.folder = folder, .arena = arena, .max = max_files};
	AUTO_FD int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "%s", folder);
	int status = walk_folder(&walk, "", 0, err);
	VEC_SORT(&walk.entries, entry_cmp);
	*tree = (struct tree){.entries_n = walk.entries.n, .problems_n = walk.problems.n};
	tree->entries =
		arena_memdup(arena, walk.entries.v, walk.entries.n * sizeof *walk.entries.v);
	tree->problems =
		arena_memdup(arena, walk.problems.v, walk.problems.n * sizeof *walk.problems.v);
	VEC_FREE(&walk.entries);
	VEC_FREE(&walk.problems);
	file_list files = {0};
	if (status == 0)
		status = decode_all(&walk, tree, &files, err);
	for (size_t i = 0; i < walk.wholes.n; i++)
		VEC_FREE(&walk.wholes.v[i].files);
	VEC_FREE(&walk.wholes);
	file_set_take(set, files.v, files.n);
	VEC_FREE(&files);
	if (status < 0)
		file_set_release(set);
	return status;
}

int folder_read_whole(const char *folder, struct arena *arena, struct tree_file **files, size_t *n,
		      struct err *err)
{
	struct walk walk = {.folder = folder, .arena = arena, .max = TREE_WHOLE_FILES_MAX};
	VEC_PUSH(&walk.wholes, (struct whole){.path = ""});
	int status = each_entry(&walk, "", 0, true, visit_part, err);
	struct whole *whole = &walk.wholes.v[0];
	VEC_SORT(&whole->files, file_cmp);
	*n = whole->files.n;
	*files = arena_memdup(arena, whole->files.v, *n * sizeof **files);
	VEC_FREE(&whole->files);
	VEC_FREE(&walk.wholes);
	VEC_FREE(&walk.entries);
	VEC_FREE(&walk.problems);
	return status;
}

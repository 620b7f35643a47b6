#include "base/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "engine/folder.h"

struct walk {
	struct arena *arena;
	VEC(struct tree_entry) entries;
	VEC(struct tree_problem) problems;
	size_t max;
};

static bool is_yaml(const char *name)
{
	return str_ends(name, ".yaml") || str_ends(name, ".yml");
}

static int walk_folder(struct walk *walk, int dir, const char *path, int depth, struct err *err);

static int walk_entry(struct walk *walk, int dir, const char *name, const char *path, int depth,
		      struct err *err)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, E_IO, "%s", path);
	if (S_ISDIR(st.st_mode)) {
		AUTO_FD int sub =
			openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0)
			return err_errno(err, E_IO, "%s", path);
		return walk_folder(walk, sub, path, depth + 1, err);
	}
	if (S_ISLNK(st.st_mode)) {
		struct tree_problem problem = {path, "is a symbolic link"};
		VEC_PUSH(&walk->problems, problem);
		return 0;
	}
	if (!S_ISREG(st.st_mode) || !is_yaml(name))
		return 0;
	if (walk->entries.n >= walk->max)
		return err_set(err, E_TOO_LARGE, "more than %zu files (setting maxFiles)",
			       walk->max);
	struct tree_entry entry = {.path = path};
	VEC_PUSH(&walk->entries, entry);
	return 0;
}

static int walk_folder(struct walk *walk, int dir, const char *path, int depth, struct err *err)
{
	if (depth > TREE_DEPTH_MAX)
		return err_set(err, E_TOO_LARGE, "%s: deeper than %d folders", path,
			       TREE_DEPTH_MAX);
	int own = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	DIR *list = own < 0 ? NULL : fdopendir(own);
	if (!list) {
		if (own >= 0)
			close(own);
		return err_errno(err, E_IO, "%s", path);
	}
	int status = 0;
	for (struct dirent *entry; status == 0 && (entry = readdir(list));) {
		if (entry->d_name[0] == '.')
			continue;
		const char *inner =
			path[0] ? arena_printf(walk->arena, "%s/%s", path, entry->d_name)
				: arena_strdup(walk->arena, entry->d_name);
		status = walk_entry(walk, dir, entry->d_name, inner, depth, err);
	}
	closedir(list);
	return status;
}

static int entry_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct tree_entry *)a)->path, ((const struct tree_entry *)b)->path);
}

int folder_read(void *arg, const char *path, struct buf *out)
{
	char full[FS_PATH_MAX];
	if (fs_join(full, arg, path) < 0)
		return -1;
	return fs_read(full, REPO_OBJECT_MAX, out, NULL);
}

typedef VEC(struct file *) file_list;

static int decode_all(const char *folder, const struct tree *tree, file_list *files,
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
		if (fs_join(full, folder, entry->path) < 0)
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
	struct walk walk = {.arena = arena, .max = max_files};
	AUTO_FD int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "%s", folder);
	int status = walk_folder(&walk, dir, "", 0, err);
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
		status = decode_all(folder, tree, &files, err);
	file_set_take(set, files.v, files.n);
	VEC_FREE(&files);
	if (status < 0)
		file_set_release(set);
	return status;
}

#include "base/sys.h"
#include "drivers/memory_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/vec.h"

#define SUFFIX ".json"
#define LOCK_WAIT_MS 5000

struct folder_store {
	struct memory_store store;
	char *folder;
	int lock; /* -1: not held */
};

static const char *const shelf_folders[SHELVES] = {
	[SHELF_NODE] = ".",	   [SHELF_CONTAINERS] = "containers", [SHELF_VOLUMES] = "volumes",
	[SHELF_IMAGES] = "images", [SHELF_PORTS] = "ports",
};

static struct folder_store *self(struct memory_store *store)
{
	return (struct folder_store *)(void *)store;
}

static int shelf_path(struct memory_store *store, enum shelf shelf, char path[FS_PATH_MAX],
		      struct err *err)
{
	if (fs_join(path, self(store)->folder, shelf_folders[shelf]) != 0)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", self(store)->folder);
	return 0;
}

static int text_path(struct memory_store *store, enum shelf shelf, const char *name,
		     char path[FS_PATH_MAX], struct err *err)
{
	int len;

	if (!memory_store_is_name(name))
		return err_set(err, E_BAD_INPUT, "no name: %s", name);
	len = snprintf(path, FS_PATH_MAX, "%s/%s/%s" SUFFIX, self(store)->folder,
		       shelf_folders[shelf], name);
	if (len < 0 || len >= FS_PATH_MAX)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", self(store)->folder);
	return 0;
}

/* A folder that fails is a node that does not answer: the other nodes go on. */
static int as_node(int result, struct err *err)
{
	if (result < 0 && err && err->code == E_IO)
		err->code = E_NODE_UNREACHABLE;
	return result;
}

static int folder_get(struct memory_store *store, enum shelf shelf, const char *name,
		      struct buf *out, struct err *err)
{
	char path[FS_PATH_MAX];
	struct err why = ERR_INIT;

	if (text_path(store, shelf, name, path, err) != 0)
		return -1;
	if (fs_read(path, MEMORY_STORE_TEXT_MAX, out, &why) == 0)
		return 1;
	if (why.code == E_NOT_FOUND)
		return 0;
	if (err)
		*err = why;
	return as_node(-1, err);
}

static int make_shelf(struct memory_store *store, enum shelf shelf, struct err *err)
{
	char path[FS_PATH_MAX];

	if (shelf_path(store, shelf, path, err) != 0)
		return -1;
	return fs_is_dir(path) ? 0 : as_node(fs_make_dirs(path, 0755, err), err);
}

static int folder_put(struct memory_store *store, enum shelf shelf, const char *name,
		      const char *text, size_t len, struct err *err)
{
	char path[FS_PATH_MAX];

	if (text_path(store, shelf, name, path, err) != 0 || make_shelf(store, shelf, err) != 0)
		return -1;
	return as_node(fs_write_replace(path, text, len, 0644, err), err);
}

static int folder_del(struct memory_store *store, enum shelf shelf, const char *name,
		      struct err *err)
{
	char path[FS_PATH_MAX];

	if (text_path(store, shelf, name, path, err) != 0)
		return -1;
	if (unlink(path) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_errno(err, E_NODE_UNREACHABLE, "remove %s", path);
}

static int folder_move(struct memory_store *store, enum shelf shelf, const char *name,
		       const char *to, struct err *err)
{
	char from_path[FS_PATH_MAX], to_path[FS_PATH_MAX];

	if (text_path(store, shelf, name, from_path, err) != 0 ||
	    text_path(store, shelf, to, to_path, err) != 0)
		return -1;
	if (renameat2(AT_FDCWD, from_path, AT_FDCWD, to_path, RENAME_NOREPLACE) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	if (errno == EEXIST)
		return err_set(err, E_CONFLICT, "%s is there already", to);
	return err_errno(err, E_NODE_UNREACHABLE, "rename %s", from_path);
}

/* The name without its suffix, or NULL for a file that is not one of ours. */
static const char *name_of(struct arena *arena, const char *file)
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);

	if (*file == '.' || len <= suffix || !str_ends(file, SUFFIX))
		return NULL;
	return arena_strndup(arena, file, len - suffix);
}

static int read_names(DIR *folder, struct arena *arena, const char ***names, size_t *n)
{
	VEC(const char *) found = {0};
	struct dirent *entry;
	int failed;

	while ((errno = 0, entry = readdir(folder))) {
		const char *name = name_of(arena, entry->d_name);

		if (name)
			VEC_PUSH(&found, name);
	}
	failed = errno;
	VEC_SORT(&found, memory_store_name_cmp);
	*n = found.n;
	*names = arena_memdup(arena, found.v, found.n * sizeof *found.v);
	VEC_FREE(&found);
	errno = failed;
	return failed ? -1 : 0;
}

static int folder_list(struct memory_store *store, enum shelf shelf, struct arena *arena,
		       const char ***names, size_t *n, struct err *err)
{
	char path[FS_PATH_MAX];
	DIR *folder;
	int result;

	*names = NULL;
	*n = 0;
	if (shelf_path(store, shelf, path, err) != 0)
		return -1;
	folder = opendir(path);
	if (!folder)
		return errno == ENOENT ? 0
				       : err_errno(err, E_NODE_UNREACHABLE, "open folder %s", path);
	result = read_names(folder, arena, names, n);
	if (result != 0)
		err_errno(err, E_NODE_UNREACHABLE, "read folder %s", path);
	closedir(folder);
	return result;
}

/* What killed processes left behind in the middle of a write. */
static int sweep(struct memory_store *store, struct err *err)
{
	for (enum shelf shelf = 0; shelf < SHELVES; shelf++) {
		char path[FS_PATH_MAX];

		if (shelf_path(store, shelf, path, err) != 0)
			return -1;
		if (fs_is_dir(path) && as_node(fs_remove_stale_temps(path, err), err) != 0)
			return -1;
	}
	return 0;
}

static int folder_lock(struct memory_store *store, struct err *err)
{
	char path[FS_PATH_MAX];

	if (make_shelf(store, SHELF_NODE, err) != 0 || sweep(store, err) != 0)
		return -1;
	if (fs_join(path, self(store)->folder, "lock") != 0)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", self(store)->folder);
	self(store)->lock = fs_lock(path, "memory node", LOCK_WAIT_MS, err);
	return self(store)->lock < 0 ? -1 : 0;
}

static void folder_unlock(struct memory_store *store)
{
	fs_close_ptr(&self(store)->lock);
}

#define WATCHED (IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_DELETE_SELF)

static int watch_shelf(struct memory_store *store, int fd, enum shelf shelf, struct err *err)
{
	char path[FS_PATH_MAX];

	if (make_shelf(store, shelf, err) != 0 || shelf_path(store, shelf, path, err) != 0)
		return -1;
	if (inotify_add_watch(fd, path, WATCHED) < 0)
		return err_errno(err, E_NODE_UNREACHABLE, "watch %s", path);
	return 0;
}

static int folder_watch(struct memory_store *store, struct err *err)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return err_errno(err, E_IO, "inotify");
	if (watch_shelf(store, fd, SHELF_NODE, err) != 0 ||
	    watch_shelf(store, fd, SHELF_CONTAINERS, err) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* 1 for a text that came, changed or went; 0 for temporary files and the lock. */
static int judge_event(const struct inotify_event *event, struct err *err)
{
	if (event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF))
		return err_set(err, E_IO, "events of a memory node were lost");
	return event->len && *event->name != '.' && str_ends(event->name, SUFFIX) ? 1 : 0;
}

static int folder_watch_read(struct memory_store *store, int fd, struct err *err)
{
	_Alignas(struct inotify_event) char events[4096];
	int verdict = 0;
	ssize_t got;

	(void)store;
	while ((got = read(fd, events, sizeof events)) > 0) {
		for (ssize_t at = 0; at < got;) {
			const void *next = events + at;
			const struct inotify_event *event = next;
			int one = judge_event(event, err);

			if (one != 0 && verdict >= 0)
				verdict = one;
			at += (ssize_t)(sizeof *event + event->len);
		}
	}
	return verdict;
}

static void folder_watch_end(struct memory_store *store, int fd)
{
	(void)store;
	close(fd);
}

static int folder_identity(struct memory_store *store, struct buf *out, struct err *err)
{
	const char *folder = self(store)->folder;
	struct stat info;

	if (stat(folder, &info) == 0)
		buf_addf(out, "memory:%llx:%llx", (unsigned long long)info.st_dev,
			 (unsigned long long)info.st_ino);
	else if (errno == ENOENT)
		buf_addf(out, "memory:%s", folder);
	else
		return err_errno(err, E_NODE_UNREACHABLE, "look at %s", folder);
	return 0;
}

static void folder_free(struct memory_store *store)
{
	fs_close_ptr(&self(store)->lock);
	free(self(store)->folder);
	free(store);
}

static const struct memory_store_ops folder_ops = {
	.get = folder_get,
	.put = folder_put,
	.del = folder_del,
	.move = folder_move,
	.list = folder_list,
	.lock = folder_lock,
	.unlock = folder_unlock,
	.watch = folder_watch,
	.watch_read = folder_watch_read,
	.watch_end = folder_watch_end,
	.identity = folder_identity,
	.free = folder_free,
};

struct memory_store *memory_store_folder(const char *folder)
{
	struct folder_store *store = mem_zalloc(1, sizeof *store);

	store->store.ops = &folder_ops;
	store->folder = mem_strdup(folder);
	store->lock = -1;
	return &store->store;
}

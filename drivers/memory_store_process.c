#include "base/sys.h"
#include "drivers/memory_store.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/map.h"
#include "base/vec.h"

/* ---- what both kinds share ---- */

#define NAME_LONGEST 200

void memory_store_free(struct memory_store *store)
{
	if (store)
		store->ops->free(store);
}

bool memory_store_is_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && strlen(name) <= NAME_LONGEST;
}

int memory_store_name_cmp(const void *a, const void *b)
{
	return str_cmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- texts in this process ---- */

struct process_store {
	struct memory_store store;
	struct map shelves[SHELVES]; /* name -> char *, owned */
	VEC(int) watchers;
	unsigned number;
};

static struct process_store *self(struct memory_store *store)
{
	return (struct process_store *)(void *)store;
}

static int check_name(const char *name, struct err *err)
{
	return memory_store_is_name(name) ? 0 : err_set(err, E_BAD_INPUT, "no name: %s", name);
}

/* A full counter keeps the descriptor readable all the same. */
static void wake(struct process_store *process)
{
	for (size_t i = 0; i < process->watchers.n; i++)
		eventfd_write(process->watchers.v[i], 1);
}

static int process_get(struct memory_store *store, enum shelf shelf, const char *name,
		       struct buf *out, struct err *err)
{
	const char *text = map_get(&self(store)->shelves[shelf], name);

	if (check_name(name, err) != 0)
		return -1;
	if (!text)
		return 0;
	buf_adds(out, text);
	return 1;
}

static int process_put(struct memory_store *store, enum shelf shelf, const char *name,
		       const char *text, size_t len, struct err *err)
{
	if (check_name(name, err) != 0)
		return -1;
	free(map_put(&self(store)->shelves[shelf], name, mem_strndup(text, len)));
	wake(self(store));
	return 0;
}

static int process_del(struct memory_store *store, enum shelf shelf, const char *name,
		       struct err *err)
{
	char *text = map_del(&self(store)->shelves[shelf], name);

	if (check_name(name, err) != 0)
		return -1;
	if (!text)
		return 0;
	free(text);
	wake(self(store));
	return 1;
}

static int process_move(struct memory_store *store, enum shelf shelf, const char *name,
			const char *to, struct err *err)
{
	struct map *map = &self(store)->shelves[shelf];

	if (check_name(name, err) != 0 || check_name(to, err) != 0)
		return -1;
	if (!map_has(map, name))
		return 0;
	if (map_has(map, to))
		return err_set(err, E_CONFLICT, "%s is there already", to);
	map_put(map, to, map_del(map, name));
	wake(self(store));
	return 1;
}

static int process_list(struct memory_store *store, enum shelf shelf, struct arena *arena,
			const char ***names, size_t *n, struct err *err)
{
	const struct map *map = &self(store)->shelves[shelf];

	(void)err;
	*n = 0;
	*names = ARENA_ARRAY(arena, map->count, const char *);
	for (struct map_entry *e = NULL; (e = map_next(map, e));)
		(*names)[(*n)++] = arena_strdup(arena, e->key);
	if (*n > 1)
		qsort(*names, *n, sizeof **names, memory_store_name_cmp);
	return 0;
}

static int process_lock(struct memory_store *store, struct err *err)
{
	(void)store, (void)err;
	return 0;
}

static void process_unlock(struct memory_store *store)
{
	(void)store;
}

static int process_watch(struct memory_store *store, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return err_errno(err, E_IO, "eventfd");
	VEC_PUSH(&self(store)->watchers, fd);
	return fd;
}

static int process_watch_read(struct memory_store *store, int fd, struct err *err)
{
	eventfd_t count;

	(void)store, (void)err;
	return eventfd_read(fd, &count) == 0 ? 1 : 0;
}

static void process_watch_end(struct memory_store *store, int fd)
{
	struct process_store *process = self(store);

	for (size_t i = 0; i < process->watchers.n; i++) {
		if (process->watchers.v[i] == fd) {
			process->watchers.v[i] = process->watchers.v[--process->watchers.n];
			close(fd);
			return;
		}
	}
}

static int process_identity(struct memory_store *store, struct buf *out, struct err *err)
{
	(void)err;
	buf_addf(out, "memory:process:%u", self(store)->number);
	return 0;
}

static void process_free(struct memory_store *store)
{
	struct process_store *process = self(store);

	for (size_t i = 0; i < SHELVES; i++)
		map_release_with(&process->shelves[i], free);
	for (size_t i = 0; i < process->watchers.n; i++)
		close(process->watchers.v[i]);
	VEC_FREE(&process->watchers);
	free(process);
}

static const struct memory_store_ops process_ops = {
	.get = process_get,
	.put = process_put,
	.del = process_del,
	.move = process_move,
	.list = process_list,
	.lock = process_lock,
	.unlock = process_unlock,
	.watch = process_watch,
	.watch_read = process_watch_read,
	.watch_end = process_watch_end,
	.identity = process_identity,
	.free = process_free,
};

struct memory_store *memory_store_process(void)
{
	static unsigned made;
	struct process_store *process = mem_zalloc(1, sizeof *process);

	process->store.ops = &process_ops;
	process->number = ++made;
	return &process->store;
}

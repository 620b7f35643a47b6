#include "base/sys.h"
#include "drivers/host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"

#define OWNER_MAX 1024
#define RECORD_MAX ((size_t)64 << 10)
#define WORKLOAD_NAME_MAX 80
#define VOLUME_NAME_MAX 127
#define HIDDEN_PREFIX ".gone-"
#define CLAIM_WAIT_MS 10000
#define PART_WAIT_MS 60000 /* an image may be large */

/* ---- names and paths ----------------------------------------------------------------------- */

char *host_path(const struct host *host, const char *part, const char *name)
{
	if (!*part)
		return name ? mem_printf("%s/%s", host->data_root, name)
			    : mem_strdup(host->data_root);
	return name ? mem_printf("%s/%s/%s", host->data_root, part, name)
		    : mem_printf("%s/%s", host->data_root, part);
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_name(const char *name, size_t len, size_t max)
{
	const char *dash = memchr(name, '-', len);

	if (len == 0 || len > max || !dash || !is_alnum(name[0]) || !is_alnum(name[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(name[i]) && name[i] != '-')
			return false;
	}
	return true;
}

bool host_name_is_workload(const char *name)
{
	return name && is_name(name, workload_stem_length(name), WORKLOAD_NAME_MAX);
}

bool host_name_is_volume(const char *name)
{
	return name && is_name(name, strlen(name), VOLUME_NAME_MAX);
}

char *host_folder_name(const char *name)
{
	return mem_strndup(name, workload_stem_length(name));
}

char *host_data_root(const struct node *node, const struct driver_env *env)
{
	return node->data_root ? mem_strdup(node->data_root)
			       : mem_printf("%s/nodes/%s", env->state_dir, node->name);
}

void host_boot_id(char out[HOST_BOOT_SIZE])
{
	struct buf text AUTO_BUF = BUF_INIT(HOST_BOOT_SIZE);

	if (fs_read("/proc/sys/kernel/random/boot_id", HOST_BOOT_SIZE - 1, &text, NULL) != 0)
		buf_clear(&text);
	snprintf(out, HOST_BOOT_SIZE, "%.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
}

/* ---- folders ------------------------------------------------------------------------------- */

/*
 * Workloads that run as other users must reach their own folders, so that the upper ones can be
 * passed but not listed. Control is for us alone.
 */
int host_layout_make(const struct host *host, struct err *err)
{
	static const struct {
		const char *part;
		mode_t mode;
	} parts[] = {
		{"", 0711},
		{HOST_CONTROL, 0700},
		{HOST_IMAGES, 0711},
		{HOST_VOLUMES, 0711},
		{HOST_IMAGE_RECORDS, 0700},
		{HOST_VOLUME_RECORDS, 0700},
		{HOST_FOLDER_RECORDS, 0700},
		{HOST_WORKLOADS, 0700},
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		AUTO_FREE char *path = host_path(host, parts[i].part, NULL);

		if (fs_make_dirs(path, parts[i].mode, err) != 0)
			return err_wrap(err, "data root %s", host->data_root);
	}
	return 0;
}

int host_each_entry(const char *path, int (*use)(void *arg, const char *name, struct err *err),
		    void *arg, struct err *err)
{
	AUTO_DIR DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : err_errno(err, E_IO, "list %s", path);
	while ((errno = 0, entry = readdir(dir))) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		if (use(arg, entry->d_name, err) != 0)
			return -1;
	}
	return errno ? err_errno(err, E_IO, "list %s", path) : 0;
}

int host_lock(const struct host *host, const char *part, struct err *err)
{
	const char *name = strrchr(part, '/');
	AUTO_FREE char *path =
		mem_printf("%s/" HOST_CONTROL "/%s.lock", host->data_root, name ? name + 1 : part);

	return fs_lock(path, "change", PART_WAIT_MS, err);
}

int host_vanish(const struct host *host, const char *part, const char *name, struct err *err)
{
	AUTO_FREE char *path = host_path(host, part, name);
	AUTO_FREE char *hidden_name = mem_printf("%s%s", HIDDEN_PREFIX, name);
	AUTO_FREE char *hidden = host_path(host, part, hidden_name);

	if (fs_remove_tree(hidden, err) != 0)
		return -1;
	if (rename(path, hidden) != 0)
		return errno == ENOENT ? 0 : err_errno(err, E_IO, "remove %s", path);
	return fs_remove_tree(hidden, err);
}

static int sweep_entry(void *arg, const char *name, struct err *err)
{
	const char *folder = arg;
	AUTO_FREE char *path = mem_printf("%s/%s", folder, name);

	return name[0] == '.' ? fs_remove_tree(path, err) : 0;
}

int host_sweep(const struct host *host, const char *part, struct err *err)
{
	AUTO_FREE char *path = host_path(host, part, NULL);

	return host_each_entry(path, sweep_entry, path, err);
}

/* ---- the marker ---------------------------------------------------------------------------- */

int host_owner_read(const struct host *host, char **owner, struct err *err)
{
	AUTO_FREE char *path = host_path(host, HOST_OWNER, NULL);
	struct buf text AUTO_BUF = BUF_INIT(OWNER_MAX + 1);
	struct err problem = ERR_INIT;

	*owner = NULL;
	if (fs_read(path, OWNER_MAX, &text, &problem) != 0) {
		if (problem.code == E_NOT_FOUND)
			return 0;
		return err_set(err, problem.code, "marker: %s", problem.text);
	}
	*owner = mem_strndup(buf_str(&text), strcspn(buf_str(&text), "\n"));
	return 0;
}

static int owned_by_other(const struct host *host, const char *owner, struct err *err)
{
	return err_set(err, E_NODE_OWNED, "%s belongs to %s, and this is %s", host->data_root,
		       owner, host->env->owner);
}

/* The owner as it is now; E_NODE_OWNED when it is another than we. */
static int read_own_marker(const struct host *host, bool *claimed, struct err *err)
{
	AUTO_FREE char *owner = NULL;

	if (host_owner_read(host, &owner, err) != 0)
		return -1;
	*claimed = owner != NULL;
	return !owner || owner_same(owner, host->env->owner) ? 0 : owned_by_other(host, owner, err);
}

int host_owner_check(const struct host *host, struct err *err)
{
	bool claimed;

	return read_own_marker(host, &claimed, err);
}

/* Of several that claim a node at once, the lock lets one look and write at a time. */
int host_owner_claim(const struct host *host, bool *changed, struct err *err)
{
	AUTO_FREE char *line = mem_printf("%s\n", host->env->owner);
	AUTO_FREE char *path = host_path(host, HOST_OWNER, NULL);
	AUTO_FREE char *lock_path = host_path(host, HOST_OWNER ".lock", NULL);
	int lock AUTO_FD = -1;
	bool claimed;

	if (read_own_marker(host, &claimed, err) != 0 || host_layout_make(host, err) != 0)
		return -1;
	lock = fs_lock(lock_path, "claim", CLAIM_WAIT_MS, err);
	if (lock < 0 || read_own_marker(host, &claimed, err) != 0)
		return -1;
	*changed = !claimed;
	return claimed ? 0 : fs_write_atomic(path, line, strlen(line), 0600, err);
}

/* ---- records ------------------------------------------------------------------------------- */

static int write_record(const char *path, const struct labels *labels, struct err *err)
{
	AUTO_JSON json_t *json = labels_json(labels);
	struct buf text AUTO_BUF = BUF_INIT(RECORD_MAX);

	json_write(json, &text);
	return fs_write_atomic(path, buf_str(&text), text.len, 0600, err);
}

int host_record_read(const struct host *host, const char *records, const char *name,
		     struct arena *arena, struct labels *out, struct err *err)
{
	AUTO_FREE char *path = host_path(host, records, name);
	struct buf text AUTO_BUF = BUF_INIT(RECORD_MAX);
	AUTO_JSON json_t *json = NULL;

	if (fs_read(path, RECORD_MAX, &text, err) != 0)
		return -1;
	json = json_read(buf_str(&text), text.len, RECORD_MAX, err);
	if (!json || labels_from_json(json, arena, out, err) != 0)
		return err_wrap(err, "%s", path);
	return 0;
}

int host_record_look(const struct host *host, const char *records, const char *name,
		     struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_FREE char *path = host_path(host, records, name);
	struct labels labels = {0};

	if (!fs_exists(path))
		return 0;
	if (host_record_read(host, records, name, arena, &labels, err) != 0)
		return -1;
	if (!owner_same(labels.owner, host->env->owner))
		return err_set(err, E_NAME_FOREIGN, "%s belongs to %s", name, labels.owner);
	return 1;
}

int host_record_remove(const struct host *host, const char *records, const char *name,
		       struct err *err)
{
	AUTO_FREE char *path = host_path(host, records, name);

	if (unlink(path) != 0 && errno != ENOENT)
		return err_errno(err, E_IO, "remove %s", path);
	return 0;
}

int host_folder_make(const struct host *host, const char *part, const char *records,
		     const char *name, const struct labels *labels, bool *made, struct err *err)
{
	AUTO_FREE char *path = host_path(host, part, name);
	AUTO_FREE char *record = host_path(host, records, name);
	int recorded = host_record_look(host, records, name, err);

	*made = false;
	if (recorded < 0)
		return -1;
	if (!recorded && fs_exists(path))
		return err_set(err, E_NAME_FOREIGN, "%s is there and was not made by trueup", path);
	if (!recorded && write_record(record, labels, err) != 0)
		return -1;
	if (mkdir(path, 0700) == 0) {
		*made = true;
		return 0;
	}
	if (errno != EEXIST)
		return err_errno(err, E_IO, "make folder %s", path);
	return fs_is_dir(path) ? 0 : err_set(err, E_NAME_FOREIGN, "%s is not a folder", path);
}

#include "base/sys.h"
#include "drivers/host_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

#define TEMP_NAME ".trueup-new"
#define DEFAULT_MODE 0644

static bool is_tmp(const struct volume *volume)
{
	return volume->type == VOLUME_TMP;
}

const char *host_place_target(struct arena *arena, const char *data_root, const struct spec *spec,
			      const struct volume *volume)
{
	const char *name = volume_node_name(arena, spec->labels.prefix, volume);

	if (name)
		return arena_printf(arena, "%s/" HOST_VOLUMES "/%s", data_root, name);
	return is_tmp(volume) ? NULL : volume->host_path;
}

/* ---- places below the folder --------------------------------------------------------------- */

/* The workload's folder, and as whom things in it are made. */
struct place {
	int dir;
	const struct host_user *user;
	struct err *err;
};

static void place_release(struct place *place)
{
	fs_close_ptr(&place->dir);
}

static int place_open(struct place *place, const char *data_root, const struct spec *spec)
{
	AUTO_FREE char *path = mem_printf("%s/%s", data_root, spec->name);

	place->dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return place->dir < 0 ? err_errno(place->err, E_IO, "open %s", path) : 0;
}

static int give(const struct place *place, int fd)
{
	return place->user->own ? 0 : fchown(fd, place->user->uid, place->user->gid);
}

/* Splits "a/b/c" into the folder a/b, made where needed, and the name c in path. -1 with errno. */
static int open_parent(const struct place *place, const char *path, bool make, const char **leaf)
{
	int at AUTO_FD = fcntl(place->dir, F_DUPFD_CLOEXEC, 0);
	int found;

	for (size_t len; at >= 0 && path[len = strcspn(path, "/")]; path += len + 1) {
		AUTO_FREE char *part = mem_strndup(path, len);
		bool made = make && mkdirat(at, part, 0755) == 0;
		int next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		fs_close_ptr(&at);
		at = next;
		if (at >= 0 && made && give(place, at) != 0)
			return -1;
	}
	*leaf = path;
	found = at;
	at = -1;
	return found;
}

/* Folders that were made for what is gone; the first that is not empty ends it. */
static void remove_empty_parents(const struct place *place, const char *path)
{
	AUTO_FREE char *rest = mem_strdup(path);
	char *slash;

	while ((slash = strrchr(rest, '/'))) {
		const char *leaf;
		int parent AUTO_FD = -1;

		*slash = '\0';
		parent = open_parent(place, rest, false, &leaf);
		if (parent < 0 || unlinkat(parent, leaf, AT_REMOVEDIR) != 0)
			return;
	}
}

/* ---- files --------------------------------------------------------------------------------- */

static mode_t mode_of(const struct config_file *file)
{
	return file->mode ? (mode_t)(strtoul(file->mode, NULL, 8) & 0777) : DEFAULT_MODE;
}

static int write_file(const struct place *place, const struct config_file *file)
{
	const char *content = file->content ? file->content : "";
	const char *leaf;
	int parent AUTO_FD = open_parent(place, file->path, true, &leaf);
	int fd AUTO_FD = -1;

	if (parent < 0)
		return -1;
	if (unlinkat(parent, TEMP_NAME, 0) != 0 && errno != ENOENT)
		return -1;
	fd = openat(parent, TEMP_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fs_write_all(fd, content, strlen(content)) != 0 || give(place, fd) != 0 ||
	    fchmod(fd, mode_of(file)) != 0)
		return -1;
	return renameat(parent, TEMP_NAME, parent, leaf);
}

/* Only what looks like the file is removed; a folder or a link has come from somebody else. */
static int remove_file(const struct place *place, const char *path)
{
	const char *leaf;
	int parent AUTO_FD = open_parent(place, path, false, &leaf);
	struct stat info;

	if (parent >= 0 && fstatat(parent, leaf, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(info.st_mode) && unlinkat(parent, leaf, 0) != 0)
		return err_errno(place->err, E_IO, "remove %s", path);
	remove_empty_parents(place, path);
	return 0;
}

/* ---- volumes ------------------------------------------------------------------------------- */

/* Relative, so that the data root can be moved: "../volumes/x" from the folder itself. */
static char *link_text(const struct spec *spec, const struct volume *volume)
{
	struct buf text AUTO_BUF = BUF_INIT(FS_PATH_MAX);
	AUTO_ARENA struct arena *arena = arena_new(0);
	const char *name = volume_node_name(arena, spec->labels.prefix, volume);

	if (!name)
		return mem_strdup(volume->host_path);
	buf_adds(&text, "../");
	for (const char *at = volume->path; (at = strchr(at, '/')); at++)
		buf_adds(&text, "../");
	buf_addf(&text, HOST_VOLUMES "/%s", name);
	return buf_take(&text);
}

/* An empty folder gives way; anything else but a link may hold data. */
static int clear_way(int parent, const char *leaf)
{
	struct stat info;

	if (fstatat(parent, leaf, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (S_ISLNK(info.st_mode))
		return 0;
	return S_ISDIR(info.st_mode) ? unlinkat(parent, leaf, AT_REMOVEDIR) : (errno = EEXIST, -1);
}

static int make_link(const struct place *place, const struct spec *spec,
		     const struct volume *volume)
{
	AUTO_FREE char *text = link_text(spec, volume);
	const char *leaf;
	int parent AUTO_FD = open_parent(place, volume->path, true, &leaf);

	if (parent < 0)
		return err_errno(place->err, E_IO, "volume at %s", volume->path);
	if (clear_way(parent, leaf) != 0)
		return err_set(place->err, E_NAME_FOREIGN,
			       "volume at %s: something is there already; move it away or into the "
			       "volume",
			       volume->path);
	if ((unlinkat(parent, TEMP_NAME, 0) != 0 && errno != ENOENT) ||
	    symlinkat(text, parent, TEMP_NAME) != 0 ||
	    renameat(parent, TEMP_NAME, parent, leaf) != 0)
		return err_errno(place->err, E_IO, "volume at %s", volume->path);
	return 0;
}

/* Only a link that says what ours would say is ours. */
static int remove_link(const struct place *place, const struct spec *spec,
		       const struct volume *volume)
{
	AUTO_FREE char *text = link_text(spec, volume);
	char found[FS_PATH_MAX];
	const char *leaf;
	int parent AUTO_FD = open_parent(place, volume->path, false, &leaf);
	ssize_t len = parent < 0 ? -1 : readlinkat(parent, leaf, found, sizeof found);

	if (len >= 0 && (size_t)len == strlen(text) && memcmp(found, text, (size_t)len) == 0 &&
	    unlinkat(parent, leaf, 0) != 0)
		return err_errno(place->err, E_IO, "remove %s", volume->path);
	remove_empty_parents(place, volume->path);
	return 0;
}

static int empty_tmp(const struct place *place, const struct volume *volume, bool keep)
{
	const char *leaf;
	int parent AUTO_FD = open_parent(place, volume->path, keep, &leaf);
	int fd AUTO_FD = -1;

	if (parent < 0)
		return keep ? err_errno(place->err, E_IO, "tmp folder %s", volume->path) : 0;
	if (fs_remove_tree_at(parent, leaf, place->err) != 0)
		return -1;
	if (!keep) {
		remove_empty_parents(place, volume->path);
		return 0;
	}
	if (mkdirat(parent, leaf, 0700) != 0)
		return err_errno(place->err, E_IO, "tmp folder %s", volume->path);
	fd = openat(parent, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && give(place, fd) == 0
		       ? 0
		       : err_errno(place->err, E_IO, "tmp folder %s", volume->path);
}

int host_place_tmp(const char *data_root, const struct spec *spec, const struct host_user *user,
		   bool keep, struct err *err)
{
	const struct container *config = spec->config;
	struct place place CLEANUP(place_release) = {.dir = -1, .user = user, .err = err};

	for (size_t i = 0; i < config->volumes.n; i++) {
		if (!is_tmp(&config->volumes.v[i]))
			continue;
		if (place.dir < 0 && place_open(&place, data_root, spec) != 0)
			return -1;
		if (empty_tmp(&place, &config->volumes.v[i], keep) != 0)
			return -1;
	}
	return 0;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int own_folder(const struct host *host, const char *part, const char *name,
		      const struct host_user *user, struct err *err)
{
	AUTO_FREE char *path = host_path(host, part, name);

	if (!user->own && chown(path, user->uid, user->gid) != 0)
		return err_errno(err, E_IO, "give %s to its user", path);
	return 0;
}

/* It goes to the present user each time. */
int host_place_home(const struct host *host, const struct spec *spec, const struct host_user *user,
		    struct err *err)
{
	bool made;

	if (host_folder_make(host, "", HOST_FOLDER_RECORDS, spec->name, &spec->labels, &made,
			     err) != 0)
		return -1;
	return own_folder(host, "", spec->name, user, err);
}

/* A volume goes to its user only when it is new: its content has owners already. */
int host_place_make(const struct host *host, const struct spec *spec, const struct host_user *user,
		    struct err *err)
{
	const struct container *config = spec->config;
	AUTO_ARENA struct arena *arena = arena_new(0);
	bool made;

	if (host_place_home(host, spec, user, err) != 0)
		return -1;
	for (size_t i = 0; i < config->volumes.n; i++) {
		const char *name =
			volume_node_name(arena, spec->labels.prefix, &config->volumes.v[i]);

		if (!name)
			continue;
		if (!host_name_is_volume(name))
			return err_set(err, E_BAD_INPUT, "%s is no name for a volume", name);
		if (host_folder_make(host, HOST_VOLUMES, HOST_VOLUME_RECORDS, name, &spec->labels,
				     &made, err) != 0 ||
		    (made && own_folder(host, HOST_VOLUMES, name, user, err) != 0))
			return -1;
	}
	return 0;
}

int host_place_fill(const char *data_root, const struct spec *spec, const struct host_user *user,
		    struct err *err)
{
	const struct container *config = spec->config;
	struct place place CLEANUP(place_release) = {.dir = -1, .user = user, .err = err};

	if (place_open(&place, data_root, spec) != 0)
		return -1;
	for (size_t i = 0; i < config->volumes.n; i++) {
		if (!is_tmp(&config->volumes.v[i]) &&
		    make_link(&place, spec, &config->volumes.v[i]) != 0)
			return -1;
	}
	for (size_t i = 0; i < config->files.n; i++) {
		if (write_file(&place, &config->files.v[i]) != 0)
			return err_errno(err, E_IO, "file %s", config->files.v[i].path);
	}
	return host_place_tmp(data_root, spec, user, true, err);
}

static bool wants_path(const struct spec *spec, const char *path)
{
	for (size_t i = 0; spec && i < spec->config->files.n; i++) {
		if (str_eq(spec->config->files.v[i].path, path))
			return true;
	}
	for (size_t i = 0; spec && i < spec->config->volumes.n; i++) {
		if (str_eq(spec->config->volumes.v[i].path, path))
			return true;
	}
	return false;
}

static int clear_content(const struct place *place, const struct spec *spec,
			 const struct spec *other)
{
	const struct container *config = spec->config;

	for (size_t i = 0; i < config->files.n; i++) {
		const char *path = config->files.v[i].path;

		if (!wants_path(other, path) && remove_file(place, path) != 0)
			return -1;
	}
	for (size_t i = 0; i < config->volumes.n; i++) {
		const struct volume *volume = &config->volumes.v[i];
		int done = wants_path(other, volume->path) ? 0
			   : is_tmp(volume)		   ? empty_tmp(place, volume, false)
							   : remove_link(place, spec, volume);

		if (done != 0)
			return -1;
	}
	return 0;
}

int host_place_clear(const struct host *host, const struct spec *spec, const struct spec *other,
		     bool *kept, struct err *err)
{
	AUTO_FREE char *path = host_path(host, "", spec->name);
	struct host_user nobody = {.own = true};
	struct place place CLEANUP(place_release) = {.dir = -1, .user = &nobody, .err = err};

	*kept = false;
	if (!fs_is_dir(path))
		return other ? 0 : host_record_remove(host, HOST_FOLDER_RECORDS, spec->name, err);
	if (place_open(&place, host->data_root, spec) != 0 ||
	    clear_content(&place, spec, other) != 0)
		return -1;
	if (other)
		return 0;
	if (rmdir(path) == 0)
		return host_record_remove(host, HOST_FOLDER_RECORDS, spec->name, err);
	*kept = errno == ENOTEMPTY || errno == EEXIST;
	return *kept ? 0 : err_errno(err, E_IO, "remove %s", path);
}

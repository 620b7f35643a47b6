#include "base/sys.h"
#include "schema/compose_mounts.h"

#include "base/utf8.h"

/* Mounts: named volumes, paths of the node, and files and folders of the commit. */

/* ---- what both lists hold ---- */

bool compose_mount_file(struct compose_mounts *mounts, const struct doc_node *at,
			const struct compose_file *file, const char *path, const char *mode)
{
	struct compose_work *work = mounts->work;
	struct compose_build build = {0};

	if (!file->bytes || file->size > COMPOSE_CONTENT_MAX) {
		compose_error(work, DIAG_COMPOSE_FILE, at, "%.200s is larger than 1 MiB",
			      file->name)
			->hint = "put it into the image, or onto the node and mount it from there";
		return false;
	}
	if (memchr(file->bytes, '\0', file->size) || !utf8_is_valid(file->bytes, file->size)) {
		compose_error(work, DIAG_COMPOSE_FILE, at, "%.200s is not a text", file->name)
			->hint = "put it into the image, or onto the node and mount it from there";
		return false;
	}
	if (!compose_spend(work, &work->mounted, file->size, COMPOSE_MOUNTED_MAX, at,
			   "mounted files of more than 4 MiB"))
		return false;
	compose_put(work, &build, "path", at, compose_scalar(work, at, path));
	compose_put(work, &build, "content", at,
		    compose_scalar(work, at, arena_strndup(work->arena, file->bytes, file->size)));
	if (mode || file->executable)
		compose_put(work, &build, "mode", at,
			    compose_scalar(work, at, mode ? mode : "0755"));
	compose_mount_add(mounts, &mounts->files, at, &build);
	return true;
}

void compose_mount_add(struct compose_mounts *mounts, struct compose_build *list,
		       const struct doc_node *at, struct compose_build *entry)
{
	compose_put(mounts->work, list, "", at, compose_built(mounts->work, entry, at));
}

static void add_volume(struct compose_mounts *mounts, const struct compose_mount *mount,
		       const char *key, const char *value)
{
	struct compose_work *work = mounts->work;
	struct compose_build build = {0};

	compose_put(work, &build, key, mount->at, compose_scalar(work, mount->at, value));
	compose_put(work, &build, "path", mount->at,
		    compose_scalar(work, mount->at, mount->target));
	if (mount->read_only)
		compose_put(work, &build, "readOnly", mount->at,
			    compose_plain(work, mount->at, "true"));
	if (mount->kind == MOUNT_TMP)
		compose_put(work, &build, "type", mount->at,
			    compose_scalar(work, mount->at, "tmp"));
	compose_mount_add(mounts, &mounts->volumes, mount->at, &build);
}

/* ---- names of volumes that come from paths ---- */

/* "conf/data dir" as conf-data-dir. */
static const char *name_of_path(struct compose_work *work, const char *path)
{
	char *name = arena_strdup(work->arena, path);

	for (char *c = name; *c; c++) {
		bool fine = (*c >= '0' && *c <= '9') ||
			    (ascii_lower(*c) >= 'a' && ascii_lower(*c) <= 'z') || strchr("._-", *c);

		if (!fine)
			*c = '-';
	}
	return name + strspn(name, "._-");
}

/* Each name stands for one thing: reports a second one. */
static bool name_is_free(struct compose_work *work, const struct doc_node *at, const char *name,
			 const char *what)
{
	const char *other = map_get(&work->folders, name);

	if (!other && map_has(&work->resources[COMPOSE_VOLUMES], name))
		other = "the declared volume of that name";
	if (other && !str_eq(other, what)) {
		compose_error(work, DIAG_DUPLICATE, at,
			      "%.200s and %.200s would be one volume, %.63s", what, other, name)
			->hint = "rename one of them";
		return false;
	}
	map_put(&work->folders, name, (void *)(uintptr_t)what);
	return true;
}

/* ---- paths ---- */

static const char *below_target(struct compose_work *work, const char *target, const char *name,
				const char *folder)
{
	size_t skip = *folder ? strlen(folder) + 1 : 0;

	return arena_printf(work->arena, "%s/%s", str_eq(target, "/") ? "" : target, name + skip);
}

static void copy_folder(struct compose_mounts *mounts, const struct compose_mount *mount,
			const char *folder, const struct compose_file *files, size_t n)
{
	for (size_t i = 0; i < n && !mounts->work->full; i++)
		compose_mount_file(mounts, mount->at, &files[i],
				   below_target(mounts->work, mount->target, files[i].name, folder),
				   NULL);
}

static void note_mount(struct compose_mounts *mounts, const struct compose_mount *mount,
		       const char *path, const char *what)
{
	compose_note(mounts->work, DIAG_COMPOSE_MOUNT, mount->at, "%.200s %s", *path ? path : ".",
		     what);
}

/* A folder of the commit that is written to, or a path that the commit does not have. */
static void mount_data(struct compose_mounts *mounts, const struct compose_mount *mount,
		       const char *path, const struct compose_file *files, size_t n)
{
	const char *name = name_of_path(mounts->work, path);

	if (!*name) {
		compose_error(mounts->work, DIAG_COMPOSE_FILE, mount->at,
			      "the folder of the Compose file cannot be a volume")
			->hint = "mount a folder below it, or mount it read-only";
		return;
	}
	if (!name_is_free(mounts->work, mount->at, name, path))
		return;
	add_volume(mounts, mount, "name", name);
	if (n)
		copy_folder(mounts, mount, path, files, n);
	note_mount(
		mounts, mount, path,
		n ? compose_text(mounts->work,
				 "is the volume %s, into which each release writes the files of "
				 "the commit and deletes none",
				 name)
		  : compose_text(mounts->work, "is not in the commit: it is the volume %s", name));
}

static void mount_relative(struct compose_mounts *mounts, const struct compose_mount *mount)
{
	struct compose_work *work = mounts->work;
	const char *path =
		compose_resolve(work, work->sources[mount->at->file].base, mount->source);
	const struct compose_file *file, *files;
	size_t n;

	if (!path) {
		compose_outside(
			work, mount->at, mount->source,
			"put it into the folder, or name a path of the node from its first /");
		return;
	}
	file = compose_file_find(work->folder, path);
	files = compose_files_below(work->folder, path, &n);
	if (file && compose_mount_file(mounts, mount->at, file, mount->target, NULL))
		note_mount(mounts, mount, path,
			   "is a file of the commit: it is copied in, read-only");
	if (file)
		return;
	if (!n || !mount->read_only) {
		mount_data(mounts, mount, path, files, n);
		return;
	}
	copy_folder(mounts, mount, path, files, n);
	note_mount(mounts, mount, path,
		   "is a folder of the commit: its files are copied in, read-only");
}

/* ---- one mount ---- */

static void mount_named(struct compose_mounts *mounts, const struct compose_mount *mount)
{
	struct compose_work *work = mounts->work;
	const struct doc_pair *declared = map_get(&work->resources[COMPOSE_VOLUMES], mount->source);
	const struct doc_node *driver;

	if (!declared) {
		compose_error(work, DIAG_COMPOSE_UNKNOWN, mount->at, "there is no volume %.100s",
			      mount->source)
			->hint = "declare it under volumes:, or write ./ before a path";
		return;
	}
	driver = declared->value->type == DOC_MAPPING ? compose_value(declared->value, "driver")
						      : NULL;
	if (driver && driver->type == DOC_SCALAR && !str_eq(driver->text, "local"))
		compose_error(work, DIAG_COMPOSE_REFUSED, driver,
			      "the volume driver %.60s is not carried out", driver->text)
			->hint = "mount a folder of the node";
	add_volume(mounts, mount, "name", mount->source);
}

static const char *without_last_slashes(struct compose_work *work, const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return arena_strndup(work->arena, path, len);
}

void compose_mount_take(struct compose_mounts *mounts, struct compose_mount *mount)
{
	struct compose_work *work = mounts->work;

	if (*mount->target != '/') {
		compose_error(work, DIAG_BAD_VALUE, mount->at,
			      "%.200s must be a path in the container, from its first /",
			      mount->target);
		return;
	}
	mount->target = without_last_slashes(work, mount->target);
	if (mount->kind == MOUNT_BIND && *mount->source == '/')
		add_volume(mounts, mount, "hostPath", without_last_slashes(work, mount->source));
	else if (mount->kind == MOUNT_BIND)
		mount_relative(mounts, mount);
	else if (mount->kind == MOUNT_NAMED)
		mount_named(mounts, mount);
	else {
		const char *name =
			name_of_path(work, arena_printf(work->arena, "%s-%s", mounts->service->name,
							mount->target + 1));

		if (name_is_free(work, mount->at, name, name))
			add_volume(mounts, mount, "name", name);
	}
}

#include "base/sys.h"
#include "schema/compose_work.h"

/* Paths of a Compose file, which lead to files of its folder or nowhere. */

const char *compose_full_path(struct compose_work *work, const char *name)
{
	if (!*work->folder->path)
		return name;
	return arena_printf(work->arena, "%s/%s", work->folder->path, name);
}

/* Adds the parts of a path; false when it goes out of the folder. */
static bool add_parts(char *out, size_t *len, const char *path)
{
	while (*path) {
		size_t part = strcspn(path, "/");

		if (part == 2 && memcmp(path, "..", 2) == 0) {
			if (!*len)
				return false;
			while (*len && out[--*len] != '/') {
			}
		} else if (part && !(part == 1 && *path == '.')) {
			if (*len)
				out[(*len)++] = '/';
			memcpy(out + *len, path, part);
			*len += part;
		}
		path += part + (path[part] == '/');
	}
	return true;
}

const char *compose_resolve(struct compose_work *work, const char *base, const char *path)
{
	char *out = arena_alloc(work->arena, strlen(base) + strlen(path) + 2);
	size_t len = 0;

	if (*path == '/' || *path == '~')
		return NULL;
	if (!add_parts(out, &len, base) || !add_parts(out, &len, path))
		return NULL;
	out[len] = '\0';
	return out;
}

const char *compose_folder_of(struct compose_work *work, const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? arena_strndup(work->arena, name, (size_t)(slash - name)) : "";
}

void compose_outside(struct compose_work *work, const struct doc_node *value, const char *text,
		     const char *hint)
{
	compose_error(work, DIAG_COMPOSE_OUTSIDE, value,
		      "%.200s leads out of the Compose file's folder", text)
		->hint = hint;
}

/* The first file whose name is not before `name`. */
static size_t first_from(const struct compose_folder *folder, const char *name)
{
	size_t low = 0, high = folder->files_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(folder->files[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct compose_file *compose_file_find(const struct compose_folder *folder, const char *name)
{
	size_t at = first_from(folder, name);

	return at < folder->files_n && str_eq(folder->files[at].name, name) ? &folder->files[at]
									    : NULL;
}

const struct compose_file *compose_files_below(const struct compose_folder *folder,
					       const char *name, size_t *n)
{
	AUTO_FREE char *prefix = *name ? mem_printf("%s/", name) : mem_strdup("");
	size_t first = first_from(folder, prefix), end = first;

	while (end < folder->files_n && str_starts(folder->files[end].name, prefix))
		end++;
	*n = end - first;
	return *n ? &folder->files[first] : NULL;
}

static const char *near_file(struct compose_work *work, const char *name)
{
	size_t n;

	if (compose_files_below(work->folder, name, &n))
		return "it is a folder";
	return "paths are relative to the Compose file, and the file must be in the commit";
}

const struct compose_file *compose_named_file(struct compose_work *work,
					      const struct doc_node *value, const char *text,
					      bool optional)
{
	const char *name = compose_resolve(work, work->sources[value->file].base, text);
	const struct compose_file *file;

	if (!name || strstr(text, "://")) {
		compose_outside(work, value, text, "put the file into the folder");
		return NULL;
	}
	file = compose_file_find(work->folder, name);
	if (!file && !optional)
		compose_error(work, DIAG_COMPOSE_FILE, value, "there is no file %.200s", name)
			->hint = near_file(work, name);
	return file;
}

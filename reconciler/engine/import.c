#include "base/sys.h"
#include "engine/engine.h"

#include "base/fs.h"
#include "engine/folder.h"
#include "engine/readers.h"
#include "schema/import.h"

/* From a Compose file on disk to manifests on disk. */

struct importing {
	const struct engine_import *what;
	struct arena *arena;
	struct engine_imported *out;
	struct diags *diags;
	const char *folder, *file; /* where the Compose file is, and its name there */
	const char *shown;	   /* the folder as the author wrote it */
	struct compose_folder files;
	struct compose compose;
};

/* ---- reading ---- */

static int split_path(struct importing *importing, struct err *err)
{
	char real[PATH_MAX];
	char *slash;
	if (!realpath(importing->what->file, real))
		return err_errno(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "%s",
				 importing->what->file);
	slash = strrchr(real, '/');
	*slash = '\0';
	importing->folder = arena_strdup(importing->arena, real[0] ? real : "/");
	importing->file = arena_strdup(importing->arena, slash + 1);
	slash = strrchr(importing->what->file, '/');
	importing->shown = slash ? arena_strndup(importing->arena, importing->what->file,
						 (size_t)(slash - importing->what->file))
				 : ".";
	return 0;
}

static int read_files(struct importing *importing, struct err *err)
{
	struct tree_file *files;
	size_t n;
	struct compose_file *list;
	if (folder_read_whole(importing->folder, importing->arena, &files, &n, err) < 0)
		return -1;
	list = ARENA_ARRAY(importing->arena, n + 1, struct compose_file);
	compose_files_of(files, n, list);
	importing->files = (struct compose_folder){importing->shown, list, n};
	return 0;
}

static int read_excerpt(void *arg, const char *path, struct buf *out)
{
	const struct importing *importing = arg;
	size_t len = strlen(importing->shown);
	if (strncmp(path, importing->shown, len) != 0 || path[len] != '/')
		return -1;
	return folder_read((void *)(uintptr_t)importing->folder, path + len + 1, out);
}

static void read_compose(struct importing *importing)
{
	static const struct unit unit = {.level = UNIT_ORGANIZATION};
	const struct compose_names names = {.project = strrchr(importing->folder, '/') + 1};
	compose_read(&importing->files, importing->file, &names, importing->arena, &unit,
		     &importing->compose, importing->diags);
}

/* ---- the node ---- */

/* The configuration's only node; NULL when there are others, or none. */
static const char *only_node(const struct importing *importing)
{
	struct file_set set = {0};
	struct tree tree;
	const char *only = NULL;
	size_t n = 0;
	if (folder_load(importing->what->out, SIZE_MAX, importing->arena, &tree, &set, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < set.n; i++) {
		const struct file *file = set.v[i];
		for (size_t j = 0; j < file->documents_n; j++) {
			if (file->documents[j].kind != KIND_node)
				continue;
			only = ((const struct node *)file->documents[j].value)->name;
			n++;
		}
	}
	only = n == 1 ? arena_strdup(importing->arena, only) : NULL;
	file_set_release(&set);
	return only;
}

/* ---- writing ---- */

static const char *below_out(const struct importing *importing, const char *path)
{
	return arena_printf(importing->arena, "%s/%s", importing->what->out, path);
}

static int write_file(const struct importing *importing, const char *path, const char *text,
		      size_t len, struct err *err)
{
	if (folder_write(importing->what->out, path, text, len, err) < 0)
		return -1;
	importing->out->paths[importing->out->paths_n++] = path;
	return 0;
}

static int write_missing(const struct importing *importing, const char *path, const char *kind,
			 const char *name, struct err *err)
{
	const char *text = arena_printf(importing->arena, "kind: %s\nname: %s\n", kind, name);
	if (fs_exists(below_out(importing, path)))
		return 0;
	return write_file(importing, path, text, strlen(text), err);
}

static int write_all(const struct importing *importing, const struct import *import,
		     const struct buf *product, struct err *err)
{
	struct arena *arena = importing->arena;
	const char *project = arena_printf(arena, "projects/%s", import->project),
		   *stage = arena_printf(arena, "%s/stages/%s", project, import->stage),
		   *name = import_name(import, arena),
		   *one = arena_printf(arena, "%s/products/%s.yaml", project, name),
		   *other = arena_printf(arena, "%s/%s.yaml", stage, name);
	AUTO_BUF struct buf deployment = BUF_INIT(BUF_MAX_TEXT);
	import_deployment(import, &deployment);
	for (int i = 0; i < 2; i++)
		if (fs_exists(below_out(importing, i ? other : one)))
			return err_set(err, E_CONFLICT,
				       "%s is there already: remove it, or give the Compose file "
				       "another name: at its top; nothing was written",
				       i ? other : one);
	if (write_missing(importing, arena_printf(arena, "%s/project.yaml", project), "Project",
			  import->project, err) < 0 ||
	    write_missing(importing, arena_printf(arena, "%s/stage.yaml", stage), "Stage",
			  import->stage, err) < 0 ||
	    write_file(importing, one, product->ptr, product->len, err) < 0)
		return -1;
	return write_file(importing, other, deployment.ptr, deployment.len, err);
}

static int import_read(struct importing *importing, const char *node, struct err *err)
{
	const struct import import = {.project = importing->what->project,
				      .stage = importing->what->stage,
				      .node = node,
				      .folder = &importing->files,
				      .compose = &importing->compose};
	AUTO_BUF struct buf product = BUF_INIT(BUF_MAX_TEXT);
	import_product(&import, &product, &importing->out->containers, importing->diags);
	diags_sort(importing->diags);
	diags_excerpts(importing->diags, read_excerpt, importing);
	if (!importing->out->containers)
		return 0;
	return write_all(importing, &import, &product, err);
}

int engine_import(const struct engine_import *what, struct arena *arena,
		  struct engine_imported *out, struct diags *diags, struct err *err)
{
	struct importing importing = {.what = what, .arena = arena, .out = out, .diags = diags};
	const char *node = what->node;
	*out = (struct engine_imported){0};
	if (split_path(&importing, err) < 0)
		return -1;
	if (!node)
		node = only_node(&importing);
	if (!node)
		return err_set(err, E_USAGE,
			       "on which node? %s has none, or several: give --node NAME",
			       what->out);
	if (read_files(&importing, err) < 0)
		return -1;
	read_compose(&importing);
	return import_read(&importing, node, err);
}

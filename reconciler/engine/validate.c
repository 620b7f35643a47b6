#include "base/sys.h"

#include "engine/accept.h"
#include "engine/engine.h"
#include "engine/folder.h"
#include "plan/desired.h"
#include "schema/check.h"
#include "schema/kinds.h"

/* The same checks as at apply, without a ledger: what only history knows is not known here. */
static void check_files(const struct engine_validate *what, const struct file_set *files,
			struct diags *diags, size_t *documents)
{
	struct driver_env env = {.state_dir = "/", .owner = "", .settings = what->settings};
	for (size_t i = 0; i < files->n; i++) {
		diags_append(diags, files->v[i]->diags, files->v[i]->diags_n);
		*documents += files->v[i]->documents_n;
	}
	struct model *model = model_of(files, diags);
	check_model(model, NULL, diags);
	struct desired *desired = desired_build(model, NULL, NULL, diags);
	desired_check(desired, model, what->with_policy ? &env : NULL, diags);
	desired_free(desired);
	model_free(model);
}

static void report_entries(const struct tree *tree, size_t files, struct diags *diags)
{
	for (size_t i = 0; i < tree->problems_n; i++) {
		struct unit unit = {.level = UNIT_ORGANIZATION};
		struct unit_names names;
		path_classify(tree->problems[i].path, &unit, &names);
		diags_add(diags, DIAG_BAD_ENTRY, &unit, tree->problems[i].path, (struct loc){0},
			  "%s", tree->problems[i].text);
	}
	/* In a folder without any configuration nothing is outside of it. */
	for (size_t i = 0; i < tree->entries_n && files; i++) {
		struct unit unit = {.level = UNIT_ORGANIZATION};
		struct unit_names names;
		if (path_classify(tree->entries[i].path, &unit, &names) != PATH_ELSEWHERE)
			continue;
		diags_add(diags, DIAG_IGNORED_FILE, &unit, tree->entries[i].path, (struct loc){0},
			  "this file is outside the folders that hold configuration")
			->severity = DIAG_NOTE;
		diags->errors--;
	}
}

struct blobs {
	struct repo *repo;
	const struct tree *tree;
};

static int read_blob(void *arg, const char *path, struct buf *out)
{
	const struct blobs *blobs = arg;
	for (size_t i = 0; i < blobs->tree->entries_n; i++)
		if (str_eq(blobs->tree->entries[i].path, path))
			return repo_blob(blobs->repo, &blobs->tree->entries[i].blob,
					 REPO_OBJECT_MAX, out, NULL);
	return -1;
}

static int validate_commit(const struct engine_validate *what, struct diags *diags, size_t *files,
			   size_t *documents, struct err *err)
{
	AUTO_REPO struct repo *repo = NULL;
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct tree tree;
	struct file_set set = {0};
	struct oid commit;
	size_t max = (size_t)KIND_OR(what->settings, settings, max_files);
	if (repo_open(what->repo, NULL, &repo, err) < 0 ||
	    repo_revision(repo, what->revision ? what->revision : "HEAD", &commit, err) < 0 ||
	    tree_list(repo, &commit, what->path, max, arena, &tree, err) < 0)
		return -1;
	struct load_request request = {.repo = repo, .tree = &tree};
	if (load_now(&request, &set, err) < 0)
		return -1;
	*files = set.n;
	report_entries(&tree, set.n, diags);
	check_files(what, &set, diags, documents);
	diags_sort(diags);
	struct blobs blobs = {repo, &tree};
	diags_excerpts(diags, read_blob, &blobs);
	file_set_release(&set);
	return 0;
}

static int validate_folder(const struct engine_validate *what, struct diags *diags, size_t *files,
			   size_t *documents, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct tree tree;
	struct file_set set = {0};
	if (folder_load(what->folder, (size_t)KIND_OR(what->settings, settings, max_files), arena,
			&tree, &set, err) < 0)
		return -1;
	*files = set.n;
	report_entries(&tree, set.n, diags);
	check_files(what, &set, diags, documents);
	diags_sort(diags);
	diags_excerpts(diags, folder_read, (void *)(uintptr_t)what->folder);
	file_set_release(&set);
	return 0;
}

int engine_validate(const struct engine_validate *what, struct diags *diags, size_t *files,
		    size_t *documents, struct err *err)
{
	*files = *documents = 0;
	return what->folder ? validate_folder(what, diags, files, documents, err)
			    : validate_commit(what, diags, files, documents, err);
}

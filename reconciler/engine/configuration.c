#include "base/sys.h"

#include "engine/configuration.h"
#include "engine/folder.h"
#include "schema/check.h"
#include "schema/kinds.h"

static int load_commit(const struct engine_source *source, size_t max, struct configuration *out,
		       struct err *err)
{
	struct oid commit;
	const char *revision = source->revision ? source->revision : "HEAD";
	if (repo_open(source->repo, NULL, &out->repo, err) < 0 ||
	    repo_revision(out->repo, revision, &commit, err) < 0 ||
	    tree_list(out->repo, &commit, source->path, max, out->arena, &out->tree, err) < 0)
		return -1;
	struct load_request request = {.repo = out->repo, .tree = &out->tree};
	return load_now(&request, &out->files, err);
}

int configuration_load(const struct engine_source *source, struct configuration *out,
		       struct err *err)
{
	size_t max = (size_t)KIND_OR(source->settings, settings, max_files);
	*out = (struct configuration){.arena = arena_new(0), .folder = source->folder};
	int status = source->folder ? folder_load(source->folder, max, out->arena, &out->tree,
						  &out->files, err)
				    : load_commit(source, max, out, err);
	if (status < 0)
		configuration_release(out);
	return status;
}

void configuration_release(struct configuration *configuration)
{
	file_set_release(&configuration->files);
	repo_close(&configuration->repo);
	arena_free(configuration->arena);
	*configuration = (struct configuration){0};
}

void configuration_build(const struct configuration *configuration, struct model **model,
			 struct desired **desired, struct diags *diags)
{
	const struct file_set *files = &configuration->files;
	for (size_t i = 0; i < files->n; i++)
		diags_append(diags, files->v[i]->diags, files->v[i]->diags_n);
	*model = model_of(files, diags);
	check_model(*model, NULL, diags);
	*desired = desired_build(*model, NULL, NULL, diags);
}

int configuration_read(void *arg, const char *path, struct buf *out)
{
	const struct configuration *configuration = arg;
	if (configuration->folder)
		return folder_read((void *)(uintptr_t)configuration->folder, path, out);
	return tree_read(&configuration->tree, configuration->repo, path, out);
}

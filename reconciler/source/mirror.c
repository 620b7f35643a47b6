#include "base/sys.h"
#include "source/mirror.h"

#include <dirent.h>

#include "base/fs.h"
#include "source/closure.h"
#include "source/store.h"

void mirror_release(struct mirror *mirror)
{
	git_odb_free(mirror->odb);
	git_repository_free(mirror->git);
	free(mirror->path);
	free(mirror->ref);
	*mirror = (struct mirror){0};
}

/* ---------------------------------------------------------------- opening */

static int remove_other_mirrors(const struct mirror *mirror, const char *state_dir, struct err *err)
{
	const char *own = strrchr(mirror->path, '/') + 1;
	DIR *dir AUTO_DIR = opendir(state_dir);

	if (!dir)
		return err_errno(err, E_IO, "open %s", state_dir);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		const char *name = entry->d_name;

		if (str_starts(name, "mirror-") && !str_eq(name, own) &&
		    fs_remove_tree_at(dirfd(dir), name, err) != 0)
			return -1;
	}
	return 0;
}

/* They could be in the way, as "a" is of "a/b". */
static int remove_other_branches(const struct mirror *mirror, struct err *err)
{
	char *file AUTO_FREE = mem_printf("%s/%s", mirror->path, mirror->ref);
	char *heads AUTO_FREE = mem_printf("%s/refs/heads", mirror->path);

	if (fs_exists(file) && !fs_is_dir(file))
		return 0;
	if (fs_remove_tree(heads, err) != 0)
		return -1;
	return fs_make_dirs(heads, 0700, err);
}

int mirror_open(struct mirror *mirror, const char *state_dir, const char *url, const char *branch,
		struct err *err)
{
	int valid = 0;

	gitlib_setup();
	mirror->path = store_mirror_path(state_dir, url);
	mirror->ref = mem_printf("refs/heads/%s", branch);
	if (git_reference_name_is_valid(&valid, mirror->ref) != 0 || !valid)
		return err_set(err, E_USAGE, "\"%s\" cannot be a branch", branch);
	if (fs_make_dirs(state_dir, 0700, err) != 0 ||
	    remove_other_mirrors(mirror, state_dir, err) != 0 ||
	    store_create(mirror->path, err) != 0 || store_sweep(mirror->path, err) != 0 ||
	    remove_other_branches(mirror, err) != 0 ||
	    gitlib_open(mirror->path, &mirror->git, err) != 0)
		return -1;
	if (git_repository_odb(&mirror->odb, mirror->git) != 0)
		return gitlib_fail(err, E_IO, "%s", mirror->path);
	return 0;
}

/* ---------------------------------------------------------------- the branch */

struct oid mirror_tip(const struct mirror *mirror)
{
	const struct oid none = {{0}};
	git_oid id;

	return git_reference_name_to_id(&id, mirror->git, mirror->ref) == 0 ? gitlib_id_back(&id)
									    : none;
}

static int check_object(void *arg, const struct oid *id, const struct tree_item *item, bool whole,
			struct err *err)
{
	git_oid object = gitlib_id(id);
	char hex[OID_HEX_SIZE];

	(void)item;
	(void)whole;
	if (git_odb_exists(arg, &object))
		return 0;
	return err_set(err, E_REPO_UNREADABLE, "object %s is missing", oid_hex(id, hex));
}

int mirror_move(struct mirror *mirror, const struct oid *commit, struct err *err)
{
	struct closure closure AUTO_CLOSURE = {
		.odb = mirror->odb, .found = check_object, .arg = mirror->odb};
	struct err why = ERR_INIT;

	if (closure_add(&closure, commit, &why) == 0)
		return store_ref_write(mirror->path, mirror->ref, commit, err);
	if (why.code != E_REPO_UNREADABLE)
		return err_set(err, why.code, "%s", why.text);
	(void)fs_remove_tree(mirror->path, NULL);
	return err_set(err, E_REMOTE_UNREACHABLE,
		       "not all that the commit needs was sent (%s); everything is asked for anew "
		       "the next time",
		       why.text);
}

/* ---------------------------------------------------------------- upkeep */

static int fill_with_history(git_packbuilder *pack, void *arg, struct err *err)
{
	const struct mirror *mirror = arg;
	git_revwalk *walk AUTO_GIT(git_revwalk) = NULL;

	if (git_revwalk_new(&walk, mirror->git) != 0 ||
	    git_revwalk_push_ref(walk, mirror->ref) != 0 ||
	    git_packbuilder_insert_walk(pack, walk) != 0)
		return gitlib_fail(err, E_IO, "%s", mirror->path);
	return 0;
}

int mirror_shrink(struct mirror *mirror, struct err *err)
{
	int packs = store_packs(mirror->path, err);

	if (packs <= STORE_PACKS_MAX)
		return packs < 0 ? -1 : 0;
	return store_repack(mirror->path, fill_with_history, mirror, err);
}

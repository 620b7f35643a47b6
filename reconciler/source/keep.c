#include "base/sys.h"
#include "source/repo.h"

#include <dirent.h>

#include "base/fs.h"
#include "source/closure.h"
#include "source/store.h"

/*
 * The store holds manifests and the trees above them, not the other files of a repository, which
 * may be large and which nobody reads. One pack a call, all kept commits in one pack now and then.
 */

#define KEEP_REFS "refs/keep"
/* Bytes of objects, not yet compressed, that one call copies. */
#define KEEP_BYTES_MAX ((size_t)512 << 20)

struct copy {
	git_packbuilder *pack;
	git_odb *odb;
	size_t bytes;
};

static int copy_object(void *arg, const struct oid *id, const struct tree_item *item, bool whole,
		       struct err *err)
{
	struct copy *copy = arg;
	git_oid object = gitlib_id(id);
	char hex[OID_HEX_SIZE];
	git_object_t type;
	size_t size;

	if (item && item->kind != TREE_FOLDER && !whole && !tree_is_manifest(item))
		return 0;
	if (git_odb_read_header(&size, &type, copy->odb, &object) != 0)
		return gitlib_fail(err, E_REPO_UNREADABLE, "object %s", oid_hex(id, hex));
	if (size > REPO_OBJECT_MAX)
		return 0; /* too large to be read again */
	copy->bytes += size;
	if (copy->bytes > KEEP_BYTES_MAX)
		return err_set(err, E_TOO_LARGE, "the commits to keep hold more than %zu MiB",
			       KEEP_BYTES_MAX >> 20);
	if (git_packbuilder_insert(copy->pack, &object, item ? item->name : NULL) != 0)
		return gitlib_fail(err, E_IO, "object %s", oid_hex(id, hex));
	return 0;
}

/* ---------------------------------------------------------------- into the store */

/* What is to be in the store. */
struct kept {
	git_odb *odb; /* where it all is after copying */
	const char *root;
	const struct oid *keep;
	size_t n;
};

static int copy_missing(struct repo *repo, git_odb *have, const struct kept *kept, struct err *err)
{
	git_packbuilder *pack AUTO_GIT(git_packbuilder) = store_pack_new(repo->git);
	struct copy copy = {.pack = pack, .odb = repo->odb};
	struct closure closure AUTO_CLOSURE = {.odb = repo->odb,
					       .have = have,
					       .root = kept->root,
					       .found = copy_object,
					       .arg = &copy};

	for (size_t i = 0; i < kept->n; i++) {
		if (closure_add(&closure, &kept->keep[i], err) != 0)
			return -1;
	}
	return store_pack_write(pack, repo->store, err);
}

static int write_refs(const char *store, const struct oid *keep, size_t n, struct err *err)
{
	char name[sizeof KEEP_REFS + OID_HEX_SIZE], hex[OID_HEX_SIZE];

	for (size_t i = 0; i < n; i++) {
		char *file AUTO_FREE = NULL;

		if (oid_is_zero(&keep[i]))
			continue;
		snprintf(name, sizeof name, "%s/%s", KEEP_REFS, oid_hex(&keep[i], hex));
		file = mem_printf("%s/%s", store, name);
		if (!fs_exists(file) && store_ref_write(store, name, &keep[i], err) != 0)
			return -1;
	}
	return 0;
}

/* ---------------------------------------------------------------- out of the store */

static bool is_kept(const char *hex, const struct oid *keep, size_t n)
{
	struct oid id;

	if (oid_parse(hex, &id) != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (oid_eq(&id, &keep[i]))
			return true;
	}
	return false;
}

static int drop_refs(const char *store, const struct oid *keep, size_t n, struct err *err)
{
	char *folder AUTO_FREE = mem_printf("%s/%s", store, KEEP_REFS);
	DIR *dir AUTO_DIR = opendir(folder);

	if (!dir)
		return errno == ENOENT ? 0 : err_errno(err, E_IO, "open %s", folder);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		char *name AUTO_FREE = NULL;

		if (entry->d_name[0] == '.' || is_kept(entry->d_name, keep, n))
			continue;
		name = mem_printf("%s/%s", KEEP_REFS, entry->d_name);
		if (store_ref_remove(store, name, err) != 0)
			return -1;
	}
	return 0;
}

static int fill_with_kept(git_packbuilder *pack, void *arg, struct err *err)
{
	const struct kept *kept = arg;
	struct copy copy = {.pack = pack, .odb = kept->odb};
	struct closure closure AUTO_CLOSURE = {
		.odb = kept->odb, .root = kept->root, .found = copy_object, .arg = &copy};

	for (size_t i = 0; i < kept->n; i++) {
		if (closure_add(&closure, &kept->keep[i], err) != 0)
			return -1;
	}
	return 0;
}

static int shrink(struct kept *kept, const char *store, struct err *err)
{
	int packs = store_packs(store, err);

	if (packs <= STORE_PACKS_MAX)
		return packs < 0 ? -1 : 0;
	return store_repack(store, fill_with_kept, kept, err);
}

int repo_keep(struct repo *repo, const char *root, const struct oid *keep, size_t n,
	      struct err *err)
{
	git_repository *git AUTO_GIT(git_repository) = NULL;
	git_odb *odb AUTO_GIT(git_odb) = NULL;
	struct kept kept = {.root = root, .keep = keep, .n = n};

	if (!repo->store)
		return 0;
	if (store_create(repo->store, err) != 0 || store_sweep(repo->store, err) != 0 ||
	    gitlib_open(repo->store, &git, err) != 0)
		return -1;
	if (git_repository_odb(&odb, git) != 0)
		return gitlib_fail(err, E_IO, "%s", repo->store);
	kept.odb = odb;
	if (copy_missing(repo, odb, &kept, err) != 0 ||
	    write_refs(repo->store, keep, n, err) != 0 || drop_refs(repo->store, keep, n, err) != 0)
		return -1;
	repo_refresh(repo);
	return shrink(&kept, repo->store, err);
}

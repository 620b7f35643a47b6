#include "base/sys.h"
#include "source/store.h"

#include <dirent.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"

#define MIRROR_HASH_DIGITS 16

char *store_keep_path(const char *state_dir)
{
	return mem_printf("%s/objects.git", state_dir);
}

char *store_mirror_path(const char *state_dir, const char *url)
{
	char hex[HASH_HEX_SIZE];

	hash_hex(url, strlen(url), hex);
	return mem_printf("%s/mirror-%.*s.git", state_dir, MIRROR_HASH_DIGITS, hex);
}

static int init_bare(const char *path, struct err *err)
{
	git_repository *git AUTO_GIT(git_repository) = NULL;
	git_repository_init_options opts = {
		.version = GIT_REPOSITORY_INIT_OPTIONS_VERSION,
		.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR |
			 GIT_REPOSITORY_INIT_NO_REINIT,
		.mode = 0700,
	};

	gitlib_setup();
	if (git_repository_init_ext(&git, path, &opts) != 0)
		return gitlib_fail(err, E_IO, "make %s", path);
	return 0;
}

/* Made under another name first: who sees the final one sees all of it. */
int store_create(const char *path, struct err *err)
{
	char *fresh AUTO_FREE = NULL;
	bool there;

	if (fs_is_dir(path))
		return 0;
	fresh = mem_printf("%s.%ld.new", path, (long)getpid());
	if (fs_remove_tree(fresh, err) != 0 || init_bare(fresh, err) != 0)
		return -1;
	if (rename(fresh, path) == 0)
		return 0;
	there = fs_is_dir(path); /* another process was faster */
	if (!there)
		err_errno(err, E_IO, "make %s", path);
	(void)fs_remove_tree(fresh, NULL);
	return there ? 0 : -1;
}

/* ---------------------------------------------------------------- packs */

#define PACK_SUFFIX ".pack"
#define INDEX_SUFFIX ".idx"

static bool is_pack(const char *name)
{
	return str_starts(name, "pack-") && str_ends(name, PACK_SUFFIX);
}

/* What libgit2 calls a pack that it has not finished. */
static bool is_unfinished(const char *name)
{
	return str_starts(name, "pack_");
}

static int remove_file(int folder, const char *name, struct err *err)
{
	if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
		return err_errno(err, E_IO, "remove %s", name);
	return 0;
}

/* The index goes first: a pack without one is not looked at, one without its pack is an error. */
static int remove_pack(int folder, const char *name, struct err *err)
{
	char *index AUTO_FREE =
		mem_printf("%.*s" INDEX_SUFFIX, (int)(strlen(name) - strlen(PACK_SUFFIX)), name);

	if (remove_file(folder, index, err) != 0)
		return -1;
	return remove_file(folder, name, err);
}

/* Calls visit for every name in <store>/objects/pack; it may remove files. */
static int each_name(const char *path,
		     int (*visit)(int folder, const char *name, void *arg, struct err *err),
		     void *arg, struct err *err)
{
	char *folder AUTO_FREE = mem_printf("%s/objects/pack", path);
	DIR *dir AUTO_DIR = opendir(folder);

	if (!dir)
		return err_errno(err, E_IO, "open %s", folder);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (visit(dirfd(dir), entry->d_name, arg, err) != 0)
			return err_wrap(err, "%s", folder);
	}
	return 0;
}

static int count_pack(int folder, const char *name, void *count, struct err *err)
{
	(void)folder;
	(void)err;
	*(int *)count += is_pack(name);
	return 0;
}

int store_packs(const char *path, struct err *err)
{
	int count = 0;

	return each_name(path, count_pack, &count, err) == 0 ? count : -1;
}

/* The library gives the index its name first, then the pack. */
static bool is_index_alone(int folder, const char *name)
{
	char *pack AUTO_FREE = NULL;

	if (!str_ends(name, INDEX_SUFFIX))
		return false;
	pack = mem_printf("%.*s" PACK_SUFFIX, (int)(strlen(name) - strlen(INDEX_SUFFIX)), name);
	return faccessat(folder, pack, F_OK, 0) != 0 && errno == ENOENT;
}

static int sweep_name(int folder, const char *name, void *arg, struct err *err)
{
	(void)arg;
	return is_unfinished(name) || is_index_alone(folder, name) ? remove_file(folder, name, err)
								   : 0;
}

int store_sweep(const char *path, struct err *err)
{
	return each_name(path, sweep_name, NULL, err);
}

static int remove_other(int folder, const char *name, void *kept, struct err *err)
{
	return is_pack(name) && !str_eq(name, kept) ? remove_pack(folder, name, err) : 0;
}

git_packbuilder *store_pack_new(git_repository *git)
{
	git_packbuilder *pack = NULL;

	if (git_packbuilder_new(&pack, git) != 0)
		mem_exhausted();
	git_packbuilder_set_threads(pack, 1);
	return pack;
}

int store_pack_write(git_packbuilder *pack, const char *path, struct err *err)
{
	char *folder AUTO_FREE = mem_printf("%s/objects/pack", path);

	if (git_packbuilder_object_count(pack) == 0)
		return 0;
	if (git_packbuilder_write(pack, folder, 0, NULL, NULL) != 0)
		return gitlib_fail(err, E_IO, "write a pack into %s", folder);
	return 0;
}

int store_repack(const char *path, int (*fill)(git_packbuilder *pack, void *arg, struct err *err),
		 void *arg, struct err *err)
{
	git_repository *git AUTO_GIT(git_repository) = NULL;
	git_packbuilder *pack AUTO_GIT(git_packbuilder) = NULL;
	char *kept AUTO_FREE = NULL;

	if (gitlib_open(path, &git, err) != 0)
		return -1;
	pack = store_pack_new(git);
	if (fill(pack, arg, err) != 0 || store_pack_write(pack, path, err) != 0)
		return -1;
	if (git_packbuilder_object_count(pack))
		kept = mem_printf("pack-%s%s", git_packbuilder_name(pack), PACK_SUFFIX);
	return each_name(path, remove_other, kept, err);
}

/* ---------------------------------------------------------------- refs */

/*
 * Written to the root first, then moved: whatever a killed writer leaves in refs/ would be read as
 * a broken ref.
 */
int store_ref_write(const char *path, const char *name, const struct oid *id, struct err *err)
{
	char *fresh AUTO_FREE = mem_printf("%s/ref.new", path);
	char *file AUTO_FREE = mem_printf("%s/%s", path, name);
	char *folder AUTO_FREE = mem_strndup(file, (size_t)(strrchr(file, '/') - file));
	char line[OID_HEX_SIZE + 1];

	oid_hex(id, line);
	memcpy(line + OID_HEX_SIZE - 1, "\n", 2);
	if (fs_write_atomic(fresh, line, OID_HEX_SIZE, 0600, err) != 0 ||
	    fs_make_dirs(folder, 0700, err) != 0)
		return -1;
	if (rename(fresh, file) != 0)
		return err_errno(err, E_IO, "write %s", file);
	return fs_sync_dir(folder, err);
}

int store_ref_remove(const char *path, const char *name, struct err *err)
{
	char *file AUTO_FREE = mem_printf("%s/%s", path, name);

	if (unlink(file) != 0 && errno != ENOENT)
		return err_errno(err, E_IO, "remove %s", file);
	return 0;
}

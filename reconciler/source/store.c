#include "base/sys.h"
#include "source/store.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/vec.h"

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

struct names {
	VEC(char *) list;
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->list.n; i++)
		free(names->list.v[i]);
	VEC_FREE(&names->list);
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The names in <store>/objects/pack that `wanted` says yes to. */
static int list_packs(const char *path, bool (*wanted)(const char *name), struct names *out,
		      struct err *err)
{
	char *folder AUTO_FREE = mem_printf("%s/objects/pack", path);
	DIR *dir CLEANUP(close_dir) = opendir(folder);

	if (!dir)
		return err_errno(err, E_IO, "open %s", folder);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (wanted(entry->d_name))
			VEC_PUSH(&out->list, mem_strdup(entry->d_name));
	}
	return 0;
}

static bool is_pack(const char *name)
{
	return str_starts(name, "pack-") && str_ends(name, PACK_SUFFIX);
}

/* What libgit2 calls a pack that it has not finished. */
static bool is_unfinished(const char *name)
{
	return str_starts(name, "pack_");
}

int store_packs(const char *path, struct err *err)
{
	struct names names CLEANUP(names_release) = {0};

	return list_packs(path, is_pack, &names, err) == 0 ? (int)names.list.n : -1;
}

static int remove_file(const char *path, const char *name, const char *suffix, struct err *err)
{
	size_t stem = strlen(name) - (str_ends(name, PACK_SUFFIX) ? strlen(PACK_SUFFIX) : 0);
	char *file AUTO_FREE = mem_printf("%s/objects/pack/%.*s%s", path, (int)stem, name, suffix);

	if (unlink(file) != 0 && errno != ENOENT)
		return err_errno(err, E_IO, "remove %s", file);
	return 0;
}

int store_sweep(const char *path, struct err *err)
{
	struct names names CLEANUP(names_release) = {0};

	if (list_packs(path, is_unfinished, &names, err) != 0)
		return -1;
	for (size_t i = 0; i < names.list.n; i++) {
		if (remove_file(path, names.list.v[i], "", err) != 0)
			return -1;
	}
	return 0;
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

/* The index goes first: a pack without one is not looked at, one without its pack is an error. */
static int remove_pack(const char *path, const char *name, struct err *err)
{
	if (remove_file(path, name, ".idx", err) != 0)
		return -1;
	return remove_file(path, name, PACK_SUFFIX, err);
}

int store_repack(const char *path, int (*fill)(git_packbuilder *pack, void *arg, struct err *err),
		 void *arg, struct err *err)
{
	git_repository *git AUTO_GIT(git_repository) = NULL;
	git_packbuilder *pack AUTO_GIT(git_packbuilder) = NULL;
	struct names names CLEANUP(names_release) = {0};
	char *kept AUTO_FREE = NULL;

	if (gitlib_open(path, &git, err) != 0 || list_packs(path, is_pack, &names, err) != 0)
		return -1;
	pack = store_pack_new(git);
	if (fill(pack, arg, err) != 0 || store_pack_write(pack, path, err) != 0)
		return -1;
	if (git_packbuilder_object_count(pack))
		kept = mem_printf("pack-%s%s", git_packbuilder_name(pack), PACK_SUFFIX);
	for (size_t i = 0; i < names.list.n; i++) {
		if (!str_eq(names.list.v[i], kept) && remove_pack(path, names.list.v[i], err) != 0)
			return -1;
	}
	return 0;
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

/*
 * Listing commits whose trees are any bytes, out of an object store that is in memory only: every
 * id names a tree, and its bytes are the input from the place that the id's first byte says. A
 * listing is in order, holds only paths that stay inside, and an update gives the same as a
 * listing.
 */
#include "base/sys.h"
#include "base/fs.h"
#include "base/utf8.h"
#include "source/gitlib.h"
#include "source/tree.h"
#include "tests/fuzz/fuzz.h"

#include <git2/sys/odb_backend.h>

#define FILES_MAX 200
#define COMMIT_MARK 0xc0 /* the last byte of a commit's id; its first is that of its tree */

struct store {
	git_odb_backend base;
	const uint8_t *data;
	size_t size;
};

static bool is_commit(const git_oid *id)
{
	return id->id[19] == COMMIT_MARK;
}

static size_t start_of(const struct store *store, const git_oid *id)
{
	return store->size ? id->id[0] % store->size : 0;
}

static int read_header(size_t *len, git_object_t *type, git_odb_backend *base, const git_oid *id)
{
	const struct store *store = (struct store *)(void *)base;

	*type = is_commit(id) ? GIT_OBJECT_COMMIT : GIT_OBJECT_TREE;
	*len = is_commit(id) ? strlen("tree ") + OID_HEX_SIZE : store->size - start_of(store, id);
	return 0;
}

static int read_object(void **out, size_t *len, git_object_t *type, git_odb_backend *base,
		       const git_oid *id)
{
	const struct store *store = (struct store *)(void *)base;
	struct oid tree = gitlib_id_back(id);
	char hex[OID_HEX_SIZE], text[64];

	tree.raw[19] = 1;
	snprintf(text, sizeof text, "tree %s\n", oid_hex(&tree, hex));
	(void)read_header(len, type, base, id);
	*out = git_odb_backend_data_alloc(base, *len + 1);
	if (*len)
		memcpy(*out, is_commit(id) ? (const void *)text : store->data + start_of(store, id),
		       *len);
	return 0;
}

/* The object belongs to the test, not to libgit2. */
static void keep_object(git_odb_backend *base)
{
	(void)base;
}

static void check(const struct tree *tree)
{
	FUZZ_CHECK(tree->entries_n + tree->problems_n <= FILES_MAX);
	for (size_t i = 0; i < tree->entries_n; i++) {
		FUZZ_CHECK(fs_is_inner_path(tree->entries[i].path));
		FUZZ_CHECK(utf8_is_plain(tree->entries[i].path, strlen(tree->entries[i].path)));
		FUZZ_CHECK(i == 0 || strcmp(tree->entries[i - 1].path, tree->entries[i].path) < 0);
	}
	for (size_t i = 0; i < tree->problems_n; i++) {
		FUZZ_CHECK(utf8_is_plain(tree->problems[i].path, strlen(tree->problems[i].path)));
		FUZZ_CHECK(*tree->problems[i].path && *tree->problems[i].text);
	}
}

static void check_same(const struct tree *a, const struct tree *b)
{
	FUZZ_CHECK(a->entries_n == b->entries_n && a->problems_n == b->problems_n);
	for (size_t i = 0; i < a->entries_n; i++) {
		FUZZ_CHECK(str_eq(a->entries[i].path, b->entries[i].path));
		FUZZ_CHECK(oid_eq(&a->entries[i].blob, &b->entries[i].blob));
	}
	for (size_t i = 0; i < a->problems_n; i++)
		FUZZ_CHECK(str_eq(a->problems[i].path, b->problems[i].path));
}

static void check_both(struct repo *repo)
{
	struct arena *arena AUTO_ARENA = arena_new(0);
	struct oid first = {{0}}, second = {{1}};
	struct tree before, whole, updated;
	struct err err = ERR_INIT;
	bool listed;

	first.raw[19] = second.raw[19] = COMMIT_MARK;
	listed = tree_list(repo, &first, NULL, FILES_MAX, arena, &before, &err) == 0;
	if (listed)
		check(&before);
	else
		FUZZ_CHECK(err.code == E_REPO_HOSTILE || err.code == E_TOO_LARGE ||
			   err.code == E_REPO_UNREADABLE);
	if (tree_list(repo, &second, NULL, FILES_MAX, arena, &whole, &err) != 0 || !listed)
		return;
	FUZZ_CHECK(tree_update(repo, &first, &before, &second, NULL, FILES_MAX, arena, &updated,
			       &err) == 0);
	check_same(&whole, &updated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store store = {
		.base = {.version = GIT_ODB_BACKEND_VERSION,
			 .read = read_object,
			 .read_header = read_header,
			 .free = keep_object},
		.data = data,
		.size = size,
	};
	struct repo repo = {0};

	gitlib_setup();
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	FUZZ_CHECK(git_odb_new(&repo.odb) == 0);
	FUZZ_CHECK(git_odb_add_backend(repo.odb, &store.base, 1) == 0);
	check_both(&repo);
	git_odb_free(repo.odb);
	return 0;
}

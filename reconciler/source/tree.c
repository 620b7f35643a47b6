#include "base/sys.h"
#include "source/tree.h"

#include "base/fs.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "source/gitlib.h"
#include "source/oid_map.h"
#include "source/whole.h"

/*
 * A sub-tree can stand in many places, so that a few kilobytes can spell out a tree without end.
 * Each is therefore read once for each depth, and the number of entries is bounded besides.
 */
#define LOOKED_AT_MAX 1000000
#define SHOWN_NAME_MAX 200 /* bytes of a refused name that are shown */

/* What one folder and those below it gave: a range of the entries and one of the problems. */
struct given {
	struct oid tree;
	unsigned depth;
	enum whole_place place;
	size_t prefix_len; /* of the folder's own path */
	size_t entries, entries_end;
	size_t problems, problems_end;
};

struct listing {
	struct repo *repo;
	struct arena *arena;
	const struct tree *before; /* NULL: none */
	size_t before_at; /* of its entries, the first that is not before the place at hand */
	size_t max_files;
	size_t looked_at;
	struct buf path; /* of the folder at hand, "" or with "/" at its end */
	VEC(struct tree_entry) entries;
	VEC(struct tree_problem) problems;
	VEC(struct given) given;
	struct oid_map known; /* a folder's key to its place in `given`, plus one */
};

static void listing_release(struct listing *listing)
{
	oid_map_release(&listing->known);
	VEC_FREE(&listing->given);
	buf_release(&listing->path);
	VEC_FREE(&listing->entries);
	VEC_FREE(&listing->problems);
}

/* ---------------------------------------------------------------- what is found */

static int check_size(const struct listing *listing, struct err *err)
{
	if (listing->max_files && listing->entries.n + listing->problems.n > listing->max_files)
		return err_set(err, E_TOO_LARGE,
			       "the commit holds more than %zu files (the setting maxFiles)",
			       listing->max_files);
	if (listing->looked_at > LOOKED_AT_MAX)
		return err_set(err, E_TOO_LARGE, "the commit's tree has more than %d entries",
			       LOOKED_AT_MAX);
	return 0;
}

static char *join(struct listing *listing, const char *name, size_t len)
{
	char *path = arena_alloc(listing->arena, listing->path.len + len + 1);

	if (listing->path.len)
		memcpy(path, listing->path.ptr, listing->path.len);
	memcpy(path + listing->path.len, name, len);
	return path;
}

/* How an entry of the listing before stands to the name in the folder at hand. */
static int cmp_before(const struct listing *listing, const struct tree_item *item)
{
	const char *path = listing->before->entries[listing->before_at].path;
	size_t len = listing->path.len;
	int order = len ? strncmp(path, listing->path.ptr, len) : 0;

	return order ? order : strcmp(path + len, item->name);
}

/* The path of a file in the text that the listing before has of it; NULL when it does not. */
static const char *known_path(struct listing *listing, const struct tree_item *item)
{
	int order = -1;

	while (listing->before && listing->before_at < listing->before->entries_n &&
	       (order = cmp_before(listing, item)) < 0)
		listing->before_at++;
	return order == 0 ? listing->before->entries[listing->before_at++].path : NULL;
}

/* A refused name may hold anything: what is not plain text is shown as \x1b. */
static char *join_shown(struct listing *listing, const struct tree_item *item)
{
	struct buf shown AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	size_t len = item->name_len < SHOWN_NAME_MAX ? item->name_len : SHOWN_NAME_MAX;

	for (size_t at = 0, end; at < len; at = end) {
		size_t step = utf8_length(item->name + at, item->name_len - at);

		end = at + (step ? step : 1);
		if (step && !utf8_is_control(item->name + at, step))
			buf_add(&shown, item->name + at, step);
		else
			for (size_t i = at; i < end; i++)
				buf_addf(&shown, "\\x%02x", (unsigned char)item->name[i]);
	}
	return join(listing, buf_str(&shown), shown.len);
}

static void add_problem(struct listing *listing, const char *path, const char *text)
{
	VEC_PUSH(&listing->problems, (struct tree_problem){.path = path, .text = text});
}

/* What is wrong with a name, or NULL. */
static const char *judge_name(const struct tree_item *item)
{
	if (str_eq(item->name, ".") || str_eq(item->name, "..") || strchr(item->name, '/'))
		return "has a name that could lead out of its folder";
	if (!utf8_is_valid(item->name, item->name_len))
		return "has a name that is not UTF-8";
	if (!utf8_is_plain(item->name, item->name_len))
		return "has a control character in its name";
	if (item->name_len > NAME_MAX)
		return "has a name of more than 255 bytes";
	return NULL;
}

static const char *judge_kind(const struct tree_item *item, unsigned depth)
{
	switch (item->kind) {
	case TREE_FILE:
		return NULL;
	case TREE_FOLDER:
		return depth == TREE_DEPTH_MAX ? "is nested deeper than 32 folders" : NULL;
	case TREE_LINK:
		return "is a symbolic link";
	case TREE_SUBMODULE:
		return "is a submodule";
	case TREE_UNKNOWN:
		break;
	}
	return "is neither a file nor a folder";
}

/* ---------------------------------------------------------------- taken from before */

/*
 * Of n things sorted by their path, which is their first member, the first that is below the folder
 * or behind what is (past = 0), or the first behind what is below it (past = 1).
 */
static size_t first_below(const void *things, size_t n, size_t size, const struct buf *folder,
			  int past)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *const *path =
			(const char *const *)(const void *)((const char *)things + middle * size);

		if (strncmp(*path, buf_str(folder), folder->len) < past)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int take_from_before(struct listing *listing, struct err *err)
{
	const struct tree *before = listing->before;
	const struct buf *folder = &listing->path;
	const size_t entry = sizeof *before->entries, problem = sizeof *before->problems;
	size_t i, end;

	i = first_below(before->entries, before->entries_n, entry, folder, 0);
	end = first_below(before->entries, before->entries_n, entry, folder, 1);
	listing->before_at = end;
	for (; i < end; i++)
		VEC_PUSH(&listing->entries, before->entries[i]);
	i = first_below(before->problems, before->problems_n, problem, folder, 0);
	end = first_below(before->problems, before->problems_n, problem, folder, 1);
	for (; i < end; i++)
		VEC_PUSH(&listing->problems, before->problems[i]);
	return check_size(listing, err);
}

/* ---------------------------------------------------------------- walking */

/*
 * The same folder in the commit before, read alongside so as to see which sub-trees are the same:
 * once there is one to compare.
 */
struct old_folder {
	const struct oid *tree; /* NULL: there is none, or it was opened */
	git_odb_object *object; /* NULL: there is none */
	struct tree_cursor cursor;
	struct tree_item item;
	bool has_item;
};

static void old_next(struct old_folder *old)
{
	old->has_item = tree_item_next(&old->cursor, &old->item) == 1;
}

/* What cannot be read is as if it had not been there: everything is read anew. */
static void old_open(struct old_folder *old, struct listing *listing)
{
	const struct oid *tree = old->tree;

	old->tree = NULL;
	if (!tree || gitlib_read(listing->repo->odb, tree, GIT_OBJECT_TREE, REPO_OBJECT_MAX,
				 &old->object, NULL) != 0)
		return;
	old->cursor =
		tree_cursor(git_odb_object_data(old->object), git_odb_object_size(old->object));
	if (tree_is_well_formed(old->cursor.at, git_odb_object_size(old->object)))
		old_next(old);
}

static void old_release(struct old_folder *old)
{
	git_odb_object_free(old->object);
}

/* The entry of the same name and kind, or NULL; the cursor moves along with the new tree's. */
static const struct tree_item *old_find(struct old_folder *old, struct listing *listing,
					const struct tree_item *item)
{
	int order = 1;

	old_open(old, listing);
	while (old->has_item && (order = tree_item_cmp(&old->item, item)) < 0)
		old_next(old);
	return old->has_item && order == 0 && old->item.kind == item->kind ? &old->item : NULL;
}

/* ---------------------------------------------------------------- the same folder again */

/* What a folder gives depends on its depth and place too. */
static struct oid key_of(const struct oid *tree, unsigned depth, enum whole_place place)
{
	struct oid key = *tree;

	key.raw[0] ^= (unsigned char)depth;
	key.raw[1] ^= (unsigned char)place;
	return key;
}

static char *join_below(struct listing *listing, const char *path, size_t prefix_len)
{
	return join(listing, path + prefix_len, strlen(path + prefix_len));
}

/* Gives again, at the place at hand, what the folder gave elsewhere. */
static int give_again(struct listing *listing, const struct given *given, struct err *err)
{
	for (size_t i = given->entries; i < given->entries_end; i++) {
		struct tree_entry entry = listing->entries.v[i];

		entry.path = join_below(listing, entry.path, given->prefix_len);
		VEC_PUSH(&listing->entries, entry);
		if (check_size(listing, err) != 0)
			return -1;
	}
	for (size_t i = given->problems; i < given->problems_end; i++) {
		struct tree_problem problem = listing->problems.v[i];

		problem.path = join_below(listing, problem.path, given->prefix_len);
		VEC_PUSH(&listing->problems, problem);
		if (check_size(listing, err) != 0)
			return -1;
	}
	return 0;
}

static void remember(struct listing *listing, const struct given *given)
{
	struct oid key = key_of(&given->tree, given->depth, given->place);
	uint32_t *place = oid_map_at(&listing->known, &key);

	if (!place)
		return;
	VEC_PUSH(&listing->given, *given);
	*place = (uint32_t)listing->given.n;
}

/* NULL when it was not met yet at that depth. */
static const struct given *recall(struct listing *listing, const struct oid *tree, unsigned depth,
				  enum whole_place place)
{
	struct oid key = key_of(tree, depth, place);
	const uint32_t *at = oid_map_at(&listing->known, &key);
	const struct given *given = at && *at ? &listing->given.v[*at - 1] : NULL;

	return given && given->depth == depth && given->place == place && oid_eq(&given->tree, tree)
		       ? given
		       : NULL;
}

/* The folder at hand. */
struct folder {
	const struct oid *tree;
	unsigned depth;
	enum whole_place place;
	const char
		*compose; /* the Compose file that makes it one that is read as a whole; or NULL */
};

static bool is_whole(const struct folder *folder)
{
	return folder->place == WHOLE_INSIDE || folder->compose;
}

static int walk(struct listing *listing, const struct oid *tree, const struct oid *old_tree,
		unsigned depth, enum whole_place place, struct err *err);

static int walk_folder(struct listing *listing, const struct tree_item *item,
		       const struct tree_item *old, const struct folder *in, struct err *err)
{
	enum whole_place place = WHOLE_INSIDE;
	size_t len = listing->path.len;
	int result;

	buf_addf(&listing->path, "%s/", item->name);
	if (!is_whole(in))
		place = whole_place(buf_str(&listing->path));
	if (old && oid_eq(&old->id, &item->id))
		result = take_from_before(listing, err);
	else
		result = walk(listing, &item->id, old ? &old->id : NULL, in->depth + 1, place, err);
	listing->path.len = len;
	listing->path.ptr[len] = '\0';
	return result;
}

static int add_entry(struct listing *listing, const char *path, struct tree_entry entry,
		     const struct tree_item *item, struct err *err)
{
	entry.path = path ? path : join(listing, item->name, item->name_len);
	VEC_PUSH(&listing->entries, entry);
	return check_size(listing, err);
}

/* Of a folder that is read as a whole there is one entry, and perhaps a manifest beside it. */
static int walk_part(struct listing *listing, const struct tree_item *item,
		     const struct folder *folder, struct err *err)
{
	struct tree_entry entry = {.blob = item->id};

	if (!folder->compose || item->kind != TREE_FILE)
		return 0;
	if (str_eq(item->name, folder->compose))
		entry = (struct tree_entry){.blob = *folder->tree, .whole = true};
	else if (!whole_has_manifest(item->name))
		return 0;
	return add_entry(listing, known_path(listing, item), entry, item, err);
}

static int walk_item(struct listing *listing, const struct tree_item *item, struct old_folder *old,
		     const struct folder *folder, struct err *err)
{
	bool whole = is_whole(folder);
	const char *path = item->kind == TREE_FILE && !whole ? known_path(listing, item) : NULL;
	const struct tree_entry entry = {.blob = item->id};
	const char *problem;

	/* A name that was good before is good now. */
	if (path)
		return add_entry(listing, path, entry, item, err);
	problem = judge_name(item);
	if (!problem && item->kind == TREE_FOLDER && item->name[0] == '.')
		return 0;
	if (!problem)
		problem = judge_kind(item, folder->depth);
	if (problem) {
		add_problem(listing, join_shown(listing, item), problem);
		return check_size(listing, err);
	}
	if (item->kind == TREE_FOLDER)
		return walk_folder(listing, item, whole ? NULL : old_find(old, listing, item),
				   folder, err);
	if (whole)
		return walk_part(listing, item, folder, err);
	return tree_is_manifest(item) ? add_entry(listing, NULL, entry, item, err) : 0;
}

static int malformed(struct listing *listing, struct err *err)
{
	if (listing->path.len == 0)
		return err_set(err, E_REPO_HOSTILE, "the commit's tree is not well formed");
	add_problem(listing, join(listing, "", 0), "is not a well-formed Git tree");
	return check_size(listing, err);
}

/*
 * A folder that was read as a whole and is not any more: the listing before has nothing of what is
 * below it.
 */
static void forget_whole(struct old_folder *old, struct listing *listing)
{
	old_open(old, listing);
	if (old->object && whole_file(tree_cursor(git_odb_object_data(old->object),
						  git_odb_object_size(old->object))))
		old->has_item = false;
}

static int read_folder(struct listing *listing, struct folder *folder, const struct oid *old_tree,
		       struct err *err)
{
	git_odb_object *object AUTO_GIT(git_odb_object) = NULL;
	struct old_folder old CLEANUP(old_release) = {.tree = old_tree};
	struct tree_cursor cursor;
	struct tree_item item;

	if (gitlib_read(listing->repo->odb, folder->tree, GIT_OBJECT_TREE, REPO_OBJECT_MAX, &object,
			err) != 0)
		return -1;
	cursor = tree_cursor(git_odb_object_data(object), git_odb_object_size(object));
	if (!tree_is_well_formed(cursor.at, git_odb_object_size(object)))
		return malformed(listing, err);
	if (whole_possible(folder->place)) {
		folder->compose = whole_file(cursor);
		forget_whole(&old, listing);
	}
	while (tree_item_next(&cursor, &item) == 1) {
		listing->looked_at++;
		if (walk_item(listing, &item, &old, folder, err) != 0)
			return -1;
	}
	return check_size(listing, err);
}

static int walk(struct listing *listing, const struct oid *tree, const struct oid *old_tree,
		unsigned depth, enum whole_place place, struct err *err)
{
	const struct given *again = recall(listing, tree, depth, place);
	struct folder folder = {.tree = tree, .depth = depth, .place = place};
	struct given given = {.tree = *tree,
			      .depth = depth,
			      .place = place,
			      .prefix_len = listing->path.len,
			      .entries = listing->entries.n,
			      .problems = listing->problems.n};

	if (again)
		return give_again(listing, again, err);
	if (read_folder(listing, &folder, old_tree, err) != 0)
		return -1;
	given.entries_end = listing->entries.n;
	given.problems_end = listing->problems.n;
	remember(listing, &given);
	return 0;
}

/* ---------------------------------------------------------------- from commit to listing */

/* Finds the entry of that name; 1, 0, or -1. */
static int find_folder(git_odb *odb, const struct oid *tree, const char *name, struct oid *out,
		       struct err *err)
{
	git_odb_object *object AUTO_GIT(git_odb_object) = NULL;
	struct tree_cursor cursor;
	struct tree_item item;

	if (gitlib_read(odb, tree, GIT_OBJECT_TREE, REPO_OBJECT_MAX, &object, err) != 0)
		return -1;
	cursor = tree_cursor(git_odb_object_data(object), git_odb_object_size(object));
	while (tree_item_next(&cursor, &item) == 1) {
		if (item.kind != TREE_FOLDER || !str_eq(item.name, name))
			continue;
		*out = item.id;
		return 1;
	}
	return 0;
}

static bool is_all(const char *root)
{
	return !root || !*root || str_eq(root, ".");
}

/* The tree that stands at root in the commit. */
static int find_root(struct repo *repo, const struct oid *commit, const char *root,
		     struct oid *tree, struct err *err)
{
	char *rest AUTO_FREE = NULL;

	if (gitlib_commit_tree(repo->odb, commit, tree, err) != 0)
		return -1;
	if (is_all(root))
		return 0;
	if (!fs_is_inner_path(root))
		return err_set(err, E_USAGE, "\"%s\" is not a path inside the repository", root);
	rest = mem_strdup(root);
	for (char *part = rest, *next; part; part = next) {
		int found;

		next = strchr(part, '/');
		if (next)
			*next++ = '\0';
		found = find_folder(repo->odb, tree, part, tree, err);
		if (found <= 0)
			return found < 0 ? -1
					 : err_set(err, E_NOT_FOUND, "the commit has no folder %s",
						   root);
	}
	return 0;
}

static int cmp_problem(const void *a, const void *b)
{
	const struct tree_problem *left = a, *right = b;

	return strcmp(left->path, right->path);
}

static void hand_over(struct listing *listing, struct tree *out)
{
	VEC_SORT(&listing->problems, cmp_problem);
	*out = (struct tree){
		.entries = arena_memdup(listing->arena, listing->entries.v,
					listing->entries.n * sizeof *listing->entries.v),
		.entries_n = listing->entries.n,
		.problems = arena_memdup(listing->arena, listing->problems.v,
					 listing->problems.n * sizeof *listing->problems.v),
		.problems_n = listing->problems.n,
	};
}

int tree_update(struct repo *repo, const struct oid *before_commit, const struct tree *before,
		const struct oid *commit, const char *root, size_t max_files, struct arena *arena,
		struct tree *out, struct err *err)
{
	struct listing listing CLEANUP(listing_release) = {
		.repo = repo,
		.arena = arena,
		.before = before,
		.max_files = max_files,
		.path = BUF_INIT(((size_t)TREE_DEPTH_MAX + 1) * (NAME_MAX + 1)),
	};
	struct oid tree, old_tree;
	bool has_old;

	if (find_root(repo, commit, root, &tree, err) != 0)
		return -1;
	has_old = before && find_root(repo, before_commit, root, &old_tree, NULL) == 0;
	if (has_old && oid_eq(&tree, &old_tree)) {
		if (take_from_before(&listing, err) != 0)
			return -1;
	} else if (walk(&listing, &tree, has_old ? &old_tree : NULL, 0, WHOLE_ROOT, err) != 0) {
		return -1;
	}
	hand_over(&listing, out);
	return 0;
}

int tree_list(struct repo *repo, const struct oid *commit, const char *root, size_t max_files,
	      struct arena *arena, struct tree *out, struct err *err)
{
	return tree_update(repo, NULL, NULL, commit, root, max_files, arena, out, err);
}

static int path_cmp(const void *key, const void *element)
{
	return strcmp(key, ((const struct tree_entry *)element)->path);
}

/* With the "/" at its end. */
static size_t folder_length(const struct tree_entry *entry)
{
	return (size_t)(strrchr(entry->path, '/') - entry->path) + 1;
}

/* The folder, read as a whole, that the path is in. */
static const struct tree_entry *whole_around(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->entries_n; i++) {
		const struct tree_entry *entry = &tree->entries[i];

		if (entry->whole && strncmp(entry->path, path, folder_length(entry)) == 0)
			return entry;
	}
	return NULL;
}

int tree_read(const struct tree *tree, struct repo *repo, const char *path, struct buf *out)
{
	const struct tree_entry *found = tree->entries_n
						 ? bsearch(path, tree->entries, tree->entries_n,
							   sizeof *tree->entries, path_cmp)
						 : NULL;

	if (found && !found->whole)
		return repo_blob(repo, &found->blob, REPO_OBJECT_MAX, out, NULL);
	found = whole_around(tree, path);
	return found ? tree_read_inside(repo, &found->blob, path + folder_length(found), out) : -1;
}

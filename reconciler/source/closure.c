#include "base/sys.h"
#include "source/closure.h"

#define PATH_MAX_BYTES (((size_t)CLOSURE_DEPTH_MAX + 1) * (NAME_MAX + 1))

void closure_release(struct closure *closure)
{
	oid_map_release(&closure->seen);
	buf_release(&closure->path);
}

/* An object and how it is wanted. */
struct wanted {
	const struct oid *id;
	const struct tree_item *item;
	bool whole;		/* it is in a folder that is read as a whole */
	enum whole_place place; /* of a folder; else WHOLE_ELSEWHERE */
};

/* The same tree may stand in different places. */
static struct oid key_of(const struct wanted *wanted)
{
	struct oid key = *wanted->id;

	key.raw[0] ^= wanted->whole;
	key.raw[1] ^= (unsigned char)wanted->place;
	return key;
}

/* 1: it is wanted and was reported; 0: known or already there; -1. */
static int report(struct closure *closure, const struct wanted *wanted, struct err *err)
{
	struct oid key = key_of(wanted);
	git_oid object = gitlib_id(wanted->id);
	uint32_t *seen = oid_map_at(&closure->seen, &key);

	if (!seen || *seen)
		return 0;
	*seen = 1;
	if (closure->seen.used > CLOSURE_OBJECTS_MAX)
		return err_set(err, E_TOO_LARGE, "a commit needs more than %d objects",
			       CLOSURE_OBJECTS_MAX);
	/* Nobody else writes there, so it need not look anew for each object that it lacks. */
	if (closure->have && git_odb_exists_ext(closure->have, &object, GIT_ODB_LOOKUP_NO_REFRESH))
		/* it may be had for its manifests alone */
		return wanted->place == WHOLE_INSIDE || whole_possible(wanted->place);
	return closure->found(closure->arg, wanted->id, wanted->item, wanted->whole, err) == 0 ? 1
											       : -1;
}

/* Of the folder at hand. */
static enum whole_place place_of(const struct closure *closure)
{
	const char *path = buf_str(&closure->path), *root = closure->root;
	size_t len = root && !str_eq(root, ".") ? strlen(root) : 0;

	if (len && (strncmp(path, root, len) != 0 || path[len] != '/'))
		return WHOLE_ELSEWHERE;
	return whole_place(len ? path + len + 1 : path);
}

static int add_tree(struct closure *closure, const struct wanted *tree, unsigned depth,
		    struct err *err);

static int add_item(struct closure *closure, const struct tree_item *item, bool whole,
		    unsigned depth, struct err *err)
{
	struct wanted wanted = {&item->id, item, whole, WHOLE_ELSEWHERE};
	size_t len = closure->path.len;
	int result;

	if (item->kind == TREE_SUBMODULE)
		return 0;
	if (item->kind != TREE_FOLDER)
		return report(closure, &wanted, err);
	buf_addf(&closure->path, "%s/", item->name);
	wanted.place = whole ? WHOLE_INSIDE : place_of(closure);
	result = add_tree(closure, &wanted, depth + 1, err);
	buf_cut(&closure->path, len);
	return result;
}

static int add_tree(struct closure *closure, const struct wanted *tree, unsigned depth,
		    struct err *err)
{
	git_odb_object *object AUTO_GIT(git_odb_object) = NULL;
	struct tree_cursor cursor;
	struct tree_item item;
	bool whole;
	int result = report(closure, tree, err);

	if (result <= 0)
		return result;
	if (gitlib_read(closure->odb, tree->id, GIT_OBJECT_TREE, REPO_OBJECT_MAX, &object, err) !=
	    0)
		return -1;
	cursor = tree_cursor(git_odb_object_data(object), git_odb_object_size(object));
	whole = tree->whole || (whole_possible(tree->place) && whole_file(cursor));
	while (depth < CLOSURE_DEPTH_MAX && tree_item_next(&cursor, &item) == 1) {
		if (add_item(closure, &item, whole, depth, err) < 0)
			return -1;
	}
	return 0;
}

int closure_add(struct closure *closure, const struct oid *commit, struct err *err)
{
	struct oid tree;
	int result = report(closure, &(struct wanted){.id = commit}, err);

	if (result <= 0)
		return result;
	if (gitlib_commit_tree(closure->odb, commit, &tree, err) != 0)
		return -1;
	closure->path.max = PATH_MAX_BYTES;
	buf_clear(&closure->path);
	return add_tree(closure, &(struct wanted){.id = &tree}, 0, err);
}

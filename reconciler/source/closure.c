#include "base/sys.h"
#include "source/closure.h"

void closure_release(struct closure *closure)
{
	oid_map_release(&closure->seen);
}

/* 1: it is wanted and was reported; 0: known or already there; -1. */
static int report(struct closure *closure, const struct oid *id, const struct tree_item *item,
		  struct err *err)
{
	git_oid object = gitlib_id(id);
	uint32_t *seen = oid_map_at(&closure->seen, id);

	if (!seen || *seen)
		return 0;
	*seen = 1;
	if (closure->seen.used > CLOSURE_OBJECTS_MAX)
		return err_set(err, E_TOO_LARGE, "a commit needs more than %d objects",
			       CLOSURE_OBJECTS_MAX);
	/* Nobody else writes there, so it need not look anew for each object that it lacks. */
	if (closure->have && git_odb_exists_ext(closure->have, &object, GIT_ODB_LOOKUP_NO_REFRESH))
		return 0;
	return closure->found(closure->arg, id, item, err) == 0 ? 1 : -1;
}

static int add_tree(struct closure *closure, const struct oid *tree, const struct tree_item *item,
		    unsigned depth, struct err *err)
{
	git_odb_object *object AUTO_GIT(git_odb_object) = NULL;
	struct tree_cursor cursor;
	struct tree_item below;
	int result = report(closure, tree, item, err);

	if (result <= 0)
		return result;
	if (gitlib_read(closure->odb, tree, GIT_OBJECT_TREE, REPO_OBJECT_MAX, &object, err) != 0)
		return -1;
	cursor = tree_cursor(git_odb_object_data(object), git_odb_object_size(object));
	while (depth < CLOSURE_DEPTH_MAX && tree_item_next(&cursor, &below) == 1) {
		result = 0;
		if (below.kind == TREE_FOLDER)
			result = add_tree(closure, &below.id, &below, depth + 1, err);
		else if (below.kind != TREE_SUBMODULE)
			result = report(closure, &below.id, &below, err);
		if (result < 0)
			return -1;
	}
	return 0;
}

int closure_add(struct closure *closure, const struct oid *commit, struct err *err)
{
	struct oid tree;
	int result = report(closure, commit, NULL, err);

	if (result <= 0)
		return result;
	if (gitlib_commit_tree(closure->odb, commit, &tree, err) != 0)
		return -1;
	return add_tree(closure, &tree, NULL, 0, err);
}

/*
 * tree.h - the files of a commit, and what changed between two.
 *
 * Only names that matter are returned: *.yaml and *.yml that are not below a
 * dot folder. An entry that is a link, a submodule or has a control character
 * in its name is a problem of the unit it would belong to, reported by path.
 */
#ifndef TRUEUP_SOURCE_TREE_H
#define TRUEUP_SOURCE_TREE_H

#include "source/repo.h"

#define TREE_DEPTH_MAX 32

struct tree_entry {
	const char *path; /* relative to the configuration's root */
	struct oid blob;
};
struct tree_problem {
	const char *path;
	const char *text; /* "is a symbolic link" */
};
struct tree {
	struct tree_entry *entries; /* sorted by path */
	size_t entries_n;
	struct tree_problem *problems;
	size_t problems_n;
};

/*
 * Lists the commit's files below `root` (NULL: all). max_files: E_TOO_LARGE beyond it, naming the
 * setting. E_NOT_FOUND: the root does not exist in the commit. An empty tree is success.
 */
int tree_list(struct repo *repo, const struct oid *commit, const char *root, size_t max_files,
	      struct arena *arena, struct tree *out, struct err *err);
/*
 * The same from a known listing: sub-trees with the same id are taken from `before` (the listing of
 * before_commit) without being read. The result shares its texts: same arena or a longer-lived one.
 */
int tree_update(struct repo *repo, const struct oid *before_commit, const struct tree *before,
		const struct oid *commit, const char *root, size_t max_files, struct arena *arena,
		struct tree *out, struct err *err);

#endif

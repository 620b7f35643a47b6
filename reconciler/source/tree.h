/*
 * tree.h - the files of a commit, and what changed between two.
 *
 * Only names that matter are returned: *.yaml and *.yml that are neither dot
 * files nor below a dot folder. Of a folder with a Compose file (whole.h) these are that file,
 * which stands for all there is, and deployment.yaml. An entry that is a link or a submodule, has a
 * name that is not plain text or could lead out of its folder, or is too deep,
 * is a problem of the unit it would belong to, reported by path; so is a folder
 * whose tree object is malformed (its path ends in "/").
 */
#ifndef TRUEUP_SOURCE_TREE_H
#define TRUEUP_SOURCE_TREE_H

#include "source/repo.h"

#define TREE_DEPTH_MAX 32

struct tree_entry {
	const char *path; /* relative to the configuration's root */
	struct oid blob;  /* of a folder that is read as a whole, that folder's tree */
	bool whole;	  /* the path is that of the folder's Compose file */
};
struct tree_problem {
	const char *path; /* printable: other bytes of its name are shown as \x1b */
	const char *text; /* "is a symbolic link" */
};
struct tree {
	struct tree_entry *entries; /* sorted by path */
	size_t entries_n;
	struct tree_problem *problems; /* sorted by path */
	size_t problems_n;
};

/*
 * Appends the content of the file with this path; -1 when it is neither listed nor in a listed
 * folder that is read as a whole, or cannot be read.
 */
int tree_read(const struct tree *tree, struct repo *repo, const char *path, struct buf *out);

/* A file of a folder that is read as a whole. */
struct tree_file {
	const char *path;  /* relative to the folder */
	const char *bytes; /* NULL: it is, or the files before it were, too large to be read */
	size_t size;
	bool executable;
};
#define TREE_WHOLE_FILE_MAX ((size_t)1 << 20)
#define TREE_WHOLE_BYTES_MAX ((size_t)16 << 20)
#define TREE_WHOLE_FILES_MAX 10000
/*
 * The files of the folder and below it, dot files too, links and submodules not; sorted by path, in
 * arena. Beyond TREE_WHOLE_FILES_MAX there are none.
 */
int tree_read_whole(struct repo *repo, const struct tree_entry *entry, struct arena *arena,
		    struct tree_file **out, size_t *n, struct err *err);

/*
 * Lists the commit's files below `root` (NULL, "" or ".": all). max_files (0: any number) bounds
 * files and problems together: E_TOO_LARGE beyond it, naming the setting, and for a tree of more
 * than a million entries of any kind. E_NOT_FOUND: the root does not exist in the commit.
 * E_REPO_HOSTILE: the root itself is malformed. An empty tree is success.
 */
int tree_list(struct repo *repo, const struct oid *commit, const char *root, size_t max_files,
	      struct arena *arena, struct tree *out, struct err *err);
/*
 * The same from a known listing: sub-trees with the same id are taken from `before` (the listing of
 * before_commit with the same root) without being read. When before_commit is gone, everything is
 * read. The result has the paths of `before` by address, so it must not outlive that listing's
 * arena, and what stayed is told apart without looking at texts.
 */
int tree_update(struct repo *repo, const struct oid *before_commit, const struct tree *before,
		const struct oid *commit, const char *root, size_t max_files, struct arena *arena,
		struct tree *out, struct err *err);

#endif

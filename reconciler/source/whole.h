/*
 * whole.h - folders that are read as a whole, because they hold a Compose
 * file, which may name any file beside and below it.
 *
 * A folder is one when it holds compose.yaml, compose.yml, docker-compose.yml or
 * docker-compose.yaml (the first of them that is there counts) and stands where a stack or a
 * version's Compose file can: projects/<p>/stages/<s>/<folder>, or projects/<p>/<folder>/<folder>
 * and deeper.
 */
#ifndef TRUEUP_SOURCE_WHOLE_H
#define TRUEUP_SOURCE_WHOLE_H

#include "source/tree_item.h"
#include "source/repo.h"

/*
 * Where a folder stands, by its path from the configuration's root, with or without "/" at the end.
 * Equal trees at equal places are listed equally.
 */
enum whole_place {
	WHOLE_ELSEWHERE, /* nor is any folder below it */
	WHOLE_INSIDE,	 /* below one; never the answer of whole_place */
	WHOLE_ROOT,
	WHOLE_PROJECTS,
	WHOLE_PROJECT,
	WHOLE_PROJECT_PART, /* projects/<p>/<folder> */
	WHOLE_STAGES,
	WHOLE_STAGE,
	WHOLE_POSSIBLE,	      /* it is one if it holds a Compose file */
	WHOLE_POSSIBLE_STACK, /* likewise; a folder below it is not */
};
enum whole_place whole_place(const char *folder);
bool whole_possible(enum whole_place place);
/* The name of its Compose file, in the bytes of the tree; NULL when it has none. */
const char *whole_file(struct tree_cursor items);
/* The preferred one of two names; NULL is none. For who has names one at a time. */
const char *whole_prefer(const char *name, const char *other);
/* tree_whole.c: appends the file of that path in the tree; -1 when there is none. */
int tree_read_inside(struct repo *repo, const struct oid *tree, const char *path, struct buf *out);
/* Is it the only manifest that may stand beside a Compose file? */
bool whole_has_manifest(const char *name);

#endif

/*
 * closure.h - private to this folder: every object that commits need, each once.
 *
 * "Need" is what tree.h can give: the commit, its trees, and the blobs in them (not its parents).
 * Trees that are too deep or malformed count as such, without what is below them: nobody reads it.
 */
#ifndef TRUEUP_SOURCE_CLOSURE_H
#define TRUEUP_SOURCE_CLOSURE_H

#include "source/gitlib.h"
#include "source/oid_map.h"
#include "source/whole.h"

#define CLOSURE_OBJECTS_MAX 2000000
/* As deep as a listing goes, below a root that may itself be as deep. */
#define CLOSURE_DEPTH_MAX 64

struct closure {
	git_odb *odb;	  /* to read from */
	git_odb *have;	  /* what is in here is skipped, with all below it; NULL: nothing */
	const char *root; /* of the configuration in the commit; NULL, "" or ".": all of it */
	/*
	 * Called for each object before what is below it; item is NULL for the commit and its tree.
	 * whole: it is in a folder that is read as a whole.
	 */
	int (*found)(void *arg, const struct oid *id, const struct tree_item *item, bool whole,
		     struct err *err);
	void *arg;
	struct oid_map seen;
	struct buf path; /* of the folder at hand, with "/" at its end */
};

/* E_REPO_UNREADABLE when an object is missing, E_TOO_LARGE past the maximum, or what found gave. */
int closure_add(struct closure *closure, const struct oid *commit, struct err *err);
void closure_release(struct closure *closure);
#define AUTO_CLOSURE CLEANUP(closure_release)

#endif

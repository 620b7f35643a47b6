/*
 * mirror.h - private to this folder: the writing side of the mirror that a fetch fills.
 *
 * A state directory follows one address and one branch of it; mirrors of other addresses, and other
 * branches in this one, are removed when it is opened.
 */
#ifndef TRUEUP_SOURCE_MIRROR_H
#define TRUEUP_SOURCE_MIRROR_H

#include "source/gitlib.h"

struct mirror {
	char *path;
	char *ref; /* "refs/heads/<branch>" */
	git_repository *git;
	git_odb *odb;
};

/* Makes it when there is none, and removes what a killed fetch left behind. E_USAGE: the branch. */
int mirror_open(struct mirror *mirror, const char *state_dir, const char *url, const char *branch,
		struct err *err);
void mirror_release(struct mirror *mirror);

/* Where the branch is; all zero when nothing was fetched yet. */
struct oid mirror_tip(const struct mirror *mirror);
/*
 * Moves the branch to a commit that was received. When not all that it needs was, the mirror is
 * thrown away (what is in it would pass for known in every later fetch): E_REMOTE_UNREACHABLE.
 */
int mirror_move(struct mirror *mirror, const struct oid *commit, struct err *err);
/* Makes many packs into one, without what a force-push left behind. */
int mirror_shrink(struct mirror *mirror, struct err *err);

#endif

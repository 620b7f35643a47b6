/*
 * history_walk.h - private to this folder: what lies between two commits.
 *
 * Of an accepted commit only the commit itself is kept, its ancestors are not, and a clone can be
 * shallow: history can end in commits that are missing. libgit2's own walks fail there (and lose
 * memory); this one takes a missing commit for a first one.
 */
#ifndef TRUEUP_SOURCE_HISTORY_WALK_H
#define TRUEUP_SOURCE_HISTORY_WALK_H

#include "base/vec.h"
#include "source/gitlib.h"
#include "source/oid_map.h"

#define HISTORY_WALK_MAX 200000 /* commits looked at for one question */

struct history_node {
	struct oid id;
	int64_t when; /* of the committer, seconds */
	uint32_t met; /* as which one */
	unsigned reached_from;
	bool waiting;
};

/* All-zero is ready. */
struct history {
	VEC(struct history_node) nodes;
	struct oid_map places;	 /* an id to its place in nodes, plus one */
	VEC(uint32_t) heap;	 /* nodes that wait, the newest first */
	size_t only_tip;	 /* how many of them are reached from tip alone */
	VEC(struct oid) between; /* result: newest first */
	bool base_is_ancestor;	 /* result */
};

/*
 * Fills `between` with the newest commits, at most `max`, that are reached from tip and not from
 * base (NULL: all that are reached from tip), and base_is_ancestor exactly, if base is given.
 * E_REPO_UNREADABLE: tip is missing. E_TOO_LARGE: more than the maximum had to be looked at.
 */
int history_walk(struct history *history, struct repo *repo, const struct oid *tip,
		 const struct oid *base, size_t max, struct err *err);
void history_release(struct history *history);
#define AUTO_HISTORY CLEANUP(history_release)

#endif

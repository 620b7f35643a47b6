/*
 * slot_world.h - the life of one slot, played by the rules of lifecycle.h: a ledger in memory, and
 * commits written as a script.
 *
 * Each commit is "[product:]version[@prefix][=config]" and a sign for what comes of it:
 *	+  the release succeeds
 *	-  it fails, and what was active serves on
 *	~  it is still in progress when the next commit comes
 *	!  a retry is asked for, and it succeeds
 *	#  the slot is removed (alone, without a version)
 * "1.0+ 1.1- 1.0+" is an upgrade that fails and is reverted. A version called edge is rolling, one
 * called simple is that of a simple product; all others are incremental.
 */
#ifndef TRUEUP_TESTS_SLOT_WORLD_H
#define TRUEUP_TESTS_SLOT_WORLD_H

#include "plan/lifecycle.h"

#define WORLD_MAX 512 /* records and commits */

struct world {
	struct record records[WORLD_MAX]; /* ids are 1, 2, 3... */
	size_t n;
	struct frozen frozen[WORLD_MAX];
	size_t frozen_n;
	struct arena *arena;
	/* A letter for each commit: Keep, Continue, Start, New, Held, Refused, and # for a removal
	 */
	char decisions[WORLD_MAX + 1];
	size_t decisions_n;
};
struct world *world_new(void);
void world_free(struct world *world);
struct history world_history(struct world *world);

struct commit {
	const char *product, *version, *prefix, *config;
	char outcome;
};
/* What desired_build would make of a commit: a slot, and the product behind it. */
struct wanted {
	struct product product;
	struct slot slot;
};
void world_wanted(const struct commit *commit, struct wanted *out);
/*
 * One commit, or a whole script. Every status change must be one that lifecycle_allows, and only
 * descendants may be downgraded.
 */
struct decision world_play(struct world *world, const struct commit *commit);
void world_play_script(struct world *world, const char *script);

/* Chains 1.0 - 1.1 - 1.2 - 1.3 with the branch 1.0 - hotfix, 2.0 - 2.1, and some cycles. */
extern const struct ancestry world_ancestry;
/* The slot that everything happens in. */
extern const struct slot_key world_slot;
struct record world_record(int64_t id, enum version_type_value type, const char *product,
			   const char *version, const char *prefix);
/* Up to the next of the characters in `stops`; moves *text there. */
const char *world_word(struct arena *arena, const char **text, const char *stops);

#endif

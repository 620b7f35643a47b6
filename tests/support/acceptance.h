/*
 * acceptance.h - commits that come one after the other, judged unit by unit: for tests of what is
 *in force after each.
 *
 *	acceptance_commit(it);               the shop, accepted
 *	config_put(&it->tree, PATH, TEXT);   the next commit
 *	acceptance_commit(it);               it->now; what was in force before is it->before
 */
#ifndef TRUEUP_TESTS_ACCEPTANCE_H
#define TRUEUP_TESTS_ACCEPTANCE_H

#include "engine/accept.h"
#include "tests/support/config_tree.h"

struct acceptance {
	struct config_tree tree;
	struct accept_input input; /* what a test adds: problems, holds, history */
	struct accept_outcome before, now;
};
/* For cmocka_unit_test_setup_teardown: *state is a struct acceptance with the shop in its tree. */
int acceptance_make(void **state);
int acceptance_free(void **state);
#define TEST_WITH_ACCEPTANCE(name)                                                                 \
	cmocka_unit_test_setup_teardown(name, acceptance_make, acceptance_free)

/* Judges the tree as it stands. */
void acceptance_commit(struct acceptance *it);
/*
 * What became of the units that did not just pass: lines "project/stage held code", "... gone",
 * sorted as units are; the organization is "-". The last commit must be this.
 */
void acceptance_assert(const struct acceptance *it, const char *wanted);
/* The text of a file in force, by its path, is what the tip has (true), or something else. */
bool acceptance_has(const struct acceptance *it, const char *path);
const struct accept_unit *acceptance_stage(const struct acceptance *it, const char *project,
					   const char *stage);

#endif

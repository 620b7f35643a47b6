/*
 * order.h - who waits for whom because a version requires another product. Pure.
 *
 * Going up, the provider goes first: a version begins when what it requires is there. Going down,
 * the dependant goes first: a provider does not leave the version that what runs beside it
 * requires.
 *
 * Nobody waits in a circle. What goes up waits only, as a dependant, for providers that go up; what
 * goes down waits, as a provider, for its dependants as they run now. So after one that goes up
 * come only others that do, and neither the requirements of a commit nor those of what runs have a
 * circle (requires-cycle). dependsOn would close one where both are said of the same two
 * deployments, which is natural: so nobody waits by dependsOn for a provider that order_going_down
 * holds back.
 */
#ifndef TRUEUP_PLAN_ORDER_H
#define TRUEUP_PLAN_ORDER_H

#include "plan/lifecycle.h"

struct order {
	const struct desired *desired;
	const struct history *history;
	/* The content of an active record, in arena or longer; NULL: it cannot be had. */
	const char *(*content)(void *arg, const struct record *record, struct arena *arena);
	void *arg;
	struct arena *arena;
};

/*
 * What a slot's wanted record has to wait for before it begins, in words, in arena:
 * "ledger 2.0.0 on edge-1 is not successful yet". NULL: nothing.
 */
const char *order_going_up(const struct order *order, const struct slot *slot);
/*
 * What the active record of a slot must not be replaced or removed before. NULL: nothing, or it is
 * not to go down. slot NULL: the commit does not have it any more.
 */
const char *order_going_down(const struct order *order, const struct record *active,
			     const struct slot *slot);

#endif

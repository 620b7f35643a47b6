/*
 * upkeep.h - which images of a node are of no use any more. Pure.
 *
 * An image stays while a container has it, and for the records of the node that may still need it:
 * the active one, those whose end is not known yet, and of each slot the newest that once
 * succeeded. What runs, and where a rollback leads to, never has to be pulled again.
 */
#ifndef TRUEUP_PLAN_UPKEEP_H
#define TRUEUP_PLAN_UPKEEP_H

#include "drivers/driver.h"
#include "plan/record.h"

struct upkeep_input {
	const struct history *history;
	const struct observed *observed;
	int64_t releases; /* of each slot, besides the active one: keepReleases of the settings */
	/* The content (content.h) of a record whose own is NULL; *json NULL: it has none. -1: *err.
	 */
	int (*content)(void *arg, int64_t record, struct arena *arena, const char **json,
		       struct err *err);
	void *arg;
};

/*
 * Those of observed->images that may go, sorted, in arena. -1 when a content cannot be read: then
 * it is not known what is needed, and nothing may go.
 */
int upkeep_images(const struct upkeep_input *input, struct arena *arena, const char ***digests,
		  size_t *n, struct err *err);

#endif

/*
 * guard.h - removals that a commit does not explain, and protected deployments, wait for approve.
 * Pure.
 *
 * A removal is explained when its Deployment document was deleted and its
 * stage.yaml is still there, or when its Deployment document still has slots (it
 * moved or shrank). A stage is held when a commit would remove an unexplained
 * slot, or more than GUARD_REMOVALS explained ones that are over GUARD_PERCENT
 * of the stage, or a protected slot or its prefix. `trueup approve` lets all of it through, the
 * trailer `Trueup-Prune: project/stage` all but what is protected.
 */
#ifndef TRUEUP_ENGINE_GUARD_H
#define TRUEUP_ENGINE_GUARD_H

#include "engine/accept.h"
#include "ledger/ledger.h"

#define GUARD_REMOVALS 3
#define GUARD_PERCENT 20

struct guard_input {
	const char *commit; /* tip */
	/* Slots that are served now: from the ledger's active records, and orphans seen on nodes.
	 */
	const struct slot_key *serving;
	size_t serving_n;
	const struct model *before; /* in force, for `protected`; or NULL */
	const struct desired *before_desired;
	const struct accept_outcome *outcome; /* what the tip would give */
	const struct ledger_approval *approvals;
	size_t approvals_n;
	const char *const *prune_trailers; /* values of Trueup-Prune: "<project>/<stage>" */
	size_t prune_trailers_n;
};

struct guard_outcome {
	/* Every slot the tip removes, sorted: what an approval binds. */
	struct slot_key *removals;
	size_t removals_n;
	/* Stages that must be held, with their reason. */
	struct accept_hold *holds;
	size_t holds_n;
};
/* All in arena. */
void guard_run(const struct guard_input *input, struct arena *arena, struct guard_outcome *out);

/* The removal set as it is bound by an approval: sorted JSON, and the reverse test. */
void guard_removals_json(const struct slot_key *removals, size_t n, struct buf *out);

#endif

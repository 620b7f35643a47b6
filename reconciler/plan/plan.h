/*
 * plan.h - what would be done, and what is done: one value for plan, apply, run and --json.
 *
 * A plan is a pure function of (commit, observed state, ledger, digests).
 */
#ifndef TRUEUP_PLAN_PLAN_H
#define TRUEUP_PLAN_PLAN_H

#include "plan/lifecycle.h"
#include "plan/moved_tag.h"
#include "plan/rollout.h"

/* One node as seen. A node without a view, or a view without either, was not asked (--offline):
 * then the active records are taken to run as they were recorded. */
struct node_view {
	const char *name;
	const struct observed *observed;
	const char *error; /* why it could not be seen */
};

/* Digests by (node, image), as the drivers resolved them. */
struct digest_entry {
	const char *node, *image;
	const char *digest; /* NULL: looked up and unknown */
	const char *error;  /* why unknown */
};

/* What acceptance said about a unit (engine/accept.h). */
enum unit_state {
	UNIT_CURRENT = 1, /* decoded without error from the commit in hand */
	UNIT_HELD,	  /* older documents are in force */
	UNIT_GONE,	  /* removed by a commit that passed the prune guard */
	UNIT_UNKNOWN,	  /* never seen: nothing of it is touched */
};

struct plan_input {
	const char *commit; /* tip; full id */
	const char *base;   /* last accepted, or NULL */
	const struct desired *desired;
	const struct model *model;
	const struct history *history;
	const struct node_view *nodes; /* by name */
	size_t nodes_n;
	const struct digest_entry *digests;
	size_t digests_n;
	const char *owner; /* of this instance */
	enum unit_state (*unit_state)(void *arg, const char *project, const char *stage);
	void *unit_arg;
	bool adopting;		    /* first pass of a new ledger: orphans wait for approve */
	const struct diag *refused; /* gathered by acceptance; sorted */
	size_t refused_n;
	const json_t *slow_stops;    /* slow_stop.h; NULL: none is known */
	const json_t *moved_tags;    /* moved_tag.h; NULL: none is known */
	const struct slot_key *only; /* plan this slot alone; NULL: all */
};

/*
 * One slot's part of a plan; what the engine carries out:
 *	rollout_next(arena, &slot_plan->rollout, &rollout)
 * with a new look and a new plan of this slot (plan_input.only) after each list of changes.
 */
struct slot_plan {
	struct slot_key key;
	const struct slot *slot;  /* NULL: the slot is gone from the commit */
	struct decision decision; /* all zero where there is no slot */
	const char *why; /* "new deployment", "version 1.0.0 -> 1.1.0", "rollback to 1.0.0", ...;
			    NULL: nothing of the record changes */
	const struct record *serves;	 /* the record whose containers are wanted now: the new one
					    while it     is tried, else the active one; NULL: none */
	struct content content;		 /* of the wanted record; digests NULL where unresolved */
	char release_id[RECORD_ID_SIZE]; /* "" while a digest is missing */
	struct spec *specs;
	size_t specs_n;
	struct rollout_input rollout; /* what the steps were found from */
	struct step *steps;	      /* only those that change something */
	size_t steps_n;
	size_t unchanged;		/* containers that are as wanted */
	struct transition *transitions; /* of other records, when it succeeds or is gone */
	size_t transitions_n;
	/* A slot that is gone under dataPolicy: delete: to be removed once its containers are. */
	const char **volumes;
	size_t volumes_n;
	bool node_known; /* the node was seen; else steps are what the ledger says would have to be
			  */
	struct moved_tag *moved; /* of the active record, where it is what serves */
	size_t moved_n;
	bool drift; /* steps are there although the active record is what is wanted */
	/* Nothing of it is carried out: drift that is only to be reported, onFailure: stop, an
	 * orphan that waits for approve, content that cannot be read, an unreachable node. */
	bool leave;
	/* A slot that left its node: only when the deployment's other slots are successful. */
	bool after_others;
};

/* Things to say that are no steps: {file, line, text...} as lifecycle.md's `held` and `data`. */
struct plan_note {
	struct slot_key slot;
	/*
	 * held: "failed", "approval", "frozen", "detached", "unknown", "unclaimed", "unreadable",
	 * "tag" (it means another digest by now, which is not followed);
	 * data: "empty", "kept", "deleted", "moved", "mount" (what one of a Compose file
	 * became)
	 */
	const char *reason;
	const char *text;
	const char *hint; /* NULL or the command that changes it */
	const char *path; /* NULL or where */
	struct loc at;
};

struct plan {
	const char *commit, *base;
	char hash[HASH_HEX_SIZE]; /* over the canonical steps and preconditions */
	struct slot_plan *slots;  /* by slot key */
	size_t slots_n;
	struct diag *refused;
	size_t refused_n;
	struct plan_note *held, *data;
	size_t held_n, data_n;
	/* Ours by label, without a slot, left running: of a stage that is not known, or found on
	 * the first look and waiting for approve. */
	const struct workload **unclaimed;
	size_t unclaimed_n;
	struct digest_entry *unresolved; /* (node, image) that have no digest and need one */
	size_t unresolved_n;
	size_t create, replace, update, restart, remove, unchanged;
	bool adopting; /* as in the input */
};
/* All in arena; borrows from the input, which must stay alive. */
struct plan *plan_build(const struct plan_input *input, struct arena *arena);
/* The images that must be resolved before plan_build can give release ids: (node, image) pairs. */
size_t plan_images(const struct plan_input *input, struct arena *arena, struct digest_entry **out);
bool plan_has_changes(const struct plan *plan);

#endif

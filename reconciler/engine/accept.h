/*
 * accept.h - which documents are in force: one bad stage holds back no other. Pure.
 *
 * Every pass reads one tip. A unit (stage, project, organization) with errors is
 * replaced, whole, by its last accepted documents and everything is checked
 * again, until nothing changes any more. Of two units that clash the one that
 * changed gives way; both, if both changed.
 */
#ifndef TRUEUP_ENGINE_ACCEPT_H
#define TRUEUP_ENGINE_ACCEPT_H

#include "engine/load.h"
#include "plan/desired.h"

/* A unit that is to stay as it is whatever its new documents say, and why. */
struct accept_hold {
	struct unit unit;
	const struct diag *reason;
};

/* DIAG_EMPTY_TREE: such a commit is refused before it is judged, here and in a plan. */
#define EMPTY_TREE_MESSAGE "there are no manifests in this commit"
#define EMPTY_TREE_HINT "nothing is changed; remove deployments by removing their documents"

struct accept_input {
	const struct file_set *tip;	 /* the commit in hand */
	const struct file_set *in_force; /* what was accepted before, of all units; NULL: nothing */
	const struct accept_outcome *before; /* the judgement that in_force is of, or NULL */
	const struct tree_problem *problems; /* of the tip's tree */
	size_t problems_n;
	const struct accept_hold *holds;
	size_t holds_n;
	const struct history *history;
	const struct driver_env *env; /* NULL: policy is not checked */
};

struct accept_unit {
	struct unit unit;
	bool changed;	    /* its documents differ from those in force */
	bool held;	    /* the documents in force stay */
	bool gone;	    /* it was there before and the tip has nothing of it */
	struct diag *diags; /* why it is held */
	size_t diags_n;
	size_t files; /* of it that are in force */
};

/* Judged on top of the one before, an outcome costs what differs between the two. */
struct accept_outcome {
	struct arena *arena;
	struct file_set in_force; /* what is in force now */
	struct model *model;
	struct desired *desired;
	struct accept_unit *units; /* every unit of the tip or in force, sorted */
	size_t units_n;
	bool sound;    /* no file in force has an error, nor do they contradict each other */
	bool accepted; /* anything of the tip is in force that was not before, or nothing was
			  refused */
};
void accept_run(const struct accept_input *input, struct accept_outcome *out);
void accept_outcome_release(struct accept_outcome *outcome);
const struct accept_unit *accept_find(const struct accept_outcome *outcome,
				      const struct unit *unit);

#endif

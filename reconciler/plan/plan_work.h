/*
 * plan_work.h - a plan in the making; shared by the files of plan.
 *
 * In order: plan_seen.c sorts what is seen by slot; plan_slot.c finds content and containers of
 * each wanted slot, then, when the names of all of them are known, its steps; plan_gone.c does what
 * has no slot any more; plan.c sums up.
 */
#ifndef TRUEUP_PLAN_PLAN_WORK_H
#define TRUEUP_PLAN_PLAN_WORK_H

#include "base/vec.h"
#include "plan/plan.h"

/* A container of ours and the slot that it belongs to by its labels, on the node where it is. */
struct seen {
	struct slot_key key;
	const struct workload *workload;
	bool taken; /* a slot that is wanted replaces it, though it is not its own */
};

struct plan_work {
	const struct plan_input *input;
	struct arena *arena;
	VEC(struct seen) seen; /* by key, then name */
	VEC(struct slot_plan) slots;
	VEC(struct plan_note) held;
	VEC(struct plan_note) data;
	VEC(const struct workload *) unclaimed;
	VEC(struct digest_entry) unresolved;
};

/* ---- plan_seen.c ---- */
const struct node_view *plan_view(const struct plan_input *input, const char *node);
void plan_seen_collect(struct plan_work *work);
/* The first of a slot's containers; *n of them. */
struct seen *plan_seen_of(const struct plan_work *work, const struct slot_key *key, size_t *n);
/* Containers of slots that are gone, whose names are wanted now, belong to who wants them. */
void plan_seen_take_over(struct plan_work *work);
/* May what has no slot be removed? Else it is unclaimed. */
bool plan_may_remove(const struct plan_input *input, const struct slot_key *key);
/* What would be there if the record ran as it was recorded; for a node that was not asked. */
struct workload *plan_assume(const struct spec *specs, size_t n, struct arena *arena);

/* ---- plan_track.c ---- */
/* What moved tags make of a decision, where a version follows them. */
void plan_track(const struct plan_input *input, const struct slot *slot, struct arena *arena,
		struct decision *decision);

/* ---- plan_content.c: what the wanted record of a slot is made of ---- */
/* Fills serves, content, release_id, specs; false when recorded content cannot be read. */
bool plan_fill_content(struct plan_work *work, struct slot_plan *plan);
/* The same for the record that is active, whatever is wanted. */
bool plan_record_specs(struct plan_work *work, const struct slot *slot, const struct record *record,
		       struct spec **specs, size_t *n);

/* ---- plan_slot.c ---- */
void plan_slot_begin(struct plan_work *work, const struct slot *slot);
void plan_slot_finish(struct plan_work *work, struct slot_plan *plan);
/* Keeps the steps that change something, counts the others. */
void plan_fill_steps(struct plan_work *work, struct slot_plan *plan);

/* ---- plan_gone.c ---- */
void plan_gone(struct plan_work *work);

/* ---- plan_notes.c ---- */
void plan_notes_slot(struct plan_work *work, const struct slot_plan *plan);
void plan_notes_volumes(struct plan_work *work);
/* The note can be added to until the next one. */
struct plan_note *plan_hold(struct plan_work *work, const struct slot_plan *plan,
			    const char *reason, const char *text);
/* The names of a content's volumes on the node; *n of them. */
const char **plan_volumes(struct arena *arena, const struct content *content, const char *prefix,
			  size_t *n);

/* ---- plan_hash.c ---- */
void plan_hash(const struct plan *plan, char out[HASH_HEX_SIZE]);

#endif

#include "base/sys.h"
#include "plan/plan.h"

#include "plan/plan_work.h"

/* One that is gone, alone: the others on its node matter for the names that they want. */
static bool is_gone_alone(const struct plan_input *input)
{
	return input->only && !desired_find(input->desired, input->only);
}

static void begin_slots(struct plan_work *work)
{
	const struct desired *desired = work->input->desired;
	const struct slot_key *only = work->input->only;

	if (only && !is_gone_alone(work->input)) {
		plan_slot_begin(work, desired_find(desired, only));
		return;
	}
	for (size_t i = 0; i < desired->slots_n; i++) {
		if (!only || str_eq(desired->slots[i]->key.node, only->node))
			plan_slot_begin(work, desired->slots[i]);
	}
}

static void finish_slots(struct plan_work *work)
{
	if (is_gone_alone(work->input)) {
		VEC_CLEAR(&work->slots);
		VEC_CLEAR(&work->held);
		VEC_CLEAR(&work->unresolved);
	}
	for (size_t i = 0; i < work->slots.n; i++)
		plan_slot_finish(work, &work->slots.v[i]);
}

/* ---- in order ---- */

static int slot_plan_cmp(const void *a, const void *b)
{
	return slot_key_cmp(&((const struct slot_plan *)a)->key,
			    &((const struct slot_plan *)b)->key);
}

static int note_cmp(const void *a, const void *b)
{
	const struct plan_note *left = a, *right = b;
	int order = slot_key_cmp(&left->slot, &right->slot);

	if (order == 0)
		order = str_cmp(left->reason, right->reason);
	if (order == 0)
		order = str_cmp(left->text, right->text);
	return order ? order : (left->at.line > right->at.line) - (left->at.line < right->at.line);
}

static int unresolved_cmp(const void *a, const void *b)
{
	const struct digest_entry *left = a, *right = b;
	int order = str_cmp(left->node, right->node);

	return order ? order : str_cmp(left->image, right->image);
}

static int unclaimed_cmp(const void *a, const void *b)
{
	const struct workload *left = *(const struct workload *const *)a;
	const struct workload *right = *(const struct workload *const *)b;
	int order = str_cmp(left->labels.node, right->labels.node);

	return order ? order : str_cmp(left->name, right->name);
}

/* Moves a finished list to the arena. */
#define KEEP(arena, list, cmp, out, out_n)                                                         \
	do {                                                                                       \
		VEC_SORT((list), (cmp));                                                           \
		(out) = arena_memdup((arena), (list)->v, (list)->n * sizeof(*(list)->v));          \
		(out_n) = (list)->n;                                                               \
		VEC_FREE(list);                                                                    \
	} while (0)

/* ---- what was not seen ---- */

static size_t slots_on(const struct plan_work *work, const char *node)
{
	size_t n = 0;

	for (size_t i = 0; i < work->slots.n; i++)
		n += str_eq(work->slots.v[i].key.node, node);
	return n;
}

static void hold_unknown(struct plan_work *work)
{
	for (size_t i = 0; i < work->input->nodes_n; i++) {
		const struct node_view *view = &work->input->nodes[i];
		size_t n = view->observed || !view->error ? 0 : slots_on(work, view->name);

		if (n > 0)
			VEC_PUSH(&work->held,
				 (struct plan_note){
					 .slot.node = view->name,
					 .reason = "unknown",
					 .text = arena_printf(work->arena,
							      "%s (%zu deployment%s not planned)",
							      view->error, n, n == 1 ? "" : "s"),
				 });
	}
}

/* ---- the sum ---- */

static void count_step(struct plan *plan, enum step_action action)
{
	switch (action) {
	case STEP_CREATE:
		plan->create++;
		break;
	case STEP_REPLACE:
		plan->replace++;
		break;
	case STEP_UPDATE:
		plan->update++;
		break;
	case STEP_RESTART:
		plan->restart++;
		break;
	case STEP_REMOVE:
		plan->remove++;
		break;
	case STEP_NONE:
	case STEP_ACTIONS:
		break;
	}
}

static void count(struct plan *plan)
{
	for (size_t i = 0; i < plan->slots_n; i++) {
		const struct slot_plan *slot = &plan->slots[i];

		plan->unchanged += slot->unchanged;
		for (size_t j = 0; j < slot->steps_n && !slot->leave; j++)
			count_step(plan, slot->steps[j].action);
	}
}

static struct plan *finish(struct plan_work *work)
{
	const struct plan_input *input = work->input;
	struct plan *plan = ARENA_NEW(work->arena, struct plan);

	plan->commit = input->commit;
	plan->base = input->base;
	plan->refused =
		arena_memdup(work->arena, input->refused, input->refused_n * sizeof(struct diag));
	plan->refused_n = input->refused_n;
	plan->adopting = input->adopting;
	KEEP(work->arena, &work->slots, slot_plan_cmp, plan->slots, plan->slots_n);
	KEEP(work->arena, &work->held, note_cmp, plan->held, plan->held_n);
	KEEP(work->arena, &work->data, note_cmp, plan->data, plan->data_n);
	KEEP(work->arena, &work->unclaimed, unclaimed_cmp, plan->unclaimed, plan->unclaimed_n);
	KEEP(work->arena, &work->unresolved, unresolved_cmp, plan->unresolved, plan->unresolved_n);
	count(plan);
	plan_hash(plan, plan->hash);
	return plan;
}

struct plan *plan_build(const struct plan_input *input, struct arena *arena)
{
	struct plan_work work = {.input = input, .arena = arena};
	struct plan *plan;

	plan_seen_collect(&work);
	begin_slots(&work);
	plan_seen_take_over(&work);
	finish_slots(&work);
	plan_gone(&work);
	plan_notes_volumes(&work);
	hold_unknown(&work);
	plan = finish(&work);
	VEC_FREE(&work.seen);
	return plan;
}

size_t plan_images(const struct plan_input *input, struct arena *arena, struct digest_entry **out)
{
	struct plan_input blank = *input;
	struct plan_work work = {.input = &blank, .arena = arena};
	size_t n;

	blank.digests_n = 0;
	for (size_t i = 0; i < input->desired->slots_n; i++) {
		const struct slot *slot = input->desired->slots[i];
		struct slot_plan plan = {.key = slot->key, .slot = slot};

		if (input->only && slot_key_cmp(&slot->key, input->only) != 0)
			continue;
		lifecycle_decide(slot, input->history, &plan.decision);
		plan_track(input, slot, arena, &plan.decision);
		/* Of a record only what it does not know yet; its content may not be at hand. */
		plan_fill_content(&work, &plan);
	}
	KEEP(arena, &work.unresolved, unresolved_cmp, *out, n);
	return n;
}

static bool changes_something(const struct plan *plan, const struct slot_plan *slot)
{
	if (slot->leave)
		return false;
	if (slot->steps_n > 0 || slot->volumes_n > 0 || (!slot->slot && slot->transitions_n > 0))
		return true;
	/* What runs already is only written down on the first look. */
	return !plan->adopting &&
	       (slot->decision.kind == DECIDE_NEW || slot->decision.kind == DECIDE_START);
}

bool plan_has_changes(const struct plan *plan)
{
	for (size_t i = 0; i < plan->slots_n; i++) {
		if (changes_something(plan, &plan->slots[i]))
			return true;
	}
	return false;
}

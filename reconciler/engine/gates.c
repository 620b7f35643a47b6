#include "base/sys.h"

#include "engine/gates.h"
#include "engine/waiting.h"
#include "plan/order.h"
#include "schema/kinds.h"

static bool slot_is_settled(const struct history *history, const struct slot *slot)
{
	struct decision decision;
	lifecycle_decide(slot, history, &decision);
	return decision.kind == DECIDE_KEEP;
}

/* The deployment's slots are neighbours in the sorted list. */
static size_t first_sibling(const struct desired *desired, const struct slot_key *key)
{
	const struct slot_key first = {key->project, key->stage, key->deployment, ""};
	return desired_first(desired, &first);
}

static bool is_sibling(const struct slot_key *a, const struct slot_key *b)
{
	return str_eq(a->project, b->project) && str_eq(a->stage, b->stage) &&
	       str_eq(a->deployment, b->deployment);
}

/* ---- what versions require ---- */

static const char *content_of(void *arg, const struct record *record, struct arena *arena)
{
	struct engine *engine = arg;
	const char *content = NULL;
	ledger_content(engine->ledger, record->id, arena, &content, NULL);
	return content;
}

static struct order order_of(struct work *work)
{
	return (struct order){
		.desired = work->engine->tip.outcome.desired,
		.history = work->history,
		.content = content_of,
		.arg = work->engine,
		.arena = work->arena,
	};
}

/* Is it a provider that stays as it is until those that require it went down? */
static bool is_held_up(struct work *work, const struct slot *slot)
{
	const struct order order = order_of(work);
	struct decision decision;
	lifecycle_decide(slot, work->history, &decision);
	return order_going_down(&order, decision.active, slot) != NULL;
}

static bool requirement_waits(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	const struct order order = order_of(work);
	const char *why = order_going_up(&order, plan->slot);
	if (!why)
		why = order_going_down(&order, plan->decision.active, plan->slot);
	if (why)
		wait_for(run, "requires", why);
	return why != NULL;
}

static bool removal_waits(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	const struct order order = order_of(work);
	const char *why = order_going_down(&order, plan->decision.active, NULL);
	if (why)
		wait_for(run, "requires", why);
	return why != NULL;
}

/* ---- what deployments depend on ---- */

static bool dependency_waits(struct work *work, const struct slot *slot, struct slot_run *run)
{
	const struct desired *desired = work->engine->tip.outcome.desired;
	const struct strings *needs = &slot->deployment->depends_on;
	for (size_t d = 0; d < needs->n; d++) {
		struct slot_key key = {slot->key.project, slot->key.stage, needs->v[d], ""};
		for (size_t i = first_sibling(desired, &key);
		     i < desired->slots_n && is_sibling(&desired->slots[i]->key, &key); i++) {
			if (slot_is_settled(work->history, desired->slots[i]) ||
			    is_held_up(work, desired->slots[i]))
				continue;
			AUTO_FREE char *detail =
				mem_printf("%s on %s is not successful yet", needs->v[d],
					   desired->slots[i]->key.node);
			wait_for(run, "dependency", detail);
			return true;
		}
	}
	return false;
}

/* A sibling that comes first and can be worked on: it has not begun yet, and its node answers. */
static bool goes_first(struct work *work, const struct slot *other, const struct slot *slot,
		       enum decision_kind kind)
{
	const struct node_run *node = node_find(work->engine, other->key.node);
	return slot_key_cmp(&other->key, &slot->key) < 0 && node && node->problem.code == E_NONE &&
	       (kind == DECIDE_NEW || kind == DECIDE_START || kind == DECIDE_CONTINUE);
}

/*
 * Nodes of one deployment change in batches, in the order of their names; a failure on one stops
 * the others.
 */
static bool batch_waits(struct work *work, const struct slot *slot, struct slot_run *run)
{
	const struct desired *desired = work->engine->tip.outcome.desired;
	int64_t busy = 0, allowed = KIND_OR(slot->deployment->strategy, strategy, max_parallel);
	for (size_t i = first_sibling(desired, &slot->key);
	     i < desired->slots_n && is_sibling(&desired->slots[i]->key, &slot->key); i++) {
		const struct slot *other = desired->slots[i];
		struct decision decision;
		if (slot_key_cmp(&other->key, &slot->key) == 0)
			continue;
		lifecycle_decide(other, work->history, &decision);
		if (decision.kind == DECIDE_HELD) {
			AUTO_FREE char *detail = mem_printf("failed on %s", other->key.node);
			wait_for(run, "ring", detail);
			return true;
		}
		bool changes = decision.kind == DECIDE_CONTINUE &&
			       decision.record->status == RECORD_IN_PROGRESS;
		busy += changes || goes_first(work, other, slot, decision.kind);
	}
	if (busy < allowed)
		return false;
	wait_for(run, "ring", "other nodes of the deployment are changing");
	return true;
}

bool gate_may_begin(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	if (!plan->slot)
		return true;
	if (engine_is_paused(work->engine, plan->key.project, plan->key.stage)) {
		wait_for(run, "paused", NULL);
		return false;
	}
	enum decision_kind kind = plan->decision.kind;
	if (kind != DECIDE_CONTINUE && kind != DECIDE_START)
		return true;
	if (plan->decision.record->status == RECORD_IN_PROGRESS)
		return true;
	return !requirement_waits(work, plan, run) && !dependency_waits(work, plan->slot, run) &&
	       !batch_waits(work, plan->slot, run);
}

bool gate_holds_removal(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	const struct desired *desired = work->engine->tip.outcome.desired;
	if (plan->slot)
		return false;
	for (size_t i = first_sibling(desired, &plan->key);
	     plan->after_others && i < desired->slots_n &&
	     is_sibling(&desired->slots[i]->key, &plan->key);
	     i++) {
		if (slot_is_settled(work->history, desired->slots[i]))
			continue;
		wait_for(run, "ring", "it moves: first the other nodes");
		return true;
	}
	return removal_waits(work, plan, run);
}

static bool waits_for_its_turn(const struct slot_run *run)
{
	return waits_for(run, "requires") || waits_for(run, "dependency") || waits_for(run, "ring");
}

void gate_wake(struct engine *engine)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->slots, e));) {
		struct slot_run *run = e->value;
		const char *at = strrchr(run->id, '@');
		struct node_run *node = at ? node_find(engine, at + 1) : NULL;
		if (node && waits_for_its_turn(run))
			node_want_look(node);
	}
}

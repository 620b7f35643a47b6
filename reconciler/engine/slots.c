#include "base/sys.h"

#include "base/log.h"
#include "engine/gates.h"
#include "engine/intents.h"
#include "engine/node_plan.h"
#include "engine/records.h"
#include "engine/rolling.h"
#include "engine/share.h"
#include "engine/upkeep.h"
#include "engine/waiting.h"

/* So many records may begin one after the other before the node is looked at again. */
#define PLAN_ROUNDS 4

static bool is_on_node(const struct slot_run *run, const struct node_run *node)
{
	const char *at = strrchr(run->id, '@');
	return at && str_eq(at + 1, node->name);
}

/* ---- records: what is decided is written down ---- */

static bool concerns_node(const struct work *work, const struct slot_plan *plan)
{
	return str_eq(plan->key.node, work->node->name);
}

static int follow_slot(struct work *work, const struct slot_plan *plan, bool *changed)
{
	struct engine *engine = work->engine;
	struct slot_run *run = slot_run_of(engine, &plan->key);
	bool adopted = false;
	if (run->busy)
		return 0;
	if (engine_write(engine, work->err) < 0)
		return -1;
	if (engine->adopting &&
	    records_adopt(engine, plan, work->observed, &adopted, work->err) < 0)
		return -1;
	*changed |= adopted;
	if (adopted)
		return 0;
	bool may_begin = work->observed && gate_may_begin(work, plan, run);
	return records_follow(engine, run, plan, may_begin, changed, work->err);
}

/* Brings records up to date, planning again after each change, until nothing changes any more. */
static int follow_records(struct work *work)
{
	for (int round = 0; round < PLAN_ROUNDS; round++) {
		bool changed = false;
		work->history = engine_history(work->engine);
		if (!work->history) {
			err_set(work->err, E_LEDGER, "the history cannot be read");
			return -1;
		}
		node_plan_make(work);
		for (size_t i = 0; i < work->plan->slots_n; i++)
			if (concerns_node(work, &work->plan->slots[i]) &&
			    follow_slot(work, &work->plan->slots[i], &changed) < 0)
				return -1;
		if (!changed)
			return 0;
		work->engine->history_stale = true;
	}
	return 0;
}

/* ---- rolling: the next step of each ---- */

static int work_slot(struct work *work, const struct slot_plan *plan)
{
	struct slot_run *run = slot_run_of(work->engine, &plan->key);
	if (run->busy || work->node->seen_seq < run->needs_look)
		return 0;
	deadline_go_on(run);
	wait_over(run);
	/* Says what a record waits for; a paused scope is left alone altogether. */
	bool paused = !gate_may_begin(work, plan, run) && waits_for(run, "paused");
	if (plan->slot && share_keep_policy(work->engine, plan->slot, run, work->err) < 0)
		return -1;
	if (!paused && rolling_step(work, plan, run) < 0)
		return -1;
	wait_settle(run);
	return report_slot(work->engine, run, plan, work->observed, work->err);
}

/* ---- a node that cannot be seen ---- */

/*
 * What the commit wants there is on record all the same, and shown: it prepares, and waits for the
 * node. What serves there keeps what was seen of it last.
 */
static int follow_unseen(struct engine *engine, struct node_run *node, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(4096);
	const struct observed nothing = {.node = node->name};
	struct work work = {.engine = engine, .node = node, .arena = arena, .err = err};
	if (!node->doc || !engine->tip.outcome.desired || engine->adopting)
		return 0;
	if (follow_records(&work) < 0)
		return -1;
	for (size_t i = 0; i < work.plan->slots_n; i++) {
		const struct slot_plan *plan = &work.plan->slots[i];
		if (!plan->slot || plan->decision.active || !concerns_node(&work, plan))
			continue;
		struct slot_run *run = slot_run_of(engine, &plan->key);
		wait_for(run, "node-unreachable", node->problem.text);
		if (report_slot(engine, run, plan, &nothing, err) < 0)
			return -1;
	}
	return 0;
}

void slots_node_lost(struct engine *engine, struct node_run *node)
{
	struct err err = ERR_INIT;
	for (struct map_entry *e = NULL; (e = map_next(&engine->slots, e));) {
		struct slot_run *run = e->value;
		if (!is_on_node(run, node))
			continue;
		deadline_stop(run);
		wait_for(run, "node-unreachable", node->problem.text);
	}
	if (follow_unseen(engine, node, &err) < 0)
		engine_ledger_failed(engine, &err);
	/* Who waited for this node's turn need not wait any more. */
	gate_wake(engine);
}

/* ---- a whole node ---- */

static bool node_is_ours(struct work *work)
{
	struct node_run *node = work->node;
	if (!work->observed->owner || owner_same(work->observed->owner, work->engine->owner))
		return true;
	if (node->problem.code != E_NODE_OWNED)
		log_event(LOG_ERROR, "node owned by another", "node", node->name, "owner",
			  work->observed->owner, NULL);
	err_set(&node->problem, E_NODE_OWNED,
		"it belongs to the reconciler %s: two must not work on one node; if that one is "
		"gone for good, stop this one and put the id behind the slash into %s/%s",
		work->observed->owner, work->engine->state.dir, STATE_INSTANCE_FILE);
	slots_node_lost(work->engine, node);
	return false;
}

/*
 * The first look with a new ledger adopts. Orphans that it finds wait for approve, also after a
 * restart; where there are none the ledger is an ordinary one from now on.
 */
static void end_adoption(struct work *work)
{
	struct engine *engine = work->engine;
	if (!engine->adopting)
		return;
	work->node->adopted = true;
	engine->orphans_wait |= work->plan->unclaimed_n > 0;
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));)
		if (!((struct node_run *)e->value)->adopted)
			return;
	if (engine->orphans_wait)
		return;
	engine->adopting = false;
	ledger_put(engine->ledger, "adopting", NULL, NULL);
}

int slots_work(struct engine *engine, struct node_run *node, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(4096);
	struct work work = {.engine = engine,
			    .node = node,
			    .observed = &node->seen->observed,
			    .arena = arena,
			    .err = err};
	if (!node->doc || !engine->tip.outcome.desired)
		return 0;
	int status = 0;
	if (node_is_ours(&work)) {
		status = follow_records(&work);
		for (size_t i = 0; status == 0 && i < work.plan->slots_n; i++)
			if (concerns_node(&work, &work.plan->slots[i]))
				status = work_slot(&work, &work.plan->slots[i]);
		if (status == 0)
			status = upkeep_work(&work);
		if (status == 0) {
			report_unclaimed(node, work.plan);
			end_adoption(&work);
		}
	}
	intents_hand_over(&work);
	VEC_FREE(&work.groups);
	if (status < 0)
		return -1;
	return report_node(engine, node, err);
}

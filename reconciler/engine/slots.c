#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/num.h"
#include "engine/records.h"
#include "engine/share.h"
#include "plan/content.h"
#include "schema/kinds.h"

/* A mend that has to be repeated within this time is damped. */
#define FLAP_WINDOW_MS 60000
#define FLAP_FREE 3 /* mends in a row before the damping begins */
/* So many records may begin one after the other before the node is looked at again. */
#define PLAN_ROUNDS 4

/* What one piece of work on a node shares. */
struct work {
	struct engine *engine;
	struct node_run *node;
	const struct observed *observed;
	struct arena *arena;
	const struct history *history;
	struct plan *plan;
	struct err *err;
	VEC(struct pending_group) groups;
};

struct slot_run *slot_run_of(struct engine *engine, const struct slot_key *key)
{
	char id[SLOT_ID_MAX];
	slot_id(key, id);
	struct slot_run *run = map_get(&engine->slots, id);
	if (run)
		return run;
	run = mem_zalloc(1, sizeof *run);
	run->id = mem_strdup(id);
	map_put(&engine->slots, id, run);
	return run;
}

void slots_release(struct engine *engine)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->slots, e));) {
		struct slot_run *run = e->value;
		free(run->state_json);
		free(run->id);
		free(run);
	}
	map_release(&engine->slots);
}

/* ---- waiting ---- */

static void wait_for(struct slot_run *run, const char *reason, const char *detail)
{
	if (!str_eq(run->waiting, reason))
		run->waiting_since = clock_wall_ms();
	snprintf(run->waiting, sizeof run->waiting, "%s", reason);
	snprintf(run->waiting_detail, sizeof run->waiting_detail, "%s", detail ? detail : "");
}

static void wait_over(struct slot_run *run)
{
	run->waiting[0] = run->waiting_detail[0] = '\0';
	run->waiting_since = 0;
}

/* While what a slot needs is out of reach its deadline stands still. */
static void clock_stop(struct slot_run *run)
{
	if (run->deadline_at && !run->paused_at)
		run->paused_at = clock_boot_ms();
}

static void clock_go_on(struct slot_run *run)
{
	if (run->paused_at)
		run->deadline_at += clock_boot_ms() - run->paused_at;
	run->paused_at = 0;
}

static bool is_on_node(const struct slot_run *run, const struct node_run *node)
{
	const char *at = strrchr(run->id, '@');
	return at && str_eq(at + 1, node->name);
}

void slots_node_lost(struct engine *engine, struct node_run *node)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->slots, e));) {
		struct slot_run *run = e->value;
		if (!is_on_node(run, node))
			continue;
		clock_stop(run);
		wait_for(run, "node-unreachable", node->problem.text);
	}
}

/* ---- gates: may a new record begin? ---- */

static bool slot_is_settled(const struct history *history, const struct slot *slot)
{
	struct decision decision;
	lifecycle_decide(slot, history, &decision);
	return decision.kind == DECIDE_KEEP;
}

/* The deployment's slots are neighbours in the sorted list. */
static size_t first_sibling(const struct desired *desired, const struct slot_key *key)
{
	struct slot_key first = {key->project, key->stage, key->deployment, ""};
	size_t low = 0, high = desired->slots_n;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (slot_key_cmp(&desired->slots[mid].key, &first) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_sibling(const struct slot_key *a, const struct slot_key *b)
{
	return str_eq(a->project, b->project) && str_eq(a->stage, b->stage) &&
	       str_eq(a->deployment, b->deployment);
}

static bool dependency_waits(struct work *work, const struct slot *slot, struct slot_run *run)
{
	const struct desired *desired = work->engine->tip.outcome.desired;
	const struct strings *needs = &slot->deployment->depends_on;
	for (size_t d = 0; d < needs->n; d++) {
		struct slot_key key = {slot->key.project, slot->key.stage, needs->v[d], ""};
		for (size_t i = first_sibling(desired, &key);
		     i < desired->slots_n && is_sibling(&desired->slots[i].key, &key); i++) {
			if (slot_is_settled(work->history, &desired->slots[i]))
				continue;
			AUTO_FREE char *detail =
				mem_printf("%s on %s is not successful yet", needs->v[d],
					   desired->slots[i].key.node);
			wait_for(run, "dependency", detail);
			return true;
		}
	}
	return false;
}

/* Nodes of one deployment change in batches; a failure on one stops the others. */
static bool batch_waits(struct work *work, const struct slot *slot, struct slot_run *run)
{
	const struct desired *desired = work->engine->tip.outcome.desired;
	int64_t busy = 0, allowed = KIND_OR(slot->deployment->strategy, strategy, max_parallel);
	for (size_t i = first_sibling(desired, &slot->key);
	     i < desired->slots_n && is_sibling(&desired->slots[i].key, &slot->key); i++) {
		const struct slot *other = &desired->slots[i];
		struct decision decision;
		if (slot_key_cmp(&other->key, &slot->key) == 0)
			continue;
		lifecycle_decide(other, work->history, &decision);
		if (decision.kind == DECIDE_HELD) {
			AUTO_FREE char *detail = mem_printf("failed on %s", other->key.node);
			wait_for(run, "ring", detail);
			return true;
		}
		busy += decision.kind == DECIDE_CONTINUE &&
			decision.record->status == RECORD_IN_PROGRESS;
	}
	if (busy < allowed)
		return false;
	wait_for(run, "ring", "other nodes of the deployment are changing");
	return true;
}

static bool may_begin(struct work *work, const struct slot_plan *plan, struct slot_run *run)
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
	return !dependency_waits(work, plan->slot, run) && !batch_waits(work, plan->slot, run);
}

/* ---- what is wanted of the node now ---- */

struct target {
	struct rollout_input rollout;
	const struct record *record; /* whose containers are wanted; NULL: none */
	bool trying;		     /* the record is in progress */
};

/* A record that may not begin yet: until then what serves is looked after. */
static int target_of_active(struct work *work, const struct slot_plan *plan, struct target *out)
{
	const struct record *active = plan->decision.active;
	struct content content;
	out->record = active;
	out->rollout.settled = true;
	out->rollout.wanted = NULL;
	out->rollout.wanted_n = 0;
	if (!active)
		return 0;
	if (!active->content || content_read(active->content, work->arena, &content, work->err) < 0)
		return -1;
	out->rollout.wanted = desired_specs(plan->slot, &content, active, work->engine->owner,
					    work->arena, &out->rollout.wanted_n);
	return 0;
}

static bool may_not_begin_yet(const struct slot_plan *plan, const struct slot_run *run)
{
	enum decision_kind kind = plan->slot ? plan->decision.kind : 0;
	return !run->record &&
	       (kind == DECIDE_CONTINUE || kind == DECIDE_START || kind == DECIDE_NEW);
}

static int choose_target(struct work *work, const struct slot_plan *plan,
			 const struct slot_run *run, struct target *out)
{
	*out = (struct target){.rollout = plan->rollout};
	if (may_not_begin_yet(plan, run))
		return target_of_active(work, plan, out);
	out->trying = run->record != 0;
	out->record = plan->serves;
	return 0;
}

/* A slot that left its node goes when the deployment is successful where it went. */
static bool waits_for_others(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	const struct desired *desired = work->engine->tip.outcome.desired;
	if (!plan->after_others)
		return false;
	for (size_t i = first_sibling(desired, &plan->key);
	     i < desired->slots_n && is_sibling(&desired->slots[i].key, &plan->key); i++) {
		if (slot_is_settled(work->history, &desired->slots[i]))
			continue;
		wait_for(run, "ring", "it moves: first the other nodes");
		return true;
	}
	return false;
}

/* ---- intents ---- */

static struct spec *copy_spec(struct arena *arena, const struct spec *spec)
{
	AUTO_JSON json_t *json = spec_json(spec);
	struct spec *copy = ARENA_NEW(arena, struct spec);
	return spec_from_json(json, arena, copy, NULL) == 0 ? copy : NULL;
}

static int add_intent(struct work *work, struct pending_group *group, const struct slot_key *key,
		      int64_t record, const struct op *op)
{
	struct arena *arena = group->arena;
	struct op *own = &group->ops[group->ops_n];
	*own = (struct op){.kind = op->kind,
			   .name = arena_strdup(arena, op->name),
			   .to = arena_strdup(arena, op->to)};
	if (op->spec) {
		own->spec = copy_spec(arena, op->spec);
		if (!own->spec)
			return err_set(work->err, E_INTERNAL, "a spec that cannot be copied");
	}
	struct ledger_step step = {.slot = *key,
				   .record = record,
				   .op = op_word(op->kind),
				   .name = op->name   ? op->name
					   : op->spec ? op->spec->image
						      : NULL,
				   .intent_ms = clock_wall_ms()};
	/* Pulling changes nothing that runs: it is done again after a crash, without a trace. */
	if (op->kind != OP_PULL &&
	    ledger_intent(work->engine->ledger, &step, &group->steps[group->ops_n], work->err) < 0)
		return -1;
	group->ops_n++;
	return 0;
}

static int queue_ops(struct work *work, struct slot_run *run, const struct slot_key *key,
		     int64_t record, const struct op *ops, size_t n)
{
	bool claim = !work->observed->owner && work->groups.n == 0;
	/* Until the node bears our marker only one slot goes ahead, and puts it there. */
	if (!work->observed->owner && !claim)
		return 0;
	if (engine_write(work->engine, work->err) < 0)
		return -1;
	struct pending_group group = {.slot = run, .arena = arena_new(0)};
	group.ops = ARENA_ARRAY(group.arena, n + 1, struct op);
	group.steps = ARENA_ARRAY(group.arena, n + 1, int64_t);
	const struct op marker = {.kind = OP_CLAIM};
	int status = claim ? add_intent(work, &group, key, record, &marker) : 0;
	for (size_t i = 0; i < n && status == 0; i++)
		status = add_intent(work, &group, key, record, &ops[i]);
	if (status < 0) {
		arena_free(group.arena);
		return -1;
	}
	run->busy = true;
	VEC_PUSH(&work->groups, group);
	return 0;
}

/* ---- the ends of a rollout ---- */

static const char *log_of(const struct work *work, const char *name)
{
	const struct look_result *seen = work->node->seen;
	for (size_t i = 0; i < seen->logs_n; i++)
		if (str_eq(seen->logs[i].name, name))
			return seen->logs[i].text;
	return NULL;
}

static int fail(struct work *work, const struct slot_plan *plan, struct slot_run *run,
		const char *container)
{
	if (engine_write(work->engine, work->err) < 0)
		return -1;
	node_want_look(work->node);
	return records_fail(work->engine, run, plan, container ? log_of(work, container) : NULL,
			    work->err);
}

static bool deadline_passed(struct slot_run *run, const struct slot_plan *plan)
{
	if (!run->deadline_at) {
		run->deadline_at = clock_boot_ms() +
				   KIND_OR(plan->slot->deployment->strategy, strategy, deadline);
		run->paused_at = 0;
	}
	return !run->paused_at && clock_boot_ms() >= run->deadline_at;
}

static int on_waiting(struct work *work, const struct slot_plan *plan, struct slot_run *run,
		      const struct target *target, const struct rollout *rollout)
{
	if (target->trying && deadline_passed(run, plan)) {
		err_set(&run->failure, E_UNHEALTHY, "%s was not healthy within %s",
			rollout->waiting_for ? rollout->waiting_for : run->id,
			num_format_duration(
				KIND_OR(plan->slot->deployment->strategy, strategy, deadline),
				(char[NUM_TEXT_MAX]){0}));
		snprintf(run->failed_step, sizeof run->failed_step, "health");
		return fail(work, plan, run, rollout->waiting_for);
	}
	if (rollout->look_again_ms >= 0)
		node_look_in(work->node, rollout->look_again_ms + 1);
	if (target->trying && !run->paused_at)
		node_look_in(work->node, run->deadline_at - clock_boot_ms() + 1);
	return 0;
}

/* What depends on this slot may begin now. */
static void wake_waiting(struct engine *engine)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->slots, e));) {
		struct slot_run *run = e->value;
		const char *at = strrchr(run->id, '@');
		struct node_run *node = at ? node_find(engine, at + 1) : NULL;
		if (node && (str_eq(run->waiting, "dependency") || str_eq(run->waiting, "ring")))
			node_want_look(node);
	}
}

/* Its containers are gone; then its volumes, where the deployment said so. */
static int on_gone(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	if (plan->volumes_n) {
		struct op *ops = ARENA_ARRAY(work->arena, plan->volumes_n, struct op);
		for (size_t i = 0; i < plan->volumes_n; i++)
			ops[i] = (struct op){.kind = OP_VOLUME_REMOVE, .name = plan->volumes[i]};
		return queue_ops(work, run, &plan->key, 0, ops, plan->volumes_n);
	}
	if (engine_write(work->engine, work->err) < 0)
		return -1;
	return records_removed(work->engine, run, plan, work->err);
}

static int on_done(struct work *work, const struct slot_plan *plan, struct slot_run *run,
		   const struct target *target)
{
	if (!plan->slot)
		return on_gone(work, plan, run);
	if (!target->trying) {
		run->failure = (struct err)ERR_INIT;
		backoff_clear(&run->backoff);
		return 0;
	}
	if (engine_write(work->engine, work->err) < 0 ||
	    records_succeed(work->engine, run, plan, work->err) < 0)
		return -1;
	/* One look more: what is shown and what is checked is the end, not the way there. */
	node_want_look(work->node);
	wake_waiting(work->engine);
	return 0;
}

/*
 * A change failed: a release that cannot be is failed at once, what may pass is tried again later.
 * True: not now.
 */
static bool after_failure(struct work *work, const struct slot_plan *plan, struct slot_run *run,
			  const struct target *target, int *status)
{
	if (run->failure.code != E_NONE) {
		bool may_pass = err_code_class(run->failure.code) == ERR_RETRY ||
				run->failure.code == E_IMAGE_UNKNOWN;
		if (target->trying && (!may_pass || deadline_passed(run, plan))) {
			*status = fail(work, plan, run, NULL);
			return true;
		}
		backoff_failed(&run->backoff);
		snprintf(run->last_error, sizeof run->last_error, "%s", run->failure.text);
		run->failure = (struct err)ERR_INIT;
	}
	if (backoff_left(&run->backoff) == 0)
		return false;
	wait_for(run, "retry", run->last_error);
	node_look_in(work->node, backoff_left(&run->backoff) + 1);
	return true;
}

/* What is changed by somebody again and again is put right ever less often. */
static bool is_flapping(struct work *work, struct slot_run *run)
{
	int64_t now = clock_boot_ms();
	if (now - run->mended_at > FLAP_WINDOW_MS)
		run->mends = 0;
	int64_t delay = run->mends < FLAP_FREE ? 0 : BACKOFF_FIRST_MS << (run->mends - FLAP_FREE);
	if (delay > FLAP_WINDOW_MS)
		delay = FLAP_WINDOW_MS;
	int64_t left = run->mended_at + delay - now;
	if (run->mends && left > 0) {
		AUTO_FREE char *detail = mem_printf("mended %d times in a row", run->mends);
		wait_for(run, "retry", detail);
		node_look_in(work->node, left + 1);
		return true;
	}
	run->mends += run->mends < 16;
	run->mended_at = now;
	return false;
}

static void note_drift(struct slot_run *run, const struct slot_plan *plan)
{
	if (plan->drift && !run->drifting)
		run->drift_since = clock_wall_ms();
	run->drifting = plan->drift;
}

/* ---- one slot ---- */

static int roll(struct work *work, const struct slot_plan *plan, struct slot_run *run,
		const struct target *target)
{
	struct rollout rollout = {0};
	rollout_next(work->arena, &target->rollout, &rollout);
	switch (rollout.state) {
	case ROLLOUT_OPS:
		if (plan->slot && !target->trying && is_flapping(work, run))
			return 0;
		return queue_ops(work, run, &plan->key, target->record ? target->record->id : 0,
				 rollout.ops, rollout.ops_n);
	case ROLLOUT_WAIT:
		return on_waiting(work, plan, run, target, &rollout);
	case ROLLOUT_FAILED:
		if (!target->trying)
			return 0;
		err_set(&run->failure, rollout.failed_code, "%s", rollout.failed_text);
		snprintf(run->failed_step, sizeof run->failed_step, "start %s",
			 rollout.failed_name);
		return fail(work, plan, run, rollout.failed_name);
	case ROLLOUT_DONE:
		return on_done(work, plan, run, target);
	}
	return 0;
}

static const char *unresolved_error(const struct work *work, const struct slot_plan *plan)
{
	const struct look_result *seen = work->node->seen;
	for (size_t c = 0; c < plan->content.containers_n; c++)
		for (size_t i = 0; i < seen->images_n; i++)
			if (str_eq(seen->images[i].image, plan->content.containers[c].image) &&
			    !seen->images[i].digest)
				return seen->images[i].error;
	return NULL;
}

/* An image that nobody knows may still come: the manifest is often pushed before the image. */
static int wait_for_image(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	const char *why = unresolved_error(work, plan);
	if (!why) {
		/* Not asked yet: the next look asks. */
		node_want_look(work->node);
		return 0;
	}
	if (deadline_passed(run, plan)) {
		err_set(&run->failure, E_IMAGE_UNKNOWN, "%s", why);
		snprintf(run->failed_step, sizeof run->failed_step, "resolve image");
		return fail(work, plan, run, NULL);
	}
	wait_for(run, "registry", why);
	if (backoff_left(&run->backoff) == 0)
		backoff_failed(&run->backoff);
	int64_t left = run->deadline_at - clock_boot_ms() + 1, next = backoff_left(&run->backoff);
	node_look_in(work->node, next < left ? next : left);
	return 0;
}

static int work_target(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	struct target target;
	int status = 0;
	if (choose_target(work, plan, run, &target) < 0)
		return -1;
	note_drift(run, plan);
	if (plan->leave || waits_for_others(work, plan, run))
		return 0;
	if (target.trying && !plan->release_id[0])
		return wait_for_image(work, plan, run);
	if (after_failure(work, plan, run, &target, &status))
		return status;
	return roll(work, plan, run, &target);
}

static int work_slot(struct work *work, const struct slot_plan *plan)
{
	struct slot_run *run = slot_run_of(work->engine, &plan->key);
	if (run->busy || work->node->seen_seq < run->needs_look)
		return 0;
	clock_go_on(run);
	wait_over(run);
	/* Says what a record waits for; a paused scope is left alone altogether. */
	bool paused = !may_begin(work, plan, run) && str_eq(run->waiting, "paused");
	if (plan->slot && share_keep_policy(work->engine, plan->slot, run, work->err) < 0)
		return -1;
	if (!paused && work_target(work, plan, run) < 0)
		return -1;
	return report_slot(work->engine, run, plan, work->observed, work->err);
}

/* ---- a whole node ---- */

static enum unit_state state_of_unit(void *arg, const char *project, const char *stage)
{
	struct engine *engine = arg;
	struct unit unit = {UNIT_STAGE, project, stage};
	const struct accept_unit *found = accept_find(&engine->tip.outcome, &unit);
	if (!found)
		return UNIT_UNKNOWN;
	if (found->held)
		return UNIT_HELD;
	return found->gone ? UNIT_GONE : UNIT_CURRENT;
}

static void list_digests(struct work *work, struct plan_input *input)
{
	const struct look_result *seen = work->node->seen;
	struct digest_entry *digests =
		ARENA_ARRAY(work->arena, seen->images_n + 1, struct digest_entry);
	for (size_t i = 0; i < seen->images_n; i++)
		digests[i] = (struct digest_entry){work->node->name, seen->images[i].image,
						   seen->images[i].digest, seen->images[i].error};
	input->digests = digests;
	input->digests_n = seen->images_n;
}

static void make_plan(struct work *work)
{
	struct engine *engine = work->engine;
	char commit[OID_HEX_SIZE];
	struct node_view *view = ARENA_NEW(work->arena, struct node_view);
	*view = (struct node_view){.name = work->node->name, .observed = work->observed};
	struct plan_input *input = ARENA_NEW(work->arena, struct plan_input);
	*input = (struct plan_input){
		.commit = arena_strdup(work->arena, oid_hex(&engine->tip.seen, commit)),
		.desired = share_desired(engine, work->node->name, work->arena),
		.model = engine->tip.outcome.model,
		.history = share_history(engine, work->history, work->node->name, work->arena),
		.nodes = view,
		.nodes_n = 1,
		.owner = engine->owner,
		.unit_state = state_of_unit,
		.unit_arg = engine,
		.adopting = engine->adopting,
	};
	list_digests(work, input);
	work->plan = plan_build(input, work->arena);
}

static bool concerns_node(const struct work *work, const struct slot_plan *plan)
{
	return str_eq(plan->key.node, work->node->name);
}

/* Brings records up to date, planning again after each change, until nothing changes any more. */
static int follow_records(struct work *work)
{
	for (int round = 0; round < PLAN_ROUNDS; round++) {
		bool changed = false;
		work->history = engine_history(work->engine);
		if (!work->history)
			return err_set(work->err, E_LEDGER, "the history cannot be read");
		make_plan(work);
		for (size_t i = 0; i < work->plan->slots_n; i++) {
			const struct slot_plan *plan = &work->plan->slots[i];
			struct slot_run *run = slot_run_of(work->engine, &plan->key);
			bool adopted = false;
			if (!concerns_node(work, plan) || run->busy)
				continue;
			if (engine_write(work->engine, work->err) < 0)
				return -1;
			if (work->engine->adopting &&
			    records_adopt(work->engine, plan, work->observed, &adopted, work->err) <
				    0)
				return -1;
			changed |= adopted;
			if (!adopted &&
			    records_follow(work->engine, run, plan, may_begin(work, plan, run),
					   &changed, work->err) < 0)
				return -1;
		}
		if (!changed)
			return 0;
		work->engine->history_stale = true;
	}
	return 0;
}

static bool is_slow(const struct pending_group *group)
{
	for (size_t i = 0; i < group->ops_n; i++)
		if (group->ops[i].kind == OP_STOP || group->ops[i].kind == OP_REMOVE)
			return true;
	return false;
}

/* Quick changes of many slots share a few children; what may take its time gets one of its own. */
static void queue_groups(struct work *work)
{
	enum { SHARED_ACTS = 4 };
	struct pending_act *shared[SHARED_ACTS] = {0};
	size_t quick = 0;
	for (size_t i = 0; i < work->groups.n; i++) {
		struct pending_group *group = &work->groups.v[i];
		bool slow = is_slow(group);
		struct pending_act **place = slow ? NULL : &shared[quick++ % SHARED_ACTS];
		struct pending_act *act = place ? *place : NULL;
		if (!act) {
			act = mem_zalloc(1, sizeof *act);
			act->node = work->node;
			nodes_queue_act(work->engine, act);
			if (place)
				*place = act;
		}
		VEC_PUSH(&act->groups, *group);
	}
}

static bool node_is_ours(struct work *work)
{
	struct node_run *node = work->node;
	if (!work->observed->owner || str_eq(work->observed->owner, work->engine->owner))
		return true;
	if (node->problem.code != E_NODE_OWNED)
		log_event(LOG_ERROR, "node owned by another", "node", node->name, "owner",
			  work->observed->owner, NULL);
	err_set(&node->problem, E_NODE_OWNED, "it belongs to %s; trueup node:take %s moves it here",
		work->observed->owner, node->name);
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
			end_adoption(&work);
	}
	queue_groups(&work);
	VEC_FREE(&work.groups);
	if (status < 0)
		return -1;
	return report_node(engine, node, err);
}

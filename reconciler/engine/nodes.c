#include "base/sys.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/keeping.h"
#include "engine/share.h"
#include "schema/kinds.h"

/* A look at a node whose events are seen happens all the same, at least so often. */
#define CHILDREN(engine) ((size_t)KIND_OR((engine)->settings, settings, parallel))

struct node_run *node_find(struct engine *engine, const char *name)
{
	return map_get(&engine->nodes, name);
}

/* ---- when to look ---- */

static void on_timer(void *arg)
{
	struct node_run *node = arg;
	node->timer = NULL;
	node->timer_at = 0;
	node->look_wanted = true;
}

void node_look_in(struct node_run *node, int64_t delay_ms)
{
	int64_t at = clock_boot_ms() + delay_ms;
	if (node->timer && node->timer_at <= at)
		return;
	loop_timer_del(&node->timer);
	node->timer = loop_timer_add(node->engine->loop, delay_ms, on_timer, node);
	node->timer_at = at;
}

void node_want_look(struct node_run *node)
{
	node->look_wanted = true;
}

void nodes_want_look_all(struct engine *engine)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));)
		node_want_look(e->value);
}

/* ---- looking ---- */

static void look_failed(struct node_run *node, const struct err *failure)
{
	struct engine *engine = node->engine;
	node->concerned = false;
	if (node->reachable || node->problem.code != failure->code)
		log_event(LOG_WARN, "node", "node", node->name, "code",
			  err_code_name(failure->code), "error", failure->text, NULL);
	node->problem = *failure;
	node->reachable = false;
	node->fresh = false;
	backoff_failed(&node->backoff);
	node_look_in(node, backoff_left(&node->backoff) + 1);
	slots_node_lost(engine, node);
	report_node(engine, node, NULL);
}

static void on_looked(void *owner, struct look_result *result, const struct err *failure)
{
	struct node_run *node = owner;
	struct engine *engine = node->engine;
	node->look = NULL;
	node->ever_looked = true;
	engine->children--;
	if (!result) {
		look_failed(node, failure);
		return;
	}
	look_result_free(node->seen);
	node->seen = result;
	node->seen_seq = node->look_seq;
	node->seen_wall_ms = clock_wall_ms();
	node->fresh = true;
	node->reachable = true;
	node->problem.code = E_NONE;
	backoff_clear(&node->backoff);
	loop_timer_del(&node->timer);
	if (!engine->once)
		node_look_in(node, KIND_OR(engine->settings, settings, look_interval));
}

struct look_wishes {
	const char **images;
	size_t images_n;
};

/* What the plan will need to know besides what runs: the digests of new images. */
static void gather_wishes(struct node_run *node, const struct history *history, struct arena *arena,
			  struct look_wishes *out)
{
	struct engine *engine = node->engine;
	struct plan_input input = {.desired = share_desired(engine, node->name, arena),
				   .model = engine->tip.outcome.model,
				   .history = share_history(engine, history, node->name, arena),
				   .owner = engine->owner};
	struct digest_entry *images;
	size_t n = plan_images(&input, arena, &images);
	out->images = ARENA_ARRAY(arena, n + 1, const char *);
	for (size_t i = 0; i < n; i++)
		if (str_eq(images[i].node, node->name))
			out->images[out->images_n++] = images[i].image;
}

static void start_look(struct node_run *node, const struct history *history)
{
	struct engine *engine = node->engine;
	struct err err = ERR_INIT;
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct look_wishes wishes = {0};
	gather_wishes(node, history, arena, &wishes);
	struct look_request request = {.node = node->doc,
				       .env = &engine->env,
				       .images = wishes.images,
				       .images_n = wishes.images_n};
	node->look_wanted = false;
	node->look_seq++;
	node->look = look_start(engine->loop, &request, on_looked, node, &err);
	if (node->look)
		engine->children++;
	else
		look_failed(node, &err);
}

/* ---- acting ---- */

static void free_act(struct pending_act *act)
{
	for (size_t i = 0; i < act->groups.n; i++)
		arena_free(act->groups.v[i].arena);
	VEC_FREE(&act->groups);
	free(act);
}

/* An act that runs: what it needs to find its way back. */
struct running_act {
	struct engine *engine;
	struct pending_act *act;
};

static void note_result(struct engine *engine, const struct pending_group *group, size_t op,
			bool ok, const char *text)
{
	if (engine_write(engine, NULL) == 0)
		ledger_result(engine->ledger, group->steps[op], ok, text, clock_wall_ms(), NULL);
}

/* What was written down and will not be done now is no open question. */
static void note_untried(struct engine *engine, const struct pending_group *group, size_t from)
{
	for (size_t i = from; i < group->ops_n; i++)
		note_result(engine, group, i, false, "not tried");
}

static void on_result(void *owner, const struct act_result *result)
{
	struct running_act *running = owner;
	struct engine *engine = running->engine;
	if (result->group >= running->act->groups.n ||
	    result->op >= running->act->groups.v[result->group].ops_n)
		return;
	struct pending_group *group = &running->act->groups.v[result->group];
	struct op *op = &group->ops[result->op];
	struct slot_run *slot = group->slot;
	log_event(result->ok ? LOG_DEBUG : LOG_WARN, op_word(op->kind), "name", op->name, "slot",
		  slot->id, "ms", log_int(result->took_ms), "error",
		  result->ok ? NULL : result->text, NULL);
	note_result(engine, group, result->op, result->ok, result->text);
	if (op->kind == OP_STOP && slot->record && !slot->down_since)
		slot->down_since = clock_boot_ms() - result->took_ms;
	if (result->ok)
		return;
	note_untried(engine, group, result->op + 1);
	AUTO_FREE char *step = mem_printf("%s %s", op_word(op->kind),
					  op->name   ? op->name
					  : op->spec ? op->spec->image
						     : "");
	slot_fail(slot, step, result->code == E_NONE ? E_INTERNAL : result->code, "%s",
		  result->text);
}

static void on_acted(void *owner, const struct err *failure)
{
	struct running_act *running = owner;
	struct engine *engine = running->engine;
	struct node_run *node = running->act->node;
	engine->children--;
	node->acts--;
	for (size_t i = 0; i < running->act->groups.n; i++) {
		struct slot_run *slot = running->act->groups.v[i].slot;
		slot->busy = false;
		slot->needs_look = node->look_seq + 1;
		if (failure)
			log_event(LOG_WARN, "act", "slot", slot->id, "error", failure->text, NULL);
	}
	node_want_look(node);
	free_act(running->act);
	free(running);
}

static bool start_act(struct engine *engine, struct pending_act *act)
{
	struct err err = ERR_INIT;
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct running_act *running = mem_zalloc(1, sizeof *running);
	struct act_group *groups = ARENA_ARRAY(arena, act->groups.n, struct act_group);
	for (size_t i = 0; i < act->groups.n; i++)
		groups[i] = (struct act_group){act->groups.v[i].ops, act->groups.v[i].ops_n};
	*running = (struct running_act){engine, act};
	struct act_request request = {.node = act->node->doc,
				      .env = &engine->env,
				      .groups = groups,
				      .groups_n = act->groups.n};
	if (act_start(engine->loop, &request, on_result, on_acted, running, &err)) {
		engine->children++;
		return true;
	}
	log_event(LOG_ERROR, "act", "error", err.text, NULL);
	free(running);
	return false;
}

void nodes_queue_act(struct engine *engine, struct pending_act *act)
{
	act->node->acts++;
	VEC_PUSH(&engine->queue, act);
}

static void drop_act(struct engine *engine, struct pending_act *act)
{
	for (size_t i = 0; i < act->groups.n; i++) {
		act->groups.v[i].slot->busy = false;
		act->groups.v[i].slot->needs_look = act->node->look_seq + 1;
	}
	act->node->acts--;
	if (!engine->stopping)
		node_look_in(act->node, BACKOFF_FIRST_MS);
	free_act(act);
}

static void start_acts(struct engine *engine)
{
	size_t started = 0;
	while (started < engine->queue.n && engine->children < CHILDREN(engine)) {
		struct pending_act *act = engine->queue.v[started++];
		/* Its node may have left the commit while it waited. */
		if (act->node->doc && start_act(engine, act))
			continue;
		for (size_t i = 0; i < act->groups.n; i++)
			note_untried(engine, &act->groups.v[i], 0);
		drop_act(engine, act);
	}
	if (started) {
		engine->queue.n -= started;
		memmove(engine->queue.v, engine->queue.v + started,
			engine->queue.n * sizeof *engine->queue.v);
	}
}

static void start_looks(struct engine *engine)
{
	const struct history *history = engine_history(engine);
	if (!history || !engine->tip.outcome.desired || !engine->owner[0])
		return;
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));) {
		struct node_run *node = e->value;
		if (!node->doc || !node->look_wanted || node->look || backoff_left(&node->backoff))
			continue;
		if (engine->children >= CHILDREN(engine))
			return;
		start_look(node, history);
	}
}

/* ---- a turn ---- */

static void free_node(struct node_run *node)
{
	look_cancel(&node->look);
	look_result_free(node->seen);
	loop_timer_del(&node->timer);
	free(node->state_json);
	json_decref(node->unclaimed);
	free(node->name);
	free(node);
}

/* Nodes without a document go when their last change is over; what runs there goes on. */
static void let_go(struct engine *engine)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));) {
		struct node_run *node = e->value;
		if (node->doc || node->acts)
			continue;
		if (node->look)
			engine->children--;
		ledger_drop_node(engine->ledger, node->name, NULL);
		map_del(&engine->nodes, node->name);
		free_node(node);
	}
}

static void work_on(struct engine *engine, struct node_run *node)
{
	struct err err = ERR_INIT;
	node->fresh = false;
	if (node->seen_seq > node->concerned_seq)
		node->concerned = false;
	if (slots_work(engine, node, &err) == 0)
		return;
	engine_ledger_failed(engine, &err);
	ledger_rollback(engine->ledger);
	engine->in_transaction = false;
	engine->history_stale = true;
	node_look_in(node, BACKOFF_FIRST_MS);
}

/* Said once of each commit in force: the nodes it concerns were seen, or cannot be. */
static bool tell_plan(struct engine *engine)
{
	char hex[OID_HEX_SIZE], took[TIP_TOOK_MAX];
	if (!engine->tip.planning_us)
		return false;
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));)
		if (((struct node_run *)e->value)->concerned)
			return false;
	log_event(LOG_INFO, "plan ready", "commit", oid_hex(&engine->tip.seen, hex), "ms",
		  tip_took(engine->tip.planning_us, took), NULL);
	engine->tip.planning_us = 0;
	return true;
}

static bool may_begin(const struct engine *engine)
{
	return !engine->stopping && engine->unwritten.code == E_NONE;
}

void nodes_turn(struct engine *engine)
{
	bool planned = false;
	let_go(engine);
	if (may_begin(engine)) {
		for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));) {
			struct node_run *node = e->value;
			if (node->fresh)
				work_on(engine, node);
		}
		planned = tell_plan(engine);
	}
	/* Acts first: they are what somebody waits for. Where there are none, nothing a look does
	 * has to wait for the disk. */
	if (may_begin(engine) && engine->queue.n == 0)
		start_looks(engine);
	/* Intents must be on disk before their changes start. */
	if (engine_commit(engine) < 0) {
		for (size_t i = 0; i < engine->queue.n; i++)
			drop_act(engine, engine->queue.v[i]);
		engine->queue.n = 0;
	}
	if (may_begin(engine)) {
		start_acts(engine);
		start_looks(engine);
	}
	/* What nobody waits for comes last. */
	if (planned)
		keeping_want(engine);
}

/* ---- following the documents ---- */

static struct node_run *add_node(struct engine *engine, const char *name)
{
	struct node_run *node = mem_zalloc(1, sizeof *node);
	node->upkeep_due = true;
	node->engine = engine;
	node->name = mem_strdup(name);
	map_put(&engine->nodes, name, node);
	return node;
}

static bool same_inputs(const struct slot *a, const struct slot *b)
{
	if (a->inputs_n != b->inputs_n)
		return false;
	for (size_t i = 0; i < a->inputs_n; i++)
		if (a->inputs[i] != b->inputs[i])
			return false;
	return true;
}

/* A look that runs already does not know what to ask for. */
static void concern(struct node_run *node)
{
	node_want_look(node);
	node->concerned = backoff_left(&node->backoff) == 0;
	node->concerned_seq = node->look_seq;
}

static void want_look_at(struct engine *engine, const char *name)
{
	struct node_run *node = node_find(engine, name);
	if (node)
		concern(node);
}

/* One walk over both sorted lists: only nodes with a slot that came, went or changed are looked at.
 */
static void mark_changed(struct engine *engine, const struct desired *before,
			 const struct desired *now)
{
	size_t b = 0, n = 0, before_n = before ? before->slots_n : 0;
	while (b < before_n || n < now->slots_n) {
		int order = b == before_n ? 1
			    : n == now->slots_n
				    ? -1
				    : slot_key_cmp(&before->slots[b].key, &now->slots[n].key);
		if (order < 0)
			want_look_at(engine, before->slots[b++].key.node);
		else if (order > 0)
			want_look_at(engine, now->slots[n++].key.node);
		else {
			if (!same_inputs(&before->slots[b], &now->slots[n]))
				want_look_at(engine, now->slots[n].key.node);
			b++;
			n++;
		}
	}
}

void nodes_follow(struct engine *engine, const struct desired *before)
{
	const struct model *model = engine->tip.outcome.model;
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));)
		((struct node_run *)e->value)->doc = NULL;
	for (size_t i = 0; i < model->nodes.n; i++) {
		const struct node *doc = model->nodes.v[i];
		if (engine->options.node && !str_eq(engine->options.node, doc->name))
			continue;
		struct node_run *node = node_find(engine, doc->name);
		if (!node) {
			node = add_node(engine, doc->name);
			concern(node);
		}
		node->doc = doc;
	}
	mark_changed(engine, before, engine->tip.outcome.desired);
	let_go(engine);
}

void nodes_release(struct engine *engine)
{
	for (size_t i = 0; i < engine->queue.n; i++)
		free_act(engine->queue.v[i]);
	engine->queue.n = 0;
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));)
		free_node(e->value);
	map_release(&engine->nodes);
}

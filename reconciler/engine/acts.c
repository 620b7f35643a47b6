#include "base/sys.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/core.h"

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

/* What a child speaks of; NULL: nothing that it was given. */
static const struct op *op_of(const struct running_act *running, size_t group, size_t op)
{
	const struct pending_act *act = running->act;
	if (group >= act->groups.n || op >= act->groups.v[group].ops_n)
		return NULL;
	return &act->groups.v[group].ops[op];
}

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

static bool is_stop(const struct op *op)
{
	return op->kind == OP_STOP || op->kind == OP_REMOVE;
}

static void note_stop(struct engine *engine, const struct slot_run *slot, const struct op *op,
		      const struct act_result *result)
{
	if (slow_stop_note(engine->slow_stops, slot->id, op->name, result->unheard,
			   result->took_ms))
		engine_keep_slow_stops(engine);
}

/* ---- how far a pull is ---- */

/* It is said in the log, and to whoever waits, ever less often. */
#define SAY_FIRST_MS 5000
#define SAY_LAST_MS 60000

static void begin_pull(struct slot_run *slot, const char *image)
{
	int64_t now = clock_boot_ms();
	slot->pull = mem_zalloc(1, sizeof *slot->pull);
	*slot->pull = (struct slot_pull){.image = mem_strdup(image),
					 .since_ms = clock_wall_ms(),
					 .say_at = now + SAY_FIRST_MS,
					 .say_in = SAY_FIRST_MS};
}

static void say_pull(struct engine *engine, const struct slot_run *slot)
{
	struct slot_pull *pull = slot->pull;
	int64_t now = clock_boot_ms();
	if (now < pull->say_at)
		return;
	pull->say_in = 2 * pull->say_in < SAY_LAST_MS ? 2 * pull->say_in : SAY_LAST_MS;
	pull->say_at = now + pull->say_in;
	AUTO_BUF struct buf words = BUF_INIT(BUF_MAX_LINE);
	buf_addf(&words, "%s: ", pull->image);
	op_progress_words(&pull->progress, &words);
	engine_say(engine, "pulling", slot->id, buf_str(&words));
}

static void on_progress(void *owner, const struct act_progress *told)
{
	struct running_act *running = owner;
	const struct op *op = op_of(running, told->group, told->op);
	if (!op || op->kind != OP_PULL)
		return;
	struct slot_run *slot = running->act->groups.v[told->group].slot;
	if (!slot->pull)
		begin_pull(slot, op->spec->image);
	slot->pull->progress = told->progress;
	say_pull(running->engine, slot);
}

void slot_end_pull(struct slot_run *slot)
{
	if (slot->pull)
		free(slot->pull->image);
	free(slot->pull);
	slot->pull = NULL;
}

/* The deadline is that of health: what it takes to get an image is not counted. */
static void note_pull(struct slot_run *slot, const struct act_result *result)
{
	slot_end_pull(slot);
	if (slot->deadline_at && !slot->paused_at)
		slot->deadline_at += result->took_ms;
}

static void on_result(void *owner, const struct act_result *result)
{
	struct running_act *running = owner;
	struct engine *engine = running->engine;
	const struct op *op = op_of(running, result->group, result->op);
	if (!op)
		return;
	struct pending_group *group = &running->act->groups.v[result->group];
	struct slot_run *slot = group->slot;
	log_event(result->ok ? LOG_DEBUG : LOG_WARN, op_word(op->kind), "name", op->name, "slot",
		  slot->id, "ms", log_int(result->took_ms), "error",
		  result->ok ? NULL : result->text, NULL);
	note_result(engine, group, result->op, result->ok, result->text);
	if (op->kind == OP_PULL)
		note_pull(slot, result);
	if (op->kind == OP_STOP && slot->record && !slot->down_since)
		slot->down_since = clock_boot_ms() - result->took_ms;
	if (result->ok && result->changed && is_stop(op))
		note_stop(engine, slot, op, result);
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
		slot_end_pull(slot);
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
	engine->env.model = engine->tip.outcome.model;
	struct act_request request = {.node = act->node->doc,
				      .env = &engine->env,
				      .groups = groups,
				      .groups_n = act->groups.n,
				      .progress = on_progress};
	if (act_start(engine->loop, &request, on_result, on_acted, running, &err)) {
		engine->children++;
		return true;
	}
	log_event(LOG_ERROR, "act", "error", err.text, NULL);
	free(running);
	return false;
}

void acts_queue(struct engine *engine, struct pending_act *act)
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

void acts_drop_all(struct engine *engine)
{
	for (size_t i = 0; i < engine->queue.n; i++)
		drop_act(engine, engine->queue.v[i]);
	engine->queue.n = 0;
}

void acts_start(struct engine *engine)
{
	size_t started = 0;
	while (started < engine->queue.n && engine_has_room(engine)) {
		struct pending_act *act = engine->queue.v[started++];
		/* Its node may have left the commit while it waited. */
		if (act->node->doc && start_act(engine, act))
			continue;
		for (size_t i = 0; i < act->groups.n; i++)
			note_untried(engine, &act->groups.v[i], 0);
		drop_act(engine, act);
	}
	if (started == 0)
		return;
	engine->queue.n -= started;
	memmove(engine->queue.v, engine->queue.v + started,
		engine->queue.n * sizeof *engine->queue.v);
}

void acts_release(struct engine *engine)
{
	for (size_t i = 0; i < engine->queue.n; i++)
		free_act(engine->queue.v[i]);
	VEC_FREE(&engine->queue);
}

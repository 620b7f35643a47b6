#include "base/sys.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/keeping.h"
#include "engine/rest.h"
#include "engine/share.h"
#include "engine/tags.h"
#include "schema/kinds.h"

/* ---- looking ---- */

static void forget_look(struct node_run *node)
{
	look_result_free(node->seen);
	node->seen = NULL;
}

static void look_failed(struct node_run *node, const struct err *failure)
{
	struct engine *engine = node->engine;
	node->concerned = false;
	if (node->reachable || node->problem.code != failure->code)
		log_event(LOG_WARN, "node", "node", node->name, "code",
			  err_code_name(failure->code), "error", failure->text, NULL);
	node->problem = *failure;
	node->reachable = false;
	forget_look(node);
	backoff_failed(&node->backoff);
	node_look_in(node, backoff_left(&node->backoff) + 1);
	slots_node_lost(engine, node);
	report_node(engine, node, NULL);
}

/* A new record is made from what its tag means in this look. */
static void take_image(struct engine *engine, struct node_run *node, const struct look_image *image)
{
	rest_note(engine, image);
	if (image->digest)
		tags_resolved(engine, node->name, image->image);
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
	forget_look(node);
	for (size_t i = 0; i < result->images_n; i++)
		take_image(engine, node, &result->images[i]);
	memo_take(&node->memo, node->look_seq, result->observed.memo);
	node->seen = result;
	free(node->engine_name);
	node->engine_name = mem_strdup(result->observed.engine);
	node->seen_seq = node->look_seq;
	node->seen_wall_ms = clock_wall_ms();
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
		if (str_eq(images[i].node, node->name) && !rest_left(engine, images[i].image, NULL))
			out->images[out->images_n++] = images[i].image;
}

static void start_look(struct node_run *node, const struct history *history)
{
	struct engine *engine = node->engine;
	struct err err = ERR_INIT;
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct look_wishes wishes = {0};
	gather_wishes(node, history, arena, &wishes);
	engine->env.model = engine->tip.outcome.model;
	engine->env.checked = &node->checked;
	engine->env.memo = memo_give(&node->memo);
	struct look_request request = {.node = node->doc,
				       .env = &engine->env,
				       .images = wishes.images,
				       .images_n = wishes.images_n};
	node->look_wanted = false;
	node->look_seq++;
	node->look = look_start(engine->loop, &request, on_looked, node, &err);
	engine->env.checked = NULL;
	engine->env.memo = NULL;
	memo_given(&node->memo);
	if (node->look)
		engine->children++;
	else
		look_failed(node, &err);
}

/* Sees to it that it is asked again when the time has come. */
static bool is_calm(struct node_run *node)
{
	int64_t left = node->acts ? node->calm_until - clock_boot_ms() : 0;
	if (left <= 0)
		return false;
	node_look_in(node, left);
	return true;
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
		if (is_calm(node))
			continue;
		if (!engine_has_room(engine))
			return;
		start_look(node, history);
	}
}

/* ---- a turn ---- */

static void free_node(struct node_run *node)
{
	tags_let_go(node);
	look_cancel(&node->look);
	forget_look(node);
	node_forget_checked(node);
	memo_release(&node->memo);
	loop_timer_del(&node->timer);
	free(node->engine_name);
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
	if (node->seen_seq > node->concerned_seq)
		node->concerned = false;
	int status = slots_work(engine, node, &err);
	forget_look(node);
	if (status == 0)
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
		ledger_hold(engine->ledger);
		for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));) {
			struct node_run *node = e->value;
			if (node->seen)
				work_on(engine, node);
		}
		ledger_let_go(engine->ledger);
		planned = tell_plan(engine);
	}
	/* Where no change is queued, nothing that a look does has to wait for the disk. */
	if (may_begin(engine) && engine->queue.n == 0)
		start_looks(engine);
	/* Intents must be on disk before their changes start. */
	if (engine_commit(engine) < 0)
		acts_drop_all(engine);
	/* Changes first: they are what somebody waits for. */
	if (may_begin(engine)) {
		acts_start(engine);
		start_looks(engine);
		tags_turn(engine);
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
				    : slot_key_cmp(&before->slots[b]->key, &now->slots[n]->key);
		if (order < 0)
			want_look_at(engine, before->slots[b++]->key.node);
		else if (order > 0)
			want_look_at(engine, now->slots[n++]->key.node);
		else {
			if (!same_inputs(before->slots[b], now->slots[n]))
				want_look_at(engine, now->slots[n]->key.node);
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
	/* The next look at a node that is away may be minutes off. */
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));) {
		struct node_run *node = e->value;
		if (node->ever_looked && !node->reachable && node->look_wanted)
			slots_node_lost(engine, node);
	}
}

void nodes_release(struct engine *engine)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));)
		free_node(e->value);
	map_release(&engine->nodes);
}

#include "base/sys.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/intents.h"
#include "engine/upkeep.h"
#include "plan/upkeep.h"
#include "schema/kinds.h"

static bool is_at_rest(const struct work *work)
{
	const struct engine *engine = work->engine;
	/* What ended in this very turn is not in the history yet: the look after it will do. */
	if (work->groups.n || work->node->acts || engine->history_stale || engine->adopting ||
	    engine->paused.count)
		return false;
	for (size_t i = 0; i < work->history->records_n; i++) {
		const struct record *record = &work->history->records[i];
		if (record_is_open(record) && str_eq(record->slot.node, work->node->name))
			return false;
	}
	return true;
}

static int content_of(void *arg, int64_t record, struct arena *arena, const char **json,
		      struct err *err)
{
	struct engine *engine = arg;
	struct err own = ERR_INIT;
	if (ledger_content(engine->ledger, record, arena, json, &own) == 0 ||
	    own.code == E_NOT_FOUND)
		return 0;
	return err_set(err, own.code, "%s", own.text);
}

/* What failed is tried again after a while; what serves is not delayed by it. */
static bool may_try(struct work *work, struct slot_run *run)
{
	if (run->failure) {
		backoff_failed(&run->backoff);
		slot_forget_failure(run);
		work->node->upkeep_due = true;
	}
	if (!work->node->upkeep_due)
		return false;
	int64_t left = backoff_left(&run->backoff);
	if (left == 0)
		return true;
	node_look_in(work->node, left + 1);
	return false;
}

/* Some of the digests, shortened; every one of them has a step of its own. */
static const char *detail_of(struct arena *arena, const char *const *digests, size_t n)
{
	enum { NAMED_MAX = 2, SHOWN = 19 };
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	for (size_t i = 0; i < n && i < NAMED_MAX; i++)
		buf_addf(&text, "%s%.*s", i ? ", " : "", SHOWN, digests[i]);
	if (n > NAMED_MAX)
		buf_addf(&text, ", and %zu more", n - NAMED_MAX);
	return arena_strdup(arena, buf_str(&text));
}

int upkeep_work(struct work *work)
{
	struct engine *engine = work->engine;
	struct node_run *node = work->node;
	struct slot_run *run = slot_run_of_node(engine, node->name);
	if (run->busy || !may_try(work, run) || !is_at_rest(work))
		return 0;
	const struct upkeep_input input = {
		.history = work->history,
		.observed = work->observed,
		.releases = KIND_OR(engine->settings, settings, keep_releases),
		.content = content_of,
		.arg = engine,
	};
	const char **digests;
	size_t n;
	struct err err = ERR_INIT;
	node->upkeep_due = false;
	if (upkeep_images(&input, work->arena, &digests, &n, &err) < 0) {
		log_event(LOG_WARN, "images", "node", node->name, "error", err.text, NULL);
		return 0;
	}
	if (n == 0)
		return 0;
	struct op *ops = ARENA_ARRAY(work->arena, n, struct op);
	for (size_t i = 0; i < n; i++)
		ops[i] = (struct op){.kind = OP_IMAGE_REMOVE, .name = digests[i]};
	log_event(LOG_INFO, "images", "node", node->name, "not needed any more",
		  log_int((int64_t)n), NULL);
	const struct slot_key key = {.node = node->name};
	if (intents_queue(work, run, &key, 0, ops, n) < 0)
		return -1;
	return ledger_audit(engine->ledger, "trueup", "image-remove", node->name,
			    detail_of(work->arena, digests, n), clock_wall_ms(), work->err);
}

#include "base/sys.h"

#include "base/json.h"
#include "base/log.h"
#include "engine/core.h"

/* ---- the ledger, one transaction a turn ---- */

bool engine_stands(struct engine *engine)
{
	struct err *lost = &engine->lost;
	return lost->code == E_NONE && state_check_there(&engine->state, lost) == 0 &&
	       ledger_check_there(engine->ledger, lost) == 0;
}

static void on_unwritten(void *arg);

static void try_again_later(struct engine *engine)
{
	backoff_failed(&engine->unwritten_backoff);
	engine->unwritten_timer = loop_timer_add(
		engine->loop, backoff_left(&engine->unwritten_backoff) + 1, on_unwritten, engine);
}

/* Something must be written: an empty transaction needs no disk. */
static void on_unwritten(void *arg)
{
	struct engine *engine = arg;
	engine->unwritten_timer = NULL;
	if (ledger_begin(engine->ledger, NULL) == 0 &&
	    ledger_put(engine->ledger, "unwritten", engine->unwritten.text, NULL) == 0 &&
	    ledger_put(engine->ledger, "unwritten", NULL, NULL) == 0 &&
	    ledger_commit(engine->ledger, NULL) == 0) {
		err_set(&engine->lost, E_LEDGER, "the ledger can be written again");
		return;
	}
	ledger_rollback(engine->ledger);
	try_again_later(engine);
}

void engine_ledger_failed(struct engine *engine, const struct err *err)
{
	bool first = engine->unwritten.code == E_NONE;
	if (first)
		log_event(LOG_ERROR, "ledger", "error", err->text, NULL);
	if (err->code == E_LEDGER_CORRUPT)
		engine->lost = *err;
	else if (first && (err->code == E_DISK_FULL || err->code == E_LEDGER)) {
		engine->unwritten = *err;
		try_again_later(engine);
	}
}

int engine_write(struct engine *engine, struct err *err)
{
	struct err own = ERR_INIT;
	if (engine->in_transaction)
		return 0;
	if (engine->unwritten.code != E_NONE)
		return err_set(err, engine->unwritten.code, "%s", engine->unwritten.text);
	if (!engine_stands(engine))
		return err_set(err, engine->lost.code, "%s", engine->lost.text);
	if (ledger_begin(engine->ledger, &own) < 0) {
		engine_ledger_failed(engine, &own);
		return err_set(err, own.code, "%s", own.text);
	}
	engine->in_transaction = true;
	return 0;
}

int engine_commit(struct engine *engine)
{
	struct err err = ERR_INIT;
	if (!engine->in_transaction)
		return 0;
	engine->in_transaction = false;
	if (ledger_commit(engine->ledger, &err) == 0)
		return 0;
	/* Whether it is on disk is unknown: forget what was believed. */
	engine_ledger_failed(engine, &err);
	ledger_rollback(engine->ledger);
	engine->history_stale = true;
	return -1;
}

const struct history *engine_history(struct engine *engine)
{
	struct err err = ERR_INIT;
	if (!engine->history_stale)
		return &engine->history;
	struct arena *arena = arena_new(0);
	struct history history = {0};
	if (ledger_history(engine->ledger, NULL, arena, &history, &err) < 0) {
		engine_ledger_failed(engine, &err);
		arena_free(arena);
		return NULL;
	}
	arena_free(engine->history_arena);
	engine->history_arena = arena;
	engine->history = history;
	engine->history_stale = false;
	return &engine->history;
}

/* ---- what it says and what is told ---- */

static void keep(struct engine *engine, const char *name, const json_t *value)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	json_write(value, &text);
	if (engine_write(engine, NULL) == 0)
		ledger_put(engine->ledger, name, buf_str(&text), NULL);
}

void engine_keep_slow_stops(struct engine *engine)
{
	keep(engine, "slow-stops", engine->slow_stops);
}

void engine_keep_moved_tags(struct engine *engine)
{
	keep(engine, "tags", engine->moved_tags);
}

bool engine_is_paused(const struct engine *engine, const char *project, const char *stage)
{
	AUTO_FREE char *both = mem_printf("%s/%s", project, stage);
	return map_has(&engine->paused, "*") || map_has(&engine->paused, project) ||
	       map_has(&engine->paused, both);
}

void engine_say(struct engine *engine, const char *event, const char *subject, const char *detail)
{
	log_event(LOG_INFO, event, "what", subject, "detail", detail, NULL);
	if (!engine->progress)
		return;
	AUTO_FREE char *line =
		mem_printf("%s: %s%s%s", subject, event, detail ? ": " : "", detail ? detail : "");
	engine->progress(engine->progress_arg, line);
}

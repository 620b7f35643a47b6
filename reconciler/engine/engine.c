#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/core.h"
#include "schema/kinds.h"

/* Steps are kept for 90 days; they are trimmed at each start. */
#define STEPS_KEPT_MS ((int64_t)90 * 24 * 3600 * 1000)

/* ---- back-off ---- */

void backoff_failed(struct backoff *backoff)
{
	int64_t delay = BACKOFF_FIRST_MS;
	for (int i = 0; i < backoff->failures && delay < BACKOFF_MAX_MS; i++)
		delay *= 2;
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	uint32_t dice;
	hash_random(&dice, sizeof dice);
	backoff->failures++;
	backoff->not_before =
		clock_boot_ms() + delay - delay / 4 + (int64_t)(dice % (uint32_t)(delay / 4 + 1));
}

void backoff_clear(struct backoff *backoff)
{
	*backoff = (struct backoff){0};
}

int64_t backoff_left(const struct backoff *backoff)
{
	int64_t left = backoff->not_before - clock_boot_ms();
	return backoff->failures && left > 0 ? left : 0;
}

/* ---- talk ---- */

const char *slot_id(const struct slot_key *key, char out[SLOT_ID_MAX])
{
	snprintf(out, SLOT_ID_MAX, "%s/%s/%s@%s", key->project, key->stage, key->deployment,
		 key->node);
	return out;
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

static void restore_paused(struct engine *engine)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	const char *text = NULL;
	size_t i;
	json_t *scope;
	if (ledger_get(engine->ledger, "paused", arena, &text, NULL) < 0 || !text)
		return;
	AUTO_JSON json_t *list = json_read(text, strlen(text), BUF_MAX_TEXT, NULL);
	json_array_foreach(list, i, scope)
		map_put(&engine->paused, json_string_value(scope), engine);
}

bool engine_is_paused(const struct engine *engine, const char *project, const char *stage)
{
	AUTO_FREE char *both = mem_printf("%s/%s", project, stage);
	return map_has(&engine->paused, "*") || map_has(&engine->paused, project) ||
	       map_has(&engine->paused, both);
}

/* ---- opening and closing ---- */

static int open_ledger(struct engine *engine, struct err *err)
{
	enum ledger_opened how;
	if (ledger_open(engine->state.dir, &engine->ledger, &how, NULL, err) < 0)
		return -1;
	engine->history_stale = true;
	if (engine_write(engine, err) < 0)
		return -1;
	if (how != LEDGER_OPENED && ledger_put(engine->ledger, "adopting", "1", err) < 0)
		return -1;
	AUTO_ARENA struct arena *arena = arena_new(0);
	const char *adopting = NULL;
	if (ledger_get(engine->ledger, "adopting", arena, &adopting, err) < 0)
		return -1;
	engine->adopting = adopting != NULL;
	return 0;
}

static int open_state(struct engine *engine, const char *purpose, struct err *err)
{
	const char *dir = engine->options.state_dir, *instance = engine->options.instance;
	return instance ? state_open_as(dir, purpose, instance, &engine->state, err)
			: state_open(dir, purpose, &engine->state, err);
}

int engine_open(struct engine *engine, const struct engine_options *options, const char *purpose,
		struct err *err)
{
	*engine = (struct engine){.options = *options, .settings = options->settings};
	engine->state.lock = -1;
	engine->url = options->settings->repo;
	engine->branch = options->settings->branch ? options->settings->branch : "main";
	if (!engine->url)
		return err_set(err, E_USAGE,
			       "no repository: give --repo URL or set repo in the "
			       "settings");
	if (repo_is_remote(engine->url, &engine->remote, err) < 0 ||
	    open_state(engine, purpose, err) < 0)
		return -1;
	job_keep(engine->state.lock);
	engine->loop = loop_new(err);
	if (!engine->loop || open_ledger(engine, err) < 0 ||
	    repo_open(engine->url, engine->state.dir, &engine->repo, err) < 0)
		return -1;
	engine->env = (struct driver_env){.state_dir = engine->state.dir,
					  .owner = engine->owner,
					  .settings = engine->settings,
					  .self = options->self};
	if (engine_write(engine, err) < 0)
		return -1;
	ledger_put(engine->ledger, "repo", engine->url, NULL);
	ledger_put(engine->ledger, "branch", engine->branch, NULL);
	ledger_trim(engine->ledger, clock_wall_ms() - STEPS_KEPT_MS, NULL);
	restore_paused(engine);
	return tip_restore(engine, err);
}

void engine_close(struct engine *engine)
{
	if (engine->ledger)
		engine_commit(engine);
	if (engine->loop) {
		loop_timer_del(&engine->unwritten_timer);
		tip_release(engine);
		nodes_release(engine);
		slots_release(engine);
		loop_turn_set(engine->loop, NULL, NULL);
		job_drain(engine->loop);
	}
	arena_free(engine->history_arena);
	map_release(&engine->paused);
	VEC_FREE(&engine->queue);
	repo_close(&engine->repo);
	ledger_close(&engine->ledger);
	if (engine->loop)
		loop_free(engine->loop);
	job_keep(-1);
	state_close(&engine->state);
}

/* ---- is there anything left to do? ---- */

/* What a pass can wait for; the rest (an unreachable node, approve, a retry) takes other events. */
static bool can_go_on(const struct slot_run *run)
{
	static const char *const within[] = {"", "registry", "dependency", "ring", "retry"};
	for (size_t i = 0; i < ARRAY_LEN(within); i++)
		if (str_eq(run->waiting, within[i]))
			return true;
	return false;
}

bool engine_is_settled(struct engine *engine)
{
	const struct tip *tip = &engine->tip;
	if (engine->unwritten.code != E_NONE)
		return !engine->children;
	if (tip->state != TIP_IDLE || tip->wanted != tip->served || engine->children ||
	    engine->queue.n)
		return false;
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));) {
		const struct node_run *node = e->value;
		if (node->fresh || (node->look_wanted && node->problem.code == E_NONE) ||
		    !node->ever_looked)
			return false;
	}
	for (struct map_entry *e = NULL; (e = map_next(&engine->slots, e));) {
		const struct slot_run *run = e->value;
		if (run->busy || (run->record && can_go_on(run)))
			return false;
	}
	return true;
}

#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/core.h"
#include "engine/rest.h"
#include "engine/waiting.h"
#include "schema/kinds.h"

/* Steps are kept for 90 days; they are trimmed at each start. */
#define STEPS_KEPT_MS ((int64_t)90 * 24 * 3600 * 1000)

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
	const char *slow = NULL, *tags = NULL;
	if (ledger_get(engine->ledger, "slow-stops", arena, &slow, err) < 0 ||
	    ledger_get(engine->ledger, "tags", arena, &tags, err) < 0)
		return -1;
	engine->slow_stops = json_kept(slow, BUF_MAX_TEXT);
	engine->moved_tags = json_kept(tags, BUF_MAX_TEXT);
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
		acts_release(engine);
		nodes_release(engine);
		slots_release(engine);
		loop_turn_set(engine->loop, NULL, NULL);
		job_drain(engine->loop);
	}
	arena_free(engine->history_arena);
	map_release(&engine->paused);
	rest_release(engine);
	json_decref(engine->slow_stops);
	json_decref(engine->moved_tags);
	repo_close(&engine->repo);
	ledger_close(&engine->ledger);
	if (engine->loop)
		loop_free(engine->loop);
	job_keep(-1);
	state_close(&engine->state);
}

/* ---- is there anything left to do? ---- */

/*
 * What a pass can wait for; the rest (an unreachable node, approve, a registry that is down) takes
 * other events. A wait without a deadline would have no end.
 */
static bool can_go_on(const struct slot_run *run)
{
	static const char *const within[] = {"registry", "requires", "dependency", "ring", "retry"};
	if (run->paused_at)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(within); i++)
		if (waits_for(run, within[i]))
			return true;
	return !run->wait;
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
		if (node->seen || (node->look_wanted && node->problem.code == E_NONE) ||
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

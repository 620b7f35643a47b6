#include "base/sys.h"

#include <signal.h>

#include "base/json.h"
#include "engine/core.h"
#include "engine/oneshot.h"

/* `apply` is the daemon's engine until it has settled once, without watches and without a socket.
 */

static void on_turn(void *arg)
{
	struct engine *engine = arg;
	nodes_turn(engine);
	if (engine_is_settled(engine) || (engine->stopping && !engine->children) ||
	    !engine_stands(engine))
		loop_stop(engine->loop);
}

static void on_stop(void *arg, int signal UNUSED)
{
	struct engine *engine = arg;
	engine->stopping = true;
	engine->exit = EXIT_ERROR;
}

static const struct record *shown_record(const struct decision *decision)
{
	return decision->record ? decision->record : decision->active;
}

static json_t *done_json(struct engine *engine, bool *failed)
{
	json_t *list = json_array();
	const struct desired *desired = engine->tip.outcome.desired;
	for (size_t i = 0; desired && engine_history(engine) && i < desired->slots_n; i++) {
		const struct slot *slot = desired->slots[i];
		struct decision decision;
		lifecycle_decide(slot, &engine->history, &decision);
		const struct record *record = shown_record(&decision);
		*failed |= decision.kind == DECIDE_HELD;
		json_t *json = json_object();
		json_put_str(json, "project", slot->key.project);
		json_put_str(json, "stage", slot->key.stage);
		json_put_str(json, "deployment", slot->key.deployment);
		json_put_str(json, "node", slot->key.node);
		json_put_str(json, "version", slot->version_name);
		json_put_str(json, "status", record ? record_status_word(record->status) : NULL);
		json_put_str(json, "error", record ? record->error_text : NULL);
		json_array_append_new(list, json);
	}
	return list;
}

static void gather_refusals(struct engine *engine, struct engine_outcome *outcome)
{
	const struct accept_outcome *accepted = &engine->tip.outcome;
	struct diags diags = {0};
	for (size_t i = 0; i < accepted->units_n; i++)
		if (accepted->units[i].held)
			diags_append(&diags, accepted->units[i].diags, accepted->units[i].diags_n);
	if (engine->tip.refusal.code != DIAG_NONE)
		diags_append(&diags, &engine->tip.refusal, 1);
	diags_sort(&diags);
	diags_excerpts(&diags, tip_read_file, engine);
	oneshot_keep_diags(&diags, outcome);
}

int engine_apply(const struct engine_options *options,
		 void (*progress)(void *arg, const char *line), void *arg,
		 struct engine_outcome *outcome, struct err *err)
{
	struct engine engine;
	*outcome = (struct engine_outcome){.arena = arena_new(0)};
	int status = engine_open(&engine, options, "apply", err);
	if (status == 0) {
		engine.once = true;
		engine.progress = progress;
		engine.progress_arg = arg;
		signal(SIGPIPE, SIG_IGN);
		loop_turn_set(engine.loop, on_turn, &engine);
		loop_signal_add(engine.loop, SIGTERM, on_stop, &engine, NULL);
		loop_signal_add(engine.loop, SIGINT, on_stop, &engine, NULL);
		tip_want(&engine);
		status = loop_run(engine.loop, err);
	}
	if (status == 0 && engine.lost.code != E_NONE) {
		*err = engine.lost;
		err_wrap(err, "run it again");
		status = -1;
	}
	if (status == 0 && engine.unwritten.code != E_NONE) {
		*err = engine.unwritten;
		status = -1;
	}
	if (status == 0 && engine.tip.problem.code != E_NONE) {
		*err = engine.tip.problem;
		status = -1;
	}
	if (status == 0)
		status = oneshot_check_node(engine.tip.outcome.model, options->node, err);
	if (status == 0) {
		bool failed = false;
		gather_refusals(&engine, outcome);
		outcome->done = done_json(&engine, &failed);
		outcome->exit = engine.exit	     ? engine.exit
				: outcome->refused_n ? EXIT_REFUSED
				: failed	     ? EXIT_FAILED
						     : EXIT_DONE;
	}
	engine_close(&engine);
	return status;
}

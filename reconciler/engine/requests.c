#include "base/sys.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/version.h"
#include "engine/guard.h"
#include "engine/named.h"
#include "engine/requests.h"

/* ---- ping, sync ---- */

static json_t *on_ping(struct engine *engine, const json_t *args UNUSED, struct err *err UNUSED)
{
	return json_pack("{s:i,s:s,s:s}", "pid", (int)getpid(), "version", version_text(), "repo",
			 engine->url);
}

static bool is_refused(const struct tip *tip)
{
	bool refused = tip->refusal.code != DIAG_NONE;
	for (size_t i = 0; i < tip->outcome.units_n; i++)
		refused |= tip->outcome.units[i].held;
	return refused;
}

json_t *request_synced(struct engine *engine)
{
	char hex[OID_HEX_SIZE];
	const struct tip *tip = &engine->tip;
	const struct desired *desired = tip->outcome.desired;
	bool refused = is_refused(tip), failed = false;
	bool synced = tip->problem.code == E_NONE && !refused;
	for (size_t i = 0; desired && i < desired->slots_n; i++) {
		struct decision decision;
		lifecycle_decide(desired->slots[i], &engine->history, &decision);
		const struct slot_run *run = slot_run_of(engine, &desired->slots[i]->key);
		synced &= decision.kind == DECIDE_KEEP && !run->drifting && !run->wait;
		failed |= decision.kind == DECIDE_HELD;
	}
	int exit = tip->problem.code != E_NONE ? err_code_exit(tip->problem.code)
		   : refused		       ? EXIT_REFUSED
		   : failed		       ? EXIT_FAILED
					       : EXIT_DONE;
	return json_pack("{s:s,s:b,s:i}", "commit", oid_hex(&tip->seen, hex), "synced", (int)synced,
			 "exit", exit);
}

static json_t *on_sync(struct engine *engine, const json_t *args UNUSED, struct err *err UNUSED)
{
	backoff_clear(&engine->tip.backoff);
	tip_want(engine);
	nodes_want_look_all(engine);
	return request_synced(engine);
}

/* ---- retry ---- */

static int retry_slot(struct engine *engine, const struct slot *slot, json_t *records,
		      struct err *err)
{
	struct decision decision;
	lifecycle_decide(slot, &engine->history, &decision);
	struct slot_run *run = slot_run_of(engine, &slot->key);
	backoff_clear(&run->backoff);
	run->damper = (struct damper){0};
	struct node_run *node = node_find(engine, slot->key.node);
	if (node) {
		backoff_clear(&node->backoff);
		node_want_look(node);
	}
	if (decision.kind != DECIDE_HELD)
		return 0;
	if (ledger_forget_failure(engine->ledger, decision.record->id, err) < 0)
		return -1;
	engine->history_stale = true;
	json_array_append_new(records, json_integer(decision.record->id));
	return 0;
}

static json_t *on_retry(struct engine *engine, const json_t *args, struct err *err)
{
	struct named named AUTO_NAMED = {0};
	if (named_find(engine, json_str(args, "deployment", ""), json_str(args, "node", NULL),
		       &named, err) < 0 ||
	    engine_write(engine, err) < 0)
		return NULL;
	const struct desired *desired = engine->tip.outcome.desired;
	json_t *records = json_array();
	for (size_t i = 0; i < desired->slots_n; i++) {
		const struct slot *slot = desired->slots[i];
		if (!named_has(&named, &slot->key))
			continue;
		if (retry_slot(engine, slot, records, err) < 0) {
			json_decref(records);
			return NULL;
		}
	}
	return json_pack("{s:o}", "records", records);
}

/* ---- approve ---- */

static json_t *on_approve(struct engine *engine, const json_t *args, struct err *err)
{
	const char *text = json_str(args, "commit", "");
	const char *actor = json_str(args, "actor", "trueup");
	char hex[OID_HEX_SIZE];
	struct oid commit;
	if (repo_revision(engine->repo, text, &commit, err) < 0)
		return NULL;
	oid_hex(&commit, hex);
	if (!oid_eq(&commit, &engine->tip.seen)) {
		char tip[OID_HEX_SIZE];
		err_set(err, E_CONFLICT, "%.12s is not the tip that was looked at last, %.12s", hex,
			oid_hex(&engine->tip.seen, tip));
		return NULL;
	}
	const char *removals = engine->tip.removals.len ? buf_str(&engine->tip.removals) : "[]";
	struct ledger_approval approval = {
		.commit = hex, .removals = removals, .actor = actor, .when_ms = clock_wall_ms()};
	if (engine_write(engine, err) < 0 || ledger_approve(engine->ledger, &approval, err) < 0 ||
	    ledger_audit(engine->ledger, actor, "approve", hex, removals, approval.when_ms, err) <
		    0)
		return NULL;
	/* Orphans of a rebuilt ledger waited for this as well. */
	engine->adopting = engine->orphans_wait = false;
	ledger_put(engine->ledger, "adopting", NULL, NULL);
	engine->tip.force = true;
	tip_want(engine);
	nodes_want_look_all(engine);
	return json_pack("{s:s,s:o}", "commit", hex, "removals",
			 json_read(removals, strlen(removals), BUF_MAX_TEXT, NULL));
}

/* ---- pause, resume ---- */

static json_t *paused_json(const struct engine *engine)
{
	json_t *list = json_array();
	for (struct map_entry *e = NULL; (e = map_next(&engine->paused, e));)
		json_array_append_new(list, json_string(e->key));
	return json_pack("{s:o}", "paused", list);
}

static int store_paused(struct engine *engine, const char *action, const char *scope,
			const json_t *args, struct err *err)
{
	AUTO_JSON json_t *json = paused_json(engine);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	json_write(json_object_get(json, "paused"), &text);
	if (engine_write(engine, err) < 0 ||
	    ledger_put(engine->ledger, "paused", buf_str(&text), err) < 0)
		return -1;
	return ledger_audit(engine->ledger, json_str(args, "actor", "trueup"), action, scope, NULL,
			    clock_wall_ms(), err);
}

/* "*", or a project or project/stage of the commit in force. */
static int check_scope(const struct engine *engine, const char *scope, struct err *err)
{
	const struct model *model = engine->tip.outcome.model;
	const char *slash = strchr(scope, '/');
	AUTO_FREE char *project = mem_strndup(scope, strcspn(scope, "/"));
	if (str_eq(scope, "*"))
		return 0;
	if (slash && strchr(slash + 1, '/'))
		return err_set(err, E_USAGE, "%s: a scope is PROJECT or PROJECT/STAGE", scope);
	if (model && (slash ? model_stage(model, project, slash + 1) != NULL
			    : model_project(model, project) != NULL))
		return 0;
	return err_set(err, E_NOT_FOUND, "no %s %s in the commit in force",
		       slash ? "stage" : "project", scope);
}

static json_t *on_pause(struct engine *engine, const json_t *args, struct err *err)
{
	const char *scope = json_str(args, "scope", "*");
	if (check_scope(engine, scope, err) < 0)
		return NULL;
	map_put(&engine->paused, scope, engine);
	if (store_paused(engine, "pause", scope, args, err) < 0)
		return NULL;
	return paused_json(engine);
}

static json_t *on_resume(struct engine *engine, const json_t *args, struct err *err)
{
	const char *scope = json_str(args, "scope", "*");
	if (!map_del(&engine->paused, scope)) {
		AUTO_BUF struct buf paused = BUF_INIT(BUF_MAX_LINE);
		for (struct map_entry *e = NULL; (e = map_next(&engine->paused, e));)
			buf_addf(&paused, " %s", e->key);
		err_set(err, E_NOT_FOUND, "%s is not paused; what is:%s",
			str_eq(scope, "*") ? "everything" : scope,
			paused.len ? buf_str(&paused) : " nothing");
		return NULL;
	}
	if (store_paused(engine, "resume", scope, args, err) < 0)
		return NULL;
	nodes_want_look_all(engine);
	return paused_json(engine);
}

/* ---- pulls ---- */

static json_t *pull_json(const struct slot_pull *pull)
{
	char since[CLOCK_TEXT_MAX];
	json_t *json = op_progress_json(&pull->progress);
	json_put_str(json, "image", pull->image);
	json_put_str(json, "since", clock_format(pull->since_ms, since));
	return json;
}

static json_t *on_pulls(struct engine *engine, const json_t *args UNUSED, struct err *err UNUSED)
{
	json_t *pulls = json_object();
	for (struct map_entry *e = NULL; (e = map_next(&engine->slots, e));) {
		const struct slot_run *run = e->value;
		if (run->pull)
			json_object_set_new(pulls, run->id, pull_json(run->pull));
	}
	return json_pack("{s:o}", "pulls", pulls);
}

/* ---- the table ---- */

/* To add a request: a function above, a row here, a line in engine.h, a test. */
static const struct request {
	const char *op;
	json_t *(*handle)(struct engine *engine, const json_t *args, struct err *err);
} requests[] = {
	{"ping", on_ping},   {"sync", on_sync},	    {"retry", on_retry}, {"approve", on_approve},
	{"pause", on_pause}, {"resume", on_resume}, {"pulls", on_pulls},
};

json_t *request_handle(struct engine *engine, const char *op, const json_t *args, struct err *err)
{
	json_t *result = NULL;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		if (str_eq(requests[i].op, op)) {
			result = requests[i].handle(engine, args, err);
			/* Who is told yes can rely on it. */
			if (!result || engine_commit(engine) == 0)
				return result;
			json_decref(result);
			err_set(err, engine->unwritten.code, "%s", engine->unwritten.text);
			return NULL;
		}
	err_set(err, E_NOT_SUPPORTED, "this reconciler has no operation %s", op);
	return NULL;
}

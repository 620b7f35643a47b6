#include "base/sys.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "engine/core.h"
#include "schema/canon.h"
#include "schema/kinds.h"

static json_t *time_json(int64_t wall_ms)
{
	char text[CLOCK_TEXT_MAX];
	return wall_ms ? json_string(clock_format(wall_ms, text)) : json_null();
}

/* ---- a slot ---- */

static json_t *wanted_json(const struct slot_plan *plan)
{
	const struct decision *decision = &plan->decision;
	const struct record *record = decision->record;
	if (!plan->slot || decision->kind == DECIDE_KEEP || !record)
		return json_null();
	json_t *json = json_object();
	json_object_set_new(json, "id", json_integer(record->id));
	json_put_str(json, "version", record->version);
	json_put_str(json, "status", record_status_word(record->status));
	json_put_str(json, "reason", record->reason);
	json_put_str(json, "error", record->error_text);
	json_put_str(json, "step", record->error_step);
	return json;
}

static json_t *waiting_json(const struct slot_wait *wait)
{
	if (!wait)
		return json_null();
	json_t *json = json_object();
	json_put_str(json, "reason", wait->reason);
	json_put_str(json, "detail", wait->detail[0] ? wait->detail : NULL);
	json_object_set_new(json, "since", time_json(wait->since));
	return json;
}

static json_t *container_json(const struct engine *engine, const struct slot_key *slot,
			      const struct workload *seen, struct arena *arena)
{
	const char *hint = slow_stop_hint(engine->slow_stops, slot, seen, arena);
	json_t *json = json_object();
	json_put_str(json, "name", seen->name);
	json_put_str(json, "image", seen->image);
	json_put_str(json, "digest", seen->digest);
	json_put_str(json, "state", run_state_word(seen->state));
	json_put_str(json, "health", run_health_word(seen->health));
	if (seen->detail)
		json_put_str(json, "detail", seen->detail);
	if (hint)
		json_put_str(json, "hint", hint);
	return json;
}

static bool is_well(const struct workload *seen)
{
	if (container_is_job(seen->config) && seen->state == RUN_EXITED)
		return seen->exit_code == KIND_OR(seen->config->expect, expect, exit_code);
	return seen->state == RUN_RUNNING && seen->health != HEALTH_UNHEALTHY;
}

/* Of the active record: all well, some, none, nothing that could be, or nobody knows. */
static const char *health_word(const struct slot_plan *plan, const struct observed *observed)
{
	size_t all = 0, well = 0;
	for (size_t i = 0; i < observed->workloads_n; i++) {
		if (!slot_has(&plan->key, &observed->workloads[i]) ||
		    observed->workloads[i].labels.init)
			continue;
		all++;
		well += is_well(&observed->workloads[i]);
	}
	if (!all && plan->slot && !plan->slot->content.containers_n)
		return "empty";
	if (!all)
		return plan->specs_n ? "down" : "unknown";
	if (well == all)
		return "healthy";
	return well ? "degraded" : "down";
}

static json_t *drift_json(const struct slot_run *run, const struct slot_plan *plan)
{
	json_t *list = json_array();
	for (size_t i = 0; run->drifting && i < plan->steps_n; i++) {
		const struct step *step = &plan->steps[i];
		size_t fields = step->fields_n ? step->fields_n : 1;
		for (size_t f = 0; f < fields; f++) {
			const struct field_diff *diff = step->fields_n ? &step->fields[f] : NULL;
			json_t *json = json_object();
			json_put_str(json, "container", step->container);
			json_put_str(json, "field", diff ? diff->field : "state");
			json_put_str(json, "wanted", diff ? diff->to : "running");
			json_put_str(json, "found", diff ? diff->from : step->reason);
			json_object_set_new(json, "since", time_json(run->drift_since));
			json_array_append_new(list, json);
		}
	}
	return list;
}

static json_t *tags_json(const struct slot_plan *plan)
{
	json_t *list = json_array();
	for (size_t i = 0; i < plan->moved_n; i++) {
		const struct moved_tag *moved = &plan->moved[i];
		json_t *json = json_object();
		json_put_str(json, "container", moved->name);
		json_put_str(json, "image", moved->image);
		json_put_str(json, "from", moved->from);
		json_put_str(json, "to", moved->to);
		json_object_set_new(json, "since", time_json(moved->since_ms));
		json_put_str(json, "hint", moved->hint);
		json_array_append_new(list, json);
	}
	return list;
}

/* Written only when it differs from what was written last, of which a hash is enough. */
static bool differs(uint64_t *told, const struct buf *now)
{
	uint64_t hash = hash_seeded(buf_str(now), now->len) | 1;
	bool differs = hash != *told;
	*told = hash;
	return differs;
}

int report_slot(struct engine *engine, struct slot_run *run, const struct slot_plan *plan,
		const struct observed *observed, struct err *err)
{
	if (!plan->slot)
		return 0;
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_JSON json_t *json = json_object();
	json_t *containers = json_array();
	for (size_t i = 0; i < observed->workloads_n; i++)
		if (slot_has(&plan->key, &observed->workloads[i]))
			json_array_append_new(
				containers,
				container_json(engine, &plan->key, &observed->workloads[i], arena));
	json_object_set_new(json, "wanted", wanted_json(plan));
	json_object_set_new(json, "waiting", waiting_json(run->wait));
	json_put_str(json, "health", health_word(plan, observed));
	json_object_set_new(json, "containers", containers);
	json_object_set_new(json, "drift", drift_json(run, plan));
	json_object_set_new(json, "tags", tags_json(plan));
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	json_write(json, &text);
	if (!differs(&run->told, &text))
		return 0;
	if (engine_write(engine, err) < 0)
		return -1;
	return ledger_put_slot(engine->ledger, &plan->key, buf_str(&text), err);
}

/* ---- a node ---- */

void report_unclaimed(struct node_run *node, const struct plan *plan)
{
	json_decref(node->unclaimed);
	node->unclaimed = json_array();
	for (size_t i = 0; i < plan->unclaimed_n; i++) {
		const struct workload *seen = plan->unclaimed[i];
		json_t *json = json_object();
		json_put_str(json, "name", seen->name);
		json_put_str(json, "node", node->name);
		json_put_str(json, "project", seen->labels.project);
		json_put_str(json, "stage", seen->labels.stage);
		json_put_str(json, "deployment", seen->labels.deployment);
		json_array_append_new(node->unclaimed, json);
	}
}

int report_node(struct engine *engine, struct node_run *node, struct err *err)
{
	AUTO_JSON json_t *json = json_object();
	json_put_str(json, "engine", node->engine_name);
	json_object_set_new(json, "reachable", json_boolean(node->reachable));
	json_put_str(json, "error", node->problem.code == E_NONE ? NULL : node->problem.text);
	if (node->unclaimed)
		json_object_set(json, "unclaimed", node->unclaimed);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	json_write(json, &text);
	/* The time of the look alone is no reason to write: it rides with the next change. */
	if (!differs(&node->told, &text))
		return 0;
	json_object_set_new(json, "seenAt", time_json(node->seen_wall_ms));
	json_put_str(json, "driver",
		     node->doc ? enum_word(enum_type_find("driver"), node->doc->driver) : NULL);
	buf_clear(&text);
	json_write(json, &text);
	if (engine_write(engine, err) < 0)
		return -1;
	return ledger_put_node(engine->ledger, node->name, buf_str(&text), err);
}

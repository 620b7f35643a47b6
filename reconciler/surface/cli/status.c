#include "base/sys.h"

#include "base/json.h"
#include "base/num.h"
#include "surface/cli/live.h"
#include "surface/cli/status.h"

/* The record that stands for a slot: the active one, else the newest. Records are sorted by slot,
 * id. */
static const struct record *shown(const struct record *records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (records[i].active)
			return &records[i];
	return &records[n - 1];
}

static void copy_member(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);
	json_object_set_new(to, key, value ? json_incref(value) : json_null());
}

static bool node_is_reachable(const struct ledger_view *view, const char *name)
{
	for (size_t i = 0; i < view->nodes_n; i++) {
		if (!str_eq(view->nodes[i].node, name))
			continue;
		AUTO_JSON json_t *json = json_read(view->nodes[i].json, strlen(view->nodes[i].json),
						   BUF_MAX_TEXT, NULL);
		return json_flag(json, "reachable", false);
	}
	return false;
}

/* What was seen last is no longer known when the node cannot be seen. */
static void forget_containers(json_t *containers)
{
	size_t i;
	json_t *container;
	json_array_foreach(containers, i, container)
	{
		json_put_str(container, "state", "unknown");
		json_put_str(container, "health", "unknown");
	}
}

static json_t *slot_json(const struct ledger_view *view, const json_t *pulls,
			 const struct record *records, size_t n)
{
	const struct record *record = shown(records, n);
	json_t *json = view_record_json(record);
	AUTO_JSON json_t *state = view_slot_state(view, &record->slot);
	json_put_str(json, "health", json_str(state, "health", "unknown"));
	copy_member(json, state, "wanted");
	copy_member(json, state, "waiting");
	copy_member(json, state, "containers");
	json_object_set_new(json, "pull", live_pull_of(pulls, &record->slot));
	copy_member(json, state, "tags");
	if (!json_is_array(json_object_get(json, "tags")))
		json_object_set_new(json, "tags", json_array());
	if (!json_is_array(json_object_get(json, "containers")))
		json_object_set_new(json, "containers", json_array());
	if (!node_is_reachable(view, record->slot.node)) {
		json_put_str(json, "health", "unknown");
		forget_containers(json_object_get(json, "containers"));
	}
	return json;
}

/* A slot that no record is active in and that the commit wants no more is history, not status. */
static bool is_over(const struct ledger_view *view, const struct record *records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (records[i].active)
			return false;
	AUTO_JSON json_t *state = view_slot_state(view, &records[0].slot);
	return state == NULL && records[n - 1].status != RECORD_IN_PROGRESS &&
	       records[n - 1].status != RECORD_PREPARING;
}

static bool slot_is_synced(const json_t *slot)
{
	return json_flag(slot, "active", false) &&
	       str_eq(json_str(slot, "status", ""), "successful") &&
	       json_is_null(json_object_get(slot, "wanted")) &&
	       json_is_null(json_object_get(slot, "waiting"));
}

static json_t *rejected_json(const struct ledger_view *view)
{
	json_t *list = json_array();
	for (size_t i = 0; i < view->units_n; i++) {
		const struct ledger_unit *unit = &view->units[i];
		if (!unit->refused)
			continue;
		json_t *json = json_object();
		json_put_str(json, "project", unit->unit.project);
		json_put_str(json, "stage", unit->unit.stage);
		json_put_str(json, "accepted", unit->accepted);
		json_put_str(json, "commit", unit->refused);
		json_t *diagnostics =
			unit->diagnostics ? json_read(unit->diagnostics, strlen(unit->diagnostics),
						      BUF_MAX_TEXT, NULL)
					  : NULL;
		json_object_set_new(json, "diagnostics", diagnostics ? diagnostics : json_array());
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *node_json(const struct ledger_view *view, const struct node_state *node)
{
	AUTO_JSON json_t *state = json_read(node->json, strlen(node->json), BUF_MAX_TEXT, NULL);
	json_t *json = json_object(), *drift = json_array();
	json_put_str(json, "name", node->node);
	copy_member(json, state, "driver");
	copy_member(json, state, "engine");
	copy_member(json, state, "reachable");
	copy_member(json, state, "seenAt");
	copy_member(json, state, "error");
	for (size_t i = 0; i < view->slots_n; i++) {
		if (!str_eq(view->slots[i].slot.node, node->node))
			continue;
		AUTO_JSON json_t *slot = view_slot_state(view, &view->slots[i].slot);
		size_t d;
		json_t *one;
		json_array_foreach(json_object_get(slot, "drift"), d, one)
		{
			json_put_str(one, "deployment", view->slots[i].slot.deployment);
			json_array_append(drift, one);
		}
	}
	json_object_set_new(json, "drift", drift);
	json_object_set_new(json, "unclaimed", json_incref(json_object_get(state, "unclaimed")));
	return json;
}

static bool add_nodes(const struct cli *cli, const struct ledger_view *view, json_t *nodes,
		      json_t *unclaimed)
{
	bool synced = true;
	for (size_t i = 0; i < view->nodes_n; i++) {
		json_t *json = node_json(view, &view->nodes[i]);
		json_t *left = json_object_get(json, "unclaimed");
		if (json_is_array(left))
			json_array_extend(unclaimed, left);
		json_object_del(json, "unclaimed");
		synced &= json_array_size(json_object_get(json, "drift")) == 0;
		const char *only = cli->value[FLAG_NODE];
		if (!only || str_eq(only, view->nodes[i].node))
			json_array_append(nodes, json);
		json_decref(json);
	}
	return synced;
}

static bool add_slots(struct cli *cli, const struct ledger_view *view, json_t *deployments)
{
	const struct history *history = &view->history;
	bool synced = true;
	int64_t served = 0, wanted = 0;
	AUTO_JSON json_t *pulls = live_pulls(cli);
	for (size_t i = 0, n; i < history->records_n; i += n) {
		const struct record *first = history_slot(history, &history->records[i].slot, &n);
		if (is_over(view, first, n))
			continue;
		json_t *json = slot_json(view, pulls, first, n);
		synced &= slot_is_synced(json);
		served++;
		if (view_matches(cli, &first->slot))
			json_array_append(deployments, json);
		json_decref(json);
	}
	/* A slot that has no record yet is not here at all. */
	if (view->slots_wanted)
		num_parse_int(view->slots_wanted, 0, INT64_MAX, &wanted);
	return synced && served >= wanted;
}

json_t *status_json(struct cli *cli, const struct ledger_view *view)
{
	json_t *json = json_object(), *deployments = json_array(), *nodes = json_array();
	json_t *unclaimed = json_array(), *rejected = rejected_json(view);
	bool slots_synced = add_slots(cli, view, deployments);
	bool nodes_synced = add_nodes(cli, view, nodes, unclaimed);
	bool synced = view->tip && str_eq(view->tip, view->base) && !view->problem &&
		      json_array_size(rejected) == 0 && slots_synced && nodes_synced;
	json_put_str(json, "branch", view->branch);
	json_put_str(json, "commit", view->tip);
	json_put_str(json, "accepted", view->accepted);
	json_object_set_new(json, "synced", json_boolean(synced));
	if (view->problem)
		json_put_str(json, "problem", view->problem);
	json_object_set_new(json, "deployments", deployments);
	json_object_set_new(json, "rejected", rejected);
	json_object_set_new(json, "unclaimed", unclaimed);
	json_object_set_new(json, "nodes", nodes);
	return json;
}

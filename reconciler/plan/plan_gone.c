#include "base/sys.h"
#include "plan/plan_work.h"

/* A slot that the commit does not have: by the ledger, by what runs, or both. */
struct gone {
	struct slot_key key;
	const struct record *records;
	size_t records_n;
	const struct seen *seen;
	size_t seen_n;
};

static const struct record *active_of(const struct gone *gone)
{
	for (size_t i = 0; i < gone->records_n; i++) {
		if (gone->records[i].active)
			return &gone->records[i];
	}
	return NULL;
}

static bool is_under_way(const struct gone *gone)
{
	for (size_t i = 0; i < gone->records_n; i++) {
		if (gone->records[i].status == RECORD_PREPARING ||
		    gone->records[i].status == RECORD_IN_PROGRESS)
			return true;
	}
	return false;
}

/* Its deployment is still there, on other nodes. */
static bool has_moved(const struct plan_work *work, const struct slot_key *key)
{
	return model_deployment(work->input->model, key->project, key->stage, key->deployment) !=
	       NULL;
}

/* ---- what runs ---- */

static void see(struct plan_work *work, const struct gone *gone, struct slot_plan *plan)
{
	const struct workload **list =
		ARENA_ARRAY(work->arena, gone->seen_n, const struct workload *);
	size_t n = 0;

	for (size_t i = 0; i < gone->seen_n; i++) {
		if (!gone->seen[i].taken)
			list[n++] = gone->seen[i].workload;
	}
	plan->rollout.seen = list;
	plan->rollout.seen_n = n;
}

/* The node was not asked: what the record put there, one of each. */
static void assume(struct plan_work *work, const struct content *content,
		   const struct record *record, struct slot_plan *plan)
{
	const struct workload **list =
		ARENA_ARRAY(work->arena, content->containers_n, const struct workload *);

	for (size_t i = 0; i < content->containers_n; i++) {
		const struct content_container *container = &content->containers[i];
		struct workload *workload = ARENA_NEW(work->arena, struct workload);
		const char *name =
			container->config->name ? container->config->name : container->name;

		*workload = (struct workload){
			.name = arena_printf(work->arena, "%s-%s", record->prefix, name),
			.state = RUN_RUNNING,
			.health = HEALTH_NONE,
			.labels.container = container->name,
		};
		list[i] = workload;
	}
	plan->rollout.seen = list;
	plan->rollout.seen_n = content->containers_n;
}

static void fill_rollout(struct plan_work *work, const struct gone *gone, struct slot_plan *plan)
{
	const struct node_view *view = plan_view(work->input, gone->key.node);
	const struct record *active = active_of(gone);
	struct content content = {0};
	const char **order;

	plan->rollout.strategy = STRATEGY_RECREATE;
	plan->node_known = view && view->observed;
	/* Without its content the order is by name. */
	if (active && active->content)
		content_read(active->content, work->arena, &content, NULL);
	order = ARENA_ARRAY(work->arena, content.containers_n, const char *);
	for (size_t i = 0; i < content.containers_n; i++)
		order[i] = content.containers[i].name;
	plan->rollout.order = order;
	plan->rollout.order_n = content.containers_n;
	if (plan->node_known)
		see(work, gone, plan);
	else if (view && view->error)
		plan->leave = true;
	else if (active)
		assume(work, &content, active, plan);
}

/* ---- volumes ---- */

static bool is_named(const struct plan_work *work, const char *node, const char *volume)
{
	for (size_t i = 0; i < work->input->desired->slots_n; i++) {
		const struct slot *slot = work->input->desired->slots[i];
		const char **names;
		size_t n;

		if (!str_eq(slot->key.node, node))
			continue;
		names = plan_volumes(work->arena, &slot->content, slot->prefix, &n);
		for (size_t j = 0; j < n; j++) {
			if (str_eq(names[j], volume))
				return true;
		}
	}
	return false;
}

/* Those that bear the slot's labels and that nothing else names. */
static void fill_volumes(struct plan_work *work, struct slot_plan *plan)
{
	const struct observed *observed = plan_view(work->input, plan->key.node)->observed;

	plan->volumes = ARENA_ARRAY(work->arena, observed->volumes_n, const char *);
	for (size_t i = 0; i < observed->volumes_n; i++) {
		const struct volume_seen *volume = &observed->volumes[i];

		if (str_eq(volume->project, plan->key.project) &&
		    str_eq(volume->stage, plan->key.stage) &&
		    str_eq(volume->deployment, plan->key.deployment) &&
		    !is_named(work, plan->key.node, volume->name))
			plan->volumes[plan->volumes_n++] = volume->name;
	}
}

/* ---- one slot ---- */

static void fill_transitions(struct plan_work *work, const struct gone *gone, const char *reason,
			     struct slot_plan *plan)
{
	plan->transitions = ARENA_ARRAY(work->arena, gone->records_n, struct transition);
	plan->transitions_n =
		lifecycle_on_removal(&gone->key, reason, work->input->history, plan->transitions);
}

static void leave_running(struct plan_work *work, const struct gone *gone)
{
	for (size_t i = 0; i < gone->seen_n; i++) {
		if (!gone->seen[i].taken)
			VEC_PUSH(&work->unclaimed, gone->seen[i].workload);
	}
}

static const char *container_names(struct plan_work *work, const struct slot_plan *plan)
{
	const char *names = "";

	for (size_t i = 0; i < plan->rollout.seen_n; i++)
		names = arena_printf(work->arena, "%s%s%s", names, i ? ", " : "",
				     plan->rollout.seen[i]->name);
	return names;
}

/* The node's document is gone: the node is never touched. */
static void detach(struct plan_work *work, const struct gone *gone, struct slot_plan *plan)
{
	fill_transitions(work, gone, REASON_DETACHED, plan);
	plan_hold(work, plan, "detached",
		  arena_printf(work->arena,
			       "node %s is not in the configuration any more and is left alone%s%s",
			       plan->key.node, plan->rollout.seen_n ? "; running on it: " : "",
			       container_names(work, plan)));
	plan->why = "left alone, its node is not in the configuration any more";
}

static void remove_slot(struct plan_work *work, const struct gone *gone, struct slot_plan *plan)
{
	const struct record *active = active_of(gone);

	plan->after_others = has_moved(work, &gone->key);
	plan->why = plan->after_others ? "no longer on this node" : "removed from the commit";
	if (gone->records_n == 0)
		plan->why = "orphan: the commit has no deployment for it";
	if (!plan->leave)
		plan_fill_steps(work, plan);
	if (work->input->adopting) {
		plan->leave = true;
		leave_running(work, gone);
		if (plan->steps_n > 0)
			plan_hold(work, plan, "approval",
				  "found on the first look, and in no manifest: left running until "
				  "the commit is approved")
				->hint =
				arena_printf(work->arena, "trueup approve %s", work->input->commit);
		return;
	}
	if (!plan->after_others && active && active->data_policy == DATA_DELETE && plan->node_known)
		fill_volumes(work, plan);
	fill_transitions(work, gone, REASON_REMOVED, plan);
}

static void plan_one(struct plan_work *work, const struct gone *gone)
{
	struct slot_plan plan = {.key = gone->key, .decision.active = active_of(gone)};

	fill_rollout(work, gone, &plan);
	if (!plan.decision.active && !is_under_way(gone) && plan.rollout.seen_n == 0)
		return;
	if (!plan_may_remove(work->input, &gone->key)) {
		leave_running(work, gone);
		return;
	}
	if (!model_node(work->input->model, gone->key.node))
		detach(work, gone, &plan);
	else
		remove_slot(work, gone, &plan);
	VEC_PUSH(&work->slots, plan);
}

/* ---- all of them: the ledger's slots and what runs, side by side ---- */

static size_t records_of_slot(const struct history *history, size_t at)
{
	size_t end = at;

	while (end < history->records_n &&
	       slot_key_cmp(&history->records[end].slot, &history->records[at].slot) == 0)
		end++;
	return end - at;
}

/* Takes the next slot from whichever list has the smaller key, or from both. */
static bool next_gone(const struct plan_work *work, size_t *record_at, size_t *seen_at,
		      struct gone *out)
{
	const struct history *history = work->input->history;
	bool records = history && *record_at < history->records_n;
	bool seen = *seen_at < work->seen.n;
	int order = !records ? 1 : -1;

	if (!records && !seen)
		return false;
	if (records && seen)
		order = slot_key_cmp(&history->records[*record_at].slot,
				     &work->seen.v[*seen_at].key);
	*out = (struct gone){0};
	if (order <= 0) {
		out->key = history->records[*record_at].slot;
		out->records = &history->records[*record_at];
		out->records_n = records_of_slot(history, *record_at);
		*record_at += out->records_n;
	}
	if (order >= 0) {
		out->key = work->seen.v[*seen_at].key;
		out->seen = plan_seen_of(work, &out->key, &out->seen_n);
		*seen_at += out->seen_n;
	}
	return true;
}

void plan_gone(struct plan_work *work)
{
	const struct slot_key *only = work->input->only;
	size_t record_at = 0, seen_at = 0;
	struct gone gone;

	while (next_gone(work, &record_at, &seen_at, &gone)) {
		if (only && slot_key_cmp(&gone.key, only) != 0)
			continue;
		if (!desired_find(work->input->desired, &gone.key))
			plan_one(work, &gone);
	}
}

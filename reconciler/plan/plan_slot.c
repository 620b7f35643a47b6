#include "base/sys.h"
#include "plan/plan_work.h"
#include "plan/slow_stop.h"

#include "schema/kinds.h"

/* ---- in a word, what happens to the slot ---- */

static const char *version_of(const struct record *record)
{
	return record && record->version ? record->version : NULL;
}

static const char *move_text(struct plan_work *work, const struct record *from,
			     const struct record *to)
{
	if (!str_eq(from->product, to->product))
		return arena_printf(work->arena, "product %s -> %s", from->product, to->product);
	if (!str_eq(from->version, to->version))
		return arena_printf(work->arena, "version %s -> %s",
				    from->version ? from->version : "none",
				    to->version ? to->version : "none");
	if (!str_eq(from->prefix, to->prefix))
		return arena_printf(work->arena, "prefix %s -> %s", from->prefix, to->prefix);
	if (str_eq(from->input_id, to->input_id) && to->release_id && *to->release_id &&
	    !str_eq(from->release_id, to->release_id))
		return "tag moved";
	return NULL;
}

static const char *start_text(struct plan_work *work, const struct decision *decision)
{
	const struct record *record = decision->record;

	if (!record->succeeded)
		return "tried again";
	return arena_printf(work->arena, "rollback to %s", version_of(record));
}

/* An app may wait for its image. */
static const char *new_deployment(const struct slot *slot)
{
	return slot && slot->content.containers_n == 0 ? "new deployment, without a container"
						       : "new deployment";
}

static const char *why(struct plan_work *work, const struct slot_plan *plan)
{
	const struct decision *decision = &plan->decision;

	switch (decision->kind) {
	case DECIDE_NEW:
	case DECIDE_CONTINUE:
		if (!decision->active)
			return new_deployment(plan->slot);
		if (decision->kind == DECIDE_CONTINUE && decision->record->succeeded)
			return start_text(work, decision);
		return move_text(work, decision->active, plan->serves);
	case DECIDE_START:
		return start_text(work, decision);
	case DECIDE_HELD:
		return decision->active ? NULL : "failed, what is left of it goes";
	case DECIDE_KEEP:
	case DECIDE_REFUSED:
		break;
	}
	return NULL;
}

/* ---- steps ---- */

static bool is_settled(const struct decision *decision)
{
	return decision->kind == DECIDE_KEEP || decision->kind == DECIDE_HELD ||
	       decision->kind == DECIDE_REFUSED;
}

/* What happens to the slot says more than what differs in one container. */
static const char *step_reason(struct plan_work *work, const struct slot_plan *plan,
			       const struct step *step)
{
	const struct decision *decision = &plan->decision;

	if (step->action == STEP_RESTART || step->action == STEP_UPDATE ||
	    str_starts(step->reason, "taken over"))
		return step->reason;
	if (plan->why)
		return plan->why;
	if (step->action == STEP_CREATE && decision->kind == DECIDE_NEW)
		return "new container";
	if (step->action == STEP_REPLACE && decision->kind == DECIDE_HELD && decision->record)
		return arena_printf(work->arena, "back from what failed: %s", step->reason);
	return step->reason;
}

/* Where the image of a container is written. */
static void locate_image(const struct slot_plan *plan, struct step *step)
{
	const struct slot *slot = plan->slot;

	if (!slot || !slot->images || !step->spec ||
	    !str_eq(slot->version_name, plan->serves->version))
		return;
	for (size_t i = 0; i < slot->images->n; i++) {
		const struct image *image = &slot->images->v[i];

		if (!str_eq(image->name, step->spec->labels.container))
			continue;
		for (size_t j = 0; j < step->fields_n; j++) {
			if (!str_eq(step->fields[j].field, "image"))
				continue;
			step->fields[j].path = PATH_OF(image, image, image);
			step->fields[j].at = AT(image, image, image);
		}
	}
}

/* What is known of how the container that goes can be stopped. */
static const char *stop_hint(struct plan_work *work, const struct slot_plan *plan,
			     const struct step *step)
{
	if (step->action != STEP_REPLACE && step->action != STEP_REMOVE)
		return NULL;
	for (size_t i = 0; i < plan->rollout.seen_n; i++) {
		if (str_eq(plan->rollout.seen[i]->name, step->container))
			return slow_stop_hint(work->input->slow_stops, &plan->key,
					      plan->rollout.seen[i], work->arena);
	}
	return NULL;
}

/* Behind what the step itself has to say. */
static void add_stop_hint(struct plan_work *work, const struct slot_plan *plan, struct step *step)
{
	const char *hint = stop_hint(work, plan, step);

	if (hint)
		step->hint =
			step->hint ? arena_printf(work->arena, "%s; %s", step->hint, hint) : hint;
}

void plan_fill_steps(struct plan_work *work, struct slot_plan *plan)
{
	struct step *all;
	size_t n = rollout_steps(work->arena, &plan->rollout, &all);

	plan->steps = ARENA_ARRAY(work->arena, n, struct step);
	for (size_t i = 0; i < n; i++) {
		if (all[i].action == STEP_NONE) {
			plan->unchanged++;
			continue;
		}
		all[i].reason = step_reason(work, plan, &all[i]);
		add_stop_hint(work, plan, &all[i]);
		locate_image(plan, &all[i]);
		plan->steps[plan->steps_n++] = all[i];
	}
}

static bool all_is_drift(const struct slot_plan *plan)
{
	for (size_t i = 0; i < plan->steps_n; i++) {
		if (!plan->steps[i].drift)
			return false;
	}
	return plan->steps_n > 0;
}

/* What the deployment says should be left alone. */
static void judge(struct slot_plan *plan)
{
	const struct deployment *deployment = plan->slot->deployment;
	bool settled = is_settled(&plan->decision);

	for (size_t i = 0; i < plan->steps_n; i++)
		plan->drift |= settled && plan->steps[i].drift;
	if (settled && all_is_drift(plan) && KIND_OR(deployment, deployment, drift) == DRIFT_REPORT)
		plan->leave = true;
	if (plan->decision.kind == DECIDE_HELD &&
	    KIND_OR(deployment, deployment, on_failure) == FAILURE_STOP)
		plan->leave = true;
}

/* ---- transitions ---- */

static void fill_transitions(struct plan_work *work, struct slot_plan *plan)
{
	struct lineage lineage = {work->input->model, work->input->history};
	struct ancestry ancestry = {lifecycle_parent, &lineage};
	size_t n;

	if (is_settled(&plan->decision) || !plan->serves)
		return;
	history_slot(work->input->history, &plan->key, &n);
	plan->transitions = ARENA_ARRAY(work->arena, n, struct transition);
	plan->transitions_n = lifecycle_on_success(plan->serves, work->input->history, &ancestry,
						   plan->transitions);
}

/* ---- a wanted slot, in two parts ---- */

static const char **start_order(struct arena *arena, const struct content *content)
{
	const char **order = ARENA_ARRAY(arena, content->containers_n, const char *);

	for (size_t i = 0; i < content->containers_n; i++)
		order[i] = content->containers[i].name;
	return order;
}

static void fill_rollout(struct plan_work *work, struct slot_plan *plan)
{
	const struct slot *slot = plan->slot;
	const struct driver_ops *driver = driver_find((enum driver_value)slot->node->driver);

	plan->rollout = (struct rollout_input){
		.wanted = plan->specs,
		.wanted_n = plan->specs_n,
		.order = start_order(work->arena, &slot->content),
		.order_n = slot->content.containers_n,
		.strategy = slot->strategy,
		.min_healthy_ms = KIND_OR(slot->deployment->strategy, strategy, min_healthy),
		.live_fields = driver ? driver->live_fields : 0,
		.aliases = driver && driver->aliases,
		.settled = is_settled(&plan->decision),
	};
}

static void see(struct plan_work *work, struct slot_plan *plan)
{
	size_t n;
	const struct seen *seen = plan_seen_of(work, &plan->key, &n);
	const struct workload **list = ARENA_ARRAY(work->arena, n, const struct workload *);

	for (size_t i = 0; i < n; i++)
		list[i] = seen[i].workload;
	plan->rollout.seen = list;
	plan->rollout.seen_n = n;
}

/* The node was not asked: what the ledger says that it runs. */
static void assume(struct plan_work *work, struct slot_plan *plan)
{
	const struct record *active = plan->decision.active;
	struct spec *specs = NULL;
	struct workload *seen;
	const struct workload **list;
	size_t n = 0;

	if (active && !plan_record_specs(work, plan->slot, active, &specs, &n))
		return;
	seen = plan_assume(specs, n, work->arena);
	list = ARENA_ARRAY(work->arena, n, const struct workload *);
	plan->rollout.seen = list;
	for (size_t i = 0; i < n; i++) {
		if (!specs[i].labels.init) /* they went when they had done their work */
			list[plan->rollout.seen_n++] = &seen[i];
	}
}

void plan_slot_begin(struct plan_work *work, const struct slot *slot)
{
	const struct node_view *view = plan_view(work->input, slot->key.node);
	struct slot_plan plan = {.key = slot->key, .slot = slot};
	struct slot_plan *kept;

	lifecycle_decide(slot, work->input->history, &plan.decision);
	plan_track(work->input, slot, work->arena, &plan.decision);
	VEC_PUSH(&work->slots, plan);
	kept = &work->slots.v[work->slots.n - 1];
	if (!plan_fill_content(work, kept)) {
		kept->leave = true;
		plan_hold(work, kept, "unreadable",
			  "the content of its record cannot be read; "
			  "nothing of it is touched");
	}
	if (kept->decision.kind == DECIDE_REFUSED && !kept->decision.active)
		kept->leave = true;
	fill_rollout(work, kept);
	kept->node_known = view && view->observed;
	if (kept->node_known)
		see(work, kept);
	else if (view && view->error)
		kept->leave = true;
	else
		assume(work, kept);
}

static const char *tag_hint(const struct plan_work *work, const struct slot *slot,
			    const struct moved_tag *moved)
{
	const char *followed =
		moved_tag_followed(work->input->moved_tags, slot->key.node, moved->image);

	if (moved_tag_tracks(slot->images, moved->container))
		return str_eq(followed, moved->to)
			       ? "it was followed, and failed"
			       : "it moves too often, and is followed when it rests";
	if (slot->type == VERSION_INCREMENTAL)
		return "a new version takes it up";
	return "a change of the version takes it up, or `track: tag` every time";
}

/* What its tags mean by now matters while nothing newer is on its way. */
static void find_moved(struct plan_work *work, struct slot_plan *plan)
{
	const struct record *active = plan->decision.active;

	if (!active || plan->serves != active)
		return;
	plan->moved = moved_tags(work->input->moved_tags, plan->key.node, &plan->content,
				 work->arena, &plan->moved_n);
	for (size_t i = 0; i < plan->moved_n; i++)
		plan->moved[i].hint = tag_hint(work, plan->slot, &plan->moved[i]);
}

void plan_slot_finish(struct plan_work *work, struct slot_plan *plan)
{
	bool unknown = plan->leave;

	plan->why = why(work, plan);
	if (!unknown) {
		plan_fill_steps(work, plan);
		judge(plan);
	}
	if (work->input->adopting && plan->decision.kind == DECIDE_NEW && plan->steps_n == 0)
		plan->why = "runs already, and is written down";
	fill_transitions(work, plan);
	find_moved(work, plan);
	plan_notes_slot(work, plan);
}

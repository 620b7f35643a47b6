#include "base/sys.h"
#include "plan/render.h"

#include "base/json.h"
#include "plan/render_parts.h"

static void put_slot(json_t *object, const struct slot_key *key)
{
	json_put_str(object, "node", key->node);
	json_put_str(object, "project", key->project);
	json_put_str(object, "stage", key->stage);
	json_put_str(object, "deployment", key->deployment);
}

/* ---- steps ---- */

/* Where the new value was written: "projects/shop/...yaml:12". */
static void put_owner(json_t *object, const struct field_diff *diff, struct arena *arena)
{
	const char *owner = diff->path;

	if (owner && diff->at.line)
		owner = arena_printf(arena, "%s:%u", owner, diff->at.line);
	json_put_str(object, "owner", owner);
}

static json_t *fields_json(const struct step *step, struct arena *arena)
{
	json_t *list = json_array();

	for (size_t i = 0; i < step->fields_n; i++) {
		json_t *field = json_object();

		json_put_str(field, "field", step->fields[i].field);
		json_put_str(field, "from", step->fields[i].from);
		json_put_str(field, "to", step->fields[i].to);
		put_owner(field, &step->fields[i], arena);
		json_array_append_new(list, field);
	}
	return list;
}

static json_t *drops_json(unsigned drops)
{
	json_t *list = json_array();

	if (drops & DROPS_ALIAS)
		json_array_append_new(list, json_string("alias"));
	if (drops & DROPS_STOP)
		json_array_append_new(list, json_string("stop"));
	return list;
}

static json_t *step_json(const struct plan *plan, const struct slot_plan *slot,
			 const struct step *step, struct arena *arena)
{
	json_t *object = json_object();
	const char *leave = render_leave(plan, slot);

	put_slot(object, &slot->key);
	json_put_str(object, "action", step_action_word(leave ? STEP_NONE : step->action));
	json_put_str(object, "container", step->container);
	json_put_str(object, "reason",
		     leave ? arena_printf(arena, "%s; %s", step->reason, leave) : step->reason);
	json_object_set_new(object, "fields", fields_json(step, arena));
	if (step->hint)
		json_put_str(object, "hint", step->hint);
	if (step->drops && !leave)
		json_object_set_new(object, "drops", drops_json(step->drops));
	return object;
}

static json_t *steps_json(const struct plan *plan, struct arena *arena)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->slots_n; i++) {
		const struct slot_plan *slot = &plan->slots[i];

		for (size_t j = 0; j < slot->steps_n; j++)
			json_array_append_new(list, step_json(plan, slot, &slot->steps[j], arena));
	}
	return list;
}

/* ---- transitions ---- */

static json_t *transition_json(const struct transition *transition)
{
	json_t *object = json_object();

	put_slot(object, &transition->slot);
	json_put_str(object, "version", transition->version);
	json_put_str(object, "from",
		     transition->from ? record_status_word(transition->from) : NULL);
	json_put_str(object, "to", record_status_word(transition->to));
	return object;
}

static json_t *transitions_json(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->slots_n; i++) {
		const struct slot_plan *slot = &plan->slots[i];
		struct transition own;

		if (render_own_transition(slot, &own))
			json_array_append_new(list, transition_json(&own));
		for (size_t j = 0; j < slot->transitions_n && !slot->leave; j++)
			json_array_append_new(list, transition_json(&slot->transitions[j]));
	}
	return list;
}

/* ---- notes ---- */

static json_t *note_json(const struct plan_note *note)
{
	json_t *object = json_object();

	put_slot(object, &note->slot);
	json_put_str(object, "reason", note->reason);
	json_put_str(object, "text", note->text);
	json_put_str(object, "hint", note->hint);
	json_put_str(object, "file", note->path);
	json_object_set_new(object, "line",
			    note->at.line ? json_integer(note->at.line) : json_null());
	return object;
}

static json_t *notes_json(const struct plan_note *notes, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, note_json(&notes[i]));
	return list;
}

static json_t *unresolved_json(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->unresolved_n; i++) {
		json_t *object = json_object();

		json_put_str(object, "node", plan->unresolved[i].node);
		json_put_str(object, "image", plan->unresolved[i].image);
		json_put_str(object, "error", plan->unresolved[i].error);
		json_array_append_new(list, object);
	}
	return list;
}

static void put_number(json_t *object, const char *key, size_t number)
{
	json_object_set_new(object, key, json_integer((json_int_t)number));
}

static json_t *summary_json(const struct plan *plan)
{
	json_t *object = json_object();

	put_number(object, "create", plan->create);
	put_number(object, "replace", plan->replace);
	put_number(object, "update", plan->update);
	put_number(object, "restart", plan->restart);
	put_number(object, "remove", plan->remove);
	put_number(object, "unchanged", plan->unchanged);
	return object;
}

json_t *plan_json(const struct plan *plan)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	json_t *object = json_object();
	size_t held_n;
	const struct plan_note *held = render_held(plan, arena, &held_n);

	json_put_str(object, "commit", plan->commit);
	json_put_str(object, "base", plan->base);
	json_put_str(object, "hash", plan->hash);
	json_object_set_new(object, "steps", steps_json(plan, arena));
	json_object_set_new(object, "transitions", transitions_json(plan));
	json_object_set_new(object, "refused", diags_json(plan->refused, plan->refused_n));
	json_object_set_new(object, "data", notes_json(plan->data, plan->data_n));
	json_object_set_new(object, "held", notes_json(held, held_n));
	json_object_set_new(object, "unresolved", unresolved_json(plan));
	json_object_set_new(object, "summary", summary_json(plan));
	return object;
}

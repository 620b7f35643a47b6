#include "base/sys.h"
#include "plan/rollout.h"

#include "base/vec.h"
#include "plan/content.h"
#include "plan/rollout_place.h"

static const char *const action_words[STEP_ACTIONS] = {
	[STEP_NONE] = "none",	  [STEP_CREATE] = "create",   [STEP_REPLACE] = "replace",
	[STEP_UPDATE] = "update", [STEP_RESTART] = "restart", [STEP_REMOVE] = "remove",
};

const char *step_action_word(enum step_action action)
{
	return action_words[action];
}

/* ---- reasons ---- */

#define FIELDS_NAMED 3

/* The field without its path: "env" of "env.LOG_LEVEL". The digest goes with its image. */
static const char *field_head(struct arena *arena, const struct field_diff *diff)
{
	if (str_eq(diff->field, "digest"))
		return "image";
	return arena_strndup(arena, diff->field, strcspn(diff->field, "."));
}

/* "env", "env and ports", "image, env, ports and more" */
static const char *field_names(struct arena *arena, const struct field_diffs *diffs)
{
	const char *names[FIELDS_NAMED + 1];
	size_t n = 0;

	for (size_t i = 0; i < diffs->n && n < ARRAY_LEN(names); i++) {
		const char *name = field_head(arena, &diffs->v[i]);
		bool known = false;

		for (size_t j = 0; j < n; j++)
			known |= str_eq(names[j], name);
		if (!known)
			names[n++] = name;
	}
	if (n == 0)
		return NULL;
	if (n == 1)
		return names[0];
	if (n == 2)
		return arena_printf(arena, "%s and %s", names[0], names[1]);
	return arena_printf(arena, "%s, %s%s %s%s", names[0], names[1], n == 3 ? " and" : ",",
			    names[2], n == 3 ? "" : " and more");
}

static const char *changed_reason(struct arena *arena, const struct step *step)
{
	const struct field_diffs diffs = {step->fields, step->fields_n};
	const char *names = field_names(arena, &diffs);

	if (!names)
		return "changed";
	if (step->drift)
		return arena_printf(arena, "%s changed on the node", names);
	if (diffs.n == 1 && str_eq(diffs.v[0].field, "digest"))
		return "image moved";
	return arena_printf(arena, "%s changed", names);
}

static const char *ended_reason(struct arena *arena, const struct workload *workload)
{
	if (workload->state == RUN_EXITED && workload->exit_code > 128)
		return arena_printf(arena, "not running: ended by signal %d",
				    workload->exit_code - 128);
	if (workload->state == RUN_EXITED)
		return arena_printf(arena, "not running: exited with code %d", workload->exit_code);
	if (workload->state == RUN_PAUSED)
		return "paused";
	return workload->state == RUN_CREATED ? "not started yet" : "not running";
}

/* ---- steps ---- */

struct list {
	struct arena *arena;
	const struct rollout_input *input;
	VEC(struct step) steps;
};

static struct step *add(struct list *list, enum step_action action, const char *container,
			const char *reason)
{
	VEC_PUSH(&list->steps,
		 (struct step){.action = action, .container = container, .reason = reason});
	return &list->steps.v[list->steps.n - 1];
}

static struct step *add_wanted(struct list *list, enum step_action action,
			       const struct place *place, const char *reason)
{
	struct step *step = add(list, action, place->spec->name, reason);

	step->spec = place->spec;
	return step;
}

static struct step *add_with_fields(struct list *list, enum step_action action,
				    const struct place *place, const struct workload *from)
{
	struct field_diffs diffs = place_diff(list->arena, place->spec, from);
	struct step *step = add_wanted(list, action, place, NULL);
	char hash[HASH_HEX_SIZE + 8];

	step->fields = diffs.v;
	step->fields_n = diffs.n;
	/* Made from the very spec that is wanted: then somebody changed it since. */
	spec_hash(place->spec, hash);
	step->drift = diffs.n > 0 && str_eq(hash, from->labels.spec);
	return step;
}

/* "runs migrate, then seed before it"; NULL: nothing. */
static const char *init_hint(struct arena *arena, const struct place *place)
{
	const struct init_list *init = &place->spec->config->init;
	const char *names = "";

	if (!init->n || (place->have && place->have->state != RUN_CREATED))
		return NULL;
	for (size_t i = 0; i < init->n; i++)
		names = arena_printf(arena, "%s%s%s", names, i ? ", then " : "", init->v[i].name);
	return arena_printf(arena, "runs %s before it", names);
}

static void add_replace(struct list *list, const struct place *place)
{
	const struct workload *own = place->own;
	struct step *step = add_with_fields(list, STEP_REPLACE, place, own);

	if (workload_is_active(own))
		step->drops = DROPS_STOP;
	if (step->drops && list->input->strategy == STRATEGY_ROLLING &&
	    spec_has_alias(list->input, place->spec))
		step->drops |= DROPS_ALIAS;
	if (place->have)
		step->reason = "half done";
	else if (!place_same_slot(&own->labels, &place->spec->labels))
		step->reason = arena_printf(list->arena, "taken over from deployment %s",
					    own->labels.deployment);
	else if (step->fields_n == 0)
		step->reason = spec_is_job(place->spec) ? "runs again for the new record"
							: ended_reason(list->arena, own);
	else
		step->reason = changed_reason(list->arena, step);
	step->hint = init_hint(list->arena, place);
}

static void add_have(struct list *list, const struct place *place)
{
	enum condition condition = place->condition;
	struct step *step;

	if (place->match == MATCH_LIVE) {
		step = add_with_fields(list, STEP_UPDATE, place, place->have);
		step->reason = changed_reason(list->arena, step);
	} else if (condition == CONDITION_DOWN || condition == CONDITION_FAILED) {
		step = add_wanted(list, STEP_RESTART, place,
				  ended_reason(list->arena, place->have));
		step->drift = list->input->settled;
		step->hint = init_hint(list->arena, place);
	} else {
		add_wanted(list, STEP_NONE, place, NULL);
	}
}

/* What is made with the container, those that run before it among them. */
static void fill_images(struct arena *arena, const struct spec *spec, struct step *step)
{
	const struct init_list *init = &spec->config->init;

	step->fields = ARENA_ARRAY(arena, init->n + 1, struct field_diff);
	step->fields[step->fields_n++] =
		(struct field_diff){.field = "image", .to = spec->image, .release = true};
	for (size_t i = 0; i < init->n; i++) {
		step->fields[step->fields_n++] = (struct field_diff){
			.field = arena_printf(arena, "init.%s.image", init->v[i].name),
			.to = content_image_plain(arena, init->v[i].image),
			.release = true,
			.at = AT(&init->v[i], init, image),
			.path = PATH_OF(&init->v[i], init, image)};
	}
}

static void add_missing(struct list *list, const struct place *place)
{
	struct step *step = add_wanted(list, STEP_CREATE, place, "not there");
	bool settled = list->input->settled;

	if (place->have) { /* all but its name is there */
		step->reason = "half done";
		step->hint = init_hint(list->arena, place);
		return;
	}
	fill_images(list->arena, place->spec, step);
	step->hint = init_hint(list->arena, place);
	/* A further instance is missing because there are to be more of them now. */
	step->drift = settled && place->spec->instance <= 1;
	if (settled)
		step->reason = step->drift ? "gone from the node" : "more instances";
}

static void add_remove(struct list *list, const struct workload *workload, const char *reason)
{
	struct step *step = add(list, STEP_REMOVE, workload->name, reason);

	step->drops = workload_is_active(workload) ? DROPS_STOP : 0;
}

/* A job that is done for its record; what another record's job left goes. */
static void add_done(struct list *list, const struct place *place)
{
	if (place->own)
		add_remove(list, place->own, "left over");
	else
		add_wanted(list, STEP_NONE, place, NULL);
}

/* One that is to run belongs to the step of its container. */
static void add_init(struct list *list, const struct place *place)
{
	const struct workload *const both[] = {place->own, place->next};

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		if (both[i] && both[i] != place->have)
			add(list, STEP_REMOVE, both[i]->name, "left over");
		else if (both[i] && place->condition == CONDITION_HEALTHY && place->over)
			add(list, STEP_REMOVE, both[i]->name, "has done its work");
	}
}

static void add_place(struct list *list, const struct place *place)
{
	if (spec_is_init(place->spec)) {
		add_init(list, place);
		return;
	}
	if (!place->have && place->condition == CONDITION_HEALTHY)
		add_done(list, place);
	else if (place->have && place->have == place->own)
		add_have(list, place);
	else if (place->own)
		add_replace(list, place);
	else
		add_missing(list, place);
	if (place->next && place->next != place->have)
		add_remove(list, place->next, "left over");
}

/* Of a record that stays, a container of the product is too many only by its number. */
static const char *extra_reason(const struct list *list, const struct workload *extra)
{
	if (extra->labels.init)
		return "left over";
	for (size_t i = 0; list->input->settled && i < list->input->order_n; i++) {
		if (str_eq(list->input->order[i], extra->labels.container))
			return "fewer instances";
	}
	return "no longer wanted";
}

static int step_cmp(const void *a, const void *b)
{
	return strcmp(((const struct step *)a)->container, ((const struct step *)b)->container);
}

size_t rollout_steps(struct arena *arena, const struct rollout_input *input, struct step **out)
{
	struct list list = {.arena = arena, .input = input};
	struct places places;
	size_t n;

	places_fill(arena, input, &places);
	for (size_t i = 0; i < places.n; i++)
		add_place(&list, &places.v[i]);
	for (size_t i = 0; i < places.extra_n; i++)
		add_remove(&list, places.extra[i], extra_reason(&list, places.extra[i]));
	VEC_SORT(&list.steps, step_cmp);
	n = list.steps.n;
	*out = n > 0 ? arena_memdup(arena, list.steps.v, n * sizeof(struct step)) : NULL;
	VEC_FREE(&list.steps);
	return n;
}

#include "base/sys.h"
#include "plan/rollout.h"

#include "base/vec.h"
#include "plan/rollout_place.h"
#include "schema/kinds.h"

/* One look in the making. */
struct walk {
	struct arena *arena;
	const struct rollout_input *input;
	struct places places;
	VEC(struct op) ops;
};

static bool rolling(const struct walk *walk)
{
	return walk->input->strategy == STRATEGY_ROLLING;
}

static void emit(struct walk *walk, enum op_kind kind, const char *name, const struct spec *spec)
{
	VEC_PUSH(&walk->ops, (struct op){.kind = kind, .name = name, .spec = spec});
}

static void emit_to(struct walk *walk, enum op_kind kind, const char *name, const char *to)
{
	VEC_PUSH(&walk->ops, (struct op){.kind = kind, .name = name, .to = to});
}

/* ---- make ---- */

static bool pulled_already(const struct walk *walk, const struct spec *spec)
{
	for (size_t i = 0; i < walk->ops.n; i++) {
		const struct op *op = &walk->ops.v[i];

		if (op->kind == OP_PULL && str_eq(op->spec->digest, spec->digest) &&
		    str_eq(op->spec->image, spec->image))
			return true;
	}
	return false;
}

/*
 * Both names are taken by others. Usually the one called .next is the remainder of a rollout that
 * was given up. But it may be all that serves: then it takes the name, and keeps serving.
 */
static bool make_room(struct walk *walk, const struct place *place)
{
	bool elder = place->own != NULL;

	if (!place->next)
		return elder;
	if (workload_serves(place->next) &&
	    (!elder || (rolling(walk) && !workload_serves(place->own)))) {
		if (elder)
			emit(walk, OP_REMOVE, place->own->name, NULL);
		emit_to(walk, OP_RENAME, place->next->name, place->spec->name);
		return true;
	}
	emit(walk, OP_REMOVE, place->next->name, NULL);
	return elder;
}

static void make_one(struct walk *walk, const struct place *place)
{
	bool beside = !spec_is_init(place->spec) && make_room(walk, place);
	struct op op = {.kind = OP_CREATE, .name = place->spec->name, .spec = place->spec};

	if (beside) {
		op.name = arena_printf(walk->arena, "%s" NEXT_SUFFIX, place->spec->name);
		op.to = !rolling(walk) && spec_has_alias(walk->input, place->spec)
				? place->spec->name
				: NULL;
	}
	VEC_PUSH(&walk->ops, op);
}

static void drop_init(struct walk *walk, const struct workload *workload,
		      const struct workload *kept)
{
	if (workload && workload != kept)
		emit(walk, OP_REMOVE, workload->name, NULL);
}

/* What would run before a container of another release must not run beside this one. */
static void clear_inits(struct walk *walk)
{
	for (size_t i = 0; i < walk->places.n; i++) {
		const struct place *place = &walk->places.v[i];

		if (!spec_is_init(place->spec))
			continue;
		drop_init(walk, place->own, place->have);
		drop_init(walk, place->next, place->have);
	}
	for (size_t i = 0; i < walk->places.extra_n; i++) {
		if (walk->places.extra[i]->labels.init)
			drop_init(walk, walk->places.extra[i], NULL);
	}
}

/* What was given up and does not serve is not kept until something else is healthy. */
static void clear_early(struct walk *walk)
{
	clear_inits(walk);
	for (size_t i = walk->places.n; i-- > 0;) {
		const struct place *place = &walk->places.v[i];

		if (!spec_is_init(place->spec) && place->next && place->have &&
		    place->have != place->next && (!rolling(walk) || !workload_serves(place->next)))
			emit(walk, OP_REMOVE, place->next->name, NULL);
	}
	for (size_t i = walk->places.extra_n; walk->input->settled && i-- > 0;) {
		if (!walk->places.extra[i]->labels.init && !workload_serves(walk->places.extra[i]))
			emit(walk, OP_REMOVE, walk->places.extra[i]->name, NULL);
	}
}

static void make(struct walk *walk)
{
	for (size_t i = 0; i < walk->places.n; i++) {
		const struct place *place = &walk->places.v[i];

		if (place->condition == CONDITION_ABSENT && !pulled_already(walk, place->spec))
			emit(walk, OP_PULL, NULL, place->spec);
	}
	clear_early(walk);
	for (size_t i = 0; i < walk->places.n; i++) {
		const struct place *place = &walk->places.v[i];

		if (place->condition == CONDITION_ABSENT)
			make_one(walk, place);
		else if (place->match == MATCH_LIVE)
			emit(walk, OP_UPDATE, place->have->name, place->spec);
	}
}

/* ---- start ---- */

/* A .next that took the name in this very list is what make_room renamed. */
static const char *present_name(const struct walk *walk, const struct workload *workload)
{
	for (size_t i = 0; i < walk->ops.n; i++) {
		const struct op *op = &walk->ops.v[i];

		if (op->kind == OP_RENAME && str_eq(op->name, workload->name))
			return op->to;
	}
	return workload->name;
}

static bool is_removed(const struct walk *walk, const struct workload *workload)
{
	for (size_t i = 0; i < walk->ops.n; i++) {
		if (walk->ops.v[i].kind == OP_REMOVE && str_eq(walk->ops.v[i].name, workload->name))
			return true;
	}
	return false;
}

static void stop_other(struct walk *walk, const struct workload *workload)
{
	if (workload_is_active(workload) && !is_removed(walk, workload))
		emit(walk, OP_STOP, present_name(walk, workload), NULL);
}

/* Nothing of what is replaced may run beside what comes. */
static void stop_others(struct walk *walk)
{
	for (size_t i = walk->places.extra_n; i-- > 0;)
		stop_other(walk, walk->places.extra[i]);
	for (size_t i = walk->places.n; i-- > 0;) {
		const struct place *place = &walk->places.v[i];

		if (place->next != place->have)
			stop_other(walk, place->next);
		if (place->own != place->have)
			stop_other(walk, place->own);
	}
}

static const char *name_of_made(const struct walk *walk, const struct place *place)
{
	for (size_t i = 0; i < walk->ops.n; i++) {
		if (walk->ops.v[i].kind == OP_CREATE && walk->ops.v[i].spec == place->spec)
			return walk->ops.v[i].name;
	}
	return place->have->name;
}

/* Do the ones behind it have to wait? Not for one that served before and is ill now. */
static bool holds_back(const struct walk *walk, const struct place *place)
{
	if (place->condition == CONDITION_HEALTHY || !spec_is_waited_for(place->spec))
		return false;
	return !walk->input->settled || place->condition != CONDITION_COMING ||
	       (place->have->state == RUN_RUNNING && place->have->health != HEALTH_UNHEALTHY);
}

static void start(struct walk *walk)
{
	for (size_t i = 0; i < walk->places.n; i++) {
		const struct place *place = &walk->places.v[i];

		if (place->condition == CONDITION_ABSENT || place->condition == CONDITION_DOWN)
			emit(walk, OP_START, name_of_made(walk, place), NULL);
		if (holds_back(walk, place))
			return;
	}
}

/* ---- take ---- */

/* Whoever asks for the name is always told of one that serves. */
static void hand_over(struct walk *walk, const struct place *place)
{
	if (place->own && place->next == place->have && workload_is_active(place->own) &&
	    spec_has_alias(walk->input, place->spec))
		emit_to(walk, OP_ALIAS, place->next->name, place->spec->name);
}

static void take(struct walk *walk)
{
	for (size_t i = 0; i < walk->places.n; i++) {
		const struct place *place = &walk->places.v[i];

		if (spec_is_init(place->spec)) {
			drop_init(walk, place->have, NULL);
			continue;
		}
		hand_over(walk, place);
		if (place->own && place->own != place->have)
			emit(walk, OP_REMOVE, place->own->name, NULL);
		if (place->next && place->next != place->have)
			emit(walk, OP_REMOVE, place->next->name, NULL);
		else if (place->next)
			emit_to(walk, OP_RENAME, place->next->name, place->spec->name);
	}
	for (size_t i = walk->places.extra_n; i-- > 0;)
		emit(walk, OP_REMOVE, walk->places.extra[i]->name, NULL);
}

/* The slot is gone: everything is asked to end, last one first, before anything is removed. */
static void remove_all(struct walk *walk)
{
	stop_others(walk);
	take(walk);
}

/* ---- what it all amounts to ---- */

static const char *ended_text(struct arena *arena, const struct place *place)
{
	const struct workload *have = place->have;
	const char *text = arena_printf(arena, "exited with code %d", have->exit_code);

	if (have->exit_code > 128)
		text = arena_printf(arena, "was ended by signal %d", have->exit_code - 128);
	if (spec_is_job(place->spec))
		text = arena_printf(arena, "%s instead of %d", text,
				    (int)KIND_OR(place->spec->config->expect, expect, exit_code));
	return have->detail ? arena_printf(arena, "%s: %s", text, have->detail) : text;
}

static bool find_failure(const struct walk *walk, struct rollout *out)
{
	for (size_t i = 0; i < walk->places.n; i++) {
		const struct place *place = &walk->places.v[i];

		if (place->condition != CONDITION_FAILED)
			continue;
		out->state = ROLLOUT_FAILED;
		out->failed_name = place->have->name;
		out->failed_text = ended_text(walk->arena, place);
		out->failed_code = E_EXITED;
		return true;
	}
	return false;
}

/* Milliseconds until time alone makes it healthy; -1: it takes more than time. */
static int64_t time_left(const struct place *place, int64_t min_healthy_ms)
{
	if (spec_is_waited_for(place->spec) || place->have->state != RUN_RUNNING)
		return -1;
	return min_healthy_ms - place->have->running_ms;
}

static bool find_wait(const struct walk *walk, struct rollout *out)
{
	out->look_again_ms = -1;
	for (size_t i = 0; i < walk->places.n; i++) {
		const struct place *place = &walk->places.v[i];
		int64_t left;

		if (place->condition == CONDITION_HEALTHY)
			continue;
		left = time_left(place, walk->input->min_healthy_ms);
		if (left > out->look_again_ms)
			out->look_again_ms = left;
		if (!out->waiting_for)
			out->waiting_for = place->have->name;
	}
	return out->waiting_for != NULL;
}

static bool all_healthy(const struct places *places)
{
	for (size_t i = 0; i < places->n; i++) {
		if (places->v[i].condition != CONDITION_HEALTHY)
			return false;
	}
	return true;
}

static void bring_up(struct walk *walk)
{
	make(walk);
	if (all_healthy(&walk->places))
		return;
	if (!rolling(walk))
		stop_others(walk);
	start(walk);
}

static bool is_serving(const struct places *places)
{
	for (size_t i = 0; i < places->n; i++) {
		if (places->v[i].have && places->v[i].condition == CONDITION_HEALTHY &&
		    !spec_is_init(places->v[i].spec))
			return true;
	}
	return false;
}

static void decide(struct walk *walk, struct rollout *out)
{
	out->serving = is_serving(&walk->places);
	if (find_failure(walk, out))
		return;
	if (walk->places.n == 0) {
		remove_all(walk);
	} else {
		bring_up(walk);
		if (walk->ops.n == 0 && find_wait(walk, out)) {
			out->state = ROLLOUT_WAIT;
			return;
		}
		if (walk->ops.n == 0)
			take(walk);
	}
	out->state = walk->ops.n > 0 ? ROLLOUT_OPS : ROLLOUT_DONE;
}

void rollout_next(struct arena *arena, const struct rollout_input *input, struct rollout *out)
{
	struct walk walk = {.arena = arena, .input = input};

	*out = (struct rollout){.look_again_ms = -1};
	places_fill(arena, input, &walk.places);
	decide(&walk, out);
	if (walk.ops.n > 0)
		out->ops = arena_memdup(arena, walk.ops.v, walk.ops.n * sizeof(struct op));
	out->ops_n = walk.ops.n;
	VEC_FREE(&walk.ops);
}

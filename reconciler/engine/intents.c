#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "engine/intents.h"

/* ---- writing down ---- */

static bool needs_image(const struct op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ops[i].kind == OP_PULL || ops[i].kind == OP_CREATE || ops[i].kind == OP_START)
			return true;
	return false;
}

static struct spec *copy_spec(struct arena *arena, const struct spec *spec)
{
	AUTO_JSON json_t *json = spec_json(spec);
	struct spec *copy = ARENA_NEW(arena, struct spec);
	return spec_from_json(json, arena, copy, NULL) == 0 ? copy : NULL;
}

static int add_intent(struct work *work, struct pending_group *group, const struct slot_key *key,
		      int64_t record, const struct op *op)
{
	struct arena *arena = group->arena;
	struct op *own = &group->ops[group->ops_n];
	*own = (struct op){.kind = op->kind,
			   .name = arena_strdup(arena, op->name),
			   .to = arena_strdup(arena, op->to)};
	if (op->spec) {
		own->spec = copy_spec(arena, op->spec);
		if (!own->spec)
			return err_set(work->err, E_INTERNAL, "a spec that cannot be copied");
	}
	struct ledger_step step = {.slot = *key,
				   .record = record,
				   .op = op_word(op->kind),
				   .name = op->name   ? op->name
					   : op->spec ? op->spec->image
						      : NULL,
				   .intent_ms = clock_wall_ms()};
	/* Pulling changes nothing that runs: it is done again after a crash, without a trace. */
	if (op->kind != OP_PULL &&
	    ledger_intent(work->engine->ledger, &step, &group->steps[group->ops_n], work->err) < 0)
		return -1;
	group->ops_n++;
	return 0;
}

int intents_queue(struct work *work, struct slot_run *run, const struct slot_key *key,
		  int64_t record, const struct op *ops, size_t n)
{
	bool claim = !work->observed->owner && work->groups.n == 0;
	/*
	 * Until the node bears our marker only one slot goes ahead, and puts it there; that and no
	 * more, since all others wait for it.
	 */
	if (!work->observed->owner && !claim)
		return 0;
	/* What is on its way out may be what is wanted now. The end of that gives a new look. */
	if (slot_run_of_node(work->engine, work->node->name)->busy && needs_image(ops, n))
		return 0;
	if (engine_write(work->engine, work->err) < 0)
		return -1;
	struct pending_group group = {.slot = run, .arena = arena_new(0)};
	group.ops = ARENA_ARRAY(group.arena, n + 1, struct op);
	group.steps = ARENA_ARRAY(group.arena, n + 1, int64_t);
	const struct op marker = {.kind = OP_CLAIM};
	int status = claim ? add_intent(work, &group, key, record, &marker) : 0;
	for (size_t i = 0; i < n && !claim && status == 0; i++)
		status = add_intent(work, &group, key, record, &ops[i]);
	if (status < 0) {
		arena_free(group.arena);
		return -1;
	}
	run->busy = true;
	VEC_PUSH(&work->groups, group);
	return 0;
}

/* ---- handing over ---- */

static bool is_slow(const struct pending_group *group)
{
	for (size_t i = 0; i < group->ops_n; i++)
		if (group->ops[i].kind == OP_STOP || group->ops[i].kind == OP_REMOVE ||
		    group->ops[i].kind == OP_IMAGE_REMOVE)
			return true;
	return false;
}

/* Quick changes of many slots share a few children; what may take its time gets one of its own. */
void intents_hand_over(struct work *work)
{
	enum { SHARED_ACTS = 4 };
	struct pending_act *shared[SHARED_ACTS] = {0};
	size_t quick = 0;
	for (size_t i = 0; i < work->groups.n; i++) {
		struct pending_group *group = &work->groups.v[i];
		bool slow = is_slow(group);
		struct pending_act **place = slow ? NULL : &shared[quick++ % SHARED_ACTS];
		struct pending_act *act = place ? *place : NULL;
		if (!act) {
			act = mem_zalloc(1, sizeof *act);
			act->node = work->node;
			acts_queue(work->engine, act);
			if (place)
				*place = act;
		}
		VEC_PUSH(&act->groups, *group);
	}
}

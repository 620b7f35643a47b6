#include "base/sys.h"

#include "engine/node_plan.h"
#include "engine/share.h"

static enum unit_state state_of_unit(void *arg, const char *project, const char *stage)
{
	struct engine *engine = arg;
	struct unit unit = {UNIT_STAGE, project, stage};
	const struct accept_unit *found = accept_find(&engine->tip.outcome, &unit);
	if (!found)
		return UNIT_UNKNOWN;
	if (found->held)
		return UNIT_HELD;
	return found->gone ? UNIT_GONE : UNIT_CURRENT;
}

static void list_digests(struct work *work, struct plan_input *input)
{
	const struct look_result *seen = work->observed ? work->node->seen : NULL;
	if (!seen)
		return;
	struct digest_entry *digests =
		ARENA_ARRAY(work->arena, seen->images_n + 1, struct digest_entry);
	for (size_t i = 0; i < seen->images_n; i++)
		digests[i] = (struct digest_entry){work->node->name, seen->images[i].image,
						   seen->images[i].digest, seen->images[i].error};
	input->digests = digests;
	input->digests_n = seen->images_n;
}

void node_plan_make(struct work *work)
{
	struct engine *engine = work->engine;
	char commit[OID_HEX_SIZE];
	struct node_view *view = ARENA_NEW(work->arena, struct node_view);
	*view = (struct node_view){.name = work->node->name, .observed = work->observed};
	struct plan_input *input = ARENA_NEW(work->arena, struct plan_input);
	*input = (struct plan_input){
		.commit = arena_strdup(work->arena, oid_hex(&engine->tip.seen, commit)),
		.desired = share_desired(engine, work->node->name, work->arena),
		.model = engine->tip.outcome.model,
		.history = share_history(engine, work->history, work->node->name, work->arena),
		.nodes = view,
		.nodes_n = 1,
		.owner = engine->owner,
		.unit_state = state_of_unit,
		.unit_arg = engine,
		.adopting = engine->adopting,
		.slow_stops = engine->slow_stops,
		.moved_tags = engine->moved_tags,
	};
	list_digests(work, input);
	work->plan = plan_build(input, work->arena);
}

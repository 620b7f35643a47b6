#include "base/sys.h"

#include "base/json.h"
#include "engine/guard.h"

/* What a stage loses. */
struct loss {
	const char *project, *stage;
	size_t slots; /* that are served now */
	size_t unexplained, explained;
	const struct slot_key *protect; /* the first protected one that goes or changes prefix */
	bool moves_protected;		/* a protected one changes its prefix */
	const struct slot_key *first;	/* the first unexplained one */
	const char *why;		/* ... and why it is not explained */
};

struct guard {
	const struct guard_input *in;
	struct arena *arena;
	VEC(struct loss) losses;
	VEC(struct slot_key) removals;
	VEC(struct accept_hold) holds;
};

static int key_cmp(const void *a, const void *b)
{
	return slot_key_cmp(a, b);
}

static struct loss *loss_of(struct guard *guard, const struct slot_key *slot)
{
	for (size_t i = guard->losses.n; i-- > 0;) {
		struct loss *loss = &guard->losses.v[i];
		if (str_eq(loss->project, slot->project) && str_eq(loss->stage, slot->stage))
			return loss;
	}
	struct loss loss = {.project = slot->project, .stage = slot->stage};
	VEC_PUSH(&guard->losses, loss);
	return &guard->losses.v[guard->losses.n - 1];
}

static bool has_slots(const struct desired *desired, const struct slot_key *slot)
{
	for (size_t i = 0; i < desired->slots_n; i++) {
		const struct slot_key *key = &desired->slots[i]->key;
		if (str_eq(key->project, slot->project) && str_eq(key->stage, slot->stage) &&
		    str_eq(key->deployment, slot->deployment))
			return true;
	}
	return false;
}

/* NULL: explained. */
static const char *unexplained(const struct guard *guard, const struct slot_key *slot)
{
	const struct model *model = guard->in->outcome->model;
	if (!model_project(model, slot->project))
		return "the project is gone";
	if (!model_stage(model, slot->project, slot->stage))
		return "the stage is gone";
	if (!model_deployment(model, slot->project, slot->stage, slot->deployment))
		return NULL;
	if (has_slots(guard->in->outcome->desired, slot))
		return NULL;
	return "the deployment has no node any more";
}

static bool is_protected(const struct guard *guard, const struct slot_key *slot)
{
	const struct model *model = guard->in->before;
	if (!model)
		return false;
	const struct stage *stage = model_stage(model, slot->project, slot->stage);
	const struct deployment *deployment =
		model_deployment(model, slot->project, slot->stage, slot->deployment);
	return (stage && stage->protect) || (deployment && deployment->protect);
}

static bool changes_prefix(const struct guard *guard, const struct slot_key *slot,
			   const struct slot *now)
{
	const struct slot *before =
		guard->in->before_desired ? desired_find(guard->in->before_desired, slot) : NULL;
	return before && !str_eq(before->prefix, now->prefix);
}

static void weigh_slot(struct guard *guard, const struct slot_key *slot)
{
	struct loss *loss = loss_of(guard, slot);
	loss->slots++;
	const struct slot *now = desired_find(guard->in->outcome->desired, slot);
	if (now && !changes_prefix(guard, slot, now))
		return;
	bool protect = is_protected(guard, slot);
	if (protect && !loss->protect)
		loss->protect = slot;
	if (now) {
		loss->moves_protected |= protect;
		return;
	}
	VEC_PUSH(&guard->removals, *slot);
	const char *why = unexplained(guard, slot);
	if (!why) {
		loss->explained++;
		return;
	}
	loss->unexplained++;
	if (!loss->first) {
		loss->first = slot;
		loss->why = why;
	}
}

/* ---- ways on ---- */

static bool removal_approved(const struct guard *guard, const json_t *approved,
			     const struct loss *loss)
{
	for (size_t i = 0; i < guard->removals.n; i++) {
		const struct slot_key *slot = &guard->removals.v[i];
		if (!str_eq(slot->project, loss->project) || !str_eq(slot->stage, loss->stage))
			continue;
		char id[SLOT_ID_MAX];
		const char *text = slot_id(slot, id);
		bool found = false;
		for (size_t a = 0; a < json_array_size(approved) && !found; a++)
			found = str_eq(json_string_value(json_array_get(approved, a)), text);
		if (!found)
			return false;
	}
	return true;
}

/*
 * An approval was given for a commit and what it removed; it holds for later tips that remove no
 * more. What is no removal, a protected deployment's change of prefix, it approves in that commit
 * alone.
 */
static bool approved(const struct guard *guard, const struct loss *loss)
{
	bool removes = loss->explained + loss->unexplained > 0;
	for (size_t i = 0; i < guard->in->approvals_n; i++) {
		const struct ledger_approval *approval = &guard->in->approvals[i];
		bool same = str_eq(approval->commit, guard->in->commit);
		if (!same && (!removes || loss->moves_protected))
			continue;
		AUTO_JSON json_t *removals = json_read(
			approval->removals, strlen(approval->removals), BUF_MAX_TEXT, NULL);
		if (removal_approved(guard, removals, loss))
			return true;
	}
	return false;
}

static bool has_trailer(const struct guard *guard, const struct loss *loss)
{
	AUTO_FREE char *scope = mem_printf("%s/%s", loss->project, loss->stage);
	for (size_t i = 0; i < guard->in->prune_trailers_n; i++)
		if (str_eq(guard->in->prune_trailers[i], scope))
			return true;
	return false;
}

/* ---- what is held ---- */

static void hold(struct guard *guard, const struct loss *loss, enum diag_code code,
		 const char *message, const char *hint)
{
	struct diag *diag = ARENA_NEW(guard->arena, struct diag);
	struct unit unit = {UNIT_STAGE, loss->project, loss->stage};
	*diag = (struct diag){.code = code, .unit = unit, .message = message, .hint = hint};
	struct accept_hold held = {.unit = unit, .reason = diag};
	VEC_PUSH(&guard->holds, held);
}

static void hold_for_prune(struct guard *guard, const struct loss *loss, const char *message)
{
	hold(guard, loss, DIAG_PRUNE_GUARD, message,
	     arena_printf(guard->arena,
			  "trueup approve %.12s, or a commit with the trailer "
			  "\"Trueup-Prune: %s/%s\"",
			  guard->in->commit, loss->project, loss->stage));
}

/* Whoever writes commits can write the trailer too: for what is protected it does not do. */
static void judge(struct guard *guard, struct loss *loss)
{
	struct arena *arena = guard->arena;
	size_t removed = loss->explained + loss->unexplained;
	if (approved(guard, loss))
		return;
	if (loss->protect)
		hold(guard, loss, DIAG_PROTECTED,
		     arena_printf(arena,
				  "%s on %s is protected: its removal or change of prefix "
				  "waits for approve",
				  loss->protect->deployment, loss->protect->node),
		     arena_printf(arena, "trueup approve %.12s", guard->in->commit));
	else if (has_trailer(guard, loss))
		return;
	else if (loss->unexplained)
		hold_for_prune(guard, loss,
			       arena_printf(arena,
					    "%zu of %zu deployments of %s/%s would be removed "
					    "unexplained: %s on %s: %s",
					    removed, loss->slots, loss->project, loss->stage,
					    loss->first->deployment, loss->first->node, loss->why));
	else if (removed > GUARD_REMOVALS && removed * 100 > loss->slots * GUARD_PERCENT)
		hold_for_prune(guard, loss,
			       arena_printf(arena,
					    "%zu of %zu deployments of %s/%s would be removed at "
					    "once",
					    removed, loss->slots, loss->project, loss->stage));
}

void guard_run(const struct guard_input *input, struct arena *arena, struct guard_outcome *out)
{
	struct guard guard = {.in = input, .arena = arena};
	for (size_t i = 0; i < input->serving_n; i++)
		weigh_slot(&guard, &input->serving[i]);
	VEC_SORT(&guard.removals, key_cmp);
	for (size_t i = 0; i < guard.losses.n; i++)
		judge(&guard, &guard.losses.v[i]);
	*out = (struct guard_outcome){.removals_n = guard.removals.n, .holds_n = guard.holds.n};
	if (guard.removals.n)
		out->removals = arena_memdup(arena, guard.removals.v,
					     guard.removals.n * sizeof *guard.removals.v);
	if (guard.holds.n)
		out->holds =
			arena_memdup(arena, guard.holds.v, guard.holds.n * sizeof *guard.holds.v);
	VEC_FREE(&guard.removals);
	VEC_FREE(&guard.holds);
	VEC_FREE(&guard.losses);
}

void guard_removals_json(const struct slot_key *removals, size_t n, struct buf *out)
{
	AUTO_JSON json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		char id[SLOT_ID_MAX];
		json_array_append_new(list, json_string(slot_id(&removals[i], id)));
	}
	json_write(list, out);
}

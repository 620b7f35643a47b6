#include "base/sys.h"
#include "plan/render_parts.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "schema/kinds.h"

static const char *const marks[STEP_ACTIONS] = {
	[STEP_NONE] = " ",   [STEP_CREATE] = "+",  [STEP_REPLACE] = "~",
	[STEP_UPDATE] = "^", [STEP_RESTART] = ">", [STEP_REMOVE] = "-",
};

const char *render_mark(enum step_action action)
{
	return marks[action];
}

/* ---- a slot ---- */

const char *render_leave(const struct plan *plan, const struct slot_plan *slot)
{
	if (!slot->leave)
		return NULL;
	if (!slot->slot)
		return plan->adopting ? "left running until the commit is approved"
				      : "left running, the node does not answer";
	if (slot->decision.kind == DECIDE_HELD &&
	    KIND_OR(slot->slot->deployment, deployment, on_failure) == FAILURE_STOP)
		return "left as it is (onFailure: stop)";
	if (slot->drift)
		return "drift, only reported (drift: report)";
	return "left as it is";
}

static bool is_remainder(const struct slot_plan *slot)
{
	for (size_t i = 0; i < slot->steps_n; i++) {
		if (slot->steps[i].action != STEP_REMOVE ||
		    !str_ends(slot->steps[i].container, NEXT_SUFFIX))
			return false;
	}
	return true;
}

const char *render_headline(const struct slot_plan *slot)
{
	if (slot->why)
		return slot->why;
	switch (slot->decision.kind) {
	case DECIDE_NEW:
	case DECIDE_CONTINUE:
		return "changed configuration";
	case DECIDE_HELD:
		return slot->decision.active && slot->decision.active->version
			       ? "the functional version serves on"
			       : "what was functional serves on";
	case DECIDE_START:
	case DECIDE_KEEP:
	case DECIDE_REFUSED:
		break;
	}
	if (slot->drift)
		return "drift";
	return is_remainder(slot) ? "remainder of a release that was given up" : "operations";
}

/* One goes before another comes. */
static bool replaces(const struct slot_plan *slot)
{
	bool comes = false, goes = false;

	for (size_t i = 0; i < slot->steps_n; i++) {
		enum step_action action = slot->steps[i].action;

		comes |= action == STEP_REPLACE || action == STEP_CREATE;
		goes |= action == STEP_REPLACE || action == STEP_REMOVE;
	}
	return comes && goes;
}

const char *render_outage(const struct slot_plan *slot)
{
	if (!slot->slot || slot->slot->strategy != STRATEGY_RECREATE || !replaces(slot))
		return NULL;
	return slot->slot->strategy_reason ? slot->slot->strategy_reason : "as the manifest says";
}

const char *render_drops(const struct slot_plan *slot)
{
	unsigned drops = 0;

	if (!slot->slot || slot->slot->strategy != STRATEGY_ROLLING)
		return NULL;
	for (size_t i = 0; i < slot->steps_n; i++) {
		if (slot->steps[i].action == STEP_REPLACE)
			drops |= slot->steps[i].drops;
	}
	if (drops & DROPS_ALIAS)
		return "twice: the new one's own as it takes the name, the old one's as it stops";
	return drops ? "as the old one stops" : NULL;
}

bool render_own_transition(const struct slot_plan *slot, struct transition *out)
{
	const struct record *record = slot->serves;

	if (slot->leave || !record ||
	    (slot->decision.kind != DECIDE_NEW && slot->decision.kind != DECIDE_START &&
	     slot->decision.kind != DECIDE_CONTINUE))
		return false;
	*out = (struct transition){
		.record = record->id,
		.slot = slot->key,
		.version = record->version,
		.from = slot->decision.kind == DECIDE_NEW ? 0 : record->status,
		.to = RECORD_SUCCESSFUL,
	};
	return true;
}

static const char *transition_text(const struct slot_plan *slot,
				   const struct transition *transition, struct arena *arena)
{
	const char *who = transition->version, *status = record_status_word(transition->to);

	if (!slot->slot && !who)
		who = "its record";
	else if (slot->serves && str_eq(who, slot->serves->version))
		who = who ? arena_printf(arena, "the earlier %s", who) : "the earlier record";
	else if (!who)
		who = "the earlier record";
	return arena_printf(arena, "%s %s", who, status);
}

const char *render_transitions(const struct slot_plan *slot, struct arena *arena)
{
	struct transition own;
	const char *text = NULL;

	if (slot->leave)
		return NULL;
	if (render_own_transition(slot, &own))
		text = arena_printf(arena, "%s successful",
				    own.version ? own.version : "the new record");
	for (size_t i = 0; i < slot->transitions_n; i++) {
		const char *next = transition_text(slot, &slot->transitions[i], arena);

		text = text ? arena_printf(arena, "%s, %s", text, next) : next;
	}
	return text;
}

bool render_shows(const struct slot_plan *slot)
{
	return slot->steps_n > 0 || slot->volumes_n > 0 ||
	       (!slot->leave && (slot->transitions_n > 0 || slot->decision.kind == DECIDE_NEW ||
				 slot->decision.kind == DECIDE_START));
}

static int by_node(const void *a, const void *b)
{
	const struct slot_plan *left = *(const struct slot_plan *const *)a;
	const struct slot_plan *right = *(const struct slot_plan *const *)b;
	int order = str_cmp(left->key.node, right->key.node);

	return order ? order : slot_key_cmp(&left->key, &right->key);
}

const struct slot_plan **render_slots(const struct plan *plan, struct arena *arena, size_t *n)
{
	const struct slot_plan **list = ARENA_ARRAY(arena, plan->slots_n, const struct slot_plan *);

	*n = 0;
	for (size_t i = 0; i < plan->slots_n; i++) {
		if (render_shows(&plan->slots[i]))
			list[(*n)++] = &plan->slots[i];
	}
	if (*n > 1)
		qsort(list, *n, sizeof(*list), by_node);
	return list;
}

/* ---- the whole ---- */

void render_summary(const struct plan *plan, struct buf *out)
{
	buf_addf(out,
		 "%zu to create, %zu to replace, %zu to update, %zu to restart, %zu to remove, "
		 "%zu unchanged",
		 plan->create, plan->replace, plan->update, plan->restart, plan->remove,
		 plan->unchanged);
}

static bool waits_for_approval(const struct plan *plan)
{
	for (size_t i = 0; i < plan->held_n; i++) {
		if (str_eq(plan->held[i].reason, "approval"))
			return true;
	}
	return false;
}

void render_next(const struct plan *plan, struct buf *out)
{
	if (plan->refused_n > 0)
		buf_adds(out, "Mend what is refused: until then, what it belongs to stays as it "
			      "is, and everything else goes on.");
	else if (waits_for_approval(plan))
		buf_addf(out, "To let go of what waits for approval: trueup approve %.12s",
			 plan->commit ? plan->commit : "COMMIT");
	else if (plan_has_changes(plan))
		buf_adds(out, "Nothing was changed yet: the reconciler does it when the commit is "
			      "on its branch, `trueup apply` does it now.");
	else
		buf_adds(out, "Nothing to do.");
}

/* ---- values ---- */

size_t render_width(const char *text, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

#define DIGEST_SHOWN (strlen(HASH_PREFIX) + 12)

static bool is_digest(const char *value)
{
	return hash_digest_hex(value) != NULL;
}

/* The bytes of the first `width` characters. */
static size_t bytes_of(const char *text, size_t len, size_t width)
{
	size_t at = 0;

	for (; at < len && width > 0; width--) {
		for (at++; at < len && ((unsigned char)text[at] & 0xc0) == 0x80;)
			at++;
	}
	return at;
}

void render_value(struct buf *out, const char *value, size_t width)
{
	AUTO_BUF struct buf line = BUF_INIT(BUF_MAX_TEXT), clean = BUF_INIT(BUF_MAX_TEXT);
	const char *text;

	if (!value) {
		buf_adds(out, "(none)");
		return;
	}
	for (const char *at = value; *at; at++) {
		if (*at == '\n')
			buf_adds(&line, "\\n");
		else if (*at == '\t')
			buf_addc(&line, ' ');
		else
			buf_addc(&line, *at);
	}
	if (is_digest(value))
		line.len = DIGEST_SHOWN;
	buf_add_clean(&clean, buf_str(&line), line.len);
	text = buf_str(&clean);
	if (render_width(text, clean.len) <= width) {
		buf_add(out, text, clean.len);
		return;
	}
	buf_add(out, text, bytes_of(text, clean.len, width > 1 ? width - 1 : 0));
	buf_adds(out, "\xe2\x80\xa6");
}

const struct plan_note *render_held(const struct plan *plan, struct arena *arena, size_t *n)
{
	struct plan_note *notes =
		arena_alloc(arena, (plan->held_n + plan->unclaimed_n + 1) * sizeof *notes);

	*n = plan->held_n;
	if (plan->held_n)
		memcpy(notes, plan->held, plan->held_n * sizeof *notes);
	for (size_t i = 0; i < plan->unclaimed_n; i++) {
		const struct workload *workload = plan->unclaimed[i];

		notes[(*n)++] = (struct plan_note){
			.slot = {.project = workload->labels.project,
				 .stage = workload->labels.stage,
				 .deployment = workload->labels.deployment,
				 .node = workload->labels.node},
			.reason = "unclaimed",
			.text = arena_printf(arena,
					     "%s is ours, but of no deployment; it is left running",
					     workload->name),
		};
	}
	return notes;
}

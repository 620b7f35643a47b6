#include "base/sys.h"
#include "plan/render.h"

#include "plan/render_parts.h"

/* "shop/production/storefront on here (approval): why"; of a whole node: "here (unknown): why" */
static const char *note_message(const struct plan_note *note, struct arena *arena)
{
	const struct slot_key *key = &note->slot;

	if (!key->deployment)
		return arena_printf(arena, "%s (%s): %s", key->node, note->reason, note->text);
	return arena_printf(arena, "%s/%s/%s on %s (%s): %s", key->project, key->stage,
			    key->deployment, key->node, note->reason, note->text);
}

json_t *plan_sarif(const struct plan *plan, const char *root)
{
	AUTO_DIAGS struct diags diags = {0};
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct unit whole = {.level = UNIT_ORGANIZATION};
	size_t held_n;
	const struct plan_note *held = render_held(plan, arena, &held_n);

	diags_append(&diags, plan->refused, plan->refused_n);
	for (size_t i = 0; i < held_n; i++)
		diags_note(&diags, DIAG_HELD, &whole, held[i].path, held[i].at, "%s",
			   note_message(&held[i], arena))
			->hint = held[i].hint;
	return diags_sarif(diags.v, diags.n, root);
}

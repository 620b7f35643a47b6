/*
 * render_parts.h - what text, JSON and Markdown say in the same words.
 */
#ifndef TRUEUP_PLAN_RENDER_PARTS_H
#define TRUEUP_PLAN_RENDER_PARTS_H

#include "base/buf.h"
#include "plan/render.h"

/* "+" create, "~" replace, "^" update, ">" restart, "-" remove. */
const char *render_mark(enum step_action action);
/* Why the steps of a slot are not carried out; NULL: they are. */
const char *render_leave(const struct plan *plan, const struct slot_plan *slot);
/* What happens to the slot as a whole; never NULL. */
const char *render_headline(const struct slot_plan *slot);
/* "as the old one stops": connections drop then, though something else serves; or NULL. */
const char *render_drops(const struct slot_plan *slot);
/* "recreate: writable volume data": containers stop before their successors start; or NULL. */
const char *render_outage(const struct slot_plan *slot);
/* Is there anything to say about it? */
bool render_shows(const struct slot_plan *slot);
/*
 * The status of the slot's own record that follows, as a transition: from 0 for a new record.
 * false: its record stays as it is.
 */
bool render_own_transition(const struct slot_plan *slot, struct transition *out);
/* "1 to create, 0 to replace, 0 to update, 0 to restart, 0 to remove, 12 unchanged" */
void render_summary(const struct plan *plan, struct buf *out);
/* One sentence: what to do next. */
void render_next(const struct plan *plan, struct buf *out);
/* Slots that have something to show, by node, then key; in arena. */
const struct slot_plan **render_slots(const struct plan *plan, struct arena *arena, size_t *n);

/* What is held, and what is left running for want of a manifest, which belongs with it; in arena.
 */
const struct plan_note *render_held(const struct plan *plan, struct arena *arena, size_t *n);
/* "1.1.0 successful, 1.0.0 obsolete", or NULL: nothing follows; in arena. */
const char *render_transitions(const struct slot_plan *slot, struct arena *arena);

/* Characters, not bytes; text is UTF-8. */
size_t render_width(const char *text, size_t len);

#endif

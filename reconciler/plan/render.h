/*
 * render.h - a plan as text, JSON, Markdown and SARIF, from the same value.
 */
#ifndef TRUEUP_PLAN_RENDER_H
#define TRUEUP_PLAN_RENDER_H

#include <jansson.h>

#include "base/buf.h"
#include "plan/plan.h"

/* {"commit","base","hash","steps":[...],"transitions":[...],"refused":[...],"data":[...],
 * "held":[...],"unresolved":[...],"summary":{...}}; new reference. */
json_t *plan_json(const struct plan *plan);
/* For a terminal of `width` columns (0: 80); colour: ANSI. */
void plan_text(const struct plan *plan, unsigned width, bool colour, struct buf *out);
/* For a comment in a pull request. */
void plan_markdown(const struct plan *plan, struct buf *out);
/*
 * What is refused and what is held, as diags_sarif makes it (schema/diag.h, for root too): notes of
 * the code `held` for the latter. New reference.
 */
json_t *plan_sarif(const struct plan *plan, const char *root);

/*
 * One line of a value, at most `width` characters: control bytes are gone, line breaks are shown as
 * "\n", digests are shortened, what is too long ends with an ellipsis. NULL is "(none)".
 */
void render_value(struct buf *out, const char *value, size_t width);

#endif

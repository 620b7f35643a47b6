/*
 * oneshot.h - what the one-shot commands share. Internal to engine/.
 */
#ifndef TRUEUP_ENGINE_ONESHOT_H
#define TRUEUP_ENGINE_ONESHOT_H

#include "engine/engine.h"

/* Moves the diagnostics with all their texts into the outcome; the list is released. */
void oneshot_keep_diags(struct diags *diags, struct engine_outcome *outcome);
/* Is `name` (--node; NULL: none was given) a node of the model? E_NOT_FOUND with the nearest. */
int oneshot_check_node(const struct model *model, const char *name, struct err *err);

#endif

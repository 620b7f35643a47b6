/*
 * whole.h - rules between the fields of a container's configuration, which only the merged whole
 * can break: the port that requests are routed to may be in one layer, the routing in another.
 */
#ifndef TRUEUP_SCHEMA_WHOLE_H
#define TRUEUP_SCHEMA_WHOLE_H

#include "schema/diag.h"
#include "schema/model.h"

/* Can a whole of which this is a layer break one of them? */
bool whole_check_needed(const struct container *layer);
/* Reports what is wrong at the fields that are, in the files of their layers. */
void whole_check(const struct container *merged, const struct unit *unit, struct diags *diags);

#endif

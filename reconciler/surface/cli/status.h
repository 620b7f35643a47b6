/*
 * status.h - the one value behind `status`: as JSON it is the contract, as text it is drawn from
 * it.
 */
#ifndef TRUEUP_SURFACE_STATUS_H
#define TRUEUP_SURFACE_STATUS_H

#include "surface/cli/view.h"

/*
 * {"branch","commit","accepted","synced","deployments":[...],"rejected":[...],"unclaimed":[...],
 * "nodes":[...]}: one entry per slot, its active record or the newest where none is active.
 * Only what matches the cli's scope flags; `synced` speaks of everything. New reference.
 */
json_t *status_json(struct cli *cli, const struct ledger_view *view);

#endif

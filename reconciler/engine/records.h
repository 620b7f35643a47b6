/*
 * records.h - the ledger's side of a slot: records are made, begun, superseded, end well or badly,
 * each with all that follows from it in the turn's one transaction.
 */
#ifndef TRUEUP_ENGINE_RECORDS_H
#define TRUEUP_ENGINE_RECORDS_H

#include "engine/core.h"

/*
 * Brings the slot's records to what was decided, as far as nothing stands in the way: makes the new
 * record, supersedes what is wanted no more, begins what may begin. *changed: plan again.
 */
int records_follow(struct engine *engine, struct slot_run *run, const struct slot_plan *plan,
		   bool may_begin, bool *changed, struct err *err);
/*
 * All containers are as wanted: successful, and what it makes obsolete or downgraded. down_ms: for
 * how long nothing served meanwhile, 0: never.
 */
int records_succeed(struct engine *engine, struct slot_run *run, const struct slot_plan *plan,
		    int64_t down_ms, struct err *err);
/* After a failure the record that served before serves again, after so long. */
int records_reinstated(struct engine *engine, struct slot_run *run, const struct record *record,
		       int64_t down_ms, struct err *err);
/* The release itself failed. log: last lines of the container that failed, or NULL. */
int records_fail(struct engine *engine, struct slot_run *run, const struct slot_plan *plan,
		 const char *log, struct err *err);
/* The containers of a slot that is wanted no more are gone. */
int records_removed(struct engine *engine, struct slot_run *run, const struct slot_plan *plan,
		    struct err *err);
/* Nodes that are in no document any more are left alone; what served there, or was to, is history.
 */
int records_detach(struct engine *engine, struct err *err);
/*
 * A slot that the ledger knows nothing of, but whose containers are there with our labels, all of
 * one record: that record is put back as the active one (rebuilt ledger).
 */
int records_adopt(struct engine *engine, const struct slot_plan *plan,
		  const struct observed *observed, bool *changed, struct err *err);

#endif

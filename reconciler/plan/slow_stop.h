/*
 * slow_stop.h - containers that do not end by their stop signal.
 *
 * The kernel keeps a signal without a handler from the first process of a container: each stop, and
 * so each replacement, then takes the whole stop timeout before it is killed, which people blame on
 * whoever stopped it. The first time tells; it is kept in the ledger, and status and the next plan
 * say so. The next stop that ends in time, or another stopSignal, ends the matter.
 *
 * All of them are one JSON object, the small value "slow-stops" of the ledger: {"<slot>":
 * {"<container>": {"signal": "SIGTERM", "ms": 10000}}}, where a slot is
 * "project/stage/deployment@node". Functions that only read take NULL for none.
 */
#ifndef TRUEUP_PLAN_SLOW_STOP_H
#define TRUEUP_PLAN_SLOW_STOP_H

#include "drivers/driver.h"
#include "plan/record.h"

/*
 * A container was stopped: unheard is the signal that did not end it, "" where it did. True when
 * that is news.
 */
bool slow_stop_note(json_t *all, const char *slot, const char *container, const char *unheard,
		    int64_t took_ms);
/* The slot is gone. True when there was something to forget. */
bool slow_stop_forget(json_t *all, const char *slot);
/* What to say of a container that is there, in arena; NULL: nothing. */
const char *slow_stop_hint(const json_t *all, const struct slot_key *slot,
			   const struct workload *seen, struct arena *arena);

#endif

/*
 * intents.h - before anything changes, what will be done is in the ledger: after a crash it is
 * known what may have happened.
 */
#ifndef TRUEUP_ENGINE_INTENTS_H
#define TRUEUP_ENGINE_INTENTS_H

#include "engine/work.h"

/*
 * Writes n operations of a slot down and keeps them, copied, for intents_hand_over; the slot is
 * busy from now on. record: that they serve, or 0. On a node that does not bear our marker yet the
 * first slot also puts it there and the others are silently left for the next look; so is what
 * needs an image while images are removed there.
 */
int intents_queue(struct work *work, struct slot_run *run, const struct slot_key *key,
		  int64_t record, const struct op *ops, size_t n);
/* The node's groups become acts, which start when the turn's transaction is written. */
void intents_hand_over(struct work *work);

#endif

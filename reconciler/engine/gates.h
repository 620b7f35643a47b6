/*
 * gates.h - what holds a slot back though its node is at hand: a pause, what versions require,
 * dependencies, the batches of its deployment. Each gate that is shut says so in the slot's waiting
 * reason.
 */
#ifndef TRUEUP_ENGINE_GATES_H
#define TRUEUP_ENGINE_GATES_H

#include "engine/work.h"

/* May the decided record begin, or go on? One in progress passes every gate but the pause.
 */
bool gate_may_begin(struct work *work, const struct slot_plan *plan, struct slot_run *run);
/*
 * A slot that left its node goes when the deployment is successful where it went; one that the
 * commit does not have any more, when nothing that runs requires its product.
 */
bool gate_holds_removal(struct work *work, const struct slot_plan *plan, struct slot_run *run);
/* A slot came to an end, or its node cannot be seen: who waits for its turn is looked at again. */
void gate_wake(struct engine *engine);

#endif

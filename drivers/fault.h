/*
 * fault.h - a driver that fails on purpose, for tests of everything above it.
 *
 * A fault waits for one kind of call and, at its Nth, does something before or after the effect on
 * the node. "After" with an error is a lost reply: it was done, and the caller hears that it was
 * not. As text, also in TRUEUP_FAULT (builds with -DTRUEUP_FAULTS only), several separated by ",":
 *
 *	<call>:<nth>:<when>:<what>[:once=<file>]
 *
 *	call	probe observe resolve watch logs, apply for any change, or apply:<op> (apply:create)
 *	nth	3 the third, 3+ the third and all later ones, * every one; counted in each opened
 *driver when	before after what	kill		SIGKILL for this process hang=<duration>
 *sleeps so long ("500ms"), then goes on
 *		<error>		a code of err.def ("node-unreachable", "engine")
 *	once	fires only if the file is not there, and makes it: once among all processes
 *
 *	apply:create:3:after:kill,observe:1:before:node-unreachable
 */
#ifndef TRUEUP_DRIVERS_FAULT_H
#define TRUEUP_DRIVERS_FAULT_H

#include "drivers/driver.h"

enum fault_call {
	FAULT_PROBE = 1,
	FAULT_OBSERVE,
	FAULT_RESOLVE,
	FAULT_APPLY,
	FAULT_WATCH,
	FAULT_LOGS,
	FAULT_CALLS,
};
enum fault_what { FAULT_ERROR = 1, FAULT_HANG, FAULT_KILL };

struct fault {
	enum fault_call call;
	enum op_kind op; /* of FAULT_APPLY; 0: any */
	unsigned nth;	 /* from 1 */
	bool and_later;	 /* also all calls after the nth */
	bool after;	 /* the effect */
	enum fault_what what;
	enum err_code code; /* FAULT_ERROR */
	int64_t hang_ms;    /* FAULT_HANG */
	const char *once;   /* file, or NULL; copied by fault_wrap */
};

#define FAULTS_MAX 16

/* Puts faults (at most FAULTS_MAX; copied) round *driver. */
void fault_wrap(struct driver **driver, const struct fault *faults, size_t n);
/* The same from a text. E_USAGE names the part that is wrong; *driver is then as before. */
int fault_wrap_text(struct driver **driver, const char *text, struct err *err);

#endif

/*
 * host_children.h - signals to this process's own children, adopted orphans included.
 */
#ifndef TRUEUP_DRIVERS_HOST_CHILDREN_H
#define TRUEUP_DRIVERS_HOST_CHILDREN_H

#include <sys/types.h>

#include "base/sys.h"

/*
 * Signals every child of ours. None of them can be another's process, since only we reap them.
 * spare: a process group that is left out, since it has had the signal already; 0: none.
 */
void host_children_signal(int signal_number, pid_t spare);

#endif

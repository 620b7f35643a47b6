/*
 * stall.h - a limit on silence for connections that a library holds and gives no timeout for.
 *
 * A timer (SIGALRM) shuts every internet socket of the process down when it runs out, so that a
 * blocked call of the library comes back with an error. For short-lived children that hold no other
 * such sockets.
 */
#ifndef TRUEUP_SOURCE_STALL_H
#define TRUEUP_SOURCE_STALL_H

#include "base/sys.h"

/* From now on, ms of silence are too many; called again at each sign of life. */
void stall_watch(int64_t ms);
/* Stops watching; true when the timer ran out since the first stall_watch. */
bool stall_end(void);

#endif

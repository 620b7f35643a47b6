/*
 * logs.h - what containers wrote, for somebody who asks by the control socket.
 *
 * A child has the socket of whoever asked: the daemon is neither held up by one who reads slowly
 * nor does it keep a line. Below the child stands one reader for each container that is followed.
 *
 *	daemon -> the child of a request (logs.c: which containers there are)
 *	       -> readers (log_reader.c: driver->ops->logs) -> the child -> the socket
 *
 * On the socket one JSON value a line: first {"containers":[{"name","node"}...]}, then lines of
 *log_line_json and {"note":text} for people, and in the end the usual answer, {"ok":...}.
 */
#ifndef TRUEUP_ENGINE_LOGS_H
#define TRUEUP_ENGINE_LOGS_H

#include <jansson.h>

#include "engine/core.h"

/* So many may be read at a time. */
#define LOGS_MAX 16

/*
 * args: {"deployment","project","stage","node": which, all optional; "lines": of each container,
 * at most; "after_ms": wall time, 0: all; "follow"}. 0: fd is the child's now, and closed here;
 * else it is the caller's still: E_NOT_FOUND, E_AMBIGUOUS, E_STATE_BUSY (LOGS_MAX), E_SPAWN.
 */
int logs_start(struct engine *engine, const json_t *args, int fd, struct err *err);
/* Ends all of them. */
void logs_stop(struct engine *engine);

#endif

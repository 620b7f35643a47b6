/*
 * streams.h - what nodes say now, for somebody who asks by the control socket: how containers are,
 * and what they wrote.
 *
 * A child looks, and has the socket of whoever asked: the daemon is neither held up by a node or by
 * one who reads slowly, nor does it keep a line.
 *
 *	daemon -> the child of a request (node_stream.h: which nodes, which slots)
 *	       -> node_show.c: one look
 *	       -> log_past.c, log_follow.c: logs; one reader below it for each container that is
 *		  followed (log_reader.h)
 *
 * On the socket there is one JSON value a line, and in the end the usual answer, {"ok":...};
 *engine.h has the operations. {"note":text} among the values is for people.
 */
#ifndef TRUEUP_ENGINE_STREAMS_H
#define TRUEUP_ENGINE_STREAMS_H

#include <jansson.h>

#include "engine/core.h"

/* So many may run at a time. */
#define STREAMS_MAX 16

/* Is this an operation that a stream answers? */
bool streams_has(const char *op);
/*
 * args say which: {"deployment","project","stage","node"}, all optional. 0: fd is the child's now,
 * and closed here; else it is the caller's still: E_NOT_FOUND, E_AMBIGUOUS, E_STATE_BUSY
 * (STREAMS_MAX), E_SPAWN.
 */
int streams_start(struct engine *engine, const char *op, const json_t *args, int fd,
		  struct err *err);
/* Ends all of them. */
void streams_stop(struct engine *engine);

#endif

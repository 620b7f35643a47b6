/*
 * log_stream.h - the child behind one request for logs: what its parts share. For log*.c alone.
 */
#ifndef TRUEUP_ENGINE_LOG_STREAM_H
#define TRUEUP_ENGINE_LOG_STREAM_H

#include <jansson.h>

#include "engine/core.h"
#include "engine/log_reader.h"

struct log_slot {
	struct slot_key key;
	size_t node; /* number in nodes */
};

struct log_node {
	const struct node *doc;
	struct driver *driver; /* NULL: it could not be opened */
	int watch;	       /* -1: nothing tells of changes */
	bool due;	       /* to be looked at */
	bool away;	       /* that was said */
};

struct log_stream {
	struct engine *engine;
	struct job *job;
	int fd; /* of whoever asked */
	int lines;
	int64_t after_ns;
	bool follow;
	struct arena *arena;
	VEC(struct log_node) nodes;
	VEC(struct log_slot) slots;
};

/* ---- log_stream.c ---- */

/* One JSON value to whoever asked; takes the reference. -1: nobody is there any more. */
int log_stream_tell(const struct log_stream *stream, json_t *owned);
void log_stream_note(const struct log_stream *stream, const char *text);
/* The answer at the end; E_NONE: all went well. */
int log_stream_end(const struct log_stream *stream, const struct err *err);
/* The slot that was asked for to which a workload of the node belongs; NULL: none. */
const struct log_slot *log_stream_slot(const struct log_stream *stream, size_t node,
				       const struct workload *seen);
/* {"name","node"} of a container, without the suffix of one that is still coming up. */
void log_stream_list(json_t *containers, const struct log_node *node, const struct workload *seen);
int log_stream_observe(struct log_stream *stream, struct log_node *node, struct arena *arena,
		       struct observed *out, struct err *err);
struct log_source log_stream_source(const struct log_stream *stream, const struct log_node *node,
				    const struct log_slot *slot, const char *name);

/* ---- the two ways to answer: exit statuses of the child ---- */

/* What was written, of all containers in order of time (log_past.c). */
int log_past(struct log_stream *stream);
/* That, and what comes, until whoever asked is gone (log_follow.c). */
int log_follow(struct log_stream *stream);

#endif

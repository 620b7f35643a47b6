/*
 * node_stream.h - the child behind one request of streams.h: what its parts share. For those alone.
 */
#ifndef TRUEUP_ENGINE_NODE_STREAM_H
#define TRUEUP_ENGINE_NODE_STREAM_H

#include <jansson.h>

#include "engine/core.h"
#include "engine/log_reader.h"

struct stream_slot {
	struct slot_key key;
	size_t node; /* number in nodes */
};

struct stream_node {
	const struct node *doc;
	struct driver *driver; /* NULL: it could not be opened */
	int watch;	       /* -1: nothing tells of changes */
	bool due;	       /* to be looked at */
	bool away;	       /* that was said */
};

struct node_stream {
	struct engine *engine;
	struct job *job;
	int (*answer)(struct node_stream *stream); /* the exit status of the child */
	int fd;					   /* of whoever asked */
	int lines; /* log: how many, since when, and those to come? */
	int64_t after_ns;
	bool follow;
	struct arena *arena;
	VEC(struct stream_node) nodes;
	VEC(struct stream_slot) slots;
};

/* ---- node_stream.c ---- */

/* One JSON value to whoever asked; takes the reference. -1: nobody is there any more. */
int node_stream_tell(const struct node_stream *stream, json_t *owned);
void node_stream_note(const struct node_stream *stream, const char *text);
/* The answer at the end; E_NONE: all went well. */
int node_stream_end(const struct node_stream *stream, const struct err *err);
/* The slot that was asked for to which a workload of the node belongs; NULL: none. */
const struct stream_slot *node_stream_slot(const struct node_stream *stream, size_t node,
					   const struct workload *seen);
/* {"name","node"} of a container, without the suffix of one that is still coming up. */
void node_stream_list(json_t *containers, const struct stream_node *node,
		      const struct workload *seen);
int node_stream_observe(struct node_stream *stream, struct stream_node *node, struct arena *arena,
			struct observed *out, struct err *err);
struct log_source node_stream_source(const struct node_stream *stream,
				     const struct stream_node *node, const struct stream_slot *slot,
				     const char *name);

/* ---- the ways to answer: exit statuses of the child ---- */

/* How the containers of the slots are (node_show.c). */
int show_containers(struct node_stream *stream);
/* What there is on each node (node_show.c). */
int show_node(struct node_stream *stream);

/* What was written, of all containers in order of time (log_past.c). */
int log_past(struct node_stream *stream);
/* That, and what comes, until whoever asked is gone (log_follow.c). */
int log_follow(struct node_stream *stream);

#endif

#include "base/sys.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "engine/node_stream.h"
#include "engine/streams.h"
#include "engine/named.h"

#define PAST_DEADLINE_MS 120000
#define NS_IN_MS 1000000

/* ---- the operations ---- */

static int log_any(struct node_stream *stream)
{
	return stream->follow ? log_follow(stream) : log_past(stream);
}

static const struct stream_op {
	const char *op;
	int (*answer)(struct node_stream *stream);
} ops[] = {
	{"log", log_any},
	{"ps", show_containers},
	{"node", show_node},
};

static const struct stream_op *find_op(const char *op)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (str_eq(ops[i].op, op))
			return &ops[i];
	return NULL;
}

bool streams_has(const char *op)
{
	return find_op(op) != NULL;
}

/* ---- in the child ---- */

static int stream_body(int fd UNUSED, void *arg)
{
	struct node_stream *stream = arg;
	int flags = fcntl(stream->fd, F_GETFL);
	(void)fcntl(stream->fd, F_SETFL, flags & ~O_NONBLOCK);
	return stream->answer(stream);
}

/* ---- in the daemon ---- */

static void free_stream(struct node_stream *stream)
{
	VEC_FREE(&stream->nodes);
	VEC_FREE(&stream->slots);
	arena_free(stream->arena);
	free(stream);
}

static void on_ended(void *owner, const struct err *failure)
{
	struct node_stream *stream = owner;
	struct engine *engine = stream->engine;
	if (failure)
		log_event(LOG_DEBUG, "stream", "error", failure->text, NULL);
	for (size_t i = 0; i < engine->streams.n; i++)
		if (engine->streams.v[i] == stream)
			engine->streams.v[i] = engine->streams.v[--engine->streams.n];
	free_stream(stream);
}

static size_t number_of_node(struct node_stream *stream, const struct node *doc)
{
	for (size_t i = 0; i < stream->nodes.n; i++)
		if (stream->nodes.v[i].doc == doc)
			return i;
	const struct stream_node node = {.doc = doc, .watch = -1};
	VEC_PUSH(&stream->nodes, node);
	return stream->nodes.n - 1;
}

static bool is_wanted(const struct slot_key *key, const struct named *named, const json_t *args)
{
	const char *project = json_str(args, "project", NULL);
	const char *stage = json_str(args, "stage", NULL), *node = json_str(args, "node", NULL);
	return (!named->deployment || named_has(named, key)) &&
	       (!project || str_eq(project, key->project)) &&
	       (!stage || str_eq(stage, key->stage)) && (!node || str_eq(node, key->node));
}

static void choose_slots(struct node_stream *stream, const struct named *named, const json_t *args)
{
	struct engine *engine = stream->engine;
	const struct desired *desired = engine->tip.outcome.desired;
	for (size_t i = 0; desired && i < desired->slots_n; i++) {
		const struct slot_key *key = &desired->slots[i]->key;
		const struct node_run *node = node_find(engine, key->node);
		if (!node || !node->doc || !is_wanted(key, named, args))
			continue;
		const struct stream_slot slot = {.key = *key,
						 .node = number_of_node(stream, node->doc)};
		VEC_PUSH(&stream->slots, slot);
	}
}

/* A node that is named is looked at, whatever is wanted there. */
static void choose_node(struct node_stream *stream, const json_t *args)
{
	const char *name = json_str(args, "node", NULL);
	const struct node_run *node = name ? node_find(stream->engine, name) : NULL;
	if (node && node->doc)
		(void)number_of_node(stream, node->doc);
}

static struct node_stream *new_stream(struct engine *engine, const struct stream_op *op,
				      const json_t *args, int fd)
{
	struct node_stream *stream = mem_zalloc(1, sizeof *stream);
	int64_t lines = json_int(args, "lines", 0);
	stream->engine = engine;
	stream->answer = op->answer;
	stream->fd = fd;
	stream->arena = arena_new(0);
	stream->lines = lines < 0 ? 0 : lines > LOG_ALL ? LOG_ALL : (int)lines;
	stream->after_ns = json_int(args, "after_ms", 0) * NS_IN_MS;
	stream->follow = json_flag(args, "follow", false);
	return stream;
}

static int start(struct node_stream *stream, const struct named *named, const json_t *args,
		 struct err *err)
{
	struct engine *engine = stream->engine;
	choose_slots(stream, named, args);
	choose_node(stream, args);
	if (stream->nodes.n == 0)
		return err_set(err, E_NOT_FOUND, "no deployment there in the commit in force");
	const struct job_opts opts = {.role = "stream",
				      .deadline_ms = stream->follow ? 0 : PAST_DEADLINE_MS,
				      .keep = stream->fd,
				      .body = stream_body,
				      .arg = stream,
				      .ended = on_ended,
				      .owner = stream};
	engine->env.model = engine->tip.outcome.model;
	stream->job = job_start(engine->loop, &opts, err);
	return stream->job ? 0 : -1;
}

int streams_start(struct engine *engine, const char *op, const json_t *args, int fd,
		  struct err *err)
{
	struct named named AUTO_NAMED = {0};
	const char *text = json_str(args, "deployment", NULL);
	const struct stream_op *found = find_op(op);
	if (!found)
		return err_set(err, E_NOT_SUPPORTED, "no operation %s takes a look", op);
	if (engine->streams.n >= STREAMS_MAX)
		return err_set(err, E_STATE_BUSY, "%d others are being answered already",
			       STREAMS_MAX);
	if (text && named_find(engine, text, json_str(args, "node", NULL), &named, err) < 0)
		return -1;
	struct node_stream *stream = new_stream(engine, found, args, fd);
	if (start(stream, &named, args, err) < 0) {
		free_stream(stream);
		return -1;
	}
	VEC_PUSH(&engine->streams, stream);
	close(fd);
	return 0;
}

void streams_stop(struct engine *engine)
{
	for (size_t i = 0; i < engine->streams.n; i++) {
		job_cancel(&engine->streams.v[i]->job);
		free_stream(engine->streams.v[i]);
	}
	VEC_FREE(&engine->streams);
}

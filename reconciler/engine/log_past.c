#include "base/sys.h"

#include "base/fs.h"
#include "base/json.h"
#include "engine/node_stream.h"

#define PAST_MAX ((size_t)64 << 20) /* bytes of lines that are put in order */

struct past_line {
	int64_t at_ns;
	size_t number;
	const char *json;
};

struct past {
	struct node_stream *stream;
	struct log_source source;
	VEC(struct past_line) lines;
	size_t bytes;
	json_t *containers;
	struct err problem; /* of a node that could not be seen */
	bool any;	    /* some node could */
};

static int take_past(void *arg, const struct log_line *line)
{
	struct past *past = arg;
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	log_line_json(&past->source, line, &text);
	past->bytes += text.len;
	if (past->bytes > PAST_MAX)
		return -1;
	const struct past_line kept = {.at_ns = line->at_ns,
				       .number = past->lines.n,
				       .json = arena_strdup(past->stream->arena, buf_str(&text))};
	VEC_PUSH(&past->lines, kept);
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct past_line *one = a, *two = b;
	if (one->at_ns != two->at_ns)
		return one->at_ns < two->at_ns ? -1 : 1;
	return one->number < two->number ? -1 : 1;
}

static void read_past(struct past *past, struct stream_node *node, const struct stream_slot *slot,
		      const struct workload *seen)
{
	struct node_stream *stream = past->stream;
	struct err err = ERR_INIT;
	past->source = node_stream_source(stream, node, slot, seen->name);
	node_stream_list(past->containers, node, seen);
	const struct log_request request = {.name = seen->name,
					    .lines = stream->lines,
					    .after_ns = stream->after_ns,
					    .take = take_past,
					    .arg = past};
	if (node->driver->ops->logs(node->driver, &request, &err) < 0)
		node_stream_note(stream, err.text);
}

static void read_node(struct past *past, size_t number)
{
	struct stream_node *node = &past->stream->nodes.v[number];
	struct observed observed;
	struct err err = ERR_INIT;
	if (node_stream_observe(past->stream, node, past->stream->arena, &observed, &err) < 0) {
		past->problem = err;
		node_stream_note(past->stream, err.text);
		return;
	}
	past->any = true;
	for (size_t i = 0; i < observed.workloads_n; i++) {
		const struct stream_slot *slot =
			node_stream_slot(past->stream, number, &observed.workloads[i]);
		if (slot)
			read_past(past, node, slot, &observed.workloads[i]);
	}
}

int log_past(struct node_stream *stream)
{
	struct past past = {.stream = stream, .containers = json_array(), .problem = ERR_INIT};
	struct err err = ERR_INIT;
	for (size_t i = 0; i < stream->nodes.n; i++)
		read_node(&past, i);
	VEC_SORT(&past.lines, by_time);
	if (node_stream_tell(stream, json_pack("{s:o}", "containers", past.containers)) < 0)
		return 1;
	for (size_t i = 0; i < past.lines.n; i++)
		if (fs_write_all(stream->fd, past.lines.v[i].json, strlen(past.lines.v[i].json)) <
		    0)
			return 1;
	if (past.bytes > PAST_MAX)
		node_stream_note(stream,
				 "there is more than fits; ask for one deployment, or for fewer "
				 "lines with -n");
	if (!past.any)
		err = past.problem;
	VEC_FREE(&past.lines);
	return node_stream_end(stream, &err) < 0;
}

#include "base/sys.h"

#include "base/fs.h"
#include "base/json.h"
#include "engine/node_stream.h"

/* ---- telling ---- */

int node_stream_tell(const struct node_stream *stream, json_t *owned)
{
	AUTO_JSON json_t *json = owned;
	AUTO_BUF struct buf line = BUF_INIT(MSG_MAX);
	json_write(json, &line);
	buf_addc(&line, '\n');
	return fs_write_all(stream->fd, line.ptr, line.len);
}

void node_stream_note(const struct node_stream *stream, const char *text)
{
	(void)node_stream_tell(stream, json_pack("{s:s}", "note", text));
}

int node_stream_end(const struct node_stream *stream, const struct err *err)
{
	if (err->code == E_NONE)
		return node_stream_tell(stream, json_pack("{s:b,s:{}}", "ok", 1, "result"));
	return node_stream_tell(stream, json_pack("{s:b,s:i,s:[{s:s,s:s}]}", "ok", 0, "exit",
						  err_code_exit(err->code), "diagnostics", "code",
						  err_code_name(err->code), "message", err->text));
}

/* ---- looking ---- */

const struct stream_slot *node_stream_slot(const struct node_stream *stream, size_t node,
					   const struct workload *seen)
{
	for (size_t i = 0; i < stream->slots.n; i++) {
		const struct stream_slot *slot = &stream->slots.v[i];
		if (slot->node == node && slot_has(&slot->key, seen))
			return slot;
	}
	return NULL;
}

void node_stream_list(json_t *containers, const struct stream_node *node,
		      const struct workload *seen)
{
	json_t *container = json_object();
	json_object_set_new(container, "name",
			    json_stringn(seen->name, workload_stem_length(seen->name)));
	json_put_str(container, "node", node->doc->name);
	json_array_append_new(containers, container);
}

int node_stream_observe(struct node_stream *stream, struct stream_node *node, struct arena *arena,
			struct observed *out, struct err *err)
{
	if (!node->driver && driver_open(node->doc, &stream->engine->env, &node->driver, err) < 0)
		return -1;
	return node->driver->ops->observe(node->driver, arena, out, err);
}

struct log_source node_stream_source(const struct node_stream *stream,
				     const struct stream_node *node, const struct stream_slot *slot,
				     const char *name)
{
	return (struct log_source){
		.node = node->doc, .env = &stream->engine->env, .slot = &slot->key, .name = name};
}

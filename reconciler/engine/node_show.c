#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "engine/node_stream.h"

static json_t *container_json(const struct stream_node *node, const struct workload *seen)
{
	char text[CLOCK_TEXT_MAX];
	AUTO_BUF struct buf story = BUF_INIT(BUF_MAX_LINE);
	bool runs = seen->state == RUN_RUNNING;
	json_t *json = json_pack("{s:o}", "deployment",
				 json_sprintf("%s/%s/%s", seen->labels.project, seen->labels.stage,
					      seen->labels.deployment));
	workload_tell(seen, &story);
	json_put_str(json, "node", node->doc->name);
	json_put_str(json, "container", seen->name);
	json_put_str(json, "state", run_state_word(seen->state));
	json_put_str(json, "health", run_health_word(seen->health));
	json_put_str(json, "since",
		     runs ? clock_format(clock_wall_ms() - seen->running_ms, text) : NULL);
	json_object_set_new(json, "restarts", json_integer(seen->restarts));
	json_object_set_new(json, "exitCode",
			    seen->exit_code < 0 ? json_null() : json_integer(seen->exit_code));
	json_put_str(json, "image", seen->image);
	json_put_str(json, "digest", seen->digest);
	json_put_str(json, "detail", buf_str(&story));
	return json;
}

/* Each node in turn. One that cannot be seen is told; when none can, that is the answer. */
static int look_at_all(struct node_stream *stream,
		       int (*show)(struct node_stream *stream, size_t node,
				   const struct observed *observed))
{
	struct err err = ERR_INIT, none = ERR_INIT;
	bool any = false;
	for (size_t i = 0; i < stream->nodes.n; i++) {
		AUTO_ARENA struct arena *arena = arena_new(0);
		struct observed observed;
		if (node_stream_observe(stream, &stream->nodes.v[i], arena, &observed, &err) < 0) {
			node_stream_note(stream, err.text);
			continue;
		}
		any = true;
		if (show(stream, i, &observed) < 0)
			return 1;
	}
	return node_stream_end(stream, any ? &none : &err) < 0;
}

/* ---- containers ---- */

static int tell_containers(struct node_stream *stream, size_t node, const struct observed *observed)
{
	for (size_t i = 0; i < observed->workloads_n; i++) {
		const struct workload *seen = &observed->workloads[i];
		if (node_stream_slot(stream, node, seen) &&
		    node_stream_tell(stream, container_json(&stream->nodes.v[node], seen)) < 0)
			return -1;
	}
	return 0;
}

int show_containers(struct node_stream *stream)
{
	return look_at_all(stream, tell_containers);
}

/* ---- nodes ---- */

static json_t *strings_json(const char *const *texts, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(texts[i]));
	return list;
}

static int tell_node(struct node_stream *stream, size_t number, const struct observed *observed)
{
	const struct stream_node *node = &stream->nodes.v[number];
	json_t *json = json_object(), *containers = json_array(), *volumes = json_array();
	for (size_t i = 0; i < observed->workloads_n; i++)
		json_array_append_new(containers, container_json(node, &observed->workloads[i]));
	for (size_t i = 0; i < observed->volumes_n; i++)
		json_array_append_new(volumes, json_string(observed->volumes[i].name));
	json_put_str(json, "engine", observed->engine);
	json_put_str(json, "endpoint", node->doc->endpoint);
	json_put_str(json, "owner", observed->owner);
	json_object_set_new(json, "containers", containers);
	json_object_set_new(json, "volumes", volumes);
	json_object_set_new(json, "images", strings_json(observed->images, observed->images_n));
	json_object_set_new(json, "foreign", strings_json(observed->foreign, observed->foreign_n));
	return node_stream_tell(stream, json);
}

int show_node(struct node_stream *stream)
{
	return look_at_all(stream, tell_node);
}

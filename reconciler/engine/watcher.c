#include "base/sys.h"

#include <malloc.h>
#include <poll.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/watcher.h"

/* A node whose stream cannot be had is tried again so often, in the child. */
#define REOPEN_MS 10000
/* Events of one node within this time are one message: a start of something makes several. */
#define SETTLE_MS 5

enum watcher_message {
	WATCHER_CHANGED = JOB_MSG_FIRST, /* look at the node */
	WATCHER_CHECKED,
	WATCHER_OPENED, /* all that happens to the node is heard from now on */
	WATCHER_HEARD,
	WATCHER_LOST,
};

struct watcher {
	struct engine *engine;
	struct job *job;
	char *nodes; /* of all nodes: what it was started for */
};

static char *list_nodes(const struct engine *engine)
{
	struct buf list = BUF_INIT(BUF_MAX_TEXT);
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));) {
		const struct node_run *node = e->value;
		if (node->doc)
			buf_addf(&list, "%s %s %s\n", node->name,
				 node->doc->endpoint ? node->doc->endpoint : "",
				 node->doc->data_root ? node->doc->data_root : "");
	}
	return buf_take(&list);
}

/* ---- in the child ---- */

struct stream {
	const struct node *node;
	struct driver *driver;
	int fd; /* -1: not open */
};

static void open_stream(struct stream *stream, const struct driver_env *env)
{
	struct err err = ERR_INIT;
	stream->fd = -1;
	if (!stream->driver && driver_open(stream->node, env, &stream->driver, &err) < 0)
		return;
	stream->fd = stream->driver->ops->watch(stream->driver, &err);
}

static void close_stream(struct stream *stream)
{
	driver_close(&stream->driver);
	stream->fd = -1;
}

static bool send_checked(int fd, const struct stream *stream, const struct checked_list *list)
{
	AUTO_BUF struct buf text = BUF_INIT(MSG_MAX);
	AUTO_JSON json_t *json = checked_json(list);
	json_put_str(json, "node", stream->node->name);
	json_write(json, &text);
	return text.overflow || msg_send(fd, WATCHER_CHECKED, text.ptr, text.len, NULL) == 0;
}

/* Before the look that it is the reason of. */
static bool tell_checked(int fd, const struct stream *stream)
{
	const struct driver_ops *ops = stream->driver->ops;
	const struct checked_list *list = ops->checked ? ops->checked(stream->driver) : NULL;
	return !list || send_checked(fd, stream, list);
}

static bool send_name(int fd, enum watcher_message type, const struct stream *stream)
{
	const char *name = stream->node->name;
	return msg_send(fd, type, name, strlen(name), NULL) == 0;
}

/* Returns false when the parent is gone. */
static bool tell(int fd, const struct stream *stream)
{
	return (!stream->driver || tell_checked(fd, stream)) &&
	       send_name(fd, WATCHER_CHANGED, stream);
}

/* What happened before was not seen. */
static bool tell_opened(int fd, const struct stream *stream)
{
	return (!stream->driver->ops->heard || send_name(fd, WATCHER_OPENED, stream)) &&
	       tell(fd, stream);
}

/* Nobody goes on with the checks of what is not watched. */
static bool tell_lost(int fd, const struct stream *stream)
{
	return send_checked(fd, stream, &(struct checked_list){0}) &&
	       send_name(fd, WATCHER_LOST, stream) && tell(fd, stream);
}

/* Before the look that does not hold for it any longer. */
static bool tell_heard(int fd, const struct stream *stream)
{
	const struct driver_ops *ops = stream->driver->ops;
	const struct map *heard = ops->heard ? ops->heard(stream->driver) : NULL;
	AUTO_BUF struct buf text = BUF_INIT(MSG_MAX);
	if (!heard || !heard->count)
		return true;
	AUTO_JSON json_t *json = json_object();
	json_t *list = json_array();
	json_object_set_new(json, "heard", list);
	json_put_str(json, "node", stream->node->name);
	for (struct map_entry *e = NULL; (e = map_next(heard, e));)
		json_array_append_new(list, json_string(e->key));
	json_write(json, &text);
	return text.overflow ? send_name(fd, WATCHER_LOST, stream)
			     : msg_send(fd, WATCHER_HEARD, text.ptr, text.len, NULL) == 0;
}

static bool read_stream(int fd, struct stream *stream)
{
	struct err err = ERR_INIT;
	int seen = stream->driver->ops->watch_read(stream->driver, &err);
	if (seen >= 0)
		return tell_heard(fd, stream) && (seen == 0 || tell(fd, stream));
	close_stream(stream);
	return tell_lost(fd, stream);
}

static bool reopen_streams(int fd, struct stream *streams, size_t n, const struct driver_env *env)
{
	for (size_t i = 0; i < n; i++) {
		if (streams[i].fd >= 0)
			continue;
		open_stream(&streams[i], env);
		if (streams[i].fd >= 0 && !tell_opened(fd, &streams[i]))
			return false;
	}
	return true;
}

static int watcher_body(int fd, void *arg)
{
	struct watcher *watcher = arg;
	struct engine *engine = watcher->engine;
	struct arena *arena = arena_new(0);
	struct stream *streams = ARENA_ARRAY(arena, engine->nodes.count + 1, struct stream);
	struct pollfd *polls = ARENA_ARRAY(arena, engine->nodes.count + 1, struct pollfd);
	size_t n = 0;
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));) {
		const struct node_run *node = e->value;
		if (node->doc)
			streams[n++] = (struct stream){.node = node->doc, .fd = -1};
	}
	/* It lives as long as its parent: what that had free when this began is not kept twice. */
	malloc_trim(0);
	int64_t reopen_at = 0;
	for (;;) {
		if (clock_boot_ms() >= reopen_at) {
			if (!reopen_streams(fd, streams, n, &engine->env))
				return 0;
			reopen_at = clock_boot_ms() + REOPEN_MS;
		}
		bool all_open = true;
		for (size_t i = 0; i < n; i++) {
			polls[i] = (struct pollfd){.fd = streams[i].fd, .events = POLLIN};
			all_open &= streams[i].fd >= 0;
		}
		/* With every stream open nothing has to be done until something happens. */
		if (poll(polls, n, all_open ? -1 : REOPEN_MS) < 0 && errno != EINTR)
			return 1;
		poll(NULL, 0, SETTLE_MS);
		for (size_t i = 0; i < n; i++)
			if (streams[i].fd >= 0 && polls[i].revents && !read_stream(fd, &streams[i]))
				return 0;
	}
}

/* ---- in the parent ---- */

static void take_checked(struct engine *engine, const struct msg *msg)
{
	AUTO_JSON json_t *json = json_read(msg->data, msg->len, MSG_MAX, NULL);
	struct node_run *node = node_find(engine, json_str(json, "node", ""));
	struct arena *arena;
	struct checked_list list;
	if (!node)
		return;
	arena = arena_new(0);
	if (checked_from_json(json, arena, &list, NULL) == 0) {
		node_forget_checked(node);
		node->checked = list;
		node->checked_arena = arena;
	} else {
		arena_free(arena);
	}
}

static void take_heard(struct engine *engine, const struct msg *msg)
{
	AUTO_JSON json_t *json = json_read(msg->data, msg->len, MSG_MAX, NULL);
	const json_t *list = json_object_get(json, "heard");
	struct node_run *node = node_find(engine, json_str(json, "node", ""));
	for (size_t i = 0; node && i < json_array_size(list); i++)
		memo_hear(&node->memo, json_string_value(json_array_get(list, i)));
}

static void take_name(struct engine *engine, const struct msg *msg)
{
	AUTO_FREE char *name = mem_strndup(msg->data, msg->len);
	struct node_run *node = node_find(engine, name);
	if (!node)
		return;
	if (msg->type == WATCHER_OPENED)
		memo_begin(&node->memo, node->look_seq + 1);
	else if (msg->type == WATCHER_LOST)
		memo_end(&node->memo);
	else
		node_hear(node);
}

static void on_message(void *owner, const struct msg *msg)
{
	struct watcher *watcher = owner;
	if (msg->type == WATCHER_CHECKED)
		take_checked(watcher->engine, msg);
	else if (msg->type == WATCHER_HEARD)
		take_heard(watcher->engine, msg);
	else
		take_name(watcher->engine, msg);
}

/* What nobody goes on with is worth nothing. */
static void forget_heard(struct engine *engine)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));) {
		struct node_run *node = e->value;
		node_forget_checked(node);
		memo_end(&node->memo);
	}
}

static void on_ended(void *owner, const struct err *failure)
{
	struct watcher *watcher = owner;
	watcher->job = NULL;
	forget_heard(watcher->engine);
	log_event(LOG_WARN, "watch ended", "error", failure ? failure->text : NULL, NULL);
	nodes_want_look_all(watcher->engine);
}

struct watcher *watcher_start(struct engine *engine)
{
	struct err err = ERR_INIT;
	struct watcher *watcher = mem_zalloc(1, sizeof *watcher);
	watcher->engine = engine;
	watcher->nodes = list_nodes(engine);
	struct job_opts opts = {.role = "watch",
				.body = watcher_body,
				.arg = watcher,
				.message = on_message,
				.ended = on_ended,
				.owner = watcher};
	watcher->job = job_start(engine->loop, &opts, &err);
	if (watcher->job)
		return watcher;
	log_event(LOG_WARN, "watch", "error", err.text, NULL);
	free(watcher->nodes);
	free(watcher);
	return NULL;
}

void watcher_stop(struct watcher **watcher)
{
	if (!*watcher)
		return;
	job_cancel(&(*watcher)->job);
	forget_heard((*watcher)->engine);
	free((*watcher)->nodes);
	free(*watcher);
	*watcher = NULL;
}

bool watcher_is_current(const struct watcher *watcher, const struct engine *engine)
{
	AUTO_FREE char *now = list_nodes(engine);
	return watcher && watcher->job && str_eq(watcher->nodes, now);
}

/*
 * The engine's events as a descriptor: a child reads the stream and writes one byte for each event
 * that may concern us. When the stream ends, so does the child, and what is read is the end of
 * file: events were lost, look at everything, and watch anew.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"

#define EVENT_MAX ((size_t)1 << 20)

/* ---- which ---- */

bool docker_event_matters(const json_t *event)
{
	const char *type = json_str(event, "Type", ""), *action = json_str(event, "Action", "");
	const json_t *about = json_object_get(json_object_get(event, "Actor"), "Attributes");

	if (str_eq(type, "network"))
		return str_eq(action, "disconnect") || str_eq(action, "destroy");
	/* every health check is one of these */
	if (!str_eq(type, "container") || str_starts(action, "exec_") || str_eq(action, "top"))
		return false;
	return json_str(about, LABEL_NAMESPACE "owner", NULL) != NULL;
}

/* ---- in the child ---- */

struct stream {
	struct docker *docker;
	int fd;
	struct buf line;
};

static int take_line(struct stream *stream)
{
	AUTO_JSON json_t *event =
		json_read(buf_str(&stream->line), stream->line.len, EVENT_MAX, NULL);

	buf_clear(&stream->line);
	return event && docker_event_matters(event) ? fs_write_all(stream->fd, "e", 1) : 0;
}

static int take_bytes(void *arg, const void *bytes, size_t len)
{
	struct stream *stream = arg;
	const char *at = bytes, *end = at + len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		buf_add(&stream->line, at, (size_t)((newline ? newline : end) - at));
		if (stream->line.overflow)
			return -1;
		if (!newline)
			break;
		if (take_line(stream) != 0)
			return -1;
		at = newline + 1;
	}
	return 0;
}

static int watch_body(int fd, void *arg)
{
	struct stream stream = {.docker = arg, .fd = fd, .line = BUF_INIT(EVENT_MAX)};
	int64_t now = clock_wall_ms();
	/* from this moment on, however long it takes to get through; filters={"type":[...]} */
	AUTO_FREE char *path = mem_printf("/events?since=%lld.%03d000000&filters=%%7B%%22type%%22"
					  "%%3A%%5B%%22container%%22%%2C%%22network%%22%%5D%%7D",
					  (long long)(now / 1000), (int)(now % 1000));
	struct docker_request request = {
		.path = path, .total_ms = -1, .sink = take_bytes, .sink_arg = &stream};

	/* its own connection: the one of the parent is the parent's */
	stream.docker->session = NULL;
	(void)docker_ask(stream.docker, &request, NULL, NULL);
	buf_release(&stream.line);
	return 0;
}

/* ---- in the parent ---- */

int docker_watch(struct docker *docker, struct err *err)
{
	const struct child_opts opts = {.role = "events"};

	if (docker->watch.pid)
		return docker->watch.fd;
	if (docker_meet(docker, err) != 0)
		return -1;
	if (proc_fork(&docker->watch, &opts, watch_body, docker, err) != 0) {
		docker->watch = (struct child){.fd = -1};
		return -1;
	}
	return docker->watch.fd;
}

int docker_watch_read(struct docker *docker, struct err *err)
{
	char bytes[256];
	int result = 0;
	ssize_t n;

	if (!docker->watch.pid)
		return 0;
	while ((n = read(docker->watch.fd, bytes, sizeof bytes)) > 0)
		result = 1;
	if (n == 0) {
		docker_watch_end(docker);
		return err_set(err, E_NODE_UNREACHABLE, "node %s: its events ended",
			       docker->node->name);
	}
	return result;
}

void docker_watch_end(struct docker *docker)
{
	if (!docker->watch.pid)
		return;
	proc_kill(&docker->watch);
	(void)proc_reap(&docker->watch);
	docker->watch = (struct child){.fd = -1};
}

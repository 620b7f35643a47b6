/*
 * The engine's events as a descriptor. Events are hints, so little is asked of them: of what comes,
 * lines that are JSON are looked at, and all else, the head of the answer and the frames of its
 * body, is passed over. When the stream ends events were lost: look at everything, and watch anew.
 *
 * Behind a socket of the file system that is all there is to it. An engine that is asked by TCP
 * needs TLS, and so a child, which reads the stream and hands the lines on.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"

#define EVENT_MAX ((size_t)1 << 20)
#define READ_BYTES 4096

struct docker_stream {
	int fd;
	struct child child; /* pid 0: none */
	struct buf line;
};

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

/* ---- opening ---- */

/* From this moment on, however long it takes to get through. filters={"type":[...]} */
static char *events_path(void)
{
	int64_t now = clock_wall_ms();

	return mem_printf("/events?since=%lld.%03d000000&filters=%%7B%%22type%%22%%3A%%5B"
			  "%%22container%%22%%2C%%22network%%22%%5D%%7D",
			  (long long)(now / 1000), (int)(now % 1000));
}

static int ask_socket(struct docker *docker, int fd, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	AUTO_FREE char *path = events_path();
	AUTO_FREE char *request = mem_printf("GET %s%s HTTP/1.1\r\nHost: engine\r\n"
					     "Connection: close\r\n\r\n",
					     docker->api, path);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", docker->endpoint.unix_path);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    fs_write_all(fd, request, strlen(request)) != 0)
		return err_errno(err, E_NODE_UNREACHABLE, "node %s", docker->node->name);
	return 0;
}

static int open_socket(struct docker *docker, struct docker_stream *stream, struct err *err)
{
	stream->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (stream->fd < 0)
		return err_errno(err, E_IO, "socket");
	return ask_socket(docker, stream->fd, err);
}

static int hand_on(void *arg, const void *bytes, size_t len)
{
	return fs_write_all(*(const int *)arg, bytes, len);
}

static int child_body(int fd, void *arg)
{
	struct docker *docker = arg;
	AUTO_FREE char *path = events_path();
	const struct docker_request request = {
		.path = path, .total_ms = -1, .sink = hand_on, .sink_arg = &fd};

	docker->session = NULL; /* the connection of the parent is the parent's */
	(void)docker_ask(docker, &request, NULL, NULL);
	return 0;
}

static int open_child(struct docker *docker, struct docker_stream *stream, struct err *err)
{
	const struct child_opts opts = {.role = "events"};

	if (proc_fork(&stream->child, &opts, child_body, docker, err) != 0)
		return -1;
	stream->fd = stream->child.fd;
	return 0;
}

int docker_watch(struct docker *docker, struct err *err)
{
	struct docker_stream *stream;
	int result;

	if (docker->stream)
		return docker->stream->fd;
	if (docker_meet(docker, err) != 0)
		return -1;
	stream = mem_zalloc(1, sizeof *stream);
	*stream = (struct docker_stream){.fd = -1, .line = BUF_INIT(EVENT_MAX)};
	docker->stream = stream;
	result = docker->endpoint.unix_path ? open_socket(docker, stream, err)
					    : open_child(docker, stream, err);
	if (result != 0) {
		docker_watch_end(docker);
		return -1;
	}
	return stream->fd;
}

void docker_watch_end(struct docker *docker)
{
	struct docker_stream *stream = docker->stream;

	if (!stream)
		return;
	if (stream->child.pid) {
		proc_kill(&stream->child);
		(void)proc_reap(&stream->child);
	} else if (stream->fd >= 0) {
		close(stream->fd);
	}
	buf_release(&stream->line);
	free(stream);
	docker->stream = NULL;
}

/* ---- reading ---- */

static void take_line(void *arg, struct buf *line)
{
	bool *matters = arg;
	AUTO_JSON json_t *event =
		*buf_str(line) == '{' ? json_read(line->ptr, line->len, EVENT_MAX, NULL) : NULL;

	*matters |= event && docker_event_matters(event);
}

int docker_watch_read(struct docker *docker, struct err *err)
{
	struct docker_stream *stream = docker->stream;
	char bytes[READ_BYTES];
	bool matters = false;
	ssize_t n;

	if (!stream)
		return 0;
	while ((n = recv(stream->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
		buf_take_lines(&stream->line, bytes, (size_t)n, take_line, &matters);
	if (n < 0 && (errno == EAGAIN || errno == EINTR) && !stream->line.overflow)
		return matters;
	docker_watch_end(docker);
	return err_set(err, E_NODE_UNREACHABLE, "node %s: its events ended", docker->node->name);
}

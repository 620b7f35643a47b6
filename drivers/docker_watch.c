/*
 * The engine's events as a descriptor. Events are hints, so little is asked of them: of what comes,
 * lines that are JSON are looked at, and all else, the head of the answer and the frames of its
 * body, is passed over. When the stream ends events were lost: look at everything, and watch anew.
 *
 * A watch makes the checks that engines do not have (docker_checks.c), where the containers are on
 * this machine: its descriptor is then that of a loop with all of it inside.
 *
 * Behind a socket of the file system that is all there is to it. An engine that is asked by TCP
 * needs TLS, and so a child, which reads the stream and hands the lines on.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"

#define EVENT_MAX ((size_t)1 << 20)
#define READ_BYTES 4096

struct docker_stream {
	int fd;
	struct child child; /* pid 0: none */
	struct buf line;
	bool matters, ended;
	struct map heard;  /* a set of what spoken_of gave, of the last watch_read */
	struct loop *loop; /* NULL: the descriptor is fd itself */
	struct loop_fd *source;
	struct docker_checks *checks;
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

/* What of a look before does not hold any longer; NULL: all of it does. */
static const char *spoken_of(const json_t *event)
{
	const char *type = json_str(event, "Type", ""), *action = json_str(event, "Action", "");
	const json_t *actor = json_object_get(event, "Actor");

	if (str_eq(type, "network"))
		return json_str(json_object_get(actor, "Attributes"), "container",
				DOCKER_HEARD_ALL);
	if (str_eq(type, "volume"))
		return str_eq(action, "mount") || str_eq(action, "unmount") ? NULL
									    : DOCKER_HEARD_THINGS;
	if (str_eq(type, "image"))
		return DOCKER_HEARD_THINGS;
	return docker_event_matters(event) ? json_str(actor, "ID", DOCKER_HEARD_ALL) : NULL;
}

static void hear(struct docker_stream *stream, const json_t *event)
{
	const char *word = spoken_of(event);

	if (word)
		map_put(&stream->heard, word, stream);
}

const struct map *docker_heard(const struct docker *docker)
{
	return docker->stream ? &docker->stream->heard : NULL;
}

/* ---- opening ---- */

/* From this moment on, however long it takes to get through. filters={"type":[...]} */
static char *events_path(void)
{
	int64_t now = clock_wall_ms();

	return mem_printf("/events?since=%lld.%03d000000&filters=%%7B%%22type%%22%%3A%%5B"
			  "%%22container%%22%%2C%%22network%%22%%2C%%22volume%%22%%2C"
			  "%%22image%%22%%5D%%7D",
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

/* ---- reading ---- */

static void take_line(void *arg, struct buf *line)
{
	struct docker_stream *stream = arg;
	AUTO_JSON json_t *event =
		*buf_str(line) == '{' ? json_read(line->ptr, line->len, EVENT_MAX, NULL) : NULL;

	if (!event)
		return;
	if (stream->checks)
		docker_checks_event(stream->checks, event);
	hear(stream, event);
	stream->matters |= docker_event_matters(event);
}

static void read_stream(struct docker_stream *stream)
{
	char bytes[READ_BYTES];
	ssize_t n;

	while ((n = recv(stream->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
		buf_take_lines(&stream->line, bytes, (size_t)n, take_line, stream);
	stream->ended = (n == 0 || (errno != EAGAIN && errno != EINTR)) || stream->line.overflow;
}

static void stream_ready(void *arg, uint32_t events)
{
	(void)events;
	read_stream(arg);
}

int docker_watch_read(struct docker *docker, struct err *err)
{
	struct docker_stream *stream = docker->stream;
	bool matters;

	if (!stream)
		return 0;
	map_release(&stream->heard);
	if (!stream->loop)
		read_stream(stream);
	else if (loop_once(stream->loop, 0, err) != 0 || loop_descriptor(stream->loop, err) < 0)
		return -1;
	matters = stream->matters || (stream->checks && docker_checks_changed(stream->checks));
	stream->matters = false;
	if (!stream->ended)
		return matters;
	docker_watch_end(docker);
	return err_set(err, E_NODE_UNREACHABLE, "node %s: its events ended", docker->node->name);
}

const struct checked_list *docker_checked(struct docker *docker)
{
	struct docker_stream *stream = docker->stream;

	return stream && stream->checks ? docker_checks_told(stream->checks) : NULL;
}

/* ---- beginning and end ---- */

static int begin_checks(struct docker *docker, struct docker_stream *stream, struct err *err)
{
	stream->loop = loop_new(err);
	if (!stream->loop)
		return -1;
	stream->source = loop_fd_add(stream->loop, stream->fd, EPOLLIN, stream_ready, stream);
	stream->checks = docker_checks_new(docker, stream->loop);
	return docker_checks_begin(stream->checks, err);
}

/* Events first: what comes up while it is looked for is seen twice, and not missed. */
static int open_stream(struct docker *docker, struct docker_stream *stream, struct err *err)
{
	if (!docker->endpoint.unix_path)
		return open_child(docker, stream, err);
	if (open_socket(docker, stream, err) != 0)
		return -1;
	return begin_checks(docker, stream, err);
}

int docker_watch(struct docker *docker, struct err *err)
{
	struct docker_stream *stream = docker->stream;

	if (!stream) {
		if (docker_meet(docker, err) != 0)
			return -1;
		stream = mem_zalloc(1, sizeof *stream);
		*stream = (struct docker_stream){.fd = -1, .line = BUF_INIT(EVENT_MAX)};
		docker->stream = stream;
		if (open_stream(docker, stream, err) != 0) {
			docker_watch_end(docker);
			return -1;
		}
	}
	return stream->loop ? loop_descriptor(stream->loop, err) : stream->fd;
}

void docker_watch_end(struct docker *docker)
{
	struct docker_stream *stream = docker->stream;

	if (!stream)
		return;
	docker_checks_free(stream->checks);
	loop_fd_del(&stream->source);
	loop_free(stream->loop);
	if (stream->child.pid) {
		proc_kill(&stream->child);
		(void)proc_reap(&stream->child);
	} else if (stream->fd >= 0) {
		close(stream->fd);
	}
	buf_release(&stream->line);
	map_release(&stream->heard);
	free(stream);
	docker->stream = NULL;
}

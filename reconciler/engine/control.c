#include "base/sys.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/version.h"
#include "engine/control.h"
#include "engine/streams.h"
#include "engine/requests.h"

struct client {
	struct control *control;
	int fd;
	struct loop_fd *source;
	struct loop_timer *timer; /* of a wait */
	struct buf in;
	uint64_t waits_for; /* generation of the tip; 0: does not wait */
	bool gone;
};

struct control {
	struct engine *engine;
	char path[FS_PATH_MAX];
	int fd;
	struct loop_fd *source;
	VEC(struct client *) clients;
};

/* ---- answers ---- */

static void close_client(struct client *client)
{
	loop_fd_del(&client->source);
	loop_timer_del(&client->timer);
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->gone = true;
}

static void answer(struct client *client, json_t *json)
{
	AUTO_BUF struct buf line = BUF_INIT(MSG_MAX);
	json_write(json, &line);
	buf_addc(&line, '\n');
	json_decref(json);
	/* The socket's own buffer takes any answer of ours; who does not read loses it. */
	if (send(client->fd, line.ptr, line.len, MSG_NOSIGNAL) != (ssize_t)line.len)
		log_event(LOG_DEBUG, "control", "error", "answer not taken", NULL);
	close_client(client);
}

static json_t *error_json(const struct err *err)
{
	json_t *diagnostic = json_object();
	json_put_str(diagnostic, "code", err_code_name(err->code));
	json_put_str(diagnostic, "message", err->text);
	return json_pack("{s:b,s:i,s:[o]}", "ok", 0, "exit", err_code_exit(err->code),
			 "diagnostics", diagnostic);
}

static void answer_error(struct client *client, const struct err *err)
{
	answer(client, error_json(err));
}

static void answer_result(struct client *client, json_t *result)
{
	answer(client, json_pack("{s:b,s:o}", "ok", 1, "result", result));
}

/* ---- waiting for a pass ---- */

static void on_wait_over(void *arg)
{
	struct client *client = arg;
	struct err err = ERR_INIT;
	client->timer = NULL;
	err_set(&err, E_WAIT_RAN_OUT, "the pass was not over in time");
	answer_error(client, &err);
}

static void wait_for_pass(struct client *client, const json_t *args)
{
	struct engine *engine = client->control->engine;
	client->waits_for = engine->tip.wanted;
	int64_t timeout = json_int(args, "timeout_ms", 0);
	if (timeout > 0)
		client->timer = loop_timer_add(engine->loop, timeout, on_wait_over, client);
}

void control_turn(struct control *control)
{
	struct engine *engine = control->engine;
	bool settled = engine_is_settled(engine);
	for (size_t i = 0; i < control->clients.n; i++) {
		struct client *client = control->clients.v[i];
		if (client->gone || !client->waits_for || !settled)
			continue;
		if (engine->unwritten.code != E_NONE)
			answer_error(client, &engine->unwritten);
		else if (engine->tip.served >= client->waits_for)
			answer_result(client, request_synced(engine));
	}
	size_t kept = 0;
	for (size_t i = 0; i < control->clients.n; i++) {
		struct client *client = control->clients.v[i];
		if (client->gone) {
			buf_release(&client->in);
			free(client);
		} else {
			control->clients.v[kept++] = client;
		}
	}
	control->clients.n = kept;
}

/* ---- requests ---- */

/* What takes a look is answered by a child, which has the socket from now on. */
static void hand_over(struct client *client, const char *op, const json_t *args)
{
	struct err err = ERR_INIT;
	loop_fd_del(&client->source);
	if (streams_start(client->control->engine, op, args, client->fd, &err) < 0) {
		answer_error(client, &err);
		return;
	}
	client->fd = -1;
	client->gone = true;
}

static void handle_line(struct client *client, const char *line, size_t len)
{
	struct engine *engine = client->control->engine;
	struct err err = ERR_INIT;
	AUTO_JSON json_t *request = json_read(line, len, CONTROL_LINE_MAX, &err);
	if (!request) {
		answer_error(client, &err);
		return;
	}
	if (json_int(request, "v", 0) != 1) {
		err_set(&err, E_NOT_SUPPORTED, "this reconciler speaks version 1 of the protocol");
		answer_error(client, &err);
		return;
	}
	const char *op = json_str(request, "op", "");
	const json_t *args = json_object_get(request, "args");
	if (streams_has(op)) {
		hand_over(client, op, args);
		return;
	}
	json_t *result = request_handle(engine, op, args, &err);
	if (!result) {
		answer_error(client, &err);
		return;
	}
	if (json_flag(args, "wait", false)) {
		json_decref(result);
		wait_for_pass(client, args);
		return;
	}
	answer_result(client, result);
}

static void on_client(void *arg, uint32_t events UNUSED)
{
	struct client *client = arg;
	char chunk[4096];
	ssize_t got = recv(client->fd, chunk, sizeof chunk, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0 || client->waits_for) {
		close_client(client);
		return;
	}
	buf_add(&client->in, chunk, (size_t)got);
	char *end = memchr(client->in.ptr, '\n', client->in.len);
	if (end)
		handle_line(client, client->in.ptr, (size_t)(end - client->in.ptr));
	else if (client->in.overflow)
		close_client(client);
}

static bool is_allowed(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void on_connection(void *arg, uint32_t events UNUSED)
{
	struct control *control = arg;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (!is_allowed(fd) || control->clients.n >= CONTROL_CLIENTS_MAX) {
		close(fd);
		return;
	}
	struct client *client = mem_zalloc(1, sizeof *client);
	client->control = control;
	client->fd = fd;
	client->in = (struct buf)BUF_INIT(CONTROL_LINE_MAX);
	client->source = loop_fd_add(control->engine->loop, fd, EPOLLIN, on_client, client);
	VEC_PUSH(&control->clients, client);
}

/* ---- opening and closing ---- */

static int bind_socket(struct control *control, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(control->path) >= sizeof address.sun_path)
		return err_set(err, E_USAGE, "%s: too long for a socket; choose a shorter --state",
			       control->path);
	memcpy(address.sun_path, control->path, strlen(control->path) + 1);
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0)
		return err_errno(err, E_IO, "control socket");
	/* We hold the state lock: a socket that lies there is nobody's. */
	unlink(control->path);
	mode_t before = umask(0177);
	int bound = bind(control->fd, (struct sockaddr *)&address, sizeof address);
	umask(before);
	if (bound < 0 || listen(control->fd, 16) < 0)
		return err_errno(err, E_IO, "%s", control->path);
	return 0;
}

int control_open(struct engine *engine, struct control **out, struct err *err)
{
	struct control *control = mem_zalloc(1, sizeof *control);
	control->engine = engine;
	control->fd = -1;
	if (fs_join(control->path, engine->state.dir, CONTROL_SOCKET) < 0 ||
	    bind_socket(control, err) < 0) {
		if (control->fd >= 0)
			close(control->fd);
		free(control);
		return -1;
	}
	control->source = loop_fd_add(engine->loop, control->fd, EPOLLIN, on_connection, control);
	*out = control;
	return 0;
}

void control_close(struct control **control)
{
	if (!*control)
		return;
	struct err err = ERR_INIT;
	err_set(&err, E_NO_DAEMON, "the reconciler is stopping");
	for (size_t i = 0; i < (*control)->clients.n; i++) {
		struct client *client = (*control)->clients.v[i];
		if (!client->gone)
			answer_error(client, &err);
		buf_release(&client->in);
		free(client);
	}
	VEC_FREE(&(*control)->clients);
	loop_fd_del(&(*control)->source);
	unlink((*control)->path);
	close((*control)->fd);
	free(*control);
	*control = NULL;
}

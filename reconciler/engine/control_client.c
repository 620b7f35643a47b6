#include "base/sys.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "engine/control.h"

static int connect_socket(const char *state_dir, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[FS_PATH_MAX];
	if (fs_join(path, state_dir, CONTROL_SOCKET) < 0 || strlen(path) >= sizeof address.sun_path)
		return err_set(err, E_USAGE, "%s: the state directory's path is too long",
			       state_dir);
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, E_IO, "control socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	int reason = errno;
	close(fd);
	if (reason == EACCES || reason == EPERM)
		return err_set(err, E_NOT_PERMITTED,
			       "%s: only root and the reconciler's own user may ask it", path);
	return err_set(err, E_NO_DAEMON, "no reconciler runs with the state directory %s",
		       state_dir);
}

static int send_request(int fd, const char *op, json_t *args, struct err *err)
{
	AUTO_JSON json_t *request = json_pack("{s:i,s:s}", "v", 1, "op", op);
	json_object_set(request, "args", args);
	AUTO_BUF struct buf line = BUF_INIT(CONTROL_LINE_MAX);
	json_write(request, &line);
	buf_addc(&line, '\n');
	if (line.overflow)
		return err_set(err, E_TOO_LARGE, "the request is too long");
	if (fs_write_all(fd, line.ptr, line.len) < 0)
		return err_errno(err, E_NO_DAEMON, "the reconciler does not listen");
	return 0;
}

static int read_answer(int fd, int64_t until_ms, struct buf *line, struct err *err)
{
	for (;;) {
		char chunk[4096];
		int64_t left = until_ms - clock_boot_ms();
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int polled = left > 0 ? poll(&ready, 1, (int)left) : 0;
		if (polled < 0 && errno == EINTR)
			continue;
		if (polled <= 0)
			return err_set(err, E_WAIT_RAN_OUT,
				       "the reconciler did not answer in time");
		ssize_t got = read(fd, chunk, sizeof chunk);
		if (got <= 0)
			return err_set(err, E_NO_DAEMON, "the reconciler ended without an answer");
		buf_add(line, chunk, (size_t)got);
		if (line->overflow)
			return err_set(err, E_BAD_INPUT, "the reconciler's answer is too long");
		if (memchr(chunk, '\n', (size_t)got))
			return 0;
	}
}

/* The answer, whether yes or no. */
static void read_end(const json_t *json, json_t **answer, int *exit)
{
	bool ok = json_flag(json, "ok", false);
	*exit = ok ? EXIT_DONE : (int)json_int(json, "exit", EXIT_ERROR);
	*answer = json_incref(json_object_get(json, ok ? "result" : "diagnostics"));
}

int control_call(const char *state_dir, const char *op, json_t *args, int64_t timeout_ms,
		 json_t **answer, int *exit, struct err *err)
{
	AUTO_FD int fd = connect_socket(state_dir, err);
	AUTO_BUF struct buf line = BUF_INIT(BUF_MAX_TEXT);
	if (fd < 0 || send_request(fd, op, args, err) < 0 ||
	    read_answer(fd, clock_boot_ms() + timeout_ms, &line, err) < 0)
		return -1;
	AUTO_JSON json_t *json = json_read(line.ptr, line.len, BUF_MAX_TEXT, err);
	if (!json)
		return -1;
	read_end(json, answer, exit);
	return 0;
}

/* ---- many values, and then the answer ---- */

struct values {
	int (*take)(void *arg, const json_t *value);
	void *arg;
	json_t **answer;
	int *exit;
	bool over;
	struct err err;
};

static void take_value(void *arg, struct buf *line)
{
	struct values *values = arg;
	if (values->over)
		return;
	AUTO_JSON json_t *json = json_read(buf_str(line), line->len, BUF_MAX_TEXT, &values->err);
	if (json && json_object_get(json, "ok"))
		read_end(json, values->answer, values->exit);
	values->over = !json || *values->answer || values->take(values->arg, json) < 0;
}

/* Until there is something to read; false when nobody would get to see it. */
static bool wait_for_values(int fd, int out)
{
	struct pollfd ready[] = {{.fd = fd, .events = POLLIN}, {.fd = out}};
	while (poll(ready, ARRAY_LEN(ready), -1) < 0 && errno == EINTR)
		;
	return !(ready[1].revents & (POLLERR | POLLHUP));
}

int control_stream(const char *state_dir, const char *op, json_t *args,
		   int (*take)(void *arg, const json_t *value), void *arg, int out, json_t **answer,
		   int *exit, struct err *err)
{
	AUTO_FD int fd = connect_socket(state_dir, err);
	AUTO_BUF struct buf line = BUF_INIT(BUF_MAX_TEXT);
	struct values values = {
		.take = take, .arg = arg, .answer = answer, .exit = exit, .err = ERR_INIT};
	char chunk[16384];
	*exit = EXIT_DONE;
	if (fd < 0 || send_request(fd, op, args, err) < 0)
		return -1;
	while (!values.over && wait_for_values(fd, out)) {
		ssize_t got = read(fd, chunk, sizeof chunk);
		if (got <= 0)
			return err_set(err, E_NO_DAEMON, "the reconciler ended");
		buf_take_lines(&line, chunk, (size_t)got, take_value, &values);
	}
	return values.err.code == E_NONE ? 0 : err_set(err, values.err.code, "%s", values.err.text);
}

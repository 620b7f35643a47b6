/*
 * Requests through a socket of the file system. Everything waits in one place (wait_for), which
 * knows the limits of the request.
 */
#include "base/sys.h"
#include "base/httpc_ways.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/credentials.h"
#include "base/fs.h"
#include "base/http_answer.h"

#define CONNECT_MS 5000
#define TOTAL_MS 30000
#define TICK_MS 1000
#define READ_BYTES ((size_t)16 << 10)
#define HEAD_MAX ((size_t)64 << 10)

struct exchange {
	const struct httpc_request *request;
	struct httpc_reply *reply;
	int fd;
	int64_t end_ms;		/* -1: none */
	struct iovec unsent[2]; /* head and body */
	bool heard;		/* something of an answer came */
	bool refused;		/* the peer takes no more */
};

/* ---- the connection ---- */

static int open_socket(const struct httpc_request *request, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int64_t connect_ms = request->connect_ms ? request->connect_ms : CONNECT_MS;
	/* what a peer that is too busy to accept is waited for; see unix(7), SO_SNDTIMEO */
	struct timeval patience = {.tv_sec = connect_ms / 1000,
				   .tv_usec = connect_ms % 1000 * 1000};
	AUTO_FD int fd = -1;
	int taken;

	if (strlen(request->unix_path) >= sizeof address.sun_path)
		return err_set(err, E_BAD_INPUT, "the path of a socket has at most %zu bytes",
			       sizeof address.sun_path - 1);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", request->unix_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
		return err_errno(err, E_IO, "socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		return errno == EAGAIN ? err_set(err, E_DEADLINE,
						 "nobody takes a connection within %lld ms",
						 (long long)connect_ms)
				       : err_errno(err, E_NODE_UNREACHABLE, "no connection");
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return err_errno(err, E_IO, "fcntl");
	taken = fd;
	fd = -1;
	return taken;
}

/* The one that is kept, unless its peer has gone, or says what nobody asked for. */
static int take_kept(const struct httpc_request *request)
{
	struct httpc_session *session = request->session;
	char byte;
	int fd;

	if (!session || session->unix_fd < 0)
		return -1;
	if (str_eq(session->unix_path, request->unix_path) &&
	    recv(session->unix_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) {
		fd = session->unix_fd;
		session->unix_fd = -1;
		return fd;
	}
	httpc_unix_end(session);
	return -1;
}

static void keep(const struct httpc_request *request, int fd)
{
	struct httpc_session *session = request->session;

	httpc_unix_end(session);
	session->unix_fd = fd;
	session->unix_path = mem_strdup(request->unix_path);
}

void httpc_unix_end(struct httpc_session *session)
{
	if (session->unix_fd >= 0)
		close(session->unix_fd);
	session->unix_fd = -1;
	free(session->unix_path);
	session->unix_path = NULL;
}

/* ---- waiting ---- */

/* For poll(): until the end (left; below 0: there is none), but at most until the next tick. */
static int poll_ms(const struct exchange *exchange, int64_t left)
{
	if (exchange->request->tick)
		return left < 0 || left > TICK_MS ? TICK_MS : (int)left;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static int wait_for(const struct exchange *exchange, short events, struct err *err)
{
	const struct httpc_request *request = exchange->request;
	int64_t left = exchange->end_ms < 0 ? -1 : exchange->end_ms - clock_boot_ms();
	struct pollfd wait = {.fd = exchange->fd, .events = events};
	int n;

	if (exchange->end_ms >= 0 && left <= 0)
		return err_set(err, E_DEADLINE, "no whole answer in the time that it has");
	n = poll(&wait, 1, poll_ms(exchange, left));
	if (n > 0)
		return wait.revents;
	if (n < 0 && errno != EINTR)
		return err_errno(err, E_IO, "poll");
	if (n == 0 && request->tick && request->tick(request->tick_arg) != 0)
		return err_set(err, E_DEADLINE, "who asked waits no longer");
	return 0;
}

/* ---- asking ---- */

/* "/path?query" of "http://host/path?query"; NULL: a URL that cannot be asked for. */
static const char *target_of(const char *url)
{
	static const char scheme[] = "http://";
	const char *path;

	if (!str_starts(url, scheme))
		return NULL;
	for (const char *c = url; *c; c++) {
		if (*c <= ' ' || *c == 0x7f)
			return NULL;
	}
	path = strchr(url + strlen(scheme), '/');
	return path && path != url + strlen(scheme) ? path : NULL;
}

static int write_head(const struct httpc_request *request, struct buf *out, struct err *err)
{
	const char *target = target_of(request->url);
	const char *host = request->url + strlen("http://");

	if (!target)
		return err_set(err, E_BAD_INPUT, "%s cannot be asked for", request->url);
	buf_addf(out, "%s %s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: trueup\r\nAccept: */*\r\n",
		 request->method ? request->method : "GET", target, (int)(target - host), host);
	for (const char *const *header = request->headers; header && *header; header++)
		buf_addf(out, "%s\r\n", *header);
	if (request->body)
		buf_addf(out, "Content-Length: %zu\r\n", request->body_len);
	if (!request->session)
		buf_adds(out, "Connection: close\r\n");
	buf_adds(out, "\r\n");
	return out->overflow ? err_set(err, E_TOO_LARGE,
				       "the head of a request has at most %zu bytes", out->max)
			     : 0;
}

static bool has_unsent(const struct exchange *exchange)
{
	return exchange->unsent[0].iov_len + exchange->unsent[1].iov_len > 0;
}

static void mark_sent(struct exchange *exchange, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(exchange->unsent); i++) {
		struct iovec *part = &exchange->unsent[i];
		size_t taken = n < part->iov_len ? n : part->iov_len;

		part->iov_base = (char *)part->iov_base + taken;
		part->iov_len -= taken;
		n -= taken;
	}
}

/* A peer that takes no more may still have said why: that is read next. */
static void send_some(struct exchange *exchange)
{
	struct msghdr message = {.msg_iov = exchange->unsent,
				 .msg_iovlen = ARRAY_LEN(exchange->unsent)};
	ssize_t n = sendmsg(exchange->fd, &message, MSG_NOSIGNAL);

	if (n >= 0)
		mark_sent(exchange, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		exchange->refused = true;
}

/* ---- hearing ---- */

/* 1: the answer is whole, 0: not yet. */
static int hear(struct exchange *exchange, struct http_answer *answer, struct err *err)
{
	char bytes[READ_BYTES];
	ssize_t n = recv(exchange->fd, bytes, sizeof bytes, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return err_errno(err, E_NODE_UNREACHABLE, "the connection broke");
	if (n == 0)
		return http_answer_end(answer, err);
	exchange->heard = true;
	return http_answer_take(answer, bytes, (size_t)n, err);
}

/* Both at once: an answer may come, and end, before a request was sent whole. */
static int converse(struct exchange *exchange, struct http_answer *answer, struct err *err)
{
	int whole = 0;

	send_some(exchange);
	while (whole == 0) {
		bool sending = has_unsent(exchange) && !exchange->refused;
		short events = sending ? POLLIN | POLLOUT : POLLIN;
		int ready = wait_for(exchange, events, err);

		if (ready < 0)
			return -1;
		if (sending && (ready & POLLOUT))
			send_some(exchange);
		if (ready & (POLLIN | POLLHUP | POLLERR))
			whole = hear(exchange, answer, err);
	}
	return whole < 0 ? -1 : 0;
}

/* ---- an exchange ---- */

static int ask(struct exchange *exchange, const struct buf *head, struct err *err)
{
	const struct httpc_request *request = exchange->request;
	struct http_answer *answer = http_answer_new(request, exchange->reply);
	int result;

	exchange->unsent[0] = (struct iovec){head->ptr, head->len};
	exchange->unsent[1] = (struct iovec){(void *)(uintptr_t)request->body,
					     request->body ? request->body_len : 0};
	exchange->refused = false;
	result = converse(exchange, answer, err);
	if (result == 0 && request->session && http_answer_keeps(answer) && !has_unsent(exchange))
		keep(request, exchange->fd);
	else
		close(exchange->fd);
	http_answer_free(answer);
	return result;
}

/* What changes nothing may be asked twice. */
static bool only_reads(const struct httpc_request *request)
{
	return !request->method || str_eq(request->method, "GET") ||
	       str_eq(request->method, "HEAD");
}

static int try_ask(struct exchange *exchange, const struct buf *head, struct err *err)
{
	struct err why = ERR_INIT;

	exchange->fd = take_kept(exchange->request);
	if (exchange->fd >= 0) {
		if (ask(exchange, head, &why) == 0)
			return 0;
		/* it was closed in the moment of asking */
		if (exchange->heard || why.code != E_NODE_UNREACHABLE ||
		    !only_reads(exchange->request))
			return err_set(err, why.code, "%s", why.text);
	}
	exchange->fd = open_socket(exchange->request, err);
	return exchange->fd < 0 ? -1 : ask(exchange, head, err);
}

int httpc_unix_fetch(const struct httpc_request *request, struct httpc_reply *reply,
		     struct err *err)
{
	struct buf head AUTO_SECRET = BUF_INIT(HEAD_MAX);
	struct exchange exchange = {.request = request, .reply = reply, .end_ms = -1};

	if (request->total_ms >= 0)
		exchange.end_ms =
			clock_boot_ms() + (request->total_ms ? request->total_ms : TOTAL_MS);
	if (write_head(request, &head, err) != 0 || try_ask(&exchange, &head, err) != 0)
		return err_wrap(err, "unix://%s", request->unix_path);
	return 0;
}

#include "base/sys.h"
#include "drivers/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/vec.h"

#define HEADER_MAX ((size_t)64 << 10)
/* Of the body: whoever is still writing it when we leave may take that for a fault. */
#define BODY_WAIT_MS 200
#define BODY_MAX ((size_t)1 << 20)
#define REQUEST_MAX ((size_t)8 << 10)

/* ---- what is asked ------------------------------------------------------------------------- */

bool probe_is_for(const struct health_check *check)
{
	return check && (check->http || check->tcp);
}

struct probe_target probe_target_of(const struct health_check *check, const char *address)
{
	const struct http_check *http = check->http;

	return (struct probe_target){
		.address = address,
		.port = http ? http->port : check->tcp->port,
		.path = http ? KIND_TEXT_OR(http, http_check, path) : NULL,
		.timeout_ms = KIND_OR(check, health_check, timeout),
	};
}

bool probe_accepts(const char *ranges, long status)
{
	while (*ranges) {
		size_t len = strcspn(ranges, ",");
		AUTO_FREE char *range = mem_strndup(ranges, len);
		char *dash = strchr(range, '-');
		int64_t from, to;

		if (dash)
			*dash = '\0';
		if (num_parse_int(range, 100, 599, &from) == 0 &&
		    num_parse_int(dash ? dash + 1 : range, 100, 599, &to) == 0 && from <= status &&
		    status <= to)
			return true;
		ranges += len + (ranges[len] == ',');
	}
	return false;
}

/* ---- the end ------------------------------------------------------------------------------- */

static void close_connection(struct probe *probe)
{
	fs_close_ptr(&probe->fd);
	probe->events = 0;
}

static void end(struct probe *probe)
{
	close_connection(probe);
	probe->over = true;
}

/* errno says why. */
static void give_up(struct probe *probe, const char *doing)
{
	err_errno(&probe->err, E_NODE_UNREACHABLE, "%s", doing);
	end(probe);
}

void probe_release(struct probe *probe)
{
	close_connection(probe);
	buf_release(&probe->in);
	buf_release(&probe->out);
}

/* ---- the answer ---------------------------------------------------------------------------- */

/* Bytes of the header with the blank line behind it; 0: it is not whole yet. */
static size_t header_len(const char *text)
{
	const char *crlf = strstr(text, "\n\r\n"), *lf = strstr(text, "\n\n");

	if (crlf && (!lf || crlf < lf))
		return (size_t)(crlf - text) + 3;
	return lf ? (size_t)(lf - text) + 2 : 0;
}

/* "HTTP/1.1 200 OK" */
static int read_status_line(const char *text, int *status, struct err *err)
{
	static const char word[] = "HTTP/1.";
	const size_t at = sizeof word + 1; /* behind the digit and the space */
	AUTO_FREE char *digits = NULL;
	int64_t number = 0;

	if (str_starts(text, word) && strlen(text) >= at + 3 && text[at - 1] == ' ') {
		digits = mem_strndup(text + at, 3);
		if (num_parse_int(digits, 100, 599, &number) == 0 &&
		    strchr(" \r\n", text[at + 3])) {
			*status = (int)number;
			return 0;
		}
	}
	return err_set(err, E_BAD_INPUT, "the answer is not HTTP/1: %.*s",
		       (int)strcspn(text, "\r\n"), text);
}

int probe_read_status(struct buf *in, int *status, struct err *err)
{
	size_t len;

	while ((len = header_len(buf_str(in))) > 0) {
		if (read_status_line(buf_str(in), status, err) != 0)
			return -1;
		/* 101 would be the last: nothing but HTTP/1 was offered. */
		if (*status / 100 != 1 || *status == 101)
			return 1;
		buf_drop(in, len);
	}
	return 0;
}

/* The answer is known; this is for the peer's sake. */
static void take_body(struct probe *probe)
{
	char bytes[16384];
	ssize_t n = 1;

	while (probe->body < BODY_MAX && (n = read(probe->fd, bytes, sizeof bytes)) > 0)
		probe->body += (size_t)n;
	if (probe->body >= BODY_MAX || n == 0 || errno != EAGAIN)
		end(probe);
}

static void leave(struct probe *probe)
{
	int64_t ends_ms = clock_boot_ms() + BODY_WAIT_MS;

	(void)shutdown(probe->fd, SHUT_WR);
	probe->ends_ms = ends_ms < probe->ends_ms ? ends_ms : probe->ends_ms;
	probe->step = take_body;
	take_body(probe);
}

static void judge_answer(struct probe *probe)
{
	int status = 0, told = probe_read_status(&probe->in, &status, &probe->err);

	if (told < 0) {
		end(probe);
	} else if (told > 0) {
		probe->status = status;
		leave(probe);
	} else if (probe->in.overflow) {
		err_set(&probe->err, E_TOO_LARGE,
			"the header of the answer is larger than %zu bytes", probe->in.max);
		end(probe);
	}
}

static void read_answer(struct probe *probe)
{
	char bytes[4096];
	ssize_t n = 1;

	while (probe->step == read_answer && !probe->over &&
	       (n = read(probe->fd, bytes, sizeof bytes)) > 0) {
		buf_add(&probe->in, bytes, (size_t)n);
		judge_answer(probe);
	}
	if (n == 0) {
		err_set(&probe->err, E_NODE_UNREACHABLE,
			"it closed the connection before it had answered");
		end(probe);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		give_up(probe, "read the answer");
	}
}

/* ---- the request --------------------------------------------------------------------------- */

static void write_request(struct probe *probe)
{
	const char *address = probe->target->address ? probe->target->address : "127.0.0.1";
	bool v6 = strchr(address, ':') != NULL;

	buf_addf(&probe->out,
		 "GET %s HTTP/1.1\r\n"
		 "Host: %s%s%s:%lld\r\n"
		 "User-Agent: trueup\r\n"
		 "Accept: */*\r\n"
		 "Connection: close\r\n"
		 "\r\n",
		 probe->target->path, v6 ? "[" : "", address, v6 ? "]" : "",
		 (long long)probe->target->port);
}

static void send_request(struct probe *probe)
{
	while (probe->sent < probe->out.len) {
		ssize_t n = send(probe->fd, probe->out.ptr + probe->sent,
				 probe->out.len - probe->sent, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			give_up(probe, "send the request");
			return;
		}
		probe->sent += (size_t)n;
	}
	probe->events = POLLIN;
	probe->step = read_answer;
}

/* ---- connecting ---------------------------------------------------------------------------- */

/* Either family, where its number stands. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address_size(const union address *address)
{
	return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

/* The one at a place of the list; false: there are no more. */
static bool address_at(const struct probe_target *target, int place, union address *out)
{
	static const char *const loopback[] = {"127.0.0.1", "::1"};
	const char *text = target->address;
	in_port_t port = htons((uint16_t)target->port);

	if (!text && place < (int)ARRAY_LEN(loopback))
		text = loopback[place];
	else if (place > 0)
		return false;
	*out = (union address){.v4 = {.sin_family = AF_INET, .sin_port = port}};
	if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1)
		return true;
	*out = (union address){.v6 = {.sin6_family = AF_INET6, .sin6_port = port}};
	return inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1;
}

static void try_address(struct probe *probe);

/* Whatever is said of the first one stands for all. */
static void try_next(struct probe *probe, int why)
{
	if (probe->err.code == E_NONE) {
		errno = why;
		err_errno(&probe->err, E_NODE_UNREACHABLE, "connect");
	}
	close_connection(probe);
	probe->place++;
	try_address(probe);
}

static void connected(struct probe *probe)
{
	struct pollfd ready = {.fd = probe->fd, .events = POLLOUT};
	int why = 0;
	socklen_t size = sizeof why;

	if (poll(&ready, 1, 0) <= 0)
		return;
	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &why, &size) != 0)
		why = errno;
	if (why) {
		try_next(probe, why);
		return;
	}
	probe->err.code = E_NONE;
	if (!probe->target->path) {
		end(probe);
		return;
	}
	write_request(probe);
	probe->step = send_request;
	send_request(probe);
}

static void try_address(struct probe *probe)
{
	union address to;

	if (!address_at(probe->target, probe->place, &to)) {
		if (probe->err.code == E_NONE)
			err_set(&probe->err, E_NODE_UNREACHABLE, "it has no address");
		end(probe);
		return;
	}
	probe->step = connected;
	probe->events = POLLOUT;
	probe->fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe->fd < 0 ||
	    (connect(probe->fd, &to.any, address_size(&to)) != 0 && errno != EINPROGRESS))
		try_next(probe, errno);
}

/* ---- one, and many ------------------------------------------------------------------------- */

void probe_begin(struct probe *probe, const struct probe_target *target)
{
	*probe = (struct probe){.target = target,
				.fd = -1,
				.err = ERR_INIT,
				.in = BUF_INIT(HEADER_MAX),
				.out = BUF_INIT(REQUEST_MAX),
				.ends_ms = clock_boot_ms() + target->timeout_ms};
	try_address(probe);
}

int64_t probe_left_ms(const struct probe *probe)
{
	int64_t left = probe->over ? 0 : probe->ends_ms - clock_boot_ms();

	return left > 0 ? left : 0;
}

void probe_step(struct probe *probe)
{
	if (!probe->over)
		probe->step(probe);
	if (probe->over || probe_left_ms(probe) > 0)
		return;
	/* an answer that was had is one, however slow its body */
	if (!probe->status)
		err_set(&probe->err, E_DEADLINE, "no answer within %lld ms",
			(long long)probe->target->timeout_ms);
	end(probe);
}

/* Those that are not over wait in `polls`; *left_ms: how long at most. */
static size_t gather(const struct probe *probes, size_t n, struct pollfd *polls, int64_t *left_ms)
{
	size_t waiting = 0;

	*left_ms = INT_MAX;
	for (size_t i = 0; i < n; i++) {
		int64_t left = probe_left_ms(&probes[i]);

		polls[i] = (struct pollfd){.fd = probes[i].fd, .events = probes[i].events};
		waiting += !probes[i].over;
		if (!probes[i].over && left < *left_ms)
			*left_ms = left;
	}
	return waiting;
}

void probe_all(struct probe *probes, size_t n)
{
	AUTO_FREE struct pollfd *polls = mem_zalloc(n + 1, sizeof *polls);
	int64_t left_ms;

	while (gather(probes, n, polls, &left_ms) > 0) {
		/* a step too many does nothing: a failed poll only makes it busier */
		(void)poll(polls, n, (int)left_ms);
		for (size_t i = 0; i < n; i++) {
			if (polls[i].revents || probe_left_ms(&probes[i]) == 0)
				probe_step(&probes[i]);
		}
	}
}

/* ---- what it means ------------------------------------------------------------------------- */

bool probe_judge(const struct probe *probe, const struct health_check *check, struct buf *why)
{
	const struct http_check *http = check->http;
	const char *wanted = http ? KIND_TEXT_OR(http, http_check, status) : NULL;

	if (probe->err.code == E_NONE && (!wanted || probe_accepts(wanted, probe->status)))
		return true;
	if (wanted)
		buf_addf(why, "GET %s on ", probe->target->path);
	buf_addf(why, "port %lld: ", (long long)probe->target->port);
	if (probe->err.code == E_NONE)
		buf_addf(why, "status %d, wanted %s", probe->status, wanted);
	else
		buf_adds(why, probe->err.text);
	return false;
}

#include "base/sys.h"
#include "drivers/host_probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/num.h"

#define HEADER_MAX ((size_t)64 << 10)
/* Of the body: whoever is still writing it when we leave may take that for a fault. */
#define BODY_WAIT_MS 200
#define BODY_MAX ((size_t)1 << 20)

/* ---- connecting ---------------------------------------------------------------------------- */

static int connect_to(int family, const struct sockaddr *address, socklen_t size)
{
	int fd AUTO_FD = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), connected;

	if (fd < 0 || connect(fd, address, size) != 0)
		return -1;
	connected = fd;
	fd = -1;
	return connected;
}

int host_probe_connect(int64_t port, struct err *err)
{
	in_port_t number = htons((uint16_t)port);
	struct sockaddr_in v4 = {.sin_family = AF_INET,
				 .sin_port = number,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = number, .sin6_addr = in6addr_loopback};
	int fd = connect_to(AF_INET, (const struct sockaddr *)&v4, sizeof v4), why = errno;

	if (fd < 0)
		fd = connect_to(AF_INET6, (const struct sockaddr *)&v6, sizeof v6);
	errno = why;
	return fd >= 0 ? fd
		       : err_errno(err, E_NODE_UNREACHABLE, "connect to port %lld",
				   (long long)port);
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

static int send_request(int fd, int64_t port, const char *path, struct err *err)
{
	AUTO_FREE char *text = mem_printf("GET %s HTTP/1.1\r\n"
					  "Host: 127.0.0.1:%lld\r\n"
					  "User-Agent: trueup\r\n"
					  "Accept: */*\r\n"
					  "Connection: close\r\n"
					  "\r\n",
					  path, (long long)port);

	for (size_t sent = 0, len = strlen(text); sent < len;) {
		ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0)
			return err_errno(err, E_NODE_UNREACHABLE, "send the request");
		sent += (size_t)n;
	}
	return 0;
}

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

/* 1 and more in the buffer; 0: the peer has closed. */
static int read_more(int fd, struct buf *in, struct err *err)
{
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof bytes);

	if (n < 0)
		return err_errno(err, E_NODE_UNREACHABLE, "read the answer");
	buf_add(in, bytes, (size_t)n);
	if (in->overflow)
		return err_set(err, E_TOO_LARGE,
			       "the header of the answer is larger than %zu bytes", in->max);
	return n > 0;
}

static int read_status(int fd, struct buf *in, int *status, struct err *err)
{
	for (;;) {
		size_t len = header_len(buf_str(in));
		int more;

		if (len == 0) {
			more = read_more(fd, in, err);
			if (more <= 0)
				return more < 0 ? -1
						: err_set(err, E_NODE_UNREACHABLE,
							  "it closed the connection before it had "
							  "answered");
			continue;
		}
		if (read_status_line(buf_str(in), status, err) != 0)
			return -1;
		/* 101 would be the last: nothing but HTTP/1 was offered. */
		if (*status / 100 != 1 || *status == 101)
			return 0;
		buf_drop(in, len);
	}
}

/* The answer is known; this is for the peer's sake. */
static void take_body(int fd)
{
	struct timeval wait = {.tv_usec = BODY_WAIT_MS * 1000L};
	char bytes[16384];
	size_t taken = 0;
	ssize_t n;

	(void)shutdown(fd, SHUT_WR);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	while (taken < BODY_MAX && (n = read(fd, bytes, sizeof bytes)) > 0)
		taken += (size_t)n;
}

int host_probe_http(int64_t port, const char *path, int *status, struct err *err)
{
	struct buf in AUTO_BUF = BUF_INIT(HEADER_MAX);
	int fd AUTO_FD = host_probe_connect(port, err);

	if (fd < 0 || send_request(fd, port, path, err) != 0 ||
	    read_status(fd, &in, status, err) != 0)
		return -1;
	take_body(fd);
	return 0;
}

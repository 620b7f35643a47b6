#include "tests/support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/httpc.h"

/* Which of the two ways a test goes; set before each. */
static bool by_socket;
static char *socket_folder;

/*
 * A peer on loopback or behind a socket, in a child of its own. It takes one connection, reads up
 * to the blank line (and the body, if any), writes its answer as it stands, and closes; or says
 * nothing.
 */
struct peer {
	pid_t pid;
	int asked; /* the request as it came can be read from here */
	char url[64];
	char path[100]; /* of its socket; "": it has none */
};

static void read_request(int fd, int copy)
{
	char text[16384];
	size_t len = 0;

	for (;;) {
		ssize_t got = read(fd, text + len, sizeof text - 1 - len);
		const char *end;

		if (got <= 0)
			break;
		len += (size_t)got;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (end && (!strstr(text, "Content-Length: 4") || text + len >= end + 8))
			break;
	}
	(void)fs_write_all(copy, text, len);
	close(copy);
}

NORETURN
static void serve(int listener, int copy, const char *answer, size_t len)
{
	int fd;

	signal(SIGPIPE, SIG_IGN);
	fd = accept(listener, NULL, NULL);
	read_request(fd, copy);
	if (!answer) {
		for (;;)
			pause();
	}
	(void)fs_write_all(fd, answer, len);
	_exit(0);
}

static int listen_on_loopback(struct peer *peer)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	snprintf(peer->url, sizeof peer->url, "http://127.0.0.1:%d/x", ntohs(address.sin_port));
	return listener;
}

static int listen_on_socket(const char *folder, struct peer *peer)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(peer->url, sizeof peer->url, "http://engine/x");
	snprintf(peer->path, sizeof peer->path, "%s/sock", folder);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", peer->path);
	(void)unlink(peer->path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	return listener;
}

static struct peer start_peer(const char *answer, size_t len)
{
	struct peer peer = {.path = ""};
	int listener =
		by_socket ? listen_on_socket(socket_folder, &peer) : listen_on_loopback(&peer);
	int copy[2];

	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(pipe(copy), 0);
	peer.pid = fork();
	if (peer.pid == 0)
		serve(listener, copy[1], answer, len);
	close(listener);
	close(copy[1]);
	peer.asked = copy[0];
	return peer;
}

static void stop_peer(struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	close(peer->asked);
}

static int exchange(const char *answer, struct httpc_request *request, struct httpc_reply *reply,
		    char *asked, struct err *err)
{
	struct peer peer = start_peer(answer, answer ? strlen(answer) : 0);
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	int result;

	request->url = peer.url;
	request->unix_path = by_socket ? peer.path : NULL;
	result = httpc_fetch(request, reply, err);
	if (asked) {
		assert_int_equal(fs_read_fd(peer.asked, "peer", 16384, &text, NULL), 0);
		snprintf(asked, 16384, "%s", buf_str(&text));
	}
	stop_peer(&peer);
	return result;
}

static void test_plain_get(void **state)
{
	struct httpc_request request = {0};
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;
	char asked[16384];

	(void)state;
	buf_adds(&reply.body, "left over");
	assert_done(exchange("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", &request, &reply,
			     asked, &err),
		    err);
	assert_int_equal(reply.status, 200);
	assert_string_equal(buf_str(&reply.body), "hello");
	assert_true(str_starts(asked, "GET /x HTTP/1.1\r\n"));
	assert_null(strstr(asked, "Expect"));
	buf_release(&reply.body);
}

static void test_method_headers_and_body(void **state)
{
	static const char *const headers[] = {"X-One: 1", "Content-Type: application/json", NULL};
	struct httpc_request request = {
		.method = "PUT", .headers = headers, .body = "a\0bc", .body_len = 4};
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;
	char asked[16384];

	(void)state;
	assert_done(exchange("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", &request, &reply,
			     asked, &err),
		    err);
	assert_int_equal(reply.status, 404);
	assert_true(str_starts(asked, "PUT /x HTTP/1.1\r\n"));
	assert_non_null(strstr(asked, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(asked, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(asked, "\r\nContent-Length: 4\r\n"));
	buf_release(&reply.body);
}

static void test_head_waits_for_no_body(void **state)
{
	struct httpc_request request = {.method = "HEAD"};
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;

	(void)state;
	assert_done(exchange("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &request, &reply, NULL,
			     &err),
		    err);
	assert_int_equal(reply.status, 200);
	buf_release(&reply.body);
}

static void test_redirects_are_not_followed(void **state)
{
	struct httpc_request request = {0};
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;

	(void)state;
	assert_done(exchange("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
			     "Content-Length: 0\r\n\r\n",
			     &request, &reply, NULL, &err),
		    err);
	assert_int_equal(reply.status, 302);
	assert_string_equal(reply.location, "http://127.0.0.1:1/");
	assert_done(exchange("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &request, &reply, NULL,
			     &err),
		    err);
	assert_string_equal(reply.location, "");
	buf_release(&reply.body);
}

static int take_seven(void *arg, const void *bytes, size_t len)
{
	struct buf *out = arg;

	buf_add(out, bytes, len);
	return out->len <= 7 ? 0 : -1;
}

static void test_body_into_a_sink(void **state)
{
	struct buf taken AUTO_BUF = BUF_INIT(100);
	struct httpc_request request = {.sink = take_seven, .sink_arg = &taken};
	struct httpc_reply reply = {.body = BUF_INIT(0)};
	struct err err = ERR_INIT;

	(void)state;
	assert_done(exchange("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nseven77", &request,
			     &reply, NULL, &err),
		    err);
	assert_string_equal(buf_str(&taken), "seven77");
	buf_clear(&taken);
	assert_fails(exchange("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\neight888", &request,
			      &reply, NULL, &err),
		     err, E_TOO_LARGE);
}

static void note_header(void *arg, const char *name, const char *value)
{
	buf_addf(arg, "%s=%s;", name, value);
}

static void test_headers_are_told(void **state)
{
	struct buf told AUTO_BUF = BUF_INIT(1000);
	struct httpc_request request = {.header = note_header, .header_arg = &told};
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;

	(void)state;
	assert_done(exchange("HTTP/1.1 200 OK\r\nApi-Version:1.41\r\nContent-Length: 0\r\n"
			     "x:  a: b\r\nempty:\r\n\r\n",
			     &request, &reply, NULL, &err),
		    err);
	assert_string_equal(buf_str(&told), "Api-Version=1.41;Content-Length=0;x=a: b;empty=;");
	buf_release(&reply.body);
}

static void test_hostile_answers(void **state)
{
	static const struct {
		const char *answer;
		enum err_code code;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf", E_NODE_UNREACHABLE},
		{"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\neleven byte", E_TOO_LARGE},
		{"HTTP/1.1 200 OK\r\n\r\nno length and more than ten", E_TOO_LARGE},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", E_NODE_UNREACHABLE},
		{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", E_NODE_UNREACHABLE},
		{"nonsense\r\n\r\n", E_NODE_UNREACHABLE},
		{"", E_NODE_UNREACHABLE},
		{"HTTP/1.1 2", E_NODE_UNREACHABLE},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
		 E_NODE_UNREACHABLE},
		{"HTTP/1.1 100 Continue\r\n\r\n", E_NODE_UNREACHABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct httpc_request request = {.total_ms = 20000};
		struct httpc_reply reply = {.body = BUF_INIT(10)};
		struct err err = ERR_INIT;

		print_message("# answer %zu\n", i);
		assert_fails(exchange(rows[i].answer, &request, &reply, NULL, &err), err,
			     rows[i].code);
		assert_non_null(strstr(err.text, by_socket ? "unix:///" : "http://127.0.0.1:"));
		buf_release(&reply.body);
	}
}

static void test_silent_peer(void **state)
{
	struct httpc_request request = {.total_ms = 50};
	struct httpc_reply reply = {.body = BUF_INIT(10)};
	struct err err = ERR_INIT;

	(void)state;
	assert_fails(exchange(NULL, &request, &reply, NULL, &err), err, E_DEADLINE);
	buf_release(&reply.body);
}

static int count_to_two(void *arg)
{
	int *ticks = arg;

	return ++*ticks < 2 ? 0 : -1;
}

/* Whoever waits is asked though nothing comes, and may have enough. */
static void test_who_waits_is_asked(void **state)
{
	int ticks = 0;
	struct httpc_request request = {.total_ms = -1, .tick = count_to_two, .tick_arg = &ticks};
	struct httpc_reply reply = {.body = BUF_INIT(10)};
	struct err err = ERR_INIT;

	(void)state;
	assert_fails(exchange(NULL, &request, &reply, NULL, &err), err, E_DEADLINE);
	assert_int_equal(ticks, 2);
	buf_release(&reply.body);
}

static void test_urls_that_are_refused(void **state)
{
	static const struct {
		const char *url;
		enum err_code code;
	} rows[] = {
		{"file:///etc/passwd", E_BAD_INPUT},
		{"ftp://127.0.0.1/x", E_BAD_INPUT},
		{"gopher://127.0.0.1/x", E_BAD_INPUT},
		{"http://user:pw@127.0.0.1:1/", E_BAD_INPUT},
		{"http://127.0.0.1:99999/", E_BAD_INPUT},
		{"", E_BAD_INPUT},
		{"http://127.0.0.1:1/", E_NODE_UNREACHABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct httpc_request request = {.url = rows[i].url};
		struct httpc_reply reply = {.body = BUF_INIT(10)};
		struct err err = ERR_INIT;

		assert_fails(httpc_fetch(&request, &reply, &err), err, rows[i].code);
		buf_release(&reply.body);
	}
}

/* A proxy from the environment would get to see, and to answer, what is meant for the node. */
static void test_environment_is_not_asked(void **state)
{
	struct httpc_request request = {0};
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	assert_done(exchange("HTTP/1.1 204 No Content\r\n\r\n", &request, &reply, NULL, &err), err);
	assert_int_equal(reply.status, 204);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	buf_release(&reply.body);
}

/* ---- a peer behind a socket in the file system ---- */

/* Answers `requests` of them on the first connection; nobody takes a second one. */
NORETURN
static void serve_one_connection(int listener, int requests, const char *answer)
{
	char text[16384];
	int fd = accept(listener, NULL, NULL);

	close(listener);
	while (requests-- > 0 && read(fd, text, sizeof text) > 0)
		(void)fs_write_all(fd, answer, strlen(answer));
	/* until the other end is closed */
	_exit(read(fd, text, sizeof text) == 0 ? 0 : 1);
}

static pid_t start_unix_peer(const char *folder, int requests, const char *answer, char *path,
			     size_t size)
{
	struct peer peer = {.path = ""};
	int listener = listen_on_socket(folder, &peer);
	pid_t pid;

	snprintf(path, size, "%s", peer.path);
	assert_int_equal(listen(listener, 1), 0);
	pid = fork();
	if (pid == 0)
		serve_one_connection(listener, requests, answer);
	close(listener);
	return pid;
}

static void test_unix_socket_and_a_kept_connection(void **state)
{
	char *folder = test_folder(), path[100];
	pid_t pid = start_unix_peer(folder, 2, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
				    path, sizeof path);
	struct httpc_session *session = httpc_session_new();
	struct httpc_request request = {
		.url = "http://engine/version", .unix_path = path, .session = session};
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;

	(void)state;
	request.method = "PUT";
	request.body = "{}";
	request.body_len = 2;
	assert_done(httpc_fetch(&request, &reply, &err), err);
	/* the second has nothing of the first but its connection */
	request.method = NULL;
	request.body = NULL;
	assert_done(httpc_fetch(&request, &reply, &err), err);
	assert_string_equal(buf_str(&reply.body), "hi");
	httpc_session_free(session);
	waitpid(pid, NULL, 0);
	/* without the session there is nobody to talk to any more */
	request.session = NULL;
	assert_fails(httpc_fetch(&request, &reply, &err), err, E_NODE_UNREACHABLE);
	buf_release(&reply.body);
	test_folder_remove(&folder);
}

/*
 * The first connection is closed behind its first answer, in the moment of the second request: it
 * is read, and nothing said. What only reads is asked anew, of whoever listens then.
 */
NORETURN
static void serve_and_hang_up(int listener, const char *answer)
{
	char text[16384];
	int fd = accept(listener, NULL, NULL);

	(void)!read(fd, text, sizeof text);
	(void)fs_write_all(fd, answer, strlen(answer));
	(void)!read(fd, text, sizeof text);
	close(fd);
	fd = accept(listener, NULL, NULL);
	if (read(fd, text, sizeof text) > 0)
		(void)fs_write_all(fd, answer, strlen(answer));
	_exit(0);
}

static int ask_twice(const char *method, struct err *err)
{
	struct peer peer = {.path = ""};
	int listener = listen_on_socket(socket_folder, &peer), result;
	struct httpc_session *session = httpc_session_new();
	struct httpc_request request = {
		.url = peer.url, .unix_path = peer.path, .session = session};
	struct httpc_reply reply = {.body = BUF_INIT(100)};

	assert_int_equal(listen(listener, 1), 0);
	peer.pid = fork();
	if (peer.pid == 0)
		serve_and_hang_up(listener, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	assert_done(httpc_fetch(&request, &reply, err), *err);
	request.method = method;
	result = httpc_fetch(&request, &reply, err);
	close(listener);
	kill(peer.pid, SIGKILL);
	waitpid(peer.pid, NULL, 0);
	httpc_session_free(session);
	buf_release(&reply.body);
	return result;
}

static void test_only_what_reads_is_asked_twice(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_done(ask_twice(NULL, &err), err);
	assert_done(ask_twice("HEAD", &err), err);
	assert_fails(ask_twice("POST", &err), err, E_NODE_UNREACHABLE);
	assert_fails(ask_twice("DELETE", &err), err, E_NODE_UNREACHABLE);
}

/* More than a socket takes at once, to a peer that says no without reading it. */
static void test_an_answer_before_the_request_ends(void **state)
{
	static char body[4 << 20];
	struct httpc_request request = {.method = "PUT", .body = body, .body_len = sizeof body};
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;

	(void)state;
	assert_done(exchange("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", &request, &reply,
			     NULL, &err),
		    err);
	assert_int_equal(reply.status, 404);
	assert_string_equal(buf_str(&reply.body), "no");
	buf_release(&reply.body);
}

static void test_chunks_and_announcements(void **state)
{
	struct buf told AUTO_BUF = BUF_INIT(1000);
	struct httpc_request request = {.header = note_header, .header_arg = &told};
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;

	(void)state;
	assert_done(exchange("HTTP/1.1 100 Continue\r\nX: early\r\n\r\n"
			     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			     "3\r\none\r\n5;x=y\r\n, two\r\n0\r\nY: late\r\n\r\n",
			     &request, &reply, NULL, &err),
		    err);
	assert_string_equal(buf_str(&reply.body), "one, two");
	assert_string_equal(buf_str(&told), "Transfer-Encoding=chunked;Y=late;");
	buf_release(&reply.body);
}

static void test_sockets_that_are_not_there(void **state)
{
	char *folder = test_folder(), *longer = mem_printf("%s/%0200d", folder, 1);
	struct httpc_request request = {.url = "http://engine/", .unix_path = folder};
	struct httpc_reply reply = {.body = BUF_INIT(10)};
	struct err err = ERR_INIT;

	(void)state;
	assert_fails(httpc_fetch(&request, &reply, &err), err, E_NODE_UNREACHABLE);
	request.unix_path = longer;
	assert_fails(httpc_fetch(&request, &reply, &err), err, E_BAD_INPUT);
	request.unix_path = folder;
	request.url = "http://engine/a b";
	assert_fails(httpc_fetch(&request, &reply, &err), err, E_BAD_INPUT);
	request.url = "https://engine/";
	assert_fails(httpc_fetch(&request, &reply, &err), err, E_BAD_INPUT);
	free(longer);
	test_folder_remove(&folder);
}

static void test_a_stream_that_stalls(void **state)
{
	char *folder = test_folder(), path[100];
	pid_t pid = start_unix_peer(folder, 1, "HTTP/1.1 200 OK\r\n\r\nfirst", path, sizeof path);
	int ticks = 0;
	struct httpc_request request = {.url = "http://engine/x",
					.unix_path = path,
					.total_ms = -1,
					.tick = count_to_two,
					.tick_arg = &ticks};
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;

	(void)state;
	assert_fails(httpc_fetch(&request, &reply, &err), err, E_DEADLINE);
	assert_string_equal(buf_str(&reply.body), "first");
	waitpid(pid, NULL, 0);
	buf_release(&reply.body);
	test_folder_remove(&folder);
}

static void test_a_certificate_of_ours_that_is_not_there(void **state)
{
	struct httpc_request request = {.url = "https://127.0.0.1:1/",
					.cert_file = "/nonexistent/cert.pem",
					.key_file = "/nonexistent/key.pem"};
	struct peer peer = start_peer("", 0);
	struct httpc_reply reply = {.body = BUF_INIT(100)};
	struct err err = ERR_INIT;
	char url[200];

	(void)state;
	snprintf(url, sizeof url, "https%s", peer.url + strlen("http"));
	request.url = url;
	assert_fails(httpc_fetch(&request, &reply, &err), err, E_CREDENTIALS);
	stop_peer(&peer);
	buf_release(&reply.body);
}

/*
 * In a process of its own, since one that has loaded the library keeps it: a library that is not
 * there, and one that is another.
 */
static int fetch_without(const char *library)
{
	struct httpc_request request = {.url = "http://127.0.0.1:1/"};
	struct httpc_reply reply = {.body = BUF_INIT(10)};
	struct err err = ERR_INIT;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		httpc_library = library;
		_exit(httpc_fetch(&request, &reply, &err) == -1 && err.code == E_LIBRARY &&
				      str_starts(err.text, "http://127.0.0.1:1/: ") &&
				      strstr(err.text, library)
			      ? 0
			      : 1);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void test_library_that_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(fetch_without("libcurl-of-nowhere.so.4"), 0);
	assert_int_equal(fetch_without("libm.so.6"), 0);
}

static int go_by_tcp(void **state)
{
	(void)state;
	by_socket = false;
	return 0;
}

static int go_by_socket(void **state)
{
	(void)state;
	by_socket = true;
	socket_folder = test_folder();
	return 0;
}

static int leave_socket(void **state)
{
	(void)state;
	test_folder_remove(&socket_folder);
	return 0;
}

#define BY_TCP(test) cmocka_unit_test_setup(test, go_by_tcp)
#define BY_SOCKET(test) cmocka_unit_test_setup_teardown(test, go_by_socket, leave_socket)
/* clang-format off */
#define BY_BOTH(test) BY_TCP(test), {.name = #test "_by_socket", .test_func = test, \
	.setup_func = go_by_socket, .teardown_func = leave_socket}
/* clang-format on */

int main(void)
{
	const struct CMUnitTest tests[] = {
		BY_TCP(test_library_that_is_not_there), /* first: none is loaded yet */
		BY_BOTH(test_plain_get),
		BY_BOTH(test_method_headers_and_body),
		BY_BOTH(test_head_waits_for_no_body),
		BY_BOTH(test_redirects_are_not_followed),
		BY_BOTH(test_body_into_a_sink),
		BY_BOTH(test_headers_are_told),
		BY_SOCKET(test_chunks_and_announcements),
		BY_BOTH(test_hostile_answers),
		BY_BOTH(test_silent_peer),
		BY_BOTH(test_who_waits_is_asked),
		BY_TCP(test_urls_that_are_refused),
		BY_TCP(test_environment_is_not_asked),
		BY_SOCKET(test_unix_socket_and_a_kept_connection),
		BY_SOCKET(test_only_what_reads_is_asked_twice),
		BY_SOCKET(test_an_answer_before_the_request_ends),
		BY_SOCKET(test_sockets_that_are_not_there),
		BY_SOCKET(test_a_stream_that_stalls),
		BY_TCP(test_a_certificate_of_ours_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A look at a port from outside: what peers of all kinds say, and what that means. */
#include "tests/support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "schema/decode.h"
#include "drivers/probe.h"

/* Listens on the loopback, of IPv6 where v6; -1 where the machine has none. */
static int listen_on(bool v6, int64_t *port)
{
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	struct sockaddr *address = v6 ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4;
	socklen_t size = v6 ? sizeof a6 : sizeof a4;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, address, size) != 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, address, &size), 0);
	*port = ntohs(v6 ? a6.sin6_port : a4.sin_port);
	return fd;
}

/* One connection: the request goes to `asked`, the answer in two parts to the peer. */
NORETURN
static void serve(int listener, int asked, const char *answer, size_t len)
{
	char text[4096];
	int fd = accept(listener, NULL, NULL);
	ssize_t n = read(fd, text, sizeof text);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	(void)fs_write_all(asked, text, n > 0 ? (size_t)n : 0);
	close(asked);
	(void)fs_write_all(fd, answer, len / 2);
	(void)fs_write_all(fd, answer + len / 2, len - len / 2);
	close(fd);
	_exit(0);
}

/* The status; -1: none. */
static int get(const char *address, int64_t port, int64_t timeout_ms, struct err *err)
{
	const struct probe_target target = {
		.address = address, .port = port, .path = "/live?deep=1", .timeout_ms = timeout_ms};
	struct probe probe AUTO_PROBE;

	probe_begin(&probe, &target);
	probe_all(&probe, 1);
	assert_true(probe.over);
	*err = probe.err;
	return probe.err.code == E_NONE ? probe.status : -1;
}

static int ask(bool v6, const char *answer, char *request, struct err *err)
{
	int64_t port;
	int listener AUTO_FD = listen_on(v6, &port), asked[2], status;
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	pid_t pid;

	if (listener < 0)
		return -2;
	assert_int_equal(pipe(asked), 0);
	pid = fork();
	if (pid == 0)
		serve(listener, asked[1], answer, strlen(answer));
	close(asked[1]);
	status = get(NULL, port, 5000, err);
	assert_int_equal(fs_read_fd(asked[0], "request", 4096, &text, NULL), 0);
	if (request)
		snprintf(request, 4096, "%s", buf_str(&text));
	close(asked[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return status;
}

static void what_is_asked(void **state)
{
	struct err err = ERR_INIT;
	char request[4096];

	(void)state;
	assert_int_equal(ask(false, "HTTP/1.1 204 No Content\r\n\r\n", request, &err), 204);
	assert_true(str_starts(request, "GET /live?deep=1 HTTP/1.1\r\nHost: 127.0.0.1:"));
	assert_non_null(strstr(request, "\r\nConnection: close\r\n"));
	assert_true(str_ends(request, "\r\n\r\n"));
}

static void answers(void **state)
{
	static const struct {
		const char *answer;
		int status;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200},
		{"HTTP/1.0 503 Busy\r\nA: b\r\n\r\n", 503},
		{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", 302},
		{"HTTP/1.1 404\r\n\r\n", 404},
		{"HTTP/1.1 200 OK\nA: b\n\nbody\r\n\r\n", 200},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
		 "HTTP/1.1 500 No\r\n\r\n",
		 500},
		{"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\ncut short", 200},
		{"HTTP/1.1 101 Switching\r\n\r\n", 101},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;

		print_message("# answer %zu\n", i);
		assert_int_equal(ask(false, rows[i].answer, NULL, &err), rows[i].status);
	}
}

static void what_is_no_answer(void **state)
{
	static const struct {
		const char *answer;
		enum err_code code;
	} rows[] = {
		{"", E_NODE_UNREACHABLE},
		{"HTTP/1.1 200 OK\r\nA: b\r\n", E_NODE_UNREACHABLE},
		{"HTTP/1.1 100 Continue\r\n\r\n", E_NODE_UNREACHABLE},
		{"nonsense\r\n\r\n", E_BAD_INPUT},
		{"HTTP/2 200\r\n\r\n", E_BAD_INPUT},
		{"HTTP/1.1 2000 OK\r\n\r\n", E_BAD_INPUT},
		{"HTTP/1.1 20\r\n\r\n", E_BAD_INPUT},
		{"HTTP/1.1 999 OK\r\n\r\n", E_BAD_INPUT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;

		print_message("# answer %zu\n", i);
		assert_int_equal(ask(false, rows[i].answer, NULL, &err), -1);
		assert_string_equal(err_code_name(err.code), err_code_name(rows[i].code));
	}
}

static void a_header_without_end(void **state)
{
	struct buf answer AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	struct err err = ERR_INIT;

	(void)state;
	buf_adds(&answer, "HTTP/1.1 200 OK\r\n");
	while (answer.len < (size_t)100 << 10)
		buf_adds(&answer, "X-More: and more and more and more\r\n");
	assert_int_equal(ask(false, buf_str(&answer), NULL, &err), -1);
	assert_int_equal(err.code, E_TOO_LARGE);
}

static void ipv6_only(void **state)
{
	struct err err = ERR_INIT;
	int status = ask(true, "HTTP/1.1 200 OK\r\n\r\n", NULL, &err);

	(void)state;
	if (status == -2)
		SKIP_BECAUSE("this machine has no IPv6 loopback");
	assert_int_equal(status, 200);
}

static void nobody_listens(void **state)
{
	const struct probe_target target = {.timeout_ms = 5000};
	struct probe_target tcp = target;
	struct err err = ERR_INIT;
	struct probe probe AUTO_PROBE;
	int64_t port;

	(void)state;
	close(listen_on(false, &port));
	assert_int_equal(get(NULL, port, 5000, &err), -1);
	assert_int_equal(err.code, E_NODE_UNREACHABLE);
	assert_non_null(strstr(err.text, "refused"));
	tcp.port = port;
	probe_begin(&probe, &tcp);
	probe_all(&probe, 1);
	assert_int_equal(probe.err.code, E_NODE_UNREACHABLE);
}

/* What is no number is asked nowhere, least of all by a look-up of names. */
static void no_address(void **state)
{
	static const char *const addresses[] = {"", "localhost", "127.0.0.1 ", "1.2.3"};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		assert_int_equal(get(addresses[i], 80, 5000, &err), -1);
		assert_int_equal(err.code, E_NODE_UNREACHABLE);
		assert_string_equal(err.text, "it has no address");
	}
}

/* A listener that never accepts: the kernel takes the connection, and nobody answers. */
static void a_connection_is_enough_for_tcp(void **state)
{
	int64_t port;
	int listener AUTO_FD = listen_on(false, &port);
	struct probe_target target = {.address = "127.0.0.1", .port = port, .timeout_ms = 5000};
	struct probe probe AUTO_PROBE;

	(void)state;
	probe_begin(&probe, &target);
	probe_all(&probe, 1);
	assert_int_equal(probe.err.code, E_NONE);
	assert_int_equal(probe.fd, -1);
}

static void nobody_answers(void **state)
{
	int64_t port;
	int listener AUTO_FD = listen_on(false, &port);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(get("127.0.0.1", port, 100, &err), -1);
	assert_int_equal(err.code, E_DEADLINE);
	assert_string_equal(err.text, "no answer within 100 ms");
}

/* Of many that are asked at once each is told apart, and none waits for those that say nothing. */
static void many_at_once(void **state)
{
	enum { MANY = 6 };
	int64_t port, refused;
	int listener AUTO_FD = listen_on(false, &port);
	struct probe_target targets[MANY];
	struct probe probes[MANY];

	(void)state;
	close(listen_on(false, &refused));
	for (int i = 0; i < MANY; i++) {
		targets[i] = (struct probe_target){.port = i % 3 ? port : refused,
						   .path = i % 3 == 1 ? "/" : NULL,
						   .timeout_ms = 100};
		probe_begin(&probes[i], &targets[i]);
	}
	probe_all(probes, MANY);
	for (int i = 0; i < MANY; i++) {
		static const enum err_code codes[] = {E_NODE_UNREACHABLE, E_DEADLINE, E_NONE};

		assert_true(probes[i].over);
		assert_int_equal(probes[i].err.code, codes[i % 3]);
		probe_release(&probes[i]);
	}
}

static void which_status_is_accepted(void **state)
{
	(void)state;
	assert_true(probe_accepts("200", 200));
	assert_false(probe_accepts("200", 201));
	assert_true(probe_accepts("200-399", 399));
	assert_false(probe_accepts("200-399", 400));
	assert_true(probe_accepts("200,204,500-501", 501));
	assert_false(probe_accepts("200,204,500-501", 203));
	assert_false(probe_accepts("", 200));
	assert_false(probe_accepts("abc", 200));
}

static const struct health_check *check_of(struct arena *arena, const char *json)
{
	const struct health_check *check =
		decode_object(arena, "health_check", json, strlen(json), NULL);

	assert_non_null(check);
	return check;
}

/* How it ended, and what people read then. */
static void what_people_read(void **state)
{
	static const struct {
		const char *check;
		int status;
		enum err_code code;
		const char *why; /* NULL: it is healthy */
	} rows[] = {
		{"{\"http\":{\"port\":8080,\"path\":\"/health\"}}", 200, E_NONE, NULL},
		{"{\"http\":{\"port\":8080,\"path\":\"/health\"}}", 503, E_NONE,
		 "GET /health on port 8080: status 503, wanted 200-399"},
		{"{\"http\":{\"port\":80,\"status\":\"503\"}}", 503, E_NONE, NULL},
		{"{\"http\":{\"port\":80}}", 0, E_DEADLINE, "GET / on port 80: it is late"},
		{"{\"tcp\":{\"port\":5432}}", 0, E_NONE, NULL},
		{"{\"tcp\":{\"port\":5432}}", 0, E_NODE_UNREACHABLE, "port 5432: it is late"},
	};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct health_check *check = check_of(arena, rows[i].check);
		struct probe_target target = probe_target_of(check, NULL);
		struct probe probe = {.target = &target, .status = rows[i].status};
		struct buf why AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

		if (rows[i].code != E_NONE)
			err_set(&probe.err, rows[i].code, "it is late");
		assert_int_equal(probe_judge(&probe, check, &why), rows[i].why == NULL);
		assert_string_equal(buf_str(&why), rows[i].why ? rows[i].why : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked),
		cmocka_unit_test(answers),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(a_header_without_end),
		cmocka_unit_test(ipv6_only),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(no_address),
		cmocka_unit_test(a_connection_is_enough_for_tcp),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(which_status_is_accepted),
		cmocka_unit_test(what_people_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

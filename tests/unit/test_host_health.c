/* Health checks: how soon, how often, and what they say. */
#include "tests/support/test.h"
#include "tests/support/host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_health.h"

#define NAME "shop-prod-web"

/* A port of the loopback that answers as told, from a child of the test. */
struct server {
	int port;
	pid_t pid;
};

static int listen_on_loopback(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void serve(struct server *server, const char *answer)
{
	int fd AUTO_FD = listen_on_loopback(&server->port);

	server->pid = fork();
	if (server->pid != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		char request[4096];
		int client = accept(fd, NULL, NULL);

		if (read(client, request, sizeof request) > 0 && answer)
			(void)fs_write_all(client, answer, strlen(answer));
		close(client);
	}
}

static void end(struct server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
}

static void run(const char *script, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void run(const char *script, const char *fmt, ...)
{
	struct buf check AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct spec *spec;
	va_list args;

	va_start(args, fmt);
	buf_addfv(&check, fmt, args);
	va_end(args);
	spec = host_bench_spec(
		script, arena_printf(host.arena, "\"stopTimeout\":\"100ms\",\"healthCheck\":{%s}",
				     buf_str(&check)));
	test_run_spec(host.driver, spec);
}

/* ---- kinds --------------------------------------------------------------------------------- */

static void command_that_succeeds(void **state)
{
	struct workload seen;

	(void)state;
	host_bench_program("web/1", "check", "test -e \"$TRUEUP_DIR/ready\"");
	/* healthy long before the first interval is over */
	run("sleep 0.2; echo > \"$TRUEUP_DIR/ready\"; exec sleep 1000",
	    "\"command\":[\"./check\"],\"interval\":\"1h\",\"startPeriod\":\"1h\"");
	assert_int_equal(test_see(host.driver, host.arena, NAME).health, HEALTH_STARTING);
	seen = host_await(NAME, host_is_healthy);
	assert_null(seen.detail);
}

static void command_that_fails(void **state)
{
	struct workload seen;

	(void)state;
	host_bench_program("web/1", "check", "echo one; echo 'no database' >&2; exit 4");
	run("exec sleep 1000", "\"command\":[\"check\"],\"interval\":\"100ms\",\"retries\":2");
	seen = host_await(NAME, host_is_unhealthy);
	assert_int_equal(seen.state, RUN_RUNNING);
	assert_string_equal(seen.detail, "health check: exited with status 4: no database");
}

static bool says_too_late(const struct workload *workload)
{
	return workload->health == HEALTH_UNHEALTHY && workload->detail &&
	       strstr(workload->detail, "no answer within 100 ms");
}

static void command_that_hangs(void **state)
{
	(void)state;
	host_bench_program("web/1", "check", "sleep 1000 & wait");
	run("exec sleep 1000",
	    "\"command\":[\"check\"],\"interval\":\"100ms\",\"timeout\":\"100ms\","
	    "\"retries\":1");
	host_await(NAME, says_too_late);
}

static void command_that_is_not_there(void **state)
{
	struct spec *spec =
		host_bench_spec("exec sleep 1000", "\"healthCheck\":{\"command\":[\"./none\"]}");

	(void)state;
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	test_apply(host.driver, OP_CREATE, NAME, NULL, spec);
	assert_int_equal(test_apply_code(host.driver, OP_START, NAME, NULL, NULL), E_SPAWN);
}

static void http_that_answers(void **state)
{
	struct server server;

	(void)state;
	serve(&server, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
	run("exec sleep 1000", "\"http\":{\"port\":%d,\"path\":\"/health\"}", server.port);
	host_await(NAME, host_is_healthy);
	end(&server);
}

static void http_with_another_status(void **state)
{
	struct server server;
	struct workload seen;

	(void)state;
	serve(&server, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	run("exec sleep 1000", "\"http\":{\"port\":%d},\"interval\":\"100ms\",\"retries\":1",
	    server.port);
	seen = host_await(NAME, host_is_unhealthy);
	assert_non_null(strstr(seen.detail, "status 503"));
	end(&server);
}

static void http_that_is_wanted_to_fail(void **state)
{
	struct server server;

	(void)state;
	serve(&server, "HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	run("exec sleep 1000", "\"http\":{\"port\":%d,\"status\":\"200,400-403\"}", server.port);
	host_await(NAME, host_is_healthy);
	end(&server);
}

static void tcp_that_listens(void **state)
{
	struct server server;

	(void)state;
	serve(&server, NULL);
	run("exec sleep 1000", "\"tcp\":{\"port\":%d}", server.port);
	host_await(NAME, host_is_healthy);
	end(&server);
}

static void tcp_that_does_not(void **state)
{
	struct workload seen;
	int port;
	int fd = listen_on_loopback(&port);

	(void)state;
	close(fd);
	run("exec sleep 1000", "\"tcp\":{\"port\":%d},\"interval\":\"100ms\",\"retries\":1", port);
	seen = host_await(NAME, host_is_unhealthy);
	assert_non_null(strstr(seen.detail, "refused"));
}

/* ---- the course of things ------------------------------------------------------------------ */

static void ill_and_well_again(void **state)
{
	(void)state;
	host_bench_program("web/1", "check", "test ! -e \"$TRUEUP_DIR/ill\"");
	run("exec sleep 1000", "\"command\":[\"check\"],\"interval\":\"100ms\",\"retries\":2");
	host_await(NAME, host_is_healthy);
	assert_int_equal(close(open(host_bench_path(NAME "/ill"), O_WRONLY | O_CREAT, 0644)), 0);
	host_await(NAME, host_is_unhealthy);
	assert_int_equal(unlink(host_bench_path(NAME "/ill")), 0);
	host_await(NAME, host_is_healthy);
}

/* Quick looks at the start must not use up the retries: only one an interval counts. */
static void quick_looks_do_not_count(void **state)
{
	(void)state;
	host_bench_program("web/1", "check",
			   "echo x >> \"$TRUEUP_DIR/looks\"; "
			   "test $(wc -l < \"$TRUEUP_DIR/looks\") -ge 4");
	run("exec sleep 1000", "\"command\":[\"check\"],\"interval\":\"1h\",\"retries\":1");
	host_await(NAME, host_is_healthy);
}

static bool is_stopped(const struct workload *workload)
{
	return workload->state == RUN_STOPPED;
}

static void health_ends_with_the_run(void **state)
{
	(void)state;
	host_bench_program("web/1", "check", "exit 0");
	run("exec sleep 1000", "\"command\":[\"check\"]");
	host_await(NAME, host_is_healthy);
	test_apply(host.driver, OP_STOP, NAME, NULL, NULL);
	assert_int_equal(host_await(NAME, is_stopped).health, HEALTH_UNKNOWN);
}

static const struct CMUnitTest tests[] = {
	HOST_TEST(command_that_succeeds),	HOST_TEST(command_that_fails),
	HOST_TEST(command_that_hangs),		HOST_TEST(command_that_is_not_there),
	HOST_TEST(http_that_answers),		HOST_TEST(http_with_another_status),
	HOST_TEST(http_that_is_wanted_to_fail), HOST_TEST(tcp_that_listens),
	HOST_TEST(tcp_that_does_not),		HOST_TEST(ill_and_well_again),
	HOST_TEST(quick_looks_do_not_count),	HOST_TEST(health_ends_with_the_run),
};

HOST_TEST_MAIN(tests)

/*
 * An engine by https: it must prove who it is, and so must we. The engine is openssl's server,
 * which gives out files; the certificates are made for the occasion.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"
#include "tests/support/shell.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/docker.h"

/* Two authorities, the engine's and ours; two certificates of each, and one folder to serve. */
static const char make_files[] =
	"authority() {\n"
	"	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
	"\"/CN=$1\" \\\n"
	"		-keyout \"$1.key\" -out \"$1.pem\" 2>/dev/null\n"
	"}\n"
	"certificate() { # NAME AUTHORITY\n"
	"	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj \"/CN=$1\" "
	"\\\n"
	"		-keyout \"$1.key\" -out \"$1.csr\" 2>/dev/null\n"
	"	openssl x509 -req -in \"$1.csr\" -CA \"$2.pem\" -CAkey \"$2.key\" -CAcreateserial "
	"-days 2 \\\n"
	"		-extfile <(echo subjectAltName=IP:127.0.0.1) -out \"$1.pem\" 2>/dev/null\n"
	"}\n"
	"folder() { # NAME CA CERTIFICATE\n"
	"	mkdir -m 700 \"credentials/$1\"\n"
	"	cp \"$2.pem\" \"credentials/$1/ca.pem\"\n"
	"	cp \"$3.pem\" \"credentials/$1/cert.pem\"\n"
	"	cp \"$3.key\" \"credentials/$1/key.pem\"\n"
	"	chmod 600 \"credentials/$1\"/*\n"
	"}\n"
	"umask 077; mkdir credentials www www/v1.41 www/v1.41/containers www/v1.41/images\n"
	"authority theirs; authority ours; authority strangers\n"
	"certificate engine theirs; certificate reconciler ours; certificate stranger strangers\n"
	"folder good theirs reconciler; folder unknown theirs stranger; folder misled strangers "
	"reconciler\n"
	"answer() { # FILE BODY\n"
	"	printf 'HTTP/1.0 200 OK\\r\\nApi-Version: 1.41\\r\\nServer: Docker/20.10.24 "
	"(linux)\\r\\n"
	"\\r\\n%s' \"$2\" >\"www/$1\"\n"
	"}\n"
	"answer _ping OK\n"
	"answer 'v1.41/containers/json?all=1' "
	"'[{\"Id\":\"1\",\"Names\":[\"/theirs\"],\"Labels\":{}}]'\n"
	"answer 'v1.41/volumes?filters=%7B%22label%22%3A%5B%22dev.trueup.owner%22%5D%7D' "
	"'{\"Volumes\":[]}'\n"
	"answer v1.41/images/json '[]'\n";

struct engine {
	char *folder;
	pid_t pid;
	int port;
};

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void await_port(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};

	for (int tries = 0;; tries++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int result = connect(fd, (struct sockaddr *)&address, sizeof address);

		close(fd);
		if (result == 0)
			return;
		if (tries == 1000)
			fail_msg("openssl s_server does not listen");
		poll(NULL, 0, 10);
	}
}

NORETURN
static void serve(const char *folder, int port)
{
	AUTO_FREE char *www = mem_printf("%s/www", folder);
	AUTO_FREE char *accept = mem_printf("127.0.0.1:%d", port);

	if (chdir(www) != 0 || !freopen("/dev/null", "w", stdout) ||
	    !freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "r", stdin))
		_exit(1);
	execlp("openssl", "openssl", "s_server", "-accept", accept, "-cert", "../engine.pem",
	       "-key", "../engine.key", "-CAfile", "../ours.pem", "-Verify", "2",
	       "-verify_return_error", "-HTTP", (char *)NULL);
	_exit(1);
}

static int setup(void **state)
{
	struct engine *engine = mem_zalloc(1, sizeof *engine);

	engine->folder = test_folder();
	test_run(engine->folder, "%s", make_files);
	engine->port = free_port();
	engine->pid = fork();
	if (engine->pid == 0)
		serve(engine->folder, engine->port);
	await_port(engine->port);
	*state = engine;
	return 0;
}

static int teardown(void **state)
{
	struct engine *engine = *state;

	kill(engine->pid, SIGKILL);
	waitpid(engine->pid, NULL, 0);
	test_folder_remove(&engine->folder);
	free(engine);
	return 0;
}

static int look(const struct engine *engine, const char *credentials, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct node node = {
		.name = "edge-1",
		.driver = DRIVER_DOCKER,
		.endpoint = arena_printf(arena, "https://127.0.0.1:%d", engine->port),
		.credentials = credentials,
	};
	struct driver_env env = test_env;
	struct driver *driver;
	struct observed seen;
	int result;

	env.state_dir = engine->folder;
	err_clear(err);
	assert_done(driver_open(&node, &env, &driver, err), *err);
	result = driver->ops->observe(driver, arena, &seen, err);
	driver_close(&driver);
	if (result == 0) {
		assert_int_equal(seen.foreign_n, 1);
		assert_string_equal(seen.foreign[0], "theirs");
		assert_string_equal(seen.engine, "Docker Engine 20.10.24");
	}
	return result;
}

static void test_both_prove_who_they_are(void **state)
{
	struct err err = ERR_INIT;

	assert_done(look(*state, "good", &err), err);
}

static void test_an_engine_that_cannot(void **state)
{
	struct err err = ERR_INIT;

	assert_fails(look(*state, "misled", &err), err, E_CERTIFICATE);
	/* without a folder the system's authorities count */
	assert_fails(look(*state, NULL, &err), err, E_CERTIFICATE);
}

static void test_a_reconciler_that_cannot(void **state)
{
	struct err err = ERR_INIT;

	assert_int_equal(look(*state, "unknown", &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_prove_who_they_are),
		cmocka_unit_test(test_an_engine_that_cannot),
		cmocka_unit_test(test_a_reconciler_that_cannot),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/*
 * Every request of every change goes wrong once: a proxy stands between the driver and a real
 * engine, and answers one request with something else, before it reaches the engine or after. Then
 * the change is asked for again, as the engine room does after each look. In the end everything is
 * as it was wanted, and nothing is there twice. An engine that falls silent is given up after a
 * while, which is short here.
 *
 * `make check` has a few ways of going wrong; FAULTS_ALL=1 (as `make torture` sets it) has them
 * all.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"
#include "tests/support/engines.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"

/* ---- what goes wrong ---- */

struct fault {
	const char *name;
	const char *answer; /* NULL: the engine's own, cut in the middle */
	bool after;	    /* the engine has done it by then */
	bool often;	    /* also in `make check` */
	bool silent;	    /* nothing comes behind it, and the connection stays open */
};

#define ANSWER(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body

static const struct fault faults[] = {
	{"500 before", ANSWER("500 Error", "{\"message\":\"broken\"}"), false, true, false},
	{"500 after", ANSWER("500 Error", "{\"message\":\"broken\"}"), true, true, false},
	{"404 before", ANSWER("404 No", "{\"message\":\"none\"}"), false, true, false},
	{"404 after", ANSWER("404 No", "{\"message\":\"none\"}"), true, false, false},
	{"409 before", ANSWER("409 Conflict", "{\"message\":\"in the way\"}"), false, false, false},
	{"409 after", ANSWER("409 Conflict", "{\"message\":\"in the way\"}"), true, false, false},
	{"400 before", ANSWER("400 Bad", "{\"message\":\"bad\"}"), false, false, false},
	{"400 after", ANSWER("400 Bad", "{\"message\":\"bad\"}"), true, false, false},
	{"304 before", ANSWER("304 Not Modified", ""), false, false, false},
	{"304 after", ANSWER("304 Not Modified", ""), true, false, false},
	{"nonsense after", ANSWER("200 OK", "{\"a\":[1,"), true, false, false},
	{"nothing before", "", false, false, false},
	{"nothing after", "", true, true, false},
	{"half an answer", NULL, true, true, false},
	{"silence before", "", false, false, true},
	{"silence after", "", true, false, true},
	{"half an answer, then silence", NULL, true, false, true},
};

#define PATIENCE_MS 3000 /* for a change with requests that are answered, too */

/* ---- the proxy ---- */

/* Shared with the proxy's process. */
struct orders {
	int fault_at; /* number of the request that goes wrong, from 1; 0: none */
	int seen;     /* requests since it was set */
	const struct fault *fault;
};

struct proxy {
	struct orders *orders;
	pid_t pid;
	char *folder;
	char path[108];
};

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* A request with its body: its head says how long that is. False: there is none any more. */
static bool read_request(int fd, struct buf *out)
{
	for (;;) {
		const char *end = strstr(buf_str(out), "\r\n\r\n");
		const char *length = strcasestr(buf_str(out), "\r\nContent-Length:");
		int64_t body = 0;
		char *room;
		ssize_t n;

		if (end && length && length < end) {
			AUTO_FREE char *text = mem_strndup(length + 17, strcspn(length + 17, "\r"));

			(void)num_parse_int(text + strspn(text, " "), 0, INT32_MAX, &body);
		}
		if (end && out->len >= (size_t)(end + 4 - out->ptr) + (size_t)body)
			return true;
		room = buf_reserve(out, 65536);
		n = room ? read(fd, room, 65536) : 0;
		if (n <= 0)
			return false;
		buf_commit(out, (size_t)n);
	}
}

/* The whole answer: the engine closes behind it, since it is asked to. */
static void ask_engine(const char *engine, const struct buf *request, struct buf *answer)
{
	static const char closes[] = "\r\nConnection: close";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd AUTO_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t line = strcspn(buf_str(request), "\r");
	char *room;
	ssize_t n;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", engine);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    fs_write_all(fd, request->ptr, line) != 0 ||
	    fs_write_all(fd, closes, sizeof closes - 1) != 0 ||
	    fs_write_all(fd, request->ptr + line, request->len - line) != 0)
		return;
	while ((room = buf_reserve(answer, 65536)) && (n = read(fd, room, 65536)) > 0)
		buf_commit(answer, (size_t)n);
}

/* Until whoever waits at the other end has given up. */
static void await_end(int fd)
{
	char byte;

	while (read(fd, &byte, 1) > 0)
		;
}

static void serve_one(int fd, const char *engine, struct orders *orders)
{
	struct buf request AUTO_BUF = BUF_INIT(BUF_MAX_TEXT),
			   answer AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	const struct fault *fault;

	if (!read_request(fd, &request))
		return;
	fault = ++orders->seen == orders->fault_at ? orders->fault : NULL;
	if (!fault || fault->after)
		ask_engine(engine, &request, &answer);
	if (!fault)
		(void)fs_write_all(fd, buf_str(&answer), answer.len);
	else if (fault->answer)
		(void)fs_write_all(fd, fault->answer, strlen(fault->answer));
	else
		(void)fs_write_all(fd, buf_str(&answer), answer.len / 2);
	if (fault && fault->silent)
		await_end(fd);
}

static struct proxy start_proxy(const char *engine)
{
	struct proxy proxy = {.folder = test_folder()};
	int listener;

	proxy.orders = mmap(NULL, sizeof *proxy.orders, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(proxy.orders != MAP_FAILED);
	snprintf(proxy.path, sizeof proxy.path, "%s/sock", proxy.folder);
	listener = listen_at(proxy.path);
	proxy.pid = fork();
	if (proxy.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves it behind */
		signal(SIGPIPE, SIG_IGN);
		for (;;) {
			int fd = accept(listener, NULL, NULL);

			serve_one(fd, engine, proxy.orders);
			close(fd);
		}
	}
	close(listener);
	return proxy;
}

static void stop_proxy(struct proxy *proxy)
{
	kill(proxy->pid, SIGKILL);
	waitpid(proxy->pid, NULL, 0);
	munmap(proxy->orders, sizeof *proxy->orders);
	test_folder_remove(&proxy->folder);
}

/* ---- changes, each until nothing of it can go wrong any more ---- */

struct trial {
	struct engine_bench *bench;
	struct proxy proxy;
	struct node node; /* behind the proxy */
	int wrong;	  /* requests that went wrong */
};

#define REQUESTS_MAX 60 /* of one change */

/* Like a child of the reconciler: opens the driver, makes one change, and is gone. */
static int once(struct trial *trial, const struct op *op, struct err *err)
{
	struct driver *driver;
	int result;

	assert_done(driver_open(&trial->node, &trial->bench->env, &driver, err), *err);
	docker_of(driver)->patience_ms = PATIENCE_MS;
	result = driver->ops->apply(driver, op, NULL, err);
	driver_close(&driver);
	return result;
}

static void insist(struct trial *trial, const struct op *op, const struct fault *fault)
{
	struct orders *orders = trial->proxy.orders;

	orders->fault = fault;
	for (int at = 1; at <= REQUESTS_MAX; at++) {
		struct err err = ERR_INIT;
		int result;

		orders->seen = 0;
		orders->fault_at = at;
		result = once(trial, op, &err);
		if (orders->seen < at) {
			if (result != 0)
				fail_msg("%s, %s %s: %s", fault->name, op_word(op->kind),
					 op->name ? op->name : "", err.text);
			return;
		}
		trial->wrong++;
	}
	fail_msg("%s needs more than %d requests", op_word(op->kind), REQUESTS_MAX);
}

static struct spec *wanted(struct engine_bench *bench, const char *release)
{
	return test_spec(bench->arena, bench->driver, "shop-prod-web", bench->image,
			 arena_printf(bench->arena,
				      "{\"command\":[\"sh\",\"-c\",\"cat /etc/a; sleep 1000\"],"
				      "\"stopSignal\":\"SIGKILL\",\"networks\":[\"back\"],"
				      "\"files\":[{\"path\":\"/etc/a\",\"content\":\"%s\\n\"}],"
				      "\"volumes\":[{\"name\":\"data\",\"path\":\"/data\","
				      "\"shared\":true}]}",
				      release));
}

static bool has_alias(const json_t *inspect, const char *network, const char *alias)
{
	const json_t *list = json_object_get(
		json_object_get(
			json_object_get(json_object_get(inspect, "NetworkSettings"), "Networks"),
			network),
		"Aliases");

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (str_eq(json_string_value(json_array_get(list, i)), alias))
			return true;
	}
	return false;
}

/* One container, the new one, with its names, its files and its volume. */
static void check_served(struct engine_bench *bench, const struct spec *spec)
{
	struct observed seen = test_observe(bench->driver, bench->arena);
	AUTO_JSON json_t *inspect = engine_inspect(bench->driver, spec->name);

	assert_int_equal(seen.workloads_n, 1);
	assert_string_equal(seen.workloads[0].name, spec->name);
	assert_string_equal(seen.workloads[0].labels.spec, spec->labels.spec);
	assert_int_equal(seen.workloads[0].state, RUN_RUNNING);
	assert_int_equal(seen.volumes_n, 1);
	assert_int_equal(seen.images_n, 1);
	assert_true(has_alias(inspect, "shop-prod", spec->name));
	assert_true(has_alias(inspect, "shop-prod.back", spec->name));
	assert_false(has_alias(inspect, "shop-prod", "shop-prod-web" NEXT_SUFFIX));
	engine_await_log(bench->driver, spec->name, "new\n");
}

/* A release, the next one beside it, and the end of both. */
static void go_through(struct trial *trial, const struct fault *fault)
{
	struct spec *old = wanted(trial->bench, "old"), *new = wanted(trial->bench, "new");
	const char *name = old->name, *next = "shop-prod-web" NEXT_SUFFIX;
	const struct op release[] = {
		{OP_CLAIM, NULL, NULL, NULL},  {OP_PULL, NULL, NULL, old},
		{OP_CREATE, name, NULL, old},  {OP_START, name, NULL, NULL},
		{OP_CREATE, next, NULL, new},  {OP_START, next, NULL, NULL},
		{OP_ALIAS, next, name, NULL},  {OP_STOP, name, NULL, NULL},
		{OP_REMOVE, name, NULL, NULL}, {OP_RENAME, next, name, NULL},
	};
	const struct op end[] = {
		{OP_REMOVE, name, NULL, NULL},
		{OP_VOLUME_REMOVE, "shop-prod-data", NULL, NULL},
		{OP_IMAGE_REMOVE, old->digest, NULL, NULL},
	};
	struct observed seen;

	for (size_t i = 0; i < ARRAY_LEN(release); i++)
		insist(trial, &release[i], fault);
	check_served(trial->bench, new);
	for (size_t i = 0; i < ARRAY_LEN(end); i++)
		insist(trial, &end[i], fault);
	seen = test_observe(trial->bench->driver, trial->bench->arena);
	assert_int_equal(seen.workloads_n + seen.volumes_n + seen.images_n, 0);
	assert_string_equal(seen.owner, TEST_OWNER);
}

static void each_request_goes_wrong(struct engine_bench *bench)
{
	const char *engine = docker_of(bench->driver)->endpoint.unix_path;
	struct trial trial = {.bench = bench, .node = bench->node, .proxy = start_proxy(engine)};

	trial.node.endpoint = arena_printf(bench->arena, "unix://%s", trial.proxy.path);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		if (!faults[i].often && !getenv("FAULTS_ALL"))
			continue;
		trial.wrong = 0;
		go_through(&trial, &faults[i]);
		print_message("# %s: %d requests went wrong\n", faults[i].name, trial.wrong);
		assert_true(trial.wrong > 20);
	}
	stop_proxy(&trial.proxy);
}

/* A look at one that falls silent ends, says so, and the next one sees all of it. */
static void silence_is_given_up(struct engine_bench *bench)
{
	const char *engine = docker_of(bench->driver)->endpoint.unix_path;
	struct trial trial = {.bench = bench, .node = bench->node, .proxy = start_proxy(engine)};
	struct orders *orders = trial.proxy.orders;
	struct err err = ERR_INIT;

	trial.node.endpoint = arena_printf(bench->arena, "unix://%s", trial.proxy.path);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		for (int at = 1; at <= 4 && faults[i].silent; at++) {
			struct driver *driver;
			struct observed seen;

			*orders = (struct orders){.fault_at = at, .fault = &faults[i]};
			assert_done(driver_open(&trial.node, &bench->env, &driver, &err), err);
			docker_of(driver)->patience_ms = 200;
			assert_int_equal(driver->ops->observe(driver, bench->arena, &seen, &err),
					 -1);
			assert_int_equal(err_code_class(err.code), ERR_RETRY);
			docker_of(driver)->patience_ms = 0;
			orders->fault_at = 0;
			err = (struct err)ERR_INIT;
			assert_done(driver->ops->observe(driver, bench->arena, &seen, &err), err);
			driver_close(&driver);
		}
	}
	stop_proxy(&trial.proxy);
}

int main(void)
{
	static const struct engine_case cases[] = {
		{"each request goes wrong", each_request_goes_wrong},
		{"silence is given up", silence_is_given_up},
	};

	return engine_run_cases("docker faults", cases, ARRAY_LEN(cases));
}

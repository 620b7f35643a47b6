/*
 * The parts of the docker driver that need no engine: what is pure, and what an engine can say that
 * no real one says on demand.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/docker.h"
#include "drivers/docker_frames.h"

/* ---- endpoints ---- */

static void test_endpoints(void **state)
{
	static const struct {
		const char *endpoint, *base, *unix_path;
	} rows[] = {
		{NULL, "http://engine", "/var/run/docker.sock"},
		{"unix:///run/podman/podman.sock", "http://engine", "/run/podman/podman.sock"},
		{"https://edge-1.example.org:2376", "https://edge-1.example.org:2376", NULL},
		{"http://127.0.0.1:2375", "http://127.0.0.1:2375", NULL},
		{"http://localhost:2375", "http://localhost:2375", NULL},
		{"http://[::1]:2375", "http://[::1]:2375", NULL},
		/* refused */
		{"http://edge-1.example.org:2375", NULL, NULL},
		{"http://127.0.0.1.example.org", NULL, NULL},
		{"http://localhost@example.org", NULL, NULL},
		{"https://user:word@example.org", NULL, NULL},
		{"https://example.org/path", NULL, NULL},
		{"https://", NULL, NULL},
		{"tcp://127.0.0.1:2375", NULL, NULL},
		{"unix://run/docker.sock", NULL, NULL},
		{"unix:///run/../etc/x", NULL, NULL},
		{"/var/run/docker.sock", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct node node = {.name = "edge-1", .endpoint = rows[i].endpoint};
		struct docker_endpoint endpoint;
		struct err err = ERR_INIT;

		if (rows[i].base) {
			assert_done(docker_endpoint_read(&node, &test_env, &endpoint, &err), err);
			assert_string_equal(endpoint.base, rows[i].base);
			assert_int_equal(str_cmp(endpoint.unix_path, rows[i].unix_path), 0);
		} else {
			assert_fails(docker_endpoint_read(&node, &test_env, &endpoint, &err), err,
				     E_BAD_INPUT);
		}
		docker_endpoint_release(&endpoint);
	}
}

static void test_certificates(void **state)
{
	static const char *const names[] = {"ca.pem", "cert.pem", "key.pem"};
	AUTO_ARENA struct arena *arena = arena_new(0);
	char *folder = test_folder();
	const char *dir = arena_printf(arena, "%s/credentials/edge", folder), *key = NULL;
	struct node node = {
		.name = "edge-1", .endpoint = "https://example.org", .credentials = "edge"};
	struct driver_env env = test_env;
	struct docker_endpoint endpoint;
	struct err err = ERR_INIT;

	(void)state;
	env.state_dir = folder;
	assert_done(fs_make_dirs(dir, 0700, &err), err);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		/* each of them is needed */
		assert_int_equal(docker_endpoint_read(&node, &env, &endpoint, &err), -1);
		docker_endpoint_release(&endpoint);
		key = arena_printf(arena, "%s/%s", dir, names[i]);
		assert_done(fs_write_atomic(key, "x", 1, 0600, &err), err);
	}
	assert_done(docker_endpoint_read(&node, &env, &endpoint, &err), err);
	assert_string_equal(endpoint.key_file, key);
	docker_endpoint_release(&endpoint);
	/* a key that others can read is none */
	assert_int_equal(chmod(key, 0644), 0);
	assert_fails(docker_endpoint_read(&node, &env, &endpoint, &err), err, E_CREDENTIALS);
	docker_endpoint_release(&endpoint);
	test_folder_remove(&folder);
}

/* ---- small things ---- */

static void test_quote(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	assert_string_equal(docker_quote(arena, "a-b_c.d~9"), "a-b_c.d~9");
	assert_string_equal(docker_quote(arena, "a/b:c@d e?&#%\xc3\xbc"),
			    "a%2Fb%3Ac%40d%20e%3F%26%23%25%C3%BC");
}

static int note_line(void *arg, const struct log_line *line)
{
	buf_addf(arg, "%s%lld %s\n", line->is_error ? "!" : "", (long long)line->at_ns, line->text);
	return 0;
}

/* What comes of a log that is taken in pieces of so many bytes; *code: why no more did. */
static char *take_frames(const char *bytes, size_t len, bool framed, size_t piece,
			 enum err_code *code)
{
	struct buf told = BUF_INIT(BUF_MAX_LINE);
	const struct log_request request = {.lines = LOG_ALL, .take = note_line, .arg = &told};
	struct docker_frames *frames = docker_frames_new(&request, framed);
	struct err err = ERR_INIT;

	for (size_t at = 0; at < len && err.code == E_NONE; at += piece)
		(void)docker_frames_take(frames, bytes + at, len - at < piece ? len - at : piece,
					 &err);
	docker_frames_end(frames);
	docker_frames_free(frames);
	*code = err.code;
	return buf_take(&told);
}

/*
 * Two streams whose lines are cut over frames, each frame with a time; an empty one; a text in
 * front of which stands none; and in the end a frame that was cut.
 */
#define STAMP(fraction) "2026-01-02T03:04:05." fraction "Z "
static const char frames[] = "\1\0\0\0\0\0\0\43" STAMP(
	"000000001") "one\n"
		     "\2\0\0\0\0\0\0\42" STAMP(
			     "000000002") "two"
					  "\1\0\0\0\0\0\0\0"
					  "\1\0\0\0\0\0\0\51" STAMP(
						  "123456789") "three\nfour"
							       "\2\0\0\0\0\0\0\44" STAMP(
								       "000000004") "-and\n"
										    "\1\0\0\0\0\0\0"
										    "\10"
										    "timeless"
										    "\1\0\0\0\0\0\0"
										    "\11cut";
static const char frames_told[] = "1767323045000000001 one\n"
				  "1767323045123456789 three\n"
				  "!1767323045000000002 two-and\n"
				  "1767323045123456789 fourtimeless\n";

static void test_frames(void **state)
{
	enum err_code code;

	(void)state;
	for (size_t piece = 1; piece <= sizeof frames; piece++) {
		AUTO_FREE char *told = take_frames(frames, sizeof frames - 1, true, piece, &code);

		assert_string_equal(told, frames_told);
		assert_int_equal(code, E_NONE);
	}
}

static void test_frames_that_are_none(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum err_code code;
	} rows[] = {
		{"\1\0\0", 3, E_NONE},
		{"\1\0\0\0\377\377\377\377", 8, E_BAD_INPUT},
		{"{\"message\":\"no\"}", 16, E_BAD_INPUT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum err_code code;
		AUTO_FREE char *told = take_frames(rows[i].bytes, rows[i].len, true, 64, &code);

		assert_string_equal(told, "");
		assert_int_equal(code, rows[i].code);
	}
}

/* With a terminal there are no frames, and a time stands in front of each line. */
static void test_bare_log(void **state)
{
	static const char text[] =
		STAMP("5") "one\r\n" STAMP("25") "two three\r\nno time\r\n" STAMP("7");
	enum err_code code;

	(void)state;
	for (size_t piece = 1; piece <= sizeof text; piece++) {
		AUTO_FREE char *told = take_frames(text, sizeof text - 1, false, piece, &code);

		assert_string_equal(told, "1767323045500000000 one\r\n"
					  "1767323045250000000 two three\r\n0 no time\r\n");
	}
}

/* One that is longer than what is told at once comes in pieces; its end is no line more. */
static void test_long_lines(void **state)
{
	static const size_t lengths[] = {LOG_LINE_MAX - 1, LOG_LINE_MAX, LOG_LINE_MAX + 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		AUTO_FREE char *text = mem_zalloc(1, lengths[i] + 3);
		struct buf told AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
		const struct log_request request = {.take = note_line, .arg = &told};
		struct log_lines lines = LOG_LINES(&request, false);
		size_t newlines = 0;

		memset(text, 'x', lengths[i]);
		memcpy(text + lengths[i], "\ny", 2);
		log_lines_add(&lines, 0, text, lengths[i] + 2);
		log_lines_end(&lines);
		log_lines_release(&lines);
		for (size_t at = 0; at < told.len; at++)
			newlines += told.ptr[at] == '\n';
		assert_int_equal(newlines, lengths[i] > LOG_LINE_MAX ? 3 : 2);
	}
}

static void test_events(void **state)
{
	static const struct {
		const char *event;
		bool matters;
	} rows[] = {
		{"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"Attributes\":"
		 "{\"dev.trueup.owner\":\"a/b\"}}}",
		 true},
		{"{\"Type\":\"container\",\"Action\":\"health_status: healthy\",\"Actor\":"
		 "{\"Attributes\":{\"dev.trueup.owner\":\"a/b\"}}}",
		 true},
		{"{\"Type\":\"container\",\"Action\":\"exec_create: true\",\"Actor\":"
		 "{\"Attributes\":{\"dev.trueup.owner\":\"a/b\"}}}",
		 false},
		{"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"Attributes\":{}}}",
		 false},
		{"{\"Type\":\"network\",\"Action\":\"disconnect\"}", true},
		{"{\"Type\":\"network\",\"Action\":\"connect\"}", false},
		{"{\"Type\":\"image\",\"Action\":\"pull\"}", false},
		{"[]", false},
		{"{\"Type\":3}", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON json_t *event =
			json_read(rows[i].event, strlen(rows[i].event), BUF_MAX_LINE, NULL);

		assert_non_null(event);
		assert_int_equal(docker_event_matters(event), rows[i].matters);
	}
}

/* ---- what an inspection means ---- */

static struct workload see(struct arena *arena, const char *state, const char *policy)
{
	AUTO_FREE char *text = mem_printf("{\"Id\":\"0123\",\"Name\":\"/a\",\"State\":%s,"
					  "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"%s\"}},"
					  "\"Config\":{\"Labels\":{\"dev.trueup.record\":\"7\"}}}",
					  state, policy);
	AUTO_JSON json_t *json = json_read(text, strlen(text), BUF_MAX_LINE, NULL);
	struct workload seen;
	struct err err = ERR_INIT;

	assert_non_null(json);
	assert_done(docker_seen_workload(json, 1000000, arena, &seen, &err), err);
	return seen;
}

static void test_states(void **state)
{
	static const struct {
		const char *state, *policy;
		enum run_state expected;
		int exit_code;
	} rows[] = {
		{"{\"Status\":\"created\"}", "no", RUN_CREATED, -1},
		{"{\"Status\":\"running\",\"FinishedAt\":\"0001-01-01T00:00:00Z\"}", "always",
		 RUN_RUNNING, -1},
		{"{\"Status\":\"restarting\",\"ExitCode\":3,\"FinishedAt\":\"2026-01-01T00:00:"
		 "00Z\"}",
		 "always", RUN_RESTARTING, 3},
		{"{\"Status\":\"exited\",\"ExitCode\":3,\"FinishedAt\":\"2026-01-01T00:00:00Z\"}",
		 "no", RUN_EXITED, 3},
		{"{\"Status\":\"exited\",\"ExitCode\":0,\"FinishedAt\":\"2026-01-01T00:00:00Z\"}",
		 "on-failure", RUN_EXITED, 0},
		{"{\"Status\":\"exited\",\"ExitCode\":137,\"FinishedAt\":\"2026-01-01T00:00:00Z\"}",
		 "on-failure", RUN_STOPPED, 137},
		{"{\"Status\":\"exited\",\"ExitCode\":0,\"FinishedAt\":\"2026-01-01T00:00:00Z\"}",
		 "unless-stopped", RUN_STOPPED, 0},
		{"{\"Status\":\"running\",\"ExitCode\":0,\"FinishedAt\":\"2026-01-01T00:00:00Z\"}",
		 "always", RUN_RUNNING, -1},
		{"{\"Status\":\"paused\"}", "no", RUN_PAUSED, -1},
		{"{}", "no", RUN_UNKNOWN, -1},
		{"[]", "no", RUN_UNKNOWN, -1},
		{"{\"Status\":7,\"ExitCode\":\"x\",\"FinishedAt\":7}", "no", RUN_UNKNOWN, -1},
	};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct workload seen = see(arena, rows[i].state, rows[i].policy);

		print_message("# %s\n", rows[i].state);
		assert_int_equal(seen.state, rows[i].expected);
		assert_int_equal(seen.exit_code, rows[i].exit_code);
		assert_int_equal(seen.labels.record, 7);
	}
}

/* One that runs before a container can be run again when a stop, not its own doing, ended it. */
static void test_states_of_inits(void **state)
{
	static const struct {
		const char *state;
		enum run_state expected;
	} rows[] = {
		{"{\"Status\":\"exited\",\"ExitCode\":0}", RUN_EXITED},
		{"{\"Status\":\"exited\",\"ExitCode\":3}", RUN_EXITED},
		{"{\"Status\":\"exited\",\"ExitCode\":139}", RUN_EXITED},
		{"{\"Status\":\"exited\",\"ExitCode\":143}", RUN_STOPPED},
		{"{\"Status\":\"exited\",\"ExitCode\":137}", RUN_STOPPED},
		{"{\"Status\":\"exited\",\"ExitCode\":137,\"OOMKilled\":true}", RUN_EXITED},
	};
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = mem_printf("{\"Id\":\"0\",\"Name\":\"/a\",\"State\":%s,"
						  "\"Config\":{\"Labels\":{\"dev.trueup.init\":"
						  "\"migrate\"}}}",
						  rows[i].state);
		AUTO_JSON json_t *json = json_read(text, strlen(text), BUF_MAX_LINE, NULL);
		struct workload seen;

		print_message("# %s\n", rows[i].state);
		assert_done(docker_seen_workload(json, 1000000, arena, &seen, &err), err);
		assert_int_equal(seen.state, rows[i].expected);
		assert_string_equal(seen.labels.init, "migrate");
	}
	assert_int_equal(see(arena, rows[3].state, "no").state, RUN_EXITED);
}

static void test_codes_of_events(void **state)
{
	static const struct {
		const char *event;
		int code;
	} rows[] = {
		{"{\"Action\":\"die\",\"Actor\":{\"Attributes\":{\"exitCode\":\"3\"}}}", 3},
		{"{\"Action\":\"die\",\"Actor\":{\"Attributes\":{\"containerExitCode\":\"137\"}}}",
		 137},
		{"{\"Action\":\"stop\",\"Actor\":{\"Attributes\":{\"exitCode\":\"0\"}}}", -1},
		{"{\"Action\":\"die\",\"Actor\":{\"Attributes\":{\"exitCode\":\"x\"}}}", -1},
		{"{\"Action\":\"die\"}", -1},
		{"[]", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON json_t *event =
			json_read(rows[i].event, strlen(rows[i].event), BUF_MAX_LINE, NULL);

		assert_int_equal(docker_ends_code(event), rows[i].code);
	}
}

static void test_how_long_it_runs(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct workload seen;

	(void)state;
	seen = see(arena,
		   "{\"Status\":\"running\",\"StartedAt\":\"1970-01-01T00:16:30.123456789Z\"}",
		   "no");
	assert_int_equal(seen.running_ms, 1000000 - 990123);
	/* an engine whose clock is ahead */
	seen = see(arena, "{\"Status\":\"running\",\"StartedAt\":\"2026-01-01T00:00:00Z\"}", "no");
	assert_int_equal(seen.running_ms, 0);
	seen = see(arena, "{\"Status\":\"running\",\"StartedAt\":\"nonsense\"}", "no");
	assert_int_equal(seen.running_ms, 0);
}

/* A limit that the engine's kernel cannot keep shows as none: that is not a change by hand. */
static void test_a_limit_that_was_not_taken(void **state)
{
	static const char text[] =
		"{\"Id\":\"0123\",\"Name\":\"/a\",\"HostConfig\":{\"Memory\":0,\"NanoCpus\":0},"
		"\"Config\":{\"Labels\":{\"dev.trueup.config\":"
		"\"{\\\"resources\\\":{\\\"memory\\\":\\\"64Mi\\\"}}\"}}}";
	AUTO_JSON json_t *json = json_read(text, strlen(text), BUF_MAX_LINE, NULL);
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct workload seen;
	struct err err = ERR_INIT;

	(void)state;
	assert_done(docker_seen_workload(json, 0, arena, &seen, &err), err);
	assert_int_equal(seen.config->resources->memory, 64 << 20);
}

static void test_what_is_no_container(void **state)
{
	static const char *const texts[] = {
		"{}", "[]", "{\"Id\":\"0\",\"Name\":\"/a\"}", "{\"Id\":7,\"Name\":\"/a\"}",
		"{\"Id\":\"0\",\"Name\":\"/a\",\"Config\":{\"Labels\":[]}}"};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO_JSON json_t *json = json_read(texts[i], strlen(texts[i]), BUF_MAX_LINE, NULL);
		struct workload seen;
		struct err err = ERR_INIT;

		assert_fails(docker_seen_workload(json, 0, arena, &seen, &err), err, E_BAD_INPUT);
	}
}

/* A configuration that is too long for a label is told by its hash alone. */
static void test_a_long_configuration(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	char *content = arena_alloc(arena, DOCKER_CONFIG_MAX + 1);
	const struct docker_make make = {.alias = "a", .image = "i"};
	AUTO_JSON json_t *small = NULL, *large = NULL;
	struct spec *spec;

	(void)state;
	memset(content, 'x', DOCKER_CONFIG_MAX - 1);
	spec = test_spec(arena, NULL, "a", "local/a:1", "{\"env\":{\"A\":\"1\"}}");
	small = docker_spec_json(spec, &make);
	assert_string_equal(json_str(json_object_get(small, "Labels"), DOCKER_LABEL_CONFIG, ""),
			    "{\"env\":{\"A\":\"1\"}}");
	spec = test_spec(
		arena, NULL, "a", "local/a:1",
		arena_printf(arena, "{\"files\":[{\"path\":\"/a\",\"content\":\"%s\"}]}", content));
	large = docker_spec_json(spec, &make);
	assert_null(json_object_get(json_object_get(large, "Labels"), DOCKER_LABEL_CONFIG));
	assert_non_null(json_object_get(json_object_get(large, "Labels"), "dev.trueup.spec"));
}

/* ---- what cannot be had ---- */

static const struct unit a_stage = {UNIT_STAGE, "shop", "prod"};

/* With settings too: the driver itself is asked again. */
static size_t problems(struct arena *arena, const char *endpoint, const char *config)
{
	const struct node node = {.name = "edge-1", .driver = DRIVER_DOCKER, .endpoint = endpoint};
	struct spec *spec = test_spec(arena, NULL, "a", "local/a:1", config);
	struct diags diags = {0};
	size_t n;

	driver_check(&driver_docker, &node, NULL, spec, &a_stage, &diags);
	docker_check(&node, &test_env, spec, &a_stage, &diags);
	n = diags.n;
	diags_release(&diags);
	return n;
}

static void test_what_cannot_be_had(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	assert_int_equal(problems(arena, NULL, "{\"env\":{\"A\":\"1\"}}"), 0);
	assert_true(problems(arena, "tcp://x", "{}") > 0);
	assert_true(problems(arena, NULL, "{\"networkMode\":\"none\",\"networks\":[\"a\"]}") > 0);
	assert_true(problems(arena, NULL, "{\"annotations\":{\"a\":\"b\"}}") > 0);
	assert_true(problems(arena, NULL, "{\"expose\":\"http\"}") > 0);
	assert_int_equal(problems(arena, NULL, "{\"healthCheck\":{\"command\":[\"true\"]}}"), 0);
}

/* What was refused without a word of what to write instead leaves people where they were. */
static void test_ways_out(void **state)
{
	static const struct {
		const char *config, *hint;
	} rows[] = {
		{"{\"annotations\":{\"a\":\"b\"}}", "labels"},
		{"{\"expose\":\"http\"}", "ports: [{container"},
		{"{\"routing\":{\"domain\":\"a.example.org\",\"port\":80}}", "ports: [{container"},
	};
	const struct node node = {.name = "edge-1", .driver = DRIVER_DOCKER};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec *spec = test_spec(arena, NULL, "a", "local/a:1", rows[i].config);
		struct diags diags = {0};

		driver_check(&driver_docker, &node, NULL, spec, &a_stage, &diags);
		assert_int_equal(diags.n, 1);
		assert_non_null(strstr(diags.v[0].hint, rows[i].hint));
		diags_release(&diags);
	}
}

/* Each with a way out. */
static void check_one(struct arena *arena, const char *endpoint, const char *config, size_t n)
{
	const struct node node = {.name = "edge-1", .driver = DRIVER_DOCKER, .endpoint = endpoint};
	struct diags diags = {0};

	driver_check(&driver_docker, &node, NULL, test_spec(arena, NULL, "a", "local/a:1", config),
		     &a_stage, &diags);
	assert_int_equal(diags.n, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(diags.v[i].hint,
				    "healthCheck: {command: [...]} is run inside the container");
	diags_release(&diags);
}

/* Checks that are made from here need a way to the container. */
static void test_checks_out_of_reach(void **state)
{
	static const char http[] = "{\"healthCheck\":{\"http\":{\"port\":80}}}";
	static const char tcp[] = "{\"healthCheck\":{\"tcp\":{\"port\":80}}}";
	static const struct {
		const char *endpoint, *config;
		size_t problems;
	} rows[] = {
		{NULL, http, 0},
		{NULL, tcp, 0},
		{"unix:///run/podman/podman.sock", http, 0},
		{NULL, "{\"networkMode\":\"none\",\"healthCheck\":{\"tcp\":{\"port\":80}}}", 1},
		{"unix:///run/user/1000/podman/podman.sock", http, 1},
		{"unix:///run/user/1000/docker.sock", tcp, 1},
		{"http://127.0.0.1:2375", tcp, 1},
		{"http://127.0.0.1:2375", "{\"healthCheck\":{\"command\":[\"true\"]}}", 0},
	};
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("# row %zu\n", i);
		check_one(arena, rows[i].endpoint, rows[i].config, rows[i].problems);
	}
}

/* ---- an engine that says what it likes ---- */

struct peer {
	char *folder;
	char path[100];
	pid_t pid;
};

#define HELLO "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/20.10.24 (linux)\r\n"
#define CLOSES "Connection: close\r\n"

/* Behind an answer: nothing more comes, until whoever asked has enough. */
#define HANGS "\f"

static void write_answer(int fd, const char *answer)
{
	size_t len = strcspn(answer, HANGS);
	char byte;

	(void)fs_write_all(fd, answer, len);
	while (answer[len] && read(fd, &byte, 1) > 0)
		;
}

/* Answers one connection after the other, each with the next text, then with the last for ever. */
NORETURN
static void serve(int listener, const char *const *answers)
{
	char text[65536];

	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (read(fd, text, sizeof text) > 0)
			write_answer(fd, *answers);
		close(fd);
		if (answers[1])
			answers++;
	}
}

static struct peer start_peer(const char *const *answers)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct peer peer = {.folder = test_folder()};

	snprintf(peer.path, sizeof peer.path, "%s/sock", peer.folder);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", peer.path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(listener, 8), 0);
	peer.pid = fork();
	if (peer.pid == 0)
		serve(listener, answers);
	close(listener);
	return peer;
}

static void stop_peer(struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	test_folder_remove(&peer->folder);
}

#define PING HELLO CLOSES "Content-Length: 2\r\n\r\nOK"

/* The error of one change (a start, which asks twice) with these answers. */
static enum err_code change(const char *const *answers, struct err *err)
{
	struct peer peer = start_peer(answers);
	AUTO_FREE char *endpoint = mem_printf("unix://%s", peer.path);
	const struct node node = {.name = "edge-1", .driver = DRIVER_DOCKER, .endpoint = endpoint};
	const struct op op = {.kind = OP_START, .name = "a"};
	struct driver *driver;
	int result;

	err_clear(err);
	assert_done(driver_open(&node, &test_env, &driver, err), *err);
	result = driver->ops->apply(driver, &op, NULL, err);
	driver_close(&driver);
	stop_peer(&peer);
	return result == 0 ? E_NONE : err->code;
}

static void test_engines_that_are_none(void **state)
{
	static const struct {
		const char *answer;
		enum err_code code;
		const char *words;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", E_NOT_SUPPORTED, "no container"},
		{"HTTP/1.1 200 OK\r\nApi-Version: 1.40\r\nServer: Docker/19.03\r\n"
		 "Content-Length: 2\r\n\r\nOK",
		 E_NOT_SUPPORTED, "Docker Engine 19.03 speaks API 1.40"},
		{"HTTP/1.1 200 OK\r\nApi-Version: new\r\nContent-Length: 2\r\n\r\nOK",
		 E_NOT_SUPPORTED, "no container"},
		{"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", E_NODE_UNREACHABLE, "503"},
		{"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nstay", E_CREDENTIALS, "stay"},
		{"nonsense\r\n\r\n", E_NODE_UNREACHABLE, "edge-1"},
		{"", E_NODE_UNREACHABLE, "edge-1"},
	};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *answers[] = {rows[i].answer, NULL};

		assert_int_equal(change(answers, &err), rows[i].code);
		if (!strstr(err.text, rows[i].words))
			fail_msg("\"%s\" does not say %s", err.text, rows[i].words);
	}
}

#define ANSWER(status, body) "HTTP/1.1 " status "\r\n" CLOSES "\r\n" body
#define OURS                                                                                       \
	ANSWER("200 OK", "{\"Id\":\"0123\",\"Name\":\"/a\",\"State\":{\"Status\":\"exited\"},"     \
			 "\"Config\":{\"Labels\":{\"dev.trueup.owner\":\"" TEST_OWNER "\"}}}")

static void test_what_refusals_mean(void **state)
{
	static const struct {
		const char *look, *start;
		enum err_code code;
		const char *words;
	} rows[] = {
		{OURS, ANSWER("204 No Content", ""), E_NONE, NULL},
		{OURS, ANSWER("304 Not Modified", ""), E_NONE, NULL},
		{OURS, ANSWER("400 Bad", "{\"message\":\"bad parameter\"}"), E_ENGINE,
		 "bad parameter"},
		{OURS, ANSWER("404 No", "{\"message\":\"no such runtime\"}"), E_ENGINE,
		 "no such runtime"},
		{OURS, ANSWER("409 Conflict", "{\"message\":\"marked for removal\"}"), E_CONFLICT,
		 "marked"},
		{OURS, ANSWER("500 Error", "{\"message\":\"disk\\nfull\\u001b[1m\"}"), E_ENGINE,
		 "disk full"},
		{OURS, ANSWER("500 Error", "no JSON"), E_ENGINE, "no JSON"},
		{OURS, ANSWER("500 Error", ""), E_ENGINE, "500"},
		{OURS,
		 ANSWER("500 Error", "{\"message\":\"Bind for 0.0.0.0:80 failed: port is already "
				     "allocated\"}"),
		 E_NAME_FOREIGN, "0.0.0.0:80"},
		{OURS, "HTTP/1.1 204 No", E_NODE_UNREACHABLE, "edge-1"},
		{OURS, "", E_NODE_UNREACHABLE, "edge-1"},
		{ANSWER("404 No", "{\"message\":\"No such container: a\"}"), "", E_NOT_FOUND, "a"},
		{ANSWER("200 OK", "{\"Id\":"), "", E_BAD_INPUT, "edge-1"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"Id\":", "", E_NODE_UNREACHABLE,
		 "edge-1"},
		/* found by its id, or somebody else's */
		{ANSWER("200 OK", "{\"Id\":\"a\",\"Name\":\"/b\"}"), "", E_NOT_FOUND, "a"},
		{ANSWER("200 OK", "{\"Id\":\"0\",\"Name\":\"/a\"}"), "", E_NAME_FOREIGN,
		 "not ours"},
		{ANSWER("200 OK", "[]"), "", E_NOT_FOUND, "a"},
	};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *answers[] = {PING, rows[i].look, rows[i].start, NULL};

		print_message("# row %zu\n", i);
		assert_int_equal(change(answers, &err), rows[i].code);
		if (rows[i].words && !strstr(err.text, rows[i].words))
			fail_msg("\"%s\" does not say %s", err.text, rows[i].words);
		assert_null(strchr(err.text, '\033'));
	}
}

#define NO_IMAGE ANSWER("404 No", "{\"message\":\"No such image\"}")

/* The error of a pull with these answers. */
static enum err_code pull(const char *const *answers, struct op_result *result, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct peer peer = start_peer(answers);
	const struct node node = {.name = "edge-1",
				  .driver = DRIVER_DOCKER,
				  .endpoint = arena_printf(arena, "unix://%s", peer.path)};
	const struct op op = {.kind = OP_PULL,
			      .spec = test_spec(arena, NULL, "a", "example.org/a:1", "{}")};
	struct driver *driver;

	assert_done(driver_open(&node, &test_env, &driver, err), *err);
	assert_int_equal(driver->ops->apply(driver, &op, result, err), -1);
	driver_close(&driver);
	stop_peer(&peer);
	return err->code;
}

/* Answers 200 first; what goes wrong stands in the stream. */
static void test_pulls_that_break(void **state)
{
	static const struct {
		const char *stream;
		enum err_code code;
		const char *words;
	} rows[] = {
		{ANSWER("200 OK",
			"{\"status\":\"Pulling\"}\n{\"error\":\"read: connection reset\"}\n"),
		 E_REGISTRY, "connection reset"},
		{ANSWER("200 OK", "{\"error\":\"unauthorized: no\"}"), E_CREDENTIALS,
		 "unauthorized"},
		{ANSWER("200 OK", "{\"status\":\"Pulling\"}\n{\"stat"), E_ENGINE, "not there"},
		{ANSWER("500 Error", "{\"message\":\"toomanyrequests: slow down\"}\n"), E_REGISTRY,
		 "slow down"},
	};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *answers[] = {PING, NO_IMAGE, NO_IMAGE, rows[i].stream, NO_IMAGE, NULL};

		print_message("# row %zu\n", i);
		assert_int_equal(pull(answers, NULL, &err), rows[i].code);
		if (!strstr(err.text, rows[i].words))
			fail_msg("\"%s\" does not say %s", err.text, rows[i].words);
	}
}

/* What cannot be seen is no empty node. */
static void test_looks_that_break(void **state)
{
	static const char *const lists[] = {ANSWER("500 Error", ""), ANSWER("200 OK", "{}"),
					    ANSWER("200 OK", "[{\"Id\":"), ""};
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const char *answers[] = {PING, lists[i], NULL};
		struct peer peer = start_peer(answers);
		const struct node node = {.name = "edge-1",
					  .driver = DRIVER_DOCKER,
					  .endpoint = arena_printf(arena, "unix://%s", peer.path)};
		struct observed seen;
		struct driver *driver;

		assert_done(driver_open(&node, &test_env, &driver, &err), err);
		assert_int_equal(driver->ops->observe(driver, arena, &seen, &err), -1);
		driver_close(&driver);
		stop_peer(&peer);
	}
}

static void note_progress(void *arg, const struct op_progress *progress)
{
	*(struct op_progress *)arg = *progress;
}

/* The registry hangs: nothing comes through the engine any more, not even a word. */
static void test_a_pull_that_hangs(void **state)
{
	static const struct {
		const char *stream, *version;
		enum err_code code;
		const char *words;
		struct op_progress told;
	} rows[] = {
		{ANSWER("200 OK", "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":"
				  "1572864,\"total\":3145728},\"id\":\"a\"}\n") HANGS,
		 ANSWER("200 OK", "{}"),
		 E_REGISTRY,
		 "image example.org/a:1: registry example.org has stalled: less than 1 KiB/s for "
		 "50ms, at 1.5 of 3.0 MiB, layer 1 of 1",
		 {1, 0, 1572864, 3145728}},
		{ANSWER("200 OK", "") HANGS,
		 ANSWER("200 OK", "{}"),
		 E_REGISTRY,
		 "registry example.org has stalled: less than 1 KiB/s for 50ms",
		 {0}},
		{HANGS, ANSWER("200 OK", "{}"), E_REGISTRY, "has stalled", {0}},
		{HANGS, "", E_NODE_UNREACHABLE, "edge-1", {0}},
	};
	const int64_t before = docker_pull_patience_ms;
	struct err err = ERR_INIT;

	(void)state;
	docker_pull_patience_ms = 50;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *answers[] = {PING,		 NO_IMAGE,	  NO_IMAGE,
					 rows[i].stream, rows[i].version, NULL};
		struct op_progress told = {0};
		struct op_result result = {.detail = BUF_INIT(BUF_MAX_LINE),
					   .progress = note_progress,
					   .progress_arg = &told};

		print_message("# row %zu\n", i);
		assert_int_equal(pull(answers, &result, &err), rows[i].code);
		if (!strstr(err.text, rows[i].words))
			fail_msg("\"%s\" does not say %s", err.text, rows[i].words);
		assert_memory_equal(&told, &rows[i].told, sizeof told);
		buf_release(&result.detail);
	}
	docker_pull_patience_ms = before;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_frames_that_are_none),
		cmocka_unit_test(test_bare_log),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_states_of_inits),
		cmocka_unit_test(test_codes_of_events),
		cmocka_unit_test(test_how_long_it_runs),
		cmocka_unit_test(test_a_limit_that_was_not_taken),
		cmocka_unit_test(test_what_is_no_container),
		cmocka_unit_test(test_a_long_configuration),
		cmocka_unit_test(test_what_cannot_be_had),
		cmocka_unit_test(test_checks_out_of_reach),
		cmocka_unit_test(test_ways_out),
		cmocka_unit_test(test_engines_that_are_none),
		cmocka_unit_test(test_what_refusals_mean),
		cmocka_unit_test(test_pulls_that_break),
		cmocka_unit_test(test_looks_that_break),
		cmocka_unit_test(test_a_pull_that_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

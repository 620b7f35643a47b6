#include "tests/support/test.h"
#include "tests/support/engines.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/vec.h"
#include "tests/support/driver.h"

static const char *folder(void)
{
	return getenv("TRUEUP_ENGINES");
}

void engines_take(void)
{
	AUTO_FREE char *path = NULL;
	int fd;

	if (!folder())
		return;
	path = mem_printf("%s/lock", folder());
	fd = open(path, O_RDWR | O_CLOEXEC); /* held until the program ends */
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		fail_msg("%s cannot be locked", path);
}

const char *engine_missing(const char *engine)
{
	static char why[300];
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	AUTO_FREE char *path = NULL;

	if (!folder())
		return "no engines: run it by tests/support/engines.sh";
	path = mem_printf("%s/%s/why", folder(), engine);
	if (fs_read(path, BUF_MAX_LINE, &text, NULL) != 0)
		return NULL;
	snprintf(why, sizeof why, "%.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
	return why;
}

void engine_enter(const char *engine)
{
	struct buf pid AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	AUTO_FREE char *path = mem_printf("%s/%s/machine", folder(), engine), *network = NULL;
	int fd AUTO_FD = -1;

	assert_int_equal(fs_read(path, BUF_MAX_LINE, &pid, NULL), 0);
	network = mem_printf("/proc/%.*s/ns/net", (int)strcspn(buf_str(&pid), "\n"), buf_str(&pid));
	fd = open(network, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		fail_msg("%s cannot be entered", network);
}

struct node engine_node(struct arena *arena, const char *name, const char *engine)
{
	return (struct node){
		.name = name,
		.driver = DRIVER_DOCKER,
		.endpoint = arena_printf(arena, "unix://%s/%s/sock", folder(), engine),
	};
}

static const char *image_in(struct arena *arena, const char *registry, const char *image)
{
	AUTO_FREE char *path = mem_printf("%s/%s", folder(), registry);
	struct buf where AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct err err = ERR_INIT;

	assert_done(fs_read(path, BUF_MAX_LINE, &where, &err), err);
	return arena_printf(arena, "%.*s/%s", (int)strcspn(buf_str(&where), "\n"), buf_str(&where),
			    image);
}

const char *engine_image(struct arena *arena, const char *image)
{
	return image_in(arena, "registry", image);
}

const char *engine_closed_image(struct arena *arena, const char *image, const char **host)
{
	const char *found = image_in(arena, "closed", image);

	*host = arena_strndup(arena, found, strcspn(found, "/"));
	return found;
}

static void remove_volumes(struct docker *docker)
{
	AUTO_JSON json_t *json = NULL;
	struct err err = ERR_INIT;
	const json_t *list;

	assert_done(docker_get(docker, &json, &err, "/volumes") < 0, err);
	list = json_object_get(json, "Volumes");
	for (size_t i = 0; i < json_array_size(list); i++)
		assert_true(docker_do(docker, "DELETE", NULL, &err, "/volumes/%s",
				      json_str(json_array_get(list, i), "Name", "")) >= 0);
}

void engine_clean(struct driver *driver)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct observed seen = test_observe(driver, arena);

	for (size_t i = 0; i < seen.workloads_n; i++)
		test_apply(driver, OP_REMOVE, seen.workloads[i].name, NULL, NULL);
	for (size_t i = 0; i < seen.images_n; i++)
		test_apply(driver, OP_IMAGE_REMOVE, seen.images[i], NULL, NULL);
	if (seen.foreign_n == 0)
		remove_volumes(docker_of(driver));
}

json_t *engine_inspect(struct driver *driver, const char *name)
{
	struct err err = ERR_INIT;
	json_t *json = NULL;

	if (docker_get(docker_of(driver), &json, &err, "/containers/%s/json", name) < 0)
		fail_msg("%s: %s", name, err.text);
	return json;
}

void engine_await_log(struct driver *driver, const char *name, const char *expected)
{
	for (int tries = 0;; tries++) {
		struct buf log AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
		struct err err = ERR_INIT;

		assert_done(driver_tail(driver, name, 100, &log, &err), err);
		if (str_eq(buf_str(&log), expected))
			return;
		if (tries == 1000)
			fail_msg("the log is \"%s\", not \"%s\"", buf_str(&log), expected);
		poll(NULL, 0, 20);
	}
}

void engine_hand(struct driver *driver, const char *method, const char *body, const char *fmt, ...)
{
	AUTO_JSON json_t *json = body ? json_read(body, strlen(body), BUF_MAX_LINE, NULL) : NULL;
	struct buf path AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct err err = ERR_INIT;
	va_list args;

	va_start(args, fmt);
	buf_addfv(&path, fmt, args);
	va_end(args);
	if (docker_ask(docker_of(driver),
		       &(struct docker_request){
			       .method = method, .path = buf_str(&path), .body = json},
		       NULL, &err) < 0)
		fail_msg("%s %s: %s", method, buf_str(&path), err.text);
}

/* ---- cases ---- */

struct engine_row {
	const char *engine;
	const struct engine_case *what;
};
static const struct engine_row *current;

static int setup(void **state)
{
	struct engine_bench *bench;
	struct err err = ERR_INIT;

	current = *state;
	*state = NULL;
	if (engine_missing(current->engine))
		return 0;
	bench = mem_zalloc(1, sizeof *bench);
	bench->arena = arena_new(0);
	bench->env = test_env;
	bench->env.state_dir = folder();
	bench->node = engine_node(bench->arena, "edge-1", current->engine);
	bench->image = engine_image(bench->arena, "web:1");
	bench->is_podman = str_eq(current->engine, "podman");
	assert_done(driver_open(&bench->node, &bench->env, &bench->driver, &err), err);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct engine_bench *bench = *state;

	if (!bench)
		return 0;
	engine_clean(bench->driver);
	driver_close(&bench->driver);
	arena_free(bench->arena);
	free(bench);
	return 0;
}

static void run(void **state)
{
	if (!*state) {
		print_message("# %s\n", engine_missing(current->engine));
		skip();
	}
	current->what->run(*state);
}

int engine_run_cases(const char *group, const struct engine_case *cases, size_t n)
{
	static const char *const engines[] = {"docker", "podman"};
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct engine_row *rows = ARENA_ARRAY(arena, n * ARRAY_LEN(engines), struct engine_row);
	VEC(struct CMUnitTest) tests = {0};
	int failed;

	engines_take();
	for (size_t e = 0; e < ARRAY_LEN(engines); e++) {
		for (size_t i = 0; i < n; i++) {
			struct engine_row *row = &rows[tests.n];

			*row = (struct engine_row){engines[e], &cases[i]};
			VEC_PUSH(&tests,
				 (struct CMUnitTest){
					 arena_printf(arena, "%s: %s", engines[e], cases[i].name),
					 run, setup, teardown, row});
		}
	}
	failed = _cmocka_run_group_tests(group, tests.v, tests.n, NULL, NULL);
	VEC_FREE(&tests);
	return failed;
}

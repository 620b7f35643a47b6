/*
 * How far a pull is and whether it has stalled, from the lines that engines write.
 */
#include "tests/support/test.h"

#include "base/json.h"
#include "drivers/docker.h"

#define PATIENCE_MS 60000

static void take_lines(struct docker_progress *progress, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_JSON json_t *json = json_read(lines[i], strlen(lines[i]), BUF_MAX_LINE, NULL);

		docker_progress_take(progress, json);
	}
}

/* Lines of Docker Engine 20.10; c was there. */
static const char *const docker_lines[] = {
	"{\"status\":\"Pulling from shop/web\",\"id\":\"1\"}",
	"{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"a\"}",
	"{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"b\"}",
	"{\"status\":\"Already exists\",\"progressDetail\":{},\"id\":\"c\"}",
	"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1048576,\"total\":10485760},"
	"\"id\":\"a\"}",
	"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":524288,\"total\":6291456},"
	"\"id\":\"b\"}",
	"{\"status\":\"Download complete\",\"progressDetail\":{},\"id\":\"b\"}",
	"{\"status\":\"Extracting\",\"progressDetail\":{\"current\":1,\"total\":6291456},\"id\":"
	"\"b\"}",
	"{\"status\":\"Pull complete\",\"progressDetail\":{},\"id\":\"b\"}",
};
/* Of Podman 4.3, which tells of the configuration likewise, and of bytes only now and then. */
static const char *const podman_lines[] = {
	"{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"a\"}",
	"{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"b\"}",
	"{\"status\":\"Download complete\",\"progressDetail\":{},\"id\":\"a\"}",
};

static void test_how_far_a_pull_is(void **state)
{
	static const struct {
		const char *const *lines;
		size_t n;
		struct op_progress sum;
		const char *words;
	} rows[] = {
		{docker_lines, 0, {0}, ""},
		{docker_lines, 4, {3, 1, 0, 0}, "layer 2 of 3"},
		{docker_lines, 6, {3, 1, 1572864, 16777216}, "1.5 of 16.0 MiB, layer 2 of 3"},
		{docker_lines,
		 ARRAY_LEN(docker_lines),
		 {3, 2, 7340032, 16777216},
		 "7.0 of 16.0 MiB, layer 3 of 3"},
		{podman_lines, 2, {2, 0, 0, 0}, "layer 1 of 2"},
		{podman_lines, 3, {2, 1, 0, 0}, "layer 2 of 2"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf words AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
		struct docker_progress progress = {0};
		struct op_progress sum, read;
		AUTO_JSON json_t *json = NULL;

		print_message("# row %zu\n", i);
		take_lines(&progress, rows[i].lines, rows[i].n);
		sum = docker_progress_sum(&progress);
		assert_memory_equal(&sum, &rows[i].sum, sizeof sum);
		op_progress_words(&sum, &words);
		assert_string_equal(buf_str(&words), rows[i].words);
		json = op_progress_json(&sum);
		read = op_progress_from_json(json);
		assert_memory_equal(&read, &sum, sizeof sum);
	}
}

static void test_what_came_is_unpacked(void **state)
{
	const struct op_progress progress = {7, 7, 47815065, 47815065};
	struct buf words AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	(void)state;
	op_progress_words(&progress, &words);
	assert_string_equal(buf_str(&words), "45.6 of 45.6 MiB, all 7 layers, unpacking");
}

/* An engine is not believed: neither in how much comes, nor in how many layers there are. */
static void test_a_pull_that_lies(void **state)
{
	static const char *const lines[] = {
		"7",
		"{\"status\":\"Downloading\",\"id\":7}",
		"{\"status\":\"Downloading\",\"id\":\"a\"}",
		"{\"status\":\"Downloading\",\"progressDetail\":7,\"id\":\"a\"}",
		"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":-5,\"total\":-9},"
		"\"id\":\"a\"}",
		"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":9,\"total\":5},\"id\":"
		"\"b\"}",
		"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":9223372036854775807,"
		"\"total\":9223372036854775807},\"id\":\"c\"}",
		"{\"status\":\"Pulling fs layer\",\"id\":"
		"\"0123456789012345678901234567890123456789012345678901234567890123456789012345\"}",
	};
	struct docker_progress progress = {0};
	struct op_progress sum;

	(void)state;
	take_lines(&progress, lines, ARRAY_LEN(lines));
	sum = docker_progress_sum(&progress);
	assert_int_equal(sum.layers, 3);
	assert_int_equal(sum.bytes, 5 + DOCKER_LAYER_BYTES_MAX);
	for (int i = 0; i < 2 * DOCKER_LAYERS_MAX; i++) {
		AUTO_FREE char *line = mem_printf("{\"status\":\"Waiting\",\"id\":\"%d\"}", i);

		take_lines(&progress, (const char *const[]){line}, 1);
	}
	assert_int_equal(docker_progress_sum(&progress).layers, DOCKER_LAYERS_MAX);
}

static void downloads(struct docker_progress *progress, int64_t bytes)
{
	AUTO_FREE char *line = mem_printf("{\"status\":\"Downloading\",\"progressDetail\":{"
					  "\"current\":%lld,\"total\":1000000000},\"id\":\"a\"}",
					  (long long)bytes);

	take_lines(progress, (const char *const[]){line}, 1);
}

static void test_a_pull_that_stalls(void **state)
{
	static const int64_t enough = DOCKER_PULL_SLOWEST * PATIENCE_MS / 1000;
	struct docker_progress progress = {0};
	int64_t now = 5000;

	(void)state;
	assert_false(docker_progress_stalls(&progress, PATIENCE_MS, now));
	/* just quick enough, minute after minute */
	for (int64_t i = 1; i <= 5; i++) {
		downloads(&progress, i * enough);
		assert_false(docker_progress_stalls(&progress, PATIENCE_MS, now += PATIENCE_MS));
	}
	/* and then not */
	downloads(&progress, 6 * enough - 1);
	assert_false(docker_progress_stalls(&progress, PATIENCE_MS, now + PATIENCE_MS - 1));
	assert_true(docker_progress_stalls(&progress, PATIENCE_MS, now + PATIENCE_MS));
	/* it begins anew, as after a connection that broke */
	downloads(&progress, enough);
	assert_false(docker_progress_stalls(&progress, PATIENCE_MS, now += PATIENCE_MS));
	assert_true(docker_progress_stalls(&progress, PATIENCE_MS, now + PATIENCE_MS));
}

/* What is unpacked brings no bytes, and Podman not even words. */
static void test_unpacking_takes_its_time(void **state)
{
	static const char *const lines[] = {
		"{\"status\":\"Pulling fs layer\",\"id\":\"a\"}",
		"{\"status\":\"Downloading\",\"id\":\"b\",\"progressDetail\":{\"current\":1,"
		"\"total\":9}}",
		"{\"status\":\"Extracting\",\"id\":\"a\"}",
		"{\"status\":\"Pull complete\",\"id\":\"a\"}",
		"{\"status\":\"Download complete\",\"id\":\"b\"}",
	};
	static const struct {
		size_t lines;
		int64_t patience_ms;
	} rows[] = {{0, PATIENCE_MS},
		    {2, PATIENCE_MS},
		    {3, DOCKER_UNPACK_PATIENCE_MS},
		    {4, PATIENCE_MS},
		    {5, DOCKER_UNPACK_PATIENCE_MS}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct docker_progress progress = {0};
		int64_t now = 1;

		print_message("# row %zu\n", i);
		take_lines(&progress, lines, rows[i].lines);
		assert_false(docker_progress_stalls(&progress, PATIENCE_MS, now));
		now += rows[i].patience_ms;
		assert_false(docker_progress_stalls(&progress, PATIENCE_MS, now - 1));
		assert_true(docker_progress_stalls(&progress, PATIENCE_MS, now));
	}
}

/* Each line of it is a sign of life. */
static void test_unpacking_gets_on(void **state)
{
	static const char *const line[] = {"{\"status\":\"Extracting\",\"id\":\"a\"}"};
	struct docker_progress progress = {0};
	int64_t now = 1;

	(void)state;
	for (int i = 0; i < 3; i++, now += DOCKER_UNPACK_PATIENCE_MS) {
		take_lines(&progress, line, 1);
		assert_false(docker_progress_stalls(&progress, PATIENCE_MS, now));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_how_far_a_pull_is),
		cmocka_unit_test(test_a_pull_that_lies),
		cmocka_unit_test(test_what_came_is_unpacked),
		cmocka_unit_test(test_a_pull_that_stalls),
		cmocka_unit_test(test_unpacking_takes_its_time),
		cmocka_unit_test(test_unpacking_gets_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

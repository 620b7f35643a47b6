/*
 * Lines of a pull, as an engine may write them: whatever they say, what is made of them is sound,
 * can be told, and ends in a stall when nothing more comes.
 */
#include "base/sys.h"
#include "base/json.h"
#include "drivers/docker.h"
#include "tests/fuzz/fuzz.h"

#define LINE_MAX_BYTES ((size_t)1 << 20)
#define PATIENCE_MS 60000

static bool is_same(const struct op_progress *a, const struct op_progress *b)
{
	return a->layers == b->layers && a->layers_done == b->layers_done && a->bytes == b->bytes &&
	       a->total == b->total;
}

static void check_told(const struct op_progress *sum)
{
	struct buf words AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	AUTO_JSON json_t *json = op_progress_json(sum);
	struct op_progress again = op_progress_from_json(json);

	FUZZ_CHECK(is_same(sum, &again));
	op_progress_words(sum, &words);
	FUZZ_CHECK(!words.overflow && words.len < 80 && (words.len > 0) == (sum->layers > 0));
}

static void check_sum(const struct docker_progress *progress)
{
	struct op_progress sum = docker_progress_sum(progress);

	FUZZ_CHECK(sum.layers >= 0 && sum.layers <= DOCKER_LAYERS_MAX);
	FUZZ_CHECK(sum.layers_done >= 0 && sum.layers_done <= sum.layers);
	FUZZ_CHECK(sum.bytes >= 0 && sum.bytes <= DOCKER_LAYERS_MAX * DOCKER_LAYER_BYTES_MAX);
	FUZZ_CHECK(sum.total >= 0 && sum.total <= DOCKER_LAYERS_MAX * DOCKER_LAYER_BYTES_MAX);
	check_told(&sum);
}

/* A line that is said twice says nothing new. */
static void take(void *arg, struct buf *line)
{
	struct docker_progress *progress = arg;
	AUTO_JSON json_t *json = json_read(buf_str(line), line->len, LINE_MAX_BYTES, NULL);
	struct op_progress once, twice;

	docker_progress_take(progress, json);
	once = docker_progress_sum(progress);
	docker_progress_take(progress, json);
	twice = docker_progress_sum(progress);
	FUZZ_CHECK(is_same(&once, &twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf line AUTO_BUF = BUF_INIT(LINE_MAX_BYTES);
	struct docker_progress progress = {0};
	int64_t now = 1;

	buf_take_lines(&line, (const char *)data, size, take, &progress);
	take(&progress, &line);
	check_sum(&progress);
	FUZZ_CHECK(!docker_progress_stalls(&progress, PATIENCE_MS, now));
	FUZZ_CHECK(!docker_progress_stalls(&progress, PATIENCE_MS, now + PATIENCE_MS - 1));
	FUZZ_CHECK(docker_progress_stalls(&progress, PATIENCE_MS, now + DOCKER_UNPACK_PATIENCE_MS));
	return 0;
}

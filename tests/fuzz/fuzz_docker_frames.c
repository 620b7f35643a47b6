/*
 * Any bytes as a container's log: refused, or taken apart into lines; and the same lines in
 * whatever pieces they come. The first byte says whether they come in frames, and how large the
 * pieces are.
 */
#include "base/sys.h"
#include "drivers/docker_frames.h"
#include "tests/fuzz/fuzz.h"

static int note_line(void *arg, const struct log_line *line)
{
	struct buf *told = arg;

	FUZZ_CHECK(line->len <= LOG_LINE_MAX && !memchr(line->text, '\n', line->len));
	FUZZ_CHECK(line->text[line->len] == '\0' && line->at_ns >= 0);
	buf_addf(told, "%d %lld ", line->is_error, (long long)line->at_ns);
	buf_add(told, line->text, line->len);
	buf_addc(told, '\n');
	return 0;
}

static bool take(const char *bytes, size_t len, bool framed, size_t piece, struct buf *told)
{
	const struct log_request request = {.take = note_line, .arg = told};
	struct docker_frames *frames = docker_frames_new(&request, framed);
	struct err err = ERR_INIT;

	for (size_t at = 0; at < len && err.code == E_NONE; at += piece)
		FUZZ_CHECK(docker_frames_take(frames, bytes + at,
					      len - at < piece ? len - at : piece, &err) <= 0);
	docker_frames_end(frames);
	docker_frames_free(frames);
	FUZZ_CHECK(err.code == E_NONE || (err.code == E_BAD_INPUT && framed));
	return err.code == E_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(BUF_MAX_TEXT), pieces = BUF_INIT(BUF_MAX_TEXT);
	const char *bytes = (const char *)data + 1;
	bool framed;

	if (size < 2)
		return 0;
	framed = data[0] & 1;
	FUZZ_CHECK(take(bytes, size - 1, framed, size, &whole) ==
		   take(bytes, size - 1, framed, 1 + (size_t)data[0] / 2, &pieces));
	FUZZ_CHECK(whole.len == pieces.len &&
		   memcmp(buf_str(&whole), buf_str(&pieces), whole.len) == 0);
	buf_release(&whole);
	buf_release(&pieces);
	return 0;
}

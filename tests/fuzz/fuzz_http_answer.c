/*
 * Any bytes as an answer to a GET (or to a HEAD, where the first byte is odd): refused with a text,
 * or taken; and the same in whatever pieces they come.
 */
#include "base/sys.h"
#include "base/http_answer.h"
#include "tests/fuzz/fuzz.h"

#define BODY_MAX 4096

struct outcome {
	int result;
	struct httpc_reply reply;
	struct buf told; /* the headers */
	struct err err;
};

static void note_header(void *arg, const char *name, const char *value)
{
	FUZZ_CHECK(*name && !strpbrk(name, "\r\n:") && !strpbrk(value, "\r\n"));
	buf_addf(arg, "%s:%s\n", name, value);
}

static int take(struct http_answer *answer, const char *bytes, size_t len, size_t piece,
		struct err *err)
{
	int result = 0;

	for (size_t at = 0; at < len && result == 0; at += piece)
		result = http_answer_take(answer, bytes + at, len - at < piece ? len - at : piece,
					  err);
	return result ? result : http_answer_end(answer, err);
}

static void read_in_pieces(const char *method, const char *bytes, size_t len, size_t piece,
			   struct outcome *out)
{
	struct httpc_request request = {
		.method = method, .header = note_header, .header_arg = &out->told};
	struct http_answer *answer;

	*out = (struct outcome){.reply = {.body = BUF_INIT(BODY_MAX)},
				.told = BUF_INIT(BUF_MAX_TEXT),
				.err = ERR_INIT};
	answer = http_answer_new(&request, &out->reply);
	out->result = take(answer, bytes, len, piece, &out->err);
	FUZZ_CHECK(out->result > 0 || !http_answer_keeps(answer));
	http_answer_free(answer);
}

static void release(struct outcome *outcome)
{
	buf_release(&outcome->reply.body);
	buf_release(&outcome->told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;
	const char *method, *bytes = (const char *)data + 1;

	if (size < 2)
		return 0;
	method = data[0] & 1 ? "HEAD" : NULL;
	read_in_pieces(method, bytes, size - 1, size, &whole);
	read_in_pieces(method, bytes, size - 1, 1 + (size_t)data[0] / 2, &pieces);
	FUZZ_CHECK(whole.result == pieces.result);
	if (whole.result < 0) {
		FUZZ_CHECK(*whole.err.text &&
			   (whole.err.code == E_NODE_UNREACHABLE || whole.err.code == E_TOO_LARGE));
	} else {
		FUZZ_CHECK(whole.reply.status >= 200 || whole.reply.status < 100);
		FUZZ_CHECK(whole.reply.status == pieces.reply.status);
		FUZZ_CHECK(str_eq(buf_str(&whole.told), buf_str(&pieces.told)));
		FUZZ_CHECK(whole.reply.body.len == pieces.reply.body.len);
		FUZZ_CHECK(memcmp(buf_str(&whole.reply.body), buf_str(&pieces.reply.body),
				  whole.reply.body.len) == 0);
	}
	release(&whole);
	release(&pieces);
	return 0;
}

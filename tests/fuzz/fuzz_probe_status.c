/*
 * Any bytes as what a port answers to a health check: told as a status, refused with a text, or
 * waited for; and the same in whatever pieces they come. The first byte says how long those are.
 */
#include "base/sys.h"
#include "drivers/probe.h"
#include "tests/fuzz/fuzz.h"

struct outcome {
	int told, status;
	struct err err;
};

static struct outcome read_in_pieces(const char *bytes, size_t len, size_t piece)
{
	AUTO_BUF struct buf in = BUF_INIT(BUF_MAX_TEXT);
	struct outcome outcome = {.err = ERR_INIT};

	for (size_t at = 0; at < len && outcome.told == 0; at += piece) {
		buf_add(&in, bytes + at, len - at < piece ? len - at : piece);
		outcome.told = probe_read_status(&in, &outcome.status, &outcome.err);
	}
	return outcome;
}

/* "HTTP/1.1 503" */
static bool is_said(const char *bytes, size_t len, int status)
{
	AUTO_FREE char *word = mem_printf(" %d", status);
	const char *found = memmem(bytes, len, word, strlen(word));

	return found && found - bytes >= 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 1;
	struct outcome whole, pieces;

	if (size < 2)
		return 0;
	whole = read_in_pieces(bytes, size - 1, size);
	pieces = read_in_pieces(bytes, size - 1, 1 + (size_t)data[0]);
	FUZZ_CHECK(whole.told == pieces.told);
	if (whole.told < 0) {
		FUZZ_CHECK(whole.err.code == E_BAD_INPUT && *whole.err.text);
		FUZZ_CHECK(str_eq(whole.err.text, pieces.err.text));
	}
	if (whole.told > 0) {
		FUZZ_CHECK(is_said(bytes, size - 1, whole.status));
		FUZZ_CHECK(whole.status == 101 || (whole.status >= 200 && whole.status <= 599));
		FUZZ_CHECK(whole.status == pieces.status);
	}
	return 0;
}

/* What json_read takes, json_write writes so that it reads back as the same value. */
#include "base/sys.h"
#include "base/json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first AUTO_BUF = BUF_INIT(BUF_MAX_TEXT),
			 second AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	struct err err = ERR_INIT;
	json_t *value AUTO_JSON = json_read((const char *)data, size, 1 << 20, &err),
		      *again AUTO_JSON = NULL;

	if (!value) {
		FUZZ_CHECK(err.code == E_BAD_INPUT || err.code == E_TOO_LARGE);
		FUZZ_CHECK(*err.text);
		return 0;
	}
	FUZZ_CHECK(err.code == E_NONE);
	json_write(value, &first);
	again = json_read(buf_str(&first), first.len, BUF_MAX_TEXT, &err);
	FUZZ_CHECK(again && json_equal(value, again));
	json_write(again, &second);
	FUZZ_CHECK(str_eq(buf_str(&first), buf_str(&second)));
	return 0;
}

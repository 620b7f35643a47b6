/* Any text as a repository's address: what is accepted has only harmless parts. */
#include "base/sys.h"
#include "source/url.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text AUTO_FREE = mem_strndup((const char *)data, size);
	struct url url AUTO_URL = {0};
	struct err err = ERR_INIT;

	if (url_parse(text, &url, &err) != 0) {
		FUZZ_CHECK(err.code == E_USAGE && *err.text);
		return 0;
	}
	FUZZ_CHECK(err.code == E_NONE);
	if (url.scheme == URL_PATH) {
		FUZZ_CHECK(url.path && url.path[0] == '/');
		return 0;
	}
	FUZZ_CHECK(*url.host && url.host[0] != '-');
	FUZZ_CHECK(strspn(url.host, "abcdefghijklmnopqrstuvwxyz0123456789.-_:") ==
		   strlen(url.host));
	FUZZ_CHECK(url.port > 0 && url.port < 65536);
	FUZZ_CHECK((url.scheme == URL_SSH) == (*url.user != '\0'));
	FUZZ_CHECK(!strpbrk(text, "\r\n\x1b"));
	return 0;
}

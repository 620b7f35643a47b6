/*
 * known_hosts as any text: the line that is proposed for a key is accepted wherever the text does
 * not speak against it, and what is handed on to the library says the same again.
 */
#include "base/sys.h"
#include "source/known_hosts.h"
#include "tests/fuzz/fuzz.h"

static const char key[] = "\0\0\0\x0bssh-ed25519\0\0\0\x04"
			  "abcd";

static enum known_host ask(const char *text)
{
	unsigned line = 0;
	enum known_host verdict =
		known_hosts_check(text, "git.example.org", 2222, key, sizeof key - 1, &line);

	FUZZ_CHECK((line == 0) == (verdict == KNOWN_HOST_UNKNOWN));
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text AUTO_FREE = mem_strndup((const char *)data, size);
	struct buf out AUTO_BUF = BUF_INIT(BUF_MAX_TEXT), again AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	struct buf longer AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	enum known_host verdict = ask(text);

	known_hosts_for_library(text, "git.example.org", 2222, &out);
	known_hosts_for_library(buf_str(&out), "git.example.org", 2222, &again);
	FUZZ_CHECK(str_eq(buf_str(&out), buf_str(&again)));
	if (verdict == KNOWN_HOST_SAME || verdict == KNOWN_HOST_UNKNOWN)
		FUZZ_CHECK(ask(buf_str(&out)) == verdict);

	buf_adds(&longer, text);
	buf_addc(&longer, '\n');
	known_hosts_add_line(&longer, "git.example.org", 2222, key, sizeof key - 1);
	FUZZ_CHECK(ask(buf_str(&longer)) ==
		   (verdict == KNOWN_HOST_REVOKED ? KNOWN_HOST_REVOKED : KNOWN_HOST_SAME));
	return 0;
}

#include "tests/support/test.h"

#include "base/base64.h"
#include "source/known_hosts.h"

/* A public key of that type as it goes over the wire, with `fill` for the key itself. */
struct key {
	unsigned char bytes[64];
	size_t len;
};

static struct key make_key(const char *type, char fill)
{
	struct key key = {.len = 4 + strlen(type) + 16};

	key.bytes[3] = (unsigned char)strlen(type);
	memcpy(key.bytes + 4, type, strlen(type));
	memset(key.bytes + 4 + strlen(type), fill, 16);
	return key;
}

/* The text with %1 for an ed25519 key, %2 for another one, %3 for a key of another type. */
static char *expand(const char *text)
{
	const struct key keys[] = {make_key("ssh-ed25519", 'a'), make_key("ssh-ed25519", 'b'),
				   make_key("ssh-rsa", 'a')};
	static const char *const types[] = {"ssh-ed25519", "ssh-ed25519", "ssh-rsa"};
	struct buf out = BUF_INIT(BUF_MAX_LINE);

	for (; *text; text++) {
		size_t i;

		if (*text != '%') {
			buf_addc(&out, *text);
			continue;
		}
		i = (size_t)(*++text - '1');
		buf_addf(&out, "%s ", types[i]);
		base64_add(&out, keys[i].bytes, keys[i].len);
	}
	return buf_take(&out);
}

static const struct {
	const char *text;
	enum known_host wanted;
	unsigned line;
} rows[] = {
	{"", KNOWN_HOST_UNKNOWN, 0},
	{"git.example.org %1", KNOWN_HOST_SAME, 1},
	{"git.example.org %1\n", KNOWN_HOST_SAME, 1},
	{"GIT.Example.ORG %1", KNOWN_HOST_SAME, 1},
	{" \t git.example.org \t %1 \t comment here\r\n", KNOWN_HOST_SAME, 1},
	{"# git.example.org %1", KNOWN_HOST_UNKNOWN, 0},
	{"git.example.org %2", KNOWN_HOST_CHANGED, 1},
	{"git.example.org %3", KNOWN_HOST_OTHER_TYPE, 1},
	{"git.example.org %3\n\ngit.example.org %2", KNOWN_HOST_CHANGED, 3},
	/* several keys of one type: one of them is enough */
	{"git.example.org %2\ngit.example.org %1", KNOWN_HOST_SAME, 2},
	{"git.example.org %1\ngit.example.org %2", KNOWN_HOST_SAME, 1},
	{"other.example.org %1", KNOWN_HOST_UNKNOWN, 0},
	{"git.example.org.evil.org %1", KNOWN_HOST_UNKNOWN, 0},
	{"xgit.example.org %1", KNOWN_HOST_UNKNOWN, 0},
	{"[git.example.org]:22 %1", KNOWN_HOST_UNKNOWN, 0},
	{"a,git.example.org,10.0.0.1 %1", KNOWN_HOST_SAME, 1},
	{"*.example.org %1", KNOWN_HOST_SAME, 1},
	{"g?t.*.org %1", KNOWN_HOST_SAME, 1},
	{"* %1", KNOWN_HOST_SAME, 1},
	{"*.example.org,!git.example.org %1", KNOWN_HOST_UNKNOWN, 0},
	{"!git.example.org %1", KNOWN_HOST_UNKNOWN, 0},
	{"!git.* %1\n*.example.org %1", KNOWN_HOST_SAME, 2},
	{"*a*a*a*a*a*a*a*a*a*a*a*a*b %1", KNOWN_HOST_UNKNOWN, 0},
	{"@revoked git.example.org %1", KNOWN_HOST_REVOKED, 1},
	{"git.example.org %1\n@revoked * %1", KNOWN_HOST_REVOKED, 2},
	{"@revoked * %2\ngit.example.org %1", KNOWN_HOST_SAME, 2},
	{"@cert-authority git.example.org %1", KNOWN_HOST_UNKNOWN, 0},
	{"@unheard-of git.example.org %1", KNOWN_HOST_UNKNOWN, 0},
	{"git.example.org", KNOWN_HOST_UNKNOWN, 0},
	{"git.example.org ssh-ed25519", KNOWN_HOST_UNKNOWN, 0},
	{"@revoked", KNOWN_HOST_UNKNOWN, 0},
	{"git.example.org ssh-ed25519 AAAA", KNOWN_HOST_CHANGED, 1},
};

static void test_verdicts(void **state)
{
	const struct key key = make_key("ssh-ed25519", 'a');

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text AUTO_FREE = expand(rows[i].text);
		unsigned line = 99;
		enum known_host verdict =
			known_hosts_check(text, "git.example.org", 22, key.bytes, key.len, &line);

		if (verdict != rows[i].wanted || line != rows[i].line)
			fail_msg("%s: %d, line %u", rows[i].text, (int)verdict, line);
	}
}

static void test_port(void **state)
{
	const struct key key = make_key("ssh-ed25519", 'a');
	char *text AUTO_FREE = expand("[git.example.org]:2222 %1\n");
	unsigned line;

	(void)state;
	assert_int_equal(
		known_hosts_check(text, "git.example.org", 2222, key.bytes, key.len, &line),
		KNOWN_HOST_SAME);
	assert_int_equal(known_hosts_check(text, "git.example.org", 22, key.bytes, key.len, &line),
			 KNOWN_HOST_UNKNOWN);
	assert_int_equal(known_hosts_check(text, "git.example.org", 222, key.bytes, key.len, &line),
			 KNOWN_HOST_UNKNOWN);
}

/* The line that is proposed is one that is then accepted. */
static void test_proposed_line(void **state)
{
	static const unsigned ports[] = {22, 2222};
	const struct key key = make_key("ecdsa-sha2-nistp256", 'z');

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		struct buf line AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
		unsigned at;

		known_hosts_add_line(&line, "git.example.org", ports[i], key.bytes, key.len);
		assert_int_equal(known_hosts_check(buf_str(&line), "git.example.org", ports[i],
						   key.bytes, key.len, &at),
				 KNOWN_HOST_SAME);
	}
}

static void test_malformed_keys(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {{"", 0},
		   {"\0\0\0", 3},
		   {"\0\0\0\x09ssh", 7},
		   {"\xff\xff\xff\xffssh", 7},
		   {"\0\0\0\0", 4}};
	char *text AUTO_FREE = expand("* %1\n*  AAAA\n* \n");
	unsigned line;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(known_hosts_check(text, "git.example.org", 22, bad[i].bytes,
						   bad[i].len, &line),
				 KNOWN_HOST_UNKNOWN);
}

static void test_for_the_library(void **state)
{
	char *text AUTO_FREE = expand("*.example.org %3\n"
				      "@revoked git.example.org %2\n"
				      "other.org %2\n"
				      "|1|c2FsdA==|aGFzaA== %2 comment\n"
				      "x,git.example.org %1\n"
				      "git.example.org sk-new@openssh.com AAAA\n");
	char *wanted AUTO_FREE = expand("|1|c2FsdA==|aGFzaA== %2\n"
					"git.example.org %1\n"
					"git.example.org %3\n");
	struct buf out AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	(void)state;
	known_hosts_for_library(text, "git.example.org", 22, &out);
	assert_string_equal(buf_str(&out), wanted);
	assert_true(known_hosts_has_hashed(text));
	assert_false(known_hosts_has_hashed(buf_str(&out) + strlen("|1|c2FsdA==|aGFzaA== ")));
	assert_false(known_hosts_has_hashed("@revoked |1|a|b ssh-rsa AAAA\n# |1|a|b ssh-rsa AAAA"));
}

static void test_base64(void **state)
{
	static const struct {
		const char *bytes, *wanted; /* RFC 4648, section 10 */
	} vectors[] = {{"", ""},
		       {"f", "Zg=="},
		       {"fo", "Zm8="},
		       {"foo", "Zm9v"},
		       {"foob", "Zm9vYg=="},
		       {"fooba", "Zm9vYmE="},
		       {"foobar", "Zm9vYmFy"},
		       {"\xff\xfe\xfd", "//79"},
		       {"\xfb\xef", "++8="}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct buf out AUTO_BUF = BUF_INIT(100);

		base64_add(&out, vectors[i].bytes, strlen(vectors[i].bytes));
		assert_string_equal(buf_str(&out), vectors[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),	cmocka_unit_test(test_port),
		cmocka_unit_test(test_proposed_line),	cmocka_unit_test(test_malformed_keys),
		cmocka_unit_test(test_for_the_library), cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

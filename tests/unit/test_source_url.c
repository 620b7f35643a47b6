#include "tests/support/test.h"

#include "base/buf.h"
#include "source/repo.h"
#include "source/url.h"

static const struct {
	const char *text;
	enum url_scheme scheme;
	const char *user, *host;
	unsigned port;
	const char *path; /* NULL: not looked at */
} good[] = {
	{"/srv/git/config.git", URL_PATH, "", "", 0, "/srv/git/config.git"},
	{"/srv/odd:name/x", URL_PATH, "", "", 0, "/srv/odd:name/x"},
	{"/srv/x://y", URL_PATH, "", "", 0, "/srv/x://y"},
	{"file:///srv/a%20b%2Fc", URL_PATH, "", "", 0, "/srv/a b/c"},
	{"https://git.example.org/config.git", URL_HTTPS, "", "git.example.org", 443, NULL},
	{"https://GIT.example.org:8443/a/b", URL_HTTPS, "", "git.example.org", 8443, NULL},
	{"https://[2001:db8::1]:8443/a", URL_HTTPS, "", "2001:db8::1", 8443, NULL},
	{"https://[2001:db8::1]/a", URL_HTTPS, "", "2001:db8::1", 443, NULL},
	{"ssh://git.example.org/config.git", URL_SSH, "git", "git.example.org", 22, NULL},
	{"ssh://Ann@git.example.org:2222/config.git", URL_SSH, "Ann", "git.example.org", 2222,
	 NULL},
	{"git@github.com:acme/config.git", URL_SSH, "git", "github.com", 22, NULL},
	{"git.example.org:config.git", URL_SSH, "git", "git.example.org", 22, NULL},
	{"git://127.0.0.1:9419/config", URL_GIT, "", "127.0.0.1", 9419, NULL},
	{"git://localhost/config", URL_GIT, "", "localhost", 9418, NULL},
	{"git://[::1]/config", URL_GIT, "", "::1", 9418, NULL},
};

static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct url url AUTO_URL = {0};
		struct err err = ERR_INIT;
		bool remote = false;

		assert_done(url_parse(good[i].text, &url, &err), err);
		assert_int_equal(url.scheme, good[i].scheme);
		assert_string_equal(url.user, good[i].user);
		assert_string_equal(url.host, good[i].host);
		assert_int_equal(url.port, good[i].port);
		if (good[i].path)
			assert_string_equal(url.path, good[i].path);
		assert_done(repo_is_remote(good[i].text, &remote, &err), err);
		assert_int_equal(remote, good[i].scheme != URL_PATH);
	}
}

static void test_relative_paths_become_absolute(void **state)
{
	static const char *const texts[] = {"config", "./a:b", "../x", "."};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct url url AUTO_URL = {0};
		struct err err = ERR_INIT;

		assert_done(url_parse(texts[i], &url, &err), err);
		assert_int_equal(url.scheme, URL_PATH);
		assert_int_equal(url.path[0], '/');
		assert_true(str_ends(url.path, texts[i]));
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"http://git.example.org/config",
		"ftp://git.example.org/config",
		"HTTPS://git.example.org/config",
		"https://git.example.org",
		"https://git.example.org/",
		"https:///config",
		"https://git.example.org:0/a",
		"https://git.example.org:65536/a",
		"https://git.example.org:/a",
		"https://git.example.org:443x/a",
		"https://git_*.example.org/a",
		"https://git.example.org/a?b=c",
		"https://git.example.org/a#b",
		"https://ann@git.example.org/a",
		"https://[2001:db8::1/a",
		"ssh://-oProxyCommand=x/a",
		"ssh://-l@host/a",
		"ssh://an n@host/a",
		"-host:path",
		"host:",
		"git://git.example.org/config",
		"git://127.example.org/config",
		"file://host/srv/git",
		"file:///srv/%zz",
		"file:///srv/%00",
		"file:///srv/%2",
		"/srv/\x1b[31m",
		"/srv/\xff",
		"https://git.example.org/a\r\nX: y",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct url url AUTO_URL = {0};
		struct err err = ERR_INIT;

		if (url_parse(bad[i], &url, &err) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err.code, E_USAGE);
		assert_true(*err.text);
	}
}

static void test_a_password_is_never_repeated(void **state)
{
	static const char *const bad[] = {
		"https://ann:hunter2@git.example.org/a", "https://hunter2@git.example.org/a",
		"https://ann:hunter2@git.example.org",	 "ssh://ann:hunter2@host/a",
		"https://ann:hunter2@host:port/a",	 "ftp://ann:hunter2@host/a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct url url AUTO_URL = {0};
		struct err err = ERR_INIT;

		assert_fails(url_parse(bad[i], &url, &err), err, E_USAGE);
		assert_null(strstr(err.text, "hunter2"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_relative_paths_become_absolute),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_a_password_is_never_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

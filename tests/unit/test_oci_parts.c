/* The pure parts of asking a registry: what it wants to see, what a manifest is, logins. */
#include "tests/support/test.h"
#include "tests/support/driver.h"
#include "tests/support/shell.h"

#include "base/credentials.h"
#include "drivers/oci.h"
#include "schema/registry.h"

/* ---- WWW-Authenticate ---- */

struct challenge_row {
	const char *header;
	enum err_code code;
	struct oci_challenge want;
};

#define HUB_REALM "https://auth.docker.io/token"
#define HUB_SCOPE "repository:library/web:pull"

static void assert_same_text(const char *found, const char *wanted)
{
	if (!str_eq(found, wanted))
		fail_msg("%s is not %s", found ? found : "(none)", wanted ? wanted : "(none)");
}

static void test_challenges(void **state)
{
	static const struct challenge_row rows[] = {
		/* as registries send it: distribution.github.io/distribution/spec/auth/token */
		{"Bearer realm=\"" HUB_REALM "\",service=\"registry.docker.io\",scope=\"" HUB_SCOPE
		 "\"",
		 E_NONE,
		 {OCI_BEARER, HUB_REALM, "registry.docker.io", HUB_SCOPE}},
		{"Basic realm=\"a place\"", E_NONE, {OCI_BASIC, "a place", NULL, NULL}},
		{"basic REALM=here", E_NONE, {OCI_BASIC, "here", NULL, NULL}},
		{"Basic", E_NONE, {OCI_BASIC, NULL, NULL, NULL}},
		{"bearer realm = \"x\" , service\t=\ty", E_NONE, {OCI_BEARER, "x", "y", NULL}},
		/* a quoted text may have quotes, backslashes and commas in it */
		{"Bearer realm=\"a\\\"b\\\\c, d=e\"",
		 E_NONE,
		 {OCI_BEARER, "a\"b\\c, d=e", NULL, NULL}},
		{"Bearer error=\"invalid_token\",realm=\"x\"",
		 E_NONE,
		 {OCI_BEARER, "x", NULL, NULL}},
		/* several: a token is better than a password, whatever comes first */
		{"Basic realm=\"b\", Bearer realm=\"t\"", E_NONE, {OCI_BEARER, "t", NULL, NULL}},
		{"Bearer realm=\"t\", Basic realm=\"b\"", E_NONE, {OCI_BEARER, "t", NULL, NULL}},
		{"Negotiate, Basic realm=\"b\"", E_NONE, {OCI_BASIC, "b", NULL, NULL}},
		{"Negotiate abc/+==, Basic realm=\"b\"", E_NONE, {OCI_BASIC, "b", NULL, NULL}},
		{"Negotiate abc=, Basic realm=\"b\"", E_NONE, {OCI_BASIC, "b", NULL, NULL}},
		{",, Basic realm=\"b\" ,, ,", E_NONE, {OCI_BASIC, "b", NULL, NULL}},
		/* by the grammar one word, not a parameter */
		{"Bearer realm=", E_NONE, {OCI_BEARER, NULL, NULL, NULL}},
		/* nothing that can be done */
		{"Negotiate", E_NOT_SUPPORTED, {0}},
		{"Digest realm=\"x\", nonce=\"y\"", E_NOT_SUPPORTED, {0}},
		{"", E_NOT_SUPPORTED, {0}},
		/* not the form */
		{"Bearer realm=\"no end", E_BAD_INPUT, {0}},
		{"Bearer realm=\"no end\\", E_BAD_INPUT, {0}},
		{"Bearer realm=\"a\",service=", E_BAD_INPUT, {0}},
		{"Bearer realm=\"a\" service=\"b\"", E_BAD_INPUT, {0}},
		{"Bearer realm=\"a\",realm=\"b\"", E_BAD_INPUT, {0}},
		{"Bearer realm=\"a\nb\"", E_BAD_INPUT, {0}},
		{"\"Bearer\"", E_BAD_INPUT, {0}},
		{"Bearer realm=\"a\"x", E_BAD_INPUT, {0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA struct arena *arena = arena_new(0);
		struct oci_challenge found = {0};
		struct err err = ERR_INIT;

		if (oci_challenge_read(rows[i].header, arena, &found, &err) == 0)
			err.code = E_NONE;
		if (err.code != rows[i].code)
			fail_msg("%s: %s", rows[i].header, err_code_name(err.code));
		assert_int_equal(found.scheme, rows[i].want.scheme);
		assert_same_text(found.realm, rows[i].want.realm);
		assert_same_text(found.service, rows[i].want.service);
		assert_same_text(found.scope, rows[i].want.scope);
	}
}

static void test_long_challenge(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	char *text = arena_alloc(arena, OCI_CHALLENGE_MAX + 2);
	struct oci_challenge found;
	struct err err = ERR_INIT;

	(void)state;
	memset(text, ',', OCI_CHALLENGE_MAX + 1);
	assert_fails(oci_challenge_read(text, arena, &found, &err), err, E_BAD_INPUT);
}

/* ---- manifests ---- */

static void test_kinds(void **state)
{
	(void)state;
	assert_int_equal(oci_manifest_kind("application/vnd.oci.image.index.v1+json"), OCI_INDEX);
	assert_int_equal(
		oci_manifest_kind("Application/vnd.oci.image.manifest.v1+JSON; charset=utf-8"),
		OCI_IMAGE);
	assert_int_equal(
		oci_manifest_kind("application/vnd.docker.distribution.manifest.list.v2+json"),
		OCI_INDEX);
	assert_int_equal(oci_manifest_kind("application/vnd.docker.distribution.manifest.v2+json"),
			 OCI_IMAGE);
	/* of the first schema: its digest is not that of what is sent */
	assert_int_equal(
		oci_manifest_kind("application/vnd.docker.distribution.manifest.v1+prettyjws"),
		OCI_NO_MANIFEST);
	assert_int_equal(oci_manifest_kind("text/html"), OCI_NO_MANIFEST);
	assert_int_equal(oci_manifest_kind(""), OCI_NO_MANIFEST);
}

static int check_index(const char *text, const char *platform, struct err *err)
{
	return oci_index_check(text, strlen(text), platform, err);
}

static void test_platforms(void **state)
{
	static const char index[] =
		"{\"manifests\":["
		"{\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
		"{\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}},"
		"{\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}}]}";
	struct err err = ERR_INIT;

	(void)state;
	assert_done(check_index(index, "linux/amd64", &err), err);
	assert_done(check_index(index, "linux/arm", &err), err);
	assert_fails(check_index(index, "linux/riscv64", &err), err, E_IMAGE_UNKNOWN);
	assert_string_equal(err.text,
			    "there is none for linux/riscv64, but for linux/amd64, linux/arm");
	/* one that says nothing of platforms has nothing against any */
	assert_done(check_index("{\"manifests\":[{},{\"platform\":7}]}", "linux/arm", &err), err);
}

static void test_hostile_indexes(void **state)
{
	AUTO_BUF struct buf many = BUF_INIT(OCI_MANIFEST_MAX);
	struct err err = ERR_INIT;

	(void)state;
	assert_fails(check_index("", "linux/arm", &err), err, E_BAD_INPUT);
	assert_fails(check_index("[]", "linux/arm", &err), err, E_BAD_INPUT);
	assert_fails(check_index("{\"manifests\":{}}", "linux/arm", &err), err, E_BAD_INPUT);
	/* neither its length nor its control characters get into what people read */
	buf_adds(&many, "{\"manifests\":[");
	for (int i = 0; i < 20000; i++)
		buf_addf(&many,
			 "%s{\"platform\":{\"os\":\"li\\u001bnux\",\"architecture\":\"a%d\"}}",
			 i ? "," : "", i);
	buf_adds(&many, "]}");
	assert_fails(oci_index_check(many.ptr, many.len, "linux/arm", &err), err, E_IMAGE_UNKNOWN);
	assert_true(str_ends(err.text, " and others"));
	assert_null(strchr(err.text, '\x1b'));
	assert_true(strlen(err.text) < 500);
}

/* ---- logins ---- */

struct login_row {
	int type;	   /* enum registry_type_value */
	const char *files; /* a script that writes them */
	enum err_code code;
	const char *user, *password, *token;
};

static const struct login_row login_rows[] = {
	{REGISTRY_V2, "echo ann >username; echo secret >password", E_NONE, "ann", "secret", ""},
	/* any bytes but the last newline: a password may be a file */
	{REGISTRY_GOOGLE, "echo _json_key >username; printf '{\\n 1}\\n' >password", E_NONE,
	 "_json_key", "{\n 1}", ""},
	{REGISTRY_GOOGLE, "printf '{\\n 1}\\n' >token", E_NONE, "_json_key", "{\n 1}", ""},
	{REGISTRY_GOOGLE, "echo ya29 >token", E_NONE, "oauth2accesstoken", "ya29", ""},
	{REGISTRY_GITHUB, "echo ghp >token", E_NONE, "x-access-token", "ghp", ""},
	{REGISTRY_GITHUB, "echo ghp >token; echo ann >username", E_NONE, "ann", "ghp", ""},
	{REGISTRY_GITLAB, "echo glpat >token", E_NONE, "oauth2", "glpat", ""},
	{REGISTRY_V2, "echo eyJ >token", E_NONE, "", "", "eyJ"},
	{REGISTRY_HUB, "echo dckr >token; echo ann >username", E_NONE, "ann", "dckr", ""},
	{REGISTRY_HUB, "echo dckr >token", E_CREDENTIALS, NULL, NULL, NULL},
	{REGISTRY_V2, "printf 'two words' >token", E_CREDENTIALS, NULL, NULL, NULL},
	{REGISTRY_V2, ":", E_CREDENTIALS, NULL, NULL, NULL},
	{REGISTRY_V2, "echo ann >username", E_CREDENTIALS, NULL, NULL, NULL},
	{REGISTRY_V2, "echo a:b >username; echo secret >password", E_CREDENTIALS, NULL, NULL, NULL},
	{REGISTRY_V2, "echo ann >username; echo x >password; chmod 644 password", E_CREDENTIALS,
	 NULL, NULL, NULL},
};

static void test_logins(void **state)
{
	char *folder = test_folder();
	struct driver_env env = test_env;

	(void)state;
	env.state_dir = folder;
	for (size_t i = 0; i < ARRAY_LEN(login_rows); i++) {
		const struct login_row *row = &login_rows[i];
		const struct registry registry = {
			.name = "main",
			.type = row->type,
			.url = row->type == REGISTRY_V2 ? "registry.example.org" : NULL,
			.credentials = "main"};
		struct oci_login login AUTO_LOGIN = OCI_LOGIN_INIT;
		struct err err = ERR_INIT;

		test_run(folder,
			 "rm -rf credentials; umask 077; mkdir -p credentials/main; "
			 "cd credentials/main; %s",
			 row->files);
		if (oci_login_read(&env, &registry, &login, &err) != 0 || row->code) {
			if (err.code != row->code)
				fail_msg("%s: %s", row->files, err.text);
			assert_non_null(strstr(err.text, "Registry main: "));
			assert_null(strstr(err.text, "secret"));
			continue;
		}
		assert_string_equal(buf_str(&login.user), row->user);
		assert_string_equal(buf_str(&login.password), row->password);
		assert_string_equal(buf_str(&login.token), row->token);
	}
	test_folder_remove(&folder);
}

static void test_login_for_engine(void **state)
{
	struct oci_login login AUTO_LOGIN = OCI_LOGIN_INIT;
	struct oci_login word AUTO_LOGIN = OCI_LOGIN_INIT;
	struct buf out AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	(void)state;
	oci_login_for_engine(&login, "example.org", &out);
	assert_string_equal(buf_str(&out), "");
	buf_adds(&login.user, "ann");
	buf_adds(&login.password, "?>\"~");
	oci_login_for_engine(&login, "r.io", &out);
	/* {"username":"ann","password":"?>\"~","serveraddress":"r.io"}, by base64 -w0 | tr +/ -_ */
	assert_string_equal(buf_str(&out),
			    "eyJ1c2VybmFtZSI6ImFubiIsInBhc3N3b3JkIjoiPz5cIn4iLCJzZXJ2"
			    "ZXJhZGRyZXNzIjoici5pbyJ9");
	buf_clear(&out);
	buf_adds(&word.token, "eyJ");
	oci_login_for_engine(&word, "r.io", &out);
	/* {"registrytoken":"eyJ","serveraddress":"r.io"} */
	assert_string_equal(buf_str(&out),
			    "eyJyZWdpc3RyeXRva2VuIjoiZXlKIiwic2VydmVyYWRkcmVzcyI6InIuaW8ifQ==");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_challenges),
		cmocka_unit_test(test_long_challenge),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_platforms),
		cmocka_unit_test(test_hostile_indexes),
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_login_for_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What an image reference means, asked of docker-registry; and of peers that answer what it does
 * not on demand, in the forms of the distribution specification and of
 * distribution.github.io/distribution/spec/auth/token.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"
#include "tests/support/registry.h"
#include "tests/support/shell.h"

#include "base/credentials.h"
#include "base/hash.h"
#include "drivers/oci.h"

/* ---- asking ---- */

struct bench {
	struct arena *arena;
	char *folder; /* the state directory, with credentials */
	struct driver_env env;
	struct oci *oci;
	struct buf digest;
	struct err err;
	bool answered;
	const char *platform; /* of who asks */
	bool platform_asked;
};

static int setup(void **state)
{
	struct bench *bench = mem_zalloc(1, sizeof *bench);

	bench->arena = arena_new(0);
	bench->folder = test_folder();
	bench->env = test_env;
	bench->env.state_dir = bench->folder;
	bench->digest.max = BUF_MAX_LINE;
	bench->oci = oci_new(&bench->env);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	oci_free(bench->oci);
	buf_release(&bench->digest);
	test_folder_remove(&bench->folder);
	arena_free(bench->arena);
	free(bench);
	return 0;
}

/* A Registry with the credentials `main`, written by the script; NULL: without. */
static struct registry *declare(struct bench *bench, const char *host, const char *script)
{
	struct registry *registry = ARENA_NEW(bench->arena, struct registry);

	*registry = (struct registry){.name = "main", .type = REGISTRY_V2, .url = host};
	if (script) {
		test_run(bench->folder,
			 "umask 077; mkdir -p credentials/main; cd credentials/main; %s", script);
		registry->credentials = "main";
	}
	return registry;
}

#define LOGIN "echo '" REGISTRY_USER "' >username; echo '" REGISTRY_PASSWORD "' >password"

/* Says what is in bench->platform. */
static const char *platform_of(void *arg)
{
	struct bench *bench = arg;

	bench->platform_asked = true;
	return bench->platform;
}

static int ask(struct bench *bench, const struct registry *registry, const char *host,
	       const char *reference, const char *platform)
{
	const struct oci_question question = {
		.image = arena_printf(bench->arena, "%s/shop/web:%s", host, reference),
		.registry = registry,
		.repository = arena_printf(bench->arena, "%s/shop/web", host),
		.reference = reference,
		.platform = platform_of,
		.platform_arg = bench,
	};

	bench->platform = platform;
	bench->platform_asked = false;
	buf_clear(&bench->digest);
	err_clear(&bench->err);
	return oci_resolve(bench->oci, &question, &bench->digest, &bench->answered, &bench->err);
}

static void assert_says(const struct bench *bench, const char *words)
{
	if (!strstr(bench->err.text, words))
		fail_msg("\"%s\" is not in: %s", words, bench->err.text);
	assert_null(strstr(bench->err.text, REGISTRY_PASSWORD));
}

#define assert_answer(call, wanted)                                                                \
	do {                                                                                       \
		assert_done(call, bench->err);                                                     \
		assert_string_equal(buf_str(&bench->digest), wanted);                              \
	} while (0)

/* ---- the real one ---- */

static struct test_registry registry_of_kind[REGISTRY_BY_TLS + 1];

static const struct test_registry *real(enum registry_kind kind)
{
	struct test_registry *registry = &registry_of_kind[kind];
	const char *why = test_registry_missing();

	if (why)
		SKIP_BECAUSE(why);
	if (!registry->folder)
		test_registry_start(registry, kind);
	return registry;
}

static int stop_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(registry_of_kind); i++)
		test_registry_stop(&registry_of_kind[i]);
	return 0;
}

static void test_strangers_may_read(void **state)
{
	static const char *const tags[] = {"oci", "docker", "index"};
	const struct test_registry *registry = real(REGISTRY_OPEN);
	struct bench *bench = *state;
	const char *digest;

	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		digest = test_registry_digest(registry, bench->arena, tags[i]);
		assert_answer(ask(bench, NULL, registry->host, tags[i], NULL), digest);
		/* by its digest it is what it is */
		assert_answer(ask(bench, NULL, registry->host, digest, NULL), digest);
	}
}

static void test_an_index_has_platforms(void **state)
{
	const struct test_registry *registry = real(REGISTRY_OPEN);
	struct bench *bench = *state;
	const char *digest = test_registry_digest(registry, bench->arena, "index");

	assert_answer(ask(bench, NULL, registry->host, "index", "linux/arm64"), digest);
	assert_fails(ask(bench, NULL, registry->host, "index", "linux/s390x"), bench->err,
		     E_IMAGE_UNKNOWN);
	assert_says(bench, "none for linux/s390x, but for linux/amd64, linux/arm64");
	assert_true(bench->platform_asked);
	/* what an image that stands alone runs on is for the engine to say */
	assert_done(ask(bench, NULL, registry->host, "oci", "linux/s390x"), bench->err);
	assert_false(bench->platform_asked);
}

static void test_what_is_not_there(void **state)
{
	const struct test_registry *registry = real(REGISTRY_OPEN);
	struct bench *bench = *state;
	struct oci_question question = {
		.image = "none",
		.repository = arena_printf(bench->arena, "%s/none/none", registry->host),
		.reference = "1"};

	assert_fails(ask(bench, NULL, registry->host, "none", NULL), bench->err, E_IMAGE_UNKNOWN);
	assert_true(bench->answered);
	assert_says(bench, arena_printf(bench->arena,
					"image %s/shop/web:none: registry %s: there "
					"is no such image",
					registry->host, registry->host));
	assert_fails(oci_resolve(bench->oci, &question, &bench->digest, NULL, &bench->err),
		     bench->err, E_IMAGE_UNKNOWN);
	/* that one image is not there is nothing against the next one */
	assert_done(ask(bench, NULL, registry->host, "oci", NULL), bench->err);
}

static void test_a_login_is_wanted(void **state)
{
	const struct test_registry *registry = real(REGISTRY_WITH_LOGIN);
	struct bench *bench = *state;
	const char *url = arena_printf(bench->arena, "http://%s", registry->host);
	struct registry *doc;

	assert_fails(ask(bench, NULL, registry->host, "oci", NULL), bench->err, E_CREDENTIALS);
	assert_says(bench, "kind: Registry");
	doc = declare(bench, url, NULL);
	assert_fails(ask(bench, doc, registry->host, "oci", NULL), bench->err, E_CREDENTIALS);
	assert_says(bench, "Registry main names no credentials");
	doc->credentials = "main";
	assert_fails(ask(bench, doc, registry->host, "oci", NULL), bench->err, E_CREDENTIALS);
	assert_says(bench, "credentials/main");
	declare(bench, url, "echo ann >username; echo wrong >password");
	assert_fails(ask(bench, doc, registry->host, "oci", NULL), bench->err, E_CREDENTIALS);
	assert_says(bench, "it refuses that login");
	assert_says(bench, "credentials/main: username and password");
	declare(bench, url, LOGIN);
	assert_answer(ask(bench, doc, registry->host, "oci", NULL),
		      test_registry_digest(registry, bench->arena, "oci"));
}

static void test_an_authority_of_its_own(void **state)
{
	const struct test_registry *registry = real(REGISTRY_BY_TLS);
	struct bench *bench = *state;
	struct registry *doc = declare(bench, registry->host, NULL);

	assert_fails(ask(bench, doc, registry->host, "oci", NULL), bench->err, E_CERTIFICATE);
	assert_false(bench->answered);
	doc = declare(bench, registry->host,
		      arena_printf(bench->arena, LOGIN "; cp %s/ca.pem .", registry->folder));
	/* who has failed to prove itself is asked again at the next look only */
	assert_fails(ask(bench, doc, registry->host, "oci", NULL), bench->err, E_CERTIFICATE);
	oci_free(bench->oci);
	bench->oci = oci_new(&bench->env);
	assert_answer(ask(bench, doc, registry->host, "index", "linux/amd64"),
		      test_registry_digest(registry, bench->arena, "index"));
}

static void test_nobody_is_there(void **state)
{
	struct bench *bench = *state;
	struct peer peer;

	peer_listen(&peer, "127.0.0.1");
	peer_serve(&peer, NULL, 0);
	peer_stop(&peer);
	assert_fails(ask(bench, NULL, peer.host, "1", NULL), bench->err, E_REGISTRY);
	assert_false(bench->answered);
}

/* ---- peers ---- */

#define MANIFEST_TYPE "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n"
#define INDEX_TYPE "Content-Type: application/vnd.oci.image.index.v1+json\r\n"
#define HEAD_1 "HEAD /v2/shop/web/manifests/1 "
#define GET_1 "GET /v2/shop/web/manifests/1 "
#define BODY "{\"schemaVersion\":2}"
#define OTHER "sha256:00000000000000000000000000000000000000000000000000000000000000ff"

static const char *digest_of_body(struct bench *bench)
{
	char hex[HASH_HEX_SIZE];

	hash_hex(BODY, strlen(BODY), hex);
	return arena_printf(bench->arena, "sha256:%s", hex);
}

/* The head of a manifest: its type and digest, and no body. */
static const char *head(struct bench *bench, const char *type, const char *digest)
{
	return peer_answer(
		bench->arena, "200 OK",
		arena_printf(bench->arena, "%sDocker-Content-Digest: %s\r\n", type, digest), "");
}

static const char *whole(struct bench *bench, const char *headers)
{
	return peer_answer(bench->arena, "200 OK",
			   arena_printf(bench->arena, MANIFEST_TYPE "%s", headers), BODY);
}

/* Asks a peer with these rows for tag 1, and leaves what it was asked in *asked. */
static int ask_peer(struct bench *bench, const struct peer_row *rows, size_t n, const char **asked)
{
	struct peer peer;
	int result;

	peer_listen(&peer, "127.0.0.1");
	peer_serve(&peer, rows, n);
	result = ask(bench, NULL, peer.host, "1", "linux/amd64");
	if (asked)
		*asked = peer_asked(&peer, bench->arena);
	peer_stop(&peer);
	return result;
}

static void test_the_head_is_enough(void **state)
{
	struct bench *bench = *state;
	const struct peer_row rows[] = {{HEAD_1, NULL, head(bench, MANIFEST_TYPE, OTHER)}};
	const char *asked;

	assert_answer(ask_peer(bench, rows, ARRAY_LEN(rows), &asked), OTHER);
	assert_non_null(strstr(asked, "application/vnd.docker.distribution.manifest.list.v2+json"));
	assert_null(strstr(asked, "GET "));
	assert_null(strstr(asked, "Authorization"));
}

static void test_heads_that_say_too_little(void **state)
{
	struct bench *bench = *state;
	const char *const heads[] = {
		peer_answer(bench->arena, "405 No", "", ""),
		peer_answer(bench->arena, "200 OK", MANIFEST_TYPE, ""),
		head(bench, MANIFEST_TYPE, "sha256:short"),
		head(bench, MANIFEST_TYPE, "md5:0123"),
	};

	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		const struct peer_row rows[] = {{HEAD_1, NULL, heads[i]},
						{GET_1, NULL, whole(bench, "")}};

		assert_answer(ask_peer(bench, rows, ARRAY_LEN(rows), NULL), digest_of_body(bench));
	}
}

static void test_lies(void **state)
{
	struct bench *bench = *state;
	const struct peer_row announced[] = {
		{HEAD_1, NULL, peer_answer(bench->arena, "405 No", "", "")},
		{GET_1, NULL, whole(bench, "Docker-Content-Digest: " OTHER "\r\n")}};
	const struct peer_row index[] = {
		{HEAD_1, NULL, head(bench, INDEX_TYPE, OTHER)},
		{"GET /v2/shop/web/manifests/" OTHER, NULL, whole(bench, "")}};
	const struct peer_row page[] = {
		{HEAD_1, NULL,
		 peer_answer(bench->arena, "200 OK", "Content-Type: text/html\r\n", "")}};

	assert_fails(ask_peer(bench, announced, ARRAY_LEN(announced), NULL), bench->err,
		     E_BAD_INPUT);
	assert_says(bench, "it announces " OTHER " and sends sha256:");
	assert_fails(ask_peer(bench, index, ARRAY_LEN(index), NULL), bench->err, E_BAD_INPUT);
	assert_fails(ask_peer(bench, page, ARRAY_LEN(page), NULL), bench->err, E_BAD_INPUT);
	assert_says(bench, "text/html");
}

static void test_answers_that_break_off(void **state)
{
	struct bench *bench = *state;
	const char *good = whole(bench, "");
	const struct peer_row cut[] = {
		{HEAD_1, NULL, peer_answer(bench->arena, "405 No", "", "")},
		{GET_1, NULL, arena_strndup(bench->arena, good, strlen(good) - 3)}};
	const struct peer_row silent[] = {{HEAD_1, NULL, ""}};

	assert_fails(ask_peer(bench, cut, ARRAY_LEN(cut), NULL), bench->err, E_REGISTRY);
	assert_fails(ask_peer(bench, silent, ARRAY_LEN(silent), NULL), bench->err, E_REGISTRY);
}

static void test_a_manifest_without_end(void **state)
{
	struct bench *bench = *state;
	char *long_body = arena_alloc(bench->arena, OCI_MANIFEST_MAX + 2);
	const struct peer_row rows[] = {
		{HEAD_1, NULL, peer_answer(bench->arena, "405 No", "", "")},
		{GET_1, NULL,
		 peer_answer(bench->arena, "200 OK", MANIFEST_TYPE,
			     memset(long_body, ' ', OCI_MANIFEST_MAX + 1))}};

	assert_fails(ask_peer(bench, rows, ARRAY_LEN(rows), NULL), bench->err, E_TOO_LARGE);
}

static void test_illness_is_not_asked_twice(void **state)
{
	static const struct {
		const char *status, *headers, *words;
		int64_t rest_ms;
	} ills[] = {
		{"429 Too Many", "Retry-After: 30\r\n", "asked too often and wants 30s of rest",
		 30000},
		{"429 Too Many", "Retry-After: soon\r\n", "asked too often", 0},
		{"429 Too Many", "Retry-After: -5\r\n", "asked too often", 0},
		{"429 Too Many", "Retry-After: 0\r\n", "asked too often", 0},
		{"429 Too Many", "Retry-After: 999999999999\r\n",
		 "asked too often and wants 1h of rest", OCI_REST_MAX_MS},
		{"429 Too Many", "Retry-After: 99999999999999999999999\r\n", "asked too often", 0},
		{"429 Too Many", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n",
		 "asked too often", 0},
		{"503 Oh", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
		 "status 503) and wants 1h of rest", OCI_REST_MAX_MS},
		{"500 Oh", "", "status 500", 0},
		{"503 Oh", "", "status 503", 0},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_LEN(ills); i++) {
		const struct peer_row rows[] = {
			{"HEAD ", NULL,
			 peer_answer(bench->arena, ills[i].status, ills[i].headers, "")}};
		struct peer peer;

		peer_listen(&peer, "127.0.0.1");
		peer_serve(&peer, rows, ARRAY_LEN(rows));
		assert_fails(ask(bench, NULL, peer.host, "1", NULL), bench->err, E_REGISTRY);
		assert_says(bench, ills[i].words);
		assert_int_equal(bench->err.rest_ms, ills[i].rest_ms);
		assert_fails(ask(bench, NULL, peer.host, "2", NULL), bench->err, E_REGISTRY);
		assert_says(bench, ills[i].words);
		assert_int_equal(bench->err.rest_ms, ills[i].rest_ms);
		assert_int_equal(peer_count(&peer, "HEAD "), 1);
		peer_stop(&peer);
	}
}

static void test_words_of_a_registry(void **state)
{
	struct bench *bench = *state;
	const struct peer_row rows[] = {
		{HEAD_1, NULL, peer_answer(bench->arena, "405 No", "", "")},
		{GET_1, NULL,
		 peer_answer(bench->arena, "404 No", "",
			     "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest "
			     "\\u001b[31munknown\\n\"}]}")}};

	assert_fails(ask_peer(bench, rows, ARRAY_LEN(rows), NULL), bench->err, E_IMAGE_UNKNOWN);
	assert_says(bench, "there is no such image: manifest [31munknown");
}

/* ---- tokens ---- */

#define TOKEN_1 "Authorization: Bearer t1\r\n"
/* printf 'ann:open: sesame' | base64 */
#define BASIC "Authorization: Basic YW5uOm9wZW46IHNlc2FtZQ==\r\n"

static const char *wants_token(struct bench *bench, const char *realm)
{
	return peer_answer(bench->arena, "401 Who",
			   arena_printf(bench->arena,
					"WWW-Authenticate: Bearer realm=\"%s\",service=\"the "
					"registry\",scope=\"repository:shop/web:pull\"\r\n",
					realm),
			   "");
}

/* A registry that wants a token of its own server, which gives t1 with these words. */
static void serve_tokens(struct bench *bench, struct peer *peer, const char *token)
{
	struct peer_row *rows = ARENA_ARRAY(bench->arena, 3, struct peer_row);

	peer_listen(peer, "127.0.0.1");
	rows[0] = (struct peer_row){"GET /token?", NULL,
				    peer_answer(bench->arena, "200 OK", "", token)};
	rows[1] = (struct peer_row){"HEAD ", TOKEN_1, head(bench, MANIFEST_TYPE, OTHER)};
	rows[2] = (struct peer_row){
		"HEAD ", NULL,
		wants_token(bench, arena_printf(bench->arena, "http://%s/token", peer->host))};
	peer_serve(peer, rows, 3);
}

static void test_a_token_for_strangers(void **state)
{
	struct bench *bench = *state;
	struct peer peer;

	serve_tokens(bench, &peer, "{\"token\":\"t1\",\"expires_in\":300}");
	assert_answer(ask(bench, NULL, peer.host, "1", NULL), OTHER);
	assert_int_equal(peer_count(&peer,
				    "GET /token?scope=repository%3Ashop%2Fweb%3Apull&service="
				    "the%20registry HTTP/1.1"),
			 1);
	assert_int_equal(peer_count(&peer, "Authorization: Basic"), 0);
	/* it is kept for what it is for */
	assert_answer(ask(bench, NULL, peer.host, "2", NULL), OTHER);
	assert_int_equal(peer_count(&peer, "GET /token?"), 1);
	peer_stop(&peer);
}

static void test_a_token_that_expires(void **state)
{
	struct bench *bench = *state;
	struct peer peer;

	serve_tokens(bench, &peer, "{\"access_token\":\"t1\",\"expires_in\":1}");
	assert_answer(ask(bench, NULL, peer.host, "1", NULL), OTHER);
	assert_answer(ask(bench, NULL, peer.host, "1", NULL), OTHER);
	assert_int_equal(peer_count(&peer, "GET /token?"), 2);
	peer_stop(&peer);
}

static void test_a_token_for_a_login(void **state)
{
	struct bench *bench = *state;
	const struct registry *doc;
	struct peer peer;

	serve_tokens(bench, &peer, "{\"token\":\"t1\"}");
	doc = declare(bench, arena_printf(bench->arena, "http://%s", peer.host), LOGIN);
	assert_answer(ask(bench, doc, peer.host, "1", NULL), OTHER);
	/* the login is for the token server, the token for the registry */
	assert_int_equal(peer_count(&peer, BASIC), 1);
	assert_int_equal(peer_count(&peer, TOKEN_1), 1);
	peer_stop(&peer);
}

static void test_a_bearer_token_in_the_folder(void **state)
{
	struct bench *bench = *state;
	const struct registry *doc;
	struct peer peer;

	serve_tokens(bench, &peer, "{}");
	doc = declare(bench, arena_printf(bench->arena, "http://%s", peer.host), "echo t1 >token");
	assert_answer(ask(bench, doc, peer.host, "1", NULL), OTHER);
	assert_int_equal(peer_count(&peer, "GET /token?"), 0);
	peer_stop(&peer);
}

static void test_tokens_that_are_none(void **state)
{
	static const char *const answers[] = {"{}",
					      "",
					      "[]",
					      "{\"token\":\"\"}",
					      "{\"token\":7}",
					      "{\"token\":\"a\\r\\nX: y\"}",
					      "{\"token\":\"a b\"}"};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct peer peer;

		serve_tokens(bench, &peer, answers[i]);
		assert_fails(ask(bench, NULL, peer.host, "1", NULL), bench->err, E_BAD_INPUT);
		assert_says(bench, "its token server gives no token");
		peer_stop(&peer);
	}
}

/* ---- whom a login is shown to ---- */

static void test_a_token_server_elsewhere(void **state)
{
	struct bench *bench = *state;
	struct peer registry, server;
	const char *realm, *url;
	const struct registry *doc;

	peer_listen(&server, "127.0.0.2");
	peer_listen(&registry, "127.0.0.1");
	realm = arena_printf(bench->arena, "http://%s/token", server.host);
	url = arena_printf(bench->arena, "http://%s", registry.host);
	{
		const struct peer_row tokens[] = {
			{"GET /token?", NULL,
			 peer_answer(bench->arena, "200 OK", "", "{\"token\":\"t1\"}")}};
		const struct peer_row rows[] = {
			{"HEAD ", TOKEN_1, head(bench, MANIFEST_TYPE, OTHER)},
			{"HEAD ", NULL, wants_token(bench, realm)}};

		peer_serve(&server, tokens, ARRAY_LEN(tokens));
		peer_serve(&registry, rows, ARRAY_LEN(rows));
	}
	doc = declare(bench, url, LOGIN);
	assert_fails(ask(bench, doc, registry.host, "1", NULL), bench->err, E_CREDENTIALS);
	assert_says(bench, realm);
	assert_says(bench, "credentials/main/realm");
	assert_int_equal(peer_count(&server, "GET"), 0);
	/* strangers have nothing that could be stolen */
	assert_answer(ask(bench, NULL, registry.host, "1", NULL), OTHER);
	/* the operator allows that very address */
	declare(bench, url, arena_printf(bench->arena, "echo '%s' >realm", realm));
	assert_answer(ask(bench, doc, registry.host, "1", NULL), OTHER);
	assert_int_equal(peer_count(&server, BASIC), 1);
	assert_int_equal(peer_count(&registry, "Basic"), 0);
	peer_stop(&server);
	peer_stop(&registry);
}

static void test_realms_that_are_refused(void **state)
{
	static const char *const realms[] = {"http://example.org/token",
					     "file:///etc/passwd",
					     "https://user@example.org/token",
					     "https://example.org/to ken",
					     "",
					     "https://127.0.0.1\\\\@example.org/"};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_LEN(realms); i++) {
		const struct peer_row rows[] = {{"HEAD ", NULL, wants_token(bench, realms[i])}};

		assert_fails(ask_peer(bench, rows, ARRAY_LEN(rows), NULL), bench->err, E_BAD_INPUT);
		assert_says(bench, "no https:// one");
	}
}

static const char *leads_to(struct bench *bench, const char *where)
{
	return peer_answer(bench->arena, "307 There",
			   arena_printf(bench->arena, "Location: %s\r\n", where), "");
}

static void test_a_redirect_gets_no_login(void **state)
{
	struct bench *bench = *state;
	struct peer registry, other;
	const struct registry *doc;
	const char *there;

	peer_listen(&registry, "127.0.0.1");
	peer_listen(&other, "127.0.0.2");
	there = arena_printf(bench->arena, "http://%s/blob", other.host);
	{
		const struct peer_row rows[] = {
			{"HEAD ", BASIC, leads_to(bench, there)},
			{"GET ", BASIC, leads_to(bench, there)},
			{"", NULL,
			 peer_answer(bench->arena, "401 Who",
				     "WWW-Authenticate: Basic realm=\"x\"\r\n", "")}};
		const struct peer_row blobs[] = {{"HEAD ", NULL, head(bench, MANIFEST_TYPE, OTHER)},
						 {"GET ", NULL, whole(bench, "")}};

		peer_serve(&registry, rows, ARRAY_LEN(rows));
		peer_serve(&other, blobs, ARRAY_LEN(blobs));
	}
	doc = declare(bench, arena_printf(bench->arena, "http://%s", registry.host), LOGIN);
	/* and what stands there is believed by its body only: the head announces another digest */
	assert_answer(ask(bench, doc, registry.host, "1", NULL), digest_of_body(bench));
	assert_int_equal(peer_count(&other, "Authorization"), 0);
	peer_stop(&registry);
	peer_stop(&other);
}

static void test_redirects_that_are_refused(void **state)
{
	static const char *const places[] = {"http://example.org/", "ftp://127.0.0.1/",
					     "/v2/again"};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const struct peer_row rows[] = {{"HEAD ", NULL, leads_to(bench, places[i])}};

		assert_fails(ask_peer(bench, rows, ARRAY_LEN(rows), NULL), bench->err, E_BAD_INPUT);
		assert_says(bench, "it leads ");
	}
}

static void test_plain_http_stays_here(void **state)
{
	struct bench *bench = *state;
	const struct registry *doc = declare(bench, "http://example.org", NULL);

	assert_fails(ask(bench, doc, "example.org", "1", NULL), bench->err, E_BAD_INPUT);
	assert_says(bench, "on this machine");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_strangers_may_read),
		CASE(test_an_index_has_platforms),
		CASE(test_what_is_not_there),
		CASE(test_a_login_is_wanted),
		CASE(test_an_authority_of_its_own),
		CASE(test_nobody_is_there),
		CASE(test_the_head_is_enough),
		CASE(test_heads_that_say_too_little),
		CASE(test_lies),
		CASE(test_answers_that_break_off),
		CASE(test_a_manifest_without_end),
		CASE(test_illness_is_not_asked_twice),
		CASE(test_words_of_a_registry),
		CASE(test_a_token_for_strangers),
		CASE(test_a_token_that_expires),
		CASE(test_a_token_for_a_login),
		CASE(test_a_bearer_token_in_the_folder),
		CASE(test_tokens_that_are_none),
		CASE(test_a_token_server_elsewhere),
		CASE(test_realms_that_are_refused),
		CASE(test_a_redirect_gets_no_login),
		CASE(test_redirects_that_are_refused),
		CASE(test_plain_http_stays_here),
	};

	return cmocka_run_group_tests(tests, NULL, stop_all);
}

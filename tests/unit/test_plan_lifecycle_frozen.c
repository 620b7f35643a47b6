/*
 * Frozen means frozen: what a commit changes of something that was deployed successfully, where
 * that is said, and what is not refused.
 */
#include "tests/support/test.h"

#include "plan/lifecycle.h"
#include "tests/support/shop.h"

/* The shop's slot web on n1 was deployed successfully: record 1, and 1.0 is frozen. */
struct past {
	struct shop *shop;
	struct arena *arena;
	struct record record;
	struct frozen frozen;
	struct history history;
};

static const char *keep(struct past *past, const char *text)
{
	return arena_strdup(past->arena, text);
}

static int make_past(void **state)
{
	struct past *past = mem_zalloc(1, sizeof *past);
	AUTO_BUF struct buf content = BUF_INIT(BUF_MAX_TEXT), version = BUF_INIT(BUF_MAX_TEXT);
	void *own = NULL;
	const struct slot *slot;

	shop_make(&own);
	past->shop = own;
	past->arena = arena_new(0);
	shop_build(past->shop, NULL);
	slot = shop_slot(past->shop, "web", "n1");
	content_write(&slot->content, &content);
	content_write_version(slot->images, &slot->version->requires, &slot->content, &version);
	past->record = (struct record){
		.id = 1,
		.slot = {"shop", "prod", "web", "n1"},
		.product = "web",
		.version = "1.0",
		.type = VERSION_INCREMENTAL,
		.prefix = "shop-prod",
		.source_id = keep(past, slot->source_id),
		.input_id = keep(past, slot->input_id),
		.status = RECORD_SUCCESSFUL,
		.succeeded = true,
		.active = true,
		.commit = "0123456789abcdef0123456789abcdef01234567",
		.finished_ms = 1700000000123,
		.content = keep(past, buf_str(&content)),
	};
	past->frozen = (struct frozen){
		.project = "shop",
		.product = "web",
		.version = "1.0",
		.content_id = keep(past, slot->version_id),
		.content = keep(past, buf_str(&version)),
		.commit = past->record.commit,
		.node = "n1",
		.when_ms = past->record.finished_ms,
		.record = 1,
	};
	past->history = (struct history){&past->record, 1, &past->frozen, 1};
	*state = past;
	return 0;
}

static int free_past(void **state)
{
	struct past *past = *state;
	void *shop = past->shop;

	shop_free(&shop);
	arena_free(past->arena);
	free(past);
	return 0;
}

static void check(struct past *past)
{
	struct shop *shop = past->shop;

	shop_build_on(shop, &past->history);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	lifecycle_check_frozen(shop->model, shop->desired, &past->history, &shop->diags);
}

#define VERSION_HEAD "kind: Version\nproduct: web\nname: \"1.0\"\ntype: incremental\nimages:\n"
#define WEB_IMAGE                                                                                  \
	"  - name: web\n"                                                                          \
	"    image: local/web:1.0\n"                                                               \
	"    config:\n"                                                                            \
	"      env: {LEVEL: info, WHO: \"{{ project }}/{{ stage }}/{{ node }}\"}\n"
#define JOB_IMAGE "  - {name: job, image: \"local/job:1.0\"}\n"

/* Version 1.0 and deployment web changed to these; NULL: as they were. */
static void check_row(const char *what, const char *version, const char *deployment,
		      const char *wanted)
{
	void *own = NULL;
	struct past *past;
	AUTO_FREE char *errors = NULL;

	make_past(&own);
	past = own;
	if (version) {
		config_put(&past->shop->tree, WEB_1_1, "");
		config_put(&past->shop->tree, WEB_1_0, version);
	}
	if (deployment)
		config_put(&past->shop->tree, PROD "web.yaml", deployment);
	check(past);
	errors = config_errors(&past->shop->diags);
	if (!str_eq(errors, wanted))
		fail_msg("%s:\n%s", what, errors);
	free_past(&own);
}

static void test_versions(void **state)
{
	static const struct {
		const char *what, *text, *errors;
	} rows[] = {
		{"nothing", "# only a comment\n" VERSION_HEAD WEB_IMAGE JOB_IMAGE, ""},
		{"operations",
		 VERSION_HEAD WEB_IMAGE "      scale: 3\n" JOB_IMAGE "changelog: better\n", ""},
		{"removed", "", ""},
		{"env",
		 VERSION_HEAD "  - name: web\n    image: local/web:1.0\n    config:\n      env:\n"
			      "        LEVEL: debug\n"
			      "        WHO: \"{{ project }}/{{ stage }}/{{ node }}\"\n" JOB_IMAGE,
		 WEB_1_0 ":10 version-frozen shop\n"},
		{"image", VERSION_HEAD WEB_IMAGE "  - {name: job, image: \"local/job:1.1\"}\n",
		 WEB_1_0 ":10 version-frozen shop\n"},
		{"a field more", VERSION_HEAD WEB_IMAGE "      user: web\n" JOB_IMAGE,
		 WEB_1_0 ":10 version-frozen shop\n"},
		{"two fields",
		 VERSION_HEAD WEB_IMAGE "      user: web\n      command: [a]\n" JOB_IMAGE,
		 WEB_1_0 ":10 version-frozen shop\n" WEB_1_0 ":11 version-frozen shop\n"},
		{"a field less",
		 VERSION_HEAD "  - {name: web, image: \"local/web:1.0\"}\n" JOB_IMAGE,
		 WEB_1_0 ":6 version-frozen shop\n" WEB_1_0 ":6 version-frozen shop\n"},
		{"a container more",
		 VERSION_HEAD WEB_IMAGE JOB_IMAGE "  - {name: x, image: \"local/x:1.0\"}\n",
		 WEB_1_0 ":11 version-frozen shop\n"},
		{"a container less", VERSION_HEAD WEB_IMAGE, WEB_1_0 ":5 version-frozen shop\n"},
		{"another order", VERSION_HEAD JOB_IMAGE WEB_IMAGE,
		 WEB_1_0 ":5 version-frozen shop\n"},
		{"type",
		 "kind: Version\nproduct: web\nname: \"1.0\"\ntype: rolling\nimages:\n" WEB_IMAGE
			 JOB_IMAGE,
		 WEB_1_0 ":4 version-frozen shop\n"},
		{"parent", VERSION_HEAD WEB_IMAGE JOB_IMAGE "parent: \"0.9\"\n",
		 WEB_1_0 ":11 unknown-parent shop\n" WEB_1_0 ":11 version-frozen shop\n"},
		{"what it requires", VERSION_HEAD WEB_IMAGE JOB_IMAGE "requires: {db: 1}\n",
		 WEB_1_0 ":11 version-frozen shop\n" WEB_1_0
			 ":11 requires-unmet shop/prod\n" WEB_1_0 ":11 unknown-product shop\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		/* check_model asks the ledger, which this test leaves out */
		const char *deployment = *rows[i].text ? NULL : "";

		check_row(rows[i].what, rows[i].text, deployment, rows[i].errors);
	}
}

static void test_words(void **state)
{
	struct past *past = *state;
	const struct diag *diag;

	config_put(&past->shop->tree, WEB_1_0,
		   VERSION_HEAD WEB_IMAGE "      user: web\n" JOB_IMAGE);
	check(past);
	assert_int_equal(past->shop->diags.n, 1);
	diag = &past->shop->diags.v[0];
	assert_string_equal(
		diag->message,
		"version 1.0 of web cannot change, but user of web did: commit 0123456789 "
		"deployed it successfully on node n1 at 2023-11-14T22:13:20.123Z");
	assert_string_equal(diag->hint, "make a new version with parent: 1.0");
}

#define DEPLOYMENT "kind: Deployment\nname: web\nproduct: web\nversion: \"1.0\"\nnode: n1\n"

static void test_deployments(void **state)
{
	static const struct {
		const char *what, *text, *errors;
	} rows[] = {
		{"nothing", "# comment\n" DEPLOYMENT, ""},
		{"operations",
		 DEPLOYMENT "note: x\nprotected: true\nconfig: {scale: 2}\nonFailure: stop\n", ""},
		{"configuration", DEPLOYMENT "config:\n  env:\n    LEVEL: debug\n",
		 PROD "web.yaml:8 version-frozen shop/prod\n" PROD
		      "web.yaml:8 version-frozen shop/prod\n"},
		{"an instance's", DEPLOYMENT "instances:\n  job:\n    config:\n      user: job\n",
		 PROD "web.yaml:9 version-frozen shop/prod\n"},
		{"written elsewhere, with the same result",
		 DEPLOYMENT "instances: {web: {config: {env: {LEVEL: info}}}}\n",
		 PROD "web.yaml:4 version-frozen shop/prod\n"},
		{"another prefix is another place",
		 DEPLOYMENT "prefix: p\nconfig: {env: {LEVEL: debug}}\n", ""},
		{"another node, too",
		 "kind: Deployment\nname: web\nproduct: web\nversion: \"1.0\"\nnode: n2\n"
		 "config: {env: {LEVEL: debug}}\n",
		 ""},
		{"another version",
		 "kind: Deployment\nname: web\nproduct: web\nversion: \"1.1\"\nnode: n1\n"
		 "config: {env: {LEVEL: debug}}\n",
		 ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(rows[i].what, NULL, rows[i].text, rows[i].errors);
}

/* Without the record's content the field cannot be named, but it is refused all the same. */
static void test_without_content(void **state)
{
	struct past *past = *state;

	past->record.content = NULL;
	config_put(&past->shop->tree, PROD "web.yaml", DEPLOYMENT "config: {user: web}\n");
	check(past);
	shop_assert_errors(past->shop, PROD "web.yaml:4 version-frozen shop/prod\n");
	past->record.content = "damaged";
	shop_build(past->shop, &past->history);
	lifecycle_check_frozen(past->shop->model, past->shop->desired, &past->history,
			       &past->shop->diags);
	shop_assert_errors(past->shop, PROD "web.yaml:4 version-frozen shop/prod\n");
	past->frozen.content = NULL;
	config_put(&past->shop->tree, PROD "web.yaml", DEPLOYMENT);
	config_put(&past->shop->tree, WEB_1_0, VERSION_HEAD WEB_IMAGE);
	check(past);
	shop_assert_errors(past->shop, WEB_1_0 ":5 version-frozen shop\n");
}

/* Found wrong once, it is found wrong again; found right, only what changed is looked at. */
static void test_again(void **state)
{
	struct past *past = *state;
	const char *id = past->frozen.content_id;

	config_put(&past->shop->tree, WEB_1_0,
		   VERSION_HEAD WEB_IMAGE "      user: web\n" JOB_IMAGE);
	for (int i = 0; i < 2; i++) {
		check(past);
		shop_assert_errors(past->shop, WEB_1_0 ":10 version-frozen shop\n");
	}
	past->frozen.content_id = past->shop->desired->slots[0]->version_id;
	past->history.records_n = 0;
	check(past);
	shop_assert_errors(past->shop, "");
	past->frozen.content_id = id;
	check(past);
	shop_assert_errors(past->shop, "");
}

/* A version with a child in the accepted commit cannot change, though it was never deployed. */
static void test_parents_are_frozen(void **state)
{
	struct past *past = *state;
	struct shop *shop = past->shop;

	past->history = (struct history){0};
	config_put(&shop->tree, PROD "web.yaml", "");
	shop_build_on(shop, NULL);
	config_put(&shop->tree, WEB_1_0, VERSION_HEAD WEB_IMAGE "      scale: 2\n" JOB_IMAGE);
	check(past);
	shop_assert_errors(shop, "");
	config_put(&shop->tree, WEB_1_0, VERSION_HEAD WEB_IMAGE "      user: web\n" JOB_IMAGE);
	check(past);
	shop_assert_errors(shop, WEB_1_0 ":10 version-frozen shop\n");
	assert_non_null(strstr(shop->diags.v[0].message, "version 1.1 follows it"));
}

static void test_childless_versions_are_not(void **state)
{
	struct past *past = *state;
	struct shop *shop = past->shop;

	past->history = (struct history){0};
	config_put(&shop->tree, WEB_1_1, "");
	shop_build_on(shop, NULL);
	config_put(&shop->tree, WEB_1_0, VERSION_HEAD WEB_IMAGE "      user: web\n" JOB_IMAGE);
	check(past);
	shop_assert_errors(shop, "");
	/* nor is a rolling one, whatever was deployed */
	config_put(&shop->tree, WEB_EDGE,
		   "kind: Version\nproduct: web\nname: edge\ntype: rolling\n"
		   "images: [{name: web, image: \"local/web:2\"}]\n");
	check(past);
	shop_assert_errors(shop, "");
}

int main(void)
{
#define TEST_WITH_PAST(name) cmocka_unit_test_setup_teardown(name, make_past, free_past)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		TEST_WITH_PAST(test_words),
		cmocka_unit_test(test_deployments),
		TEST_WITH_PAST(test_without_content),
		TEST_WITH_PAST(test_again),
		TEST_WITH_PAST(test_parents_are_frozen),
		TEST_WITH_PAST(test_childless_versions_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What must hold in a slot, between slots and on nodes: each rule broken and kept.
 */
#include "tests/support/test.h"

#include "base/fs.h"
#include "drivers/driver.h"
#include "tests/support/shop.h"

/* ---- the cases in tests/data/desired ---- */

/* "what\n>>> path\ntext...<<<\nerrors": the files lie over the shop's. */
static void check_case(const char *text, size_t len)
{
	size_t line = strcspn(text, "\n");
	AUTO_FREE char *what = mem_strndup(text, line), *all = mem_strndup(text, len), *errors;
	char *end = strstr(all, "<<<\n");
	void *state = NULL;
	struct shop *shop;

	if (!end)
		fail_msg("%s: no <<<", what);
	*end = '\0';
	shop_make(&state);
	shop = state;
	config_put_all(&shop->tree, all + line + 1);
	shop_build(shop, NULL);
	if (shop->diags.errors)
		fail_msg("%s: %s", what, shop->diags.v[0].message);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	errors = config_errors(&shop->diags);
	end += strlen("<<<\n");
	if (!str_eq(errors, end))
		fail_msg("%s:\n%s", what, errors);
	shop_free(&state);
}

static void check_cases(const char *name)
{
	static const char mark[] = "=== ";
	AUTO_FREE char *path = mem_printf("tests/data/desired/%s.cases", name);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	struct err err = ERR_INIT;
	size_t cases = 0;

	assert_done(fs_read(path, BUF_MAX_TEXT, &text, &err), err);
	for (const char *at = buf_str(&text); *at; cases++) {
		const char *next = strstr(at, "\n=== ");

		assert_true(str_starts(at, mark));
		at += strlen(mark);
		check_case(at, next ? (size_t)(next - at) : strlen(at));
		at = next ? next + 1 : at + strlen(at);
	}
	assert_true(cases > 0);
}

#define CASES(name)                                                                                \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		check_cases(#name);                                                                \
	}
CASES(slots)
CASES(names)
CASES(ports)
CASES(volumes)
CASES(strategy)
CASES(nodes)
CASES(requires)

/* ---- words ---- */

#define TWO_MQ(first, second)                                                                      \
	">>> " PROD                                                                                \
	"a.yaml\nkind: Deployment\nname: a\nproduct: mq\nnode: n1\nprefix: a\nconfig: " first      \
	"\n>>> " PROD "b.yaml\nkind: Deployment\nname: b\nproduct: mq\nnode: n1\n"                 \
	"prefix: b\nconfig: " second "\n"

/* The message names both, the related place is the other one's. */
static void test_words(void **state)
{
	struct shop *shop = *state;
	const struct diag *diag;

	config_put_all(&shop->tree, TWO_MQ("{ports: [\"80:1\"]}", "{ports: [\"80:2\"]}"));
	shop_build(shop, NULL);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	diags_sort(&shop->diags);
	assert_int_equal(shop->diags.n, 2);
	diag = &shop->diags.v[0];
	assert_string_equal(diag->message, "deployment shop/prod/a wants host port 80/tcp on node "
					   "n1, which deployment shop/prod/b wants too");
	assert_string_equal(diag->related_path, PROD "b.yaml");
	assert_int_equal(diag->related.line, 6);
	assert_non_null(diag->hint);
}

/* The path of what is required, and where the version is deployed that does not fit. */
static void test_words_of_requirements(void **state)
{
	struct shop *shop = *state;
	const struct diag *diag;

	config_put_all(&shop->tree,
		       ">>> projects/shop/products/x.yaml\n"
		       "kind: Product\nname: a\ntype: simple\n"
		       "requires: {web: \">= 2.0.0\"}\n"
		       "images: [{name: a, image: \"local/a:1\"}]\n"
		       ">>> " PROD "a.yaml\nkind: Deployment\nname: a\nproduct: a\nnode: n1\n"
		       "prefix: a\n");
	shop_build(shop, NULL);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	assert_int_equal(shop->diags.n, 1);
	diag = &shop->diags.v[0];
	assert_string_equal(diag->message,
			    "deployment shop/prod/a: a -> web \">= 2.0.0\", but on node n1 it is "
			    "1.0 by projects/shop/stages/prod/web.yaml:4");
	assert_int_equal(diag->at.column, 12);
	assert_string_equal(diag->related_path, PROD "web.yaml");
	assert_int_equal(diag->related.line, 4);
	assert_non_null(diag->hint);
}

/* A provider that names what is not there is told so itself; who requires it is not blamed. */
static void test_requirements_of_what_is_unknown(void **state)
{
	struct shop *shop = *state;

	config_put_all(&shop->tree, ">>> projects/shop/products/x.yaml\n"
				    "kind: Product\nname: a\ntype: simple\n"
				    "requires: {web: \">= 2.0.0\"}\n"
				    "images: [{name: a, image: \"local/a:1\"}]\n"
				    ">>> " PROD "a.yaml\nkind: Deployment\nname: a\nproduct: a\n"
				    "node: n1\nprefix: a\n"
				    ">>> " PROD "web.yaml\nkind: Deployment\nname: web\n"
				    "product: web\nversion: \"1.0\"\nnode: gone\n");
	shop_build(shop, NULL);
	assert_int_equal(shop->diags.n, 1);
	assert_int_equal(shop->diags.v[0].code, DIAG_UNKNOWN_NODE);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	assert_int_equal(shop->diags.n, 1);
	/* nor for a file that cannot be read, in which it may stand */
	config_put(&shop->tree, PROD "web.yaml", "kind: [\n");
	shop_build(shop, NULL);
	diags_clear(&shop->diags);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	assert_int_equal(shop->diags.n, 0);
	config_put(&shop->tree, PROD "web.yaml", "");
	shop_build(shop, NULL);
	diags_clear(&shop->diags);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	assert_int_equal(shop->diags.n, 1);
	assert_int_equal(shop->diags.v[0].code, DIAG_REQUIRES_UNMET);
}

/* Hundreds of deployments that want the same things: each is told of one other, in linear time. */
static void test_many(void **state)
{
	struct shop *shop = *state;
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	const int n = 400;

	for (int i = 0; i < n; i++)
		buf_addf(&text,
			 "%skind: Deployment\nname: d%d\nproduct: mq\nnode: n1\nprefix: p%d\n"
			 "config: {ports: [\"80:1\"], volumes: [{name: v, path: d, shared: "
			 "true}]}\n",
			 i ? "---\n" : "", i, i);
	config_put(&shop->tree, PROD "many.yaml", buf_str(&text));
	shop_build(shop, NULL);
	shop_assert_errors(shop, "");
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	assert_int_equal(shop->diags.errors, n);
}

/* ---- what is taken over is not looked at again, but what is new is compared with it ---- */

static void test_new_against_old(void **state)
{
	struct shop *shop = *state;

	config_put_all(&shop->tree, TWO_MQ("{ports: [\"80:1\"]}", "{ports: [\"81:1\"]}"));
	shop_build(shop, NULL);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	shop_assert_errors(shop, "");
	config_put(&shop->tree, PROD "b.yaml",
		   "kind: Deployment\nname: b\nproduct: mq\nnode: n1\nprefix: b\n"
		   "config: {ports: [\"80:1\"]}\n");
	shop_build_on(shop, NULL);
	assert_true(shop->desired->taken[0]);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	shop_assert_errors(shop, PROD "a.yaml:6 port-taken shop/prod\n" PROD
				      "b.yaml:6 port-taken shop/prod\n");
}

/* What was found wrong, or not looked at, is no ground to stand on. */
static void test_old_faults_are_told_again(void **state)
{
	struct shop *shop = *state;
	const char *wanted =
		PROD "a.yaml:6 port-taken shop/prod\n" PROD "b.yaml:6 port-taken shop/prod\n";

	config_put_all(&shop->tree, TWO_MQ("{ports: [\"80:1\"]}", "{ports: [\"80:1\"]}"));
	shop_build(shop, NULL);
	for (int i = 0; i < 3; i++) {
		shop_build_on(shop, NULL);
		assert_true(shop->desired->taken[0]);
		if (i == 0)
			continue; /* not checked */
		desired_check(shop->desired, shop->model, NULL, &shop->diags);
		shop_assert_errors(shop, wanted);
	}
}

/* ---- drivers and policy ---- */

static int checks;
static const struct settings *settings_seen;
static char checked[256]; /* "unit container;" of each */

static void note_check(const struct node *node, const struct driver_env *env,
		       const struct spec *spec, const struct unit *unit, struct diags *diags)
{
	size_t len = strlen(checked);

	(void)diags;
	assert_non_null(spec->config);
	checks++;
	settings_seen = env ? env->settings : NULL;
	snprintf(checked + len, sizeof checked - len, "%s %s %s;", node->name, unit->stage,
		 spec->name);
}

static void allow(const struct node *node, const struct driver_env *env, const struct spec *spec,
		  const struct unit *unit, struct diags *diags)
{
	(void)node;
	(void)env;
	(void)spec;
	(void)unit;
	(void)diags;
}

static const struct driver_ops noting = {.name = "noting", .check = note_check};
static const struct driver_ops like_host = {.name = "host", .check = allow, .shares_ports = true};

/* In place of the real table, for this program. */
const struct driver_ops *driver_find(enum driver_value kind)
{
	if (kind == DRIVER_HOST)
		return &like_host;
	return kind == DRIVER_MEMORY ? &noting : NULL;
}

static void test_drivers_are_asked(void **state)
{
	struct shop *shop = *state;
	struct settings settings = {0};
	struct driver_env env = {.settings = &settings};

	checks = 0;
	*checked = 0;
	shop_build(shop, NULL);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	assert_int_equal(checks, 2);
	assert_string_equal(checked, "n1 prod shop-prod-web;n1 prod shop-prod-job;");
	/* not again for what was taken over */
	shop_build_on(shop, NULL);
	desired_check(shop->desired, shop->model, NULL, &shop->diags);
	assert_int_equal(checks, 2);
	assert_null(settings_seen);
	/* but again with other settings */
	shop_build_on(shop, NULL);
	desired_check(shop->desired, shop->model, &env, &shop->diags);
	assert_int_equal(checks, 4);
	assert_ptr_equal(settings_seen, &settings);
	shop_build_on(shop, NULL);
	desired_check(shop->desired, shop->model, &env, &shop->diags);
	assert_int_equal(checks, 4);
	/* not for what could not be read in full */
	config_put(&shop->tree, WEB_1_0,
		   "kind: Version\nproduct: web\nname: \"1.0\"\ntype: incremental\nimages:\n"
		   "  - {name: web, image: \"local/web:1.0\", config: {nonsense: 1}}\n");
	shop_build_on(shop, NULL);
	assert_int_equal(shop->desired->slots_n, 1);
	desired_check(shop->desired, shop->model, &env, &shop->diags);
	assert_int_equal(checks, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_strategy),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_requires),
		TEST_WITH_SHOP(test_words),
		TEST_WITH_SHOP(test_words_of_requirements),
		TEST_WITH_SHOP(test_requirements_of_what_is_unknown),
		TEST_WITH_SHOP(test_many),
		TEST_WITH_SHOP(test_new_against_old),
		TEST_WITH_SHOP(test_old_faults_are_told_again),
		TEST_WITH_SHOP(test_drivers_are_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

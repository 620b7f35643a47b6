/*
 * Which documents are in force: one bad stage holds back no other, and what clashes gives way in
 * one order only.
 */
#include "tests/support/test.h"
#include "tests/support/acceptance.h"
#include "tests/support/shop.h"

#define WEB_PROD PROD "web.yaml"
#define WEB_TEST TEST "web.yaml"
#define DEPLOY(version, rest)                                                                      \
	"kind: Deployment\nname: web\nproduct: web\nversion: \"" version "\"\n" rest

static void everything_new_is_taken(void **state)
{
	struct acceptance *it = *state;

	acceptance_commit(it);
	acceptance_assert(it, "");
	assert_true(it->now.accepted);
	assert_int_equal(it->now.desired->slots_n, 1);
	acceptance_commit(it);
	assert_true(it->now.accepted);
	assert_false(acceptance_stage(it, "shop", "prod")->changed);
}

static void a_bad_stage_holds_back_no_other(void **state)
{
	struct acceptance *it = *state;

	acceptance_commit(it);
	config_put(&it->tree, WEB_PROD, DEPLOY("9.9", "node: n1\n"));
	config_put(&it->tree, WEB_TEST, DEPLOY("1.1", "node: n2\n"));
	acceptance_commit(it);
	acceptance_assert(it, "shop/prod held unknown-version\n");
	assert_true(it->now.accepted);
	assert_false(acceptance_has(it, WEB_PROD));
	assert_true(acceptance_has(it, WEB_TEST));
	assert_int_equal(it->now.desired->slots_n, 2);
	/* The next commit mends it. */
	config_put(&it->tree, WEB_PROD, DEPLOY("1.1", "node: n1\n"));
	acceptance_commit(it);
	acceptance_assert(it, "");
	assert_true(acceptance_has(it, WEB_PROD));
}

static void a_bad_file_is_enough(void **state)
{
	struct acceptance *it = *state;

	acceptance_commit(it);
	config_put(&it->tree, PROD "more.yaml", "kind: [\n");
	config_put(&it->tree, WEB_PROD, DEPLOY("1.1", "node: n1\n"));
	acceptance_commit(it);
	assert_true(acceptance_stage(it, "shop", "prod")->held);
	assert_false(acceptance_has(it, WEB_PROD));
	assert_false(it->now.accepted);
}

static void a_bad_new_stage_is_left_out(void **state)
{
	struct acceptance *it = *state;

	config_put(&it->tree, WEB_TEST, DEPLOY("9.9", "node: n2\n"));
	acceptance_commit(it);
	acceptance_assert(it, "shop/test held unknown-version\n");
	assert_true(it->now.accepted);
	assert_null(model_stage(it->now.model, "shop", "test"));
	assert_int_equal(it->now.desired->slots_n, 1);
}

static void a_bad_project_leaves_its_stages_what_they_had(void **state)
{
	struct acceptance *it = *state;

	acceptance_commit(it);
	config_put(&it->tree, WEB_1_1,
		   "kind: Version\nproduct: web\nname: \"1.1\"\ntype: incremental\nparent: \"7\"\n"
		   "images: [{name: web, image: \"local/web:1.1\"}]\n");
	config_put(&it->tree, WEB_TEST, DEPLOY("1.0", "node: n2\n"));
	acceptance_commit(it);
	acceptance_assert(it, "shop held unknown-parent\n");
	assert_false(acceptance_has(it, WEB_1_1));
	/* A stage that needs nothing of it goes on. */
	assert_true(acceptance_has(it, WEB_TEST));
}

static void a_stage_that_needs_the_bad_project_waits_with_it(void **state)
{
	struct acceptance *it = *state;

	acceptance_commit(it);
	config_put(
		&it->tree, "projects/shop/products/web-1.2.yaml",
		"kind: Version\nproduct: web\nname: \"1.2\"\ntype: incremental\nparent: \"1.1\"\n"
		"images: [{name: web, image: \"local/web:1.2\"}]\n");
	config_put(&it->tree, MQ, "kind: Product\nname: mq\ntype: neither\n");
	config_put(&it->tree, WEB_PROD, DEPLOY("1.2", "node: n1\n"));
	config_put(&it->tree, WEB_TEST, DEPLOY("1.0", "node: n2\n"));
	acceptance_commit(it);
	assert_true(acceptance_stage(it, "shop", "prod")->held);
	assert_false(acceptance_stage(it, "shop", "test")->held);
	assert_true(acceptance_has(it, WEB_TEST));
	assert_false(acceptance_has(it, WEB_PROD));
}

static void what_is_in_use_stays(void **state)
{
	struct acceptance *it = *state;

	acceptance_commit(it);
	config_put(&it->tree, "nodes/n1.yaml", "");
	acceptance_commit(it);
	acceptance_assert(it, "- held in-use\n");
	assert_non_null(model_node(it->now.model, "n1"));
	/* With its last user it may go. */
	config_put(&it->tree, WEB_PROD, "");
	acceptance_commit(it);
	acceptance_assert(it, "");
	assert_null(model_node(it->now.model, "n1"));
}

static void of_two_that_clash_the_changed_one_gives_way(void **state)
{
	struct acceptance *it = *state;

	acceptance_commit(it);
	config_put(&it->tree, WEB_TEST, DEPLOY("1.0", "node: n1\nprefix: shop-prod\n"));
	acceptance_commit(it);
	assert_true(acceptance_stage(it, "shop", "test")->held);
	assert_false(acceptance_stage(it, "shop", "prod")->held);
	assert_int_equal(it->now.desired->slots_n, 1);
}

static void of_two_that_clash_both_give_way_if_both_changed(void **state)
{
	struct acceptance *it = *state;

	acceptance_commit(it);
	config_put(&it->tree, WEB_TEST, DEPLOY("1.0", "node: n1\nprefix: same\n"));
	config_put(&it->tree, WEB_PROD, DEPLOY("1.0", "node: n1\nprefix: same\n"));
	acceptance_commit(it);
	assert_true(acceptance_stage(it, "shop", "test")->held);
	assert_true(acceptance_stage(it, "shop", "prod")->held);
	assert_false(it->now.accepted);
	/* What was in force before is what serves. */
	assert_int_equal(it->now.desired->slots_n, 1);
	assert_string_equal(it->now.desired->slots[0]->prefix, "shop-prod");
}

static void a_stage_that_left_is_gone(void **state)
{
	struct acceptance *it = *state;

	acceptance_commit(it);
	config_put(&it->tree, TEST "stage.yaml", "");
	acceptance_commit(it);
	acceptance_assert(it, "shop/test gone\n");
	assert_true(it->now.accepted);
}

static void a_hold_keeps_a_unit_whatever_it_says(void **state)
{
	struct acceptance *it = *state;
	struct diag reason = {.code = DIAG_PRUNE_GUARD, .message = "too much"};
	const struct accept_hold hold = {{UNIT_STAGE, "shop", "prod"}, &reason};

	acceptance_commit(it);
	config_put(&it->tree, WEB_PROD, "");
	it->input.holds = &hold;
	it->input.holds_n = 1;
	acceptance_commit(it);
	acceptance_assert(it, "shop/prod held prune-guard\n");
	assert_int_equal(it->now.desired->slots_n, 1);
	assert_string_equal(acceptance_stage(it, "shop", "prod")->diags[0].message, "too much");
}

static void a_held_stage_that_vanished_keeps_its_project(void **state)
{
	struct acceptance *it = *state;
	struct diag reason = {.code = DIAG_PRUNE_GUARD, .message = "gone"};
	const struct accept_hold hold = {{UNIT_STAGE, "shop", "prod"}, &reason};
	static const char *const project[] = {
		"projects/shop/project.yaml",
		"projects/shop/products/web.yaml",
		WEB_1_0,
		WEB_1_1,
		WEB_EDGE,
		MQ,
		PROD "stage.yaml",
		WEB_PROD,
		TEST "stage.yaml",
	};

	acceptance_commit(it);
	for (size_t i = 0; i < ARRAY_LEN(project); i++)
		config_put(&it->tree, project[i], "");
	it->input.holds = &hold;
	it->input.holds_n = 1;
	acceptance_commit(it);
	assert_true(acceptance_stage(it, "shop", "prod")->held);
	assert_true(acceptance_stage(it, "shop", "test")->gone);
	assert_int_equal(it->now.desired->slots_n, 1);
	assert_non_null(it->now.desired->slots[0]->version);
}

static void a_problem_of_the_tree_is_its_units(void **state)
{
	struct acceptance *it = *state;
	const struct tree_problem problem = {PROD "link.yaml", "is a symbolic link"};

	acceptance_commit(it);
	config_put(&it->tree, WEB_PROD, DEPLOY("1.1", "node: n1\n"));
	config_put(&it->tree, WEB_TEST, DEPLOY("1.0", "node: n2\n"));
	it->input.problems = &problem;
	it->input.problems_n = 1;
	acceptance_commit(it);
	acceptance_assert(it, "shop/prod held bad-entry\n");
	assert_true(acceptance_has(it, WEB_TEST));
	assert_string_equal(acceptance_stage(it, "shop", "prod")->diags[0].path, PROD "link.yaml");
}

static void without_an_organization_nothing_is_accepted(void **state)
{
	struct acceptance *it = *state;

	config_put(&it->tree, "organization.yaml", "");
	acceptance_commit(it);
	assert_true(it->now.units[0].held);
	assert_int_equal(it->now.desired->slots_n, 0);
}

/* ---- what versions require ---- */

#define DB "projects/shop/products/db.yaml"
#define NEEDS(range)                                                                               \
	"kind: Product\nname: db\ntype: complex\n---\n"                                            \
	"kind: Version\nproduct: db\nname: 1.0.0\ntype: rolling\n"                                 \
	"images: [{name: db, image: \"local/db:1\"}]\n---\n"                                       \
	"kind: Version\nproduct: db\nname: 2.0.0\ntype: rolling\n"                                 \
	"images: [{name: db, image: \"local/db:2\"}]\n---\n"                                       \
	"kind: Version\nproduct: web\nname: \"1.2\"\ntype: rolling\nrequires: {db: \"" range       \
	"\"}\nimages: [{name: web, image: \"local/web:2\"}]\n"
#define DEPLOY_DB(version, rest)                                                                   \
	"kind: Deployment\nname: db\nproduct: db\nversion: " version "\nnode: n1\nprefix: "        \
	"db\n" rest

static void what_breaks_a_requirement_gives_way(void **state)
{
	struct acceptance *it = *state;

	config_put(&it->tree, DB, NEEDS(">= 2"));
	config_put(&it->tree, PROD "db.yaml", DEPLOY_DB("2.0.0", ""));
	config_put(&it->tree, WEB_PROD, DEPLOY("1.2", "node: n1\n"));
	acceptance_commit(it);
	acceptance_assert(it, "");
	/* the stage itself, by the provider's version */
	config_put(&it->tree, PROD "db.yaml", DEPLOY_DB("1.0.0", ""));
	acceptance_commit(it);
	acceptance_assert(it, "shop/prod held requires-unmet\n");
	/* or without the provider */
	config_put(&it->tree, PROD "db.yaml", "");
	acceptance_commit(it);
	acceptance_assert(it, "shop/prod held requires-unmet\n");
	/* the project under a stage that did not change */
	config_put(&it->tree, PROD "db.yaml", DEPLOY_DB("2.0.0", ""));
	config_put(&it->tree, DB, NEEDS(">= 3"));
	acceptance_commit(it);
	acceptance_assert(it, "shop held in-use\n");
	/* and both may go down in one commit */
	config_put(&it->tree, DB, NEEDS(">= 2"));
	config_put(&it->tree, PROD "db.yaml", DEPLOY_DB("1.0.0", ""));
	config_put(&it->tree, WEB_PROD, DEPLOY("1.1", "node: n1\n"));
	acceptance_commit(it);
	acceptance_assert(it, "");
}

/* A deployment that now requires what depends on it: found on top of a sound state too. */
static void nobody_waits_for_ever(void **state)
{
	struct acceptance *it = *state;

	config_put(&it->tree, DB, NEEDS(">= 2"));
	config_put(&it->tree, PROD "db.yaml", DEPLOY_DB("2.0.0", "dependsOn: [web]\n"));
	acceptance_commit(it);
	acceptance_assert(it, "");
	assert_true(it->now.sound);
	config_put(&it->tree, WEB_PROD, DEPLOY("1.2", "node: n1\n"));
	acceptance_commit(it);
	acceptance_assert(it, "shop/prod held dependency-cycle\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH_ACCEPTANCE(everything_new_is_taken),
		TEST_WITH_ACCEPTANCE(a_bad_stage_holds_back_no_other),
		TEST_WITH_ACCEPTANCE(a_bad_file_is_enough),
		TEST_WITH_ACCEPTANCE(a_bad_new_stage_is_left_out),
		TEST_WITH_ACCEPTANCE(a_bad_project_leaves_its_stages_what_they_had),
		TEST_WITH_ACCEPTANCE(a_stage_that_needs_the_bad_project_waits_with_it),
		TEST_WITH_ACCEPTANCE(what_is_in_use_stays),
		TEST_WITH_ACCEPTANCE(of_two_that_clash_the_changed_one_gives_way),
		TEST_WITH_ACCEPTANCE(of_two_that_clash_both_give_way_if_both_changed),
		TEST_WITH_ACCEPTANCE(a_stage_that_left_is_gone),
		TEST_WITH_ACCEPTANCE(a_hold_keeps_a_unit_whatever_it_says),
		TEST_WITH_ACCEPTANCE(a_held_stage_that_vanished_keeps_its_project),
		TEST_WITH_ACCEPTANCE(a_problem_of_the_tree_is_its_units),
		TEST_WITH_ACCEPTANCE(without_an_organization_nothing_is_accepted),
		TEST_WITH_ACCEPTANCE(what_breaks_a_requirement_gives_way),
		TEST_WITH_ACCEPTANCE(nobody_waits_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

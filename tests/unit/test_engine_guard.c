/*
 * What a commit may remove unasked, what waits for approve, and what an approval lets through.
 */
#include "tests/support/test.h"
#include "tests/support/acceptance.h"
#include "tests/support/shop.h"

#include "engine/guard.h"

#define TIP "1111111111111111111111111111111111111111"
#define LATER "2222222222222222222222222222222222222222"

/* The shop is in force; every slot of it is served. The next commit is judged. */
struct past {
	struct acceptance *it;
	struct arena *arena;
	struct slot_key *serving;
	struct guard_input input;
	struct guard_outcome out;
};

static void deploy(struct past *past, const char *name, const char *rest)
{
	AUTO_FREE char *path = mem_printf(PROD "%s.yaml", name);
	AUTO_FREE char *text = mem_printf("kind: Deployment\nname: %s\nproduct: web\n"
					  "version: \"1.0\"\nprefix: p-%s\n%s",
					  name, name, rest);

	config_put(&past->it->tree, path, text);
}

static void take_away(struct past *past, const char *name)
{
	AUTO_FREE char *path = mem_printf(PROD "%s.yaml", name);

	config_put(&past->it->tree, path, "");
}

/* What stands in the tree is in force, and runs. */
static void serve(struct past *past)
{
	const struct desired *desired;

	acceptance_commit(past->it);
	acceptance_assert(past->it, "");
	desired = past->it->now.desired;
	past->serving = ARENA_ARRAY(past->arena, desired->slots_n + 1, struct slot_key);
	for (size_t i = 0; i < desired->slots_n; i++) {
		const struct slot_key *key = &desired->slots[i]->key;

		past->serving[i] = (struct slot_key){
			arena_strdup(past->arena, key->project),
			arena_strdup(past->arena, key->stage),
			arena_strdup(past->arena, key->deployment),
			arena_strdup(past->arena, key->node),
		};
	}
	past->input.serving = past->serving;
	past->input.serving_n = desired->slots_n;
}

static int make_past(void **state)
{
	struct past *past = mem_zalloc(1, sizeof *past);
	void *it = NULL;

	acceptance_make(&it);
	past->it = it;
	past->arena = arena_new(0);
	past->input.commit = TIP;
	*state = past;
	return 0;
}

static int free_past(void **state)
{
	struct past *past = *state;
	void *it = past->it;

	acceptance_free(&it);
	arena_free(past->arena);
	free(past);
	return 0;
}

static void judge(struct past *past)
{
	acceptance_commit(past->it);
	past->input.before = past->it->before.model;
	past->input.before_desired = past->it->before.desired;
	past->input.outcome = &past->it->now;
	guard_run(&past->input, past->arena, &past->out);
}

static void assert_passes(struct past *past)
{
	judge(past);
	if (past->out.holds_n)
		fail_msg("held: %s", past->out.holds[0].reason->message);
}

static void assert_held(struct past *past, enum diag_code code, const char *message)
{
	judge(past);
	assert_int_equal(past->out.holds_n, 1);
	assert_string_equal(past->out.holds[0].unit.stage, "prod");
	assert_string_equal(diag_code_name(past->out.holds[0].reason->code), diag_code_name(code));
	assert_string_equal(past->out.holds[0].reason->message, message);
}

static void approve(struct past *past, const char *commit, const char *removals)
{
	struct ledger_approval *approval = ARENA_NEW(past->arena, struct ledger_approval);

	*approval = (struct ledger_approval){.commit = commit, .removals = removals};
	past->input.approvals = approval;
	past->input.approvals_n = 1;
}

static void trailer(struct past *past, const char *value)
{
	static const char *values[1];

	values[0] = value;
	past->input.prune_trailers = values;
	past->input.prune_trailers_n = 1;
}

/* ---- explained ---- */

static void a_deleted_document_explains_its_removal(void **state)
{
	struct past *past = *state;

	serve(past);
	take_away(past, "web");
	assert_passes(past);
	assert_int_equal(past->out.removals_n, 1);
}

static void so_does_a_document_that_has_slots_elsewhere(void **state)
{
	struct past *past = *state;

	deploy(past, "fleet", "nodes: [n1, n2]\n");
	deploy(past, "single", "node: n1\n");
	serve(past);
	deploy(past, "fleet", "nodes: [n2]\n");
	deploy(past, "single", "node: n2\n");
	assert_passes(past);
	assert_int_equal(past->out.removals_n, 2);
}

static void three_may_go_at_once_a_fourth_may_not(void **state)
{
	struct past *past = *state;
	static const char *const names[] = {"a", "b", "c", "d"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		deploy(past, names[i], "node: n1\n");
	serve(past);
	for (size_t i = 0; i < 3; i++)
		take_away(past, names[i]);
	assert_passes(past);
	take_away(past, "d");
	assert_held(past, DIAG_PRUNE_GUARD,
		    "4 of 5 deployments of shop/prod would be removed at once");
}

static void four_may_go_where_they_are_few(void **state)
{
	struct past *past = *state;

	for (char name[] = "d-a"; name[2] <= 'z'; name[2]++)
		deploy(past, name, "node: n1\n");
	serve(past);
	assert_int_equal(past->input.serving_n, 27);
	for (char name[] = "d-a"; name[2] < 'f'; name[2]++)
		take_away(past, name);
	assert_passes(past);
	assert_int_equal(past->out.removals_n, 5);
	take_away(past, "d-f");
	assert_held(past, DIAG_PRUNE_GUARD,
		    "6 of 27 deployments of shop/prod would be removed at once");
}

/* ---- unexplained ---- */

static void a_stage_that_vanishes_is_held(void **state)
{
	struct past *past = *state;

	serve(past);
	take_away(past, "web");
	config_put(&past->it->tree, PROD "stage.yaml", "");
	assert_held(past, DIAG_PRUNE_GUARD,
		    "1 of 1 deployments of shop/prod would be removed unexplained: web on n1: the "
		    "stage is gone");
	assert_non_null(strstr(past->out.holds[0].reason->hint, "approve 111111111111"));
	assert_non_null(strstr(past->out.holds[0].reason->hint, "Trueup-Prune: shop/prod"));
}

static void a_label_that_selects_nothing_is_in_use(void **state)
{
	struct past *past = *state;

	deploy(past, "web", "nodeSelector: {disk: ssd}\n");
	serve(past);
	config_put(&past->it->tree, "nodes/n1.yaml",
		   "kind: Node\nname: n1\ndriver: memory\nlabels: {region: eu}\n");
	/* It does not come as far as the guard. */
	assert_passes(past);
	acceptance_assert(past->it, "- held in-use\n");
	assert_int_equal(past->out.removals_n, 0);
}

/* ---- ways on ---- */

static void remove_the_stage(struct past *past)
{
	serve(past);
	take_away(past, "web");
	config_put(&past->it->tree, PROD "stage.yaml", "");
}

static void an_approval_lets_its_removals_go(void **state)
{
	struct past *past = *state;

	remove_the_stage(past);
	approve(past, TIP, "[\"shop/prod/web@n1\"]");
	assert_passes(past);
}

static void also_in_later_commits_that_remove_no_more(void **state)
{
	struct past *past = *state;

	remove_the_stage(past);
	approve(past, "0000000000000000000000000000000000000000",
		"[\"shop/prod/other@n1\",\"shop/prod/web@n1\"]");
	past->input.commit = LATER;
	assert_passes(past);
}

static void not_in_those_that_remove_more(void **state)
{
	struct past *past = *state;

	deploy(past, "other", "node: n2\n");
	remove_the_stage(past);
	take_away(past, "other");
	approve(past, TIP, "[\"shop/prod/web@n1\"]");
	judge(past);
	assert_int_equal(past->out.holds_n, 1);
}

static void an_approval_of_nothing_approves_no_removal(void **state)
{
	struct past *past = *state;

	remove_the_stage(past);
	approve(past, TIP, "[]");
	judge(past);
	assert_int_equal(past->out.holds_n, 1);
}

static void the_trailer_names_the_stage(void **state)
{
	struct past *past = *state;

	remove_the_stage(past);
	trailer(past, "shop/test");
	judge(past);
	assert_int_equal(past->out.holds_n, 1);
	trailer(past, "shop/prod");
	guard_run(&past->input, past->arena, &past->out);
	assert_int_equal(past->out.holds_n, 0);
}

/* ---- protected ---- */

#define PROTECTED_MESSAGE                                                                          \
	"web on n1 is protected: its removal or change of prefix waits for approve"

static void a_protected_deployment_goes_only_with_approve(void **state)
{
	struct past *past = *state;

	deploy(past, "web", "node: n1\nprotected: true\n");
	serve(past);
	take_away(past, "web");
	assert_held(past, DIAG_PROTECTED, PROTECTED_MESSAGE);
	/* Whoever wrote the removal can write the trailer: it does not do. */
	trailer(past, "shop/prod");
	guard_run(&past->input, past->arena, &past->out);
	assert_int_equal(past->out.holds_n, 1);
	approve(past, TIP, "[\"shop/prod/web@n1\"]");
	guard_run(&past->input, past->arena, &past->out);
	assert_int_equal(past->out.holds_n, 0);
}

static void a_protected_stage_protects_all_of_it(void **state)
{
	struct past *past = *state;

	config_put(&past->it->tree, PROD "stage.yaml",
		   "kind: Stage\nname: prod\nprotected: true\n");
	serve(past);
	take_away(past, "web");
	assert_held(past, DIAG_PROTECTED, PROTECTED_MESSAGE);
}

static void protection_is_judged_by_what_was_in_force(void **state)
{
	struct past *past = *state;

	deploy(past, "web", "node: n1\nprotected: true\n");
	serve(past);
	/* The same commit drops the word and moves it away. */
	deploy(past, "web", "node: n2\n");
	assert_held(past, DIAG_PROTECTED, PROTECTED_MESSAGE);
}

static void a_new_prefix_waits_everything_else_does_not(void **state)
{
	struct past *past = *state;

	deploy(past, "web", "node: n1\nprotected: true\n");
	serve(past);
	config_put(&past->it->tree, PROD "web.yaml",
		   "kind: Deployment\nname: web\nproduct: web\nversion: \"1.1\"\nprefix: p-web\n"
		   "node: n1\nprotected: true\nnote: an upgrade\n");
	assert_passes(past);
	config_put(&past->it->tree, PROD "web.yaml",
		   "kind: Deployment\nname: web\nproduct: web\nversion: \"1.1\"\nprefix: new\n"
		   "node: n1\nprotected: true\n");
	assert_held(past, DIAG_PROTECTED, PROTECTED_MESSAGE);
	approve(past, TIP, "[]");
	guard_run(&past->input, past->arena, &past->out);
	assert_int_equal(past->out.holds_n, 0);
	/* It was approved in that commit alone. */
	past->input.commit = LATER;
	guard_run(&past->input, past->arena, &past->out);
	assert_int_equal(past->out.holds_n, 1);
}

static void an_approved_removal_brings_no_prefix_along(void **state)
{
	struct past *past = *state;

	deploy(past, "web", "node: n1\nprotected: true\n");
	deploy(past, "other", "node: n2\n");
	serve(past);
	take_away(past, "other");
	config_put(&past->it->tree, PROD "web.yaml",
		   "kind: Deployment\nname: web\nproduct: web\nversion: \"1.0\"\nprefix: new\n"
		   "node: n1\nprotected: true\n");
	approve(past, LATER, "[\"shop/prod/other@n2\"]");
	assert_held(past, DIAG_PROTECTED, PROTECTED_MESSAGE);
}

/* ---- what an approval binds ---- */

static void removals_are_bound_in_order(void **state)
{
	struct past *past = *state;
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);

	deploy(past, "zeta", "node: n1\n");
	deploy(past, "alpha", "nodes: [n1, n2]\n");
	serve(past);
	take_away(past, "zeta");
	take_away(past, "alpha");
	assert_passes(past);
	guard_removals_json(past->out.removals, past->out.removals_n, &text);
	assert_string_equal(buf_str(&text), "[\"shop/prod/alpha@n1\",\"shop/prod/alpha@n2\","
					    "\"shop/prod/zeta@n1\"]");
}

#define WITH_PAST(name) cmocka_unit_test_setup_teardown(name, make_past, free_past)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAST(a_deleted_document_explains_its_removal),
		WITH_PAST(so_does_a_document_that_has_slots_elsewhere),
		WITH_PAST(three_may_go_at_once_a_fourth_may_not),
		WITH_PAST(four_may_go_where_they_are_few),
		WITH_PAST(a_stage_that_vanishes_is_held),
		WITH_PAST(a_label_that_selects_nothing_is_in_use),
		WITH_PAST(an_approval_lets_its_removals_go),
		WITH_PAST(also_in_later_commits_that_remove_no_more),
		WITH_PAST(not_in_those_that_remove_more),
		WITH_PAST(an_approval_of_nothing_approves_no_removal),
		WITH_PAST(the_trailer_names_the_stage),
		WITH_PAST(a_protected_deployment_goes_only_with_approve),
		WITH_PAST(a_protected_stage_protects_all_of_it),
		WITH_PAST(protection_is_judged_by_what_was_in_force),
		WITH_PAST(a_new_prefix_waits_everything_else_does_not),
		WITH_PAST(an_approved_removal_brings_no_prefix_along),
		WITH_PAST(removals_are_bound_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

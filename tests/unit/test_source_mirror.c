#include "tests/support/test.h"
#include "tests/support/shell.h"

#include "base/fs.h"
#include "source/mirror.h"

static const char url[] = "https://git.example.org/config.git";

static int setup(void **state)
{
	*state = test_folder();
	return 0;
}

static int teardown(void **state)
{
	char *folder = *state;

	test_folder_remove(&folder);
	return 0;
}

static void open_it(struct mirror *mirror, const char *state_dir, const char *branch)
{
	struct err err = ERR_INIT;

	assert_done(mirror_open(mirror, state_dir, url, branch, &err), err);
}

/* A commit in the mirror with one file, whose blob is there if `whole`. */
static struct oid receive(const struct mirror *mirror, const char *text, bool whole)
{
	return test_shell_id(mirror->path,
			     "blob=$(echo %s | git hash-object %s --stdin)\n"
			     "tree=$(printf '100644 blob %%s\\ta.yaml\\n' $blob |\n"
			     "  git mktree --missing)\n"
			     "git commit-tree -m %s $tree",
			     text, whole ? "-w" : "", text);
}

static void test_moves(void **state)
{
	struct mirror mirror CLEANUP(mirror_release) = {0};
	struct err err = ERR_INIT;
	struct oid commit, tip;

	open_it(&mirror, *state, "main");
	tip = mirror_tip(&mirror);
	assert_true(oid_is_zero(&tip));
	commit = receive(&mirror, "one", true);
	assert_done(mirror_move(&mirror, &commit, &err), err);
	mirror_release(&mirror);
	open_it(&mirror, *state, "main");
	tip = mirror_tip(&mirror);
	assert_true(oid_eq(&tip, &commit));
}

/* What was received of it would pass for known in every later fetch. */
static void test_incomplete_is_thrown_away(void **state)
{
	struct mirror mirror CLEANUP(mirror_release) = {0};
	struct err err = ERR_INIT;
	struct oid whole, half, tip;

	open_it(&mirror, *state, "main");
	whole = receive(&mirror, "whole", true);
	half = receive(&mirror, "half", false);
	assert_done(mirror_move(&mirror, &whole, &err), err);
	assert_fails(mirror_move(&mirror, &half, &err), err, E_REMOTE_UNREACHABLE);
	assert_false(fs_exists(mirror.path));
	mirror_release(&mirror);
	open_it(&mirror, *state, "main");
	tip = mirror_tip(&mirror);
	assert_true(oid_is_zero(&tip));
}

/* A branch can be a folder of another, and what a kill left behind is not in the way. */
static void test_branches_replace_each_other(void **state)
{
	static const char *const branches[] = {"a", "a/b/c", "a/b", "a"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(branches); i++) {
		struct mirror mirror CLEANUP(mirror_release) = {0};
		struct oid commit, tip;

		open_it(&mirror, *state, branches[i]);
		commit = receive(&mirror, branches[i], true);
		assert_done(mirror_move(&mirror, &commit, &err), err);
		tip = mirror_tip(&mirror);
		assert_true(oid_eq(&tip, &commit));
		test_run(mirror.path, "test $(git for-each-ref | wc -l) = 1\n"
				      "echo half >ref.new; echo x >objects/pack/pack_git2_x");
	}
}

static void test_names_that_cannot_be_branches(void **state)
{
	static const char *const bad[] = {"",	"..", "a..b",	"a b", "a~1",
					  "/a", "a/", "x.lock", "\n"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct mirror mirror CLEANUP(mirror_release) = {0};

		assert_fails(mirror_open(&mirror, *state, url, bad[i], &err), err, E_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_incomplete_is_thrown_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_branches_replace_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_that_cannot_be_branches, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

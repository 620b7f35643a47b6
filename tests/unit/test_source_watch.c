#include "tests/support/test.h"
#include "tests/support/shell.h"

#include <poll.h>
#include <unistd.h>

#include "source/watch.h"

#define PATIENCE_MS 10000

/* The bare repository "bare.git" with one commit on main, and "work", a clone that can push to it.
 */
struct world {
	char *folder;
	struct ref_watch *watch;
};

static int setup(void **state)
{
	struct world *world = mem_zalloc(1, sizeof *world);

	world->folder = test_folder();
	test_run(world->folder,
		 "git init -q --bare bare.git; git clone -q bare.git work 2>&1\n"
		 "cd work; git commit -q --allow-empty -m 1; git push -q origin main");
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	ref_watch_close(&world->watch);
	test_folder_remove(&world->folder);
	free(world);
	return 0;
}

static void watch(struct world *world, const char *name, const char *branch)
{
	char *path AUTO_FREE = test_path(world->folder, name);
	struct repo *repo AUTO_REPO = NULL;
	struct err err = ERR_INIT;

	assert_done(repo_open(path, NULL, &repo, &err), err);
	assert_done(ref_watch_open(repo, branch, &world->watch, &err), err);
	assert_int_equal(ref_watch_read(world->watch, &err), 0);
}

/* Reads until it says `wanted` or nothing comes any more. */
static void await(struct world *world, int wanted)
{
	struct pollfd ready = {.fd = ref_watch_fd(world->watch), .events = POLLIN};
	struct err err = ERR_INIT;

	while (poll(&ready, 1, PATIENCE_MS) == 1) {
		if (ref_watch_read(world->watch, &err) == wanted)
			return;
	}
	fail_msg("never %d", wanted);
}

/* The queue is emptied, and nothing in it was about the branch. */
static void assert_quiet(struct world *world)
{
	struct err err = ERR_INIT;

	assert_int_equal(ref_watch_read(world->watch, &err), 0);
}

static void drain(struct world *world)
{
	(void)ref_watch_read(world->watch, NULL);
}

static void test_push(void **state)
{
	struct world *world = *state;

	watch(world, "bare.git", "main");
	for (int i = 0; i < 3; i++) {
		test_run(world->folder, "cd work; git commit -q --allow-empty -m x; git push -q");
		await(world, 1);
		drain(world);
	}
}

static void test_other_branches_do_not_matter(void **state)
{
	struct world *world = *state;

	watch(world, "bare.git", "main");
	test_run(world->folder, "cd work; git push -q origin main:other main:main2; git tag v1\n"
				"git push -q origin v1; git push -q origin main:refs/heads/x/main\n"
				"git push -q origin :other");
	assert_quiet(world);
}

static void test_packed_refs(void **state)
{
	struct world *world = *state;

	watch(world, "bare.git", "main");
	test_run(world->folder, "git -C bare.git pack-refs --all");
	await(world, 1);
	drain(world);
	test_run(world->folder, "cd work; git commit -q --allow-empty -m x; git push -q");
	await(world, 1);
	drain(world);
	test_run(world->folder,
		 "cd bare.git; new=$(git commit-tree -m y main:); git pack-refs --all\n"
		 "sed \"s/^[0-9a-f]* refs.heads.main/$new refs\\/heads\\/main/\" "
		 "packed-refs >p; mv p packed-refs");
	await(world, 1);
}

static void test_branch_in_a_folder(void **state)
{
	struct world *world = *state;

	watch(world, "bare.git", "feature/deep/x");
	for (int i = 0; i < 3; i++) {
		test_run(world->folder, "cd work; git push -q origin main:feature/deep/x");
		await(world, 1);
		drain(world);
		test_run(world->folder, "cd work; git push -q origin main:feature/deep/y\n"
					"git push -q origin :feature/deep/x");
		await(world, 1);
		drain(world);
		test_run(world->folder, "cd work; git push -q origin :feature/deep/y\n"
					"test ! -e ../bare.git/refs/heads/feature");
		drain(world);
	}
}

static void test_deleted_and_made_again(void **state)
{
	struct world *world = *state;

	watch(world, "bare.git", "main");
	test_run(world->folder, "git -C bare.git update-ref -d refs/heads/main");
	await(world, 1);
	drain(world);
	test_run(world->folder, "cd bare.git; rm -r refs/heads; mkdir refs/heads");
	await(world, 1);
	drain(world);
	test_run(world->folder, "cd work; git push -q origin main");
	await(world, 1);
}

static void test_not_bare(void **state)
{
	struct world *world = *state;

	watch(world, "work", "main");
	test_run(world->folder, "cd work; echo x >f; git add f; git stash -q; git branch b");
	assert_quiet(world);
	test_run(world->folder, "cd work; git commit -q --allow-empty -m x");
	await(world, 1);
}

static void test_head_of_a_worktree(void **state)
{
	struct world *world = *state;

	test_run(world->folder, "cd work; git worktree add -q ../tree -b other");
	watch(world, "tree", NULL);
	test_run(world->folder, "cd work; git commit -q --allow-empty -m x");
	assert_quiet(world);
	test_run(world->folder, "cd tree; git commit -q --allow-empty -m x");
	await(world, 1);
	drain(world);
	test_run(world->folder, "cd tree; git checkout -q -b third");
	await(world, 1);
	drain(world);
	test_run(world->folder, "cd tree; git commit -q --allow-empty -m x");
	await(world, 1);
	drain(world);
	test_run(world->folder, "cd tree; git checkout -q --detach");
	await(world, 1);
	drain(world);
	test_run(world->folder, "cd tree; git commit -q --allow-empty -m x");
	await(world, 1);
}

static void replace_and_push(struct world *world, const char *script)
{
	test_run(world->folder, "%s", script);
	await(world, -1);
	drain(world);
	assert_quiet(world);
	test_run(world->folder,
		 "cd work; git commit -q --allow-empty -m x; git push -qf origin main");
	await(world, 1);
	drain(world);
}

static void test_repository_replaced(void **state)
{
	struct world *world = *state;

	watch(world, "bare.git", "main");
	replace_and_push(world, "cp -r bare.git new; mv bare.git old; mv new bare.git");
	replace_and_push(world, "rm -r bare.git; git init -q --bare bare.git");
	replace_and_push(world, "mv bare.git away; git clone -q --bare work bare.git");
}

static void test_repository_gone_for_a_while(void **state)
{
	struct world *world = *state;
	struct err err = ERR_INIT;

	watch(world, "bare.git", "main");
	test_run(world->folder, "mv bare.git away");
	await(world, -1);
	assert_fails(ref_watch_read(world->watch, &err), err, E_REPO_UNREADABLE);
	replace_and_push(world, "mkdir bare.git; mv away/* bare.git");
}

static void test_worktree_folder_replaced(void **state)
{
	struct world *world = *state;

	watch(world, "work", "main");
	test_run(world->folder, "mv work away");
	await(world, -1);
	drain(world);
	test_run(world->folder, "cp -r away work");
	await(world, -1);
	drain(world);
	test_run(world->folder, "cd work; git commit -q --allow-empty -m x");
	await(world, 1);
}

/* More events than the queue holds: said once, and nothing is missed afterwards. */
static void test_overflow(void **state)
{
	struct world *world = *state;
	char *limit AUTO_FREE =
		test_shell(world->folder, "cat /proc/sys/fs/inotify/max_queued_events");
	struct err err = ERR_INIT;

	if (strlen(limit) > 5)
		SKIP_BECAUSE("the system's queue for events is too long to be filled");
	watch(world, "bare.git", "main");
	test_run(world->folder,
		 "cd bare.git/refs/heads\n"
		 "for ((i = 0; i < %s + 100; i++)); do : >t$((i %% 2)); done; rm t?",
		 limit);
	assert_int_equal(ref_watch_read(world->watch, &err), -1);
	assert_non_null(strstr(err.text, "lost"));
	assert_quiet(world);
	test_run(world->folder, "cd work; git commit -q --allow-empty -m x; git push -q");
	await(world, 1);
}

static void test_a_mirror_cannot_be_watched(void **state)
{
	struct world *world = *state;
	struct repo *repo AUTO_REPO = NULL;
	struct err err = ERR_INIT;

	assert_done(repo_open("https://git.example.org/a", world->folder, &repo, &err), err);
	assert_fails(ref_watch_open(repo, "main", &world->watch, &err), err, E_NOT_SUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_push, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_branches_do_not_matter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packed_refs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_branch_in_a_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deleted_and_made_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_bare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_head_of_a_worktree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repository_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repository_gone_for_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(test_worktree_folder_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_mirror_cannot_be_watched, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/test.h"
#include "tests/support/shell.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "source/repo.h"
#include "source/tree.h"

struct world {
	char *folder; /* holds the repository "r" and the state directory "state" */
	struct repo *repo;
	struct arena *arena;
};

static void reopen(struct world *world)
{
	char *path AUTO_FREE = test_path(world->folder, "r");
	char *state_dir AUTO_FREE = test_path(world->folder, "state");
	struct err err = ERR_INIT;

	repo_close(&world->repo);
	assert_done(repo_open(path, state_dir, &world->repo, &err), err);
}

static int setup(void **state)
{
	struct world *world = mem_zalloc(1, sizeof *world);

	world->folder = test_folder();
	world->arena = arena_new(0);
	test_run(world->folder, "mkdir -m 700 state; git init -q r; cd r; mkdir -p a/b\n"
				"echo one >a/b/x.yaml; echo two >y.yml; echo big >data.bin\n"
				"git add .; git commit -qm base");
	reopen(world);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	repo_close(&world->repo);
	arena_free(world->arena);
	test_folder_remove(&world->folder);
	free(world);
	return 0;
}

/* One more commit on main. */
static struct oid commit(const struct world *world, const char *text)
{
	return test_shell_id(world->folder,
			     "cd r; echo %s >a/b/x.yaml; git commit -qam %s; git rev-parse HEAD",
			     text, text);
}

/* A commit that is nobody's any more, and what is left after git gc. */
static void forget_history(const struct world *world)
{
	test_run(world->folder, "cd r; git checkout -q --orphan fresh; git rm -rqf .\n"
				"echo z >z.yaml; git add .; git commit -qm fresh\n"
				"git branch -M fresh main; git reflog expire --all --expire=now\n"
				"git gc -q --prune=now");
}

static void assert_readable(const struct world *world, const struct oid *id, const char *text)
{
	struct buf out AUTO_BUF = BUF_INIT(64);
	struct commit_info info;
	struct err err = ERR_INIT;
	struct tree tree;

	assert_done(tree_list(world->repo, id, NULL, 100, world->arena, &tree, &err), err);
	assert_int_equal(tree.entries_n, 2);
	assert_string_equal(tree.entries[0].path, "a/b/x.yaml");
	assert_done(repo_blob(world->repo, &tree.entries[0].blob, 64, &out, &err), err);
	assert_int_equal(strncmp(buf_str(&out), text, strlen(text)), 0);
	assert_done(repo_commit(world->repo, id, world->arena, &info, &err), err);
}

static void assert_gone(const struct world *world, const struct oid *id)
{
	struct err err = ERR_INIT;
	struct tree tree;

	assert_fails(tree_list(world->repo, id, NULL, 100, world->arena, &tree, &err), err,
		     E_REPO_UNREADABLE);
}

static void test_survives_force_push_and_gc(void **state)
{
	struct world *world = *state;
	struct oid kept = commit(world, "kept"), lost = commit(world, "lost"), tip;
	const char *path = "z.yaml", **values;
	struct commit_info info;
	struct err err = ERR_INIT;
	size_t n;

	assert_done(repo_keep(world->repo, NULL, &kept, 1, &err), err);
	forget_history(world);
	repo_refresh(world->repo);
	assert_readable(world, &kept, "kept");
	assert_gone(world, &lost);
	reopen(world);
	assert_readable(world, &kept, "kept");

	/* its ancestors are gone, and no question about history fails because of that */
	assert_done(repo_branch(world->repo, "main", &tip, &err), err);
	assert_int_equal(repo_descends(world->repo, &tip, &kept, &err), 0);
	assert_done(repo_trailers(world->repo, &tip, &kept, "X", world->arena, &values, &n, &err),
		    err);
	assert_done(repo_last_touch(world->repo, &tip, &kept, &path, 1, world->arena, &info, &err),
		    err);
	assert_string_equal(info.subject, "fresh");
}

static void test_only_manifests_are_copied(void **state)
{
	struct world *world = *state;
	struct oid kept = commit(world, "kept");
	struct err err = ERR_INIT;

	assert_done(repo_keep(world->repo, NULL, &kept, 1, &err), err);
	test_run(world->folder, "cd state/objects.git; test \"$(stat -c %%a .)\" = 700\n"
				"git cat-file -e $(git -C ../../r rev-parse HEAD:y.yml)\n"
				"! git cat-file -e $(git -C ../../r rev-parse HEAD:data.bin)\n"
				"! git cat-file -e $(git -C ../../r rev-parse HEAD~)");
}

static void test_another_process_sees_it(void **state)
{
	struct world *world = *state;
	struct oid kept = commit(world, "kept");
	char *path AUTO_FREE = test_path(world->folder, "r");
	char *state_dir AUTO_FREE = test_path(world->folder, "state");
	struct repo *keeper AUTO_REPO = NULL;
	struct err err = ERR_INIT;

	assert_done(repo_open(path, state_dir, &keeper, &err), err);
	assert_done(repo_keep(keeper, NULL, &kept, 1, &err), err);
	forget_history(world);
	repo_refresh(world->repo);
	assert_readable(world, &kept, "kept");
}

static void test_without_state_nothing_is_kept(void **state)
{
	struct world *world = *state;
	struct oid kept = commit(world, "kept");
	char *path AUTO_FREE = test_path(world->folder, "r");
	struct repo *repo AUTO_REPO = NULL;
	struct err err = ERR_INIT;

	assert_done(repo_open(path, NULL, &repo, &err), err);
	assert_done(repo_keep(repo, NULL, &kept, 1, &err), err);
	test_run(world->folder, "test -z \"$(ls state)\"");
}

/* Nothing new is written for what is there already. */
static void test_keeping_again_is_free(void **state)
{
	struct world *world = *state;
	struct oid kept[2] = {commit(world, "first"), commit(world, "second")};
	struct err err = ERR_INIT;

	assert_done(repo_keep(world->repo, NULL, kept, 2, &err), err);
	test_run(world->folder, "ls -lR --time-style=full-iso state/objects.git >before");
	assert_done(repo_keep(world->repo, NULL, kept, 2, &err), err);
	test_run(world->folder, "ls -lR --time-style=full-iso state/objects.git >after\n"
				"grep -v '^d.* [.]*$' before >b; grep -v '^d.* [.]*$' after >a\n"
				"diff <(grep pack- b) <(grep pack- a)");
}

static void test_growth_is_bounded(void **state)
{
	struct world *world = *state;
	struct oid first = commit(world, "first"), last = first;
	struct err err = ERR_INIT;
	char text[32];

	for (int i = 0; i < 120; i++) {
		struct oid both[2];

		snprintf(text, sizeof text, "change%d", i);
		last = commit(world, text);
		both[0] = first;
		both[1] = last;
		assert_done(repo_keep(world->repo, NULL, both, 2, &err), err);
	}
	test_run(world->folder,
		 "cd state/objects.git; test $(ls objects/pack/*.pack | wc -l) -le 51\n"
		 "test $(ls refs/keep | wc -l) = 2\n"
		 "test $(ls objects/pack/*.pack | wc -l) = "
		 "$(ls objects/pack/*.idx | wc -l)\n"
		 "git count-objects -v | grep -q 'garbage: 0'");
	forget_history(world);
	repo_refresh(world->repo);
	assert_readable(world, &first, "first");
	assert_readable(world, &last, "change119");
}

/* A reader that has the old packs open goes on when they are replaced. */
static void test_reader_survives_repacking(void **state)
{
	struct world *world = *state;
	struct oid kept = commit(world, "kept");
	char *path AUTO_FREE = test_path(world->folder, "r");
	char *state_dir AUTO_FREE = test_path(world->folder, "state");
	struct repo *keeper AUTO_REPO = NULL;
	struct err err = ERR_INIT;

	assert_done(repo_open(path, state_dir, &keeper, &err), err);
	assert_done(repo_keep(keeper, NULL, &kept, 1, &err), err);
	for (int i = 0; i < 60; i++) {
		struct oid both[2] = {kept, commit(world, i % 2 ? "odd" : "even")};
		char name[32];

		snprintf(name, sizeof name, "n%d", i);
		both[1] = commit(world, name);
		assert_done(repo_keep(keeper, NULL, both, 2, &err), err);
		if (i == 30) { /* packs are known to the reader, some of them not yet opened */
			repo_refresh(world->repo);
			assert_readable(world, &kept, "kept");
		}
	}
	test_run(world->folder, "test $(ls state/objects.git/objects/pack/*.pack | wc -l) -lt 20");
	forget_history(world);
	assert_readable(world, &kept, "kept");
}

static void test_missing_commit(void **state)
{
	struct world *world = *state;
	struct oid none = {{1}}, kept = commit(world, "kept"), both[2];
	struct err err = ERR_INIT;

	assert_done(repo_keep(world->repo, NULL, &kept, 1, &err), err);
	both[0] = kept;
	both[1] = none;
	assert_fails(repo_keep(world->repo, NULL, both, 2, &err), err, E_REPO_UNREADABLE);
	forget_history(world);
	repo_refresh(world->repo);
	assert_readable(world, &kept, "kept");
}

static void test_no_commit_at_all(void **state)
{
	struct world *world = *state;
	struct oid keep[3] = {{{0}}, commit(world, "kept"), {{0}}};
	struct err err = ERR_INIT;

	assert_done(repo_keep(world->repo, NULL, keep, 1, &err), err);
	test_run(world->folder, "! ls state/objects.git/refs/keep/* 2>&1");
	assert_done(repo_keep(world->repo, NULL, keep, 3, &err), err);
	test_run(world->folder, "test $(ls state/objects.git/refs/keep | wc -l) = 1");
	assert_done(repo_keep(world->repo, NULL, NULL, 0, &err), err);
	test_run(world->folder, "test -z \"$(ls state/objects.git/refs/keep)\"");
}

/* What was kept can be kept on when the repository itself has lost it. */
static void test_kept_stays_kept(void **state)
{
	struct world *world = *state;
	struct oid both[2] = {commit(world, "kept")};
	struct err err = ERR_INIT;

	assert_done(repo_keep(world->repo, NULL, both, 1, &err), err);
	forget_history(world);
	reopen(world);
	assert_done(repo_branch(world->repo, "main", &both[1], &err), err);
	assert_done(repo_keep(world->repo, NULL, both, 2, &err), err);
	assert_readable(world, &both[0], "kept");
}

static void test_leftovers_are_swept(void **state)
{
	struct world *world = *state;
	struct oid kept = commit(world, "kept");
	struct err err = ERR_INIT;

	assert_done(repo_keep(world->repo, NULL, &kept, 1, &err), err);
	test_run(world->folder, "cd state/objects.git; echo x >objects/pack/pack_git2_abc123\n"
				"touch objects/pack/pack-0123.idx\n"
				"echo y >ref.new; touch refs/keep/nonsense");
	assert_done(repo_keep(world->repo, NULL, &kept, 1, &err), err);
	test_run(world->folder, "cd state/objects.git; test ! -e objects/pack/pack_git2_abc123\n"
				"test ! -e objects/pack/pack-0123.idx\n"
				"test ! -e refs/keep/nonsense");
}

static void keep_in_child(void *arg)
{
	struct world *world = arg;
	struct oid ids[20];
	struct err err = ERR_INIT;
	char rev[32];

	alarm(0);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		snprintf(rev, sizeof rev, "main~%zu", i);
		if (repo_revision(world->repo, rev, &ids[i], &err) != 0)
			_exit(1);
	}
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		(void)repo_keep(world->repo, NULL, ids, i + 1, &err);
}

/* Killed at many moments, the store is always one that the next call can go on with. */
static void test_killed_while_writing(void **state)
{
	struct world *world = *state;
	struct oid last = {{0}};
	struct err err = ERR_INIT;
	char text[32];

	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof text, "change%d", i);
		last = commit(world, text);
	}
	for (unsigned i = 0; i < 12; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			keep_in_child(world);
			_exit(0);
		}
		usleep(500 * (1u << (i % 6)) + 137 * i);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		reopen(world);
		assert_done(repo_keep(world->repo, NULL, &last, i % 2, &err), err);
	}
	assert_done(repo_keep(world->repo, NULL, &last, 1, &err), err);
	test_run(world->folder, "cd state/objects.git; git count-objects -v | grep 'garbage: 0'\n"
				"for p in objects/pack/*.idx; do git verify-pack $p; done");
	forget_history(world);
	reopen(world);
	assert_readable(world, &last, "change19");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_survives_force_push_and_gc, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_manifests_are_copied, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_process_sees_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_state_nothing_is_kept, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_keeping_again_is_free, setup, teardown),
		cmocka_unit_test_setup_teardown(test_growth_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reader_survives_repacking, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_commit_at_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kept_stays_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leftovers_are_swept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_while_writing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Folders with a Compose file: listed as one, read as a whole, kept as a whole. */
#include "tests/support/test.h"
#include "tests/support/shell.h"

#include "base/buf.h"
#include "source/tree.h"
#include "source/whole.h"

#define MANY 50000
#define WIKI "projects/p/stages/s/wiki"

struct world {
	char *folder;
	struct repo *repo;
	struct arena *arena;
};

static int setup(void **state)
{
	struct world *world = mem_zalloc(1, sizeof *world);
	char *path AUTO_FREE = NULL, *store AUTO_FREE = NULL;
	struct err err = ERR_INIT;

	world->folder = test_folder();
	test_run(world->folder, "git init -q r; mkdir state");
	path = test_path(world->folder, "r");
	store = test_path(world->folder, "state");
	assert_done(repo_open(path, store, &world->repo, &err), err);
	world->arena = arena_new(0);
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

/* A commit of what the script leaves in the working tree. */
static struct oid commit(const struct world *world, const char *script)
{
	return test_shell_id(world->folder,
			     "cd r; %s\ngit add -A .; git commit -qm x --allow-empty\n"
			     "git rev-parse HEAD",
			     script);
}

static struct tree list(const struct world *world, const struct oid *commit, const char *root)
{
	struct err err = ERR_INIT;
	struct tree tree;

	assert_done(tree_list(world->repo, commit, root, MANY, world->arena, &tree, &err), err);
	return tree;
}

/* "path path(whole) ! path is a symbolic link" */
static void tell(const struct tree *tree, struct buf *out)
{
	for (size_t i = 0; i < tree->entries_n; i++)
		buf_addf(out, "%s%s%s", out->len ? " " : "", tree->entries[i].path,
			 tree->entries[i].whole ? "(whole)" : "");
	for (size_t i = 0; i < tree->problems_n; i++)
		buf_addf(out, "%s! %s %s", out->len ? " " : "", tree->problems[i].path,
			 tree->problems[i].text);
}

static void assert_tree(const struct tree *tree, const char *wanted)
{
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

	tell(tree, &text);
	assert_string_equal(buf_str(&text), wanted);
}

static const struct tree_entry *find_whole(const struct tree *tree)
{
	for (size_t i = 0; i < tree->entries_n; i++) {
		if (tree->entries[i].whole)
			return &tree->entries[i];
	}
	fail_msg("no folder is read as a whole");
	return NULL;
}

#define STACK                                                                                      \
	"mkdir -p " WIKI "/conf/.d " WIKI "/.git-dir; cd " WIKI "\n"                               \
	"for f in compose.yaml deployment.yaml conf/prometheus.yml conf/a.txt .env "               \
	"conf/.d/x.yaml\n"                                                                         \
	"do echo $f >$f; done; cd ../../../../..\n"

static void test_one_entry_and_a_manifest(void **state)
{
	struct world *world = *state;
	struct oid id = commit(world, STACK "touch projects/p/stages/s/stage.yaml");
	struct tree tree = list(world, &id, NULL);

	assert_tree(&tree, "projects/p/stages/s/stage.yaml " WIKI "/compose.yaml(whole) " WIKI
			   "/deployment.yaml");
	assert_true(oid_eq(&find_whole(&tree)->blob, &(struct oid){0}) == false);
	id = test_shell_id(world->folder, "cd r; git rev-parse HEAD:" WIKI);
	assert_true(oid_eq(&find_whole(&tree)->blob, &id));
}

static void test_where_it_counts(void **state)
{
	static const char *const possible[] = {
		"projects/p/stages/s/wiki", "projects/p/stages/s/wiki/", "projects/p/products/web",
		"projects/p/products/web/1.0.0/", "projects/p/a/stages/x/y/z"};
	static const char *const ordinary[] = {"",
					       "projects",
					       "projects/p",
					       "projects/p/",
					       "projects/p/products/",
					       "projects/p/stages/s",
					       "projects/p/stages",
					       "projects/p/stages/s/",
					       "projects/p/stages/s/a/b/",
					       "nodes/a/b/c",
					       "project/p/products/web"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(possible); i++)
		assert_true(whole_possible(whole_place(possible[i])));
	for (size_t i = 0; i < ARRAY_LEN(ordinary); i++)
		assert_false(whole_possible(whole_place(ordinary[i])));
}

static void test_elsewhere_it_is_a_file(void **state)
{
	struct world *world = *state;
	struct oid id = commit(world, "mkdir -p projects/p/stages/s/a/b docs/x/y/z\n"
				      "touch projects/p/compose.yaml docs/x/y/z/compose.yaml\n"
				      "touch projects/p/stages/s/compose.yml\n"
				      "touch projects/p/stages/s/a/b/compose.yaml");
	struct tree tree = list(world, &id, NULL);

	assert_tree(&tree, "docs/x/y/z/compose.yaml projects/p/compose.yaml "
			   "projects/p/stages/s/a/b/compose.yaml projects/p/stages/s/compose.yml");
}

/* The same tree as an ordinary folder and as one that is read as a whole. */
static void test_the_same_tree_in_two_places(void **state)
{
	struct world *world = *state;
	struct oid id = commit(world, "mkdir -p a/b/c/d projects/p/products/web\n"
				      "touch projects/p/products/web/compose.yaml\n"
				      "touch projects/p/products/web/other.yaml\n"
				      "cp projects/p/products/web/* a/b/c/d\n"
				      "mkdir -p q/r/s; cp -r projects/p/products/web q/r/s");
	struct tree tree = list(world, &id, NULL);

	assert_tree(&tree, "a/b/c/d/compose.yaml a/b/c/d/other.yaml "
			   "projects/p/products/web/compose.yaml(whole) "
			   "q/r/s/web/compose.yaml q/r/s/web/other.yaml");
}

static void test_the_preferred_name(void **state)
{
	struct world *world = *state;
	struct oid id =
		commit(world, "mkdir -p " WIKI "; cd " WIKI "; touch docker-compose.yaml "
			      "docker-compose.yml; mkdir compose.yaml; touch compose.yaml/x");
	struct tree tree = list(world, &id, NULL);

	assert_tree(&tree, WIKI "/docker-compose.yml(whole)");
	id = commit(world, "touch " WIKI "/compose.yml");
	tree = list(world, &id, NULL);
	assert_tree(&tree, WIKI "/compose.yml(whole)");
}

static void test_problems_inside_are_told(void **state)
{
	struct world *world = *state;
	struct oid id = commit(world, STACK "ln -s /etc/passwd " WIKI "/conf/link");
	struct tree tree = list(world, &id, NULL);

	assert_tree(&tree, WIKI "/compose.yaml(whole) " WIKI "/deployment.yaml ! " WIKI
				"/conf/link is a symbolic link");
}

static void test_a_root_below(void **state)
{
	struct world *world = *state;
	struct oid id = commit(world, STACK "mkdir deploy; mv projects deploy/");
	struct tree tree = list(world, &id, "deploy");

	assert_tree(&tree, WIKI "/compose.yaml(whole) " WIKI "/deployment.yaml");
	tree = list(world, &id, NULL);
	assert_null(strstr(tree.entries[0].path, "whole"));
	assert_false(tree.entries[0].whole);
}

/* ---- reading ---- */

static void test_all_files_are_read(void **state)
{
	struct world *world = *state;
	struct oid id = commit(world, STACK);
	struct tree tree = list(world, &id, NULL);
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	struct err err = ERR_INIT;
	struct tree_file *files;
	size_t n;

	assert_done(tree_read_whole(world->repo, find_whole(&tree), world->arena, &files, &n, &err),
		    err);
	for (size_t i = 0; i < n; i++) {
		buf_addf(&text, "%s ", files[i].path);
		assert_int_equal(files[i].size, strlen(files[i].path) + 1);
		assert_memory_equal(files[i].bytes, files[i].path, files[i].size - 1);
	}
	assert_string_equal(buf_str(&text), ".env compose.yaml conf/.d/x.yaml conf/a.txt "
					    "conf/prometheus.yml deployment.yaml ");
	buf_clear(&text);
	assert_int_equal(tree_read(&tree, world->repo, WIKI "/conf/a.txt", &text), 0);
	assert_string_equal(buf_str(&text), "conf/a.txt\n");
	assert_int_equal(tree_read(&tree, world->repo, WIKI "/compose.yaml", &text), 0);
	assert_int_equal(tree_read(&tree, world->repo, WIKI "/conf", &text), -1);
	assert_int_equal(tree_read(&tree, world->repo, WIKI "/none", &text), -1);
	assert_int_equal(tree_read(&tree, world->repo, WIKI "/conf/a.txt/b", &text), -1);
	assert_int_equal(tree_read(&tree, world->repo, "projects/p/x", &text), -1);
}

static void test_large_files_are_left(void **state)
{
	struct world *world = *state;
	struct oid id =
		commit(world, STACK "head -c 1048577 /dev/zero >" WIKI "/large\n"
				    "for i in $(seq 20); do head -c 1000000 /dev/urandom >" WIKI
				    "/z$i; done");
	struct tree tree = list(world, &id, NULL);
	struct err err = ERR_INIT;
	struct tree_file *files;
	size_t n, bytes = 0, left = 0;

	assert_done(tree_read_whole(world->repo, find_whole(&tree), world->arena, &files, &n, &err),
		    err);
	assert_int_equal(n, 27);
	for (size_t i = 0; i < n; i++) {
		bytes += files[i].bytes ? files[i].size : 0;
		left += !files[i].bytes;
		assert_true(files[i].bytes || !str_eq(files[i].path, "compose.yaml"));
	}
	assert_true(bytes <= TREE_WHOLE_BYTES_MAX && bytes > TREE_WHOLE_BYTES_MAX - 1000000);
	assert_int_equal(left, 1 + 20 - 16);
}

/* A few kilobytes that spell out four billion folders. */
static void test_a_bomb(void **state)
{
	struct world *world = *state;
	struct oid tree = test_shell_id(
		world->folder, "cd r; t=$(git mktree </dev/null); for i in $(seq 30); do\n"
			       "t=$(printf '040000 tree %%s\\ta\\n040000 tree %%s\\tb\\n' $t $t | "
			       "git mktree); done; echo $t");
	struct tree_entry entry = {.path = "x/compose.yaml", .blob = tree, .whole = true};
	struct err err = ERR_INIT;
	struct tree_file *files;
	size_t n;

	assert_done(tree_read_whole(world->repo, &entry, world->arena, &files, &n, &err), err);
	assert_int_equal(n, 0);
}

/* ---- from one commit to the next ---- */

static void test_update_is_the_same_as_a_listing(void **state)
{
	static const char *const changes[] = {
		STACK,
		"echo 2 >" WIKI "/conf/a.txt",
		"mkdir -p " WIKI "/sub; echo x >" WIKI "/sub/x.yaml; ln -s x " WIKI "/sub/y",
		"git rm -q " WIKI "/compose.yaml",
		"echo x >" WIKI "/docker-compose.yml",
		"echo x >" WIKI "/compose.yml",
		"git rm -q " WIKI "/deployment.yaml",
		"git rm -q " WIKI "/compose.yml " WIKI "/docker-compose.yml; rm -f " WIKI "/sub/y",
		"git mv " WIKI "/conf " WIKI "/compose.yaml",
		"git mv projects/p/stages/s projects/p/stages/t",
		("mkdir -p projects/p/products/a; git mv projects/p/stages/t/wiki/sub "
		 "projects/p/products/a/b; touch projects/p/products/a/compose.yaml"),
	};
	struct world *world = *state;
	struct oid commits[ARRAY_LEN(changes)];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		commits[i] = commit(world, changes[i]);
	for (size_t i = 0; i < ARRAY_LEN(commits); i++) {
		for (size_t j = 0; j < ARRAY_LEN(commits); j++) {
			struct tree from = list(world, &commits[i], NULL), updated;
			struct tree wanted = list(world, &commits[j], NULL);
			struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

			assert_done(tree_update(world->repo, &commits[i], &from, &commits[j], NULL,
						MANY, world->arena, &updated, &err),
				    err);
			tell(&wanted, &text);
			assert_tree(&updated, buf_str(&text));
			for (size_t k = 0; k < wanted.entries_n; k++)
				assert_true(
					oid_eq(&updated.entries[k].blob, &wanted.entries[k].blob));
		}
	}
}

/* ---- keeping ---- */

/* What a force-push and git gc take away elsewhere. */
static void test_all_of_it_is_kept(void **state)
{
	struct world *world = *state;
	struct oid ordinary = commit(world, "mkdir -p a; echo x >a/data.bin; echo x >z.yaml");
	struct oid kept = commit(world, STACK "cp -r " WIKI " a/wiki");
	struct err err = ERR_INIT;

	assert_done(repo_keep(world->repo, NULL, &ordinary, 1, &err), err);
	assert_done(repo_keep(world->repo, NULL, &kept, 1, &err), err);
	test_run(world->folder,
		 "cd state/objects.git; for f in .env conf/a.txt conf/.d/x.yaml\n"
		 "do git cat-file -e $(git -C ../../r rev-parse HEAD:" WIKI "/$f); done\n"
		 "! git cat-file -e $(git -C ../../r rev-parse HEAD:a/data.bin)");
}

static void test_it_is_kept_below_a_root(void **state)
{
	struct world *world = *state;
	struct oid kept = commit(world, STACK "mkdir deploy; mv projects deploy");
	struct err err = ERR_INIT;

	assert_done(repo_keep(world->repo, NULL, &kept, 1, &err), err);
	test_run(world->folder,
		 "cd state/objects.git\n"
		 "! git cat-file -e $(git -C ../../r rev-parse HEAD:deploy/" WIKI "/conf/a.txt)");
	assert_done(repo_keep(world->repo, "deploy", &kept, 1, &err), err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_entry_and_a_manifest, setup, teardown),
		cmocka_unit_test(test_where_it_counts),
		cmocka_unit_test_setup_teardown(test_elsewhere_it_is_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_same_tree_in_two_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_preferred_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_problems_inside_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_root_below, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_files_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_files_are_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_bomb, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update_is_the_same_as_a_listing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_all_of_it_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_it_is_kept_below_a_root, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/test.h"
#include "tests/support/shell.h"

#include "base/buf.h"
#include "source/tree.h"

#define MANY 50000

struct world {
	char *folder;
	struct repo *repo;
	struct arena *arena;
};

/* The scripts below may use: tree (mktree from "mode name" lines on stdin, all with one blob). */
static const char prelude[] = "cd r; blob=$(echo 'kind: X' | git hash-object -w --stdin)\n"
			      "entry() { printf '%s %s %s\\t%b\\0' $1 $2 ${4:-$blob} \"$3\"; }\n"
			      "commit() { git commit-tree -m x $1; }\n"
			      "raw() { git hash-object -t tree --literally -w --stdin; }\n"
			      "bytes() { printf \"$(printf %s $1 | sed 's/../\\\\x&/g')\"; }\n";

static int setup(void **state)
{
	struct world *world = mem_zalloc(1, sizeof *world);
	char *path AUTO_FREE = NULL;
	struct err err = ERR_INIT;

	world->folder = test_folder();
	test_run(world->folder, "git init -q r");
	path = test_path(world->folder, "r");
	assert_done(repo_open(path, NULL, &world->repo, &err), err);
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

static struct oid make(const struct world *world, const char *script)
{
	return test_shell_id(world->folder, "%s%s", prelude, script);
}

static struct tree list(const struct world *world, const struct oid *commit, const char *root)
{
	struct err err = ERR_INIT;
	struct tree tree;

	assert_done(tree_list(world->repo, commit, root, MANY, world->arena, &tree, &err), err);
	return tree;
}

/* The listing as a text: "path path ! path is a symbolic link". */
static void assert_tree(const struct tree *tree, const char *wanted)
{
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

	for (size_t i = 0; i < tree->entries_n; i++)
		buf_addf(&text, "%s%s", text.len ? " " : "", tree->entries[i].path);
	for (size_t i = 0; i < tree->problems_n; i++)
		buf_addf(&text, "%s! %s %s", text.len ? " " : "", tree->problems[i].path,
			 tree->problems[i].text);
	assert_string_equal(buf_str(&text), wanted);
}

static void assert_same(const struct tree *a, const struct tree *b)
{
	assert_int_equal(a->entries_n, b->entries_n);
	assert_int_equal(a->problems_n, b->problems_n);
	for (size_t i = 0; i < a->entries_n; i++) {
		assert_string_equal(a->entries[i].path, b->entries[i].path);
		assert_true(oid_eq(&a->entries[i].blob, &b->entries[i].blob));
	}
	for (size_t i = 0; i < a->problems_n; i++) {
		assert_string_equal(a->problems[i].path, b->problems[i].path);
		assert_string_equal(a->problems[i].text, b->problems[i].text);
	}
}

/* ---------------------------------------------------------------- what is listed */

static void test_manifests_in_order(void **state)
{
	struct world *world = *state;
	struct oid commit = make(
		world,
		"mkdir -p a/b .github x.yaml\n"
		"touch a.yaml a-b.yaml a0.yaml a/z.yml a/b/c.yaml a/b/c.yaml.bak .hidden.yaml\n"
		"touch README.md .github/ci.yaml x.yaml/y.yaml yaml .yaml b.YAML\n"
		"git add .; git commit -qm x; git rev-parse HEAD");
	struct tree tree = list(world, &commit, NULL);

	assert_tree(&tree, "a-b.yaml a.yaml a/b/c.yaml a/z.yml a0.yaml x.yaml/y.yaml");
	for (size_t i = 1; i < tree.entries_n; i++)
		assert_true(strcmp(tree.entries[i - 1].path, tree.entries[i].path) < 0);
}

static void test_root(void **state)
{
	struct world *world = *state;
	struct oid commit = make(world, "mkdir -p deploy/.x/y; ln -s nowhere link\n"
					"touch top.yaml deploy/a.yaml deploy/.x/y/b.yaml\n"
					"git add .; git commit -qm x; git rev-parse HEAD");
	static const char *const absent[] = {"none", "deploy/none", "top.yaml", "link",
					     "deploy/a.yaml"};
	static const char *const refused[] = {"..", "/", "deploy/", "deploy/../deploy", "/deploy"};
	struct err err = ERR_INIT;
	struct tree tree = list(world, &commit, "deploy");

	assert_tree(&tree, "a.yaml");
	tree = list(world, &commit, "deploy/.x");
	assert_tree(&tree, "y/b.yaml");
	tree = list(world, &commit, ".");
	assert_tree(&tree, "deploy/a.yaml top.yaml ! link is a symbolic link");
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		assert_fails(
			tree_list(world->repo, &commit, absent[i], MANY, world->arena, &tree, &err),
			err, E_NOT_FOUND);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_fails(tree_list(world->repo, &commit, refused[i], MANY, world->arena, &tree,
				       &err),
			     err, E_USAGE);
}

static void test_empty(void **state)
{
	struct world *world = *state;
	struct oid commit = make(world, "commit $(git mktree </dev/null)");
	struct tree tree = list(world, &commit, NULL);

	assert_int_equal(tree.entries_n + tree.problems_n, 0);
}

static void test_missing_objects(void **state)
{
	struct world *world = *state;
	struct oid none = {{1}}, commit;
	struct err err = ERR_INIT;
	struct tree tree;

	assert_fails(tree_list(world->repo, &none, NULL, MANY, world->arena, &tree, &err), err,
		     E_REPO_UNREADABLE);
	commit = make(world, "gone=1234567812345678123456781234567812345678\n"
			     "commit $(entry 40000 tree sub $gone | git mktree -z --missing)");
	assert_fails(tree_list(world->repo, &commit, NULL, MANY, world->arena, &tree, &err), err,
		     E_REPO_UNREADABLE);
}

/* ---------------------------------------------------------------- what is refused */

static void test_hostile_entries(void **state)
{
	struct world *world = *state;
	struct oid commit = make(
		world, "sub=$(git commit-tree -m s $(git mktree </dev/null))\n"
		       "good=$(entry 100644 blob ok.yaml | git mktree -z)\n"
		       "inner=$({ entry 120000 blob l.yaml; entry 160000 commit m $sub\n"
		       "  entry 100755 blob run.yaml; } | git mktree -z)\n"
		       "commit $({ entry 40000 tree .dot $inner; entry 40000 tree good $good\n"
		       "  entry 40000 tree in $inner; entry 100644 blob 'a\\x1b[31m.yaml'\n"
		       "  entry 100644 blob 'nl\\nx'; entry 40000 tree 'c1\\xc2\\x9b' $good\n"
		       "  entry 100644 blob 'latin\\xff.yaml'; entry 40000 tree 'tab\\t' $good\n"
		       "  } | git mktree -z)");
	struct tree tree = list(world, &commit, NULL);

	assert_tree(&tree, "good/ok.yaml in/run.yaml"
			   " ! a\\x1b[31m.yaml has a control character in its name"
			   " ! c1\\xc2\\x9b has a control character in its name"
			   " ! in/l.yaml is a symbolic link"
			   " ! in/m is a submodule"
			   " ! latin\\xff.yaml has a name that is not UTF-8"
			   " ! nl\\x0ax has a control character in its name"
			   " ! tab\\x09 has a control character in its name");
}

/* Names that no git would write: the bytes of the tree are made by hand. */
static void test_names_that_lead_out(void **state)
{
	static const struct {
		const char *entry, *shown;
	} rows[] = {
		{"100644 ..", "! p/.. has a name that could lead out of its folder"},
		{"40000 ..", "! p/.. has a name that could lead out of its folder"},
		{"100644 .", "! p/. has a name that could lead out of its folder"},
		{"100644 ../../x.yaml",
		 "! p/../../x.yaml has a name that could lead out of its folder"},
		{"100644 a/b.yaml", "! p/a/b.yaml has a name that could lead out of its folder"},
		{"100644 /etc", "! p//etc has a name that could lead out of its folder"},
		{"40000 .git", ""},
		{"100644 .git", ""},
		{"010000 fifo.yaml", "! p/fifo.yaml is neither a file nor a folder"},
		{"60000 disk.yaml", "! p/disk.yaml is neither a file nor a folder"},
		{"100664 old.yaml", "p/old.yaml"},
		{"0100644 zero.yaml", "p/zero.yaml"},
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct oid commit =
			test_shell_id(world->folder,
				      "%sbad=$({ printf '%s\\0'; bytes $blob; } | raw)\n"
				      "commit $(entry 40000 tree p $bad | git mktree -z)",
				      prelude, rows[i].entry);
		struct tree tree = list(world, &commit, NULL);

		assert_tree(&tree, rows[i].shown);
	}
}

static void test_malformed_trees(void **state)
{
	static const char *const bad[] = {
		"printf '100644 a.yaml'",
		"printf '100644 a.yaml\\0short'",
		"{ printf '100644 \\0'; bytes $blob; }",
		"{ printf ' a.yaml\\0'; bytes $blob; }",
		"{ printf '100944 a.yaml\\0'; bytes $blob; }",
		"{ printf '777777777 a.yaml\\0'; bytes $blob; }",
		"{ printf '100644 b.yaml\\0'; bytes $blob; printf '100644 a.yaml\\0'; bytes $blob; "
		"}",
		"{ printf '100644 a.yaml\\0'; bytes $blob; printf '100644 a.yaml\\0'; bytes $blob; "
		"}",
	};
	struct world *world = *state;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct oid commit = test_shell_id(
			world->folder,
			"%sbad=$(%s | raw); good=$(entry 100644 blob ok.yaml | git mktree -z)\n"
			"commit $({ entry 40000 tree p $bad; entry 40000 tree q $good; } |\n"
			"  git mktree -z)",
			prelude, bad[i]);
		struct oid top =
			test_shell_id(world->folder, "%scommit $(%s | raw)", prelude, bad[i]);
		struct tree tree = list(world, &commit, NULL);

		assert_tree(&tree, "q/ok.yaml ! p/ is not a well-formed Git tree");
		assert_fails(tree_list(world->repo, &top, NULL, MANY, world->arena, &tree, &err),
			     err, E_REPO_HOSTILE);
	}
}

static void test_depth(void **state)
{
	static const char nest[] = "t=$(entry 100644 blob x.yaml | git mktree -z)\n"
				   "for i in $(seq %d); do\n"
				   "  t=$(entry 40000 tree d $t | git mktree -z); done; commit $t";
	struct world *world = *state;
	char *deep AUTO_FREE = mem_printf(nest, 40), *fits AUTO_FREE = mem_printf(nest, 32);
	struct oid commit = make(world, deep);
	struct tree tree = list(world, &commit, NULL);

	assert_int_equal(tree.entries_n, 0);
	assert_int_equal(tree.problems_n, 1);
	assert_int_equal(strlen(tree.problems[0].path), 2 * 33 - 1);
	assert_string_equal(tree.problems[0].text, "is nested deeper than 32 folders");
	commit = make(world, fits);
	tree = list(world, &commit, NULL);
	assert_int_equal(tree.entries_n, 1);
	assert_int_equal(tree.problems_n, 0);
}

/* Ten folders that are the same one, forty levels deep: 10^40 files in a few kilobytes. */
static void test_bomb(void **state)
{
	static const char bomb[] =
		"t=$(entry 100644 blob x%s | git mktree -z)\n"
		"for i in $(seq 30); do t=$(for n in 0 1 2 3 4 5 6 7 8 9; do\n"
		"  entry 40000 tree $n $t; done | git mktree -z); done; commit $t";
	struct world *world = *state;
	char *files AUTO_FREE = mem_printf(bomb, ".yaml"),
		    *nothing AUTO_FREE = mem_printf(bomb, "");
	struct oid commit = make(world, files);
	struct err err = ERR_INIT;
	struct tree tree;

	assert_fails(tree_list(world->repo, &commit, NULL, MANY, world->arena, &tree, &err), err,
		     E_TOO_LARGE);
	assert_non_null(strstr(err.text, "50000"));
	commit = make(world, nothing);
	tree = list(world, &commit, NULL);
	assert_int_equal(tree.entries_n + tree.problems_n, 0);
}

/* The same folder in several places is read once and given in all of them. */
static void test_shared_folders(void **state)
{
	struct world *world = *state;
	struct oid commit = make(world, "mkdir -p a/b/c; echo 1 >a/x.yaml; echo 2 >a/b/c/y.yaml\n"
					"ln -s z a/b/l; cp -r a zz; mkdir deep; cp -r a/b deep\n"
					"git add .; git commit -qm x; git rev-parse HEAD");
	struct tree tree = list(world, &commit, NULL);

	assert_tree(&tree, "a/b/c/y.yaml a/x.yaml deep/b/c/y.yaml zz/b/c/y.yaml zz/x.yaml"
			   " ! a/b/l is a symbolic link ! deep/b/l is a symbolic link"
			   " ! zz/b/l is a symbolic link");
}

static void test_long_names(void **state)
{
	struct world *world = *state;
	struct oid commit = make(world, "n=$(printf %0300d 0); m=${n:0:250}\n"
					"commit $({ entry 100644 blob $n.yaml\n"
					"  entry 100644 blob $m.yaml; } | git mktree -z)");
	struct tree tree = list(world, &commit, NULL);

	assert_int_equal(tree.entries_n, 1);
	assert_int_equal(tree.problems_n, 1);
	assert_string_equal(tree.problems[0].text, "has a name of more than 255 bytes");
}

static void test_too_many(void **state)
{
	struct world *world = *state;
	struct oid commit = make(world, "t=$(for i in $(seq 60000); do\n"
					"  printf '100644 blob %s\\tf%s.yaml\\n' $blob $i; done |\n"
					"  git mktree); commit $t");
	struct err err = ERR_INIT;
	struct tree tree;

	assert_fails(tree_list(world->repo, &commit, NULL, MANY, world->arena, &tree, &err), err,
		     E_TOO_LARGE);
	assert_done(tree_list(world->repo, &commit, NULL, 60000, world->arena, &tree, &err), err);
	assert_int_equal(tree.entries_n, 60000);
	assert_done(tree_list(world->repo, &commit, NULL, 0, world->arena, &tree, &err), err);
}

/* ---------------------------------------------------------------- from one commit to the next */

static void check_update(const struct world *world, const struct oid *from, const struct oid *to,
			 const char *root)
{
	struct tree before = list(world, from, root), whole = list(world, to, root), updated;
	struct err err = ERR_INIT;

	assert_done(tree_update(world->repo, from, &before, to, root, MANY, world->arena, &updated,
				&err),
		    err);
	assert_same(&updated, &whole);
}

static void test_update_is_the_same_as_a_listing(void **state)
{
	static const char *const changes[] = {
		"echo 2 >a/b/c.yaml",
		"echo 2 >new.yaml; mkdir -p zz; echo 2 >zz/new.yaml",
		"git rm -q a/b/c.yaml",
		"git rm -rqf a",
		"mkdir -p a/b; echo 3 >a/b/c.yaml; ln -s x a/link.yaml",
		"mkdir -p e/.dot; echo 1 >e/f.yaml; ln -s x e/z; ln -s y a/aa",
		"rm -f a/link.yaml; echo now a file >a/link.yaml",
		"git rm -q a/link.yaml; mkdir a/link.yaml; echo x >a/link.yaml/x.yaml",
		"git mv a ab",
		"git mv ab a-b; git mv e/f.yaml e/g.yml",
	};
	struct world *world = *state;
	struct oid commits[ARRAY_LEN(changes) + 1];

	commits[0] = make(world, "mkdir -p a/b c; for f in a/b/c a/d c/x c/y z; do\n"
				 "  echo $f >$f.yaml; done\n"
				 "git add .; git commit -qm x; git rev-parse HEAD");
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		commits[i + 1] = test_shell_id(world->folder,
					       "cd r; %s; git add -A .; git commit -qm x\n"
					       "git rev-parse HEAD",
					       changes[i]);
	for (size_t i = 0; i < ARRAY_LEN(commits); i++) {
		for (size_t j = 0; j < ARRAY_LEN(commits); j++) {
			check_update(world, &commits[i], &commits[j], NULL);
			check_update(world, &commits[i], &commits[j], "c");
		}
	}
}

/* Sub-trees that did not change are not read: here they are gone, and it works all the same. */
static void test_update_reads_only_what_changed(void **state)
{
	struct world *world = *state;
	struct oid first = make(world, "mkdir -p same/deep other; echo 1 >same/deep/a.yaml\n"
				       "echo 1 >other/b.yaml; git add .; git commit -qm x\n"
				       "git rev-parse HEAD");
	struct tree before = list(world, &first, NULL), after;
	struct oid second = make(world, "echo 2 >other/b.yaml; git commit -qam x\n"
					"for p in same/deep same; do t=$(git rev-parse HEAD:$p)\n"
					"  rm .git/objects/${t:0:2}/${t:2}; done\n"
					"git rev-parse HEAD");
	struct err err = ERR_INIT;

	assert_fails(tree_list(world->repo, &second, NULL, MANY, world->arena, &after, &err), err,
		     E_REPO_UNREADABLE);
	assert_done(tree_update(world->repo, &first, &before, &second, NULL, MANY, world->arena,
				&after, &err),
		    err);
	assert_tree(&after, "other/b.yaml same/deep/a.yaml");
	/* texts are shared, not copied */
	assert_ptr_equal(after.entries[1].path, before.entries[1].path);
}

static void test_update_from_a_commit_that_is_gone(void **state)
{
	struct world *world = *state;
	struct oid commit = make(world, "echo 1 >a.yaml; git add .; git commit -qm x\n"
					"git rev-parse HEAD");
	struct tree before = list(world, &commit, NULL), after;
	struct oid gone = {{1}};
	struct err err = ERR_INIT;

	assert_done(tree_update(world->repo, &gone, &before, &commit, NULL, MANY, world->arena,
				&after, &err),
		    err);
	assert_tree(&after, "a.yaml");
}

static void test_update_is_capped(void **state)
{
	struct world *world = *state;
	struct oid first = make(world, "mkdir s; for i in 1 2 3 4; do echo $i >s/$i.yaml; done\n"
				       "git add .; git commit -qm x; git rev-parse HEAD");
	struct oid second = make(world, "echo x >t.yaml; git add .; git commit -qm x\n"
					"git rev-parse HEAD");
	struct tree before = list(world, &first, NULL), after;
	struct err err = ERR_INIT;

	assert_fails(tree_update(world->repo, &first, &before, &second, NULL, 4, world->arena,
				 &after, &err),
		     err, E_TOO_LARGE);
	assert_done(tree_update(world->repo, &first, &before, &second, NULL, 5, world->arena,
				&after, &err),
		    err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_manifests_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_that_lead_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed_trees, setup, teardown),
		cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bomb, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_folders, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update_is_the_same_as_a_listing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_update_reads_only_what_changed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_update_from_a_commit_that_is_gone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_update_is_capped, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

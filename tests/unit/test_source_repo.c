#include "tests/support/test.h"
#include "tests/support/shell.h"

#include <dlfcn.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fs.h"
#include "source/repo.h"

/* Every test has a folder with the repository "work" (three commits on main) in it. */
struct world {
	char *folder;
	struct oid tip; /* of main */
};

static int setup(void **state)
{
	struct world *world = mem_zalloc(1, sizeof *world);

	world->folder = test_folder();
	world->tip = test_shell_id(
		world->folder, "git init -q work; cd work\n"
			       "for i in 1 2 3; do\n"
			       "  echo \"n: $i\" >a.yaml; git add .; git commit -qm \"change $i\"\n"
			       "done; git rev-parse HEAD");
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	test_folder_remove(&world->folder);
	free(world);
	return 0;
}

static struct repo *open_at(const struct world *world, const char *name)
{
	char *path AUTO_FREE = test_path(world->folder, name);
	struct repo *repo = NULL;
	struct err err = ERR_INIT;

	assert_done(repo_open(path, NULL, &repo, &err), err);
	return repo;
}

static void assert_branch(struct repo *repo, const char *branch, const struct oid *wanted)
{
	struct err err = ERR_INIT;
	struct oid id;

	assert_done(repo_branch(repo, branch, &id, &err), err);
	assert_true(oid_eq(&id, wanted));
}

/* ---------------------------------------------------------------- opening */

static void test_bare_and_not(void **state)
{
	struct world *world = *state;
	static const char *const names[] = {"work", "work/.git", "bare.git", "packed.git"};

	test_run(world->folder, "git clone -q --bare work bare.git\n"
				"git clone -q --bare work packed.git\n"
				"git -C packed.git pack-refs --all\n"
				"git -C packed.git gc -q\n"
				"test ! -e packed.git/refs/heads/main");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct repo *repo AUTO_REPO = open_at(world, names[i]);

		assert_branch(repo, "main", &world->tip);
	}
}

/* What the library starts with are our stand-ins: neither OpenSSL nor the machine's authorities. */
static void test_nothing_is_made_ready_that_is_not_used(void **state)
{
	static const char *const names[] = {"libssh2_init", "mbedtls_x509_crt_parse_file",
					    "mbedtls_x509_crt_parse_path"};
	Dl_info own, found;

	(void)state;
	assert_int_not_equal(dladdr((void *)(uintptr_t)repo_open, &own), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_not_equal(dladdr(dlsym(RTLD_DEFAULT, names[i]), &found), 0);
		assert_string_equal(found.dli_fname, own.dli_fname);
	}
}

/* Was the folder read since the last time? */
static bool was_read(int watch)
{
	_Alignas(struct inotify_event) char bytes[16384];
	bool any = false;

	while (read(watch, bytes, sizeof bytes) > 0)
		any = true;
	return any;
}

static void test_packs_are_looked_for_when_the_branch_moved(void **state)
{
	struct world *world = *state;
	char *packs AUTO_FREE = test_path(world->folder, "packed.git/objects/pack");
	struct repo *repo AUTO_REPO = NULL;
	int watch AUTO_FD = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct oid next;

	test_run(world->folder, "git clone -q --bare work packed.git; git -C packed.git gc -q");
	repo = open_at(world, "packed.git");
	assert_branch(repo, "main", &world->tip);
	assert_true(inotify_add_watch(watch, packs, IN_OPEN) >= 0);
	repo_refresh(repo);
	assert_branch(repo, "main", &world->tip);
	assert_false(was_read(watch));
	next = test_shell_id(world->folder, "cd work; git commit -q --allow-empty -m next\n"
					    "git -C ../packed.git fetch -q ../work main:main\n"
					    "git -C ../packed.git gc -q; git rev-parse HEAD");
	was_read(watch);
	repo_refresh(repo);
	assert_branch(repo, "main", &next);
	assert_true(was_read(watch));
}

static void test_file_url(void **state)
{
	struct world *world = *state;
	char *url AUTO_FREE = mem_printf("file://%s/work", world->folder);
	struct repo *repo AUTO_REPO = NULL;
	struct err err = ERR_INIT;

	assert_done(repo_open(url, NULL, &repo, &err), err);
	assert_branch(repo, "main", &world->tip);
}

static void test_worktree_has_its_own_head(void **state)
{
	struct world *world = *state;
	struct oid other;
	struct repo *repo AUTO_REPO = NULL;

	other = test_shell_id(world->folder, "cd work; git worktree add -q ../tree -b other\n"
					     "cd ../tree; git commit -q --allow-empty -m other\n"
					     "git rev-parse HEAD");
	repo = open_at(world, "tree");
	assert_branch(repo, NULL, &other);
	assert_branch(repo, "other", &other);
	assert_branch(repo, "main", &world->tip);
}

static void test_owned_by_another(void **state)
{
	struct world *world = *state;
	struct repo *repo AUTO_REPO = NULL;

	if (geteuid() != 0)
		SKIP_BECAUSE("only root can give a repository away");
	test_run(world->folder, "chown -R 65534:65534 work");
	repo = open_at(world, "work");
	assert_branch(repo, "main", &world->tip);
}

static void test_not_a_repository(void **state)
{
	struct world *world = *state;
	static const char *const names[] = {"absent",	"empty",  "file",
					    "work/sub", "broken", "link"};

	test_run(world->folder,
		 "mkdir empty work/sub link; echo x >file; echo nonsense >link/.git\n"
		 "cp -r work broken; rm -r broken/.git/objects");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path AUTO_FREE = test_path(world->folder, names[i]);
		struct repo *repo AUTO_REPO = NULL;
		struct err err = ERR_INIT;

		assert_fails(repo_open(path, NULL, &repo, &err), err, E_REPO_UNREADABLE);
		assert_non_null(strstr(err.text, names[i]));
		assert_null(repo);
	}
}

static void assert_unsupported(const struct world *world, const char *name, const char *word)
{
	char *path AUTO_FREE = test_path(world->folder, name);
	struct repo *repo AUTO_REPO = NULL;
	struct err err = ERR_INIT;

	assert_fails(repo_open(path, NULL, &repo, &err), err, E_REPO_UNSUPPORTED);
	assert_non_null(strstr(err.text, word));
}

static void test_unsupported_formats_are_named(void **state)
{
	static const struct {
		const char *config, *word;
	} rows[] = {
		{"[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n",
		 "reftable"},
		{"[extensions] refstorage=reftable\n[core] repositoryFormatVersion=1", "reftable"},
		{"[CORE]repositoryformatversion=1\n[Extensions]\npartialClone = origin # x\n",
		 "partialclone"},
		{"[core]\nrepositoryformatversion=1\n[extensions]\nunheardOf\n", "unheardof=true"},
		{"[core]\nrepositoryformatversion = 2\n", "newer"},
		{"[core]\nrepositoryformatversion = x\n", "newer"},
		{"[extensions]\nobjectFormat = \"sha256\"\n", "SHA-256"},
	};
	struct world *world = *state;

	test_run(world->folder, "git init -q --object-format=sha256 long; cp -r work other");
	assert_unsupported(world, "long", "SHA-256");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_run(world->folder, "printf '%%s' '%s' >other/.git/config", rows[i].config);
		assert_unsupported(world, "other", rows[i].word);
	}
}

static void test_formats_that_change_nothing(void **state)
{
	static const char *const configs[] = {
		"",
		"[core]\nrepositoryformatversion = 0\n[extensions]\nfuture = x\n",
		("[core]\nrepositoryformatversion = 1\n[extensions]\nworktreeConfig = true\n"
		 "objectformat = sha1 ; comment\nrefstorage = files\nnoop\npreciousObjects=1\n"),
		"[extensions \"sub\"]\nx = y\n[core]\nrepositoryformatversion = 1\n",
		"# [core]\n; [extensions]\n[broken\nx\n= y\n[]\n",
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		struct repo *repo AUTO_REPO = NULL;

		test_run(world->folder, "printf '%%s' '%s' >work/.git/config", configs[i]);
		repo = open_at(world, "work");
		assert_branch(repo, "main", &world->tip);
	}
	test_run(world->folder, "rm work/.git/config");
	{
		struct repo *repo AUTO_REPO = open_at(world, "work");

		assert_branch(repo, "main", &world->tip);
	}
}

/* A hook, a filter, an include and an alias in the repository's own configuration mean nothing. */
static void test_configuration_is_ignored(void **state)
{
	struct world *world = *state;
	struct repo *repo AUTO_REPO = NULL;
	struct oid id;
	struct err err = ERR_INIT;

	test_run(world->folder, "cd work; git config extensions.worktreeConfig true\n"
				"git config core.repositoryformatversion 1\n"
				"git config core.fsmonitor 'touch ../called'\n"
				"git config core.worktree /nowhere\n"
				"git config include.path ../../missing; mkfifo pipe\n"
				"git config include.path ../../pipe");
	repo = open_at(world, "work");
	assert_done(repo_branch(repo, "main", &id, &err), err);
	test_run(world->folder, "test ! -e called");
}

static void test_remote_needs_a_state_directory(void **state)
{
	struct repo *repo AUTO_REPO = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_fails(repo_open("https://git.example.org/a", NULL, &repo, &err), err, E_USAGE);
}

static void test_mirror_is_made_and_empty(void **state)
{
	struct world *world = *state;
	struct oid id;

	for (int again = 0; again < 2; again++) {
		struct repo *repo AUTO_REPO = NULL;
		struct err err = ERR_INIT;

		assert_done(repo_open("https://git.example.org/a", world->folder, &repo, &err),
			    err);
		assert_fails(repo_branch(repo, "main", &id, &err), err, E_BRANCH_MISSING);
	}
	test_run(world->folder, "test $(ls -d mirror-*.git | wc -l) = 1; test ! -e objects.git");
}

/* ---------------------------------------------------------------- branches */

static void test_branch_missing(void **state)
{
	struct world *world = *state;
	static const char *const names[] = {
		"none", "",	    "..", "main/x", "a b", "main~1", "refs/heads/main",
		"\x01", "main.lock"};
	struct repo *repo AUTO_REPO = open_at(world, "work");
	struct err err = ERR_INIT;
	struct oid id;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_fails(repo_branch(repo, names[i], &id, &err), err, E_BRANCH_MISSING);
	test_run(world->folder, "git init -q --bare empty.git");
	repo_close(&repo);
	repo = open_at(world, "empty.git");
	assert_fails(repo_branch(repo, "main", &id, &err), err, E_BRANCH_MISSING);
	assert_fails(repo_branch(repo, NULL, &id, &err), err, E_BRANCH_MISSING);
}

static void test_branch_is_read_anew(void **state)
{
	struct world *world = *state;
	struct repo *repo AUTO_REPO = open_at(world, "work");
	struct err err = ERR_INIT;
	struct oid id, next;

	next = test_shell_id(world->folder, "cd work; git commit -q --allow-empty -m 4\n"
					    "git gc -q; git rev-parse HEAD");
	assert_branch(repo, "main", &next);
	test_run(world->folder, "cd work; git checkout -q --detach; git branch -qD main");
	assert_fails(repo_branch(repo, "main", &id, &err), err, E_BRANCH_MISSING);
	test_run(world->folder, "cd work; git branch feature/x HEAD~1");
	assert_done(repo_branch(repo, "feature/x", &id, &err), err);
	assert_true(oid_eq(&id, &world->tip));
}

static void test_branch_that_is_broken(void **state)
{
	struct world *world = *state;
	struct repo *repo AUTO_REPO = open_at(world, "work");
	struct err err = ERR_INIT;
	struct oid id;

	test_run(world->folder, "cd work/.git/refs/heads\n"
				"git rev-parse main: >tree\n"
				"echo 1234567812345678123456781234567812345678 >gone\n"
				"echo nonsense >garbage; : >empty");
	assert_fails(repo_branch(repo, "tree", &id, &err), err, E_REPO_UNREADABLE);
	assert_fails(repo_branch(repo, "gone", &id, &err), err, E_REPO_UNREADABLE);
	assert_fails(repo_branch(repo, "garbage", &id, &err), err, E_REPO_UNREADABLE);
	assert_fails(repo_branch(repo, "empty", &id, &err), err, E_REPO_UNREADABLE);
}

static void test_revisions(void **state)
{
	struct world *world = *state;
	struct repo *repo AUTO_REPO = open_at(world, "work");
	struct err err = ERR_INIT;
	char hex[OID_HEX_SIZE];
	static const char *const absent[] = {
		"main~9",  "nonsense",	       "",	 "~1",	     "main:a.yaml", "abc",
		"main~-1", "main~99999999999", "main^2", ":/change", "main@{0}",    "main^{tree}",
		"../../x", "refs/heads"};
	static const char *const same[] = {"main^",   "main^1",		  "HEAD~1",
					   "v1~1^0",  "refs/heads/main~", "heads/main^^0^0",
					   "main~0~1"};
	struct oid id, parent;

	parent = test_shell_id(world->folder,
			       "cd work; git tag -am tagged v1; git rev-parse HEAD~1");
	oid_hex(&world->tip, hex);
	assert_done(repo_revision(repo, hex, &id, &err), err);
	assert_true(oid_eq(&id, &world->tip));
	hex[9] = '\0';
	assert_done(repo_revision(repo, hex, &id, &err), err);
	assert_true(oid_eq(&id, &world->tip));
	assert_done(repo_revision(repo, "v1", &id, &err), err);
	assert_true(oid_eq(&id, &world->tip));
	assert_done(repo_revision(repo, "main~1", &id, &err), err);
	assert_true(oid_eq(&id, &parent));
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		assert_fails(repo_revision(repo, absent[i], &id, &err), err, E_NOT_FOUND);
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		assert_done(repo_revision(repo, same[i], &id, &err), err);
		assert_true(oid_eq(&id, &parent));
	}
}

/* ---------------------------------------------------------------- history */

/*
 * base - left - merge - top      each but the merge touches a file of its name
 *     \- right -/                "side" is a root commit of its own
 */
static void make_history(const struct world *world)
{
	test_run(
		world->folder,
		"git init -q history; cd history\n"
		"add() { echo $1 >$1.yaml; git add .; git commit -qm \"$1\n\n${2:-body}\"; }\n"
		"add base; git tag base; git checkout -qb r; add right 'Trueup-Prune: shop/right'\n"
		"git tag right; git checkout -q main\n"
		"add left \"$(printf 'Words.\\n\\nTrueup-Prune: shop/a\\ntrueup-prune: shop/b')\"\n"
		"git tag left; git merge -q -m merge r; git tag merge; add top; git tag top\n"
		"git checkout -q --orphan o; git rm -rqf .; add side; git tag side");
}

static struct oid named(struct repo *repo, const char *revision)
{
	struct err err = ERR_INIT;
	struct oid id;

	assert_done(repo_revision(repo, revision, &id, &err), err);
	return id;
}

static void test_descends(void **state)
{
	static const struct {
		const char *tip, *base;
		int wanted;
	} rows[] = {
		{"top", "top", 1},    {"top", "base", 1},   {"top", "left", 1}, {"top", "right", 1},
		{"left", "right", 0}, {"base", "top", 0},   {"top", "side", 0}, {"side", "top", 0},
		{"merge", "left", 1}, {"right", "left", 0},
	};
	struct world *world = *state;
	struct repo *repo AUTO_REPO = NULL;
	struct err err = ERR_INIT;
	struct oid none = {{1}};

	make_history(world);
	repo = open_at(world, "history");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct oid tip = named(repo, rows[i].tip), base = named(repo, rows[i].base);

		if (repo_descends(repo, &tip, &base, &err) != rows[i].wanted)
			fail_msg("%s from %s", rows[i].tip, rows[i].base);
	}
	/* a base that is gone is no ancestor; a tip that is gone is an error */
	assert_int_equal(repo_descends(repo, &world->tip, &none, &err), -1);
	{
		struct oid top = named(repo, "top");

		assert_int_equal(repo_descends(repo, &top, &none, &err), 0);
	}
}

/* The answers do not depend on clocks: here each commit is older than its parents, or by chance. */
static void test_history_with_wrong_clocks(void **state)
{
	static const char *const clocks[] = {"$((2000000000 - n * 1000))", "$((n * 7919 % 13))",
					     "$((n % 2 ? 1 : 2000000000))"};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		char *name AUTO_FREE = mem_printf("clock%zu", i);
		struct arena *arena AUTO_ARENA = arena_new(0);
		struct repo *repo AUTO_REPO = NULL;
		struct err err = ERR_INIT;
		struct oid tip, base, fork;
		const char **values;
		size_t n;

		test_run(world->folder,
			 "git init -q %s; cd %s; n=0\n"
			 "add() { n=$((n + 1)); GIT_COMMITTER_DATE=\"@%s +0000\" git commit -q \\\n"
			 "  --allow-empty -m \"$1\n\nX: $1\"; }\n"
			 "for c in 1 2 3 4 5 6; do add old$c; done; git tag base\n"
			 "git checkout -qb fork HEAD~2; add f1; add f2; git checkout -q main\n"
			 "for c in 1 2 3; do add new$c; done",
			 name, name, clocks[i]);
		repo = open_at(world, name);
		tip = named(repo, "main");
		base = named(repo, "base");
		fork = named(repo, "fork");
		assert_int_equal(repo_descends(repo, &tip, &base, &err), 1);
		assert_int_equal(repo_descends(repo, &base, &tip, &err), 0);
		assert_int_equal(repo_descends(repo, &fork, &base, &err), 0);
		assert_int_equal(repo_descends(repo, &tip, &fork, &err), 0);
		assert_done(repo_trailers(repo, &tip, &base, "X", arena, &values, &n, &err), err);
		assert_int_equal(n, 3);
		for (size_t j = 0; j < n; j++)
			assert_true(str_starts(values[j], "new"));
	}
}

static void test_shallow_history(void **state)
{
	struct world *world = *state;
	struct repo *repo AUTO_REPO = NULL;
	struct arena *arena AUTO_ARENA = arena_new(0);
	struct err err = ERR_INIT;
	struct oid tip, parent, first;
	const char *path = "left.yaml";
	struct commit_info info;

	make_history(world);
	test_run(world->folder, "git clone -q --depth 2 -b main file://$PWD/history shallow");
	repo = open_at(world, "history");
	first = named(repo, "base");
	repo_close(&repo);
	repo = open_at(world, "shallow");
	tip = named(repo, "main");
	parent = named(repo, "main~1");
	assert_int_equal(repo_descends(repo, &tip, &parent, &err), 1);
	assert_int_equal(repo_descends(repo, &tip, &first, &err), 0);
	assert_done(repo_last_touch(repo, &tip, NULL, &path, 1, arena, &info, &err), err);
	assert_string_equal(info.subject, "top");
}

static void test_commit_info(void **state)
{
	struct world *world = *state;
	struct arena *arena AUTO_ARENA = arena_new(0);
	struct repo *repo AUTO_REPO = open_at(world, "work");
	struct commit_info info;
	struct err err = ERR_INIT;
	struct oid odd;

	assert_done(repo_commit(repo, &world->tip, arena, &info, &err), err);
	assert_string_equal(info.author, "Ann <ann@example.org>");
	assert_string_equal(info.subject, "change 3");
	assert_string_equal(info.message, "change 3\n");
	assert_int_equal(info.when_ms, 1700000000000);
	assert_int_equal(info.parents, 1);
	assert_true(oid_eq(&info.id, &world->tip));

	odd = test_shell_id(
		world->folder,
		"cd work; export GIT_AUTHOR_NAME=$'Ev\\e[31mil\\xff'\n"
		"git commit -q --allow-empty -m $'red \\e[31m\\n\\nb\\tody\\a' 2>/dev/null\n"
		"git rev-parse HEAD");
	assert_done(repo_commit(repo, &odd, arena, &info, &err), err);
	assert_null(strpbrk(info.author, "\x1b\a"));
	assert_null(strpbrk(info.message, "\x1b\a"));
	assert_string_equal(info.subject, "red [31m");
	assert_non_null(strstr(info.message, "b\tody"));
}

static void test_not_a_commit(void **state)
{
	struct world *world = *state;
	struct arena *arena AUTO_ARENA = arena_new(0);
	struct repo *repo AUTO_REPO = open_at(world, "work");
	struct commit_info info;
	struct err err = ERR_INIT;
	struct oid tree = test_shell_id(world->folder, "cd work; git rev-parse HEAD:");

	assert_fails(repo_commit(repo, &tree, arena, &info, &err), err, E_REPO_UNREADABLE);
}

static void test_trailers(void **state)
{
	struct world *world = *state;
	struct arena *arena AUTO_ARENA = arena_new(0);
	struct repo *repo AUTO_REPO = NULL;
	struct err err = ERR_INIT;
	const char **values;
	struct oid top, base, left;
	size_t n;

	make_history(world);
	repo = open_at(world, "history");
	top = named(repo, "top");
	base = named(repo, "base");
	left = named(repo, "left");
	assert_done(repo_trailers(repo, &top, &base, "Trueup-Prune", arena, &values, &n, &err),
		    err);
	assert_int_equal(n, 3);
	assert_done(repo_trailers(repo, &top, NULL, "Trueup-Prune", arena, &values, &n, &err), err);
	assert_int_equal(n, 0);
	assert_done(repo_trailers(repo, &left, NULL, "Trueup-Prune", arena, &values, &n, &err),
		    err);
	assert_int_equal(n, 2);
	assert_string_equal(values[0], "shop/a");
	assert_string_equal(values[1], "shop/b");
	assert_done(repo_trailers(repo, &top, &left, "Trueup-Prune", arena, &values, &n, &err),
		    err);
	assert_int_equal(n, 1);
	assert_string_equal(values[0], "shop/right");
	assert_done(repo_trailers(repo, &top, &top, "Trueup-Prune", arena, &values, &n, &err), err);
	assert_int_equal(n, 0);
}

static void assert_touched(struct repo *repo, const char *base, const char *path,
			   const char *wanted)
{
	struct arena *arena AUTO_ARENA = arena_new(0);
	struct oid tip = named(repo, "top"), from;
	struct commit_info info;
	struct err err = ERR_INIT;

	if (base)
		from = named(repo, base);
	assert_done(repo_last_touch(repo, &tip, base ? &from : NULL, &path, 1, arena, &info, &err),
		    err);
	assert_string_equal(info.subject, wanted);
}

static void test_last_touch(void **state)
{
	struct world *world = *state;
	struct repo *repo AUTO_REPO = NULL;

	make_history(world);
	repo = open_at(world, "history");
	assert_touched(repo, NULL, "base.yaml", "base");
	assert_touched(repo, NULL, "left.yaml", "left");
	assert_touched(repo, NULL, "right.yaml", "right");
	assert_touched(repo, "base", "right.yaml", "right");
	assert_touched(repo, "base", "base.yaml", "top"); /* nobody: the tip stands in */
	assert_touched(repo, NULL, "absent.yaml", "top");
}

/* ---------------------------------------------------------------- blobs */

static void test_blobs(void **state)
{
	struct world *world = *state;
	struct repo *repo AUTO_REPO = open_at(world, "work");
	struct buf out AUTO_BUF = BUF_INIT(64);
	struct err err = ERR_INIT;
	struct oid blob = test_shell_id(world->folder, "cd work; git rev-parse HEAD:a.yaml");
	struct oid large = test_shell_id(
		world->folder, "cd work; head -c 17M /dev/zero | git hash-object -w --stdin");
	struct oid none = {{1}};

	assert_done(repo_blob(repo, &blob, 5, &out, &err), err);
	assert_string_equal(buf_str(&out), "n: 3\n");
	assert_fails(repo_blob(repo, &blob, 4, &out, &err), err, E_TOO_LARGE);
	assert_fails(repo_blob(repo, &large, SIZE_MAX, &out, &err), err, E_TOO_LARGE);
	assert_fails(repo_blob(repo, &none, 64, &out, &err), err, E_REPO_UNREADABLE);
	assert_fails(repo_blob(repo, &world->tip, 64, &out, &err), err, E_REPO_UNREADABLE);
	assert_int_equal(out.len, 5);
}

static void test_damaged_objects_are_told(void **state)
{
	struct world *world = *state;
	struct repo *repo AUTO_REPO = NULL;
	struct buf out AUTO_BUF = BUF_INIT(64);
	struct err err = ERR_INIT;
	struct oid blob = test_shell_id(world->folder,
					"cd work; id=$(git rev-parse HEAD:a.yaml)\n"
					"f=.git/objects/${id:0:2}/${id:2}; chmod +w $f\n"
					"other=$(echo 'n: 4' | git hash-object -w --stdin)\n"
					"cat .git/objects/${other:0:2}/${other:2} >$f; echo $id");

	repo = open_at(world, "work");
	assert_fails(repo_blob(repo, &blob, 64, &out, &err), err, E_REPO_UNREADABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bare_and_not, setup, teardown),
		cmocka_unit_test(test_nothing_is_made_ready_that_is_not_used),
		cmocka_unit_test_setup_teardown(test_packs_are_looked_for_when_the_branch_moved,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_url, setup, teardown),
		cmocka_unit_test_setup_teardown(test_worktree_has_its_own_head, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owned_by_another, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_repository, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsupported_formats_are_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_formats_that_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_configuration_is_ignored, setup, teardown),
		cmocka_unit_test(test_remote_needs_a_state_directory),
		cmocka_unit_test_setup_teardown(test_mirror_is_made_and_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_branch_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_branch_is_read_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_branch_that_is_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revisions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_history_with_wrong_clocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shallow_history, setup, teardown),
		cmocka_unit_test_setup_teardown(test_commit_info, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trailers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_touch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blobs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_objects_are_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

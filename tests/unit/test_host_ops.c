/* The changes, each twice, with real processes. */
#include "tests/support/test.h"
#include "tests/support/host.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "drivers/host.h"
#include "drivers/host_control.h"
#include "schema/canon.h"

#define NAME "shop-prod-web"
#define RUNS "echo hello; echo there > \"$TRUEUP_DIR/started\"; exec sleep 1000"

static int setup(void **state)
{
	(void)state;
	host_bench_open("policy.hostPaths=/tmp,/var/tmp");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_bench_close();
	return 0;
}

/* ---- the life of one workload -------------------------------------------------------------- */

static void a_life(void **state)
{
	struct spec *spec = host_bench_spec(RUNS, NULL);
	struct workload seen;
	int64_t supervisor;

	(void)state;
	assert_true(test_apply(host.driver, OP_PULL, NULL, NULL, spec));
	assert_false(test_apply(host.driver, OP_PULL, NULL, NULL, spec));
	assert_true(test_apply(host.driver, OP_CREATE, NAME, NULL, spec));
	assert_false(test_apply(host.driver, OP_CREATE, NAME, NULL, spec));
	assert_int_equal(host_see(NAME).state, RUN_CREATED);
	assert_true(host_apply_on(OP_START, NAME));
	assert_false(host_apply_on(OP_START, NAME));
	seen = host_see(NAME);
	assert_int_equal(seen.state, RUN_RUNNING);
	assert_int_equal(seen.health, HEALTH_NONE);
	assert_string_equal(seen.digest, spec->digest);
	host_await_file("started");
	supervisor = host_supervisor_pid(NAME);
	assert_true(host_apply_on(OP_STOP, NAME));
	assert_false(host_apply_on(OP_STOP, NAME));
	seen = host_see(NAME);
	assert_int_equal(seen.state, RUN_STOPPED);
	assert_int_equal(seen.exit_code, 128 + SIGTERM);
	host_await_death(supervisor);
	assert_string_equal(host_bench_logs(NAME, 10), "hello\n");
	assert_true(host_apply_on(OP_START, NAME));
	assert_int_equal(host_see(NAME).restarts, 1);
	assert_true(host_apply_on(OP_REMOVE, NAME));
	assert_false(host_apply_on(OP_REMOVE, NAME));
	assert_int_equal(test_observe(host.driver, host.arena).workloads_n, 0);
}

static void its_folder_with_data_stays_and_is_ours(void **state)
{
	struct spec *spec = host_run(RUNS, NULL);
	struct observed seen;

	(void)state;
	host_await_file("started");
	host_apply_on(OP_REMOVE, NAME);
	assert_string_equal(host_bench_own("started"), "there\n");
	seen = test_observe(host.driver, host.arena);
	assert_int_equal(seen.workloads_n, 0);
	assert_int_equal(seen.foreign_n, 0);
	test_run_spec(host.driver, spec);
	assert_int_equal(host_see(NAME).state, RUN_RUNNING);
}

static void its_empty_folder_goes(void **state)
{
	(void)state;
	host_run("exec sleep 1000", "\"files\":[{\"path\":\"etc/app.conf\",\"content\":\"x\"}]");
	assert_string_equal(host_bench_own("etc/app.conf"), "x");
	host_apply_on(OP_REMOVE, NAME);
	assert_false(fs_exists(host_bench_path(NAME)));
	assert_false(fs_exists(host_bench_path(HOST_FOLDER_RECORDS "/" NAME)));
}

static void what_comes_back(void **state)
{
	struct spec *spec =
		host_run("exec sleep 1000", "\"env\":{\"A\":\"1\"},\"stopTimeout\":\"3s\"");
	AUTO_JSON json_t *wanted = labels_json(&spec->labels), *got = NULL;
	struct workload seen = host_see(NAME);

	(void)state;
	got = labels_json(&seen.labels);
	assert_true(json_equal(wanted, got));
	assert_int_equal(canon_diff(host.arena, seen.config, spec->config, CANON_ALL).n, 0);
	assert_string_equal(seen.image, "local/web:1");
	assert_int_equal(strlen(seen.id), HOST_ID_SIZE - 1);
}

/* ---- environment, folder, arguments -------------------------------------------------------- */

static void its_environment(void **state)
{
	const char *text;

	(void)state;
	host_run("env > \"$TRUEUP_DIR/.env\"; mv \"$TRUEUP_DIR/.env\" \"$TRUEUP_DIR/env\"; "
		 "exec sleep 1000",
		 "\"env\":{\"COLOUR\":\"blue green\",\"LANG\":\"de_DE.UTF-8\"}");
	text = host_await_file("env");
	assert_non_null(strstr(text, "COLOUR=blue green\n"));
	assert_non_null(strstr(text, "LANG=de_DE.UTF-8\n"));
	assert_non_null(strstr(text, "TRUEUP_NAME=" NAME "\n"));
	assert_non_null(strstr(text, "TRUEUP_INSTANCE=1\n"));
	assert_non_null(
		strstr(text, arena_printf(host.arena, "TRUEUP_DIR=%s\n", host_bench_path(NAME))));
	assert_non_null(strstr(text, arena_printf(host.arena, "HOME=%s\n", host_bench_path(NAME))));
	assert_non_null(strstr(text, "TRUEUP_RUN="));
	/* nothing of the reconciler's own comes through */
	assert_null(strstr(text, "TMPDIR="));
	assert_null(strstr(text, "BUILD="));
}

static void it_works_in_its_image(void **state)
{
	struct spec *spec;
	const char *text;

	(void)state;
	host_bench_file("web/1", "here.txt", "found\n");
	spec = host_run("cat here.txt >\"$TRUEUP_DIR/.out\"; pwd -P >>\"$TRUEUP_DIR/.out\"; "
			"mv \"$TRUEUP_DIR/.out\" \"$TRUEUP_DIR/out\"; exec sleep 1000",
			NULL);
	text = host_await_file("out");
	assert_true(str_starts(text, "found\n"));
	assert_non_null(strstr(text, spec->digest + strlen("sha256:")));
}

static void it_works_elsewhere_in_its_image(void **state)
{
	(void)state;
	host_bench_file("web/1", "deep/here.txt", "found\n");
	host_run("cp here.txt \"$TRUEUP_DIR/.out\"; mv \"$TRUEUP_DIR/.out\" \"$TRUEUP_DIR/out\"; "
		 "exec sleep 1000",
		 "\"workingDirectory\":\"deep\"");
	assert_string_equal(host_await_file("out"), "found\n");
}

static void its_arguments(void **state)
{
	(void)state;
	host_run("for a; do echo \"<$a>\"; done >\"$TRUEUP_DIR/.out\"; "
		 "mv \"$TRUEUP_DIR/.out\" \"$TRUEUP_DIR/out\"; exec sleep 1000",
		 "\"args\":[\"a b\",\"\",\"$HOME;*\"]");
	assert_string_equal(host_await_file("out"), "<a b>\n<>\n<$HOME;*>\n");
}

/* ---- images -------------------------------------------------------------------------------- */

static void a_changed_image_touches_nothing(void **state)
{
	struct spec *spec = host_run("cat text.txt; exec sleep 1000", NULL);
	struct spec *later;

	(void)state;
	host_bench_file("web/1", "text.txt", "new\n");
	assert_false(test_apply(host.driver, OP_PULL, NULL, NULL, spec));
	host_apply_on(OP_STOP, NAME);
	host_apply_on(OP_START, NAME);
	assert_int_equal(host_see(NAME).state, RUN_RUNNING);
	later = host_bench_spec("exec sleep 1000", NULL);
	assert_string_not_equal(later->digest, spec->digest);
}

static void a_changed_image_without_a_copy(void **state)
{
	struct spec *spec = host_bench_spec("exec sleep 1000", NULL);
	struct spec *other;

	(void)state;
	host_bench_file("other/1", "x", "x");
	host_bench_program("other/1", "run", "exec sleep 1000");
	other = test_spec(host.arena, host.driver, "shop-prod-other", "local/other:1",
			  "{\"command\":[\"./run\"]}");
	test_run_spec(host.driver, other);
	host_bench_file("web/1", "text.txt", "new\n");
	assert_int_equal(test_apply_code(host.driver, OP_PULL, NULL, NULL, spec), E_IMAGE_CHANGED);
	assert_int_equal(test_apply_code(host.driver, OP_CREATE, NAME, NULL, spec),
			 E_IMAGE_UNKNOWN);
	assert_int_equal(host_see("shop-prod-other").state, RUN_RUNNING);
	/* and the half-made copy is not left lying about */
	assert_false(fs_exists(host_bench_path(
		arena_printf(host.arena, HOST_IMAGES "/.new-%s", spec->digest + 7))));
}

static void a_rotten_copy_is_found_after_a_boot(void **state)
{
	struct spec *spec = host_bench_spec("exec sleep 1000", NULL);
	const char *hex = spec->digest + strlen("sha256:");
	const char *file = host_bench_path(arena_printf(host.arena, HOST_IMAGES "/%s/run", hex));
	const char *record =
		host_bench_path(arena_printf(host.arena, HOST_IMAGE_RECORDS "/%s", hex));
	struct err err = ERR_INIT;

	(void)state;
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	assert_int_equal(chmod(file, 0755), 0);
	assert_int_equal(truncate(file, 3), 0);
	/* as if it had been proven in another boot */
	assert_done(fs_write_replace(record, "another boot", 12, 0600, &err), err);
	assert_int_equal(test_apply_code(host.driver, OP_CREATE, NAME, NULL, spec),
			 E_IMAGE_UNKNOWN);
	assert_true(test_apply(host.driver, OP_PULL, NULL, NULL, spec));
	test_run_spec(host.driver, spec);
	assert_int_equal(host_see(NAME).state, RUN_RUNNING);
}

static void a_copy_that_was_removed_is_made_again(void **state)
{
	struct spec *spec = host_run("exec sleep 1000", NULL);
	const char *hex = spec->digest + strlen("sha256:");
	const char *copy = host_bench_path(arena_printf(host.arena, HOST_IMAGES "/%s", hex));
	struct err err = ERR_INIT;

	(void)state;
	host_apply_on(OP_STOP, NAME);
	assert_done(fs_remove_tree(copy, &err), err);
	host_apply_on(OP_START, NAME);
	assert_int_equal(host_see(NAME).state, RUN_RUNNING);
	assert_true(fs_is_dir(copy));
	host_apply_on(OP_STOP, NAME);
	assert_done(fs_remove_tree(copy, &err), err);
	host_bench_file("web/1", "text.txt", "new\n");
	assert_int_equal(test_apply_code(host.driver, OP_START, NAME, NULL, NULL), E_IMAGE_CHANGED);
}

static void a_folder_that_was_removed_is_made_again(void **state)
{
	const char *home = host_bench_path(NAME);
	struct err err = ERR_INIT;

	(void)state;
	host_run("exec sleep 1000", NULL);
	host_apply_on(OP_STOP, NAME);
	assert_done(fs_remove_tree(home, &err), err);
	host_apply_on(OP_START, NAME);
	assert_int_equal(host_see(NAME).state, RUN_RUNNING);
	assert_true(fs_is_dir(home));
}

static void images_go_when_nobody_needs_them(void **state)
{
	struct spec *spec = host_run("exec sleep 1000", NULL);

	(void)state;
	assert_false(host_apply_on(OP_IMAGE_REMOVE, spec->digest));
	assert_int_equal(host_see(NAME).state, RUN_RUNNING);
	host_apply_on(OP_REMOVE, NAME);
	assert_true(host_apply_on(OP_IMAGE_REMOVE, spec->digest));
	assert_false(host_apply_on(OP_IMAGE_REMOVE, spec->digest));
	assert_true(test_apply(host.driver, OP_PULL, NULL, NULL, spec));
}

/* A pull and a removal that were killed: they are seen as what they were of, and go with it. */
static void half_made_images_go(void **state)
{
	struct spec *spec = host_run("exec sleep 1000", NULL);
	const char *hex = strchr(spec->digest, ':') + 1;
	const char *other = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const char *images = host_bench_path("images");
	const char *left[] = {arena_printf(host.arena, "%s/.new-%s", images, other),
			      arena_printf(host.arena, "%s/.old-%s", images, other),
			      arena_printf(host.arena, "%s/.new-%s", images, hex)};
	struct observed seen;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		assert_int_equal(mkdir(left[i], 0700), 0);
	seen = test_observe(host.driver, host.arena);
	assert_int_equal(seen.images_n, 2);
	assert_string_equal(seen.images[str_eq(seen.images[0], spec->digest)],
			    arena_printf(host.arena, "sha256:%s", other));
	host_apply_on(OP_IMAGE_REMOVE, arena_printf(host.arena, "sha256:%s", other));
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		assert_false(fs_is_dir(left[i]));
	seen = test_observe(host.driver, host.arena);
	assert_int_equal(seen.images_n, 1);
	assert_string_equal(seen.images[0], spec->digest);
}

static void images_outside_the_root(void **state)
{
	struct buf digest AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct driver *driver = host.driver;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(symlink("/etc", arena_printf(host.arena, "%s/images/out", host.folder)),
			 0);
	assert_fails(driver->ops->resolve(driver, "local/out:ssl", &digest, &err), err,
		     E_IMAGE_INVALID);
	assert_fails(driver->ops->resolve(driver, "local/../state:x", &digest, &err), err,
		     E_BAD_INPUT);
	assert_fails(driver->ops->resolve(driver, "local/none:1", &digest, &err), err,
		     E_IMAGE_UNKNOWN);
	assert_fails(driver->ops->resolve(driver, "nginx:1", &digest, &err), err, E_NOT_SUPPORTED);
}

/* ---- names --------------------------------------------------------------------------------- */

static void renamed_while_it_runs(void **state)
{
	struct spec *old = host_run("exec sleep 1000", NULL);
	struct spec *new = test_spec(host.arena, host.driver, NAME, "local/web:1",
				     "{\"command\":[\"./run\"],\"env\":{\"A\":\"1\"}}");
	int64_t supervisor;
	struct workload seen;

	(void)state;
	(void)old;
	test_apply(host.driver, OP_CREATE, NAME NEXT_SUFFIX, NULL, new);
	host_apply_on(OP_START, NAME NEXT_SUFFIX);
	supervisor = host_supervisor_pid(NAME NEXT_SUFFIX);
	assert_int_equal(test_apply_code(host.driver, OP_RENAME, NAME NEXT_SUFFIX, NAME, NULL),
			 E_CONFLICT);
	host_apply_on(OP_REMOVE, NAME);
	assert_true(test_apply(host.driver, OP_RENAME, NAME NEXT_SUFFIX, NAME, NULL));
	assert_false(test_apply(host.driver, OP_RENAME, NAME NEXT_SUFFIX, NAME, NULL));
	seen = host_see(NAME);
	assert_int_equal(seen.state, RUN_RUNNING);
	assert_string_equal(seen.labels.spec, new->labels.spec);
	assert_int_equal(host_supervisor_pid(NAME), supervisor);
	/* its supervisor still writes where it is now */
	assert_true(host_apply_on(OP_STOP, NAME));
	assert_int_equal(host_see(NAME).state, RUN_STOPPED);
	assert_int_equal(
		test_apply_code(host.driver, OP_RENAME, "shop-prod-a", "shop-prod-a.next", NULL),
		E_NOT_FOUND);
}

static void the_next_keeps_its_files_when_the_old_goes(void **state)
{
	struct spec *new;

	(void)state;
	host_run("exec sleep 1000", "\"files\":[{\"path\":\"a\",\"content\":\"old\"},"
				    "{\"path\":\"b\",\"content\":\"old\"}]");
	new = test_spec(
		host.arena, host.driver, NAME, "local/web:1",
		"{\"command\":[\"./run\"],\"files\":[{\"path\":\"a\",\"content\":\"new\"}]}");
	test_apply(host.driver, OP_CREATE, NAME NEXT_SUFFIX, NULL, new);
	host_apply_on(OP_START, NAME NEXT_SUFFIX);
	host_apply_on(OP_REMOVE, NAME);
	assert_string_equal(host_bench_own("a"), "new");
	assert_false(fs_exists(host_bench_path(NAME "/b")));
}

/* Pulls and creates in a process of its own; that ends with the code of what failed. */
static pid_t create_beside(const char *name)
{
	struct spec *spec = test_spec(host.arena, host.driver, name, "local/web:1",
				      "{\"command\":[\"./run\"]}");
	pid_t pid = fork();

	if (pid == 0) {
		enum err_code code = test_apply_code(host.driver, OP_PULL, NULL, NULL, spec);

		if (code == E_NONE)
			code = test_apply_code(host.driver, OP_CREATE, name, NULL, spec);
		_exit((int)code);
	}
	return pid;
}

/* What one has hidden for the moment is not swept away by another. */
static void many_at_once(void **state)
{
	enum { MANY = 40 };
	pid_t pids[MANY];

	(void)state;
	host_bench_spec("exec sleep 1000", NULL);
	test_apply(host.driver, OP_CLAIM, NULL, NULL, NULL);
	for (int i = 0; i < MANY; i++)
		pids[i] = create_beside(arena_printf(host.arena, "shop-prod-c%d", i));
	for (int i = 0; i < MANY; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	for (int i = 0; i < MANY; i++)
		assert_int_equal(host_see(arena_printf(host.arena, "shop-prod-c%d", i)).state,
				 RUN_CREATED);
}

static void strange_names(void **state)
{
	struct spec *spec = host_bench_spec("exec sleep 1000", NULL);

	(void)state;
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	assert_int_equal(test_apply_code(host.driver, OP_CREATE, "shop-prod-other", NULL, spec),
			 E_BAD_INPUT);
	spec->name = "images";
	assert_int_equal(test_apply_code(host.driver, OP_CREATE, "images", NULL, spec),
			 E_BAD_INPUT);
	spec->name = "../x-y";
	assert_int_equal(test_apply_code(host.driver, OP_CREATE, "../x-y", NULL, spec),
			 E_BAD_INPUT);
	assert_int_equal(test_apply_code(host.driver, OP_REMOVE, "../x-y", NULL, NULL),
			 E_BAD_INPUT);
}

/* ---- what is not ours ---------------------------------------------------------------------- */

static void a_folder_in_the_way(void **state)
{
	struct spec *spec = host_bench_spec("exec sleep 1000", NULL);
	const char *path = host_bench_path(NAME);
	struct observed seen;

	(void)state;
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(test_apply_code(host.driver, OP_CREATE, NAME, NULL, spec), E_NAME_FOREIGN);
	seen = test_observe(host.driver, host.arena);
	assert_int_equal(seen.workloads_n, 0);
	assert_int_equal(seen.foreign_n, 1);
	assert_string_equal(seen.foreign[0], NAME);
	assert_int_equal(rmdir(path), 0);
}

static void another_owner(void **state)
{
	struct driver *other = host_bench_another(TEST_OTHER);
	struct spec *spec = host_run("exec sleep 1000", NULL);
	struct observed seen;

	(void)state;
	assert_int_equal(test_apply_code(other, OP_CLAIM, NULL, NULL, NULL), E_NODE_OWNED);
	assert_int_equal(test_apply_code(other, OP_REMOVE, NAME, NULL, NULL), E_NODE_OWNED);
	assert_int_equal(test_apply_code(other, OP_PULL, NULL, NULL, spec), E_NODE_OWNED);
	seen = test_observe(other, host.arena);
	assert_string_equal(seen.owner, TEST_OWNER);
	assert_int_equal(seen.workloads_n, 0);
	assert_int_equal(seen.foreign_n, 1);
	assert_int_equal(host_see(NAME).state, RUN_RUNNING);
	driver_close(&other);
}

/* ---- volumes and files --------------------------------------------------------------------- */

static void volumes(void **state)
{
	struct spec *spec = host_bench_spec(

		"echo one >> \"$TRUEUP_DIR/data/deep/list\"; mkdir \"$TRUEUP_DIR/cache/x\" && "
		"echo ok > \"$TRUEUP_DIR/.ok\"; mv \"$TRUEUP_DIR/.ok\" \"$TRUEUP_DIR/ok\"; "
		"exec sleep 1000",
		"\"volumes\":[{\"name\":\"db\",\"path\":\"data/deep\"},"
		"{\"path\":\"cache\",\"type\":\"tmp\"}]");
	struct observed seen;

	(void)state;
	test_run_spec(host.driver, spec);
	host_await_file("ok");
	assert_string_equal(host_bench_read("volumes/shop-prod-db/list"), "one\n");
	assert_int_equal(unlink(host_bench_path(NAME "/ok")), 0);
	host_apply_on(OP_STOP, NAME);
	assert_false(fs_exists(host_bench_path(NAME "/cache")));
	host_apply_on(OP_START, NAME);
	host_await_file("ok");
	assert_string_equal(host_bench_read("volumes/shop-prod-db/list"), "one\none\n");
	seen = test_observe(host.driver, host.arena);
	assert_int_equal(seen.volumes_n, 1);
	assert_string_equal(seen.volumes[0].name, "shop-prod-db");
	assert_string_equal(seen.volumes[0].deployment, "web");
	assert_int_equal(test_apply_code(host.driver, OP_VOLUME_REMOVE, "shop-prod-db", NULL, NULL),
			 E_CONFLICT);
	host_apply_on(OP_REMOVE, NAME);
	assert_string_equal(host_bench_read("volumes/shop-prod-db/list"), "one\none\n");
	assert_true(host_apply_on(OP_VOLUME_REMOVE, "shop-prod-db"));
	assert_false(host_apply_on(OP_VOLUME_REMOVE, "shop-prod-db"));
	assert_int_equal(test_observe(host.driver, host.arena).volumes_n, 0);
}

static void a_volume_that_is_not_ours(void **state)
{
	struct spec *spec = host_bench_spec("exec sleep 1000",
					    "\"volumes\":[{\"name\":\"db\",\"path\":\"data\"}]");
	const char *path = host_bench_path("volumes/shop-prod-db");

	(void)state;
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(test_apply_code(host.driver, OP_CREATE, NAME, NULL, spec), E_NAME_FOREIGN);
	assert_int_equal(test_apply_code(host.driver, OP_VOLUME_REMOVE, "shop-prod-db", NULL, NULL),
			 E_NAME_FOREIGN);
	assert_true(fs_is_dir(path));
}

static void data_in_the_place_of_a_volume(void **state)
{
	struct spec *spec;

	(void)state;
	host_run("mkdir -p \"$TRUEUP_DIR/data\"; echo x > \"$TRUEUP_DIR/data/x\"; "
		 "echo ok > \"$TRUEUP_DIR/ok\"; exec sleep 1000",
		 NULL);
	host_await_file("ok");
	host_apply_on(OP_REMOVE, NAME);
	spec = test_spec(
		host.arena, host.driver, NAME, "local/web:1",
		"{\"command\":[\"./run\"],\"volumes\":[{\"name\":\"db\",\"path\":\"data\"}]}");
	test_apply(host.driver, OP_CREATE, NAME, NULL, spec);
	assert_int_equal(test_apply_code(host.driver, OP_START, NAME, NULL, NULL), E_NAME_FOREIGN);
	assert_string_equal(host_bench_own("data/x"), "x\n");
}

static void host_paths(void **state)
{
	struct spec *spec;
	AUTO_FREE char *inside = mem_printf("%s/shared", host.folder);
	AUTO_FREE char *link = mem_printf("%s/etc", host.folder);
	struct stat a, b;

	(void)state;
	assert_int_equal(mkdir(inside, 0755), 0);
	assert_int_equal(symlink("/etc", link), 0);
	spec = host_run("exec sleep 1000",
			arena_printf(host.arena,
				     "\"volumes\":[{\"hostPath\":\"%s\",\"path\":\"s\"}]", inside));
	assert_int_equal(stat(inside, &a), 0);
	assert_int_equal(stat(host_bench_path(NAME "/s"), &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	host_apply_on(OP_REMOVE, NAME);
	assert_true(fs_is_dir(inside));
	/* allowed by its text, not by where it leads */
	spec = test_spec(host.arena, host.driver, NAME, "local/web:1",
			 arena_printf(host.arena,
				      "{\"command\":[\"./run\"],"
				      "\"volumes\":[{\"hostPath\":\"%s\",\"path\":\"s\"}]}",
				      link));
	assert_int_equal(test_apply_code(host.driver, OP_CREATE, NAME, NULL, spec), E_POLICY);
}

static void files(void **state)
{
	struct stat info;

	(void)state;
	host_run("exec sleep 1000",
		 "\"files\":[{\"path\":\"etc/app/a.conf\",\"content\":\"a=1\\n\","
		 "\"mode\":\"0640\"},{\"path\":\"b\",\"content\":\"\"}]");
	assert_string_equal(host_bench_own("etc/app/a.conf"), "a=1\n");
	assert_int_equal(stat(host_bench_path(NAME "/etc/app/a.conf"), &info), 0);
	assert_int_equal(info.st_mode & 07777, 0640);
	assert_int_equal(stat(host_bench_path(NAME "/b"), &info), 0);
	assert_int_equal(info.st_mode & 07777, 0644);
	/* a file that was changed by hand is right again after a start */
	assert_int_equal(truncate(host_bench_path(NAME "/etc/app/a.conf"), 0), 0);
	host_apply_on(OP_STOP, NAME);
	host_apply_on(OP_START, NAME);
	assert_string_equal(host_bench_own("etc/app/a.conf"), "a=1\n");
}

static void files_never_go_through_links(void **state)
{
	AUTO_FREE char *outside = mem_printf("%s/outside", host.folder);
	struct spec *spec;

	(void)state;
	assert_int_equal(mkdir(outside, 0755), 0);
	host_run(arena_printf(host.arena,
			      "ln -s %s \"$TRUEUP_DIR/etc\"; echo ok > \"$TRUEUP_DIR/ok\"; "
			      "exec sleep 1000",
			      outside),
		 NULL);
	host_await_file("ok");
	host_apply_on(OP_REMOVE, NAME);
	spec = test_spec(
		host.arena, host.driver, NAME, "local/web:1",
		"{\"command\":[\"./run\"],\"files\":[{\"path\":\"etc/x\",\"content\":\"x\"}]}");
	test_apply(host.driver, OP_CREATE, NAME, NULL, spec);
	assert_int_not_equal(test_apply_code(host.driver, OP_START, NAME, NULL, NULL), E_NONE);
	assert_int_equal(rmdir(outside), 0);
}

/* ---- update -------------------------------------------------------------------------------- */

static bool is_stopped(const struct workload *workload)
{
	return workload->state == RUN_STOPPED;
}

static void update_in_place(void **state)
{
	struct spec *now;
	struct workload seen;

	(void)state;
	host_run("trap 'echo usr1 > \"$TRUEUP_DIR/signal\"; exit 0' USR1; "
		 "echo ok > \"$TRUEUP_DIR/ok\"; while :; do sleep 0.05; done",
		 NULL);
	host_await_file("ok");
	now = test_spec(host.arena, host.driver, NAME, "local/web:1",
			"{\"command\":[\"./run\"],\"stopSignal\":\"SIGUSR1\"}");
	assert_true(test_apply(host.driver, OP_UPDATE, NAME, NULL, now));
	assert_false(test_apply(host.driver, OP_UPDATE, NAME, NULL, now));
	seen = host_see(NAME);
	assert_string_equal(seen.labels.spec, now->labels.spec);
	assert_int_equal(seen.restarts, 0);
	host_apply_on(OP_STOP, NAME);
	host_await(NAME, is_stopped);
	assert_string_equal(host_bench_own("signal"), "usr1\n");
}

static void update_of_what_cannot_change(void **state)
{
	struct spec *now;

	(void)state;
	host_run("exec sleep 1000", NULL);
	now = test_spec(host.arena, host.driver, NAME, "local/web:1",
			"{\"command\":[\"./run\"],\"env\":{\"A\":\"1\"}}");
	assert_int_equal(test_apply_code(host.driver, OP_UPDATE, NAME, NULL, now), E_NOT_SUPPORTED);
	assert_int_equal(test_apply_code(host.driver, OP_UPDATE, "shop-prod-none", NULL, now),
			 E_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(a_life),
	TEST(its_folder_with_data_stays_and_is_ours),
	TEST(its_empty_folder_goes),
	TEST(what_comes_back),
	TEST(its_environment),
	TEST(it_works_in_its_image),
	TEST(it_works_elsewhere_in_its_image),
	TEST(its_arguments),
	TEST(a_changed_image_touches_nothing),
	TEST(a_changed_image_without_a_copy),
	TEST(a_rotten_copy_is_found_after_a_boot),
	TEST(a_copy_that_was_removed_is_made_again),
	TEST(a_folder_that_was_removed_is_made_again),
	TEST(images_go_when_nobody_needs_them),
	TEST(half_made_images_go),
	TEST(images_outside_the_root),
	TEST(renamed_while_it_runs),
	TEST(the_next_keeps_its_files_when_the_old_goes),
	TEST(many_at_once),
	TEST(strange_names),
	TEST(a_folder_in_the_way),
	TEST(another_owner),
	TEST(volumes),
	TEST(a_volume_that_is_not_ours),
	TEST(data_in_the_place_of_a_volume),
	TEST(host_paths),
	TEST(files),
	TEST(files_never_go_through_links),
	TEST(update_in_place),
	TEST(update_of_what_cannot_change),
};

HOST_TEST_MAIN(tests)

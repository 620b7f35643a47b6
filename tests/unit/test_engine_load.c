/*
 * From a listing to decoded files: what is known is taken over, the rest meets a child first, and
 * the file that kills the child is named.
 */
#include "tests/support/test.h"
#include "tests/support/shell.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "engine/job.h"
#include "engine/load.h"
#include "schema/pack.h"

struct world {
	char *folder, *url;
	struct repo *repo;
	struct arena *arena;
	struct loop *loop;
	struct tree tree;
	struct file_set set;
	struct err failure;
	bool done, failed;
};

static int setup(void **state)
{
	struct world *world = mem_zalloc(1, sizeof *world);
	struct err err = ERR_INIT;

	world->folder = test_folder();
	world->url = test_path(world->folder, "c.git");
	world->arena = arena_new(0);
	world->loop = loop_new(&err);
	test_run(world->folder,
		 "git init -q --bare c.git; git clone -q c.git work 2>&1; cd work\n"
		 "printf 'kind: Organization\\nname: acme\\n' >organization.yaml\n"
		 "mkdir -p nodes projects/shop\n"
		 "for i in 1 2 3; do printf 'kind: Node\\nname: n%%s\\ndriver: memory\\n' $i "
		 ">nodes/n$i.yaml; done\n"
		 "printf 'kind: [\\n' >projects/shop/project.yaml\n"
		 "echo no manifest >README.yaml.txt\n"
		 "git add .; git commit -qm 1; git push -q origin main");
	assert_done(repo_open(world->url, NULL, &world->repo, &err), err);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	file_set_release(&world->set);
	repo_close(&world->repo);
	loop_free(world->loop);
	arena_free(world->arena);
	test_folder_remove(&world->folder);
	free(world->url);
	free(world);
	return 0;
}

static void list(struct world *world)
{
	struct err err = ERR_INIT;
	struct oid tip;

	repo_refresh(world->repo);
	assert_done(repo_branch(world->repo, "main", &tip, &err), err);
	assert_done(tree_list(world->repo, &tip, NULL, 0, world->arena, &world->tree, &err), err);
}

static void loaded(void *owner, struct file_set *set, const struct err *failure)
{
	struct world *world = owner;

	world->done = true;
	world->failed = failure != NULL;
	if (failure)
		world->failure = *failure;
	else
		world->set = *set;
}

static struct load *start(struct world *world, const struct file_set *known)
{
	struct err err = ERR_INIT;
	const struct load_request request = {
		.repo = world->repo, .url = world->url, .tree = &world->tree, .known = known};
	struct load *load;

	world->done = false;
	load = load_start(world->loop, &request, loaded, world, &err);
	assert_non_null(load);
	assert_false(world->done);
	return load;
}

/* How many there are; *first is one of them. */
static size_t children(pid_t *first)
{
	char path[64];
	FILE *file;
	int pid;
	size_t n = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	assert_non_null(file);
	for (; fscanf(file, "%d", &pid) == 1; n++)
		*first = (pid_t)pid;
	fclose(file);
	return n;
}

/* 0: there is none. */
static pid_t only_child(void)
{
	pid_t child = 0;

	assert_true(children(&child) <= 1);
	return child;
}

static void finish(struct world *world)
{
	struct err err = ERR_INIT;

	while (!world->done)
		assert_done(loop_once(world->loop, -1, &err), err);
	/* The child is on its way out, and nobody had to wait for it but us. */
	for (pid_t child; children(&child);)
		assert_done(loop_once(world->loop, -1, &err), err);
}

static void a_first_load_decodes_everything(void **state)
{
	struct world *world = *state;
	struct file_set here = {0};
	struct err err = ERR_INIT;
	struct load_request request = {.repo = world->repo, .tree = &world->tree};

	list(world);
	start(world, NULL);
	finish(world);
	assert_false(world->failed);
	assert_int_equal(world->set.n, 5);
	assert_string_equal(world->set.v[0]->path, "nodes/n1.yaml");
	/* A file with errors is a file with errors, not a failed load. */
	assert_string_equal(world->set.v[4]->path, "projects/shop/project.yaml");
	assert_true(world->set.v[4]->diags_n > 0);
	/* Without a child it is the same. */
	assert_done(load_now(&request, &here, &err), err);
	assert_int_equal(here.n, world->set.n);
	for (size_t i = 0; i < here.n; i++)
		assert_true(oid_eq(&here.v[i]->blob, &world->set.v[i]->blob));
	file_set_release(&here);
}

/* More than one child needs: each takes a batch at a time. */
static void many_files_are_shared_out(void **state)
{
	struct world *world = *state;
	struct file_set here = {0};
	struct err err = ERR_INIT;
	struct load_request request = {.repo = world->repo, .tree = &world->tree};
	pid_t child;

	test_run(world->folder,
		 "cd work; for i in $(seq 1 700); do\n"
		 "printf 'kind: Node\nname: m%%s\ndriver: memory\n' $i >nodes/m$i.yaml; done\n"
		 "git add .; git commit -qm many; git push -q origin main");
	list(world);
	start(world, NULL);
	assert_int_equal(children(&child) > 1, sysconf(_SC_NPROCESSORS_ONLN) > 1);
	finish(world);
	assert_false(world->failed);
	assert_done(load_now(&request, &here, &err), err);
	assert_int_equal(here.n, 705);
	assert_int_equal(world->set.n, here.n);
	for (size_t i = 0; i < here.n; i++) {
		const struct file *file = world->set.v[i];

		assert_string_equal(file->path, here.v[i]->path);
		assert_int_equal(file->diags_n, here.v[i]->diags_n);
		assert_int_equal(file->documents_n, here.v[i]->documents_n);
	}
	file_set_release(&here);
}

static void what_is_known_is_taken_over(void **state)
{
	struct world *world = *state;
	struct file_set known;

	list(world);
	start(world, NULL);
	finish(world);
	known = world->set;
	start(world, &known);
	finish(world);
	for (size_t i = 0; i < known.n; i++)
		assert_ptr_equal(world->set.v[i], known.v[i]);
	file_set_release(&world->set);
	test_run(world->folder,
		 "cd work; echo '# changed' >>nodes/n2.yaml; git rm -q nodes/n3.yaml\n"
		 "git commit -qam 2; git push -q origin main");
	list(world);
	start(world, &known);
	finish(world);
	assert_int_equal(world->set.n, 4);
	assert_ptr_equal(world->set.v[0], known.v[0]);
	assert_ptr_not_equal(world->set.v[1], known.v[1]);
	assert_ptr_equal(world->set.v[2], known.v[3]);
	file_set_release(&known);
}

/* ---- a child that dies ---- */

/* The object of a file becomes a pipe: who reads it waits in open(2). */
static char *make_it_wait(struct world *world, const char *path)
{
	char *hex AUTO_FREE = test_shell(world->folder, "cd work; git rev-parse main:%s", path);
	char *object = mem_printf("%s/c.git/objects/%.2s/%s", world->folder, hex, hex + 2);

	test_run(world->folder, "rm -f %s; mkfifo %s", object, object);
	return object;
}

static void the_file_that_kills_the_child_is_named(void **state)
{
	struct world *world = *state;
	struct file_set known;
	char *pipe AUTO_FREE = NULL;

	list(world);
	start(world, NULL);
	finish(world);
	known = world->set;
	world->set = (struct file_set){0};
	test_run(world->folder, "cd work; echo '# changed' >>nodes/n3.yaml\n"
				"git commit -qam 2; git push -q origin main");
	list(world);
	/* It is the one file to be read, and nobody gets beyond it. */
	pipe = make_it_wait(world, "nodes/n3.yaml");
	start(world, &known);
	kill(only_child(), SIGKILL);
	finish(world);
	file_set_release(&known);
	assert_true(world->failed);
	assert_int_equal(world->failure.code, E_CHILD_DIED);
	if (!strstr(world->failure.text, "while it read nodes/n3.yaml"))
		fail_msg("%s", world->failure.text);
}

/* The end of a child's pipe to us, taken from it: whoever has turned it can say anything there. */
static int pipe_of(pid_t child)
{
	char path[64], target[64];
	int pidfd = pidfd_open(child, 0), taken = -1;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)child);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);

		if (len < 0)
			continue;
		target[len] = '\0';
		if (!str_starts(target, "socket:"))
			continue;
		assert_int_equal(taken, -1);
		taken = pidfd_getfd(pidfd, (int)strtol(entry->d_name, NULL, 10), 0);
		assert_true(taken >= 0);
	}
	closedir(dir);
	close(pidfd);
	return taken;
}

/* Says so in the name of the child, which waits at the last file. */
static void lie(struct world *world, const char *pipe, uint32_t type, const void *bytes, size_t len)
{
	struct err err = ERR_INIT;
	int held, fd;

	start(world, NULL);
	held = open(pipe, O_WRONLY | O_CLOEXEC); /* returns when the child has opened it, too */
	assert_true(held >= 0);
	fd = pipe_of(only_child());
	assert_done(msg_send(fd, type, bytes, len, &err), err);
	finish(world);
	close(held);
	close(fd);
	assert_true(world->failed);
	assert_int_equal(world->failure.code, E_CHILD_DIED);
	if (!strstr(world->failure.text, "not itself"))
		fail_msg("%s", world->failure.text);
}

static void a_child_that_lies_is_not_believed(void **state)
{
	/* The five files are one batch: its number, then for each a length and so many bytes. */
	static const uint32_t fine[] = {0, 0, 0, 0, 0, 0}, other[] = {1, 0, 0, 0, 0, 0};
	static const uint32_t garbage[] = {0, 4, 0x01010101}, endless[] = {0, UINT32_MAX};
	struct world *world = *state;
	AUTO_BUF struct buf longer = BUF_INIT(BUF_MAX_LINE);
	char *pipe AUTO_FREE = NULL;
	static const char project[] = "kind: Project\nname: shop\n";
	const char *path = "projects/shop/project.yaml";
	struct file *file;
	uint32_t len;

	list(world);
	file = file_decode(path, &world->tree.entries[4].blob, project, strlen(project));
	buf_add(&longer, fine, sizeof fine);
	assert_true(file_pack(file, &longer));
	len = (uint32_t)(longer.len - sizeof fine);
	memcpy(longer.ptr + sizeof fine - sizeof len, &len, sizeof len);
	buf_addc(&longer, '\0');
	file_unref(file);
	pipe = make_it_wait(world, path);
	lie(world, pipe, JOB_MSG_FIRST + 1, fine, sizeof fine);
	lie(world, pipe, JOB_MSG_FIRST, fine, sizeof fine - 1);
	lie(world, pipe, JOB_MSG_FIRST, "", 0);
	lie(world, pipe, JOB_MSG_FIRST, other, sizeof other);
	lie(world, pipe, JOB_MSG_FIRST, garbage, sizeof garbage);
	lie(world, pipe, JOB_MSG_FIRST, endless, sizeof endless);
	lie(world, pipe, JOB_MSG_FIRST, longer.ptr, longer.len);
}

/* Forty files are two batches; the first has come when the child waits at the last file. */
static void a_batch_comes_once(void **state)
{
	static const uint32_t again[1 + 32];
	struct world *world = *state;
	char *pipe AUTO_FREE = NULL;

	test_run(world->folder,
		 "cd work; for i in $(seq 1 40); do\n"
		 "printf 'kind: Node\nname: m%%s\ndriver: memory\n' $i >nodes/m$i.yaml; done\n"
		 "git add .; git commit -qm more; git push -q origin main");
	list(world);
	pipe = make_it_wait(world, "projects/shop/project.yaml");
	lie(world, pipe, JOB_MSG_FIRST, again, sizeof again);
}

static void cancelled_it_calls_nobody(void **state)
{
	struct world *world = *state;
	struct err err = ERR_INIT;
	char *pipe AUTO_FREE = NULL;
	struct load *load;

	list(world);
	pipe = make_it_wait(world, "nodes/n3.yaml");
	load = start(world, NULL);
	load_cancel(&load);
	assert_null(load);
	/* Until its child was asked to end, and has. */
	while (only_child())
		assert_done(loop_once(world->loop, -1, &err), err);
	assert_false(world->done);
}

/* ---- sets ---- */

static void a_units_files_are_replaced_whole(void **state)
{
	struct world *world = *state;
	const struct unit organization = {.level = UNIT_ORGANIZATION};
	struct file_set copy, none = {0};

	list(world);
	start(world, NULL);
	finish(world);
	file_set_copy(&copy, &world->set);
	file_set_replace_unit(&copy, &none, &organization);
	assert_int_equal(copy.n, 1);
	assert_string_equal(copy.v[0]->path, "projects/shop/project.yaml");
	file_set_replace_unit(&copy, &world->set, &organization);
	assert_int_equal(copy.n, 5);
	for (size_t i = 0; i < copy.n; i++)
		assert_ptr_equal(copy.v[i], world->set.v[i]);
	file_set_release(&copy);
}

#define WITH_REPO(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_REPO(a_first_load_decodes_everything),
		WITH_REPO(many_files_are_shared_out),
		WITH_REPO(what_is_known_is_taken_over),
		WITH_REPO(the_file_that_kills_the_child_is_named),
		WITH_REPO(a_child_that_lies_is_not_believed),
		WITH_REPO(a_batch_comes_once),
		WITH_REPO(cancelled_it_calls_nobody),
		WITH_REPO(a_units_files_are_replaced_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

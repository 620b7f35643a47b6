/* What a supervisor does while its workload lives, dies, or will not die. */
#include "tests/support/test.h"
#include "tests/support/host.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "base/proc.h"
#include "drivers/host.h"
#include "drivers/host_control.h"
#include "drivers/host_orphans.h"

#define NAME "shop-prod-web"

static struct workload see(void)
{
	return host_see(NAME);
}

static int64_t pid_in(const char *file)
{
	const char *text = host_await_file(file);
	AUTO_FREE char *digits = mem_strndup(text, strcspn(text, "\n"));
	int64_t pid = 0;

	assert_int_equal(num_parse_int(digits, 2, INT32_MAX, &pid), 0);
	return pid;
}

/* Writes a file whole, so that one who waits for it never reads half. */
#define WRITE(file, what)                                                                          \
	what " > \"$TRUEUP_DIR/." file "\"; mv \"$TRUEUP_DIR/." file "\" \"$TRUEUP_DIR/" file "\"" \
	     "; "

static struct host_status status(void)
{
	struct host_status status;
	struct err err = ERR_INIT;
	AUTO_FREE char *path = mem_printf("%s/data/" HOST_WORKLOADS "/" NAME, host.folder);
	int dir AUTO_FD = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_done(host_status_read(dir, &status, &err), err);
	return status;
}

/* ---- endings ------------------------------------------------------------------------------- */

static void a_job_that_is_done(void **state)
{
	struct workload seen;

	(void)state;
	host_run("echo done; exit 0", "\"expect\":{\"state\":\"exited\"}");
	seen = host_await(NAME, host_is_exited);
	assert_int_equal(seen.exit_code, 0);
	assert_int_equal(seen.restarts, 0);
	assert_string_equal(host_bench_logs(NAME, 5), "done\n");
}

static void a_job_that_failed(void **state)
{
	struct workload seen;

	(void)state;
	host_run("exit 3", "\"restartPolicy\":\"no\"");
	seen = host_await(NAME, host_is_exited);
	assert_int_equal(seen.exit_code, 3);
	assert_string_equal(seen.detail, "exited with status 3");
}

static void killed_by_a_signal(void **state)
{
	struct workload seen;

	(void)state;
	host_run("kill -SEGV $$", "\"restartPolicy\":\"no\"");
	seen = host_await(NAME, host_is_exited);
	assert_int_equal(seen.exit_code, 128 + SIGSEGV);
	assert_non_null(strstr(seen.detail, "SIGSEGV"));
}

static void a_command_that_cannot_run(void **state)
{
	struct spec *spec = host_bench_spec("x", NULL);
	struct workload seen;

	(void)state;
	host_bench_file("web/1", "run", "not a program\n");
	assert_int_equal(chmod(arena_printf(host.arena, "%s/images/web/1/run", host.folder), 0644),
			 0);
	spec = test_spec(host.arena, host.driver, NAME, "local/web:1", "{\"command\":[\"./run\"]}");
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	test_apply(host.driver, OP_CREATE, NAME, NULL, spec);
	assert_int_equal(test_apply_code(host.driver, OP_START, NAME, NULL, NULL), E_SPAWN);
	seen = see();
	assert_int_equal(seen.state, RUN_EXITED);
	assert_int_equal(seen.exit_code, 127);
	assert_non_null(strstr(seen.detail, "ermission denied"));
	assert_string_equal(status().run, "");
}

static void a_command_that_is_not_there(void **state)
{
	struct spec *spec;

	(void)state;
	host_bench_spec("x", NULL);
	spec = test_spec(host.arena, host.driver, NAME, "local/web:1",
			 "{\"command\":[\"./none\"]}");
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	test_apply(host.driver, OP_CREATE, NAME, NULL, spec);
	assert_int_equal(test_apply_code(host.driver, OP_START, NAME, NULL, NULL), E_SPAWN);
	assert_non_null(strstr(see().detail, "no program ./none"));
}

/* ---- restarts ------------------------------------------------------------------------------ */

static bool has_restarted_thrice(const struct workload *workload)
{
	return workload->restarts >= 3;
}

static void started_again_and_again(void **state)
{
	struct workload seen;
	const char *id;

	(void)state;
	host_run("exit 1", NULL);
	id = see().id;
	seen = host_await(NAME, has_restarted_thrice);
	assert_true(seen.state == RUN_RESTARTING || seen.state == RUN_RUNNING);
	assert_string_equal(seen.id, id);
	assert_true(host_apply_on(OP_STOP, NAME));
	assert_int_equal(see().state, RUN_STOPPED);
}

static bool waits(const struct workload *workload)
{
	return workload->state == RUN_RESTARTING;
}

static void restarts_say_why_and_when(void **state)
{
	struct workload seen;

	(void)state;
	host_run("exit 7", NULL);
	seen = host_await(NAME, waits);
	assert_int_equal(seen.exit_code, 7);
	assert_int_equal(seen.running_ms, 0);
	assert_true(str_starts(seen.detail, "exited with status 7; starts again after "));
}

static void on_failure_only(void **state)
{
	struct workload seen;

	(void)state;
	host_run("test -e \"$TRUEUP_DIR/once\" && exit 0; touch \"$TRUEUP_DIR/once\"; exit 1",
		 "\"restartPolicy\":\"on-failure\"");
	seen = host_await(NAME, host_is_exited);
	assert_int_equal(seen.exit_code, 0);
	assert_int_equal(seen.restarts, 1);
}

static void a_policy_that_changes_while_it_waits(void **state)
{
	struct spec *now;

	(void)state;
	host_run("exit 1", NULL);
	host_await(NAME, has_restarted_thrice);
	now = test_spec(host.arena, host.driver, NAME, "local/web:1",
			"{\"command\":[\"./run\"],\"restartPolicy\":\"no\"}");
	test_apply(host.driver, OP_UPDATE, NAME, NULL, now);
	host_await(NAME, host_is_exited);
}

static void killed_by_hand_it_comes_back(void **state)
{
	struct workload seen;
	int64_t pid;

	(void)state;
	host_run("exec sleep 1000", NULL);
	pid = status().pid;
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	for (;;) {
		seen = host_await(NAME, host_is_running);
		if (seen.restarts == 1)
			break;
	}
	assert_int_equal(seen.exit_code, 128 + SIGKILL);
	assert_true(status().pid != pid);
}

/* ---- stopping ------------------------------------------------------------------------------ */

static void the_whole_group_is_asked(void **state)
{
	int64_t child;

	(void)state;
	host_run("(trap 'echo bye > \"$TRUEUP_DIR/bye\"; exit 0' TERM; " WRITE(
			 "child", "sh -c 'echo $PPID'") "while :; do sleep 0.05; done) & wait",
		 NULL);
	child = pid_in("child");
	host_apply_on(OP_STOP, NAME);
	assert_string_equal(host_bench_own("bye"), "bye\n");
	host_await_death(child);
}

static void who_will_not_end_is_killed(void **state)
{
	int64_t child;

	(void)state;
	host_run("trap '' TERM; sh -c 'trap \"\" TERM; " WRITE(
			 "child",
			 "echo $$") "while :; do sleep 0.05; done' & while :; do sleep 0.05; done",
		 "\"stopTimeout\":\"100ms\"");
	child = pid_in("child");
	assert_true(host_apply_on(OP_STOP, NAME));
	assert_int_equal(see().state, RUN_STOPPED);
	assert_int_equal(see().exit_code, 128 + SIGKILL);
	assert_int_equal(proc_start_time((pid_t)child), 0);
}

static void who_left_the_session_is_found(void **state)
{
	int64_t child;

	(void)state;
	host_run("setsid sh -c 'trap \"\" TERM HUP; " WRITE("child",
							    "echo $$") "exec sleep 1000' & wait",
		 "\"stopTimeout\":\"100ms\"");
	child = pid_in("child");
	host_apply_on(OP_STOP, NAME);
	assert_int_equal(proc_start_time((pid_t)child), 0);
}

static void what_a_command_leaves_behind_goes_with_it(void **state)
{
	int64_t child;

	(void)state;
	host_run(
		"setsid sh -c '" WRITE("child", "echo $$") "exec sleep 1000' & "
							   "while ! test -e \"$TRUEUP_DIR/child\"; "
							   "do sleep 0.02; done; exit 0",
		"\"restartPolicy\":\"no\"");
	child = pid_in("child");
	host_await(NAME, host_is_exited);
	assert_int_equal(proc_start_time((pid_t)child), 0);
}

static void a_stop_signal_of_its_own(void **state)
{
	(void)state;
	host_run("trap 'echo int > \"$TRUEUP_DIR/signal\"; exit 0' INT; " WRITE(
			 "ok", "echo ok") "while :; do sleep 0.05; done",
		 "\"stopSignal\":\"SIGINT\"");
	host_await_file("ok");
	host_apply_on(OP_STOP, NAME);
	assert_string_equal(host_bench_own("signal"), "int\n");
	assert_int_equal(see().exit_code, 0);
}

static void one_that_is_suspended_hears_it(void **state)
{
	(void)state;
	host_run("kill -STOP $$; exec sleep 1000", NULL);
	assert_true(host_apply_on(OP_STOP, NAME));
	assert_int_equal(see().state, RUN_STOPPED);
}

/* ---- the supervisor dies ------------------------------------------------------------------- */

static void kill_supervisor(void)
{
	int64_t pid = host_supervisor_pid(NAME);

	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	host_await_death(pid);
}

static void its_supervisor_is_killed(void **state)
{
	struct workload seen;
	int64_t command, child;

	(void)state;
	host_run("setsid sh -c 'trap \"\" TERM; " WRITE("child",
							"echo $$") "exec sleep 1000' & wait",
		 "\"stopTimeout\":\"100ms\"");
	child = pid_in("child");
	command = status().pid;
	kill_supervisor();
	/* by no fault of its own: a rollout starts it again, where it would give up one that exited
	 */
	seen = see();
	assert_int_equal(seen.state, RUN_STOPPED);
	assert_int_equal(seen.exit_code, 128 + SIGKILL);
	assert_non_null(strstr(seen.detail, "supervisor was killed"));
	host_await_death(command);
	/* its child has nobody now, until the next start finds and ends it */
	assert_true(proc_start_time((pid_t)child) != 0);
	assert_int_equal(unlink(host_bench_path(NAME "/child")), 0);
	assert_true(host_apply_on(OP_START, NAME));
	assert_int_equal(proc_start_time((pid_t)child), 0);
	assert_int_equal(see().state, RUN_RUNNING);
	assert_true(pid_in("child") != child);
}

static void a_job_whose_supervisor_is_killed_has_failed(void **state)
{
	(void)state;
	host_run("exec sleep 1000", "\"expect\":{\"state\":\"exited\"}");
	kill_supervisor();
	assert_int_equal(see().state, RUN_EXITED);
	assert_int_equal(see().exit_code, 128 + SIGKILL);
}

static void its_supervisor_is_killed_and_then_it_is_stopped(void **state)
{
	int64_t child;

	(void)state;
	host_run("setsid sh -c '" WRITE("child", "echo $$") "exec sleep 1000' & wait", NULL);
	child = pid_in("child");
	kill_supervisor();
	assert_true(host_apply_on(OP_STOP, NAME));
	assert_int_equal(proc_start_time((pid_t)child), 0);
	assert_int_equal(see().state, RUN_STOPPED);
	assert_false(host_apply_on(OP_STOP, NAME));
}

static void its_supervisor_is_killed_and_then_it_is_removed(void **state)
{
	int64_t child;

	(void)state;
	host_run("setsid sh -c '" WRITE("child", "echo $$") "exec sleep 1000' & wait", NULL);
	child = pid_in("child");
	kill_supervisor();
	assert_true(host_apply_on(OP_REMOVE, NAME));
	assert_int_equal(proc_start_time((pid_t)child), 0);
}

/* A process of nobody's concern, which ends with the test at the latest. */
static pid_t start_bystander(const char *run)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execle("/bin/sleep", "sleep", "1000", NULL, (const char *[]){run, NULL});
		_exit(1);
	}
	return pid;
}

/* Unlike kill(2), waitpid(2) knows that one which was killed is not there any more. */
static void assert_lives(pid_t pid)
{
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
}

static void end_bystander(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A process that merely has the number, or a similar variable, is left alone. */
static void only_its_own_run_is_ended(void **state)
{
	static const char *const similar[] = {"TRUEUP_RUN=0123456789abcdef0",
					      "X=TRUEUP_RUN=0123456789abcdef"};
	struct err err = ERR_INIT;
	int found;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(similar); i++) {
		pid_t bystander = start_bystander(similar[i]);

		assert_done(host_orphans_kill("0123456789abcdef", &found, &err), err);
		assert_int_equal(found, 0);
		assert_lives(bystander);
		end_bystander(bystander);
	}
}

/* The last status is written before the lock is let go. */
static void await_no_supervisor(int dir)
{
	int lock AUTO_FD = openat(dir, HOST_LOCK_FILE, O_RDWR | O_CLOEXEC);
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	assert_int_equal(fcntl(lock, F_OFD_SETLKW, &whole), 0);
}

/* A status of an earlier boot speaks of processes that cannot be there any more. */
static void a_status_of_another_boot(void **state)
{
	AUTO_FREE char *path = mem_printf("%s/data/" HOST_WORKLOADS "/" NAME, host.folder);
	int dir AUTO_FD = -1;
	struct host_status now;
	struct err err = ERR_INIT;
	pid_t bystander = start_bystander("X=");

	(void)state;
	host_run("exit 0", "\"restartPolicy\":\"no\"");
	host_await(NAME, host_is_exited);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	await_no_supervisor(dir);
	now = status();
	now.state = RUN_RUNNING;
	now.pid = bystander; /* the number is in use again */
	now.start_time = 1;
	snprintf(now.run, sizeof now.run, "0123456789abcdef0123456789abcdef");
	snprintf(now.boot, sizeof now.boot, "another boot");
	assert_done(host_status_write(dir, &now, &err), err);
	assert_int_equal(see().state, RUN_STOPPED);
	assert_non_null(strstr(see().detail, "machine was restarted"));
	assert_true(host_apply_on(OP_STOP, NAME));
	assert_lives(bystander);
	assert_true(host_apply_on(OP_START, NAME));
	assert_lives(bystander);
	end_bystander(bystander);
}

/* What is on record nowhere would be made a second time: it must not go on. */
static void its_control_folder_is_removed(void **state)
{
	const char *control = host_bench_path(HOST_WORKLOADS "/" NAME);
	struct err err = ERR_INIT;
	int64_t supervisor, command;

	(void)state;
	host_run("exec sleep 1000", NULL);
	supervisor = host_supervisor_pid(NAME);
	command = status().pid;
	/* The supervisor may write its status into it once more while it is being removed. */
	while (fs_remove_tree(control, &err) != 0)
		assert_int_equal(err.code, E_IO);
	host_await_death(command);
	host_await_death(supervisor);
}

/* A user may have 128 of them by default: that would be the most workloads of a node. */
static void it_needs_no_inotify(void **state)
{
	int64_t pid;
	AUTO_FREE char *folder = NULL;
	DIR *dir AUTO_DIR = NULL;

	(void)state;
	host_run("exec sleep 1000", NULL);
	pid = host_supervisor_pid(NAME);
	folder = mem_printf("/proc/%lld/fd", (long long)pid);
	dir = opendir(folder);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char target[PATH_MAX];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);

		target[len > 0 ? len : 0] = '\0';
		assert_null(strstr(target, "inotify"));
	}
}

static void two_supervisors_are_one(void **state)
{
	int64_t first;

	(void)state;
	host_run("exec sleep 1000", NULL);
	first = host_supervisor_pid(NAME);
	assert_false(host_apply_on(OP_START, NAME));
	assert_int_equal(host_supervisor_pid(NAME), first);
}

/* ---- logs ---------------------------------------------------------------------------------- */

static void logs_are_rotated_and_bounded(void **state)
{
	const char *tail, *folder = host_bench_path(HOST_WORKLOADS "/" NAME);
	struct stat info;
	size_t total = 0;

	(void)state;
	/* files of 4096 bytes here: 30,000 bytes do not fit into three */
	host_run(
		"i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo \"this is line number $i\"; done; "
		"exit 0",
		"\"restartPolicy\":\"no\"");
	host_await(NAME, host_is_exited);
	for (int i = 0; i < 3; i++) {
		const char *path = arena_printf(host.arena, i ? "%s/log.%d" : "%s/log", folder, i);

		assert_int_equal(stat(path, &info), 0);
		assert_true(info.st_size > 0);
		total += (size_t)info.st_size;
	}
	assert_int_equal(stat(arena_printf(host.arena, "%s/log.3", folder), &info), -1);
	assert_true(total < 30000);
	tail = host_bench_logs(NAME, 2);
	assert_string_equal(tail, "this is line number 999\nthis is line number 1000\n");
}

static void the_tail_crosses_files(void **state)
{
	const char *tail;

	(void)state;
	host_run("i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo \"this is line number $i\"; sleep "
		 "0; "
		 "done; "
		 "echo >&2 error; exit 0",
		 "\"restartPolicy\":\"no\"");
	host_await(NAME, host_is_exited);
	tail = host_bench_logs(NAME, 200);
	assert_true(str_starts(tail, "this is line number 102\n"));
	assert_true(str_ends(tail, "this is line number 300\nerror\n"));
	assert_string_equal(host_bench_logs(NAME, 0), "");
}

/* As if it were killed: no fault of the release, to be tried again. */
static void its_supervisor_dies_without_a_word(void **state)
{
	struct spec *spec = host_bench_spec("exec sleep 1000", NULL);
	const char *self = host.env.self;
	enum err_code code;

	(void)state;
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	test_apply(host.driver, OP_CREATE, spec->name, NULL, spec);
	host.env.self = "/bin/true";
	code = test_apply_code(host.driver, OP_START, spec->name, NULL, NULL);
	host.env.self = self;
	assert_int_equal(code, E_SUPERVISOR);
	assert_int_equal(err_code_class(code), ERR_RETRY);
	assert_true(host_apply_on(OP_START, spec->name));
	host_await(spec->name, host_is_running);
}

/*
 * One who was killed had begun a start, and that supervisor comes up between our look and our own:
 * no fault of the release either.
 */
static void another_supervisor_comes_up_first(void **state)
{
	struct spec *spec = host_bench_spec("exec sleep 1000", NULL);
	const char *self = host.env.self;
	AUTO_FREE char *racer = mem_printf("%s/racer", host.folder);
	AUTO_FREE char *script = mem_printf("#!/bin/sh\n\"%s\" \"$@\" 3>/dev/null &\n"
					    "until [ -s \"$2/" HOST_WORKLOADS "/$3/" HOST_LOCK_FILE
					    "\" ]; do sleep 0.01; done\n"
					    "exec \"%s\" \"$@\"\n",
					    self, self);
	enum err_code code;
	struct err err = ERR_INIT;

	(void)state;
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	test_apply(host.driver, OP_CREATE, spec->name, NULL, spec);
	assert_done(fs_write_atomic(racer, script, strlen(script), 0755, &err), err);
	host.env.self = racer;
	code = test_apply_code(host.driver, OP_START, spec->name, NULL, NULL);
	host.env.self = self;
	assert_int_equal(code, E_SUPERVISOR);
	host_await(spec->name, host_is_running);
	assert_false(host_apply_on(OP_START, spec->name));
}

static const struct CMUnitTest tests[] = {
	HOST_TEST(a_job_that_is_done),
	HOST_TEST(a_job_that_failed),
	HOST_TEST(killed_by_a_signal),
	HOST_TEST(a_command_that_cannot_run),
	HOST_TEST(a_command_that_is_not_there),
	HOST_TEST(started_again_and_again),
	HOST_TEST(restarts_say_why_and_when),
	HOST_TEST(on_failure_only),
	HOST_TEST(a_policy_that_changes_while_it_waits),
	HOST_TEST(killed_by_hand_it_comes_back),
	HOST_TEST(the_whole_group_is_asked),
	HOST_TEST(who_will_not_end_is_killed),
	HOST_TEST(who_left_the_session_is_found),
	HOST_TEST(what_a_command_leaves_behind_goes_with_it),
	HOST_TEST(a_stop_signal_of_its_own),
	HOST_TEST(one_that_is_suspended_hears_it),
	HOST_TEST(its_supervisor_dies_without_a_word),
	HOST_TEST(another_supervisor_comes_up_first),
	HOST_TEST(its_supervisor_is_killed),
	HOST_TEST(a_job_whose_supervisor_is_killed_has_failed),
	HOST_TEST(its_supervisor_is_killed_and_then_it_is_stopped),
	HOST_TEST(its_supervisor_is_killed_and_then_it_is_removed),
	HOST_TEST(only_its_own_run_is_ended),
	HOST_TEST(a_status_of_another_boot),
	HOST_TEST(its_control_folder_is_removed),
	HOST_TEST(it_needs_no_inotify),
	HOST_TEST(two_supervisors_are_one),
	HOST_TEST(logs_are_rotated_and_bounded),
	HOST_TEST(the_tail_crosses_files),
};

HOST_TEST_MAIN(tests)

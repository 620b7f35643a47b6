#include "tests/support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/proc.h"

/* A text that can be passed as an argument of a callback, for as long as the test runs. */
#define TEXT(text) ((char[]){text})

static struct loop *loop;
static struct buf seen = BUF_INIT(BUF_MAX_LINE); /* what happened, in order */

static int set_up(void **state)
{
	(void)state;
	loop = loop_new(NULL);
	buf_clear(&seen);
	return loop ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(loop);
	buf_release(&seen);
	return 0;
}

static void run(void)
{
	struct err err = ERR_INIT;

	assert_done(loop_run(loop, &err), err);
}

static void turn(void)
{
	struct err err = ERR_INIT;

	assert_done(loop_once(loop, 0, &err), err);
}

static void note(void *text)
{
	buf_adds(&seen, text);
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* ---- timers -------------------------------------------------------------------------------- */

static void test_timers_run_in_order_of_their_time(void **state)
{
	(void)state;
	loop_timer_add(loop, 30, stop, NULL);
	loop_timer_add(loop, 20, note, TEXT("c"));
	loop_timer_add(loop, 1, note, TEXT("b"));
	loop_timer_add(loop, 0, note, TEXT("a"));
	loop_timer_add(loop, -5, note, TEXT("A"));
	run();
	assert_string_equal(buf_str(&seen), "aAbc");
}

static void add_another(void *arg)
{
	note(TEXT("x"));
	loop_timer_add(loop, 0, note, arg);
}

static void test_what_a_timer_adds_is_for_the_next_turn(void **state)
{
	(void)state;
	loop_timer_add(loop, 0, add_another, TEXT("y"));
	turn();
	assert_string_equal(buf_str(&seen), "x");
	turn();
	assert_string_equal(buf_str(&seen), "xy");
	turn();
	assert_string_equal(buf_str(&seen), "xy");
}

static struct loop_timer *victim;

static void remove_victim(void *arg)
{
	(void)arg;
	note(TEXT("r"));
	loop_timer_del(&victim);
}

static void test_a_timer_removes_another_that_is_due(void **state)
{
	(void)state;
	loop_timer_add(loop, 0, remove_victim, NULL);
	victim = loop_timer_add(loop, 0, note, TEXT("never"));
	turn();
	turn();
	assert_string_equal(buf_str(&seen), "r");
	assert_null(victim);
	loop_timer_del(&victim);
}

struct entry {
	struct loop_timer *timer;
	int64_t from, to; /* the time it is due lies between these */
	bool ran;
};

static const struct entry *last_run;

static void check_order(void *arg)
{
	struct entry *entry = arg;

	if (entry->ran || (last_run && last_run->from > entry->to))
		note(TEXT("!"));
	entry->ran = true;
	entry->timer = NULL;
	last_run = entry;
}

/* A heap with removals in the middle stays a heap. */
static void test_many_timers(void **state)
{
	static struct entry entries[2000];
	uint32_t random = 2463534242u;

	(void)state;
	last_run = NULL;
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		int64_t delay;

		random ^= random << 13, random ^= random >> 17, random ^= random << 5;
		delay = random % 50;
		entries[i].from = clock_boot_us() + delay * 1000;
		entries[i].timer = loop_timer_add(loop, delay, check_order, &entries[i]);
		entries[i].to = clock_boot_us() + delay * 1000;
		if (i % 3 == 0)
			loop_timer_del(&entries[random % (i + 1)].timer);
	}
	loop_timer_add(loop, 60, stop, NULL);
	run();
	assert_string_equal(buf_str(&seen), "");
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		assert_null(entries[i].timer);
}

static void test_a_timer_that_is_due_first_wakes_in_time(void **state)
{
	(void)state;
	loop_timer_add(loop, INT64_MAX, note, TEXT("never"));
	turn();
	loop_timer_add(loop, 5, stop, NULL);
	run();
	assert_string_equal(buf_str(&seen), "");
}

/* ---- descriptors --------------------------------------------------------------------------- */

static int a[2], b[2];

static void make_pipes(void)
{
	assert_int_equal(pipe2(a, O_CLOEXEC) | pipe2(b, O_CLOEXEC), 0);
}

static void close_pipes(void)
{
	fs_close_ptr(&a[0]);
	fs_close_ptr(&a[1]);
	fs_close_ptr(&b[0]);
	fs_close_ptr(&b[1]);
}

static void poke(const int ends[2])
{
	assert_int_equal(write(ends[1], "x", 1), 1);
}

static void take_one(void *arg, uint32_t events)
{
	const int *ends = arg;
	char byte;

	note(ends == a ? TEXT("a") : TEXT("b"));
	if (events & EPOLLIN)
		assert_int_equal(read(ends[0], &byte, 1), 1);
	if (events & EPOLLHUP)
		note(TEXT("hup"));
}

static void test_descriptors(void **state)
{
	struct loop_fd *source;

	(void)state;
	make_pipes();
	source = loop_fd_add(loop, a[0], EPOLLIN, take_one, a);
	turn();
	assert_string_equal(buf_str(&seen), "");
	poke(a);
	poke(a);
	turn();
	turn(); /* level-triggered */
	assert_string_equal(buf_str(&seen), "aa");
	poke(a);
	loop_fd_set(source, 0);
	turn();
	assert_string_equal(buf_str(&seen), "aa");
	loop_fd_set(source, EPOLLIN);
	turn();
	assert_string_equal(buf_str(&seen), "aaa");
	fs_close_ptr(&a[1]);
	turn();
	assert_string_equal(buf_str(&seen), "aaaahup");
	loop_fd_del(&source);
	assert_null(source);
	loop_fd_del(&source);
	turn();
	assert_string_equal(buf_str(&seen), "aaaahup");
	close_pipes();
}

static struct loop_fd *sources[2];

static void remove_both(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	note(TEXT("once"));
	loop_fd_del(&sources[0]);
	loop_fd_del(&sources[1]);
}

/* Both are ready in one turn: whichever runs first removes both, so the other must not run. */
static void test_removal_of_one_that_is_ready_too(void **state)
{
	(void)state;
	make_pipes();
	sources[0] = loop_fd_add(loop, a[0], EPOLLIN, remove_both, NULL);
	sources[1] = loop_fd_add(loop, b[0], EPOLLIN, remove_both, NULL);
	poke(a);
	poke(b);
	turn();
	turn();
	assert_string_equal(buf_str(&seen), "once");
	close_pipes();
}

static void replace_other(void *arg, uint32_t events)
{
	int other = arg == a ? 1 : 0;
	int *ends = other ? b : a;

	(void)events;
	note(TEXT("."));
	loop_fd_del(&sources[!other]);
	if (!sources[other])
		return;
	/* the new pipe most likely gets the same number: the old event is not for it */
	loop_fd_del(&sources[other]);
	fs_close_ptr(&ends[0]);
	fs_close_ptr(&ends[1]);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	sources[other] = loop_fd_add(loop, ends[0], EPOLLIN, take_one, ends);
}

static void test_same_number_new_source(void **state)
{
	(void)state;
	make_pipes();
	sources[0] = loop_fd_add(loop, a[0], EPOLLIN, replace_other, a);
	sources[1] = loop_fd_add(loop, b[0], EPOLLIN, replace_other, b);
	poke(a);
	poke(b);
	turn();
	turn();
	assert_string_equal(buf_str(&seen), ".");
	loop_fd_del(&sources[0]);
	loop_fd_del(&sources[1]);
	close_pipes();
}

static void test_regular_files_are_refused(void **state)
{
	int fd AUTO_FD = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_null(loop_fd_add(loop, fd, EPOLLIN, take_one, NULL));
	assert_int_equal(errno, EPERM);
}

/* ---- turns --------------------------------------------------------------------------------- */

static void test_turn_runs_once_behind_all_events(void **state)
{
	(void)state;
	make_pipes();
	sources[0] = loop_fd_add(loop, a[0], EPOLLIN, take_one, a);
	sources[1] = loop_fd_add(loop, b[0], EPOLLIN, take_one, b);
	loop_timer_add(loop, 0, note, TEXT("t"));
	loop_turn_set(loop, note, TEXT("|"));
	poke(a);
	poke(b);
	turn();
	assert_true(str_eq(buf_str(&seen), "abt|") || str_eq(buf_str(&seen), "bat|"));
	loop_turn_set(loop, NULL, NULL);
	turn();
	assert_int_equal(seen.len, 4);
	loop_fd_del(&sources[0]);
	loop_fd_del(&sources[1]);
	close_pipes();
}

static void note_and_stop(void *text)
{
	note(text);
	stop(NULL);
}

/* What was prepared before may be all there is: nothing will ever be ready. */
static void test_first_turn_waits_for_nothing(void **state)
{
	(void)state;
	loop_turn_set(loop, note_and_stop, TEXT("|"));
	run();
	assert_true(str_ends(buf_str(&seen), "|"));
}

static void test_stop_finishes_the_turn(void **state)
{
	(void)state;
	loop_turn_set(loop, note, TEXT("|"));
	loop_timer_add(loop, 0, stop, NULL);
	loop_timer_add(loop, 0, note, TEXT("b"));
	run();
	assert_true(str_ends(buf_str(&seen), "b|"));
	/* and it can run again */
	loop_timer_add(loop, 0, stop, NULL);
	run();
}

/* ---- signals ------------------------------------------------------------------------------- */

static void caught(void *arg, int number)
{
	buf_addf(&seen, "%s%d ", (const char *)arg, number);
}

static void test_signals(void **state)
{
	struct err err = ERR_INIT;
	sigset_t blocked;
	char user[] = "u", term[] = "t", replaced[] = "old";

	(void)state;
	assert_done(loop_signal_add(loop, SIGUSR1, caught, user, &err), err);
	assert_done(loop_signal_add(loop, SIGTERM, caught, replaced, &err), err);
	assert_done(loop_signal_add(loop, SIGTERM, caught, term, &err), err);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGUSR1);
	turn();
	assert_non_null(strstr(buf_str(&seen), "u10 "));
	assert_non_null(strstr(buf_str(&seen), "t15 "));
	assert_null(strstr(buf_str(&seen), "old"));
	loop_free(loop);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	assert_false(sigismember(&blocked, SIGTERM));
	loop = loop_new(NULL);
	assert_fails(loop_signal_add(loop, 0, caught, NULL, &err), err, E_INTERNAL);
	assert_fails(loop_signal_add(loop, NSIG, caught, NULL, &err), err, E_INTERNAL);
}

/* ---- children ------------------------------------------------------------------------------ */

static void ended(void *arg, int status)
{
	char text[64];

	buf_addf(&seen, "%s %s;", (const char *)arg, proc_status_text(status, text, sizeof text));
	loop_stop(loop);
}

static pid_t child_that_ends(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	return pid;
}

static void test_child_that_exits(void **state)
{
	pid_t pid = child_that_ends(3);

	(void)state;
	loop_child_add(loop, pid, ended, TEXT("c"));
	run();
	assert_string_equal(buf_str(&seen), "c exited with status 3;");
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
}

static void test_child_that_is_killed(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		for (;;)
			pause();
	}
	loop_child_add(loop, pid, ended, TEXT("c"));
	turn();
	assert_string_equal(buf_str(&seen), "");
	kill(pid, SIGKILL);
	run();
	assert_string_equal(buf_str(&seen), "c killed by SIGKILL;");
}

static void test_child_that_somebody_else_reaped(void **state)
{
	pid_t pid = child_that_ends(0);

	(void)state;
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	loop_child_add(loop, pid, ended, TEXT("c"));
	run();
	assert_string_equal(buf_str(&seen), "c was reaped elsewhere;");
}

static void test_child_that_is_forgotten(void **state)
{
	pid_t pid = child_that_ends(0);

	(void)state;
	loop_child_add(loop, pid, ended, TEXT("c"));
	loop_child_del(loop, pid);
	loop_child_del(loop, pid);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	turn();
	assert_string_equal(buf_str(&seen), "");
}

/* With no descriptor left there is no pidfd: the loop looks by timer instead. */
static void test_child_without_a_descriptor(void **state)
{
	struct rlimit before, none;
	pid_t one = child_that_ends(1), two = child_that_ends(2);

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	loop_child_add(loop, one, ended, TEXT("one"));
	loop_child_add(loop, two, ended, TEXT("two"));
	setrlimit(RLIMIT_NOFILE, &before);
	while (!strstr(buf_str(&seen), "one") || !strstr(buf_str(&seen), "two"))
		run();
	assert_non_null(strstr(buf_str(&seen), "one exited with status 1;"));
	assert_non_null(strstr(buf_str(&seen), "two exited with status 2;"));
}

/* The outer one waits for a descriptor only: it is woken by the inner one's timers and events. */
static void test_a_loop_within_another(void **state)
{
	struct pollfd inner = {.events = POLLIN};

	(void)state;
	make_pipes();
	inner.fd = loop_descriptor(loop, NULL);
	assert_int_equal(poll(&inner, 1, 0), 0);
	loop_timer_add(loop, 10, note, TEXT("t"));
	assert_int_equal(loop_descriptor(loop, NULL), inner.fd);
	assert_int_equal(poll(&inner, 1, 10000), 1);
	while (!strstr(buf_str(&seen), "t"))
		assert_int_equal(loop_once(loop, 0, NULL), 0);
	assert_int_equal(loop_descriptor(loop, NULL), inner.fd);
	assert_int_equal(poll(&inner, 1, 0), 0);
	sources[0] = loop_fd_add(loop, a[0], EPOLLIN, take_one, a);
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(poll(&inner, 1, 10000), 1);
	loop_fd_del(&sources[0]);
	close_pipes();
}

static void test_free_with_everything_pending(void **state)
{
	pid_t pid = child_that_ends(0);

	(void)state;
	make_pipes();
	sources[0] = loop_fd_add(loop, a[0], EPOLLIN, take_one, a);
	loop_fd_del(&sources[0]);
	loop_timer_add(loop, 1000, note, TEXT(""));
	loop_child_add(loop, pid, ended, TEXT("c"));
	loop_free(loop);
	loop = NULL;
	loop_free(NULL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close_pipes();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_timers_run_in_order_of_their_time),
		TEST(test_what_a_timer_adds_is_for_the_next_turn),
		TEST(test_a_timer_removes_another_that_is_due),
		TEST(test_many_timers),
		TEST(test_a_timer_that_is_due_first_wakes_in_time),
		TEST(test_descriptors),
		TEST(test_removal_of_one_that_is_ready_too),
		TEST(test_same_number_new_source),
		TEST(test_regular_files_are_refused),
		TEST(test_turn_runs_once_behind_all_events),
		TEST(test_first_turn_waits_for_nothing),
		TEST(test_stop_finishes_the_turn),
		TEST(test_signals),
		TEST(test_child_that_exits),
		TEST(test_child_that_is_killed),
		TEST(test_child_that_somebody_else_reaped),
		TEST(test_child_that_is_forgotten),
		TEST(test_child_without_a_descriptor),
		TEST(test_a_loop_within_another),
		TEST(test_free_with_everything_pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

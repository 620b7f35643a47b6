/*
 * Risky work in a child ends once, with one kind of end: done, its own failure, death, overrun, a
 * torn message, or not at all because it was cancelled. And how long one waits before the next try.
 */
#include "tests/support/test.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/core.h"

struct run {
	struct loop *loop;
	struct job *job;
	int messages, ends;
	uint32_t sum;
	struct err failure;
	bool failed;
};

static void take(void *owner, const struct msg *msg)
{
	struct run *run = owner;

	run->messages++;
	run->sum += msg->type;
}

static void end(void *owner, const struct err *failure)
{
	struct run *run = owner;

	run->ends++;
	run->failed = failure != NULL;
	if (failure)
		run->failure = *failure;
	loop_stop(run->loop);
}

static int setup(void **state)
{
	struct run *run = mem_zalloc(1, sizeof *run);
	struct err err = ERR_INIT;

	run->loop = loop_new(&err);
	assert_non_null(run->loop);
	*state = run;
	return 0;
}

static int teardown(void **state)
{
	struct run *run = *state;

	loop_free(run->loop);
	free(run);
	return 0;
}

static void start(struct run *run, int (*body)(int fd, void *arg), int64_t deadline_ms)
{
	struct err err = ERR_INIT;
	const struct job_opts opts = {.role = "trial",
				      .deadline_ms = deadline_ms,
				      .body = body,
				      .arg = run,
				      .message = take,
				      .ended = end,
				      .owner = run};

	run->job = job_start(run->loop, &opts, &err);
	assert_non_null(run->job);
}

static void run_job(struct run *run, int (*body)(int fd, void *arg), int64_t deadline_ms)
{
	struct err err = ERR_INIT;

	start(run, body, deadline_ms);
	assert_done(loop_run(run->loop, &err), err);
	assert_int_equal(run->ends, 1);
}

static void assert_failed(const struct run *run, enum err_code code, const char *text)
{
	assert_true(run->failed);
	assert_string_equal(err_code_name(run->failure.code), err_code_name(code));
	if (!strstr(run->failure.text, text))
		fail_msg("no \"%s\" in: %s", text, run->failure.text);
}

/* ---- the ends ---- */

static int say_three(int fd, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < 3; i++)
		msg_send(fd, JOB_MSG_FIRST + i, "x", 1, NULL);
	return 0;
}

static void all_messages_come_before_the_end(void **state)
{
	struct run *run = *state;

	run_job(run, say_three, 0);
	assert_false(run->failed);
	assert_int_equal(run->messages, 3);
	assert_int_equal(run->sum, 3 * JOB_MSG_FIRST + 3);
}

/* As a library might that starts a program of its own. */
static int leave_somebody_behind(int fd, void *arg)
{
	pid_t pid = fork();

	(void)arg;
	if (pid == 0) {
		for (;;)
			pause();
	}
	return msg_send(fd, JOB_MSG_FIRST, &pid, sizeof pid, NULL);
}

static pid_t left_behind;

static void take_pid(void *owner, const struct msg *msg)
{
	take(owner, msg);
	memcpy(&left_behind, msg->data, sizeof left_behind);
}

static void a_pipe_that_outlives_the_child_keeps_nobody(void **state)
{
	struct run *run = *state;
	struct err err = ERR_INIT;
	const struct job_opts opts = {.role = "trial",
				      .body = leave_somebody_behind,
				      .message = take_pid,
				      .ended = end,
				      .owner = run};

	run->job = job_start(run->loop, &opts, &err);
	assert_non_null(run->job);
	assert_done(loop_run(run->loop, &err), err);
	assert_int_equal(run->ends, 1);
	assert_int_equal(run->messages, 1);
	assert_false(run->failed);
	assert_int_equal(kill(left_behind, SIGKILL), 0);
}

static int fail_itself(int fd, void *arg)
{
	struct err err = ERR_INIT;

	(void)arg;
	err_set(&err, E_NODE_UNREACHABLE, "no route to host");
	return job_fail(fd, &err);
}

static void its_own_failure_keeps_code_and_text(void **state)
{
	struct run *run = *state;

	run_job(run, fail_itself, 0);
	assert_failed(run, E_NODE_UNREACHABLE, "no route to host");
	assert_int_equal(run->messages, 0);
}

static int leave_with_seven(int fd, void *arg)
{
	(void)fd;
	(void)arg;
	return 7;
}

static int die(int fd, void *arg)
{
	(void)fd;
	(void)arg;
	raise(SIGKILL);
	return 0;
}

static void a_death_names_the_role_and_the_cause(void **state)
{
	struct run *run = *state;

	run_job(run, die, 0);
	assert_failed(run, E_CHILD_DIED, "trial: killed by");
	run->ends = 0;
	run_job(run, leave_with_seven, 0);
	assert_failed(run, E_CHILD_DIED, "status 7");
}

static int tear_a_message(int fd, void *arg)
{
	const uint32_t head[2] = {100, JOB_MSG_FIRST};

	(void)arg;
	return write(fd, head, sizeof head) == sizeof head ? 0 : 1;
}

static void a_torn_message_is_a_failure_though_it_left_well(void **state)
{
	struct run *run = *state;

	run_job(run, tear_a_message, 0);
	assert_failed(run, E_BAD_INPUT, "");
	assert_int_equal(run->messages, 0);
}

static int send_too_much(int fd, void *arg)
{
	const uint32_t head[2] = {UINT32_MAX, JOB_MSG_FIRST};

	(void)arg;
	if (write(fd, head, sizeof head) != sizeof head)
		return 1;
	/* Waits for the parent to have had enough. */
	while (write(fd, head, sizeof head) > 0)
		;
	return 0;
}

static void a_message_that_is_too_long_is_never_read(void **state)
{
	struct run *run = *state;

	signal(SIGPIPE, SIG_IGN);
	run_job(run, send_too_much, 20000);
	assert_failed(run, E_BAD_INPUT, "");
}

static int wait_for_ever(int fd, void *arg)
{
	(void)arg;
	msg_send(fd, JOB_MSG_FIRST, "", 0, NULL);
	pause();
	return 0;
}

static void what_overruns_is_asked_to_end(void **state)
{
	struct run *run = *state;

	run_job(run, wait_for_ever, 50);
	assert_failed(run, E_DEADLINE, "did not end in time");
}

static int ignore_term(int fd, void *arg)
{
	signal(SIGTERM, SIG_IGN);
	return wait_for_ever(fd, arg);
}

static void what_does_not_listen_is_killed(void **state)
{
	struct run *run = *state;

	run_job(run, ignore_term, 50);
	assert_failed(run, E_DEADLINE, "killed by");
}

static void hurried_it_still_ends_with_its_owner(void **state)
{
	struct run *run = *state;
	struct err err = ERR_INIT;

	start(run, wait_for_ever, 0);
	while (run->messages == 0)
		assert_done(loop_once(run->loop, -1, &err), err);
	job_hurry(run->job);
	assert_done(loop_run(run->loop, &err), err);
	assert_int_equal(run->ends, 1);
	assert_failed(run, E_CHILD_DIED, "killed by");
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void cancelled_it_is_heard_of_no_more(void **state)
{
	struct run *run = *state, other = {.loop = run->loop};
	struct err err = ERR_INIT;

	start(run, wait_for_ever, 0);
	job_cancel(&run->job);
	assert_null(run->job);
	job_cancel(&run->job);
	/* A whole life of another one passes in the meantime. */
	run_job(&other, say_three, 0);
	loop_timer_add(run->loop, 0, stop, run->loop);
	assert_done(loop_run(run->loop, &err), err);
	assert_int_equal(run->ends, 0);
	assert_int_equal(run->messages, 0);
}

/* ---- back-off ---- */

static void a_wait_doubles_up_to_its_cap(void **state)
{
	struct backoff backoff = {0};
	int64_t full = BACKOFF_FIRST_MS;

	(void)state;
	assert_int_equal(backoff_left(&backoff), 0);
	for (int i = 0; i < 40; i++) {
		int64_t left;

		backoff_failed(&backoff);
		left = backoff.not_before - clock_boot_ms();
		/* Up to a quarter of jitter, and never longer than said. */
		assert_true(left <= full);
		assert_true(left >= full - full / 4 - 1000 || left <= 0);
		full = full * 2 < BACKOFF_MAX_MS ? full * 2 : BACKOFF_MAX_MS;
	}
	assert_true(backoff_left(&backoff) > 0);
	backoff_clear(&backoff);
	assert_int_equal(backoff_left(&backoff), 0);
	backoff_failed(&backoff);
	assert_true(backoff_left(&backoff) <= BACKOFF_FIRST_MS);
}

#define WITH_LOOP(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOOP(all_messages_come_before_the_end),
		WITH_LOOP(a_pipe_that_outlives_the_child_keeps_nobody),
		WITH_LOOP(its_own_failure_keeps_code_and_text),
		WITH_LOOP(a_death_names_the_role_and_the_cause),
		WITH_LOOP(a_torn_message_is_a_failure_though_it_left_well),
		WITH_LOOP(a_message_that_is_too_long_is_never_read),
		WITH_LOOP(what_overruns_is_asked_to_end),
		WITH_LOOP(what_does_not_listen_is_killed),
		WITH_LOOP(hurried_it_still_ends_with_its_owner),
		WITH_LOOP(cancelled_it_is_heard_of_no_more),
		cmocka_unit_test(a_wait_doubles_up_to_its_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

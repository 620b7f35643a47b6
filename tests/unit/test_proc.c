#include "tests/support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/msg.h"
#include "base/proc.h"

static const struct child_opts no_opts = {.role = NULL};

static struct child start(int (*body)(int fd, void *arg), void *arg, const struct child_opts *opts)
{
	struct child child;
	struct err err = ERR_INIT;

	assert_done(proc_fork(&child, opts, body, arg, &err), err);
	return child;
}

/* Waits for the end of the stream, then reaps. */
static int finish(struct child *child, struct msg *msg, struct buf *in)
{
	struct buf rest AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct msg more;

	if (in)
		assert_int_equal(msg_recv(child->fd, in, msg, NULL), 1);
	while (msg_recv(child->fd, &rest, &more, NULL) == 1)
		;
	return proc_reap(child);
}

static int return_argument(int fd, void *arg)
{
	(void)fd;
	return *(int *)arg;
}

static void test_status_is_what_body_returned(void **state)
{
	int wanted = 42;
	struct child child = start(return_argument, &wanted, &no_opts);
	int status = finish(&child, NULL, NULL);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	assert_int_equal(child.pid, 0);
	assert_int_equal(child.fd, -1);
	assert_int_equal(proc_reap(&child), -1);
}

static int answer(int fd, void *arg)
{
	struct buf in AUTO_BUF = BUF_INIT(100);
	struct msg msg;

	(void)arg;
	if (msg_recv(fd, &in, &msg, NULL) != 1)
		return 1;
	return msg_send(fd, msg.type + 1, msg.data, msg.len, NULL) == 0 ? 0 : 1;
}

static void test_both_ends_talk(void **state)
{
	struct child child = start(answer, NULL, &no_opts);
	struct buf in AUTO_BUF = BUF_INIT(100);
	struct err err = ERR_INIT;
	struct msg msg;

	(void)state;
	assert_true(fcntl(child.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(child.fd, F_GETFD) & FD_CLOEXEC);
	assert_done(msg_send(child.fd, 5, "ping", 4, &err), err);
	assert_int_equal(finish(&child, &msg, &in), 0);
	assert_int_equal(msg.type, 6);
	assert_string_equal(msg.data, "ping");
}

/* Reports each descriptor that is open, and where it leads. */
static int list_descriptors(int fd, void *arg)
{
	struct buf out AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	(void)arg;
	for (int i = 0; i < 300; i++) {
		char link[64], target[256];
		ssize_t len;

		snprintf(link, sizeof link, "/proc/self/fd/%d", i);
		len = readlink(link, target, sizeof target - 1);
		if (len < 0 || i == STDERR_FILENO)
			continue;
		target[len] = '\0';
		buf_addf(&out, "%s%s ", i == fd ? "pair:" : "", target);
	}
	return msg_send(fd, 1, buf_str(&out), out.len, NULL);
}

static void test_only_named_descriptors_stay_open(void **state)
{
	int leaked = open("/etc/passwd", O_RDONLY), high = fcntl(leaked, F_DUPFD, 200);
	int kept[] = {open("/etc/hostname", O_RDONLY), fcntl(leaked, F_DUPFD, 100)};
	struct child_opts opts = {.role = "lister", .keep = kept, .keep_n = ARRAY_LEN(kept)};
	struct buf in AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct child child;
	struct msg msg;

	(void)state;
	child = start(list_descriptors, NULL, &opts);
	assert_int_equal(finish(&child, &msg, &in), 0);
	assert_true(str_starts(msg.data, "/dev/null /dev/null "));
	assert_non_null(strstr(msg.data, "/etc/hostname"));
	assert_non_null(strstr(msg.data, "/etc/passwd"));
	assert_non_null(strstr(msg.data, "pair:socket:"));
	/* passwd once: the kept copy, not the two others */
	assert_null(strstr(strstr(msg.data, "/etc/passwd") + 1, "/etc/passwd"));
	close(leaked);
	close(high);
	close(kept[0]);
	close(kept[1]);
}

static void run_without_standard_io(void *arg)
{
	struct buf in AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct child child;
	struct msg msg;

	(void)arg;
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	if (proc_fork(&child, &no_opts, list_descriptors, NULL, NULL) != 0 ||
	    msg_recv(child.fd, &in, &msg, NULL) != 1 || proc_reap(&child) != 0)
		_exit(1);
	_exit(str_starts(msg.data, "/dev/null /dev/null pair:") ? 0 : 2);
}

static void test_parent_without_standard_io(void **state)
{
	(void)state;
	assert_int_equal(test_in_child(run_without_standard_io, NULL, NULL, 0), 0);
}

static int report_signals(int fd, void *arg)
{
	sigset_t blocked;
	struct sigaction action;

	(void)arg;
	(void)fd;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int number = 1; number < NSIG; number++) {
		if (sigismember(&blocked, number) == 1)
			return 1;
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			return 2;
	}
	return 0;
}

static void ignore_it(int number)
{
	(void)number;
}

static void test_signals_are_as_in_a_fresh_process(void **state)
{
	sigset_t some, before, after;
	struct child child;

	(void)state;
	sigemptyset(&some);
	sigaddset(&some, SIGTERM);
	sigaddset(&some, SIGCHLD);
	sigprocmask(SIG_BLOCK, &some, &before);
	signal(SIGUSR1, ignore_it);
	signal(SIGPIPE, SIG_IGN);
	child = start(report_signals, NULL, &no_opts);
	assert_int_equal(finish(&child, NULL, NULL), 0);
	sigprocmask(SIG_SETMASK, &before, &after);
	assert_true(sigismember(&after, SIGTERM));
	assert_false(sigismember(&after, SIGUSR2));
	signal(SIGUSR1, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
}

NORETURN
static int wait_for_ever(int fd, void *arg)
{
	char byte;

	(void)arg;
	(void)msg_send(fd, 1, "up", 2, NULL);
	while (read(fd, &byte, 1) > 0)
		;
	for (;;)
		pause();
}

static void test_terminate_and_kill(void **state)
{
	void (*const ways[])(const struct child *) = {proc_terminate, proc_kill};
	static const int signals[] = {SIGTERM, SIGKILL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct child child = start(wait_for_ever, NULL, &no_opts);
		struct buf in AUTO_BUF = BUF_INIT(100);
		struct msg msg;
		int status;

		assert_int_equal(msg_recv(child.fd, &in, &msg, NULL), 1);
		ways[i](&child);
		status = proc_reap(&child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
		ways[i](&child); /* nothing any more */
	}
}

struct grandchild {
	int report;
};

static int start_and_wait(int fd, void *arg)
{
	struct grandchild *report = arg;
	struct child_opts opts = {.keep = &report->report, .keep_n = 1};
	struct child child;

	if (proc_fork(&child, &opts, wait_for_ever, NULL, NULL) != 0)
		return 1;
	wait_for_ever(fd, NULL);
}

/* The grandchild keeps the write end of a pipe: its end is the end of the pipe. */
static void test_children_die_with_their_parent(void **state)
{
	int ends[2];
	struct grandchild report;
	struct child_opts opts = {.keep = &report.report, .keep_n = 1};
	struct buf in AUTO_BUF = BUF_INIT(100);
	struct child child;
	struct msg msg;
	char byte;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	report.report = ends[1];
	child = start(start_and_wait, &report, &opts);
	close(ends[1]);
	assert_int_equal(msg_recv(child.fd, &in, &msg, NULL), 1);
	proc_kill(&child);
	proc_reap(&child);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

static int report_name(int fd, void *arg)
{
	char name[16];

	(void)arg;
	prctl(PR_GET_NAME, name);
	return msg_send(fd, 1, name, strlen(name), NULL);
}

static void test_role_is_the_name(void **state)
{
	struct child_opts opts = {.role = "fetch"};
	struct child child = start(report_name, NULL, &opts);
	struct buf in AUTO_BUF = BUF_INIT(100);
	struct msg msg;

	(void)state;
	assert_int_equal(finish(&child, &msg, &in), 0);
	assert_string_equal(msg.data, "trueup-fetch");
}

static void test_status_texts(void **state)
{
	char out[64], small[8];

	(void)state;
	assert_string_equal(proc_status_text(0, out, sizeof out), "exited with status 0");
	assert_string_equal(proc_status_text(3 << 8, out, sizeof out), "exited with status 3");
	assert_string_equal(proc_status_text(SIGSEGV, out, sizeof out), "killed by SIGSEGV");
	assert_string_equal(proc_status_text(SIGKILL | 0x80, out, sizeof out), "killed by SIGKILL");
	assert_string_equal(proc_status_text(50, out, sizeof out), "killed by signal 50");
	assert_string_equal(proc_status_text(-1, out, sizeof out), "was reaped elsewhere");
	assert_string_equal(proc_status_text(0, small, sizeof small), "exited ");
}

static int rename_oddly(int fd, void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "a) Z 1 (b");
	wait_for_ever(fd, NULL);
}

static void test_start_time(void **state)
{
	struct child child = start(rename_oddly, NULL, &no_opts);
	struct buf in AUTO_BUF = BUF_INIT(100);
	siginfo_t info;
	struct msg msg;
	uint64_t time;
	pid_t pid = child.pid;

	(void)state;
	assert_int_equal(msg_recv(child.fd, &in, &msg, NULL), 1);
	time = proc_start_time(pid);
	assert_true(time > 0);
	assert_true(time == proc_start_time(pid));
	assert_true(time >= proc_start_time(getpid()));
	proc_kill(&child);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc_start_time(pid), 0); /* a zombie */
	proc_reap(&child);
	assert_int_equal(proc_start_time(pid), 0);
	assert_int_equal(proc_start_time(0), 0);
	assert_int_equal(proc_start_time(-5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_is_what_body_returned),
		cmocka_unit_test(test_both_ends_talk),
		cmocka_unit_test(test_only_named_descriptors_stay_open),
		cmocka_unit_test(test_parent_without_standard_io),
		cmocka_unit_test(test_signals_are_as_in_a_fresh_process),
		cmocka_unit_test(test_terminate_and_kill),
		cmocka_unit_test(test_children_die_with_their_parent),
		cmocka_unit_test(test_role_is_the_name),
		cmocka_unit_test(test_status_texts),
		cmocka_unit_test(test_start_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/sys.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int compare_ints(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	return (left > right) - (left < right);
}

void proc_close_fds(const int *keep, size_t keep_n)
{
	int *sorted AUTO_FREE = mem_zalloc(keep_n, sizeof *sorted);
	unsigned from = 3;

	if (keep_n)
		memcpy(sorted, keep, keep_n * sizeof *sorted);
	qsort(sorted, keep_n, sizeof *sorted, compare_ints);
	for (size_t i = 0; i < keep_n; i++) {
		if (sorted[i] < (int)from)
			continue;
		if ((unsigned)sorted[i] > from)
			close_range(from, (unsigned)sorted[i] - 1, 0);
		from = (unsigned)sorted[i] + 1;
	}
	close_range(from, UINT_MAX, 0);
}

void proc_default_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool is_kept(int fd, const struct child_opts *opts)
{
	for (size_t i = 0; i < opts->keep_n; i++) {
		if (opts->keep[i] == fd)
			return true;
	}
	return false;
}

/* Standard input and output lead nowhere, so that nothing of the parent's can leak through. */
static void detach_standard_io(const struct child_opts *opts)
{
	int null AUTO_FD = open("/dev/null", O_RDWR);

	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++) {
		if (!is_kept(fd, opts) && null >= 0 && null != fd)
			dup2(null, fd);
	}
	if (null <= STDERR_FILENO)
		null = -1;
}

/* A pair end below 3 (the parent had closed its standard ones) moves up, out of their way. */
static int move_up(int fd)
{
	return fd > STDERR_FILENO ? fd : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static void close_others(const struct child_opts *opts, int fd)
{
	int *keep AUTO_FREE = mem_zalloc(opts->keep_n + 1, sizeof *keep);

	if (opts->keep_n)
		memcpy(keep, opts->keep, opts->keep_n * sizeof *keep);
	keep[opts->keep_n] = fd;
	proc_close_fds(keep, opts->keep_n + 1);
}

NORETURN
static void be_child(pid_t parent, int fd, const struct child_opts *opts,
		     int (*body)(int fd, void *arg), void *arg)
{
	char name[16];

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(EXIT_ERROR);
	proc_default_signals();
	fd = move_up(fd);
	detach_standard_io(opts);
	close_others(opts, fd);
	if (opts->role) {
		snprintf(name, sizeof name, "trueup-%s", opts->role);
		prctl(PR_SET_NAME, name);
		log_set_role(opts->role);
	}
	_exit(body(fd, arg));
}

/* Signals wait until the child has its own handling: the parent's would run twice. */
static pid_t fork_quietly(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int proc_fork(struct child *child, const struct child_opts *opts, int (*body)(int fd, void *arg),
	      void *arg, struct err *err)
{
	pid_t parent = getpid();
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_errno(err, E_SPAWN, "socket pair");
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
		fs_close_ptr(&pair[0]);
		fs_close_ptr(&pair[1]);
		return err_errno(err, E_SPAWN, "socket pair");
	}
	pid = fork_quietly();
	if (pid == 0)
		be_child(parent, pair[1], opts, body, arg);
	fs_close_ptr(&pair[1]);
	if (pid < 0) {
		fs_close_ptr(&pair[0]);
		return err_errno(err, E_SPAWN, "fork");
	}
	*child = (struct child){.pid = pid, .fd = pair[0]};
	return 0;
}

void proc_terminate(const struct child *child)
{
	if (child->pid > 0)
		kill(child->pid, SIGTERM);
}

void proc_kill(const struct child *child)
{
	if (child->pid > 0)
		kill(child->pid, SIGKILL);
}

int proc_reap(struct child *child)
{
	int status = -1;

	fs_close_ptr(&child->fd);
	if (child->pid <= 0)
		return -1;
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	return status;
}

const char *proc_status_text(int wait_status, char *out, size_t size)
{
	const char *name = WIFSIGNALED(wait_status) ? sigabbrev_np(WTERMSIG(wait_status)) : NULL;

	if (wait_status == -1)
		snprintf(out, size, "was reaped elsewhere");
	else if (WIFEXITED(wait_status))
		snprintf(out, size, "exited with status %d", WEXITSTATUS(wait_status));
	else if (name)
		snprintf(out, size, "killed by SIG%s", name);
	else if (WIFSIGNALED(wait_status))
		snprintf(out, size, "killed by signal %d", WTERMSIG(wait_status));
	else
		snprintf(out, size, "still running");
	return out;
}

/* The second field is the name in brackets and may hold anything, so counting starts behind it. */
uint64_t proc_start_time(pid_t pid)
{
	struct buf text AUTO_BUF = BUF_INIT(4096);
	char path[64];
	char *field;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (pid <= 0 || fs_read(path, 4095, &text, NULL) != 0)
		return 0;
	field = strrchr(buf_str(&text), ')');
	if (!field || field[1] != ' ' || strchr("ZXx", field[2]))
		return 0;
	for (int number = 2; field && number < 22; number++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field + 1, NULL, 10) : 0;
}

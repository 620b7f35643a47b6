#include "base/sys.h"
#include "drivers/host_launch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/proc.h"
#include "drivers/host_control.h"
#include "drivers/host_supervisor.h"

/* A start takes as long as the disk needs to load the program. */
#define READY_WAIT_MS 60000
/* Beyond the stop timeout: killing, reaping and clearing. */
#define END_WAIT_MS 60000
#define ANSWER_MAX ((size_t)2048)

/* ---- starting ------------------------------------------------------------------------------ */

/* Nothing of the reconciler's goes along: no descriptor, signal, folder or environment. */
NORETURN
static void be_supervisor(const struct host *host, const char *name, int ready)
{
	const char *argv[] = {host->env->self, HOST_SUPERVISE_VERB, host->data_root, name, NULL};
	static const char *const envp[] = {"LANG=C.UTF-8", NULL};
	int up = fcntl(ready, F_DUPFD, HOST_READY_FD + 1);
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < HOST_READY_FD; fd++)
		(void)dup2(null, fd);
	if (dup2(up, HOST_READY_FD) < 0)
		_exit(EXIT_ERROR);
	proc_close_fds(&(int){HOST_READY_FD}, 1);
	proc_default_signals();
	umask(077);
	if (chdir("/") == 0)
		execve(host->env->self, (char *const *)(uintptr_t)argv,
		       (char *const *)(uintptr_t)envp);
	dprintf(HOST_READY_FD, "%s: %s: %s\n", err_code_name(E_SPAWN), host->env->self,
		strerror(errno));
	_exit(EXIT_ERROR);
}

/* Forks twice: the supervisor belongs to nobody, and outlives whoever started it. */
static int fork_away(const struct host *host, const char *name, int ready, struct err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_errno(err, E_SPAWN, "fork");
	if (pid == 0) {
		if (setsid() < 0)
			_exit(EXIT_ERROR);
		pid = fork();
		if (pid == 0)
			be_supervisor(host, name, ready);
		_exit(pid < 0 ? EXIT_ERROR : EXIT_DONE);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* "ready", or "<code>: text". */
static int read_answer(int pipe, struct err *err)
{
	struct buf text AUTO_BUF = BUF_INIT(ANSWER_MAX);
	struct pollfd wait = {.fd = pipe, .events = POLLIN};
	char bytes[512], *colon;
	enum err_code code;
	ssize_t n;

	do {
		if (poll(&wait, 1, READY_WAIT_MS) == 0)
			return err_set(err, E_SUPERVISOR,
				       "its supervisor does not say that it is up");
		n = read(pipe, bytes, sizeof bytes);
		if (n > 0)
			buf_add(&text, bytes, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (str_starts(buf_str(&text), HOST_READY "\n"))
		return 0;
	colon = text.len ? strstr(text.ptr, ": ") : NULL;
	/* Killed: it would have said what is wrong with the release. */
	if (!colon)
		return err_set(err, E_SUPERVISOR, "its supervisor ended before it was up");
	*colon = '\0';
	code = err_code_find(text.ptr);
	colon += 2;
	return err_set(err, code == E_NONE ? E_SPAWN : code, "%.*s", (int)strcspn(colon, "\n"),
		       colon);
}

int host_launch(const struct host *host, const char *name, struct err *err)
{
	int ends[2];
	int done;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, E_SPAWN, "pipe");
	done = fork_away(host, name, ends[1], err);
	close(ends[1]);
	if (done == 0)
		done = read_answer(ends[0], err);
	close(ends[0]);
	return done;
}

/* ---- ending -------------------------------------------------------------------------------- */

static int await_exit(int pidfd, int64_t stop_timeout_ms, struct err *err)
{
	struct pollfd wait = {.fd = pidfd, .events = POLLIN};
	int64_t wait_ms = stop_timeout_ms + END_WAIT_MS;
	int n;

	do
		n = poll(&wait, 1, wait_ms > INT_MAX ? INT_MAX : (int)wait_ms);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : err_set(err, E_ENGINE, "it does not end, not even after SIGKILL");
}

int host_dismiss(int dir, int64_t stop_timeout_ms, bool *asked, struct err *err)
{
	struct err problem = ERR_INIT;
	int pidfd AUTO_FD = host_supervisor_open(dir, &problem);

	*asked = pidfd >= 0;
	if (pidfd < 0)
		return problem.code == E_NOT_FOUND ? 0
						   : err_set(err, problem.code, "%s", problem.text);
	if (pidfd_send_signal(pidfd, SIGTERM, NULL, 0) != 0 && errno != ESRCH)
		return err_errno(err, E_ENGINE, "signal its supervisor");
	return await_exit(pidfd, stop_timeout_ms, err);
}

int host_await_end(int dir, int64_t stop_timeout_ms, struct err *err)
{
	int pidfd AUTO_FD = host_supervisor_open(dir, NULL);

	return pidfd < 0 ? 0 : await_exit(pidfd, stop_timeout_ms, err);
}

void host_reload(int dir)
{
	int pidfd AUTO_FD = host_supervisor_open(dir, NULL);

	if (pidfd >= 0)
		(void)pidfd_send_signal(pidfd, SIGHUP, NULL, 0);
}

#include "tests/support/test.h"
#include "tests/support/kill_at.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"

#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
	 PTRACE_O_TRACEEXEC)

static bool is_change(uint64_t number)
{
	static const long changes[] = {
		SYS_write,     SYS_renameat,
		SYS_renameat2, SYS_mkdirat,
		SYS_unlinkat,  SYS_symlinkat,
		SYS_fchmod,    SYS_fchown,
		SYS_ftruncate, SYS_kill,
		SYS_fchmodat,  SYS_fchownat,
		SYS_execve,    SYS_pidfd_send_signal,
#ifdef SYS_rename
		SYS_rename,    SYS_mkdir,
		SYS_rmdir,     SYS_unlink,
		SYS_symlink,   SYS_chmod,
		SYS_chown,     SYS_fork,
#endif
		SYS_clone,
	};

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		if ((uint64_t)changes[i] == number)
			return true;
	}
	return false;
}

struct trace {
	VEC(pid_t) traced;
	pid_t child;
	int left; /* until the kill */
	bool killed, child_gone;
};

static void forget(struct trace *trace, pid_t pid)
{
	for (size_t i = 0; i < trace->traced.n; i++) {
		if (trace->traced.v[i] == pid)
			trace->traced.v[i] = trace->traced.v[--trace->traced.n];
	}
	trace->child_gone = trace->child_gone || pid == trace->child;
}

static bool knows(const struct trace *trace, pid_t pid)
{
	for (size_t i = 0; i < trace->traced.n; i++) {
		if (trace->traced.v[i] == pid)
			return true;
	}
	return false;
}

static bool runs_this_program(pid_t pid)
{
	AUTO_FREE char *link = mem_printf("/proc/%d/exe", (int)pid);
	struct stat its, ours;

	return stat(link, &its) == 0 && stat("/proc/self/exe", &ours) == 0 &&
	       its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

static void at_syscall(struct trace *trace, pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (trace->killed ||
	    ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_change(info.entry.nr))
		return;
	if (--trace->left == 0) {
		kill(pid, SIGKILL);
		trace->killed = true;
	}
}

/* One stop of one tracee; it goes on afterwards, unless it is let go. */
static void at_stop(struct trace *trace, pid_t pid, int status)
{
	int number = WSTOPSIG(status), event = status >> 16;

	if (!knows(trace, pid))
		VEC_PUSH(&trace->traced, pid);
	if (number == (SIGTRAP | 0x80)) {
		at_syscall(trace, pid);
		number = 0;
	} else if (event == PTRACE_EVENT_EXEC && !runs_this_program(pid)) {
		forget(trace, pid);
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
		return;
	} else if (event || number == SIGSTOP || number == SIGTRAP) {
		number = 0;
	}
	ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)number);
}

/* Those that go on without the child: a supervisor that does its duty. */
static void let_go(struct trace *trace)
{
	while (trace->traced.n) {
		pid_t pid = trace->traced.v[0];
		int status;

		syscall(SYS_tgkill, pid, pid, SIGSTOP);
		while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
		       WSTOPSIG(status) != SIGSTOP)
			at_stop(trace, pid, status);
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
		forget(trace, pid);
	}
}

static pid_t start(void (*body)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(99);
	raise(SIGSTOP);
	body(arg);
	_exit(0);
}

bool kill_at(int n, void (*body)(void *arg), void *arg)
{
	struct trace trace = {.left = n};
	int status;
	pid_t pid;

	trace.child = start(body, arg);
	assert_int_equal(waitpid(trace.child, &status, 0), trace.child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, trace.child, NULL, (void *)(intptr_t)OPTIONS),
			 0);
	VEC_PUSH(&trace.traced, trace.child);
	ptrace(PTRACE_SYSCALL, trace.child, NULL, NULL);
	while (!trace.child_gone && (pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			at_stop(&trace, pid, status);
		else
			forget(&trace, pid);
	}
	let_go(&trace);
	VEC_FREE(&trace.traced);
	return trace.killed;
}

static void nothing(void *arg)
{
	(void)arg;
}

bool kill_at_works(void)
{
	int status;
	pid_t pid = start(nothing, NULL);

	waitpid(pid, &status, 0);
	if (!WIFSTOPPED(status))
		return false;
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	waitpid(pid, &status, 0);
	return true;
}

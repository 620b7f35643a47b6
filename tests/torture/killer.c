/*
 * killer.c - runs a command and kills one of its processes at its N-th write.
 *
 *	killer [-u UNTIL] N BEFORE COMMAND [ARG...]
 *
 * BEFORE is given to sh and runs to its end first. From then on every system call that changes
 * something outside the process is counted, over COMMAND, all its descendants and whatever BEFORE
 * left running, in the order in which they happen. The process about to make the N-th is killed
 * with SIGKILL, and the call is not made; the others go on undisturbed. With N 0 nobody is killed.
 *
 * A COMMAND that does not end by itself needs UNTIL: it is given to sh beside COMMAND, untraced,
 * and at its end COMMAND gets SIGTERM. When COMMAND ends first, UNTIL is ended.
 *
 * When COMMAND has ended, what it left running is let go. The last line of standard error is
 *
 *	killer: CALLS counted, STATUS, KILLED
 *
 * where STATUS is "exit N" or "signal N" of COMMAND and KILLED is "NAME at CALL" (the process's
 * name, the number of the call) or "nobody". Exit status: 0; 69 where tracing is not permitted, or
 * the kernel has no PTRACE_GET_SYSCALL_INFO; 1 for other trouble.
 *
 * strace can inject a signal too, but counts each call of each process for itself.
 */
#include "base/sys.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc's own names for them clash with <linux/ptrace.h>. */
#ifndef PTRACE_SYSCALL_INFO_ENTRY
#define PTRACE_SYSCALL_INFO_ENTRY 1
#endif

#define EXIT_UNAVAILABLE 69
#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
	 PTRACE_O_TRACEEXEC)

/* Calls that leave something behind for others to see. */
static const long WRITES[] = {
	SYS_write,
	SYS_pwrite64,
	SYS_writev,
	SYS_pwritev,
	SYS_sendto,
	SYS_sendmsg,
	SYS_fsync,
	SYS_fdatasync,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_renameat,
	SYS_renameat2,
	SYS_unlinkat,
	SYS_mkdirat,
	SYS_linkat,
	SYS_symlinkat,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_fchown,
	SYS_fchownat,
	SYS_utimensat,
	SYS_kill,
	SYS_clone,
	SYS_execve,
	SYS_setsid,
	SYS_flock,
	SYS_copy_file_range,
#ifdef SYS_clone3
	SYS_clone3,
#endif
#ifdef SYS_pidfd_send_signal
	SYS_pidfd_send_signal,
#endif
#ifdef SYS_rename /* the calls that newer machines no longer have */
	SYS_rename,
	SYS_unlink,
	SYS_mkdir,
	SYS_rmdir,
	SYS_link,
	SYS_symlink,
	SYS_chmod,
	SYS_chown,
	SYS_fork,
	SYS_vfork,
#endif
};

static struct {
	long target, calls;
	pid_t command; /* 0: BEFORE still runs, nothing is counted */
	pid_t until;   /* 0: there is none, or it is over */
	int status;    /* of the process waited for */
	long at;       /* the call that was not made, -1: none yet */
	char victim[32];
} killer = {.at = -1};

static bool is_write(long call)
{
	for (size_t i = 0; i < sizeof WRITES / sizeof *WRITES; i++)
		if (WRITES[i] == call)
			return true;
	return false;
}

static void note_victim(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	FILE *file = fopen(path, "r");
	if (file && fgets(killer.victim, sizeof killer.victim, file))
		killer.victim[strcspn(killer.victim, "\n")] = 0;
	if (file)
		fclose(file);
}

/* A tracee enters or leaves a system call. */
static void on_call(pid_t pid)
{
	struct __ptrace_syscall_info info;
	if (!killer.command ||
	    ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_write((long)info.entry.nr))
		return;
	killer.calls++;
	if (killer.calls == killer.target) {
		note_victim(pid);
		killer.at = (long)info.entry.nr;
		kill(pid, SIGKILL);
	}
}

/* What a stopped tracee is to get when it goes on; 0: nothing. */
static int on_stop(pid_t pid, int status)
{
	int signal = WSTOPSIG(status);
	if (signal == (SIGTRAP | 0x80)) {
		on_call(pid);
		return 0;
	}
	/* An event, among them the first stop of a new tracee. */
	if (status >> 16)
		return 0;
	return signal;
}

/* Follows everybody until `pid` has ended, whose status is left in killer.status. */
static int follow_until_end(pid_t pid)
{
	for (;;) {
		int status;
		pid_t who = waitpid(-1, &status, __WALL);
		if (who < 0 && errno == EINTR)
			continue;
		if (who < 0)
			return -1;
		if (who == killer.until) {
			killer.until = 0;
			kill(pid, SIGTERM);
		} else if (WIFSTOPPED(status)) {
			long signal = on_stop(who, status);
			ptrace(PTRACE_SYSCALL, who, NULL, (void *)signal);
		} else if (who == pid) {
			killer.status = status;
			return 0;
		}
	}
}

/* In a group of its own, so that all of it can be ended. */
static pid_t start_until(const char *script)
{
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	setpgid(pid, pid);
	return pid;
}

/* Nicely first: a git that is killed leaves its locks in the repository. */
static void end_until(void)
{
	if (killer.until <= 0)
		return;
	kill(-killer.until, SIGTERM);
	for (int tries = 0; tries < 500 && kill(-killer.until, 0) == 0; tries++) {
		waitpid(killer.until, NULL, WNOHANG);
		usleep(10000);
	}
	kill(-killer.until, SIGKILL);
}

/* The command, stopped before its first instruction and traced. */
static pid_t start(char **command)
{
	pid_t pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		execvp(command[0], command);
		_exit(127);
	}
	int status;
	if (pid < 0 || waitpid(pid, &status, WUNTRACED) != pid)
		return -1;
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) != 0) {
		kill(pid, SIGKILL);
		return -1;
	}
	kill(pid, SIGCONT);
	return pid;
}

int main(int argc, char **argv)
{
	const char *until = NULL;
	if (argc > 2 && strcmp(argv[1], "-u") == 0) {
		until = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 4) {
		fprintf(stderr, "usage: killer [-u UNTIL] N BEFORE COMMAND [ARG...]\n");
		return 64;
	}
	killer.target = strtol(argv[1], NULL, 10);
	char sh[] = "sh", option[] = "-c";
	char *before[] = {sh, option, argv[2], NULL};
	pid_t pid = start(before);
	if (pid < 0)
		return EXIT_UNAVAILABLE;
	if (follow_until_end(pid) != 0 || killer.status != 0) {
		fprintf(stderr, "killer: BEFORE failed\n");
		return 1;
	}
	killer.command = start(argv + 3);
	if (killer.command >= 0 && until)
		killer.until = start_until(until);
	if (killer.command < 0 || killer.until < 0 || follow_until_end(killer.command) != 0)
		return 1;
	end_until();
	bool exited = WIFEXITED(killer.status);
	fprintf(stderr, "killer: %ld counted, %s %d, ", killer.calls, exited ? "exit" : "signal",
		exited ? WEXITSTATUS(killer.status) : WTERMSIG(killer.status));
	if (killer.at < 0)
		fprintf(stderr, "nobody\n");
	else
		fprintf(stderr, "%s at %ld\n", killer.victim, killer.at);
	return 0;
}

#include "tests/support/test.h"
#include "tests/support/shell.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

static const char *const environment[] = {
	"GIT_CONFIG_NOSYSTEM=1",
	"GIT_CONFIG_COUNT=3",
	"GIT_CONFIG_KEY_0=init.defaultBranch",
	"GIT_CONFIG_VALUE_0=main",
	"GIT_CONFIG_KEY_1=gc.auto",
	"GIT_CONFIG_VALUE_1=0",
	"GIT_CONFIG_KEY_2=protocol.file.allow",
	"GIT_CONFIG_VALUE_2=always",
	"GIT_AUTHOR_NAME=Ann",
	"GIT_AUTHOR_EMAIL=ann@example.org",
	"GIT_COMMITTER_NAME=Bob",
	"GIT_COMMITTER_EMAIL=bob@example.org",
	"GIT_AUTHOR_DATE=@1700000000 +0000",
	"GIT_COMMITTER_DATE=@1700000000 +0000",
	"GIT_TERMINAL_PROMPT=0",
};

NORETURN static void run_script(const char *folder, const char *script, int out)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (chdir(folder) != 0 || setenv("HOME", folder, 1) != 0)
		_exit(126);
	for (size_t i = 0; i < ARRAY_LEN(environment); i++)
		putenv((char *)(uintptr_t)environment[i]);
	dup2(nothing, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execlp("bash", "bash", "-eu", "-o", "pipefail", "-c", script, (char *)NULL);
	_exit(127);
}

static void read_all(int fd, struct buf *out)
{
	char part[4096];
	ssize_t got;

	while ((got = read(fd, part, sizeof part)) > 0)
		buf_add(out, part, (size_t)got);
}

static char *run(const char *folder, const char *script)
{
	struct buf out = BUF_INIT(BUF_MAX_TEXT);
	int ends[2], status = -1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		fail_msg("pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run_script(folder, script, ends[1]);
	close(ends[1]);
	read_all(ends[0], &out);
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		fail_msg("status %d of: %s\n%s", status, script, buf_str(&out));
	if (out.len && out.ptr[out.len - 1] == '\n')
		out.ptr[--out.len] = '\0';
	return buf_take(&out);
}

PRINTF_LIKE(2, 0)
static char *run_formatted(const char *folder, const char *fmt, va_list args)
{
	struct buf script AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

	buf_addfv(&script, fmt, args);
	return run(folder, buf_str(&script));
}

char *test_shell(const char *folder, const char *script, ...)
{
	va_list args;
	char *out;

	va_start(args, script);
	out = run_formatted(folder, script, args);
	va_end(args);
	return out;
}

void test_run(const char *folder, const char *script, ...)
{
	va_list args;

	va_start(args, script);
	free(run_formatted(folder, script, args));
	va_end(args);
}

struct oid test_shell_id(const char *folder, const char *script, ...)
{
	char *out AUTO_FREE = NULL;
	struct oid id;
	va_list args;

	va_start(args, script);
	out = run_formatted(folder, script, args);
	va_end(args);
	if (oid_parse(out, &id) != 0)
		fail_msg("not an id: %s", out);
	return id;
}

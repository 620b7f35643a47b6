#include "base/sys.h"
#include "drivers/host_orphans.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/vec.h"

/* An environment is looked through this far. */
#define ENVIRONMENT_MAX ((size_t)1 << 20)
/* A process in an uninterruptible call dies only when that returns. */
#define DEATH_WAIT_MS 10000
/* A run that forks while it is killed: each round ends all that were there at its start. */
#define ROUNDS_MAX 100

static bool environment_has(const char *environment, size_t len, const char *pair)
{
	size_t pair_len = strlen(pair);

	for (const char *at = environment, *end = environment + len; at < end;) {
		size_t part = strnlen(at, (size_t)(end - at));

		if (part == pair_len && memcmp(at, pair, part) == 0)
			return true;
		at += part + 1;
	}
	return false;
}

/* The part of it that fits: what is past the cap is as if it were not there. */
static bool is_of_run(const char *process, const char *pair)
{
	AUTO_FREE char *path = mem_printf("/proc/%s/environ", process);
	AUTO_FREE char *text = NULL;
	int fd AUTO_FD = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0, cap = 0;
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && len < ENVIRONMENT_MAX) {
		if (len == cap)
			text = mem_realloc(text, cap = cap ? 2 * cap : 4096);
		n = read(fd, text + len, cap - len);
		len += n > 0 ? (size_t)n : 0;
	}
	return environment_has(text ? text : "", len, pair);
}

/*
 * The environment is read after the pidfd was opened, so that both are of one process: had the
 * number been reused in between, what was read would be the new one's.
 */
int host_run_each(const char *run, void (*use)(void *arg, pid_t pid, int pidfd), void *arg,
		  struct err *err)
{
	AUTO_FREE char *pair = mem_printf(HOST_RUN_VARIABLE "=%s", run);
	AUTO_DIR DIR *dir = opendir("/proc");
	const struct dirent *entry;

	if (!dir)
		return err_errno(err, E_IO, "list /proc");
	while ((entry = readdir(dir))) {
		int pidfd AUTO_FD = -1;
		int64_t pid;

		if (num_parse_int(entry->d_name, 2, INT32_MAX, &pid) != 0 || pid == getpid())
			continue;
		pidfd = pidfd_open((pid_t)pid, 0);
		if (pidfd >= 0 && is_of_run(entry->d_name, pair))
			use(arg, (pid_t)pid, pidfd);
	}
	return 0;
}

struct killed {
	VEC(struct pollfd) list;
};

static void kill_one(void *arg, pid_t pid, int pidfd)
{
	struct killed *killed = arg;
	int kept;

	(void)pid;
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) != 0)
		return;
	kept = fcntl(pidfd, F_DUPFD_CLOEXEC, 0);
	if (kept >= 0)
		VEC_PUSH(&killed->list, ((struct pollfd){.fd = kept, .events = POLLIN}));
}

static int await_deaths(struct killed *killed, struct err *err)
{
	int done = 0;

	for (size_t i = 0; i < killed->list.n; i++) {
		if (done == 0 && poll(&killed->list.v[i], 1, DEATH_WAIT_MS) != 1)
			done = err_set(err, E_ENGINE,
				       "a process of an earlier run does not end after SIGKILL");
		close(killed->list.v[i].fd);
	}
	VEC_FREE(&killed->list);
	return done;
}

int host_orphans_kill(const char *run, int *found, struct err *err)
{
	*found = 0;
	for (int round = 0; *run && round < ROUNDS_MAX; round++) {
		struct killed killed = {0};
		size_t n;

		if (host_run_each(run, kill_one, &killed, err) != 0)
			return -1;
		n = killed.list.n;
		*found += (int)n;
		if (await_deaths(&killed, err) != 0)
			return -1;
		if (n == 0)
			return 0;
	}
	return *run ? err_set(err, E_ENGINE, "an earlier run forks faster than it can be ended")
		    : 0;
}

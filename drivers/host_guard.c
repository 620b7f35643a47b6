#include "base/sys.h"
#include "drivers/host_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "drivers/host_control.h"

int64_t host_guard_look_ms = 10000;

void host_guard_release(struct host_guard *guard)
{
	if (guard->dir >= 0)
		(void)fcntl(guard->dir, F_NOTIFY, 0);
	guard->dir = -1;
	loop_timer_del(&guard->timer);
}

/* A signal says that something was removed, not what; files that are replaced send it as well. */
static void look(struct host_guard *guard)
{
	struct stat info;

	if (guard->dir < 0 ||
	    fstatat(guard->dir, HOST_LOCK_FILE, &info, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return;
	host_guard_release(guard);
	guard->gone(guard->arg);
}

static void told(void *arg, int signal_number)
{
	(void)signal_number;
	look(arg);
}

static void look_and_wait(void *arg)
{
	struct host_guard *guard = arg;

	guard->timer = loop_timer_add(guard->loop, host_guard_look_ms, look_and_wait, guard);
	look(guard);
}

int host_guard_open(struct host_guard *guard, struct loop *loop, int dir, void (*gone)(void *arg),
		    void *arg, struct err *err)
{
	*guard = (struct host_guard){.dir = dir, .loop = loop, .gone = gone, .arg = arg};
	if (loop_signal_add(loop, SIGIO, told, guard, err) != 0)
		return -1;
	if (fcntl(dir, F_NOTIFY, DN_DELETE | DN_MULTISHOT) != 0)
		guard->timer = loop_timer_add(loop, host_guard_look_ms, look_and_wait, guard);
	return 0;
}

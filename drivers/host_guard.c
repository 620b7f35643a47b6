#include "base/sys.h"
#include "drivers/host_guard.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_control.h"

void host_guard_release(struct host_guard *guard)
{
	loop_fd_del(&guard->source);
	fs_close_ptr(&guard->fd);
}

/* Files that are replaced or rotated are renamed over: no removal is reported for them. */
static void ready(void *arg, uint32_t events)
{
	struct host_guard *guard = arg;
	_Alignas(struct inotify_event) char bytes[4096];
	ssize_t n = read(guard->fd, bytes, sizeof bytes);

	(void)events;
	for (char *at = bytes; n > 0 && at < bytes + n;) {
		const struct inotify_event *event = (const void *)at;

		if (event->len && str_eq(event->name, HOST_LOCK_FILE)) {
			host_guard_release(guard);
			guard->gone(guard->arg);
			return;
		}
		at += sizeof *event + event->len;
	}
}

int host_guard_open(struct host_guard *guard, struct loop *loop, int dir, void (*gone)(void *arg),
		    void *arg, struct err *err)
{
	AUTO_FREE char *path = mem_printf("/proc/self/fd/%d", dir);

	guard->gone = gone;
	guard->arg = arg;
	guard->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (guard->fd < 0 || inotify_add_watch(guard->fd, path, IN_DELETE) < 0)
		return err_errno(err, E_IO, "watch its control folder");
	guard->source = loop_fd_add(loop, guard->fd, EPOLLIN, ready, guard);
	return 0;
}

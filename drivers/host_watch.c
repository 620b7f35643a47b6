#include "base/sys.h"
#include "drivers/host.h"

#include <sys/inotify.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_control.h"

/*
 * What is watched: the folder of all workloads (they come, go and are renamed), the control folder
 * of each (spec.json and status.json are replaced; a lock that is closed is a supervisor that
 * ended, however it ended), and the data root (folders removed or made by hand).
 */
#define LIST_EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)
#define CONTROL_EVENTS (IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR)
#define EVENTS_BYTES 16384

struct host_watch {
	int fd;
	int list, root; /* watch descriptors */
};

void host_watch_free(struct host_watch **watch)
{
	if (*watch)
		fs_close_ptr(&(*watch)->fd);
	free(*watch);
	*watch = NULL;
}

/* One that is gone again before it is watched is no problem: its going is an event too. */
static int watch_workload(void *arg, const char *name, struct err *err)
{
	struct host *host = arg;
	AUTO_FREE char *path = host_path(host, HOST_WORKLOADS, name);

	if (!host_name_is_workload(name))
		return 0;
	if (inotify_add_watch(host->watch->fd, path, CONTROL_EVENTS) < 0 && errno != ENOENT)
		return err_errno(err, E_IO, "watch %s", path);
	return 0;
}

static int add_folder(struct host *host, const char *part, int *out, struct err *err)
{
	AUTO_FREE char *path = host_path(host, part, NULL);

	*out = inotify_add_watch(host->watch->fd, path, LIST_EVENTS);
	return *out < 0 ? err_errno(err, E_IO, "watch %s", path) : 0;
}

static int add_all(struct host *host, struct err *err)
{
	AUTO_FREE char *path = host_path(host, HOST_WORKLOADS, NULL);

	if (host_layout_make(host, err) != 0 ||
	    add_folder(host, HOST_WORKLOADS, &host->watch->list, err) != 0 ||
	    add_folder(host, "", &host->watch->root, err) != 0)
		return -1;
	return host_each_entry(path, watch_workload, host, err);
}

int host_watch(struct host *host, struct err *err)
{
	if (host->watch)
		return host->watch->fd;
	host->watch = mem_zalloc(1, sizeof *host->watch);
	host->watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (host->watch->fd < 0)
		err_errno(err, E_IO, "inotify");
	if (host->watch->fd < 0 || add_all(host, err) != 0) {
		host_watch_free(&host->watch);
		return -1;
	}
	return host->watch->fd;
}

/* 1: it says something about a workload; 0: nothing of ours; -1: sync was lost. */
static int take_event(struct host *host, const struct inotify_event *event)
{
	const char *name = event->len ? event->name : "";

	if (event->mask & IN_Q_OVERFLOW)
		return -1;
	if (event->wd == host->watch->root)
		return host_name_is_workload(name);
	if (event->wd == host->watch->list) {
		if (event->mask & (IN_DELETE_SELF | IN_IGNORED))
			return -1;
		if (!host_name_is_workload(name))
			return 0;
		if (event->mask & (IN_CREATE | IN_MOVED_TO))
			(void)watch_workload(host, name, NULL);
		return 1;
	}
	if (event->mask & IN_CLOSE_WRITE)
		return str_eq(name, HOST_LOCK_FILE);
	return str_eq(name, HOST_STATUS_FILE) || str_eq(name, HOST_SPEC_FILE);
}

int host_watch_read(struct host *host, struct err *err)
{
	_Alignas(struct inotify_event) char bytes[EVENTS_BYTES];
	int result = 0;
	ssize_t n;

	(void)err;
	if (!host->watch)
		return 0;
	while ((n = read(host->watch->fd, bytes, sizeof bytes)) > 0) {
		for (char *at = bytes; at < bytes + n;) {
			const struct inotify_event *event = (const void *)at;
			int said = take_event(host, event);

			result = said < 0 || result < 0 ? -1 : said > result ? said : result;
			at += sizeof *event + event->len;
		}
	}
	/* What came while events were lost is not watched yet. */
	if (result < 0)
		(void)add_all(host, NULL);
	return result;
}

#include "base/sys.h"
#include "drivers/host_children.h"

#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/num.h"

#define STAT_MAX 4095

/* The parent and the process group from /proc/PID/stat: ") S 12 34 ...", behind the name. */
static bool read_relations(const char *pid, int64_t *parent, int64_t *group)
{
	AUTO_FREE char *path = mem_printf("/proc/%s/stat", pid);
	struct buf text AUTO_BUF = BUF_INIT(STAT_MAX + 1);
	char *at, *end;

	if (fs_read(path, STAT_MAX, &text, NULL) != 0)
		return false;
	at = strrchr(buf_str(&text), ')');
	if (!at || strlen(at) < 4)
		return false;
	*parent = strtoll(at + 4, &end, 10);
	*group = strtoll(end, NULL, 10);
	return true;
}

void host_children_signal(int signal_number, pid_t spare)
{
	AUTO_DIR DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int64_t pid, parent, group;

	while (dir && (entry = readdir(dir))) {
		if (num_parse_int(entry->d_name, 2, INT32_MAX, &pid) == 0 &&
		    read_relations(entry->d_name, &parent, &group) && parent == getpid() &&
		    (spare == 0 || group != spare))
			kill((pid_t)pid, signal_number);
	}
}

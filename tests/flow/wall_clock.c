/*
 * wall_clock.c - a shared object for LD_PRELOAD: the wall clock of a process and its children is
 * wrong by the seconds written in the file that WALL_CLOCK names, from the moment they are written.
 */
#include "base/sys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static time_t seconds_off(void)
{
	const char *path = getenv("WALL_CLOCK");
	char text[32] = "";
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof text - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	int before = errno;
	int status = (int)syscall(SYS_clock_gettime, clock, out);

	if (status == 0 && clock == CLOCK_REALTIME)
		out->tv_sec += seconds_off();
	if (status == 0)
		errno = before;
	return status;
}

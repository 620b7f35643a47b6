#include "base/sys.h"
#include "source/stall.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#define FD_LIMIT 256 /* a child that fetches holds a dozen */
#define AGAIN_MS 100 /* the library may go on with the next address */

static volatile sig_atomic_t ran_out;

static void set_timer(int64_t ms)
{
	const struct itimerval timer = {
		.it_interval = {.tv_usec = ms ? AGAIN_MS * 1000 : 0},
		.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000},
	};

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* shutdown and getsockopt are plain system calls: safe in a handler. */
static void cut(int signal_number)
{
	int before = errno;

	(void)signal_number;
	ran_out = 1;
	for (int fd = 3; fd < FD_LIMIT; fd++) {
		int domain = 0;
		socklen_t size = sizeof domain;

		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
		    (domain == AF_INET || domain == AF_INET6))
			(void)shutdown(fd, SHUT_RDWR);
	}
	errno = before;
}

/* Without SA_RESTART: a connect that waits comes back too. */
void stall_watch(int64_t ms)
{
	const struct sigaction action = {.sa_handler = cut};

	(void)sigaction(SIGALRM, &action, NULL);
	set_timer(ms);
}

bool stall_end(void)
{
	bool result = ran_out;

	set_timer(0);
	(void)signal(SIGALRM, SIG_DFL);
	ran_out = 0;
	return result;
}

/*
 * engine_count.c - stands before an engine and writes down what it is asked.
 *
 *	engine_count SOCKET ENGINE-SOCKET LOG
 *
 * Passes everything on as it comes. For each request, when its answer is over (the next one begins
 * on that connection, or it ends), a line goes to LOG: the connection's number, when the request
 * came in milliseconds since the first one, how long the answer took, method and path.
 *
 *	3 12.4 0.8 GET /v1.41/containers/json?all=1
 *
 * Ends when it is told to, and its children with it.
 */
#include "base/sys.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"

#define LINE_BYTES 300

/* Of one connection: the request whose answer comes now. */
struct passage {
	int number, log;
	const double *first_ms; /* shared with the other connections' */
	double began, last;
	char line[LINE_BYTES]; /* "": none */
};

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int unix_socket(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address;
	int fd = unix_socket(path, &address);

	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0)
		exit(EXIT_FAILURE);
	return fd;
}

static void write_down(struct passage *passage)
{
	char line[LINE_BYTES + 64];
	int n = snprintf(line, sizeof line, "%d %.1f %.1f %s\n", passage->number,
			 passage->began - *passage->first_ms, passage->last - passage->began,
			 passage->line);

	if (*passage->line)
		(void)fs_write_all(passage->log, line, (size_t)n);
	*passage->line = '\0';
}

/* Who asks writes the head of a request with its first bytes; what begins otherwise is a body. */
static bool begins_request(const char *bytes, size_t len)
{
	static const char *const methods[] = {"GET /", "POST /", "PUT /", "HEAD /", "DELETE /"};

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (len > strlen(methods[i]) && !memcmp(bytes, methods[i], strlen(methods[i])))
			return true;
	}
	return false;
}

static void note_request(struct passage *passage, const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, " HTTP/", 6);

	if (!begins_request(bytes, len) || !end)
		return;
	write_down(passage);
	passage->began = passage->last = now_ms();
	snprintf(passage->line, sizeof passage->line, "%.*s", (int)(end - bytes), bytes);
}

/* Returns false at the end of what comes from there. */
static bool pass_on(int from, int to, struct passage *passage, bool is_request)
{
	static char bytes[65536];
	ssize_t n = read(from, bytes, sizeof bytes);

	if (n <= 0)
		return false;
	if (is_request)
		note_request(passage, bytes, (size_t)n);
	else
		passage->last = now_ms();
	return fs_write_all(to, bytes, (size_t)n) == 0;
}

static void serve(int client, const char *engine, struct passage *passage)
{
	struct sockaddr_un address;
	int fd = unix_socket(engine, &address);
	struct pollfd fds[] = {{.fd = client, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	bool open = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

	while (open && poll(fds, 2, -1) > 0) {
		if (fds[0].revents)
			open = pass_on(client, fd, passage, true);
		if (open && fds[1].revents)
			open = pass_on(fd, client, passage, false);
	}
	write_down(passage);
}

int main(int argc, char **argv)
{
	double *first_ms = mmap(NULL, sizeof *first_ms, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int listener, log;

	if (argc != 4 || first_ms == MAP_FAILED)
		return 64;
	log = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	listener = listen_at(argv[1]);
	signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
	for (int number = 1;; number++) {
		int client = accept(listener, NULL, NULL);

		if (*first_ms == 0)
			*first_ms = now_ms();
		if (client >= 0 && fork() == 0) {
			struct passage passage = {
				.number = number, .log = log, .first_ms = first_ms};

			prctl(PR_SET_PDEATHSIG, SIGTERM);
			serve(client, argv[2], &passage);
			_exit(EXIT_SUCCESS);
		}
		close(client);
	}
}

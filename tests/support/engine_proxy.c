#include "base/sys.h"
#include "tests/support/engine_proxy.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/num.h"

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* A request with its body: its head says how long that is. False: there is none any more. */
static bool read_request(int fd, struct buf *out)
{
	for (;;) {
		const char *end = strstr(buf_str(out), "\r\n\r\n");
		const char *length = strcasestr(buf_str(out), "\r\nContent-Length:");
		int64_t body = 0;
		char *room;
		ssize_t n;

		if (end && length && length < end) {
			AUTO_FREE char *text = mem_strndup(length + 17, strcspn(length + 17, "\r"));

			(void)num_parse_int(text + strspn(text, " "), 0, INT32_MAX, &body);
		}
		if (end && out->len >= (size_t)(end + 4 - out->ptr) + (size_t)body)
			return true;
		room = buf_reserve(out, 65536);
		n = room ? read(fd, room, 65536) : 0;
		if (n <= 0)
			return false;
		buf_commit(out, (size_t)n);
	}
}

/* The whole answer: the engine closes behind it, since it is asked to. */
static void ask_engine(const char *engine, const struct buf *request, struct buf *answer)
{
	static const char closes[] = "\r\nConnection: close";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd AUTO_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t line = strcspn(buf_str(request), "\r");
	char *room;
	ssize_t n;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", engine);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    fs_write_all(fd, request->ptr, line) != 0 ||
	    fs_write_all(fd, closes, sizeof closes - 1) != 0 ||
	    fs_write_all(fd, request->ptr + line, request->len - line) != 0)
		return;
	while ((room = buf_reserve(answer, 65536)) && (n = read(fd, room, 65536)) > 0)
		buf_commit(answer, (size_t)n);
}

/* Until whoever waits at the other end has given up. */
static void await_end(int fd)
{
	char byte;

	while (read(fd, &byte, 1) > 0)
		;
}

static void serve_one(int fd, const char *engine, struct proxy_orders *orders)
{
	struct buf request AUTO_BUF = BUF_INIT(BUF_MAX_TEXT),
			   answer AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	const struct proxy_fault *fault;

	if (!read_request(fd, &request))
		return;
	fault = ++orders->seen == orders->fault_at ? orders->fault : NULL;
	if (!fault || fault->after)
		ask_engine(engine, &request, &answer);
	if (!fault)
		(void)fs_write_all(fd, buf_str(&answer), answer.len);
	else if (fault->answer)
		(void)fs_write_all(fd, fault->answer, strlen(fault->answer));
	else
		(void)fs_write_all(fd, buf_str(&answer), answer.len / 2);
	if (fault && fault->silent)
		await_end(fd);
}

struct engine_proxy engine_proxy_start(const char *engine)
{
	struct engine_proxy proxy = {.folder = test_folder()};
	int listener;

	proxy.orders = mmap(NULL, sizeof *proxy.orders, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(proxy.orders != MAP_FAILED);
	snprintf(proxy.path, sizeof proxy.path, "%s/sock", proxy.folder);
	listener = listen_at(proxy.path);
	proxy.pid = fork();
	if (proxy.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves it behind */
		signal(SIGPIPE, SIG_IGN);
		for (;;) {
			int fd = accept(listener, NULL, NULL);

			serve_one(fd, engine, proxy.orders);
			close(fd);
		}
	}
	close(listener);
	return proxy;
}

void engine_proxy_stop(struct engine_proxy *proxy)
{
	kill(proxy->pid, SIGKILL);
	waitpid(proxy->pid, NULL, 0);
	munmap(proxy->orders, sizeof *proxy->orders);
	test_folder_remove(&proxy->folder);
}

/*
 * engine_calls.c - the least that an engine itself needs, to measure trueup and its peers against:
 * the calls that make, look at and replace containers, and nothing round them.
 *
 *	engine_calls SOCKET one-by-one|at-once IMAGE CONTAINERS
 *
 * One process, plain HTTP on connections that are kept, answers read to their end and not decoded.
 * "one-by-one" has one connection; "at-once" has one for each container, so that each container is
 * made and then started while the others are. Prints four numbers of milliseconds:
 *
 *	first apply	what the tag means now, is that image there, the network, and for each
 *			container its creation and its start
 *	no-op		one list of the containers
 *	one changed	what the tag means now; a container with another environment is made beside
 *			the old one and started, the old one is stopped and removed, and its name
 *			and its alias move
 *	one recreated	what the tag means now; the old one is stopped and removed, and one with
 *			another environment is made in its place and started
 *
 * Docker is asked what a tag means; Podman has no such call and pulls, which is quick where nothing
 * is new. What was made stays.
 */
#include "base/sys.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/vec.h"

#define API "/v1.41"
#define NETWORK "shop-production"
#define LANES_MAX 256
#define ANSWER_MAX ((size_t)64 << 20)

/* Calls that follow each other on one connection. */
struct lane {
	int fd;
	VEC(char *) requests;
	size_t at;
	struct buf answer;
};

static const char *engine_path;

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

NORETURN static void give_up(const char *what, const char *words)
{
	fprintf(stderr, "engine_calls: %s: %s\n", what, words);
	exit(EXIT_FAILURE);
}

/* ---- a lane ---- */

static int connect_engine(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", engine_path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		give_up(engine_path, strerror(errno));
	return fd;
}

static void lane_open(struct lane *lane)
{
	*lane = (struct lane){.fd = connect_engine(), .answer = BUF_INIT(ANSWER_MAX)};
}

static void lane_close(struct lane *lane)
{
	for (size_t i = 0; i < lane->requests.n; i++)
		free(lane->requests.v[i]);
	VEC_FREE(&lane->requests);
	buf_release(&lane->answer);
	close(lane->fd);
}

/* Puts a call behind those of the lane; body NULL is none. */
PRINTF_LIKE(4, 5)
static void lane_add(struct lane *lane, const char *method, const char *body, const char *fmt, ...)
{
	AUTO_FREE char *path = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&path, fmt, args) < 0)
		give_up(fmt, "no memory");
	va_end(args);
	VEC_PUSH(&lane->requests,
		 mem_printf("%s " API "%s HTTP/1.1\r\nHost: engine\r\nContent-Length: %zu\r\n"
			    "Content-Type: application/json\r\n\r\n%s",
			    method, path, body ? strlen(body) : 0, body ? body : ""));
}

static void lane_send(struct lane *lane)
{
	const char *request = lane->requests.v[lane->at];

	buf_clear(&lane->answer);
	if (fs_write_all(lane->fd, request, strlen(request)) != 0)
		give_up("write", strerror(errno));
}

static bool lane_is_done(const struct lane *lane)
{
	return lane->at == lane->requests.n;
}

/* ---- answers ---- */

static bool ends_with(const struct buf *buf, const char *end)
{
	size_t len = strlen(end);

	return buf->len >= len && memcmp(buf->ptr + buf->len - len, end, len) == 0;
}

static int status_of(const struct buf *answer)
{
	int64_t status = 0;
	AUTO_FREE char *word = mem_strndup(buf_str(answer) + 9, 3);

	(void)num_parse_int(word, 100, 599, &status);
	return (int)status;
}

static bool is_whole(const struct buf *answer)
{
	const char *head = answer->len > 12 ? strstr(buf_str(answer), "\r\n\r\n") : NULL;
	const char *length = strcasestr(buf_str(answer), "\r\nContent-Length: ");
	int64_t len = 0;

	if (!head)
		return false;
	if (status_of(answer) == 204 || status_of(answer) == 304)
		return true;
	if (!length || length > head)
		return ends_with(answer, "\r\n0\r\n\r\n");
	AUTO_FREE char *word = mem_strndup(length + 18, strcspn(length + 18, "\r"));
	if (num_parse_int(word, 0, INT32_MAX, &len) != 0)
		give_up("answer", word);
	return answer->len - (size_t)(head + 4 - answer->ptr) >= (size_t)len;
}

static void lane_read(struct lane *lane)
{
	char *room = buf_reserve(&lane->answer, 65536);
	ssize_t n = room ? read(lane->fd, room, 65536) : -1;

	if (n <= 0)
		give_up(lane->requests.v[lane->at], "the answer ends early");
	buf_commit(&lane->answer, (size_t)n);
	if (!is_whole(&lane->answer))
		return;
	if (status_of(&lane->answer) >= 400)
		give_up(lane->requests.v[lane->at], buf_str(&lane->answer));
	lane->at++;
	if (!lane_is_done(lane))
		lane_send(lane);
}

/* All lanes go on side by side, each until its last call is answered. */
static void run(struct lane *lanes, size_t n)
{
	struct pollfd fds[LANES_MAX] = {0};
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		fds[i] = (struct pollfd){.fd = lanes[i].fd, .events = POLLIN};
		if (lane_is_done(&lanes[i]))
			fds[i].fd = -1;
		else
			lane_send(&lanes[i]);
		left += !lane_is_done(&lanes[i]);
	}
	while (left > 0) {
		if (poll(fds, n, -1) < 0)
			give_up("poll", strerror(errno));
		for (size_t i = 0; i < n; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			lane_read(&lanes[i]);
			if (lane_is_done(&lanes[i])) {
				fds[i].fd = -1;
				left--;
			}
		}
	}
}

/* ---- what is measured ---- */

struct bench {
	const char *image, *repository, *tag;
	bool at_once, is_podman;
	size_t n;
	struct lane *lanes; /* n when at once, else one */
};

static struct lane *lane_of(struct bench *bench, size_t container)
{
	return &bench->lanes[bench->at_once ? container : 0];
}

static double run_all(struct bench *bench)
{
	double start = now_ms();

	run(bench->lanes, bench->at_once ? bench->n : 1);
	return now_ms() - start;
}

/* What does the tag mean now? */
static void add_check(struct bench *bench)
{
	if (bench->is_podman)
		lane_add(bench->lanes, "POST", NULL, "/images/create?fromImage=%s&tag=%s",
			 bench->repository, bench->tag);
	else
		lane_add(bench->lanes, "GET", NULL, "/distribution/%s/json", bench->image);
	lane_add(bench->lanes, "GET", NULL, "/images/%s/json", bench->image);
}

static void add_create(struct bench *bench, struct lane *lane, const char *name, const char *alias,
		       const char *release)
{
	AUTO_FREE char *body = mem_printf(
		"{\"Image\":\"%s\",\"Cmd\":[\"sleep\",\"100000\"],\"Env\":[\"RELEASE=%s\"],"
		"\"StopSignal\":\"SIGKILL\",\"Labels\":{\"bench\":\"1\"},"
		"\"HostConfig\":{\"NetworkMode\":\"" NETWORK "\","
		"\"RestartPolicy\":{\"Name\":\"always\"}},"
		"\"NetworkingConfig\":{\"EndpointsConfig\":{\"" NETWORK
		"\":{\"Aliases\":[\"%s\"]}}}}",
		bench->image, release, alias);

	lane_add(lane, "POST", body, "/containers/create?name=%s", name);
	lane_add(lane, "POST", NULL, "/containers/%s/start", name);
}

static double first_apply(struct bench *bench)
{
	double spent;
	char name[32];

	add_check(bench);
	lane_add(bench->lanes, "POST", "{\"Name\":\"" NETWORK "\",\"Driver\":\"bridge\"}",
		 "/networks/create");
	spent = run_all(bench);
	for (size_t i = 0; i < bench->n; i++) {
		snprintf(name, sizeof name, "d%zu-web", i);
		add_create(bench, lane_of(bench, i), name, name, "1");
	}
	return spent + run_all(bench);
}

static double no_op(struct bench *bench)
{
	lane_add(bench->lanes, "GET", NULL, "/containers/json?all=1");
	return run_all(bench);
}

static void add_removal(struct lane *lane, const char *name)
{
	lane_add(lane, "POST", NULL, "/containers/%s/stop?t=10", name);
	lane_add(lane, "DELETE", NULL, "/containers/%s?force=1", name);
}

static double one_changed(struct bench *bench)
{
	struct lane *lane = bench->lanes;

	add_check(bench);
	add_create(bench, lane, "d0-web.next", "d0-web.next", "2");
	add_removal(lane, "d0-web");
	lane_add(lane, "POST", NULL, "/containers/d0-web.next/rename?name=d0-web");
	lane_add(lane, "POST", "{\"Container\":\"d0-web\",\"Force\":true}",
		 "/networks/" NETWORK "/disconnect");
	lane_add(lane, "POST",
		 "{\"Container\":\"d0-web\",\"EndpointConfig\":{\"Aliases\":[\"d0-web\"]}}",
		 "/networks/" NETWORK "/connect");
	return run_all(bench);
}

static double one_recreated(struct bench *bench)
{
	add_check(bench);
	add_removal(bench->lanes, "d1-web");
	add_create(bench, bench->lanes, "d1-web", "d1-web", "2");
	return run_all(bench);
}

static int measure(const char *how, const char *image, const char *count)
{
	struct lane lanes[LANES_MAX];
	struct bench bench = {.image = image, .lanes = lanes, .at_once = str_eq(how, "at-once")};
	const char *colon = strrchr(image, ':');
	AUTO_FREE char *repository = mem_strndup(image, (size_t)(colon - image));
	int64_t n = 0;

	if (num_parse_int(count, 2, LANES_MAX, &n) != 0)
		return 64;
	bench.n = (size_t)n;
	bench.repository = repository;
	bench.tag = colon + 1;
	for (size_t i = 0; i < bench.n; i++)
		lane_open(&lanes[i]);
	lane_add(lanes, "GET", NULL, "/version");
	(void)run_all(&bench);
	bench.is_podman = strcasestr(buf_str(&lanes[0].answer), "podman") != NULL;
	double first = first_apply(&bench), nothing = no_op(&bench);
	double changed = one_changed(&bench), recreated = one_recreated(&bench);
	printf("%.1f %.1f %.1f %.1f\n", first, nothing, changed, recreated);
	for (size_t i = 0; i < bench.n; i++)
		lane_close(&lanes[i]);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 5 || !strchr(argv[3], ':'))
		return 64;
	engine_path = argv[1];
	return measure(argv[2], argv[3], argv[4]);
}

#include "base/sys.h"

#include <poll.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/num.h"
#include "engine/node_stream.h"

#define RETRY_MS                                                                                   \
	1000 /* a node that says nothing of its own accord, or is away, is seen so often           \
	      */

struct reader {
	char *id; /* of the container, on its engine */
	size_t node;
	struct child child; /* pid 0: it does not run */
	struct buf line;
	int64_t last_ns; /* time of the last line; 0: none */
	int last_n;	 /* so many lines of that time were told */
	bool over;	 /* cannot be followed */
};

struct follow {
	struct node_stream *stream;
	VEC(struct reader) readers;
	struct reader *taking; /* whose lines are being taken */
	bool first;	       /* nothing was looked at yet */
	bool gone;	       /* whoever asked is */
};

static struct reader *find_reader(struct follow *follow, size_t node, const char *id)
{
	for (size_t i = 0; i < follow->readers.n; i++) {
		struct reader *reader = &follow->readers.v[i];
		if (reader->node == node && str_eq(reader->id, id))
			return reader;
	}
	return NULL;
}

static void start_reader(struct follow *follow, struct reader *reader,
			 const struct log_source *source, const struct log_from *from)
{
	struct err err = ERR_INIT;
	if (log_reader_start(source, from, &reader->child, &err) < 0) {
		node_stream_note(follow->stream, err.text);
		reader->over = true;
	}
}

/* A container that came since is told from its first line on. */
static void meet(struct follow *follow, size_t node, const struct stream_slot *slot,
		 const struct workload *seen)
{
	struct node_stream *stream = follow->stream;
	const struct log_source source =
		node_stream_source(stream, &stream->nodes.v[node], slot, seen->name);
	const struct log_from begin = {.lines = follow->first ? stream->lines : LOG_ALL,
				       .after_ns = follow->first ? stream->after_ns : 0};
	struct reader *reader = find_reader(follow, node, seen->id);
	if (!reader) {
		const struct reader new = {
			.id = mem_strdup(seen->id), .node = node, .line = BUF_INIT(BUF_MAX_TEXT)};
		VEC_PUSH(&follow->readers, new);
		start_reader(follow, &follow->readers.v[follow->readers.n - 1], &source, &begin);
	} else if (!reader->child.pid && !reader->over && seen->state == RUN_RUNNING) {
		const struct log_from again = {.lines = reader->last_ns ? LOG_ALL : 0,
					       .after_ns = reader->last_ns,
					       .skip = reader->last_n};
		start_reader(follow, reader, &source, &again);
	}
}

static void node_is_away(struct follow *follow, struct stream_node *node, const struct err *err)
{
	AUTO_FREE char *text = mem_printf("%s; waiting for it", err->text);
	if (!node->away)
		node_stream_note(follow->stream, text);
	node->away = true;
	node->watch = -1;
	driver_close(&node->driver);
}

static void look_at(struct follow *follow, size_t number, json_t *containers)
{
	struct node_stream *stream = follow->stream;
	struct stream_node *node = &stream->nodes.v[number];
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct observed observed;
	struct err err = ERR_INIT;
	node->due = false;
	/* Watched first: what changes while it is looked at is seen the next time. */
	if (!node->driver)
		(void)driver_open(node->doc, &stream->engine->env, &node->driver, &err);
	if (node->driver && node->watch < 0)
		node->watch = node->driver->ops->watch(node->driver, NULL);
	if (node_stream_observe(stream, node, arena, &observed, &err) < 0) {
		node_is_away(follow, node, &err);
		return;
	}
	node->away = false;
	for (size_t i = 0; i < observed.workloads_n; i++) {
		const struct workload *seen = &observed.workloads[i];
		const struct stream_slot *slot = node_stream_slot(stream, number, seen);
		if (!slot)
			continue;
		node_stream_list(containers, node, seen);
		meet(follow, number, slot, seen);
	}
}

static void look_where_due(struct follow *follow)
{
	AUTO_JSON json_t *containers = json_array();
	size_t before = follow->readers.n;
	bool looked = false;
	for (size_t i = 0; i < follow->stream->nodes.n; i++)
		if (follow->stream->nodes.v[i].due) {
			look_at(follow, i, containers);
			looked = true;
		}
	if (looked && (follow->first || follow->readers.n > before))
		follow->gone |= node_stream_tell(follow->stream,
						 json_pack("{s:O}", "containers", containers)) < 0;
	follow->first = false;
}

/* "! code text" */
static void take_failure(struct follow *follow, struct reader *reader, const char *line)
{
	const char *code = line + strcspn(line, " ") + (strchr(line, ' ') != NULL);
	const char *text = code + strcspn(code, " ") + (strchr(code, ' ') != NULL);
	AUTO_FREE char *word = mem_strndup(code, strcspn(code, " "));
	reader->over = err_code_find(word) == E_NOT_SUPPORTED;
	node_stream_note(follow->stream, text);
}

static void note_time(struct reader *reader, const char *text)
{
	int64_t at_ns = 0;
	(void)num_parse_int(text, 0, INT64_MAX, &at_ns);
	reader->last_n = at_ns == reader->last_ns ? reader->last_n + 1 : 1;
	reader->last_ns = at_ns;
}

/* That, or "time {...}". */
static void take_line(void *arg, struct buf *line)
{
	struct follow *follow = arg;
	char *blank;
	if (*buf_str(line) == '!') {
		take_failure(follow, follow->taking, buf_str(line));
		return;
	}
	buf_addc(line, '\n');
	blank = strchr(line->ptr, ' ');
	if (!blank)
		return;
	*blank = '\0';
	note_time(follow->taking, line->ptr);
	follow->gone |= fs_write_all(follow->stream->fd, blank + 1, strlen(blank + 1)) < 0;
}

static void end_reader(struct follow *follow, struct reader *reader)
{
	(void)proc_reap(&reader->child);
	reader->child = (struct child){.fd = -1};
	buf_clear(&reader->line);
	/* it may have ended because its container did, to come again */
	follow->stream->nodes.v[reader->node].due = true;
}

static void hear(struct follow *follow, struct reader *reader)
{
	char bytes[16384];
	ssize_t n = read(reader->child.fd, bytes, sizeof bytes);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_reader(follow, reader);
		return;
	}
	follow->taking = reader;
	buf_take_lines(&reader->line, bytes, (size_t)n, take_line, follow);
}

static void hear_node(struct stream_node *node)
{
	int said = node->driver->ops->watch_read(node->driver, NULL);
	node->due |= said != 0;
	if (said < 0)
		node->watch = -1;
}

/* Whoever asked first, then the nodes, then the readers. */
static size_t list_polls(const struct follow *follow, struct pollfd *polls)
{
	const struct node_stream *stream = follow->stream;
	size_t n = 0;
	polls[n++] = (struct pollfd){.fd = stream->fd, .events = POLLIN | POLLRDHUP};
	for (size_t i = 0; i < stream->nodes.n; i++)
		polls[n++] = (struct pollfd){.fd = stream->nodes.v[i].watch, .events = POLLIN};
	for (size_t i = 0; i < follow->readers.n; i++) {
		const struct child *child = &follow->readers.v[i].child;
		polls[n++] = (struct pollfd){.fd = child->pid ? child->fd : -1, .events = POLLIN};
	}
	return n;
}

static void wait_and_hear(struct follow *follow)
{
	struct node_stream *stream = follow->stream;
	size_t max = 1 + stream->nodes.n + follow->readers.n;
	AUTO_FREE struct pollfd *polls = mem_zalloc(max, sizeof *polls);
	size_t n = list_polls(follow, polls);
	bool silent = false;
	for (size_t i = 0; i < stream->nodes.n; i++)
		silent |= stream->nodes.v[i].watch < 0;
	int ready = poll(polls, n, silent ? RETRY_MS : -1);
	follow->gone |= polls[0].revents != 0;
	for (size_t i = 0; i < stream->nodes.n; i++) {
		struct stream_node *node = &stream->nodes.v[i];
		if (polls[1 + i].revents)
			hear_node(node);
		node->due |= ready == 0 && node->watch < 0;
	}
	for (size_t i = 0; i + 1 + stream->nodes.n < n; i++)
		if (polls[1 + stream->nodes.n + i].revents)
			hear(follow, &follow->readers.v[i]);
}

int log_follow(struct node_stream *stream)
{
	struct follow follow = {.stream = stream, .first = true};
	for (size_t i = 0; i < stream->nodes.n; i++)
		stream->nodes.v[i].due = true;
	while (!follow.gone) {
		look_where_due(&follow);
		if (!follow.gone)
			wait_and_hear(&follow);
	}
	return 0;
}

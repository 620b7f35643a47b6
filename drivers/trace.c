#include "base/sys.h"
#include "drivers/trace.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/decorate.h"

struct trace {
	struct decorator decorator;
	char *node;
	struct buf *into; /* NULL: to fd */
	int fd;
};

static struct trace *self(struct driver *driver)
{
	return (struct trace *)(void *)driver;
}

static struct driver *inner_of(struct driver *driver)
{
	return decorator_of(driver)->inner;
}

/* ---- lines ---- */

static void put_line(const struct trace *trace, const struct buf *line)
{
	if (trace->into)
		buf_add(trace->into, line->ptr, line->len);
	else if (fs_write_all(trace->fd, line->ptr, line->len) != 0)
		fprintf(stderr, "trace: %s", line->ptr);
}

/*
 * "<node> <call> -> <outcome>\n". err holds why when result is negative. Returns result.
 */
PRINTF_LIKE(5, 6)
static int note(struct driver *driver, int result, const struct err *err, const char *call,
		const char *outcome, ...)
{
	AUTO_BUF struct buf line = BUF_INIT(BUF_MAX_TEXT);
	va_list args;

	buf_addf(&line, "%s %s -> ", self(driver)->node, call);
	if (result < 0) {
		buf_addf(&line, "error %s: %s", err_code_name(err->code), err->text);
	} else {
		va_start(args, outcome);
		buf_addfv(&line, outcome, args);
		va_end(args);
	}
	for (size_t i = 0; i < line.len; i++) {
		if (line.ptr[i] == '\n')
			line.ptr[i] = ' ';
	}
	buf_addc(&line, '\n');
	put_line(self(driver), &line);
	return result;
}

/* The caller may not want to know, the trace does. */
static int hand_on(int result, const struct err *why, struct err *err)
{
	if (result < 0 && err)
		*err = *why;
	return result;
}

/* ---- calls ---- */

static int trace_probe(struct driver *driver, struct buf *engine, struct err *err)
{
	struct driver *inner = inner_of(driver);
	struct err why = ERR_INIT;
	int result = inner->ops->probe(inner, engine, &why);

	note(driver, result, &why, "probe", "%s", buf_str(engine));
	return hand_on(result, &why, err);
}

static int trace_observe(struct driver *driver, struct arena *arena, struct observed *out,
			 struct err *err)
{
	struct driver *inner = inner_of(driver);
	struct err why = ERR_INIT;
	int result = inner->ops->observe(inner, arena, out, &why);

	note(driver, result, &why, "observe", "%zu workloads, %zu volumes", out->workloads_n,
	     out->volumes_n);
	return hand_on(result, &why, err);
}

static int trace_resolve(struct driver *driver, const char *image, struct buf *digest,
			 struct err *err)
{
	struct driver *inner = inner_of(driver);
	struct err why = ERR_INIT;
	int result = inner->ops->resolve(inner, image, digest, &why);
	AUTO_FREE char *call = mem_printf("resolve %s", image);

	note(driver, result, &why, call, "%s", buf_str(digest));
	return hand_on(result, &why, err);
}

static int trace_apply(struct driver *driver, const struct op *op, struct op_result *result,
		       struct err *err)
{
	struct driver *inner = inner_of(driver);
	struct op_result own = {.detail = BUF_INIT(BUF_MAX_LINE)};
	struct op_result *seen = result ? result : &own;
	struct err why = ERR_INIT;
	int status = inner->ops->apply(inner, op, seen, &why);
	const char *name = op->name ? op->name : op->spec ? op->spec->image : "";
	AUTO_FREE char *call = mem_printf("apply %s%s%s%s%s", op_word(op->kind), *name ? " " : "",
					  name, op->to ? " " : "", op->to ? op->to : "");

	note(driver, status, &why, call, "%s", seen->changed ? "changed" : "already so");
	buf_release(&own.detail);
	return hand_on(status, &why, err);
}

static int trace_watch(struct driver *driver, struct err *err)
{
	struct driver *inner = inner_of(driver);
	struct err why = ERR_INIT;
	int fd = inner->ops->watch(inner, &why);

	note(driver, fd, &why, "watch", "watching");
	return hand_on(fd, &why, err);
}

static int trace_watch_read(struct driver *driver, struct err *err)
{
	struct driver *inner = inner_of(driver);
	struct err why = ERR_INIT;
	int result = inner->ops->watch_read(inner, &why);

	note(driver, result, &why, "watch-read", "%s", result ? "something changed" : "nothing");
	return hand_on(result, &why, err);
}

/* A request that is passed on, and what came of it. */
struct counted {
	const struct log_request *request;
	size_t bytes;
};

static int count_line(void *arg, const struct log_line *line)
{
	struct counted *counted = arg;

	counted->bytes += line->len + 1;
	return counted->request->take(counted->request->arg, line);
}

static int trace_logs(struct driver *driver, const struct log_request *request, struct err *err)
{
	struct driver *inner = inner_of(driver);
	struct counted counted = {.request = request};
	struct log_request passed = *request;
	struct err why = ERR_INIT;
	AUTO_FREE char *call = mem_printf("logs %s %d", request->name, request->lines);
	int result;

	passed.take = count_line;
	passed.arg = &counted;
	result = inner->ops->logs(inner, &passed, &why);
	note(driver, result, &why, call, "%zu bytes", counted.bytes);
	return hand_on(result, &why, err);
}

static void trace_release(struct decorator *decorator)
{
	struct trace *trace = self(&decorator->driver);

	fs_close_ptr(&trace->fd);
	free(trace->node);
}

static void wrap(struct driver **driver, const char *node, struct buf *into, int fd)
{
	struct trace *trace = mem_zalloc(1, sizeof *trace);
	struct driver_ops *ops = &trace->decorator.ops;

	trace->node = mem_strdup(node);
	trace->into = into;
	trace->fd = fd;
	decorate(driver, &trace->decorator, trace_release);
	ops->probe = trace_probe;
	ops->observe = trace_observe;
	ops->resolve = trace_resolve;
	ops->apply = trace_apply;
	ops->watch = trace_watch;
	ops->watch_read = trace_watch_read;
	ops->logs = trace_logs;
}

void trace_wrap(struct driver **driver, const char *node, struct buf *into)
{
	wrap(driver, node, into, -1);
}

int trace_wrap_file(struct driver **driver, const char *node, const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(err, E_IO, "open trace %s", path);
	wrap(driver, node, NULL, fd);
	return 0;
}

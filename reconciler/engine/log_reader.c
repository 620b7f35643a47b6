#include "base/sys.h"

#include <fcntl.h>

#include "base/clock.h"
#include "base/fs.h"
#include "engine/log_reader.h"

#define NS_IN_MS 1000000
#define LINE_JSON_MAX (8 * LOG_LINE_MAX) /* with every byte escaped */

static void add_member(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "\"%s\":", name);
	buf_add_json(out, value);
	buf_addc(out, ',');
}

void log_line_json(const struct log_source *source, const struct log_line *line, struct buf *out)
{
	struct buf clean AUTO_BUF = BUF_INIT(LINE_JSON_MAX);
	AUTO_FREE char *deployment = mem_printf("%s/%s/%s", source->slot->project,
						source->slot->stage, source->slot->deployment);
	AUTO_FREE char *name = mem_strndup(source->name, workload_stem_length(source->name));
	char at[CLOCK_TEXT_MAX];

	buf_add_clean_line(&clean, line->text, line->len);
	buf_addc(out, '{');
	add_member(out, "deployment", deployment);
	add_member(out, "node", source->node->name);
	add_member(out, "container", name);
	if (line->at_ns)
		add_member(out, "at", clock_format(line->at_ns / NS_IN_MS, at));
	else
		buf_adds(out, "\"at\":null,");
	add_member(out, "stream", line->is_error ? "stderr" : "stdout");
	buf_adds(out, "\"line\":");
	buf_add_json(out, buf_str(&clean));
	buf_adds(out, "}\n");
}

/* ---- in the process ---- */

struct reader {
	const struct log_source *source;
	struct log_request request;
	int skip; /* so many lines more of the very time that was asked for */
	int fd;
};

static int tell_line(void *arg, const struct log_line *line)
{
	struct reader *reader = arg;
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

	if (line->at_ns == reader->request.after_ns && reader->skip > 0) {
		reader->skip--;
		return 0;
	}
	buf_addf(&text, "%lld ", (long long)line->at_ns);
	log_line_json(reader->source, line, &text);
	return fs_write_all(reader->fd, text.ptr, text.len);
}

static int reader_body(int fd, void *arg)
{
	struct reader *reader = arg;
	const struct log_source *source = reader->source;
	AUTO_DRIVER struct driver *driver = NULL;
	struct err err = ERR_INIT;
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	reader->fd = fd;
	if (driver_open(source->node, source->env, &driver, &err) == 0 &&
	    driver->ops->logs(driver, &reader->request, &err) == 0)
		return 0;
	buf_addf(&text, "! %s ", err_code_name(err.code));
	buf_add_clean_line(&text, err.text, strlen(err.text));
	buf_addc(&text, '\n');
	return fs_write_all(fd, text.ptr, text.len) == 0 ? 0 : 1;
}

int log_reader_start(const struct log_source *source, const struct log_from *from,
		     struct child *child, struct err *err)
{
	struct reader reader = {.source = source, .skip = from->skip};
	const struct child_opts opts = {.role = "log"};

	reader.request = (struct log_request){.name = source->name,
					      .lines = from->lines,
					      .after_ns = from->after_ns,
					      .follow = true,
					      .take = tell_line,
					      .arg = &reader};
	return proc_fork(child, &opts, reader_body, &reader, err);
}

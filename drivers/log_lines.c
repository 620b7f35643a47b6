#include "base/sys.h"
#include "drivers/log_lines.h"

/* Lines from before the time that was asked for are left out, whatever an engine makes of it. */
static void tell(struct log_lines *lines)
{
	const struct log_line line = {.at_ns = lines->at_ns,
				      .is_error = lines->is_error,
				      .text = buf_str(&lines->text),
				      .len = lines->text.len};

	bool too_early = lines->at_ns && lines->at_ns < lines->request->after_ns;

	if (!lines->full && !too_early && lines->request->take(lines->request->arg, &line) != 0)
		lines->full = true;
	buf_clear(&lines->text);
}

/* The end of a line that was told in pieces is none of a line. */
static void end_line(struct log_lines *lines)
{
	if (!lines->cut || lines->text.len)
		tell(lines);
	lines->cut = false;
}

void log_lines_add(struct log_lines *lines, int64_t at_ns, const char *bytes, size_t len)
{
	const char *end = bytes + len;

	while (bytes < end && !lines->full) {
		size_t room = LOG_LINE_MAX - lines->text.len, left = (size_t)(end - bytes);
		const char *newline = memchr(bytes, '\n', left < room ? left : room);
		size_t part = newline ? (size_t)(newline - bytes) : left < room ? left : room;

		if (lines->text.len == 0)
			lines->at_ns = at_ns;
		buf_add(&lines->text, bytes, part);
		bytes += part;
		if (newline) {
			bytes++;
			end_line(lines);
		} else if (part == room) {
			tell(lines);
			lines->cut = true;
		}
	}
}

void log_lines_end(struct log_lines *lines)
{
	if (lines->text.len)
		tell(lines);
}

void log_lines_release(struct log_lines *lines)
{
	buf_release(&lines->text);
}

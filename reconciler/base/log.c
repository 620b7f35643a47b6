#include "base/sys.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/utf8.h"

#include <unistd.h>

#define VALUE_MAX ((size_t)4096)

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

static struct {
	enum log_format format;
	enum log_level level;
	const char *role;
} setup = {.format = LOG_TEXT, .level = LOG_INFO};

void log_setup(enum log_format format, enum log_level level)
{
	setup.format = format;
	setup.level = level;
}

void log_set_role(const char *role)
{
	setup.role = role;
}

/* The value without control characters and at most VALUE_MAX bytes long. */
static void clean_value(struct buf *clean, const char *value)
{
	size_t len = strnlen(value, VALUE_MAX + 1);

	buf_add_clean(clean, value, len > VALUE_MAX ? utf8_cut(value, VALUE_MAX) : len);
}

static bool reads_plain(const char *value)
{
	return *value && !strpbrk(value, " \t\n\"=\\");
}

static void add_text_pair(struct buf *line, const char *key, const char *value)
{
	buf_addf(line, " %s=", key);
	if (reads_plain(value))
		buf_adds(line, value);
	else
		buf_add_json(line, value);
}

static void add_json_pair(struct buf *line, const char *key, const char *value)
{
	buf_addc(line, ',');
	buf_add_json(line, key);
	buf_addc(line, ':');
	buf_add_json(line, value);
}

static void add_pair(struct buf *line, const char *key, const char *value)
{
	struct buf clean AUTO_BUF = BUF_INIT(4 * VALUE_MAX);

	if (!value)
		return;
	clean_value(&clean, value);
	if (setup.format == LOG_JSON)
		add_json_pair(line, key, buf_str(&clean));
	else
		add_text_pair(line, key, buf_str(&clean));
}

static void begin_line(struct buf *line, enum log_level level, const char *event)
{
	char time[CLOCK_TEXT_MAX];

	clock_format(clock_wall_ms(), time);
	if (setup.format == LOG_JSON) {
		buf_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", time,
			 level_names[level]);
		buf_add_json(line, event);
	} else {
		buf_addf(line, "%s %-5s ", time, level_names[level]);
		buf_add_clean(line, event, strlen(event));
	}
	add_pair(line, "role", setup.role);
}

/* One write for the whole line: lines of several processes never mix. */
void log_event(enum log_level level, const char *event, ...)
{
	struct buf line AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	int number = errno;
	const char *key;
	va_list args;

	if (level > setup.level)
		return;
	begin_line(&line, level, event);
	va_start(args, event);
	while ((key = va_arg(args, const char *)))
		add_pair(&line, key, va_arg(args, const char *));
	va_end(args);
	if (setup.format == LOG_JSON)
		buf_addc(&line, '}');
	buf_addc(&line, '\n');
	if (!line.overflow)
		(void)fs_write_all(STDERR_FILENO, line.ptr, line.len);
	errno = number;
}

const char *log_int(int64_t value)
{
	static char ring[16][24];
	static unsigned next;
	char *text = ring[next++ % ARRAY_LEN(ring)];

	snprintf(text, sizeof ring[0], "%lld", (long long)value);
	return text;
}

#include "base/sys.h"
#include "schema/compose_work.h"

#include "base/buf.h"
#include "base/utf8.h"

/*
 * Env files: NAME=value a line, comments behind #, quotes. In double quotes and without quotes
 * variables are filled in; quoted values may go over several lines.
 */

struct env_reader {
	struct compose_work *work;
	const struct compose_env *env;
	struct compose_place place;
	const char *at, *line_start, *end;
	bool raw, failed;
};

const char *compose_env_get(const struct compose_env *env, const char *name)
{
	const char *value = env ? compose_env_get(env->above, name) : NULL;

	return value || !env ? value : map_get(&env->vars, name);
}

static void bad_line(struct env_reader *reader, const char *message, const char *hint)
{
	struct diag *diag =
		diags_add(reader->work->diags, DIAG_COMPOSE_VARIABLE, reader->work->unit,
			  reader->place.path, reader->place.at, "%s", message);

	diag->hint = hint;
	reader->failed = true;
}

static void next_line(struct env_reader *reader)
{
	const char *end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));

	reader->at = end ? end + 1 : reader->end;
	reader->place.at.line++;
}

/* To the end of a quoted value; lines in it are counted. NULL: there is none. */
static const char *closing_quote(struct env_reader *reader, char quote)
{
	for (const char *at = reader->at + 1; at < reader->end; at++) {
		if (*at == '\\' && at + 1 < reader->end)
			at++;
		else if (*at == quote)
			return at;
	}
	return NULL;
}

/* In double quotes; what stands for a character is that character, a dollar stays for later. */
static void add_escaped(struct buf *out, char c)
{
	static const char letters[] = "nrt\"\\'", meant[] = "\n\r\t\"\\'";
	const char *found = strchr(letters, c);

	if (c == '$')
		buf_adds(out, "$$");
	else if (c && found)
		buf_addc(out, meant[found - letters]);
	else
		buf_add(out, (char[]){'\\', c}, 2);
}

static const char *quoted_value(struct env_reader *reader, char quote)
{
	AUTO_BUF struct buf text = BUF_INIT(DOC_STRING_MAX);
	const char *close = closing_quote(reader, quote);
	struct loc at = reader->place.at;
	const char *value;

	if (!close) {
		bad_line(reader, "a quote that is not closed", NULL);
		return NULL;
	}
	for (const char *c = reader->at + 1; c < close; c++) {
		if (*c == '\\' && (quote == '"' || c[1] == '\''))
			quote == '"' ? add_escaped(&text, *++c) : buf_addc(&text, *++c);
		else
			buf_addc(&text, *c);
		reader->place.at.line += *c == '\n';
	}
	value = arena_strndup(reader->work->arena, buf_str(&text), text.len);
	if (text.overflow)
		bad_line(reader, "a value of more than 64 KiB", NULL);
	reader->at = close + 1;
	reader->at += strspn(reader->at, " \t\r");
	if (*reader->at && *reader->at != '\n' && *reader->at != '#')
		bad_line(reader, "something stands behind the closing quote", NULL);
	return quote == '"' ? compose_fill(reader->work, value, reader->env,
					   &(struct compose_place){reader->place.path, at})
			    : value;
}

static size_t line_length(const struct env_reader *reader)
{
	const char *end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	size_t len = (size_t)((end ? end : reader->end) - reader->at);

	return len && reader->at[len - 1] == '\r' ? len - 1 : len;
}

/* Without the comment behind it, and the blanks around. */
static const char *bare_value(struct env_reader *reader)
{
	size_t len = line_length(reader);
	const char *value;

	for (size_t i = 0; i < len; i++) {
		if (reader->at[i] == '#' &&
		    (i == 0 || reader->at[i - 1] == ' ' || reader->at[i - 1] == '\t'))
			len = i;
	}
	while (len && (reader->at[len - 1] == ' ' || reader->at[len - 1] == '\t'))
		len--;
	value = arena_strndup(reader->work->arena, reader->at, len);
	reader->at += len;
	return compose_fill(reader->work, value, reader->env, &reader->place);
}

static const char *read_value(struct env_reader *reader)
{
	const char *value;

	if (reader->raw) {
		size_t len = line_length(reader);

		value = arena_strndup(reader->work->arena, reader->at, len);
		reader->at += len;
		return value;
	}
	reader->at += strspn(reader->at, " \t");
	if (*reader->at == '"' || *reader->at == '\'')
		return quoted_value(reader, *reader->at);
	return bare_value(reader);
}

static size_t env_name_length(const char *text)
{
	size_t n = 0;

	while (text[n] == '_' || text[n] == '.' || text[n] == '-' ||
	       (text[n] >= '0' && text[n] <= '9') ||
	       (ascii_lower(text[n]) >= 'a' && ascii_lower(text[n]) <= 'z'))
		n++;
	return n;
}

/* One line that is neither blank nor a comment. */
static void read_line(struct env_reader *reader, compose_env_use *use, void *arg)
{
	struct loc at;
	const char *name, *value = NULL;
	size_t len;

	if (str_starts(reader->at, "export ") || str_starts(reader->at, "export\t")) {
		reader->at += strlen("export ");
		reader->at += strspn(reader->at, " \t");
	}
	len = env_name_length(reader->at);
	reader->place.at.column = (uint32_t)(reader->at - reader->line_start) + 1;
	reader->place.at.width = len ? (uint32_t)len : 1;
	at = reader->place.at;
	name = arena_strndup(reader->work->arena, reader->at, len);
	reader->at += len;
	if (!reader->raw)
		reader->at += strspn(reader->at, " \t");
	if (!len || (*reader->at && !strchr("=:\r\n#", *reader->at))) {
		bad_line(reader, "a line must be NAME=value", "comments begin with #");
		return;
	}
	if (*reader->at == '=' || *reader->at == ':') {
		reader->at++;
		value = read_value(reader);
		if (!value)
			return;
	}
	use(arg, name, value, at);
}

/* The text of the file with a NUL behind it, or NULL after a report. */
static const char *file_text(struct compose_work *work, const struct compose_file *file,
			     const struct doc_node *at)
{
	if (!compose_spend(work, &work->text, file->size, COMPOSE_TEXT_MAX, at,
			   "Compose files and env files of more than 1 MiB"))
		return NULL;
	if (file->bytes && !memchr(file->bytes, '\0', file->size) &&
	    utf8_is_valid(file->bytes, file->size))
		return arena_strndup(work->arena, file->bytes, file->size);
	compose_error(work, DIAG_COMPOSE_FILE, at, "the env file %.200s is not a text", file->name);
	return NULL;
}

void compose_env_read(struct compose_work *work, const struct compose_file *file, bool raw,
		      const struct compose_env *env, const struct doc_node *at,
		      compose_env_use *use, void *arg)
{
	const char *text = file_text(work, file, at);
	struct env_reader reader = {.work = work, .env = env, .raw = raw};

	if (!text)
		return;
	reader.place.path = compose_full_path(work, file->name);
	reader.place.at = (struct loc){1, 1, 1};
	reader.at = text + (str_starts(text, "\xef\xbb\xbf") ? 3 : 0);
	reader.end = text + file->size;
	while (reader.at < reader.end && !reader.failed && !work->full) {
		reader.line_start = reader.at;
		reader.at += strspn(reader.at, " \t\r");
		if (*reader.at && *reader.at != '\n' && *reader.at != '#')
			read_line(&reader, use, arg);
		next_line(&reader);
	}
}

struct env_set {
	struct compose_work *work;
	struct compose_env *env;
};

static void set_variable(void *arg, const char *name, const char *value, struct loc at UNUSED)
{
	struct env_set *set = arg;

	if (value)
		map_put(&set->env->vars, name, (void *)(uintptr_t)value);
}

struct compose_env *compose_env_new(struct compose_work *work, const struct compose_env *above)
{
	struct compose_env *env;

	if (work->envs_n == ARRAY_LEN(work->envs))
		return NULL;
	env = &work->envs[work->envs_n++];
	env->above = above;
	return env;
}

void compose_env_add(struct compose_work *work, struct compose_env *env,
		     const struct compose_file *file, const struct doc_node *at)
{
	struct env_set set = {work, env};

	compose_env_read(work, file, false, env, at, set_variable, &set);
}

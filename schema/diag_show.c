#include "base/sys.h"
#include "schema/diag.h"
#include "base/json.h"
#include "base/utf8.h"

/* How a diagnostic looks to people (diag_render) and to programs (diag_json). */

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define CYAN "\033[1;36m"
#define OFF "\033[0m"

static void add_coloured(struct buf *out, enum diag_style style, const char *colour,
			 const char *text)
{
	if (style == DIAG_COLOUR)
		buf_adds(out, colour);
	buf_add_clean(out, text, strlen(text));
	if (style == DIAG_COLOUR)
		buf_adds(out, OFF);
}

/* "path:6:10: ", as much of it as is known */
static void add_place(struct buf *out, enum diag_style style, const char *path, struct loc at)
{
	AUTO_BUF struct buf place = BUF_INIT(BUF_MAX_LINE);

	if (!path)
		return;
	buf_adds(&place, path);
	if (at.line)
		buf_addf(&place, ":%u:%u", (unsigned)at.line, (unsigned)at.column);
	buf_addc(&place, ':');
	add_coloured(out, style, BOLD, buf_str(&place));
	buf_addc(out, ' ');
}

/* Blanks up to the column; tabs stay tabs so that the caret stands right below. */
static void add_indent(struct buf *out, const char *excerpt, uint32_t column)
{
	size_t len = strlen(excerpt), at = 0;

	for (uint32_t n = 1; n < column; n++) {
		size_t step = at < len ? utf8_length(excerpt + at, len - at) : 0;

		buf_addc(out, at < len && excerpt[at] == '\t' ? '\t' : ' ');
		at += step ? step : 1;
	}
}

static size_t count_characters(const char *text)
{
	size_t len = strlen(text), n = 0;

	for (size_t at = 0; at < len; n++) {
		size_t step = utf8_length(text + at, len - at);

		at += step ? step : 1;
	}
	return n;
}

/* How many carets: no further than the excerpt reaches, and always one. */
static size_t caret_width(const struct diag *diag)
{
	size_t shown = count_characters(diag->excerpt) + 1;
	size_t left = shown > diag->at.column ? shown - diag->at.column : 0;
	size_t width = diag->at.width < left ? diag->at.width : left;

	return width ? width : 1;
}

static void add_caret_lines(struct buf *out, enum diag_style style, const struct diag *diag)
{
	AUTO_BUF struct buf carets = BUF_INIT(BUF_MAX_LINE);
	char number[16];
	int gutter = snprintf(number, sizeof number, "%u", (unsigned)diag->at.line);

	buf_addf(out, "%*s |\n%s | ", gutter, "", number);
	buf_add_clean(out, diag->excerpt, strlen(diag->excerpt));
	buf_addf(out, "\n%*s | ", gutter, "");
	add_indent(out, diag->excerpt, diag->at.column);
	for (size_t n = caret_width(diag); n; n--)
		buf_addc(&carets, '^');
	if (diag->hint)
		buf_addf(&carets, " %s", diag->hint);
	add_coloured(out, style, diag->severity == DIAG_ERROR ? RED : CYAN, buf_str(&carets));
	buf_addc(out, '\n');
}

void diag_render(const struct diag *diag, enum diag_style style, struct buf *out)
{
	const char *word = diag->severity == DIAG_ERROR ? "error" : "note";
	char head[96];

	add_place(out, style, diag->path, diag->at);
	snprintf(head, sizeof head, "%s[%s]:", word, diag_code_name(diag->code));
	add_coloured(out, style, diag->severity == DIAG_ERROR ? RED : CYAN, head);
	buf_addc(out, ' ');
	buf_add_clean(out, diag->message, strlen(diag->message));
	buf_addc(out, '\n');
	if (diag->excerpt) {
		add_caret_lines(out, style, diag);
	} else if (diag->hint) {
		buf_adds(out, "  = ");
		buf_add_clean(out, diag->hint, strlen(diag->hint));
		buf_addc(out, '\n');
	}
	if (diag->related_path) {
		add_place(out, style, diag->related_path, diag->related);
		buf_adds(out, "note: see also here\n");
	}
}

static void put_place(json_t *object, const char *path, struct loc at)
{
	json_put_str(object, "file", path);
	json_object_set_new(object, "line", at.line ? json_integer(at.line) : json_null());
	json_object_set_new(object, "column", at.line ? json_integer(at.column) : json_null());
}

json_t *diag_json(const struct diag *diag)
{
	json_t *object = json_object();

	put_place(object, diag->path, diag->at);
	json_put_str(object, "code", diag_code_name(diag->code));
	json_put_str(object, "message", diag->message);
	json_put_str(object, "hint", diag->hint);
	if (diag->severity == DIAG_NOTE)
		json_put_str(object, "severity", "note");
	if (diag->related_path) {
		json_t *related = json_object();

		put_place(related, diag->related_path, diag->related);
		json_object_set_new(object, "related", related);
	}
	return object;
}

json_t *diags_json(const struct diag *v, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, diag_json(&v[i]));
	return array;
}

static struct loc get_place(const json_t *object)
{
	int64_t line = json_int(object, "line", 0), column = json_int(object, "column", 0);

	if (line <= 0 || line > UINT32_MAX || column <= 0 || column > UINT32_MAX)
		return (struct loc){0, 0, 0};
	return (struct loc){(uint32_t)line, (uint32_t)column, 1};
}

int diag_from_json(const json_t *object, const struct unit *unit, struct diags *into)
{
	const json_t *related = json_object_get(object, "related");
	struct diag diag = {
		.code = diag_code_find(json_str(object, "code", "")),
		.unit = *unit,
		.path = json_str(object, "file", NULL),
		.at = get_place(object),
		.message = json_str(object, "message", NULL),
		.hint = json_str(object, "hint", NULL),
		.related_path = json_str(related, "file", NULL),
		.related = get_place(related),
	};

	if (diag.code == DIAG_NONE || !diag.message)
		return -1;
	if (str_eq(json_str(object, "severity", ""), "note"))
		diag.severity = DIAG_NOTE;
	diags_append(into, &diag, 1);
	return 0;
}

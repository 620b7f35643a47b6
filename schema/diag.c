#include "base/sys.h"
#include "schema/diag.h"
#include "base/utf8.h"
#include "base/vec.h"

static const struct {
	const char *name, *text;
} codes[DIAG_CODES] = {
#define CODE(constant, code, text) [DIAG_##constant] = {code, text},
#include "schema/codes.def"
#undef CODE
};

const char *diag_code_name(enum diag_code code)
{
	return codes[code].name ? codes[code].name : "";
}

const char *diag_code_text(enum diag_code code)
{
	return codes[code].text ? codes[code].text : "";
}

enum diag_code diag_code_find(const char *name)
{
	for (size_t i = 1; i < DIAG_CODES; i++) {
		if (str_eq(codes[i].name, name))
			return (enum diag_code)i;
	}
	return DIAG_NONE;
}

void diags_release(struct diags *diags)
{
	free(diags->v);
	arena_free(diags->arena);
	*diags = (struct diags){0};
}

void diags_clear(struct diags *diags)
{
	diags_release(diags);
}

static struct arena *arena_of(struct diags *diags)
{
	if (!diags->arena)
		diags->arena = arena_new(0);
	return diags->arena;
}

/* Room for one more. Units come in runs, so "the same as the last" is enough to know it is told. */
static struct diag *add_slot(struct diags *diags, const struct unit *unit)
{
	bool told = diags->n && unit_cmp(&diags->last_unit, unit) == 0;

	if (diags->n >= DIAGS_MAX && told) {
		diags->dropped++;
		return &diags->spare;
	}
	if (diags->n == diags->cap)
		diags->v = vec_grow(diags->v, diags->n, &diags->cap, sizeof *diags->v);
	return &diags->v[diags->n++];
}

/* Takes over *from with texts of the list's own; the newest one's names are used again. */
static struct diag *add_copy(struct diags *diags, const struct diag *from)
{
	struct arena *arena = arena_of(diags);
	struct diag *diag = add_slot(diags, &from->unit);
	struct unit *last = &diags->last_unit;

	if (from->severity == DIAG_ERROR)
		diags->errors++;
	if (diag == &diags->spare) {
		*diag = (struct diag){.severity = from->severity, .code = from->code};
		return diag;
	}
	*diag = *from;
	if (unit_cmp(last, &from->unit) != 0) {
		last->level = from->unit.level;
		last->project = arena_strdup(arena, from->unit.project);
		last->stage = arena_strdup(arena, from->unit.stage);
	}
	diag->unit = *last;
	diag->path = arena_strdup(arena, from->path);
	diag->message = arena_strdup(arena, from->message);
	diag->hint = arena_strdup(arena, from->hint);
	diag->excerpt = arena_strdup(arena, from->excerpt);
	diag->related_path = arena_strdup(arena, from->related_path);
	return diag;
}

static void format_line(char *text, size_t size, const char *fmt, va_list args) PRINTF_LIKE(3, 0);
static struct diag *add_text(struct diags *diags, const struct diag *like, const char *fmt,
			     va_list args) PRINTF_LIKE(3, 0);

/* One line, cut between characters; what is quoted in it may hold anything. */
static void format_line(char *text, size_t size, const char *fmt, va_list args)
{
	vsnprintf(text, size, fmt, args);
	text[utf8_cut(text, strlen(text))] = '\0';
	for (; *text; text++) {
		if ((unsigned char)*text < ' ')
			*text = ' ';
	}
}

static struct diag *add_text(struct diags *diags, const struct diag *like, const char *fmt,
			     va_list args)
{
	struct diag diag = *like;
	char text[1024];

	format_line(text, sizeof text, fmt, args);
	diag.message = text;
	return add_copy(diags, &diag);
}

static struct diag bare(enum diag_severity severity, enum diag_code code, const struct unit *unit,
			const char *path, struct loc at)
{
	return (struct diag){
		.severity = severity, .code = code, .unit = *unit, .path = path, .at = at};
}

struct diag *diags_addv(struct diags *diags, enum diag_code code, const struct unit *unit,
			const char *path, struct loc at, const char *fmt, va_list args)
{
	struct diag like = bare(DIAG_ERROR, code, unit, path, at);

	return add_text(diags, &like, fmt, args);
}

struct diag *diags_add(struct diags *diags, enum diag_code code, const struct unit *unit,
		       const char *path, struct loc at, const char *fmt, ...)
{
	struct diag *diag;
	va_list args;

	va_start(args, fmt);
	diag = diags_addv(diags, code, unit, path, at, fmt, args);
	va_end(args);
	return diag;
}

struct diag *diags_notev(struct diags *diags, enum diag_code code, const struct unit *unit,
			 const char *path, struct loc at, const char *fmt, va_list args)
{
	struct diag like = bare(DIAG_NOTE, code, unit, path, at);

	return add_text(diags, &like, fmt, args);
}

struct diag *diags_note(struct diags *diags, enum diag_code code, const struct unit *unit,
			const char *path, struct loc at, const char *fmt, ...)
{
	struct diag *diag;
	va_list args;

	va_start(args, fmt);
	diag = diags_notev(diags, code, unit, path, at, fmt, args);
	va_end(args);
	return diag;
}

const char *diags_text(struct diags *diags, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	format_line(text, sizeof text, fmt, args);
	va_end(args);
	return arena_strdup(arena_of(diags), text);
}

void diags_append(struct diags *diags, const struct diag *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_copy(diags, &from[i]);
}

static int number_cmp(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int diag_cmp(const void *left, const void *right)
{
	const struct diag *a = left, *b = right;
	int order = str_cmp(a->path, b->path);

	if (order == 0)
		order = number_cmp(a->at.line, b->at.line);
	if (order == 0)
		order = number_cmp(a->at.column, b->at.column);
	if (order == 0)
		order = str_cmp(diag_code_name(a->code), diag_code_name(b->code));
	if (order == 0)
		order = str_cmp(a->message, b->message);
	return order ? order : unit_cmp(&a->unit, &b->unit);
}

void diags_sort(struct diags *diags)
{
	size_t kept = 0;

	if (diags->n < 2)
		return;
	qsort(diags->v, diags->n, sizeof *diags->v, diag_cmp);
	for (size_t i = 0; i < diags->n; i++) {
		if (kept && diag_cmp(&diags->v[kept - 1], &diags->v[i]) == 0) {
			if (diags->v[i].severity == DIAG_ERROR)
				diags->errors--;
			continue;
		}
		diags->v[kept++] = diags->v[i];
	}
	diags->n = kept;
}

#define EXCERPT_MAX 200 /* characters */

/* A text and the line that was last looked for in it: problems come sorted, so lines are near. */
struct lines {
	const struct buf *text;
	const char *start; /* of line number `number` */
	uint32_t number;
};

static void first_line(struct lines *lines, const struct buf *text)
{
	*lines = (struct lines){text, buf_str(text), 1};
}

/* The line with this number (from 1), its length without the line break in *len; NULL: none. */
static const char *find_line(struct lines *lines, uint32_t number, size_t *len)
{
	const char *end = buf_str(lines->text) + lines->text->len, *next, *stop;

	if (number < lines->number)
		first_line(lines, lines->text);
	for (; lines->number < number; lines->number++) {
		next = memchr(lines->start, '\n', (size_t)(end - lines->start));
		if (!next)
			return NULL;
		lines->start = next + 1;
	}
	stop = memchr(lines->start, '\n', (size_t)(end - lines->start));
	*len = (size_t)((stop ? stop : end) - lines->start);
	if (*len && lines->start[*len - 1] == '\r')
		--*len;
	return lines->start;
}

/* Bytes of the first `max` characters. */
static size_t cut_characters(const char *text, size_t len, size_t max)
{
	size_t at = 0;

	for (size_t n = 0; at < len && n < max; n++) {
		size_t step = utf8_length(text + at, len - at);

		at += step ? step : 1;
	}
	return at;
}

/* The line as it is shown; NULL where the caret would be out of sight. */
static const char *make_excerpt(struct arena *arena, struct lines *lines, struct loc at)
{
	AUTO_BUF struct buf line = BUF_INIT(BUF_MAX_LINE);
	const char *start;
	size_t len;

	if (at.line == 0 || at.column > EXCERPT_MAX)
		return NULL;
	start = find_line(lines, at.line, &len);
	/* nor where the line is shorter: after line ends that only YAML knows */
	if (!start || at.column > len + 1)
		return NULL;
	if (at.line == 1 && len >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0) {
		start += 3;
		len -= 3;
	}
	buf_add_clean(&line, start, cut_characters(start, len, EXCERPT_MAX));
	return arena_strdup(arena, buf_str(&line));
}

void diags_excerpts(struct diags *diags, diag_reader read, void *arg)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	struct lines lines = {&text, "", 1};
	const char *path = NULL;
	bool readable = false;

	for (size_t i = 0; i < diags->n; i++) {
		struct diag *diag = &diags->v[i];

		if (diag->excerpt || !diag->path || diag->at.line == 0)
			continue;
		if (!str_eq(path, diag->path)) {
			path = diag->path;
			buf_clear(&text);
			readable = read(arg, path, &text) == 0;
			first_line(&lines, &text);
		}
		if (readable)
			diag->excerpt = make_excerpt(arena_of(diags), &lines, diag->at);
	}
}

#include "base/sys.h"
#include "schema/compose_work.h"

#include "base/buf.h"

/*
 * Interpolation: $NAME, ${NAME}, and what stands for a variable that is not set (-), or not set or
 * empty (:-), what is said of it then (? and :?), or what stands for one that is (+ and :+). What
 * stands behind these signs may hold variables itself. $$ is a dollar.
 */

#define NESTED_MAX 16

struct filler {
	struct compose_work *work;
	const struct compose_env *env;
	const struct compose_place *place;
	unsigned depth;
};

static bool bad(const struct filler *filler, const char *message, const char *hint)
{
	struct diag *diag =
		diags_add(filler->work->diags, DIAG_COMPOSE_VARIABLE, filler->work->unit,
			  filler->place->path, filler->place->at, "%s", message);

	diag->hint = hint ? diags_text(filler->work->diags, "%s", hint) : NULL;
	return false;
}

static void note_unset(const struct filler *filler, const char *name)
{
	struct compose_work *work = filler->work;

	if (map_put(&work->unset, name, work))
		return;
	diags_note(work->diags, DIAG_COMPOSE_UNSET, work->unit, filler->place->path,
		   filler->place->at, "the variable %.100s is not set, and so empty", name)
		->hint = "set it in .env beside the Compose file, or give it a default: ${NAME:-x}";
}

static bool is_name_start(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (is_name_start(text[n]) || (n && text[n] >= '0' && text[n] <= '9'))
		n++;
	return n;
}

static const char *fill_text(struct filler *filler, const char *at, char until, struct buf *out);

/* What stands behind "${NAME": an operator and its text. Gives the end, and what it was. */
struct operation {
	bool or_empty; /* with a colon: empty is like not set */
	char sign;     /* '-', '?', '+', or 0 */
};

static const char *read_operation(const char *at, struct operation *op)
{
	*op = (struct operation){.or_empty = *at == ':'};
	at += op->or_empty;
	if (*at == '-' || *at == '?' || *at == '+')
		op->sign = *at++;
	return at;
}

static bool must_be_set(struct filler *filler, const char *name, const char *at, const char **end)
{
	struct buf said = BUF_INIT(1024);
	AUTO_FREE char *message = NULL;

	*end = fill_text(filler, at, '}', &said);
	message = said.len ? mem_printf("the variable %.100s must be set: %s", name, buf_str(&said))
			   : mem_printf("the variable %.100s must be set", name);
	buf_release(&said);
	if (*end)
		bad(filler, message, "set it in .env beside the Compose file");
	return false;
}

/* "NAME...}" behind "${"; out NULL: it is only passed over. Gives the place of }, or NULL. */
static const char *fill_braced(struct filler *filler, const char *at, struct buf *out)
{
	size_t len = name_length(at);
	AUTO_FREE char *name = mem_strndup(at, len);
	const char *value = compose_env_get(filler->env, name), *end;
	struct operation op;
	bool given;

	at = read_operation(at + len, &op);
	if (!len || (!op.sign && *at != '}')) {
		bad(filler, "${ must be followed by a name and }", "$$ writes a dollar");
		return NULL;
	}
	given = value && (*value || !op.or_empty);
	if (out && op.sign == '?' && !given)
		return must_be_set(filler, name, at, &end) ? end : NULL;
	if (!op.sign && out && !value)
		note_unset(filler, name);
	if (out && value && op.sign != '+' && given)
		buf_adds(out, value);
	if (!op.sign)
		return at;
	return fill_text(filler, at, '}', (op.sign == '+') == given ? out : NULL);
}

/* Behind a dollar sign. */
static const char *fill_variable(struct filler *filler, const char *at, struct buf *out)
{
	size_t len = name_length(at);
	AUTO_FREE char *name = mem_strndup(at, len);
	const char *value;

	if (*at == '$') {
		if (out)
			buf_addc(out, '$');
		return at + 1;
	}
	if (*at == '{') {
		at = fill_braced(filler, at + 1, out);
		return at ? at + 1 : NULL;
	}
	if (!len) {
		bad(filler, "a $ must be followed by a name, by { or by $", "$$ writes a dollar");
		return NULL;
	}
	value = compose_env_get(filler->env, name);
	if (out && !value)
		note_unset(filler, name);
	if (out && value)
		buf_adds(out, value);
	return at + len;
}

/* Up to `until`, which is '}' or the end of the text; its place, or NULL after a report. */
static const char *fill_text(struct filler *filler, const char *at, char until, struct buf *out)
{
	if (++filler->depth > NESTED_MAX) {
		bad(filler, "variables nested more than 16 deep", NULL);
		return NULL;
	}
	while (at && *at && *at != until) {
		size_t len = strcspn(at, until ? "$}" : "$");

		if (out)
			buf_add(out, at, len);
		at += len;
		if (*at == '$')
			at = fill_variable(filler, at + 1, out);
	}
	filler->depth--;
	if (at && *at != until) {
		bad(filler, "a ${ without its }", "$$ writes a dollar");
		return NULL;
	}
	return at;
}

const char *compose_fill(struct compose_work *work, const char *text, const struct compose_env *env,
			 const struct compose_place *place)
{
	struct filler filler = {.work = work, .env = env, .place = place};
	AUTO_BUF struct buf out = BUF_INIT(DOC_STRING_MAX);

	if (!strchr(text, '$'))
		return text;
	if (work->full || !fill_text(&filler, text, '\0', &out))
		return NULL;
	work->filled += out.overflow ? DOC_STRING_MAX : out.len;
	if (!out.overflow && work->filled <= COMPOSE_FILLED_MAX)
		return arena_strndup(work->arena, buf_str(&out), out.len);
	diags_add(work->diags, DIAG_LIMIT, work->unit, place->path, place->at,
		  out.overflow ? "a text of more than 64 KiB, once its variables are filled in"
			       : "variables stand for more than 1 MiB of text");
	work->full |= work->filled > COMPOSE_FILLED_MAX;
	return NULL;
}

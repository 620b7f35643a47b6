#include "base/sys.h"
#include "schema/compose_work.h"

#include "base/vec.h"

/* Nodes that are made, and what values must be: the small change of the reading. */

/* ---- messages ---- */

const char *compose_path(const struct compose_work *work, const struct doc_node *node)
{
	return work->sources[node->file].path;
}

struct diag *compose_error(struct compose_work *work, enum diag_code code,
			   const struct doc_node *node, const char *fmt, ...)
{
	struct diag *diag;
	va_list args;

	va_start(args, fmt);
	diag = diags_addv(work->diags, code, work->unit, compose_path(work, node), node->at, fmt,
			  args);
	va_end(args);
	return diag;
}

struct diag *compose_note(struct compose_work *work, enum diag_code code,
			  const struct doc_node *node, const char *fmt, ...)
{
	struct diag *diag;
	va_list args;

	va_start(args, fmt);
	diag = diags_notev(work->diags, code, work->unit, compose_path(work, node), node->at, fmt,
			   args);
	va_end(args);
	return diag;
}

const char *compose_text(struct compose_work *work, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return arena_strdup(work->arena, text);
}

bool compose_spend(struct compose_work *work, size_t *used, size_t n, size_t max,
		   const struct doc_node *node, const char *what)
{
	*used += n;
	if (*used <= max)
		return !work->full;
	if (!work->full)
		compose_error(work, DIAG_LIMIT, node, "%s", what);
	work->full = true;
	return false;
}

/* ---- making ---- */

static struct doc_node *made(struct compose_work *work, enum doc_type type,
			     const struct doc_node *like)
{
	struct doc_node *node = ARENA_NEW(work->arena, struct doc_node);

	node->type = type;
	node->at = like->at;
	node->file = like->file;
	node->over = like->over;
	return node;
}

struct doc_node *compose_scalar(struct compose_work *work, const struct doc_node *like,
				const char *text)
{
	struct doc_node *node = made(work, DOC_SCALAR, like);

	node->text = text;
	node->n = strlen(text);
	return node;
}

struct doc_node *compose_plain(struct compose_work *work, const struct doc_node *like,
			       const char *text)
{
	struct doc_node *node = compose_scalar(work, like, text);

	node->plain = true;
	return node;
}

const struct doc_node *compose_number(struct compose_work *work, const struct doc_node *value)
{
	return value->type == DOC_SCALAR ? compose_plain(work, value, value->text) : value;
}

struct doc_node *compose_wrong(struct compose_work *work, const struct doc_node *like)
{
	struct doc_node *node = compose_plain(work, like, "");

	node->wrong = true;
	return node;
}

struct doc_node *compose_list(struct compose_work *work, const struct doc_node *like,
			      const struct doc_node *const *items, size_t n)
{
	struct doc_node *node = made(work, DOC_SEQUENCE, like);

	node->n = n;
	node->items = arena_memdup(work->arena, items, n * sizeof *items);
	return node;
}

void compose_put(struct compose_work *work, struct compose_build *build, const char *key,
		 const struct doc_node *at, const struct doc_node *value)
{
	struct doc_pair pair = {compose_scalar(work, at, key), value};

	VEC_PUSH(build, pair);
}

void compose_put_pair(struct compose_build *build, const struct doc_pair *pair)
{
	VEC_PUSH(build, *pair);
}

void compose_dropped(struct compose_build *build)
{
	VEC_FREE(build);
}

struct doc_node *compose_built(struct compose_work *work, struct compose_build *build,
			       const struct doc_node *like)
{
	struct doc_node *node = made(work, DOC_MAPPING, like);

	node->block = like->block;
	node->n = build->n;
	node->pairs = arena_memdup(work->arena, build->v, build->n * sizeof *build->v);
	VEC_FREE(build);
	return node;
}

/* ---- reading ---- */

const struct doc_node *compose_value(const struct doc_node *mapping, const char *key)
{
	const struct doc_pair *pair = doc_get(mapping, key);
	const struct doc_node *value = pair ? pair->value : NULL;

	return value && !doc_is_null(value) && !value->wrong && value->over != DOC_RESETS ? value
											  : NULL;
}

static bool wrong_type(struct compose_work *work, const struct doc_node *value, const char *key,
		       const char *wanted)
{
	compose_error(work, DIAG_WRONG_TYPE, value, "%s must be %s, not %s", key, wanted,
		      doc_describe(value));
	return false;
}

const char *compose_as_text(struct compose_work *work, const struct doc_node *value,
			    const char *key)
{
	if (value->type == DOC_SCALAR)
		return value->text;
	wrong_type(work, value, key, "a text");
	return NULL;
}

const char *compose_text_of(struct compose_work *work, const struct doc_node *mapping,
			    const char *key)
{
	const struct doc_node *value = compose_value(mapping, key);

	return value ? compose_as_text(work, value, key) : NULL;
}

bool compose_as_bool(struct compose_work *work, const struct doc_node *value, const char *key,
		     bool *out)
{
	const struct doc_node plain = {.type = value->type, .plain = true, .text = value->text};

	return doc_bool(&plain, out) == 0 || wrong_type(work, value, key, "true or false");
}

bool compose_is(struct compose_work *work, const struct doc_node *value, enum doc_type type,
		const char *key)
{
	static const char *const wanted[] = {
		[DOC_SCALAR] = "a text", [DOC_SEQUENCE] = "a list", [DOC_MAPPING] = "a mapping"};

	return value->type == type || wrong_type(work, value, key, wanted[type]);
}

const struct doc_node *compose_as_list(struct compose_work *work, const struct doc_node *value,
				       const char *key)
{
	const struct doc_node **items;
	size_t n = 0;

	if (value->type == DOC_SCALAR)
		return compose_list(work, value, &value, 1);
	if (!compose_is(work, value, DOC_SEQUENCE, key))
		return compose_list(work, value, NULL, 0);
	items = ARENA_ARRAY(work->arena, value->n, const struct doc_node *);
	for (size_t i = 0; i < value->n; i++) {
		if (value->items[i]->wrong)
			continue;
		if (value->items[i]->type == DOC_SCALAR && !doc_is_null(value->items[i]))
			items[n++] = value->items[i];
		else
			compose_error(work, DIAG_WRONG_TYPE, value->items[i],
				      "an entry of %s must be a text, not %s", key,
				      doc_describe(value->items[i]));
	}
	return compose_list(work, value, items, n);
}

/* "KEY=VALUE" or "KEY" as a pair. */
static struct doc_pair split_pair(struct compose_work *work, const struct doc_node *item,
				  bool pairs)
{
	const char *equals = pairs ? strchr(item->text, '=') : NULL;
	size_t len = equals ? (size_t)(equals - item->text) : item->n;
	struct doc_pair pair = {
		compose_scalar(work, item, arena_strndup(work->arena, item->text, len)), NULL};

	pair.value =
		equals ? compose_scalar(work, item, equals + 1) : compose_plain(work, item, "");
	return pair;
}

static int pair_cmp(const void *left, const void *right)
{
	const struct doc_pair *const *a = left, *const *b = right;
	int order = strcmp((*a)->key->text, (*b)->key->text);

	return order ? order : (*a > *b) - (*a < *b);
}

/* Of pairs with one key the last one stays, in its place. */
static size_t keep_last(struct compose_work *work, struct doc_pair *pairs, size_t n)
{
	struct doc_pair **sorted = ARENA_ARRAY(work->arena, n, struct doc_pair *);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &pairs[i];
	qsort(sorted, n, sizeof *sorted, pair_cmp);
	for (size_t i = 0; i + 1 < n; i++) {
		if (str_eq(sorted[i]->key->text, sorted[i + 1]->key->text))
			sorted[i]->value = NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if (pairs[i].value)
			pairs[kept++] = pairs[i];
	}
	return kept;
}

const struct doc_node *compose_as_mapping(struct compose_work *work, const struct doc_node *value,
					  const char *key, bool pairs)
{
	const struct doc_node *list;
	struct doc_node *mapping;

	if (value->type == DOC_MAPPING)
		return value;
	mapping = made(work, DOC_MAPPING, value);
	if (value->type != DOC_SEQUENCE) {
		wrong_type(work, value, key, "a mapping or a list");
		return mapping;
	}
	list = compose_as_list(work, value, key);
	mapping->pairs = ARENA_ARRAY(work->arena, list->n, struct doc_pair);
	for (size_t i = 0; i < list->n; i++)
		mapping->pairs[i] = split_pair(work, list->items[i], pairs);
	mapping->n = list->n ? keep_last(work, mapping->pairs, list->n) : 0;
	return mapping;
}

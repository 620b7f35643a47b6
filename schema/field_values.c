#include "base/sys.h"
#include "schema/field_values.h"

#include "base/num.h"
#include "schema/field_hints.h"
#include "schema/forms.h"

/* One function for each type of field but those that hold objects, which are in fields.c. */

/* ---- messages ---- */

static const char *const wanted_words[] = {
	[TYPE_STRING] = "a text",
	[TYPE_NAME] = "a text",
	[TYPE_BOOL] = "true or false",
	[TYPE_INT] = "a whole number",
	[TYPE_DURATION] = "a duration such as 10s",
	[TYPE_SIZE] = "a size such as 64Mi",
	[TYPE_CPU] = "an amount of processors such as 0.5 or 500m",
	[TYPE_ENUM] = "one word",
	[TYPE_STRINGS] = "a list of texts",
	[TYPE_MAP] = "a mapping of texts",
	[TYPE_OBJECT] = "a mapping",
	[TYPE_LIST] = "a list of mappings",
	[TYPE_OBJMAP] = "a mapping of mappings",
	[TYPE_ANY] = "anything",
};

/* What is there: a number itself, since "not a number" says little where one is wanted. */
static const char *what_is(const struct field_type_row *row, const struct doc_node *node)
{
	const char *what = doc_describe(node);

	return row->type == TYPE_INT && str_eq(what, "a number") ? node->text : what;
}

bool field_wrong_type(struct fields_reader *reader, const struct field_type_row *row,
		      const struct doc_node *node, struct loc at)
{
	source_error(&reader->source, DIAG_WRONG_TYPE, at, "%s must be %s, not %.60s", row->key,
		     wanted_words[row->type], what_is(row, node))
		->hint = hint_type(reader->source.diags, row, node);
	return false;
}

static bool bad_value(struct fields_reader *reader, const struct field_type_row *row,
		      const struct doc_node *node, struct loc at)
{
	source_error(&reader->source, DIAG_BAD_VALUE, at, "%s must be %s", row->key,
		     wanted_words[row->type])
		->hint = hint_type(reader->source.diags, row, node);
	return false;
}

/* ---- bounds ---- */

/* A bound the way it would be written in a manifest. */
static const char *bound_text(const struct field_type_row *row, int64_t bound,
			      char out[NUM_TEXT_MAX])
{
	switch (row->type) {
	case TYPE_DURATION:
		return num_format_duration(bound, out);
	case TYPE_SIZE:
		return num_format_size(bound, out);
	case TYPE_CPU:
		return num_format_cpu(bound, out);
	default:
		snprintf(out, NUM_TEXT_MAX, "%lld", (long long)bound);
		return out;
	}
}

static bool check_bounds(struct fields_reader *reader, const struct field_type_row *row,
			 int64_t value, struct loc at)
{
	char low[NUM_TEXT_MAX], high[NUM_TEXT_MAX];

	if (value >= row->min && value <= row->max)
		return true;
	if (row->max == INT64_MAX)
		source_error(&reader->source, DIAG_BAD_VALUE, at, "%s must be at least %s",
			     row->key, bound_text(row, row->min, low));
	else
		source_error(&reader->source, DIAG_BAD_VALUE, at, "%s must be between %s and %s",
			     row->key, bound_text(row, row->min, low),
			     bound_text(row, row->max, high));
	return false;
}

bool field_count_fits(struct fields_reader *reader, const struct field_type_row *row, size_t n,
		      struct loc at)
{
	if ((int64_t)n >= row->min && (int64_t)n <= row->max)
		return true;
	if ((int64_t)n < row->min)
		source_error(&reader->source, DIAG_BAD_VALUE, at, "%s needs at least %lld %s",
			     row->key, (long long)row->min, row->min == 1 ? "entry" : "entries");
	else
		source_error(&reader->source, DIAG_BAD_VALUE, at,
			     "%s can have at most %lld entries", row->key, (long long)row->max);
	return false;
}

/* ---- scalars ---- */

static bool read_bool(struct fields_reader *reader, const struct field_type_row *row,
		      const struct doc_node *node, struct loc at, void *slot)
{
	return doc_bool(node, slot) == 0 || field_wrong_type(reader, row, node, at);
}

static bool read_int(struct fields_reader *reader, const struct field_type_row *row,
		     const struct doc_node *node, struct loc at, void *slot)
{
	int64_t value;

	if (doc_int(node, &value) != 0)
		return field_wrong_type(reader, row, node, at);
	if (!check_bounds(reader, row, value, at))
		return false;
	*(int64_t *)slot = value;
	return true;
}

static bool read_amount(struct fields_reader *reader, const struct field_type_row *row,
			const struct doc_node *node, struct loc at, void *slot)
{
	int (*parse)(const char *, int64_t *) = row->type == TYPE_DURATION ? num_parse_duration
						: row->type == TYPE_SIZE   ? num_parse_size
									   : num_parse_cpu;
	int64_t value;

	if (node->type != DOC_SCALAR)
		return field_wrong_type(reader, row, node, at);
	if (parse(node->text, &value) != 0)
		return bad_value(reader, row, node, at);
	if (!check_bounds(reader, row, value, at))
		return false;
	*(int64_t *)slot = value;
	return true;
}

static bool unknown_word(struct fields_reader *reader, const struct field_type_row *row,
			 const char *text, struct loc at)
{
	const struct enum_type *type = row->enumeration;
	const char *words[FIELD_WORDS_MAX];
	char list[FIELD_LIST_MAX];

	for (size_t i = 0; i < type->values_n; i++)
		words[i] = type->values[i].word;
	field_words(type, list);
	source_error(&reader->source, DIAG_BAD_VALUE, at, "%s must be %s", row->key, list)->hint =
		hint_nearest(reader->source.diags, text, words, type->values_n);
	return false;
}

static bool read_enum(struct fields_reader *reader, const struct field_type_row *row,
		      const struct doc_node *node, struct loc at, void *slot)
{
	const struct enum_value *value;

	if (node->type != DOC_SCALAR)
		return field_wrong_type(reader, row, node, at);
	value = enum_find(row->enumeration, node->text);
	if (!value)
		return unknown_word(reader, row, node->text, at);
	if (value->flags & LATER) {
		source_error(&reader->source, DIAG_NOT_SUPPORTED, at,
			     "%s: %s is not supported by this build", row->key, value->word);
		return false;
	}
	*(int *)slot = value->value;
	return true;
}

static bool read_string(struct fields_reader *reader, const struct field_type_row *row,
			const struct doc_node *node, struct loc at, void *slot)
{
	if (node->type != DOC_SCALAR)
		return field_wrong_type(reader, row, node, at);
	*(const char **)slot = arena_strndup(reader->arena, node->text, node->n);
	return true;
}

/* ---- lists and maps of texts ---- */

/* One text where a list of one is meant. */
static bool read_one_string(struct fields_reader *reader, const struct doc_node *node,
			    struct strings *out)
{
	out->v = ARENA_NEW(reader->arena, const char *);
	out->v[0] = arena_strndup(reader->arena, node->text, node->n);
	out->n = 1;
	if (!reader->without_places)
		out->at = arena_memdup(reader->arena, &node->at, sizeof node->at);
	return true;
}

static bool read_strings(struct fields_reader *reader, const struct field_type_row *row,
			 const struct doc_node *node, struct loc at, void *slot)
{
	struct strings *out = slot;
	struct loc *places;
	bool fine;

	if (row->flags & SHORT && node->type == DOC_SCALAR)
		return read_one_string(reader, node, out);
	if (node->type != DOC_SEQUENCE)
		return field_wrong_type(reader, row, node, at);
	fine = field_count_fits(reader, row, node->n, at);
	out->v = ARENA_ARRAY(reader->arena, node->n, const char *);
	places = reader->without_places ? NULL : ARENA_ARRAY(reader->arena, node->n, struct loc);
	out->at = places;
	for (size_t i = 0; i < node->n && !source_is_full(&reader->source); i++) {
		const struct doc_node *item = node->items[i];

		if (item->wrong) {
			fine = false;
			continue;
		}
		if (item->type != DOC_SCALAR || doc_is_null(item)) {
			source_error(&reader->source, DIAG_WRONG_TYPE, item->at,
				     "an entry of %s must be a text, not %s", row->key,
				     doc_describe(item));
			fine = false;
			continue;
		}
		if (places)
			places[out->n] = item->at;
		out->v[out->n++] = arena_strndup(reader->arena, item->text, item->n);
	}
	return fine;
}

static int pair_key_cmp(const void *left, const void *right)
{
	const struct doc_pair *a = left, *b = right;

	return strcmp(a->key->text, b->key->text);
}

/* The pairs of a mapping by key; a copy, since others may want the order of the text. */
const struct doc_pair *field_sorted_pairs(struct fields_reader *reader,
					  const struct doc_node *mapping)
{
	struct doc_pair *pairs = NULL;
	bool sorted = true;

	for (size_t i = 1; i < mapping->n && sorted; i++)
		sorted = pair_key_cmp(&mapping->pairs[i - 1], &mapping->pairs[i]) < 0;
	if (sorted)
		return mapping->pairs;
	pairs = arena_memdup(reader->arena, mapping->pairs, mapping->n * sizeof *pairs);
	qsort(pairs, mapping->n, sizeof *pairs, pair_key_cmp);
	return pairs;
}

static bool pair_key_fits(struct fields_reader *reader, const struct field_type_row *row,
			  const struct doc_node *key)
{
	const struct form_row *form = form_row(FLAGS_FORM(row->flags));
	const struct doc_source *source = &reader->source;

	if (key->n > FIELD_KEY_MAX) {
		source_error(source, DIAG_BAD_VALUE, key->at,
			     "a name in %s can have at most %d bytes, not %zu", row->key,
			     FIELD_KEY_MAX, key->n);
		return false;
	}
	if (form_key_fits(FLAGS_FORM(row->flags), key->text))
		return true;
	source_error(source, DIAG_BAD_VALUE, key->at, "a name in %s must be %s", row->key,
		     form->text)
		->hint = hint_pair_key(source->diags, row, key->text);
	return false;
}

static bool pair_fits(struct fields_reader *reader, const struct field_type_row *row,
		      const struct doc_pair *pair)
{
	enum form form = FLAGS_FORM(row->flags);
	const struct doc_source *source = &reader->source;
	const struct doc_node *value = pair->value;
	bool null = doc_is_null(value);

	if (value->wrong || !pair_key_fits(reader, row, pair->key))
		return false;
	if (value->type != DOC_SCALAR || (null && !form_takes_null(form))) {
		source_error(source, DIAG_WRONG_TYPE, doc_pair_at(pair),
			     "%s of %s must be a text, not %s", pair->key->text, row->key,
			     doc_describe(value))
			->hint = hint_pair_value(source->diags, row, value);
		return false;
	}
	if (null || form_value_fits(form, value->text))
		return true;
	source_error(source, DIAG_BAD_VALUE, value->at, "%s of %s must be %s", pair->key->text,
		     row->key, form_row(form)->value_text)
		->hint = hint_pair_value(source->diags, row, value);
	return false;
}

static bool read_map(struct fields_reader *reader, const struct field_type_row *row,
		     const struct doc_node *node, struct loc at, void *slot)
{
	struct pairs *out = slot;
	const struct doc_pair *pairs;
	struct loc *places;
	bool fine;

	if (node->type != DOC_MAPPING)
		return field_wrong_type(reader, row, node, at);
	fine = field_count_fits(reader, row, node->n, at);
	pairs = field_sorted_pairs(reader, node);
	out->key = ARENA_ARRAY(reader->arena, node->n, const char *);
	out->value = ARENA_ARRAY(reader->arena, node->n, const char *);
	places = reader->without_places ? NULL : ARENA_ARRAY(reader->arena, node->n, struct loc);
	out->at = places;
	for (size_t i = 0; i < node->n && !source_is_full(&reader->source); i++) {
		const struct doc_node *value = pairs[i].value;

		if (!pair_fits(reader, row, &pairs[i])) {
			fine = false;
			continue;
		}
		if (places)
			places[out->n] = pairs[i].key->at;
		out->key[out->n] =
			arena_strndup(reader->arena, pairs[i].key->text, pairs[i].key->n);
		out->value[out->n++] =
			doc_is_null(value) ? NULL
					   : arena_strndup(reader->arena, value->text, value->n);
	}
	return fine;
}

read_value *const value_readers[] = {
	[TYPE_STRING] = read_string,   [TYPE_NAME] = read_string,
	[TYPE_BOOL] = read_bool,       [TYPE_INT] = read_int,
	[TYPE_DURATION] = read_amount, [TYPE_SIZE] = read_amount,
	[TYPE_CPU] = read_amount,      [TYPE_ENUM] = read_enum,
	[TYPE_STRINGS] = read_strings, [TYPE_MAP] = read_map,
	[TYPE_OBJECT] = fields_object, [TYPE_LIST] = fields_list,
	[TYPE_OBJMAP] = fields_objmap, [TYPE_ANY] = NULL,
};

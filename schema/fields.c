#include "base/sys.h"
#include "schema/field_values.h"

#include "schema/field_hints.h"

/* ---- objects ---- */

static void place_all(struct fields_reader *reader, const struct object_type *type,
		      struct head *head, struct loc at)
{
	struct loc places[FIELDS_MAX];

	head->path = reader->source.path;
	if (reader->without_places)
		return;
	for (size_t i = 0; i < type->fields_n; i++)
		places[i] = at;
	head_place(reader->arena, head, head->set, places, NULL);
}

/* Is it one text, where the field may be written so? */
static bool is_short(const struct field_type_row *row, const struct doc_node *node)
{
	return (row->flags & SHORT) && node->type == DOC_SCALAR && !doc_is_null(node);
}

static bool read_short(struct fields_reader *reader, const struct field_type_row *row,
		       const struct doc_node *node, void *object)
{
	if (!field_read_short(reader, row->object, node, object))
		return false;
	place_all(reader, row->object, object, node->at);
	return true;
}

bool fields_object(struct fields_reader *reader, const struct field_type_row *row,
		   const struct doc_node *node, struct loc at, void *slot)
{
	bool fine = true;
	void *object;

	if (node->type != DOC_MAPPING && !is_short(row, node))
		return field_wrong_type(reader, row, node, at);
	object = arena_alloc(reader->arena, row->object->size);
	if (node->type == DOC_MAPPING)
		fields_read(reader, row->object, node, object);
	else
		fine = read_short(reader, row, node, object);
	memcpy(slot, &object, sizeof object);
	return fine;
}

static bool read_item(struct fields_reader *reader, const struct field_type_row *row,
		      const struct doc_node *item, void *object)
{
	if (item->type == DOC_MAPPING) {
		fields_read(reader, row->object, item, object);
		return true;
	}
	if (item->wrong)
		return false;
	if (is_short(row, item))
		return read_short(reader, row, item, object);
	source_error(&reader->source, DIAG_WRONG_TYPE, item->at,
		     "an entry of %s must be a mapping%s, not %s", row->key,
		     row->flags & SHORT ? " or a text" : "", doc_describe(item))
		->hint =
		row->object == &type_volume && item->type == DOC_SCALAR && strchr(item->text, ':')
			? "{name: data, path: /data}, for instance"
			: NULL;
	return false;
}

/* Are the two items the same by their KEY and APART fields? Unset ones are the same as nothing. */
static bool same_key(const struct object_type *type, const void *a, const void *b)
{
	const struct field_type_row *key = object_key(type);
	const struct head *first = a, *second = b;

	return ((first->set & second->set) >> field_number(type, key) & 1) &&
	       object_item_cmp(type, a, b) == 0;
}

/* The first two that are the same; false when there are none. */
static bool find_same_keys(const struct field_type_row *row, const void *items, size_t n,
			   size_t *first, size_t *again)
{
	const struct object_type *type = row->object;
	const char *start = items;

	for (*again = 1; *again < n; ++*again) {
		for (*first = 0; *first < *again; ++*first) {
			if (same_key(type, start + *first * type->size,
				     start + *again * type->size))
				return true;
		}
	}
	return false;
}

bool fields_keys_differ(const struct field_type_row *row, const void *items, size_t n)
{
	size_t first, again;

	return !find_same_keys(row, items, n, &first, &again);
}

static bool check_item_keys(struct fields_reader *reader, const struct field_type_row *row,
			    const struct doc_node *const *nodes, const char *items, size_t n)
{
	size_t first, again;

	if (!find_same_keys(row, items, n, &first, &again))
		return true;
	source_error(&reader->source, DIAG_DUPLICATE, nodes[again]->at,
		     "two entries of %s have the same %s", row->key, object_key(row->object)->key)
		->hint = diags_text(reader->source.diags, "the other one is in line %u",
				    (unsigned)nodes[first]->at.line);
	return false;
}

bool fields_list(struct fields_reader *reader, const struct field_type_row *row,
		 const struct doc_node *node, struct loc at, void *slot)
{
	size_t size = row->object->size, n = 0;
	const struct doc_node **nodes;
	struct any_list list;
	char *items;

	if (node->type != DOC_SEQUENCE)
		return field_wrong_type(reader, row, node, at);
	if (!field_count_fits(reader, row, node->n, at))
		return false;
	items = arena_array(reader->arena, node->n, size);
	nodes = ARENA_ARRAY(reader->arena, node->n, const struct doc_node *);
	for (size_t i = 0; i < node->n; i++) {
		nodes[n] = node->items[i];
		if (read_item(reader, row, node->items[i], items + n * size))
			n++;
	}
	list = (struct any_list){items, n};
	memcpy(slot, &list, sizeof list);
	return check_item_keys(reader, row, nodes, items, n) && n == node->n;
}

static bool read_entry(struct fields_reader *reader, const struct field_type_row *row,
		       const struct doc_pair *pair, void *object)
{
	if (is_short(row, pair->value))
		return read_short(reader, row, pair->value, object);
	if (pair->value->type == DOC_MAPPING) {
		fields_read(reader, row->object, pair->value, object);
		return true;
	}
	source_error(&reader->source, DIAG_WRONG_TYPE, doc_pair_at(pair),
		     "%s of %s must be a mapping%s, not %s", pair->key->text, row->key,
		     row->flags & SHORT ? " or a text" : "", doc_describe(pair->value));
	return false;
}

bool fields_objmap(struct fields_reader *reader, const struct field_type_row *row,
		   const struct doc_node *node, struct loc at, void *slot)
{
	const struct doc_pair *pairs;
	size_t size = row->object->size;
	struct any_map map = {0};
	struct loc *places;
	bool fine = true;
	char *objects;

	if (node->type != DOC_MAPPING)
		return field_wrong_type(reader, row, node, at);
	if (!field_count_fits(reader, row, node->n, at))
		return false;
	pairs = field_sorted_pairs(reader, node);
	map.name = ARENA_ARRAY(reader->arena, node->n, const char *);
	map.v = objects = arena_array(reader->arena, node->n, size);
	places = reader->without_places ? NULL : ARENA_ARRAY(reader->arena, node->n, struct loc);
	map.at = places;
	for (size_t i = 0; i < node->n; i++) {
		const struct doc_pair *pair = &pairs[i];

		if (pair->value->wrong) {
			fine = false;
			continue;
		}
		if (!read_entry(reader, row, pair, objects + map.n * size)) {
			fine = false;
			continue;
		}
		if (places)
			places[map.n] = pair->key->at;
		map.name[map.n++] = arena_strndup(reader->arena, pair->key->text, pair->key->n);
	}
	memcpy(slot, &map, sizeof map);
	return fine;
}

/* ---- the fields of one object ---- */

/*
 * Reports it. The field that was meant, or NULL: that one is then wrong and not missing, so that
 * one slip is one problem.
 */
static const struct field_type_row *unknown_field(struct fields_reader *reader,
						  const struct object_type *type,
						  const struct doc_node *key)
{
	const char *const *foreign = type->title ? reader->foreign_keys : NULL;
	const struct field_type_row *meant;

	for (; foreign && *foreign; foreign++) {
		if (str_eq(*foreign, key->text))
			return NULL;
	}
	meant = hint_meant_field(reader->source.diags, type, key->text);
	source_error(&reader->source, DIAG_UNKNOWN_FIELD, key->at, "there is no field %.100s here",
		     key->text)
		->hint = hint_unknown_field(reader->source.diags, type, key->text, meant);
	return meant;
}

static bool text_fits(const struct doc_source *source, const struct object_type *type,
		      const struct field_type_row *row, const char *text, struct loc at)
{
	if (strstr(text, "{{") && field_takes_templates(type, row))
		return true;
	return field_text_fits(row, text, at, source);
}

bool fields_texts_fit(const struct doc_source *source, const struct object_type *type,
		      const struct field_type_row *row, const void *slot, struct loc at)
{
	const struct strings *list = slot;
	bool fine = true;

	if (row->type == TYPE_STRING || row->type == TYPE_NAME)
		return text_fits(source, type, row, *(const char *const *)slot, at);
	if (row->type != TYPE_STRINGS)
		return true;
	for (size_t i = 0; i < list->n; i++)
		fine &= text_fits(source, type, row, list->v[i], list->at ? list->at[i] : at);
	return fine;
}

static void read_field(struct fields_reader *reader, const struct object_type *type,
		       const struct field_type_row *row, const struct doc_pair *pair, void *object)
{
	struct head *head = object;
	uint64_t bit = UINT64_C(1) << field_number(type, row);
	struct loc at = doc_pair_at(pair);
	void *slot = field_slot(object, row);
	bool read, fine;

	if (pair->value->wrong) {
		head->bad |= bit;
		return;
	}
	if (doc_is_null(pair->value)) {
		head->null |= bit;
		return;
	}
	read = value_readers[row->type](reader, row, pair->value, at, slot);
	/* of a list with a wrong entry the others are looked at, too */
	fine = (read || row->type == TYPE_STRINGS) &&
	       fields_texts_fit(&reader->source, type, row, slot, at);
	if (row->flags & LATER)
		source_error(&reader->source, DIAG_NOT_SUPPORTED, pair->key->at,
			     "the field %s is not supported by this build", row->key);
	else if (read && fine) {
		head->set |= bit;
		return;
	}
	head->bad |= bit;
	memset(slot, 0, field_size(row->type));
}

static void missing_field(struct fields_reader *reader, const struct field_type_row *row,
			  struct loc at)
{
	source_error(&reader->source, DIAG_MISSING_FIELD, at, "the field %s is missing", row->key)
		->hint = hint_missing_field(reader->source.diags, row);
}

/* Those of the fields flagged ONE that come after the first of them in the text. */
static void excluding_fields(struct fields_reader *reader, const struct object_type *type,
			     const struct doc_node *mapping, uint64_t given)
{
	const char *first = NULL;

	for (size_t i = 0; i < mapping->n; i++) {
		const struct field_type_row *row = object_field(type, mapping->pairs[i].key->text);

		if (!row || !(row->flags & ONE) || !(given >> field_number(type, row) & 1))
			continue;
		if (first)
			source_error(&reader->source, DIAG_FIELDS_EXCLUDE,
				     mapping->pairs[i].key->at, "%s and %s exclude each other",
				     first, row->key);
		else
			first = row->key;
	}
}

bool fields_presence_fits(const struct object_type *type, const struct head *head)
{
	size_t exclusive = 0;

	for (size_t i = 0; i < type->fields_n; i++) {
		bool is_set = head->set >> i & 1;

		if ((type->fields[i].flags & REQ) && !is_set)
			return false;
		exclusive += is_set && (type->fields[i].flags & ONE);
	}
	return exclusive <= 1;
}

/* The same, but reported. */
static void check_presence(struct fields_reader *reader, const struct object_type *type,
			   const struct head *head, const struct doc_node *mapping)
{
	uint64_t given = head->set | head->bad;
	size_t exclusive = 0;

	if (fields_presence_fits(type, head))
		return;
	for (size_t i = 0; i < type->fields_n; i++) {
		bool is_given = given >> i & 1;

		if ((type->fields[i].flags & REQ) && !is_given)
			missing_field(reader, &type->fields[i], mapping->at);
		exclusive += is_given && (type->fields[i].flags & ONE);
	}
	if (exclusive > 1)
		excluding_fields(reader, type, mapping, given);
}

/* Where the fields of one object stand, by number. */
struct places {
	uint64_t placed;
	struct loc at[FIELDS_MAX];
	const char *paths[FIELDS_MAX];
	bool elsewhere; /* one of them is in another file than the object */
};

/* The file that a node stands in. */
static const char *node_path(const struct fields_reader *reader, const struct doc_node *node)
{
	return reader->paths ? reader->paths[node->file] : reader->source.path;
}

/* One entry of a mapping, known or not. */
static void read_pair(struct fields_reader *reader, const struct object_type *type,
		      const struct doc_pair *pair, void *object, struct places *places)
{
	const struct field_type_row *row = object_field(type, pair->key->text), *meant = NULL;
	struct head *head = object;
	unsigned field;

	reader->source.path = node_path(reader, pair->value);
	if (row)
		read_field(reader, type, row, pair, object);
	else
		meant = unknown_field(reader, type, pair->key);
	if (!row && !meant)
		return;
	field = (unsigned)field_number(type, row ? row : meant);
	if (meant)
		head->bad |= UINT64_C(1) << field;
	if (meant ? places->placed >> field & 1 : doc_is_null(pair->value))
		return;
	places->placed |= UINT64_C(1) << field;
	places->at[field] = meant ? pair->key->at : doc_pair_at(pair);
	places->paths[field] = reader->source.path;
	places->elsewhere |= reader->source.path != head->path;
}

/* The field of a LONG one that has this key becomes the field of that key around it. */
static void fold_field(struct fields_reader *reader, const struct object_type *type,
		       const struct field_type_row *long_row, unsigned number, struct head *object,
		       struct places *places)
{
	const struct field_type_row *inner = &long_row->object->fields[number];
	const struct field_type_row *row = object_field(type, inner->key);
	const struct head *from = NULL;
	unsigned field = field_number(type, row);
	uint64_t bit = UINT64_C(1) << field;

	if (object->null >> field_number(type, long_row) & 1) {
		object->null |= bit & ~(object->set | object->bad);
		return;
	}
	memcpy(&from, field_slot(object, long_row), sizeof from);
	if (!((from->set | from->null | from->bad) >> number & 1))
		return;
	if ((object->set | object->bad) & bit) {
		source_error(&reader->source, DIAG_FIELDS_EXCLUDE, head_at(from, number),
			     "%s and %s.%s exclude each other", row->key, long_row->key, row->key)
			->hint = diags_text(reader->source.diags,
					    "one is another way to write the other, which is in "
					    "line %u",
					    (unsigned)places->at[field].line);
		return;
	}
	object->set |= (from->set >> number & 1) << field;
	object->null |= (from->null >> number & 1) << field;
	object->bad |= (from->bad >> number & 1) << field;
	places->placed |= (from->placed >> number & 1) << field;
	places->at[field] = head_at(from, number);
	memcpy(field_slot(object, row), field_const_slot(from, inner), field_size(row->type));
}

/* What was written in a field flagged LONG becomes what it stands for. */
static void fold_long(struct fields_reader *reader, const struct object_type *type,
		      struct head *object, struct places *places)
{
	for (unsigned i = 0; i < type->fields_n; i++) {
		const struct field_type_row *row = &type->fields[i];
		uint64_t bit = UINT64_C(1) << i;

		if (!(row->flags & LONG) || !((object->set | object->null) & bit))
			continue;
		for (unsigned j = 0; j < row->object->fields_n; j++)
			fold_field(reader, type, row, j, object, places);
		object->set &= ~bit;
		object->null &= ~bit;
		places->placed &= ~bit;
		memset(field_slot(object, row), 0, field_size(row->type));
	}
}

void fields_read(struct fields_reader *reader, const struct object_type *type,
		 const struct doc_node *mapping, void *object)
{
	struct places places;
	struct head *head = object;

	places.placed = 0;
	places.elsewhere = false;
	head->path = reader->source.path = node_path(reader, mapping);
	for (size_t i = 0; i < mapping->n && !source_is_full(&reader->source); i++)
		read_pair(reader, type, &mapping->pairs[i], object, &places);
	fold_long(reader, type, head, &places);
	if (!reader->without_places)
		head_place(reader->arena, head, places.placed, places.at,
			   places.elsewhere ? places.paths : NULL);
	reader->source.path = head->path;
	if (!source_is_full(&reader->source))
		check_presence(reader, type, head, mapping);
}

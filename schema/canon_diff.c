#include "base/sys.h"
#include "schema/canon.h"

#include "base/vec.h"
#include "schema/canon_value.h"

/* Two objects of the table, walked side by side; an absent one is NULL and has nothing set. */

struct diff_walk {
	struct arena *arena;
	enum canon_part part;
	VEC(struct field_diff) found;
};

/* Where a field of one side stands, for messages. */
struct place {
	struct loc at;
	const char *path;
};

static void add_difference(struct diff_walk *walk, const struct field_type_row *row,
			   const char *field, const char *from, const char *to, struct place place)
{
	if (str_eq(from, to))
		return;
	VEC_PUSH(&walk->found, (struct field_diff){
				       .field = field,
				       .from = from,
				       .to = to,
				       .release = (row->flags & REL) != 0,
				       .at = place.at,
				       .path = place.path,
			       });
}

static bool has(const struct head *head, unsigned field)
{
	return head && ((head->set >> field) & 1);
}

static bool is_null(const struct head *head, unsigned field)
{
	return head && ((head->null >> field) & 1);
}

static bool is_single_text(enum field_type type)
{
	return type == TYPE_STRING || type == TYPE_NAME || type == TYPE_DURATION ||
	       type == TYPE_SIZE || type == TYPE_CPU || type == TYPE_ENUM;
}

/* What the field is, as text; NULL where it is not set. */
static const char *value_text(struct diff_walk *walk, const struct field_type_row *row,
			      unsigned field, const void *object)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	const struct head *head = object;

	if (head && ((head->null >> field) & 1))
		return "null";
	if (!has(head, field))
		return NULL;
	if (row->type == TYPE_STRING || row->type == TYPE_NAME)
		return *(const char *const *)field_const_slot(object, row);
	canon_value(row, field_const_slot(object, row), walk->part, &text);
	if (is_single_text(row->type))
		return arena_strndup(walk->arena, buf_str(&text) + 1, text.len - 2);
	return arena_strdup(walk->arena, buf_str(&text));
}

static struct place place_of(const struct head *head, unsigned field)
{
	struct place place = {{0, 0, 0}, NULL};

	if (has(head, field) && head->at) {
		place.at = head_at(head, field);
		place.path = head_path(head, field);
	}
	return place;
}

const char *canon_below(struct arena *arena, const char *prefix, const char *name)
{
	return *prefix ? arena_printf(arena, "%s.%s", prefix, name) : arena_strdup(arena, name);
}

/* ---- maps ---- */

static const char *pair_text(const struct pairs *pairs, size_t i)
{
	return pairs->value[i] ? pairs->value[i] : "null";
}

static struct place pair_place(const struct pairs *pairs, size_t i, const char *path)
{
	struct place place = {{0, 0, 0}, NULL};

	if (pairs->at) {
		place.at = pairs->at[i];
		place.path = pairs->paths ? pairs->paths[i] : path;
	}
	return place;
}

static void diff_pairs(struct diff_walk *walk, const struct field_type_row *row, const char *field,
		       const struct pairs *from, const struct pairs *to, const char *path)
{
	size_t i = 0, j = 0;

	while (i < from->n || j < to->n) {
		int order = i == from->n ? 1 : j == to->n ? -1 : strcmp(from->key[i], to->key[j]);
		const char *key = order <= 0 ? from->key[i] : to->key[j];

		add_difference(walk, row, canon_below(walk->arena, field, key),
			       order <= 0 ? pair_text(from, i) : NULL,
			       order >= 0 ? pair_text(to, j) : NULL,
			       order >= 0 ? pair_place(to, j, path)
					  : (struct place){{0, 0, 0}, NULL});
		i += order <= 0;
		j += order >= 0;
	}
}

/* ---- objects in objects ---- */

static void diff_objects(struct diff_walk *walk, const struct object_type *type, const char *prefix,
			 const void *from, const void *to);

const char *canon_item_name(struct arena *arena, const struct object_type *type, const void *item,
			    bool twin)
{
	AUTO_FREE char *text = twin ? object_item_text(type, item) : object_key_text(type, item);

	return arena_strdup(arena, text);
}

/* Have the two lists the same keys in the same order? */
static bool same_order(const struct object_type *type, const struct any_list *a,
		       const struct any_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (object_key_cmp(type, (const char *)a->v + i * type->size,
				   (const char *)b->v + i * type->size) != 0)
			return false;
	}
	return true;
}

/* A list, sorted, and where the walk is in it. */
struct side {
	const struct object_type *type;
	const void **v;
	size_t n, i;
};

static const void *here(const struct side *side)
{
	return side->i < side->n ? side->v[side->i] : NULL;
}

/* Has the item neighbours with the same KEY? */
static bool is_twin(const struct side *side)
{
	const void *item = here(side);

	return item &&
	       ((side->i > 0 && object_key_cmp(side->type, side->v[side->i - 1], item) == 0) ||
		(side->i + 1 < side->n &&
		 object_key_cmp(side->type, side->v[side->i + 1], item) == 0));
}

/* One that is alone with its KEY on both sides is the same one, whatever else it says. */
static int sides_cmp(const struct side *from, const struct side *to)
{
	const void *a = here(from), *b = here(to);
	int order = !a ? 1 : !b ? -1 : object_key_cmp(from->type, a, b);

	if (order == 0 && (is_twin(from) || is_twin(to)))
		order = object_item_cmp(from->type, a, b);
	return order;
}

static void diff_lists(struct diff_walk *walk, const struct field_type_row *row, const char *field,
		       const struct any_list *from, const struct any_list *to)
{
	AUTO_FREE const void **a = canon_sorted_items(row, from);
	AUTO_FREE const void **b = canon_sorted_items(row, to);
	struct side left = {row->object, a, from->n, 0}, right = {row->object, b, to->n, 0};

	while (here(&left) || here(&right)) {
		int order = sides_cmp(&left, &right);
		const struct side *side = order <= 0 ? &left : &right;
		const char *name =
			canon_item_name(walk->arena, row->object, here(side), is_twin(side));

		diff_objects(walk, row->object, canon_below(walk->arena, field, name),
			     order <= 0 ? here(&left) : NULL, order >= 0 ? here(&right) : NULL);
		left.i += order <= 0;
		right.i += order >= 0;
	}
}

static void diff_field(struct diff_walk *walk, const struct object_type *type, unsigned number,
		       const char *prefix, const void *from, const void *to)
{
	static const union {
		struct pairs pairs;
		struct any_list list;
		const void *object;
	} nothing;
	const struct field_type_row *row = &type->fields[number];
	const void *left = has(from, number) ? field_const_slot(from, row) : &nothing;
	const void *right = has(to, number) ? field_const_slot(to, row) : &nothing;
	const char *field = canon_below(walk->arena, prefix, row->key);
	struct any_list a_list, b_list;
	const void *a, *b;

	switch (row->type) {
	case TYPE_MAP:
		diff_pairs(walk, row, field, left, right, to ? head_path(to, number) : NULL);
		return;
	case TYPE_OBJECT:
		memcpy(&a, left, sizeof a);
		memcpy(&b, right, sizeof b);
		diff_objects(walk, row->object, field, a, b);
		return;
	case TYPE_LIST:
		memcpy(&a_list, left, sizeof a_list);
		memcpy(&b_list, right, sizeof b_list);
		if (row->flags & WHOLE && (is_null(from, number) || is_null(to, number) ||
					   !same_order(row->object, &a_list, &b_list)))
			break;
		diff_lists(walk, row, field, &a_list, &b_list);
		return;
	default:
		break;
	}
	add_difference(walk, row, field, value_text(walk, row, number, from),
		       value_text(walk, row, number, to), place_of(to, number));
}

/* Null for a field that holds parts is said of the field as a whole. */
static void diff_null(struct diff_walk *walk, const struct field_type_row *row, unsigned number,
		      const char *prefix, const void *from, const void *to)
{
	add_difference(walk, row, canon_below(walk->arena, prefix, row->key),
		       is_null(from, number) ? "null" : NULL, is_null(to, number) ? "null" : NULL,
		       place_of(to, number));
}

static void diff_objects(struct diff_walk *walk, const struct object_type *type, const char *prefix,
			 const void *from, const void *to)
{
	for (unsigned i = 0; i < type->fields_n; i++) {
		const struct field_type_row *row = &type->fields[i];
		bool null = is_null(from, i) || is_null(to, i);

		if (!canon_takes(row, walk->part))
			continue;
		if (null && field_holds_parts(row))
			diff_null(walk, row, i, prefix, from, to);
		if (has(from, i) || has(to, i) || (null && !field_holds_parts(row)))
			diff_field(walk, type, i, prefix, from, to);
	}
}

struct field_diffs canon_diff(struct arena *arena, const struct container *from,
			      const struct container *to, enum canon_part part)
{
	struct diff_walk walk = {.arena = arena, .part = part};
	struct field_diffs out;

	diff_objects(&walk, &type_container, "", from, to);
	out.v = arena_memdup(arena, walk.found.v, walk.found.n * sizeof *out.v);
	out.n = walk.found.n;
	VEC_FREE(&walk.found);
	return out;
}

#include "base/sys.h"
#include "schema/bundles.h"

#include "base/vec.h"
#include "schema/canon_value.h"
#include "schema/merge.h"

struct bundle_list bundles_of(const struct model *model, const struct deployment *deployment,
			      struct arena *arena)
{
	const char *project = deployment->from.file->unit.project;
	const struct strings *names = &deployment->bundles;
	struct bundle_list list = {0};

	if (names->n)
		list.v = ARENA_ARRAY(arena, names->n, const struct bundle *);
	for (size_t i = 0; i < names->n; i++) {
		const struct bundle *bundle = model_bundle(model, project, names->v[i]);

		if (bundle)
			list.v[list.n++] = bundle;
	}
	return list;
}

const struct container *bundles_instance(const struct deployment *deployment, const char *container)
{
	for (size_t i = 0; container && i < deployment->instances.n; i++) {
		if (str_eq(deployment->instances.name[i], container))
			return deployment->instances.v[i].config;
	}
	return NULL;
}

const struct container *bundles_merge(struct arena *arena, const struct deployment *deployment,
				      const struct bundle_list *bundles, const char *container,
				      const struct container *image)
{
	VEC(const struct container *) layers = {0};
	const struct container *merged;

	VEC_PUSH(&layers, image);
	for (size_t i = 0; i < bundles->n; i++)
		VEC_PUSH(&layers, bundles->v[i]->config);
	VEC_PUSH(&layers, deployment->config);
	VEC_PUSH(&layers, bundles_instance(deployment, container));
	merged = merge_containers(arena, layers.v, layers.n);
	VEC_FREE(&layers);
	return merged;
}

/* ---- what two of them say differently ---- */

#define OVER_MAX 2

/* The same object in both bundles, and in the layers over them; NULL where it is in none. */
struct both {
	const void *side[2];
	const void *over[OVER_MAX];
};

struct comparing {
	struct arena *arena;
	VEC(struct bundle_clash) found;
};

static void compare_objects(struct comparing *comparing, const struct object_type *type,
			    const char *prefix, const struct both *both);

static bool bit(uint64_t bits, unsigned field)
{
	return (bits >> field) & 1;
}

static const struct head *head_of(const void *object)
{
	static const struct head nothing;

	return object ? object : &nothing;
}

/* Does a layer over both say all there is to say of the field? */
static bool is_decided(const struct object_type *type, unsigned field, const struct both *both)
{
	bool whole = !field_holds_parts(&type->fields[field]);

	for (size_t i = 0; i < OVER_MAX; i++) {
		const struct head *over = head_of(both->over[i]);

		if (bit(over->null, field) || (whole && bit(over->set, field)))
			return true;
	}
	return false;
}

static void add_clash(struct comparing *comparing, const char *field, const struct both *both,
		      unsigned number)
{
	struct bundle_clash clash = {.field = field};

	for (size_t i = 0; i < 2; i++) {
		const struct head *head = head_of(both->side[i]);

		clash.path[i] = head_path(head, number);
		clash.at[i] = head_at(head, number);
	}
	VEC_PUSH(&comparing->found, clash);
}

/* ---- by type of field ---- */

static bool is_same(const struct field_type_row *row, const struct both *both)
{
	AUTO_BUF struct buf a = BUF_INIT(BUF_MAX_OUTPUT), b = BUF_INIT(BUF_MAX_OUTPUT);

	canon_value(row, field_const_slot(both->side[0], row), CANON_ALL, &a);
	canon_value(row, field_const_slot(both->side[1], row), CANON_ALL, &b);
	return str_eq(buf_str(&a), buf_str(&b));
}

static const struct pairs *pairs_in(const void *object, const struct field_type_row *row)
{
	static const struct pairs nothing;

	return object ? field_const_slot(object, row) : &nothing;
}

static size_t find_key(const struct pairs *pairs, const char *key)
{
	size_t i = 0;

	while (i < pairs->n && !str_eq(pairs->key[i], key))
		i++;
	return i;
}

static void compare_pairs(struct comparing *comparing, const struct field_type_row *row,
			  const char *field, const struct both *both, unsigned number)
{
	const struct pairs *a = pairs_in(both->side[0], row), *b = pairs_in(both->side[1], row);

	for (size_t i = 0; i < a->n; i++) {
		const char *key = a->key[i];
		size_t j = find_key(b, key);
		bool decided = false;

		for (size_t k = 0; k < OVER_MAX; k++) {
			const struct pairs *over = pairs_in(both->over[k], row);

			decided = decided || find_key(over, key) < over->n;
		}
		if (j == b->n || decided || str_cmp(a->value[i], b->value[j]) == 0)
			continue;
		add_clash(comparing, canon_below(comparing->arena, field, key), both, number);
		struct bundle_clash *clash = &comparing->found.v[comparing->found.n - 1];

		clash->at[0] = a->at ? a->at[i] : clash->at[0];
		clash->at[1] = b->at ? b->at[j] : clash->at[1];
		clash->path[0] = a->paths ? a->paths[i] : clash->path[0];
		clash->path[1] = b->paths ? b->paths[j] : clash->path[1];
	}
}

static const void *object_in(const void *object, const struct field_type_row *row)
{
	const void *inner = NULL;

	if (object)
		memcpy(&inner, field_const_slot(object, row), sizeof inner);
	return inner;
}

static void compare_inner(struct comparing *comparing, const struct field_type_row *row,
			  const char *field, const struct both *both)
{
	struct both inner;

	for (size_t i = 0; i < 2; i++)
		inner.side[i] = object_in(both->side[i], row);
	for (size_t i = 0; i < OVER_MAX; i++)
		inner.over[i] = object_in(both->over[i], row);
	compare_objects(comparing, row->object, field, &inner);
}

/* The items of the list in `object` that are the same as `like` by their KEY fields. */
struct alike {
	const void *first; /* NULL: none */
	size_t n;
};

static struct alike items_like(const void *object, const struct field_type_row *row,
			       const void *like)
{
	struct any_list list = {0};
	struct alike alike = {NULL, 0};

	if (object)
		memcpy(&list, field_const_slot(object, row), sizeof list);
	for (size_t i = 0; i < list.n; i++) {
		const char *item = (const char *)list.v + i * row->object->size;

		if (object_key_cmp(row->object, item, like) != 0)
			continue;
		alike.first = alike.first ? alike.first : item;
		alike.n++;
	}
	return alike;
}

static void write_items_like(const void *object, const struct field_type_row *row, const void *like,
			     struct buf *out)
{
	AUTO_FREE const void **items = NULL;
	struct any_list list;

	memcpy(&list, field_const_slot(object, row), sizeof list);
	items = canon_sorted_items(row, &list);
	for (size_t i = 0; i < list.n; i++) {
		if (object_key_cmp(row->object, items[i], like) == 0)
			canon_object(row->object, items[i], CANON_ALL, out);
	}
}

static bool same_items(const struct both *both, const struct field_type_row *row, const void *like)
{
	AUTO_BUF struct buf a = BUF_INIT(BUF_MAX_OUTPUT), b = BUF_INIT(BUF_MAX_OUTPUT);

	write_items_like(both->side[0], row, like, &a);
	write_items_like(both->side[1], row, like, &b);
	return str_eq(buf_str(&a), buf_str(&b));
}

/*
 * Several with one KEY take the place of what is below them, and give it up to any above; so does
 * one alone above several.
 */
static bool items_decided(const struct both *both, const struct field_type_row *row,
			  const void *like)
{
	bool several = items_like(both->side[0], row, like).n > 1 &&
		       items_like(both->side[1], row, like).n > 1;

	for (size_t k = 0; k < OVER_MAX; k++) {
		size_t n = items_like(both->over[k], row, like).n;

		if (n > 1 || (n == 1 && several))
			return true;
	}
	return false;
}

static void compare_items(struct comparing *comparing, const struct field_type_row *row,
			  const char *field, const struct both *both, unsigned number)
{
	struct any_list list;

	memcpy(&list, field_const_slot(both->side[0], row), sizeof list);
	for (size_t i = 0; i < list.n; i++) {
		const void *item = (const char *)list.v + i * row->object->size;
		struct alike own = items_like(both->side[0], row, item);
		struct alike other = items_like(both->side[1], row, item);
		struct both inner = {.side = {item, other.first}};
		const char *name =
			canon_below(comparing->arena, field,
				    canon_item_name(comparing->arena, row->object, item, false));

		if (other.n == 0 || own.first != item || items_decided(both, row, item))
			continue;
		for (size_t k = 0; k < OVER_MAX; k++)
			inner.over[k] = items_like(both->over[k], row, item).first;
		if (own.n == 1 && other.n == 1)
			compare_objects(comparing, row->object, name, &inner);
		else if (!same_items(both, row, item))
			add_clash(comparing, name, both, number);
	}
}

/* Both set the field. */
static void compare_values(struct comparing *comparing, const struct field_type_row *row,
			   const char *field, const struct both *both, unsigned number)
{
	switch (row->type) {
	case TYPE_MAP:
		compare_pairs(comparing, row, field, both, number);
		return;
	case TYPE_OBJECT:
		compare_inner(comparing, row, field, both);
		return;
	case TYPE_LIST:
		if (row->flags & WHOLE)
			break;
		compare_items(comparing, row, field, both, number);
		return;
	default:
		break;
	}
	if (!is_same(row, both))
		add_clash(comparing, field, both, number);
}

/* ---- objects ---- */

/* A choice that is whole by itself leaves nothing of any below it. */
static bool is_chosen_over(const struct object_type *type, const struct both *both)
{
	for (unsigned i = 0; i < type->fields_n; i++) {
		for (size_t k = 0; (type->fields[i].flags & ONE) && k < OVER_MAX; k++) {
			if (!field_holds_parts(&type->fields[i]) &&
			    bit(head_of(both->over[k])->set, i))
				return true;
		}
	}
	return false;
}

/* Of the fields that exclude each other each has chosen its own. */
static void compare_choices(struct comparing *comparing, const struct object_type *type,
			    const char *prefix, const struct both *both)
{
	unsigned chosen[2] = {0, 0};
	size_t choices = 0;

	for (size_t side = 0; side < 2; side++) {
		for (unsigned i = 0; i < type->fields_n; i++) {
			if ((type->fields[i].flags & ONE) &&
			    bit(head_of(both->side[side])->set, i)) {
				chosen[side] = i;
				choices++;
			}
		}
	}
	if (choices < 2 || chosen[0] == chosen[1] || is_chosen_over(type, both))
		return;
	add_clash(comparing, canon_below(comparing->arena, prefix, type->fields[chosen[0]].key),
		  both, chosen[0]);
	comparing->found.v[comparing->found.n - 1].at[1] =
		head_at(head_of(both->side[1]), chosen[1]);
}

static void compare_field(struct comparing *comparing, const struct object_type *type,
			  unsigned field, const char *prefix, const struct both *both)
{
	const struct field_type_row *row = &type->fields[field];
	const struct head *a = head_of(both->side[0]), *b = head_of(both->side[1]);
	bool both_set = bit(a->set & b->set, field);
	bool one_null = bit((a->null & b->set) | (a->set & b->null), field);
	const char *name;

	if ((!both_set && !one_null) || is_decided(type, field, both))
		return;
	name = canon_below(comparing->arena, prefix, row->key);
	if (one_null)
		add_clash(comparing, name, both, field);
	else
		compare_values(comparing, row, name, both, field);
}

static void compare_objects(struct comparing *comparing, const struct object_type *type,
			    const char *prefix, const struct both *both)
{
	compare_choices(comparing, type, prefix, both);
	for (unsigned i = 0; i < type->fields_n; i++)
		compare_field(comparing, type, i, prefix, both);
}

struct bundle_clashes bundles_compare(struct arena *arena, const struct container *a,
				      const struct container *b,
				      const struct container *const *over, size_t n)
{
	struct comparing comparing = {.arena = arena};
	struct both both = {.side = {a, b}};
	struct bundle_clashes out;

	for (size_t i = 0; i < n && i < OVER_MAX; i++)
		both.over[i] = over[i];
	compare_objects(&comparing, &type_container, "", &both);
	out.n = comparing.found.n;
	out.v = arena_memdup(arena, comparing.found.v, out.n * sizeof *out.v);
	VEC_FREE(&comparing.found);
	return out;
}

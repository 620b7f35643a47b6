#include "base/sys.h"
#include "schema/merge.h"

#include "schema/whole.h"

/*
 * One function for each type of field that does more than replace. Merging always makes something
 * new, so that a layer can be merged over nothing to get rid of its nulls.
 */

/* ---- maps ---- */

/* Pair i of a map whose object is in the file `path`. */
struct pair_in {
	const struct pairs *pairs;
	const char *path;
};

struct pairs_out {
	struct pairs pairs;
	struct loc *at;
	const char **paths;
};

static void add_pair(struct pairs_out *out, const struct pair_in *in, size_t i)
{
	const struct pairs *from = in->pairs;
	size_t n = out->pairs.n;

	if (!from->value[i])
		return;
	out->pairs.key[n] = from->key[i];
	out->pairs.value[n] = from->value[i];
	if (from->at)
		out->at[n] = from->at[i];
	out->paths[n] = from->paths ? from->paths[i] : in->path;
	out->pairs.n++;
}

/* Both are sorted by key: one walk. */
static struct pairs merge_pairs(struct arena *arena, const struct pair_in *weak,
				const struct pair_in *strong)
{
	size_t most = weak->pairs->n + strong->pairs->n, i = 0, j = 0;
	struct pairs_out out = {
		.pairs = {.key = ARENA_ARRAY(arena, most, const char *),
			  .value = ARENA_ARRAY(arena, most, const char *)},
		.at = ARENA_ARRAY(arena, most, struct loc),
		.paths = ARENA_ARRAY(arena, most, const char *),
	};

	out.pairs.at = out.at;
	out.pairs.paths = out.paths;
	while (i < weak->pairs->n || j < strong->pairs->n) {
		int order = i == weak->pairs->n ? 1
			    : j == strong->pairs->n
				    ? -1
				    : strcmp(weak->pairs->key[i], strong->pairs->key[j]);

		if (order < 0) {
			add_pair(&out, weak, i++);
			continue;
		}
		add_pair(&out, strong, j++);
		i += order == 0;
	}
	return out.pairs;
}

/* ---- lists by key, objects by name ---- */

static const void *find_item(const struct object_type *type, const struct any_list *list,
			     const void *like)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *item = (const char *)list->v + i * type->size;

		if (object_key_cmp(type, item, like) == 0)
			return item;
	}
	return NULL;
}

static size_t count_items(const struct object_type *type, const struct any_list *list,
			  const void *like)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += object_key_cmp(type, (const char *)list->v + i * type->size, like) == 0;
	return n;
}

static void add_item(struct arena *arena, const struct object_type *type, const void *weak,
		     const void *strong, struct any_list *out)
{
	memcpy((char *)out->v + out->n++ * type->size, merge_objects(arena, type, weak, strong),
	       type->size);
}

/* All of `from` with the KEY of `like`, as they are. */
static void add_items(struct arena *arena, const struct object_type *type,
		      const struct any_list *from, const void *like, struct any_list *out)
{
	for (size_t i = 0; i < from->n; i++) {
		const char *item = (const char *)from->v + i * type->size;

		if (object_key_cmp(type, item, like) == 0)
			add_item(arena, type, NULL, item, out);
	}
}

/*
 * The weak ones in their order, each with what the strong layer says about it; then the new ones.
 * Where either has several with one KEY, there is no saying which of them is meant: the strong ones
 * stand where the first weak one did.
 */
static struct any_list merge_lists(struct arena *arena, const struct object_type *type,
				   const struct any_list *weak, const struct any_list *strong)
{
	struct any_list out = {arena_array(arena, weak->n + strong->n, type->size), 0};

	for (size_t i = 0; i < weak->n; i++) {
		const char *item = (const char *)weak->v + i * type->size;
		size_t over = count_items(type, strong, item);

		if (over == 0 || (over == 1 && count_items(type, weak, item) == 1))
			add_item(arena, type, item, find_item(type, strong, item), &out);
		else if (find_item(type, weak, item) == item)
			add_items(arena, type, strong, item, &out);
	}
	for (size_t i = 0; i < strong->n; i++) {
		const char *item = (const char *)strong->v + i * type->size;

		if (!find_item(type, weak, item))
			add_item(arena, type, NULL, item, &out);
	}
	return out;
}

/* Both are sorted by name. */
static struct any_map merge_maps(struct arena *arena, const struct object_type *type,
				 const struct any_map *weak, const struct any_map *strong)
{
	size_t most = weak->n + strong->n, i = 0, j = 0;
	char *objects = arena_array(arena, most, type->size);
	struct any_map out = {.name = ARENA_ARRAY(arena, most, const char *), .v = objects};

	while (i < weak->n || j < strong->n) {
		int order = i == weak->n     ? 1
			    : j == strong->n ? -1
					     : strcmp(weak->name[i], strong->name[j]);
		const void *a = order <= 0 ? (const char *)weak->v + i * type->size : NULL;
		const void *b = order >= 0 ? (const char *)strong->v + j * type->size : NULL;

		out.name[out.n] = order <= 0 ? weak->name[i] : strong->name[j];
		memcpy(objects + out.n++ * type->size, merge_objects(arena, type, a, b),
		       type->size);
		i += order <= 0;
		j += order >= 0;
	}
	return out;
}

/* ---- fields ---- */

/* An object of any type that is merged, with nothing set. */
static const union {
	max_align_t align;
	char bytes[1024];
} nothing;
_Static_assert(sizeof(struct container) <= sizeof nothing, "the largest of them is larger");

struct merged {
	struct head *head;
	struct loc at[FIELDS_MAX];
	const char *paths[FIELDS_MAX];
};

static void keep_place(struct merged *merged, unsigned field, const struct head *from)
{
	merged->head->set |= UINT64_C(1) << field;
	merged->at[field] = head_at(from, field);
	merged->paths[field] = head_path(from, field);
}

static bool has(const void *object, unsigned field)
{
	const struct head *head = object;

	return (head->set >> field) & 1;
}

/* Both may be empty slots. */
static void merge_slots(struct arena *arena, const struct field_type_row *row, const void *weak,
			const char *weak_path, const void *strong, const char *strong_path,
			void *slot)
{
	switch (row->type) {
	case TYPE_MAP: {
		struct pair_in a = {weak, weak_path}, b = {strong, strong_path};

		*(struct pairs *)slot = merge_pairs(arena, &a, &b);
		return;
	}
	case TYPE_OBJECT: {
		const void *a, *b, *object;

		memcpy(&a, weak, sizeof a);
		memcpy(&b, strong, sizeof b);
		object = merge_objects(arena, row->object, a, b);
		memcpy(slot, &object, sizeof object);
		return;
	}
	case TYPE_LIST: {
		struct any_list a, b;

		memcpy(&a, weak, sizeof a);
		memcpy(&b, strong, sizeof b);
		a = merge_lists(arena, row->object, &a, &b);
		memcpy(slot, &a, sizeof a);
		return;
	}
	case TYPE_OBJMAP: {
		struct any_map a, b;

		memcpy(&a, weak, sizeof a);
		memcpy(&b, strong, sizeof b);
		a = merge_maps(arena, row->object, &a, &b);
		memcpy(slot, &a, sizeof a);
		return;
	}
	default:
		return;
	}
}

static void merge_field(struct arena *arena, const struct object_type *type, unsigned field,
			const void *weak, const void *strong, struct merged *merged)
{
	const struct field_type_row *row = &type->fields[field];
	const void *from = has(strong, field) ? strong : weak;
	void *slot = field_slot(merged->head, row);

	if (!has(from, field))
		return;
	keep_place(merged, field, from);
	if (row->type == TYPE_LIST && !field_holds_parts(row))
		merge_slots(arena, row, &nothing, NULL, field_const_slot(from, row),
			    head_path(from, field), slot);
	else if (field_holds_parts(row))
		merge_slots(arena, row, field_const_slot(weak, row), head_path(weak, field),
			    field_const_slot(strong, row), head_path(strong, field), slot);
	else
		memcpy(slot, field_const_slot(from, row), field_size(row->type));
}

/* Bits of the fields flagged ONE. */
static uint64_t exclusive_fields(const struct object_type *type)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < type->fields_n; i++) {
		if (type->fields[i].flags & ONE)
			bits |= UINT64_C(1) << i;
	}
	return bits;
}

/* Fields of the weak layer that the strong one takes away: by null, or by giving another ONE. */
static uint64_t taken_away(const struct object_type *type, const struct head *strong)
{
	uint64_t exclusive = exclusive_fields(type);
	uint64_t given = strong->set & exclusive;

	return strong->null | (given ? exclusive & ~given : 0);
}

/* A shallow copy of `object` without some of its fields. */
static void *without(struct arena *arena, const struct object_type *type, const void *object,
		     uint64_t fields)
{
	struct head *copy = arena_memdup(arena, object, type->size);

	for (unsigned i = 0; i < type->fields_n; i++) {
		if ((fields >> i) & 1)
			memset(field_slot(copy, &type->fields[i]), 0,
			       field_size(type->fields[i].type));
	}
	copy->set &= ~fields;
	return copy;
}

void *merge_objects(struct arena *arena, const struct object_type *type, const void *weak,
		    const void *strong)
{
	void *out = arena_alloc(arena, type->size);
	const struct head *last = strong ? strong : weak;
	struct merged merged;

	merged.head = out;
	weak = weak ? weak : &nothing;
	strong = strong ? strong : &nothing;
	if (((const struct head *)weak)->set & taken_away(type, strong))
		weak = without(arena, type, weak, taken_away(type, strong));
	merged.head->path = last ? last->path : NULL;
	for (unsigned i = 0; i < type->fields_n; i++)
		merge_field(arena, type, i, weak, strong, &merged);
	head_place(arena, merged.head, merged.head->set, merged.at, merged.paths);
	return out;
}

static bool object_has_nulls(const struct object_type *type, const void *object);

static bool slot_has_nulls(const struct field_type_row *row, const void *slot)
{
	struct any_list list = {0};
	const struct pairs *pairs = slot;
	size_t nulls = 0;

	switch (row->type) {
	case TYPE_MAP:
		for (size_t i = 0; i < pairs->n; i++)
			nulls += !pairs->value[i];
		return nulls > 0;
	case TYPE_OBJECT:
		memcpy(&list.v, slot, sizeof list.v);
		list.n = 1;
		break;
	case TYPE_LIST:
		memcpy(&list, slot, sizeof list);
		break;
	case TYPE_OBJMAP:
		list.v = ((const struct any_map *)slot)->v;
		list.n = ((const struct any_map *)slot)->n;
		break;
	default:
		return false;
	}
	for (size_t i = 0; i < list.n; i++)
		nulls +=
			object_has_nulls(row->object, (const char *)list.v + i * row->object->size);
	return nulls > 0;
}

static bool object_has_nulls(const struct object_type *type, const void *object)
{
	const struct head *head = object;

	for (uint64_t left = head->set; left; left &= left - 1) {
		const struct field_type_row *row = &type->fields[__builtin_ctzll(left)];

		if (slot_has_nulls(row, field_const_slot(object, row)))
			return true;
	}
	return head->null != 0;
}

/* The weakest layer is taken as it is, where a merge over nothing would only copy it. */
const struct container *merge_containers(struct arena *arena, const struct container *const *layers,
					 size_t n)
{
	const struct container *merged = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!layers[i])
			continue;
		if (!merged && !object_has_nulls(&type_container, layers[i]))
			merged = layers[i];
		else
			merged = merge_objects(arena, &type_container, merged, layers[i]);
	}
	return merged ? merged : ARENA_NEW(arena, struct container);
}

/* Bits of the container's fields with this flag. */
static uint64_t container_fields(unsigned flag)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < type_container.fields_n; i++) {
		if (type_container.fields[i].flags & flag)
			bits |= UINT64_C(1) << i;
	}
	return bits;
}

const struct container *merge_operations(struct arena *arena, const struct container *recorded,
					 const struct container *now)
{
	uint64_t operations = container_fields(OPS);
	const void *release = without(arena, &type_container, recorded, operations);
	const void *live = without(arena, &type_container, now, ~operations);

	return merge_objects(arena, &type_container, release, live);
}

/* ---- what only the whole can show ---- */

static bool is_incomplete(const struct object_type *type, const void *object)
{
	const struct head *head = object;
	uint64_t exclusive = exclusive_fields(type);

	return !((head->set | head->bad) & exclusive) || (head->null & exclusive);
}

/* Calls `use` for each object of a configuration that needs one of its ONE fields. */
static void each_exclusive(const struct container *config,
			   void (*use)(void *arg, const struct object_type *type,
				       const struct head *object, const char *key),
			   void *arg)
{
	for (size_t i = 0; i < config->volumes.n; i++)
		use(arg, &type_volume, &config->volumes.v[i].head, config->volumes.v[i].path);
	for (size_t i = 0; i < config->init.n; i++) {
		const struct volume_list *volumes = &config->init.v[i].volumes;

		for (size_t j = 0; j < volumes->n; j++)
			use(arg, &type_volume, &volumes->v[j].head, volumes->v[j].path);
	}
	for (size_t i = 0; i < config->files.n; i++)
		use(arg, &type_config_file, &config->files.v[i].head, config->files.v[i].path);
	if (config->health_check)
		use(arg, &type_health_check, &config->health_check->head, NULL);
}

static void note_incomplete(void *arg, const struct object_type *type, const struct head *object,
			    const char *key)
{
	bool *needed = arg;

	(void)key;
	*needed = *needed || is_incomplete(type, object);
}

bool merged_check_needed(const struct container *layer)
{
	bool needed = false;

	if (layer)
		each_exclusive(layer, note_incomplete, &needed);
	return needed || whole_check_needed(layer);
}

struct whole_check {
	const struct unit *unit;
	struct diags *diags;
};

static struct loc first_place(const struct object_type *type, const struct head *object,
			      const char **path)
{
	for (unsigned i = 0; i < type->fields_n; i++) {
		*path = head_path(object, i);
		if (((object->set >> i) & 1) && head_at(object, i).line)
			return head_at(object, i);
	}
	*path = object->path;
	return (struct loc){0, 0, 0};
}

static void report_incomplete(void *arg, const struct object_type *type, const struct head *object,
			      const char *key)
{
	struct whole_check *check = arg;
	const char *path, *names[3] = {"", "", ""};
	size_t n = 0;
	struct loc at;

	if (!is_incomplete(type, object))
		return;
	for (size_t i = 0; i < type->fields_n; i++) {
		if (type->fields[i].flags & ONE && !(type->fields[i].flags & LATER) && n < 3)
			names[n++] = type->fields[i].key;
	}
	at = first_place(type, object, &path);
	diags_add(check->diags, DIAG_MISSING_FIELD, check->unit, path, at, "%s%s needs %s%s%s%s%s",
		  type == &type_volume	      ? "the volume at "
		  : type == &type_config_file ? "the file "
					      : "the healthCheck",
		  key ? key : "", names[0], n > 2 ? ", " : "", n > 2 ? names[1] : "",
		  n > 1 ? " or " : "", n > 1 ? names[n - 1] : "");
}

void merged_check(const struct container *merged, const struct unit *unit, struct diags *diags)
{
	struct whole_check check = {unit, diags};

	each_exclusive(merged, report_incomplete, &check);
	whole_check(merged, unit, diags);
}

/*
 * driver_check.c - what a manifest cannot have on a node, whichever driver serves it.
 */
#include "base/sys.h"
#include "drivers/driver.h"

#include "drivers/policy.h"

struct carrying {
	const struct driver_ops *ops;
	const struct unit *unit;
	struct diags *diags;
};

static uint64_t carried_fields(const struct driver_ops *ops, const struct object_type *type)
{
	const struct driver_fields *fields = ops->carries;

	while (fields && fields->type) {
		if (fields->type == type)
			return fields->fields;
		fields++;
	}
	return UINT64_MAX;
}

/* What is set to its default, or to nothing, asks for no more than what is not set. */
static bool asks_for_something(const struct field_type_row *row, const void *slot)
{
	struct any_list list;

	switch (row->type) {
	case TYPE_BOOL:
		return *(const bool *)slot;
	case TYPE_ENUM:
		return !str_eq(enum_word(row->enumeration, *(const int *)slot), row->fallback);
	case TYPE_STRINGS:
		return ((const struct strings *)slot)->n > 0;
	case TYPE_MAP:
		return ((const struct pairs *)slot)->n > 0;
	case TYPE_LIST:
		memcpy(&list, slot, sizeof list);
		return list.n > 0;
	default:
		return true;
	}
}

static void check_carried(const struct carrying *carrying, const struct object_type *type,
			  const void *object);

/* The fields of what a field holds. */
static void check_inside(const struct carrying *carrying, const struct field_type_row *row,
			 const void *slot)
{
	const void *object;
	struct any_list list;

	if (row->type == TYPE_OBJECT) {
		memcpy(&object, slot, sizeof object);
		check_carried(carrying, row->object, object);
	} else if (row->type == TYPE_LIST) {
		memcpy(&list, slot, sizeof list);
		for (size_t i = 0; i < list.n; i++)
			check_carried(carrying, row->object,
				      (const char *)list.v + i * row->object->size);
	}
}

/* NULL: none is known. */
static const char *way_out(const struct driver_ops *ops, const struct object_type *type,
			   unsigned field)
{
	for (const struct driver_way *way = ops->ways; way && way->type; way++) {
		if (way->type == type && way->field == field)
			return way->hint;
	}
	return NULL;
}

static void check_carried(const struct carrying *carrying, const struct object_type *type,
			  const void *object)
{
	const struct head *head = object;
	uint64_t carried = carried_fields(carrying->ops, type);

	for (uint64_t left = head->set; left; left &= left - 1) {
		unsigned field = (unsigned)__builtin_ctzll(left);
		const struct field_type_row *row = &type->fields[field];
		const void *slot = field_const_slot(object, row);

		if (carried >> field & 1)
			check_inside(carrying, row, slot);
		else if (asks_for_something(row, slot))
			diags_add(carrying->diags, DIAG_NOT_SUPPORTED, carrying->unit,
				  head_path(head, field), head_at(head, field),
				  "the %s driver does not carry out %s", carrying->ops->name,
				  row->key)
				->hint = way_out(carrying->ops, type, field);
	}
}

void driver_check(const struct driver_ops *ops, const struct node *node,
		  const struct driver_env *env, const struct spec *spec, const struct unit *unit,
		  struct diags *diags)
{
	const struct carrying carrying = {ops, unit, diags};

	check_carried(&carrying, &type_container, spec->config);
	policy_check(node, env, spec, unit, diags);
	if (ops->check)
		ops->check(node, env, spec, unit, diags);
}

bool driver_registry_allowed(const struct node *node, const struct driver_env *env,
			     const char *registry)
{
	return !env || policy_registry_allowed(env->settings, node->name, registry);
}

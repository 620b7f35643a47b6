/*
 * desired.c - all slots of a model: new ones made, unchanged ones taken over.
 */
#include "base/sys.h"
#include "plan/desired_group.h"

#include "base/vec.h"

/* ---- what differs between two models ---- */

struct changes {
	VEC(const struct file *) added; /* by path */
	VEC(const struct file *) gone;	/* by address */
	VEC(const struct deployment *) deployments_gone;
	bool nodes; /* a document of that kind is in an added file */
	bool versions;
	bool registries; /* ... or in one that is gone */
};

static int address_cmp(const void *a, const void *b)
{
	uintptr_t left = (uintptr_t) * (const struct file *const *)a;
	uintptr_t right = (uintptr_t) * (const struct file *const *)b;

	return (left > right) - (left < right);
}

static void note_kinds(struct changes *changes, const struct file *file)
{
	for (size_t i = 0; i < file->documents_n; i++) {
		changes->nodes |= file->documents[i].kind == KIND_node;
		changes->versions |= file->documents[i].kind == KIND_version;
	}
}

static bool has_registry(const struct file *file)
{
	for (size_t i = 0; i < file->documents_n; i++) {
		if (file->documents[i].kind == KIND_registry)
			return true;
	}
	return false;
}

static void find_changes(const struct model *base, const struct model *model,
			 struct changes *changes)
{
	static const struct file_set nothing = {0};
	file_changes all = {0};

	file_set_compare(base ? &base->files : &nothing, &model->files, &all);
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i].before)
			changes->registries |= has_registry(all.v[i].before);
		if (all.v[i].now)
			changes->registries |= has_registry(all.v[i].now);
		if (all.v[i].before)
			VEC_PUSH(&changes->gone, all.v[i].before);
		if (!all.v[i].now)
			continue;
		VEC_PUSH(&changes->added, all.v[i].now);
		note_kinds(changes, all.v[i].now);
	}
	VEC_FREE(&all);
	VEC_SORT(&changes->gone, address_cmp);
}

static bool is_gone(const struct changes *changes, const struct file *file)
{
	return changes->gone.n && bsearch(&file, changes->gone.v, changes->gone.n,
					  sizeof *changes->gone.v, address_cmp);
}

static bool still_good(const struct slot_group *group, const struct changes *changes)
{
	if (group->open || (group->by_selector && changes->nodes) ||
	    (group->by_registry && changes->registries) ||
	    (group->from_ledger && changes->versions))
		return false;
	for (size_t i = 0; i < group->inputs_n; i++) {
		if (is_gone(changes, group->inputs[i]))
			return false;
	}
	return true;
}

/* ---- walking two sorted lists of deployments ---- */

static int deployment_cmp(const struct deployment *a, const struct deployment *b)
{
	const struct unit *left = &a->from.file->unit, *right = &b->from.file->unit;
	int order = unit_cmp(left, right);

	return order ? order : str_cmp(a->name, b->name);
}

/*
 * The previous group of a deployment if it is that very document, and its place in the walk. What
 * is passed on the way is gone.
 */
static struct slot_group *previous_group(const struct desired *previous,
					 const struct deployment *deployment, size_t *at,
					 struct changes *changes)
{
	while (previous && *at < previous->groups_n) {
		struct slot_group *group = previous->groups[*at];

		if (group->deployment == deployment) {
			(*at)++;
			return group;
		}
		if (deployment_cmp(group->deployment, deployment) > 0)
			break;
		VEC_PUSH(&changes->deployments_gone, group->deployment);
		(*at)++;
	}
	return NULL;
}

static void take_groups(struct desired *desired, const struct desired *previous,
			const struct history *history, struct changes *changes, struct diags *diags)
{
	const struct model *model = desired->model;
	size_t at = 0;

	desired->groups_n = model->deployments.n;
	desired->groups = ARENA_ARRAY(desired->arena, desired->groups_n, struct slot_group *);
	desired->taken = ARENA_ARRAY(desired->arena, desired->groups_n, bool);
	for (size_t i = 0; i < desired->groups_n; i++) {
		const struct deployment *deployment = model->deployments.v[i];
		struct slot_group *group = previous_group(previous, deployment, &at, changes);

		desired->taken[i] = group && still_good(group, changes);
		if (desired->taken[i])
			group->references++;
		else
			group = slot_group_make(model, history, deployment, diags);
		desired->groups[i] = group;
	}
	for (; previous && at < previous->groups_n; at++)
		VEC_PUSH(&changes->deployments_gone, previous->groups[at]->deployment);
}

static void lay_out_slots(struct desired *desired)
{
	size_t n = 0;

	for (size_t i = 0; i < desired->groups_n; i++)
		n += desired->groups[i]->slots_n;
	desired->slots = ARENA_ARRAY(desired->arena, n, const struct slot *);
	for (size_t i = 0; i < desired->groups_n; i++) {
		const struct slot_group *group = desired->groups[i];

		for (size_t j = 0; j < group->slots_n; j++)
			desired->slots[desired->slots_n++] = &group->slots[j];
	}
}

struct desired *desired_build(const struct model *model, const struct history *history,
			      const struct desired *previous, struct diags *diags)
{
	struct desired *desired = mem_zalloc(1, sizeof *desired);
	struct changes changes = {0};

	desired->arena = arena_new(0);
	desired->model = model;
	desired->verdict = ARENA_NEW(desired->arena, struct desired_verdict);
	if (previous) {
		desired->base = previous->model;
		desired->before = *previous->verdict;
	}
	find_changes(desired->base, model, &changes);
	take_groups(desired, previous, history, &changes, diags);
	lay_out_slots(desired);
	desired->added_n = changes.added.n;
	desired->added = arena_memdup(desired->arena, changes.added.v,
				      changes.added.n * sizeof *changes.added.v);
	desired->gone_n = changes.deployments_gone.n;
	desired->gone =
		arena_memdup(desired->arena, changes.deployments_gone.v,
			     changes.deployments_gone.n * sizeof *changes.deployments_gone.v);
	VEC_FREE(&changes.deployments_gone);
	VEC_FREE(&changes.added);
	VEC_FREE(&changes.gone);
	return desired;
}

void desired_free(struct desired *desired)
{
	if (!desired)
		return;
	for (size_t i = 0; i < desired->groups_n; i++)
		slot_group_unref(desired->groups[i]);
	arena_free(desired->arena);
	free(desired);
}

size_t desired_first(const struct desired *desired, const struct slot_key *key)
{
	size_t low = 0, high = desired->slots_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slot_key_cmp(&desired->slots[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct slot *desired_find(const struct desired *desired, const struct slot_key *key)
{
	size_t at = desired_first(desired, key);
	bool found = at < desired->slots_n && slot_key_cmp(&desired->slots[at]->key, key) == 0;

	return found ? desired->slots[at] : NULL;
}

/*
 * desired_requires.c - is what deployed versions require deployed beside them?
 *
 * Judged within a stage: where a node has slots of both products those of that node count, else all
 * slots of the stage. A stage is judged again when one of its deployments is new or gone.
 */
#include "base/sys.h"
#include "plan/desired_group.h"

#include "schema/semver.h"

/* One requirement of one deployment, and the groups of its stage. */
struct requirement {
	const struct slot_group *group;
	const char *product, *range;
	size_t number; /* among the pairs */
	struct slot_group *const *stage;
	size_t stage_n;
	const struct model *model;
	struct diags *diags;
};

/* ---- reporting ---- */

static struct place requirement_place(const struct requirement *r)
{
	const struct slot *slot = &r->group->slots[0];
	const struct loc *at = slot->content.requires.at;
	const struct file *file =
		slot->version ? slot->version->from.file : slot->product->from.file;

	return place_or(file->path, at ? at[r->number] : (struct loc){0}, slot);
}

/* "deployment shop/prod/web: web 1.4.0 -> ledger ">= 2.0.0", `but` */
static struct diag *report(const struct requirement *r, enum diag_code code, const char *but)
{
	const struct slot *slot = &r->group->slots[0];
	struct place place = requirement_place(r);

	return diags_add(r->diags, code, &slot->unit, place.path, place.at,
			 "deployment %s/%s/%s: %s%s%s -> %s \"%s\", but %s", slot->key.project,
			 slot->key.stage, slot->key.deployment, slot->product->name,
			 slot->version_name ? " " : "",
			 slot->version_name ? slot->version_name : "", r->product, r->range, but);
}

/* A stage that could not be read in full may have it in the file that is broken. */
static bool is_read_in_full(const struct model *model, const struct unit *unit)
{
	for (size_t i = 0; i < model->files.n; i++) {
		const struct file *file = model->files.v[i];

		if (unit_cmp(&file->unit, unit) != 0)
			continue;
		for (size_t j = 0; j < file->diags_n; j++) {
			if (file->diags[j].severity == DIAG_ERROR)
				return false;
		}
	}
	return true;
}

static void report_missing(const struct requirement *r)
{
	const struct unit *unit = &r->group->slots[0].unit;

	if (is_read_in_full(r->model, unit))
		report(r, DIAG_REQUIRES_UNMET, "the stage has no deployment of it")->hint =
			diags_text(r->diags, "deploy %s in this stage too", r->product);
}

static void report_provider(const struct requirement *r, const struct slot *provider, bool beside,
			    bool comparable)
{
	const struct deployment *deployment = provider->deployment;
	struct place there = {deployment->from.file->path, AT(deployment, deployment, version)};
	const char *but = diags_text(
		r->diags, "%s%s%s is %s by %s:%u%s", beside ? "on node " : "deployed",
		beside ? provider->key.node : "", beside ? " it" : "", provider->version_name,
		there.path, there.at.line, comparable ? "" : ", which is no semantic version");
	struct diag *diag =
		report(r, comparable ? DIAG_REQUIRES_UNMET : DIAG_REQUIRES_NOT_COMPARABLE, but);

	diag->hint = comparable ? "one commit can change both: what is required goes up first, and "
				  "down last"
				: "ranges compare names such as 2.0.0";
	diag->related_path = diags_text(r->diags, "%s", there.path);
	diag->related = there.at;
}

/* ---- judging ---- */

static bool provides(const struct requirement *r, const struct slot_group *group)
{
	const struct deployment *deployment = group->deployment;

	return !deployment->from.derived && str_eq(deployment->product, r->product);
}

static const struct slot *slot_on(const struct slot_group *group, const char *node)
{
	for (size_t i = 0; i < group->slots_n; i++) {
		if (str_eq(group->slots[i].key.node, node))
			return &group->slots[i];
	}
	return NULL;
}

static bool is_beside(const struct requirement *r, const char *node)
{
	for (size_t i = 0; i < r->stage_n; i++) {
		if (provides(r, r->stage[i]) && slot_on(r->stage[i], node))
			return true;
	}
	return false;
}

/* Does one deployment provide what is required? All its slots have one version. */
static void judge_provider(const struct requirement *r, const struct slot_group *provider)
{
	for (size_t i = 0; i < r->group->slots_n; i++) {
		const char *node = r->group->slots[i].key.node;
		bool beside = is_beside(r, node);
		const struct slot *slot = &provider->slots[0];
		struct semver version;
		bool comparable;

		if (beside)
			slot = slot_on(provider, node);
		if (beside && !slot)
			continue;
		comparable = semver_parse(slot->version_name, &version);
		if (comparable && semver_fits(&version, r->range))
			continue;
		report_provider(r, slot, beside, comparable);
		return;
	}
}

/*
 * A deployment without slots names something that is not there, and a simple product cannot be
 * required: both are told of themselves.
 */
static void judge(const struct requirement *r)
{
	bool any = false;

	for (size_t i = 0; i < r->stage_n; i++) {
		const struct slot_group *group = r->stage[i];

		if (!provides(r, group))
			continue;
		any = true;
		if (group->slots_n && group->slots[0].version_name)
			judge_provider(r, group);
	}
	if (!any)
		report_missing(r);
}

static void judge_group(const struct desired *desired, const struct slot_group *group, size_t first,
			size_t end, struct diags *diags)
{
	const struct pairs *requires = group->slots_n ? &group->slots[0].content.requires : NULL;

	for (size_t i = 0; requires && i < requires->n; i++) {
		const struct requirement requirement = {
			.group = group,
			.product = requires->key[i],
			.range = requires->value[i],
			.number = i,
			.stage = desired->groups + first,
			.stage_n = end - first,
			.model = desired->model,
			.diags = diags,
		};

		judge(&requirement);
	}
}

/* ---- the stages that are to be judged ---- */

static const struct unit *unit_of(const struct desired *desired, size_t group)
{
	return &desired->groups[group]->deployment->from.file->unit;
}

/* The first group that is not of a unit before this one. */
static size_t first_of(const struct desired *desired, const struct unit *unit)
{
	size_t low = 0, high = desired->groups_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (unit_cmp(unit_of(desired, middle), unit) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* One mark for each group; where one is set the stage is to be judged. */
static bool *mark_changes(const struct desired *desired, bool trusted, struct arena *arena)
{
	bool *marks = ARENA_ARRAY(arena, desired->groups_n, bool);

	for (size_t i = 0; i < desired->groups_n; i++)
		marks[i] = is_new(desired, trusted, i);
	for (size_t i = 0; i < desired->gone_n; i++) {
		size_t first = first_of(desired, &desired->gone[i]->from.file->unit);

		if (first < desired->groups_n)
			marks[first] = true;
	}
	return marks;
}

void requirements_check(const struct desired *desired, bool trusted, struct arena *arena,
			struct diags *diags)
{
	const bool *marks = mark_changes(desired, trusted, arena);

	for (size_t i = 0, first, end; i < desired->groups_n; i = end) {
		end = i + 1;
		if (!marks[i])
			continue;
		first = first_of(desired, unit_of(desired, i));
		while (end < desired->groups_n &&
		       unit_cmp(unit_of(desired, end), unit_of(desired, i)) == 0)
			end++;
		for (size_t g = first; g < end; g++)
			judge_group(desired, desired->groups[g], first, end, diags);
	}
}

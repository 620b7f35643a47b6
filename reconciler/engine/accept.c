#include "base/sys.h"

#include "base/map.h"
#include "engine/accept.h"
#include "plan/lifecycle.h"
#include "schema/check.h"

/* One unit while the fixpoint is looked for. Its files are a run of each list's unit order. */
struct candidate {
	struct accept_unit result;
	VEC(struct file *) tip;	  /* borrowed */
	VEC(struct file *) force; /* borrowed */
	bool complained;	  /* had an error in the round at hand */
	VEC(struct diag) diags;	  /* of the round that made it give way */
};

struct fixpoint {
	const struct accept_input *input;
	struct accept_outcome *out;
	VEC(struct candidate) units;
	struct diags diags; /* of the round at hand */
};

static int candidate_cmp(const void *a, const void *b)
{
	return unit_cmp(&((const struct candidate *)a)->result.unit,
			&((const struct candidate *)b)->result.unit);
}

static struct candidate *find_candidate(struct fixpoint *fix, const struct unit *unit)
{
	size_t low = 0, high = fix->units.n;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = unit_cmp(&fix->units.v[mid].result.unit, unit);
		if (order == 0)
			return &fix->units.v[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* A file per unit would do, but paths of one unit need not be neighbours: gather, sort, unite. */
static void gather_units(struct fixpoint *fix)
{
	struct map seen = {0};
	/* The organization is always there, if only to be found missing. */
	struct candidate organization = {.result.unit.level = UNIT_ORGANIZATION};
	VEC_PUSH(&fix->units, organization);
	map_put(&seen, "0//", fix);
	const struct file_set *sets[] = {fix->input->tip, fix->input->in_force};
	for (size_t s = 0; s < ARRAY_LEN(sets); s++) {
		for (size_t i = 0; sets[s] && i < sets[s]->n; i++) {
			const struct unit *unit = &sets[s]->v[i]->unit;
			AUTO_FREE char *key = mem_printf("%d/%s/%s", (int)unit->level,
							 unit->project ? unit->project : "",
							 unit->stage ? unit->stage : "");
			if (map_put(&seen, key, fix))
				continue;
			struct candidate candidate = {.result.unit = *unit};
			VEC_PUSH(&fix->units, candidate);
		}
	}
	map_release(&seen);
	VEC_SORT(&fix->units, candidate_cmp);
}

static void distribute_files(struct fixpoint *fix)
{
	for (size_t i = 0; i < fix->input->tip->n; i++) {
		struct file *file = fix->input->tip->v[i];
		VEC_PUSH(&find_candidate(fix, &file->unit)->tip, file);
	}
	for (size_t i = 0; fix->input->in_force && i < fix->input->in_force->n; i++) {
		struct file *file = fix->input->in_force->v[i];
		VEC_PUSH(&find_candidate(fix, &file->unit)->force, file);
	}
}

static bool same_files(const struct candidate *unit)
{
	if (unit->tip.n != unit->force.n)
		return false;
	for (size_t i = 0; i < unit->tip.n; i++)
		if (!str_eq(unit->tip.v[i]->path, unit->force.v[i]->path) ||
		    !oid_eq(&unit->tip.v[i]->blob, &unit->force.v[i]->blob))
			return false;
	return true;
}

static void give_way(struct candidate *unit, const struct diags *diags)
{
	unit->result.held = true;
	for (size_t i = 0; diags && i < diags->n; i++)
		if (diags->v[i].severity == DIAG_ERROR &&
		    unit_cmp(&diags->v[i].unit, &unit->result.unit) == 0)
			VEC_PUSH(&unit->diags, diags->v[i]);
}

static void apply_holds(struct fixpoint *fix)
{
	for (size_t i = 0; i < fix->input->holds_n; i++) {
		const struct accept_hold *hold = &fix->input->holds[i];
		struct candidate *unit = find_candidate(fix, &hold->unit);
		if (!unit)
			continue;
		unit->result.held = true;
		VEC_PUSH(&unit->diags, *hold->reason);
	}
}

static int file_cmp(const void *a, const void *b)
{
	return str_cmp((*(struct file *const *)a)->path, (*(struct file *const *)b)->path);
}

static void choose_files(struct fixpoint *fix, struct file_set *set)
{
	VEC(struct file *) files = {0};
	for (size_t i = 0; i < fix->units.n; i++) {
		struct candidate *unit = &fix->units.v[i];
		size_t n = unit->result.held ? unit->force.n : unit->tip.n;
		struct file **from = unit->result.held ? unit->force.v : unit->tip.v;
		for (size_t f = 0; f < n; f++)
			VEC_PUSH(&files, file_ref(from[f]));
	}
	VEC_SORT(&files, file_cmp);
	set->v = files.v;
	set->n = files.n;
}

static void release_round(struct accept_outcome *out)
{
	desired_free(out->desired);
	model_free(out->model);
	file_set_release(&out->in_force);
	out->desired = NULL;
	out->model = NULL;
}

/* Problems of the tree itself (links, submodules, names) belong to the unit whose folder they are
 * in. */
static void report_problems(struct fixpoint *fix)
{
	for (size_t i = 0; i < fix->input->problems_n; i++) {
		const struct tree_problem *problem = &fix->input->problems[i];
		struct unit unit = {.level = UNIT_ORGANIZATION};
		struct unit_names names;
		path_classify(problem->path, &unit, &names);
		struct candidate *owner = find_candidate(fix, &unit);
		if (owner && owner->result.held)
			continue;
		if (!owner)
			unit = (struct unit){.level = UNIT_ORGANIZATION};
		else
			unit = owner->result.unit;
		diags_add(&fix->diags, DIAG_BAD_ENTRY, &unit, problem->path, (struct loc){0}, "%s",
			  problem->text);
	}
}

static bool version_is_frozen(void *arg, const char *project, const char *product,
			      const char *version)
{
	return history_frozen(arg, project, product, version) != NULL;
}

static void check_round(struct fixpoint *fix)
{
	const struct accept_input *input = fix->input;
	struct accept_outcome *out = fix->out;
	struct check_history known = {.version_known = version_is_frozen,
				      .arg = (void *)(uintptr_t)input->history};
	diags_clear(&fix->diags);
	release_round(out);
	choose_files(fix, &out->in_force);
	for (size_t i = 0; i < out->in_force.n; i++)
		diags_append(&fix->diags, out->in_force.v[i]->diags, out->in_force.v[i]->diags_n);
	report_problems(fix);
	out->model = model_build(out->in_force.v, out->in_force.n, &fix->diags);
	check_model(out->model, input->history ? &known : NULL, &fix->diags);
	out->desired = desired_build(out->model, input->history, input->previous, &fix->diags);
	desired_check(out->desired, out->model, input->env, &fix->diags);
	if (input->history)
		lifecycle_check_frozen(out->model, out->desired, input->history, &fix->diags);
	diags_sort(&fix->diags);
}

static void mark_complaints(struct fixpoint *fix)
{
	for (size_t i = 0; i < fix->units.n; i++)
		fix->units.v[i].complained = false;
	for (size_t i = 0; i < fix->diags.n; i++) {
		if (fix->diags.v[i].severity != DIAG_ERROR)
			continue;
		struct candidate *unit = find_candidate(fix, &fix->diags.v[i].unit);
		if (unit)
			unit->complained = true;
	}
}

/* Units with errors of their own give way, if they brought something new. */
static bool yield_changed(struct fixpoint *fix)
{
	bool yielded = false;
	for (size_t i = 0; i < fix->units.n; i++) {
		struct candidate *unit = &fix->units.v[i];
		if (!unit->complained || unit->result.held || !unit->result.changed)
			continue;
		give_way(unit, &fix->diags);
		yielded = true;
	}
	return yielded;
}

static bool concerns(const struct unit *wide, const struct unit *narrow)
{
	if (wide->level == UNIT_ORGANIZATION)
		return narrow->level != UNIT_ORGANIZATION;
	return wide->level == UNIT_PROJECT && narrow->level == UNIT_STAGE &&
	       str_eq(wide->project, narrow->project);
}

/*
 * A unit that did not change, or was held already, has errors: what is above it changed under it
 * and is still in use there, so that the nearest changed unit above gives way (`in-use`).
 */
static bool yield_above(struct fixpoint *fix)
{
	for (size_t i = 0; i < fix->units.n; i++) {
		struct candidate *below = &fix->units.v[i];
		if (!below->complained)
			continue;
		for (size_t a = fix->units.n; a-- > 0;) {
			struct candidate *above = &fix->units.v[a];
			if (above->result.held || !above->result.changed ||
			    !concerns(&above->result.unit, &below->result.unit))
				continue;
			for (size_t d = 0; d < fix->diags.n; d++) {
				if (unit_cmp(&fix->diags.v[d].unit, &below->result.unit) != 0)
					continue;
				struct diag reason = fix->diags.v[d];
				reason.code = DIAG_IN_USE;
				reason.unit = above->result.unit;
				VEC_PUSH(&above->diags, reason);
			}
			above->result.held = true;
			return true;
		}
	}
	return false;
}

static void report_units(struct fixpoint *fix)
{
	struct accept_outcome *out = fix->out;
	out->units = ARENA_ARRAY(out->arena, fix->units.n + 1, struct accept_unit);
	out->units_n = fix->units.n;
	bool any_new = false, any_refused = false;
	for (size_t i = 0; i < fix->units.n; i++) {
		struct candidate *unit = &fix->units.v[i];
		unit->result.unit.project = arena_strdup(out->arena, unit->result.unit.project);
		unit->result.unit.stage = arena_strdup(out->arena, unit->result.unit.stage);
		unit->result.diags_n = unit->diags.n;
		if (unit->diags.n)
			unit->result.diags = arena_memdup(out->arena, unit->diags.v,
							  unit->diags.n * sizeof *unit->diags.v);
		unit->result.gone = !unit->result.held && unit->tip.n == 0;
		any_refused |= unit->result.held;
		any_new |= unit->result.changed && !unit->result.held;
		out->units[i] = unit->result;
	}
	out->accepted = any_new || !any_refused;
}

/* The texts of diagnostics live in the round's list, which goes: move them. */
static void keep_texts(struct fixpoint *fix)
{
	struct arena *arena = fix->out->arena;
	for (size_t i = 0; i < fix->units.n; i++) {
		for (size_t d = 0; d < fix->units.v[i].diags.n; d++) {
			struct diag *diag = &fix->units.v[i].diags.v[d];
			diag->path = arena_strdup(arena, diag->path);
			diag->message = arena_strdup(arena, diag->message);
			diag->hint = arena_strdup(arena, diag->hint);
			diag->excerpt = arena_strdup(arena, diag->excerpt);
			diag->related_path = arena_strdup(arena, diag->related_path);
			diag->unit.project = arena_strdup(arena, diag->unit.project);
			diag->unit.stage = arena_strdup(arena, diag->unit.stage);
		}
	}
}

void accept_run(const struct accept_input *input, struct accept_outcome *out)
{
	*out = (struct accept_outcome){.arena = arena_new(0)};
	struct fixpoint fix = {.input = input, .out = out};
	gather_units(&fix);
	distribute_files(&fix);
	for (size_t i = 0; i < fix.units.n; i++)
		fix.units.v[i].result.changed = !same_files(&fix.units.v[i]);
	apply_holds(&fix);
	do {
		/* Each round holds at least one unit more, so there are at most as many as units.
		 */
		check_round(&fix);
		mark_complaints(&fix);
		bool again = yield_changed(&fix) || yield_above(&fix);
		keep_texts(&fix);
		if (!again)
			break;
	} while (true);
	report_units(&fix);
	for (size_t i = 0; i < fix.units.n; i++) {
		VEC_FREE(&fix.units.v[i].tip);
		VEC_FREE(&fix.units.v[i].force);
		VEC_FREE(&fix.units.v[i].diags);
	}
	VEC_FREE(&fix.units);
	diags_release(&fix.diags);
}

void accept_outcome_release(struct accept_outcome *outcome)
{
	release_round(outcome);
	arena_free(outcome->arena);
	*outcome = (struct accept_outcome){0};
}

const struct accept_unit *accept_find(const struct accept_outcome *outcome, const struct unit *unit)
{
	for (size_t i = 0; i < outcome->units_n; i++)
		if (unit_cmp(&outcome->units[i].unit, unit) == 0)
			return &outcome->units[i];
	return NULL;
}

#include "base/sys.h"

#include "engine/accept.h"
#include "plan/lifecycle.h"
#include "schema/check.h"

/* More than so many changed files are checked with all others, which is no slower then. */
#define FEW_CHANGES 256

/* One unit while the fixpoint is looked for. */
struct candidate {
	struct accept_unit result;
	size_t tip, force;	/* files of it that each has */
	bool complained;	/* had an error in the round at hand */
	VEC(struct diag) diags; /* of the round that made it give way */
};

struct fixpoint {
	const struct accept_input *input;
	struct accept_outcome *out;
	file_changes changes; /* from what is in force to the tip */
	VEC(struct candidate) units;
	struct diags diags; /* of the round at hand */
};

static const struct file_set no_files = {0};

static const struct file_set *files_in_force(const struct fixpoint *fix)
{
	return fix->input->in_force ? fix->input->in_force : &no_files;
}

static const struct unit *unit_of(const struct file_change *change)
{
	return change->before ? &change->before->unit : &change->now->unit;
}

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

static void add_unit(struct fixpoint *fix, const struct unit *unit)
{
	size_t n = fix->units.n;

	if (n && unit_cmp(&fix->units.v[n - 1].result.unit, unit) == 0)
		return;
	VEC_PUSH(&fix->units, (struct candidate){.result.unit = *unit});
}

/* The units of each file, where nobody knows them yet: neighbours mostly are of the same one. */
static void add_units_of(struct fixpoint *fix, const struct file_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		add_unit(fix, &set->v[i]->unit);
}

static void sort_units(struct fixpoint *fix)
{
	size_t kept = 0;

	VEC_SORT(&fix->units, candidate_cmp);
	for (size_t i = 0; i < fix->units.n; i++)
		if (!kept || candidate_cmp(&fix->units.v[kept - 1], &fix->units.v[i]) != 0)
			fix->units.v[kept++] = fix->units.v[i];
	fix->units.n = kept;
}

static void gather_units(struct fixpoint *fix)
{
	static const struct unit organization = {UNIT_ORGANIZATION, NULL, NULL};
	const struct accept_outcome *before = fix->input->before;
	/* The organization is always there, if only to be found missing. */
	add_unit(fix, &organization);
	for (size_t i = 0; before && i < before->units_n; i++)
		if (before->units[i].files)
			add_unit(fix, &before->units[i].unit);
	if (!before)
		add_units_of(fix, files_in_force(fix));
	for (size_t i = 0; i < fix->changes.n; i++)
		add_unit(fix, unit_of(&fix->changes.v[i]));
	sort_units(fix);
}

static void add_in_force(struct fixpoint *fix, const struct unit *unit, size_t files)
{
	struct candidate *candidate = find_candidate(fix, unit);
	if (candidate)
		candidate->force += files;
}

static void count_in_force(struct fixpoint *fix)
{
	const struct accept_outcome *before = fix->input->before;
	const struct file_set *set = files_in_force(fix);
	for (size_t i = 0; before && i < before->units_n; i++)
		add_in_force(fix, &before->units[i].unit, before->units[i].files);
	for (size_t i = 0; !before && i < set->n; i++)
		add_in_force(fix, &set->v[i]->unit, 1);
	for (size_t i = 0; i < fix->units.n; i++)
		fix->units.v[i].tip = fix->units.v[i].force;
}

/* The very same file may have been read twice: then nothing changed. */
static bool is_same_text(const struct file_change *change)
{
	return change->before && change->now && oid_eq(&change->before->blob, &change->now->blob);
}

static void weigh_changes(struct fixpoint *fix)
{
	for (size_t i = 0; i < fix->changes.n; i++) {
		const struct file_change *change = &fix->changes.v[i];
		struct candidate *unit = find_candidate(fix, unit_of(change));
		unit->tip += change->now != NULL;
		unit->tip -= change->before != NULL;
		unit->result.changed |= !is_same_text(change);
	}
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

/* The tip's files; of units that are held, those in force instead. */
static void choose_files(struct fixpoint *fix, struct file_set *set)
{
	file_changes back = {0};
	for (size_t i = 0; i < fix->changes.n; i++) {
		const struct file_change *change = &fix->changes.v[i];
		if (find_candidate(fix, unit_of(change))->result.held)
			VEC_PUSH(&back, ((struct file_change){change->now, change->before}));
	}
	if (back.n)
		file_set_patch(set, fix->input->tip, back.v, back.n);
	else
		file_set_copy(set, fix->input->tip);
	VEC_FREE(&back);
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

static struct check_history known_of(const struct fixpoint *fix)
{
	const struct history *history = fix->input->history;
	return (struct check_history){.version_known = history ? version_is_frozen : NULL,
				      .arg = (void *)(uintptr_t)history};
}

/* Where what is in force was sound, what changed shows whether the model still is. */
static bool model_from_before(struct fixpoint *fix)
{
	const struct accept_outcome *before = fix->input->before;
	struct accept_outcome *out = fix->out;
	const struct check_history known = known_of(fix);
	file_changes changes = {0};
	if (!before || !before->sound)
		return false;
	file_set_compare(&before->model->files, &out->in_force, &changes);
	if (changes.n <= FEW_CHANGES)
		out->model = model_update(before->model, &out->in_force, changes.v, changes.n);
	out->sound = out->model &&
		     check_still_holds(out->model, before->model, changes.v, changes.n, &known);
	VEC_FREE(&changes);
	if (!out->sound) {
		model_free(out->model);
		out->model = NULL;
	}
	return out->sound;
}

static void model_from_files(struct fixpoint *fix)
{
	struct accept_outcome *out = fix->out;
	const struct check_history known = known_of(fix);
	for (size_t i = 0; i < out->in_force.n; i++)
		diags_append(&fix->diags, out->in_force.v[i]->diags, out->in_force.v[i]->diags_n);
	out->model = model_of(&out->in_force, &fix->diags);
	check_model(out->model, &known, &fix->diags);
	out->sound = fix->diags.errors == 0;
}

static void check_on_nodes(struct fixpoint *fix)
{
	const struct accept_input *input = fix->input;
	struct accept_outcome *out = fix->out;
	const struct desired *previous = input->before ? input->before->desired : NULL;
	report_problems(fix);
	out->desired = desired_build(out->model, input->history, previous, &fix->diags);
	desired_check(out->desired, out->model, input->env, &fix->diags);
	if (input->history)
		lifecycle_check_frozen(out->model, out->desired, input->history, &fix->diags);
}

static void check_round(struct fixpoint *fix)
{
	diags_clear(&fix->diags);
	release_round(fix->out);
	choose_files(fix, &fix->out->in_force);
	if (model_from_before(fix)) {
		check_on_nodes(fix);
		if (fix->diags.errors == 0)
			return;
		/* Who is refused is told all there is, notes on other files included. */
		diags_clear(&fix->diags);
		desired_free(fix->out->desired);
		model_free(fix->out->model);
	}
	model_from_files(fix);
	check_on_nodes(fix);
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
		unit->result.gone = !unit->result.held && unit->tip == 0;
		unit->result.files = unit->result.held ? unit->force : unit->tip;
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
	file_set_compare(files_in_force(&fix), input->tip, &fix.changes);
	gather_units(&fix);
	count_in_force(&fix);
	weigh_changes(&fix);
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
	for (size_t i = 0; i < fix.units.n; i++)
		VEC_FREE(&fix.units.v[i].diags);
	VEC_FREE(&fix.units);
	VEC_FREE(&fix.changes);
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

#include "tests/support/test.h"
#include "tests/support/acceptance.h"

int acceptance_make(void **state)
{
	struct acceptance *it = mem_zalloc(1, sizeof *it);

	config_put_file(&it->tree, "tests/data/desired/shop.files");
	*state = it;
	return 0;
}

int acceptance_free(void **state)
{
	struct acceptance *it = *state;

	if (it->before.arena)
		accept_outcome_release(&it->before);
	if (it->now.arena)
		accept_outcome_release(&it->now);
	config_release(&it->tree);
	free(it);
	return 0;
}

static int path_cmp(const void *a, const void *b)
{
	return str_cmp((*(struct file *const *)a)->path, (*(struct file *const *)b)->path);
}

void acceptance_commit(struct acceptance *it)
{
	struct accept_input input = it->input;
	struct file_set tip;

	VEC_SORT(&it->tree.files, path_cmp);
	tip = (struct file_set){.v = it->tree.files.v, .n = it->tree.files.n};
	if (it->before.arena)
		accept_outcome_release(&it->before);
	it->before = it->now;
	input.tip = &tip;
	if (it->before.arena) {
		input.in_force = &it->before.in_force;
		input.before = &it->before;
	}
	accept_run(&input, &it->now);
}

void acceptance_assert(const struct acceptance *it, const char *wanted)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	for (size_t i = 0; i < it->now.units_n; i++) {
		const struct accept_unit *unit = &it->now.units[i];

		if (!unit->held && !unit->gone)
			continue;
		buf_addf(&text, "%s%s%s %s", unit->unit.project ? unit->unit.project : "-",
			 unit->unit.stage ? "/" : "", unit->unit.stage ? unit->unit.stage : "",
			 unit->held ? "held" : "gone");
		for (size_t d = 0; d < unit->diags_n; d++)
			buf_addf(&text, " %s", diag_code_name(unit->diags[d].code));
		buf_addc(&text, '\n');
	}
	assert_string_equal(buf_str(&text), wanted);
}

static const struct file *find(struct file *const *files, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(files[i]->path, path))
			return files[i];
	}
	return NULL;
}

bool acceptance_has(const struct acceptance *it, const char *path)
{
	const struct file *tip = find(it->tree.files.v, it->tree.files.n, path);
	const struct file *force = find(it->now.in_force.v, it->now.in_force.n, path);

	return tip && force ? oid_eq(&tip->blob, &force->blob) : !tip && !force;
}

const struct accept_unit *acceptance_stage(const struct acceptance *it, const char *project,
					   const char *stage)
{
	const struct unit unit = {UNIT_STAGE, project, stage};

	return accept_find(&it->now, &unit);
}

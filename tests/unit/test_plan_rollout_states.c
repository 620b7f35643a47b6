/*
 * Every way a rollout can be cut short: a small world of containers, carried through all its
 * states. From each state that can be reached, by any prefix of any list of changes, by half a
 * change, by time passing or not, the rollout must come to its end; so must the way back, and the
 * way on to a third record.
 */
#include "tests/support/test.h"

#include "tests/support/rollout_world.h"

#include "base/map.h"

#define STEPS_MAX 60

/* ---- one scenario: an old set, a new one, a third one ---- */

enum goal { GOAL_NEW, GOAL_OLD, GOAL_THIRD, GOALS };

struct scenario {
	const char *text[GOALS]; /* NULL: that goal is not tried */
	enum strategy_type_value strategy;
	bool taken_over; /* the old set is of another deployment, which is gone */
	struct wanted wanted[GOALS];
	struct arena *arena;   /* of the scenario */
	struct arena *scratch; /* of one look */
	struct map visited;
	size_t states;
	enum goal goal; /* at this moment, for the report */
};

#define FAIL_AT(scenario, world, ...)                                                              \
	do {                                                                                       \
		print_message("# old [%s] new [%s] third [%s] %s, goal %d: %s\n",                  \
			      (scenario)->text[GOAL_OLD], (scenario)->text[GOAL_NEW],              \
			      (scenario)->text[GOAL_THIRD],                                        \
			      (scenario)->strategy == STRATEGY_ROLLING ? "rolling" : "recreate",   \
			      (int)(scenario)->goal, world_text((scenario)->arena, (world)));      \
		fail_msg(__VA_ARGS__);                                                             \
	} while (0)

static void look(struct scenario *scenario, const struct world *world, struct rollout *out,
		 bool *changes)
{
	const struct wanted *wanted = &scenario->wanted[scenario->goal];
	struct workload *seen = world_look(scenario->scratch, world);
	const struct workload **list =
		ARENA_ARRAY(scenario->scratch, world->n, const struct workload *);
	struct rollout_input input = {.wanted = wanted->specs,
				      .wanted_n = wanted->n,
				      .seen = list,
				      .seen_n = world->n,
				      .strategy = scenario->strategy,
				      .min_healthy_ms = MIN_HEALTHY_MS,
				      .aliases = true,
				      .live_fields = (uint64_t)1 << container_resources_F,
				      .settled = scenario->goal == GOAL_OLD};
	struct step *steps;
	size_t n;

	for (size_t i = 0; i < world->n; i++)
		list[i] = &seen[i];
	rollout_next(scenario->scratch, &input, out);
	n = rollout_steps(scenario->scratch, &input, &steps);
	*changes = false;
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || strcmp(steps[i - 1].container, steps[i].container) < 0);
		assert_true(!steps[i].reason == (steps[i].action == STEP_NONE));
		*changes |= steps[i].action != STEP_NONE;
	}
}

/* ---- what must hold at every moment ---- */

static bool is_wanted(const struct wanted *wanted, const struct thing *thing)
{
	for (size_t i = 0; i < wanted->n; i++) {
		const char *name = wanted->specs[i].name;

		if (str_starts(thing->name, name) &&
		    (thing->name[strlen(name)] == '\0' ||
		     str_eq(thing->name + strlen(name), NEXT_SUFFIX)) &&
		    same_variant(&thing->variant, &wanted->variants[i]))
			return true;
	}
	return false;
}

/* Does anything serve for this container of the product? */
static bool serves(struct scenario *scenario, struct world *world, const char *container)
{
	for (size_t i = 0; i < world->n; i++) {
		const struct thing *thing = &world->things[i];
		struct spec spec = make_spec(scenario->scratch, &thing->variant, 0, "d");

		if (!is_to_end(&thing->variant) && is_healthy(thing) &&
		    str_eq(spec.labels.container, container))
			return true;
	}
	return false;
}

static void check_service(struct scenario *scenario, struct world *before, struct world *after,
			  const struct op *op)
{
	const struct wanted *wanted = &scenario->wanted[scenario->goal];

	for (size_t i = 0; i < wanted->n; i++) {
		const char *container = wanted->specs[i].labels.container;

		if (!is_to_end(&wanted->variants[i]) && serves(scenario, before, container) &&
		    !serves(scenario, after, container))
			FAIL_AT(scenario, before, "%s %s takes %s out of service",
				op_word(op->kind), op->name, container);
	}
}

/* Is there one that serves for whoever asks for this name? */
static bool is_found(const struct world *world, const char *name)
{
	for (size_t i = 0; i < world->n; i++) {
		const struct thing *thing = &world->things[i];

		if (!is_to_end(&thing->variant) && is_healthy(thing) && str_eq(thing->alias, name))
			return true;
	}
	return false;
}

static void check_names(struct scenario *scenario, const struct world *before,
			const struct world *after, const struct op *op)
{
	const struct wanted *wanted = &scenario->wanted[scenario->goal];

	for (size_t i = 0; i < wanted->n; i++) {
		const char *name = wanted->specs[i].name;

		if (!is_to_end(&wanted->variants[i]) && is_found(before, name) &&
		    !is_found(after, name))
			FAIL_AT(scenario, before, "%s %s leaves nobody who answers to %s",
				op_word(op->kind), op->name, name);
	}
}

/* recreate: when something starts, nothing runs that is to go. */
static void check_alone(struct scenario *scenario, struct world *world, const struct op *op)
{
	for (size_t i = 0; op->kind == OP_START && i < world->n; i++) {
		if (is_running(&world->things[i]) &&
		    !is_wanted(&scenario->wanted[scenario->goal], &world->things[i]))
			FAIL_AT(scenario, world, "%s starts while %s runs", op->name,
				world->things[i].name);
	}
}

/* ---- what runs before a container ---- */

static const struct variant *variant_named(const struct wanted *wanted, const char *name,
					   size_t *at)
{
	for (size_t i = 0; i < wanted->n; i++) {
		if (strlen(wanted->specs[i].name) == workload_stem_length(name) &&
		    str_starts(name, wanted->specs[i].name)) {
			*at = i;
			return &wanted->variants[i];
		}
	}
	return NULL;
}

/*
 * A container that never ran starts when all that run before it have ended well, and those one
 * after the other; nothing of the kind that is not wanted runs meanwhile.
 */
static void check_inits(struct scenario *scenario, struct world *world, const struct op *op)
{
	const struct wanted *wanted = &scenario->wanted[scenario->goal];
	const struct thing *thing = op->kind == OP_START ? world_find(world, op->name) : NULL;
	size_t at;
	const struct variant *variant = thing ? variant_named(wanted, op->name, &at) : NULL;

	if (!variant || !same_variant(variant, &thing->variant) || thing->state != RUN_CREATED)
		return;
	while (at-- > 0 && wanted->variants[at].kind == 'i') {
		const struct thing *before = world_find(world, wanted->specs[at].name);

		if (!before || !same_variant(&before->variant, &wanted->variants[at]) ||
		    before->state != RUN_EXITED || before->exit_code != 0)
			FAIL_AT(scenario, world, "%s starts before %s has ended", op->name,
				wanted->specs[at].name);
	}
	for (size_t i = 0; i < world->n; i++) {
		if (world->things[i].variant.kind == 'i' && is_running(&world->things[i]))
			FAIL_AT(scenario, world, "%s starts while %s runs", op->name,
				world->things[i].name);
	}
}

/* Operations mean nothing to a job that has ended. */
static bool is_it(const struct thing *thing, const struct variant *variant)
{
	struct variant release = *variant;

	if (variant->kind == 'j')
		release.operations = thing->variant.operations;
	return same_variant(&thing->variant, &release);
}

/* Exactly what is wanted, each once and under its own name, and well. */
static void check_end(struct scenario *scenario, struct world *world)
{
	const struct wanted *wanted = &scenario->wanted[scenario->goal];
	size_t there = 0;

	for (size_t i = 0; i < wanted->n; i++) {
		struct thing *thing = world_find(world, wanted->specs[i].name);

		if (!thing && (wanted->variants[i].kind == 'i' ||
			       (scenario->goal == GOAL_OLD && wanted->variants[i].kind == 'j')))
			continue;
		if (wanted->variants[i].kind == 'i')
			FAIL_AT(scenario, world, "%s is still there at the end",
				wanted->specs[i].name);
		if (!thing || !is_healthy(thing) || !is_it(thing, &wanted->variants[i]) ||
		    thing->other_slot || !str_eq(thing->alias, thing->name))
			FAIL_AT(scenario, world, "%s is not as wanted at the end",
				wanted->specs[i].name);
		if (wanted->variants[i].kind == 'j' && scenario->goal != GOAL_OLD)
			assert_int_equal(thing->record, wanted->specs[i].labels.record);
		there++;
	}
	if (there != world->n)
		FAIL_AT(scenario, world, "more is there than wanted");
}

/* ---- walking ---- */

static bool can_succeed(const struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		if (wanted->variants[i].content == 'X')
			return false;
	}
	return true;
}

/* No more deaths: it must come to its end. */
static void run_to_end(struct scenario *scenario, struct world world)
{
	for (int steps = 0; steps < STEPS_MAX; steps++) {
		struct rollout rollout;
		bool changes;

		look(scenario, &world, &rollout, &changes);
		if (rollout.state == ROLLOUT_OPS && !changes)
			FAIL_AT(scenario, &world, "the steps do not show that there are changes");
		if (rollout.state == ROLLOUT_DONE) {
			if (changes)
				FAIL_AT(scenario, &world, "done, but the steps show changes");
			if (can_succeed(&scenario->wanted[scenario->goal]))
				check_end(scenario, &world);
			return;
		}
		if (rollout.state == ROLLOUT_FAILED) {
			if (can_succeed(&scenario->wanted[scenario->goal]))
				FAIL_AT(scenario, &world, "failed: %s", rollout.failed_text);
			return;
		}
		for (size_t i = 0; i < rollout.ops_n; i++)
			world_apply(&world, &scenario->wanted[scenario->goal], &rollout.ops[i],
				    false);
		world_tick(&world);
	}
	if (can_succeed(&scenario->wanted[scenario->goal]))
		FAIL_AT(scenario, &world, "does not come to an end");
}

static void explore(struct scenario *scenario, struct world world);

/* The reconciler dies after, or in the middle of, each of the changes. */
static void explore_changes(struct scenario *scenario, struct world world,
			    const struct rollout *rollout)
{
	const struct wanted *wanted = &scenario->wanted[scenario->goal];

	for (size_t i = 0; i < rollout->ops_n; i++) {
		const struct op *op = &rollout->ops[i];
		struct world before = world, half = world;

		check_inits(scenario, &before, op);
		world_apply(&half, wanted, op, true);
		world_apply(&world, wanted, op, false);
		if (scenario->strategy == STRATEGY_ROLLING) {
			check_service(scenario, &before, &half, op);
			check_service(scenario, &before, &world, op);
			check_names(scenario, &before, &half, op);
			check_names(scenario, &before, &world, op);
		} else {
			check_alone(scenario, &before, op);
		}
		if (op->kind == OP_REMOVE || op->kind == OP_ALIAS)
			explore(scenario, half);
		explore(scenario, world);
	}
}

static struct op *copy_ops(const struct rollout *rollout)
{
	struct op *ops = mem_zalloc(rollout->ops_n + 1, sizeof(struct op));

	if (rollout->ops_n > 0)
		memcpy(ops, rollout->ops, rollout->ops_n * sizeof(struct op));
	return ops;
}

static void explore(struct scenario *scenario, struct world world)
{
	enum goal goal = scenario->goal;
	struct arena *outer = scenario->scratch, *own;
	struct rollout rollout;
	char *key = mem_printf("%d %s", (int)goal, world_text(scenario->scratch, &world));
	bool known = map_has(&scenario->visited, key), changes;
	struct world later = world;

	if (!known)
		map_put(&scenario->visited, key, scenario);
	free(key);
	if (known)
		return;
	own = arena_new(0);
	scenario->scratch = own;
	scenario->states++;
	run_to_end(scenario, world);
	look(scenario, &world, &rollout, &changes);
	rollout.ops = copy_ops(&rollout);
	explore_changes(scenario, world, &rollout);
	free(rollout.ops);
	world_tick(&later);
	explore(scenario, later);
	for (enum goal other = GOAL_OLD; goal == GOAL_NEW && other < GOALS; other++) {
		if (!scenario->text[other])
			continue;
		scenario->goal = other;
		explore(scenario, world);
		scenario->goal = goal;
	}
	arena_free(own);
	scenario->scratch = outer;
}

/* The world as the old record left it: everything up and well. */
static struct world old_world(const struct scenario *scenario)
{
	const struct wanted *old = &scenario->wanted[GOAL_OLD];
	struct world world = {0};

	for (size_t i = 0; i < old->n; i++) {
		struct thing *thing = &world.things[world.n];

		world_pull(&world, old->variants[i].content);
		if (old->variants[i].kind == 'i') /* it has done its work */
			continue;
		world.n++;
		*thing = (struct thing){.variant = old->variants[i],
					.record = 1,
					.other_slot = scenario->taken_over,
					.state = RUN_RUNNING,
					.exit_code = -1};
		thing_name(thing, old->specs[i].name, old->specs[i].name);
	}
	world_tick(&world);
	return world;
}

static size_t play(struct scenario *scenario)
{
	static const int64_t records[GOALS] = {[GOAL_OLD] = 1, [GOAL_NEW] = 2, [GOAL_THIRD] = 3};

	scenario->arena = arena_new(0);
	scenario->scratch = arena_new(0);
	for (enum goal goal = 0; goal < GOALS; goal++) {
		if (scenario->text[goal])
			make_wanted(scenario->arena, scenario->text[goal], records[goal], "d",
				    &scenario->wanted[goal]);
	}
	scenario->goal = GOAL_NEW;
	explore(scenario, old_world(scenario));
	map_release(&scenario->visited);
	arena_free(scenario->scratch);
	arena_free(scenario->arena);
	return scenario->states;
}

static size_t play_both(const char *old, const char *new, const char *third)
{
	size_t states = 0;

	for (enum strategy_type_value strategy = STRATEGY_ROLLING; strategy < strategy_type_end_;
	     strategy++) {
		struct scenario scenario = {
			.text = {[GOAL_OLD] = old, [GOAL_NEW] = new, [GOAL_THIRD] = third},
			.strategy = strategy,
		};

		states += play(&scenario);
	}
	return states;
}

/* ---- the tests ---- */

/* Two containers of any two kinds, each absent, A or B before, and absent, A or B after. */
static void test_pairs(void **state)
{
	static const char kinds[][2] = {{'h', 'p'}, {'p', 'h'}, {'h', 'j'}, {'j', 'p'}};
	static const char contents[] = " AB";
	size_t states = 0;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		for (int code = 0; code < 81; code++) {
			char set[2][32] = {"", ""};

			for (int side = 0; side < 2; side++) {
				int both = side ? code / 9 : code % 9;
				const int content[] = {both % 3, both / 3};
				const char *const names[] = {"web", "db"};

				for (int i = 0; i < 2; i++) {
					size_t len = strlen(set[side]);

					if (content[i] != 0)
						snprintf(set[side] + len, sizeof(set[side]) - len,
							 "%s%s:%c%c", len ? " " : "", names[i],
							 kinds[k][i], contents[content[i]]);
				}
			}
			states += play_both(set[0], set[1], "web:hC");
		}
	}
	print_message("# %zu states\n", states);
}

static void test_three(void **state)
{
	(void)state;
	play_both("db:hA job:jA web:hA", "db:hB job:jB web:hB", "db:hA job:jC web:hC");
	play_both("db:pA web:pA", "web:pB db:pB api:hB", NULL);
	play_both("", "db:hA job:jA web:pA", "db:hA job:jB web:pB");
	play_both("db:hA job:jA web:pA", "", NULL);
}

static void test_scale(void **state)
{
	(void)state;
	play_both("web:hA", "web:hA web-2:hA", "web:hB web-2:hB");
	play_both("web:hA web-2:hA", "web:hA", "web:hB");
	play_both("web:hA web-2:hA", "web:hB web-2:hB", "web:hC");
}

static void test_prefix(void **state)
{
	(void)state;
	play_both("web:hA db:pA", "x-web:hA x-db:pA", "web:hB db:pB");
	play_both("web:hA", "x-web:hB", "x-web:hC");
}

/* What does not come up is given up at any moment, and the old ones serve again. */
static void test_failures(void **state)
{
	(void)state;
	play_both("web:hA db:pA", "web:hX db:pB", "web:hC db:pB");
	play_both("web:hA db:pA", "web:hB db:pX", "web:hC db:pB");
	play_both("web:hA", "web:pX", "web:hB");
	play_both("job:jA web:hA", "job:jX web:hB", "job:jB web:hB");
	play_both("", "web:hX", "web:hA");
	play_both("web:hA", "x-web:hX", "web:hB");
}

static void test_live_fields(void **state)
{
	(void)state;
	play_both("web:hA db:pA", "web:hA+ db:pA", "web:hB+ db:pA+");
	play_both("web:hA db:pA", "web:hA! db:pA+", "web:hA db:pA");
	play_both("job:jA web:hA", "job:jA+ web:hA+", NULL);
}

/* A deployment was renamed: the names are still held by the containers of the one that is gone. */
static void test_taken_over(void **state)
{
	(void)state;
	for (enum strategy_type_value strategy = STRATEGY_ROLLING; strategy < strategy_type_end_;
	     strategy++) {
		struct scenario scenario = {
			.text = {[GOAL_OLD] = "web:hA db:pA", [GOAL_NEW] = "web:hA db:pB"},
			.strategy = strategy,
			.taken_over = true,
		};

		play(&scenario);
	}
}

/* With the container that it runs before, and without: then it has nothing to do. */
static void test_inits(void **state)
{
	size_t states = 0;

	(void)state;
	states += play_both("", "web.init-a:iA web:hA", "web.init-a:iB web:hB");
	states += play_both("web.init-a:iA web:hA", "web.init-a:iB web:hB", "web:hC");
	states += play_both("web.init-a:iA web:hA", "web.init-a:iB web:hA", "web.init-b:iA web:hB");
	states += play_both("web:pA", "web.init-a:iA web.init-b:iB web:pB", "web.init-b:iC web:pC");
	states += play_both("db:hA web:pA", "db.init-a:iA db:hB web.init-a:iB web:pB", NULL);
	states += play_both("web.init-a:iA web:jA", "web.init-a:iB web:jB", "web.init-a:iC web:jC");
	states += play_both("web.init-a:iA web:hA", "", NULL);
	print_message("# %zu states\n", states);
}

static void test_inits_that_fail(void **state)
{
	(void)state;
	play_both("", "web.init-a:iX web:hA", "web.init-a:iB web:hB");
	play_both("web.init-a:iA web:hA", "web.init-a:iX web:hB", "web.init-a:iB web:hC");
	play_both("web:pA", "web.init-a:iA web.init-b:iX web:pB", "web:pC");
	play_both("web.init-a:iA web:pA", "web.init-a:iB web:pX", "web.init-a:iC web:pC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),		cmocka_unit_test(test_three),
		cmocka_unit_test(test_scale),		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_failures),	cmocka_unit_test(test_live_fields),
		cmocka_unit_test(test_taken_over),	cmocka_unit_test(test_inits),
		cmocka_unit_test(test_inits_that_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

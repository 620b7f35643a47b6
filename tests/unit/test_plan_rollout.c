/*
 * Single looks: which changes, in which order, and in what words.
 */
#include "tests/support/test.h"

#include "tests/support/rollout_world.h"

#include "base/buf.h"

struct one {
	struct arena *arena;
	struct wanted wanted;
	struct world world;
	struct rollout rollout;
	struct step *steps;
	size_t steps_n;
};

static int setup(void **state)
{
	struct one *one = mem_zalloc(1, sizeof(*one));

	one->arena = arena_new(0);
	*state = one;
	return 0;
}

static int teardown(void **state)
{
	struct one *one = *state;

	arena_free(one->arena);
	free(one);
	return 0;
}

static struct thing *put(struct one *one, const char *name, const char *variant,
			 enum run_state state)
{
	struct wanted made;
	struct thing *thing = &one->world.things[one->world.n++];

	make_wanted(one->arena, arena_printf(one->arena, "%s:%s", name, variant), 1, "d", &made);
	*thing = (struct thing){
		.variant = made.variants[0], .record = 1, .state = state, .exit_code = -1};
	thing_name(thing, name, name);
	return thing;
}

static void look_once(struct one *one, const char *wanted, struct rollout_input input)
{
	struct workload *seen = world_look(one->arena, &one->world);
	const struct workload **list =
		ARENA_ARRAY(one->arena, one->world.n, const struct workload *);

	for (size_t i = 0; i < one->world.n; i++)
		list[i] = &seen[i];
	make_wanted(one->arena, wanted, 1, "d", &one->wanted);
	input.wanted = one->wanted.specs;
	input.wanted_n = one->wanted.n;
	input.seen = list;
	input.seen_n = one->world.n;
	input.strategy = input.strategy ? input.strategy : STRATEGY_ROLLING;
	rollout_next(one->arena, &input, &one->rollout);
	one->steps_n = rollout_steps(one->arena, &input, &one->steps);
}

static const char *ops_text(struct one *one)
{
	struct buf text = BUF_INIT(BUF_MAX_LINE);
	const char *copy;

	for (size_t i = 0; i < one->rollout.ops_n; i++) {
		const struct op *op = &one->rollout.ops[i];

		buf_addf(&text, "%s%s %s", i ? ", " : "", op_word(op->kind),
			 op->name ? op->name : op->spec->image);
		if (op->to)
			buf_addf(&text, " %s", op->to);
	}
	copy = arena_strdup(one->arena, buf_str(&text));
	buf_release(&text);
	return copy;
}

static void test_first_deployment(void **state)
{
	struct one *one = *state;

	look_once(one, "db:hA web:pA", (struct rollout_input){0});
	assert_int_equal(one->rollout.state, ROLLOUT_OPS);
	/* one pull for one image; web waits until db is healthy */
	assert_string_equal(ops_text(one), "pull local/A, create db, create web, start db");
	assert_int_equal(one->steps_n, 2);
	assert_int_equal(one->steps[0].action, STEP_CREATE);
}

static void test_recreate_stops_last_first(void **state)
{
	struct one *one = *state;

	put(one, "db", "pA", RUN_RUNNING);
	put(one, "web", "pA", RUN_RUNNING);
	put(one, "old", "pA", RUN_RUNNING);
	look_once(one, "db:pB web:pB", (struct rollout_input){.strategy = STRATEGY_RECREATE});
	assert_string_equal(ops_text(one),
			    "pull local/B, create db.next, create web.next, stop old, stop web, "
			    "stop db, start db.next, start web.next");
}

static const struct rollout_input with_aliases = {.aliases = true};

/* Whoever asks for the name is answered at every moment. */
static void test_name_is_handed_over(void **state)
{
	struct one *one = *state;

	put(one, "web", "pA", RUN_RUNNING);
	put(one, "web" NEXT_SUFFIX, "pB", RUN_RUNNING)->aged = true;
	look_once(one, "web:pB", with_aliases);
	assert_string_equal(ops_text(one), "alias web.next web, remove web, rename web.next web");
	one->world.things[0].state = RUN_STOPPED;
	look_once(one, "web:pB", with_aliases);
	assert_string_equal(ops_text(one), "remove web, rename web.next web");
	/* a node without names on networks */
	one->world.things[0].state = RUN_RUNNING;
	look_once(one, "web:pB", (struct rollout_input){0});
	assert_string_equal(ops_text(one), "remove web, rename web.next web");
}

/* Nobody else answers to it by the time it starts. */
static void test_recreated_has_the_name_at_once(void **state)
{
	struct one *one = *state;

	put(one, "web", "pA", RUN_RUNNING);
	look_once(one, "web:pB",
		  (struct rollout_input){.strategy = STRATEGY_RECREATE, .aliases = true});
	assert_string_equal(ops_text(one),
			    "pull local/B, create web.next web, stop web, start web.next");
	look_once(one, "web:pB", with_aliases);
	assert_string_equal(ops_text(one), "pull local/B, create web.next, start web.next");
}

/* When connections break. */
static void test_drops(void **state)
{
	static const struct {
		enum run_state elder;
		bool aliases;
		enum strategy_type_value strategy;
		unsigned drops;
	} rows[] = {
		{RUN_RUNNING, true, STRATEGY_ROLLING, DROPS_ALIAS | DROPS_STOP},
		{RUN_RUNNING, true, STRATEGY_RECREATE, DROPS_STOP},
		{RUN_RUNNING, false, STRATEGY_ROLLING, DROPS_STOP},
		{RUN_STOPPED, true, STRATEGY_ROLLING, 0},
	};
	struct one *one = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		one->world.n = 0;
		put(one, "gone", "pA", rows[i].elder);
		put(one, "web", "pA", rows[i].elder);
		look_once(one, "web:pB",
			  (struct rollout_input){.strategy = rows[i].strategy,
						 .aliases = rows[i].aliases});
		assert_int_equal(one->steps[0].drops, rows[i].drops & DROPS_STOP);
		assert_int_equal(one->steps[1].drops, rows[i].drops);
	}
}

static void test_removal_order(void **state)
{
	static const char *const order[] = {"zdb", "api"};
	struct one *one = *state;

	put(one, "api", "pA", RUN_RUNNING);
	put(one, "zdb", "pA", RUN_STOPPED);
	put(one, "api-2", "pA", RUN_RUNNING);
	put(one, "extra", "pA", RUN_RUNNING);
	look_once(one, "", (struct rollout_input){.order = order, .order_n = 2});
	assert_string_equal(ops_text(one), "stop extra, stop api-2, stop api, remove extra, "
					   "remove api-2, remove api, remove zdb");
}

static void test_waits_for_time(void **state)
{
	struct one *one = *state;

	put(one, "db", "pA", RUN_RUNNING);
	look_once(one, "db:pA", (struct rollout_input){.min_healthy_ms = 2500});
	assert_int_equal(one->rollout.state, ROLLOUT_WAIT);
	assert_int_equal(one->rollout.look_again_ms, 2500);
	assert_string_equal(one->rollout.waiting_for, "db");
	assert_false(one->rollout.serving);
	assert_int_equal(one->steps[0].action, STEP_NONE);
}

static void test_waits_for_events(void **state)
{
	struct one *one = *state;

	put(one, "db", "hX", RUN_RUNNING)->aged = true;
	look_once(one, "db:hX", (struct rollout_input){.min_healthy_ms = 2500});
	assert_int_equal(one->rollout.state, ROLLOUT_WAIT);
	assert_int_equal(one->rollout.look_again_ms, -1);
	one->world.things[0].variant.kind = 'p';
	one->world.things[0].state = RUN_RESTARTING;
	look_once(one, "db:pX", (struct rollout_input){.min_healthy_ms = 2500});
	assert_int_equal(one->rollout.state, ROLLOUT_WAIT);
	assert_int_equal(one->rollout.look_again_ms, -1);
}

static void test_fails_when_time_cannot_help(void **state)
{
	struct one *one = *state;
	struct thing *thing = put(one, "db", "pA", RUN_EXITED);

	thing->exit_code = 3;
	look_once(one, "db:pA web:pA", (struct rollout_input){0});
	assert_int_equal(one->rollout.state, ROLLOUT_FAILED);
	assert_int_equal(one->rollout.failed_code, E_EXITED);
	assert_string_equal(one->rollout.failed_name, "db");
	assert_string_equal(one->rollout.failed_text, "exited with code 3");
	thing->exit_code = 137;
	look_once(one, "db:pA", (struct rollout_input){0});
	assert_string_equal(one->rollout.failed_text, "was ended by signal 9");
	thing->exit_code = 0;
	look_once(one, "db:pA", (struct rollout_input){0});
	assert_string_equal(one->rollout.failed_text, "exited with code 0");
	thing->variant.kind = 'j';
	thing->exit_code = 2;
	look_once(one, "db:jA", (struct rollout_input){0});
	assert_string_equal(one->rollout.failed_text, "exited with code 2 instead of 0");
}

/* Of a record that succeeded before, the same is drift. */
static void test_settled_starts_again(void **state)
{
	struct one *one = *state;

	put(one, "db", "pA", RUN_EXITED)->exit_code = 3;
	look_once(one, "db:pA", (struct rollout_input){.settled = true});
	assert_string_equal(ops_text(one), "start db");
	assert_int_equal(one->steps[0].action, STEP_RESTART);
	assert_string_equal(one->steps[0].reason, "not running: exited with code 3");
	assert_true(one->steps[0].drift);
}

/* Somebody keeps it from going on: that is put right like a stop. */
static void test_settled_paused(void **state)
{
	struct one *one = *state;

	put(one, "web", "pA", RUN_PAUSED);
	look_once(one, "web:pA", (struct rollout_input){.settled = true});
	assert_string_equal(ops_text(one), "start web");
	assert_string_equal(one->steps[0].reason, "paused");
	assert_true(one->steps[0].drift);
}

/* One that is ill does not keep those behind it from being started again. */
static void test_settled_does_not_hold_back(void **state)
{
	struct one *one = *state;

	put(one, "db", "hX", RUN_RUNNING)->aged = true;
	put(one, "web", "pA", RUN_STOPPED);
	look_once(one, "db:hX web:pA", (struct rollout_input){.settled = true});
	assert_string_equal(ops_text(one), "start web");
	look_once(one, "db:hX web:pA", (struct rollout_input){0});
	assert_int_equal(one->rollout.state, ROLLOUT_WAIT);
}

/* What is left of a record that was given up goes at once, unless it serves. */
static void test_settled_extras(void **state)
{
	struct one *one = *state;

	put(one, "web", "hA", RUN_RUNNING);
	put(one, "x-web", "hB", RUN_STOPPED);
	look_once(one, "web:hA", (struct rollout_input){.settled = true});
	assert_string_equal(ops_text(one), "remove x-web");
	one->world.things[1].state = RUN_RUNNING;
	one->world.things[1].aged = true;
	look_once(one, "web:hA", (struct rollout_input){.settled = true});
	assert_int_equal(one->rollout.state, ROLLOUT_WAIT);
}

/* A job is done for its record; another record runs it again, its absence is no drift. */
static void test_jobs(void **state)
{
	struct one *one = *state;
	struct thing *job = put(one, "job", "jA", RUN_EXITED);

	job->exit_code = 0;
	look_once(one, "job:jA", (struct rollout_input){0});
	assert_int_equal(one->rollout.state, ROLLOUT_DONE);
	look_once(one, "job:jA!", (struct rollout_input){0});
	assert_int_equal(one->rollout.state, ROLLOUT_DONE);
	job->record = 7;
	look_once(one, "job:jA", (struct rollout_input){0});
	assert_string_equal(ops_text(one), "pull local/A, create job.next, start job.next");
	assert_string_equal(one->steps[0].reason, "runs again for the new record");
	look_once(one, "job:jA", (struct rollout_input){.settled = true});
	assert_int_equal(one->rollout.state, ROLLOUT_DONE);
	one->world.n = 0;
	look_once(one, "job:jA", (struct rollout_input){.settled = true});
	assert_int_equal(one->rollout.state, ROLLOUT_DONE);
	assert_int_equal(one->steps[0].action, STEP_NONE);
}

/* Without a readable configuration the hash from its creation has to do. */
static void test_unreadable_config(void **state)
{
	struct one *one = *state;
	struct workload *seen;
	const struct workload *list[1];
	struct rollout_input input = {.seen = list, .seen_n = 1, .strategy = STRATEGY_ROLLING};

	put(one, "web", "pA", RUN_RUNNING);
	make_wanted(one->arena, "web:pA", 1, "d", &one->wanted);
	input.wanted = one->wanted.specs;
	input.wanted_n = 1;
	seen = world_look(one->arena, &one->world);
	seen->config = NULL;
	list[0] = seen;
	rollout_next(one->arena, &input, &one->rollout);
	assert_int_equal(one->rollout.state, ROLLOUT_DONE);
	seen->labels.spec = "1:other";
	rollout_next(one->arena, &input, &one->rollout);
	assert_int_equal(one->rollout.state, ROLLOUT_OPS);
}

static const struct step *replaced(struct one *one, const char *from, const char *to)
{
	one->world.n = 0;
	put(one, "web", from, RUN_RUNNING);
	look_once(one, arena_printf(one->arena, "web:%s", to),
		  (struct rollout_input){.live_fields = (uint64_t)1 << container_resources_F});
	assert_int_equal(one->steps_n, 1);
	return one->steps;
}

static void test_reasons(void **state)
{
	struct one *one = *state;
	const struct step *step = replaced(one, "pA", "pB");

	assert_int_equal(step->action, STEP_REPLACE);
	assert_string_equal(step->reason, "image and env changed");
	assert_int_equal(step->fields_n, 3); /* image, digest, env.CONTENT */
	step = replaced(one, "pA", "pA+");
	assert_int_equal(step->action, STEP_UPDATE);
	assert_string_equal(step->reason, "resources changed");
	step = replaced(one, "pA", "pA!");
	assert_int_equal(step->action, STEP_REPLACE);
	assert_string_equal(step->reason, "stopSignal changed");
	step = replaced(one, "hA", "pB!");
	assert_string_equal(step->reason, "image, env, healthCheck and more changed");
	assert_false(step->drift);
}

/* Made from the very spec that is wanted, and different now: changed by hand. */
static void test_drift_is_told_from_change(void **state)
{
	struct one *one = *state;
	struct workload *seen;
	const struct workload *list[1];
	struct rollout_input input = {
		.seen = list, .seen_n = 1, .strategy = STRATEGY_ROLLING, .settled = true};

	put(one, "web", "pA", RUN_RUNNING);
	make_wanted(one->arena, "web:pA", 1, "d", &one->wanted);
	input.wanted = one->wanted.specs;
	input.wanted_n = 1;
	seen = world_look(one->arena, &one->world);
	seen->config = make_config(one->arena, &(struct variant){"web", 'p', 'B', ' '});
	list[0] = seen;
	one->steps_n = rollout_steps(one->arena, &input, &one->steps);
	assert_int_equal(one->steps[0].action, STEP_REPLACE);
	assert_string_equal(one->steps[0].reason, "env changed on the node");
	assert_true(one->steps[0].drift);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_deployment, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recreate_stops_last_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_is_handed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recreated_has_the_name_at_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_drops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removal_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fails_when_time_cannot_help, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settled_starts_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settled_paused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settled_does_not_hold_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settled_extras, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jobs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable_config, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reasons, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drift_is_told_from_change, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

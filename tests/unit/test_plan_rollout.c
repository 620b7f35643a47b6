/*
 * Every way a rollout can be cut short: a small world of containers, carried through all its
 * states. From each state that can be reached, by any prefix of any list of changes, by half a
 * change, by time passing or not, the rollout must come to its end; so must the way back, and the
 * way on to a third record.
 */
#include "tests/support/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "plan/rollout.h"

#define SLOT_MAX 8
#define RECORDS 4
#define MIN_HEALTHY_MS 1000
#define STEPS_MAX 60

/* ---- what is wanted, written as "web:hA db:pA" ---- */

/*
 * name:<kind><content>. Kind h has a health check, p has none, j is a job. Content A, B, C work;
 * X does not: h stays unhealthy, p and j exit with 1. A '+' is more memory, a live field; a '!'
 * another stop signal, a field that is not.
 */
struct variant {
	const char *name;
	char kind, content;
	char operations; /* ' ', '+' or '!' */
};
struct wanted {
	struct spec specs[SLOT_MAX];
	struct variant variants[SLOT_MAX];
	size_t n;
};

static const char *const env_key[] = {"CONTENT"};
static const struct health_check a_check = {
	.head.set = 1u << health_check_retries_F,
	.retries = 1,
};
static const struct expect job_expect = {
	.head.set = 1u << expect_state_F,
	.state = EXPECT_EXITED,
};
static const struct resources more_memory = {
	.head.set = 1u << resources_memory_F,
	.memory = 64 << 20,
};

static const struct container *make_config(struct arena *arena, const struct variant *variant)
{
	struct container *config = ARENA_NEW(arena, struct container);
	const char **value = ARENA_ARRAY(arena, 1, const char *);

	value[0] = arena_strndup(arena, &variant->content, 1);
	config->head.set = (uint64_t)1 << container_env_F;
	config->env.key = (const char **)env_key;
	config->env.value = value;
	config->env.n = 1;
	if (variant->kind == 'h') {
		config->head.set |= (uint64_t)1 << container_health_check_F;
		config->health_check = &a_check;
	} else if (variant->kind == 'j') {
		config->head.set |= (uint64_t)1 << container_expect_F;
		config->expect = &job_expect;
	}
	if (variant->operations == '+') {
		config->head.set |= (uint64_t)1 << container_resources_F;
		config->resources = &more_memory;
	} else if (variant->operations == '!') {
		config->head.set |= (uint64_t)1 << container_stop_signal_F;
		config->stop_signal = "SIGINT";
	}
	return config;
}

static struct spec make_spec(struct arena *arena, const struct variant *variant, int64_t record,
			     const char *deployment)
{
	char *hash = arena_alloc(arena, HASH_HEX_SIZE + 8);
	struct spec spec = {
		.name = variant->name,
		.instance = 1,
		.image = arena_printf(arena, "local/%c", variant->content),
		.digest = arena_printf(arena, "sha256:%c", variant->content),
		.config = make_config(arena, variant),
		.labels = {.node = "n",
			   .project = "p",
			   .stage = "s",
			   .deployment = deployment,
			   .container = variant->name,
			   .record = record},
	};

	/* Instances and prefixes: "x-web-2" is of container web. */
	if (str_starts(variant->name, "x-"))
		spec.labels.container = variant->name + 2;
	if (str_ends(variant->name, "-2")) {
		spec.instance = 2;
		spec.labels.container = arena_strndup(arena, spec.labels.container,
						      strlen(spec.labels.container) - 2);
	}
	spec_hash(&spec, hash);
	spec.labels.spec = hash;
	return spec;
}

static void make_wanted(struct arena *arena, const char *text, int64_t record,
			const char *deployment, struct wanted *out)
{
	out->n = 0;
	while (*text) {
		size_t len = strcspn(text, " ");
		const char *colon = strchr(text, ':');
		struct variant *variant = &out->variants[out->n];

		assert_true(colon && (size_t)(colon - text) < len && out->n < SLOT_MAX);
		variant->name = arena_strndup(arena, text, (size_t)(colon - text));
		variant->kind = colon[1];
		variant->content = colon[2];
		variant->operations = (size_t)(colon + 3 - text) < len ? colon[3] : ' ';
		out->specs[out->n] = make_spec(arena, variant, record, deployment);
		out->n++;
		text += len + (text[len] == ' ');
	}
}

/* ---- the world ---- */

struct thing {
	char name[24];
	struct variant variant; /* what it was made from */
	int64_t record;
	bool other_slot;
	enum run_state state;
	bool aged; /* time has passed since it was started */
	int exit_code;
};
struct world {
	struct thing things[2 * SLOT_MAX];
	size_t n;
	unsigned pulled; /* bit: content - 'A' */
};

static struct thing *world_find(struct world *world, const char *name)
{
	for (size_t i = 0; i < world->n; i++) {
		if (str_eq(world->things[i].name, name))
			return &world->things[i];
	}
	return NULL;
}

static void world_remove(struct world *world, struct thing *thing)
{
	*thing = world->things[--world->n];
}

static void world_pull(struct world *world, char content)
{
	world->pulled |= 1u << (content - 'A');
}

static bool is_active(const struct thing *thing)
{
	return thing->state == RUN_RUNNING;
}

static bool is_good(const struct thing *thing)
{
	return thing->variant.content != 'X';
}

static bool is_healthy(const struct thing *thing)
{
	if (thing->variant.kind == 'j')
		return thing->state == RUN_EXITED && thing->exit_code == 0;
	return is_active(thing) && thing->aged && is_good(thing);
}

/* Everything that time does. */
static void world_tick(struct world *world)
{
	for (size_t i = 0; i < world->n; i++) {
		struct thing *thing = &world->things[i];

		if (!is_active(thing))
			continue;
		thing->aged = true;
		if (thing->variant.kind == 'j' || (thing->variant.kind == 'p' && !is_good(thing))) {
			thing->state = RUN_EXITED;
			thing->exit_code = is_good(thing) ? 0 : 1;
		}
	}
}

static const struct variant *variant_of(const struct wanted *wanted, const struct spec *spec)
{
	return &wanted->variants[spec - wanted->specs];
}

static bool same_variant(const struct variant *a, const struct variant *b)
{
	return a->kind == b->kind && a->content == b->content && a->operations == b->operations;
}

static void world_create(struct world *world, const struct wanted *wanted, const struct op *op)
{
	const struct variant *variant = variant_of(wanted, op->spec);
	struct thing *thing = world_find(world, op->name);

	assert_true(world->pulled & (1u << (variant->content - 'A')));
	if (thing) /* the driver would say conflict */
		fail_msg("%s is created and is there already", op->name);
	assert_true(world->n < ARRAY_LEN(world->things));
	thing = &world->things[world->n++];
	*thing = (struct thing){.variant = *variant, .record = op->spec->labels.record};
	thing->state = RUN_CREATED;
	thing->exit_code = -1;
	snprintf(thing->name, sizeof(thing->name), "%s", op->name);
}

static void world_rename(struct world *world, const struct op *op)
{
	struct thing *thing = world_find(world, op->name);

	assert_non_null(thing);
	assert_null(world_find(world, op->to));
	snprintf(thing->name, sizeof(thing->name), "%s", op->to);
}

/* The changes mean what drivers/driver.h says. half: killed in the middle of it. */
static void world_apply(struct world *world, const struct wanted *wanted, const struct op *op,
			bool half)
{
	struct thing *thing = op->name ? world_find(world, op->name) : NULL;

	switch (op->kind) {
	case OP_PULL:
		world_pull(world, variant_of(wanted, op->spec)->content);
		break;
	case OP_CREATE:
		world_create(world, wanted, op);
		break;
	case OP_START:
		assert_non_null(thing);
		assert_false(is_active(thing));
		thing->state = RUN_RUNNING;
		thing->aged = false;
		break;
	case OP_STOP:
		assert_non_null(thing);
		if (is_active(thing))
			thing->state = RUN_STOPPED;
		break;
	case OP_REMOVE:
		assert_non_null(thing);
		if (half && is_active(thing))
			thing->state = RUN_STOPPED;
		else if (!half)
			world_remove(world, thing);
		break;
	case OP_RENAME:
		world_rename(world, op);
		break;
	case OP_UPDATE:
		assert_non_null(thing);
		thing->variant.operations = variant_of(wanted, op->spec)->operations;
		break;
	case OP_CLAIM:
	case OP_VOLUME_REMOVE:
	case OP_IMAGE_REMOVE:
	case OPS_COUNT:
		fail_msg("a rollout has no business with %s", op_word(op->kind));
	}
}

static struct workload *world_look(struct arena *arena, const struct world *world)
{
	struct workload *seen = ARENA_ARRAY(arena, world->n, struct workload);

	for (size_t i = 0; i < world->n; i++) {
		const struct thing *thing = &world->things[i];
		const struct spec spec = make_spec(arena, &thing->variant, thing->record,
						   thing->other_slot ? "gone" : "d");

		seen[i] = (struct workload){
			.name = arena_strdup(arena, thing->name),
			.image = spec.image,
			.digest = spec.digest,
			.config = spec.config,
			.labels = spec.labels,
			.state = thing->state,
			.health = HEALTH_NONE,
			.running_ms = is_active(thing) && thing->aged ? MIN_HEALTHY_MS : 0,
			.exit_code = thing->exit_code};
		if (thing->variant.kind == 'h')
			seen[i].health = !is_active(thing) ? HEALTH_UNKNOWN
					 : !thing->aged	   ? HEALTH_STARTING
					 : is_good(thing)  ? HEALTH_HEALTHY
							   : HEALTH_UNHEALTHY;
	}
	return seen;
}

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

static const char *world_text(struct arena *arena, const struct world *world)
{
	struct buf text = BUF_INIT(BUF_MAX_LINE);
	const char *copy;

	for (size_t i = 0; i < world->n; i++) {
		const struct thing *thing = &world->things[i];

		buf_addf(&text, "%s=%c%c%c r%d %s%s%s%d; ", thing->name, thing->variant.kind,
			 thing->variant.content, thing->variant.operations, (int)thing->record,
			 run_state_word(thing->state), thing->aged ? " aged" : "",
			 thing->other_slot ? " other " : " ", thing->exit_code);
	}
	buf_addf(&text, "pulled %x", world->pulled);
	copy = arena_strdup(arena, buf_str(&text));
	buf_release(&text);
	return copy;
}

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

		if (thing->variant.kind != 'j' && is_healthy(thing) &&
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

		if (wanted->variants[i].kind != 'j' && serves(scenario, before, container) &&
		    !serves(scenario, after, container))
			FAIL_AT(scenario, before, "%s %s takes %s out of service",
				op_word(op->kind), op->name, container);
	}
}

/* recreate: when something starts, nothing runs that is to go. */
static void check_alone(struct scenario *scenario, struct world *world, const struct op *op)
{
	for (size_t i = 0; op->kind == OP_START && i < world->n; i++) {
		if (is_active(&world->things[i]) &&
		    !is_wanted(&scenario->wanted[scenario->goal], &world->things[i]))
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

		if (!thing && scenario->goal == GOAL_OLD && wanted->variants[i].kind == 'j')
			continue;
		if (!thing || !is_healthy(thing) || !is_it(thing, &wanted->variants[i]) ||
		    thing->other_slot)
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

		world_apply(&half, wanted, op, true);
		world_apply(&world, wanted, op, false);
		if (scenario->strategy == STRATEGY_ROLLING) {
			check_service(scenario, &before, &half, op);
			check_service(scenario, &before, &world, op);
		} else {
			check_alone(scenario, &before, op);
		}
		if (op->kind == OP_REMOVE)
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
		struct thing *thing = &world.things[world.n++];

		*thing = (struct thing){.variant = old->variants[i],
					.record = 1,
					.other_slot = scenario->taken_over,
					.state = RUN_RUNNING,
					.exit_code = -1};
		snprintf(thing->name, sizeof(thing->name), "%s", old->specs[i].name);
		world_pull(&world, old->variants[i].content);
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

/* ---- single looks ---- */

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
	snprintf(thing->name, sizeof(thing->name), "%s", name);
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
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_three),
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_live_fields),
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test_setup_teardown(test_first_deployment, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recreate_stops_last_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removal_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fails_when_time_cannot_help, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settled_starts_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settled_does_not_hold_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settled_extras, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jobs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable_config, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reasons, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drift_is_told_from_change, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

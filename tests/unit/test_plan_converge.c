/*
 * Rollouts on the memory driver: given up after every single change and taken up again by somebody
 * who knows nothing, they end with what is wanted, and then nothing is left to do.
 */
#include "tests/support/test.h"

#include "base/buf.h"
#include "drivers/memory.h"
#include "tests/support/rollout_world.h"

#define LOOKS_MAX 40

struct bench {
	struct arena *arena;
	struct memory_world *world;
	struct driver *driver;
	enum strategy_type_value strategy;
};

static const struct settings no_settings;
static const struct driver_env env = {
	.state_dir = "/nonexistent", .owner = "acme/test", .settings = &no_settings};
static const struct node node = {.name = "n", .driver = DRIVER_MEMORY};

static void set_image(struct bench *bench, const char *image, const char *digest, bool good)
{
	struct memory_behaviour behaviour = MEMORY_BEHAVIOUR_INIT;
	struct err err = ERR_INIT;

	behaviour.digest = digest;
	behaviour.healthy_after_ms = 100;
	if (!good)
		behaviour.unhealthy_after_ms = 0;
	assert_done(memory_world_image(bench->world, image, &behaviour, &err), err);
}

static void bench_open(struct bench *bench, enum strategy_type_value strategy)
{
	struct op claim = {.kind = OP_CLAIM};
	struct err err = ERR_INIT;

	bench->arena = arena_new(0);
	bench->strategy = strategy;
	bench->world = memory_world_new();
	memory_world_attach(bench->world, node.name);
	set_image(bench, "local/A", "sha256:A", true);
	set_image(bench, "local/B", "sha256:B", true);
	set_image(bench, "local/X", "sha256:X", false);
	assert_done(memory_world_advance(bench->world, 0, &err), err);
	assert_done(driver_open(&node, &env, &bench->driver, &err), err);
	assert_done(bench->driver->ops->apply(bench->driver, &claim, NULL, &err), err);
}

static void bench_close(struct bench *bench)
{
	driver_close(&bench->driver);
	memory_world_free(&bench->world);
	arena_free(bench->arena);
}

static void look(struct bench *bench, const struct wanted *wanted, bool settled,
		 struct rollout *out)
{
	struct observed *observed = ARENA_NEW(bench->arena, struct observed);
	const struct workload **seen;
	struct err err = ERR_INIT;

	assert_done(bench->driver->ops->observe(bench->driver, bench->arena, observed, &err), err);
	seen = ARENA_ARRAY(bench->arena, observed->workloads_n, const struct workload *);
	for (size_t i = 0; i < observed->workloads_n; i++)
		seen[i] = &observed->workloads[i];
	rollout_next(bench->arena,
		     &(struct rollout_input){.wanted = wanted->specs,
					     .wanted_n = wanted->n,
					     .seen = seen,
					     .seen_n = observed->workloads_n,
					     .strategy = bench->strategy,
					     .min_healthy_ms = MIN_HEALTHY_MS,
					     .live_fields = bench->driver->ops->live_fields,
					     .settled = settled},
		     out);
}

/* Works until it is done, or has failed, or has made `most` changes. Returns how many it made. */
static size_t work(struct bench *bench, const struct wanted *wanted, bool settled, size_t most,
		   enum rollout_state *state)
{
	struct err err = ERR_INIT;
	size_t made = 0;

	for (int looks = 0; looks < LOOKS_MAX; looks++) {
		struct rollout rollout;

		look(bench, wanted, settled, &rollout);
		*state = rollout.state;
		if (rollout.state == ROLLOUT_DONE || rollout.state == ROLLOUT_FAILED)
			return made;
		for (size_t i = 0; i < rollout.ops_n; i++, made++) {
			if (made == most)
				return made;
			assert_done(bench->driver->ops->apply(bench->driver, &rollout.ops[i], NULL,
							      &err),
				    err);
		}
		assert_done(memory_world_advance(bench->world, 600, &err), err);
	}
	return made;
}

static void mark_owner(struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		wanted->specs[i].labels.owner = env.owner;
		wanted->specs[i].labels.prefix = "x";
		wanted->specs[i].labels.product = "x";
		wanted->specs[i].labels.commit = "x";
	}
}

static void check_end(struct bench *bench, const struct wanted *wanted)
{
	struct observed observed;
	struct err err = ERR_INIT;

	assert_done(bench->driver->ops->observe(bench->driver, bench->arena, &observed, &err), err);
	assert_int_equal(observed.workloads_n, wanted->n);
	for (size_t i = 0; i < wanted->n; i++) {
		const struct workload *workload = observed_find(&observed, wanted->specs[i].name);

		assert_non_null(workload);
		assert_string_equal(workload->digest, wanted->specs[i].digest);
		assert_int_equal(workload->state, RUN_RUNNING);
	}
}

struct sets {
	const char *old, *new;
	bool fails;
};

/* Returns whether the new set was reached before the changes ran out. */
static bool play(const struct sets *sets, enum strategy_type_value strategy, size_t give_up_after)
{
	struct bench bench;
	struct wanted old, new;
	enum rollout_state state = 0;
	bool through;

	bench_open(&bench, strategy);
	make_wanted(bench.arena, sets->old, 1, "d", &old);
	make_wanted(bench.arena, sets->new, 2, "d", &new);
	mark_owner(&old);
	mark_owner(&new);
	work(&bench, &old, false, SIZE_MAX, &state);
	assert_int_equal(state, ROLLOUT_DONE);
	through = work(&bench, &new, false, give_up_after, &state) < give_up_after;
	if (sets->fails) {
		work(&bench, &old, true, SIZE_MAX, &state);
		check_end(&bench, &old);
	} else {
		work(&bench, &new, false, SIZE_MAX, &state);
		check_end(&bench, &new);
		assert_int_equal(work(&bench, &new, false, SIZE_MAX, &state), 0);
	}
	assert_int_equal(state, ROLLOUT_DONE);
	bench_close(&bench);
	return through;
}

static void play_all(const struct sets *sets)
{
	for (enum strategy_type_value strategy = STRATEGY_ROLLING; strategy < strategy_type_end_;
	     strategy++) {
		size_t changes = 0;

		while (!play(sets, strategy, changes))
			changes++;
		assert_true(changes > 0);
	}
}

static void test_upgrades(void **state)
{
	static const struct sets rows[] = {
		{"web:hA db:pA", "web:hB db:pB", false},
		{"web:hA db:pA", "db:pA api:hB", false},
		{"web:hA", "web:hA web-2:hA", false},
		{"web:hA web-2:hA", "web:hB", false},
		{"web:hA", "x-web:hA", false},
		{"web:hA", "web:hA+", false},
		{"", "web:hA", false},
		{"web:hA db:pA", "", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		play_all(&rows[i]);
}

/* The new one does not come up; at some moment the old one is wanted again. */
static void test_failures(void **state)
{
	static const struct sets rows[] = {
		{"web:hA db:pA", "web:hX db:pB", true},
		{"db:pA web:hA", "db:pB web:hX", true},
		{"web:hA", "x-web:hX", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		play_all(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upgrades),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * rollout_world.h - a small world of containers for the tests of rollouts: what is wanted is
 * written as "web:hA db:pB", changes mean what drivers/driver.h says, time passes when it is told
 * to.
 */
#ifndef TRUEUP_TESTS_ROLLOUT_WORLD_H
#define TRUEUP_TESTS_ROLLOUT_WORLD_H

#include "tests/support/test.h"

#include "base/arena.h"
#include "plan/rollout.h"

#define SLOT_MAX 8
#define MIN_HEALTHY_MS 1000

/*
 * name:<kind><content>. Kind h has a health check, p has none, j is a job, i runs before the
 * container behind it ("web.init-a:iA web:hA"). Content A, B, C work; X does not: h stays
 * unhealthy, the others exit with 1. A '+' is more memory, a live field; a '!'
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
const struct container *make_config(struct arena *arena, const struct variant *variant);
/* "x-web-2" is instance 2 of container web under the prefix x. */
struct spec make_spec(struct arena *arena, const struct variant *variant, int64_t record,
		      const char *deployment);
void make_wanted(struct arena *arena, const char *text, int64_t record, const char *deployment,
		 struct wanted *out);
bool same_variant(const struct variant *a, const struct variant *b);

struct thing {
	char name[24];
	char alias[24];		/* what it answers to */
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
void thing_name(struct thing *thing, const char *name, const char *alias);
struct thing *world_find(struct world *world, const char *name);
void world_pull(struct world *world, char content);
/* j or i: it runs to its end. */
bool is_to_end(const struct variant *variant);
bool is_running(const struct thing *thing);
bool is_healthy(const struct thing *thing);
/* Everything that time does. */
void world_tick(struct world *world);
/* half: killed in the middle of it. */
void world_apply(struct world *world, const struct wanted *wanted, const struct op *op, bool half);
struct workload *world_look(struct arena *arena, const struct world *world);
/* For keys and reports. */
const char *world_text(struct arena *arena, const struct world *world);

#endif

/*
 * Who waits for whom: written out, and over random stages, which always come to their end.
 */
#include "tests/support/test.h"

#include "plan/order.h"

#define PARTIES_MAX 8

/* A deployment on a node: what it is of, what serves there and what the commit wants. */
struct party {
	const char *name, *product, *node;
	const char *from, *to;	   /* versions; NULL: it is new, it is to be removed */
	const char *needed, *need; /* of each version: "product range"; NULL: nothing */
	bool failed;		   /* the wanted version was tried */
};

#define PARTY(name_, product_, node_, from_, to_, ...)                                             \
	{                                                                                          \
		.name = name_, .product = product_, .node = node_, .from = from_, .to = to_,       \
		__VA_ARGS__                                                                        \
	}

struct scene {
	struct arena *arena;
	struct desired desired;
	struct history history;
	struct order order;
};

static struct pairs requires_of(struct arena *arena, const char *text)
{
	size_t len = text ? strcspn(text, " ") : 0;
	struct pairs pairs = {0};

	if (!text)
		return pairs;
	pairs.key = ARENA_ARRAY(arena, 1, const char *);
	pairs.value = ARENA_ARRAY(arena, 1, const char *);
	pairs.key[0] = arena_strndup(arena, text, len);
	pairs.value[0] = arena_strdup(arena, text + len + 1);
	pairs.n = 1;
	return pairs;
}

static const char *content_of(void *arg, const struct record *record, struct arena *arena)
{
	(void)arg;
	(void)arena;
	return record->content;
}

static struct slot_key key_of(const struct party *party)
{
	return (struct slot_key){"shop", "prod", party->name, party->node};
}

static struct slot *add_slot(struct scene *scene, const struct party *party)
{
	struct product *product = ARENA_NEW(scene->arena, struct product);
	struct slot *slot = ARENA_NEW(scene->arena, struct slot);

	product->name = party->product;
	*slot = (struct slot){
		.key = key_of(party),
		.product = product,
		.version_name = party->to,
		.type = VERSION_ROLLING,
		.prefix = "p",
		.input_id = "wanted",
	};
	slot->content.requires = requires_of(scene->arena, party->need);
	scene->desired.slots[scene->desired.slots_n++] = slot;
	return slot;
}

static void add_record(struct scene *scene, const struct party *party, bool active)
{
	struct pairs requires = requires_of(scene->arena, party->needed);
	struct record *record = &scene->history.records[scene->history.records_n++];

	*record = (struct record){
		.id = (int64_t)scene->history.records_n,
		.slot = key_of(party),
		.product = party->product,
		.version = active ? party->from : party->to,
		.type = VERSION_ROLLING,
		.prefix = "p",
		.input_id = active && !str_eq(party->from, party->to) ? "served" : "wanted",
		.status = active ? RECORD_SUCCESSFUL : RECORD_FAILED,
		.succeeded = active,
		.active = active,
		.content = "{\"containers\":[]}",
	};
	if (requires.n)
		record->content = arena_printf(scene->arena,
					       "{\"containers\":[],\"requires\":{\"%s\":\"%s\"}}",
					       requires.key[0], requires.value[0]);
}

/* Of another stage: a provider that is not there yet, and what requires one that never is. */
static void add_others(struct scene *scene, const char *project, const char *stage)
{
	static const struct party provider = PARTY("db", "db", "n", NULL, "0.0.1", .need = NULL);
	static const struct party dependant =
		PARTY("web", "web", "n", "1.0.0", NULL, .needed = "db 7");
	struct slot *slot;

	slot = add_slot(scene, &provider);
	slot->key.project = project;
	slot->key.stage = stage;
	add_record(scene, &dependant, true);
	scene->history.records[scene->history.records_n - 1].slot.project = project;
	scene->history.records[scene->history.records_n - 1].slot.stage = stage;
}

/* The parties are sorted by name and node; other stages stand before and behind theirs. */
static void make_stage(struct scene *scene, const struct party *parties, size_t n)
{
	*scene = (struct scene){.arena = arena_new(0)};
	scene->desired.slots = ARENA_ARRAY(scene->arena, n + 2, const struct slot *);
	scene->history.records = ARENA_ARRAY(scene->arena, 2 * n + 2, struct record);
	add_others(scene, "blog", "prod");
	for (size_t i = 0; i < n; i++) {
		if (parties[i].to)
			add_slot(scene, &parties[i]);
		if (parties[i].from)
			add_record(scene, &parties[i], true);
		if (parties[i].failed)
			add_record(scene, &parties[i], false);
	}
	add_others(scene, "shop", "test");
	scene->order = (struct order){.desired = &scene->desired,
				      .history = &scene->history,
				      .content = content_of,
				      .arena = scene->arena};
}

/* What the party waits for; NULL: it may begin, or go. */
static const char *wait_of(const struct scene *scene, const struct party *party)
{
	const struct slot_key key = key_of(party);
	const struct slot *slot = desired_find(&scene->desired, &key);
	const struct record *active = NULL;
	const char *why = slot ? order_going_up(&scene->order, slot) : NULL;

	for (size_t i = 0; i < scene->history.records_n; i++) {
		if (scene->history.records[i].active &&
		    slot_key_cmp(&scene->history.records[i].slot, &key) == 0)
			active = &scene->history.records[i];
	}
	return why ? why : order_going_down(&scene->order, active, slot);
}

/* ---- written out ---- */

static const struct row {
	const char *about;
	struct party parties[4]; /* of the first is asked */
	const char *waits;
} rows[] = {
	{"up: the provider first",
	 {PARTY("web", "web", "n", "1.3.0", "1.4.0", .need = "db >= 2.0.0"),
	  PARTY("db", "db", "n", "1.9.0", "2.0.0")},
	 "db 2.0.0 on n is not successful yet"},
	{"up: and it waits for nobody, whatever what runs requires",
	 {PARTY("db", "db", "n", "1.9.0", "2.0.0"),
	  PARTY("web", "web", "n", "1.3.0", "1.4.0", .needed = "db < 2", .need = "db >= 2.0.0")},
	 NULL},
	{"up: when it is there",
	 {PARTY("web", "web", "n", "1.3.0", "1.4.0", .need = "db >= 2.0.0"),
	  PARTY("db", "db", "n", "2.0.0", "2.0.0")},
	 NULL},
	{"up: also when the version before would do",
	 {PARTY("web", "web", "n", "1.3.0", "1.4.0", .need = "db >= 1"),
	  PARTY("db", "db", "n", "1.9.0", "2.0.0")},
	 "db 2.0.0 on n is not successful yet"},
	{"up: both are new",
	 {PARTY("web", "web", "n", NULL, "1.4.0", .need = "db >= 2.0.0"),
	  PARTY("db", "db", "n", NULL, "2.0.0")},
	 "db 2.0.0 on n is not successful yet"},
	{"up: the provider failed, and what serves does not do",
	 {PARTY("web", "web", "n", "1.3.0", "1.4.0", .need = "db >= 2.0.0"),
	  PARTY("db", "db", "n", "1.9.0", "2.0.0", .failed = true)},
	 "db 2.0.0 on n is not successful yet"},
	{"up: the provider failed, and what serves does",
	 {PARTY("web", "web", "n", "1.3.0", "1.4.0", .need = "db >= 1"),
	  PARTY("db", "db", "n", "1.9.0", "2.0.0", .failed = true)},
	 NULL},
	{"up: the one on its own node counts",
	 {PARTY("web", "web", "n", "1.3.0", "1.4.0", .need = "db >= 2"),
	  PARTY("db", "db", "m", "1.9.0", "2.0.0"), PARTY("db", "db", "n", "2.0.0", "2.0.0")},
	 NULL},
	{"up: where there is none, all of the stage",
	 {PARTY("web", "web", "o", "1.3.0", "1.4.0", .need = "db >= 2"),
	  PARTY("db", "db", "m", "1.9.0", "2.0.0"), PARTY("db", "db", "n", "2.0.0", "2.0.0")},
	 "db 2.0.0 on m is not successful yet"},
	{"down: the dependant first",
	 {PARTY("db", "db", "n", "2.0.0", "1.9.0"),
	  PARTY("web", "web", "n", "1.4.0", "1.3.0", .needed = "db >= 2.0.0")},
	 "web 1.4.0 on n requires db \">= 2.0.0\" and goes first"},
	{"down: and it waits for nobody",
	 {PARTY("web", "web", "n", "1.4.0", "1.3.0", .needed = "db >= 2.0.0", .need = "db >= 1"),
	  PARTY("db", "db", "n", "2.0.0", "1.9.0")},
	 NULL},
	{"down: when it is down",
	 {PARTY("db", "db", "n", "2.0.0", "1.9.0"), PARTY("web", "web", "n", "1.3.0", "1.3.0")},
	 NULL},
	{"down: also when the version after would do",
	 {PARTY("db", "db", "n", "2.0.0", "1.9.0"),
	  PARTY("web", "web", "n", "1.4.0", "1.3.0", .needed = "db >= 1")},
	 "web 1.4.0 on n requires db \">= 1\" and goes first"},
	{"down: the dependant stays, and the version after does",
	 {PARTY("db", "db", "n", "2.0.0", "1.9.0"),
	  PARTY("web", "web", "n", "1.4.0", "1.4.0", .needed = "db >= 1", .need = "db >= 1")},
	 NULL},
	{"down: the dependant could not go down",
	 {PARTY("db", "db", "n", "2.0.0", "1.9.0"),
	  PARTY("web", "web", "n", "1.4.0", "1.3.0", .needed = "db >= 2.0.0", .failed = true)},
	 "web 1.4.0 on n requires db \">= 2.0.0\" and goes first"},
	{"down: the dependant is removed",
	 {PARTY("db", "db", "n", "2.0.0", "1.9.0"),
	  PARTY("web", "web", "n", "1.4.0", NULL, .needed = "db >= 2.0.0")},
	 "web 1.4.0 on n requires db \">= 2.0.0\" and goes first"},
	{"down: one on a node with another provider is not its own",
	 {PARTY("db", "db", "n", "2.0.0", "1.9.0"), PARTY("db", "db", "m", "2.0.0", "2.0.0"),
	  PARTY("web", "web", "m", "1.4.0", "1.3.0", .needed = "db >= 2.0.0")},
	 NULL},
	{"removed: what requires it first",
	 {PARTY("db", "db", "n", "2.0.0", NULL, .need = NULL),
	  PARTY("web", "web", "n", "1.4.0", NULL, .needed = "db >= 2.0.0")},
	 "web 1.4.0 on n requires db \">= 2.0.0\" and goes first"},
	{"removed: another deployment of it is wanted",
	 {PARTY("db", "db", "n", "2.0.0", NULL, .need = NULL),
	  PARTY("db2", "db", "n", NULL, "2.0.0"),
	  PARTY("web", "web", "n", "1.4.0", "1.4.0", .needed = "db >= 2.0.0",
		.need = "db >= 2.0.0")},
	 NULL},
	{"names that are no versions go neither up nor down",
	 {PARTY("db", "db", "n", "new", "old"),
	  PARTY("web", "web", "n", "1.4.0", "1.3.0", .needed = "db >= 2.0.0")},
	 NULL},
};

static int party_cmp(const void *left, const void *right)
{
	struct slot_key a = key_of(left), b = key_of(right);

	return slot_key_cmp(&a, &b);
}

static void test_written_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct party parties[4];
		struct scene scene;
		size_t n = 0;
		const char *waits;

		memcpy(parties, rows[i].parties, sizeof parties);
		while (n < 4 && parties[n].name)
			n++;
		qsort(parties, n, sizeof *parties, party_cmp);
		make_stage(&scene, parties, n);
		waits = wait_of(&scene, &rows[i].parties[0]);
		if (!str_eq(waits, rows[i].waits))
			fail_msg("%s: waits for %s", rows[i].about, waits ? waits : "nothing");
		arena_free(scene.arena);
	}
}

/* ---- at random ---- */

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % sides;
}

static const char *const versions[] = {"1.0.0", "1.5.0", "2.0.0", "2.0.1"};

/*
 * A range that holds for the provider's version of the same state, so that the stage is right
 * before and after; one that stays as it is requires what is right in both.
 */
static const char *some_need(struct arena *arena, uint32_t *seed, const struct party *provider,
			     bool wanted, bool stays)
{
	static const char *const operators[] = {"=", ">=", "<="};
	const char *version = wanted ? provider->to : provider->from;

	if (!version || (stays && !(provider->from && provider->to)))
		return NULL;
	if (stays || dice(seed, 4) == 0)
		return arena_printf(arena, "%s >= 0", provider->product);
	return arena_printf(arena, "%s %s %s", provider->product, operators[dice(seed, 3)],
			    version);
}

/* Who requires whom is another order before and after: no circle in each, maybe one in both. */
static void some_stage(struct arena *arena, uint32_t *seed, struct party *parties, size_t n)
{
	size_t turn = dice(seed, (uint32_t)n);

	for (size_t i = 0; i < n; i++) {
		const char *name = arena_printf(arena, "d%zu", i);

		parties[i] = (struct party){
			.name = name,
			.product = name,
			.node = dice(seed, 2) ? "m" : "n",
			.from = dice(seed, 6) ? versions[dice(seed, 4)] : NULL,
			.to = dice(seed, 6) ? versions[dice(seed, 4)] : NULL,
		};
		if (!parties[i].from && !parties[i].to)
			parties[i].to = versions[0];
	}
	for (size_t i = 0; i + 1 < n; i++) {
		struct party *before = &parties[(i + turn) % n], *after = &parties[i];
		size_t step = 1 + dice(seed, (uint32_t)(n - i - 1));

		if (before->from && !str_eq(before->from, before->to) && dice(seed, 4))
			before->needed = some_need(arena, seed, &parties[(i + step + turn) % n],
						   false, false);
		if (after->to && dice(seed, 4))
			after->need = some_need(arena, seed, &parties[i + step], true,
						str_eq(after->from, after->to));
		if (str_eq(after->from, after->to))
			after->needed = after->need;
	}
}

static bool is_settled(const struct party *party)
{
	return str_eq(party->from, party->to);
}

static struct party *provider_of(struct party *parties, size_t n, const char *need)
{
	for (size_t i = 0; need && i < n; i++) {
		if (strncmp(parties[i].product, need, strcspn(need, " ")) == 0)
			return &parties[i];
	}
	return NULL;
}

/* One that begins now: what it requires stands or is about to go down; who requires it went down.
 */
static void assert_turn(struct party *parties, size_t n, const struct party *party)
{
	const struct party *provider = provider_of(parties, n, party->need);

	if (party->to && provider && !is_settled(provider))
		assert_true(provider->from && provider->to &&
			    strcmp(provider->to, provider->from) < 0);
	if (!party->from || (party->to && strcmp(party->to, party->from) > 0))
		return;
	for (size_t i = 0; i < n; i++) {
		if (parties[i].from && provider_of(parties, n, parties[i].needed) == party)
			assert_true(is_settled(&parties[i]));
	}
}

/* Carries out one change at random of those that need not wait; false: all of them wait. */
static bool take_turn(uint32_t *seed, struct party *parties, size_t n)
{
	struct scene scene;
	size_t first = dice(seed, (uint32_t)n);
	bool moved = false;

	make_stage(&scene, parties, n);
	for (size_t i = 0; i < n && !moved; i++) {
		struct party *party = &parties[(first + i) % n];

		if (is_settled(party) || wait_of(&scene, party))
			continue;
		assert_turn(parties, n, party);
		party->from = party->to;
		party->needed = party->need;
		moved = true;
	}
	arena_free(scene.arena);
	return moved;
}

static void test_every_stage_comes_to_its_end(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct party parties[PARTIES_MAX];
		struct arena *arena = arena_new(0);
		size_t n = 2 + dice(&seed, PARTIES_MAX - 1), left = 0;

		some_stage(arena, &seed, parties, n);
		for (size_t i = 0; i < n; i++)
			left += !is_settled(&parties[i]);
		for (; left; left--) {
			if (!take_turn(&seed, parties, n))
				fail_msg("round %d: they wait for each other", round);
		}
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_out),
		cmocka_unit_test(test_every_stage_comes_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

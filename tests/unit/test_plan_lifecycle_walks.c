/*
 * What follows from the truth tables over sequences of commits: written out, and at random.
 */
#include "tests/support/test.h"

#include "plan/lifecycle.h"
#include "tests/support/slot_world.h"

/* "1.0:o 1.1:s*": each record with the first letter of its status, and * for the active one. */
static const char *describe(struct world *world)
{
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);

	for (size_t i = 0; i < world->n; i++) {
		const struct record *record = &world->records[i];

		buf_addf(&out, "%s%s:%c%s", i ? " " : "",
			 record->version ? record->version : "simple",
			 *record_status_word(record->status), record->active ? "*" : "");
	}
	return arena_strdup(world->arena, buf_str(&out));
}

static void test_sequences(void **state)
{
	static const struct {
		const char *script, *decisions, *records;
	} rows[] = {
		/* a new deployment, and the same commit again */
		{"1.0+ 1.0+", "NK", "1.0:s*"},
		{"1.0~ 1.0~ 1.0+", "NCC", "1.0:s*"},
		/* forward, back, forward again: the reverted one comes back as a copy */
		{"1.0+ 1.1+", "NN", "1.0:o 1.1:s*"},
		{"1.0+ 1.1+ 1.0+", "NNS", "1.0:s* 1.1:d"},
		{"1.0+ 1.1+ 1.0+ 1.1+", "NNSN", "1.0:o 1.1:o 1.1:s*"},
		{"1.0+ 1.1+ 1.0+ 1.1+ 1.0+", "NNSNS", "1.0:s* 1.1:d 1.1:d"},
		{"1.0+ 1.1+ 1.0+ 1.1+ 1.0+ 1.1+", "NNSNSN", "1.0:o 1.1:o 1.1:o 1.1:s*"},
		/* jumps over versions, in both directions */
		{"1.0+ 1.3+", "NN", "1.0:o 1.3:s*"},
		{"1.0+ 1.1+ 1.2+ 1.3+ 1.1+", "NNNNS", "1.0:o 1.1:s* 1.2:d 1.3:d"},
		{"1.0+ 1.1+ 1.2+ 1.3+ 1.1+ 1.0+", "NNNNSS", "1.0:s* 1.1:d 1.2:d 1.3:d"},
		{"1.0+ 1.1+ 1.2+ 1.3+ 1.0+ 1.2+", "NNNNSN", "1.0:o 1.1:o 1.2:o 1.3:d 1.2:s*"},
		{"1.3+ 1.1+", "NN", "1.3:d 1.1:s*"}, /* to an ancestor that was never there */
		{"1.3+ 1.1+ 1.3+", "NNN", "1.3:o 1.1:o 1.3:s*"},
		/* an obsolete one in between is started again, not copied */
		{"1.0+ 1.1+ 1.2+ 1.1+", "NNNS", "1.0:o 1.1:s* 1.2:d"},
		/* a failed upgrade: held until something changes or retry; then reverted */
		{"1.0+ 1.1-", "NN", "1.0:s* 1.1:f"},
		{"1.0+ 1.1- 1.1+", "NNH", "1.0:s* 1.1:f"},
		{"1.0+ 1.1- 1.1!", "NNS", "1.0:o 1.1:s*"},
		{"1.0+ 1.1- 1.0+", "NNK", "1.0:s* 1.1:f"},
		{"1.0+ 1.1- 1.1=fixed+", "NNN", "1.0:o 1.1:f 1.1:s*"},
		{"1.0+ 1.1- 1.2+ 1.1+", "NNNN", "1.0:o 1.1:f 1.2:d 1.1:s*"},
		{"1.0- 1.0+", "NH", "1.0:f"},
		{"1.0- 1.0!", "NS", "1.0:s*"},
		/* a failed rollback is remembered too, and the target stays one */
		{"1.0+ 1.1+ 1.0-", "NNS", "1.0:f 1.1:s*"},
		{"1.0+ 1.1+ 1.0- 1.0+", "NNSH", "1.0:f 1.1:s*"},
		{"1.0+ 1.1+ 1.0- 1.0!", "NNSS", "1.0:s* 1.1:d"},
		{"1.0+ 1.1+ 1.0- 1.1+", "NNSK", "1.0:f 1.1:s*"},
		{"1.0+ 1.1+ 1.0- 1.2+ 1.0+", "NNSNS", "1.0:s* 1.1:d 1.2:d"},
		/* a failed copy */
		{"1.0+ 1.1+ 1.0+ 1.1- 1.1+", "NNSNH", "1.0:s* 1.1:d 1.1:f"},
		{"1.0+ 1.1+ 1.0+ 1.1- 1.1!", "NNSNS", "1.0:o 1.1:o 1.1:s*"},
		/* superseded: not remembered */
		{"1.0+ 1.1~ 1.2+", "NNN", "1.0:o 1.1:f 1.2:s*"},
		{"1.0+ 1.1~ 1.0+ 1.1+", "NNKN", "1.0:o 1.1:f 1.1:s*"},
		{"1.0+ 1.1+ 1.0~ 1.1+ 1.0+", "NNSKS", "1.0:s* 1.1:d"},
		{"1.0~ 1.1+", "NN", "1.0:f 1.1:s*"},
		{"1.0~ 1.0=edited+", "NN", "1.0:f 1.0:s*"},
		{"1.0+ 1.1+ 1.0+ 1.1~ 1.1+", "NNSNC", "1.0:o 1.1:o 1.1:s*"},
		/* what was successful is frozen, wherever the slot stands now */
		{"1.0+ 1.0=other+", "NR", "1.0:s*"},
		{"1.0+ 1.1+ 1.0=other+", "NNR", "1.0:o 1.1:s*"},
		{"1.0+ 1.1+ 1.0+ 1.1=other+", "NNSR", "1.0:s* 1.1:d"},
		{"1.0- 1.0=other+", "NN", "1.0:f 1.0:s*"},
		{"1.0+ 1.1+ 1.0- 1.0=other+", "NNSR", "1.0:f 1.1:s*"},
		/* another product, and back */
		{"1.0+ api:1.0+", "NN", "1.0:o 1.0:s*"},
		{"1.0+ api:1.0+ 1.0+", "NNS", "1.0:s* 1.0:o"},
		{"1.0+ 1.1+ 1.0+ api:1.0+ 1.1+", "NNSNN", "1.0:o 1.1:o 1.0:o 1.1:s*"},
		/* another chain, and back */
		{"1.0+ 2.0+ 1.0+", "NNS", "1.0:s* 2.0:o"},
		{"1.0+ 1.1+ 1.0+ 2.0+", "NNSN", "1.0:o 1.1:d 2.0:s*"},
		/* a branch of the chain */
		{"1.0+ 1.1+ hotfix+", "NNN", "1.0:o 1.1:o hotfix:s*"},
		{"1.0+ 1.1+ hotfix+ 1.0+", "NNNS", "1.0:s* 1.1:d hotfix:d"},
		/* another prefix, and back: each prefix has its own past */
		{"1.0+ 1.0@q+", "NN", "1.0:o 1.0:s*"},
		{"1.0+ 1.0@q+ 1.0+", "NNS", "1.0:s* 1.0:o"},
		{"1.0+ 1.0@q+ 1.0+ 1.0@q+", "NNSS", "1.0:o 1.0:s*"},
		{"1.0+ 1.1+ 1.0@q+ 1.1+", "NNNS", "1.0:o 1.1:s* 1.0:o"},
		{"1.0+ 1.0@q=other+", "NN", "1.0:o 1.0:s*"},
		{"1.0+ 1.0@q-", "NN", "1.0:s* 1.0:f"},
		/* removed, and back again */
		{"1.0+ #", "N#", "1.0:o"},
		{"1.0+ # 1.0+", "N#S", "1.0:s*"},
		{"1.0+ 1.1+ # 1.0+", "NN#S", "1.0:s* 1.1:d"},
		{"1.0+ 1.1~ # 1.1+", "NN#N", "1.0:o 1.1:f 1.1:s*"},
		{"1.0+ # 1.0=other+", "N#R", "1.0:o"},
		/* rolling: a new record each time, nothing is ever downgraded */
		{"edge=1+ edge=2+", "NN", "edge:o edge:s*"},
		{"edge=1+ edge=1+", "NK", "edge:s*"},
		{"edge=1+ edge=2+ edge=1+", "NNN", "edge:o edge:o edge:s*"},
		{"edge=1+ edge=2- edge=2+", "NNH", "edge:s* edge:f"},
		{"edge=1+ edge=2- edge=2!", "NNS", "edge:o edge:s*"},
		{"edge=1+ edge=2- edge=1+", "NNK", "edge:s* edge:f"},
		{"edge=1+ edge=2- edge=3+ edge=2+", "NNNN", "edge:o edge:f edge:o edge:s*"},
		{"edge=1~ edge=2+", "NN", "edge:f edge:s*"},
		{"edge=1+ # edge=1+", "N#N", "edge:o edge:s*"},
		{"mq:simple=1+ mq:simple=2+ mq:simple=1+", "NNN", "simple:o simple:o simple:s*"},
		{"mq:simple=1+ mq:simple@q=1+", "NN", "simple:o simple:s*"},
		/* between rolling and incremental */
		{"1.0+ edge=1+ 1.0+", "NNS", "1.0:s* edge:o"},
		{"1.0+ 1.1+ edge=1+ 1.0+", "NNNS", "1.0:s* 1.1:d edge:o"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *world = world_new();

		world_play_script(world, rows[i].script);
		if (!str_eq(world->decisions, rows[i].decisions) ||
		    !str_eq(describe(world), rows[i].records))
			fail_msg("%s: %s, %s", rows[i].script, world->decisions, describe(world));
		world_free(world);
	}
}

/* Digests: a tag is looked up when a record is made, and never again for what it made. */
static void test_digests(void **state)
{
	static const struct {
		const char *script, *digests; /* of the records, in order */
	} rows[] = {
		{"1.0+ 1.1+ 1.0+ 1.1+", "d1 d2 d2"},
		{"1.0+ 1.0@q+ 1.1@q+ 1.1+", "d1 d1 d3 d3"}, /* frozen by its first success */
		{"1.0~ 1.0@q+ 1.0+", "d1 d2 d2"},
		{"edge=1+ edge=2+ edge=1+ edge=2+", "d1 d2 d1 d2"},
		{"edge=1- edge=2+ edge=1+", "d1 d2 d3"}, /* never succeeded: looked up again */
		{"edge=1+ edge@q=1+", "d1 d2"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *world = world_new();
		AUTO_BUF struct buf got = BUF_INIT(BUF_MAX_LINE);

		world_play_script(world, rows[i].script);
		for (size_t j = 0; j < world->n; j++)
			buf_addf(&got, "%s%s", j ? " " : "", world->records[j].content);
		if (!str_eq(buf_str(&got), rows[i].digests))
			fail_msg("%s: %s", rows[i].script, buf_str(&got));
		world_free(world);
	}
}

/* A version whose content is not what was frozen is refused even where it never ran. */
static void test_frozen_elsewhere(void **state)
{
	struct frozen frozen[] = {
		{.project = "shop", .product = "web", .version = "1.0", .content_id = "v:other"}};
	struct history history = {.frozen = frozen, .frozen_n = 1};
	struct commit commit = {"web", "1.0", "p", "c", '+'};
	struct decision decision;
	struct wanted wanted;

	(void)state;
	world_wanted(&commit, &wanted);
	lifecycle_decide(&wanted.slot, &history, &decision);
	assert_int_equal(decision.kind, DECIDE_REFUSED);
	assert_null(decision.record);
	assert_ptr_equal(decision.frozen, &frozen[0]);
	frozen[0].content_id = "v:same";
	lifecycle_decide(&wanted.slot, &history, &decision);
	assert_int_equal(decision.kind, DECIDE_NEW);
	assert_ptr_equal(decision.frozen, &frozen[0]);
	lifecycle_decide(&wanted.slot, NULL, &decision);
	assert_int_equal(decision.kind, DECIDE_NEW);
	assert_null(decision.frozen);
}

/* ---- walks at random, with an oracle ---- */

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 16) % sides;
}

static struct commit random_commit(uint32_t *seed, const struct commit *before)
{
	static const char *const versions[] = {"1.0", "1.1",  "1.2",  "1.3",   "2.0",
					       "2.1", "edge", "edge", "hotfix"};
	static const char outcomes[] = "++++--~!#";
	struct commit commit = {"web", versions[dice(seed, ARRAY_LEN(versions))], "p", "c", '+'};

	if (dice(seed, 8) == 0)
		commit.product = "api";
	if (dice(seed, 6) == 0)
		commit.prefix = "q";
	if (dice(seed, 8) == 0 || (str_eq(commit.version, "edge") && dice(seed, 2)))
		commit.config = "other";
	if (dice(seed, 4) == 0) /* the same commit again: a pass without news */
		commit = *before;
	commit.outcome = outcomes[dice(seed, (uint32_t)strlen(outcomes))];
	return commit;
}

static bool matches(const struct record *record, const struct wanted *wanted)
{
	return str_eq(record->product, wanted->product.name) &&
	       str_eq(record->version, wanted->slot.version_name) &&
	       str_eq(record->prefix, wanted->slot.prefix);
}

/* Only what record.h promises to plans. */
static void reduce(const struct world *world, struct history *out, struct record *records)
{
	size_t n = 0;

	for (size_t i = 0; i < world->n; i++) {
		const struct record *record = &world->records[i];
		bool newest = i + 1 == world->n, version = record->succeeded;
		bool input = record->succeeded;

		for (size_t j = i + 1; j < world->n; j++) {
			const struct record *later = &world->records[j];

			if (!later->succeeded)
				continue;
			input = input && !str_eq(later->input_id, record->input_id);
			version = version && !(str_eq(later->product, record->product) &&
					       str_eq(later->version, record->version) &&
					       str_eq(later->prefix, record->prefix));
		}
		if (newest || version || input || record->active ||
		    record->status == RECORD_PREPARING || record->status == RECORD_IN_PROGRESS)
			records[n++] = *record;
	}
	*out = (struct history){records, n, (struct frozen *)(uintptr_t)world->frozen,
				world->frozen_n};
}

static int64_t id_of(const struct record *record)
{
	return record ? record->id : 0;
}

static void check_reduced(const struct world *world, const struct wanted *wanted,
			  const struct decision *full)
{
	struct record *records = mem_zalloc(WORLD_MAX, sizeof *records);
	struct history history;
	struct decision decision;

	reduce(world, &history, records);
	lifecycle_decide(&wanted->slot, &history, &decision);
	assert_int_equal(decision.kind, full->kind);
	assert_int_equal(id_of(decision.active), id_of(full->active));
	assert_int_equal(id_of(decision.record), id_of(full->record));
	assert_int_equal(id_of(decision.copy_of), id_of(full->copy_of));
	assert_int_equal(id_of(decision.digests_of), id_of(full->digests_of));
	assert_ptr_equal(decision.frozen, full->frozen);
	free(records);
}

/* What a decision may be, said without its tables. */
static void check_decision(const struct world *world, const struct wanted *wanted)
{
	struct history history = world_history((struct world *)(uintptr_t)world);
	struct decision decision;
	const struct record *record;

	lifecycle_decide(&wanted->slot, &history, &decision);
	check_reduced(world, wanted, &decision);
	record = decision.record;
	if (decision.kind == DECIDE_START) {
		assert_true(record->succeeded || str_eq(record->reason, REASON_RETRY));
		assert_true(
			lifecycle_allows(record->status, RECORD_IN_PROGRESS, record->succeeded));
		assert_true(wanted->slot.type == VERSION_INCREMENTAL || !record->succeeded);
	}
	if (record)
		assert_true(matches(record, wanted));
	if (record && decision.kind != DECIDE_REFUSED)
		assert_string_equal(record->source_id, wanted->slot.source_id);
	if (decision.kind == DECIDE_REFUSED)
		assert_true(wanted->slot.type == VERSION_INCREMENTAL && record->succeeded);
	if (decision.kind == DECIDE_HELD)
		assert_true(record->status == RECORD_FAILED &&
			    !str_eq(record->reason, REASON_SUPERSEDED));
	if (decision.copy_of) {
		assert_int_equal(decision.kind, DECIDE_NEW);
		assert_int_equal(decision.copy_of->status, RECORD_DOWNGRADED);
	}
	assert_int_equal(decision.kind == DECIDE_KEEP,
			 decision.active && matches(decision.active, wanted) &&
				 str_eq(decision.active->source_id, wanted->slot.source_id));
}

static void check_world(const struct world *world)
{
	size_t active = 0, successful = 0, under_way = 0;

	for (size_t i = 0; i < world->n; i++) {
		const struct record *record = &world->records[i];

		active += record->active;
		successful += record->status == RECORD_SUCCESSFUL;
		under_way +=
			record->status == RECORD_PREPARING || record->status == RECORD_IN_PROGRESS;
		if (record->active)
			assert_true(record->succeeded && record->status == RECORD_SUCCESSFUL);
		if (!record->succeeded)
			assert_true(record->status == RECORD_FAILED ||
				    record->status == RECORD_PREPARING ||
				    record->status == RECORD_IN_PROGRESS);
		if (record->status == RECORD_DOWNGRADED)
			assert_int_equal(record->type, VERSION_INCREMENTAL);
	}
	assert_true(active <= 1);
	assert_int_equal(successful, active);
	assert_true(under_way <= 1);
}

static void walk(uint32_t seed)
{
	struct world *world = world_new();
	struct commit commit = {"web", "1.0", "p", "c", '+'};
	struct wanted wanted;

	for (int step = 0; step < 120; step++) {
		struct decision decision;
		const char *served;

		commit = random_commit(&seed, &commit);
		world_wanted(&commit, &wanted);
		check_decision(world, &wanted);
		served = NULL;
		for (size_t i = 0; i < world->n; i++) {
			if (world->records[i].active)
				served = world->records[i].content;
		}
		decision = world_play(world, &commit);
		check_world(world);
		if (commit.outcome == '#') {
			for (size_t i = 0; i < world->n; i++)
				assert_false(world->records[i].active);
			continue;
		}
		/* a second pass on the same commit has nothing new to do */
		check_decision(world, &wanted);
		for (size_t i = 0; i < world->n; i++) {
			const struct record *record = &world->records[i];

			if (!record->active)
				continue;
			if (commit.outcome == '-' || commit.outcome == '~')
				assert_string_equal(record->content, served);
			else if (decision.kind == DECIDE_NEW || decision.kind == DECIDE_START)
				assert_true(matches(record, &wanted));
		}
	}
	world_free(world);
}

static void test_random_walks(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 200; seed++)
		walk(seed * 2654435761u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_frozen_elsewhere),
		cmocka_unit_test(test_random_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

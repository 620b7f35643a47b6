/*
 * The truth tables of lifecycle.h, written down a second time.
 */
#include "tests/support/test.h"

#include "plan/lifecycle.h"
#include "tests/support/slot_world.h"

#define ROLL VERSION_ROLLING
#define INCR VERSION_INCREMENTAL

/* ---- ancestors ---- */

static bool is_ancestor(const char *a, const char *b)
{
	return lifecycle_is_ancestor(&world_ancestry, "shop", "web", a, b);
}

static void test_ancestors(void **state)
{
	static const struct {
		const char *a, *b;
		bool is;
	} rows[] = {
		{"1.0", "1.1", true},	{"1.0", "1.3", true},	 {"1.2", "1.3", true},
		{"1.1", "1.0", false},	{"1.0", "1.0", false},	 {"1.0", "2.1", false},
		{"2.0", "2.1", true},	{"1.0", "hotfix", true}, {"1.1", "hotfix", false},
		{"a", "b", true},	{"b", "a", true},	 {"a", "a", false},
		{"1.0", "a", false},	{"self", "self", false}, {"1.0", "self", false},
		{"a", "lone", true},	{"b", "lone", true},	 {"lone", "a", false},
		{"1.0", "lone", false}, {NULL, "1.1", false},	 {"1.0", NULL, false},
		{"gone", "1.0", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (is_ancestor(rows[i].a, rows[i].b) != rows[i].is)
			fail_msg("%s ancestor of %s: not %d", rows[i].a, rows[i].b, rows[i].is);
	}
}

static void test_parents_from_the_ledger(void **state)
{
	struct record records[] = {
		{.slot = {"shop", "prod", "web", "n1"},
		 .product = "web",
		 .version = "1.1",
		 .parent = "1.0"},
		{.slot = {"shop", "prod", "web", "n1"},
		 .product = "web",
		 .version = "1.2",
		 .parent = "wrong"},
	};
	struct frozen frozen[] = {
		{.project = "shop", .product = "web", .version = "1.2", .parent = "1.1"},
	};
	struct history history = {records, ARRAY_LEN(records), frozen, ARRAY_LEN(frozen)};
	struct lineage lineage = {NULL, &history};
	struct lineage nothing = {NULL, NULL};

	(void)state;
	assert_string_equal(lifecycle_parent(&lineage, "shop", "web", "1.2"), "1.1");
	assert_string_equal(lifecycle_parent(&lineage, "shop", "web", "1.1"), "1.0");
	assert_null(lifecycle_parent(&lineage, "shop", "web", "1.0"));
	assert_null(lifecycle_parent(&lineage, "shop", "api", "1.2"));
	assert_null(lifecycle_parent(&lineage, "other", "web", "1.1"));
	assert_null(lifecycle_parent(&nothing, "shop", "web", "1.1"));
}

/* ---- the state machine of one record ---- */

static void test_status_changes(void **state)
{
	/* rows: from, columns: to; y always, s once it succeeded */
	static const char *const grid[] = {
		/*                 -PISFOD   (none) Preparing InProgress Successful Failed ... */
		[0] = ".y.....",
		[RECORD_PREPARING] = "..y.y..",
		[RECORD_IN_PROGRESS] = "...yy..",
		[RECORD_SUCCESSFUL] = ".....ss",
		[RECORD_FAILED] = "..y..ss",
		[RECORD_OBSOLETE] = "..s...s",
		[RECORD_DOWNGRADED] = ".....s.",
	};

	(void)state;
	for (int from = 0; from < RECORD_STATUSES; from++) {
		for (int to = 0; to < RECORD_STATUSES; to++) {
			char may = grid[from][to];

			assert_int_equal(lifecycle_allows((enum record_status)from,
							  (enum record_status)to, false),
					 may == 'y');
			assert_int_equal(lifecycle_allows((enum record_status)from,
							  (enum record_status)to, true),
					 may != '.');
		}
	}
	assert_false(lifecycle_allows(RECORD_STATUSES, RECORD_FAILED, true));
	assert_false(lifecycle_allows(RECORD_FAILED, RECORD_STATUSES, true));
}

static void test_status_words(void **state)
{
	static const char *const words[] = {
		[RECORD_PREPARING] = "preparing",   [RECORD_IN_PROGRESS] = "inProgress",
		[RECORD_SUCCESSFUL] = "successful", [RECORD_FAILED] = "failed",
		[RECORD_OBSOLETE] = "obsolete",	    [RECORD_DOWNGRADED] = "downgraded"};

	(void)state;
	for (int i = 1; i < RECORD_STATUSES; i++) {
		assert_string_equal(record_status_word((enum record_status)i), words[i]);
		assert_int_equal(record_status_find(words[i]), i);
	}
	assert_int_equal(record_status_find("inprogress"), 0);
	assert_int_equal(record_status_find(NULL), 0);
	assert_string_equal(record_status_word(0), "");
}

/* ---- permissions ---- */

static void test_record_permissions(void **state)
{
	/* mutable R/I, start R/I (n no, s same, N new record), copiable, deletable */
	static const struct {
		enum record_status status;
		const char *row;
	} rows[] = {
		{RECORD_PREPARING, "yy ss y y"},  {RECORD_IN_PROGRESS, "nn nn n n"},
		{RECORD_SUCCESSFUL, "yn Nn y y"}, {RECORD_FAILED, "yy ss y y"},
		{RECORD_OBSOLETE, "nn Ns y y"},	  {RECORD_DOWNGRADED, "nn nn y y"},
	};
	static const char starts[] = {
		[START_NO] = 'n', [START_SAME] = 's', [START_NEW_RECORD] = 'N'};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct record_permission r =
			lifecycle_record_permission(rows[i].status, ROLL, false);
		struct record_permission n =
			lifecycle_record_permission(rows[i].status, INCR, false);
		char got[] = {r.is_mutable ? 'y' : 'n',
			      n.is_mutable ? 'y' : 'n',
			      ' ',
			      starts[r.start],
			      starts[n.start],
			      ' ',
			      r.copiable ? 'y' : 'n',
			      ' ',
			      r.deletable ? 'y' : 'n',
			      '\0'};

		assert_string_equal(got, rows[i].row);
		assert_int_equal(r.copiable, n.copiable);
		assert_int_equal(r.deletable, n.deletable);
	}
	/* what once succeeded stays frozen and stays a rollback target */
	assert_false(lifecycle_record_permission(RECORD_FAILED, INCR, true).is_mutable);
	assert_int_equal(lifecycle_record_permission(RECORD_FAILED, INCR, true).start, START_SAME);
	assert_true(lifecycle_record_permission(RECORD_FAILED, ROLL, true).is_mutable);
}

static void test_version_permissions(void **state)
{
	static const struct {
		struct version_facts facts;
		bool child, is_mutable, deletable;
	} rows[] = {
		/* type, simple, has_child, succeeded, in_progress */
		{{ROLL, false, false, false, false}, false, true, true},
		{{ROLL, false, false, true, false}, false, true, true},
		{{ROLL, false, false, true, true}, false, true, false},
		{{ROLL, true, false, true, false}, false, true, false},
		{{ROLL, true, false, false, false}, false, true, false},
		{{INCR, false, false, false, false}, true, true, true},
		{{INCR, false, false, false, true}, true, true, true},
		{{INCR, false, true, false, false}, false, false, false},
		{{INCR, false, false, true, false}, true, false, false},
		{{INCR, false, true, true, true}, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct version_permission got = lifecycle_version_permission(&rows[i].facts);

		if (got.child != rows[i].child || got.is_mutable != rows[i].is_mutable ||
		    got.deletable != rows[i].deletable)
			fail_msg("row %zu: child %d, mutable %d, deletable %d", i, got.child,
				 got.is_mutable, got.deletable);
	}
}

/* ---- what a success changes: the status table, row by row ---- */

/* "web 1.0 p successful*": * active, nothing: once succeeded, ?: never did; version - of a simple
 * one. */
static struct record parse_record(struct arena *arena, int64_t id, enum version_type_value type,
				  const char *text)
{
	const char *words[4] = {0}, *end;
	struct record record;

	for (size_t i = 0; i < 4 && *text; i++) {
		words[i] = world_word(arena, &text, " *?");
		while (*text == ' ')
			text++;
	}
	end = text;
	record =
		world_record(id, type, words[0], str_eq(words[1], "-") ? NULL : words[1], words[2]);
	record.status = record_status_find(words[3]);
	record.active = *end == '*';
	record.succeeded = record.status && *end != '?';
	return record;
}

static void test_success(void **state)
{
	static const struct {
		const char *what, *now, *earlier, *then; /* now: the first letter is the type */
	} rows[] = {
		{"same version, incremental", "Iweb 1.1 p", "web 1.1 p downgraded",
		 "obsolete replaced"},
		{"same version, rolling", "Rweb edge p", "web edge p successful*",
		 "obsolete replaced"},
		{"same simple product", "Rmq - p", "mq - p successful*", "obsolete replaced"},
		{"ancestor", "Iweb 1.1 p", "web 1.0 p successful*", "obsolete replaced"},
		{"far ancestor", "Iweb 1.3 p", "web 1.0 p successful*", "obsolete replaced"},
		{"downgraded ancestor", "Iweb 1.2 p", "web 1.1 p downgraded", "obsolete replaced"},
		{"ancestor, failed later", "Iweb 1.2 p", "web 1.1 p failed", "obsolete replaced"},
		{"obsolete ancestor", "Iweb 1.2 p", "web 1.1 p obsolete", ""},
		{"descendant: rollback", "Iweb 1.0 p", "web 1.1 p successful*",
		 "downgraded rollback"},
		{"obsolete descendant", "Iweb 1.0 p", "web 1.2 p obsolete", "downgraded rollback"},
		{"descendant, failed later", "Iweb 1.0 p", "web 1.2 p failed",
		 "downgraded rollback"},
		{"downgraded descendant", "Iweb 1.0 p", "web 1.2 p downgraded", ""},
		{"ancestor that never succeeded", "Iweb 1.1 p", "web 1.0 p failed?", ""},
		{"descendant that never succeeded", "Iweb 1.0 p", "web 1.1 p failed?", ""},
		{"other chain, active", "Iweb 2.0 p", "web 1.1 p successful*", "obsolete chain"},
		{"other chain, not active", "Iweb 2.0 p", "web 1.1 p downgraded", ""},
		{"incremental to rolling", "Rweb edge p", "web 1.1 p successful*",
		 "obsolete chain"},
		{"rolling downgrades nothing", "Rweb 1.0 p", "web 1.1 p obsolete", ""},
		{"rolling to incremental", "Iweb 1.0 p", "web edge p successful*",
		 "obsolete chain"},
		{"other prefix, active", "Iweb 1.0 q", "web 1.0 p successful*", "obsolete prefix"},
		{"other prefix and version", "Iweb 1.0 q", "web 1.1 p successful*",
		 "obsolete prefix"},
		{"other prefix, not active", "Iweb 1.0 q", "web 1.1 p downgraded", ""},
		{"other product, active", "Iapi 1.0 p", "web 1.0 p successful*",
		 "obsolete product"},
		{"other product, not active", "Iapi 1.0 p", "web 1.0 p obsolete", ""},
		{"superseded before", "Iweb 1.1 p", "web 1.0 p inProgress", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA struct arena *arena = arena_new(0);
		AUTO_BUF struct buf got = BUF_INIT(BUF_MAX_LINE);
		struct record records[] = {
			parse_record(arena, 1, INCR, rows[i].earlier),
			parse_record(arena, 2, *rows[i].now == 'R' ? ROLL : INCR, rows[i].now + 1),
		};
		struct history history = {.records = records, .records_n = ARRAY_LEN(records)};
		struct transition out[2];
		size_t n = lifecycle_on_success(&records[1], &history, &world_ancestry, out);

		for (size_t j = 0; j < n; j++) {
			assert_int_equal(out[j].record, 1);
			assert_int_equal(out[j].from, records[0].status);
			assert_int_equal(slot_key_cmp(&out[j].slot, &world_slot), 0);
			assert_true(lifecycle_allows(out[j].from, out[j].to, true));
			buf_addf(&got, "%s %s", record_status_word(out[j].to), out[j].reason);
		}
		if (!str_eq(buf_str(&got), rows[i].then))
			fail_msg("%s: \"%s\"", rows[i].what, buf_str(&got));
	}
}

/* Another slot's records are never touched, whatever they look like. */
static void test_success_stays_in_its_slot(void **state)
{
	struct record records[3];
	struct history history = {.records = records, .records_n = 3};
	struct transition out[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		records[i] = world_record((int64_t)i + 1, INCR, "web", "1.0", "p");
		records[i].status = RECORD_SUCCESSFUL;
		records[i].succeeded = records[i].active = true;
	}
	records[0].slot.node = "n0";
	records[2].slot.node = "n2";
	records[1].version = "1.1";
	assert_int_equal(lifecycle_on_success(&records[1], &history, &world_ancestry, out), 0);
}

static void test_removal(void **state)
{
	struct record records[4];
	struct history history = {.records = records, .records_n = 4};
	struct transition out[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		records[i] = world_record((int64_t)i + 1, INCR, "web", "1.0", "p");
	records[0].status = RECORD_OBSOLETE;
	records[1].status = RECORD_SUCCESSFUL;
	records[1].active = true;
	records[2].status = RECORD_FAILED;
	records[3].status = RECORD_IN_PROGRESS;
	records[0].succeeded = records[1].succeeded = true;
	assert_int_equal(lifecycle_on_removal(&world_slot, REASON_DETACHED, &history, out), 2);
	assert_int_equal(out[0].record, 2);
	assert_int_equal(out[0].to, RECORD_OBSOLETE);
	assert_string_equal(out[0].reason, "detached");
	assert_int_equal(out[1].record, 4);
	assert_int_equal(out[1].to, RECORD_FAILED);
	assert_string_equal(out[1].reason, "superseded");
	assert_int_equal(lifecycle_on_removal(&(struct slot_key){"shop", "prod", "web", "n9"},
					      REASON_REMOVED, &history, out),
			 0);
	assert_int_equal(lifecycle_on_removal(&world_slot, REASON_REMOVED, NULL, out), 0);
}

/* ---- looking into history ---- */

static void test_history(void **state)
{
	struct record records[] = {
		{.id = 1, .slot = {"a", "s", "d", "n1"}},
		{.id = 4, .slot = {"a", "s", "d", "n1"}},
		{.id = 2, .slot = {"a", "s", "d", "n2"}},
		{.id = 3, .slot = {"b", "s", "d", "n1"}},
	};
	struct history history = {.records = records, .records_n = ARRAY_LEN(records)};
	static const struct {
		struct slot_key slot;
		int64_t first;
		size_t n;
	} rows[] = {
		{{"a", "a", "d", "n1"}, 0, 0}, {{"a", "s", "d", "n1"}, 1, 2},
		{{"a", "s", "d", "n2"}, 2, 1}, {{"a", "s", "e", "n1"}, 0, 0},
		{{"b", "s", "d", "n1"}, 3, 1}, {{"c", "s", "d", "n1"}, 0, 0},
	};
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct record *found = history_slot(&history, &rows[i].slot, &n);

		assert_int_equal(n, rows[i].n);
		assert_int_equal(found ? found->id : 0, rows[i].first);
	}
	assert_null(history_slot(NULL, &rows[1].slot, &n));
	assert_null(history_frozen(NULL, "a", "b", "c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ancestors),
		cmocka_unit_test(test_parents_from_the_ledger),
		cmocka_unit_test(test_status_changes),
		cmocka_unit_test(test_status_words),
		cmocka_unit_test(test_record_permissions),
		cmocka_unit_test(test_version_permissions),
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_success_stays_in_its_slot),
		cmocka_unit_test(test_removal),
		cmocka_unit_test(test_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

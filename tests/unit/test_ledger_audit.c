#include "tests/support/test.h"
#include "tests/support/ledger.h"

#define ENTRIES 5

static void write_entries(struct ledger_fixture *fixture)
{
	static const char *const actors[ENTRIES] = {"Ann", "trueup", "Ann", "Bob", "trueup"};

	for (int i = 0; i < ENTRIES; i++) {
		assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
		assert_done(ledger_audit(fixture->ledger, actors[i], "apply", i % 2 ? NULL : "shop",
					 i % 3 ? "detail" : NULL, 100 + i, &fixture->err),
			    fixture->err);
		assert_done(ledger_commit(fixture->ledger, &fixture->err), fixture->err);
	}
}

static void test_whole_chain(void **state)
{
	struct ledger_fixture *fixture = *state;
	size_t n = 99;

	assert_done(audit_verify(fixture->dir, &n, &fixture->err), fixture->err);
	assert_int_equal(n, 0);
	write_entries(fixture);
	assert_done(audit_verify(fixture->dir, &n, &fixture->err), fixture->err);
	assert_int_equal(n, ENTRIES);
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
	write_entries(fixture);
	assert_done(audit_verify(fixture->dir, &n, &fixture->err), fixture->err);
	assert_int_equal(n, 2 * ENTRIES);
}

/* The chain is part of the format: the same entries must always give the same hashes. */
static void test_known_hash(void **state)
{
	struct ledger_fixture *fixture = *state;
	const struct audit_query all = {0};
	struct audit_entry *entries;
	size_t n;

	write_entries(fixture);
	assert_done(audit_read(fixture->dir, &all, fixture->arena, &entries, &n, &fixture->err),
		    fixture->err);
	assert_string_equal(entries[0].hash,
			    "b7cd20e506c214c003459e782de2f41bbbf76fb1bcac9670be5f61fea93bdab4");
	assert_string_equal(entries[1].hash,
			    "5ed1360a776ee59ca2dda65037ec240d773d0538e6d38bc885e54b22edbceb55");
}

static void test_queries(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct audit_query query = {.actor = "Ann"};
	struct audit_entry *entries;
	size_t n;

	write_entries(fixture);
	assert_done(audit_read(fixture->dir, &query, fixture->arena, &entries, &n, &fixture->err),
		    fixture->err);
	assert_int_equal(n, 2);
	assert_int_equal(entries[1].id, 3);
	assert_int_equal(entries[1].when_ms, 102);
	assert_string_equal(entries[1].action, "apply");
	assert_string_equal(entries[1].subject, "shop");
	assert_string_equal(entries[1].detail, "detail");
	query.since_ms = 101;
	assert_done(audit_read(fixture->dir, &query, fixture->arena, &entries, &n, &fixture->err),
		    fixture->err);
	assert_int_equal(n, 1);
	query.actor = NULL;
	assert_done(audit_read(fixture->dir, &query, fixture->arena, &entries, &n, &fixture->err),
		    fixture->err);
	assert_int_equal(n, ENTRIES - 1);
}

static void test_tampering_is_found(void **state)
{
	static const struct {
		const char *sql, *says;
	} rows[] = {
		{"UPDATE audit SET actor='Eve' WHERE id=3", "entry 3 does not fit"},
		{"UPDATE audit SET subject='' WHERE id=2", "entry 2 does not fit"},
		{"UPDATE audit SET detail='shopdetail',subject=NULL WHERE id=3", "entry 3"},
		{"UPDATE audit SET when_ms=1 WHERE id=5", "entry 5 does not fit"},
		{"UPDATE audit SET hash='0' WHERE id=1", "entry 1 does not fit"},
		{"DELETE FROM audit WHERE id=3", "entry 3 is missing"},
		{"DELETE FROM audit WHERE id=1", "entry 1 is missing"},
		{"DELETE FROM audit WHERE id=5", "ends with entry 4"},
		{"DELETE FROM audit", "ends with entry 0"},
		{"UPDATE audit SET id=9 WHERE id=2; UPDATE audit SET id=2 WHERE id=3;"
		 "UPDATE audit SET id=3 WHERE id=9",
		 "entry 2 does not fit"},
		{"DELETE FROM audit WHERE id=3; UPDATE audit SET id=id-1 WHERE id>3",
		 "entry 3 does not fit"},
		{"INSERT INTO audit(id,when_ms,actor,action,hash) VALUES(6,1,'Eve','x','0')",
		 "entry 6 does not fit"},
		{"DELETE FROM fact WHERE name='audit.head'", "ends with entry 5"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ledger_fixture *fixture;
		void *inner;
		size_t n;

		ledger_fixture_setup(&inner);
		fixture = inner;
		write_entries(fixture);
		test_ledger_tamper(fixture, rows[i].sql);
		assert_fails(audit_verify(fixture->dir, &n, &fixture->err), fixture->err,
			     E_LEDGER_CORRUPT);
		if (!strstr(fixture->err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].sql, fixture->err.text);
		ledger_fixture_teardown(&inner);
	}
	(void)state;
}

/* The start looks at the end of the chain, so that nothing is appended to a cut one. */
static void test_a_cut_chain_is_found_at_start(void **state)
{
	struct ledger_fixture *fixture = *state;

	write_entries(fixture);
	test_ledger_tamper(fixture, "DELETE FROM audit WHERE id=5");
	ledger_fixture_reopen(fixture, LEDGER_REBUILT);
}

static void test_a_detail_has_a_limit(void **state)
{
	struct ledger_fixture *fixture = *state;
	char *detail AUTO_FREE = mem_zalloc(1, (64 << 10) + 2);

	memset(detail, 'x', (64 << 10) + 1);
	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_fails(ledger_audit(fixture->ledger, "a", "b", "c", detail, 1, &fixture->err),
		     fixture->err, E_TOO_LARGE);
	ledger_rollback(fixture->ledger);
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole_chain),
		TEST(test_known_hash),
		TEST(test_queries),
		cmocka_unit_test(test_tampering_is_found),
		TEST(test_a_cut_chain_is_found_at_start),
		TEST(test_a_detail_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

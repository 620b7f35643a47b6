#include "tests/support/test.h"
#include "tests/support/ledger.h"

/* ---- a record and its fields ---- */

static const struct record *only_record(struct ledger_fixture *fixture)
{
	struct history history = {0};

	assert_done(ledger_history(fixture->ledger, NULL, fixture->arena, &history, &fixture->err),
		    fixture->err);
	assert_int_equal(history.records_n, 1);
	return history.records;
}

static void test_every_field_comes_back(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record in = test_record("web", "1.1.0");
	const struct record *out;
	int64_t id;

	in.parent = "1.0.0";
	in.reason = "because";
	in.tries = 3;
	in.started_ms = 1100;
	in.finished_ms = 1200;
	in.status = RECORD_FAILED;
	in.error_code = "engine";
	in.error_step = "create";
	in.error_text = "it said \"no\"";
	in.error_log = "line one\nline two";
	id = test_add(fixture, &in);
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
	out = only_record(fixture);
	assert_int_equal(out->id, id);
	assert_int_equal(slot_key_cmp(&out->slot, &in.slot), 0);
	assert_string_equal(out->product, in.product);
	assert_string_equal(out->version, in.version);
	assert_string_equal(out->parent, in.parent);
	assert_int_equal(out->type, VERSION_INCREMENTAL);
	assert_string_equal(out->prefix, in.prefix);
	assert_string_equal(out->source_id, in.source_id);
	assert_string_equal(out->input_id, in.input_id);
	assert_string_equal(out->release_id, in.release_id);
	assert_int_equal(out->status, RECORD_FAILED);
	assert_false(out->succeeded);
	assert_false(out->active);
	assert_string_equal(out->reason, in.reason);
	assert_string_equal(out->commit, in.commit);
	assert_string_equal(out->author, in.author);
	assert_int_equal(out->tries, 3);
	assert_int_equal(out->created_ms, 1000);
	assert_int_equal(out->started_ms, 1100);
	assert_int_equal(out->finished_ms, 1200);
	assert_string_equal(out->error_code, in.error_code);
	assert_string_equal(out->error_step, in.error_step);
	assert_string_equal(out->error_text, in.error_text);
	assert_string_equal(out->error_log, in.error_log);
	assert_null(out->content);
}

static void test_nothing_is_nothing(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record in = {.slot = {"shop", "production", "web", "edge-1"},
			    .type = VERSION_ROLLING};
	const struct record *out;

	test_add(fixture, &in);
	out = only_record(fixture);
	assert_null(out->version);
	assert_null(out->parent);
	assert_null(out->reason);
	assert_null(out->author);
	assert_null(out->error_code);
	assert_null(out->error_log);
	assert_string_equal(out->release_id, "");
	assert_int_equal(out->type, VERSION_ROLLING);
	assert_int_equal(out->status, RECORD_PREPARING);
}

static void test_content(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	const char *content = NULL;
	int64_t id = test_add(fixture, &record);

	assert_done(ledger_content(fixture->ledger, id, fixture->arena, &content, &fixture->err),
		    fixture->err);
	assert_string_equal(content, record.content);
	assert_fails(
		ledger_content(fixture->ledger, id + 1, fixture->arena, &content, &fixture->err),
		fixture->err, E_NOT_FOUND);
}

static void test_digests_are_resolved_once(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	const char *content = NULL;
	int64_t id;

	record.release_id = NULL;
	id = test_add(fixture, &record);
	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_done(ledger_resolve(fixture->ledger, id, "1:abc", "{\"digest\":1}", &fixture->err),
		    fixture->err);
	assert_fails(ledger_resolve(fixture->ledger, id, "1:def", "{}", &fixture->err),
		     fixture->err, E_NOT_FOUND);
	assert_done(ledger_commit(fixture->ledger, &fixture->err), fixture->err);
	assert_string_equal(only_record(fixture)->release_id, "1:abc");
	assert_done(ledger_content(fixture->ledger, id, fixture->arena, &content, &fixture->err),
		    fixture->err);
	assert_string_equal(content, "{\"digest\":1}");
}

/* ---- status ---- */

static void test_a_try_that_succeeds(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	int64_t id = test_add(fixture, &record);
	const struct record *out;

	test_move(fixture, id, RECORD_IN_PROGRESS, NULL);
	out = only_record(fixture);
	assert_int_equal(out->status, RECORD_IN_PROGRESS);
	assert_int_equal(out->tries, 1);
	assert_int_equal(out->started_ms, 2000);
	assert_int_equal(out->finished_ms, 0);
	assert_false(out->active);
	test_move(fixture, id, RECORD_SUCCESSFUL, NULL);
	out = only_record(fixture);
	assert_int_equal(out->status, RECORD_SUCCESSFUL);
	assert_int_equal(out->finished_ms, 2000);
	assert_true(out->active);
	assert_true(out->succeeded);
}

static void fail_record(struct ledger_fixture *fixture, int64_t id, const char *log)
{
	const struct record_error error = {"unhealthy", "wait", "not healthy in 5m", log};

	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_done(ledger_set_status(fixture->ledger, id, RECORD_FAILED, "health", &error, 3000,
				      &fixture->err),
		    fixture->err);
	assert_done(ledger_commit(fixture->ledger, &fixture->err), fixture->err);
}

static void test_a_try_that_fails_and_the_next(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	int64_t id = test_add(fixture, &record);
	const struct record *out;

	test_move(fixture, id, RECORD_IN_PROGRESS, NULL);
	fail_record(fixture, id, "last words");
	out = only_record(fixture);
	assert_int_equal(out->status, RECORD_FAILED);
	assert_string_equal(out->reason, "health");
	assert_string_equal(out->error_code, "unhealthy");
	assert_string_equal(out->error_log, "last words");
	assert_false(out->succeeded);
	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_done(ledger_forget_failure(fixture->ledger, id, &fixture->err), fixture->err);
	assert_fails(ledger_forget_failure(fixture->ledger, id + 1, &fixture->err), fixture->err,
		     E_NOT_FOUND);
	assert_done(ledger_commit(fixture->ledger, &fixture->err), fixture->err);
	assert_string_equal(only_record(fixture)->reason, "retry");
	test_move(fixture, id, RECORD_IN_PROGRESS, NULL);
	out = only_record(fixture);
	assert_int_equal(out->tries, 2);
	assert_null(out->reason);
	assert_null(out->error_text);
}

static void test_long_logs_are_cut(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	int64_t id = test_add(fixture, &record);
	struct buf log AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

	buf_addc(&log, 'x');
	for (int i = 0; i < 50000; i++)
		buf_adds(&log, "\xc3\xa4");
	test_move(fixture, id, RECORD_IN_PROGRESS, NULL);
	fail_record(fixture, id, buf_str(&log));
	assert_int_equal(strlen(only_record(fixture)->error_log), (64 << 10) - 1);
}

static void test_only_one_is_active(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	int64_t first = test_add_successful(fixture, &record), second;
	struct history history;

	record.version = "1.1.0";
	second = test_add_successful(fixture, &record);
	test_move(fixture, first, RECORD_OBSOLETE, "replaced");
	assert_done(ledger_history(fixture->ledger, NULL, fixture->arena, &history, &fixture->err),
		    fixture->err);
	assert_int_equal(history.records_n, 2);
	assert_int_equal(history.records[0].id, first);
	assert_false(history.records[0].active);
	assert_string_equal(history.records[0].reason, "replaced");
	assert_true(history.records[0].succeeded);
	assert_int_equal(history.records[0].finished_ms, 2000);
	assert_int_equal(history.records[1].id, second);
	assert_true(history.records[1].active);
	/* And back: the old one is started again and serves. */
	test_move(fixture, first, RECORD_IN_PROGRESS, NULL);
	test_move(fixture, first, RECORD_SUCCESSFUL, NULL);
	test_move(fixture, second, RECORD_DOWNGRADED, "rollback");
	assert_done(ledger_history(fixture->ledger, NULL, fixture->arena, &history, &fixture->err),
		    fixture->err);
	assert_true(history.records[0].active);
	assert_false(history.records[1].active);
	assert_int_equal(history.records[1].status, RECORD_DOWNGRADED);
}

static void test_an_end_without_a_successor(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	int64_t id = test_add_successful(fixture, &record);

	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_done(ledger_clear_active(fixture->ledger, &record.slot, &fixture->err),
		    fixture->err);
	assert_done(ledger_set_status(fixture->ledger, id, RECORD_OBSOLETE, "removed", NULL, 5000,
				      &fixture->err),
		    fixture->err);
	assert_done(ledger_commit(fixture->ledger, &fixture->err), fixture->err);
	assert_false(only_record(fixture)->active);
	assert_string_equal(only_record(fixture)->reason, "removed");
}

static void test_a_move_that_is_not_allowed(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	int64_t id = test_add_successful(fixture, &record);

	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_fails(ledger_set_status(fixture->ledger, id, RECORD_IN_PROGRESS, NULL, NULL, 1,
				       &fixture->err),
		     fixture->err, E_INTERNAL);
	assert_non_null(strstr(fixture->err.text, "successful"));
	assert_fails(ledger_set_status(fixture->ledger, id + 1, RECORD_FAILED, NULL, NULL, 1,
				       &fixture->err),
		     fixture->err, E_NOT_FOUND);
	ledger_rollback(fixture->ledger);
	assert_int_equal(only_record(fixture)->status, RECORD_SUCCESSFUL);
}

static void test_adoption(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	const struct record *out;

	record.status = RECORD_SUCCESSFUL;
	record.succeeded = record.active = true;
	test_add(fixture, &record);
	out = only_record(fixture);
	assert_true(out->active);
	/* A status that contradicts itself is our own mistake, and the schema says so. */
	record.succeeded = false;
	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_fails(ledger_add_record(fixture->ledger, &record, &(int64_t){0}, &fixture->err),
		     fixture->err, E_INTERNAL);
	ledger_rollback(fixture->ledger);
}

/* ---- which records make up the history ---- */

/* Adds records to one slot, one a letter: S succeeded (the last one active), F failed, P preparing;
 * a digit before it is its version. Returns the ids that the history then holds, as letters. */
static const char *history_of(struct ledger_fixture *fixture, const char *story,
			      enum version_type_value type)
{
	struct record record = test_record("web", NULL);
	struct history history;
	char *kept;

	for (const char *at = story; *at; at += 2) {
		char version[] = {at[0], '\0'};
		int64_t id;

		record.version = version;
		record.type = type;
		if (at[1] == 'S') {
			test_add_successful(fixture, &record);
			continue;
		}
		id = test_add(fixture, &record);
		if (at[1] == 'F') {
			test_move(fixture, id, RECORD_IN_PROGRESS, NULL);
			fail_record(fixture, id, NULL);
		}
	}
	assert_done(ledger_history(fixture->ledger, &record.slot, fixture->arena, &history,
				   &fixture->err),
		    fixture->err);
	kept = arena_alloc(fixture->arena, history.records_n + 1);
	for (size_t i = 0; i < history.records_n; i++)
		kept[i] = (char)('a' + history.records[i].id - 1);
	return kept;
}

static void test_history_of_an_incremental_slot(void **state)
{
	/* Each that ever succeeded is a rollback target; of the failed, only the newest record. */
	assert_string_equal(history_of(*state, "1S2F2F2S3F", VERSION_INCREMENTAL), "ade");
}

static void test_history_of_a_rolling_slot(void **state)
{
	/* The last five successes, and of each version the newest. */
	assert_string_equal(history_of(*state, "1S1S2S2S2S2S2S2S2F", VERSION_ROLLING), "bdefghi");
}

static void test_history_of_what_is_not_final(void **state)
{
	assert_string_equal(history_of(*state, "1P1P1F1P1F", VERSION_ROLLING), "abde");
}

static void test_history_by_slot(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	struct slot_key other = record.slot;
	struct history history;

	for (int i = 0; i < 3; i++) {
		static const char *const nodes[] = {"c", "a", "b"};

		record.slot.node = nodes[i];
		test_add(fixture, &record);
		test_add(fixture, &record);
	}
	assert_done(ledger_history(fixture->ledger, NULL, fixture->arena, &history, &fixture->err),
		    fixture->err);
	assert_int_equal(history.records_n, 6);
	for (size_t i = 1; i < history.records_n; i++) {
		int order = slot_key_cmp(&history.records[i - 1].slot, &history.records[i].slot);

		assert_true(order < 0 ||
			    (order == 0 && history.records[i - 1].id < history.records[i].id));
	}
	other.node = "b";
	assert_done(
		ledger_history(fixture->ledger, &other, fixture->arena, &history, &fixture->err),
		fixture->err);
	assert_int_equal(history.records_n, 2);
	assert_string_equal(history.records[1].slot.node, "b");
}

/* ---- frozen versions ---- */

static void freeze(struct ledger_fixture *fixture, const char *project, const char *version,
		   const char *content)
{
	const struct frozen frozen = {.project = project,
				      .product = "storefront",
				      .version = version,
				      .parent = "0.9",
				      .content_id = "1:content",
				      .content = content,
				      .commit = "abc",
				      .node = "edge-1",
				      .when_ms = 77};

	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_done(ledger_freeze(fixture->ledger, &frozen, &fixture->err), fixture->err);
	assert_done(ledger_commit(fixture->ledger, &fixture->err), fixture->err);
}

static void test_frozen_once(void **state)
{
	struct ledger_fixture *fixture = *state;
	const struct slot_key slot = {"shop", "production", "web", "edge-1"};
	const struct frozen *found;
	struct history history;

	freeze(fixture, "shop", "1.1", "second");
	freeze(fixture, "shop", "1.0", "first");
	freeze(fixture, "shop", "1.0", "again");
	freeze(fixture, "blog", "1.0", "other");
	assert_done(ledger_history(fixture->ledger, NULL, fixture->arena, &history, &fixture->err),
		    fixture->err);
	assert_int_equal(history.frozen_n, 3);
	found = history_frozen(&history, "shop", "storefront", "1.0");
	assert_non_null(found);
	assert_string_equal(found->content, "first");
	assert_string_equal(found->parent, "0.9");
	assert_string_equal(found->content_id, "1:content");
	assert_string_equal(found->commit, "abc");
	assert_string_equal(found->node, "edge-1");
	assert_int_equal(found->when_ms, 77);
	assert_int_equal(found->record, 0);
	assert_done(ledger_history(fixture->ledger, &slot, fixture->arena, &history, &fixture->err),
		    fixture->err);
	assert_int_equal(history.frozen_n, 2);
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_field_comes_back),
		TEST(test_nothing_is_nothing),
		TEST(test_content),
		TEST(test_digests_are_resolved_once),
		TEST(test_a_try_that_succeeds),
		TEST(test_a_try_that_fails_and_the_next),
		TEST(test_long_logs_are_cut),
		TEST(test_only_one_is_active),
		TEST(test_an_end_without_a_successor),
		TEST(test_a_move_that_is_not_allowed),
		TEST(test_adoption),
		TEST(test_history_of_an_incremental_slot),
		TEST(test_history_of_a_rolling_slot),
		TEST(test_history_of_what_is_not_final),
		TEST(test_history_by_slot),
		TEST(test_frozen_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

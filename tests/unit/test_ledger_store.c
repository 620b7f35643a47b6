#include "tests/support/test.h"
#include "tests/support/ledger.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "ledger/load.h"

static void begin(struct ledger_fixture *fixture)
{
	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
}

static void commit(struct ledger_fixture *fixture)
{
	assert_done(ledger_commit(fixture->ledger, &fixture->err), fixture->err);
}

/* ---- transactions ---- */

static void test_writing_needs_a_transaction(void **state)
{
	struct ledger_fixture *fixture = *state;

	assert_fails(ledger_put(fixture->ledger, "tip", "a", &fixture->err), fixture->err,
		     E_INTERNAL);
	assert_fails(ledger_commit(fixture->ledger, &fixture->err), fixture->err, E_INTERNAL);
	begin(fixture);
	assert_fails(ledger_begin(fixture->ledger, &fixture->err), fixture->err, E_INTERNAL);
	commit(fixture);
}

static const char *get(struct ledger_fixture *fixture, const char *name)
{
	const char *value = "unread";

	assert_done(ledger_get(fixture->ledger, name, fixture->arena, &value, &fixture->err),
		    fixture->err);
	return value;
}

static void test_all_or_nothing(void **state)
{
	struct ledger_fixture *fixture = *state;

	begin(fixture);
	assert_done(ledger_put(fixture->ledger, "tip", "a", &fixture->err), fixture->err);
	ledger_rollback(fixture->ledger);
	ledger_rollback(fixture->ledger);
	assert_null(get(fixture, "tip"));
}

/* Does this process keep others from writing just now? Only another process can tell. */
static bool is_locked(const struct ledger_fixture *fixture)
{
	char path[FS_PATH_MAX];
	int status;
	pid_t child;

	assert_done(fs_join(path, fixture->dir, LEDGER_FILE), fixture->err);
	child = fork();
	if (child == 0) {
		/* the bytes that SQLite's readers lock: see its file format's description */
		struct flock lock = {.l_type = F_WRLCK,
				     .l_whence = SEEK_SET,
				     .l_start = 0x40000002,
				     .l_len = 510};
		int fd = open(path, O_RDWR | O_CLOEXEC);

		_exit(fd < 0 || fcntl(fd, F_GETLK, &lock) != 0 ? 2 : lock.l_type != F_UNLCK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 1;
}

static void test_many_reads_take_one_lock(void **state)
{
	struct ledger_fixture *fixture = *state;

	ledger_hold(fixture->ledger);
	assert_null(get(fixture, "tip"));
	assert_true(is_locked(fixture));
	ledger_let_go(fixture->ledger);
	assert_false(is_locked(fixture));
	assert_null(get(fixture, "tip"));
	assert_false(is_locked(fixture));
}

/* Who holds it and then has something to write writes; who writes need not let go. */
static void test_a_write_ends_the_hold(void **state)
{
	struct ledger_fixture *fixture = *state;

	ledger_hold(fixture->ledger);
	assert_null(get(fixture, "tip"));
	assert_fails(ledger_put(fixture->ledger, "tip", "a", &fixture->err), fixture->err,
		     E_INTERNAL);
	assert_fails(ledger_commit(fixture->ledger, &fixture->err), fixture->err, E_INTERNAL);
	begin(fixture);
	ledger_hold(fixture->ledger);
	assert_done(ledger_put(fixture->ledger, "tip", "a", &fixture->err), fixture->err);
	ledger_let_go(fixture->ledger);
	commit(fixture);
	ledger_let_go(fixture->ledger);
	assert_string_equal(get(fixture, "tip"), "a");
	assert_false(is_locked(fixture));
}

/* A caller who overlooks a failed write must not commit the half of what it meant. */
static void test_a_failed_write_fails_the_commit(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct ledger_step step = {.op = NULL, .name = "web"};

	begin(fixture);
	assert_done(ledger_put(fixture->ledger, "tip", "a", &fixture->err), fixture->err);
	assert_fails(ledger_intent(fixture->ledger, &step, &step.id, &fixture->err), fixture->err,
		     E_INTERNAL);
	assert_fails(ledger_put(fixture->ledger, "tip", "b", &fixture->err), fixture->err,
		     E_INTERNAL);
	assert_fails(ledger_commit(fixture->ledger, &fixture->err), fixture->err, E_INTERNAL);
	assert_non_null(strstr(fixture->err.text, "nothing was written"));
	assert_null(get(fixture, "tip"));
	begin(fixture);
	assert_done(ledger_put(fixture->ledger, "tip", "c", &fixture->err), fixture->err);
	commit(fixture);
	assert_string_equal(get(fixture, "tip"), "c");
}

/* ---- facts ---- */

static void test_facts(void **state)
{
	struct ledger_fixture *fixture = *state;

	begin(fixture);
	assert_null(get(fixture, "tip"));
	assert_done(ledger_put(fixture->ledger, "tip", "a", &fixture->err), fixture->err);
	assert_done(ledger_put(fixture->ledger, "branch", "", &fixture->err), fixture->err);
	assert_done(ledger_put(fixture->ledger, "tip", "b", &fixture->err), fixture->err);
	assert_string_equal(get(fixture, "tip"), "b");
	commit(fixture);
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
	assert_string_equal(get(fixture, "tip"), "b");
	assert_string_equal(get(fixture, "branch"), "");
	begin(fixture);
	assert_done(ledger_put(fixture->ledger, "tip", NULL, &fixture->err), fixture->err);
	commit(fixture);
	assert_null(get(fixture, "tip"));
}

/* ---- steps ---- */

static int64_t intent(struct ledger_fixture *fixture, int64_t record, const char *name,
		      int64_t when_ms)
{
	const struct ledger_step step = {.slot = {"shop", "production", "web", "edge-1"},
					 .record = record,
					 .op = "create",
					 .name = name,
					 .intent_ms = when_ms};
	int64_t id = 0;

	assert_done(ledger_intent(fixture->ledger, &step, &id, &fixture->err), fixture->err);
	return id;
}

static size_t open_steps(struct ledger_fixture *fixture, struct ledger_step **steps)
{
	size_t n = 99;

	assert_done(ledger_open_steps(fixture->ledger, fixture->arena, steps, &n, &fixture->err),
		    fixture->err);
	return n;
}

static void test_an_intent_is_open_until_its_result(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct record record = test_record("web", "1.0.0");
	int64_t of = test_add(fixture, &record), first, second;
	struct ledger_step *steps;
	size_t n;

	begin(fixture);
	first = intent(fixture, of, "one", 10);
	second = intent(fixture, 0, "two", 20);
	commit(fixture);
	ledger_fixture_reopen(fixture, LEDGER_OPENED);
	assert_int_equal(open_steps(fixture, &steps), 2);
	assert_string_equal(steps[0].name, "one");
	assert_string_equal(steps[0].op, "create");
	assert_string_equal(steps[0].slot.node, "edge-1");
	assert_int_equal(steps[0].record, of);
	assert_int_equal(steps[0].intent_ms, 10);
	assert_int_equal(steps[0].result_ms, 0);
	assert_int_equal(steps[1].record, 0);
	begin(fixture);
	assert_done(
		ledger_result(fixture->ledger, first, false, "no such image", 30, &fixture->err),
		fixture->err);
	assert_fails(ledger_result(fixture->ledger, second + 1, true, NULL, 30, &fixture->err),
		     fixture->err, E_NOT_FOUND);
	commit(fixture);
	assert_int_equal(open_steps(fixture, &steps), 1);
	assert_int_equal(steps[0].id, second);
	assert_done(ledger_view_steps(fixture->dir, of, fixture->arena, &steps, &n, &fixture->err),
		    fixture->err);
	assert_int_equal(n, 1);
	assert_int_equal(steps[0].result_ms, 30);
	assert_false(steps[0].ok);
	assert_string_equal(steps[0].detail, "no such image");
}

static void test_old_steps_go(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct ledger_step *steps;

	begin(fixture);
	for (int64_t when = 1; when <= 5; when++)
		intent(fixture, 0, "web", when);
	assert_done(ledger_trim(fixture->ledger, 4, &fixture->err), fixture->err);
	commit(fixture);
	assert_int_equal(open_steps(fixture, &steps), 2);
	assert_int_equal(steps[0].intent_ms, 4);
}

static void test_a_step_of_an_orphan_has_no_slot(void **state)
{
	struct ledger_fixture *fixture = *state;
	const struct ledger_step step = {.slot = {.node = "edge-1"}, .op = "remove", .name = "x"};
	struct ledger_step *steps;
	int64_t id;

	begin(fixture);
	assert_done(ledger_intent(fixture->ledger, &step, &id, &fixture->err), fixture->err);
	commit(fixture);
	assert_int_equal(open_steps(fixture, &steps), 1);
	assert_null(steps[0].slot.project);
	assert_string_equal(steps[0].slot.node, "edge-1");
}

/* ---- units ---- */

static void put_unit(struct ledger_fixture *fixture, enum unit_level level, const char *project,
		     const char *stage, const char *accepted)
{
	const struct ledger_unit unit = {.unit = {level, project, stage},
					 .accepted = accepted,
					 .refused = "bad",
					 .diagnostics = "[]"};

	assert_done(ledger_put_unit(fixture->ledger, &unit, &fixture->err), fixture->err);
}

static void test_units(void **state)
{
	struct ledger_fixture *fixture = *state;
	const struct unit gone = {UNIT_STAGE, "shop", "test"};
	struct ledger_unit *units;
	size_t n;

	begin(fixture);
	put_unit(fixture, UNIT_STAGE, "shop", "test", "1");
	put_unit(fixture, UNIT_STAGE, "shop", "production", "2");
	put_unit(fixture, UNIT_PROJECT, "shop", NULL, NULL);
	put_unit(fixture, UNIT_ORGANIZATION, NULL, NULL, "4");
	put_unit(fixture, UNIT_STAGE, "shop", "production", "5");
	assert_done(ledger_drop_unit(fixture->ledger, &gone, &fixture->err), fixture->err);
	commit(fixture);
	assert_done(ledger_units(fixture->ledger, fixture->arena, &units, &n, &fixture->err),
		    fixture->err);
	assert_int_equal(n, 3);
	assert_int_equal(units[0].unit.level, UNIT_ORGANIZATION);
	assert_null(units[0].unit.project);
	assert_string_equal(units[0].accepted, "4");
	assert_int_equal(units[1].unit.level, UNIT_PROJECT);
	assert_null(units[1].unit.stage);
	assert_null(units[1].accepted);
	assert_int_equal(units[2].unit.level, UNIT_STAGE);
	assert_string_equal(units[2].unit.stage, "production");
	assert_string_equal(units[2].accepted, "5");
	assert_string_equal(units[2].refused, "bad");
	assert_string_equal(units[2].diagnostics, "[]");
}

/* ---- approvals, slots, nodes ---- */

static void test_approvals(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct ledger_approval approval = {"c1", "[1]", "Ann", 5}, *found;
	size_t n;

	begin(fixture);
	assert_done(ledger_approve(fixture->ledger, &approval, &fixture->err), fixture->err);
	approval.removals = "[1,2]";
	approval.when_ms = 6;
	assert_done(ledger_approve(fixture->ledger, &approval, &fixture->err), fixture->err);
	approval.commit = "c0";
	assert_done(ledger_approve(fixture->ledger, &approval, &fixture->err), fixture->err);
	commit(fixture);
	assert_done(ledger_approvals(fixture->ledger, fixture->arena, &found, &n, &fixture->err),
		    fixture->err);
	assert_int_equal(n, 2);
	assert_string_equal(found[0].commit, "c1");
	assert_string_equal(found[0].removals, "[1,2]");
	assert_string_equal(found[0].actor, "Ann");
	assert_int_equal(found[0].when_ms, 6);
}

static void test_slots_and_nodes(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct slot_key slot = {"shop", "production", "web", "edge-2"};
	struct ledger_view *view;

	begin(fixture);
	assert_done(ledger_put_slot(fixture->ledger, &slot, "{}", &fixture->err), fixture->err);
	assert_done(ledger_put_slot(fixture->ledger, &slot, "{\"a\":1}", &fixture->err),
		    fixture->err);
	slot.node = "edge-1";
	assert_done(ledger_put_slot(fixture->ledger, &slot, "{\"b\":1}", &fixture->err),
		    fixture->err);
	slot.node = "gone";
	assert_done(ledger_put_slot(fixture->ledger, &slot, "{}", &fixture->err), fixture->err);
	assert_done(ledger_drop_slot(fixture->ledger, &slot, &fixture->err), fixture->err);
	assert_done(ledger_put_node(fixture->ledger, "edge-1", "1", &fixture->err), fixture->err);
	assert_done(ledger_put_node(fixture->ledger, "edge-1", "2", &fixture->err), fixture->err);
	assert_done(ledger_put_node(fixture->ledger, "gone", "3", &fixture->err), fixture->err);
	assert_done(ledger_drop_node(fixture->ledger, "gone", &fixture->err), fixture->err);
	commit(fixture);
	assert_done(ledger_view_open(fixture->dir, VIEW_STATUS, &view, &fixture->err),
		    fixture->err);
	assert_int_equal(view->slots_n, 2);
	assert_string_equal(view->slots[0].slot.node, "edge-1");
	assert_string_equal(view->slots[1].json, "{\"a\":1}");
	assert_int_equal(view->nodes_n, 1);
	assert_string_equal(view->nodes[0].node, "edge-1");
	assert_string_equal(view->nodes[0].json, "2");
	ledger_view_close(&view);
}

/* ---- how rows are found ---- */

static void use_every_statement(struct ledger_fixture *fixture)
{
	struct record record = test_record("web", "1.0.0");
	const struct unit unit = {UNIT_STAGE, "shop", "test"};
	const struct ledger_approval approval = {"c1", "[1]", "Ann", 5};
	const char *content;
	struct ledger_step *steps;
	struct history history;
	size_t n;
	int64_t id = test_add_successful(fixture, &record);

	begin(fixture);
	intent(fixture, id, "web", 1);
	(void)ledger_result(fixture->ledger, 1, true, NULL, 2, NULL);
	(void)ledger_trim(fixture->ledger, 0, NULL);
	(void)ledger_put_slot(fixture->ledger, &record.slot, "{}", NULL);
	(void)ledger_drop_slot(fixture->ledger, &record.slot, NULL);
	(void)ledger_put_node(fixture->ledger, "edge-1", "{}", NULL);
	(void)ledger_drop_node(fixture->ledger, "edge-1", NULL);
	(void)ledger_drop_unit(fixture->ledger, &unit, NULL);
	(void)ledger_put(fixture->ledger, "tip", "a", NULL);
	(void)ledger_put(fixture->ledger, "tip", NULL, NULL);
	(void)ledger_approve(fixture->ledger, &approval, NULL);
	(void)ledger_audit(fixture->ledger, "a", "b", "c", "d", 1, NULL);
	(void)ledger_forget_failure(fixture->ledger, id, NULL);
	(void)ledger_resolve(fixture->ledger, id, "a", "b", NULL);
	commit(fixture);
	(void)ledger_content(fixture->ledger, id, fixture->arena, &content, NULL);
	(void)ledger_history(fixture->ledger, NULL, fixture->arena, &history, NULL);
	(void)ledger_history(fixture->ledger, &record.slot, fixture->arena, &history, NULL);
	(void)load_steps(fixture->ledger->db, id, fixture->arena, &steps, &n, NULL);
	(void)load_steps(fixture->ledger->db, 0, fixture->arena, &steps, &n, NULL);
}

/* What may be read from end to end: what is asked for as a whole, and what is small by nature. */
static bool may_scan(const char *step)
{
	static const char *const expected[] = {
		"SCAN record USING INDEX record_kept", /* the history, and no more than that */
		"SCAN frozen USING INDEX frozen_version", "SCAN step USING INDEX step_open",
		"SCAN audit", /* its last row: ORDER BY id DESC LIMIT 1 */
	};

	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		if (strstr(step, expected[i]))
			return true;
	}
	return false;
}

static void test_rows_are_found_by_index(void **state)
{
	struct ledger_fixture *fixture = *state;
	struct buf plans AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	char *rest, *line, *statement = NULL;
	int searches = 0;

	use_every_statement(fixture);
	db_explain(fixture->ledger->db, &plans);
	for (line = strtok_r(plans.ptr, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (line[0] != ' ')
			statement = line;
		else if (strstr(statement, "sqlite_schema"))
			continue;
		else if (strstr(line, "TEMP B-TREE"))
			fail_msg("sorts: %s", statement);
		else if (strstr(line, "SCAN") && !may_scan(line))
			fail_msg("reads everything: %s: %s", line, statement);
		searches += strstr(line, "  SEARCH") != NULL;
	}
	assert_true(searches > 15);
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, ledger_fixture_setup, ledger_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_writing_needs_a_transaction),
		TEST(test_all_or_nothing),
		TEST(test_many_reads_take_one_lock),
		TEST(test_a_write_ends_the_hold),
		TEST(test_a_failed_write_fails_the_commit),
		TEST(test_facts),
		TEST(test_an_intent_is_open_until_its_result),
		TEST(test_old_steps_go),
		TEST(test_a_step_of_an_orphan_has_no_slot),
		TEST(test_units),
		TEST(test_approvals),
		TEST(test_slots_and_nodes),
		TEST(test_rows_are_found_by_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/sys.h"
#include "tests/support/ledger.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fs.h"

int ledger_fixture_setup(void **state)
{
	struct ledger_fixture *fixture = mem_zalloc(1, sizeof *fixture);
	enum ledger_opened how;

	fixture->dir = test_folder();
	fixture->arena = arena_new(0);
	*state = fixture;
	if (ledger_open(fixture->dir, &fixture->ledger, &how, NULL, &fixture->err) != 0)
		fail_msg("%s", fixture->err.text);
	return 0;
}

int ledger_fixture_teardown(void **state)
{
	struct ledger_fixture *fixture = *state;

	ledger_close(&fixture->ledger);
	arena_free(fixture->arena);
	test_folder_remove(&fixture->dir);
	free(fixture);
	return 0;
}

void ledger_fixture_reopen(struct ledger_fixture *fixture, enum ledger_opened how)
{
	enum ledger_opened found;

	ledger_close(&fixture->ledger);
	assert_done(ledger_open(fixture->dir, &fixture->ledger, &found, NULL, &fixture->err),
		    fixture->err);
	assert_int_equal(found, how);
}

void test_ledger_tamper(struct ledger_fixture *fixture, const char *sql)
{
	struct db *db AUTO_DB = NULL;
	char *path AUTO_FREE = test_path(fixture->dir, LEDGER_FILE);

	ledger_close(&fixture->ledger);
	assert_done(db_open(path, DB_WRITE, &db, &fixture->err), fixture->err);
	assert_done(db_script(db, sql, &fixture->err), fixture->err);
}

struct record test_record(const char *deployment, const char *version)
{
	return (struct record){
		.slot = {"shop", "production", deployment, "edge-1"},
		.product = "storefront",
		.version = version,
		.type = VERSION_INCREMENTAL,
		.prefix = "shop-prod",
		.source_id = "1:source",
		.input_id = "1:input",
		.release_id = "1:release",
		.status = RECORD_PREPARING,
		.commit = "0123456789012345678901234567890123456789",
		.author = "Ann <ann@example.org>",
		.created_ms = 1000,
		.content = "{\"containers\":[]}",
	};
}

int64_t test_add(struct ledger_fixture *fixture, const struct record *record)
{
	int64_t id = 0;

	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_done(ledger_add_record(fixture->ledger, record, &id, &fixture->err), fixture->err);
	assert_done(ledger_commit(fixture->ledger, &fixture->err), fixture->err);
	return id;
}

void test_move(struct ledger_fixture *fixture, int64_t id, enum record_status to,
	       const char *reason)
{
	assert_done(ledger_begin(fixture->ledger, &fixture->err), fixture->err);
	assert_done(ledger_set_status(fixture->ledger, id, to, reason, NULL, 2000, &fixture->err),
		    fixture->err);
	assert_done(ledger_commit(fixture->ledger, &fixture->err), fixture->err);
}

int64_t test_add_successful(struct ledger_fixture *fixture, const struct record *record)
{
	int64_t id = test_add(fixture, record);

	test_move(fixture, id, RECORD_IN_PROGRESS, NULL);
	test_move(fixture, id, RECORD_SUCCESSFUL, NULL);
	return id;
}

/* ---- the story ---- */

/* Long enough that a record takes pages of its own and a transaction touches many. */
static char *story_content(int64_t i)
{
	struct buf text = BUF_INIT(BUF_MAX_TEXT);

	for (int line = 0; line < 40; line++)
		buf_addf(&text, "record %" PRId64 " line %d of its content, %" PRId64 "\n", i, line,
			 i * 7919 + line);
	return buf_take(&text);
}

static int write_parts(struct ledger *ledger, int64_t i, struct err *err)
{
	char *content AUTO_FREE = story_content(i);
	char *count AUTO_FREE = mem_printf("%" PRId64, i);
	char *deployment AUTO_FREE = mem_printf("web-%" PRId64, i % 5);
	struct record record = test_record(deployment, "1.0.0");
	struct ledger_step step = {.slot = record.slot, .op = "create", .name = deployment};
	int64_t id;

	record.content = content;
	record.created_ms = i;
	if (ledger_add_record(ledger, &record, &id, err) != 0)
		return -1;
	step.record = id;
	step.intent_ms = i;
	if (ledger_intent(ledger, &step, &step.id, err) != 0 ||
	    ledger_audit(ledger, "trueup", "create", deployment, count, i, err) != 0)
		return -1;
	return ledger_put(ledger, "accepted", count, err);
}

int test_story_write(struct ledger *ledger, int64_t i, struct err *err)
{
	if (ledger_begin(ledger, err) != 0)
		return -1;
	if (write_parts(ledger, i, err) != 0) {
		ledger_rollback(ledger);
		return -1;
	}
	return ledger_commit(ledger, err);
}

bool test_story_is(const struct record *record)
{
	char *content AUTO_FREE = story_content(record->id);
	char *deployment AUTO_FREE = mem_printf("web-%" PRId64, record->id % 5);
	struct record wanted = test_record(deployment, "1.0.0");

	return record->created_ms == record->id && slot_key_cmp(&record->slot, &wanted.slot) == 0 &&
	       str_eq(record->product, wanted.product) && str_eq(record->version, wanted.version) &&
	       record->parent == NULL && record->type == wanted.type &&
	       str_eq(record->prefix, wanted.prefix) &&
	       str_eq(record->source_id, wanted.source_id) &&
	       str_eq(record->input_id, wanted.input_id) &&
	       str_eq(record->release_id, wanted.release_id) && record->status == wanted.status &&
	       !record->active && !record->succeeded && record->reason == NULL &&
	       str_eq(record->commit, wanted.commit) && str_eq(record->author, wanted.author) &&
	       record->tries == 0 && record->started_ms == 0 && record->finished_ms == 0 &&
	       record->error_code == NULL && str_eq(record->content, content);
}

int64_t test_story_check(const struct ledger_view *view)
{
	char *count AUTO_FREE = mem_printf("%zu", view->records_n);

	for (size_t i = 0; i < view->records_n; i++) {
		assert_int_equal(view->records[i].id, i + 1);
		assert_true(test_story_is(&view->records[i]));
	}
	if (view->records_n)
		assert_string_equal(view->accepted, count);
	else
		assert_null(view->accepted);
	/* The newest of each of the five slots, and every one that is not final: all of them. */
	assert_int_equal(view->history.records_n, view->records_n);
	return (int64_t)view->records_n;
}

int64_t test_story_read(const char *dir)
{
	struct ledger_view *view = NULL;
	struct err err = ERR_INIT;
	size_t entries = 0;
	int64_t n;

	assert_done(ledger_view_open(dir, VIEW_STATUS | VIEW_RECORDS | VIEW_CONTENT, &view, &err),
		    err);
	n = test_story_check(view);
	ledger_view_close(&view);
	assert_done(audit_verify(dir, &entries, &err), err);
	assert_true((int64_t)entries >= n);
	return n;
}

/* ---- mounts ---- */

/* As root in a name space of users, where one may mount, and be oneself outside of it. */
static bool become_root(void)
{
	char *map AUTO_FREE = mem_printf("0 %u 1", (unsigned)geteuid());
	int fd AUTO_FD = -1;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	return fd >= 0 && fs_write_all(fd, map, strlen(map)) == 0;
}

bool test_own_mounts(void)
{
	return (unshare(CLONE_NEWNS) == 0 || become_root()) &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/*
 * Whatever bytes a ledger has: reader and writer take it or refuse it, and what the writer has
 * taken can be read to the last row. The first byte of the input says what the rest is: 0  the
 * whole file 1  changes of a sound ledger, four bytes each: position (three bytes, modulo its
 * size), value 2  the journal beside a sound ledger
 */
#include "base/sys.h"
#include "base/fs.h"
#include "ledger/load.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <unistd.h>

#define RECORDS 8

static void add_rows(struct ledger *ledger, int64_t i)
{
	struct record record = {.slot = {"shop", "production", "web", "edge-1"},
				.type = VERSION_ROLLING,
				.content = "{\"containers\":[]}"};
	struct ledger_step step = {.slot = record.slot, .op = "create", .name = "shop-prod-web"};
	struct ledger_unit unit = {.unit = {UNIT_STAGE, "shop", "production"}};

	FUZZ_CHECK(ledger_begin(ledger, NULL) == 0);
	FUZZ_CHECK(ledger_add_record(ledger, &record, &step.record, NULL) == 0);
	FUZZ_CHECK(ledger_intent(ledger, &step, &step.id, NULL) == 0);
	FUZZ_CHECK(ledger_put_unit(ledger, &unit, NULL) == 0);
	FUZZ_CHECK(ledger_put_slot(ledger, &record.slot, "{}", NULL) == 0);
	FUZZ_CHECK(ledger_audit(ledger, "trueup", "create", "web", "", i, NULL) == 0);
	FUZZ_CHECK(ledger_commit(ledger, NULL) == 0);
}

/* A ledger with something in most tables: the same bytes for every input of this process. */
static const struct buf *sound_ledger(void)
{
	static struct buf bytes = BUF_INIT(BUF_MAX_TEXT);
	char folder[FS_PATH_MAX], path[FS_PATH_MAX];
	enum ledger_opened how;
	struct ledger *ledger;

	if (bytes.len)
		return &bytes;
	fuzz_folder(folder);
	FUZZ_CHECK(ledger_open(folder, &ledger, &how, NULL, NULL) == 0);
	for (int64_t i = 0; i < RECORDS; i++)
		add_rows(ledger, i);
	ledger_close(&ledger);
	FUZZ_CHECK(fs_join(path, folder, LEDGER_FILE) == 0);
	FUZZ_CHECK(fs_read(path, BUF_MAX_TEXT, &bytes, NULL) == 0);
	FUZZ_CHECK(fs_remove_tree(folder, NULL) == 0);
	return &bytes;
}

static void put(const char *folder, const char *name, const void *bytes, size_t len)
{
	char path[FS_PATH_MAX];
	int fd AUTO_FD = -1;

	FUZZ_CHECK(fs_join(path, folder, name) == 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd >= 0 && fs_write_all(fd, bytes, len) == 0);
}

static void put_changed(const char *folder, const uint8_t *changes, size_t len)
{
	const struct buf *sound = sound_ledger();
	char *bytes AUTO_FREE = mem_alloc(sound->len);

	memcpy(bytes, sound->ptr, sound->len);
	for (; len >= 4; changes += 4, len -= 4) {
		size_t at = (size_t)changes[0] << 16 | (size_t)changes[1] << 8 | changes[2];

		bytes[at % sound->len] = (char)changes[3];
	}
	put(folder, LEDGER_FILE, bytes, sound->len);
}

static void put_input(const char *folder, const uint8_t *data, size_t size)
{
	const struct buf *sound = sound_ledger();

	switch (size ? data[0] % 3 : 0) {
	case 0:
		put(folder, LEDGER_FILE, data + (size != 0), size - (size != 0));
		break;
	case 1:
		put_changed(folder, data + 1, size - 1);
		break;
	default:
		put(folder, LEDGER_FILE, sound->ptr, sound->len);
		put(folder, LEDGER_FILE "-journal", data + 1, size - 1);
	}
}

static void check_reader(const char *folder)
{
	struct ledger_view *view = NULL;
	struct err err = ERR_INIT;
	size_t entries;

	if (ledger_view_open(folder, VIEW_STATUS | VIEW_RECORDS | VIEW_CONTENT, &view, &err) == 0)
		ledger_view_close(&view);
	else
		FUZZ_CHECK(err.code != E_INTERNAL && *err.text);
	(void)audit_verify(folder, &entries, NULL);
}

static void check_rows(struct db *db)
{
	struct arena *arena AUTO_ARENA = arena_new(0);
	const struct audit_query query = {0};
	struct ledger_view view;
	struct ledger_step *steps;
	struct audit_entry *entries;
	size_t n;

	FUZZ_CHECK(load_history(db, NULL, arena, &view.history, NULL) == 0);
	FUZZ_CHECK(load_records(db, arena, &view.records, &n, NULL) == 0);
	FUZZ_CHECK(load_contents(db, view.records, n, arena, NULL) == 0);
	FUZZ_CHECK(load_steps(db, 0, arena, &steps, &n, NULL) == 0);
	FUZZ_CHECK(load_units(db, arena, &view.units, &n, NULL) == 0);
	FUZZ_CHECK(load_slots(db, arena, &view.slots, &n, NULL) == 0);
	FUZZ_CHECK(load_nodes(db, arena, &view.nodes, &n, NULL) == 0);
	FUZZ_CHECK(load_approvals(db, arena, &view.approvals, &n, NULL) == 0);
	FUZZ_CHECK(load_audit(db, &query, arena, &entries, &n, NULL) == 0);
}

/* As ledger_open does, but without making a new one where this one is refused. */
static void check_writer(const char *folder)
{
	struct db *db AUTO_DB = NULL;
	struct err err = ERR_INIT;
	char path[FS_PATH_MAX];

	FUZZ_CHECK(fs_join(path, folder, LEDGER_FILE) == 0);
	if (db_open(path, DB_WRITE, &db, &err) == 0 && tables_open(db, &err) == 0)
		check_rows(db);
	else
		FUZZ_CHECK(err.code != E_INTERNAL && *err.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char folder[FS_PATH_MAX];

	fuzz_folder(folder);
	put_input(folder, data, size);
	check_reader(folder);
	check_writer(folder);
	FUZZ_CHECK(fs_remove_tree(folder, NULL) == 0);
	return 0;
}

/* Records, their content, and frozen versions. */
#include "base/sys.h"
#include "ledger/load.h"

#include <inttypes.h>

/* Where the engine's own caps fail, these keep a single row small. */
#define ERROR_TEXT_MAX ((size_t)8 << 10)
#define ERROR_LOG_MAX ((size_t)64 << 10)
/* Of a slot's rolling records that once succeeded, so many stay in the history. */
#define ROLLING_KEPT "5"

/* ---- reading ---- */

static enum version_type_value read_type(struct db_rows *rows)
{
	return str_eq(db_peek_text(rows), "incremental") ? VERSION_INCREMENTAL : VERSION_ROLLING;
}

static void read_slot(struct db_rows *rows, struct arena *arena, struct slot_key *slot)
{
	slot->project = db_take_text(rows, arena);
	slot->stage = db_take_text(rows, arena);
	slot->deployment = db_take_text(rows, arena);
	slot->node = db_take_text(rows, arena);
}

static void read_record(struct db_rows *rows, struct arena *arena, void *element)
{
	struct record *record = element;

	record->id = db_take_int(rows);
	read_slot(rows, arena, &record->slot);
	record->product = db_take_text(rows, arena);
	record->version = db_take_text(rows, arena);
	record->parent = db_take_text(rows, arena);
	record->type = read_type(rows);
	record->prefix = db_take_text(rows, arena);
	record->source_id = db_take_text(rows, arena);
	record->input_id = db_take_text(rows, arena);
	record->release_id = db_take_text(rows, arena);
	record->status = record_status_find(db_peek_text(rows));
	record->succeeded = db_take_int(rows) != 0;
	record->active = db_take_int(rows) != 0;
	(void)db_take_int(rows); /* kept */
	record->reason = db_take_text(rows, arena);
	record->commit = db_take_text(rows, arena);
	record->author = db_take_text(rows, arena);
	record->tries = (int)db_take_int(rows);
	record->created_ms = db_take_int(rows);
	record->started_ms = db_take_int(rows);
	record->finished_ms = db_take_int(rows);
	record->error_code = db_take_text(rows, arena);
	record->error_step = db_take_text(rows, arena);
	record->error_text = db_take_text(rows, arena);
	record->error_log = db_take_text(rows, arena);
}

static void read_frozen(struct db_rows *rows, struct arena *arena, void *element)
{
	struct frozen *frozen = element;

	frozen->project = db_take_text(rows, arena);
	frozen->product = db_take_text(rows, arena);
	frozen->version = db_take_text(rows, arena);
	frozen->parent = db_take_text(rows, arena);
	frozen->content_id = db_take_text(rows, arena);
	frozen->content = db_take_text(rows, arena);
	frozen->commit = db_take_text(rows, arena);
	frozen->node = db_take_text(rows, arena);
	frozen->when_ms = db_take_int(rows);
	frozen->record = db_take_int(rows);
}

static int load_frozen(struct db *db, const char *project, struct arena *arena, struct history *out,
		       struct err *err)
{
	static const char all[] =
		DB_SELECT(FROZEN_COLUMNS, "frozen") "ORDER BY project,product,version";
	static const char one[] =
		DB_SELECT(FROZEN_COLUMNS, "frozen") "WHERE project=?1 ORDER BY product,version";
	struct db_rows *rows = project ? db_query(db, one, DB_VALUES(db_text(project)), err)
				       : db_query(db, all, DB_NO_VALUES, err);

	return load_rows(rows, arena, sizeof(struct frozen), read_frozen, (void **)&out->frozen,
			 &out->frozen_n, err);
}

int load_history(struct db *db, const struct slot_key *only, struct arena *arena,
		 struct history *out, struct err *err)
{
	static const char all[] =
		DB_SELECT(RECORD_COLUMNS, "record") "WHERE kept=1 ORDER BY " SLOT_COLUMNS ",id";
	static const char one[] =
		DB_SELECT(RECORD_COLUMNS, "record") "WHERE kept=1 AND " IS_SLOT " ORDER BY id";
	struct db_rows *rows = only ? db_query(db, one, DB_VALUES(SLOT_VALUES(only)), err)
				    : db_query(db, all, DB_NO_VALUES, err);

	if (load_rows(rows, arena, sizeof(struct record), read_record, (void **)&out->records,
		      &out->records_n, err) != 0)
		return -1;
	return load_frozen(db, only ? only->project : NULL, arena, out, err);
}

int load_records(struct db *db, struct arena *arena, struct record **out, size_t *n,
		 struct err *err)
{
	static const char sql[] = DB_SELECT(RECORD_COLUMNS, "record") "ORDER BY id";

	return load_rows(db_query(db, sql, DB_NO_VALUES, err), arena, sizeof(struct record),
			 read_record, (void **)out, n, err);
}

static int load_record(struct db *db, int64_t id, struct arena *arena, struct record *out,
		       struct err *err)
{
	static const char sql[] = DB_SELECT(RECORD_COLUMNS, "record") "WHERE id=?1";
	struct db_rows *rows AUTO_ROWS = db_query(db, sql, DB_VALUES(db_int(id)), err);
	int got = rows ? db_next_sound(rows, err) : -1;

	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(err, E_NOT_FOUND, "there is no record %" PRId64, id);
	*out = (struct record){0};
	read_record(rows, arena, out);
	return 0;
}

/* 1 found, 0 not, -1. */
static int find_content(struct db *db, int64_t record, struct arena *arena, const char **content,
			struct err *err)
{
	static const char sql[] = DB_SELECT(CONTENT_COLUMNS, "content") "WHERE record=?1";
	struct db_rows *rows AUTO_ROWS = db_query(db, sql, DB_VALUES(db_int(record)), err);
	int got = rows ? db_next_sound(rows, err) : -1;

	if (got > 0) {
		(void)db_take_int(rows);
		*content = db_take_text(rows, arena);
	}
	return got;
}

int load_content(struct db *db, int64_t record, struct arena *arena, const char **content,
		 struct err *err)
{
	int got = find_content(db, record, arena, content, err);

	if (got == 0)
		return err_set(err, E_NOT_FOUND, "there is no content of record %" PRId64, record);
	return got < 0 ? -1 : 0;
}

int load_contents(struct db *db, struct record *records, size_t n, struct arena *arena,
		  struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (find_content(db, records[i].id, arena, &records[i].content, err) < 0)
			return -1;
	}
	return 0;
}

int ledger_history(struct ledger *ledger, const struct slot_key *only, struct arena *arena,
		   struct history *out, struct err *err)
{
	return load_history(ledger->db, only, arena, out, err);
}

int ledger_content(struct ledger *ledger, int64_t record, struct arena *arena, const char **content,
		   struct err *err)
{
	return load_content(ledger->db, record, arena, content, err);
}

/* ---- writing ---- */

/*
 * `kept` marks the rows that make up the history, so that reading it costs what it holds and not
 * what the ledger holds. A row that has lost the mark gets it back only when it is started again.
 */
static int settle_slot(struct db *db, const struct slot_key *slot, struct err *err)
{
	static const char sql[] =
		"UPDATE record SET kept=0 WHERE kept=1 AND " IS_SLOT " AND active=0"
		" AND status NOT IN ('preparing','inProgress')"
		" AND id<>(SELECT max(id) FROM record WHERE kept=1 AND " IS_SLOT ")"
		" AND NOT (succeeded=1 AND (type='incremental'"
		" OR id=(SELECT max(same.id) FROM record AS same WHERE same.kept=1"
		" AND same.project=?1 AND same.stage=?2 AND same.deployment=?3 AND same.node=?4"
		" AND same.succeeded=1 AND same.version IS record.version"
		" AND same.prefix=record.prefix)"
		" OR (SELECT count(*) FROM record AS later WHERE later.kept=1"
		" AND later.project=?1 AND later.stage=?2 AND later.deployment=?3"
		" AND later.node=?4 AND later.succeeded=1 AND later.id>record.id)"
		"<" ROLLING_KEPT "))";

	return db_run(db, sql, DB_VALUES(SLOT_VALUES(slot)), err);
}

int ledger_clear_active(struct ledger *ledger, const struct slot_key *slot, struct err *err)
{
	static const char sql[] = "UPDATE record SET active=0 WHERE active=1 AND " IS_SLOT;

	if (db_run(ledger->db, sql, DB_VALUES(SLOT_VALUES(slot)), err) != 0)
		return -1;
	return settle_slot(ledger->db, slot, err);
}

static int insert_content(struct db *db, int64_t record, const char *content, struct err *err)
{
	static const char sql[] = "INSERT INTO content(" CONTENT_COLUMNS ") VALUES(?1,?2)";

	return db_run(db, sql, DB_VALUES(db_int(record), db_text(content)), err);
}

static int insert_record(struct db *db, const struct record *record, struct err *err)
{
	static const char sql[] =
		"INSERT INTO record(" SLOT_COLUMNS ",product,version,parent,type,prefix,source_id,"
		"input_id,release_id,status,succeeded,active,kept,reason,commit_id,author,tries,"
		"created_ms,started_ms,finished_ms,error_code,error_step,error_text,error_log)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,1,?16,?17,?18,?19,"
		"?20,?21,?22,?23,?24,?25,?26)";
	const char *type = record->type == VERSION_INCREMENTAL ? "incremental" : "rolling";
	enum record_status status = record->status ? record->status : RECORD_PREPARING;

	return db_run(db, sql,
		      DB_VALUES(SLOT_VALUES(&record->slot), db_some(record->product),
				db_text(record->version), db_text(record->parent), db_text(type),
				db_some(record->prefix), db_some(record->source_id),
				db_some(record->input_id), db_some(record->release_id),
				db_text(record_status_word(status)), db_int(record->succeeded),
				db_int(record->active), db_text(record->reason),
				db_some(record->commit), db_text(record->author),
				db_int(record->tries), db_int(record->created_ms),
				db_int(record->started_ms), db_int(record->finished_ms),
				db_text(record->error_code), db_text(record->error_step),
				db_text_cut(record->error_text, ERROR_TEXT_MAX),
				db_text_cut(record->error_log, ERROR_LOG_MAX)),
		      err);
}

int ledger_add_record(struct ledger *ledger, const struct record *record, int64_t *id,
		      struct err *err)
{
	struct db *db = ledger->db;

	if (record->active && ledger_clear_active(ledger, &record->slot, err) != 0)
		return -1;
	if (insert_record(db, record, err) != 0)
		return -1;
	*id = db_last_id(db);
	if (record->content && insert_content(db, *id, record->content, err) != 0)
		return -1;
	return settle_slot(db, &record->slot, err);
}

int ledger_resolve(struct ledger *ledger, int64_t record, const char *release_id,
		   const char *content, struct err *err)
{
	static const char name[] = "UPDATE record SET release_id=?2 WHERE id=?1 AND release_id=''";
	static const char forget[] = "DELETE FROM content WHERE record=?1";

	if (db_run(ledger->db, name, DB_VALUES(db_int(record), db_text(release_id)), err) != 0)
		return -1;
	if (db_changes(ledger->db) == 0)
		return err_set(err, E_NOT_FOUND,
			       "there is no record %" PRId64 " whose digests are still open",
			       record);
	if (db_run(ledger->db, forget, DB_VALUES(db_int(record)), err) != 0)
		return -1;
	return insert_content(ledger->db, record, content, err);
}

static void set_error(struct record *record, const struct record_error *error)
{
	static const struct record_error none;

	error = error ? error : &none;
	record->error_code = error->code;
	record->error_step = error->step;
	record->error_text = error->text;
	record->error_log = error->log;
}

/* The columns that go with a status; the rest of a record never changes. */
static void move_record(struct record *record, enum record_status to,
			const struct record_error *error, int64_t now_ms)
{
	record->status = to;
	record->active = to == RECORD_SUCCESSFUL;
	if (to == RECORD_IN_PROGRESS) {
		record->tries++;
		record->started_ms = now_ms;
		record->finished_ms = 0;
	}
	if (to == RECORD_SUCCESSFUL || to == RECORD_FAILED)
		record->finished_ms = now_ms;
	if (to == RECORD_SUCCESSFUL)
		record->succeeded = true;
	if (to != RECORD_OBSOLETE && to != RECORD_DOWNGRADED)
		set_error(record, error);
}

static int update_record(struct db *db, const struct record *record, struct err *err)
{
	static const char sql[] =
		"UPDATE record SET kept=1,status=?2,succeeded=?3,active=?4,reason=?5,tries=?6,"
		"started_ms=?7,finished_ms=?8,error_code=?9,error_step=?10,error_text=?11,"
		"error_log=?12 WHERE id=?1";

	return db_run(db, sql,
		      DB_VALUES(db_int(record->id), db_text(record_status_word(record->status)),
				db_int(record->succeeded), db_int(record->active),
				db_text(record->reason), db_int(record->tries),
				db_int(record->started_ms), db_int(record->finished_ms),
				db_text(record->error_code), db_text(record->error_step),
				db_text_cut(record->error_text, ERROR_TEXT_MAX),
				db_text_cut(record->error_log, ERROR_LOG_MAX)),
		      err);
}

int ledger_set_status(struct ledger *ledger, int64_t id, enum record_status to, const char *reason,
		      const struct record_error *error, int64_t now_ms, struct err *err)
{
	struct arena *arena AUTO_ARENA = arena_new(0);
	struct record record = {0};

	if (load_record(ledger->db, id, arena, &record, err) != 0)
		return -1;
	if (!lifecycle_allows(record.status, to, record.succeeded))
		return err_set(err, E_INTERNAL, "record %" PRId64 " is %s and cannot become %s", id,
			       record_status_word(record.status), record_status_word(to));
	move_record(&record, to, error, now_ms);
	record.reason = reason;
	if (record.active && ledger_clear_active(ledger, &record.slot, err) != 0)
		return -1;
	if (update_record(ledger->db, &record, err) != 0)
		return -1;
	return settle_slot(ledger->db, &record.slot, err);
}

int ledger_forget_failure(struct ledger *ledger, int64_t record, struct err *err)
{
	static const char sql[] =
		"UPDATE record SET reason='retry' WHERE id=?1 AND status='failed'";

	if (db_run(ledger->db, sql, DB_VALUES(db_int(record)), err) != 0)
		return -1;
	if (db_changes(ledger->db) == 0)
		return err_set(err, E_NOT_FOUND, "there is no failed record %" PRId64, record);
	return 0;
}

int ledger_freeze(struct ledger *ledger, const struct frozen *frozen, struct err *err)
{
	static const char sql[] = "INSERT INTO frozen(" FROZEN_COLUMNS ")"
				  " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,nullif(?10,0))"
				  " ON CONFLICT(project,product,version) DO NOTHING";

	return db_run(ledger->db, sql,
		      DB_VALUES(db_text(frozen->project), db_text(frozen->product),
				db_text(frozen->version), db_text(frozen->parent),
				db_text(frozen->content_id), db_text(frozen->content),
				db_some(frozen->commit), db_some(frozen->node),
				db_int(frozen->when_ms), db_int(frozen->record)),
		      err);
}

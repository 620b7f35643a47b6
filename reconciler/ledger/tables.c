#include "base/sys.h"
#include "ledger/tables.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 1953658224 /* "trup", at byte 68 of the file */
#define TEXT(number) #number
#define TEXT_OF(number) TEXT(number)

/* The last column of each table: the row vouches for itself. */
#define SUM(columns)                                                                               \
	",sum INTEGER NOT NULL GENERATED ALWAYS AS (checksum(" columns ")) STORED"                 \
	" CHECK (sum = checksum(" columns "))"
#define END ") STRICT;"

#define SLOT_KEY                                                                                   \
	"project TEXT NOT NULL,stage TEXT NOT NULL,deployment TEXT NOT NULL,node TEXT NOT NULL"
#define FLAG(name) name " INTEGER NOT NULL CHECK (" name " IN (0,1))"

/* clang-format off */
/*
 * migrations[i] leads from format i to i + 1; a new ledger goes through all of them, so that old and
 * new files have the same schema to the letter. A landed one is never edited: see README.md.
 */
static const char *const migrations[LEDGER_FORMAT] = {
	"CREATE TABLE record(id INTEGER PRIMARY KEY CHECK (id > 0)," SLOT_KEY ","
	"product TEXT NOT NULL,version TEXT,parent TEXT,"
	"type TEXT NOT NULL CHECK (type IN ('rolling','incremental')),"
	"prefix TEXT NOT NULL,"
	"source_id TEXT NOT NULL,input_id TEXT NOT NULL,release_id TEXT NOT NULL,"
	"status TEXT NOT NULL CHECK (status IN"
	" ('preparing','inProgress','successful','failed','obsolete','downgraded')),"
	FLAG("succeeded") "," FLAG("active") "," FLAG("kept") ","
	"reason TEXT,commit_id TEXT NOT NULL,author TEXT,tries INTEGER NOT NULL CHECK (tries >= 0),"
	"created_ms INTEGER NOT NULL,started_ms INTEGER NOT NULL,finished_ms INTEGER NOT NULL,"
	"error_code TEXT,error_step TEXT,error_text TEXT,error_log TEXT"
	SUM(RECORD_COLUMNS)
	",CHECK (active = 0 OR (kept = 1 AND succeeded = 1 AND status = 'successful'))"
	",CHECK (status <> 'successful' OR succeeded = 1)" END
	"CREATE UNIQUE INDEX record_active ON record(" SLOT_COLUMNS ") WHERE active=1;"
	"CREATE INDEX record_kept ON record(" SLOT_COLUMNS ",id) WHERE kept=1;"

	"CREATE TABLE content(record INTEGER PRIMARY KEY REFERENCES record,json TEXT NOT NULL"
	SUM(CONTENT_COLUMNS) END

	"CREATE TABLE frozen(project TEXT NOT NULL,product TEXT NOT NULL,version TEXT NOT NULL,"
	"parent TEXT,content_id TEXT NOT NULL,content TEXT NOT NULL,commit_id TEXT NOT NULL,"
	"node TEXT NOT NULL,when_ms INTEGER NOT NULL,record INTEGER REFERENCES record"
	SUM(FROZEN_COLUMNS) END
	"CREATE UNIQUE INDEX frozen_version ON frozen(project,product,version);"

	"CREATE TABLE step(id INTEGER PRIMARY KEY,"
	"project TEXT,stage TEXT,deployment TEXT,node TEXT NOT NULL,"
	"record INTEGER REFERENCES record,op TEXT NOT NULL,name TEXT NOT NULL,"
	"intent_ms INTEGER NOT NULL,result_ms INTEGER NOT NULL," FLAG("ok") ",detail TEXT"
	SUM(STEP_COLUMNS) END
	"CREATE INDEX step_record ON step(record);"
	"CREATE INDEX step_intent ON step(intent_ms);"
	"CREATE INDEX step_open ON step(id) WHERE result_ms=0;"

	"CREATE TABLE unit(project TEXT NOT NULL,stage TEXT NOT NULL,"
	"accepted TEXT,refused TEXT,diagnostics TEXT"
	SUM(UNIT_COLUMNS) ",CHECK (stage = '' OR project <> '')" END
	"CREATE UNIQUE INDEX unit_name ON unit(project,stage);"

	"CREATE TABLE fact(name TEXT NOT NULL,value TEXT NOT NULL"
	SUM(FACT_COLUMNS) END
	"CREATE UNIQUE INDEX fact_name ON fact(name);"

	"CREATE TABLE approval(commit_id TEXT NOT NULL,removals TEXT NOT NULL,actor TEXT NOT NULL,"
	"when_ms INTEGER NOT NULL"
	SUM(APPROVAL_COLUMNS) END
	"CREATE UNIQUE INDEX approval_commit ON approval(commit_id);"

	"CREATE TABLE slot_state(" SLOT_KEY ",json TEXT NOT NULL"
	SUM(SLOT_STATE_COLUMNS) END
	"CREATE UNIQUE INDEX slot_state_slot ON slot_state(" SLOT_COLUMNS ");"

	"CREATE TABLE node_state(node TEXT NOT NULL,json TEXT NOT NULL"
	SUM(NODE_STATE_COLUMNS) END
	"CREATE UNIQUE INDEX node_state_node ON node_state(node);"

	"CREATE TABLE audit(id INTEGER PRIMARY KEY CHECK (id > 0),when_ms INTEGER NOT NULL,"
	"actor TEXT NOT NULL,action TEXT NOT NULL,subject TEXT,detail TEXT,hash TEXT NOT NULL"
	SUM(AUDIT_COLUMNS) END,
};
/* clang-format on */

/* The format of the file. Reads nothing but the header. */
static int identify(struct db *db, int64_t *format, struct err *err)
{
	int64_t application = 0;

	if (db_read_int(db, "PRAGMA application_id", 0, &application, err) != 0 ||
	    db_read_int(db, "PRAGMA user_version", 0, format, err) != 0)
		return -1;
	if (application != APPLICATION_ID || *format < 1)
		return err_set(err, E_LEDGER_CORRUPT, "this is no ledger of trueup");
	if (*format > LEDGER_FORMAT)
		return err_set(err, E_LEDGER_NEWER,
			       "the ledger has format %" PRId64 ", this trueup knows up to %d: run "
			       "the newer trueup that wrote it",
			       *format, LEDGER_FORMAT);
	return 0;
}

static int run_migrations(struct db *db, int64_t format, struct err *err)
{
	for (; format < LEDGER_FORMAT; format++) {
		if (db_script(db, migrations[format], err) != 0)
			return err_wrap(err, "migration from format %" PRId64, format);
	}
	return db_script(db, "PRAGMA user_version=" TEXT_OF(LEDGER_FORMAT), err);
}

static int migrate(struct db *db, int64_t format, struct err *err)
{
	if (format == LEDGER_FORMAT)
		return 0;
	if (db_begin(db, err) != 0)
		return -1;
	if (run_migrations(db, format, err) != 0) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db, err);
}

int tables_create(struct db *db, struct err *err)
{
	if (db_script(db, "PRAGMA application_id=" TEXT_OF(APPLICATION_ID), err) != 0)
		return -1;
	return migrate(db, 0, err);
}

/* ---- checking ---- */

static int damaged(struct err *err, const char *where, const char *what)
{
	return err_set(err, E_LEDGER_CORRUPT, "%s: %s", where, what ? what : "nothing");
}

static int check_pages_and_rows(struct db *db, struct err *err)
{
	struct db_rows *rows AUTO_ROWS =
		db_query(db, "PRAGMA integrity_check(1)", DB_NO_VALUES, err);
	int got = rows ? db_next(rows, err) : -1;
	const char *found;

	if (got <= 0)
		return got < 0 ? -1 : damaged(err, "integrity check", NULL);
	found = db_peek_text(rows);
	return str_eq(found, "ok") ? 0 : damaged(err, "integrity check", found);
}

static int check_references(struct db *db, struct err *err)
{
	struct db_rows *rows AUTO_ROWS =
		db_query(db, "PRAGMA foreign_key_check", DB_NO_VALUES, err);
	int got = rows ? db_next(rows, err) : -1;

	return got > 0 ? damaged(err, "broken reference in table", db_peek_text(rows)) : got;
}

/* ANALYZE by a curious administrator does no harm. */
static const char schema_query[] =
	"SELECT type,name,tbl_name,sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' "
	"ORDER BY type,name";

static int read_schema(struct db *db, struct buf *out, struct err *err)
{
	struct db_rows *rows AUTO_ROWS = db_query(db, schema_query, DB_NO_VALUES, err);
	int got = -1;

	while (rows && (got = db_next(rows, err)) > 0) {
		for (int i = 0; i < 4; i++) {
			const char *text = db_peek_text(rows);

			buf_addf(out, "%s\n", text ? text : "NULL");
		}
	}
	return got;
}

/* Whatever stands in the file must be what our own statements make, nothing less and nothing more.
 */
static int check_schema(struct db *db, struct err *err)
{
	struct db *fresh AUTO_DB = NULL;
	struct buf ours AUTO_BUF = BUF_INIT(BUF_MAX_TEXT), found AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

	if (db_open(":memory:", DB_CREATE, &fresh, err) != 0 || tables_create(fresh, err) != 0 ||
	    read_schema(fresh, &ours, err) != 0 || read_schema(db, &found, err) != 0)
		return -1;
	return str_eq(buf_str(&ours), buf_str(&found))
		       ? 0
		       : damaged(err, "schema", "not the one that trueup makes");
}

static int check_encoding(struct db *db, struct err *err)
{
	struct db_rows *rows AUTO_ROWS = db_query(db, "PRAGMA encoding", DB_NO_VALUES, err);
	int got = rows ? db_next(rows, err) : -1;
	const char *found = got > 0 ? db_peek_text(rows) : NULL;

	if (got < 0)
		return -1;
	return str_eq(found, "UTF-8") ? 0 : damaged(err, "text encoding", found);
}

/* Our file may be written to; whether that holds is told by a bit in its own header, too. */
static int check_writable(struct db *db, struct err *err)
{
	if (!db_is_readonly(db))
		return 0;
	if (access(db_path(db), W_OK) != 0)
		return err_errno(err, E_LEDGER, "%s cannot be written", db_path(db));
	return damaged(err, "header", "says read-only");
}

int tables_open(struct db *db, struct err *err)
{
	int64_t format;

	if (identify(db, &format, err) != 0 || check_writable(db, err) != 0 ||
	    check_encoding(db, err) != 0 || check_pages_and_rows(db, err) != 0 ||
	    migrate(db, format, err) != 0)
		return -1;
	return check_schema(db, err) == 0 ? check_references(db, err) : -1;
}

/* SQLite reads what is missing of the last page as zeros. */
static int check_length(struct db *db, int64_t *length, struct err *err)
{
	int64_t pages = 0, page_size = 0;
	struct stat info;

	if (db_read_int(db, "PRAGMA page_count", 0, &pages, err) != 0 ||
	    db_read_int(db, "PRAGMA page_size", 0, &page_size, err) != 0)
		return -1;
	if (stat(db_path(db), &info) != 0)
		return err_errno(err, E_LEDGER, "%s", db_path(db));
	*length = info.st_size;
	return info.st_size < pages * page_size ? damaged(err, "length", "cut off") : 0;
}

int tables_open_to_read(struct db *db, struct err *err)
{
	int64_t format = 0, length = 0;

	if (identify(db, &format, err) != 0 || check_length(db, &length, err) != 0)
		return -1;
	if (format < LEDGER_FORMAT)
		return err_set(err, E_LEDGER,
			       "%s was written by an older trueup: start this one's `run` or "
			       "`apply` once, which brings it up to date",
			       db_path(db));
	return length <= TABLES_GLANCE_MAX ? check_pages_and_rows(db, err) : 0;
}

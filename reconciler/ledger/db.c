#include "base/sys.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "ledger/db.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#define STATEMENTS_MAX 96
#define BUSY_MS 10000
#define BUSY_LOOK_AGAIN_US 700
#define VALUE_BYTES_MAX (64 << 20)

enum tx { TX_NONE, TX_READ, TX_HELD, TX_WRITE };

struct db_rows {
	struct db *db;
	const char *sql;
	sqlite3_stmt *handle;
	int column;
	bool running;
};

struct db {
	sqlite3 *handle;
	char *path;
	struct db_rows statements[STATEMENTS_MAX];
	size_t statements_n;
	enum tx tx;
	int64_t busy_until;
	struct err given_up; /* first error of the open transaction */
};

/* ---- errors ---- */

static bool is_full(struct db *db, int code)
{
	int number = sqlite3_system_errno(db->handle);

	return (code & 0xff) == SQLITE_FULL ||
	       (((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN) &&
		(number == ENOSPC || number == EDQUOT));
}

/*
 * Our statements are constants that the tests run, so "error in statement" can only mean that the
 * file does not hold the tables they speak of.
 */
static enum err_code meaning(int code)
{
	if (code == SQLITE_IOERR_CORRUPTFS)
		return E_LEDGER_CORRUPT;
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_ERROR:
		return E_LEDGER_CORRUPT;
	case SQLITE_TOOBIG:
		return E_TOO_LARGE;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		return E_INTERNAL;
	default:
		return E_LEDGER;
	}
}

static int fail(struct db *db, int code, struct err *err)
{
	int number = sqlite3_system_errno(db->handle);

	if ((code & 0xff) == SQLITE_NOMEM)
		mem_exhausted();
	if (is_full(db, code))
		return err_set(err, E_DISK_FULL, "%s: no space left", db->path);
	if (code == SQLITE_READONLY_ROLLBACK)
		return err_set(err, E_LEDGER_UNFINISHED,
			       "%s: a killed writer left a journal that must be rolled back, and "
			       "that needs write access",
			       db->path);
	if (((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN) && number) {
		errno = number;
		return err_errno(err, meaning(code), "%s: %s", db->path,
				 sqlite3_errmsg(db->handle));
	}
	return err_set(err, meaning(code), "%s: %s", db->path, sqlite3_errmsg(db->handle));
}

/* ---- opening ---- */

static void hash_number(struct hash *hash, int64_t number)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)((uint64_t)number >> (8 * i));
	hash_add(hash, bytes, sizeof bytes);
}

static void hash_value(struct hash *hash, sqlite3_value *value)
{
	int type = sqlite3_value_type(value);

	hash_number(hash, type);
	if (type == SQLITE_INTEGER) {
		hash_number(hash, sqlite3_value_int64(value));
	} else if (type != SQLITE_NULL) {
		const void *bytes = sqlite3_value_blob(value);
		int len = sqlite3_value_bytes(value);

		hash_number(hash, len);
		hash_add(hash, bytes, (size_t)len);
	}
}

/* checksum(...): 64 bits of SHA-256 over all arguments with their types; see tables.h. */
static void checksum(sqlite3_context *context, int n, sqlite3_value **values)
{
	unsigned char digest[HASH_SIZE];
	struct hash hash;
	uint64_t sum = 0;

	hash_init(&hash);
	for (int i = 0; i < n; i++)
		hash_value(&hash, values[i]);
	hash_final(&hash, digest);
	for (size_t i = 0; i < sizeof sum; i++)
		sum = sum << 8 | digest[i];
	sqlite3_result_int64(context, (sqlite3_int64)sum);
}

/*
 * SQLite's own handler ends up looking ten times a second; beside a writer that commits without a
 * pause that can miss every gap.
 */
static int wait_for_lock(void *arg, int attempt)
{
	struct db *db = arg;
	int64_t now = clock_boot_ms();

	if (attempt == 0)
		db->busy_until = now + BUSY_MS;
	if (now >= db->busy_until)
		return 0;
	usleep(BUSY_LOOK_AGAIN_US);
	return 1;
}

/* What a hostile or damaged file could otherwise make SQLite do. */
static int harden(struct db *db)
{
	static const struct {
		int option, value;
	} options[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},	     {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},	     {SQLITE_DBCONFIG_DQS_DDL, 0},
		{SQLITE_DBCONFIG_ENABLE_FKEY, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		int code = sqlite3_db_config(db->handle, options[i].option, options[i].value, NULL);

		if (code != SQLITE_OK)
			return code;
	}
	sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
	sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
	return sqlite3_create_function(db->handle, "checksum", -1,
				       SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
				       checksum, NULL, NULL);
}

static int begin(struct db *db, enum tx tx, struct err *err)
{
	if (db->tx != TX_NONE)
		return err_set(err, E_INTERNAL, "%s: a transaction is open already", db->path);
	if (db_script(db, tx == TX_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", err) != 0)
		return -1;
	db->tx = tx;
	err_clear(&db->given_up);
	return 0;
}

/*
 * journal_mode: WAL and several connections met a bug of SQLite 3.40 that damages the file.
 * synchronous: FULL, since an intent must be on disk before the call that it announces.
 */
static int settle(struct db *db, enum db_mode mode, struct err *err)
{
	int code;

	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_handler(db->handle, wait_for_lock, db);
	code = harden(db);
	if (code != SQLITE_OK)
		return fail(db, code, err);
	/* A reader's locks are few: beside a busy writer, each may take a while to get. */
	if (mode == DB_READ && begin(db, TX_READ, err) != 0)
		return -1;
	if (db_script(db,
		      "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA cache_size=-256;"
		      "PRAGMA temp_store=MEMORY",
		      err) != 0)
		return -1;
	return mode == DB_READ
		       ? 0
		       : db_script(db, "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL",
				   err);
}

static int open_handle(struct db *db, enum db_mode mode, struct err *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE |
		    (mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	int code = sqlite3_open_v2(db->path, &db->handle, flags, NULL);

	if (!db->handle)
		mem_exhausted();
	return code == SQLITE_OK ? settle(db, mode, err) : fail(db, code, err);
}

static int make_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(err, E_LEDGER, "create %s", path);
	close(fd);
	return 0;
}

int db_open(const char *path, enum db_mode mode, struct db **out, struct err *err)
{
	struct db *db AUTO_DB = mem_zalloc(1, sizeof *db);
	bool in_memory = strcmp(path, ":memory:") == 0;

	/* A name that begins with "file:" would be taken for a URI. */
	db->path = *path == '/' || in_memory ? mem_strdup(path) : mem_printf("./%s", path);
	if (mode == DB_CREATE && !in_memory && make_file(db->path, err) != 0)
		return -1;
	if (open_handle(db, mode, err) != 0)
		return -1;
	*out = db;
	db = NULL;
	return 0;
}

void db_close(struct db **db)
{
	struct db *closing = *db;

	*db = NULL;
	if (!closing)
		return;
	db_rollback(closing);
	for (size_t i = 0; i < closing->statements_n; i++)
		sqlite3_finalize(closing->statements[i].handle);
	sqlite3_close(closing->handle);
	free(closing->path);
	free(closing);
}

const char *db_path(const struct db *db)
{
	return db->path;
}

bool db_is_readonly(const struct db *db)
{
	return sqlite3_db_readonly(db->handle, "main") != 0;
}

int db_check_there(const struct db *db, struct err *err)
{
	int moved = 0;

	if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
	    moved)
		return err_set(err, E_LEDGER_CORRUPT, "%s was removed or replaced", db->path);
	return 0;
}

void db_trim_memory(struct db *db)
{
	sqlite3_db_release_memory(db->handle);
}

/* ---- values ---- */

struct db_value db_int(int64_t number)
{
	return (struct db_value){.type = DB_INT, .number = number};
}

struct db_value db_text(const char *text)
{
	return (struct db_value){.type = DB_TEXT, .text = text, .len = text ? strlen(text) : 0};
}

struct db_value db_some(const char *text)
{
	return db_text(text ? text : "");
}

struct db_value db_text_cut(const char *text, size_t max)
{
	struct db_value value = db_text(text);

	if (value.len > max)
		value.len = utf8_cut(text, max);
	return value;
}

static int bind(sqlite3_stmt *handle, int position, const struct db_value *value)
{
	if (value->type == DB_INT)
		return sqlite3_bind_int64(handle, position, value->number);
	if (!value->text)
		return sqlite3_bind_null(handle, position);
	return sqlite3_bind_text64(handle, position, value->text, value->len, SQLITE_STATIC,
				   SQLITE_UTF8);
}

/* ---- statements ---- */

static struct db_rows *find_statement(struct db *db, const char *sql)
{
	for (size_t i = 0; i < db->statements_n; i++) {
		if (db->statements[i].sql == sql)
			return &db->statements[i];
	}
	return NULL;
}

static struct db_rows *prepare(struct db *db, const char *sql, struct err *err)
{
	struct db_rows *rows = find_statement(db, sql);
	int code;

	if (rows)
		return rows;
	if (db->statements_n == STATEMENTS_MAX) {
		err_set(err, E_INTERNAL, "more than %d statements", STATEMENTS_MAX);
		return NULL;
	}
	rows = &db->statements[db->statements_n];
	*rows = (struct db_rows){.db = db, .sql = sql};
	code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &rows->handle,
				  NULL);
	if (code != SQLITE_OK) {
		fail(db, code, err);
		return NULL;
	}
	db->statements_n++;
	return rows;
}

struct db_rows *db_query(struct db *db, const char *sql, struct db_values values, struct err *err)
{
	struct db_rows *rows = prepare(db, sql, err);

	if (!rows)
		return NULL;
	if (rows->running) {
		err_set(err, E_INTERNAL, "still being read: %s", sql);
		return NULL;
	}
	for (size_t i = 0; i < values.n; i++) {
		int code = bind(rows->handle, (int)i + 1, &values.v[i]);

		if (code != SQLITE_OK) {
			fail(db, code, err);
			return NULL;
		}
	}
	rows->running = true;
	return rows;
}

void db_rows_release(struct db_rows **rows)
{
	if (*rows) {
		sqlite3_reset((*rows)->handle);
		sqlite3_clear_bindings((*rows)->handle);
		(*rows)->running = false;
	}
	*rows = NULL;
}

int db_next(struct db_rows *rows, struct err *err)
{
	int code = sqlite3_step(rows->handle);

	rows->column = 0;
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : fail(rows->db, code, err);
}

int db_next_sound(struct db_rows *rows, struct err *err)
{
	int got = db_next(rows, err);

	if (got > 0 && !sqlite3_column_int(rows->handle, sqlite3_column_count(rows->handle) - 1))
		return err_set(err, E_LEDGER_CORRUPT, "%s: a row is not as it was written",
			       rows->db->path);
	return got;
}

int64_t db_take_int(struct db_rows *rows)
{
	return sqlite3_column_int64(rows->handle, rows->column++);
}

const char *db_peek_text(struct db_rows *rows)
{
	int column = rows->column++;
	const unsigned char *text;

	if (sqlite3_column_type(rows->handle, column) == SQLITE_NULL)
		return NULL;
	text = sqlite3_column_text(rows->handle, column);
	if (!text)
		mem_exhausted();
	return (const char *)text;
}

const char *db_take_text(struct db_rows *rows, struct arena *arena)
{
	return arena_strdup(arena, db_peek_text(rows));
}

int db_read_int(struct db *db, const char *sql, int64_t otherwise, int64_t *out, struct err *err)
{
	struct db_rows *rows AUTO_ROWS = db_query(db, sql, DB_NO_VALUES, err);
	int got = rows ? db_next(rows, err) : -1;

	if (got >= 0)
		*out = got ? db_take_int(rows) : otherwise;
	return got < 0 ? -1 : 0;
}

int db_script(struct db *db, const char *sql, struct err *err)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : fail(db, code, err);
}

/* ---- transactions ---- */

void db_hold(struct db *db)
{
	if (db->tx == TX_NONE)
		(void)begin(db, TX_HELD, NULL);
}

void db_let_go(struct db *db)
{
	if (db->tx == TX_HELD)
		db_rollback(db);
}

int db_begin(struct db *db, struct err *err)
{
	db_let_go(db);
	return begin(db, TX_WRITE, err);
}

void db_rollback(struct db *db)
{
	/* SQLite may have rolled back by itself when the disk was full. */
	if (db->tx != TX_NONE && !sqlite3_get_autocommit(db->handle))
		(void)db_script(db, "ROLLBACK", NULL);
	db->tx = TX_NONE;
	err_clear(&db->given_up);
}

int db_commit(struct db *db, struct err *err)
{
	if (db->tx != TX_WRITE)
		return err_set(err, E_INTERNAL, "%s: no transaction is open", db->path);
	if (db->given_up.code != E_NONE) {
		err_set(err, db->given_up.code, "%s", db->given_up.text);
		db_rollback(db);
		return err_wrap(err, "nothing was written");
	}
	if (db_script(db, "COMMIT", err) != 0) {
		db_rollback(db);
		return -1;
	}
	db->tx = TX_NONE;
	return 0;
}

static int run(struct db *db, const char *sql, struct db_values values, struct err *err)
{
	struct db_rows *rows AUTO_ROWS = NULL;

	if (db->tx != TX_WRITE)
		return err_set(err, E_INTERNAL, "%s: written to outside of a transaction",
			       db->path);
	if (db->given_up.code != E_NONE)
		return err_set(err, db->given_up.code, "%s", db->given_up.text);
	rows = db_query(db, sql, values, err);
	return rows ? db_next(rows, err) : -1;
}

int db_run(struct db *db, const char *sql, struct db_values values, struct err *err)
{
	struct err own = ERR_INIT;

	if (run(db, sql, values, &own) >= 0)
		return 0;
	if (db->given_up.code == E_NONE && db->tx == TX_WRITE)
		db->given_up = own;
	return err_set(err, own.code, "%s", own.text);
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_changes64(db->handle);
}

int64_t db_last_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

/* ---- for tests ---- */

void db_memory(int64_t *now, int64_t *highest)
{
	*now = sqlite3_memory_used();
	*highest = sqlite3_memory_highwater(0);
}

static void explain(struct db *db, const char *sql, struct buf *out)
{
	char *text AUTO_FREE = mem_printf("EXPLAIN QUERY PLAN %s", sql);
	sqlite3_stmt *handle = NULL;

	buf_addf(out, "%s\n", sql);
	if (sqlite3_prepare_v2(db->handle, text, -1, &handle, NULL) != SQLITE_OK)
		return;
	while (sqlite3_step(handle) == SQLITE_ROW)
		buf_addf(out, "  %s\n", (const char *)sqlite3_column_text(handle, 3));
	sqlite3_finalize(handle);
}

void db_explain(struct db *db, struct buf *out)
{
	for (size_t i = 0; i < db->statements_n; i++)
		explain(db, db->statements[i].sql, out);
}

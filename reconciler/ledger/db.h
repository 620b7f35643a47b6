/*
 * db.h - the little of SQLite that the ledger needs. db.c is the only includer of <sqlite3.h>.
 *
 * A statement is named by its text, which is always a string literal: it is
 * prepared at its first use and kept. Values are bound by position (?1 first),
 * columns are read from left to right:
 *
 *	struct db_rows *rows AUTO_ROWS =
 *		db_query(db, "SELECT a,b FROM t WHERE c=?1", DB_VALUES(db_int(7)), err);
 *	while ((got = db_next(rows, err)) > 0) {
 *		int64_t a = db_take_int(rows);
 *		const char *b = db_take_text(rows, arena);
 *	}
 *
 * While a file is open here, this process must not open it in any other way:
 * closing any descriptor of it lets go of SQLite's locks.
 *
 * Errors: E_DISK_FULL; E_LEDGER_CORRUPT (the file is damaged, or is not what our statements
 *expect); E_LEDGER (input or output failed, or it is busy for longer than 10 s); E_TOO_LARGE;
 *E_INTERNAL (a constraint of the schema would be broken: the caller's mistake).
 */
#ifndef TRUEUP_LEDGER_DB_H
#define TRUEUP_LEDGER_DB_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct db;
struct db_rows;

enum db_mode {
	DB_CREATE, /* must not exist yet; made with mode 0600 */
	DB_WRITE,  /* must exist */
	/*
	 * Must exist; never written to, not even to roll back what a killed writer left. All
	 * that is read until db_close is of one instant.
	 */
	DB_READ,
};
/* ":memory:" with DB_CREATE is a database without a file. */
int db_open(const char *path, enum db_mode mode, struct db **out, struct err *err);
/* Rolls an open transaction back. NULL is allowed. Sets the variable to NULL. */
void db_close(struct db **db);
#define AUTO_DB CLEANUP(db_close)
const char *db_path(const struct db *db);
/* The file can be read but not written, by its mode, its file system or its own header. */
bool db_is_readonly(const struct db *db);
/* 0, or E_LEDGER_CORRUPT when the path leads to another file than the one that is open, or to none.
 */
int db_check_there(const struct db *db, struct err *err);
/* Gives the page cache back. */
void db_trim_memory(struct db *db);

/* ---- values ---- */

struct db_value {
	enum { DB_INT, DB_TEXT } type;
	int64_t number;
	const char *text;
	size_t len;
};
struct db_value db_int(int64_t number);
/* NULL is NULL. The text must live until the call returns. */
struct db_value db_text(const char *text);
/* NULL is "". */
struct db_value db_some(const char *text);
/* At most max bytes of it, cut between two characters. */
struct db_value db_text_cut(const char *text, size_t max);

struct db_values {
	const struct db_value *v;
	size_t n;
};
#define DB_VALUES(...)                                                                             \
	((struct db_values){(const struct db_value[]){__VA_ARGS__},                                \
			    sizeof((const struct db_value[]){__VA_ARGS__}) /                       \
				    sizeof(struct db_value)})
#define DB_NO_VALUES ((struct db_values){NULL, 0})

/* ---- transactions ---- */

/*
 * Many small reads are to follow: until db_let_go, or db_begin, the file is locked for reading once
 * and not by each. Where that cannot be, each read says why. Inside of a transaction: nothing.
 */
void db_hold(struct db *db);
void db_let_go(struct db *db);
/* From here to db_commit nobody else writes. E_INTERNAL when one is open already. */
int db_begin(struct db *db, struct err *err);
/*
 * -1 means that nothing of the transaction can be relied on: read again. After any failed db_run
 * nothing is committed any more, and this gives that first error once more.
 */
int db_commit(struct db *db, struct err *err);
/* Nothing open: nothing happens. */
void db_rollback(struct db *db);

/* ---- statements ---- */

/* Runs a statement that changes rows. E_INTERNAL outside of a transaction. */
int db_run(struct db *db, const char *sql, struct db_values values, struct err *err);
/* Rows that the last db_run changed, and the rowid it inserted. */
int64_t db_changes(const struct db *db);
int64_t db_last_id(const struct db *db);
/* Any number of statements without values; for the schema and for settings. */
int db_script(struct db *db, const char *sql, struct err *err);

/* NULL on failure. The same text must not be asked again before its rows are released. */
struct db_rows *db_query(struct db *db, const char *sql, struct db_values values, struct err *err);
void db_rows_release(struct db_rows **rows);
#define AUTO_ROWS CLEANUP(db_rows_release)
/* 1 a row, 0 no more, -1. */
int db_next(struct db_rows *rows, struct err *err);
/* Same for a statement whose last column tells whether the row is as it was written (tables.h). */
int db_next_sound(struct db_rows *rows, struct err *err);
int64_t db_take_int(struct db_rows *rows);
/* A copy in arena; NULL for NULL. */
const char *db_take_text(struct db_rows *rows, struct arena *arena);
/* The text itself, valid until the next row; NULL for NULL. */
const char *db_peek_text(struct db_rows *rows);
/* The first column of the first row of a query without values; `otherwise` where there is no row.
 */
int db_read_int(struct db *db, const char *sql, int64_t otherwise, int64_t *out, struct err *err);

/* For tests: bytes that SQLite holds in this process, and the most it ever held. */
void db_memory(int64_t *now, int64_t *highest);
/* For tests: how each statement used so far finds its rows, "<sql>\n  <step>\n  <step>\n". */
void db_explain(struct db *db, struct buf *out);

#endif

/* Opening and closing, and the transactions round every change. */
#include "base/sys.h"
#include "base/fs.h"
#include "base/log.h"
#include "ledger/aside.h"
#include "ledger/load.h"

#include <unistd.h>

#define NEW_SUFFIX ".new"

static struct ledger *wrap(struct db *db)
{
	struct ledger *ledger = mem_zalloc(1, sizeof *ledger);

	db_trim_memory(db);
	ledger->db = db;
	return ledger;
}

void ledger_rest(struct ledger *ledger)
{
	db_trim_memory(ledger->db);
}

/* ---- making one ---- */

static void remove_new(const char *path)
{
	(void)unlink(path);
	aside_clear_journals(path);
}

static int make_tables(const char *path, struct err *err)
{
	struct db *db AUTO_DB = NULL;

	return db_open(path, DB_CREATE, &db, err) == 0 ? tables_create(db, err) : -1;
}

/* Under another name until it is whole, so that an empty ledger.db is always a damaged one. */
static int create(const char *state_dir, const char *path, struct err *err)
{
	char *fresh AUTO_FREE = mem_printf("%s%s", path, NEW_SUFFIX);

	remove_new(fresh);
	if (make_tables(fresh, err) != 0) {
		remove_new(fresh);
		return -1;
	}
	aside_clear_journals(fresh);
	aside_clear_journals(path);
	if (rename(fresh, path) != 0)
		return err_errno(err, E_LEDGER, "rename %s", fresh);
	return fs_sync_dir(state_dir, err);
}

/* ---- opening ---- */

static int open_sound(const char *path, struct ledger **out, struct err *err)
{
	struct db *db AUTO_DB = NULL;

	if (db_open(path, DB_WRITE, &db, err) != 0 || tables_open(db, err) != 0 ||
	    audit_check_end(db, err) != 0)
		return -1;
	*out = wrap(db);
	db = NULL;
	return 0;
}

static int create_and_open(const char *state_dir, const char *path, struct ledger **out,
			   struct err *err)
{
	return create(state_dir, path, err) == 0 ? open_sound(path, out, err) : -1;
}

static int rebuild(const char *state_dir, const char *path, struct buf *aside, struct ledger **out,
		   const struct err *damage, struct err *err)
{
	struct buf path_aside AUTO_BUF = BUF_INIT(FS_PATH_MAX);

	if (aside_set(state_dir, &path_aside, err) != 0 ||
	    create_and_open(state_dir, path, out, err) != 0)
		return err_wrap(err, "the ledger is damaged (%s) and cannot be replaced",
				damage->text);
	log_event(LOG_ERROR, "ledger damaged", "error", damage->text, "kept as",
		  buf_str(&path_aside), "now", "a new one, rebuilt from what the nodes show", NULL);
	if (aside)
		buf_adds(aside, buf_str(&path_aside));
	return 0;
}

int ledger_open(const char *state_dir, struct ledger **out, enum ledger_opened *how,
		struct buf *aside, struct err *err)
{
	struct err own = ERR_INIT;
	char path[FS_PATH_MAX];

	if (fs_join(path, state_dir, LEDGER_FILE) != 0)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", state_dir);
	if (!fs_exists(path)) {
		*how = LEDGER_CREATED;
		return create_and_open(state_dir, path, out, err);
	}
	*how = LEDGER_OPENED;
	if (open_sound(path, out, &own) == 0)
		return 0;
	if (own.code != E_LEDGER_CORRUPT)
		return err_set(err, own.code, "%s", own.text);
	*how = LEDGER_REBUILT;
	return rebuild(state_dir, path, aside, out, &own, err);
}

void ledger_close(struct ledger **ledger)
{
	if (*ledger)
		db_close(&(*ledger)->db);
	free(*ledger);
	*ledger = NULL;
}

int ledger_check_there(const struct ledger *ledger, struct err *err)
{
	return db_check_there(ledger->db, err);
}

/* ---- transactions ---- */

void ledger_hold(struct ledger *ledger)
{
	db_hold(ledger->db);
}

void ledger_let_go(struct ledger *ledger)
{
	db_let_go(ledger->db);
}

int ledger_begin(struct ledger *ledger, struct err *err)
{
	return db_begin(ledger->db, err);
}

int ledger_commit(struct ledger *ledger, struct err *err)
{
	return db_commit(ledger->db, err);
}

void ledger_rollback(struct ledger *ledger)
{
	db_rollback(ledger->db);
}

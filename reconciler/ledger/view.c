/* The reader's side: one read transaction, everything copied out, closed again. */
#include "base/sys.h"
#include "base/clock.h"
#include "base/fs.h"
#include "ledger/load.h"
#include "ledger/state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define WAIT_MS 10000
#define LOOK_AGAIN_MS 20

/* ---- opening ---- */

/*
 * The lock of the state folder, shared with other readers, without making it. 0 got it (*fd), or
 * there is no lock file, so nobody runs; -1 somebody has it.
 */
static int try_state_lock(const char *state_dir, int *fd)
{
	char path[FS_PATH_MAX];

	if (fs_join(path, state_dir, STATE_LOCK_FILE) != 0)
		return -1;
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return errno == ENOENT ? 0 : -1;
	return flock(*fd, LOCK_SH | LOCK_NB);
}

/*
 * A writer was killed in the middle of a commit and left its journal. Nobody holds the state, so
 * opening for writing, which reads the first page, brings the file back to where it was before.
 */
static int roll_back(const char *path, struct err *err)
{
	struct db *db AUTO_DB = NULL;

	return db_open(path, DB_WRITE, &db, err);
}

static int try_open(const char *path, struct db **out, struct err *err)
{
	struct db *db AUTO_DB = NULL;

	if (db_open(path, DB_READ, &db, err) != 0 || tables_open_to_read(db, err) != 0)
		return -1;
	*out = db;
	db = NULL;
	return 0;
}

static int open_when_sound(const char *state_dir, const char *path, struct db **out,
			   struct err *err)
{
	int64_t until = clock_boot_ms() + WAIT_MS;
	struct err own = ERR_INIT;

	while (try_open(path, out, &own) != 0) {
		int lock AUTO_FD = -1;

		if (own.code == E_LEDGER_CORRUPT)
			return err_set(
				err, own.code,
				"%s; trueup run, or apply, sets it aside and learns from the "
				"nodes what runs",
				own.text);
		if (own.code != E_LEDGER_UNFINISHED || clock_boot_ms() >= until)
			return err_set(err, own.code, "%s", own.text);
		if (try_state_lock(state_dir, &lock) != 0)
			usleep(LOOK_AGAIN_MS * 1000);
		else if (roll_back(path, err) != 0)
			return -1;
	}
	return 0;
}

/* *out NULL: there is no ledger, which is an empty one. */
static int open_reader(const char *state_dir, struct db **out, struct err *err)
{
	char path[FS_PATH_MAX];

	*out = NULL;
	if (fs_join(path, state_dir, LEDGER_FILE) != 0)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", state_dir);
	if (access(path, R_OK) == 0)
		return open_when_sound(state_dir, path, out, err);
	if (errno != ENOENT)
		return err_errno(err, errno == EACCES ? E_NOT_PERMITTED : E_LEDGER, "open %s",
				 path);
	return state_check_ours(state_dir, err);
}

/* ---- everything at one instant ---- */

static int load_facts(struct db *db, struct ledger_view *view, struct err *err)
{
	const struct {
		const char *name, **value;
	} facts[] = {
		{"tip", &view->tip},	       {"branch", &view->branch},
		{"accepted", &view->accepted}, {"base", &view->base},
		{"repo", &view->repo},	       {"owner", &view->owner},
		{"problem", &view->problem},   {"slots", &view->slots_wanted},
		{"adopting", &view->adopting}, {"slow-stops", &view->slow_stops},
		{"tags", &view->moved_tags},
	};

	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		if (load_fact(db, facts[i].name, view->arena, facts[i].value, err) != 0)
			return -1;
	}
	return 0;
}

static int load_status(struct db *db, unsigned parts, struct ledger_view *view, struct err *err)
{
	struct arena *arena = view->arena;
	struct history *history = &view->history;

	if (load_history(db, NULL, arena, history, err) != 0 ||
	    load_units(db, arena, &view->units, &view->units_n, err) != 0 ||
	    load_slots(db, arena, &view->slots, &view->slots_n, err) != 0 ||
	    load_nodes(db, arena, &view->nodes, &view->nodes_n, err) != 0 ||
	    load_approvals(db, arena, &view->approvals, &view->approvals_n, err) != 0)
		return -1;
	return parts & VIEW_CONTENT
		       ? load_contents(db, history->records, history->records_n, arena, err)
		       : 0;
}

static int load_all_records(struct db *db, unsigned parts, struct ledger_view *view,
			    struct err *err)
{
	if (load_records(db, view->arena, &view->records, &view->records_n, err) != 0)
		return -1;
	return parts & VIEW_CONTENT
		       ? load_contents(db, view->records, view->records_n, view->arena, err)
		       : 0;
}

static int load_parts(struct db *db, unsigned parts, struct ledger_view *view, struct err *err)
{
	if (load_facts(db, view, err) != 0)
		return -1;
	if (parts & VIEW_STATUS && load_status(db, parts, view, err) != 0)
		return -1;
	return parts & VIEW_RECORDS ? load_all_records(db, parts, view, err) : 0;
}

int ledger_view_open(const char *state_dir, unsigned parts, struct ledger_view **out,
		     struct err *err)
{
	struct ledger_view *view;
	struct db *db AUTO_DB = NULL;

	if (open_reader(state_dir, &db, err) != 0)
		return -1;
	view = mem_zalloc(1, sizeof *view);
	view->arena = arena_new(4096);
	view->exists = db != NULL;
	if (db && load_parts(db, parts, view, err) != 0) {
		ledger_view_close(&view);
		return -1;
	}
	*out = view;
	return 0;
}

void ledger_view_close(struct ledger_view **view)
{
	if (*view)
		arena_free((*view)->arena);
	free(*view);
	*view = NULL;
}

/* ---- single questions ---- */

int ledger_view_steps(const char *state_dir, int64_t record, struct arena *arena,
		      struct ledger_step **out, size_t *n, struct err *err)
{
	struct db *db AUTO_DB = NULL;

	*out = NULL;
	*n = 0;
	if (open_reader(state_dir, &db, err) != 0)
		return -1;
	return db ? load_steps(db, record, arena, out, n, err) : 0;
}

int audit_read(const char *state_dir, const struct audit_query *query, struct arena *arena,
	       struct audit_entry **out, size_t *n, struct err *err)
{
	struct db *db AUTO_DB = NULL;

	*out = NULL;
	*n = 0;
	if (open_reader(state_dir, &db, err) != 0)
		return -1;
	return db ? load_audit(db, query, arena, out, n, err) : 0;
}

int audit_verify(const char *state_dir, size_t *entries, struct err *err)
{
	struct db *db AUTO_DB = NULL;

	*entries = 0;
	if (open_reader(state_dir, &db, err) != 0)
		return -1;
	return db ? audit_check(db, entries, err) : 0;
}

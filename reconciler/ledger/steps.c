/* Steps: an intent is on disk before the call that it announces, the result after it. */
#include "base/sys.h"
#include "ledger/load.h"

#include <inttypes.h>

#define DETAIL_MAX ((size_t)8 << 10)

static void read_step(struct db_rows *rows, struct arena *arena, void *element)
{
	struct ledger_step *step = element;

	step->id = db_take_int(rows);
	step->slot.project = db_take_text(rows, arena);
	step->slot.stage = db_take_text(rows, arena);
	step->slot.deployment = db_take_text(rows, arena);
	step->slot.node = db_take_text(rows, arena);
	step->record = db_take_int(rows);
	step->op = db_take_text(rows, arena);
	step->name = db_take_text(rows, arena);
	step->intent_ms = db_take_int(rows);
	step->result_ms = db_take_int(rows);
	step->ok = db_take_int(rows) != 0;
	step->detail = db_take_text(rows, arena);
}

int load_steps(struct db *db, int64_t record, struct arena *arena, struct ledger_step **out,
	       size_t *n, struct err *err)
{
	static const char of_record[] =
		DB_SELECT(STEP_COLUMNS, "step") "WHERE record=?1 ORDER BY id";
	static const char open[] = DB_SELECT(STEP_COLUMNS, "step") "WHERE result_ms=0 ORDER BY id";
	struct db_rows *rows = record ? db_query(db, of_record, DB_VALUES(db_int(record)), err)
				      : db_query(db, open, DB_NO_VALUES, err);

	return load_rows(rows, arena, sizeof **out, read_step, (void **)out, n, err);
}

int ledger_open_steps(struct ledger *ledger, struct arena *arena, struct ledger_step **out,
		      size_t *n, struct err *err)
{
	return load_steps(ledger->db, 0, arena, out, n, err);
}

int ledger_intent(struct ledger *ledger, const struct ledger_step *step, int64_t *id,
		  struct err *err)
{
	static const char sql[] =
		"INSERT INTO step(" SLOT_COLUMNS ",record,op,name,intent_ms,result_ms,ok)"
		" VALUES(?1,?2,?3,?4,nullif(?5,0),?6,?7,?8,0,0)";

	if (db_run(ledger->db, sql,
		   DB_VALUES(db_text(step->slot.project), db_text(step->slot.stage),
			     db_text(step->slot.deployment), db_some(step->slot.node),
			     db_int(step->record), db_text(step->op), db_some(step->name),
			     db_int(step->intent_ms)),
		   err) != 0)
		return -1;
	*id = db_last_id(ledger->db);
	return 0;
}

int ledger_result(struct ledger *ledger, int64_t step, bool ok, const char *detail, int64_t now_ms,
		  struct err *err)
{
	static const char sql[] = "UPDATE step SET result_ms=?2,ok=?3,detail=?4 WHERE id=?1";

	if (db_run(ledger->db, sql,
		   DB_VALUES(db_int(step), db_int(now_ms), db_int(ok),
			     db_text_cut(detail, DETAIL_MAX)),
		   err) != 0)
		return -1;
	if (db_changes(ledger->db) == 0)
		return err_set(err, E_NOT_FOUND, "there is no step %" PRId64, step);
	return 0;
}

int ledger_trim(struct ledger *ledger, int64_t before_ms, struct err *err)
{
	static const char sql[] = "DELETE FROM step WHERE intent_ms<?1";

	return db_run(ledger->db, sql, DB_VALUES(db_int(before_ms)), err);
}

/* Units, facts, approvals, and what status shows of slots and nodes. */
#include "base/sys.h"
#include "ledger/load.h"

/* ---- units: the organization is ('',''), a project (p,''), a stage (p,s) ---- */

static void read_unit(struct db_rows *rows, struct arena *arena, void *element)
{
	struct ledger_unit *unit = element;
	const char *project = db_take_text(rows, arena);
	const char *stage = db_take_text(rows, arena);

	unit->unit.level = *stage ? UNIT_STAGE : *project ? UNIT_PROJECT : UNIT_ORGANIZATION;
	unit->unit.project = *project ? project : NULL;
	unit->unit.stage = *stage ? stage : NULL;
	unit->accepted = db_take_text(rows, arena);
	unit->refused = db_take_text(rows, arena);
	unit->diagnostics = db_take_text(rows, arena);
}

int load_units(struct db *db, struct arena *arena, struct ledger_unit **out, size_t *n,
	       struct err *err)
{
	static const char sql[] = DB_SELECT(UNIT_COLUMNS, "unit") "ORDER BY project,stage";

	return load_rows(db_query(db, sql, DB_NO_VALUES, err), arena, sizeof **out, read_unit,
			 (void **)out, n, err);
}

int ledger_units(struct ledger *ledger, struct arena *arena, struct ledger_unit **out, size_t *n,
		 struct err *err)
{
	return load_units(ledger->db, arena, out, n, err);
}

int ledger_put_unit(struct ledger *ledger, const struct ledger_unit *unit, struct err *err)
{
	static const char sql[] =
		"INSERT INTO unit(" UNIT_COLUMNS ") VALUES(?1,?2,?3,?4,?5)"
		" ON CONFLICT(project,stage) DO UPDATE SET accepted=?3,refused=?4,diagnostics=?5";

	return db_run(ledger->db, sql,
		      DB_VALUES(db_some(unit->unit.project), db_some(unit->unit.stage),
				db_text(unit->accepted), db_text(unit->refused),
				db_text(unit->diagnostics)),
		      err);
}

int ledger_drop_unit(struct ledger *ledger, const struct unit *unit, struct err *err)
{
	return db_run(ledger->db, "DELETE FROM unit WHERE project=?1 AND stage=?2",
		      DB_VALUES(db_some(unit->project), db_some(unit->stage)), err);
}

/* ---- facts: small values by name ---- */

int load_fact(struct db *db, const char *name, struct arena *arena, const char **value,
	      struct err *err)
{
	static const char sql[] = DB_SELECT(FACT_COLUMNS, "fact") "WHERE name=?1";
	struct db_rows *rows AUTO_ROWS = db_query(db, sql, DB_VALUES(db_text(name)), err);
	int got = rows ? db_next_sound(rows, err) : -1;

	if (got < 0)
		return -1;
	*value = NULL;
	if (got > 0) {
		(void)db_peek_text(rows);
		*value = db_take_text(rows, arena);
	}
	return 0;
}

int ledger_get(struct ledger *ledger, const char *key, struct arena *arena, const char **value,
	       struct err *err)
{
	return load_fact(ledger->db, key, arena, value, err);
}

int ledger_put(struct ledger *ledger, const char *key, const char *value, struct err *err)
{
	static const char put[] = "INSERT INTO fact(" FACT_COLUMNS ") VALUES(?1,?2)"
				  " ON CONFLICT(name) DO UPDATE SET value=?2";

	if (!value)
		return db_run(ledger->db, "DELETE FROM fact WHERE name=?1", DB_VALUES(db_text(key)),
			      err);
	return db_run(ledger->db, put, DB_VALUES(db_text(key), db_text(value)), err);
}

/* ---- approvals ---- */

static void read_approval(struct db_rows *rows, struct arena *arena, void *element)
{
	struct ledger_approval *approval = element;

	approval->commit = db_take_text(rows, arena);
	approval->removals = db_take_text(rows, arena);
	approval->actor = db_take_text(rows, arena);
	approval->when_ms = db_take_int(rows);
}

int load_approvals(struct db *db, struct arena *arena, struct ledger_approval **out, size_t *n,
		   struct err *err)
{
	static const char sql[] = DB_SELECT(APPROVAL_COLUMNS, "approval") "ORDER BY rowid";

	return load_rows(db_query(db, sql, DB_NO_VALUES, err), arena, sizeof **out, read_approval,
			 (void **)out, n, err);
}

int ledger_approvals(struct ledger *ledger, struct arena *arena, struct ledger_approval **out,
		     size_t *n, struct err *err)
{
	return load_approvals(ledger->db, arena, out, n, err);
}

int ledger_approve(struct ledger *ledger, const struct ledger_approval *approval, struct err *err)
{
	static const char sql[] = "INSERT INTO approval(" APPROVAL_COLUMNS ") VALUES(?1,?2,?3,?4)"
				  " ON CONFLICT(commit_id) DO UPDATE"
				  " SET removals=?2,actor=?3,when_ms=?4";

	return db_run(ledger->db, sql,
		      DB_VALUES(db_text(approval->commit), db_text(approval->removals),
				db_some(approval->actor), db_int(approval->when_ms)),
		      err);
}

/* ---- slots and nodes as last seen ---- */

static void read_slot_state(struct db_rows *rows, struct arena *arena, void *element)
{
	struct slot_state *state = element;

	state->slot.project = db_take_text(rows, arena);
	state->slot.stage = db_take_text(rows, arena);
	state->slot.deployment = db_take_text(rows, arena);
	state->slot.node = db_take_text(rows, arena);
	state->json = db_take_text(rows, arena);
}

int load_slots(struct db *db, struct arena *arena, struct slot_state **out, size_t *n,
	       struct err *err)
{
	static const char sql[] =
		DB_SELECT(SLOT_STATE_COLUMNS, "slot_state") "ORDER BY " SLOT_COLUMNS;

	return load_rows(db_query(db, sql, DB_NO_VALUES, err), arena, sizeof **out, read_slot_state,
			 (void **)out, n, err);
}

int ledger_put_slot(struct ledger *ledger, const struct slot_key *slot, const char *json,
		    struct err *err)
{
	static const char sql[] = "INSERT INTO slot_state(" SLOT_STATE_COLUMNS ")"
				  " VALUES(?1,?2,?3,?4,?5)"
				  " ON CONFLICT(" SLOT_COLUMNS ") DO UPDATE SET json=?5";

	return db_run(ledger->db, sql, DB_VALUES(SLOT_VALUES(slot), db_text(json)), err);
}

int ledger_drop_slot(struct ledger *ledger, const struct slot_key *slot, struct err *err)
{
	return db_run(ledger->db, "DELETE FROM slot_state WHERE " IS_SLOT,
		      DB_VALUES(SLOT_VALUES(slot)), err);
}

static void read_node_state(struct db_rows *rows, struct arena *arena, void *element)
{
	struct node_state *state = element;

	state->node = db_take_text(rows, arena);
	state->json = db_take_text(rows, arena);
}

int load_nodes(struct db *db, struct arena *arena, struct node_state **out, size_t *n,
	       struct err *err)
{
	static const char sql[] = DB_SELECT(NODE_STATE_COLUMNS, "node_state") "ORDER BY node";

	return load_rows(db_query(db, sql, DB_NO_VALUES, err), arena, sizeof **out, read_node_state,
			 (void **)out, n, err);
}

int ledger_put_node(struct ledger *ledger, const char *node, const char *json, struct err *err)
{
	static const char sql[] = "INSERT INTO node_state(" NODE_STATE_COLUMNS ") VALUES(?1,?2)"
				  " ON CONFLICT(node) DO UPDATE SET json=?2";

	return db_run(ledger->db, sql, DB_VALUES(db_text(node), db_text(json)), err);
}

int ledger_drop_node(struct ledger *ledger, const char *node, struct err *err)
{
	return db_run(ledger->db, "DELETE FROM node_state WHERE node=?1", DB_VALUES(db_text(node)),
		      err);
}

/*
 * load.h - reading the tables, for the writer and for readers alike. Internal to the ledger.
 *
 * All texts are copied into arena. 0, or -1 with db.h's errors.
 */
#ifndef TRUEUP_LEDGER_LOAD_H
#define TRUEUP_LEDGER_LOAD_H

#include "ledger/ledger_read.h"
#include "ledger/tables.h"

struct ledger {
	struct db *db;
};

int load_history(struct db *db, const struct slot_key *only, struct arena *arena,
		 struct history *out, struct err *err);
/* Every record, by id. */
int load_records(struct db *db, struct arena *arena, struct record **out, size_t *n,
		 struct err *err);
/* E_NOT_FOUND. */
int load_content(struct db *db, int64_t record, struct arena *arena, const char **content,
		 struct err *err);
/* The content of each; stays NULL where none was given. */
int load_contents(struct db *db, struct record *records, size_t n, struct arena *arena,
		  struct err *err);

/* record 0: those without a result; else all of that record, oldest first. */
int load_steps(struct db *db, int64_t record, struct arena *arena, struct ledger_step **out,
	       size_t *n, struct err *err);

int load_units(struct db *db, struct arena *arena, struct ledger_unit **out, size_t *n,
	       struct err *err);
/* *value NULL: there is none. */
int load_fact(struct db *db, const char *name, struct arena *arena, const char **value,
	      struct err *err);
int load_approvals(struct db *db, struct arena *arena, struct ledger_approval **out, size_t *n,
		   struct err *err);
int load_slots(struct db *db, struct arena *arena, struct slot_state **out, size_t *n,
	       struct err *err);
int load_nodes(struct db *db, struct arena *arena, struct node_state **out, size_t *n,
	       struct err *err);

int load_audit(struct db *db, const struct audit_query *query, struct arena *arena,
	       struct audit_entry **out, size_t *n, struct err *err);
/* Recomputes the whole chain; *entries is how many fit. E_LEDGER_CORRUPT. */
int audit_check(struct db *db, size_t *entries, struct err *err);
/* Only the last entry against the head that is kept beside the chain. */
int audit_check_end(struct db *db, struct err *err);

/*
 * Reads rows into an array in arena: `read` fills one element (`size` bytes) from one row. Takes
 * over `rows`, which may be NULL (then err is filled already).
 */
int load_rows(struct db_rows *rows, struct arena *arena, size_t size,
	      void (*read)(struct db_rows *rows, struct arena *arena, void *element), void **out,
	      size_t *n, struct err *err);

#endif

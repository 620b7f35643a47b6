/*
 * ledger.h - what was meant, done and seen: the writer's side. One process, the daemon or a
 * one-shot `apply`, holds the state lock and has the ledger open for writing.
 *
 * The nodes are the truth and the ledger is history: losing it costs history
 * only. Every change is made inside a transaction:
 *
 *	ledger_begin(l, err); ledger_add_record(...); ledger_set_status(...); ledger_commit(l, err)
 *
 * A commit that fails means "unknown": the caller forgets what it believed and
 * reads again. Once a write inside a transaction has failed (disk full), the
 * commit gives that error again and writes nothing. Writing outside of a
 * transaction is E_INTERNAL. SQLite with journal_mode=TRUNCATE, synchronous=FULL.
 *
 * Errors of all functions here: E_DISK_FULL and E_LEDGER (try again later, the
 * ledger stays usable), E_LEDGER_CORRUPT (close it and open it again), E_INTERNAL.
 */
#ifndef TRUEUP_LEDGER_LEDGER_H
#define TRUEUP_LEDGER_LEDGER_H

#include "plan/plan.h"

struct ledger;

#define LEDGER_FILE "ledger.db"

/* What ledger_open had to do. */
enum ledger_opened {
	LEDGER_OPENED,	/* it was there and is sound */
	LEDGER_CREATED, /* there was none */
	LEDGER_REBUILT, /* it was damaged: set aside as ledger.db.corrupt-<time>, a new one made */
};
/*
 * Opens <state_dir>/ledger.db, checks it (every page, row and reference, the schema, the audit
 * chain's end) and migrates older formats. E_LEDGER_NEWER is never set aside. *aside (may be NULL)
 * gets the path of the file that was set aside. After LEDGER_CREATED and LEDGER_REBUILT the history
 * is empty.
 */
int ledger_open(const char *state_dir, struct ledger **out, enum ledger_opened *how,
		struct buf *aside, struct err *err);
void ledger_close(struct ledger **ledger);
/*
 * 0 as long as the file that was opened is the one that lies there; E_LEDGER_CORRUPT when it was
 * removed or replaced: what is written to it from then on is written to nothing.
 */
int ledger_check_there(const struct ledger *ledger, struct err *err);

/* Many small reads are to follow: until ledger_let_go, or ledger_begin, they cost less. */
void ledger_hold(struct ledger *ledger);
void ledger_let_go(struct ledger *ledger);
int ledger_begin(struct ledger *ledger, struct err *err);
int ledger_commit(struct ledger *ledger, struct err *err);
void ledger_rollback(struct ledger *ledger);

/* ---- records ---- */

/* The history that plans need (record.h says which records). only: one slot, or NULL: all. */
int ledger_history(struct ledger *ledger, const struct slot_key *only, struct arena *arena,
		   struct history *out, struct err *err);
/* The content of one record, copied into arena. E_NOT_FOUND. */
int ledger_content(struct ledger *ledger, int64_t record, struct arena *arena, const char **content,
		   struct err *err);
/*
 * Adds a record (its id is ignored; *id is the new one) with its content, if that is not NULL.
 * status 0 is PREPARING; release_id "" or NULL: digests are still open (ledger_resolve). Ids,
 * prefix, product and commit that are NULL are read back as "". An adopted record may come as
 * SUCCESSFUL, succeeded and active at once.
 */
int ledger_add_record(struct ledger *ledger, const struct record *record, int64_t *id,
		      struct err *err);
/*
 * For a record that was added while its images could not be looked up yet (release_id "" or NULL):
 * gives it its release id and its content with digests, once. E_NOT_FOUND when it has one already.
 */
int ledger_resolve(struct ledger *ledger, int64_t record, const char *release_id,
		   const char *content, struct err *err);
/*
 * Moves a record: checks lifecycle_allows (else E_INTERNAL), sets started (IN_PROGRESS: tries + 1)
 * or finished time, reason, error. SUCCESSFUL also sets succeeded and active, and clears active on
 * the others of the slot; every other status clears active. OBSOLETE and DOWNGRADED keep the times
 * and the error there were. What a success means for other records (lifecycle_on_success) and for
 * the version (ledger_freeze) is the caller's to write in the same transaction. `reason` and
 * `error` may be NULL: there is none. error->text is cut at 8 KiB, error->log at 64 KiB.
 */
struct record_error {
	const char *code, *step, *text, *log;
};
int ledger_set_status(struct ledger *ledger, int64_t record, enum record_status to,
		      const char *reason, const struct record_error *error, int64_t now_ms,
		      struct err *err);
/*
 * Frozen content of a version: written by the engine at the first success. Already there: no-op.
 * frozen->record may be 0: adopted, the record is not known.
 */
int ledger_freeze(struct ledger *ledger, const struct frozen *frozen, struct err *err);
/*
 * Clears the memory of a failure (retry): the record's reason becomes "retry". E_NOT_FOUND when
 * there is no failed record of that id.
 */
int ledger_forget_failure(struct ledger *ledger, int64_t record, struct err *err);
/* The slot has no active record any more (removed, detached). */
int ledger_clear_active(struct ledger *ledger, const struct slot_key *slot, struct err *err);

/* ---- steps: intent before, result after ---- */

struct ledger_step {
	int64_t id;
	struct slot_key slot;
	int64_t record;	  /* 0: none */
	const char *op;	  /* op_word */
	const char *name; /* what it acts on */
	int64_t intent_ms;
	int64_t result_ms; /* 0: not known */
	bool ok;
	const char *detail; /* error text or the engine's words; cut at 8 KiB */
};
int ledger_intent(struct ledger *ledger, const struct ledger_step *step, int64_t *id,
		  struct err *err);
int ledger_result(struct ledger *ledger, int64_t step, bool ok, const char *detail, int64_t now_ms,
		  struct err *err);
/* Steps without a result, oldest first: what a crash may have left half done. */
int ledger_open_steps(struct ledger *ledger, struct arena *arena, struct ledger_step **out,
		      size_t *n, struct err *err);
/* Removes the steps whose intent is older than that. */
int ledger_trim(struct ledger *ledger, int64_t before_ms, struct err *err);
/* Gives back the memory that only speeds up what comes next: for when nothing comes for long. */
void ledger_rest(struct ledger *ledger);

/* ---- commits and units ---- */

struct ledger_unit {
	struct unit unit;
	/* Full id of the commit whose documents are in force; NULL: none yet. */
	const char *accepted;
	const char *refused;	 /* the tip that it refused, or NULL */
	const char *diagnostics; /* JSON list, of the refusal */
};
/* The organization, then each project before its stages. */
int ledger_units(struct ledger *ledger, struct arena *arena, struct ledger_unit **out, size_t *n,
		 struct err *err);
int ledger_put_unit(struct ledger *ledger, const struct ledger_unit *unit, struct err *err);
int ledger_drop_unit(struct ledger *ledger, const struct unit *unit, struct err *err);

/*
 * Small values by name: "tip", "branch", "accepted" (last tip of which anything was accepted),
 * "repo", ... *value NULL: there is none. Putting NULL removes it. "audit.head" is the ledger's
 * own.
 */
int ledger_get(struct ledger *ledger, const char *key, struct arena *arena, const char **value,
	       struct err *err);
int ledger_put(struct ledger *ledger, const char *key, const char *value, struct err *err);

/*
 * approve COMMIT: binds the commit and the removals it was shown with (sorted slot keys as JSON).
 */
struct ledger_approval {
	const char *commit, *removals, *actor;
	int64_t when_ms;
};
int ledger_approve(struct ledger *ledger, const struct ledger_approval *approval, struct err *err);
int ledger_approvals(struct ledger *ledger, struct arena *arena, struct ledger_approval **out,
		     size_t *n, struct err *err);

/* ---- what status shows without asking a node ---- */

/* Why a slot waits, what it wants, what its containers look like; JSON written by the engine. */
int ledger_put_slot(struct ledger *ledger, const struct slot_key *slot, const char *json,
		    struct err *err);
int ledger_drop_slot(struct ledger *ledger, const struct slot_key *slot, struct err *err);
int ledger_put_node(struct ledger *ledger, const char *node, const char *json, struct err *err);
int ledger_drop_node(struct ledger *ledger, const char *node, struct err *err);

/* ---- audit: who did what, in a hash chain ---- */

/*
 * Appends one entry; actor "Ann <ann@example.org>" or "trueup"; subject is a slot, unit or commit;
 * it and detail may be NULL. E_TOO_LARGE: a detail of more than 64 KiB.
 */
int ledger_audit(struct ledger *ledger, const char *actor, const char *action, const char *subject,
		 const char *detail, int64_t now_ms, struct err *err);

#endif

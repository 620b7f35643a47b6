/*
 * lifecycle.h - the truth tables: what a commit means for a slot, and what a success means for the
 * records that were there before. Pure; tables in lifecycle.c, and the tests are the same tables.
 */
#ifndef TRUEUP_PLAN_LIFECYCLE_H
#define TRUEUP_PLAN_LIFECYCLE_H

#include "plan/desired.h"
#include "plan/record.h"

enum decision_kind {
	DECIDE_KEEP = 1, /* the active record is what is wanted */
	DECIDE_CONTINUE, /* a record for it is preparing or in progress */
	DECIDE_START,	 /* an earlier record is started again, exactly: rollback */
	DECIDE_NEW,	 /* a new record */
	DECIDE_HELD,	 /* it failed before and is not tried again until inputs change or retry */
	DECIDE_REFUSED,	 /* version-frozen */
};

struct decision {
	enum decision_kind kind;
	const struct record *active;	 /* or NULL: nothing serves */
	const struct record *record;	 /* kept, continued, started or held; the freezing one when
					    refused; NULL for a new one */
	const struct record *copy_of;	 /* NEW: content and digests are this record's (a copy of a
					    downgraded one) */
	const struct record *digests_of; /* NEW: its digests are taken, images are not looked up */
	const struct frozen *frozen;	 /* NEW: digests of the frozen version */
};
void lifecycle_decide(const struct slot *slot, const struct history *history, struct decision *out);

/* A parent lookup over tree and ledger; NULL: no parent. */
struct ancestry {
	const char *(*parent)(void *arg, const char *project, const char *product,
			      const char *version);
	void *arg;
};
/* Is a an ancestor of b? (not the same; cycles end) */
bool lifecycle_is_ancestor(const struct ancestry *ancestry, const char *project,
			   const char *product, const char *a, const char *b);

struct transition {
	int64_t record;
	struct slot_key slot;
	const char *version;
	enum record_status from, to;
	const char *reason; /* "replaced", "prefix", "rollback", ... */
};
/*
 * What else changes in the same transaction when `record` becomes successful: every record of the
 * slot that ever succeeded, by the table. *out has room for records_n of the slot.
 */
size_t lifecycle_on_success(const struct record *record, const struct history *history,
			    const struct ancestry *ancestry, struct transition *out);
/* The slot is removed, detached from its node, or left by its prefix. */
size_t lifecycle_on_removal(const struct slot_key *slot, const char *reason,
			    const struct history *history, struct transition *out);

/* May this status change happen at all? The state machine of a single record. */
bool lifecycle_allows(enum record_status from, enum record_status to, bool succeeded);

/*
 * Frozen means frozen: each incremental version and deployment of the model against the ledger.
 * Adds DIAG_VERSION_FROZEN with the freezing record's commit, node and time, the field that differs
 * and the way out.
 */
void lifecycle_check_frozen(const struct model *model, const struct desired *desired,
			    const struct history *history, struct diags *diags);

#endif

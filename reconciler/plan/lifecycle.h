/*
 * lifecycle.h - the truth tables: what a commit means for a slot, and what a success means for the
 * records that were there before.
 *
 * Pure. The tables stand in lifecycle.c and lifecycle_success.c, the tests have them a second time.
 * history may be NULL wherever it is asked for: nothing is known of the past.
 */
#ifndef TRUEUP_PLAN_LIFECYCLE_H
#define TRUEUP_PLAN_LIFECYCLE_H

#include "plan/desired.h"
#include "plan/record.h"

enum decision_kind {
	DECIDE_KEEP = 1, /* the active record is what is wanted */
	DECIDE_CONTINUE, /* a record for it is preparing or in progress */
	DECIDE_START,	 /* an earlier record is started again, exactly: rollback, or retry */
	DECIDE_NEW,	 /* a new record */
	DECIDE_HELD,	 /* it failed before: not tried again until inputs change or retry */
	DECIDE_REFUSED,	 /* version-frozen */
};

struct decision {
	enum decision_kind kind;
	const struct record *active; /* or NULL: nothing serves */
	/*
	 * Kept, continued, started or held; when refused the record whose configuration is frozen,
	 * or NULL and `frozen` is set. NULL for a new one.
	 */
	const struct record *record;
	/* NEW: content and digests are this record's, which is downgraded and cannot start. */
	const struct record *copy_of;
	/* NEW: its digests are taken, images are not looked up (but those that follow their tag) */
	const struct record *digests_of;
	/* NEW: because a tag moved that is followed: what moved_tag.h says of it is taken. */
	bool follows;
	/* NEW: the digests of this frozen version. REFUSED: what the version must be. */
	const struct frozen *frozen;
};
void lifecycle_decide(const struct slot *slot, const struct history *history, struct decision *out);
/* The same for a caller that has the slot's records at hand, n of them, oldest first. */
void lifecycle_decide_among(const struct slot *slot, const struct record *records, size_t n,
			    const struct history *history, struct decision *out);

/* Does a container of the slot follow its tag? Rolling versions and simple products only. */
bool lifecycle_follows(const struct slot *slot);

/* ---- permissions ---- */

enum startable {
	START_NO,
	START_SAME,	  /* this record */
	START_NEW_RECORD, /* its content, as a new record */
};
/* What may be done with a record, or with the manifests it came from. */
struct record_permission {
	bool is_mutable; /* the manifest may still change; a record never does */
	enum startable start;
	bool copiable, deletable;
};
/* succeeded: it once did. Then an incremental one stays frozen, even if a later start failed. */
struct record_permission lifecycle_record_permission(enum record_status status,
						     enum version_type_value type, bool succeeded);

/* What is known of a version, in the accepted commit and in the ledger. */
struct version_facts {
	enum version_type_value type;
	bool simple;	  /* the one version of a simple product */
	bool has_child;	  /* in the accepted commit */
	bool succeeded;	  /* some record of it ever did */
	bool in_progress; /* some record of it is */
};
struct version_permission {
	bool child; /* can it get one? */
	bool is_mutable, deletable;
};
struct version_permission lifecycle_version_permission(const struct version_facts *facts);

/*
 * May this status change happen at all? The state machine of a single record; from 0: a record is
 * made. succeeded: it once did.
 */
bool lifecycle_allows(enum record_status from, enum record_status to, bool succeeded);

/* ---- ancestors ---- */

/* A parent lookup over tree and ledger; NULL: no parent. */
struct ancestry {
	const char *(*parent)(void *arg, const char *project, const char *product,
			      const char *version);
	void *arg;
};
/* Is a an ancestor of b? (not the same; cycles end) */
bool lifecycle_is_ancestor(const struct ancestry *ancestry, const char *project,
			   const char *product, const char *a, const char *b);
/*
 * The usual lookup: the version's document, else what the ledger froze, else any record of it.
 *	struct lineage lineage = {model, history};
 *	struct ancestry ancestry = {lifecycle_parent, &lineage};
 */
struct lineage {
	const struct model *model; /* may be NULL */
	const struct history *history;
};
const char *lifecycle_parent(void *lineage, const char *project, const char *product,
			     const char *version);

/* ---- what a success and a removal change ---- */

struct transition {
	int64_t record;
	struct slot_key slot;
	const char *version;
	enum record_status from, to;
	const char *reason; /* REASON_* */
};
/*
 * What else changes in the same transaction when `record` becomes successful: every record of the
 * slot that ever succeeded, by the table. *out has room for records_n of the slot. Records that are
 * preparing or in progress are none of its business: they were superseded before.
 */
size_t lifecycle_on_success(const struct record *record, const struct history *history,
			    const struct ancestry *ancestry, struct transition *out);
/*
 * The slot is removed (REASON_REMOVED) or detached from its node (REASON_DETACHED): its active
 * record is obsolete, what was under way is superseded. Same room.
 */
size_t lifecycle_on_removal(const struct slot_key *slot, const char *reason,
			    const struct history *history, struct transition *out);

/* ---- frozen means frozen ---- */

/*
 * Each incremental version and deployment against the ledger: DIAG_VERSION_FROZEN for each field
 * that differs, with the freezing record's commit, node and time, and the way out. Charged to the
 * version's project, or to the deployment's stage where its own configuration changed. What
 * `desired` took over from a previous state was checked then.
 */
void lifecycle_check_frozen(const struct model *model, const struct desired *desired,
			    const struct history *history, struct diags *diags);

#endif

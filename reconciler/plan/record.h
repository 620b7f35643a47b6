/*
 * record.h - what was put, or is being put, into a slot: the unit of history.
 *
 * A record's content never changes; its status changes only as lifecycle.h
 * says. The ledger keeps them, the plan reads them, status shows them.
 */
#ifndef TRUEUP_PLAN_RECORD_H
#define TRUEUP_PLAN_RECORD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "schema/model.h"

/* One deployment manifest on one node. */
struct slot_key {
	const char *project, *stage, *deployment, *node;
};
int slot_key_cmp(const struct slot_key *a, const struct slot_key *b);
/* "project/stage/deployment@node" into out: four names of at most 63 bytes. */
#define SLOT_ID_MAX 256
const char *slot_id(const struct slot_key *key, char out[SLOT_ID_MAX]);

enum record_status {
	RECORD_PREPARING = 1,
	RECORD_IN_PROGRESS,
	RECORD_SUCCESSFUL,
	RECORD_FAILED,
	RECORD_OBSOLETE,
	RECORD_DOWNGRADED,
	RECORD_STATUSES,
};
const char *record_status_word(enum record_status status); /* "inProgress" */
enum record_status record_status_find(const char *word);   /* 0: none */

/* Why a record is no longer what it was. */
#define REASON_SUPERSEDED                                                                          \
	"superseded"		   /* failed: a newer commit wanted something else meanwhile       \
				    */
#define REASON_RETRY "retry"	   /* failed: somebody asked to try it again */
#define REASON_REPLACED "replaced" /* obsolete: the same version, or a descendant, succeeded */
#define REASON_ROLLBACK "rollback" /* downgraded: an ancestor succeeded */
#define REASON_PREFIX "prefix"	   /* obsolete: the slot has another prefix now */
#define REASON_PRODUCT "product"   /* obsolete: another product succeeded in the slot */
#define REASON_CHAIN "chain"	   /* obsolete: a version outside its chain succeeded */
#define REASON_REMOVED "removed"   /* obsolete: the manifest is gone, or names the node no more */
#define REASON_DETACHED "detached" /* obsolete: the node's document is gone; it keeps running */

/* "1:<64 hex>"; the number is the format of what was hashed. */
#define RECORD_ID_SIZE (HASH_HEX_SIZE + 8)

struct record {
	int64_t id; /* 0: not in the ledger yet */
	struct slot_key slot;
	const char *product;
	const char *version;	      /* NULL: simple product */
	const char *parent;	      /* of an incremental version; NULL: none */
	enum version_type_value type; /* VERSION_ROLLING for a simple product */
	const char *prefix;
	const char *source_id, *input_id, *release_id; /* content.h */
	enum record_status status;
	bool succeeded; /* ever: frozen if incremental, and a rollback target */
	bool active;	/* last that succeeded in the slot */
	/*
	 * Of an obsolete, downgraded or failed status, or NULL: one of the words above. A failure
	 * is remembered, and not tried again, unless its reason is one of the first two.
	 */
	const char *reason;
	const char *commit; /* full id of the tip it was made from */
	const char *author; /* "Ann <ann@example.org>" */
	/*
	 * Of the deployment, as the accepted commit last had it: when the manifest is removed there
	 * is nobody else to ask. 0: not known, which keeps the volumes.
	 */
	enum data_policy_value data_policy;
	int tries;
	int64_t created_ms, started_ms, finished_ms; /* wall time; 0: not yet */
	/* Why it failed; NULL members otherwise. */
	const char *error_code, *error_step, *error_text, *error_log;
	/* Release content, canonical JSON (content.h); NULL where it was not asked for. */
	const char *content;
};

/* Preparing or in progress: its end is not known yet. */
bool record_is_open(const struct record *record);

/* A version that some record of it froze: the first success anywhere. */
struct frozen {
	const char *project, *product, *version, *parent;
	const char *content_id; /* hash of the version's release content, ids_version() */
	const char *content;	/* its own images with their digests: content_write_version() */
	const char *commit, *node;
	int64_t when_ms;
	int64_t record;
};

/* The part of the past that a plan needs; everything in one arena. */
struct history {
	/*
	 * By slot, then id. Per slot: the active record, each record that is not final, the newest
	 * record, and of those that ever succeeded the newest for each (product, version, prefix)
	 * and for each input id. What a success changes (lifecycle_on_success) is complete only
	 * when every record of the slot that ever succeeded is there.
	 */
	struct record *records;
	size_t records_n;
	struct frozen *frozen; /* by project, product, version */
	size_t frozen_n;
};
/* The records of one slot: the first and their number. history may be NULL: nothing is known. */
const struct record *history_slot(const struct history *history, const struct slot_key *slot,
				  size_t *n);
const struct frozen *history_frozen(const struct history *history, const char *project,
				    const char *product, const char *version);

#endif

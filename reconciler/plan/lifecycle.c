#include "base/sys.h"
#include "plan/lifecycle.h"

/* ---- what a commit means for a slot ---- */

/* How the last record of the wanted version that ever succeeded here stands now. */
enum past {
	PAST_NONE,
	PAST_ACTIVE,
	PAST_FOLLOWED, /* the same, and a tag that moves leads on from it */
	PAST_OBSOLETE,
	PAST_DOWNGRADED,
	PAST_RUNNING,  /* it is being started again */
	PAST_FAILED,   /* it was started again and failed */
	PAST_FORGIVEN, /* the same, and may be tried again */
	PASTS,
};
/* How the newest try to make it anew stands: a record of the same content that never succeeded. */
enum attempt {
	ATTEMPT_NONE,
	ATTEMPT_RUNNING,
	ATTEMPT_FAILED,
	ATTEMPT_RETRY,
	ATTEMPTS,
};

enum subject { OF_NONE, OF_PAST, OF_ATTEMPT };

struct choice {
	enum decision_kind kind;
	enum subject subject;
};

static const struct choice choices[PASTS][ATTEMPTS] =
	{
		[PAST_NONE] =
			{
				[ATTEMPT_NONE] = {DECIDE_NEW, OF_NONE},
				[ATTEMPT_RUNNING] = {DECIDE_CONTINUE, OF_ATTEMPT},
				[ATTEMPT_FAILED] = {DECIDE_HELD, OF_ATTEMPT},
				[ATTEMPT_RETRY] = {DECIDE_START, OF_ATTEMPT},
			},
		[PAST_ACTIVE] =
			{
				[ATTEMPT_NONE] = {DECIDE_KEEP, OF_PAST},
				[ATTEMPT_RUNNING] = {DECIDE_KEEP, OF_PAST},
				[ATTEMPT_FAILED] = {DECIDE_KEEP, OF_PAST},
				[ATTEMPT_RETRY] = {DECIDE_KEEP, OF_PAST},
			},
		[PAST_FOLLOWED] =
			{
				[ATTEMPT_NONE] = {DECIDE_KEEP, OF_PAST},
				[ATTEMPT_RUNNING] = {DECIDE_CONTINUE, OF_ATTEMPT},
				[ATTEMPT_FAILED] = {DECIDE_HELD, OF_ATTEMPT},
				[ATTEMPT_RETRY] = {DECIDE_START, OF_ATTEMPT},
			},
		[PAST_OBSOLETE] =
			{
				[ATTEMPT_NONE] = {DECIDE_START, OF_PAST},
				[ATTEMPT_RUNNING] = {DECIDE_CONTINUE, OF_ATTEMPT},
				[ATTEMPT_FAILED] = {DECIDE_HELD, OF_ATTEMPT},
				[ATTEMPT_RETRY] = {DECIDE_START, OF_ATTEMPT},
			},
		[PAST_DOWNGRADED] =
			{
				[ATTEMPT_NONE] = {DECIDE_NEW, OF_PAST},
				[ATTEMPT_RUNNING] = {DECIDE_CONTINUE, OF_ATTEMPT},
				[ATTEMPT_FAILED] = {DECIDE_HELD, OF_ATTEMPT},
				[ATTEMPT_RETRY] = {DECIDE_START, OF_ATTEMPT},
			},
		[PAST_RUNNING] =
			{
				[ATTEMPT_NONE] = {DECIDE_CONTINUE, OF_PAST},
				[ATTEMPT_RUNNING] = {DECIDE_CONTINUE, OF_PAST},
				[ATTEMPT_FAILED] = {DECIDE_CONTINUE, OF_PAST},
				[ATTEMPT_RETRY] = {DECIDE_CONTINUE, OF_PAST},
			},
		[PAST_FAILED] =
			{
				[ATTEMPT_NONE] = {DECIDE_HELD, OF_PAST},
				[ATTEMPT_RUNNING] = {DECIDE_CONTINUE, OF_ATTEMPT},
				[ATTEMPT_FAILED] = {DECIDE_HELD, OF_ATTEMPT},
				[ATTEMPT_RETRY] = {DECIDE_START, OF_ATTEMPT},
			},
		[PAST_FORGIVEN] =
			{
				[ATTEMPT_NONE] = {DECIDE_START, OF_PAST},
				[ATTEMPT_RUNNING] = {DECIDE_CONTINUE, OF_ATTEMPT},
				[ATTEMPT_FAILED] = {DECIDE_HELD, OF_ATTEMPT},
				[ATTEMPT_RETRY] = {DECIDE_START, OF_ATTEMPT},
			},
};

static bool is_wanted(const struct slot *slot, const struct record *record)
{
	return str_eq(record->product, slot->product->name) &&
	       str_eq(record->version, slot->version_name) && str_eq(record->prefix, slot->prefix);
}

bool lifecycle_follows(const struct slot *slot)
{
	for (size_t i = 0; slot->images && i < slot->images->n; i++) {
		if (slot->images->v[i].track == TRACK_TAG)
			return slot->type == VERSION_ROLLING;
	}
	return false;
}

static enum past past_of(const struct slot *slot, const struct record *record)
{
	if (!record)
		return PAST_NONE;
	if (record->active)
		return lifecycle_follows(slot) ? PAST_FOLLOWED : PAST_ACTIVE;
	switch (record->status) {
	case RECORD_OBSOLETE:
		return PAST_OBSOLETE;
	case RECORD_FAILED:
		return str_eq(record->reason, REASON_RETRY) ||
				       str_eq(record->reason, REASON_SUPERSEDED)
			       ? PAST_FORGIVEN
			       : PAST_FAILED;
	case RECORD_PREPARING:
	case RECORD_IN_PROGRESS:
		return PAST_RUNNING;
	case RECORD_SUCCESSFUL: /* cannot be: the active one is the only one */
	case RECORD_DOWNGRADED:
	case RECORD_STATUSES:
		break;
	}
	return PAST_DOWNGRADED;
}

/* Rolling versions and simple products have no past to return to but the active record. */
static const struct record *find_past(const struct slot *slot, const struct record *records,
				      size_t n)
{
	const struct record *newest = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct record *record = &records[i];

		if (!record->succeeded || !is_wanted(slot, record))
			continue;
		if (slot->type == VERSION_INCREMENTAL ||
		    (record->active && str_eq(record->input_id, slot->input_id)))
			newest = record;
	}
	return newest;
}

/*
 * Would this record put the same into the slot? Where the version succeeded before, a new record is
 * a copy of that one, whatever the manifests would merge to today: the source id says enough.
 */
static bool same_content(const struct slot *slot, const struct record *past,
			 const struct record *record)
{
	if (record->succeeded || !is_wanted(slot, record))
		return false;
	return past && slot->type == VERSION_INCREMENTAL
		       ? str_eq(record->source_id, slot->source_id)
		       : str_eq(record->input_id, slot->input_id);
}

/* A failure counts while its record is the newest of the slot: then its inputs did not change. */
static enum attempt find_attempt(const struct slot *slot, const struct record *past,
				 const struct record *records, size_t n,
				 const struct record **found)
{
	for (size_t i = n; i-- > 0;) {
		*found = &records[i];
		if (record_is_open(*found) && same_content(slot, past, *found))
			return ATTEMPT_RUNNING;
	}
	*found = n ? &records[n - 1] : NULL;
	if (!*found || (*found)->status != RECORD_FAILED || !same_content(slot, past, *found) ||
	    str_eq((*found)->reason, REASON_SUPERSEDED))
		return ATTEMPT_NONE;
	return str_eq((*found)->reason, REASON_RETRY) ? ATTEMPT_RETRY : ATTEMPT_FAILED;
}

static const struct record *find_active(const struct record *records, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (records[i].active)
			return &records[i];
	}
	return NULL;
}

static const struct record *same_input(const struct slot *slot, const struct record *records,
				       size_t n)
{
	for (size_t i = n; i-- > 0;) {
		if (records[i].succeeded && str_eq(records[i].input_id, slot->input_id))
			return &records[i];
	}
	return NULL;
}

/* Where the digests of a new record come from. */
static void fill_new(const struct slot *slot, const struct record *past,
		     const struct record *records, size_t n, const struct frozen *frozen,
		     struct decision *out)
{
	if (past)
		out->copy_of = past;
	else if (slot->type == VERSION_INCREMENTAL)
		out->frozen = frozen;
	else
		out->digests_of = same_input(slot, records, n);
}

static bool refuse(const struct slot *slot, const struct record *past, const struct frozen *frozen,
		   struct decision *out)
{
	bool version_differs = frozen && !str_eq(frozen->content_id, slot->version_id);

	if (slot->type != VERSION_INCREMENTAL)
		return false;
	if (!version_differs && !(past && !str_eq(past->source_id, slot->source_id)))
		return false;
	out->kind = DECIDE_REFUSED;
	out->record = version_differs ? NULL : past;
	out->frozen = version_differs ? frozen : NULL;
	return true;
}

void lifecycle_decide_among(const struct slot *slot, const struct record *records, size_t n,
			    const struct history *history, struct decision *out)
{
	const struct record *past = find_past(slot, records, n), *attempt = NULL;
	const struct frozen *frozen = NULL;
	const struct choice *choice;
	enum attempt state;

	*out = (struct decision){.active = find_active(records, n)};
	if (slot->type == VERSION_INCREMENTAL)
		frozen = history_frozen(history, slot->key.project, slot->product->name,
					slot->version_name);
	if (refuse(slot, past, frozen, out))
		return;
	state = find_attempt(slot, past, records, n, &attempt);
	choice = &choices[past_of(slot, past)][state];
	out->kind = choice->kind;
	if (choice->kind == DECIDE_NEW)
		fill_new(slot, past, records, n, frozen, out);
	else
		out->record = choice->subject == OF_PAST ? past : attempt;
}

void lifecycle_decide(const struct slot *slot, const struct history *history, struct decision *out)
{
	size_t n;
	const struct record *records = history_slot(history, &slot->key, &n);

	lifecycle_decide_among(slot, records, n, history, out);
}

/* ---- permissions ---- */

#define R VERSION_ROLLING
#define I VERSION_INCREMENTAL
/* {mutable, start, copiable, deletable} */
static const struct record_permission record_permissions[RECORD_STATUSES][3] = {
	[RECORD_PREPARING] =
		{[R] = {true, START_SAME, true, true}, [I] = {true, START_SAME, true, true}},
	[RECORD_IN_PROGRESS] =
		{[R] = {false, START_NO, false, false}, [I] = {false, START_NO, false, false}},
	[RECORD_SUCCESSFUL] =
		{[R] = {true, START_NEW_RECORD, true, true}, [I] = {false, START_NO, true, true}},
	[RECORD_FAILED] =
		{[R] = {true, START_SAME, true, true}, [I] = {true, START_SAME, true, true}},
	[RECORD_OBSOLETE] = {[R] = {false, START_NEW_RECORD, true, true},
			     [I] = {false, START_SAME, true, true}},
	[RECORD_DOWNGRADED] =
		{[R] = {false, START_NO, true, true}, [I] = {false, START_NO, true, true}},
};
#undef R
#undef I

struct record_permission lifecycle_record_permission(enum record_status status,
						     enum version_type_value type, bool succeeded)
{
	struct record_permission permission = record_permissions[status][type];

	if (succeeded && type == VERSION_INCREMENTAL)
		permission.is_mutable = false;
	return permission;
}

struct version_permission lifecycle_version_permission(const struct version_facts *facts)
{
	bool open = !facts->has_child && !facts->succeeded;

	if (facts->type == VERSION_INCREMENTAL)
		return (struct version_permission){
			.child = !facts->has_child, .is_mutable = open, .deletable = open};
	return (struct version_permission){
		.child = false,
		.is_mutable = true,
		.deletable = !facts->simple && !facts->in_progress,
	};
}

/* ---- the state machine of one record ---- */

enum passage { NEVER, ALWAYS, ONCE_SUCCEEDED };

static const enum passage passages[RECORD_STATUSES][RECORD_STATUSES] = {
	[0] = {[RECORD_PREPARING] = ALWAYS},
	[RECORD_PREPARING] = {[RECORD_IN_PROGRESS] = ALWAYS, [RECORD_FAILED] = ALWAYS},
	[RECORD_IN_PROGRESS] = {[RECORD_SUCCESSFUL] = ALWAYS, [RECORD_FAILED] = ALWAYS},
	[RECORD_SUCCESSFUL] =
		{[RECORD_OBSOLETE] = ONCE_SUCCEEDED, [RECORD_DOWNGRADED] = ONCE_SUCCEEDED},
	[RECORD_FAILED] = {[RECORD_IN_PROGRESS] = ALWAYS,
			   [RECORD_OBSOLETE] = ONCE_SUCCEEDED,
			   [RECORD_DOWNGRADED] = ONCE_SUCCEEDED},
	[RECORD_OBSOLETE] =
		{[RECORD_IN_PROGRESS] = ONCE_SUCCEEDED, [RECORD_DOWNGRADED] = ONCE_SUCCEEDED},
	[RECORD_DOWNGRADED] = {[RECORD_OBSOLETE] = ONCE_SUCCEEDED},
};

bool lifecycle_allows(enum record_status from, enum record_status to, bool succeeded)
{
	enum passage passage;

	if (from >= RECORD_STATUSES || to >= RECORD_STATUSES)
		return false;
	passage = passages[from][to];
	return passage == ALWAYS || (passage == ONCE_SUCCEEDED && succeeded);
}

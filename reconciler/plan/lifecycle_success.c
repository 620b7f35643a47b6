#include "base/sys.h"
#include "plan/lifecycle.h"

/* ---- ancestors ---- */

static const char *parent_of(const struct ancestry *ancestry, const char *project,
			     const char *product, const char *version)
{
	return version ? ancestry->parent(ancestry->arg, project, product, version) : NULL;
}

/* Two walkers, one twice as fast: on a cycle they meet, and then everything on it was seen. */
bool lifecycle_is_ancestor(const struct ancestry *ancestry, const char *project,
			   const char *product, const char *a, const char *b)
{
	const char *walker = b, *slow = b;
	bool slow_turn = false;

	if (!a || !b)
		return false;
	while ((walker = parent_of(ancestry, project, product, walker))) {
		if (str_eq(walker, a))
			return !str_eq(a, b);
		if (slow_turn)
			slow = parent_of(ancestry, project, product, slow);
		slow_turn = !slow_turn;
		if (str_eq(walker, slow))
			return false;
	}
	return false;
}

const char *lifecycle_parent(void *arg, const char *project, const char *product,
			     const char *version)
{
	const struct lineage *lineage = arg;
	const struct history *history = lineage->history;
	const struct version *document = NULL;
	const struct frozen *frozen;

	if (lineage->model)
		document = model_version(lineage->model, project, product, version);
	if (document)
		return document->parent;
	frozen = history_frozen(history, project, product, version);
	if (frozen)
		return frozen->parent;
	for (size_t i = 0; history && i < history->records_n; i++) {
		const struct record *record = &history->records[i];

		if (str_eq(record->version, version) && str_eq(record->product, product) &&
		    str_eq(record->slot.project, project))
			return record->parent;
	}
	return NULL;
}

/* ---- what a success changes ---- */

/* What an earlier record is to the one that succeeds. */
enum relation {
	SAME_VERSION, /* and product and prefix, as in the next two */
	ANCESTOR,
	DESCENDANT,
	OTHER_PREFIX,
	OTHER_PRODUCT,
	OTHER_CHAIN,
	RELATIONS,
};

struct consequence {
	enum record_status to;
	const char *reason;
	bool active_only; /* else every record that ever succeeded */
};

static const struct consequence consequences[RELATIONS] = {
	[SAME_VERSION] = {RECORD_OBSOLETE, REASON_REPLACED, false},
	[ANCESTOR] = {RECORD_OBSOLETE, REASON_REPLACED, false},
	[DESCENDANT] = {RECORD_DOWNGRADED, REASON_ROLLBACK, false},
	[OTHER_PREFIX] = {RECORD_OBSOLETE, REASON_PREFIX, true},
	[OTHER_PRODUCT] = {RECORD_OBSOLETE, REASON_PRODUCT, true},
	[OTHER_CHAIN] = {RECORD_OBSOLETE, REASON_CHAIN, true},
};

/* Only an incremental success knows ancestors and descendants; of a rolling one nothing is. */
static enum relation relation_of(const struct record *earlier, const struct record *now,
				 const struct ancestry *ancestry)
{
	const char *project = now->slot.project;

	if (!str_eq(earlier->product, now->product))
		return OTHER_PRODUCT;
	if (!str_eq(earlier->prefix, now->prefix))
		return OTHER_PREFIX;
	if (str_eq(earlier->version, now->version))
		return SAME_VERSION;
	if (now->type != VERSION_INCREMENTAL)
		return OTHER_CHAIN;
	if (lifecycle_is_ancestor(ancestry, project, now->product, earlier->version, now->version))
		return ANCESTOR;
	if (lifecycle_is_ancestor(ancestry, project, now->product, now->version, earlier->version))
		return DESCENDANT;
	return OTHER_CHAIN;
}

static struct transition move(const struct record *record, enum record_status to,
			      const char *reason)
{
	return (struct transition){
		.record = record->id,
		.slot = record->slot,
		.version = record->version,
		.from = record->status,
		.to = to,
		.reason = reason,
	};
}

size_t lifecycle_on_success(const struct record *record, const struct history *history,
			    const struct ancestry *ancestry, struct transition *out)
{
	size_t n, moved = 0;
	const struct record *records = history_slot(history, &record->slot, &n);

	for (size_t i = 0; i < n; i++) {
		const struct record *earlier = &records[i];
		const struct consequence *consequence;

		if (earlier->id == record->id || !earlier->succeeded || record_is_open(earlier))
			continue;
		consequence = &consequences[relation_of(earlier, record, ancestry)];
		if (earlier->status == consequence->to ||
		    (consequence->active_only && !earlier->active))
			continue;
		out[moved++] = move(earlier, consequence->to, consequence->reason);
	}
	return moved;
}

size_t lifecycle_on_removal(const struct slot_key *slot, const char *reason,
			    const struct history *history, struct transition *out)
{
	size_t n, moved = 0;
	const struct record *records = history_slot(history, slot, &n);

	for (size_t i = 0; i < n; i++) {
		if (record_is_open(&records[i]))
			out[moved++] = move(&records[i], RECORD_FAILED, REASON_SUPERSEDED);
		else if (records[i].active)
			out[moved++] = move(&records[i], RECORD_OBSOLETE, reason);
	}
	return moved;
}

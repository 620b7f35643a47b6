#include "base/sys.h"
#include "plan/record.h"

int slot_key_cmp(const struct slot_key *a, const struct slot_key *b)
{
	int order = str_cmp(a->project, b->project);

	if (order == 0)
		order = str_cmp(a->stage, b->stage);
	if (order == 0)
		order = str_cmp(a->deployment, b->deployment);
	return order ? order : str_cmp(a->node, b->node);
}

const char *slot_id(const struct slot_key *key, char out[SLOT_ID_MAX])
{
	snprintf(out, SLOT_ID_MAX, "%s/%s/%s@%s", key->project, key->stage, key->deployment,
		 key->node);
	return out;
}

static const char *const status_words[RECORD_STATUSES] = {
	[RECORD_PREPARING] = "preparing",   [RECORD_IN_PROGRESS] = "inProgress",
	[RECORD_SUCCESSFUL] = "successful", [RECORD_FAILED] = "failed",
	[RECORD_OBSOLETE] = "obsolete",	    [RECORD_DOWNGRADED] = "downgraded",
};

const char *record_status_word(enum record_status status)
{
	return status > 0 && status < RECORD_STATUSES ? status_words[status] : "";
}

enum record_status record_status_find(const char *word)
{
	for (size_t i = 1; i < RECORD_STATUSES; i++) {
		if (str_eq(status_words[i], word))
			return (enum record_status)i;
	}
	return 0;
}

bool record_is_open(const struct record *record)
{
	return record->status == RECORD_PREPARING || record->status == RECORD_IN_PROGRESS;
}

/* The first record whose slot is not before `slot`. */
static size_t first_of(const struct history *history, const struct slot_key *slot)
{
	size_t low = 0, high = history->records_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slot_key_cmp(&history->records[middle].slot, slot) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t end_of(const struct history *history, const struct slot_key *slot, size_t from)
{
	while (from < history->records_n && slot_key_cmp(&history->records[from].slot, slot) == 0)
		from++;
	return from;
}

const struct record *history_slot(const struct history *history, const struct slot_key *slot,
				  size_t *n)
{
	size_t first;

	*n = 0;
	if (!history)
		return NULL;
	first = first_of(history, slot);
	*n = end_of(history, slot, first) - first;
	return *n ? &history->records[first] : NULL;
}

static int frozen_cmp(const struct frozen *frozen, const char *project, const char *product,
		      const char *version)
{
	int order = str_cmp(frozen->project, project);

	if (order == 0)
		order = str_cmp(frozen->product, product);
	return order ? order : str_cmp(frozen->version, version);
}

const struct frozen *history_frozen(const struct history *history, const char *project,
				    const char *product, const char *version)
{
	size_t low = 0, high = history ? history->frozen_n : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = frozen_cmp(&history->frozen[middle], project, product, version);

		if (order == 0)
			return &history->frozen[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

#include "base/sys.h"

#include "plan/content.h"
#include "plan/upkeep.h"

struct needs {
	const struct upkeep_input *input;
	struct arena *arena;
	bool *needed; /* one for each of observed->images */
};

static int digest_cmp(const void *key, const void *element)
{
	return str_cmp(key, *(const char *const *)element);
}

static void need(struct needs *needs, const char *digest)
{
	const struct observed *observed = needs->input->observed;
	const char **found = observed->images_n
				     ? bsearch(digest, observed->images, observed->images_n,
					       sizeof *observed->images, digest_cmp)
				     : NULL;

	if (found)
		needs->needed[found - observed->images] = true;
}

static int need_record(struct needs *needs, const struct record *record, struct err *err)
{
	const struct upkeep_input *input = needs->input;
	const char *json = record->content;
	struct content content;

	if (!json && input->content(input->arg, record->id, needs->arena, &json, err) != 0)
		return -1;
	if (!json)
		return 0;
	if (content_read(json, needs->arena, &content, err) != 0)
		return err_wrap(err, "record %lld", (long long)record->id);
	for (struct content_image at = {0}; content_next_image(&content, &at);) {
		if (at.digest)
			need(needs, at.digest);
	}
	return 0;
}

/* A release that came back is the same images: it counts once, where it is newest. */
static bool counts(const struct record *records, size_t n, size_t at)
{
	if (!records[at].succeeded)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((i > at || records[i].active) && records[i].succeeded &&
		    str_eq(records[i].release_id, records[at].release_id))
			return false;
	return true;
}

/* The records of one slot, oldest first. */
static int need_slot(struct needs *needs, const struct record *records, size_t n, struct err *err)
{
	int64_t left = needs->input->releases;

	for (size_t i = n; i-- > 0;) {
		const struct record *record = &records[i];
		bool kept = record->active || record_is_open(record);

		if (!kept && left > 0 && counts(records, n, i)) {
			kept = true;
			left--;
		}
		if (kept && need_record(needs, record, err) != 0)
			return -1;
	}
	return 0;
}

static int need_history(struct needs *needs, struct err *err)
{
	const struct history *history = needs->input->history;

	for (size_t i = 0, n; i < history->records_n; i += n) {
		const struct record *first = &history->records[i];

		history_slot(history, &first->slot, &n);
		if (str_eq(first->slot.node, needs->input->observed->node) &&
		    need_slot(needs, first, n, err) != 0)
			return -1;
	}
	return 0;
}

int upkeep_images(const struct upkeep_input *input, struct arena *arena, const char ***digests,
		  size_t *n, struct err *err)
{
	const struct observed *observed = input->observed;
	struct needs needs = {
		.input = input,
		.arena = arena,
		.needed = ARENA_ARRAY(arena, observed->images_n + 1, bool),
	};

	*n = 0;
	*digests = ARENA_ARRAY(arena, observed->images_n + 1, const char *);
	for (size_t i = 0; i < observed->workloads_n; i++) {
		if (observed->workloads[i].digest)
			need(&needs, observed->workloads[i].digest);
	}
	if (need_history(&needs, err) != 0)
		return -1;
	for (size_t i = 0; i < observed->images_n; i++) {
		if (!needs.needed[i])
			(*digests)[(*n)++] = observed->images[i];
	}
	return 0;
}

#include "base/sys.h"
#include "source/history_walk.h"

/*
 * Both commits paint their ancestors, the newest commit first. What gets a second colour is painted
 * again, so that the answer does not depend on clocks. Ancestors of base cannot lead to base, so
 * the question whether it is an ancestor is decided when nothing waits that tip alone has reached.
 */
enum { FROM_TIP = 1, FROM_BASE = 2 };

void history_release(struct history *history)
{
	VEC_FREE(&history->nodes);
	VEC_FREE(&history->heap);
	VEC_FREE(&history->between);
	oid_map_release(&history->places);
}

/* ---------------------------------------------------------------- the heap */

/* Is node a to be looked at before node b? Equally old ones: the one that was met first. */
static bool is_first(const struct history *history, uint32_t a, uint32_t b)
{
	int64_t left = history->nodes.v[a].when, right = history->nodes.v[b].when;

	return left != right ? left > right : a < b;
}

static void swap(struct history *history, size_t a, size_t b)
{
	uint32_t node = history->heap.v[a];

	history->heap.v[a] = history->heap.v[b];
	history->heap.v[b] = node;
}

static void push(struct history *history, uint32_t node)
{
	size_t at = history->heap.n;

	VEC_PUSH(&history->heap, node);
	for (; at && is_first(history, node, history->heap.v[(at - 1) / 2]); at = (at - 1) / 2)
		swap(history, at, (at - 1) / 2);
}

static uint32_t pop(struct history *history)
{
	uint32_t first = history->heap.v[0];
	size_t at = 0, child;

	history->heap.v[0] = history->heap.v[--history->heap.n];
	while ((child = 2 * at + 1) < history->heap.n) {
		if (child + 1 < history->heap.n &&
		    is_first(history, history->heap.v[child + 1], history->heap.v[child]))
			child++;
		if (!is_first(history, history->heap.v[child], history->heap.v[at]))
			break;
		swap(history, at, child);
		at = child;
	}
	return first;
}

/* ---------------------------------------------------------------- painting */

static void wait_for(struct history *history, uint32_t place, unsigned colours)
{
	struct history_node *node = &history->nodes.v[place];
	bool was_only_tip = node->waiting && node->reached_from == FROM_TIP;

	if ((node->reached_from | colours) == node->reached_from)
		return;
	node->reached_from |= colours;
	history->only_tip -= was_only_tip;
	history->only_tip += node->reached_from == FROM_TIP;
	if (!node->waiting) {
		node->waiting = true;
		push(history, place);
	}
}

/* A commit that is met for the first time is read for its date; a missing one is as old as can be.
 */
static uint32_t place_of(struct history *history, struct repo *repo, const git_oid *id)
{
	struct history_node node = {
		.id = gitlib_id_back(id), .when = INT64_MIN, .met = (uint32_t)history->nodes.n};
	uint32_t *place = oid_map_at(&history->places, &node.id);
	git_commit *commit AUTO_GIT(git_commit) = NULL;

	if (place && *place)
		return *place - 1;
	if (gitlib_commit(repo, &node.id, &commit, NULL) == 0)
		node.when = git_commit_time(commit);
	VEC_PUSH(&history->nodes, node);
	if (place)
		*place = (uint32_t)history->nodes.n;
	return (uint32_t)history->nodes.n - 1;
}

static void paint_parents(struct history *history, struct repo *repo, uint32_t place)
{
	const struct history_node node = history->nodes.v[place];
	git_commit *commit AUTO_GIT(git_commit) = NULL;

	if (gitlib_commit(repo, &node.id, &commit, NULL) != 0)
		return;
	for (unsigned i = 0; i < git_commit_parentcount(commit); i++) {
		const git_oid *parent = git_commit_parent_id(commit, i);

		wait_for(history, place_of(history, repo, parent), node.reached_from);
	}
}

/* Enough is known: no commit that waits can belong to the answer, or take another out of it. */
static bool is_done(const struct history *history, bool has_base, size_t found, size_t max,
		    int64_t oldest)
{
	if (history->heap.n == 0)
		return true;
	if (!has_base)
		return found >= max;
	return history->only_tip == 0 && history->nodes.v[history->heap.v[0]].when < oldest;
}

static int paint(struct history *history, struct repo *repo, bool has_base, size_t max,
		 struct err *err)
{
	int64_t oldest = INT64_MAX;
	size_t found = 0;

	while (!is_done(history, has_base, found, max, oldest)) {
		uint32_t place = pop(history);
		struct history_node *node = &history->nodes.v[place];

		node->waiting = false;
		if (node->reached_from == FROM_TIP) {
			history->only_tip--;
			found++;
			oldest = node->when < oldest ? node->when : oldest;
		}
		if (history->nodes.n > HISTORY_WALK_MAX)
			return err_set(err, E_TOO_LARGE,
				       "%s: more than %d commits lie between the last one and this",
				       repo->url, HISTORY_WALK_MAX);
		paint_parents(history, repo, place);
	}
	return 0;
}

/* ---------------------------------------------------------------- the answer */

static int cmp_newest_first(const void *a, const void *b)
{
	const struct history_node *left = a, *right = b;

	if (left->when != right->when)
		return left->when < right->when ? 1 : -1;
	return left->met < right->met ? -1 : 1;
}

static void collect(struct history *history, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < history->nodes.n; i++) {
		const struct history_node *node = &history->nodes.v[i];

		if (node->reached_from == FROM_TIP && !node->waiting && node->when != INT64_MIN)
			history->nodes.v[n++] = *node;
	}
	qsort(history->nodes.v, n, sizeof *history->nodes.v, cmp_newest_first);
	for (size_t i = 0; i < n && i < max; i++)
		VEC_PUSH(&history->between, history->nodes.v[i].id);
}

int history_walk(struct history *history, struct repo *repo, const struct oid *tip,
		 const struct oid *base, size_t max, struct err *err)
{
	git_commit *commit AUTO_GIT(git_commit) = NULL;
	git_oid from = gitlib_id(tip), to;
	uint32_t start, end = 0;

	/* this one must be there; all others may be missing */
	if (gitlib_commit(repo, tip, &commit, err) != 0)
		return -1;
	start = place_of(history, repo, &from);
	wait_for(history, start, FROM_TIP);
	if (base) {
		to = gitlib_id(base);
		end = place_of(history, repo, &to);
		wait_for(history, end, FROM_BASE);
	}
	if (paint(history, repo, base, max, err) != 0)
		return -1;
	history->base_is_ancestor = base && (history->nodes.v[end].reached_from & FROM_TIP);
	collect(history, max);
	return 0;
}

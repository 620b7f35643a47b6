#include "base/sys.h"
#include "schema/model.h"

/* As many as make a patch and a share cost about the same for ten thousand files. */
#define LEAF_FILES 64

struct file_leaf {
	unsigned references;
	unsigned n;
	struct file *v[LEAF_FILES];
};

static void leaf_unref(struct file_leaf *leaf)
{
	if (--leaf->references)
		return;
	for (unsigned i = 0; i < leaf->n; i++)
		file_unref(leaf->v[i]);
	free(leaf);
}

void file_set_release(struct file_set *set)
{
	if (!set->leaves)
		return;
	for (size_t i = 0; i < set->leaves_n; i++)
		leaf_unref(set->leaves[i]);
	free(set->leaves);
	free(set->v);
	*set = (struct file_set){0};
}

/* Room for n files in that many leaves; both lists are filled from the front. */
static void set_reserve(struct file_set *set, size_t n, size_t leaves)
{
	set->v = mem_realloc_array(NULL, n + 1, sizeof(struct file *));
	set->leaves = mem_realloc_array(NULL, leaves + 1, sizeof(struct file_leaf *));
	set->n = set->leaves_n = 0;
}

static void add_leaf(struct file_set *set, struct file_leaf *leaf)
{
	set->leaves[set->leaves_n++] = leaf;
	memcpy(set->v + set->n, leaf->v, leaf->n * sizeof(struct file *));
	set->n += leaf->n;
}

/* New leaves over files whose references become theirs. */
static void add_files(struct file_set *set, struct file *const *files, size_t n)
{
	while (n) {
		size_t take = n < LEAF_FILES ? n : LEAF_FILES;
		struct file_leaf *leaf = mem_alloc(sizeof *leaf);

		leaf->references = 1;
		leaf->n = (unsigned)take;
		memcpy(leaf->v, files, take * sizeof(struct file *));
		add_leaf(set, leaf);
		files += take;
		n -= take;
	}
}

void file_set_take(struct file_set *set, struct file *const *files, size_t n)
{
	set_reserve(set, n, n / LEAF_FILES + 1);
	add_files(set, files, n);
}

static void share_leaf(struct file_set *set, struct file_leaf *leaf)
{
	leaf->references++;
	add_leaf(set, leaf);
}

void file_set_copy(struct file_set *to, const struct file_set *from)
{
	if (!from->leaves) {
		for (size_t i = 0; i < from->n; i++)
			file_ref(from->v[i]);
		file_set_take(to, from->v, from->n);
		return;
	}
	set_reserve(to, from->n, from->leaves_n);
	for (size_t i = 0; i < from->leaves_n; i++)
		share_leaf(to, from->leaves[i]);
}

void file_set_compare(const struct file_set *before, const struct file_set *now, file_changes *out)
{
	size_t b = 0, n = 0;

	while (b < before->n || n < now->n) {
		struct file *old = b < before->n ? before->v[b] : NULL;
		struct file *new = n < now->n ? now->v[n] : NULL;
		int order;

		if (old == new) {
			b++;
			n++;
			continue;
		}
		order = !old ? 1 : !new ? -1 : strcmp(old->path, new->path);
		VEC_PUSH(out,
			 ((struct file_change){order <= 0 ? old : NULL, order >= 0 ? new : NULL}));
		b += order <= 0;
		n += order >= 0;
	}
}

size_t file_set_find(const struct file_set *set, const char *path)
{
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(set->v[middle]->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct file *file_set_get(const struct file_set *set, const char *path)
{
	size_t at = file_set_find(set, path);

	return at < set->n && str_eq(set->v[at]->path, path) ? set->v[at] : NULL;
}

/* ---- patching ---- */

struct patching {
	const struct file_set *from;
	const struct file_change *changes;
	size_t n, done;
	size_t at; /* index in `from` of the change that comes next; behind all: none */
	struct file_set *to;
	VEC(struct file *) fresh; /* files that wait for a new leaf */
};

static void find_next(struct patching *p)
{
	const struct file_change *change = &p->changes[p->done];

	if (p->done == p->n)
		p->at = SIZE_MAX;
	else
		p->at = file_set_find(p->from,
				      (change->before ? change->before : change->now)->path);
}

static void flush(struct patching *p)
{
	add_files(p->to, p->fresh.v, p->fresh.n);
	p->fresh.n = 0;
}

/* Changes that concern index i; true when the file that is there goes. */
static bool apply_at(struct patching *p, size_t i)
{
	bool gone = false;

	while (p->at == i && !gone) {
		const struct file_change *change = &p->changes[p->done++];

		if (change->now)
			VEC_PUSH(&p->fresh, file_ref(change->now));
		gone = change->before != NULL;
		find_next(p);
	}
	return gone;
}

static void patch_leaf(struct patching *p, const struct file_leaf *leaf, size_t start)
{
	for (unsigned i = 0; i < leaf->n; i++) {
		if (!apply_at(p, start + i))
			VEC_PUSH(&p->fresh, file_ref(leaf->v[i]));
	}
}

/* Many small patches leave small leaves: they are then made anew. */
static bool is_ragged(const struct file_set *set)
{
	return set->leaves_n > 2 * (set->n / LEAF_FILES) + 16;
}

static void patch_leaves(struct patching *p)
{
	size_t start = 0;

	find_next(p);
	for (size_t i = 0; i < p->from->leaves_n; i++) {
		struct file_leaf *leaf = p->from->leaves[i];

		if (p->at < start + leaf->n || is_ragged(p->from)) {
			patch_leaf(p, leaf, start);
		} else {
			flush(p);
			share_leaf(p->to, leaf);
		}
		start += leaf->n;
	}
	apply_at(p, start);
	flush(p);
}

void file_set_patch(struct file_set *to, const struct file_set *from,
		    const struct file_change *changes, size_t n)
{
	struct patching p = {.from = from, .changes = changes, .n = n, .to = to};
	struct file_set held = {0};

	if (from->n && !from->leaves) {
		file_set_copy(&held, from);
		p.from = &held;
	}
	/* Each change can add a file, and end a leaf before it is full. */
	set_reserve(to, from->n + n, p.from->leaves_n + from->n / LEAF_FILES + 2 * n + 1);
	patch_leaves(&p);
	VEC_FREE(&p.fresh);
	file_set_release(&held);
}

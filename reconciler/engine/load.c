#include "base/sys.h"

#include "engine/load.h"
#include "engine/readers.h"

/* A path at which the tree differs from the known files. */
struct step {
	const struct tree_entry *entry; /* NULL: it has the path no more */
	struct file *known;		/* NULL: it is new */
};

struct load {
	struct load_request request;
	VEC(struct step) steps;			/* by path */
	VEC(const struct tree_entry *) entries; /* of the steps that have one */
	struct file **files;			/* one for each of them */
	struct file_set known;
	struct readers *readers;
	struct loop_timer *nothing_to_do;
	void (*done)(void *owner, struct file_set *set, const struct err *failure);
	void *owner;
};

void file_set_replace_unit(struct file_set *set, const struct file_set *from,
			   const struct unit *unit)
{
	struct file_set patched;
	file_changes all = {0}, own = {0};
	file_set_compare(set, from, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct file *file = all.v[i].before ? all.v[i].before : all.v[i].now;
		if (unit_cmp(&file->unit, unit) == 0)
			VEC_PUSH(&own, all.v[i]);
	}
	file_set_patch(&patched, set, own.v, own.n);
	file_set_release(set);
	*set = patched;
	VEC_FREE(&all);
	VEC_FREE(&own);
}

/* ---- what is to be done ---- */

static bool is_manifest(const struct tree_entry *entry)
{
	struct unit unit;
	struct unit_names names;
	return path_classify(entry->path, &unit, &names) == PATH_MANIFEST;
}

static void add_step(struct load *load, const struct tree_entry *entry, struct file *known)
{
	if (entry)
		VEC_PUSH(&load->entries, entry);
	VEC_PUSH(&load->steps, ((struct step){entry, known}));
}

/* Both are sorted by path: one walk. */
static void compare_with_files(struct load *load)
{
	const struct tree *tree = load->request.tree;
	size_t k = 0;
	for (size_t i = 0; i < tree->entries_n; i++) {
		const struct tree_entry *entry = &tree->entries[i];
		struct file *known = NULL;
		if (!is_manifest(entry))
			continue;
		for (; k < load->known.n && strcmp(load->known.v[k]->path, entry->path) < 0; k++)
			add_step(load, NULL, load->known.v[k]);
		if (k < load->known.n && str_eq(load->known.v[k]->path, entry->path))
			known = load->known.v[k++];
		if (!known || !oid_eq(&known->blob, &entry->blob))
			add_step(load, entry, known);
	}
	while (k < load->known.n)
		add_step(load, NULL, load->known.v[k++]);
}

/* Listings share the texts of what stayed, so that most of this looks at nothing but them. */
static void compare_listings(struct load *load)
{
	const struct tree *before = load->request.known_tree, *now = load->request.tree;
	size_t b = 0, n = 0;
	while (b < before->entries_n || n < now->entries_n) {
		const struct tree_entry *old = b < before->entries_n ? &before->entries[b] : NULL;
		const struct tree_entry *new = n < now->entries_n ? &now->entries[n] : NULL;
		int order = !old		     ? 1
			    : !new		     ? -1
			    : old->path == new->path ? 0
						     : strcmp(old->path, new->path);
		bool same = order == 0 && oid_eq(&old->blob, &new->blob);
		/* One of them is there. */
		const struct tree_entry *either = old && order <= 0 ? old : new;
		if (!same && either && is_manifest(either))
			add_step(load, order >= 0 ? new : NULL,
				 order <= 0 ? file_set_get(&load->known, old->path) : NULL);
		b += order <= 0;
		n += order >= 0;
	}
}

static struct load *new_load(const struct load_request *request)
{
	struct load *load = mem_zalloc(1, sizeof *load);
	load->request = *request;
	if (request->known)
		load->known = *request->known;
	if (request->known && request->known_tree)
		compare_listings(load);
	else
		compare_with_files(load);
	load->files = mem_zalloc(load->entries.n + 1, sizeof(struct file *));
	return load;
}

static void free_load(struct load *load)
{
	readers_cancel(&load->readers);
	loop_timer_del(&load->nothing_to_do);
	for (size_t i = 0; i < load->entries.n; i++)
		file_unref(load->files[i]);
	free(load->files);
	VEC_FREE(&load->entries);
	VEC_FREE(&load->steps);
	free(load);
}

/* ---- the result ---- */

/* Nothing was known: all there is was made here, and changes hands. */
static void take_first(struct load *load, struct file_set *set)
{
	file_set_take(set, load->files, load->entries.n);
	memset(load->files, 0, load->entries.n * sizeof *load->files);
}

/* Everything is there: the known files with what changed. */
static void take_result(struct load *load, struct file_set *set)
{
	file_changes all = {0};
	size_t made = 0;
	if (load->known.n == 0) {
		take_first(load, set);
		return;
	}
	for (size_t i = 0; i < load->steps.n; i++) {
		const struct step *step = &load->steps.v[i];
		struct file *now = step->entry ? load->files[made++] : NULL;
		VEC_PUSH(&all, ((struct file_change){step->known, now}));
	}
	file_set_patch(set, &load->known, all.v, all.n);
	VEC_FREE(&all);
}

static void finish(void *owner, const struct err *failure)
{
	struct load *load = owner;
	struct file_set set = {0};
	load->readers = NULL;
	if (!failure)
		take_result(load, &set);
	load->done(load->owner, failure ? NULL : &set, failure);
	free_load(load);
}

static void on_nothing_to_do(void *arg)
{
	struct load *load = arg;
	load->nothing_to_do = NULL;
	finish(load, NULL);
}

struct load *load_start(struct loop *loop, const struct load_request *request,
			void (*done)(void *owner, struct file_set *set, const struct err *failure),
			void *owner, struct err *err)
{
	struct load *load = new_load(request);
	struct readers_request read = {
		.repo = request->repo,
		.url = request->url,
		.state_dir = request->state_dir,
		.entries = load->entries.v,
		.n = load->entries.n,
		.files = load->files,
	};
	load->done = done;
	load->owner = owner;
	if (read.n == 0) {
		load->nothing_to_do = loop_timer_add(loop, 0, on_nothing_to_do, load);
		return load;
	}
	load->readers = readers_start(loop, &read, finish, load, err);
	if (load->readers)
		return load;
	free_load(load);
	return NULL;
}

void load_cancel(struct load **load)
{
	if (*load)
		free_load(*load);
	*load = NULL;
}

int load_now(const struct load_request *request, struct file_set *set, struct err *err)
{
	struct load *load = new_load(request);
	int status = 0;
	for (size_t i = 0; i < load->entries.n && status == 0; i++) {
		load->files[i] = read_entry(request->repo, load->entries.v[i], err);
		status = load->files[i] ? 0 : -1;
	}
	if (status == 0)
		take_result(load, set);
	free_load(load);
	return status;
}

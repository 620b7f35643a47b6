#include "base/sys.h"

#include <sys/mman.h>

#include "engine/load.h"

/* The largest manifest; what is larger is refused by decoding, which wants one byte more to see it.
 */
#define MANIFEST_READ_MAX (((size_t)1 << 20) + 1)
/* The child reports after so many files, and after the last. */
#define LOAD_BATCH 32

enum load_message { LOAD_DECODED = JOB_MSG_FIRST };

/* A path at which the tree differs from the known files. */
struct step {
	const struct tree_entry *entry; /* NULL: it has the path no more */
	struct file *known;		/* NULL: it is new */
};

struct load {
	struct loop *loop;
	struct job *job;
	struct load_request request;
	VEC(struct step) steps; /* by path */
	VEC(size_t) todo;	/* indexes of the steps that have an entry */
	file_changes changes;	/* of the steps that were made; `now` is held here */
	struct file_set known;
	uint64_t *child_at; /* shared with the child: index into todo of the file it is at */
	size_t decoded;	    /* of todo, here in the parent */
	struct err failure;
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

static struct file *decode_entry(struct repo *repo, const struct tree_entry *entry, struct err *err)
{
	AUTO_BUF struct buf bytes = BUF_INIT(REPO_OBJECT_MAX);
	if (repo_blob(repo, &entry->blob, REPO_OBJECT_MAX, &bytes, err) < 0) {
		err_wrap(err, "%s", entry->path);
		return NULL;
	}
	/* Decoding refuses what is larger than a manifest; it need not see all of it. */
	size_t len = bytes.len < MANIFEST_READ_MAX ? bytes.len : MANIFEST_READ_MAX;
	return file_decode(entry->path, &entry->blob, buf_str(&bytes), len);
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
		VEC_PUSH(&load->todo, load->steps.n);
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

static struct file *known_file(const struct load *load, const char *path)
{
	size_t at = file_set_find(&load->known, path);
	bool found = at < load->known.n && str_eq(load->known.v[at]->path, path);
	return found ? load->known.v[at] : NULL;
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
				 order <= 0 ? known_file(load, old->path) : NULL);
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
	return load;
}

static void free_load(struct load *load)
{
	loop_timer_del(&load->nothing_to_do);
	for (size_t i = 0; i < load->changes.n; i++)
		file_unref(load->changes.v[i].now);
	VEC_FREE(&load->changes);
	VEC_FREE(&load->todo);
	VEC_FREE(&load->steps);
	if (load->child_at)
		munmap(load->child_at, sizeof *load->child_at);
	free(load);
}

/* ---- decoding ---- */

static const struct tree_entry *entry_todo(const struct load *load, size_t i)
{
	return load->steps.v[load->todo.v[i]].entry;
}

static int decode_todo(struct load *load, size_t until, struct err *err)
{
	for (; load->decoded < until && load->decoded < load->todo.n; load->decoded++) {
		const struct step *step = &load->steps.v[load->todo.v[load->decoded]];
		struct file *file = decode_entry(load->request.repo, step->entry, err);
		if (!file)
			return -1;
		VEC_PUSH(&load->changes, ((struct file_change){step->known, file}));
	}
	return 0;
}

/* Nothing was known: all there is was made here, and changes hands. */
static void take_first(struct load *load, struct file_set *set)
{
	struct file **files AUTO_FREE =
		mem_realloc_array(NULL, load->changes.n, sizeof(struct file *));
	for (size_t i = 0; i < load->changes.n; i++)
		files[i] = load->changes.v[i].now;
	file_set_take(set, files, load->changes.n);
	load->changes.n = 0;
}

/* Everything is decoded: the known files with what changed. */
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
		VEC_PUSH(&all, step->entry ? load->changes.v[made++]
					   : ((struct file_change){.before = step->known}));
	}
	file_set_patch(set, &load->known, all.v, all.n);
	VEC_FREE(&all);
}

/* ---- in the child ---- */

static int load_body(int fd, void *arg)
{
	struct load *load = arg;
	struct err err = ERR_INIT;
	/* The parent's packs were closed with all its descriptors. */
	AUTO_REPO struct repo *repo = NULL;
	if (repo_open(load->request.url, load->request.state_dir, &repo, &err) < 0)
		return job_fail(fd, &err);
	for (size_t i = 0; i < load->todo.n; i++) {
		const struct tree_entry *entry = entry_todo(load, i);
		*load->child_at = i;
		struct file *file = decode_entry(repo, entry, &err);
		if (!file)
			return job_fail(fd, &err);
		file_unref(file);
		uint64_t count = i + 1;
		bool tell = count % LOAD_BATCH == 0 || count == load->todo.n;
		if (tell && msg_send(fd, LOAD_DECODED, &count, sizeof count, &err) < 0)
			return job_fail(fd, &err);
	}
	return 0;
}

/* ---- in the parent ---- */

static void finish(struct load *load)
{
	struct file_set set = {0};
	bool ok = load->failure.code == E_NONE;
	if (ok)
		take_result(load, &set);
	load->done(load->owner, ok ? &set : NULL, ok ? NULL : &load->failure);
	free_load(load);
}

static void take_message(void *owner, const struct msg *msg)
{
	struct load *load = owner;
	uint64_t count = 0;
	if (msg->type != LOAD_DECODED || msg->len != sizeof count || load->failure.code != E_NONE)
		return;
	memcpy(&count, msg->data, sizeof count);
	decode_todo(load, (size_t)count, &load->failure);
	if (load->failure.code != E_NONE || load->decoded < load->todo.n)
		return;
	/* It got through all of them. That it goes takes as long as it is large: nobody waits. */
	job_cancel(&load->job);
	finish(load);
}

static void load_ended(void *owner, const struct err *failure)
{
	struct load *load = owner;
	load->job = NULL;
	if (failure && load->failure.code == E_NONE) {
		load->failure = *failure;
		bool died = failure->code == E_CHILD_DIED || failure->code == E_DEADLINE;
		if (died && *load->child_at < load->todo.n)
			err_set(&load->failure, E_CHILD_DIED, "%s while it read %s", failure->text,
				entry_todo(load, *load->child_at)->path);
	}
	finish(load);
}

static void on_nothing_to_do(void *arg)
{
	struct load *load = arg;
	load->nothing_to_do = NULL;
	finish(load);
}

struct load *load_start(struct loop *loop, const struct load_request *request,
			void (*done)(void *owner, struct file_set *set, const struct err *failure),
			void *owner, struct err *err)
{
	struct load *load = new_load(request);
	load->loop = loop;
	load->done = done;
	load->owner = owner;
	if (load->todo.n == 0) {
		load->nothing_to_do = loop_timer_add(loop, 0, on_nothing_to_do, load);
		return load;
	}
	void *shared = mmap(NULL, sizeof *load->child_at, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	load->child_at = shared == MAP_FAILED ? NULL : shared;
	struct job_opts opts = {
		.role = "check",
		.deadline_ms = LOAD_DEADLINE_MS,
		.body = load_body,
		.arg = load,
		.message = take_message,
		.ended = load_ended,
		.owner = load,
	};
	if (load->child_at)
		load->job = job_start(loop, &opts, err);
	else
		err_errno(err, E_IO, "shared memory");
	if (load->job)
		return load;
	free_load(load);
	return NULL;
}

void load_cancel(struct load **load)
{
	if (!*load)
		return;
	job_cancel(&(*load)->job);
	free_load(*load);
	*load = NULL;
}

int load_now(const struct load_request *request, struct file_set *set, struct err *err)
{
	struct load *load = new_load(request);
	int status = decode_todo(load, load->todo.n, err);
	if (status == 0)
		take_result(load, set);
	free_load(load);
	return status;
}

#include "base/sys.h"

#include <sys/mman.h>

#include "engine/load.h"

/* The largest manifest; what is larger is refused by decoding, which wants one byte more to see it.
 */
#define MANIFEST_READ_MAX (((size_t)1 << 20) + 1)
/* The child reports after so many files, and after the last. */
#define LOAD_BATCH 32

enum load_message { LOAD_DECODED = JOB_MSG_FIRST };

struct load {
	struct loop *loop;
	struct job *job;
	struct load_request request;
	const struct tree *tree;
	uint64_t *child_at; /* shared with the child: index into todo of the file it is at */
	struct file_set
		set;	  /* as long as the manifests in the tree; holes are still to be decoded */
	size_t *entry;	  /* of each file of the set: its index in the tree */
	VEC(size_t) todo; /* indexes into set of what must be decoded */
	size_t decoded;	  /* of todo, here in the parent */
	struct err failure;
	struct loop_timer *nothing_to_do;
	void (*done)(void *owner, struct file_set *set, const struct err *failure);
	void *owner;
};

void file_set_release(struct file_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i])
			file_unref(set->v[i]);
	free(set->v);
	set->v = NULL;
	set->n = 0;
}

void file_set_copy(struct file_set *to, const struct file_set *from)
{
	to->v = mem_zalloc(from->n ? from->n : 1, sizeof *to->v);
	to->n = from->n;
	for (size_t i = 0; i < from->n; i++)
		to->v[i] = file_ref(from->v[i]);
}

static int file_path_cmp(const void *a, const void *b)
{
	return str_cmp((*(struct file *const *)a)->path, (*(struct file *const *)b)->path);
}

void file_set_replace_unit(struct file_set *set, const struct file_set *from,
			   const struct unit *unit)
{
	size_t kept = 0;
	for (size_t i = 0; i < set->n; i++) {
		if (unit_cmp(&set->v[i]->unit, unit) == 0)
			file_unref(set->v[i]);
		else
			set->v[kept++] = set->v[i];
	}
	set->n = kept;
	set->v = mem_realloc_array(set->v, set->n + from->n + 1, sizeof *set->v);
	for (size_t i = 0; i < from->n; i++)
		if (unit_cmp(&from->v[i]->unit, unit) == 0)
			set->v[set->n++] = file_ref(from->v[i]);
	if (set->n > 1)
		qsort(set->v, set->n, sizeof *set->v, file_path_cmp);
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

/* Both lists are sorted by path: one walk finds what is known already. */
static void match_known(struct load *load, const struct file_set *known)
{
	struct unit unit;
	struct unit_names names;
	size_t k = 0;
	load->set.v = mem_zalloc(load->tree->entries_n + 1, sizeof *load->set.v);
	load->entry = mem_zalloc(load->tree->entries_n + 1, sizeof *load->entry);
	for (size_t i = 0; i < load->tree->entries_n; i++) {
		const struct tree_entry *entry = &load->tree->entries[i];
		if (path_classify(entry->path, &unit, &names) != PATH_MANIFEST)
			continue;
		while (known && k < known->n && str_cmp(known->v[k]->path, entry->path) < 0)
			k++;
		size_t at = load->set.n++;
		load->entry[at] = i;
		if (known && k < known->n && str_eq(known->v[k]->path, entry->path) &&
		    oid_eq(&known->v[k]->blob, &entry->blob))
			load->set.v[at] = file_ref(known->v[k]);
		else
			VEC_PUSH(&load->todo, at);
	}
}

static int decode_todo(struct load *load, size_t until, struct err *err)
{
	for (; load->decoded < until && load->decoded < load->todo.n; load->decoded++) {
		size_t at = load->todo.v[load->decoded];
		const struct tree_entry *entry = &load->tree->entries[load->entry[at]];
		load->set.v[at] = decode_entry(load->request.repo, entry, err);
		if (!load->set.v[at])
			return -1;
	}
	return 0;
}

static void free_load(struct load *load)
{
	loop_timer_del(&load->nothing_to_do);
	/* A load that failed has holes behind what was decoded: release knows. */
	file_set_release(&load->set);
	VEC_FREE(&load->todo);
	free(load->entry);
	if (load->child_at)
		munmap(load->child_at, sizeof *load->child_at);
	free(load);
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
		const struct tree_entry *entry = &load->tree->entries[load->entry[load->todo.v[i]]];
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

static void take_message(void *owner, const struct msg *msg)
{
	struct load *load = owner;
	uint64_t count = 0;
	if (msg->type != LOAD_DECODED || msg->len != sizeof count || load->failure.code != E_NONE)
		return;
	memcpy(&count, msg->data, sizeof count);
	decode_todo(load, (size_t)count, &load->failure);
}

static void finish(struct load *load)
{
	struct file_set set = {0};
	bool ok = load->failure.code == E_NONE;
	if (ok) {
		set = load->set;
		load->set = (struct file_set){0};
	}
	load->done(load->owner, ok ? &set : NULL, ok ? NULL : &load->failure);
	free_load(load);
}

static void load_ended(void *owner, const struct err *failure)
{
	struct load *load = owner;
	load->job = NULL;
	if (failure && load->failure.code == E_NONE) {
		load->failure = *failure;
		bool died = failure->code == E_CHILD_DIED || failure->code == E_DEADLINE;
		if (died && *load->child_at < load->todo.n) {
			size_t at = load->entry[load->todo.v[*load->child_at]];
			err_set(&load->failure, E_CHILD_DIED, "%s while it read %s", failure->text,
				load->tree->entries[at].path);
		}
	}
	finish(load);
}

static void on_nothing_to_do(void *arg)
{
	struct load *load = arg;
	load->nothing_to_do = NULL;
	finish(load);
}

static struct load *new_load(const struct load_request *request)
{
	struct load *load = mem_zalloc(1, sizeof *load);
	load->request = *request;
	load->tree = request->tree;
	match_known(load, request->known);
	return load;
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
	if (status == 0) {
		*set = load->set;
		load->set = (struct file_set){0};
	}
	free_load(load);
	return status;
}

#include "base/sys.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/readers.h"
#include "schema/pack.h"

/* The largest manifest; what is larger is refused by decoding, which wants one byte more to see it.
 */
#define MANIFEST_READ_MAX (((size_t)1 << 20) + 1)
/* So many files are handed over at a time. */
#define BATCH 32
/* Fewer files than this are not worth a second process. */
#define SHARE_MIN 256
#define READERS_MAX 4

/* struct batch_head, then for each file its length as uint32_t and so many bytes, packed. */
enum reader_message { READER_BATCH = JOB_MSG_FIRST };
struct batch_head {
	uint32_t number; /* of the batch, from 0 */
};

/* What all processes see. */
struct shared {
	_Atomic size_t next;		/* batch that nobody has taken yet */
	_Atomic size_t at[READERS_MAX]; /* the file that each child reads */
};

struct reader {
	struct readers *readers;
	struct job *job; /* NULL: it has ended */
	_Atomic size_t *at;
};

struct readers {
	struct readers_request request;
	struct reader all[READERS_MAX];
	size_t n, got; /* got: files that are there */
	struct shared *shared;
	struct err failure;
	void (*ended)(void *owner, const struct err *failure);
	void *owner;
};

void compose_files_of(const struct tree_file *files, size_t n, struct compose_file *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (struct compose_file){.name = files[i].path,
					       .bytes = files[i].bytes,
					       .size = files[i].size,
					       .executable = files[i].executable};
}

struct file *decode_whole(const struct tree_entry *entry, const struct tree_file *files, size_t n)
{
	AUTO_FREE struct compose_file *list = mem_zalloc(n + 1, sizeof *list);
	AUTO_FREE char *path = mem_strdup(entry->path);
	const struct compose_folder folder = {.path = path, .files = list, .files_n = n};
	*strrchr(path, '/') = '\0';
	compose_files_of(files, n, list);
	return compose_decode(entry->path, &entry->blob, &folder);
}

static struct file *read_whole(struct repo *repo, const struct tree_entry *entry, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct tree_file *files;
	size_t n;
	if (tree_read_whole(repo, entry, arena, &files, &n, err) < 0) {
		err_wrap(err, "%s", entry->path);
		return NULL;
	}
	return decode_whole(entry, files, n);
}

struct file *read_entry(struct repo *repo, const struct tree_entry *entry, struct err *err)
{
	if (entry->whole)
		return read_whole(repo, entry, err);
	AUTO_BUF struct buf bytes = BUF_INIT(REPO_OBJECT_MAX);
	if (repo_blob(repo, &entry->blob, REPO_OBJECT_MAX, &bytes, err) < 0) {
		err_wrap(err, "%s", entry->path);
		return NULL;
	}
	/* Decoding refuses what is larger than a manifest; it need not see all of it. */
	size_t len = bytes.len < MANIFEST_READ_MAX ? bytes.len : MANIFEST_READ_MAX;
	return file_decode(entry->path, &entry->blob, buf_str(&bytes), len);
}

static size_t batch_end(const struct readers_request *request, size_t batch)
{
	size_t end = (batch + 1) * BATCH;
	return end < request->n ? end : request->n;
}

/* ---- in a child ---- */

/* A file that cannot be packed is left to the parent: a length of 0. */
static void add_packed(const struct file *file, struct buf *out)
{
	uint32_t len = 0;
	size_t start = out->len;
	buf_add(out, &len, sizeof len);
	if (!file_pack(file, out))
		return;
	len = (uint32_t)(out->len - start - sizeof len);
	memcpy(out->ptr + start, &len, sizeof len);
}

static int read_batch(const struct reader *reader, struct repo *repo, size_t batch, struct buf *out,
		      struct err *err)
{
	const struct readers_request *request = &reader->readers->request;
	struct batch_head head = {.number = (uint32_t)batch};
	buf_clear(out);
	buf_add(out, &head, sizeof head);
	for (size_t i = batch * BATCH; i < batch_end(request, batch); i++) {
		atomic_store(reader->at, i);
		struct file *file = read_entry(repo, request->entries[i], err);
		if (!file)
			return -1;
		add_packed(file, out);
		file_unref(file);
	}
	return 0;
}

static int reader_body(int fd, void *arg)
{
	const struct reader *reader = arg;
	const struct readers_request *request = &reader->readers->request;
	struct err err = ERR_INIT;
	/* A batch of the largest there are fits. */
	AUTO_BUF struct buf out = BUF_INIT(MSG_MAX);
	/* The parent's packs were closed with all its descriptors. */
	AUTO_REPO struct repo *repo = NULL;
	if (repo_open(request->url, request->state_dir, &repo, &err) < 0)
		return job_fail(fd, &err);
	for (;;) {
		size_t batch = atomic_fetch_add(&reader->readers->shared->next, 1);
		if (batch * BATCH >= request->n)
			return 0;
		if (read_batch(reader, repo, batch, &out, &err) < 0 ||
		    msg_send(fd, READER_BATCH, out.ptr, out.len, &err) < 0)
			return job_fail(fd, &err);
	}
}

/* ---- in the parent ---- */

static void free_readers(struct readers *readers)
{
	/* One that has done its work takes a while to go, and nobody waits. */
	for (size_t i = 0; i < readers->n; i++)
		job_cancel(&readers->all[i].job);
	if (readers->shared)
		munmap(readers->shared, sizeof *readers->shared);
	free(readers);
}

static void finish(struct readers *readers)
{
	struct err failure = readers->failure;
	void (*ended)(void *, const struct err *) = readers->ended;
	void *owner = readers->owner;
	free_readers(readers);
	ended(owner, failure.code == E_NONE ? NULL : &failure);
}

static const char *path_at(const struct reader *reader)
{
	const struct readers_request *request = &reader->readers->request;
	size_t at = atomic_load(reader->at);
	return request->entries[at < request->n ? at : 0]->path;
}

/* It says what no reader says that is itself. */
static int distrust(const struct reader *reader, struct err *err)
{
	return err_set(err, E_CHILD_DIED, "check: it was not itself any more, at or before %s",
		       path_at(reader));
}

/* The bytes that a message still has. */
struct rest {
	const char *bytes;
	size_t len;
};

/* NULL when there are not so many. */
static const char *take_bytes(struct rest *rest, size_t len)
{
	const char *taken = rest->bytes;
	if (rest->len < len)
		return NULL;
	rest->bytes += len;
	rest->len -= len;
	return taken;
}

static int take_file(struct reader *reader, size_t i, struct rest *rest, struct err *err)
{
	const struct readers_request *request = &reader->readers->request;
	const struct tree_entry *entry = request->entries[i];
	uint32_t len = 0;
	const char *packed = take_bytes(rest, sizeof len);
	if (!packed)
		return distrust(reader, err);
	memcpy(&len, packed, sizeof len);
	packed = take_bytes(rest, len);
	/* what a Compose file says is never packed */
	if (!packed || (len && entry->whole))
		return distrust(reader, err);
	request->files[i] = len ? file_unpack(entry->path, &entry->blob, packed, len)
				: read_entry(request->repo, entry, err);
	if (request->files[i])
		return 0;
	return len ? distrust(reader, err) : -1;
}

static int take_batch(struct reader *reader, const struct msg *msg, struct err *err)
{
	const struct readers_request *request = &reader->readers->request;
	struct rest rest = {msg->data, msg->len};
	struct batch_head head = {0};
	const char *bytes = take_bytes(&rest, sizeof head);
	if (bytes)
		memcpy(&head, bytes, sizeof head);
	size_t first = (size_t)head.number * BATCH;
	if (msg->type != READER_BATCH || !bytes || first >= request->n || request->files[first])
		return distrust(reader, err);
	for (size_t i = first; i < batch_end(request, head.number); i++) {
		if (take_file(reader, i, &rest, err) < 0)
			return -1;
		reader->readers->got++;
	}
	return rest.len ? distrust(reader, err) : 0;
}

static void take_message(void *owner, const struct msg *msg)
{
	struct reader *reader = owner;
	struct readers *readers = reader->readers;
	if (take_batch(reader, msg, &readers->failure) < 0 || readers->got == readers->request.n)
		finish(readers);
}

static bool all_ended(const struct readers *readers)
{
	for (size_t i = 0; i < readers->n; i++)
		if (readers->all[i].job)
			return false;
	return true;
}

static void reader_ended(void *owner, const struct err *failure)
{
	struct reader *reader = owner;
	struct readers *readers = reader->readers;
	reader->job = NULL;
	if (!failure && !all_ended(readers))
		return;
	if (!failure)
		distrust(reader, &readers->failure);
	else if (failure->code == E_CHILD_DIED || failure->code == E_DEADLINE)
		err_set(&readers->failure, E_CHILD_DIED, "%s while it read %s", failure->text,
			path_at(reader));
	else
		readers->failure = *failure;
	finish(readers);
}

static size_t wanted_readers(size_t files)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	if (files < SHARE_MIN || processors < 2)
		return 1;
	return processors < READERS_MAX ? (size_t)processors : READERS_MAX;
}

static int start_reader(struct loop *loop, struct readers *readers, struct err *err)
{
	struct reader *reader = &readers->all[readers->n];
	struct job_opts opts = {
		.role = "check",
		.deadline_ms = READERS_DEADLINE_MS,
		.body = reader_body,
		.arg = reader,
		.message = take_message,
		.ended = reader_ended,
		.owner = reader,
	};
	reader->readers = readers;
	reader->at = &readers->shared->at[readers->n];
	reader->job = job_start(loop, &opts, err);
	readers->n += reader->job != NULL;
	return reader->job ? 0 : -1;
}

struct readers *readers_start(struct loop *loop, const struct readers_request *request,
			      void (*ended)(void *owner, const struct err *failure), void *owner,
			      struct err *err)
{
	struct readers *readers = mem_zalloc(1, sizeof *readers);
	size_t wanted = wanted_readers(request->n);
	readers->request = *request;
	readers->ended = ended;
	readers->owner = owner;
	void *shared = mmap(NULL, sizeof *readers->shared, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		err_errno(err, E_IO, "shared memory");
		free_readers(readers);
		return NULL;
	}
	readers->shared = shared;
	while (readers->n < wanted && start_reader(loop, readers, err) == 0)
		;
	/* Fewer than wanted do it too. */
	if (readers->n)
		return readers;
	free_readers(readers);
	return NULL;
}

void readers_cancel(struct readers **readers)
{
	if (*readers)
		free_readers(*readers);
	*readers = NULL;
}

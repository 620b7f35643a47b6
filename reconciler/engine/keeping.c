#include "base/sys.h"

#include <malloc.h>
#include <sys/resource.h>

#include "base/log.h"
#include "engine/keeping.h"
#include "source/fetch.h"

#define KEEP_NICE 10
#define KEEP_MALLOC (64 << 20)

/* What the child is told. */
struct keeping {
	const char *url, *state_dir, *root;
	VEC(struct oid) commits;
};

static int keep_body(int fd, void *arg)
{
	const struct keeping *keeping = arg;
	struct err err = ERR_INIT;
	AUTO_REPO struct repo *repo = NULL;
	/* Looks and changes are waited for, this is not. */
	setpriority(PRIO_PROCESS, 0, KEEP_NICE);
	/* zlib asks for 256 KiB for each object, which need not come from the kernel each time. */
	mallopt(M_MMAP_THRESHOLD, KEEP_MALLOC);
	mallopt(M_TRIM_THRESHOLD, KEEP_MALLOC);
	if (repo_open(keeping->url, keeping->state_dir, &repo, &err) < 0 ||
	    repo_keep(repo, keeping->root, keeping->commits.v, keeping->commits.n, &err) < 0)
		return job_fail(fd, &err);
	return 0;
}

static void on_kept(void *owner, const struct err *failure)
{
	struct engine *engine = owner;
	engine->tip.keeping = NULL;
	engine->children--;
	if (failure)
		log_event(LOG_WARN, "keep", "error", failure->text, NULL);
	if (engine->tip.keep_again && !engine->stopping)
		keeping_want(engine);
}

/* Held units live on documents of their own, older commit. */
static void add_held(struct engine *engine, struct keeping *keeping)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct ledger_unit *rows;
	struct oid id;
	size_t n = 0;
	if (ledger_units(engine->ledger, arena, &rows, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (rows[i].refused && rows[i].accepted && oid_parse(rows[i].accepted, &id) == 0)
			VEC_PUSH(&keeping->commits, id);
}

void keeping_want(struct engine *engine)
{
	struct tip *tip = &engine->tip;
	struct keeping keeping = {
		.url = engine->url, .state_dir = engine->state.dir, .root = engine->settings->path};
	struct job_opts opts = {
		.role = "keep",
		.deadline_ms = FETCH_DEADLINE_MS,
		.body = keep_body,
		.arg = &keeping,
		.ended = on_kept,
		.owner = engine,
	};
	tip->keep_again = tip->keeping != NULL;
	if (tip->keeping || oid_is_zero(&tip->base))
		return;
	VEC_PUSH(&keeping.commits, tip->base);
	if (!oid_is_zero(&tip->accepted) && !oid_eq(&tip->accepted, &tip->base))
		VEC_PUSH(&keeping.commits, tip->accepted);
	add_held(engine, &keeping);
	tip->keeping = job_start(engine->loop, &opts, NULL);
	engine->children += tip->keeping != NULL;
	VEC_FREE(&keeping.commits);
}

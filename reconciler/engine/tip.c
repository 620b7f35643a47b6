#include "base/sys.h"

#include "base/clock.h"
#include "base/credentials.h"
#include "base/log.h"
#include "engine/core.h"
#include "engine/judge.h"
#include "engine/verdict.h"
#include "schema/kinds.h"
#include "source/fetch.h"

static void begin_pass(struct engine *engine);

/* ---- ends of a pass ---- */

static void on_poll(void *arg)
{
	struct engine *engine = arg;
	engine->tip.timer = NULL;
	tip_want(engine);
}

static int64_t poll_delay(struct engine *engine)
{
	int64_t left = backoff_left(&engine->tip.backoff);
	int64_t interval = KIND_OR(engine->settings, settings, interval);
	/* A tenth of jitter, so that many reconcilers do not ask at the same moment. */
	uint32_t dice;
	hash_random(&dice, sizeof dice);
	int64_t delay = interval + (int64_t)(dice % (uint32_t)(interval / 10 + 1));
	return left > delay ? left : delay;
}

static void end_pass(struct engine *engine)
{
	struct tip *tip = &engine->tip;
	tip->state = TIP_IDLE;
	if (tip->wanted != tip->served && backoff_left(&tip->backoff) == 0) {
		begin_pass(engine);
		return;
	}
	loop_timer_del(&tip->timer);
	if (!engine->once)
		tip->timer = loop_timer_add(engine->loop, poll_delay(engine), on_poll, engine);
}

/* The tip cannot be seen or read: nothing changes, and it is tried again. */
static void fail_pass(struct engine *engine, const struct err *err)
{
	struct tip *tip = &engine->tip;
	if (tip->problem.code != err->code || !str_eq(tip->problem.text, err->text)) {
		log_event(LOG_WARN, "repository", "code", err_code_name(err->code), "error",
			  err->text, NULL);
		if (engine_write(engine, NULL) == 0)
			ledger_put(engine->ledger, "problem", err->text, NULL);
	}
	tip->problem = *err;
	backoff_failed(&tip->backoff);
	end_pass(engine);
}

static void clear_problem(struct engine *engine)
{
	if (engine->tip.problem.code != E_NONE && engine_write(engine, NULL) == 0)
		ledger_put(engine->ledger, "problem", NULL, NULL);
	engine->tip.problem = (struct err)ERR_INIT;
	backoff_clear(&engine->tip.backoff);
}

static void refuse_tip(struct engine *engine, enum diag_code code, const char *message,
		       const char *hint)
{
	verdict_refused(engine, code, message, hint);
	/* What it removes was not looked at: an approval of it binds no removals. */
	buf_clear(&engine->tip.removals);
	clear_problem(engine);
	end_pass(engine);
}

/* ---- acceptance ---- */

static void judge_tip(struct engine *engine, const struct file_set *files,
		      const struct history *history, struct accept_outcome *outcome)
{
	struct tip *tip = &engine->tip;
	AUTO_ARENA struct arena *arena = arena_new(0);
	char hex[OID_HEX_SIZE];
	const struct oid *base = oid_is_zero(&tip->base) ? NULL : &tip->base;
	struct ledger_approval *approvals = NULL;
	const char **trailers = NULL;
	size_t approvals_n = 0, trailers_n = 0;
	/* Without them more is held, never less. */
	ledger_approvals(engine->ledger, arena, &approvals, &approvals_n, NULL);
	repo_trailers(engine->repo, &tip->loading, base, "Trueup-Prune", arena, &trailers,
		      &trailers_n, NULL);
	struct judge_input input = {
		.commit = oid_hex(&tip->loading, hex),
		.tip = files,
		.tree = &tip->listing.tree,
		.before = tip->outcome.arena ? &tip->outcome : NULL,
		.history = history,
		.env = &engine->env,
		.approvals = approvals,
		.approvals_n = approvals_n,
		.prune_trailers = trailers,
		.prune_trailers_n = trailers_n,
	};
	judge_run(&input, arena, outcome, &tip->removals);
}

const char *tip_took(int64_t began_us, char out[TIP_TOOK_MAX])
{
	snprintf(out, TIP_TOOK_MAX, "%.1f", (double)(clock_boot_us() - began_us) / 1000);
	return out;
}

int tip_read_file(void *arg, const char *path, struct buf *out)
{
	struct engine *engine = arg;
	return tree_read(&engine->tip.listing.tree, engine->repo, path, out);
}

static void on_loaded(void *owner, struct file_set *set, const struct err *failure)
{
	struct engine *engine = owner;
	struct tip *tip = &engine->tip;
	tip->load = NULL;
	if (failure && failure->code == E_CHILD_DIED) {
		refuse_tip(engine, DIAG_READER_DIED, failure->text, NULL);
		return;
	}
	const struct history *history = failure ? NULL : engine_history(engine);
	struct err err = ERR_INIT;
	if (!failure && (!history || engine_write(engine, &err) < 0)) {
		file_set_release(set);
		err_set(&err, E_LEDGER, "the ledger cannot be used now");
		failure = &err;
	}
	if (failure) {
		fail_pass(engine, failure);
		return;
	}
	struct accept_outcome outcome;
	listing_adopt(tip);
	judge_tip(engine, set, history, &outcome);
	file_set_release(&tip->files);
	tip->files = *set;
	tip->force = false;
	tip->refusal.code = DIAG_NONE;
	clear_problem(engine);
	verdict_in_force(engine, &outcome);
	end_pass(engine);
}

/* ---- listing and loading ---- */

static void start_load(struct engine *engine)
{
	struct tip *tip = &engine->tip;
	struct err err = ERR_INIT;
	if (listing_make(engine, &err) < 0) {
		if (err_code_class(err.code) == ERR_ITEM)
			refuse_tip(engine, err.code == E_NOT_FOUND ? DIAG_EMPTY_TREE : DIAG_LIMIT,
				   err.text, NULL);
		else
			fail_pass(engine, &err);
		return;
	}
	if (tip->next.tree.entries_n == 0) {
		refuse_tip(engine, DIAG_EMPTY_TREE, EMPTY_TREE_MESSAGE, EMPTY_TREE_HINT);
		return;
	}
	struct load_request request = {.repo = engine->repo,
				       .url = engine->url,
				       .state_dir = engine->state.dir,
				       .tree = &tip->next.tree,
				       .known = &tip->files,
				       .known_tree =
					       tip->listing.arenas.n ? &tip->listing.tree : NULL};
	tip->state = TIP_LOADING;
	tip->load = load_start(engine->loop, &request, on_loaded, engine, &err);
	if (!tip->load)
		fail_pass(engine, &err);
}

/* ---- forward only ---- */

static bool tip_is_approved(struct engine *engine)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct ledger_approval *approvals;
	size_t n = 0;
	char hex[OID_HEX_SIZE];
	oid_hex(&engine->tip.loading, hex);
	if (ledger_approvals(engine->ledger, arena, &approvals, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_eq(approvals[i].commit, hex))
			return true;
	return false;
}

/* With an empty ledger the newest commit that the nodes' labels name stands in: see adopt. */
static bool moved_forward(struct engine *engine, struct err *err)
{
	struct tip *tip = &engine->tip;
	if (oid_is_zero(&tip->base) ||
	    KIND_OR(engine->settings, settings, history) == HISTORY_REWRITE)
		return true;
	int descends = repo_descends(engine->repo, &tip->loading, &tip->base, err);
	return descends == 1 || tip_is_approved(engine);
}

static void resolve_tip(struct engine *engine)
{
	struct tip *tip = &engine->tip;
	struct err err = ERR_INIT;
	int found;
	tip->began_us = clock_boot_us();
	repo_refresh(engine->repo);
	if (engine->options.revision)
		found = repo_revision(engine->repo, engine->options.revision, &tip->loading, &err);
	else
		found = repo_branch(engine->repo, engine->branch, &tip->loading, &err);
	if (found < 0) {
		fail_pass(engine, &err);
		return;
	}
	if (oid_eq(&tip->loading, &tip->seen) && tip->outcome.arena && !tip->force) {
		clear_problem(engine);
		end_pass(engine);
		return;
	}
	if (moved_forward(engine, &err)) {
		start_load(engine);
		return;
	}
	char hex[OID_HEX_SIZE], base[OID_HEX_SIZE];
	oid_hex(&tip->base, base);
	oid_hex(&tip->loading, hex);
	AUTO_FREE char *message = mem_printf("%s moved to %.12s, which does not descend from %.12s",
					     engine->branch, hex, base);
	AUTO_FREE char *hint = mem_printf("trueup approve %.12s if this was meant", hex);
	refuse_tip(engine, DIAG_NOT_FORWARD, message, hint);
}

/* ---- fetching ---- */

static int fetch_body(int fd, void *arg)
{
	struct engine *engine = arg;
	struct err err = ERR_INIT;
	struct oid commit;
	AUTO_FREE char *credentials = NULL;
	if (engine->settings->credentials)
		credentials = credentials_folder(engine->settings->credentials_dir,
						 engine->state.dir, engine->settings->credentials);
	struct fetch_request request = {.url = engine->url,
					.branch = engine->branch,
					.state_dir = engine->state.dir,
					.credentials_dir = credentials};
	return fetch_branch(&request, &commit, &err) < 0 ? job_fail(fd, &err) : 0;
}

static void fetch_ended(void *owner, const struct err *failure)
{
	struct engine *engine = owner;
	engine->tip.job = NULL;
	if (failure)
		fail_pass(engine, failure);
	else
		resolve_tip(engine);
}

static void start_fetch(struct engine *engine)
{
	struct err err = ERR_INIT;
	struct job_opts opts = {
		.role = "fetch",
		.deadline_ms = FETCH_DEADLINE_MS,
		.body = fetch_body,
		.arg = engine,
		.ended = fetch_ended,
		.owner = engine,
	};
	engine->tip.state = TIP_FETCHING;
	engine->tip.job = job_start(engine->loop, &opts, &err);
	if (!engine->tip.job)
		fail_pass(engine, &err);
}

static void begin_pass(struct engine *engine)
{
	struct tip *tip = &engine->tip;
	tip->served = tip->wanted;
	tip->state = TIP_FETCHING;
	loop_timer_del(&tip->timer);
	if (engine->remote)
		start_fetch(engine);
	else
		resolve_tip(engine);
}

void tip_want(struct engine *engine)
{
	engine->tip.wanted++;
	if (engine->tip.state == TIP_IDLE && !engine->stopping)
		begin_pass(engine);
}

void tip_release(struct engine *engine)
{
	struct tip *tip = &engine->tip;
	loop_timer_del(&tip->timer);
	job_cancel(&tip->job);
	load_cancel(&tip->load);
	if (tip->outcome.arena)
		accept_outcome_release(&tip->outcome);
	file_set_release(&tip->files);
	listing_release(&tip->next);
	listing_release(&tip->listing);
	buf_release(&tip->removals);
}

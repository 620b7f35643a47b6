#include "base/sys.h"

#include "base/clock.h"
#include "base/num.h"
#include "engine/records.h"
#include "plan/content.h"

/* ---- who changed it ---- */

static const char *author_of(struct engine *engine, const struct slot *slot, struct arena *arena)
{
	const struct tip *tip = &engine->tip;
	const char **paths = ARENA_ARRAY(arena, slot->inputs_n + 1, const char *);
	struct commit_info info;
	size_t n = 0;
	for (size_t i = 0; i < slot->inputs_n; i++) {
		const char *path = slot->inputs[i]->path;
		paths[n++] = engine->settings->path
				     ? arena_printf(arena, "%s/%s", engine->settings->path, path)
				     : path;
	}
	if (repo_last_touch(engine->repo, &tip->seen, NULL, paths, n, arena, &info, NULL) < 0)
		return NULL;
	return info.author;
}

/* ---- making ---- */

static int add_record(struct engine *engine, const struct slot_plan *plan, struct err *err)
{
	const struct slot *slot = plan->slot;
	char commit[OID_HEX_SIZE];
	int64_t id;
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf content = BUF_INIT(BUF_MAX_TEXT);
	content_write(&plan->content, &content);
	struct record record = {
		.slot = slot->key,
		.product = slot->product ? slot->product->name : slot->deployment->product,
		.version = slot->version_name,
		.parent = slot->parent,
		.type = slot->type,
		.prefix = slot->prefix,
		.source_id = slot->source_id,
		.input_id = slot->input_id,
		.release_id = plan->release_id,
		.status = RECORD_PREPARING,
		.commit = oid_hex(&engine->tip.seen, commit),
		.author = author_of(engine, slot, arena),
		.created_ms = clock_wall_ms(),
		.content = buf_str(&content),
	};
	return ledger_add_record(engine->ledger, &record, &id, err);
}

static int audit(struct engine *engine, const struct record *record, const struct slot_run *run,
		 const char *action, const char *detail, struct err *err)
{
	return ledger_audit(engine->ledger, record && record->author ? record->author : "trueup",
			    action, run->id, detail, clock_wall_ms(), err);
}

static int begin(struct engine *engine, struct slot_run *run, const struct record *record,
		 struct err *err)
{
	if (ledger_set_status(engine->ledger, record->id, RECORD_IN_PROGRESS, NULL, NULL,
			      clock_wall_ms(), err) < 0)
		return -1;
	run->deadline_at = 0;
	slot_forget_failure(run);
	backoff_clear(&run->backoff);
	engine_say(engine, record->succeeded ? "starts again" : "starts", run->id, record->version);
	return audit(engine, record, run, "start", record->version, err);
}

static int supersede(struct engine *engine, struct slot_run *run, const struct record *record,
		     struct err *err)
{
	struct record_error error = {.code = err_code_name(E_SUPERSEDED),
				     .text = "a newer commit wants something else"};
	engine_say(engine, "superseded", run->id, record->version);
	return ledger_set_status(engine->ledger, record->id, RECORD_FAILED, "superseded", &error,
				 clock_wall_ms(), err);
}

static int supersede_others(struct engine *engine, struct slot_run *run,
			    const struct slot_plan *plan, int64_t wanted, bool *changed,
			    struct err *err)
{
	size_t n;
	const struct record *records = history_slot(&engine->history, &plan->key, &n);
	for (size_t i = 0; i < n; i++) {
		if (!record_is_open(&records[i]) || records[i].id == wanted)
			continue;
		if (supersede(engine, run, &records[i], err) < 0)
			return -1;
		*changed = true;
	}
	return 0;
}

/* A record that began before its images were known gets their digests. */
static int resolve(struct engine *engine, const struct slot_plan *plan, bool *changed,
		   struct err *err)
{
	const struct record *record = plan->decision.record;
	if (record->release_id && record->release_id[0])
		return 0;
	if (!plan->release_id[0])
		return 0;
	AUTO_BUF struct buf content = BUF_INIT(BUF_MAX_TEXT);
	content_write(&plan->content, &content);
	*changed = true;
	return ledger_resolve(engine->ledger, record->id, plan->release_id, buf_str(&content), err);
}

int records_follow(struct engine *engine, struct slot_run *run, const struct slot_plan *plan,
		   bool may_begin, bool *changed, struct err *err)
{
	const struct decision *decision = &plan->decision;
	enum decision_kind kind = plan->slot ? decision->kind : 0;
	bool tried = kind == DECIDE_CONTINUE || kind == DECIDE_START;
	run->record = 0;
	if (supersede_others(engine, run, plan, tried ? decision->record->id : 0, changed, err) < 0)
		return -1;
	if (kind == DECIDE_NEW) {
		*changed = true;
		return add_record(engine, plan, err);
	}
	if (!tried)
		return 0;
	if (resolve(engine, plan, changed, err) < 0)
		return -1;
	if (decision->record->status == RECORD_IN_PROGRESS) {
		run->record = decision->record->id;
		return 0;
	}
	if (!may_begin)
		return 0;
	*changed = true;
	return begin(engine, run, decision->record, err);
}

/* ---- ends ---- */

static int apply_transitions(struct engine *engine, const struct transition *transitions, size_t n,
			     struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (ledger_set_status(engine->ledger, transitions[i].record, transitions[i].to,
				      transitions[i].reason, NULL, clock_wall_ms(), err) < 0)
			return -1;
	return 0;
}

/* A version whose document is gone cannot be frozen any more. */
static int freeze(struct engine *engine, const struct slot_plan *plan, const struct record *record,
		  struct err *err)
{
	const struct version *version = plan->slot->version;
	const struct image_list *images = plan->slot->images;
	if (record->type != VERSION_INCREMENTAL || !version || !images)
		return 0;
	AUTO_BUF struct buf content = BUF_INIT(BUF_MAX_TEXT);
	content_write_version(images, &version->requires, &plan->content, &content);
	struct frozen frozen = {
		.project = record->slot.project,
		.product = record->product,
		.version = record->version,
		.parent = record->parent,
		.content_id = plan->slot->version_id,
		.content = buf_str(&content),
		.commit = record->commit,
		.node = record->slot.node,
		.when_ms = clock_wall_ms(),
		.record = record->id,
	};
	return ledger_freeze(engine->ledger, &frozen, err);
}

/* "1.1.0", "1.1.0, down for 3s" */
static char *with_outage(const struct record *record, int64_t down_ms)
{
	char duration[NUM_TEXT_MAX];
	const char *version = record->version ? record->version : record->product;
	return down_ms ? mem_printf("%s, down for %s", version,
				    num_format_duration(down_ms, duration))
		       : mem_strdup(version);
}

int records_succeed(struct engine *engine, struct slot_run *run, const struct slot_plan *plan,
		    int64_t down_ms, struct err *err)
{
	const struct record *record = plan->decision.record;
	struct lineage lineage = {engine->tip.outcome.model, &engine->history};
	struct ancestry ancestry = {lifecycle_parent, &lineage};
	AUTO_ARENA struct arena *arena = arena_new(0);
	size_t n;
	history_slot(&engine->history, &plan->key, &n);
	struct transition *transitions = ARENA_ARRAY(arena, n + 1, struct transition);
	n = lifecycle_on_success(record, &engine->history, &ancestry, transitions);
	if (ledger_set_status(engine->ledger, record->id, RECORD_SUCCESSFUL, NULL, NULL,
			      clock_wall_ms(), err) < 0 ||
	    apply_transitions(engine, transitions, n, err) < 0 ||
	    freeze(engine, plan, record, err) < 0)
		return -1;
	engine->history_stale = true;
	run->record = 0;
	run->deadline_at = 0;
	run->finished = true;
	slot_forget_failure(run);
	backoff_clear(&run->backoff);
	AUTO_FREE char *detail = with_outage(record, down_ms);
	engine_say(engine, "successful", run->id, detail);
	return audit(engine, record, run, "successful", detail, err);
}

int records_reinstated(struct engine *engine, struct slot_run *run, const struct record *record,
		       int64_t down_ms, struct err *err)
{
	AUTO_FREE char *detail = with_outage(record, down_ms);
	engine_say(engine, "serves again", run->id, detail);
	return audit(engine, NULL, run, "reinstated", detail, err);
}

int records_fail(struct engine *engine, struct slot_run *run, const struct slot_plan *plan,
		 const char *log, struct err *err)
{
	const struct record *record = plan->decision.record;
	const struct slot_failure *failure = run->failure;
	struct record_error error = {.code = err_code_name(failure->err.code),
				     .step = failure->step,
				     .text = failure->err.text,
				     .log = log};
	if (ledger_set_status(engine->ledger, record->id, RECORD_FAILED, NULL, &error,
			      clock_wall_ms(), err) < 0)
		return -1;
	engine->history_stale = true;
	run->record = 0;
	run->deadline_at = 0;
	run->finished = true;
	engine_say(engine, "failed", run->id, failure->err.text);
	if (audit(engine, record, run, "failed", failure->err.text, err) < 0)
		return -1;
	slot_forget_failure(run);
	backoff_clear(&run->backoff);
	return 0;
}

int records_removed(struct engine *engine, struct slot_run *run, const struct slot_plan *plan,
		    struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	size_t n;
	history_slot(&engine->history, &plan->key, &n);
	struct transition *transitions = ARENA_ARRAY(arena, n + 1, struct transition);
	n = lifecycle_on_removal(&plan->key, "removed", &engine->history, transitions);
	if (apply_transitions(engine, transitions, n, err) < 0 ||
	    ledger_clear_active(engine->ledger, &plan->key, err) < 0 ||
	    ledger_drop_slot(engine->ledger, &plan->key, err) < 0)
		return -1;
	engine->history_stale = true;
	run->finished = true;
	if (slow_stop_forget(engine->slow_stops, run->id))
		engine_keep_slow_stops(engine);
	engine_say(engine, "removed", run->id, NULL);
	return ledger_audit(engine->ledger, "trueup", "remove", run->id, NULL, clock_wall_ms(),
			    err);
}

static int detach_slot(struct engine *engine, const struct slot_key *key, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	char subject[SLOT_ID_MAX];
	size_t n;
	history_slot(&engine->history, key, &n);
	struct transition *transitions = ARENA_ARRAY(arena, n + 1, struct transition);
	n = lifecycle_on_removal(key, REASON_DETACHED, &engine->history, transitions);
	engine_say(engine, "detached", slot_id(key, subject), NULL);
	if (apply_transitions(engine, transitions, n, err) < 0 ||
	    ledger_clear_active(engine->ledger, key, err) < 0 ||
	    ledger_drop_slot(engine->ledger, key, err) < 0)
		return -1;
	return ledger_audit(engine->ledger, "trueup", "detach", subject, NULL, clock_wall_ms(),
			    err);
}

int records_detach(struct engine *engine, struct err *err)
{
	const struct history *history = engine_history(engine);
	const struct model *model = engine->tip.outcome.model;
	if (!history)
		return err_set(err, E_LEDGER, "the history cannot be read");
	const struct slot_key *done = NULL;
	for (size_t i = 0; i < history->records_n; i++) {
		const struct record *record = &history->records[i];
		if (!(record->active || record_is_open(record)) ||
		    model_node(model, record->slot.node) ||
		    (done && slot_key_cmp(done, &record->slot) == 0))
			continue;
		if (detach_slot(engine, &record->slot, err) < 0)
			return -1;
		done = &record->slot;
	}
	engine->history_stale |= done != NULL;
	return 0;
}

/* ---- a rebuilt ledger ---- */

struct adoption {
	const struct labels *labels; /* of the first workload; all must agree */
	struct content content;
	bool agrees;
};

static void gather_adoption(const struct slot_plan *plan, const struct observed *observed,
			    struct arena *arena, struct adoption *out)
{
	out->content.containers =
		ARENA_ARRAY(arena, observed->workloads_n + 1, struct content_container);
	out->agrees = true;
	for (size_t i = 0; i < observed->workloads_n; i++) {
		const struct workload *seen = &observed->workloads[i];
		if (!slot_has(&plan->key, seen) || seen->labels.init)
			continue;
		if (!out->labels)
			out->labels = &seen->labels;
		out->agrees &= seen->labels.record == out->labels->record && seen->config &&
			       !str_ends(seen->name, NEXT_SUFFIX);
		bool known = false;
		for (size_t c = 0; c < out->content.containers_n; c++)
			known |= str_eq(out->content.containers[c].name, seen->labels.container);
		if (known)
			continue;
		struct content_container *container =
			&out->content.containers[out->content.containers_n++];
		*container = (struct content_container){.name = seen->labels.container,
							.image = seen->image,
							.digest = seen->digest,
							.config = seen->config};
		content_unpin(arena, content_find(&plan->slot->content, container->name),
			      container);
	}
}

/* Containers in the order of the commit, so that equal content has equal ids. */
static bool order_like(struct content *content, const struct content *wanted, struct arena *arena)
{
	struct content_container *sorted =
		ARENA_ARRAY(arena, content->containers_n + 1, struct content_container);
	size_t n = 0;
	for (size_t w = 0; w < wanted->containers_n; w++)
		for (size_t c = 0; c < content->containers_n; c++)
			if (str_eq(wanted->containers[w].name, content->containers[c].name))
				sorted[n++] = content->containers[c];
	if (n != content->containers_n)
		return false;
	content->containers = sorted;
	return true;
}

int records_adopt(struct engine *engine, const struct slot_plan *plan,
		  const struct observed *observed, bool *changed, struct err *err)
{
	size_t known;
	if (!plan->slot || plan->decision.kind != DECIDE_NEW)
		return 0;
	history_slot(&engine->history, &plan->key, &known);
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct adoption adoption = {0};
	gather_adoption(plan, observed, arena, &adoption);
	if (known || !adoption.labels || !adoption.agrees)
		return 0;
	const struct slot *slot = plan->slot;
	const struct labels *labels = adoption.labels;
	char release[RECORD_ID_SIZE];
	bool ordered = order_like(&adoption.content, &slot->content, arena);
	ids_release(slot->input_id, &adoption.content, release);
	bool same = ordered && str_eq(labels->version, slot->version_name) &&
		    str_eq(labels->prefix, slot->prefix) && str_eq(release, plan->release_id);
	AUTO_BUF struct buf content = BUF_INIT(BUF_MAX_TEXT);
	if (same)
		adoption.content.requires = slot->content.requires;
	content_write(&adoption.content, &content);
	int64_t now = clock_wall_ms(), id;
	struct record record = {
		.slot = plan->key,
		.product = labels->product,
		.version = labels->version,
		.parent = same ? slot->parent : NULL,
		.type = slot->type,
		.prefix = labels->prefix,
		/* Empty ids: what it was made from is not known, so nothing is compared with it. */
		.source_id = same ? slot->source_id : "",
		.input_id = same ? slot->input_id : "",
		.release_id = release,
		.status = RECORD_SUCCESSFUL,
		.succeeded = true,
		.active = true,
		.reason = "adopted",
		.commit = labels->commit,
		.created_ms = now,
		.started_ms = now,
		.finished_ms = now,
		.tries = 1,
		.content = buf_str(&content),
	};
	*changed = true;
	char subject[SLOT_ID_MAX];
	if (ledger_add_record(engine->ledger, &record, &id, err) < 0)
		return -1;
	record.id = id;
	if (same && freeze(engine, plan, &record, err) < 0)
		return -1;
	engine_say(engine, "adopted", slot_id(&plan->key, subject), labels->version);
	return ledger_audit(engine->ledger, "trueup", "adopt", subject, labels->version, now, err);
}

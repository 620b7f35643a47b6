#include "base/sys.h"

#include "base/clock.h"
#include "base/num.h"
#include "engine/gates.h"
#include "engine/intents.h"
#include "engine/records.h"
#include "engine/rest.h"
#include "engine/rolling.h"
#include "engine/waiting.h"
#include "plan/content.h"
#include "schema/kinds.h"

/* Nobody tells apply what happens on a node that has to become healthy: it looks so often. */
#define ONCE_LOOK_MS 250

/* ---- what is wanted of the slot now ---- */

struct target {
	struct rollout_input rollout;
	const struct record *record; /* whose containers are wanted; NULL: none */
	bool trying;		     /* the record is in progress */
};

/* A record that may not begin yet: until then what serves is looked after. */
static int target_of_active(struct work *work, const struct slot_plan *plan, struct target *out)
{
	const struct record *active = plan->decision.active;
	struct content content;
	out->record = active;
	out->rollout.settled = true;
	out->rollout.wanted = NULL;
	out->rollout.wanted_n = 0;
	if (!active)
		return 0;
	if (!active->content || content_read(active->content, work->arena, &content, work->err) < 0)
		return -1;
	out->rollout.wanted = desired_specs(plan->slot, &content, active, work->engine->owner,
					    work->arena, &out->rollout.wanted_n);
	return 0;
}

static bool may_not_begin_yet(const struct slot_plan *plan, const struct slot_run *run)
{
	enum decision_kind kind = plan->slot ? plan->decision.kind : 0;
	return !run->record &&
	       (kind == DECIDE_CONTINUE || kind == DECIDE_START || kind == DECIDE_NEW);
}

static int choose_target(struct work *work, const struct slot_plan *plan,
			 const struct slot_run *run, struct target *out)
{
	*out = (struct target){.rollout = plan->rollout};
	if (may_not_begin_yet(plan, run))
		return target_of_active(work, plan, out);
	out->trying = run->record != 0;
	out->record = plan->serves;
	return 0;
}

/* ---- the ends of a rollout ---- */

static const char *log_of(const struct work *work, const char *name)
{
	const struct look_result *seen = work->node->seen;
	for (size_t i = 0; i < seen->logs_n; i++)
		if (str_eq(seen->logs[i].name, name))
			return seen->logs[i].text;
	return NULL;
}

static int fail(struct work *work, const struct slot_plan *plan, struct slot_run *run,
		const char *container)
{
	if (engine_write(work->engine, work->err) < 0)
		return -1;
	node_want_look(work->node);
	work->node->upkeep_due = true;
	gate_wake(work->engine);
	return records_fail(work->engine, run, plan, container ? log_of(work, container) : NULL,
			    work->err);
}

static void set_unhealthy(const struct work *work, const struct slot_plan *plan,
			  struct slot_run *run, const char *name)
{
	AUTO_BUF struct buf story = BUF_INIT(BUF_MAX_LINE);
	char within[NUM_TEXT_MAX];
	const struct workload *seen = observed_find(&work->node->seen->observed, name);
	num_format_duration(KIND_OR(plan->slot->deployment->strategy, strategy, deadline), within);
	if (seen)
		workload_tell(seen, &story);
	slot_fail(run, "health", E_UNHEALTHY, "%s was not healthy within %s: %s", name, within,
		  seen ? buf_str(&story) : "it is gone");
}

static int on_waiting(struct work *work, const struct slot_plan *plan, struct slot_run *run,
		      const struct target *target, const struct rollout *rollout)
{
	if (target->trying && deadline_passed(run, plan)) {
		set_unhealthy(work, plan, run, rollout->waiting_for);
		return fail(work, plan, run, rollout->waiting_for);
	}
	if (rollout->look_again_ms >= 0)
		node_look_in(work->node, rollout->look_again_ms + 1);
	if (target->trying && !run->paused_at)
		node_look_in(work->node, run->deadline_at - clock_boot_ms() + 1);
	if (target->trying && work->engine->once)
		node_look_in(work->node, ONCE_LOOK_MS);
	return 0;
}

/* Its containers are gone; then its volumes, where the deployment said so. */
static int on_gone(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	if (plan->volumes_n) {
		struct op *ops = ARENA_ARRAY(work->arena, plan->volumes_n, struct op);
		for (size_t i = 0; i < plan->volumes_n; i++)
			ops[i] = (struct op){.kind = OP_VOLUME_REMOVE, .name = plan->volumes[i]};
		return intents_queue(work, run, &plan->key, 0, ops, plan->volumes_n);
	}
	if (engine_write(work->engine, work->err) < 0)
		return -1;
	work->node->upkeep_due = true;
	node_want_look(work->node);
	gate_wake(work->engine);
	return records_removed(work->engine, run, plan, work->err);
}

/*
 * From the stop of what served until the new one was up: with a health check, until it passed.
 * Not known (0) where the reconciler was started anew in between.
 */
static int64_t outage_of(const struct work *work, const struct slot_plan *plan,
			 struct slot_run *run)
{
	int64_t now = clock_boot_ms(), up_at = 0, down_since = run->down_since;
	run->down_since = 0;
	for (size_t i = 0; i < work->observed->workloads_n; i++) {
		const struct workload *seen = &work->observed->workloads[i];
		if (!slot_has(&plan->key, seen) || seen->state != RUN_RUNNING)
			continue;
		int64_t since = seen->health == HEALTH_NONE ? now - seen->running_ms : now;
		up_at = since > up_at ? since : up_at;
	}
	if (!down_since || !up_at || plan->slot->strategy != STRATEGY_RECREATE)
		return 0;
	return up_at > down_since ? up_at - down_since : 1;
}

static int on_done(struct work *work, const struct slot_plan *plan, struct slot_run *run,
		   const struct target *target)
{
	if (!plan->slot)
		return on_gone(work, plan, run);
	int64_t down_ms = outage_of(work, plan, run);
	if (!target->trying) {
		slot_forget_failure(run);
		backoff_clear(&run->backoff);
		if (!down_ms)
			return 0;
		return engine_write(work->engine, work->err) < 0
			       ? -1
			       : records_reinstated(work->engine, run, target->record, down_ms,
						    work->err);
	}
	if (engine_write(work->engine, work->err) < 0 ||
	    records_succeed(work->engine, run, plan, down_ms, work->err) < 0)
		return -1;
	work->node->upkeep_due = true;
	/* One look more: what is shown and what is checked is the end, not the way there. */
	node_want_look(work->node);
	gate_wake(work->engine);
	return 0;
}

/* ---- not now ---- */

/* Is it somebody else's trouble, and none of what is released? */
static bool is_away(enum err_code code)
{
	return code == E_NODE_UNREACHABLE || code == E_REGISTRY || code == E_CREDENTIALS ||
	       code == E_CERTIFICATE;
}

static const char *reason_of(const struct slot_failure *failure)
{
	if (failure->err.code == E_CREDENTIALS)
		return "credentials";
	return is_away(failure->err.code) && str_starts(failure->step, op_word(OP_PULL))
		       ? "registry"
		       : "retry";
}

/*
 * A change failed: a release that cannot be is failed at once, what may pass is tried again later,
 * and what is somebody else's trouble is never the release's failure. True: not now.
 */
static bool after_failure(struct work *work, const struct slot_plan *plan, struct slot_run *run,
			  const struct target *target, int *status)
{
	if (run->failure) {
		enum err_code code = run->failure->err.code;
		bool may_pass = err_code_class(code) == ERR_RETRY || code == E_IMAGE_UNKNOWN;
		bool late = target->trying && deadline_passed(run, plan);
		if (target->trying && !is_away(code) && (!may_pass || late)) {
			*status = fail(work, plan, run, NULL);
			return true;
		}
		backoff_failed(&run->backoff);
		free(run->last_error);
		run->last_error = mem_strdup(run->failure->err.text);
		run->last_reason = reason_of(run->failure);
		slot_forget_failure(run);
	}
	if (backoff_left(&run->backoff) == 0)
		return false;
	/* While a registry is away, or lets nobody in, the deadline stands still. */
	if (!str_eq(run->last_reason, "retry"))
		deadline_stop(run);
	wait_for(run, run->last_reason, run->last_error);
	node_look_in(work->node, backoff_left(&run->backoff) + 1);
	return true;
}

/* What is changed by somebody again and again is put right ever less often. */
static bool is_flapping(struct work *work, struct slot_run *run)
{
	int64_t left = damper_wait(&run->damper, clock_boot_ms());
	if (!left)
		return false;
	AUTO_FREE char *detail = mem_printf("mended %d times in a row", run->damper.mends);
	wait_for(run, "retry", detail);
	node_look_in(work->node, left + 1);
	return true;
}

/* The first of the release's images that its registry asked not to be asked for now. */
static int64_t resting_image(const struct work *work, const struct slot_plan *plan,
			     const char **detail)
{
	for (struct content_image at = {0}; content_next_image(&plan->content, &at);) {
		int64_t left = at.digest ? 0 : rest_left(work->engine, at.image, detail);
		if (left)
			return left;
	}
	return 0;
}

/* The release waits for the end of a registry's rest; its deadline stands still. */
static int wait_for_rest(struct work *work, struct slot_run *run, int64_t left, const char *detail)
{
	run->awaits_image = true;
	wait_for(run, "registry", detail);
	if (backoff_left(&run->backoff) == 0)
		backoff_failed(&run->backoff);
	backoff_rest(&run->backoff, left);
	deadline_stop(run);
	node_look_in(work->node, backoff_left(&run->backoff) + 1);
	return 0;
}

static const struct look_image *unresolved_image(const struct work *work,
						 const struct slot_plan *plan)
{
	const struct look_result *seen = work->node->seen;
	for (struct content_image at = {0}; content_next_image(&plan->content, &at);)
		for (size_t i = 0; i < seen->images_n; i++)
			if (str_eq(seen->images[i].image, at.image) && !seen->images[i].digest)
				return &seen->images[i];
	return NULL;
}

/*
 * An image that nobody knows may still come: the manifest is often pushed before the image. While
 * nobody can be asked, the deadline stands still.
 */
static int wait_for_image(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	const struct look_image *image = unresolved_image(work, plan);
	const char *detail = NULL;
	int64_t rest = resting_image(work, plan, &detail);
	if (rest) {
		deadline_passed(run, plan);
		return wait_for_rest(work, run, rest, detail);
	}
	if (!image) {
		/* Not asked yet: the next look asks. */
		node_want_look(work->node);
		return 0;
	}
	bool late = deadline_passed(run, plan), away = is_away(image->code);
	if (late && !away) {
		slot_fail(run, "resolve image", E_IMAGE_UNKNOWN, "%s", image->error);
		return fail(work, plan, run, NULL);
	}
	run->awaits_image = true;
	wait_for(run, image->code == E_CREDENTIALS ? "credentials" : "registry", image->error);
	if (backoff_left(&run->backoff) == 0)
		backoff_failed(&run->backoff);
	int64_t left = run->deadline_at - clock_boot_ms() + 1, next = backoff_left(&run->backoff);
	if (away)
		deadline_stop(run);
	node_look_in(work->node, away || next < left ? next : left);
	return 0;
}

/* ---- the step ---- */

static void note_drift(struct slot_run *run, const struct slot_plan *plan)
{
	if (plan->drift && !run->drifting)
		run->drift_since = clock_wall_ms();
	run->drifting = plan->drift;
}

/* What has to be started over and over is not tried for longer than what never becomes healthy. */
static const char *started_too_late(const struct slot_plan *plan, struct slot_run *run,
				    const struct target *target, const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->ops_n; i++)
		if (target->trying && rollout->ops[i].kind == OP_START &&
		    deadline_passed(run, plan))
			return rollout->ops[i].name;
	return NULL;
}

static int roll(struct work *work, const struct slot_plan *plan, struct slot_run *run,
		const struct target *target)
{
	struct rollout rollout = {0};
	const char *late;
	rollout_next(work->arena, &target->rollout, &rollout);
	switch (rollout.state) {
	case ROLLOUT_OPS:
		late = started_too_late(plan, run, target, &rollout);
		if (late) {
			set_unhealthy(work, plan, run, late);
			return fail(work, plan, run, late);
		}
		if (plan->slot && !target->trying && is_flapping(work, run))
			return 0;
		return intents_queue(work, run, &plan->key, target->record ? target->record->id : 0,
				     rollout.ops, rollout.ops_n);
	case ROLLOUT_WAIT:
		return on_waiting(work, plan, run, target, &rollout);
	case ROLLOUT_FAILED:
		if (!target->trying)
			return 0;
		slot_fail(run, arena_printf(work->arena, "start %s", rollout.failed_name),
			  rollout.failed_code, "%s", rollout.failed_text);
		return fail(work, plan, run, rollout.failed_name);
	case ROLLOUT_DONE:
		return on_done(work, plan, run, target);
	}
	return 0;
}

int rolling_step(struct work *work, const struct slot_plan *plan, struct slot_run *run)
{
	struct target target;
	int status = 0;
	if (choose_target(work, plan, run, &target) < 0)
		return -1;
	note_drift(run, plan);
	if (plan->leave || gate_holds_removal(work, plan, run))
		return 0;
	if (target.trying && !plan->release_id[0])
		return wait_for_image(work, plan, run);
	if (run->awaits_image)
		backoff_clear(&run->backoff);
	run->awaits_image = false;
	if (after_failure(work, plan, run, &target, &status))
		return status;
	return roll(work, plan, run, &target);
}

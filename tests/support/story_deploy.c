#include "base/sys.h"
#include "tests/support/story_parts.h"

#include "schema/kinds.h"

/* ---- carrying out ---- */

static struct record *record_by_id(struct story *story, int64_t id)
{
	assert_true(id > 0 && (size_t)id <= story->records.n);
	return &story->records.v[id - 1];
}

json_t *story_events(const struct story *story, const char *key)
{
	return json_object_get(story->script, key);
}

/* How the deployment of a slot went: "fails", "hangs", "waits", or NULL for well. */
static const char *outcome_of(const struct story *story, const struct slot_key *key,
			      const json_t **event)
{
	static const char *const words[] = {"fails", "hangs", "waits"};
	AUTO_FREE char *number = mem_printf("%d", story->commit);
	AUTO_FREE char *name = mem_printf("%s/%s/%s", key->project, key->stage, key->deployment);
	json_t *value;
	size_t at;

	json_array_foreach(story_events(story, number), at, value)
	{
		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			*event = value;
			if (str_eq(json_str(value, words[i], NULL), name))
				return words[i];
		}
	}
	return NULL;
}

void story_remove(struct story_node *node, const char *name)
{
	for (size_t i = 0; i < node->workloads.n; i++) {
		if (!str_eq(node->workloads.v[i].name, name))
			continue;
		node->workloads.v[i] = node->workloads.v[--node->workloads.n];
		return;
	}
}

static void add_volumes(struct story *story, struct story_node *node, const struct spec *spec)
{
	for (size_t i = 0; i < spec->config->volumes.n; i++) {
		const char *volume = spec->config->volumes.v[i].name, *name;
		bool known = false;

		if (!volume)
			continue;
		name = arena_printf(story->arena, "%s-%s", spec->labels.prefix, volume);
		for (size_t j = 0; j < node->volumes.n; j++)
			known |= str_eq(node->volumes.v[j].name, name);
		if (!known)
			VEC_PUSH(&node->volumes,
				 (struct volume_seen){.name = name,
						      .project = spec->labels.project,
						      .stage = spec->labels.stage,
						      .deployment = spec->labels.deployment});
	}
}

static struct workload make_workload(const struct spec *spec)
{
	bool job = KIND_OR(spec->config->expect, expect, state) == EXPECT_EXITED;

	return (struct workload){
		.name = spec->name,
		.image = spec->image,
		.digest = spec->digest,
		.config = spec->config,
		.labels = spec->labels,
		.state = job ? RUN_EXITED : RUN_RUNNING,
		.health = spec->config->health_check ? HEALTH_HEALTHY : HEALTH_NONE,
		.running_ms = job ? 0 : 60000,
		.exit_code = job ? 0 : -1,
	};
}

/* The node as it is when the record serves. beside: new ones under their second name. */
static void put_workloads(struct story *story, const struct slot_plan *plan,
			  const struct record *record, bool beside)
{
	struct story_node *node = story_node_of(story, plan->key.node);
	size_t n;
	struct spec *specs =
		desired_specs(plan->slot, &plan->content, record, STORY_OWNER, story->arena, &n);

	for (size_t i = 0; i < plan->rollout.seen_n && !beside; i++)
		story_remove(node, plan->rollout.seen[i]->name);
	for (size_t i = 0; i < n; i++) {
		struct workload workload = make_workload(&specs[i]);

		if (specs[i].labels.init && !beside)
			continue; /* it has done its work, and is gone */
		if (specs[i].labels.init) {
			workload.state = i && specs[i - 1].labels.init ? RUN_CREATED : RUN_RUNNING;
			workload.exit_code = -1;
		} else if (beside) {
			workload.name = arena_printf(story->arena, "%s" NEXT_SUFFIX, workload.name);
			workload.state = RUN_CREATED;
		}
		VEC_PUSH(&node->workloads, workload);
		add_volumes(story, node, &specs[i]);
	}
}

static void freeze(struct story *story, const struct slot_plan *plan, const struct record *record)
{
	const struct slot *slot = plan->slot;
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	if (record->type != VERSION_INCREMENTAL || !slot->version)
		return;
	for (size_t i = 0; i < story->frozen.n; i++) {
		if (str_eq(story->frozen.v[i].product, record->product) &&
		    str_eq(story->frozen.v[i].version, record->version))
			return;
	}
	content_write_version(slot->images, &slot->version->requires, &plan->content, &text);
	VEC_PUSH(&story->frozen,
		 (struct frozen){.project = record->slot.project,
				 .product = record->product,
				 .version = record->version,
				 .parent = record->parent,
				 .content_id = slot->version_id,
				 .content = arena_strdup(story->arena, buf_str(&text)),
				 .commit = record->commit,
				 .node = record->slot.node,
				 .when_ms = record->finished_ms,
				 .record = record->id});
}

static void apply_transitions(struct story *story, const struct slot_plan *plan)
{
	for (size_t i = 0; i < plan->transitions_n; i++) {
		struct record *record = record_by_id(story, plan->transitions[i].record);

		record->status = plan->transitions[i].to;
		record->reason = plan->transitions[i].reason;
	}
}

static void succeed(struct story *story, const struct slot_plan *plan, struct record *record)
{
	for (size_t i = 0; i < story->records.n; i++) {
		if (slot_key_cmp(&story->records.v[i].slot, &plan->key) == 0)
			story->records.v[i].active = false;
	}
	record->status = RECORD_SUCCESSFUL;
	record->succeeded = record->active = true;
	record->reason = NULL;
	apply_transitions(story, plan);
	freeze(story, plan, record);
	put_workloads(story, plan, record, false);
}

static void finish(struct story *story, const struct slot_plan *plan, struct record *record)
{
	const json_t *event = NULL;
	const char *outcome = outcome_of(story, &plan->key, &event);

	record->tries++;
	record->finished_ms = 1700000000000 + record->id * 3600000;
	if (!outcome) {
		succeed(story, plan, record);
	} else if (str_eq(outcome, "fails")) {
		record->status = RECORD_FAILED;
		record->error_text =
			arena_strdup(story->arena, json_str(event, "error", "it exited"));
	} else {
		record->status = RECORD_IN_PROGRESS;
		put_workloads(story, plan, record, str_eq(outcome, "hangs"));
	}
}

static void carry_out_gone(struct story *story, const struct slot_plan *plan)
{
	struct story_node *node = story_node_of(story, plan->key.node);

	for (size_t i = 0; i < plan->steps_n; i++)
		story_remove(node, plan->steps[i].container);
	apply_transitions(story, plan);
	for (size_t i = 0; i < story->records.n; i++) {
		if (slot_key_cmp(&story->records.v[i].slot, &plan->key) == 0)
			story->records.v[i].active = false;
	}
}

static void carry_out_slot(struct story *story, const struct slot_plan *plan)
{
	struct record record;

	switch (plan->decision.kind) {
	case DECIDE_NEW:
		record = *plan->serves;
		record.id = (int64_t)story->records.n + 1;
		record.created_ms = record.id;
		record.data_policy = (enum data_policy_value)KIND_OR(plan->slot->deployment,
								     deployment, data_policy);
		VEC_PUSH(&story->records, record);
		finish(story, plan, record_by_id(story, record.id));
		break;
	case DECIDE_START:
	case DECIDE_CONTINUE:
		finish(story, plan, record_by_id(story, plan->decision.record->id));
		break;
	case DECIDE_KEEP:
		if (plan->steps_n > 0)
			put_workloads(story, plan, plan->serves, false);
		break;
	case DECIDE_HELD:
	case DECIDE_REFUSED:
		break;
	}
}

void story_deploy(struct story *story)
{
	struct plan *plan = plan_build(&story->input, story->arena);

	if (story->diags.errors > 0)
		fail_msg("commit %d: %s: %s", story->commit, story->diags.v[0].path,
			 story->diags.v[0].message);
	for (size_t i = 0; i < plan->slots_n; i++) {
		if (plan->slots[i].leave)
			continue;
		if (plan->slots[i].slot)
			carry_out_slot(story, &plan->slots[i]);
		else
			carry_out_gone(story, &plan->slots[i]);
	}
}

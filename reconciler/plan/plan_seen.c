#include "base/sys.h"
#include "plan/plan_work.h"

#include "schema/kinds.h"

const struct node_view *plan_view(const struct plan_input *input, const char *node)
{
	size_t low = 0, high = input->nodes_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(input->nodes[middle].name, node);

		if (order == 0)
			return &input->nodes[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- by slot ---- */

static int seen_cmp(const void *a, const void *b)
{
	const struct seen *left = a, *right = b;
	int order = slot_key_cmp(&left->key, &right->key);

	return order ? order : str_cmp(left->workload->name, right->workload->name);
}

/* One slot alone is planned: of the others only those matter that it may take over. */
static bool matters(const struct plan_input *input, const struct slot_key *key)
{
	if (!input->only || slot_key_cmp(key, input->only) == 0)
		return true;
	return str_eq(key->node, input->only->node) && !desired_find(input->desired, key);
}

static void collect_node(struct plan_work *work, const struct node_view *view)
{
	for (size_t i = 0; i < view->observed->workloads_n; i++) {
		const struct workload *workload = &view->observed->workloads[i];
		struct seen seen = {.workload = workload};

		/* Drivers show only what is ours; but what is not must never come this far. */
		if (work->input->owner && !owner_same(workload->labels.owner, work->input->owner))
			continue;
		seen.key = (struct slot_key){.project = workload->labels.project,
					     .stage = workload->labels.stage,
					     .deployment = workload->labels.deployment,
					     .node = view->name};
		if (matters(work->input, &seen.key))
			VEC_PUSH(&work->seen, seen);
	}
}

void plan_seen_collect(struct plan_work *work)
{
	for (size_t i = 0; i < work->input->nodes_n; i++) {
		if (work->input->nodes[i].observed)
			collect_node(work, &work->input->nodes[i]);
	}
	VEC_SORT(&work->seen, seen_cmp);
}

struct seen *plan_seen_of(const struct plan_work *work, const struct slot_key *key, size_t *n)
{
	size_t low = 0, high = work->seen.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slot_key_cmp(&work->seen.v[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < work->seen.n; high++) {
		if (slot_key_cmp(&work->seen.v[high].key, key) != 0)
			break;
	}
	*n = high - low;
	return *n ? &work->seen.v[low] : NULL;
}

bool plan_may_remove(const struct plan_input *input, const struct slot_key *key)
{
	enum unit_state state = input->unit_state(input->unit_arg, key->project, key->stage);

	return state == UNIT_CURRENT || state == UNIT_GONE;
}

/* ---- taking over ---- */

/* A name that is wanted on a node, and by whom. */
struct claim {
	const char *node, *name;
	struct slot_plan *plan;
};

static int claim_cmp(const void *a, const void *b)
{
	const struct claim *left = a, *right = b;
	int order = str_cmp(left->node, right->node);

	return order ? order : str_cmp(left->name, right->name);
}

static void add_seen(struct plan_work *work, struct slot_plan *plan, const struct workload *seen)
{
	struct rollout_input *rollout = &plan->rollout;
	const struct workload **list =
		ARENA_ARRAY(work->arena, rollout->seen_n + 1, const struct workload *);

	for (size_t i = 0; i < rollout->seen_n; i++)
		list[i] = rollout->seen[i];
	list[rollout->seen_n++] = seen;
	rollout->seen = list;
}

static bool is_free(const struct plan_work *work, const struct seen *seen)
{
	return !work->input->adopting && !desired_find(work->input->desired, &seen->key) &&
	       plan_may_remove(work->input, &seen->key);
}

static void take_over(struct plan_work *work, const struct claim *claims, size_t n,
		      struct seen *seen)
{
	struct claim wanted = {.node = seen->key.node};
	const struct claim *claim;

	wanted.name = arena_strndup(work->arena, seen->workload->name,
				    workload_stem_length(seen->workload->name));
	claim = bsearch(&wanted, claims, n, sizeof(*claims), claim_cmp);
	if (!claim || !is_free(work, seen))
		return;
	seen->taken = true;
	add_seen(work, claim->plan, seen->workload);
}

void plan_seen_take_over(struct plan_work *work)
{
	VEC(struct claim) claims = {0};

	for (size_t i = 0; i < work->slots.n; i++) {
		struct slot_plan *plan = &work->slots.v[i];

		for (size_t j = 0; j < plan->specs_n; j++)
			VEC_PUSH(&claims,
				 (struct claim){plan->key.node, plan->specs[j].name, plan});
	}
	VEC_SORT(&claims, claim_cmp);
	for (size_t i = 0; claims.n > 0 && i < work->seen.n; i++) {
		struct seen *seen = &work->seen.v[i];

		if (!desired_find(work->input->desired, &seen->key))
			take_over(work, claims.v, claims.n, seen);
	}
	VEC_FREE(&claims);
}

/* ---- not looking ---- */

static struct workload assume_one(const struct spec *spec)
{
	const struct container *config = spec->config;
	bool job = container_is_job(config);

	return (struct workload){
		.name = spec->name,
		.image = spec->image,
		.digest = spec->digest,
		.config = config,
		.labels = spec->labels,
		.state = job ? RUN_EXITED : RUN_RUNNING,
		.health = config->health_check ? HEALTH_HEALTHY : HEALTH_NONE,
		.running_ms = job ? 0 : INT64_MAX,
		.exit_code = job ? (int)KIND_OR(config->expect, expect, exit_code) : -1,
	};
}

struct workload *plan_assume(const struct spec *specs, size_t n, struct arena *arena)
{
	struct workload *seen = ARENA_ARRAY(arena, n, struct workload);

	for (size_t i = 0; i < n; i++)
		seen[i] = assume_one(&specs[i]);
	return seen;
}

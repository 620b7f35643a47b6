/*
 * From the bytes of manifests (">>> path" before each file) to a plan.
 *
 * Whatever is in them: slots are sorted and well formed, and building upon oneself is building
 * anew. And where nothing is wrong with them: a new deployment is created, what was deployed is
 * kept, what failed is held, and a plan over nodes that run just that has nothing to do.
 */
#include "base/sys.h"
#include "base/json.h"
#include "base/vec.h"
#include "plan/render.h"
#include "schema/check.h"
#include "schema/decode.h"
#include "schema/kinds.h"
#include "tests/fuzz/fuzz.h"

#define OWNER "acme/0123456789abcdef"
#define DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define COMMIT "0123456789012345678901234567890123456789"
#define FILES_MAX 64

typedef VEC(struct file *) file_list;

/* ---- files ---- */

static void add_file(file_list *files, const char *path, const char *bytes, size_t len)
{
	struct unit_names names;
	struct unit unit;
	struct oid blob = {{(unsigned char)files->n}};

	if (path_classify(path, &unit, &names) != PATH_MANIFEST || files->n == FILES_MAX)
		return;
	for (size_t i = 0; i < files->n; i++) {
		if (str_eq(files->v[i]->path, path))
			return;
	}
	VEC_PUSH(files, file_decode(path, &blob, bytes, len));
}

static void split(const char *text, size_t size, file_list *files)
{
	static const char mark[] = ">>> ";
	const size_t mark_len = sizeof mark - 1;

	while (size > mark_len && memcmp(text, mark, mark_len) == 0) {
		const char *line = memchr(text, '\n', size);
		const char *body = line ? line + 1 : text + size, *end = body;
		AUTO_FREE char *path =
			mem_strndup(text + mark_len, (size_t)(body - text) - mark_len - !!line);

		while (end < text + size && ((size_t)(text + size - end) < mark_len ||
					     memcmp(end, mark, mark_len) != 0)) {
			const char *next = memchr(end, '\n', (size_t)(text + size - end));

			end = next ? next + 1 : text + size;
		}
		add_file(files, path, body, (size_t)(end - body));
		size -= (size_t)(end - text);
		text = end;
	}
}

/* ---- what holds of any slots ---- */

static bool is_id(const char *id)
{
	return str_starts(id, "1:") && strlen(id) == 66 && strspn(id + 2, "0123456789abcdef") == 64;
}

static void check_content(const struct content *content)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf first = BUF_INIT(BUF_MAX_OUTPUT), second = BUF_INIT(BUF_MAX_OUTPUT);
	struct content again;

	content_write(content, &first);
	FUZZ_CHECK(content_read(buf_str(&first), arena, &again, NULL) == 0);
	content_write(&again, &second);
	FUZZ_CHECK(str_eq(buf_str(&first), buf_str(&second)));
}

static void check_slots(const struct desired *desired, bool fine)
{
	for (size_t i = 0; i < desired->slots_n; i++) {
		const struct slot *slot = desired->slots[i];

		FUZZ_CHECK(i == 0 || slot_key_cmp(&desired->slots[i - 1]->key, &slot->key) < 0);
		FUZZ_CHECK(desired_find(desired, &slot->key) == slot);
		FUZZ_CHECK(is_id(slot->version_id) && is_id(slot->source_id) &&
			   is_id(slot->input_id));
		/* an app in the file of its stage, a project and a node */
		FUZZ_CHECK(slot->inputs_n >= 3);
		if (fine)
			check_content(&slot->content);
	}
}

static void check_same(const struct desired *a, const struct desired *b)
{
	FUZZ_CHECK(a->slots_n == b->slots_n);
	for (size_t i = 0; i < a->slots_n; i++) {
		FUZZ_CHECK(slot_key_cmp(&a->slots[i]->key, &b->slots[i]->key) == 0);
		FUZZ_CHECK(str_eq(a->slots[i]->input_id, b->slots[i]->input_id));
		FUZZ_CHECK(str_eq(a->slots[i]->source_id, b->slots[i]->source_id));
		FUZZ_CHECK(a->slots[i]->strategy == b->slots[i]->strategy);
	}
}

/* ---- a past in which each slot was deployed as it is wanted ---- */

static struct record record_of(const struct slot *slot, int64_t id, struct arena *arena)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);
	char release[RECORD_ID_SIZE];
	struct content content = slot->content;

	content.containers = arena_memdup(arena, content.containers,
					  content.containers_n * sizeof *content.containers);
	for (size_t i = 0; i < content.containers_n; i++)
		content.containers[i].digest = DIGEST;
	content_write(&content, &text);
	ids_release(slot->input_id, &content, release);
	return (struct record){
		.id = id,
		.slot = slot->key,
		.product = slot->product->name,
		.version = slot->version_name,
		.parent = slot->parent,
		.type = slot->type,
		.prefix = slot->prefix,
		.source_id = slot->source_id,
		.input_id = slot->input_id,
		.release_id = arena_strdup(arena, release),
		.status = RECORD_SUCCESSFUL,
		.succeeded = true,
		.active = true,
		.commit = COMMIT,
		.content = arena_strdup(arena, buf_str(&text)),
	};
}

static struct history past_of(const struct desired *desired, struct arena *arena)
{
	struct history history = {
		.records = ARENA_ARRAY(arena, desired->slots_n, struct record),
		.records_n = desired->slots_n,
	};

	for (size_t i = 0; i < desired->slots_n; i++)
		history.records[i] = record_of(desired->slots[i], (int64_t)i + 1, arena);
	return history;
}

static enum decision_kind decide(const struct slot *slot, const struct record *record)
{
	struct decision decision;

	lifecycle_decide_among(slot, record, record ? 1 : 0, NULL, &decision);
	return decision.kind;
}

static void check_decisions(const struct desired *desired, const struct history *past)
{
	for (size_t i = 0; i < desired->slots_n; i++) {
		const struct slot *slot = desired->slots[i];
		bool incremental = slot->type == VERSION_INCREMENTAL;
		struct record record = past->records[i];

		FUZZ_CHECK(decide(slot, NULL) == DECIDE_NEW);
		FUZZ_CHECK(decide(slot, &record) == DECIDE_KEEP);
		record.active = false;
		record.status = RECORD_OBSOLETE;
		FUZZ_CHECK(decide(slot, &record) == (incremental ? DECIDE_START : DECIDE_NEW));
		record.status = RECORD_FAILED;
		record.succeeded = false;
		FUZZ_CHECK(decide(slot, &record) == DECIDE_HELD);
		record.reason = REASON_RETRY;
		FUZZ_CHECK(decide(slot, &record) == DECIDE_START);
		record.status = RECORD_IN_PROGRESS;
		FUZZ_CHECK(decide(slot, &record) == DECIDE_CONTINUE);
	}
}

/* ---- plans ---- */

static enum unit_state all_current(void *arg, const char *project, const char *stage)
{
	(void)arg;
	(void)project;
	(void)stage;
	return UNIT_CURRENT;
}

static struct workload running(const struct spec *spec)
{
	const struct expect *expect = spec->config->expect;
	bool job = expect && expect->state == EXPECT_EXITED;

	return (struct workload){
		.name = spec->name,
		.id = spec->name,
		.image = spec->image,
		.digest = spec->digest,
		.config = spec->config,
		.labels = spec->labels,
		.state = job ? RUN_EXITED : RUN_RUNNING,
		.health = spec->config->health_check ? HEALTH_HEALTHY : HEALTH_NONE,
		.running_ms = job ? 0 : INT64_MAX / 2,
		.exit_code = job ? (int)KIND_OR(expect, expect, exit_code) : -1,
	};
}

/* Each node as it would be seen; without a past, empty. */
static struct node_view *look(const struct model *model, const struct desired *desired,
			      const struct history *past, struct arena *arena)
{
	struct node_view *views = ARENA_ARRAY(arena, model->nodes.n, struct node_view);

	for (size_t i = 0; i < model->nodes.n; i++) {
		struct observed *observed = ARENA_NEW(arena, struct observed);
		VEC(struct workload) workloads = {0};

		for (size_t j = 0; past && j < desired->slots_n; j++) {
			const struct slot *slot = desired->slots[j];
			struct content content;
			struct spec *specs;
			size_t n;

			if (slot->node != model->nodes.v[i])
				continue;
			FUZZ_CHECK(content_read(past->records[j].content, arena, &content, NULL) ==
				   0);
			specs = desired_specs(slot, &content, &past->records[j], OWNER, arena, &n);
			for (size_t k = 0; k < n; k++)
				VEC_PUSH(&workloads, running(&specs[k]));
		}
		observed->node = views[i].name = model->nodes.v[i]->name;
		observed->owner = OWNER;
		observed->workloads_n = workloads.n;
		observed->workloads =
			arena_memdup(arena, workloads.v, workloads.n * sizeof *workloads.v);
		observed_sort(observed);
		views[i].observed = observed;
		VEC_FREE(&workloads);
	}
	return views;
}

static struct plan *make_plan(const struct model *model, const struct desired *desired,
			      const struct history *history, bool deployed, struct arena *arena)
{
	struct plan_input input = {
		.commit = COMMIT,
		.desired = desired,
		.model = model,
		.history = history,
		.nodes = look(model, desired, deployed ? history : NULL, arena),
		.nodes_n = model->nodes.n,
		.owner = OWNER,
		.unit_state = all_current,
	};
	struct plan_input *kept = arena_memdup(arena, &input, sizeof input);
	struct digest_entry *images;
	struct plan *plan, *again;

	kept->digests_n = plan_images(kept, arena, &images);
	for (size_t i = 0; i < kept->digests_n; i++)
		images[i].digest = DIGEST;
	kept->digests = images;
	plan = plan_build(kept, arena);
	again = plan_build(kept, arena);
	FUZZ_CHECK(str_eq(plan->hash, again->hash));
	return plan;
}

static size_t specs_of(const struct desired *desired, struct arena *arena)
{
	size_t all = 0;

	for (size_t i = 0; i < desired->slots_n; i++) {
		size_t n;

		desired_specs(desired->slots[i], &desired->slots[i]->content, NULL, OWNER, arena,
			      &n);
		all += n;
	}
	return all;
}

static void check_plans(const struct model *model, const struct desired *desired,
			const struct history *past)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	static struct history nothing;
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);
	const struct plan *plan = make_plan(model, desired, &nothing, false, arena);
	AUTO_JSON json_t *json = plan_json(plan);

	FUZZ_CHECK(json);
	plan_text(plan, 80, false, &text);
	FUZZ_CHECK(plan->unresolved_n == 0 && plan->refused_n == 0);
	FUZZ_CHECK(plan->create == specs_of(desired, arena));
	plan = make_plan(model, desired, past, true, arena);
	FUZZ_CHECK(!plan_has_changes(plan));
	FUZZ_CHECK(plan->create + plan->replace + plan->update + plan->restart + plan->remove == 0);
}

/* ---- all of it ---- */

static void run(const file_list *files)
{
	AUTO_DIAGS struct diags diags = {0};
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct model *model = model_build(files->v, files->n, &diags);
	struct desired *desired, *again;
	bool fine;

	for (size_t i = 0; i < files->n; i++)
		diags_append(&diags, files->v[i]->diags, files->v[i]->diags_n);
	check_model(model, NULL, &diags);
	desired = desired_build(model, NULL, NULL, &diags);
	desired_check(desired, model, NULL, &diags);
	lifecycle_check_frozen(model, desired, NULL, &diags);
	fine = diags.errors == 0;
	check_slots(desired, fine);
	again = desired_build(model, NULL, desired, &diags);
	check_same(desired, again);
	if (fine) {
		struct history past = past_of(desired, arena);

		desired_check(again, model, NULL, &diags);
		FUZZ_CHECK(diags.errors == 0);
		lifecycle_check_frozen(model, desired, &past, &diags);
		FUZZ_CHECK(diags.errors == 0);
		check_decisions(desired, &past);
		check_plans(model, desired, &past);
	}
	desired_free(again);
	desired_free(desired);
	model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	file_list files = {0};

	split((const char *)data, size, &files);
	if (files.n)
		run(&files);
	for (size_t i = 0; i < files.n; i++)
		file_unref(files.v[i]);
	VEC_FREE(&files);
	return 0;
}

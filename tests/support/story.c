#include "base/sys.h"
#include "tests/support/story.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "schema/check.h"
#include "schema/decode.h"
#include "schema/kinds.h"

#define FILE_MAX_SIZE ((size_t)1 << 20)
#define OWNER "acme/test"

/* A node as it is between two commits. */
struct story_node {
	const char *name;
	const char *unreachable;
	VEC(struct workload) workloads;
	VEC(struct volume_seen) volumes;
};

struct story {
	struct arena *arena;
	const char *folder;
	json_t *script;
	struct map texts; /* path to text, of the commit in hand */
	VEC(struct model *) models;
	VEC(struct desired *) desireds;
	VEC(struct record) records; /* by id */
	VEC(struct frozen) frozen;
	VEC(struct story_node) nodes;
	struct map moved, missing, units;
	struct diags diags;
	bool offline, adopting;
	int commit; /* number of the one in hand */

	/* for plans */
	struct plan_input input;
	struct history history;
};

/* ---- files ---- */

static void read_file(struct story *story, const char *folder, const char *path)
{
	AUTO_FREE char *full = test_path(folder, path);
	AUTO_BUF struct buf text = BUF_INIT(FILE_MAX_SIZE);
	struct err err = ERR_INIT;

	assert_done(fs_read(full, FILE_MAX_SIZE, &text, &err), err);
	if (text.len == 0)
		map_del(&story->texts, path);
	else
		map_put(&story->texts, path, arena_strdup(story->arena, buf_str(&text)));
}

static void read_tree(struct story *story, const char *folder, const char *below)
{
	AUTO_FREE char *full = test_path(folder, below);
	DIR *dir = opendir(full);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		AUTO_FREE char *path = *below ? mem_printf("%s/%s", below, entry->d_name)
					      : mem_strdup(entry->d_name);
		AUTO_FREE char *whole = test_path(folder, path);

		if (entry->d_name[0] == '.')
			continue;
		if (fs_is_dir(whole))
			read_tree(story, folder, path);
		else
			read_file(story, folder, path);
	}
	closedir(dir);
}

static struct model *decode_files(struct story *story, struct diags *diags)
{
	VEC(struct file *) files = {0};
	struct model *model;

	for (struct map_entry *e = NULL; (e = map_next(&story->texts, e));) {
		const char *text = e->value;
		unsigned char digest[HASH_SIZE];
		struct unit_names names;
		struct unit unit;
		struct hash hash;
		struct oid blob;

		if (path_classify(e->key, &unit, &names) != PATH_MANIFEST)
			continue;
		hash_init(&hash);
		hash_add(&hash, text, strlen(text));
		hash_final(&hash, digest);
		memcpy(blob.raw, digest, sizeof(blob.raw));
		VEC_PUSH(&files, file_decode(e->key, &blob, text, strlen(text)));
		diags_append(diags, files.v[files.n - 1]->diags, files.v[files.n - 1]->diags_n);
	}
	model = model_build(files.v, files.n, diags);
	for (size_t i = 0; i < files.n; i++)
		file_unref(files.v[i]);
	VEC_FREE(&files);
	VEC_PUSH(&story->models, model);
	return model;
}

static int give_text(void *arg, const char *path, struct buf *out)
{
	const struct story *story = arg;
	const char *text = map_get(&story->texts, path);

	if (!text)
		return -1;
	buf_adds(out, text);
	return 0;
}

/* ---- history and what is seen, as a plan wants them ---- */

static int record_cmp(const void *a, const void *b)
{
	const struct record *left = a, *right = b;
	int order = slot_key_cmp(&left->slot, &right->slot);

	return order ? order : (left->id > right->id) - (left->id < right->id);
}

static int frozen_cmp(const void *a, const void *b)
{
	const struct frozen *left = a, *right = b;
	int order = str_cmp(left->project, right->project);

	if (order == 0)
		order = str_cmp(left->product, right->product);
	return order ? order : str_cmp(left->version, right->version);
}

static void fill_history(struct story *story)
{
	size_t n = story->records.n;
	struct record *records = ARENA_ARRAY(story->arena, n, struct record);

	for (size_t i = 0; i < n; i++)
		records[i] = story->records.v[i];
	if (n > 1)
		qsort(records, n, sizeof(*records), record_cmp);
	VEC_SORT(&story->frozen, frozen_cmp);
	story->history = (struct history){.records = records,
					  .records_n = n,
					  .frozen = story->frozen.v,
					  .frozen_n = story->frozen.n};
}

static struct story_node *node_of(struct story *story, const char *name)
{
	for (size_t i = 0; i < story->nodes.n; i++) {
		if (str_eq(story->nodes.v[i].name, name))
			return &story->nodes.v[i];
	}
	VEC_PUSH(&story->nodes, (struct story_node){.name = arena_strdup(story->arena, name)});
	return &story->nodes.v[story->nodes.n - 1];
}

static struct observed *observe(struct story *story, const struct story_node *node)
{
	struct observed *observed = ARENA_NEW(story->arena, struct observed);

	*observed = (struct observed){
		.node = node->name,
		.engine = "memory",
		.owner = OWNER,
		.workloads = arena_memdup(story->arena, node->workloads.v,
					  node->workloads.n * sizeof(struct workload)),
		.workloads_n = node->workloads.n,
		.volumes = arena_memdup(story->arena, node->volumes.v,
					node->volumes.n * sizeof(struct volume_seen)),
		.volumes_n = node->volumes.n,
	};
	observed_sort(observed);
	return observed;
}

static void fill_views(struct story *story, const struct model *model)
{
	struct node_view *views = ARENA_ARRAY(story->arena, model->nodes.n, struct node_view);

	for (size_t i = 0; i < model->nodes.n; i++) {
		const struct story_node *node = node_of(story, model->nodes.v[i]->name);

		views[i] = (struct node_view){.name = node->name, .error = node->unreachable};
		if (!node->unreachable && !story->offline)
			views[i].observed = observe(story, node);
	}
	story->input.nodes = views;
	story->input.nodes_n = model->nodes.n;
}

/* The digest of an image is the hash of its reference; of a moved tag, of another one. */
static const char *digest_of(struct story *story, const char *image)
{
	AUTO_FREE char *text =
		mem_printf("%s%s", image, map_has(&story->moved, image) ? " moved" : "");
	char hex[HASH_HEX_SIZE];

	hash_hex(text, strlen(text), hex);
	return arena_printf(story->arena, "sha256:%s", hex);
}

static void fill_digests(struct story *story)
{
	struct digest_entry *entries;
	size_t n = story->offline ? 0 : plan_images(&story->input, story->arena, &entries);

	for (size_t i = 0; i < n; i++) {
		if (map_has(&story->missing, entries[i].image))
			entries[i].error = "no such image";
		else
			entries[i].digest = digest_of(story, entries[i].image);
	}
	story->input.digests = n ? entries : NULL;
	story->input.digests_n = n;
}

static enum unit_state unit_state(void *arg, const char *project, const char *stage)
{
	static const char *const words[] = {"", "current", "held", "gone", "unknown"};
	struct story *story = arg;
	AUTO_FREE char *name = mem_printf("%s/%s", project, stage);
	const char *word = map_get(&story->units, name);

	for (size_t i = 1; word && i < ARRAY_LEN(words); i++) {
		if (str_eq(word, words[i]))
			return (enum unit_state)i;
	}
	return model_stage(story->input.model, project, stage) ? UNIT_CURRENT : UNIT_UNKNOWN;
}

static const char *commit_id(struct story *story, int number)
{
	AUTO_FREE char *text = mem_printf("commit %d", number);
	char hex[HASH_HEX_SIZE];

	hash_hex(text, strlen(text), hex);
	return arena_strndup(story->arena, hex, OID_HEX_SIZE - 1);
}

static struct desired *build_desired(struct story *story, const struct model *model,
				     struct diags *diags)
{
	struct desired *desired = desired_build(model, &story->history, NULL, diags);

	VEC_PUSH(&story->desireds, desired);
	return desired;
}

static bool version_known(void *arg, const char *project, const char *product, const char *version)
{
	const struct story *story = arg;

	return history_frozen(&story->history, project, product, version) != NULL;
}

/* Everything that a commit in hand says, checked. */
static struct desired *check_commit(struct story *story, struct model *model, struct diags *diags)
{
	const struct check_history known = {.version_known = version_known, .arg = story};
	struct desired *desired;

	check_model(model, &known, diags);
	desired = build_desired(story, model, diags);
	desired_check(desired, model, NULL, diags);
	lifecycle_check_frozen(model, desired, &story->history, diags);
	return desired;
}

/*
 * A commit with errors is held as a whole here (really it is so by stage): what was in force before
 * stays in force, and the plan says what was refused.
 */
static void take_commit(struct story *story)
{
	struct model *model;
	struct desired *desired;

	fill_history(story);
	diags_clear(&story->diags);
	model = decode_files(story, &story->diags);
	desired = check_commit(story, model, &story->diags);
	diags_sort(&story->diags);
	diags_excerpts(&story->diags, give_text, story);
	story->input.base = story->input.commit;
	story->input.commit = commit_id(story, story->commit);
	story->input.refused = story->diags.v;
	story->input.refused_n = story->diags.n;
	if (story->diags.errors == 0 || !story->input.model) {
		story->input.model = model;
		story->input.desired = desired;
	} else {
		struct diags none = {0};

		story->input.desired = build_desired(story, story->input.model, &none);
		diags_release(&none);
	}
	story->input.history = &story->history;
	story->input.adopting = story->adopting;
	story->input.owner = OWNER;
	story->input.unit_state = unit_state;
	story->input.unit_arg = story;
	fill_views(story, story->input.model);
	fill_digests(story);
}

/* ---- carrying out ---- */

static struct record *record_by_id(struct story *story, int64_t id)
{
	assert_true(id > 0 && (size_t)id <= story->records.n);
	return &story->records.v[id - 1];
}

static json_t *events_of(const struct story *story, const char *key)
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

	json_array_foreach(events_of(story, number), at, value)
	{
		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			*event = value;
			if (str_eq(json_str(value, words[i], NULL), name))
				return words[i];
		}
	}
	return NULL;
}

static void remove_workload(struct story_node *node, const char *name)
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
	struct story_node *node = node_of(story, plan->key.node);
	size_t n;
	struct spec *specs =
		desired_specs(plan->slot, &plan->content, record, OWNER, story->arena, &n);

	for (size_t i = 0; i < plan->rollout.seen_n && !beside; i++)
		remove_workload(node, plan->rollout.seen[i]->name);
	for (size_t i = 0; i < n; i++) {
		struct workload workload = make_workload(&specs[i]);

		if (beside) {
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
	content_write_version(slot->version->images.v, slot->version->images.n, &plan->content,
			      &text);
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
	struct story_node *node = node_of(story, plan->key.node);

	for (size_t i = 0; i < plan->steps_n; i++)
		remove_workload(node, plan->steps[i].container);
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

static void deploy(struct story *story)
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

/* ---- events ---- */

static int state_find(const char *word)
{
	for (int state = RUN_CREATED; state <= RUN_UNKNOWN; state++) {
		if (str_eq(run_state_word((enum run_state)state), word))
			return state;
	}
	fail_msg("no such state: %s", word);
	return 0;
}

static int health_find(const char *word)
{
	for (int health = HEALTH_NONE; health <= HEALTH_UNKNOWN; health++) {
		if (str_eq(run_health_word((enum run_health)health), word))
			return health;
	}
	fail_msg("no such health: %s", word);
	return 0;
}

/* Somebody changed one variable of a container by hand. */
static void change_env(struct story *story, struct workload *workload, json_t *env)
{
	struct container *config =
		arena_memdup(story->arena, workload->config, sizeof(*workload->config));
	const char *key;
	json_t *value;

	json_object_foreach(env, key, value)
	{
		const char **values = ARENA_ARRAY(story->arena, config->env.n, const char *);

		for (size_t i = 0; i < config->env.n; i++)
			values[i] = str_eq(config->env.key[i], key)
					    ? arena_strdup(story->arena, json_string_value(value))
					    : config->env.value[i];
		config->env.value = values;
	}
	workload->config = config;
}

static void change_container(struct story *story, const json_t *event)
{
	const char *name = json_str(event, "container", NULL);
	struct story_node *node = node_of(story, json_str(event, "node", "edge-1"));
	struct workload *workload = NULL;

	for (size_t i = 0; i < node->workloads.n; i++) {
		if (str_eq(node->workloads.v[i].name, name))
			workload = &node->workloads.v[i];
	}
	if (!workload)
		fail_msg("no container %s on %s", name, node->name);
	workload->exit_code = (int)json_int(event, "exitCode", workload->exit_code);
	if (json_str(event, "state", NULL))
		workload->state = (enum run_state)state_find(json_str(event, "state", NULL));
	if (json_str(event, "health", NULL))
		workload->health = (enum run_health)health_find(json_str(event, "health", NULL));
	if (json_object_get(event, "env"))
		change_env(story, workload, json_object_get(event, "env"));
	if (json_flag(event, "gone", false))
		remove_workload(node, name);
}

static const struct container empty_config;

static void add_stranger(struct story *story, const json_t *event)
{
	struct arena *arena = story->arena;
	struct story_node *node = node_of(story, json_str(event, "node", "edge-1"));

	VEC_PUSH(&node->workloads,
		 (struct workload){
			 .name = arena_strdup(arena, json_str(event, "stranger", NULL)),
			 .image = "local/stranger:1",
			 .digest = digest_of(story, "local/stranger:1"),
			 .config = &empty_config,
			 .state = RUN_RUNNING,
			 .health = HEALTH_NONE,
			 .running_ms = 60000,
			 .exit_code = -1,
			 .labels = {.owner = json_str(event, "owner", NULL)
						     ? arena_strdup(arena,
								    json_str(event, "owner", NULL))
						     : OWNER,
				    .node = node->name,
				    .project =
					    arena_strdup(arena, json_str(event, "project", "shop")),
				    .stage = arena_strdup(arena,
							  json_str(event, "stage", "production")),
				    .deployment = arena_strdup(
					    arena, json_str(event, "deployment", "stranger")),
				    .container = "stranger",
				    .record = 99},
		 });
}

static void retry(struct story *story, const char *slot)
{
	for (size_t i = story->records.n; i-- > 0;) {
		struct record *record = &story->records.v[i];
		AUTO_FREE char *name = mem_printf("%s/%s/%s", record->slot.project,
						  record->slot.stage, record->slot.deployment);

		if (str_eq(name, slot) && record->status == RECORD_FAILED) {
			record->reason = REASON_RETRY;
			return;
		}
	}
	fail_msg("nothing of %s failed", slot);
}

static void forget(struct story *story)
{
	story->records.n = 0;
	story->frozen.n = 0;
}

static void apply_event(struct story *story, const json_t *event)
{
	struct arena *arena = story->arena;
	const char *text;

	if (json_object_get(event, "container"))
		change_container(story, event);
	else if (json_object_get(event, "stranger"))
		add_stranger(story, event);
	else if ((text = json_str(event, "retry", NULL)))
		retry(story, text);
	else if ((text = json_str(event, "moved", NULL)))
		map_put(&story->moved, text, story);
	else if ((text = json_str(event, "missing", NULL)))
		map_put(&story->missing, text, story);
	else if ((text = json_str(event, "unreachable", NULL)))
		node_of(story, text)->unreachable =
			arena_strdup(arena, json_str(event, "error", "no answer"));
	else if (json_flag(event, "offline", false))
		story->offline = true;
	else if (json_flag(event, "forgotten", false))
		forget(story);
	else if (json_flag(event, "adopting", false))
		story->adopting = true;
	else if ((text = json_str(event, "unit", NULL)))
		map_put(&story->units, text,
			arena_strdup(arena, json_str(event, "state", "unknown")));
	else if (!json_object_get(event, "fails") && !json_object_get(event, "hangs") &&
		 !json_object_get(event, "waits"))
		fail_msg("an event that nobody knows");
}

static void apply_events(struct story *story, const char *key)
{
	json_t *event;
	size_t at;

	json_array_foreach(events_of(story, key), at, event) apply_event(story, event);
}

/* ---- the whole ---- */

static json_t *read_script(const char *folder)
{
	AUTO_FREE char *path = test_path(folder, "story.json");
	AUTO_BUF struct buf text = BUF_INIT(FILE_MAX_SIZE);
	struct err err = ERR_INIT;
	json_t *script;

	assert_done(fs_read(path, FILE_MAX_SIZE, &text, &err), err);
	script = json_read(buf_str(&text), text.len, FILE_MAX_SIZE, &err);
	if (!script)
		fail_msg("%s: %s", path, err.text);
	return script;
}

static bool read_commit(struct story *story, int number)
{
	AUTO_FREE char *name = mem_printf("%d", number);
	AUTO_FREE char *path = test_path(story->folder, name);

	if (!fs_is_dir(path))
		return false;
	read_tree(story, path, "");
	return true;
}

struct story *story_play(const char *folder, const char *common)
{
	struct story *story = mem_zalloc(1, sizeof(*story));
	int last = 0;

	story->arena = arena_new(0);
	story->folder = arena_strdup(story->arena, folder);
	story->script = read_script(folder);
	read_tree(story, common, "");
	while (last < 99) {
		AUTO_FREE char *name = mem_printf("%d", last + 1);
		AUTO_FREE char *path = test_path(folder, name);

		if (!fs_is_dir(path))
			break;
		last++;
	}
	for (story->commit = 1; read_commit(story, story->commit); story->commit++) {
		AUTO_FREE char *key = mem_printf("%d", story->commit);

		if (story->commit == last)
			break;
		take_commit(story);
		deploy(story);
		apply_events(story, key);
	}
	apply_events(story, "look");
	take_commit(story);
	return story;
}

struct plan *story_plan(struct story *story)
{
	return plan_build(&story->input, story->arena);
}

const struct plan_input *story_input(struct story *story)
{
	return &story->input;
}

void story_free(struct story **story)
{
	struct story *one = *story;

	if (!one)
		return;
	for (size_t i = 0; i < one->desireds.n; i++)
		desired_free(one->desireds.v[i]);
	for (size_t i = 0; i < one->models.n; i++)
		model_free(one->models.v[i]);
	for (size_t i = 0; i < one->nodes.n; i++) {
		VEC_FREE(&one->nodes.v[i].workloads);
		VEC_FREE(&one->nodes.v[i].volumes);
	}
	VEC_FREE(&one->desireds);
	VEC_FREE(&one->models);
	VEC_FREE(&one->records);
	VEC_FREE(&one->frozen);
	VEC_FREE(&one->nodes);
	map_release(&one->texts);
	map_release(&one->moved);
	map_release(&one->missing);
	map_release(&one->units);
	diags_release(&one->diags);
	json_decref(one->script);
	arena_free(one->arena);
	free(one);
	*story = NULL;
}

/* ---- for people ---- */

static void describe_record(const struct record *record, struct buf *out)
{
	buf_addf(out, "record %d  %s/%s/%s on %s  %s  %s%s", (int)record->id, record->slot.project,
		 record->slot.stage, record->slot.deployment, record->slot.node,
		 record->version ? record->version : "-", record_status_word(record->status),
		 record->active ? ", active" : "");
	if (record->reason)
		buf_addf(out, " (%s)", record->reason);
	buf_addc(out, '\n');
}

void story_describe(const struct story *story, struct buf *out)
{
	for (size_t i = 0; i < story->records.n; i++)
		describe_record(&story->records.v[i], out);
	for (size_t i = 0; i < story->input.nodes_n; i++) {
		const struct node_view *view = &story->input.nodes[i];

		if (!view->observed) {
			buf_addf(out, "%s: %s\n", view->name,
				 view->error ? view->error : "not asked");
			continue;
		}
		for (size_t j = 0; j < view->observed->workloads_n; j++) {
			const struct workload *workload = &view->observed->workloads[j];

			buf_addf(out, "%s: %s  %s  %s  of record %d\n", view->name, workload->name,
				 workload->image, run_state_word(workload->state),
				 (int)workload->labels.record);
		}
		for (size_t j = 0; j < view->observed->volumes_n; j++)
			buf_addf(out, "%s: volume %s\n", view->name,
				 view->observed->volumes[j].name);
	}
}

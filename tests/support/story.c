#include "base/sys.h"
#include "tests/support/story_parts.h"

#include "base/fs.h"

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
	struct story_node *node = story_node_of(story, json_str(event, "node", "edge-1"));
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
		story_remove(node, name);
}

static const struct container empty_config;

static void add_stranger(struct story *story, const json_t *event)
{
	struct arena *arena = story->arena;
	struct story_node *node = story_node_of(story, json_str(event, "node", "edge-1"));

	VEC_PUSH(&node->workloads,
		 (struct workload){
			 .name = arena_strdup(arena, json_str(event, "stranger", NULL)),
			 .image = "local/stranger:1",
			 .digest = story_digest_of(story, "local/stranger:1"),
			 .config = &empty_config,
			 .state = RUN_RUNNING,
			 .health = HEALTH_NONE,
			 .running_ms = 60000,
			 .exit_code = -1,
			 .labels = {.owner = json_str(event, "owner", NULL)
						     ? arena_strdup(arena,
								    json_str(event, "owner", NULL))
						     : STORY_OWNER,
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

#define STORY_ASKED_MS 1767323045000 /* 2026-01-02T03:04:05Z */

static void ask_again(struct story *story, const json_t *event)
{
	const char *node = json_str(event, "node", "edge-1"), *image = json_str(event, "asked", "");

	map_put(&story->moved, image, story);
	moved_tag_note(story->tags, node, image, story_digest_of(story, image), STORY_ASKED_MS);
	if (!json_flag(event, "damped", false))
		moved_tag_follow(story->tags, node, image);
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
	else if (json_object_get(event, "asked"))
		ask_again(story, event);
	else if ((text = json_str(event, "missing", NULL)))
		map_put(&story->missing, text, story);
	else if ((text = json_str(event, "unreachable", NULL)))
		story_node_of(story, text)->unreachable =
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

	json_array_foreach(story_events(story, key), at, event) apply_event(story, event);
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
	story_read_tree(story, path, "");
	return true;
}

struct story *story_play(const char *folder, const char *common)
{
	struct story *story = mem_zalloc(1, sizeof(*story));
	int last = 0;

	story->arena = arena_new(0);
	story->folder = arena_strdup(story->arena, folder);
	story->script = read_script(folder);
	story->tags = json_object();
	story_read_tree(story, common, "");
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
		story_take_commit(story);
		story_deploy(story);
		apply_events(story, key);
	}
	apply_events(story, "look");
	story_take_commit(story);
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
	json_decref(one->tags);
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

#include "base/sys.h"
#include "tests/support/story_parts.h"

#include <dirent.h>

#include "base/fs.h"
#include "schema/check.h"
#include "tests/support/decode_texts.h"

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

void story_read_tree(struct story *story, const char *folder, const char *below)
{
	AUTO_FREE char *full = test_path(folder, below);
	DIR *dir = opendir(full);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		AUTO_FREE char *path = *below ? mem_printf("%s/%s", below, entry->d_name)
					      : mem_strdup(entry->d_name);
		AUTO_FREE char *whole = test_path(folder, path);

		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		if (fs_is_dir(whole))
			story_read_tree(story, folder, path);
		else
			read_file(story, folder, path);
	}
	closedir(dir);
}

static struct model *decode_files(struct story *story, struct diags *diags)
{
	VEC(struct text_file) texts = {0};
	struct decoded_files decoded = {0};
	struct model *model;

	for (struct map_entry *e = NULL; (e = map_next(&story->texts, e));)
		VEC_PUSH(&texts, ((struct text_file){e->key, e->value, strlen(e->value)}));
	decode_texts(texts.v, texts.n, &decoded);
	VEC_FREE(&texts);
	for (size_t i = 0; i < decoded.files.n; i++)
		diags_append(diags, decoded.files.v[i]->diags, decoded.files.v[i]->diags_n);
	model = model_build(decoded.files.v, decoded.files.n, diags);
	decoded_release(&decoded);
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

struct story_node *story_node_of(struct story *story, const char *name)
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
		.owner = STORY_OWNER,
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
		const struct story_node *node = story_node_of(story, model->nodes.v[i]->name);

		views[i] = (struct node_view){.name = node->name, .error = node->unreachable};
		if (!node->unreachable && !story->offline)
			views[i].observed = observe(story, node);
	}
	story->input.nodes = views;
	story->input.nodes_n = model->nodes.n;
}

/* The digest of an image is the hash of its reference; of a moved tag, of another one. */
const char *story_digest_of(struct story *story, const char *image)
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
			entries[i].digest = story_digest_of(story, entries[i].image);
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

/* The errors; notes refuse nothing. */
static void fill_refused(struct story *story)
{
	struct diag *refused = ARENA_ARRAY(story->arena, story->diags.n + 1, struct diag);
	size_t n = 0;

	for (size_t i = 0; i < story->diags.n; i++) {
		if (story->diags.v[i].severity == DIAG_ERROR)
			refused[n++] = story->diags.v[i];
	}
	story->input.refused = refused;
	story->input.refused_n = n;
}

/*
 * A commit with errors is held as a whole here (really it is so by stage): what was in force before
 * stays in force, and the plan says what was refused.
 */
void story_take_commit(struct story *story)
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
	fill_refused(story);
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
	story->input.moved_tags = story->tags;
	story->input.owner = STORY_OWNER;
	story->input.unit_state = unit_state;
	story->input.unit_arg = story;
	fill_views(story, story->input.model);
	fill_digests(story);
}

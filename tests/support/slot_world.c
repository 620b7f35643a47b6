#include "tests/support/test.h"
#include "tests/support/slot_world.h"

static const struct {
	const char *version, *parent;
} chain[] = {
	{"1.0", NULL},	  {"1.1", "1.0"},    {"1.2", "1.1"}, {"1.3", "1.2"},
	{"2.0", NULL},	  {"2.1", "2.0"},    {"a", "b"},     {"b", "a"},
	{"self", "self"}, {"hotfix", "1.0"}, {"lone", "b"},
};

static const char *parent_in_chain(void *arg, const char *project, const char *product,
				   const char *version)
{
	(void)arg;
	assert_string_equal(project, world_slot.project);
	assert_non_null(product);
	for (size_t i = 0; i < ARRAY_LEN(chain); i++) {
		if (str_eq(chain[i].version, version))
			return chain[i].parent;
	}
	return NULL;
}

const struct ancestry world_ancestry = {parent_in_chain, NULL};
const struct slot_key world_slot = {"shop", "prod", "web", "n1"};

struct record world_record(int64_t id, enum version_type_value type, const char *product,
			   const char *version, const char *prefix)
{
	return (struct record){.id = id,
			       .slot = world_slot,
			       .type = type,
			       .product = product,
			       .version = version,
			       .prefix = prefix};
}

const char *world_word(struct arena *arena, const char **text, const char *stops)
{
	size_t len = strcspn(*text, stops);
	const char *piece = arena_strndup(arena, *text, len);

	*text += len;
	return piece;
}

/* ---- commits ---- */

static struct commit parse_commit(struct arena *arena, const char **text)
{
	struct commit commit = {"web", "", "p", "c", 0};
	static const char ends[] = ":@=+-~!# ";

	commit.version = world_word(arena, text, ends);
	if (**text == ':') {
		commit.product = commit.version;
		(*text)++;
		commit.version = world_word(arena, text, ends);
	}
	if (**text == '@') {
		(*text)++;
		commit.prefix = world_word(arena, text, ends);
	}
	if (**text == '=') {
		(*text)++;
		commit.config = world_word(arena, text, ends);
	}
	commit.outcome = **text;
	*text += **text ? 1 : 0;
	while (**text == ' ')
		(*text)++;
	return commit;
}

void world_wanted(const struct commit *commit, struct wanted *out)
{
	bool simple = str_eq(commit->version, "simple");
	bool rolling = simple || str_eq(commit->version, "edge");

	memset(out, 0, sizeof *out);
	out->product.name = commit->product;
	out->slot.key = world_slot;
	out->slot.product = &out->product;
	out->slot.version_name = simple ? NULL : commit->version;
	out->slot.type = rolling ? VERSION_ROLLING : VERSION_INCREMENTAL;
	out->slot.prefix = commit->prefix;
	snprintf(out->slot.version_id, RECORD_ID_SIZE, "v:%s", rolling ? commit->config : "same");
	snprintf(out->slot.source_id, RECORD_ID_SIZE, "s:%s:%s:%s:%s", commit->product,
		 commit->version, commit->prefix, commit->config);
	snprintf(out->slot.input_id, RECORD_ID_SIZE, "i:%s:%s:%s:%s", commit->product,
		 commit->version, commit->prefix, commit->config);
}

struct history world_history(struct world *world)
{
	return (struct history){world->records, world->n, world->frozen, world->frozen_n};
}

static void move_to(struct record *record, enum record_status to, const char *reason)
{
	if (!lifecycle_allows(record->status, to, record->succeeded))
		fail_msg("record %lld: %s to %s", (long long)record->id,
			 record_status_word(record->status), record_status_word(to));
	record->status = to;
	record->reason = reason;
}

static struct record *record_at(struct world *world, int64_t id)
{
	return &world->records[id - 1];
}

static struct record *add_record(struct world *world, const struct wanted *wanted,
				 const struct decision *decision)
{
	struct record *record = &world->records[world->n++];
	const struct record *digests = decision->copy_of ? decision->copy_of : decision->digests_of;
	const char *content = digests ? digests->content : NULL;

	assert_true(world->n < WORLD_MAX);
	*record = world_record((int64_t)world->n, wanted->slot.type, wanted->product.name,
			       wanted->slot.version_name, wanted->slot.prefix);
	record->source_id = arena_strdup(world->arena, wanted->slot.source_id);
	record->input_id = arena_strdup(world->arena, wanted->slot.input_id);
	if (decision->frozen)
		content = decision->frozen->content;
	/* a tag means something else each time it is looked up */
	record->content = content ? content : arena_printf(world->arena, "d%zu", world->n);
	move_to(record, RECORD_PREPARING, NULL);
	return record;
}

static int frozen_sort_cmp(const void *a, const void *b)
{
	const struct frozen *left = a, *right = b;
	int order = str_cmp(left->product, right->product);

	return order ? order : str_cmp(left->version, right->version);
}

static void freeze(struct world *world, const struct record *record)
{
	struct history history = world_history(world);

	if (record->type != VERSION_INCREMENTAL ||
	    history_frozen(&history, "shop", record->product, record->version))
		return;
	world->frozen[world->frozen_n++] = (struct frozen){.project = "shop",
							   .product = record->product,
							   .version = record->version,
							   .content_id = "v:same",
							   .content = record->content,
							   .record = record->id};
	qsort(world->frozen, world->frozen_n, sizeof *world->frozen, frozen_sort_cmp);
}

static void succeed(struct world *world, struct record *record)
{
	struct history history = world_history(world);
	struct transition out[WORLD_MAX];
	size_t n = lifecycle_on_success(record, &history, &world_ancestry, out);

	for (size_t i = 0; i < n; i++) {
		struct record *other = record_at(world, out[i].record);

		assert_int_equal(other->status, out[i].from);
		if (out[i].to == RECORD_DOWNGRADED)
			assert_true(lifecycle_is_ancestor(&world_ancestry, world_slot.project,
							  record->product, record->version,
							  other->version));
		move_to(other, out[i].to, out[i].reason);
	}
	for (size_t i = 0; i < world->n; i++)
		world->records[i].active = false;
	move_to(record, RECORD_SUCCESSFUL, NULL);
	record->succeeded = record->active = true;
	freeze(world, record);
}

/* What a newer commit does to the one under way. */
static void supersede(struct world *world, const struct record *but)
{
	for (size_t i = 0; i < world->n; i++) {
		struct record *record = &world->records[i];

		if (record != but &&
		    (record->status == RECORD_PREPARING || record->status == RECORD_IN_PROGRESS))
			move_to(record, RECORD_FAILED, REASON_SUPERSEDED);
	}
}

static void remove_slot(struct world *world)
{
	struct history history = world_history(world);
	struct transition out[WORLD_MAX];
	size_t n = lifecycle_on_removal(&world_slot, REASON_REMOVED, &history, out);

	for (size_t i = 0; i < n; i++)
		move_to(record_at(world, out[i].record), out[i].to, out[i].reason);
	for (size_t i = 0; i < world->n; i++)
		world->records[i].active = false;
}

/* The record that this pass works on, or NULL. */
static struct record *carry_out(struct world *world, const struct wanted *wanted,
				const struct decision *decision)
{
	struct record *record = NULL;

	if (decision->kind == DECIDE_NEW)
		record = add_record(world, wanted, decision);
	else if (decision->kind == DECIDE_CONTINUE || decision->kind == DECIDE_START)
		record = record_at(world, decision->record->id);
	if (decision->kind != DECIDE_REFUSED)
		supersede(world, record);
	if (record && record->status != RECORD_IN_PROGRESS)
		move_to(record, RECORD_IN_PROGRESS, NULL);
	return record;
}

/* Asks for a retry of whatever failure holds the commit back. */
static void forgive(struct world *world, const struct wanted *wanted)
{
	struct history history = world_history(world);
	struct decision decision;

	lifecycle_decide(&wanted->slot, &history, &decision);
	if (decision.kind == DECIDE_HELD)
		record_at(world, decision.record->id)->reason = REASON_RETRY;
}

struct decision world_play(struct world *world, const struct commit *commit)
{
	static const char letters[] = {
		[DECIDE_KEEP] = 'K', [DECIDE_CONTINUE] = 'C', [DECIDE_START] = 'S',
		[DECIDE_NEW] = 'N',  [DECIDE_HELD] = 'H',     [DECIDE_REFUSED] = 'R'};
	struct decision decision = {0};
	struct history history;
	struct record *record;
	struct wanted wanted;

	if (commit->outcome == '#') {
		remove_slot(world);
		world->decisions[world->decisions_n++] = '#';
		return decision;
	}
	world_wanted(commit, &wanted);
	if (commit->outcome == '!')
		forgive(world, &wanted);
	history = world_history(world);
	lifecycle_decide(&wanted.slot, &history, &decision);
	world->decisions[world->decisions_n++] = letters[decision.kind];
	record = carry_out(world, &wanted, &decision);
	if (record && (commit->outcome == '+' || commit->outcome == '!'))
		succeed(world, record);
	else if (record && commit->outcome == '-')
		move_to(record, RECORD_FAILED, "exited");
	return decision;
}

struct world *world_new(void)
{
	struct arena *arena = arena_new(0);
	struct world *world = ARENA_NEW(arena, struct world);

	world->arena = arena;
	return world;
}

void world_free(struct world *world)
{
	arena_free(world->arena);
}

void world_play_script(struct world *world, const char *script)
{
	while (*script) {
		struct commit commit = parse_commit(world->arena, &script);

		world_play(world, &commit);
	}
}

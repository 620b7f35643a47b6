#include "base/sys.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "engine/rest.h"
#include "engine/share.h"
#include "engine/tags.h"
#include "schema/kinds.h"

/* A container of a record, and its slot. */
struct asked {
	const char *slot; /* SLOT_ID_MAX */
	const char *image, *digest;
	bool tracks;
};

/* Of one node, from when it was first seen. */
struct tag_asking {
	struct node_run *node;
	struct loop_timer *timer;
	bool due;
	struct look *look;   /* the questions under way; NULL: none */
	struct arena *arena; /* of what was asked */
	VEC(struct asked) asked;
	struct map dampers; /* image -> struct damper, of those that are followed */
};

/* ---- when ---- */

static void on_time(void *arg)
{
	struct tag_asking *tags = arg;
	tags->timer = NULL;
	tags->due = true;
}

static int64_t interval_of(const struct engine *engine)
{
	return KIND_OR(engine->settings, settings, tag_interval);
}

/* Between three quarters and all of a time, so that not all nodes ask at once. */
static void wait_about(struct tag_asking *tags, int64_t time_ms)
{
	uint32_t dice;
	hash_random(&dice, sizeof dice);
	int64_t delay = time_ms - time_ms / 4 + (int64_t)(dice % (uint32_t)(time_ms / 4 + 1));
	loop_timer_del(&tags->timer);
	tags->timer = loop_timer_add(tags->node->engine->loop, delay, on_time, tags);
}

/* ---- what is asked ---- */

static void add_content(struct tag_asking *tags, const struct slot *slot,
			const struct record *record)
{
	struct content content;
	char id[SLOT_ID_MAX];
	if (!record || !record->content ||
	    content_read(record->content, tags->arena, &content, NULL) < 0)
		return;
	const char *name = arena_strdup(tags->arena, slot_id(&slot->key, id));
	for (struct content_image at = {0}; content_next_image(&content, &at);) {
		struct asked asked = {name, at.image, at.digest,
				      moved_tag_tracks(slot->images, at.container->name)};
		if (moved_tag_can(at.image))
			VEC_PUSH(&tags->asked, asked);
	}
}

/* Of the active record; of one that failed where there is none, since its tag may be followed. */
static void gather(struct tag_asking *tags, const struct history *all)
{
	const struct node_run *node = tags->node;
	struct engine *engine = node->engine;
	const struct desired *desired = share_desired(engine, node->name, tags->arena);
	const struct history *history = share_history(engine, all, node->name, tags->arena);
	for (size_t i = 0; i < desired->slots_n; i++) {
		const struct slot *slot = desired->slots[i];
		struct decision decision;
		lifecycle_decide(slot, history, &decision);
		add_content(tags, slot, decision.active ? decision.active : decision.record);
	}
}

static bool is_asked(const struct tag_asking *tags, const char *image)
{
	for (size_t i = 0; i < tags->asked.n; i++)
		if (str_eq(tags->asked.v[i].image, image))
			return true;
	return false;
}

/* What was known of images that nobody runs any more. */
static bool forget_others(struct tag_asking *tags)
{
	json_t *all = tags->node->engine->moved_tags;
	json_t *of_node = json_object_get(all, tags->node->name), *entry;
	const char *image;
	void *next;
	bool changed = false;
	json_object_foreach_safe(of_node, next, image, entry)
	{
		AUTO_FREE char *name = mem_strdup(image);
		changed |= !is_asked(tags, name) && moved_tag_forget(all, tags->node->name, name);
	}
	return changed;
}

/* Each image once; none of a registry that rests. */
static size_t pick_images(const struct tag_asking *tags, const char **images)
{
	size_t n = 0;
	for (size_t i = 0; i < tags->asked.n; i++) {
		const char *image = tags->asked.v[i].image;
		bool known = rest_left(tags->node->engine, image, NULL) > 0;
		for (size_t j = 0; j < n && !known; j++)
			known = str_eq(images[j], image);
		if (!known)
			images[n++] = image;
	}
	return n;
}

/* ---- what comes back ---- */

static struct damper *damper_of(struct tag_asking *tags, const char *image)
{
	struct damper *damper = map_get(&tags->dampers, image);
	if (damper)
		return damper;
	damper = mem_zalloc(1, sizeof *damper);
	map_put(&tags->dampers, image, damper);
	return damper;
}

static bool may_follow(struct tag_asking *tags, const char *image)
{
	struct engine *engine = tags->node->engine;
	const struct damper_pace pace = {4 * interval_of(engine), TAGS_DAMPED_MS};
	return moved_tag_is_ahead(engine->moved_tags, tags->node->name, image) &&
	       damper_wait_at(damper_of(tags, image), &pace, clock_boot_ms()) == 0;
}

static void say(struct engine *engine, const struct asked *asked, const char *digest)
{
	AUTO_FREE char *detail = mem_printf("%s: %s -> %s", asked->image,
					    asked->digest ? asked->digest : "none", digest);
	engine_say(engine, "tag moved", asked->slot, detail);
	if (engine_write(engine, NULL) == 0)
		ledger_audit(engine->ledger, "trueup", "tag-moved", asked->slot, detail,
			     clock_wall_ms(), NULL);
}

/* True: what is known has changed. */
static bool take(struct tag_asking *tags, const struct look_image *image)
{
	struct engine *engine = tags->node->engine;
	const char *node = tags->node->name;
	bool moved = false, tracks = false, news;
	for (size_t i = 0; i < tags->asked.n; i++) {
		const struct asked *asked = &tags->asked.v[i];
		bool own = str_eq(asked->image, image->image);
		moved |= own && !str_eq(asked->digest, image->digest);
		tracks |= own && asked->tracks;
	}
	if (!moved)
		return moved_tag_forget(engine->moved_tags, node, image->image);
	news = moved_tag_note(engine->moved_tags, node, image->image, image->digest,
			      clock_wall_ms());
	for (size_t i = 0; news && i < tags->asked.n; i++) {
		const struct asked *asked = &tags->asked.v[i];
		if (str_eq(asked->image, image->image) && !str_eq(asked->digest, image->digest))
			say(engine, asked, image->digest);
	}
	if (tracks && may_follow(tags, image->image))
		news |= moved_tag_follow(engine->moved_tags, node, image->image);
	return news;
}

static void on_answers(void *owner, struct look_result *result, const struct err *failure)
{
	struct tag_asking *tags = owner;
	struct engine *engine = tags->node->engine;
	bool news = forget_others(tags);
	tags->look = NULL;
	engine->children--;
	wait_about(tags, interval_of(engine));
	if (failure)
		log_event(LOG_DEBUG, "tags", "node", tags->node->name, "error", failure->text,
			  NULL);
	for (size_t i = 0; result && i < result->images_n; i++) {
		rest_note(engine, &result->images[i]);
		if (result->images[i].digest)
			news |= take(tags, &result->images[i]);
	}
	look_result_free(result);
	if (!news)
		return;
	engine_keep_moved_tags(engine);
	node_want_look(tags->node);
}

/* ---- asking ---- */

static void ask(struct tag_asking *tags, const struct history *history)
{
	struct node_run *node = tags->node;
	struct engine *engine = node->engine;
	struct err err = ERR_INIT;
	struct driver_env env = engine->env;
	tags->due = false;
	VEC_CLEAR(&tags->asked);
	arena_free(tags->arena);
	tags->arena = arena_new(0);
	gather(tags, history);
	const char **images = ARENA_ARRAY(tags->arena, tags->asked.n + 1, const char *);
	size_t n = pick_images(tags, images);
	env.model = engine->tip.outcome.model;
	env.only_ask = true;
	struct look_request request = {.node = node->doc,
				       .env = &env,
				       .images = images,
				       .images_n = n,
				       .only_images = true,
				       .deadline_ms = TAGS_DEADLINE_MS};
	if (n)
		tags->look = look_start(engine->loop, &request, on_answers, tags, &err);
	if (tags->look)
		engine->children++;
	else
		wait_about(tags, interval_of(engine));
}

static void begin(struct node_run *node)
{
	node->tags = mem_zalloc(1, sizeof *node->tags);
	node->tags->node = node;
	wait_about(node->tags, interval_of(node->engine) / 2);
}

void tags_turn(struct engine *engine)
{
	const struct history *history = NULL;
	if (engine->once || !engine->tip.outcome.desired || engine->adopting)
		return;
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));) {
		struct node_run *node = e->value;
		if (!node->doc || !node->reachable)
			continue;
		if (!node->tags)
			begin(node);
		if (!node->tags->due || node->tags->look || !engine_has_room(engine))
			continue;
		if (!history && !(history = engine_history(engine)))
			return;
		ask(node->tags, history);
	}
}

void tags_resolved(struct engine *engine, const char *node, const char *image)
{
	if (moved_tag_forget(engine->moved_tags, node, image))
		engine_keep_moved_tags(engine);
}

void tags_let_go(struct node_run *node)
{
	struct tag_asking *tags = node->tags;
	if (!tags)
		return;
	if (tags->look)
		node->engine->children--;
	look_cancel(&tags->look);
	loop_timer_del(&tags->timer);
	for (struct map_entry *e = NULL; (e = map_next(&tags->dampers, e));)
		free(e->value);
	map_release(&tags->dampers);
	VEC_FREE(&tags->asked);
	arena_free(tags->arena);
	free(tags);
	node->tags = NULL;
}

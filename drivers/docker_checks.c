/*
 * The checks of docker_probe.c, kept up for as long as a node is watched: each container's at its
 * own times, on a loop inside the watch's descriptor. What they have found is told as a list, whole
 * each time it has changed, and ends with the watch.
 *
 * An inspection says where a container is and which run of it this is. It is asked for when an
 * event tells of the container, and again after a failure: it may have another address by now.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include <poll.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/map.h"

/* Whoever asks holds up all other checks of this process meanwhile. */
#define INSPECT_MS 5000
#define TEXT_MAX ((size_t)256)

struct kept {
	struct docker_checks *checks;
	struct arena *arena; /* of `probed` */
	struct docker_probed probed;
	struct health_count count;
	struct buf text; /* of the last failure; empty after a success */
	bool known;	 /* it can be told: it is young, or was asked */
	bool doubted;	 /* it may be elsewhere by now */
	bool asking;
	struct probe_target target;
	struct probe probe;
	struct loop_fd *source;
	struct loop_timer *timer;
};

struct docker_checks {
	struct docker *docker;
	struct loop *loop;
	struct map kept; /* id -> struct kept */
	bool changed;	 /* since it was told last */
	struct arena *arena;
	struct checked_list list;
};

/* ---- keeping ---- */

/* What is under way is given up. */
static void abandon(struct kept *kept)
{
	loop_fd_del(&kept->source);
	loop_timer_del(&kept->timer);
	if (kept->asking)
		probe_release(&kept->probe);
	kept->asking = false;
}

static void free_kept(void *value)
{
	struct kept *kept = value;

	abandon(kept);
	buf_release(&kept->text);
	arena_free(kept->arena);
	free(kept);
}

static void drop(struct docker_checks *checks, const char *id)
{
	struct kept *kept = map_del(&checks->kept, id);

	if (!kept)
		return;
	checks->changed = true;
	free_kept(kept);
}

/* ---- asking ---- */

static void ask_now(void *arg);
static bool see_anew(struct docker_checks *checks, const char *id);

static void ask_in(struct kept *kept, int64_t delay_ms)
{
	kept->timer = loop_timer_add(kept->checks->loop, delay_ms, ask_now, kept);
}

static bool same_text(const struct buf *a, const struct buf *b)
{
	return str_eq(buf_str(a), buf_str(b));
}

static void take_answer(struct kept *kept)
{
	const struct health_check *check = kept->probed.check;
	struct buf why AUTO_BUF = BUF_INIT(BUF_MAX_LINE), text AUTO_BUF = BUF_INIT(TEXT_MAX);
	enum run_health before = kept->count.health;
	bool success = probe_judge(&kept->probe, check, &why);

	buf_add_clean_line(&text, buf_str(&why), why.len < TEXT_MAX ? why.len : TEXT_MAX);
	health_note(&kept->count, check, success, clock_boot_ms());
	if (!kept->known || before != kept->count.health || !same_text(&text, &kept->text))
		kept->checks->changed = true;
	kept->known = true;
	kept->doubted = !success;
	buf_clear(&kept->text);
	buf_adds(&kept->text, buf_str(&text));
	abandon(kept);
	ask_in(kept, kept->count.delay_ms);
}

static void go_on(struct kept *kept);

static void ready(void *arg, uint32_t events)
{
	(void)events;
	go_on(arg);
}

static void late(void *arg)
{
	struct kept *kept = arg;

	kept->timer = NULL;
	go_on(kept);
}

static void await(struct kept *kept)
{
	struct loop *loop = kept->checks->loop;

	if (kept->probe.over) {
		take_answer(kept);
		return;
	}
	kept->source = loop_fd_add(loop, kept->probe.fd,
				   kept->probe.events == POLLIN ? EPOLLIN : EPOLLOUT, ready, kept);
	kept->timer = loop_timer_add(loop, probe_left_ms(&kept->probe), late, kept);
}

/* The source goes first: a step may close its descriptor, and get another one of that number. */
static void go_on(struct kept *kept)
{
	loop_fd_del(&kept->source);
	loop_timer_del(&kept->timer);
	probe_step(&kept->probe);
	await(kept);
}

static void ask_now(void *arg)
{
	struct kept *kept = arg;

	kept->timer = NULL;
	if (kept->doubted && !see_anew(kept->checks, kept->probed.id))
		return;
	abandon(kept); /* what was seen has set a time of its own */
	kept->target = probe_target_of(kept->probed.check, kept->probed.address);
	kept->asking = true;
	probe_begin(&kept->probe, &kept->target);
	await(kept);
}

/* ---- seeing where they are ---- */

static struct kept *keep(struct docker_checks *checks, const char *id)
{
	struct kept *kept = map_get(&checks->kept, id);

	if (kept)
		return kept;
	kept = mem_zalloc(1, sizeof *kept);
	*kept = (struct kept){.checks = checks, .text = BUF_INIT(TEXT_MAX)};
	map_put(&checks->kept, id, kept);
	return kept;
}

static void begin_run(struct kept *kept)
{
	const struct docker_probed *probed = &kept->probed;

	health_begin(&kept->count, probed->check, probed->running_ms, clock_boot_ms());
	kept->known = health_is_young(probed->check, probed->running_ms);
	buf_clear(&kept->text);
	kept->checks->changed = true;
}

/* Takes the arena over. */
static void take_place(struct docker_checks *checks, const struct docker_probed *probed,
		       struct arena *arena)
{
	struct kept *kept = keep(checks, probed->id);
	struct arena *before = kept->arena;
	bool same_run = before && str_eq(kept->probed.run, probed->run);

	abandon(kept);
	kept->arena = arena;
	kept->probed = *probed;
	kept->doubted = false;
	arena_free(before);
	if (!same_run)
		begin_run(kept);
	ask_in(kept, same_run ? 0 : kept->count.delay_ms);
}

static int inspect_quickly(struct docker *docker, const char *id, json_t **out)
{
	int64_t before = docker->patience_ms;
	int there;

	docker->patience_ms = INSPECT_MS;
	there = docker_look_up(docker, out, NULL, "/containers/%s/json", id);
	docker->patience_ms = before;
	return there;
}

/* false: there is nothing more to keep of it. */
static bool see_anew(struct docker_checks *checks, const char *id)
{
	struct arena *arena = arena_new(0);
	const char *name = arena_strdup(arena, id); /* which may go with what is kept of it */
	AUTO_JSON json_t *inspect = NULL;
	int there = inspect_quickly(checks->docker, docker_quote(arena, name), &inspect);
	struct docker_probed probed;
	struct workload seen;

	if (there > 0 && docker_is_ours(checks->docker, docker_seen_labels(inspect)) &&
	    docker_seen_workload(inspect, clock_wall_ms(), arena, &seen, NULL) == 0 &&
	    docker_probe_needed(inspect, &seen, arena, &probed)) {
		take_place(checks, &probed, arena);
		return true;
	}
	/* an engine that does not answer now says nothing of its containers */
	if (there >= 0)
		drop(checks, name);
	arena_free(arena);
	return there < 0;
}

void docker_checks_event(struct docker_checks *checks, const json_t *event)
{
	const json_t *actor = json_object_get(event, "Actor");
	const json_t *about = json_object_get(actor, "Attributes");
	bool of_network = str_eq(json_str(event, "Type", ""), "network");
	const char *id = of_network ? json_str(about, "container", "") : json_str(actor, "ID", "");

	if (map_has(&checks->kept, id) || json_str(about, DOCKER_LABEL_CHECK, NULL))
		(void)see_anew(checks, id);
}

/* ---- what they have found ---- */

bool docker_checks_changed(const struct docker_checks *checks)
{
	return checks->changed;
}

const struct checked_list *docker_checks_told(struct docker_checks *checks)
{
	struct checked_list *list = &checks->list;

	if (!checks->changed)
		return NULL;
	checks->changed = false;
	arena_clear(checks->arena);
	*list = (struct checked_list){
		.v = ARENA_ARRAY(checks->arena, checks->kept.count + 1, struct checked)};
	for (struct map_entry *e = NULL; (e = map_next(&checks->kept, e));) {
		const struct kept *kept = e->value;

		if (kept->known)
			list->v[list->n++] = (struct checked){
				.id = kept->probed.id,
				.run = kept->probed.run,
				.health = kept->count.health,
				.text = arena_strdup(checks->arena, buf_str(&kept->text))};
	}
	return list;
}

/* ---- beginning and end ---- */

struct docker_checks *docker_checks_new(struct docker *docker, struct loop *loop)
{
	struct docker_checks *checks = mem_zalloc(1, sizeof *checks);

	checks->docker = docker;
	checks->loop = loop;
	checks->arena = arena_new(0);
	return checks;
}

void docker_checks_free(struct docker_checks *checks)
{
	if (!checks)
		return;
	map_release_with(&checks->kept, free_kept);
	arena_free(checks->arena);
	free(checks);
}

int docker_checks_begin(struct docker_checks *checks, struct err *err)
{
	AUTO_JSON json_t *list = NULL;

	/* filters={"label":["dev.trueup.check"],"status":["running"]} */
	if (docker_get(checks->docker, &list, err,
		       "/containers/json?filters=%%7B%%22label%%22%%3A%%5B%%22" DOCKER_LABEL_CHECK
		       "%%22%%5D%%2C%%22status%%22%%3A%%5B%%22running%%22%%5D%%7D") < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++)
		(void)see_anew(checks, json_str(json_array_get(list, i), "Id", ""));
	return 0;
}

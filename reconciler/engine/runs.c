#include "base/sys.h"

#include "base/clock.h"
#include "engine/core.h"
#include "schema/kinds.h"

/* So long a look waits that only an event asks for, while changes of ours are under way. */
#define CALM_MS 500

/* ---- children ---- */

bool engine_has_room(const struct engine *engine)
{
	return engine->children < (size_t)KIND_OR(engine->settings, settings, parallel);
}

/* ---- nodes, and when to look at them ---- */

struct node_run *node_find(struct engine *engine, const char *name)
{
	return map_get(&engine->nodes, name);
}

static void on_timer(void *arg)
{
	struct node_run *node = arg;
	node->timer = NULL;
	node->timer_at = 0;
	node->look_wanted = true;
}

void node_look_in(struct node_run *node, int64_t delay_ms)
{
	int64_t at = clock_boot_ms() + delay_ms;
	if (node->timer && node->timer_at <= at)
		return;
	loop_timer_del(&node->timer);
	node->timer = loop_timer_add(node->engine->loop, delay_ms, on_timer, node);
	node->timer_at = at;
}

void node_want_look(struct node_run *node)
{
	node->look_wanted = true;
	node->calm_until = 0;
}

/* Most of what happens while we change something is what we do: its end is looked at in any case.
 */
void node_hear(struct node_run *node)
{
	if (!node->look_wanted)
		node->calm_until = node->acts ? clock_boot_ms() + CALM_MS : 0;
	node->look_wanted = true;
}

void node_forget_checked(struct node_run *node)
{
	arena_free(node->checked_arena);
	node->checked_arena = NULL;
	node->checked = (struct checked_list){0};
}

void nodes_want_look_all(struct engine *engine)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->nodes, e));)
		node_want_look(e->value);
}

/* ---- slots ---- */

bool slot_has(const struct slot_key *key, const struct workload *seen)
{
	struct slot_key label = {seen->labels.project, seen->labels.stage, seen->labels.deployment,
				 key->node};
	return slot_key_cmp(&label, key) == 0;
}

static struct slot_run *run_of(struct engine *engine, const char *id)
{
	struct slot_run *run = map_get(&engine->slots, id);
	if (run)
		return run;
	run = mem_zalloc(1, sizeof *run);
	run->id = mem_strdup(id);
	map_put(&engine->slots, id, run);
	return run;
}

struct slot_run *slot_run_of(struct engine *engine, const struct slot_key *key)
{
	char id[SLOT_ID_MAX];
	return run_of(engine, slot_id(key, id));
}

struct slot_run *slot_run_of_node(struct engine *engine, const char *node)
{
	char id[SLOT_ID_MAX];
	snprintf(id, sizeof id, "@%s", node);
	return run_of(engine, id);
}

void slots_release(struct engine *engine)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->slots, e));) {
		struct slot_run *run = e->value;
		free(run->failure);
		free(run->last_error);
		free(run->wait);
		free(run->waited);
		slot_end_pull(run);
		free(run->id);
		free(run);
	}
	map_release(&engine->slots);
}

void slot_fail(struct slot_run *run, const char *step, enum err_code code, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof text, fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	slot_forget_failure(run);
	run->failure = mem_zalloc(1, sizeof *run->failure);
	snprintf(run->failure->step, sizeof run->failure->step, "%s", step);
	err_set(&run->failure->err, code, "%s", text);
}

void slot_forget_failure(struct slot_run *run)
{
	free(run->failure);
	run->failure = NULL;
}

/*
 * The driver that pretends; the one to read first. It is in four parts:
 *
 *	memory.c	opening, looking, and the table of slots that every driver has at its bottom
 *	memory_ops.c	the changes: look, be content when it is already so, refuse what is not
 *			ours, write once
 *	memory_node.c	what both use: one call, texts, containers, images
 *	memory_world.c	what containers do on their own
 *
 * What a node keeps is in a store (memory_store.h): a folder, or this process.
 */
#include "base/sys.h"
#include "drivers/memory.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/vec.h"
#include "drivers/log_lines.h"
#include "drivers/memory_node.h"
#include "drivers/policy.h"

#define ENDPOINT "file://"

static int memory_apply(struct driver *driver, const struct op *op, struct op_result *result,
			struct err *err)
{
	AUTO_CALL struct memory_call call = {0};
	int64_t began = clock_boot_ms();

	if (memory_call_begin(driver, &call, err) != 0 ||
	    memory_changes[op->kind](&call, op, err) != 0)
		return -1;
	if (result) {
		result->changed = call.changed;
		result->took_ms = clock_boot_ms() - began;
		snprintf(result->unheard, sizeof result->unheard, "%s",
			 call.unheard ? call.unheard : "");
	}
	return 0;
}

/* ---- looking ---- */

struct look {
	struct memory_call *call;
	struct arena *arena;
	VEC(struct workload) workloads;
	VEC(const char *) foreign;
};

static int see_container(void *arg, const char *name, const struct memory_found *found)
{
	struct look *look = arg;
	struct workload seen = found->seen;

	if (!memory_is_ours(look->call, found->kept.spec.labels.owner)) {
		VEC_PUSH(&look->foreign, arena_strdup(look->arena, name));
		return 0;
	}
	seen.name = arena_strdup(look->arena, name);
	seen.id = found->kept.id;
	seen.image = found->kept.spec.image;
	seen.digest = found->kept.spec.digest;
	seen.config = found->kept.spec.config;
	seen.labels = found->kept.spec.labels;
	VEC_PUSH(&look->workloads, seen);
	return 0;
}

static void see_foreign(struct look *look)
{
	const json_t *names = json_object_get(look->call->rules.json, "foreign");

	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (name)
			VEC_PUSH(&look->foreign, arena_strdup(look->arena, name));
	}
}

static int see_volumes(struct memory_call *call, struct arena *arena, struct observed *out,
		       struct err *err)
{
	const char **names;
	size_t n;

	if (call->store->ops->list(call->store, SHELF_VOLUMES, call->arena, &names, &n, err) != 0)
		return -1;
	out->volumes = ARENA_ARRAY(arena, n, struct volume_seen);
	for (size_t i = 0; i < n; i++) {
		AUTO_JSON json_t *json = NULL;
		int there = memory_load(call, SHELF_VOLUMES, names[i], &json, err);

		if (there < 0)
			return -1;
		if (there == 0 || !memory_is_ours(call, json_str(json, "owner", NULL)))
			continue;
		out->volumes[out->volumes_n++] = (struct volume_seen){
			.name = arena_strdup(arena, names[i]),
			.project = arena_strdup(arena, json_str(json, "project", NULL)),
			.stage = arena_strdup(arena, json_str(json, "stage", NULL)),
			.deployment = arena_strdup(arena, json_str(json, "deployment", NULL)),
		};
	}
	return 0;
}

static int see_images(struct memory_call *call, struct arena *arena, struct observed *out,
		      struct err *err)
{
	const char **digests;

	if (call->store->ops->list(call->store, SHELF_IMAGES, call->arena, &digests, &out->images_n,
				   err) != 0)
		return -1;
	out->images = ARENA_ARRAY(arena, out->images_n, const char *);
	for (size_t i = 0; i < out->images_n; i++)
		out->images[i] = arena_strdup(arena, digests[i]);
	return 0;
}

static int see_node(struct memory_call *call, struct arena *arena, struct observed *out,
		    struct err *err)
{
	AUTO_BUF struct buf identity = BUF_INIT(BUF_MAX_LINE);
	AUTO_JSON json_t *marker = NULL;

	if (memory_load(call, SHELF_NODE, "marker", &marker, err) < 0 ||
	    call->store->ops->identity(call->store, &identity, err) != 0)
		return -1;
	out->node = arena_strdup(arena, call->memory->node);
	out->engine = "memory";
	out->engine_id = arena_strdup(arena, buf_str(&identity));
	out->owner = arena_strdup(arena, json_str(marker, "owner", NULL));
	return 0;
}

static int memory_observe(struct driver *driver, struct arena *arena, struct observed *out,
			  struct err *err)
{
	AUTO_CALL struct memory_call call = {0};
	struct look look = {.call = &call, .arena = arena};
	int result;

	*out = (struct observed){0};
	if (memory_call_begin(driver, &call, err) != 0 || see_node(&call, arena, out, err) != 0 ||
	    see_volumes(&call, arena, out, err) != 0 || see_images(&call, arena, out, err) != 0)
		return -1;
	see_foreign(&look);
	result = memory_each(&call, arena, see_container, &look, err);
	out->workloads_n = look.workloads.n;
	out->workloads =
		arena_memdup(arena, look.workloads.v, out->workloads_n * sizeof *out->workloads);
	out->foreign_n = look.foreign.n;
	out->foreign = arena_memdup(arena, look.foreign.v, out->foreign_n * sizeof *out->foreign);
	VEC_FREE(&look.workloads);
	VEC_FREE(&look.foreign);
	observed_sort(out);
	return result;
}

static int memory_probe(struct driver *driver, struct buf *engine, struct err *err)
{
	AUTO_CALL struct memory_call call = {0};

	if (memory_call_begin(driver, &call, err) != 0)
		return -1;
	buf_adds(engine, "memory");
	return 0;
}

static int memory_resolve(struct driver *driver, const char *image, struct buf *digest,
			  struct err *err)
{
	AUTO_CALL struct memory_call call = {0};
	const char *current;

	if (memory_call_begin(driver, &call, err) != 0 ||
	    memory_current_digest(&call, image, &current, err) != 0)
		return -1;
	buf_adds(digest, current);
	return 0;
}

static const char *last_lines(const char *log, int n)
{
	const char *from = log + strlen(log);

	for (; from > log && n >= 0; from--) {
		if (from[-1] == '\n' && n-- == 0)
			break;
	}
	return from;
}

/* What it wrote has no times, and what it will write comes of being looked at. */
static int memory_logs(struct driver *driver, const struct log_request *request, struct err *err)
{
	AUTO_CALL struct memory_call call = {0};
	AUTO_FOUND struct memory_found found = {0};
	struct log_lines lines = LOG_LINES(request, false);
	const char *from;

	if (memory_call_begin(driver, &call, err) != 0 ||
	    memory_must_find(&call, request->name, &found, err) != 0)
		return -1;
	if (request->after_ns)
		return err_set(err, E_NOT_SUPPORTED, "node %s keeps no times of lines",
			       call.memory->node);
	from = last_lines(found.kept.log ? found.kept.log : "", request->lines);
	log_lines_add(&lines, 0, from, strlen(from));
	log_lines_end(&lines);
	log_lines_release(&lines);
	if (request->follow && !lines.full)
		return err_set(err, E_NOT_SUPPORTED,
			       "node %s only pretends: nothing can be followed", call.memory->node);
	return 0;
}

static int memory_watch(struct driver *driver, struct err *err)
{
	struct memory *memory = memory_self(driver);

	if (memory->watch < 0)
		memory->watch = memory->store->ops->watch(memory->store, err);
	return memory->watch;
}

static int memory_watch_read(struct driver *driver, struct err *err)
{
	struct memory *memory = memory_self(driver);

	return memory->store->ops->watch_read(memory->store, memory->watch, err);
}

/* ---- opening ---- */

/* The store behind a node: the folder of its endpoint, or the world attached to its name. */
static int find_store(const struct node *node, struct memory *memory, struct err *err)
{
	const char *folder;

	if (!node->endpoint) {
		memory->store = memory_world_find(node->name);
		if (!memory->store)
			return err_set(err, E_BAD_INPUT,
				       "a memory node needs endpoint: " ENDPOINT "/folder");
		return 0;
	}
	folder = str_starts(node->endpoint, ENDPOINT) ? node->endpoint + strlen(ENDPOINT) : "";
	if (!policy_path_is_plain(folder))
		return err_set(err, E_BAD_INPUT, "endpoint %s is not " ENDPOINT "/folder",
			       node->endpoint);
	memory->store = memory_store_folder(folder);
	memory->owns_store = true;
	return 0;
}

static int memory_open(const struct node *node, const struct driver_env *env, struct driver **out,
		       struct err *err)
{
	struct memory *memory = mem_zalloc(1, sizeof *memory);

	if (find_store(node, memory, err) != 0) {
		free(memory);
		return -1;
	}
	memory->driver.ops = &driver_memory;
	memory->node = mem_strdup(node->name);
	memory->owner = mem_strdup(env->owner);
	memory->watch = -1;
	*out = &memory->driver;
	return 0;
}

static void memory_close(struct driver *driver)
{
	struct memory *memory = memory_self(driver);

	if (memory->watch >= 0)
		memory->store->ops->watch_end(memory->store, memory->watch);
	if (memory->owns_store)
		memory_store_free(memory->store);
	free(memory->node);
	free(memory->owner);
	free(memory);
}

#define BIT(field) ((uint64_t)1 << container_##field##_F)

const struct driver_ops driver_memory = {
	.name = "memory",
	.open = memory_open,
	.close = memory_close,
	/* pretending goes with everything: `carries` is NULL */
	.prefers_recreate = false,
	.aliases = true,
	.shares_ports = false,
	/* As on real engines: some operations can change in place, the others need a new container.
	 */
	.live_fields = BIT(resources) | BIT(restart_policy),
	.probe = memory_probe,
	.observe = memory_observe,
	.resolve = memory_resolve,
	.apply = memory_apply,
	.watch = memory_watch,
	.watch_read = memory_watch_read,
	.logs = memory_logs,
};

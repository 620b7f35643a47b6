#include "base/sys.h"
#include "drivers/dryrun.h"

#include "base/json.h"
#include "base/map.h"
#include "drivers/decorate.h"
#include "schema/canon.h"

struct dryrun {
	struct decorator decorator;
	char *owner;
	struct arena *arena; /* the picture's */
	bool looked;
	struct observed node; /* its lists as they were; below as they would be */
	struct map workloads; /* name -> struct workload * */
	struct map volumes;   /* name -> struct volume_seen * */
	struct map images;    /* digests that are there -> the dry run itself */
};

static struct dryrun *self(struct driver *driver)
{
	return (struct dryrun *)(void *)driver;
}

static int look_once(struct dryrun *dryrun, struct err *err)
{
	struct driver *inner = dryrun->decorator.inner;

	if (dryrun->looked)
		return 0;
	if (inner->ops->observe(inner, dryrun->arena, &dryrun->node, err) != 0)
		return -1;
	for (size_t i = 0; i < dryrun->node.workloads_n; i++)
		map_put(&dryrun->workloads, dryrun->node.workloads[i].name,
			&dryrun->node.workloads[i]);
	for (size_t i = 0; i < dryrun->node.volumes_n; i++)
		map_put(&dryrun->volumes, dryrun->node.volumes[i].name, &dryrun->node.volumes[i]);
	for (size_t i = 0; i < dryrun->node.images_n; i++)
		map_put(&dryrun->images, dryrun->node.images[i], dryrun);
	dryrun->looked = true;
	return 0;
}

/* ---- what containers look like ---- */

static struct workload *get(const struct dryrun *dryrun, const char *name)
{
	return map_get(&dryrun->workloads, name);
}

static bool has_check(const struct workload *workload)
{
	return workload->config && IS_SET(workload->config, container, health_check);
}

static void set_down(struct workload *workload, enum run_state state)
{
	workload->state = state;
	workload->health = has_check(workload) ? HEALTH_UNKNOWN : HEALTH_NONE;
	workload->running_ms = 0;
	workload->detail = NULL;
}

static void set_settled(struct workload *workload)
{
	if (container_is_job(workload->config)) {
		set_down(workload, RUN_EXITED);
		workload->exit_code = (int)workload->config->expect->exit_code;
		return;
	}
	set_down(workload, RUN_RUNNING);
	workload->running_ms = DRYRUN_SETTLED_MS;
	if (has_check(workload))
		workload->health = HEALTH_HEALTHY;
}

/* A spec of its own: the caller's lives only as long as the call. */
static int keep_spec(struct dryrun *dryrun, const struct spec *spec, struct spec *out,
		     struct err *err)
{
	AUTO_JSON json_t *json = spec_json(spec);

	return spec_from_json(json, dryrun->arena, out, err);
}

static int refuse_foreign(const struct dryrun *dryrun, const char *name, struct err *err)
{
	for (size_t i = 0; i < dryrun->node.foreign_n; i++) {
		if (str_eq(dryrun->node.foreign[i], name))
			return err_set(err, E_NAME_FOREIGN, "%s of node %s is not ours", name,
				       dryrun->node.node);
	}
	return 0;
}

static struct workload *must_get(struct dryrun *dryrun, const char *name, struct err *err)
{
	struct workload *workload = get(dryrun, name);

	if (!workload && refuse_foreign(dryrun, name, err) == 0)
		err_set(err, E_NOT_FOUND, "node %s has no container %s", dryrun->node.node, name);
	return workload;
}

/* ---- the changes: 1 changed, 0 already so, -1 ---- */

static int dry_claim(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	(void)op;
	if (owner_same(dryrun->node.owner, dryrun->owner))
		return 0;
	if (dryrun->node.owner)
		return err_set(err, E_NODE_OWNED, "node %s belongs to %s", dryrun->node.node,
			       dryrun->node.owner);
	dryrun->node.owner = dryrun->owner;
	return 1;
}

static int dry_pull(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	if (!op->spec->digest)
		return err_set(err, E_INTERNAL, "image %s was not resolved", op->spec->image);
	return map_put(&dryrun->images, op->spec->digest, dryrun) ? 0 : 1;
}

static void add_volumes(struct dryrun *dryrun, const struct spec *spec)
{
	for (size_t i = 0; i < spec->config->volumes.n; i++) {
		const char *name = volume_node_name(dryrun->arena, spec->labels.prefix,
						    &spec->config->volumes.v[i]);
		struct volume_seen *volume;

		if (!name || map_has(&dryrun->volumes, name))
			continue;
		volume = ARENA_NEW(dryrun->arena, struct volume_seen);
		*volume = (struct volume_seen){.name = name,
					       .project = spec->labels.project,
					       .stage = spec->labels.stage,
					       .deployment = spec->labels.deployment};
		map_put(&dryrun->volumes, name, volume);
	}
}

static int dry_create(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	struct workload *workload = get(dryrun, op->name);
	struct spec spec;

	if (workload && str_eq(workload->labels.spec, op->spec->labels.spec))
		return 0;
	if (workload)
		return err_set(err, E_CONFLICT, "container %s of node %s is there, made otherwise",
			       op->name, dryrun->node.node);
	if (refuse_foreign(dryrun, op->name, err) != 0 ||
	    keep_spec(dryrun, op->spec, &spec, err) != 0)
		return -1;
	workload = ARENA_NEW(dryrun->arena, struct workload);
	*workload = (struct workload){
		.name = arena_strdup(dryrun->arena, op->name),
		.id = arena_printf(dryrun->arena, "dryrun-%s", op->name),
		.image = spec.image,
		.digest = spec.digest,
		.config = spec.config,
		.labels = spec.labels,
		.exit_code = -1,
	};
	set_down(workload, RUN_CREATED);
	map_put(&dryrun->workloads, op->name, workload);
	add_volumes(dryrun, &spec);
	return 1;
}

static bool is_up(const struct workload *workload)
{
	return workload->state == RUN_RUNNING || workload->state == RUN_RESTARTING;
}

static int dry_start(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	struct workload *workload = must_get(dryrun, op->name, err);

	if (!workload || is_up(workload))
		return workload ? 0 : -1;
	set_settled(workload);
	return 1;
}

static int dry_stop(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	struct workload *workload = get(dryrun, op->name);

	if (!workload || !is_up(workload))
		return refuse_foreign(dryrun, op->name, err);
	set_down(workload, RUN_STOPPED);
	return 1;
}

static int dry_alias(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	return must_get(dryrun, op->name, err) ? 0 : -1;
}

static int dry_remove(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	if (!map_del(&dryrun->workloads, op->name))
		return refuse_foreign(dryrun, op->name, err);
	return 1;
}

static int dry_rename(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	struct workload *workload = get(dryrun, op->name), *taken = get(dryrun, op->to);

	if (refuse_foreign(dryrun, op->to, err) != 0)
		return -1;
	if (workload && taken)
		return err_set(err, E_CONFLICT, "container %s of node %s is still there", op->to,
			       dryrun->node.node);
	if (taken)
		return 0;
	workload = must_get(dryrun, op->name, err);
	if (!workload)
		return -1;
	map_del(&dryrun->workloads, op->name);
	workload->name = arena_strdup(dryrun->arena, op->to);
	map_put(&dryrun->workloads, op->to, workload);
	return 1;
}

static int dry_update(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	struct workload *workload = must_get(dryrun, op->name, err);
	struct field_diffs diffs;
	struct spec spec;

	if (!workload || driver_check_update(&dryrun->decorator.ops, workload->digest,
					     workload->config, op->spec, err) != 0)
		return -1;
	diffs = canon_diff(dryrun->arena, workload->config, op->spec->config, CANON_ALL);
	if (diffs.n == 0 && str_eq(workload->labels.spec, op->spec->labels.spec))
		return 0;
	if (keep_spec(dryrun, op->spec, &spec, err) != 0)
		return -1;
	workload->config = spec.config;
	workload->labels.spec = spec.labels.spec;
	return 1;
}

static bool uses_volume(const struct workload *workload, const char *name, struct arena *arena)
{
	for (size_t i = 0; workload->config && i < workload->config->volumes.n; i++) {
		if (str_eq(name, volume_node_name(arena, workload->labels.prefix,
						  &workload->config->volumes.v[i])))
			return true;
	}
	return false;
}

static int dry_volume_remove(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	for (struct map_entry *e = NULL; (e = map_next(&dryrun->workloads, e));) {
		if (uses_volume(e->value, op->name, dryrun->arena))
			return err_set(err, E_CONFLICT, "volume %s of node %s is in use", op->name,
				       dryrun->node.node);
	}
	return map_del(&dryrun->volumes, op->name) ? 1 : 0;
}

static int dry_image_remove(struct dryrun *dryrun, const struct op *op, struct err *err)
{
	(void)err;
	for (struct map_entry *e = NULL; (e = map_next(&dryrun->workloads, e));) {
		if (str_eq(((const struct workload *)e->value)->digest, op->name))
			return 0;
	}
	map_del(&dryrun->images, op->name);
	return 1;
}

static int (*const changes[OPS_COUNT])(struct dryrun *dryrun, const struct op *op,
				       struct err *err) = {
	[OP_CLAIM] = dry_claim,
	[OP_PULL] = dry_pull,
	[OP_CREATE] = dry_create,
	[OP_START] = dry_start,
	[OP_STOP] = dry_stop,
	[OP_ALIAS] = dry_alias,
	[OP_REMOVE] = dry_remove,
	[OP_RENAME] = dry_rename,
	[OP_UPDATE] = dry_update,
	[OP_VOLUME_REMOVE] = dry_volume_remove,
	[OP_IMAGE_REMOVE] = dry_image_remove,
};

static int dryrun_apply(struct driver *driver, const struct op *op, struct op_result *result,
			struct err *err)
{
	int changed;

	if (look_once(self(driver), err) != 0)
		return -1;
	changed = changes[op->kind](self(driver), op, err);
	if (result && changed >= 0) {
		result->changed = changed > 0;
		result->took_ms = 0;
	}
	return changed < 0 ? -1 : 0;
}

/* ---- looking ---- */

/* The picture as a value that borrows from it; its arrays are in arena. */
static void draw(const struct dryrun *dryrun, struct arena *arena, struct observed *out)
{
	*out = dryrun->node;
	out->workloads = ARENA_ARRAY(arena, dryrun->workloads.count, struct workload);
	out->workloads_n = 0;
	for (struct map_entry *e = NULL; (e = map_next(&dryrun->workloads, e));)
		out->workloads[out->workloads_n++] = *(const struct workload *)e->value;
	out->volumes = ARENA_ARRAY(arena, dryrun->volumes.count, struct volume_seen);
	out->volumes_n = 0;
	for (struct map_entry *e = NULL; (e = map_next(&dryrun->volumes, e));)
		out->volumes[out->volumes_n++] = *(const struct volume_seen *)e->value;
	out->images = ARENA_ARRAY(arena, dryrun->images.count, const char *);
	out->images_n = 0;
	for (struct map_entry *e = NULL; (e = map_next(&dryrun->images, e));)
		out->images[out->images_n++] = e->key;
}

/* A copy: what was seen may outlive the driver. */
static int dryrun_observe(struct driver *driver, struct arena *arena, struct observed *out,
			  struct err *err)
{
	AUTO_JSON json_t *json = NULL;
	struct observed picture;

	*out = (struct observed){0};
	if (look_once(self(driver), err) != 0)
		return -1;
	draw(self(driver), arena, &picture);
	json = observed_json(&picture);
	return observed_from_json(json, arena, out, err);
}

static void dryrun_release(struct decorator *decorator)
{
	struct dryrun *dryrun = self(&decorator->driver);

	map_release(&dryrun->workloads);
	map_release(&dryrun->volumes);
	map_release(&dryrun->images);
	arena_free(dryrun->arena);
	free(dryrun->owner);
}

void dryrun_wrap(struct driver **driver, const char *owner)
{
	struct dryrun *dryrun = mem_zalloc(1, sizeof *dryrun);
	struct driver_ops *ops = &dryrun->decorator.ops;

	dryrun->owner = mem_strdup(owner);
	dryrun->arena = arena_new(0);
	decorate(driver, &dryrun->decorator, dryrun_release);
	ops->observe = dryrun_observe;
	ops->apply = dryrun_apply;
}

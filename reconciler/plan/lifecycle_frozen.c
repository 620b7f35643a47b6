/*
 * lifecycle_frozen.c - frozen means frozen: manifests against what was deployed successfully.
 */
#include "base/sys.h"
#include "plan/desired_group.h"
#include "plan/lifecycle.h"

#include "base/clock.h"
#include "schema/canon.h"

struct frozen_check {
	const struct model *model;
	const struct desired *desired;
	const struct history *history;
	struct arena *arena;
	struct diags *diags;
};

static const struct container no_config;

/* ---- a version ---- */

/* Where a version's document says something else than what it once said. */
struct version_case {
	struct frozen_check *check;
	const struct version *version;
	const struct image_list *images; /* that it consists of now */
	const char *because;		 /* why it cannot change */
	size_t found;
};

static void report(struct version_case *c, const char *path, struct loc at, const char *field)
{
	const struct file *file = c->version->from.file;
	struct diags *diags = c->check->diags;
	struct diag *diag;

	if (!path || !at.line) {
		path = file->path;
		at = IS_SET(c->version, version, compose) ? AT(c->version, version, compose)
							  : AT(c->version, version, images);
	}
	diag = diags_add(diags, DIAG_VERSION_FROZEN, &file->unit, path, at,
			 "version %s of %s cannot change, but %s did: %s", c->version->name,
			 c->version->product, field, c->because);
	diag->hint = diags_text(diags, "make a new version with parent: %s", c->version->name);
	c->found++;
}

static void compare_image(struct version_case *c, const struct content_container *was,
			  const struct image *now)
{
	struct arena *arena = c->check->arena;
	struct field_diffs diffs = canon_diff(
		arena, was->config, now->config ? now->config : &no_config, CANON_RELEASE);

	if (!str_eq(was->image, now->image))
		report(c, PATH_OF(now, image, image), AT(now, image, image),
		       arena_printf(arena, "the image of %s", now->name));
	for (size_t i = 0; i < diffs.n; i++) {
		struct field_diff diff = diffs.v[i];

		if (!diff.path || !diff.at.line) { /* gone: at least near it */
			diff.path = PATH_OF(now, image, name);
			diff.at = AT(now, image, name);
		}
		report(c, diff.path, diff.at,
		       arena_printf(arena, "%s of %s", diff.field, now->name));
	}
}

static bool has_image(const struct image_list *images, const char *name)
{
	for (size_t i = 0; i < images->n; i++) {
		if (str_eq(images->v[i].name, name))
			return true;
	}
	return false;
}

static bool same_pairs(const struct pairs *a, const struct pairs *b)
{
	AUTO_BUF struct buf left = BUF_INIT(BUF_MAX_TEXT), right = BUF_INIT(BUF_MAX_TEXT);

	canon_pairs(a, &left);
	canon_pairs(b, &right);
	return str_eq(buf_str(&left), buf_str(&right));
}

static void compare_versions(struct version_case *c, const struct content *was)
{
	const struct image_list *now = c->images;
	struct arena *arena = c->check->arena;

	for (size_t i = 0; i < now->n; i++) {
		const struct content_container *before = content_find(was, now->v[i].name);

		if (before)
			compare_image(c, before, &now->v[i]);
		else
			report(c, PATH_OF(&now->v[i], image, name), AT(&now->v[i], image, name),
			       arena_printf(arena, "container %s, which is new,", now->v[i].name));
	}
	for (size_t i = 0; i < was->containers_n; i++) {
		const char *name = was->containers[i].name;

		if (!has_image(now, name))
			report(c, NULL, (struct loc){0},
			       arena_printf(arena, "container %s, which is gone,", name));
	}
	if (!same_pairs(&was->requires, &c->version->requires))
		report(c, c->version->from.file->path, AT(c->version, version, requires),
		       "what it requires");
}

/* "commit 0123456789 deployed it successfully on node edge-1 at 2026-01-02T03:04:05.678Z" */
static const char *freezing(struct arena *arena, const char *commit, const char *node,
			    int64_t when_ms)
{
	char when[CLOCK_TEXT_MAX];

	return arena_printf(arena, "commit %.10s deployed it successfully on node %s at %s",
			    commit ? commit : "(unknown)", node, clock_format(when_ms, when));
}

static void check_against_ledger(struct frozen_check *check, const struct version *version,
				 const struct frozen *frozen)
{
	const struct file *file = version->from.file;
	struct version_case c = {
		.check = check,
		.version = version,
		.images = model_version_images(check->model, version),
		.because = freezing(check->arena, frozen->commit, frozen->node, frozen->when_ms)};
	struct content was = {0};
	char id[RECORD_ID_SIZE];

	/* a Compose file that is not there is reported by check_model */
	if (!c.images)
		return;
	ids_version(c.images, &version->requires, id);
	if (version->type != VERSION_INCREMENTAL)
		report(&c, file->path, AT(version, version, type), "its type");
	if (!str_eq(version->parent, frozen->parent))
		report(&c, file->path, AT(version, version, parent), "its parent");
	if (str_eq(id, frozen->content_id))
		return;
	if (frozen->content && content_read(frozen->content, check->arena, &was, NULL) == 0)
		compare_versions(&c, &was);
	if (c.found == 0)
		report(&c, NULL, (struct loc){0}, "the list of its containers");
}

static const struct version *child_of(const struct model *model, const struct version *version)
{
	const char *project = version->from.file->unit.project;

	for (size_t i = 0; i < model->versions.n; i++) {
		const struct version *child = model->versions.v[i];

		if (str_eq(child->from.file->unit.project, project) &&
		    str_eq(child->product, version->product) &&
		    str_eq(child->parent, version->name))
			return child;
	}
	return NULL;
}

/* A version with a child is what the child was made from, whether it was ever deployed or not. */
static void check_against_base(struct frozen_check *check, const struct version *version)
{
	const struct model *base = check->desired->base;
	struct version_case c = {.check = check,
				 .version = version,
				 .images = model_version_images(check->model, version)};
	const struct version *before, *child;
	const struct image_list *images;
	char was[RECORD_ID_SIZE], now[RECORD_ID_SIZE];
	struct content content = {0};
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);

	if (!base || version->type != VERSION_INCREMENTAL)
		return;
	before = model_version(base, version->from.file->unit.project, version->product,
			       version->name);
	child = before ? child_of(base, before) : NULL;
	images = child ? model_version_images(base, before) : NULL;
	if (!images || !c.images)
		return;
	ids_version(images, &before->requires, was);
	ids_version(c.images, &version->requires, now);
	if (str_eq(was, now))
		return;
	c.because = arena_printf(check->arena, "version %s follows it", child->name);
	content_write_version(images, &before->requires, &content, &text);
	if (content_read(buf_str(&text), check->arena, &content, NULL) == 0)
		compare_versions(&c, &content);
	if (c.found == 0)
		report(&c, NULL, (struct loc){0}, "the list of its containers");
}

static void check_version(struct frozen_check *check, const struct version *version)
{
	const struct frozen *frozen = history_frozen(
		check->history, version->from.file->unit.project, version->product, version->name);

	if (frozen)
		check_against_ledger(check, version, frozen);
	else
		check_against_base(check, version);
}

/* ---- a deployment ---- */

static void report_slot(struct frozen_check *check, const struct slot *slot,
			const struct record *record, const char *path, struct loc at,
			const char *field)
{
	struct place place = place_or(path, at, slot);
	struct diag *diag = diags_add(
		check->diags, DIAG_VERSION_FROZEN, &slot->unit, place.path, place.at,
		"deployment %s/%s/%s of version %s cannot change, but %s did: %s",
		slot->key.project, slot->key.stage, slot->key.deployment, slot->version_name, field,
		freezing(check->arena, record->commit, slot->key.node, record->finished_ms));

	diag->hint =
		diags_text(check->diags, "make a new version with parent: %s", slot->version_name);
}

/* The fields of one container that differ from the record. */
static size_t compare_container(struct frozen_check *check, const struct slot *slot,
				const struct record *record, const struct content_container *was)
{
	const struct content_container *now = content_find(&slot->content, was->name);
	struct field_diffs diffs;

	if (!now)
		return 0;
	diffs = canon_diff(check->arena, was->config, now->config, CANON_RELEASE);
	for (size_t i = 0; i < diffs.n; i++)
		report_slot(check, slot, record, diffs.v[i].path, diffs.v[i].at,
			    arena_printf(check->arena, "%s of %s", diffs.v[i].field, was->name));
	return diffs.n;
}

static void check_slot(struct frozen_check *check, const struct slot *slot)
{
	struct decision decision;
	struct content was = {0};
	size_t found = 0;

	lifecycle_decide(slot, check->history, &decision);
	/* a version that differs is reported where it stands */
	if (decision.kind != DECIDE_REFUSED || !decision.record)
		return;
	if (decision.record->content)
		content_read(decision.record->content, check->arena, &was, NULL);
	for (size_t i = 0; i < was.containers_n; i++)
		found += compare_container(check, slot, decision.record, &was.containers[i]);
	if (found == 0)
		report_slot(check, slot, decision.record, NULL, (struct loc){0},
			    "the configuration it is given");
}

/* ---- everything that is new ---- */

static void check_new_version(struct frozen_check *check, const struct version *version)
{
	const char *project = version->from.file->unit.project;

	/* a second document of the same name is a duplicate, reported as such */
	if (model_version(check->model, project, version->product, version->name) == version)
		check_version(check, version);
}

/* The versions that consist of what a Compose file says. */
static void check_versions_of(struct frozen_check *check, const struct file *compose)
{
	for (size_t i = 0; i < check->model->versions.n; i++) {
		const struct version *version = check->model->versions.v[i];

		if (version->compose &&
		    model_compose(check->model, &version->from, version->compose) == compose)
			check_version(check, version);
	}
}

static void check_new_versions(struct frozen_check *check)
{
	const struct desired *desired = check->desired;

	for (size_t i = 0; i < desired->added_n; i++) {
		const struct file *file = desired->added[i];

		if (file->compose)
			check_versions_of(check, file);
		for (size_t j = 0; j < file->documents_n; j++) {
			if (file->documents[j].kind == KIND_version)
				check_new_version(check, file->documents[j].value);
		}
	}
}

void lifecycle_check_frozen(const struct model *model, const struct desired *desired,
			    const struct history *history, struct diags *diags)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct frozen_check check = {model, desired, history, arena, diags};
	bool trusted = desired->before.checked && !desired->before.wrong;
	size_t errors = diags->errors;

	if (trusted)
		check_new_versions(&check);
	for (size_t i = 0; !trusted && i < model->versions.n; i++)
		check_version(&check, model->versions.v[i]);
	for (size_t i = 0; i < desired->groups_n; i++) {
		const struct slot_group *group = desired->groups[i];

		for (size_t j = 0; is_new(desired, trusted, i) && j < group->slots_n; j++)
			check_slot(&check, &group->slots[j]);
	}
	desired->verdict->wrong |= diags->errors > errors;
}

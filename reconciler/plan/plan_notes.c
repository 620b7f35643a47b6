#include "base/sys.h"
#include "plan/plan_work.h"

#include "base/clock.h"
#include "schema/canon.h"
#include "schema/kinds.h"

/* ---- held ---- */

struct plan_note *plan_hold(struct plan_work *work, const struct slot_plan *plan,
			    const char *reason, const char *text)
{
	struct plan_note note = {.slot = plan->key, .reason = reason, .text = text};

	if (plan->slot) {
		const struct deployment *deployment = plan->slot->deployment;

		note.path = deployment->from.file->path;
		note.at = IS_SET(deployment, deployment, version)
				  ? AT(deployment, deployment, version)
				  : deployment->from.at;
	}
	VEC_PUSH(&work->held, note);
	return &work->held.v[work->held.n - 1];
}

static const char *record_name(struct plan_work *work, const struct record *record)
{
	if (record->version)
		return arena_printf(work->arena, "version %s", record->version);
	return "this configuration";
}

static void hold_failed(struct plan_work *work, const struct slot_plan *plan)
{
	const struct record *failed = plan->decision.record;
	const struct slot_key *key = &plan->key;
	struct plan_note *note = plan_hold(
		work, plan, "failed",
		arena_printf(work->arena,
			     "%s failed%s%s; it is not tried again until its inputs change",
			     record_name(work, failed), failed->error_text ? ": " : "",
			     failed->error_text ? failed->error_text : ""));

	note->hint = arena_printf(work->arena, "trueup retry %s/%s/%s", key->project, key->stage,
				  key->deployment);
}

/* Something outside the frozen parts changed, a template's value for instance. */
static bool is_kept_as_recorded(const struct slot_plan *plan)
{
	const struct record *record = plan->decision.record;

	return plan->decision.kind == DECIDE_KEEP && record->type == VERSION_INCREMENTAL &&
	       str_eq(record->source_id, plan->slot->source_id) &&
	       !str_eq(record->input_id, plan->slot->input_id);
}

/* The first field that is another now, where it stands: in a bundle, for instance. */
static void point_at_change(struct plan_work *work, const struct slot_plan *plan,
			    struct plan_note *note)
{
	struct content was = {0};
	const struct record *record = plan->decision.record;

	if (!record->content || content_read(record->content, work->arena, &was, NULL) != 0)
		return;
	for (size_t i = 0; i < was.containers_n; i++) {
		const struct content_container *now =
			content_find(&plan->slot->content, was.containers[i].name);
		struct field_diffs diffs = {0};

		if (now)
			diffs = canon_diff(work->arena, was.containers[i].config, now->config,
					   CANON_RELEASE);
		for (size_t j = 0; j < diffs.n; j++) {
			if (!diffs.v[j].path || !diffs.v[j].at.line)
				continue;
			note->path = diffs.v[j].path;
			note->at = diffs.v[j].at;
			return;
		}
	}
}

static void hold_frozen(struct plan_work *work, const struct slot_plan *plan)
{
	struct plan_note *note =
		plan_hold(work, plan, "frozen",
			  arena_printf(work->arena,
				       "%s keeps what was recorded; the change of what it is made "
				       "from is taken up by the next version",
				       record_name(work, plan->decision.record)));

	point_at_change(work, plan, note);
}

/* Where the image of a container is written, if the version has a document. */
static void point_at_image(const struct slot_plan *plan, const char *container,
			   struct plan_note *note)
{
	const struct image_list *images = plan->slot->images;

	for (size_t i = 0; images && i < images->n; i++) {
		const struct image *image = &images->v[i];

		if (!str_eq(image->name, container))
			continue;
		note->path = PATH_OF(image, image, image);
		note->at = AT(image, image, image);
	}
}

/* Wherever the image of an init container is written: the slot knows, a record's content not. */
static void point_at_init(const struct slot_plan *plan, const struct moved_tag *moved,
			  struct plan_note *note)
{
	const struct content_container *now = content_find(&plan->slot->content, moved->container);
	const struct init *init = now ? content_find_init(now->config, moved->init->name) : NULL;

	if (!init || !PATH_OF(init, init, image))
		return;
	note->path = PATH_OF(init, init, image);
	note->at = AT(init, init, image);
}

static void hold_tag(struct plan_work *work, const struct slot_plan *plan,
		     const struct moved_tag *moved)
{
	char since[CLOCK_TEXT_MAX];
	struct plan_note *note = plan_hold(
		work, plan, "tag",
		arena_printf(work->arena, "%s means %.19s since %s; %s keeps %.19s", moved->image,
			     moved->to, clock_format(moved->since_ms, since), moved->name,
			     moved->from));

	note->hint = moved->hint;
	if (moved->init)
		point_at_init(plan, moved, note);
	else
		point_at_image(plan, moved->container, note);
}

/* ---- data ---- */

static void tell(struct plan_work *work, const struct slot_key *slot, const char *reason,
		 const char *text)
{
	VEC_PUSH(&work->data, (struct plan_note){.slot = *slot, .reason = reason, .text = text});
}

/* A new prefix has volumes of its own. */
static void tell_empty(struct plan_work *work, const struct slot_plan *plan)
{
	const struct record *active = plan->decision.active;
	const char **from, **to;
	size_t from_n, n;

	if (!active || !plan->serves || str_eq(active->prefix, plan->serves->prefix))
		return;
	to = plan_volumes(work->arena, &plan->content, plan->serves->prefix, &n);
	from = plan_volumes(work->arena, &plan->content, active->prefix, &from_n);
	for (size_t i = 0; i < n && i < from_n; i++)
		tell(work, &plan->key, "empty",
		     arena_printf(work->arena, "volume %s starts empty; %s is kept", to[i],
				  from[i]));
}

/* The same for a deployment's other nodes is said once. */
static bool is_first_new(const struct plan_work *work, const struct slot_plan *plan)
{
	const struct slot_key *key = &plan->key, *before;

	if (plan->decision.kind != DECIDE_NEW)
		return false;
	if (plan == work->slots.v || plan[-1].decision.kind != DECIDE_NEW)
		return true;
	before = &plan[-1].key;
	return !str_eq(key->project, before->project) || !str_eq(key->stage, before->stage) ||
	       !str_eq(key->deployment, before->deployment);
}

/* What the relative mounts of its Compose file have become. */
static void tell_mounts(struct plan_work *work, const struct slot_plan *plan)
{
	for (size_t i = 0; i < plan->slot->inputs_n; i++) {
		const struct file *file = plan->slot->inputs[i];

		for (size_t j = 0; file->compose && j < file->diags_n; j++) {
			const struct diag *diag = &file->diags[j];
			struct plan_note note = {.slot = plan->key,
						 .reason = "mount",
						 .text = diag->message,
						 .path = diag->path,
						 .at = diag->at};

			if (diag->code == DIAG_COMPOSE_MOUNT && diag->severity == DIAG_NOTE)
				VEC_PUSH(&work->data, note);
		}
	}
}

void plan_notes_slot(struct plan_work *work, const struct slot_plan *plan)
{
	if (is_first_new(work, plan))
		tell_mounts(work, plan);
	if (plan->decision.kind == DECIDE_HELD)
		hold_failed(work, plan);
	else if (is_kept_as_recorded(plan))
		hold_frozen(work, plan);
	for (size_t i = 0; i < plan->moved_n; i++)
		hold_tag(work, plan, &plan->moved[i]);
	tell_empty(work, plan);
}

static const struct slot_plan *find_plan(const struct plan_work *work, const struct slot_key *key)
{
	for (size_t i = 0; i < work->slots.n; i++) {
		if (slot_key_cmp(&work->slots.v[i].key, key) == 0)
			return &work->slots.v[i];
	}
	return NULL;
}

static bool is_deleted(const struct slot_plan *plan, const char *volume)
{
	for (size_t i = 0; plan && i < plan->volumes_n; i++) {
		if (str_eq(plan->volumes[i], volume))
			return true;
	}
	return false;
}

/* A volume whose slot is gone. */
static void tell_volume(struct plan_work *work, const struct slot_key *key, const char *name)
{
	const struct slot_plan *plan = find_plan(work, key);

	if (is_deleted(plan, name))
		tell(work, key, "deleted",
		     arena_printf(work->arena, "volume %s is deleted (dataPolicy: delete)", name));
	else if (plan && plan->after_others)
		tell(work, key, "moved",
		     arena_printf(work->arena, "volume %s stays on %s; it does not move", name,
				  key->node));
	else
		tell(work, key, "kept", arena_printf(work->arena, "volume %s is kept", name));
}

void plan_notes_volumes(struct plan_work *work)
{
	for (size_t i = 0; i < work->input->nodes_n; i++) {
		const struct node_view *view = &work->input->nodes[i];

		for (size_t j = 0; view->observed && j < view->observed->volumes_n; j++) {
			const struct volume_seen *volume = &view->observed->volumes[j];
			struct slot_key key = {.project = volume->project,
					       .stage = volume->stage,
					       .deployment = volume->deployment,
					       .node = view->name};

			if (!desired_find(work->input->desired, &key) &&
			    (!work->input->only || slot_key_cmp(&key, work->input->only) == 0))
				tell_volume(work, &key, volume->name);
		}
	}
}

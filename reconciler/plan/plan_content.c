#include "base/sys.h"
#include "plan/plan_work.h"

/* ---- digests of a new record ---- */

static const struct digest_entry *looked_up(const struct plan_input *input, const char *node,
					    const char *image)
{
	for (size_t i = 0; i < input->digests_n; i++) {
		const struct digest_entry *entry = &input->digests[i];

		if (str_eq(entry->node, node) && str_eq(entry->image, image))
			return entry;
	}
	return NULL;
}

static bool is_noted(const struct plan_work *work, const char *node, const char *image)
{
	for (size_t i = 0; i < work->unresolved.n; i++) {
		if (str_eq(work->unresolved.v[i].node, node) &&
		    str_eq(work->unresolved.v[i].image, image))
			return true;
	}
	return false;
}

static const char *look_up(struct plan_work *work, const char *node, const char *image)
{
	const struct digest_entry *entry = looked_up(work->input, node, image);

	if (entry && entry->digest)
		return entry->digest;
	if (!is_noted(work, node, image))
		VEC_PUSH(&work->unresolved,
			 (struct digest_entry){.node = node,
					       .image = image,
					       .error = entry ? entry->error : NULL});
	return NULL;
}

/* Where a new record's digests were settled before: an equal record, or the frozen version. */
static bool read_settled(struct plan_work *work, const struct decision *decision,
			 struct content *out)
{
	const char *json = NULL;

	if (decision->digests_of)
		json = decision->digests_of->content;
	else if (decision->frozen)
		json = decision->frozen->content;
	return json && content_read(json, work->arena, out, NULL) == 0;
}

/* NULL: it has to be looked up, as always when a tag is followed, and it is not the tag's news. */
static const char *settled_digest(const struct plan_work *work, const struct slot_plan *plan,
				  const struct content *settled, const struct content_image *at)
{
	bool tracks = moved_tag_tracks(plan->slot->images, at->container->name);
	const char *followed = NULL;

	if (!settled || (tracks && !plan->decision.follows))
		return NULL;
	if (tracks)
		followed = moved_tag_followed(work->input->moved_tags, plan->key.node, at->image);
	return followed ? followed : content_digest_of(settled, at);
}

static void resolve(struct plan_work *work, struct slot_plan *plan)
{
	const struct content *from = &plan->slot->content;
	struct content settled = {0};
	bool known = read_settled(work, &plan->decision, &settled);

	plan->content = *from;
	plan->content.containers = arena_memdup(work->arena, from->containers,
						from->containers_n * sizeof *from->containers);
	for (struct content_image at = {0}; content_next_image(from, &at);) {
		const char *digest = settled_digest(work, plan, known ? &settled : NULL, &at);

		if (!digest)
			digest = look_up(work, plan->key.node, at.image);
		content_set_digest(work->arena, &plan->content, &at, digest);
	}
}

/* ---- the record ---- */

static const char *content_text(struct plan_work *work, const struct content *content)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);

	content_write(content, &text);
	return arena_strdup(work->arena, buf_str(&text));
}

/* As it would be put into the ledger. */
static struct record *new_record(struct plan_work *work, const struct slot_plan *plan)
{
	const struct slot *slot = plan->slot;
	const struct record *copy = plan->decision.copy_of;
	struct record *record = ARENA_NEW(work->arena, struct record);

	*record = (struct record){
		.slot = slot->key,
		.product = slot->product->name,
		.version = slot->version_name,
		.parent = slot->parent,
		.type = slot->type,
		.prefix = slot->prefix,
		.source_id = slot->source_id,
		.input_id = copy ? copy->input_id : slot->input_id,
		.release_id = arena_strdup(work->arena, plan->release_id),
		.status = RECORD_PREPARING,
		.commit = work->input->commit,
		.content = content_text(work, &plan->content),
	};
	return record;
}

static bool read_record(struct plan_work *work, const struct record *record, struct content *out)
{
	struct err err = ERR_INIT;

	if (!record->content)
		return false;
	return content_read(record->content, work->arena, out, &err) == 0;
}

static bool fill_new(struct plan_work *work, struct slot_plan *plan)
{
	const struct record *copy = plan->decision.copy_of;
	const char *input_id = copy ? copy->input_id : plan->slot->input_id;

	if (copy) {
		if (!read_record(work, copy, &plan->content))
			return false;
	} else {
		resolve(work, plan);
	}
	if (content_is_resolved(&plan->content))
		ids_release(input_id, &plan->content, plan->release_id);
	plan->serves = new_record(work, plan);
	return true;
}

/*
 * A record that began before its images were known, as after a look that did not ask for them: the
 * same inputs, and what has been found out since.
 */
static bool is_unresolved(const struct slot_plan *plan, const struct record *record)
{
	return plan->decision.kind != DECIDE_HELD && plan->decision.kind != DECIDE_REFUSED &&
	       str_eq(record->input_id, plan->slot->input_id) &&
	       (!record->release_id || !record->release_id[0]);
}

static bool fill_recorded(struct plan_work *work, struct slot_plan *plan,
			  const struct record *record)
{
	plan->serves = record;
	if (!record)
		return true;
	if (is_unresolved(plan, record)) {
		resolve(work, plan);
		if (content_is_resolved(&plan->content))
			ids_release(record->input_id, &plan->content, plan->release_id);
		return true;
	}
	snprintf(plan->release_id, sizeof(plan->release_id), "%s",
		 record->release_id ? record->release_id : "");
	return read_record(work, record, &plan->content);
}

bool plan_fill_content(struct plan_work *work, struct slot_plan *plan)
{
	const struct decision *decision = &plan->decision;
	bool known = false;

	switch (decision->kind) {
	case DECIDE_KEEP:
	case DECIDE_CONTINUE:
	case DECIDE_START:
		known = fill_recorded(work, plan, decision->record);
		break;
	case DECIDE_HELD:
	case DECIDE_REFUSED:
		known = fill_recorded(work, plan, decision->active);
		break;
	case DECIDE_NEW:
		known = fill_new(work, plan);
		break;
	}
	if (known && plan->serves)
		plan->specs = desired_specs(plan->slot, &plan->content, plan->serves,
					    work->input->owner, work->arena, &plan->specs_n);
	return known;
}

bool plan_record_specs(struct plan_work *work, const struct slot *slot, const struct record *record,
		       struct spec **specs, size_t *n)
{
	struct content content = {0};

	if (!read_record(work, record, &content))
		return false;
	*specs = desired_specs(slot, &content, record, work->input->owner, work->arena, n);
	return true;
}

/* ---- volumes ---- */

static bool has_name(const char **names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(names[i], name))
			return true;
	}
	return false;
}

const char **plan_volumes(struct arena *arena, const struct content *content, const char *prefix,
			  size_t *n)
{
	size_t most = 0;
	const char **names;

	*n = 0;
	for (size_t i = 0; i < content->containers_n; i++)
		most += content->containers[i].config->volumes.n;
	names = ARENA_ARRAY(arena, most, const char *);
	for (size_t i = 0; i < content->containers_n; i++) {
		const struct volume_list *volumes = &content->containers[i].config->volumes;

		for (size_t j = 0; j < volumes->n; j++) {
			const char *name;

			if (!volumes->v[j].name)
				continue;
			name = arena_printf(arena, "%s-%s", prefix, volumes->v[j].name);
			if (!has_name(names, *n, name))
				names[(*n)++] = name;
		}
	}
	return names;
}

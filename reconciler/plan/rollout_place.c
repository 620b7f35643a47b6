#include "base/sys.h"
#include "plan/rollout_place.h"

#include "plan/content.h"
#include "schema/kinds.h"

bool spec_is_job(const struct spec *spec)
{
	return container_is_job(spec->config);
}

bool spec_is_init(const struct spec *spec)
{
	return spec->labels.init != NULL;
}

bool spec_is_waited_for(const struct spec *spec)
{
	return spec->config->health_check || spec_is_job(spec);
}

bool spec_has_alias(const struct rollout_input *input, const struct spec *spec)
{
	int mode = spec->config->network_mode;

	return input->aliases && mode != NETWORK_NONE && mode != NETWORK_HOST;
}

bool workload_is_active(const struct workload *workload)
{
	return workload && workload->state != RUN_CREATED && workload->state != RUN_STOPPED &&
	       workload->state != RUN_EXITED;
}

bool workload_serves(const struct workload *workload)
{
	return workload && !workload->labels.init && workload->state == RUN_RUNNING &&
	       (workload->health == HEALTH_NONE || workload->health == HEALTH_HEALTHY);
}

/* ---- is it the wanted one? ---- */

bool place_same_slot(const struct labels *a, const struct labels *b)
{
	return str_eq(a->node, b->node) && str_eq(a->project, b->project) &&
	       str_eq(a->stage, b->stage) && str_eq(a->deployment, b->deployment);
}

/* How many there are is no property of one of them. */
static struct container without_scale(const struct container *config)
{
	struct container copy = *config;

	copy.head.set &= ~((uint64_t)1 << container_scale_F);
	return copy;
}

/* What an init image that is wanted was not looked up for is not compared: see same_digest. */
static void forget_unresolved(struct arena *arena, const struct init_list *wanted,
			      struct init_list *seen)
{
	struct init *copy;

	if (!wanted->n || wanted->n != seen->n)
		return;
	copy = arena_memdup(arena, seen->v, seen->n * sizeof *copy);
	for (size_t i = 0; i < seen->n; i++) {
		size_t len = strlen(wanted->v[i].image);

		if (strncmp(copy[i].image, wanted->v[i].image, len) == 0 &&
		    copy[i].image[len] == '@')
			copy[i].image = wanted->v[i].image;
	}
	seen->v = copy;
}

static struct field_diffs config_diff(struct arena *arena, const struct spec *spec,
				      const struct workload *workload)
{
	struct container from = without_scale(workload->config);
	struct container to = without_scale(spec->config);

	forget_unresolved(arena, &to.init, &from.init);

	return canon_diff(arena, &from, &to, CANON_ALL);
}

static bool same_digest(const struct spec *spec, const struct workload *workload)
{
	/* Not looked up: nothing says that the tag has moved. */
	if (!spec->digest)
		return str_eq(spec->image, workload->image);
	return str_eq(spec->digest, workload->digest);
}

static bool is_live(const struct field_diff *diff, uint64_t live_fields)
{
	size_t len = strcspn(diff->field, ".");

	for (size_t i = 0; i < type_container.fields_n; i++) {
		const char *key = type_container.fields[i].key;

		if (strlen(key) == len && strncmp(key, diff->field, len) == 0)
			return (live_fields >> i) & 1;
	}
	return false;
}

/* A job that ended has nothing left that operations could change. */
static bool is_done(const struct spec *spec, const struct workload *workload)
{
	return spec_is_job(spec) && workload->state == RUN_EXITED;
}

static enum match match_config(struct arena *arena, const struct rollout_input *input,
			       const struct spec *spec, const struct workload *workload)
{
	struct field_diffs diffs = config_diff(arena, spec, workload);
	enum match match = MATCH_SAME;

	for (size_t i = 0; i < diffs.n; i++) {
		if (!diffs.v[i].release && is_done(spec, workload))
			continue;
		if (!is_live(&diffs.v[i], input->live_fields))
			return MATCH_NONE;
		match = MATCH_LIVE;
	}
	return match;
}

/* Its configuration cannot be read: then the hash from when it was made has to do. */
static enum match match_hash(const struct spec *spec, const struct workload *workload)
{
	char hash[HASH_HEX_SIZE + 8];

	spec_hash(spec, hash);
	return str_eq(hash, workload->labels.spec) ? MATCH_SAME : MATCH_NONE;
}

static bool must_be_its_own(const struct spec *spec, const struct workload *workload)
{
	return spec_is_job(spec) || workload->state == RUN_EXITED;
}

enum match place_match(struct arena *arena, const struct rollout_input *input,
		       const struct spec *spec, const struct workload *workload)
{
	if (!place_same_slot(&spec->labels, &workload->labels) || !same_digest(spec, workload))
		return MATCH_NONE;
	if (!input->settled && must_be_its_own(spec, workload) &&
	    workload->labels.record != spec->labels.record)
		return MATCH_NONE;
	if (!workload->config)
		return match_hash(spec, workload);
	return match_config(arena, input, spec, workload);
}

/* "init.migrate.image" */
static bool is_init_image(const struct field_diff *diff)
{
	return str_starts(diff->field, "init.") && str_ends(diff->field, ".image");
}

/* The image of an init container, which is written with its digest, as two like any other. */
static void add_init_image(struct arena *arena, const struct field_diff *diff,
			   struct field_diffs *all)
{
	struct field_diff image = *diff, digest = *diff;

	image.from = content_image_plain(arena, diff->from);
	image.to = content_image_plain(arena, diff->to);
	digest.field = arena_printf(arena, "%.*s.digest",
				    (int)(strlen(diff->field) - strlen(".image")), diff->field);
	digest.from = content_image_digest(diff->from);
	digest.to = content_image_digest(diff->to);
	if (!str_eq(image.from, image.to))
		all->v[all->n++] = image;
	if (!str_eq(digest.from, digest.to))
		all->v[all->n++] = digest;
}

struct field_diffs place_diff(struct arena *arena, const struct spec *spec,
			      const struct workload *workload)
{
	struct field_diffs config = {0}, all;

	if (workload->config)
		config = config_diff(arena, spec, workload);
	all.v = ARENA_ARRAY(arena, 2 * config.n + 2, struct field_diff);
	all.n = 0;
	if (!str_eq(spec->image, workload->image))
		all.v[all.n++] = (struct field_diff){.field = "image",
						     .from = workload->image,
						     .to = spec->image,
						     .release = true};
	if (!same_digest(spec, workload) && spec->digest)
		all.v[all.n++] = (struct field_diff){.field = "digest",
						     .from = workload->digest,
						     .to = spec->digest,
						     .release = true};
	for (size_t i = 0; i < config.n; i++) {
		if (is_init_image(&config.v[i]))
			add_init_image(arena, &config.v[i], &all);
		else
			all.v[all.n++] = config.v[i];
	}
	return all;
}

/* ---- how is it? ---- */

static enum condition running_condition(const struct place *place, int64_t min_healthy_ms)
{
	const struct workload *have = place->have;

	if (spec_is_job(place->spec))
		return CONDITION_COMING;
	if (place->spec->config->health_check)
		return have->health == HEALTH_HEALTHY ? CONDITION_HEALTHY : CONDITION_COMING;
	return have->running_ms >= min_healthy_ms ? CONDITION_HEALTHY : CONDITION_COMING;
}

static enum condition ended_condition(const struct place *place, bool settled)
{
	if (spec_is_job(place->spec) &&
	    place->have->exit_code == KIND_OR(place->spec->config->expect, expect, exit_code))
		return CONDITION_HEALTHY;
	return settled ? CONDITION_DOWN : CONDITION_FAILED;
}

static enum condition place_condition(const struct place *place, const struct rollout_input *input)
{
	if (!place->have)
		return input->settled && spec_is_job(place->spec) ? CONDITION_HEALTHY
								  : CONDITION_ABSENT;
	switch (place->have->state) {
	case RUN_CREATED:
	case RUN_STOPPED:
	case RUN_PAUSED:
		return CONDITION_DOWN;
	case RUN_EXITED:
		return ended_condition(place, input->settled);
	case RUN_RUNNING:
		return running_condition(place, input->min_healthy_ms);
	case RUN_RESTARTING:
	case RUN_UNKNOWN:
		break;
	}
	return CONDITION_COMING;
}

/*
 * It is run for each container that is made, once: until that one was started, what became of it is
 * there to be seen.
 */
static void judge_init(struct place *place, const struct place *container,
		       const struct rollout_input *input)
{
	const struct workload *main = container->have;

	place->over = main ? main->state != RUN_CREATED : container->condition == CONDITION_HEALTHY;
	if (place->over)
		place->condition = CONDITION_HEALTHY;
	else
		place->condition = place->have ? place_condition(place, input) : CONDITION_ABSENT;
}

/* ---- side by side ---- */

/* The wanted container that this one stands for, and whether under its second name. */
static struct place *place_of(struct places *places, const char *name, bool *is_next)
{
	for (size_t i = 0; i < places->n; i++) {
		const char *own = places->v[i].spec->name;
		size_t len = strlen(own);

		if (strncmp(name, own, len) != 0)
			continue;
		*is_next = str_eq(name + len, NEXT_SUFFIX);
		if (*is_next || name[len] == '\0')
			return &places->v[i];
	}
	return NULL;
}

static void judge(struct arena *arena, const struct rollout_input *input, struct place *place)
{
	const struct workload *const both[] = {place->own, place->next};

	for (size_t i = 0; i < ARRAY_LEN(both) && !place->have; i++) {
		enum match match =
			both[i] ? place_match(arena, input, place->spec, both[i]) : MATCH_NONE;

		if (match != MATCH_NONE) {
			place->have = both[i];
			place->match = match;
		}
	}
	place->condition = place_condition(place, input);
}

static size_t position(const struct rollout_input *input, const char *container)
{
	for (size_t i = 0; i < input->order_n; i++) {
		if (str_eq(input->order[i], container))
			return i;
	}
	for (size_t i = 0; i < input->wanted_n; i++) {
		if (str_eq(input->wanted[i].labels.container, container))
			return input->order_n + i;
	}
	return SIZE_MAX;
}

/* In order of start; instances of one container by name, "web-2" before "web-10". */
static bool starts_before(const struct rollout_input *input, const struct workload *a,
			  const struct workload *b)
{
	size_t pa = position(input, a->labels.container), pb = position(input, b->labels.container);
	size_t la = strlen(a->name), lb = strlen(b->name);

	if (pa != pb)
		return pa < pb;
	if (pa != SIZE_MAX && la != lb)
		return la < lb;
	return strcmp(a->name, b->name) < 0;
}

static void insert_extra(struct places *places, const struct rollout_input *input,
			 const struct workload *workload)
{
	size_t at = places->extra_n++;

	for (; at > 0 && starts_before(input, workload, places->extra[at - 1]); at--)
		places->extra[at] = places->extra[at - 1];
	places->extra[at] = workload;
}

void places_fill(struct arena *arena, const struct rollout_input *input, struct places *out)
{
	const struct place *container = NULL;

	out->v = ARENA_ARRAY(arena, input->wanted_n, struct place);
	out->n = input->wanted_n;
	out->extra = ARENA_ARRAY(arena, input->seen_n, const struct workload *);
	out->extra_n = 0;
	for (size_t i = 0; i < out->n; i++)
		out->v[i].spec = &input->wanted[i];
	for (size_t i = 0; i < input->seen_n; i++) {
		bool is_next = false;
		struct place *place = place_of(out, input->seen[i]->name, &is_next);

		if (!place)
			insert_extra(out, input, input->seen[i]);
		else if (is_next)
			place->next = input->seen[i];
		else
			place->own = input->seen[i];
	}
	for (size_t i = out->n; i-- > 0;) {
		struct place *place = &out->v[i];

		judge(arena, input, place);
		if (spec_is_init(place->spec))
			judge_init(place, container, input);
		else
			container = place;
	}
}

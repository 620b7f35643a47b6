/*
 * desired_specs.c - the containers that a slot wants on its node, one by one.
 */
#include "base/sys.h"
#include "plan/desired_group.h"

#include "base/vec.h"
#include "schema/kinds.h"
#include "schema/merge.h"

/* Copies a field that is set. */
#define TAKE_FROM(to, from, type, member)                                                          \
	do {                                                                                       \
		if (IS_SET((from), type, member)) {                                                \
			(to)->member = (from)->member;                                             \
			SET_FIELD((to), container, member);                                        \
		}                                                                                  \
	} while (0)
#define TAKE(to, from, member) TAKE_FROM(to, from, container, member)
#define TAKE_INIT(to, from, member) TAKE_FROM(to, from, init, member)

static const struct container *with_operations(const struct slot *slot,
					       const struct content_container *container,
					       struct arena *arena)
{
	const struct content_container *now = content_find(&slot->content, container->name);

	if (now == container)
		return container->config;
	/*
	 * One that is not in the version (any more) gets what the deployment says of it; where that
	 * says nothing, it stays as it was recorded.
	 */
	return merge_operations(arena, container->config,
				now ? now->config
				    : bundles_merge(arena, slot->deployment, &slot->bundles,
						    container->name, container->config));
}

static struct labels labels_of(const struct slot *slot, const struct record *record,
			       const char *owner, const char *container)
{
	return (struct labels){
		.owner = owner,
		.node = slot->key.node,
		.project = slot->key.project,
		.stage = slot->key.stage,
		.deployment = slot->key.deployment,
		.product = record ? record->product : slot->product->name,
		.version = record ? record->version : slot->version_name,
		.prefix = record ? record->prefix : slot->prefix,
		.container = container,
		.stack = slot->is_stack ? slot->key.deployment : NULL,
		.commit = record ? record->commit : NULL,
		.record = record ? record->id : 0,
	};
}

/* ---- what runs before a container ---- */

/*
 * It has the network and the limits of its container, and for the rest what it says itself: not its
 * environment, nor its user, which are another image's.
 */
static const struct container *init_config(const struct container *of, const struct init *init,
					   struct arena *arena)
{
	struct container *config = ARENA_NEW(arena, struct container);
	struct expect *expect = ARENA_NEW(arena, struct expect);

	expect->state = EXPECT_EXITED;
	SET_FIELD(expect, expect, state);
	config->expect = expect;
	SET_FIELD(config, container, expect);
	TAKE(config, of, network_mode);
	TAKE(config, of, networks);
	TAKE(config, of, resources);
	TAKE(config, of, logging);
	TAKE_INIT(config, init, command);
	TAKE_INIT(config, init, args);
	TAKE_INIT(config, init, env);
	TAKE_INIT(config, init, volumes);
	return config;
}

static struct spec init_spec(const struct spec *of, const struct content_image *at,
			     struct arena *arena)
{
	struct spec spec = *of;

	spec.name = arena_printf(arena, "%s" INIT_INFIX "%s", of->name, at->init->name);
	spec.image = at->image;
	spec.digest = at->digest;
	spec.config = init_config(of->config, at->init, arena);
	spec.labels.init = at->init->name;
	return spec;
}

/* ---- all of them ---- */

static void add_hash(struct spec *spec, struct arena *arena)
{
	char hash[HASH_HEX_SIZE + 8];

	spec_hash(spec, hash);
	spec->labels.spec = arena_strdup(arena, hash);
}

typedef VEC(struct spec) spec_list;

/* An instance of a container, behind those that run before it. */
static void add_instance(spec_list *specs, const struct content_container *container,
			 const struct spec *spec, struct arena *arena)
{
	const struct content alone = {(struct content_container *)(uintptr_t)container, 1, {0}};

	for (struct content_image at = {0}; content_next_image(&alone, &at);) {
		VEC_PUSH(specs, at.init ? init_spec(spec, &at, arena) : *spec);
		add_hash(&specs->v[specs->n - 1], arena);
	}
}

struct spec *desired_specs(const struct slot *slot, const struct content *content,
			   const struct record *record, const char *owner, struct arena *arena,
			   size_t *n)
{
	spec_list specs = {0};
	struct spec *copy;

	for (size_t i = 0; i < content->containers_n; i++) {
		struct content_container container = content->containers[i];
		struct labels labels = labels_of(slot, record, owner, container.name);
		int64_t scale;

		container.config =
			content_pin(arena, with_operations(slot, &content->containers[i], arena),
				    container.init_digests);
		scale = KIND_OR(container.config, container, scale);
		for (int64_t instance = 1; instance <= scale; instance++) {
			struct spec spec = {
				.name = instance_name(arena, labels.prefix, &container, instance),
				.instance = (int)instance,
				.image = container.image,
				.digest = container.digest,
				.config = container.config,
				.labels = labels,
			};

			add_instance(&specs, &content->containers[i], &spec, arena);
		}
	}
	*n = specs.n;
	copy = arena_memdup(arena, specs.v, specs.n * sizeof *specs.v);
	VEC_FREE(&specs);
	return copy;
}

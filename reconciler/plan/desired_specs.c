/*
 * desired_specs.c - the containers that a slot wants on its node, one by one.
 */
#include "base/sys.h"
#include "plan/desired_group.h"

#include "base/vec.h"
#include "schema/kinds.h"
#include "schema/merge.h"

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

struct spec *desired_specs(const struct slot *slot, const struct content *content,
			   const struct record *record, const char *owner, struct arena *arena,
			   size_t *n)
{
	VEC(struct spec) specs = {0};
	struct spec *copy;

	for (size_t i = 0; i < content->containers_n; i++) {
		struct content_container container = content->containers[i];
		struct labels labels = labels_of(slot, record, owner, container.name);
		char hash[HASH_HEX_SIZE + 8];
		int64_t scale;

		container.config = with_operations(slot, &content->containers[i], arena);
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

			spec_hash(&spec, hash);
			spec.labels.spec = arena_strdup(arena, hash);
			VEC_PUSH(&specs, spec);
		}
	}
	*n = specs.n;
	copy = arena_memdup(arena, specs.v, specs.n * sizeof *specs.v);
	VEC_FREE(&specs);
	return copy;
}

#include "base/sys.h"
#include "tests/support/rollout_world.h"

#include "base/buf.h"

/* ---- what is wanted, written as "web:hA db:pA" ---- */

static const char *const env_key[] = {"CONTENT"};
static const struct health_check a_check = {
	.head.set = 1u << health_check_retries_F,
	.retries = 1,
};
static const struct expect job_expect = {
	.head.set = 1u << expect_state_F,
	.state = EXPECT_EXITED,
};
static const struct resources more_memory = {
	.head.set = 1u << resources_memory_F,
	.memory = 64 << 20,
};

bool is_to_end(const struct variant *variant)
{
	return variant->kind == 'j' || variant->kind == 'i';
}

const struct container *make_config(struct arena *arena, const struct variant *variant)
{
	struct container *config = ARENA_NEW(arena, struct container);
	const char **value = ARENA_ARRAY(arena, 1, const char *);

	value[0] = arena_strndup(arena, &variant->content, 1);
	config->head.set = (uint64_t)1 << container_env_F;
	config->env.key = (const char **)env_key;
	config->env.value = value;
	config->env.n = 1;
	if (variant->kind == 'h') {
		config->head.set |= (uint64_t)1 << container_health_check_F;
		config->health_check = &a_check;
	} else if (is_to_end(variant)) {
		config->head.set |= (uint64_t)1 << container_expect_F;
		config->expect = &job_expect;
	}
	if (variant->operations == '+') {
		config->head.set |= (uint64_t)1 << container_resources_F;
		config->resources = &more_memory;
	} else if (variant->operations == '!') {
		config->head.set |= (uint64_t)1 << container_stop_signal_F;
		config->stop_signal = "SIGINT";
	}
	return config;
}

struct spec make_spec(struct arena *arena, const struct variant *variant, int64_t record,
		      const char *deployment)
{
	char *hash = arena_alloc(arena, HASH_HEX_SIZE + 8);
	struct spec spec = {
		.name = variant->name,
		.instance = 1,
		.image = arena_printf(arena, "local/%c", variant->content),
		.digest = arena_printf(arena, "sha256:%c", variant->content),
		.config = make_config(arena, variant),
		.labels = {.node = "n",
			   .project = "p",
			   .stage = "s",
			   .deployment = deployment,
			   .container = variant->name,
			   .record = record},
	};

	if (variant->kind == 'i') {
		const char *infix = strstr(variant->name, INIT_INFIX);

		spec.labels.container =
			arena_strndup(arena, variant->name, (size_t)(infix - variant->name));
		spec.labels.init = infix + strlen(INIT_INFIX);
	}
	/* Instances and prefixes: "x-web-2" is of container web. */
	if (str_starts(variant->name, "x-"))
		spec.labels.container = variant->name + 2;
	if (str_ends(variant->name, "-2")) {
		spec.instance = 2;
		spec.labels.container = arena_strndup(arena, spec.labels.container,
						      strlen(spec.labels.container) - 2);
	}
	spec_hash(&spec, hash);
	spec.labels.spec = hash;
	return spec;
}

void make_wanted(struct arena *arena, const char *text, int64_t record, const char *deployment,
		 struct wanted *out)
{
	out->n = 0;
	while (*text) {
		size_t len = strcspn(text, " ");
		const char *colon = strchr(text, ':');
		struct variant *variant = &out->variants[out->n];

		assert_true(colon && (size_t)(colon - text) < len && out->n < SLOT_MAX);
		variant->name = arena_strndup(arena, text, (size_t)(colon - text));
		variant->kind = colon[1];
		variant->content = colon[2];
		variant->operations = (size_t)(colon + 3 - text) < len ? colon[3] : ' ';
		out->specs[out->n] = make_spec(arena, variant, record, deployment);
		out->n++;
		text += len + (text[len] == ' ');
	}
}

/* ---- the world ---- */

void thing_name(struct thing *thing, const char *name, const char *alias)
{
	snprintf(thing->name, sizeof(thing->name), "%s", name);
	snprintf(thing->alias, sizeof(thing->alias), "%s", alias);
}

struct thing *world_find(struct world *world, const char *name)
{
	for (size_t i = 0; i < world->n; i++) {
		if (str_eq(world->things[i].name, name))
			return &world->things[i];
	}
	return NULL;
}

static void world_remove(struct world *world, struct thing *thing)
{
	*thing = world->things[--world->n];
}

void world_pull(struct world *world, char content)
{
	world->pulled |= 1u << (content - 'A');
}

bool is_running(const struct thing *thing)
{
	return thing->state == RUN_RUNNING;
}

static bool is_good(const struct thing *thing)
{
	return thing->variant.content != 'X';
}

bool is_healthy(const struct thing *thing)
{
	if (is_to_end(&thing->variant))
		return thing->state == RUN_EXITED && thing->exit_code == 0;
	return is_running(thing) && thing->aged && is_good(thing);
}

void world_tick(struct world *world)
{
	for (size_t i = 0; i < world->n; i++) {
		struct thing *thing = &world->things[i];

		if (!is_running(thing))
			continue;
		thing->aged = true;
		if (is_to_end(&thing->variant) || (thing->variant.kind == 'p' && !is_good(thing))) {
			thing->state = RUN_EXITED;
			thing->exit_code = is_good(thing) ? 0 : 1;
		}
	}
}

static const struct variant *variant_of(const struct wanted *wanted, const struct spec *spec)
{
	return &wanted->variants[spec - wanted->specs];
}

bool same_variant(const struct variant *a, const struct variant *b)
{
	return a->kind == b->kind && a->content == b->content && a->operations == b->operations;
}

static void world_create(struct world *world, const struct wanted *wanted, const struct op *op)
{
	const struct variant *variant = variant_of(wanted, op->spec);
	struct thing *thing = world_find(world, op->name);

	assert_true(world->pulled & (1u << (variant->content - 'A')));
	if (thing) /* the driver would say conflict */
		fail_msg("%s is created and is there already", op->name);
	assert_true(world->n < ARRAY_LEN(world->things));
	thing = &world->things[world->n++];
	*thing = (struct thing){.variant = *variant, .record = op->spec->labels.record};
	thing->state = RUN_CREATED;
	thing->exit_code = -1;
	thing_name(thing, op->name, op->to ? op->to : op->name);
}

static void world_rename(struct world *world, const struct op *op)
{
	struct thing *thing = world_find(world, op->name);

	assert_non_null(thing);
	assert_null(world_find(world, op->to));
	thing_name(thing, op->to, op->to);
}

void world_apply(struct world *world, const struct wanted *wanted, const struct op *op, bool half)
{
	struct thing *thing = op->name ? world_find(world, op->name) : NULL;

	switch (op->kind) {
	case OP_PULL:
		world_pull(world, variant_of(wanted, op->spec)->content);
		break;
	case OP_CREATE:
		world_create(world, wanted, op);
		break;
	case OP_START:
		assert_non_null(thing);
		assert_false(is_running(thing));
		thing->state = RUN_RUNNING;
		thing->aged = false;
		break;
	case OP_STOP:
		assert_non_null(thing);
		if (is_running(thing))
			thing->state = RUN_STOPPED;
		break;
	case OP_ALIAS: /* on the way from one name to another it answers to nothing */
		assert_non_null(thing);
		if (!str_eq(thing->alias, op->to))
			thing_name(thing, op->name, half ? "" : op->to);
		break;
	case OP_REMOVE:
		assert_non_null(thing);
		if (half && is_running(thing))
			thing->state = RUN_STOPPED;
		else if (!half)
			world_remove(world, thing);
		break;
	case OP_RENAME:
		world_rename(world, op);
		break;
	case OP_UPDATE:
		assert_non_null(thing);
		thing->variant.operations = variant_of(wanted, op->spec)->operations;
		break;
	case OP_CLAIM:
	case OP_VOLUME_REMOVE:
	case OP_IMAGE_REMOVE:
	case OPS_COUNT:
		fail_msg("a rollout has no business with %s", op_word(op->kind));
	}
}

struct workload *world_look(struct arena *arena, const struct world *world)
{
	struct workload *seen = ARENA_ARRAY(arena, world->n, struct workload);

	for (size_t i = 0; i < world->n; i++) {
		const struct thing *thing = &world->things[i];
		const struct spec spec = make_spec(arena, &thing->variant, thing->record,
						   thing->other_slot ? "gone" : "d");

		seen[i] = (struct workload){
			.name = arena_strdup(arena, thing->name),
			.image = spec.image,
			.digest = spec.digest,
			.config = spec.config,
			.labels = spec.labels,
			.state = thing->state,
			.health = HEALTH_NONE,
			.running_ms = is_running(thing) && thing->aged ? MIN_HEALTHY_MS : 0,
			.exit_code = thing->exit_code};
		if (thing->variant.kind == 'h')
			seen[i].health = !is_running(thing) ? HEALTH_UNKNOWN
					 : !thing->aged	    ? HEALTH_STARTING
					 : is_good(thing)   ? HEALTH_HEALTHY
							    : HEALTH_UNHEALTHY;
	}
	return seen;
}

const char *world_text(struct arena *arena, const struct world *world)
{
	struct buf text = BUF_INIT(BUF_MAX_LINE);
	const char *copy;

	for (size_t i = 0; i < world->n; i++) {
		const struct thing *thing = &world->things[i];

		buf_addf(&text, "%s(%s)=%c%c%c r%d %s%s%s%d; ", thing->name, thing->alias,
			 thing->variant.kind, thing->variant.content, thing->variant.operations,
			 (int)thing->record, run_state_word(thing->state),
			 thing->aged ? " aged" : "", thing->other_slot ? " other " : " ",
			 thing->exit_code);
	}
	buf_addf(&text, "pulled %x", world->pulled);
	copy = arena_strdup(arena, buf_str(&text));
	buf_release(&text);
	return copy;
}

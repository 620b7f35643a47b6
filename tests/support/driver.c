#include "tests/support/test.h"
#include "tests/support/driver.h"

#include "schema/decode.h"

static const struct settings no_settings;
const struct driver_env test_env = {.state_dir = "/nonexistent",
				    .owner = TEST_OWNER,
				    .settings = &no_settings,
				    .self = "trueup"};

const struct container *test_config(struct arena *arena, const char *json)
{
	struct err err = ERR_INIT;
	const struct container *config =
		decode_object(arena, "container", json, strlen(json), &err);

	if (!config)
		fail_msg("%s: %s", json, err.text);
	return config;
}

static const char *digest_of(struct arena *arena, struct driver *driver, const char *image)
{
	AUTO_BUF struct buf digest = BUF_INIT(BUF_MAX_LINE);
	struct err err = ERR_INIT;
	char hex[HASH_HEX_SIZE];

	if (!driver) {
		hash_hex(image, strlen(image), hex);
		return arena_printf(arena, "sha256:%s", hex);
	}
	assert_done(driver->ops->resolve(driver, image, &digest, &err), err);
	return arena_strdup(arena, buf_str(&digest));
}

struct spec *test_spec(struct arena *arena, struct driver *driver, const char *name,
		       const char *image, const char *config_json)
{
	struct spec *spec = ARENA_NEW(arena, struct spec);
	char *hash = arena_alloc(arena, HASH_HEX_SIZE + 8);

	*spec = (struct spec){
		.name = name,
		.instance = 1,
		.image = image,
		.digest = digest_of(arena, driver, image),
		.config = test_config(arena, config_json),
		.labels = {.owner = TEST_OWNER,
			   .node = "edge-1",
			   .project = "shop",
			   .stage = "prod",
			   .deployment = "web",
			   .product = "storefront",
			   .version = "1.0.0",
			   .prefix = "shop-prod",
			   .container = "web",
			   .commit = "0123456789012345678901234567890123456789",
			   .record = 7},
	};
	spec_hash(spec, hash);
	spec->labels.spec = hash;
	return spec;
}

struct node test_memory_node(struct arena *arena, const char *name, const char *folder)
{
	return (struct node){
		.name = name,
		.driver = DRIVER_MEMORY,
		.endpoint = folder ? arena_printf(arena, "file://%s", folder) : NULL,
	};
}

static int apply(struct driver *driver, const struct op *op, bool *changed, struct err *err)
{
	struct op_result result = {.detail = BUF_INIT(BUF_MAX_LINE)};
	int status = driver->ops->apply(driver, op, &result, err);

	*changed = result.changed;
	buf_release(&result.detail);
	return status;
}

bool test_apply(struct driver *driver, enum op_kind kind, const char *name, const char *to,
		const struct spec *spec)
{
	const struct op op = {.kind = kind, .name = name, .to = to, .spec = spec};
	struct err err = ERR_INIT;
	bool changed;

	if (apply(driver, &op, &changed, &err) != 0)
		fail_msg("%s %s: %s", op_word(kind), name ? name : "", err.text);
	return changed;
}

enum err_code test_apply_code(struct driver *driver, enum op_kind kind, const char *name,
			      const char *to, const struct spec *spec)
{
	const struct op op = {.kind = kind, .name = name, .to = to, .spec = spec};
	struct err err = ERR_INIT;
	bool changed;

	return apply(driver, &op, &changed, &err) == 0 ? E_NONE : err.code;
}

void test_run_spec(struct driver *driver, const struct spec *spec)
{
	test_apply(driver, OP_PULL, NULL, NULL, spec);
	test_apply(driver, OP_CREATE, spec->name, NULL, spec);
	test_apply(driver, OP_START, spec->name, NULL, NULL);
}

struct observed test_observe(struct driver *driver, struct arena *arena)
{
	struct observed observed;
	struct err err = ERR_INIT;

	assert_done(driver->ops->observe(driver, arena, &observed, &err), err);
	return observed;
}

struct workload test_see(struct driver *driver, struct arena *arena, const char *name)
{
	struct observed observed = test_observe(driver, arena);
	const struct workload *workload = observed_find(&observed, name);

	if (!workload)
		fail_msg("there is no container %s", name);
	return *workload;
}

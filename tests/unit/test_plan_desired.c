/*
 * Slots: which there are, and what is in them.
 */
#include "tests/support/test.h"

#include "drivers/driver.h"
#include "plan/desired.h"
#include "schema/canon.h"
#include "tests/support/config_tree.h"
#include "tests/support/shop.h"

static const char *env_of(const struct container *config, const char *key)
{
	for (size_t i = 0; i < config->env.n; i++) {
		if (str_eq(config->env.key[i], key))
			return config->env.value[i];
	}
	return NULL;
}

/* ---- which slots ---- */

static void test_slot(void **state)
{
	struct shop *shop = *state;
	const struct slot *slot;

	shop_build(shop, NULL);
	shop_assert_errors(shop, "");
	assert_int_equal(shop->desired->slots_n, 1);
	slot = shop_slot(shop, "web", "n1");
	assert_string_equal(slot->prefix, "shop-prod");
	assert_string_equal(slot->version_name, "1.0");
	assert_int_equal(slot->type, VERSION_INCREMENTAL);
	assert_null(slot->parent);
	assert_int_equal(slot->unit.level, UNIT_STAGE);
	assert_string_equal(slot->unit.stage, "prod");
	assert_string_equal(slot->node->name, "n1");
	assert_string_equal(slot->stage->name, "prod");
	assert_int_equal(slot->content.containers_n, 2);
	assert_string_equal(slot->content.containers[0].name, "web");
	assert_string_equal(slot->content.containers[0].image, "local/web:1.0");
	assert_null(slot->content.containers[0].digest);
	/* deployment, project, stage, product, version, node */
	assert_int_equal(slot->inputs_n, 6);
	assert_null(desired_find(shop->desired, &(struct slot_key){"shop", "prod", "web", "n2"}));
}

static void test_nodes(void **state)
{
	static const struct {
		const char *where, *nodes, *errors;
	} rows[] = {
		{"node: n2", "n2", ""},
		{"nodes: [n2, n1]", "n1 n2", ""},
		{"nodes: [n1, n1]", "n1", PROD "web.yaml:5 duplicate shop/prod\n"},
		{"nodeSelector: {region: eu}", "n1 n2", ""},
		{"nodeSelector: {region: eu, disk: ssd}", "n1", ""},
		{"nodeSelector: {region: us}", "", PROD "web.yaml:5 no-node shop/prod\n"},
		{"nodes: [n1, n9]", "n1", PROD "web.yaml:5 unknown-node shop/prod\n"},
		{"node: ops", "", PROD "web.yaml:5 team-mismatch shop/prod\n"},
	};
	struct shop *shop = *state;

	config_put(&shop->tree, "teams/ops.yaml", "kind: Team\nname: ops\nmembers: {ann: owner}\n");
	config_put(&shop->tree, "users/ann.yaml", "kind: User\nname: ann\n");
	config_put(&shop->tree, "nodes/ops.yaml",
		   "kind: Node\nname: ops\ndriver: memory\nteam: ops\nlabels: {region: eu}\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = mem_printf(
			"kind: Deployment\nname: web\nproduct: web\nversion: \"1.0\"\n%s\n",
			rows[i].where);
		AUTO_BUF struct buf nodes = BUF_INIT(BUF_MAX_LINE);

		config_put(&shop->tree, PROD "web.yaml", text);
		shop_build(shop, NULL);
		shop_assert_errors(shop, rows[i].errors);
		for (size_t j = 0; j < shop->desired->slots_n; j++)
			buf_addf(&nodes, "%s%s", j ? " " : "", shop->desired->slots[j]->key.node);
		assert_string_equal(buf_str(&nodes), rows[i].nodes);
	}
}

/* What check_model has to say about them is enough: no slot, no crash. */
static void test_missing_documents(void **state)
{
	static const char *const paths[] = {"nodes/n1.yaml", "projects/shop/project.yaml",
					    "projects/shop/products/web.yaml", WEB_1_0,
					    PROD "stage.yaml"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		void *own = NULL;
		struct shop *shop;

		shop_make(&own);
		shop = own;
		config_put(&shop->tree, paths[i], "");
		shop_build(shop, NULL);
		assert_true(shop->diags.errors > 0);
		assert_int_equal(shop->desired->slots_n, 0);
		shop_free(&own);
	}
}

static void test_slots_are_sorted(void **state)
{
	struct shop *shop = *state;

	config_put(&shop->tree, TEST "all.yaml",
		   "kind: Deployment\nname: b\nproduct: mq\nnodes: [n2, n1]\n---\n"
		   "kind: Deployment\nname: a\nproduct: web\nversion: edge\nnode: n2\n");
	shop_build(shop, NULL);
	shop_assert_errors(shop, "");
	assert_int_equal(shop->desired->slots_n, 4);
	for (size_t i = 1; i < shop->desired->slots_n; i++)
		assert_true(slot_key_cmp(&shop->desired->slots[i - 1]->key,
					 &shop->desired->slots[i]->key) < 0);
}

/* ---- what is in them ---- */

static void test_layers_and_templates(void **state)
{
	struct shop *shop = *state;
	const struct container *web, *job;

	config_put(&shop->tree, PROD "web.yaml",
		   "kind: Deployment\n"
		   "name: web\n"
		   "product: web\n"
		   "version: \"1.0\"\n"
		   "nodes: [n1, n2]\n"
		   "prefix: front\n"
		   "config: {env: {LEVEL: warn, P: \"{{ prefix }}-{{version}}\"}, scale: 2}\n"
		   "instances: {web: {config: {env: {LEVEL: debug}}}}\n");
	shop_build(shop, NULL);
	shop_assert_errors(shop, "");
	web = shop_slot(shop, "web", "n2")->content.containers[0].config;
	job = shop_slot(shop, "web", "n2")->content.containers[1].config;
	assert_string_equal(env_of(web, "LEVEL"), "debug");
	assert_string_equal(env_of(job, "LEVEL"), "warn");
	assert_string_equal(env_of(web, "P"), "front-1.0");
	assert_string_equal(env_of(web, "WHO"), "shop/prod/n2");
	web = shop_slot(shop, "web", "n1")->content.containers[0].config;
	assert_string_equal(env_of(web, "WHO"), "shop/prod/n1");
	assert_null(env_of(job, "WHO"));
	assert_int_equal(job->scale, 2);
}

static void test_image_templates(void **state)
{
	struct shop *shop = *state;

	config_put(&shop->tree, PROD "web.yaml",
		   "kind: Deployment\nname: web\nproduct: web\nversion: edge\nnode: n1\n");
	shop_build(shop, NULL);
	shop_assert_errors(shop, "");
	assert_string_equal(shop_slot(shop, "web", "n1")->content.containers[0].image,
			    "local/web:edge");
	/* a name that a version may have, and a tag may not */
	config_put(&shop->tree, WEB_EDGE,
		   "kind: Version\nproduct: web\nname: e+1\ntype: rolling\nimages:\n"
		   "  - {name: web, image: \"local/web:{{ version }}\"}\n");
	config_put(&shop->tree, PROD "web.yaml",
		   "kind: Deployment\nname: web\nproduct: web\nversion: e+1\nnode: n1\n");
	shop_build(shop, NULL);
	shop_assert_errors(shop, WEB_EDGE ":6 bad-image shop/prod\n");
}

/* Said once, of the file it stands in, and to that file's unit. */
static void test_unknown_templates(void **state)
{
	struct shop *shop = *state;

	config_put(&shop->tree, WEB_1_0,
		   "kind: Version\nproduct: web\nname: \"1.0\"\ntype: incremental\nimages:\n"
		   "  - {name: web, image: \"local/{{ x }}:1\", config: {user: \"{{ y }}\"}}\n");
	shop_build(shop, NULL);
	assert_int_equal(shop->diags.n, 2);
	shop_assert_errors(shop, WEB_1_0 ":6 bad-template shop\n" WEB_1_0 ":6 bad-template shop\n");
}

/* A value that a template made unfit is the deployment's problem. */
static void test_unfit_values(void **state)
{
	struct shop *shop = *state;

	config_put(&shop->tree, WEB_EDGE,
		   "kind: Version\nproduct: web\nname: E+1\ntype: rolling\nimages:\n"
		   "  - name: web\n    image: local/web:1\n    config:\n"
		   "      name: w-{{ version }}\n");
	config_put(&shop->tree, PROD "web.yaml",
		   "kind: Deployment\nname: web\nproduct: web\nversion: E+1\nnode: n1\n");
	shop_build(shop, NULL);
	shop_assert_errors(shop, WEB_EDGE ":9 bad-name shop/prod\n");
}

static void test_simple_product(void **state)
{
	struct shop *shop = *state;
	const struct slot *slot;

	config_put(&shop->tree, PROD "mq.yaml",
		   "kind: Deployment\nname: mq\nproduct: mq\nnode: n1\n");
	shop_build(shop, NULL);
	shop_assert_errors(shop, "");
	slot = shop_slot(shop, "mq", "n1");
	assert_null(slot->version);
	assert_null(slot->version_name);
	assert_int_equal(slot->type, VERSION_ROLLING);
	assert_string_equal(slot->content.containers[0].image, "local/mq:3");
}

/* ---- ids ---- */

/* Renaming and splitting files, comments and operations change no id; the rest does. */
static void test_ids(void **state)
{
	static const struct {
		const char *what, *text;
		bool source, input; /* does it change? */
	} rows[] = {
		{"operations",
		 "strategy: {type: recreate}\nnote: hello\nprotected: true\nonFailure: stop\n"
		 "drift: report\nconfig: {scale: 2, stopTimeout: 1s}\n",
		 false, false},
		{"an instance's operations", "instances: {job: {config: {scale: 3}}}\n", false,
		 false},
		{"a comment", "# nothing\n", false, false},
		{"configuration", "config: {env: {X: \"1\"}}\n", true, true},
		{"an instance's", "instances: {job: {config: {user: web}}}\n", true, true},
		{"what was so already", "instances: {web: {config: {env: {LEVEL: info}}}}\n", true,
		 false},
		{"prefix", "prefix: other\n", true, true},
	};
	struct shop *shop = *state;
	char source[RECORD_ID_SIZE], input[RECORD_ID_SIZE];

	shop_build(shop, NULL);
	memcpy(source, shop_slot(shop, "web", "n1")->source_id, sizeof source);
	memcpy(input, shop_slot(shop, "web", "n1")->input_id, sizeof input);
	config_put(&shop->tree, PROD "web.yaml", "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = mem_printf("node: n1\nversion: \"1.0\"\nproduct: web\n%s"
						  "name: web\nkind: Deployment\n",
						  rows[i].text);
		const struct slot *slot;

		config_put(&shop->tree, PROD "deeper/renamed.yaml", text);
		shop_build(shop, NULL);
		shop_assert_errors(shop, "");
		slot = shop_slot(shop, "web", "n1");
		if (str_eq(slot->source_id, source) == rows[i].source ||
		    str_eq(slot->input_id, input) == rows[i].input)
			fail_msg("%s", rows[i].what);
	}
}

/* ---- a version that only the ledger has ---- */

static void test_version_from_the_ledger(void **state)
{
	struct shop *shop = *state;
	struct frozen frozen = {.project = "shop",
				.product = "web",
				.version = "1.0",
				.parent = "0.9",
				.commit = "c",
				.node = "n2"};
	struct history history = {.frozen = &frozen, .frozen_n = 1};
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	char version[RECORD_ID_SIZE], source[RECORD_ID_SIZE], input[RECORD_ID_SIZE];
	struct content_container containers[2];
	struct content resolved;
	const struct slot *slot;

	shop_build(shop, NULL);
	slot = shop_slot(shop, "web", "n1");
	memcpy(version, slot->version_id, sizeof version);
	memcpy(source, slot->source_id, sizeof source);
	memcpy(input, slot->input_id, sizeof input);
	resolved = slot->content;
	resolved.containers = memcpy(containers, resolved.containers, sizeof containers);
	containers[0].digest = "sha256:aa";
	content_write_version(slot->images, &slot->version->requires, &resolved, &text);
	frozen.content = buf_str(&text);
	frozen.content_id = version;
	config_put(&shop->tree, WEB_1_0, "");
	config_put(&shop->tree, WEB_1_1, "");
	shop_build(shop, &history);
	slot = shop_slot(shop, "web", "n1");
	assert_null(slot->version);
	assert_string_equal(slot->version_name, "1.0");
	assert_string_equal(slot->parent, "0.9");
	assert_int_equal(slot->type, VERSION_INCREMENTAL);
	assert_string_equal(slot->version_id, version);
	assert_string_equal(slot->source_id, source);
	assert_string_equal(slot->input_id, input);
	assert_string_equal(env_of(slot->content.containers[0].config, "WHO"), "shop/prod/n1");
	assert_null(slot->content.containers[0].digest); /* resolved when a record is made */
	/* damaged content is none */
	frozen.content = "{}";
	shop_build(shop, &history);
	assert_int_equal(shop->desired->slots_n, 0);
}

/* ---- strategy ---- */

static void test_strategy(void **state)
{
	static const struct {
		const char *node, *strategy, *config;
		enum strategy_type_value type;
		const char *reason;
	} rows[] = {
		{"n1", "{}", "{}", STRATEGY_ROLLING, NULL},
		{"n1", "{type: rolling}", "{}", STRATEGY_ROLLING, NULL},
		{"n1", "{type: recreate}", "{}", STRATEGY_RECREATE, NULL},
		{"n1", "{}", "{volumes: [{name: data, path: d}]}", STRATEGY_RECREATE,
		 "writable volume data"},
		{"n1", "{}", "{volumes: [{name: data, path: d, shared: true}]}", STRATEGY_ROLLING,
		 NULL},
		{"n1", "{}", "{volumes: [{name: data, path: d, readOnly: true}]}", STRATEGY_ROLLING,
		 NULL},
		{"n1", "{}", "{volumes: [{name: data, path: d, type: ro}]}", STRATEGY_ROLLING,
		 NULL},
		{"n1", "{}", "{volumes: [{name: t, path: d, type: tmp}]}", STRATEGY_ROLLING, NULL},
		{"n1", "{}", "{volumes: [{hostPath: /srv/x, path: d}]}", STRATEGY_RECREATE,
		 "writable volume /srv/x"},
		{"n1", "{}", "{ports: [{container: 80}]}", STRATEGY_ROLLING, NULL},
		{"n1", "{}", "{ports: [\"8080:80\"]}", STRATEGY_RECREATE, "fixed host port 8080"},
		{"h1", "{}", "{}", STRATEGY_RECREATE, "host driver"},
		{"h1", "{type: rolling}", "{}", STRATEGY_ROLLING, NULL},
		{"h1", "{}", "{ports: [\"8080:80\"]}", STRATEGY_RECREATE, "fixed host port 8080"},
	};
	struct shop *shop = *state;

	config_put(&shop->tree, PROD "web.yaml", "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text =
			mem_printf("kind: Deployment\nname: mq\nproduct: mq\nnode: %s\n"
				   "strategy: %s\nconfig: %s\n",
				   rows[i].node, rows[i].strategy, rows[i].config);
		const struct slot *slot;

		config_put(&shop->tree, PROD "mq.yaml", text);
		shop_build(shop, NULL);
		shop_assert_errors(shop, "");
		slot = shop_slot(shop, "mq", rows[i].node);
		if (slot->strategy != rows[i].type ||
		    !str_eq(slot->strategy_reason, rows[i].reason))
			fail_msg("%s %s: %d, %s", rows[i].strategy, rows[i].config, slot->strategy,
				 slot->strategy_reason ? slot->strategy_reason : "-");
	}
}

/* ---- specs ---- */

static void test_specs(void **state)
{
	struct shop *shop = *state;
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct slot *slot;
	struct spec *specs;
	size_t n;

	config_put(&shop->tree, PROD "web.yaml",
		   "kind: Deployment\nname: web\nproduct: web\nversion: \"1.0\"\nnode: n1\n"
		   "instances:\n"
		   "  web: {config: {scale: 3}}\n"
		   "  job: {config: {name: worker, stopTimeout: 3s}}\n");
	shop_build(shop, NULL);
	slot = shop_slot(shop, "web", "n1");
	specs = desired_specs(slot, &slot->content, NULL, "acme/1", arena, &n);
	assert_int_equal(n, 4);
	assert_string_equal(specs[0].name, "shop-prod-web");
	assert_string_equal(specs[1].name, "shop-prod-web-2");
	assert_string_equal(specs[2].name, "shop-prod-web-3");
	assert_int_equal(specs[2].instance, 3);
	assert_string_equal(specs[3].name, "shop-prod-worker");
	assert_string_equal(specs[3].labels.container, "job");
	assert_string_equal(specs[3].labels.owner, "acme/1");
	assert_string_equal(specs[3].labels.version, "1.0");
	assert_string_equal(specs[3].labels.prefix, "shop-prod");
	assert_int_equal(specs[3].labels.record, 0);
	assert_string_equal(specs[0].labels.spec, specs[2].labels.spec);
	assert_string_not_equal(specs[0].labels.spec, specs[3].labels.spec);
	assert_int_equal(specs[3].config->stop_timeout, 3000);
}

/*
 * Those that run before a container stand before it, each instance's before it, with its network
 * and limits, and their own environment; the container's own spec has their digests.
 */
static void test_specs_of_inits(void **state)
{
	struct shop *shop = *state;
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf config = BUF_INIT(BUF_MAX_TEXT);
	const struct slot *slot;
	struct content resolved;
	struct spec *specs, *bare;
	size_t n;

	config_put(&shop->tree, PROD "web.yaml", "");
	config_put(&shop->tree, PROD "mq.yaml",
		   "kind: Deployment\nname: mq\nproduct: mq\nnode: n1\nconfig:\n"
		   "  env: {A: a}\n  user: nobody\n  scale: 2\n  networks: [back]\n"
		   "  resources: {memory: 64Mi}\n  volumes: [{name: v, path: /v, shared: true}]\n"
		   "  init:\n"
		   "    - {name: one, image: \"main/{{ stage }}/one:1\", env: {B: b}}\n"
		   "    - {name: two, image: main/shop/two:1, command: [x], args: [y],"
		   " volumes: [{name: v, path: /w}]}\n");
	shop_build(shop, NULL);
	slot = shop_slot(shop, "mq", "n1");
	resolved = slot->content;
	resolved.containers =
		arena_memdup(arena, slot->content.containers,
			     slot->content.containers_n * sizeof *resolved.containers);
	bare = desired_specs(slot, &resolved, NULL, "acme/1", arena, &n);
	for (struct content_image at = {0}; content_next_image(&slot->content, &at);)
		content_set_digest(arena, &resolved, &at,
				   arena_printf(arena, "sha256:%zu%zu", at.number, at.next_init));
	assert_true(content_is_resolved(&resolved));
	specs = desired_specs(slot, &resolved, NULL, "acme/1", arena, &n);
	assert_int_equal(n, 6);
	assert_string_equal(specs[0].name, "shop-prod-mq.init-one");
	assert_string_equal(specs[1].name, "shop-prod-mq.init-two");
	assert_string_equal(specs[2].name, "shop-prod-mq");
	assert_string_equal(specs[3].name, "shop-prod-mq-2.init-one");
	assert_string_equal(specs[5].name, "shop-prod-mq-2");
	assert_string_equal(specs[0].image, "main/prod/one:1");
	assert_string_equal(specs[0].digest, "sha256:01");
	assert_string_equal(specs[1].digest, "sha256:02");
	assert_string_equal(specs[0].labels.container, "mq");
	assert_string_equal(specs[0].labels.init, "one");
	assert_null(specs[2].labels.init);
	canon_container(specs[0].config, CANON_ALL, &config);
	buf_addc(&config, '\n');
	canon_container(specs[1].config, CANON_ALL, &config);
	assert_string_equal(buf_str(&config),
			    "{\"env\":{\"B\":\"b\"},\"expect\":{\"state\":\"exited\"},"
			    "\"networks\":[\"back\"],\"resources\":{\"memory\":\"64Mi\"}}\n"
			    "{\"args\":[\"y\"],\"command\":[\"x\"],"
			    "\"expect\":{\"state\":\"exited\"},\"networks\":[\"back\"],"
			    "\"resources\":{\"memory\":\"64Mi\"},"
			    "\"volumes\":[{\"name\":\"v\",\"path\":\"/w\"}]}");
	assert_string_equal(specs[2].config->init.v[0].image, "main/prod/one:1@sha256:01");
	assert_string_equal(bare[2].config->init.v[0].image, "main/prod/one:1");
	assert_string_not_equal(bare[2].labels.spec, specs[2].labels.spec);
}

/* A record's release fields with the operations of the commit, under the record's own prefix. */
static void test_specs_of_a_record(void **state)
{
	struct shop *shop = *state;
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct record record = {
		.id = 7, .product = "web", .version = "0.9", .prefix = "old", .commit = "c0ffee"};
	struct content recorded;
	struct err err = ERR_INIT;
	struct spec *specs;
	size_t n;

	config_put(&shop->tree, PROD "web.yaml",
		   "kind: Deployment\nname: web\nproduct: web\nversion: \"1.0\"\nnode: n1\n"
		   "config: {stopTimeout: 3s, env: {NEW: \"1\"}}\n"
		   "instances:\n"
		   "  web: {config: {scale: 2}}\n");
	shop_build(shop, NULL);
	assert_done(content_read("{\"containers\":["
				 "{\"config\":{\"env\":{\"OLD\":\"1\"}},\"digest\":\"sha256:aa\","
				 "\"image\":\"local/web:0.9\",\"name\":\"web\"},"
				 "{\"config\":{\"scale\":2},\"digest\":\"sha256:bb\","
				 "\"image\":\"local/gone:0.9\",\"name\":\"gone\"}]}",
				 arena, &recorded, &err),
		    err);
	specs = desired_specs(shop_slot(shop, "web", "n1"), &recorded, &record, "acme/1", arena,
			      &n);
	assert_int_equal(n, 4);
	assert_string_equal(specs[0].name, "old-web");
	assert_string_equal(specs[1].name, "old-web-2");
	assert_string_equal(specs[0].digest, "sha256:aa");
	assert_string_equal(env_of(specs[0].config, "OLD"), "1");
	assert_null(env_of(specs[0].config, "NEW"));
	assert_int_equal(specs[0].config->stop_timeout, 3000);
	assert_string_equal(specs[0].labels.version, "0.9");
	assert_string_equal(specs[0].labels.commit, "c0ffee");
	assert_int_equal(specs[0].labels.record, 7);
	/* not in the version any more: the deployment's own operations over the recorded ones */
	assert_string_equal(specs[2].name, "old-gone");
	assert_string_equal(specs[3].name, "old-gone-2");
	assert_int_equal(specs[2].config->stop_timeout, 3000);
	assert_null(env_of(specs[2].config, "NEW"));
}

static void test_scale_zero(void **state)
{
	struct shop *shop = *state;
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct slot *slot;
	size_t n = 42;

	config_put(&shop->tree, PROD "mq.yaml",
		   "kind: Deployment\nname: mq\nproduct: mq\nnode: n1\nconfig: {scale: 0}\n");
	shop_build(shop, NULL);
	slot = shop_slot(shop, "mq", "n1");
	desired_specs(slot, &slot->content, NULL, "acme/1", arena, &n);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH_SHOP(test_slot),
		TEST_WITH_SHOP(test_nodes),
		cmocka_unit_test(test_missing_documents),
		TEST_WITH_SHOP(test_slots_are_sorted),
		TEST_WITH_SHOP(test_layers_and_templates),
		TEST_WITH_SHOP(test_image_templates),
		TEST_WITH_SHOP(test_unknown_templates),
		TEST_WITH_SHOP(test_unfit_values),
		TEST_WITH_SHOP(test_simple_product),
		TEST_WITH_SHOP(test_ids),
		TEST_WITH_SHOP(test_version_from_the_ledger),
		TEST_WITH_SHOP(test_strategy),
		TEST_WITH_SHOP(test_specs),
		TEST_WITH_SHOP(test_specs_of_inits),
		TEST_WITH_SHOP(test_specs_of_a_record),
		TEST_WITH_SHOP(test_scale_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

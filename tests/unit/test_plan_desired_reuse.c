/*
 * Taking over what did not change: it must be the very thing, nothing else may be, and along random
 * edits the result must be that of a build from nothing.
 */
#include "tests/support/test.h"

#include "tests/support/shop.h"

/* How many deployments were taken over; all of them are given as "name+" or "name-". */
static char *taken(const struct shop *shop)
{
	struct buf out = BUF_INIT(BUF_MAX_LINE);

	for (size_t i = 0; i < shop->desired->groups_n; i++)
		buf_addf(&out, "%s%s%c", i ? " " : "", shop->model->deployments.v[i]->name,
			 shop->desired->taken[i] ? '+' : '-');
	return buf_take(&out);
}

/* Deployments: all is on every node of region eu, few on two named ones, mq and web on one. */
static const char deployments[] = ">>> " PROD "all.yaml\n"
				  "kind: Deployment\n"
				  "name: all\n"
				  "product: mq\n"
				  "prefix: all\n"
				  "nodeSelector: {region: eu}\n"
				  ">>> " PROD "few.yaml\n"
				  "kind: Deployment\n"
				  "name: few\n"
				  "product: web\n"
				  "version: edge\n"
				  "prefix: few\n"
				  "nodes: [n1, n2]\n"
				  ">>> " PROD "mq.yaml\n"
				  "kind: Deployment\n"
				  "name: mq\n"
				  "product: mq\n"
				  "prefix: mq\n"
				  "node: n2\n"
				  "bundles: [small]\n"
				  ">>> bundles/all.yaml\n"
				  "kind: ConfigBundle\n"
				  "name: small\n"
				  "config: {resources: {memory: 64Mi}}\n";

static void test_what_is_taken_over(void **state)
{
	static const struct {
		const char *what, *path, *text, *taken;
	} rows[] = {
		{"nothing changed", "README.yaml", "", "all+ few+ mq+ web+"},
		{"a deployment", PROD "mq.yaml",
		 "kind: Deployment\nname: mq\nproduct: mq\nnode: n2\nprefix: mq\nnote: x\n"
		 "bundles: [small]\n",
		 "all+ few+ mq- web+"},
		{"a new deployment", PROD "aaa.yaml",
		 "kind: Deployment\nname: aaa\nproduct: mq\nnode: n2\nprefix: a\n",
		 "aaa- all+ few+ mq+ web+"},
		{"a deployment is gone", PROD "few.yaml", "", "all+ mq+ web+"},
		{"a product", MQ,
		 "kind: Product\nname: mq\ntype: simple\nimages: [{name: mq, image: "
		 "\"local/mq:4\"}]\n",
		 "all- few+ mq- web+"},
		{"a version", WEB_1_0,
		 "kind: Version\nproduct: web\nname: \"1.0\"\ntype: incremental\n"
		 "images: [{name: web, image: \"local/web:x\"}]\n",
		 "all+ few+ mq+ web-"},
		{"a version nobody deploys", WEB_1_1, "", "all+ few+ mq+ web+"},
		{"a node", "nodes/n1.yaml",
		 "kind: Node\nname: n1\ndriver: memory\nlabels: {region: eu, disk: hdd}\n",
		 "all- few- mq+ web-"},
		{"a new node", "nodes/n3.yaml",
		 "kind: Node\nname: n3\ndriver: memory\nlabels: {region: eu}\n",
		 "all- few+ mq+ web+"},
		{"a stage", PROD "stage.yaml", "kind: Stage\nname: prod\nprotected: true\n",
		 "all- few- mq- web-"},
		{"a project", "projects/shop/project.yaml", "# new\nkind: Project\nname: shop\n",
		 "all- few- mq- web-"},
		{"a bundle", "bundles/all.yaml",
		 "kind: ConfigBundle\nname: small\nconfig: {resources: {memory: 32Mi}}\n",
		 "all+ few+ mq- web+"},
		{"a bundle nobody names", "projects/shop/bundles/a.yaml",
		 "kind: ConfigBundle\nname: large\nconfig: {resources: {memory: 1Gi}}\n",
		 "all+ few+ mq+ web+"},
		{"another stage", TEST "stage.yaml", "kind: Stage\nname: test\nprotected: true\n",
		 "all+ few+ mq+ web+"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *got = NULL;
		void *own = NULL;
		struct shop *shop;

		shop_make(&own);
		shop = own;
		config_put_all(&shop->tree, deployments);
		shop_build(shop, NULL);
		shop_assert_errors(shop, "");
		if (!str_eq(rows[i].path, "README.yaml"))
			config_put(&shop->tree, rows[i].path, rows[i].text);
		shop_build_on(shop, NULL);
		shop_assert_errors(shop, "");
		got = taken(shop);
		if (!str_eq(got, rows[i].taken))
			fail_msg("%s: %s", rows[i].what, got);
		shop_free(&own);
	}
}

/* What is missing is looked for again, and what only the ledger had may come back as a file. */
static void test_what_was_missing(void **state)
{
	struct shop *shop = *state;
	AUTO_FREE char *first = NULL, *again = NULL, *third = NULL;

	config_put(&shop->tree, PROD "late.yaml",
		   "kind: Deployment\nname: late\nproduct: web\nversion: \"9.9\"\nnode: n2\n");
	shop_build(shop, NULL);
	assert_int_equal(shop->desired->slots_n, 1);
	config_put(&shop->tree, "projects/shop/products/web-9.9.yaml",
		   "kind: Version\nproduct: web\nname: \"9.9\"\ntype: incremental\n"
		   "images: [{name: web, image: \"local/web:9.9\"}]\n");
	shop_build_on(shop, NULL);
	first = taken(shop);
	assert_string_equal(first, "late- web+");
	assert_int_equal(shop->desired->slots_n, 2);
	shop_build_on(shop, NULL);
	again = taken(shop);
	assert_string_equal(again, "late+ web+");
	shop_build_on(shop, NULL);
	third = taken(shop);
	assert_string_equal(third, "late+ web+");
}

/* A slot taken over outlives the state it came from. */
static void test_slots_outlive_their_state(void **state)
{
	struct shop *shop = *state;
	const struct container *config;

	shop_build(shop, NULL);
	config = shop_slot(shop, "web", "n1")->content.containers[0].config;
	for (int i = 0; i < 3; i++) {
		shop_build_on(shop, NULL);
		assert_ptr_equal(shop_slot(shop, "web", "n1")->content.containers[0].config,
				 config);
	}
	assert_string_equal(config->env.value[1], "shop/prod/n1");
}

static void test_version_comes_back_as_a_file(void **state)
{
	struct shop *shop = *state;
	struct frozen frozen = {
		.project = "shop",
		.product = "web",
		.version = "1.0",
		.content_id = "1:x",
		.content = "{\"containers\":[{\"config\":{},\"image\":\"local/web:1.0\","
			   "\"name\":\"web\"}]}"};
	struct history history = {.frozen = &frozen, .frozen_n = 1};

	config_put(&shop->tree, WEB_1_0, "");
	config_put(&shop->tree, WEB_1_1, "");
	shop_build(shop, &history);
	assert_string_equal(shop_slot(shop, "web", "n1")->version_id, "1:x");
	shop_build_on(shop, NULL); /* what was read once is not read again */
	assert_true(shop->desired->taken[0]);
	assert_string_equal(shop_slot(shop, "web", "n1")->version_id, "1:x");
	config_put(&shop->tree, WEB_1_0,
		   "kind: Version\nproduct: web\nname: \"1.0\"\ntype: rolling\n"
		   "images: [{name: web, image: \"local/web:1.0\"}]\n");
	shop_build_on(shop, &history);
	assert_false(shop->desired->taken[0]);
	assert_non_null(shop_slot(shop, "web", "n1")->version);
}

/* ---- random edits ---- */

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 16) % sides;
}

static void edit_deployment(struct config_tree *tree, uint32_t *seed)
{
	static const char *const places[] = {"node: n1", "node: n2", "nodes: [n2, n1]",
					     "nodeSelector: {region: eu}",
					     "nodeSelector: {disk: ssd}"};
	static const char *const contents[] = {
		"product: mq", "product: web\nversion: \"1.0\"", "product: web\nversion: \"1.1\"",
		"product: web\nversion: edge", "product: web\nversion: lost"};
	static const char *const configs[] = {
		"{}",
		"{scale: 2}",
		"{env: {A: \"{{ node }}\"}}",
		"{ports: [\"80:80\"]}",
		"{ports: [{container: 80, host: 80, address: 10.0.0.1}]}",
		"{volumes: [{name: v, path: d, shared: true}]}",
		"{volumes: [{name: v, path: d}]}",
	};
	const char *stage = dice(seed, 4) ? "prod" : "test";
	AUTO_FREE char *path =
		mem_printf("projects/shop/stages/%s/d%u.yaml", stage, (unsigned)dice(seed, 5));
	AUTO_FREE char *text =
		mem_printf("kind: Deployment\nname: %.2s\n%s\n%s\nprefix: p%u\nconfig: %s\n",
			   strrchr(path, '/') + 1, contents[dice(seed, ARRAY_LEN(contents))],
			   places[dice(seed, ARRAY_LEN(places))], (unsigned)dice(seed, 3),
			   configs[dice(seed, ARRAY_LEN(configs))]);

	config_put(tree, path, dice(seed, 6) ? text : "");
}

static void edit_node(struct config_tree *tree, uint32_t *seed)
{
	unsigned number = 1 + (unsigned)dice(seed, 3);
	AUTO_FREE char *path = mem_printf("nodes/n%u.yaml", number);
	AUTO_FREE char *text = mem_printf(
		"kind: Node\nname: n%u\ndriver: memory\nlabels: {region: %s, disk: %s}\n%s", number,
		dice(seed, 2) ? "eu" : "us", dice(seed, 2) ? "ssd" : "hdd",
		dice(seed, 6) ? "" : "endpoint: file:///same\n");

	config_put(tree, path, number == 3 && dice(seed, 2) ? "" : text);
}

static void edit_content(struct config_tree *tree, uint32_t *seed)
{
	AUTO_FREE char *edge = mem_printf("kind: Version\nproduct: web\nname: edge\ntype: rolling\n"
					  "images: [{name: web, image: \"local/web:%u\"}]\n",
					  (unsigned)dice(seed, 3));
	AUTO_FREE char *mq = mem_printf("kind: Product\nname: mq\ntype: simple\n"
					"images: [{name: mq, image: \"local/mq:%u\"}]\n",
					(unsigned)dice(seed, 3));
	AUTO_FREE char *lost = mem_printf("kind: Version\nproduct: web\nname: lost\n"
					  "type: rolling\n"
					  "images: [{name: web, image: \"local/lost:%u\"}]\n",
					  (unsigned)dice(seed, 2));

	switch (dice(seed, 4)) {
	case 0:
		config_put(tree, WEB_EDGE, edge);
		break;
	case 1:
		config_put(tree, MQ, mq);
		break;
	case 2:
		config_put(tree, "projects/shop/products/lost.yaml", dice(seed, 2) ? lost : "");
		break;
	default:
		config_put(tree, PROD "stage.yaml",
			   dice(seed, 2) ? "kind: Stage\nname: prod\n"
					 : "kind: Stage\nname: prod\nprotected: true\n");
	}
}

static char *describe(const struct desired *desired)
{
	struct buf out = BUF_INIT(BUF_MAX_OUTPUT);

	for (size_t i = 0; i < desired->slots_n; i++) {
		const struct slot *slot = desired->slots[i];

		buf_addf(&out, "%s/%s/%s/%s %s %s %d %s %s %d %s\n", slot->key.project,
			 slot->key.stage, slot->key.deployment, slot->key.node, slot->product->name,
			 slot->version_name ? slot->version_name : "-", (int)slot->type,
			 slot->prefix, slot->input_id, (int)slot->strategy,
			 slot->strategy_reason ? slot->strategy_reason : "-");
		buf_addf(&out, " %s %s\n ", slot->source_id, slot->version_id);
		for (size_t j = 0; j < slot->inputs_n; j++)
			buf_addf(&out, " %s", slot->inputs[j]->path);
		content_write(&slot->content, &out);
	}
	return buf_take(&out);
}

/* What all checks say of a state: the same whether it was built on another one or not. */
static char *problems(const struct desired *desired, const struct model *model, struct diags *diags)
{
	desired_check(desired, model, NULL, diags);
	return config_errors(diags);
}

static void copy_tree(const struct config_tree *from, struct config_tree *to)
{
	config_release(to);
	for (size_t i = 0; i < from->files.n; i++)
		VEC_PUSH(&to->files, file_ref(from->files.v[i]));
}

struct walk {
	struct config_tree tree, accepted;
	struct model *model;	 /* of what was accepted last */
	struct desired *desired; /* built step upon step */
	size_t steps, refused, taken;
};

/* One commit: built from nothing and on what was accepted. Refused, it leaves no trace. */
static void step(struct walk *walk)
{
	AUTO_DIAGS struct diags diags = {0}, diags_on = {0};
	struct model *model = config_model(&walk->tree, &diags);
	struct model *again = config_model(&walk->tree, &diags_on);
	struct desired *whole = desired_build(model, NULL, NULL, &diags);
	struct desired *on = desired_build(again, NULL, walk->desired, &diags_on);
	AUTO_FREE char *one = describe(whole), *other = describe(on);
	AUTO_FREE char *said = problems(whole, model, &diags);
	AUTO_FREE char *said_on = problems(on, again, &diags_on);

	assert_string_equal(one, other);
	assert_string_equal(said, said_on);
	for (size_t i = 0; i < on->groups_n; i++)
		walk->taken += on->taken[i];
	walk->steps++;
	desired_free(whole);
	model_free(model);
	if (*said) {
		walk->refused++;
		desired_free(on);
		model_free(again);
		copy_tree(&walk->accepted, &walk->tree);
		return;
	}
	desired_free(walk->desired);
	model_free(walk->model);
	walk->desired = on;
	walk->model = again;
	copy_tree(&walk->tree, &walk->accepted);
}

static void test_random_edits(void **state)
{
	struct walk walk = {0};
	uint32_t seed = 7;

	(void)state;
	config_put_file(&walk.tree, "tests/data/desired/shop.files");
	step(&walk);
	while (walk.steps < 1500) {
		for (uint32_t edits = 1 + dice(&seed, 2); edits; edits--) {
			switch (dice(&seed, 6)) {
			case 0:
				edit_node(&walk.tree, &seed);
				break;
			case 1:
				edit_content(&walk.tree, &seed);
				break;
			default:
				edit_deployment(&walk.tree, &seed);
			}
		}
		step(&walk);
	}
	/* the walk saw both sides */
	assert_true(walk.refused > 100 && walk.refused < walk.steps - 100);
	assert_true(walk.taken > walk.steps);
	desired_free(walk.desired);
	model_free(walk.model);
	config_release(&walk.tree);
	config_release(&walk.accepted);
}

/* A bundle that is named before it is there. */
static void test_a_bundle_comes(void **state)
{
	struct shop *shop = *state;

	config_put(&shop->tree, PROD "late.yaml",
		   "kind: Deployment\nname: late\nproduct: mq\nprefix: late\nnode: n2\n"
		   "bundles: [late]\n");
	shop_build(shop, NULL);
	config_put(&shop->tree, "projects/shop/bundles/late.yaml",
		   "kind: ConfigBundle\nname: late\nconfig: {user: nobody}\n");
	shop_build_on(shop, NULL);
	assert_string_equal(shop_slot(shop, "late", "n2")->content.containers[0].config->user,
			    "nobody");
}

#define REGISTRY "registries/main.yaml"

/* A Registry is part of no deployment's file, and yet what an image is depends on it. */
static void test_a_registry_changes(void **state)
{
	struct shop *shop = *state;
	AUTO_FREE char *moved = NULL, *gone = NULL;

	config_put(&shop->tree, REGISTRY,
		   "kind: Registry\nname: main\ntype: v2\nurl: registry.example.org\n");
	config_put(&shop->tree, MQ,
		   "kind: Product\nname: mq\ntype: simple\nimages: [{name: mq, image: "
		   "\"main/shop/mq:{{ stage }}\"}]\n");
	config_put(&shop->tree, PROD "mq.yaml",
		   "kind: Deployment\nname: mq\nproduct: mq\nnode: n2\nprefix: mq\n");
	shop_build(shop, NULL);
	shop_assert_errors(shop, "");
	config_put(&shop->tree, REGISTRY,
		   "kind: Registry\nname: main\ntype: v2\nurl: other.example.org\n");
	shop_build_on(shop, NULL);
	shop_assert_errors(shop, "");
	moved = taken(shop);
	/* a local image has none */
	assert_string_equal(moved, "mq- web+");
	config_put(&shop->tree, REGISTRY, "");
	shop_build_on(shop, NULL);
	gone = taken(shop);
	assert_string_equal(gone, "mq- web+");
	shop_assert_errors(shop, MQ ":4 unknown-registry shop/prod\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_taken_over),
		TEST_WITH_SHOP(test_what_was_missing),
		TEST_WITH_SHOP(test_a_bundle_comes),
		TEST_WITH_SHOP(test_a_registry_changes),
		TEST_WITH_SHOP(test_slots_outlive_their_state),
		TEST_WITH_SHOP(test_version_comes_back_as_a_file),
		cmocka_unit_test(test_random_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

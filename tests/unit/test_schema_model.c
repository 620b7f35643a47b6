#include "tests/support/test.h"

#include "base/vec.h"
#include "schema/check.h"
#include "schema/decode.h"

/* Paths, files, the index, look-ups, and what history adds to the check. */

static struct file *decode(const char *path, const char *text)
{
	static const struct oid blob;

	return file_decode(path, &blob, text, strlen(text));
}

/* ---- paths ---- */

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		enum path_class class;
		enum unit_level level;
		const char *project, *stage;
	} rows[] = {
		{"organization.yaml", PATH_MANIFEST, UNIT_ORGANIZATION, NULL, NULL},
		{"organization.yml", PATH_MANIFEST, UNIT_ORGANIZATION, NULL, NULL},
		{"teams/a.yaml", PATH_MANIFEST, UNIT_ORGANIZATION, NULL, NULL},
		{"users/deep/er/a.yml", PATH_MANIFEST, UNIT_ORGANIZATION, NULL, NULL},
		{"nodes/a.yaml", PATH_MANIFEST, UNIT_ORGANIZATION, NULL, NULL},
		{"registries/a.yaml", PATH_MANIFEST, UNIT_ORGANIZATION, NULL, NULL},
		{"bundles/a.yaml", PATH_MANIFEST, UNIT_ORGANIZATION, NULL, NULL},
		{"projects/p/project.yaml", PATH_MANIFEST, UNIT_PROJECT, "p", NULL},
		{"projects/p/products/x/y.yaml", PATH_MANIFEST, UNIT_PROJECT, "p", NULL},
		{"projects/p/bundles/y.yaml", PATH_MANIFEST, UNIT_PROJECT, "p", NULL},
		{"projects/p/stages/y.yaml", PATH_MANIFEST, UNIT_PROJECT, "p", NULL},
		{"projects/p/stages/s/stage.yaml", PATH_MANIFEST, UNIT_STAGE, "p", "s"},
		{"projects/p/stages/s/a/b/c.yml", PATH_MANIFEST, UNIT_STAGE, "p", "s"},
		{"README.md", PATH_IGNORED, 0, NULL, NULL},
		{"teams/a.yaml.bak", PATH_IGNORED, 0, NULL, NULL},
		{".github/workflows/a.yaml", PATH_IGNORED, 0, NULL, NULL},
		{"projects/p/.hidden/a.yaml", PATH_IGNORED, 0, NULL, NULL},
		{"projects/p/stages/s/.a.yaml", PATH_IGNORED, 0, NULL, NULL},
		{"a.yaml", PATH_ELSEWHERE, 0, NULL, NULL},
		{"projects/a.yaml", PATH_ELSEWHERE, 0, NULL, NULL},
		{"other/a.yaml", PATH_ELSEWHERE, 0, NULL, NULL},
		{"teams.yaml", PATH_ELSEWHERE, 0, NULL, NULL},
		{"sub/organization.yaml", PATH_ELSEWHERE, 0, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct unit_names names;
		struct unit unit = {0};

		if (path_classify(rows[i].path, &unit, &names) != rows[i].class)
			fail_msg("%s", rows[i].path);
		if (rows[i].class != PATH_MANIFEST)
			continue;
		assert_int_equal(unit.level, rows[i].level);
		assert_true(str_eq(unit.project, rows[i].project));
		assert_true(str_eq(unit.stage, rows[i].stage));
	}
}

static void test_long_folder_names_are_cut(void **state)
{
	AUTO_FREE char *path = mem_printf("projects/%0200d/project.yaml", 1);
	struct unit_names names;
	struct unit unit;

	(void)state;
	assert_int_equal(path_classify(path, &unit, &names), PATH_MANIFEST);
	assert_int_equal(strlen(unit.project), 63);
}

static void test_compose_paths(void **state)
{
	(void)state;
}

static void test_units_in_order(void **state)
{
	const struct unit organization = {UNIT_ORGANIZATION, NULL, NULL};
	const struct unit project = {UNIT_PROJECT, "a", NULL}, stage = {UNIT_STAGE, "a", "s"};
	const struct unit other = {UNIT_PROJECT, "b", NULL};

	(void)state;
	assert_true(unit_cmp(&organization, &project) < 0);
	assert_true(unit_cmp(&project, &stage) < 0);
	assert_true(unit_cmp(&stage, &other) < 0);
	assert_true(unit_cmp(&other, &stage) > 0);
	assert_int_equal(unit_cmp(&stage, &(struct unit){UNIT_STAGE, "a", "s"}), 0);
}

/* ---- files ---- */

static void test_a_file_knows_where_its_values_stand(void **state)
{
	struct file *file = decode("projects/shop/stages/prod/a.yaml", "kind: Deployment\n"
								       "name: a\n"
								       "product: ledger\n"
								       "nodes: [edge-1,\n"
								       "        edge-2]\n"
								       "config:\n"
								       "  env:\n"
								       "    B: 2\n"
								       "    A: 1\n");
	const struct deployment *deployment;

	(void)state;
	assert_int_equal(file->diags_n, 0);
	assert_int_equal(file->documents_n, 1);
	assert_int_equal(file->documents[0].kind, KIND_deployment);
	deployment = file->documents[0].value;
	assert_ptr_equal(deployment->from.file, file);
	assert_int_equal(deployment->from.at.line, 1);
	assert_int_equal(AT(deployment, deployment, product).line, 3);
	assert_int_equal(AT(deployment, deployment, product).column, 10);
	assert_int_equal(AT(deployment, deployment, product).width, 6);
	assert_int_equal(AT(deployment, deployment, config).line, 6);
	assert_int_equal(AT(deployment, deployment, version).line, 0);
	assert_int_equal(deployment->nodes.at[1].line, 5);
	assert_int_equal(deployment->nodes.at[1].column, 9);
	assert_string_equal(deployment->config->env.key[0], "A");
	assert_int_equal(deployment->config->env.at[0].line, 9);
	assert_string_equal(PATH_OF(deployment, deployment, product), file->path);
	assert_true(IS_SET(deployment, deployment, nodes));
	assert_false(IS_SET(deployment, deployment, version));
	file_unref(file);
}

static void test_wrong_values_are_unset_and_marked(void **state)
{
	struct file *file = decode("projects/shop/stages/prod/a.yaml", "kind: Deployment\n"
								       "name: a\n"
								       "product: [b]\n"
								       "version:\n"
								       "node: n\n");
	const struct deployment *deployment = file->documents[0].value;

	(void)state;
	assert_int_equal(file->diags_n, 1);
	assert_null(deployment->product);
	assert_false(IS_SET(deployment, deployment, product));
	assert_true(IS_GIVEN(deployment, deployment, product));
	assert_false(IS_GIVEN(deployment, deployment, version));
	assert_false(IS_GIVEN(deployment, deployment, prefix));
	assert_string_equal(deployment->node, "n");
	file_unref(file);
}

static void test_excerpts_are_taken_from_the_text(void **state)
{
	struct file *file = decode("users/a.yaml", "kind: User\nname: ann\nnmae: b\n");

	(void)state;
	assert_int_equal(file->diags_n, 1);
	assert_string_equal(file->diags[0].excerpt, "nmae: b");
	file_unref(file);
}

static void test_what_cannot_be_named_is_left_out(void **state)
{
	struct file *file = decode("users/a.yaml", "kind: User\nname: Ann\n---\nkind: User\n");

	(void)state;
	assert_int_equal(file->diags_n, 2);
	assert_int_equal(file->documents_n, 0);
	file_unref(file);
}

/* The bound that the design of the daemon's memory counts on. */
static void test_a_deployment_takes_less_than_4_kib(void **state)
{
	struct file *file = decode("projects/shop/stages/production/storefront.yaml",
				   "kind: Deployment\n"
				   "name: storefront\n"
				   "product: storefront\n"
				   "version: 1.4.0\n"
				   "node: edge-1\n"
				   "prefix: shop-prod\n"
				   "config:\n"
				   "  env:\n"
				   "    LOG_LEVEL: info\n"
				   "    DATABASE_URL: postgres://db.example.org/shop\n"
				   "  ports: [\"8080:80\"]\n"
				   "strategy: {maxParallel: 2, deadline: 3m}\n");

	(void)state;
	assert_int_equal(file->diags_n, 0);
	assert_true(arena_held(file->arena) < 4096);
	file_unref(file);
}

/* 10,000 of them are read at once, and memory that nobody uses is fetched from the system, too. */
static void test_a_version_holds_little_more_than_it_uses(void **state)
{
	struct file *file = decode("projects/shop/versions/storefront.yaml",
				   "kind: Version\n"
				   "product: storefront\n"
				   "name: 2.0.1\n"
				   "type: incremental\n"
				   "parent: 2.0.0\n"
				   "images:\n"
				   "  - name: web\n"
				   "    image: local/web:2.0.1\n"
				   "    config:\n"
				   "      env: {RELEASE: \"2.0.1\", MODE: production}\n"
				   "      restartPolicy: always\n"
				   "      stopTimeout: 5s\n");

	(void)state;
	assert_int_equal(file->diags_n, 0);
	assert_true(arena_held(file->arena) < arena_used(file->arena) * 3 / 2);
	file_unref(file);
}

/* ---- models ---- */

static struct model *build(struct diags *diags, struct file **files, size_t n)
{
	struct model *model = model_build(files, n, diags);

	for (size_t i = 0; i < n; i++)
		file_unref(files[i]);
	return model;
}

static struct model *sample(struct diags *diags)
{
	struct file *files[] = {
		decode("projects/shop/stages/prod/z.yaml",
		       "kind: Deployment\nname: b\nproduct: web\nversion: 1\nnode: n\n---\n"
		       "kind: Deployment\nname: a\nproduct: web\nversion: 1\nnode: n\n"),
		decode("organization.yaml", "kind: Organization\nname: acme\n"),
		decode("projects/shop/project.yaml", "kind: Project\nname: shop\n"),
		decode("projects/shop/stages/prod/stage.yaml", "kind: Stage\nname: prod\n"),
		decode("projects/shop/products/web.yaml",
		       "kind: Product\nname: web\ntype: complex\n---\n"
		       "kind: Version\nproduct: web\nname: 1\ntype: incremental\nimages: "
		       "[{name: web, image: local/web:1}]\n"),
		decode("nodes/n.yaml", "kind: Node\nname: n\ndriver: memory\n"),
		decode("users/u.yaml", "kind: User\nname: ann\n"),
		decode("teams/t.yaml", "kind: Team\nname: web\nmembers: {ann: owner}\n"),
	};

	return build(diags, files, ARRAY_LEN(files));
}

static void test_look_ups(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	struct model *model = sample(&diags);

	(void)state;
	assert_int_equal(diags.n, 0);
	assert_string_equal(model->organization->name, "acme");
	assert_string_equal(model->files.v[0]->path, "nodes/n.yaml");
	assert_int_equal(model->deployments.n, 2);
	assert_string_equal(model->deployments.v[0]->name, "a");
	assert_non_null(model_team(model, "web"));
	assert_non_null(model_user(model, "ann"));
	assert_non_null(model_node(model, "n"));
	assert_non_null(model_project(model, "shop"));
	assert_non_null(model_product(model, "shop", "web"));
	assert_non_null(model_version(model, "shop", "web", "1"));
	assert_non_null(model_stage(model, "shop", "prod"));
	assert_string_equal(model_deployment(model, "shop", "prod", "b")->name, "b");
	assert_null(model_team(model, "x"));
	assert_null(model_project(model, "prod"));
	assert_null(model_product(model, "web", "web"));
	assert_null(model_version(model, "shop", "web", "2"));
	assert_null(model_version(model, "shop", "x", "1"));
	assert_null(model_deployment(model, "shop", "dev", "a"));
	check_model(model, NULL, &diags);
	assert_int_equal(diags.n, 0);
	model_free(model);
}

static void test_models_share_files(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	struct file *file = decode("users/u.yaml", "kind: User\nname: ann\n");
	struct model *first = model_build(&file, 1, &diags),
		     *second = model_build(&file, 1, &diags);

	(void)state;
	assert_int_equal(file->references, 3);
	file_unref(file);
	model_free(first);
	assert_string_equal(model_user(second, "ann")->name, "ann");
	model_free(second);
	model_free(NULL);
	file_unref(NULL);
}

static void test_the_first_of_two_stays(void **state)
{
	struct file *files[] = {
		decode("users/z.yaml", "kind: User\nname: ann\nemails: [z@x]\n"),
		decode("users/a.yaml", "kind: User\nname: ann\nemails: [a@x]\n"),
	};
	AUTO_DIAGS struct diags diags = {0};
	struct model *model = build(&diags, files, 2);

	(void)state;
	assert_int_equal(model->users.n, 1);
	assert_string_equal(model->users.v[0]->emails.v[0], "a@x");
	assert_int_equal(diags.n, 1);
	assert_string_equal(diags.v[0].path, "users/z.yaml");
	assert_string_equal(diags.v[0].related_path, "users/a.yaml");
	assert_int_equal(diags.v[0].related.line, 1);
	model_free(model);
}

static void test_nothing(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	struct model *model = model_build(NULL, 0, &diags);

	(void)state;
	assert_null(model->organization);
	assert_null(model_user(model, "ann"));
	check_model(model, NULL, &diags);
	assert_int_equal(diags.n, 1);
	assert_int_equal(diags.v[0].code, DIAG_EMPTY_TREE);
	assert_int_equal(diags.v[0].unit.level, UNIT_ORGANIZATION);
	model_free(model);
}

/* ---- history ---- */

static bool knows(void *arg, const char *project, const char *product, const char *version)
{
	(*(int *)arg)++;
	return str_eq(project, "shop") && str_eq(product, "web") && str_eq(version, "0.9");
}

static void test_history_knows_versions_without_a_file(void **state)
{
	struct file *files[] = {
		decode("organization.yaml", "kind: Organization\nname: acme\n"),
		decode("nodes/n.yaml", "kind: Node\nname: n\ndriver: memory\n"),
		decode("projects/shop/project.yaml", "kind: Project\nname: shop\n"),
		decode("projects/shop/products/web.yaml",
		       "kind: Product\nname: web\ntype: complex\n---\n"
		       "kind: Version\nproduct: web\nname: 1\ntype: incremental\nparent: 0.9\n"
		       "images: [{name: web, image: local/web:1}]\n"),
		decode("projects/shop/stages/prod/stage.yaml",
		       "kind: Stage\nname: prod\n---\n"
		       "kind: Deployment\nname: a\nproduct: web\nversion: 0.9\nnode: n\n---\n"
		       "kind: Deployment\nname: b\nproduct: web\nversion: 0.8\nnode: n\n"),
	};
	AUTO_DIAGS struct diags diags = {0}, without = {0};
	struct model *model = build(&diags, files, ARRAY_LEN(files));
	int asked = 0;
	struct check_history history = {knows, &asked};

	(void)state;
	check_model(model, &history, &diags);
	assert_int_equal(diags.n, 1);
	assert_int_equal(diags.v[0].code, DIAG_UNKNOWN_VERSION);
	assert_int_equal(diags.v[0].at.line, 13);
	assert_true(asked >= 3);
	check_model(model, NULL, &without);
	assert_int_equal(without.n, 3);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_long_folder_names_are_cut),
		cmocka_unit_test(test_compose_paths),
		cmocka_unit_test(test_units_in_order),
		cmocka_unit_test(test_a_file_knows_where_its_values_stand),
		cmocka_unit_test(test_wrong_values_are_unset_and_marked),
		cmocka_unit_test(test_excerpts_are_taken_from_the_text),
		cmocka_unit_test(test_what_cannot_be_named_is_left_out),
		cmocka_unit_test(test_a_deployment_takes_less_than_4_kib),
		cmocka_unit_test(test_a_version_holds_little_more_than_it_uses),
		cmocka_unit_test(test_look_ups),
		cmocka_unit_test(test_models_share_files),
		cmocka_unit_test(test_the_first_of_two_stays),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_history_knows_versions_without_a_file),
	};

	return cmocka_run_group_tests_name("schema model", tests, NULL, NULL);
}

#include "tests/support/test.h"

#include "base/buf.h"
#include "plan/content.h"
#include "schema/check.h"
#include "schema/decode.h"
#include "schema/derive.h"
#include "schema/kinds.h"
#include "schema/pack.h"

/* An App or Service becomes a product and a deployment, whose values stand where its own do. */

static const struct oid blob = {{1}};

static struct file *decode(const char *path, const char *text)
{
	return file_decode(path, &blob, text, strlen(text));
}

/* Through the pipe, as from a child. */
static struct file *pass_on(const struct file *file)
{
	AUTO_BUF struct buf packed = BUF_INIT(BUF_MAX_OUTPUT);
	struct file *again;

	assert_true(file_pack(file, &packed));
	again = file_unpack(file->path, &blob, buf_str(&packed), packed.len);
	assert_non_null(again);
	return again;
}

static const struct deployment *deployment_at(const struct file *file, size_t i)
{
	assert_true(i < file->documents_n);
	assert_int_equal(file->documents[i].kind, KIND_deployment);
	return file->documents[i].value;
}

#define WEB                                                                                        \
	"kind: App\n"                                                                              \
	"name: web\n"                                                                              \
	"image: local/web:1\n"                                                                     \
	"tasks:\n"                                                                                 \
	"  job: {args: [work]}\n"                                                                  \
	"  web: {command: [serve]}\n"                                                              \
	"scale: 3\n"                                                                               \
	"network:\n"                                                                               \
	"  public: true\n"                                                                         \
	"  ports: [5000, 6000]\n"                                                                  \
	"  healthCheck: {path: /up, status: '204'}\n"                                              \
	"resources: {memory: 64Mi}\n"                                                              \
	"env: {A: b}\n"                                                                            \
	"domains: {b.org: {primary: true}, c.org: {}, a.org: {}}\n"

static void assert_is_web(const struct file *file)
{
	const struct deployment *deployment = deployment_at(file, 1);
	const struct product *product = deployment->from.derived;
	const struct image *job, *web;
	const struct http_check *http;

	assert_int_equal(file->documents_n, 2);
	assert_int_equal(file->documents[0].kind, KIND_app);
	assert_string_equal(deployment->name, "web");
	assert_int_equal(AT(deployment, deployment, name).line, 2);
	assert_int_equal(product->type, PRODUCT_SIMPLE);
	assert_int_equal(product->images.n, 2);
	job = &product->images.v[0];
	web = &product->images.v[1];
	assert_string_equal(job->name, "web-job");
	assert_string_equal(job->image, "local/web:1");
	assert_int_equal(AT(job, image, image).line, 3);
	assert_int_equal(AT(job, image, name).line, 5);
	assert_string_equal(job->config->args.v[0], "work");
	assert_int_equal(job->config->scale, 3);
	assert_int_equal(job->config->ports.n, 0);
	assert_null(job->config->health_check);
	assert_string_equal(web->name, "web");
	assert_string_equal(web->config->command.v[0], "serve");
	assert_int_equal(AT(web->config, container, command).line, 6);
	assert_int_equal(AT(web->config, container, scale).line, 7);
	assert_int_equal(web->config->expose, EXPOSE_HTTP);
	assert_int_equal(AT(web->config, container, expose).line, 9);
	assert_int_equal(web->config->ports.v[1].container, 6000);
	assert_int_equal(AT(&web->config->ports.v[0], port, container).line, 10);
	http = web->config->health_check->http;
	assert_int_equal(http->port, 5000);
	assert_int_equal(AT(http, http_check, port).line, 10);
	assert_string_equal(http->path, "/up");
	assert_string_equal(http->status, "204");
	assert_int_equal(AT(http, http_check, status).line, 11);
	assert_int_equal(web->config->resources->memory, 64 << 20);
	assert_string_equal(web->config->env.value[0], "b");
	assert_string_equal(PATH_OF(web->config, container, env), file->path);
}

static void test_an_app_is_a_container_for_each_task(void **state)
{
	struct file *file = decode("projects/shop/stages/prod/web.yaml", WEB), *again;

	(void)state;
	assert_int_equal(file->diags_n, 0);
	assert_is_web(file);
	again = pass_on(file);
	assert_is_web(again);
	file_unref(again);
	file_unref(file);
}

static void test_ports_of_datagrams(void **state)
{
	struct file *file = decode("projects/shop/stages/prod/a.yaml",
				   "kind: App\nname: a\nimage: local/a:1\n"
				   "network: {protocol: udp, ports: [53, 54/tcp]}\n");
	const struct product *product = deployment_at(file, 1)->from.derived;
	const struct port_list *ports = &product->images.v[0].config->ports;
	const struct app *app = file->documents[0].value;

	(void)state;
	assert_int_equal(ports->v[0].protocol, PROTOCOL_UDP);
	assert_true(IS_SET(&ports->v[0], port, protocol));
	assert_int_equal(ports->v[1].protocol, PROTOCOL_TCP);
	assert_false(IS_SET(&app->network->ports.v[0], port, protocol));
	file_unref(file);
}

static void test_without_an_image_nothing_runs(void **state)
{
	struct file *file =
		decode("projects/shop/stages/prod/a.yaml",
		       "kind: App\nname: a\nenv: {A: b}\n---\nkind: Stage\nname: prod\n");

	(void)state;
	assert_int_equal(file->diags_n, 0);
	assert_int_equal(file->documents_n, 3);
	assert_int_equal(deployment_at(file, 1)->from.derived->images.n, 0);
	file_unref(file);
}

/* Its product is its own: two stages may have an app of one name, beside a product of that name. */
static void test_no_name_leads_to_the_product(void **state)
{
	AUTO_DIAGS struct diags diags = {0};
	struct file *files[] = {
		decode("projects/shop/products/web.yaml",
		       "kind: Product\nname: web\ntype: complex\n"),
		decode("projects/shop/stages/prod/web.yaml", WEB),
		decode("projects/shop/stages/test/web.yaml", "kind: App\nname: web\n"),
	};
	struct model *model = model_build(files, ARRAY_LEN(files), &diags);
	const struct deployment *prod = model_deployment(model, "shop", "prod", "web"),
				*test = model_deployment(model, "shop", "test", "web");

	(void)state;
	assert_int_equal(diags.errors, 0);
	assert_int_equal(model_product_of(model, prod)->images.n, 2);
	assert_int_equal(model_product_of(model, test)->images.n, 0);
	assert_int_equal(model_product(model, "shop", "web")->type, PRODUCT_COMPLEX);
	assert_int_equal(model->products.n, 1);
	assert_ptr_equal(model_written(prod), &files[1]->documents[0]);
	model_free(model);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		file_unref(files[i]);
}

/* What one would write by hand is the same release: the ids know no difference. */
static void test_an_app_is_what_one_would_write_by_hand(void **state)
{
	static const struct pairs nothing;
	struct file *app = decode("projects/shop/stages/prod/web.yaml", WEB);
	struct file *hand =
		decode("projects/shop/products/web.yaml",
		       "kind: Product\n"
		       "name: web\n"
		       "type: simple\n"
		       "images:\n"
		       "  - name: web-job\n"
		       "    image: local/web:1\n"
		       "    config: {args: [work], env: {A: b}}\n"
		       "  - name: web\n"
		       "    image: local/web:1\n"
		       "    config:\n"
		       "      command: [serve]\n"
		       "      env: {A: b}\n"
		       "      ports: [5000, 6000]\n"
		       "      expose: http\n"
		       "      routing: {domain: b.org, port: 5000, aliases: [a.org, c.org]}\n"
		       "      healthCheck: {http: {port: 5000, path: /up, status: '204'}}\n");
	const struct product *written = hand->documents[0].value;
	char one[RECORD_ID_SIZE], other[RECORD_ID_SIZE];

	(void)state;
	ids_version(&deployment_at(app, 1)->from.derived->images, &nothing, one);
	ids_version(&written->images, &nothing, other);
	assert_string_equal(one, other);
	file_unref(app);
	file_unref(hand);
}

/* ---- services ---- */

static const char *value_of(const struct pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++) {
		if (str_eq(pairs->key[i], key))
			return pairs->value[i];
	}
	return NULL;
}

static void test_a_service_is_run_as_the_catalogue_has_it(void **state)
{
	struct file *first =
		decode("projects/shop/stages/prod/db.yaml", "kind: Service\n"
							    "name: db\n"
							    "type: postgresql\n"
							    "version: '15'\n"
							    "options:\n"
							    "  user: ann\n"
							    "  args: [-c, log_statement=all]\n");
	struct file *file = pass_on(first);
	const struct product *product = deployment_at(file, 1)->from.derived;
	const struct image *image = product->images.v;
	const struct container *config = image->config;

	(void)state;
	assert_int_equal(product->images.n, 1);
	assert_string_equal(image->name, "db");
	assert_string_equal(image->image, "postgres:15");
	assert_int_equal(AT(image, image, image).line, 4);
	assert_string_equal(value_of(&config->env, "POSTGRES_USER"), "ann");
	assert_string_equal(value_of(&config->env, "POSTGRES_DB"), "app");
	assert_int_equal(config->env.at[0].line, 3);
	assert_int_equal(config->ports.v[0].container, 5432);
	assert_false(IS_SET(&config->ports.v[0], port, host));
	assert_string_equal(config->volumes.v[0].name, "db");
	assert_string_equal(config->volumes.v[0].path, "/var/lib/postgresql/data");
	assert_string_equal(config->health_check->command.v[3], "ann");
	assert_string_equal(config->args.v[1], "log_statement=all");
	assert_int_equal(AT(config, container, args).line, 7);
	assert_int_equal(AT(config, container, volumes).line, 3);
	file_unref(file);
	file_unref(first);
}

static void test_a_volume_runs_nothing(void **state)
{
	struct file *file = decode("projects/shop/stages/prod/a.yaml",
				   "kind: Service\nname: files\ntype: volume\n");

	(void)state;
	assert_int_equal(file->diags_n, 0);
	assert_int_equal(deployment_at(file, 1)->from.derived->images.n, 0);
	file_unref(file);
}

/* ---- links ---- */

static void test_links_give_urls_and_volumes(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_DIAGS struct diags diags = {0};
	struct file *files[] = {
		decode("projects/shop/stages/prod/all.yaml",
		       "kind: Service\nname: a\ntype: redis\n---\n"
		       "kind: Service\nname: b\ntype: redis\n---\n"
		       "kind: Service\nname: files\ntype: volume\n"),
		decode("projects/shop/stages/prod/web.yaml",
		       "kind: App\nname: web\nimage: local/web:1\nlinks:\n"
		       "  a: {envKey: Z_URL}\n"
		       "  b: {envKey: A_URL}\n"
		       "  files: {path: /files, readOnly: true}\n"
		       "  gone: {envKey: GONE}\n"),
	};
	struct model *model = model_build(files, ARRAY_LEN(files), &diags);
	const struct deployment *web = model_deployment(model, "shop", "prod", "web");
	const struct container *layer = derive_links(model, model_written(web)->value, arena);

	(void)state;
	assert_int_equal(layer->env.n, 2);
	assert_string_equal(layer->env.key[0], "A_URL");
	assert_string_equal(layer->env.value[0], "redis://{{ prefix }}-b:6379/0");
	assert_int_equal(layer->env.at[0].line, 6);
	assert_string_equal(layer->env.key[1], "Z_URL");
	assert_int_equal(layer->env.at[1].line, 5);
	assert_int_equal(layer->volumes.n, 1);
	assert_string_equal(layer->volumes.v[0].name, "files");
	assert_true(layer->volumes.v[0].read_only);
	assert_true(layer->volumes.v[0].shared);
	assert_int_equal(AT(&layer->volumes.v[0], volume, path).line, 7);
	assert_int_equal(web->depends_on.n, 4);
	assert_string_equal(web->depends_on.v[0], "a");
	model_free(model);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		file_unref(files[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_app_is_a_container_for_each_task),
		cmocka_unit_test(test_ports_of_datagrams),
		cmocka_unit_test(test_without_an_image_nothing_runs),
		cmocka_unit_test(test_an_app_is_what_one_would_write_by_hand),
		cmocka_unit_test(test_a_service_is_run_as_the_catalogue_has_it),
		cmocka_unit_test(test_a_volume_runs_nothing),
		cmocka_unit_test(test_links_give_urls_and_volumes),
		cmocka_unit_test(test_no_name_leads_to_the_product),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/test.h"
#include "tests/support/driver.h"

#include "drivers/policy.h"
#include "schema/decode.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const struct settings *settings_of(const char *yaml)
{
	AUTO_DIAGS struct diags diags = {0};
	const struct settings *settings =
		settings_decode(arena, "trueup.yaml", yaml, strlen(yaml), NULL, 0, &diags);

	if (diags.errors)
		fail_msg("%s: %s", yaml, diags.v[0].message);
	return settings;
}

/* The configuration of a deployment, with its locations. */
static const struct container *config_of(struct file **file, const char *config)
{
	AUTO_FREE char *yaml = mem_printf("kind: Deployment\nname: web\nproduct: storefront\n"
					  "node: edge-1\nconfig: %s\n",
					  config);

	*file = file_decode("projects/shop/stages/prod/web.yaml", &(struct oid){0}, yaml,
			    strlen(yaml));
	if ((*file)->diags_n)
		fail_msg("%s: %s", config, (*file)->diags[0].message);
	return ((const struct deployment *)(*file)->documents[0].value)->config;
}

/* The codes of what is reported, "policy bad-value"; checked on node edge-1. */
static const char *check(const char *settings, const char *config)
{
	static const struct unit unit = {.level = UNIT_STAGE, .project = "shop", .stage = "prod"};
	AUTO_BUF struct buf codes = BUF_INIT(BUF_MAX_LINE);
	AUTO_DIAGS struct diags diags = {0};
	struct node node = test_memory_node(arena, "edge-1", NULL);
	struct driver_env env = test_env;
	struct spec *spec = test_spec(arena, NULL, "a", "local/a:1", "{}");
	struct file *file;

	spec->config = config_of(&file, config);
	env.settings = settings_of(settings);
	driver_check(&driver_memory, &node, &env, spec, &unit, &diags);
	for (size_t i = 0; i < diags.n; i++) {
		buf_addf(&codes, "%s%s", i ? " " : "", diag_code_name(diags.v[i].code));
		assert_int_equal(diags.v[i].unit.level, UNIT_STAGE);
		assert_int_equal(diags.v[i].at.line, 5);
		assert_string_equal(diags.v[i].path, file->path);
		assert_non_null(strstr(diags.v[i].message, "edge-1"));
		assert_non_null(diags.v[i].hint);
	}
	file_unref(file);
	return arena_strdup(arena, buf_str(&codes));
}

#define NOTHING "kind: Settings\n"
#define PORT(number) "{\"ports\":[{\"container\":80,\"host\":" number "}]}"
#define PATH(path) "{\"volumes\":[{\"hostPath\":\"" path "\",\"path\":\"/x\"}]}"

static void test_nothing_asked(void **state)
{
	(void)state;
	assert_string_equal(check(NOTHING, "{}"), "");
	assert_string_equal(check(NOTHING, "{\"ports\":[{\"container\":22}],"
					   "\"volumes\":[{\"name\":\"data\",\"path\":\"/x\"}]}"),
			    "");
}

static void test_ports_by_default(void **state)
{
	static const struct {
		const char *config, *codes;
	} rows[] = {
		{PORT("80"), ""},	  {PORT("443"), ""},	  {PORT("1024"), ""},
		{PORT("65535"), ""},	  {PORT("22"), "policy"}, {PORT("81"), "policy"},
		{PORT("1023"), "policy"}, {PORT("1"), "policy"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(check(NOTHING, rows[i].config), rows[i].codes);
}

static void test_ports_of_the_settings(void **state)
{
	static const char one[] = NOTHING "policy: {hostPorts: [\"22\", \"8000-8010\"]}\n";
	static const char none[] = NOTHING "policy: {hostPorts: []}\n";
	static const char node[] = NOTHING "policy:\n  hostPorts: [\"22\"]\n"
					   "  nodes: {edge-1: {hostPorts: [\"23\"]}, "
					   "edge-2: {hostPorts: [\"24\"]}}\n";

	(void)state;
	assert_string_equal(check(one, PORT("22")), "");
	assert_string_equal(check(one, PORT("8010")), "");
	assert_string_equal(check(one, PORT("8011")), "policy");
	assert_string_equal(check(one, PORT("80")), "policy");
	assert_string_equal(check(none, PORT("8080")), "policy");
	assert_string_equal(check(node, PORT("23")), "");
	assert_string_equal(check(node, PORT("22")), "policy");
	assert_string_equal(check(node, PORT("24")), "policy");
}

static void test_host_paths(void **state)
{
	static const char some[] = NOTHING "policy: {hostPaths: [/srv/a, /data]}\n";
	static const char all[] = NOTHING "policy: {hostPaths: [/]}\n";
	static const char node[] = NOTHING "policy:\n  hostPaths: [/srv/a]\n"
					   "  nodes: {edge-1: {hostPaths: []}}\n";

	(void)state;
	assert_string_equal(check(NOTHING, PATH("/srv/a")), "policy");
	assert_string_equal(check(some, PATH("/srv/a")), "");
	assert_string_equal(check(some, PATH("/srv/a/b/c")), "");
	assert_string_equal(check(some, PATH("/data/x")), "");
	assert_string_equal(check(some, PATH("/srv/ab")), "policy");
	assert_string_equal(check(some, PATH("/srv")), "policy");
	assert_string_equal(check(some, PATH("/")), "policy");
	assert_string_equal(check(all, PATH("/anything")), "");
	assert_string_equal(check(node, PATH("/srv/a")), "policy");
}

static void test_every_problem_is_named(void **state)
{
	(void)state;
	assert_string_equal(check(NOTHING,
				  "{\"ports\":[{\"container\":1,\"host\":22},"
				  "{\"container\":2,\"host\":23}],"
				  "\"volumes\":[{\"hostPath\":\"/etc\",\"path\":\"/x\"}]}"),
			    "policy policy policy");
}

static void test_plain_paths(void **state)
{
	static const char *const plain[] = {"/", "/a", "/a/", "/a/b", "/..a", "/a../b", "/.../b"};
	static const char *const odd[] = {"",	    "a",   "./a",   "/a//b",   "//",   "/.",
					  "/a/./b", "/..", "/a/..", "/a/../b", "/a/.", "/../a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		assert_true(policy_path_is_plain(plain[i]));
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		assert_false(policy_path_is_plain(odd[i]));
}

static void test_within(void **state)
{
	const char *folders[] = {"/srv/a/", "relative", "/x/../y"};
	const struct strings list = {.v = folders, .n = ARRAY_LEN(folders)};

	(void)state;
	assert_true(policy_path_within("/srv/a", &list));
	assert_true(policy_path_within("/srv/a/", &list));
	assert_true(policy_path_within("/srv/a/b", &list));
	assert_false(policy_path_within("/srv/a/../b", &list));
	assert_false(policy_path_within("relative/b", &list));
	assert_false(policy_path_within("/x/../y/z", &list));
	assert_false(policy_path_within("/y", &list));
}

static void test_host_driver_settings(void **state)
{
	const struct settings *settings = settings_of(
		NOTHING "policy:\n  hostDriver: {imageRoots: [/srv/a]}\n"
			"  nodes: {edge-1: {hostDriver: {imageRoots: [/srv/b]}}, edge-2: {}}\n");

	(void)state;
	assert_string_equal(policy_host_driver(settings, "edge-1")->image_roots.v[0], "/srv/b");
	assert_string_equal(policy_host_driver(settings, "edge-2")->image_roots.v[0], "/srv/a");
	assert_string_equal(policy_host_driver(settings, "edge-3")->image_roots.v[0], "/srv/a");
	assert_null(policy_host_driver(settings_of(NOTHING), "edge-1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- rights ---- */

/* What is asked, the setting that allows it, and others that do not. */
static const struct {
	const char *config, *allows, *wrong;
} rights[] = {
	{"{privileged: true}", "privileged: true", "privileged: false"},
	{"{networkMode: host}", "hostNamespaces: true", "hostNamespaces: false"},
	{"{capabilities: [NET_ADMIN]}", "capabilities: [NET_RAW, NET_ADMIN]",
	 "capabilities: [NET_RAW]"},
	{"{capabilities: [NET_ADMIN]}", "capabilities: [ALL]", "capabilities: []"},
	{"{capabilities: [ALL]}", "capabilities: [ALL]", "capabilities: [NET_ADMIN, SYS_ADMIN]"},
	{"{devices: [/dev/fuse]}", "devices: [/dev/fuse]", "devices: [/dev/fus]"},
	{"{devices: [\"/dev/snd/pcm:/dev/x:r\"]}", "devices: [/dev/snd]", "devices: [/dev/x]"},
	{"{portRanges: [{container: 20-29, host: 9000-9009}]}", "hostPorts: [9000-9010]",
	 "hostPorts: [9000-9008]"},
	{"{networkMode: host, ports: [22]}", "hostPorts: [22], hostNamespaces: true",
	 "hostPorts: [23], hostNamespaces: true"},
	{"{init: [{name: a, image: local/a:1, volumes: [{hostPath: /srv/a, path: /x}]}]}",
	 "hostPaths: [/srv]", "hostPaths: [/src]"},
};

static const char *check_with(const char *policy, const char *config)
{
	return check(arena_printf(arena, NOTHING "policy: {%s}\n", policy), config);
}

static void test_rights_are_given_one_by_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		const char *config = rights[i].config;

		assert_string_equal(check_with(rights[i].allows, config), "");
		assert_string_equal(check_with(rights[i].wrong, config), "policy");
		assert_string_equal(
			check_with(arena_printf(arena, "nodes: {edge-1: {%s}}", rights[i].allows),
				   config),
			"");
		assert_string_equal(check_with(arena_printf(arena,
							    "%s, nodes: {edge-1: {%s}, edge-2: "
							    "{%s}}",
							    rights[i].allows, rights[i].wrong,
							    rights[i].allows),
					       config),
				    "policy");
	}
}

static void test_nothing_but_ports_is_given_by_default(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		const char *found = check(NOTHING, rights[i].config);

		if (!strstr(rights[i].config, "portRanges"))
			assert_true(str_starts(found, "policy"));
	}
	assert_string_equal(check(NOTHING, "{capabilities: [-ALL, -NET_RAW]}"), "");
	assert_string_equal(check(NOTHING, "{privileged: false, networkMode: none, tty: true}"),
			    "");
	assert_string_equal(check(NOTHING, "{portRanges: [{container: 10-19}]}"), "");
}

static void test_sockets_of_engines(void **state)
{
	static const char *const sockets[] = {
		"/var/run/docker.sock",
		"/run/docker.sock",
		"/run/podman/podman.sock",
		"/run/podman",
		"/var/run/containerd",
		"/run/crio/crio.sock",
		"/run/user/1000/docker.sock",
		"/run/user/1000/podman",
		"/run/user/1000",
		"/run/user",
		"/var/run",
		"/run",
		"/var",
		"/",
		"/srv/own.sock",
		"/srv",
	};
	static const char *const others[] = {
		"/run/docker", "/run/docker.sock2", "/var/lib", "/run/user/1000/pulse", "/srv/own",
	};
	const struct node node = {.endpoint = "unix:///srv/own.sock"};
	const char *all = "hostPaths: [/]";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++)
		assert_true(policy_path_has_engine_socket(&node, sockets[i]));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(policy_path_has_engine_socket(&node, others[i]));
	/* the folder must be allowed, and the socket */
	assert_string_equal(check_with(all, PATH("/var/run/docker.sock")), "policy");
	assert_string_equal(check_with("engineSockets: true", PATH("/run/docker.sock")), "policy");
	assert_string_equal(
		check_with("hostPaths: [/run], engineSockets: true", PATH("/run/docker.sock")), "");
	assert_string_equal(check_with(all, PATH("/srv")), "");
}

static void test_registries(void **state)
{
	const struct settings *some = settings_of(
		NOTHING "policy: {registries: [main, hub], nodes: {edge-1: {registries: "
			"[other]}}}\n");
	const struct settings *declared = settings_of(NOTHING "policy: {registries: declared}\n");
	const struct settings *none = settings_of(NOTHING "policy: {registries: []}\n");

	(void)state;
	assert_true(policy_registry_allowed(settings_of(NOTHING), "n", "main"));
	assert_true(policy_registry_allowed(declared, "n", "main"));
	assert_false(policy_registry_allowed(none, "n", "main"));
	assert_true(policy_registry_allowed(some, "n", "main"));
	assert_true(policy_registry_allowed(some, "n", "hub"));
	assert_false(policy_registry_allowed(some, "n", "other"));
	assert_true(policy_registry_allowed(some, "edge-1", "other"));
	assert_false(policy_registry_allowed(some, "edge-1", "main"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_asked),
		TEST(test_ports_by_default),
		TEST(test_ports_of_the_settings),
		TEST(test_host_paths),
		TEST(test_every_problem_is_named),
		TEST(test_plain_paths),
		TEST(test_within),
		TEST(test_host_driver_settings),
		TEST(test_rights_are_given_one_by_one),
		TEST(test_nothing_but_ports_is_given_by_default),
		TEST(test_sockets_of_engines),
		TEST(test_registries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

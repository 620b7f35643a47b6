/* What a manifest cannot have on a host node, and who may run what as whom. */
#include "tests/support/test.h"
#include "tests/support/host.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_user.h"
#include "schema/decode.h"

#define NAME "shop-prod-web"

struct bench {
	struct arena *arena;
	char *folder;
	struct node node;
	struct driver_env env;
	struct diags diags;
};

static int setup(void **state)
{
	struct bench *bench = mem_zalloc(1, sizeof *bench);

	bench->arena = arena_new(0);
	bench->folder = test_folder();
	host_prepare(bench->arena, bench->folder, NULL, &bench->node, &bench->env);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	diags_release(&bench->diags);
	arena_free(bench->arena);
	test_folder_remove(&bench->folder);
	free(bench);
	return 0;
}

/* The codes that a configuration gets, separated by spaces. */
static const char *codes(struct bench *bench, const struct spec *spec)
{
	const struct unit unit = {UNIT_STAGE, "shop", "prod"};
	const char *text = "";

	diags_clear(&bench->diags);
	driver_check(&driver_host, &bench->node, &bench->env, spec, &unit, &bench->diags);
	for (size_t i = 0; i < bench->diags.n; i++)
		text = arena_printf(bench->arena, "%s%s%s", text, *text ? " " : "",
				    diag_code_name(bench->diags.v[i].code));
	return text;
}

static const char *check(struct bench *bench, const char *config)
{
	return codes(bench, test_spec(bench->arena, NULL, NAME, "local/web:1",
				      arena_printf(bench->arena, "{%s}", config)));
}

#define COMMAND "\"command\":[\"./run\"]"

static void configurations(void **state)
{
	static const struct {
		const char *config, *codes;
	} rows[] = {
		{COMMAND, ""},
		{"\"command\":[\"bin/run\",\"-x\",\"/etc\"]", ""},
		{"", "missing-field"},
		{"\"args\":[\"x\"]", "missing-field"},
		{"\"command\":[\"/bin/sh\"]", "policy"},
		{"\"command\":[\"../run\"]", "policy"},
		{"\"command\":[\"./../run\"]", "policy"},
		{COMMAND ",\"healthCheck\":{\"command\":[\"/bin/true\"]}", "policy"},
		{COMMAND ",\"healthCheck\":{\"command\":[\"./true\"]}", ""},
		{COMMAND ",\"tty\":true", "not-supported"},
		{COMMAND ",\"tty\":false", ""},
		{COMMAND ",\"networkMode\":\"none\"", "not-supported"},
		{COMMAND ",\"networkMode\":\"bridge\"", ""},
		{COMMAND ",\"networks\":[\"a\"]", "not-supported"},
		{COMMAND ",\"networks\":[]", ""},
		{COMMAND ",\"labels\":{\"a\":\"b\"},\"annotations\":{}", "not-supported"},
		{COMMAND ",\"routing\":{\"domain\":\"a\"},\"expose\":\"http\"",
		 "not-supported not-supported"},
		{COMMAND ",\"init\":[{\"name\":\"a\",\"image\":\"local/a:1\"}]", "not-supported"},
		{COMMAND ",\"resources\":{\"cpu\":\"1\",\"requests\":{\"cpu\":\"1\"}}",
		 "not-supported"},
		{COMMAND ",\"resources\":{\"limits\":{\"cpu\":\"1\"}}", ""},
		{COMMAND ",\"env\":{\"A\":\"1\",\"PATH\":\"/x\"}", ""},
		{COMMAND ",\"env\":{\"TRUEUP_DIR\":\"/\"}", "bad-value"},
		{COMMAND ",\"env\":{\"LD_PRELOAD\":\"x.so\"}", "policy"},
		{COMMAND ",\"ports\":[{\"container\":8080}]", ""},
		{COMMAND ",\"ports\":[{\"container\":8080,\"host\":8080}]", ""},
		{COMMAND ",\"ports\":[{\"container\":8080,\"host\":80}]", "not-supported"},
		{COMMAND ",\"ports\":[{\"container\":22}]", "policy"},
		{COMMAND ",\"ports\":[{\"container\":22,\"host\":22}]", "policy"},
		{COMMAND ",\"ports\":[{\"container\":8080,\"address\":\"127.0.0.1\"}]",
		 "not-supported"},
		{COMMAND ",\"volumes\":[{\"name\":\"a\",\"path\":\"data\"}]", ""},
		{COMMAND ",\"volumes\":[{\"name\":\"a\",\"path\":\"/data\"}]", "bad-value"},
		{COMMAND ",\"volumes\":[{\"name\":\"a\",\"path\":\"d\",\"readOnly\":true}]",
		 "not-supported"},
		{COMMAND ",\"volumes\":[{\"name\":\"a\",\"path\":\"d\",\"type\":\"ro\"}]",
		 "not-supported"},
		{COMMAND ",\"volumes\":[{\"name\":\"a\",\"path\":\"d\"},"
			 "{\"name\":\"b\",\"path\":\"d/e\"}]",
		 "not-supported"},
		{COMMAND ",\"volumes\":[{\"hostPath\":\"/srv\",\"path\":\"d\"}]", "policy"},
		{COMMAND ",\"files\":[{\"path\":\"etc/x\",\"content\":\"\"}]", ""},
		{COMMAND ",\"files\":[{\"path\":\"/etc/x\",\"content\":\"\"}]", "bad-value"},
		{COMMAND ",\"volumes\":[{\"name\":\"a\",\"path\":\"d\"}],"
			 "\"files\":[{\"path\":\"d/x\",\"content\":\"\"}]",
		 "not-supported"},
		{COMMAND ",\"workingDirectory\":\"sub\"", ""},
		{COMMAND ",\"workingDirectory\":\"/tmp\"", "bad-value"},
		{COMMAND ",\"stopSignal\":\"SIGUSR1\"", ""},
		{COMMAND ",\"user\":\"no-such-user\"", "bad-value"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = check(*state, rows[i].config);

		if (!str_eq(got, rows[i].codes))
			fail_msg("%s: \"%s\" instead of \"%s\"", rows[i].config, got,
				 rows[i].codes);
	}
}

static void each_says_where(void **state)
{
	struct bench *bench = *state;

	check(bench, "\"ports\":[{\"container\":8080,\"host\":80}]," COMMAND);
	assert_int_equal(bench->diags.n, 1);
	assert_int_equal(bench->diags.v[0].unit.level, UNIT_STAGE);
	assert_non_null(strstr(bench->diags.v[0].message, "host must be 8080"));
}

static void a_signal_that_this_machine_lacks(void **state)
{
	struct bench *bench = *state;
	struct spec *spec = test_spec(bench->arena, NULL, NAME, "local/web:1", "{" COMMAND "}");
	struct container config = *spec->config;

	config.stop_signal = "SIGNOTHING";
	spec->config = &config;
	assert_string_equal(codes(bench, spec), "bad-value");
}

static void a_working_directory_of_its_own(void **state)
{
	struct bench *bench = *state;

	assert_string_equal(check(bench, arena_printf(bench->arena,
						      COMMAND ",\"workingDirectory\":"
							      "\"%s/data/" NAME "/x\"",
						      bench->folder)),
			    "");
}

static void other_images(void **state)
{
	struct bench *bench = *state;
	static const struct {
		const char *image, *codes;
	} rows[] = {
		{"local/web:1", ""},
		{"local/shop/web", ""},
		{"nginx:1.25", "not-supported"},
		{"registry.example.org/web:1", "not-supported"},
		{"local/../web:1", "bad-image"},
		{"local/web:..", "bad-image"},
		{"local/.hidden:1", "bad-image"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(codes(bench, test_spec(bench->arena, NULL, NAME, rows[i].image,
							   "{" COMMAND "}")),
				    rows[i].codes);
}

static void instances_cannot_share_a_port(void **state)
{
	struct bench *bench = *state;
	struct spec *spec = test_spec(bench->arena, NULL, NAME "-2", "local/web:1",
				      "{" COMMAND ",\"scale\":2,\"ports\":[{\"container\":8080}]}");

	spec->instance = 2;
	assert_string_equal(codes(bench, spec), "scale-fixed-port");
}

/* ---- settings ------------------------------------------------------------------------------ */

static const struct settings *settings(struct bench *bench, const char *one, const char *two)
{
	AUTO_DIAGS struct diags diags = {0};
	const char *overrides[] = {one, two};
	struct settings *made =
		settings_decode(bench->arena, "settings", NULL, 0, overrides, two ? 2 : 1, &diags);

	if (diags.n)
		fail_msg("%s", diags.v[0].message);
	return made;
}

static enum err_code open_code(struct bench *bench)
{
	struct driver *driver = NULL;
	struct err err = ERR_INIT;

	if (driver_host.open(&bench->node, &bench->env, &driver, &err) != 0)
		return err.code;
	driver_close(&driver);
	return E_NONE;
}

static void image_roots(void **state)
{
	struct bench *bench = *state;
	const char *outside = arena_printf(bench->arena, "%s/other", bench->folder);
	const char *link = arena_printf(bench->arena, "%s/images/link", bench->folder);
	const char *roots =
		arena_printf(bench->arena, "policy.hostDriver.imageRoots=%s/images", bench->folder);

	bench->env.settings = settings(bench, roots, "policy.hostDriver.users=root");
	assert_int_equal(open_code(bench), E_NONE);
	assert_string_equal(check(bench, COMMAND), "");
	bench->node.image_root = outside;
	assert_int_equal(open_code(bench), E_POLICY);
	assert_string_equal(check(bench, COMMAND), "policy");
	/* by where it is, not by what it is called */
	assert_int_equal(mkdir(outside, 0755), 0);
	assert_int_equal(symlink(outside, link), 0);
	bench->node.image_root = link;
	assert_int_equal(open_code(bench), E_POLICY);
	bench->node.image_root = NULL;
	assert_int_equal(open_code(bench), E_BAD_INPUT);
}

static void nothing_is_allowed_by_default(void **state)
{
	struct bench *bench = *state;

	bench->env.settings = settings(bench, "log=text", NULL);
	assert_int_equal(open_code(bench), E_POLICY);
	assert_true(str_starts(check(bench, COMMAND), "policy"));
}

static void exceptions_of_one_node(void **state)
{
	struct bench *bench = *state;

	bench->env.settings =
		settings(bench,
			 arena_printf(bench->arena, "policy.nodes.edge-1.hostDriver.imageRoots=%s",
				      bench->folder),
			 NULL);
	assert_int_equal(open_code(bench), E_NONE);
	bench->node.name = "edge-2";
	assert_int_equal(open_code(bench), E_POLICY);
}

static void without_settings_policy_is_not_checked(void **state)
{
	struct bench *bench = *state;
	const struct unit unit = {UNIT_STAGE, "shop", "prod"};
	struct spec *spec =
		test_spec(bench->arena, NULL, NAME, "local/web:1",
			  "{" COMMAND ",\"user\":\"root\",\"ports\":[{\"container\":22}]}");

	driver_host.check(&bench->node, NULL, spec, &unit, &bench->diags);
	assert_int_equal(bench->diags.n, 0);
}

/* ---- users --------------------------------------------------------------------------------- */

static enum err_code may_run(const char *user, const char *const *listed, size_t n)
{
	const struct host_policy policy = {
		.users = {.v = (const char **)(uintptr_t)listed, .n = n}};
	struct host_user found;
	struct err err = ERR_INIT;

	if (host_user_find(user, &found, &err) != 0)
		return err.code;
	return host_user_allow(&found, user, &policy, &err) == 0 ? E_NONE : err.code;
}

static void users_as_root(void **state)
{
	const char *const root[] = {"root"}, *const number[] = {"0"}, *const nobody[] = {"nobody"};
	const char *const pair[] = {"nobody:daemon"};

	(void)state;
	if (geteuid() != 0)
		SKIP_BECAUSE("not root");
	/* root is the reconciler's own user here, and still must be listed */
	assert_int_equal(may_run(NULL, NULL, 0), E_POLICY);
	assert_int_equal(may_run(NULL, root, 1), E_NONE);
	assert_int_equal(may_run(NULL, number, 1), E_NONE);
	assert_int_equal(may_run("root", nobody, 1), E_POLICY);
	assert_int_equal(may_run("0", nobody, 1), E_POLICY);
	assert_int_equal(may_run("nobody", NULL, 0), E_POLICY);
	assert_int_equal(may_run("nobody", nobody, 1), E_NONE);
	assert_int_equal(may_run("65534", nobody, 1), E_NONE);
	assert_int_equal(may_run("nobody:root", nobody, 1), E_POLICY);
	assert_int_equal(may_run("nobody:daemon", nobody, 1), E_POLICY);
	assert_int_equal(may_run("nobody:daemon", pair, 1), E_NONE);
	assert_int_equal(may_run("nobody", pair, 1), E_POLICY);
	assert_int_equal(may_run("no-such-user", nobody, 1), E_NOT_FOUND);
	assert_int_equal(may_run("3999999999", nobody, 1), E_NOT_FOUND);
}

/* Where the test is root, it is nobody for a moment. */
static void users_as_somebody(void **state)
{
	const char *const bin[] = {"bin"};
	bool root = geteuid() == 0;
	const struct passwd *own;

	(void)state;
	assert_int_equal(root ? seteuid(65534) : 0, 0);
	own = getpwuid(geteuid());
	if (own) {
		assert_int_equal(may_run(NULL, NULL, 0), E_NONE);
		assert_int_equal(may_run(own->pw_name, NULL, 0), E_NONE);
		assert_int_equal(may_run("root", NULL, 0), E_POLICY);
		assert_int_equal(may_run("bin", bin, 1), E_POLICY);
	}
	assert_int_equal(root ? seteuid(0) : 0, 0);
}

static void another_user_needs_a_data_root(void **state)
{
	struct bench *bench = *state;

	if (geteuid() != 0)
		SKIP_BECAUSE("not root");
	bench->env.settings = settings(
		bench, arena_printf(bench->arena, "policy.hostDriver.imageRoots=%s", bench->folder),
		"policy.hostDriver.users=nobody");
	assert_string_equal(check(bench, COMMAND ",\"user\":\"nobody\""), "");
	assert_string_equal(check(bench, COMMAND), "policy");
	bench->node.data_root = NULL;
	assert_string_equal(check(bench, COMMAND ",\"user\":\"nobody\""), "not-supported");
}

/* A workload of another user runs as that user, in folders of its own, and cannot gain rights. */
static void another_user_runs(void **state)
{
	const struct passwd *nobody = getpwnam("nobody");
	const char *temp = getenv("TMPDIR");
	struct stat info;
	const char *text;

	(void)state;
	if (geteuid() != 0 || !nobody)
		SKIP_BECAUSE("not root");
	/* nobody must be able to pass all folders above */
	if (temp)
		assert_int_equal(chmod(temp, 0711), 0);
	host_bench_open("policy.hostDriver.users=nobody");
	host_run("(id -u; id -G; grep NoNewPrivs /proc/self/status; "
		 "ls > /dev/null && echo image) > \"$TRUEUP_DIR/data/.out\"; "
		 "mv \"$TRUEUP_DIR/data/.out\" \"$TRUEUP_DIR/out\"; exec sleep 1000",
		 "\"user\":\"nobody\",\"volumes\":[{\"name\":\"d\",\"path\":\"data\"}],"
		 "\"files\":[{\"path\":\"x\",\"content\":\"\",\"mode\":\"0600\"}]");
	text = host_await_file("out");
	assert_true(str_starts(
		text, arena_printf(host.arena, "%u\n%u\n", nobody->pw_uid, nobody->pw_gid)));
	assert_non_null(strstr(text, "NoNewPrivs:\t1\nimage\n"));
	assert_int_equal(stat(host_bench_path(NAME "/x"), &info), 0);
	assert_int_equal(info.st_uid, nobody->pw_uid);
	host_bench_close();
}

/* The private state directory is the usual reason. */
static void another_user_cannot_pass(void **state)
{
	struct spec *spec;
	struct err err = ERR_INIT;
	const struct op op = {.kind = OP_START, .name = NAME};

	(void)state;
	if (geteuid() != 0)
		SKIP_BECAUSE("not root");
	host_bench_open("policy.hostDriver.users=nobody");
	spec = host_bench_spec("exec sleep 1000", "\"user\":\"nobody\"");
	test_apply(host.driver, OP_PULL, NULL, NULL, spec);
	test_apply(host.driver, OP_CREATE, NAME, NULL, spec);
	assert_int_equal(chmod(host.folder, 0700), 0);
	assert_fails(host.driver->ops->apply(host.driver, &op, NULL, &err), err, E_SPAWN);
	assert_non_null(strstr(err.text, "user nobody may not, or cannot pass the folders above"));
	host_bench_close();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(configurations),
	TEST(each_says_where),
	TEST(a_signal_that_this_machine_lacks),
	TEST(a_working_directory_of_its_own),
	TEST(other_images),
	TEST(instances_cannot_share_a_port),
	TEST(image_roots),
	TEST(nothing_is_allowed_by_default),
	TEST(exceptions_of_one_node),
	TEST(without_settings_policy_is_not_checked),
	cmocka_unit_test(users_as_root),
	cmocka_unit_test(users_as_somebody),
	TEST(another_user_needs_a_data_root),
	cmocka_unit_test(another_user_runs),
	cmocka_unit_test(another_user_cannot_pass),
};

HOST_TEST_MAIN(tests)

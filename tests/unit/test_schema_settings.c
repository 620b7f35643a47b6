#include "tests/support/test.h"

#include "schema/decode.h"
#include "schema/kinds.h"

struct read {
	struct arena *arena;
	struct diags diags;
	const struct settings *settings;
};

static struct read read_settings(const char *text, const char *const *overrides)
{
	struct read read = {.arena = arena_new(0)};
	size_t n = 0;

	while (overrides && overrides[n])
		n++;
	read.settings = settings_decode(read.arena, "t.yaml", text, text ? strlen(text) : 0,
					overrides, n, &read.diags);
	return read;
}
#define READ(text, ...) read_settings(text, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void release(struct read *read)
{
	arena_free(read->arena);
	diags_release(&read->diags);
}
#define AUTO_READ CLEANUP(release)

static void assert_fine(const struct read *read)
{
	if (read->diags.n)
		fail_msg("%s: %s", read->diags.v[0].path, read->diags.v[0].message);
}

static void assert_problem(const struct read *read, size_t i, const char *path, uint32_t line,
			   enum diag_code code)
{
	assert_true(read->diags.n > i);
	assert_string_equal(read->diags.v[i].path, path);
	assert_int_equal(read->diags.v[i].at.line, line);
	assert_string_equal(diag_code_name(read->diags.v[i].code), diag_code_name(code));
}

static void test_none(void **state)
{
	AUTO_READ struct read read = READ(NULL);

	(void)state;
	assert_fine(&read);
	assert_non_null(read.settings);
	assert_int_equal(KIND_OR(read.settings, settings, interval), 15000);
	assert_string_equal(KIND_TEXT_OR(read.settings, settings, branch), "main");
	assert_null(read.settings->policy);
}

static void test_a_file(void **state)
{
	AUTO_READ struct read read =
		READ("kind: Settings\n"
		     "repo: /srv/config.git\n"
		     "interval: 1m\n"
		     "log: json\n"
		     "policy:\n"
		     "  hostPorts: [\"80\", 1024-65535]\n"
		     "  hostDriver: {imageRoots: [/srv/images], users: [www-data]}\n"
		     "  nodes:\n"
		     "    edge-1: {hostPaths: [/data]}\n");
	const struct policy *policy = read.settings->policy;

	(void)state;
	assert_fine(&read);
	assert_string_equal(read.settings->repo, "/srv/config.git");
	assert_int_equal(read.settings->interval, 60000);
	assert_int_equal(read.settings->log, LOGS_JSON);
	assert_int_equal(policy->host_ports.n, 2);
	assert_string_equal(policy->host_driver->users.v[0], "www-data");
	assert_int_equal(policy->nodes.n, 1);
	assert_string_equal(policy->nodes.name[0], "edge-1");
	assert_string_equal(policy->nodes.v[0].host_paths.v[0], "/data");
}

static void test_flags_over_a_file(void **state)
{
	AUTO_READ struct read read =
		READ("kind: Settings\nbranch: live\ninterval: 1m\n"
		     "policy: {hostDriver: {imageRoots: [/a], users: [u]}, nodes: {n: {hostPaths: "
		     "[/x]}}}\n",
		     "interval=5s", "policy.hostDriver.imageRoots=/srv/a,/srv/b",
		     "policy.nodes.n.hostPorts=80", "policy.nodes.m.hostPorts=90-99", "path=a=b",
		     "interval=6s");
	const struct policy *policy = read.settings->policy;

	(void)state;
	assert_fine(&read);
	assert_string_equal(read.settings->branch, "live");
	assert_string_equal(read.settings->path, "a=b");
	assert_int_equal(read.settings->interval, 6000);
	assert_int_equal(policy->host_driver->image_roots.n, 2);
	assert_string_equal(policy->host_driver->image_roots.v[1], "/srv/b");
	assert_string_equal(policy->host_driver->users.v[0], "u");
	assert_int_equal(policy->nodes.n, 2);
	assert_string_equal(policy->nodes.name[0], "m");
	assert_string_equal(policy->nodes.v[1].host_paths.v[0], "/x");
	assert_string_equal(policy->nodes.v[1].host_ports.v[0], "80");
}

static void test_an_empty_flag_unsets(void **state)
{
	AUTO_READ struct read read =
		READ("kind: Settings\nbranch: live\n", "branch=", "policy.hostPorts=");

	(void)state;
	assert_fine(&read);
	assert_null(read.settings->branch);
	assert_int_equal(read.settings->policy->host_ports.n, 0);
	assert_true(IS_SET(read.settings->policy, policy, host_ports));
}

static void test_wrong_files(void **state)
{
	AUTO_READ struct read other = READ("kind: Node\nname: a\n");
	AUTO_READ struct read none = READ("repo: a\n");
	AUTO_READ struct read list = READ("[a]\n");
	AUTO_READ struct read two = READ("kind: Settings\n---\nkind: Settings\n");
	AUTO_READ struct read fields = READ("kind: Settings\nbrnch: a\ninterval: 1\nlisten: a\n"
					    "project: a\n"
					    "policy: {privileged: yes, hostPorts: [a]}\n");

	(void)state;
	assert_problem(&other, 0, "t.yaml", 1, DIAG_MISPLACED);
	assert_problem(&none, 0, "t.yaml", 1, DIAG_MISSING_FIELD);
	assert_problem(&list, 0, "t.yaml", 1, DIAG_WRONG_TYPE);
	assert_problem(&two, 0, "t.yaml", 3, DIAG_DUPLICATE);
	assert_problem(&fields, 0, "t.yaml", 2, DIAG_UNKNOWN_FIELD);
	assert_string_equal(fields.diags.v[0].hint, "did you mean branch?");
	assert_problem(&fields, 1, "t.yaml", 3, DIAG_BAD_VALUE);
	assert_problem(&fields, 2, "t.yaml", 4, DIAG_NOT_SUPPORTED);
	assert_problem(&fields, 3, "t.yaml", 5, DIAG_UNKNOWN_FIELD);
	assert_problem(&fields, 4, "t.yaml", 6, DIAG_WRONG_TYPE);
	assert_problem(&fields, 5, "t.yaml", 6, DIAG_BAD_VALUE);
}

static void test_wrong_flags(void **state)
{
	AUTO_READ struct read read =
		READ(NULL, "intervall=5s", "interval=soon", "interval",
		     "policy.hostDriver.imageRoot=/a", "policy.hostDriver.imageRoots=a", "policy=a",
		     "policy.nodes.n=a", "log=xml", "history.x=a", "policy..x=1", "verify=signed");

	(void)state;
	assert_int_equal(read.diags.n, 11);
	assert_problem(&read, 0, "--intervall", 0, DIAG_UNKNOWN_FIELD);
	assert_string_equal(read.diags.v[0].hint, "did you mean interval?");
	assert_problem(&read, 1, "--interval", 0, DIAG_BAD_VALUE);
	assert_problem(&read, 2, "--interval", 0, DIAG_BAD_VALUE);
	assert_problem(&read, 3, "--policy.hostDriver.imageRoot", 0, DIAG_UNKNOWN_FIELD);
	assert_problem(&read, 4, "--policy.hostDriver.imageRoots", 0, DIAG_BAD_VALUE);
	assert_problem(&read, 5, "--policy", 0, DIAG_WRONG_TYPE);
	assert_problem(&read, 6, "--policy.nodes.n", 0, DIAG_WRONG_TYPE);
	assert_problem(&read, 7, "--log", 0, DIAG_BAD_VALUE);
	assert_problem(&read, 8, "--history.x", 0, DIAG_WRONG_TYPE);
	assert_problem(&read, 9, "--policy..x", 0, DIAG_UNKNOWN_FIELD);
	assert_problem(&read, 10, "--verify", 0, DIAG_NOT_SUPPORTED);
	assert_non_null(read.settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_a_file),
		cmocka_unit_test(test_flags_over_a_file),
		cmocka_unit_test(test_an_empty_flag_unsets),
		cmocka_unit_test(test_wrong_files),
		cmocka_unit_test(test_wrong_flags),
	};

	return cmocka_run_group_tests_name("schema settings", tests, NULL, NULL);
}

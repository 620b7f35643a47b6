/*
 * Every field of the container configuration, on real engines: what the engine itself tells of a
 * container that was made with it.
 */
#include "tests/support/test.h"
#include "tests/support/driver.h"
#include "tests/support/engines.h"

#include "base/num.h"
#include "schema/canon.h"

/* ---- reading what an engine tells ---- */

/* "HostConfig.Mounts.0.Target": members, and places of lists; NULL where there is nothing. */
static const json_t *at(const json_t *json, const char *path)
{
	while (json && *path && *path != '*') {
		size_t len = strcspn(path, ".");
		AUTO_FREE char *key = mem_strndup(path, len);
		int64_t place;

		if (json_is_array(json))
			json = num_parse_int(key, 0, 1000, &place) == 0
				       ? json_array_get(json, (size_t)place)
				       : NULL;
		else
			json = json_object_get(json, key);
		path += len + (path[len] == '.');
	}
	return json;
}

static bool is_as(const json_t *json, const char *expected);

/* "...*": one of the list is as expected, since engines have some lists in any order. */
static bool has_one(const json_t *list, const char *expected)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (is_as(json_array_get(list, i), expected))
			return true;
	}
	return false;
}

/* What is expected is JSON; null is also what is not there. */
static bool is_as(const json_t *json, const char *expected)
{
	AUTO_FREE char *text = mem_printf("[%s]", expected);
	AUTO_JSON json_t *list = json_read(text, strlen(text), BUF_MAX_LINE, NULL);
	const json_t *wanted = json_array_get(list, 0);

	if (!list)
		fail_msg("%s is no JSON", expected);
	if (json_is_null(wanted) || (json_is_array(wanted) && json_array_size(wanted) == 0))
		return !json || json_is_null(json) ||
		       (json_is_array(json) && json_array_size(json) == 0);
	return json_equal((json_t *)(uintptr_t)json, (json_t *)(uintptr_t)wanted);
}

/* ---- one row: a configuration, and what an engine then tells ---- */

struct row {
	const char *field;
	const char *config;
	/* where, and what there: pairs, up to a NULL; the last is Podman's own answer, or NULL */
	struct {
		const char *path, *expected, *podman;
	} tells[6];
};

static const struct row rows[] = {
	{"nothing",
	 "{}",
	 {{"HostConfig.RestartPolicy.Name", "\"unless-stopped\"", NULL},
	  {"HostConfig.Memory", "0", NULL},
	  {"HostConfig.Privileged", "false", NULL},
	  {"Config.Tty", "false", NULL},
	  {"HostConfig.PortBindings.80/tcp", "null", NULL}}},
	{"command, args",
	 "{\"command\":[\"sleep\",\"1\"],\"args\":[\"a b\",\"c\"]}",
	 {{"Config.Entrypoint", "[\"sleep\",\"1\"]", NULL},
	  {"Config.Cmd", "[\"a b\",\"c\"]", NULL},
	  {"Path", "\"sleep\"", NULL},
	  {"Args", "[\"1\",\"a b\",\"c\"]", NULL}}},
	{"args alone",
	 "{\"args\":[\"sleep\",\"9\"]}",
	 {{"Path", "\"sleep\"", NULL}, {"Args", "[\"9\"]", NULL}}},
	{"env",
	 "{\"env\":{\"A\":\"1\",\"B\":\"x y=\\\"z\\\"\",\"EMPTY\":\"\"}}",
	 {{"Config.Env.*", "\"A=1\"", NULL},
	  {"Config.Env.*", "\"B=x y=\\\"z\\\"\"", NULL},
	  {"Config.Env.*", "\"EMPTY=\"", NULL}}},
	{"user, workingDirectory, tty",
	 "{\"user\":\"1000:100\",\"workingDirectory\":\"/tmp\",\"tty\":true}",
	 {{"Config.User", "\"1000:100\"", NULL},
	  {"Config.WorkingDir", "\"/tmp\"", NULL},
	  {"Config.Tty", "true", NULL}}},
	{"ports",
	 "{\"ports\":[{\"container\":80,\"host\":18080},{\"container\":53,\"host\":18053,"
	 "\"protocol\":\"udp\",\"address\":\"127.0.0.1\"},{\"container\":81}]}",
	 {{"HostConfig.PortBindings.80/tcp.0.HostPort", "\"18080\"", NULL},
	  {"HostConfig.PortBindings.53/udp.0.HostIp", "\"127.0.0.1\"", NULL},
	  {"HostConfig.PortBindings.53/udp.0.HostPort", "\"18053\"", NULL},
	  {"HostConfig.PortBindings.81/tcp", "null", NULL},
	  {"Config.ExposedPorts.81/tcp", "{}", NULL}}},
	{"one port of the container on several of the node",
	 "{\"ports\":[{\"container\":80,\"host\":18081},{\"container\":80,\"host\":18080,"
	 "\"address\":\"127.0.0.1\"},{\"container\":80}]}",
	 {{"HostConfig.PortBindings.80/tcp.*", "{\"HostIp\":\"\",\"HostPort\":\"18081\"}", NULL},
	  {"HostConfig.PortBindings.80/tcp.*", "{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"18080\"}",
	   NULL},
	  {"HostConfig.PortBindings.80/tcp.2", "null", NULL}}},
	{"portRanges",
	 "{\"portRanges\":[{\"container\":\"10000-10002\",\"host\":\"20000-20002\"}]}",
	 {{"HostConfig.PortBindings.10000/tcp.0.HostPort", "\"20000\"", NULL},
	  {"HostConfig.PortBindings.10002/tcp.0.HostPort", "\"20002\"", NULL},
	  {"HostConfig.PortBindings.10003/tcp", "null", NULL}}},
	{"volumes",
	 "{\"volumes\":[{\"name\":\"data\",\"path\":\"/data\",\"readOnly\":true}]}",
	 {{"Mounts.0.Type", "\"volume\"", NULL},
	  {"Mounts.0.Name", "\"shop-prod-data\"", NULL},
	  {"Mounts.0.Destination", "\"/data\"", NULL},
	  {"Mounts.0.RW", "false", NULL}}},
	{"volumes: hostPath, below workingDirectory",
	 "{\"workingDirectory\":\"/tmp\",\"volumes\":[{\"hostPath\":\"/usr\",\"path\":\"x/y\","
	 "\"type\":\"ro\"}]}",
	 {{"Mounts.0.Type", "\"bind\"", NULL},
	  {"Mounts.0.Source", "\"/usr\"", NULL},
	  {"Mounts.0.Destination", "\"/tmp/x/y\"", NULL},
	  {"Mounts.0.RW", "false", NULL}}},
	{"resources",
	 "{\"resources\":{\"cpu\":\"500m\",\"memory\":\"64Mi\","
	 "\"requests\":{\"cpu\":\"250m\",\"memory\":\"32Mi\"}}}",
	 {{"HostConfig.Memory", "67108864", NULL},
	  {"HostConfig.NanoCpus", "500000000", NULL},
	  {"HostConfig.MemoryReservation", "33554432", NULL},
	  {"HostConfig.CpuShares", "256", NULL}}},
	{"resources: limits",
	 "{\"resources\":{\"limits\":{\"cpu\":\"2\",\"memory\":\"1Gi\"}}}",
	 {{"HostConfig.Memory", "1073741824", NULL}, {"HostConfig.NanoCpus", "2000000000", NULL}}},
	{"healthCheck",
	 "{\"healthCheck\":{\"command\":[\"true\",\"a  b\"],\"interval\":\"2s\",\"retries\":5,"
	 "\"startPeriod\":\"1m\"}}",
	 {{"Config.Healthcheck.Test", "[\"CMD\",\"true\",\"a  b\"]",
	   "[\"CMD-SHELL\",\"'true' 'a  b'\"]"},
	  {"Config.Healthcheck.Interval", "2000000000", NULL},
	  {"Config.Healthcheck.Timeout", "5000000000", NULL},
	  {"Config.Healthcheck.Retries", "5", NULL},
	  {"Config.Healthcheck.StartPeriod", "60000000000", NULL}}},
	{"healthCheck: http",
	 "{\"healthCheck\":{\"http\":{\"port\":80,\"path\":\"/a\"},\"interval\":\"2s\"}}",
	 {{"Config.Healthcheck.Test", "[\"NONE\"]", NULL},
	  {"Config.Labels.dev~trueup~check",
	   "\"{\\\"healthCheck\\\":{\\\"http\\\":{\\\"path\\\":\\\"/a\\\",\\\"port\\\":80},"
	   "\\\"interval\\\":\\\"2s\\\"}}\"",
	   NULL}}},
	{"healthCheck: tcp",
	 "{\"healthCheck\":{\"tcp\":{\"port\":80}}}",
	 {{"Config.Healthcheck.Test", "[\"NONE\"]", NULL}}},
	{"restartPolicy",
	 "{\"restartPolicy\":\"on-failure\"}",
	 {{"HostConfig.RestartPolicy.Name", "\"on-failure\"", NULL}}},
	{"expect",
	 "{\"expect\":{\"state\":\"exited\"}}",
	 {{"HostConfig.RestartPolicy.Name", "\"no\"", NULL}}},
	{"networkMode: none",
	 "{\"networkMode\":\"none\"}",
	 {{"HostConfig.NetworkMode", "\"none\"", NULL},
	  {"NetworkSettings.Networks.shop-prod", "null", NULL}}},
	{"networkMode: host",
	 "{\"networkMode\":\"host\"}",
	 {{"HostConfig.NetworkMode", "\"host\"", NULL},
	  {"NetworkSettings.Networks.shop-prod", "null", NULL}}},
	{"networks",
	 "{\"networks\":[\"back\"]}",
	 {{"NetworkSettings.Networks.shop-prod.Aliases.0", "\"shop-prod-web\"", NULL},
	  {"NetworkSettings.Networks.shop-prod~back.Aliases.0", "\"shop-prod-web\"", NULL}}},
	{"logging",
	 "{\"logging\":{\"driver\":\"json-file\",\"options\":{\"max-size\":\"1m\"}}}",
	 {{"HostConfig.LogConfig.Type", "\"json-file\"", NULL}}},
	{"labels",
	 "{\"labels\":{\"com.example.a\":\"b c\"}}",
	 {{"Config.Labels.com~example~a", "\"b c\"", NULL},
	  {"Config.Labels.dev~trueup~owner", "\"" TEST_OWNER "\"", NULL},
	  {"Config.Labels.dev~trueup~record", "\"7\"", NULL}}},
	{"capabilities",
	 "{\"capabilities\":[\"NET_ADMIN\",\"-NET_RAW\"]}",
	 {{"HostConfig.CapAdd", "[\"NET_ADMIN\"]", NULL},
	  {"HostConfig.CapDrop", "[\"NET_RAW\"]", NULL}}},
	{"privileged", "{\"privileged\":true}", {{"HostConfig.Privileged", "true", NULL}}},
	{"devices",
	 "{\"devices\":[\"/dev/null\",\"/dev/zero:/dev/nil:r\"]}",
	 {{"HostConfig.Devices.0.PathOnHost", "\"/dev/null\"", NULL},
	  {"HostConfig.Devices.1.PathInContainer", "\"/dev/nil\"", NULL}}},
	{"stopSignal, stopTimeout",
	 "{\"stopSignal\":\"SIGUSR1\",\"stopTimeout\":\"2500ms\"}",
	 {{"Config.StopSignal", "\"SIGUSR1\"", "\"10\""}, {"Config.StopTimeout", "3", NULL}}},
};

/* A name with dots in it, which part the steps of a path, is written with ~ for each. */
static const json_t *told(const json_t *inspect, const char *path)
{
	AUTO_FREE char *parent = mem_strdup(path), *rest = NULL;
	char *mark = strchr(parent, '~'), *dot;
	const json_t *json;

	if (!mark)
		return at(inspect, path);
	for (dot = mark; dot > parent && *dot != '.'; dot--)
		;
	*dot++ = '\0';
	json = at(inspect, parent);
	rest = mem_strndup(dot, strcspn(dot, "."));
	for (char *c = rest; *c; c++)
		*c = *c == '~' ? '.' : *c;
	json = json_object_get(json, rest);
	dot += strcspn(dot, ".");
	return at(json, *dot ? dot + 1 : dot);
}

static void check_tells(const struct row *row, const json_t *inspect, bool podman)
{
	for (size_t i = 0; i < ARRAY_LEN(row->tells) && row->tells[i].path; i++) {
		const char *expected = podman && row->tells[i].podman ? row->tells[i].podman
								      : row->tells[i].expected;
		const json_t *json = told(inspect, row->tells[i].path);
		struct buf got AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);

		if (str_ends(row->tells[i].path, "*") ? has_one(json, expected)
						      : is_as(json, expected))
			continue;
		if (json)
			json_write(json, &got);
		fail_msg("%s: %s is %s, not %s", row->field, row->tells[i].path, buf_str(&got),
			 expected);
	}
}

/* Once made, a container is as it was wanted: what comes back has no difference. */
static void check_row(struct engine_bench *bench, const struct row *row)
{
	struct spec *spec =
		test_spec(bench->arena, bench->driver, "shop-prod-web", bench->image, row->config);
	AUTO_JSON json_t *inspect = NULL;
	struct field_diffs diffs;
	struct workload seen;

	test_apply(bench->driver, OP_PULL, NULL, NULL, spec);
	test_apply(bench->driver, OP_CREATE, spec->name, NULL, spec);
	inspect = engine_inspect(bench->driver, spec->name);
	check_tells(row, inspect, docker_of(bench->driver)->is_podman);
	seen = test_see(bench->driver, bench->arena, spec->name);
	diffs = canon_diff(bench->arena, seen.config, spec->config, CANON_ALL);
	if (diffs.n)
		fail_msg("%s: %s is seen as %s, not %s", row->field, diffs.v[0].field,
			 diffs.v[0].from ? diffs.v[0].from : "(none)",
			 diffs.v[0].to ? diffs.v[0].to : "(none)");
	test_apply(bench->driver, OP_REMOVE, spec->name, NULL, NULL);
}

static void test_fields(struct engine_bench *bench)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("# %s\n", rows[i].field);
		check_row(bench, &rows[i]);
	}
}

/* ---- files: read where they are, in the running container ---- */

#define DEEP "0123456789012345678901234567890123456789"

static void test_files(struct engine_bench *bench)
{
	struct spec *spec = test_spec(
		bench->arena, bench->driver, "shop-prod-web", bench->image,
		"{\"command\":[\"sh\",\"-c\",\"cat conf/a /etc/deep/" DEEP "/" DEEP "/" DEEP
		"/b; stat -c %a /tmp/conf/a; cat /which\"],\"workingDirectory\":\"/tmp\","
		"\"restartPolicy\":\"no\",\"files\":[{\"path\":\"conf/a\",\"content\":\"one\\n\","
		"\"mode\":\"0640\"},{\"path\":\"/etc/deep/" DEEP "/" DEEP "/" DEEP
		"/b\",\"content\":\"two\\n\"}]}");

	test_run_spec(bench->driver, spec);
	engine_await_log(bench->driver, spec->name, "one\ntwo\n640\nweb 1\n");
}

static void test_terminal(struct engine_bench *bench)
{
	struct spec *spec = test_spec(bench->arena, bench->driver, "shop-prod-web", bench->image,
				      "{\"command\":[\"sh\",\"-c\",\"test -t 1 && echo yes\"],"
				      "\"tty\":true,\"restartPolicy\":\"no\"}");

	test_run_spec(bench->driver, spec);
	engine_await_log(bench->driver, spec->name, "yes\r\n");
}

int main(void)
{
	static const struct engine_case cases[] = {
		{"fields", test_fields}, {"files", test_files}, {"terminal", test_terminal}};

	return engine_run_cases("docker fields", cases, ARRAY_LEN(cases));
}

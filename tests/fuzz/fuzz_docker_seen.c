/*
 * What an engine tells of its containers and in its events, as bytes to workloads: whatever is
 * taken has a name and sound values, and passes from process to process as it is.
 */
#include "base/sys.h"
#include "base/json.h"
#include "drivers/docker.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1800000000000)

static void check_workload(const struct workload *seen, struct arena *arena)
{
	struct workload list[] = {*seen};
	struct observed observed = {.node = "edge-1",
				    .engine = "engine",
				    .engine_id = "id",
				    .workloads = list,
				    .workloads_n = 1};
	AUTO_JSON json_t *once = NULL, *twice = NULL;
	struct err err = ERR_INIT;
	struct observed again;

	FUZZ_CHECK(seen->name && seen->id);
	FUZZ_CHECK(*run_state_word(seen->state) && *run_health_word(seen->health));
	FUZZ_CHECK(seen->restarts >= 0 && seen->running_ms >= 0);
	FUZZ_CHECK(seen->exit_code >= -1 && seen->exit_code <= 255);
	FUZZ_CHECK(seen->state == RUN_RUNNING || seen->running_ms == 0);
	once = observed_json(&observed);
	FUZZ_CHECK(observed_from_json(once, arena, &again, &err) == 0);
	twice = observed_json(&again);
	FUZZ_CHECK(json_equal(once, twice));
}

static void check_one(const json_t *json, struct arena *arena)
{
	struct err err = ERR_INIT;
	struct workload seen;
	int code = docker_ends_code(json);

	FUZZ_CHECK(code >= -1 && code <= 255);
	(void)docker_event_matters(json);
	if (docker_seen_workload(json, NOW_MS, arena, &seen, &err) == 0)
		check_workload(&seen, arena);
	else
		FUZZ_CHECK(err.code != E_NONE && *err.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON json_t *json = json_read((const char *)data, size, 1 << 20, NULL);
	AUTO_ARENA struct arena *arena = arena_new(0);

	if (!json)
		return 0;
	check_one(json, arena);
	for (size_t i = 0; i < json_array_size(json); i++)
		check_one(json_array_get(json, i), arena);
	return 0;
}

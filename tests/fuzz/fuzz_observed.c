/* What was seen, as JSON: whatever is taken is sorted, and written and read again is the same. */
#include "base/sys.h"
#include "base/json.h"
#include "drivers/driver.h"
#include "tests/fuzz/fuzz.h"

static void check_sorted(const struct observed *observed)
{
	for (size_t i = 0; i + 1 < observed->workloads_n; i++)
		FUZZ_CHECK(str_cmp(observed->workloads[i].name, observed->workloads[i + 1].name) <=
			   0);
	for (size_t i = 0; i < observed->workloads_n; i++)
		FUZZ_CHECK(observed_find(observed, observed->workloads[i].name));
}

static void check_observed(const json_t *json, struct arena *arena)
{
	AUTO_JSON json_t *once = NULL, *twice = NULL;
	struct observed observed, again;
	struct err err = ERR_INIT;

	if (observed_from_json(json, arena, &observed, &err) != 0) {
		FUZZ_CHECK(err.code != E_NONE && *err.text);
		return;
	}
	check_sorted(&observed);
	once = observed_json(&observed);
	FUZZ_CHECK(observed_from_json(once, arena, &again, &err) == 0);
	twice = observed_json(&again);
	FUZZ_CHECK(json_equal(once, twice));
}

static void check_op(const json_t *json, struct arena *arena)
{
	AUTO_JSON json_t *once = NULL, *twice = NULL;
	struct err err = ERR_INIT;
	struct op op, again;

	if (op_from_json(json, arena, &op, &err) != 0) {
		FUZZ_CHECK(err.code != E_NONE && *err.text);
		return;
	}
	once = op_json(&op);
	FUZZ_CHECK(op_from_json(once, arena, &again, &err) == 0);
	twice = op_json(&again);
	FUZZ_CHECK(json_equal(once, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON json_t *json = json_read((const char *)data, size, 1 << 20, NULL);
	AUTO_ARENA struct arena *arena = arena_new(0);

	if (json) {
		check_observed(json, arena);
		check_op(json, arena);
	}
	return 0;
}

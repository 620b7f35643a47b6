/*
 * A pretended node whose files somebody wrote by hand: it is observed, or it says why not, and what
 * was observed can be written and read again. The first byte says which file the rest is.
 */
#include "base/sys.h"
#include "base/fs.h"
#include "base/json.h"
#include "drivers/driver.h"
#include "schema/model.h"
#include "tests/fuzz/fuzz.h"

static void put(const char *folder, const char *shelf, const char *name, const uint8_t *bytes,
		size_t len)
{
	char inner[FS_PATH_MAX], path[FS_PATH_MAX];

	FUZZ_CHECK(fs_join(inner, folder, shelf) == 0);
	FUZZ_CHECK(fs_make_dirs(inner, 0700, NULL) == 0);
	FUZZ_CHECK(fs_join(path, inner, name) == 0);
	FUZZ_CHECK(fs_write_atomic(path, bytes, len, 0600, NULL) == 0);
}

static void check_node(const char *folder)
{
	AUTO_FREE char *endpoint = mem_printf("file://%s", folder);
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_DRIVER struct driver *driver = NULL;
	AUTO_JSON json_t *json = NULL;
	const struct settings settings = {0};
	const struct driver_env env = {
		.state_dir = folder, .owner = "acme/1", .settings = &settings, .self = ""};
	const struct node node = {.name = "n", .driver = DRIVER_MEMORY, .endpoint = endpoint};
	struct observed observed, again;
	struct err err = ERR_INIT;

	if (driver_open(&node, &env, &driver, &err) < 0 ||
	    driver->ops->observe(driver, arena, &observed, &err) < 0) {
		FUZZ_CHECK(err.code != E_NONE && *err.text);
		return;
	}
	json = observed_json(&observed);
	FUZZ_CHECK(observed_from_json(json, arena, &again, &err) == 0);
	FUZZ_CHECK(again.workloads_n == observed.workloads_n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *shelf, *name;
	} files[] = {
		{".", "behaviour.json"},    {"containers", "p-web.json"},
		{"volumes", "p-data.json"}, {"images", "sha256-00.json"},
		{"ports", "80-tcp.json"},   {".", "marker.json"},
	};
	size_t chosen = size ? data[0] % ARRAY_LEN(files) : 0;
	char folder[FS_PATH_MAX];

	fuzz_folder(folder);
	put(folder, files[chosen].shelf, files[chosen].name, data + (size != 0),
	    size - (size != 0));
	check_node(folder);
	FUZZ_CHECK(fs_remove_tree(folder, NULL) == 0);
	return 0;
}

/*
 * What the host driver finds in a workload's control folder, as a torn write, a bad disk or
 * somebody with an editor left it: taken or refused with a text, and what is taken, written and
 * read again is the same. No such file makes it signal anything but a process that it started.
 *
 * The first byte chooses the file.
 */
#include "base/sys.h"
#include "base/fs.h"
#include "base/json.h"
#include "drivers/host_control.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <unistd.h>

static void check_status(int dir)
{
	struct host_status once, twice;
	struct err err = ERR_INIT;

	if (host_status_read(dir, &once, &err) != 0) {
		FUZZ_CHECK(err.code != E_NONE && *err.text);
		return;
	}
	FUZZ_CHECK(host_status_write(dir, &once, &err) == 0);
	FUZZ_CHECK(host_status_read(dir, &twice, &err) == 0);
	FUZZ_CHECK(once.state == twice.state && once.health == twice.health);
	FUZZ_CHECK(once.pid == twice.pid && once.start_time == twice.start_time);
	FUZZ_CHECK(once.started_ms == twice.started_ms && once.starts == twice.starts);
	FUZZ_CHECK(once.exit_code == twice.exit_code && once.stopping == twice.stopping);
	FUZZ_CHECK(str_eq(once.run, twice.run) && str_eq(once.boot, twice.boot));
	host_status_settle(&once, false, "another boot");
	FUZZ_CHECK(once.state != RUN_RUNNING);
}

static void check_spec(int dir)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_JSON json_t *first = NULL, *second = NULL;
	struct host_spec once, twice;
	struct err err = ERR_INIT;

	if (host_spec_read(dir, arena, &once, &err) != 0) {
		FUZZ_CHECK(err.code != E_NONE && *err.text);
		return;
	}
	FUZZ_CHECK(host_spec_write(dir, once.id, &once.spec, &err) == 0);
	FUZZ_CHECK(host_spec_read(dir, arena, &twice, &err) == 0);
	first = spec_json(&once.spec);
	second = spec_json(&twice.spec);
	FUZZ_CHECK(json_equal(first, second));
	FUZZ_CHECK(str_eq(once.id, twice.id));
}

static void check_lock(int dir)
{
	struct err err = ERR_INIT;

	FUZZ_CHECK(!host_lock_is_held(dir));
	FUZZ_CHECK(host_supervisor_open(dir, &err) < 0 && *err.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *file;
		void (*check)(int dir);
	} files[] = {
		{HOST_STATUS_FILE, check_status},
		{HOST_SPEC_FILE, check_spec},
		{HOST_LOCK_FILE, check_lock},
	};
	size_t chosen = size ? data[0] % ARRAY_LEN(files) : 0;
	char folder[FS_PATH_MAX];

	fuzz_folder(folder);
	{
		int dir AUTO_FD = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		FUZZ_CHECK(dir >= 0);
		FUZZ_CHECK(host_write_at(dir, files[chosen].file, data + (size != 0),
					 size - (size != 0), NULL) == 0);
		files[chosen].check(dir);
	}
	FUZZ_CHECK(fs_remove_tree(folder, NULL) == 0);
	return 0;
}

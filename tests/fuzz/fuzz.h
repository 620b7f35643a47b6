/*
 * fuzz.h - what every fuzz target includes: its entry, and how it says that something is wrong.
 *
 * A target is one file tests/fuzz/fuzz_<name>.c with the function below. It must not keep anything
 * from one input to the next, and it checks properties (read, write, read again: the same) rather
 * than only surviving. `make fuzz` links it with libFuzzer; `make check` links it with replay.c,
 * which runs it over tests/fuzz/corpus/<name>/ and over every prefix of what stands there.
 */
#ifndef TRUEUP_TESTS_FUZZ_H
#define TRUEUP_TESTS_FUZZ_H

#include "base/sys.h"
#include "base/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,           \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* A folder for this input alone; the target removes it. Below /dev/shm, by TMPDIR, it is fast. */
static inline void fuzz_folder(char path[FS_PATH_MAX])
{
	const char *parent = getenv("TMPDIR");

	snprintf(path, FS_PATH_MAX, "%s/fuzz.XXXXXX", parent && *parent ? parent : "/tmp");
	FUZZ_CHECK(mkdtemp(path));
}

#endif

/*
 * A main() for fuzz targets where there is no libFuzzer: runs the corpus that belongs to the
 * program's name, or the files and folders named as arguments (to look at one crash).
 */
#include "base/sys.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>

#define INPUT_MAX ((size_t)4 << 20)
#define PREFIXES_MAX 1024

static size_t inputs;

/* In memory of just that size, so that a look behind the end is found. */
static void run_bytes(const char *bytes, size_t len)
{
	uint8_t *copy = mem_alloc(len);

	if (len)
		memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void run_file(const char *path)
{
	struct buf content AUTO_BUF = BUF_INIT(INPUT_MAX);
	struct err err = ERR_INIT;

	if (fs_read(path, INPUT_MAX, &content, &err) != 0) {
		printf("Bail out! %s\n", err.text);
		exit(EXIT_ERROR);
	}
	printf("# %s\n", path);
	fflush(stdout); /* so that a crash shows which it was */
	run_bytes(buf_str(&content), content.len);
	for (size_t len = 0; len < content.len && len < PREFIXES_MAX; len++)
		run_bytes(content.ptr, len);
	inputs++;
}

static void run_folder(const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char path[FS_PATH_MAX];

		if (entries[i]->d_name[0] != '.' && fs_join(path, folder, entries[i]->d_name) == 0)
			run_file(path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void run_path(const char *path)
{
	if (fs_is_dir(path))
		run_folder(path);
	else
		run_file(path);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	char *corpus AUTO_FREE =
		mem_printf("tests/fuzz/corpus/%s", str_starts(name, "fuzz_") ? name + 5 : name);

	printf("1..1\n");
	for (int i = 1; i < argc; i++)
		run_path(argv[i]);
	if (argc == 1)
		run_folder(corpus);
	printf("%s 1 - %s: %zu inputs and their prefixes\n", inputs ? "ok" : "not ok", name,
	       inputs);
	return inputs ? EXIT_DONE : EXIT_ERROR;
}

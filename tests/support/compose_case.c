#include "tests/support/test.h"
#include "tests/support/compose_case.h"

#include <dirent.h>

#include "base/fs.h"

#define MARK ">>> "
#define EXPECTED "<<<\n"

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct compose_file *)a)->name,
		      ((const struct compose_file *)b)->name);
}

/* A name that ends in * is executable. */
static void add_file(struct compose_case *compose, char *name, size_t len)
{
	struct compose_file file = {.name = name, .bytes = name + len + 1};

	name[len] = '\0';
	file.executable = len && name[len - 1] == '*';
	if (file.executable)
		name[len - 1] = '\0';
	VEC_PUSH(&compose->files, file);
}

void compose_case_read(const char *path, struct compose_case *compose)
{
	struct err err = ERR_INIT;
	char *line;

	*compose = (struct compose_case){.text = BUF_INIT(COMPOSE_CASE_MAX)};
	assert_done(fs_read(path, COMPOSE_CASE_MAX, &compose->text, &err), err);
	buf_str(&compose->text);
	line = compose->text.ptr;
	for (size_t len; *line && !str_starts(line, EXPECTED); line += len + 1) {
		len = strcspn(line, "\n");
		if (str_starts(line, MARK))
			add_file(compose, line + strlen(MARK), len - strlen(MARK));
		else if (compose->files.n)
			compose->files.v[compose->files.n - 1].size += len + 1;
		else if (*line != '#')
			fail_msg("%s does not begin with a comment and a file", path);
	}
	if (!*line)
		fail_msg("%s has no line <<<", path);
	compose->expected = line + strlen(EXPECTED);
	VEC_SORT(&compose->files, by_name);
}

void compose_case_release(struct compose_case *compose)
{
	buf_release(&compose->text);
	VEC_FREE(&compose->files);
}

static int is_case(const struct dirent *entry)
{
	return str_ends(entry->d_name, ".case");
}

size_t compose_case_each(const char *sort, void (*use)(void *arg, const char *path), void *arg)
{
	AUTO_FREE char *folder = mem_printf(COMPOSE_CASES "/%s", sort);
	struct dirent **entries;
	int n = scandir(folder, &entries, is_case, alphasort);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", folder, entries[i]->d_name);

		use(arg, path);
		free(entries[i]);
	}
	free(entries);
	return (size_t)n;
}

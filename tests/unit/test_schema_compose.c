#include "tests/support/test.h"

#include <dirent.h>

#include "base/fs.h"
#include "base/map.h"
#include "base/vec.h"
#include "schema/canon.h"
#include "schema/compose.h"

/*
 * Runs every case of tests/data/compose: a folder with a Compose file, and what must come out of it
 * (README.md there). UPDATE=1 in the environment writes what does.
 */

#define FOLDER "tests/data/compose"
#define CASE_MAX ((size_t)4 << 20)
#define MARK ">>> "
#define EXPECTED "<<<\n"
#define CASES_MIN 80 /* of each sort */

static const struct unit unit = {UNIT_STAGE, "shop", "prod"};

/* ---- a case ---- */

struct compose_case {
	struct buf text;
	VEC(struct compose_file) files;
	const char *expected; /* in text */
};

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

static void read_case(const char *path, struct compose_case *compose)
{
	struct err err = ERR_INIT;
	char *line;

	*compose = (struct compose_case){.text = BUF_INIT(CASE_MAX)};
	assert_done(fs_read(path, CASE_MAX, &compose->text, &err), err);
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

static void release_case(struct compose_case *compose)
{
	buf_release(&compose->text);
	VEC_FREE(&compose->files);
}

/* ---- what comes out ---- */

static void show_diag(const struct diag *diag, struct buf *out)
{
	buf_addf(out, "%s:%u:%u: %s[%s]: %s", diag->path + strlen("wiki/"), diag->at.line,
		 diag->at.column, diag->severity == DIAG_NOTE ? "note" : "error",
		 diag_code_name(diag->code), diag->message);
	if (diag->hint)
		buf_addf(out, " ~ %s", diag->hint);
	if (diag->related_path)
		buf_addf(out, " ~ see %s:%u:%u", diag->related_path + strlen("wiki/"),
			 diag->related.line, diag->related.column);
	buf_addc(out, '\n');
}

/* Images in their order, then what is said; the number of errors. */
static size_t read_folder(const struct compose_case *compose, struct buf *out)
{
	const struct compose_folder folder = {"wiki", compose->files.v, compose->files.n};
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_DIAGS struct diags diags = {0};
	struct compose read;
	bool fine = compose_read(&folder, "compose.yaml", &(struct compose_names){"wiki"}, arena,
				 &unit, &read, &diags);

	assert_int_equal(fine, diags.errors == 0);
	for (size_t i = 0; fine && i < read.images.n; i++) {
		canon_image(&read.images.v[i], CANON_ALL, out);
		buf_addc(out, '\n');
	}
	diags_sort(&diags);
	for (size_t i = 0; i < diags.n; i++)
		show_diag(&diags.v[i], out);
	return diags.errors;
}

static void write_case(const char *path, const struct compose_case *compose, const struct buf *out)
{
	AUTO_BUF struct buf text = BUF_INIT(CASE_MAX), as_is = BUF_INIT(CASE_MAX);
	struct err err = ERR_INIT;

	assert_done(fs_read(path, CASE_MAX, &as_is, &err), err);
	buf_add(&text, buf_str(&as_is), (size_t)(compose->expected - compose->text.ptr));
	buf_add(&text, out->ptr, out->len);
	assert_done(fs_write_replace(path, text.ptr, text.len, 0644, &err), err);
}

static bool run_case(const char *path, bool wrong)
{
	AUTO_BUF struct buf out = BUF_INIT(CASE_MAX);
	struct compose_case compose;
	size_t errors;
	bool fine;

	read_case(path, &compose);
	errors = read_folder(&compose, &out);
	if (getenv("UPDATE"))
		write_case(path, &compose, &out);
	else if (!str_eq(buf_str(&out), compose.expected))
		fail_msg("%s: this came out:\n%s", path, buf_str(&out));
	fine = wrong == (errors > 0);
	if (!fine)
		print_error("%s: %zu errors\n", path, errors);
	release_case(&compose);
	return fine;
}

/* ---- all of them ---- */

/* The files of one case, one after the other. */
static char *whole_text(const char *path)
{
	AUTO_BUF struct buf out = BUF_INIT(CASE_MAX);
	struct compose_case compose;

	read_case(path, &compose);
	for (size_t i = 0; i < compose.files.n; i++) {
		buf_addf(&out, "%s\n", compose.files.v[i].name);
		buf_add(&out, compose.files.v[i].bytes, compose.files.v[i].size);
	}
	release_case(&compose);
	return buf_take(&out);
}

static int is_case(const struct dirent *entry)
{
	return str_ends(entry->d_name, ".case");
}

static void run_all(const char *sort, bool wrong)
{
	AUTO_MAP struct map seen = {0};
	AUTO_FREE char *folder = mem_printf(FOLDER "/%s", sort);
	struct dirent **entries;
	int n = scandir(folder, &entries, is_case, alphasort);
	bool fine = true;

	assert_true(n >= CASES_MIN);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", folder, entries[i]->d_name);
		AUTO_FREE char *text = whole_text(path);

		fine &= run_case(path, wrong);
		if (map_put(&seen, text, &seen))
			fail_msg("%s is there already under another name", path);
		free(entries[i]);
	}
	free(entries);
	assert_true(fine);
}

static void good_ones_are_read(void **state UNUSED)
{
	run_all("good", false);
}

static void wrong_ones_are_told(void **state UNUSED)
{
	run_all("wrong", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_are_read),
		cmocka_unit_test(wrong_ones_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

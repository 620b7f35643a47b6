#include "tests/support/test.h"
#include "tests/support/compose_case.h"

#include "base/fs.h"
#include "base/map.h"
#include "base/vec.h"
#include "schema/canon.h"
#include "schema/compose.h"

/*
 * Runs every case of tests/data/compose: a folder with a Compose file, and what must come out of it
 * (README.md there). UPDATE=1 in the environment writes what does.
 */

#define CASES_MIN 80 /* of each sort */

static const struct unit unit = {UNIT_STAGE, "shop", "prod"};

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
	AUTO_BUF struct buf text = BUF_INIT(COMPOSE_CASE_MAX), as_is = BUF_INIT(COMPOSE_CASE_MAX);
	struct err err = ERR_INIT;

	assert_done(fs_read(path, COMPOSE_CASE_MAX, &as_is, &err), err);
	buf_add(&text, buf_str(&as_is), (size_t)(compose->expected - compose->text.ptr));
	buf_add(&text, out->ptr, out->len);
	assert_done(fs_write_replace(path, text.ptr, text.len, 0644, &err), err);
}

static bool run_case(const char *path, bool wrong)
{
	AUTO_BUF struct buf out = BUF_INIT(COMPOSE_CASE_MAX);
	struct compose_case compose;
	size_t errors;
	bool fine;

	compose_case_read(path, &compose);
	errors = read_folder(&compose, &out);
	if (getenv("UPDATE"))
		write_case(path, &compose, &out);
	else if (!str_eq(buf_str(&out), compose.expected))
		fail_msg("%s: this came out:\n%s", path, buf_str(&out));
	fine = wrong == (errors > 0);
	if (!fine)
		print_error("%s: %zu errors\n", path, errors);
	compose_case_release(&compose);
	return fine;
}

/* ---- all of them ---- */

/* The files of one case, one after the other. */
static char *whole_text(const char *path)
{
	AUTO_BUF struct buf out = BUF_INIT(COMPOSE_CASE_MAX);
	struct compose_case compose;

	compose_case_read(path, &compose);
	for (size_t i = 0; i < compose.files.n; i++) {
		buf_addf(&out, "%s\n", compose.files.v[i].name);
		buf_add(&out, compose.files.v[i].bytes, compose.files.v[i].size);
	}
	compose_case_release(&compose);
	return buf_take(&out);
}

struct running {
	struct map seen;
	bool wrong, fine;
};

static void run_one(void *arg, const char *path)
{
	struct running *running = arg;
	AUTO_FREE char *text = whole_text(path);

	running->fine &= run_case(path, running->wrong);
	if (map_put(&running->seen, text, running))
		fail_msg("%s is there already under another name", path);
}

static void run_all(const char *sort, bool wrong)
{
	struct running running = {.wrong = wrong, .fine = true};

	assert_true(compose_case_each(sort, run_one, &running) >= CASES_MIN);
	map_release(&running.seen);
	assert_true(running.fine);
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

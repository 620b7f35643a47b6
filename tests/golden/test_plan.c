/*
 * Each folder beside this file that has a story.json is a test: what was deployed and what somebody
 * did (tests/support/story.h), and the plan that must come of it:
 *
 *	before.txt   records and containers before the plan, to be read beside it
 *	plan.json    as `plan --format json` prints it
 *	plan.txt     the same for people, 80 columns wide
 *	plan.md      the same for a pull request; only where the file is there
 *
 * UPDATE=1 writes them anew; look at the difference before you commit it.
 */
#include "tests/support/test.h"

#include <dirent.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/vec.h"
#include "plan/render.h"
#include "tests/support/story.h"

#define GOLDEN "tests/golden"
#define TEXT_MAX ((size_t)1 << 20)

static bool updating(void)
{
	const char *update = getenv("UPDATE");

	return update && *update && !str_eq(update, "0");
}

/* ---- files ---- */

static char *file_of(const char *name, const char *file)
{
	return mem_printf(GOLDEN "/%s/%s", name, file);
}

static size_t line_length(const char *text)
{
	return strcspn(text, "\n");
}

/* Shows the first line that differs, and what is there. */
static void fail_at(const char *path, const char *wanted, const char *got)
{
	int line = 1;

	while (*wanted && line_length(wanted) == line_length(got) &&
	       memcmp(wanted, got, line_length(wanted)) == 0 && got[line_length(got)]) {
		wanted += line_length(wanted) + 1;
		got += line_length(got) + 1;
		line++;
	}
	print_message("# %s:%d\n# wanted: %.*s\n# got:    %.*s\n", path, line,
		      (int)line_length(wanted), wanted, (int)line_length(got), got);
	fail_msg("%s differs; UPDATE=1 make check-golden writes it anew", path);
}

static void compare(const char *name, const char *file, const struct buf *got)
{
	AUTO_FREE char *path = file_of(name, file);
	AUTO_BUF struct buf wanted = BUF_INIT(TEXT_MAX);
	struct err err = ERR_INIT;

	if (updating()) {
		assert_done(fs_write_replace(path, buf_str(got), got->len, 0644, &err), err);
		return;
	}
	assert_done(fs_read(path, TEXT_MAX, &wanted, &err), err);
	if (!str_eq(buf_str(&wanted), buf_str(got)))
		fail_at(path, buf_str(&wanted), buf_str(got));
}

/* ---- what holds for every plan ---- */

/* Lines of diagnostics and of paths are as long as they are. */
static void check_width(const struct buf *text)
{
	const char *line = buf_str(text);

	for (; *line; line += line_length(line) + (line[line_length(line)] == '\n')) {
		size_t width = 0;

		for (size_t i = 0; i < line_length(line); i++)
			width += ((unsigned char)line[i] & 0xc0) != 0x80;
		if (width > 80 && !memmem(line, line_length(line), ".yaml", 5) &&
		    !memmem(line, line_length(line), " | ", 3) &&
		    !memmem(line, line_length(line), "^", 1))
			fail_msg("too wide: %.*s", (int)line_length(line), line);
	}
}

static void check_counts(const struct plan *plan)
{
	size_t steps = plan->create + plan->replace + plan->update + plan->restart + plan->remove;
	size_t found = 0;

	for (size_t i = 0; i < plan->slots_n; i++)
		found += plan->slots[i].leave ? 0 : plan->slots[i].steps_n;
	assert_int_equal(steps, found);
	if (steps > 0)
		assert_true(plan_has_changes(plan));
}

/* The same change on another commit is the same plan, and planning twice gives the same. */
static void check_hash(const struct plan *plan, struct story *story)
{
	struct plan_input input = *story_input(story);
	AUTO_ARENA struct arena *arena = arena_new(0);

	input.commit = "0123456789012345678901234567890123456789";
	input.base = NULL;
	assert_string_equal(plan_build(&input, arena)->hash, plan->hash);
}

/* One slot alone gives what the whole gives for it. */
static void check_only(const struct plan *plan, struct story *story)
{
	for (size_t i = 0; i < plan->slots_n; i++) {
		struct plan_input input = *story_input(story);
		AUTO_ARENA struct arena *arena = arena_new(0);
		const struct plan *alone;

		input.only = &plan->slots[i].key;
		alone = plan_build(&input, arena);
		assert_int_equal(alone->slots_n, 1);
		assert_int_equal(alone->slots[0].steps_n, plan->slots[i].steps_n);
		assert_int_equal(alone->slots[0].decision.kind, plan->slots[i].decision.kind);
		assert_int_equal(alone->slots[0].leave, plan->slots[i].leave);
	}
}

/* ---- one folder ---- */

static void compare_json(const char *name, const struct plan *plan)
{
	AUTO_JSON json_t *json = plan_json(plan);
	AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);

	json_print(json, &text);
	compare(name, "plan.json", &text);
}

static void compare_text(const char *name, const struct plan *plan)
{
	AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);

	plan_text(plan, 80, false, &text);
	check_width(&text);
	compare(name, "plan.txt", &text);
}

static void compare_markdown(const char *name, const struct plan *plan)
{
	AUTO_FREE char *path = file_of(name, "plan.md");
	AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);

	if (!fs_exists(path))
		return;
	plan_markdown(plan, &text);
	compare(name, "plan.md", &text);
}

static void test_one(void **state)
{
	const char *name = *state;
	AUTO_FREE char *folder = mem_printf(GOLDEN "/%s", name);
	AUTO_STORY struct story *story = story_play(folder, GOLDEN "/common");
	AUTO_BUF struct buf before = BUF_INIT(TEXT_MAX);
	struct plan *plan = story_plan(story);

	story_describe(story, &before);
	compare(name, "before.txt", &before);
	compare_json(name, plan);
	compare_text(name, plan);
	compare_markdown(name, plan);
	check_counts(plan);
	check_hash(plan, story);
	check_only(plan, story);
}

/* ---- all of them ---- */

static int name_cmp(const void *a, const void *b)
{
	return strcmp(((const struct CMUnitTest *)a)->name, ((const struct CMUnitTest *)b)->name);
}

int main(void)
{
	VEC(struct CMUnitTest) tests = {0};
	DIR *dir = opendir(GOLDEN);
	struct dirent *entry;
	int failed;

	while (dir && (entry = readdir(dir))) {
		AUTO_FREE char *script = file_of(entry->d_name, "story.json");
		char *name;

		if (!fs_exists(script))
			continue;
		name = mem_strdup(entry->d_name);
		VEC_PUSH(&tests, (struct CMUnitTest){.name = name,
						     .test_func = test_one,
						     .initial_state = name});
	}
	if (dir)
		closedir(dir);
	VEC_SORT(&tests, name_cmp);
	failed = _cmocka_run_group_tests("plan", tests.v, tests.n, NULL, NULL);
	for (size_t i = 0; i < tests.n; i++)
		free(tests.v[i].initial_state);
	VEC_FREE(&tests);
	return failed;
}

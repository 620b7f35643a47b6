#include "tests/support/test.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/map.h"
#include "schema/compose_work.h"
#include "schema/gen.h"

/* The table of keys against tests/data/compose-keys.txt, in both directions, and the page of them.
 */

#define KEYS "tests/data/compose-keys.txt"
#define KEYS_MIN 240 /* so many there are at least, or the list was not read */

static const struct compose_key *find_row(const char *path)
{
	const char *dot = strrchr(path, '.');
	size_t len = dot ? (size_t)(dot - path) : 0;

	for (int section = 0; section < COMPOSE_SECTIONS; section++) {
		const char *of = compose_sections[section].path;

		if (strlen(of) == len && strncmp(of, path, len) == 0)
			return compose_key_find((enum compose_section)section,
						dot ? dot + 1 : path);
	}
	return NULL;
}

/* Has the key a row, or one above it that is not carried out as a whole? */
static bool has_fate(const char *path)
{
	AUTO_FREE char *above = mem_strdup(path);
	const struct compose_key *row = find_row(path);
	char *dot;

	while (!row && (dot = strrchr(above, '.'))) {
		*dot = '\0';
		row = find_row(above);
		if (row && row->code == DIAG_NONE)
			return false;
	}
	return row != NULL;
}

static void read_list(struct map *list)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	struct err err = ERR_INIT;
	char *rest, *line;

	assert_done(fs_read(KEYS, BUF_MAX_TEXT, &text, &err), err);
	buf_str(&text);
	rest = text.ptr;
	while ((line = strsep(&rest, "\n")) && rest) {
		if (*line && *line != '#')
			map_put(list, line, list);
	}
}

static void every_key_has_a_fate(void **state UNUSED)
{
	AUTO_MAP struct map list = {0};
	size_t n = 0;

	read_list(&list);
	for (struct map_entry *e = NULL; (e = map_next(&list, e)); n++) {
		if (!has_fate(e->key))
			fail_msg("compose.def says nothing of %s", e->key);
	}
	assert_true(n >= KEYS_MIN);
}

static void every_row_is_a_key(void **state UNUSED)
{
	AUTO_MAP struct map list = {0};

	read_list(&list);
	for (size_t i = 0; i < compose_keys_n; i++) {
		const char *section = compose_sections[compose_keys[i].section].path;
		AUTO_FREE char *path =
			mem_printf("%s%s%s", section, *section ? "." : "", compose_keys[i].key);

		if (!map_get(&list, path))
			fail_msg("%s is no key of the specification", path);
	}
}

static void every_row_says_something(void **state UNUSED)
{
	AUTO_BUF struct buf page = BUF_INIT(BUF_MAX_TEXT);

	gen_compose(&page);
	for (size_t i = 0; i < compose_keys_n; i++) {
		const struct compose_key *row = &compose_keys[i];

		assert_true(strlen(row->text) > 3);
		for (size_t j = 0; j < i; j++)
			assert_false(row->section == compose_keys[j].section &&
				     str_eq(row->key, compose_keys[j].key));
		assert_non_null(strstr(buf_str(&page), row->key));
	}
	assert_non_null(strstr(buf_str(&page), "| `build` | compose-build | build the image"));
	assert_non_null(strstr(buf_str(&page), "| `attach` | ignored |"));
	assert_non_null(strstr(buf_str(&page), "| `image` | carried | `image` |"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_a_fate),
		cmocka_unit_test(every_row_is_a_key),
		cmocka_unit_test(every_row_says_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

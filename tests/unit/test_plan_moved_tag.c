/*
 * Tags that mean something else by now: what is kept of them, and what it means for a content.
 */
#include "tests/support/test.h"

#include "base/json.h"
#include "plan/moved_tag.h"

#define NODE "edge-1"
#define IMAGE "main/shop/web:1"

static void test_news_is_told_once(void **state)
{
	AUTO_JSON json_t *all = json_kept(NULL, BUF_MAX_TEXT);

	(void)state;
	assert_true(moved_tag_note(all, NODE, IMAGE, "sha256:b", 1));
	assert_false(moved_tag_note(all, NODE, IMAGE, "sha256:b", 2));
	assert_true(moved_tag_note(all, NODE, IMAGE, "sha256:c", 3));
	assert_true(moved_tag_note(all, "edge-2", IMAGE, "sha256:c", 3));
	assert_true(moved_tag_forget(all, NODE, IMAGE));
	assert_false(moved_tag_forget(all, NODE, IMAGE));
	assert_false(moved_tag_forget(all, "edge-3", IMAGE));
	assert_true(moved_tag_forget(all, "edge-2", IMAGE));
	assert_int_equal(json_object_size(all), 0);
}

static void test_what_is_followed(void **state)
{
	AUTO_JSON json_t *all = json_kept("{}", BUF_MAX_TEXT);

	(void)state;
	assert_false(moved_tag_is_ahead(all, NODE, IMAGE));
	assert_false(moved_tag_follow(all, NODE, IMAGE));
	moved_tag_note(all, NODE, IMAGE, "sha256:b", 1);
	assert_true(moved_tag_is_ahead(all, NODE, IMAGE));
	assert_null(moved_tag_followed(all, NODE, IMAGE));
	assert_true(moved_tag_follow(all, NODE, IMAGE));
	assert_false(moved_tag_follow(all, NODE, IMAGE));
	assert_false(moved_tag_is_ahead(all, NODE, IMAGE));
	/* it moves on, and is not followed at once */
	moved_tag_note(all, NODE, IMAGE, "sha256:c", 2);
	assert_true(moved_tag_is_ahead(all, NODE, IMAGE));
	assert_string_equal(moved_tag_followed(all, NODE, IMAGE), "sha256:b");
	assert_null(moved_tag_followed(NULL, NODE, IMAGE));
}

static void test_what_differs_in_a_content(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_JSON json_t *all = json_kept(NULL, BUF_MAX_TEXT);
	struct init migrate = {.name = "migrate", .image = IMAGE};
	const struct container plain = {0}, config = {.init = {&migrate, 1}};
	const char *before[] = {"sha256:a"};
	struct content_container containers[] = {
		{.name = "web", .image = IMAGE, .digest = "sha256:a", .config = &plain},
		{.name = "same", .image = IMAGE, .digest = "sha256:b", .config = &plain},
		{.name = "unknown", .image = IMAGE, .config = &plain},
		{.name = "other",
		 .image = "main/shop/db:1",
		 .digest = "sha256:a",
		 .config = &config,
		 .init_digests = before},
	};
	const struct content content = {.containers = containers,
					.containers_n = ARRAY_LEN(containers)};
	struct moved_tag *moved;
	size_t n;

	(void)state;
	moved_tags(NULL, NODE, &content, arena, &n);
	assert_int_equal(n, 0);
	moved_tag_note(all, NODE, IMAGE, "sha256:b", 7);
	moved = moved_tags(all, NODE, &content, arena, &n);
	assert_int_equal(n, 2);
	assert_string_equal(moved[1].container, "other");
	assert_string_equal(moved[1].name, "other.init-migrate");
	assert_string_equal(moved[1].from, "sha256:a");
	assert_string_equal(moved->container, "web");
	assert_string_equal(moved->name, "web");
	assert_string_equal(moved->image, IMAGE);
	assert_string_equal(moved->from, "sha256:a");
	assert_string_equal(moved->to, "sha256:b");
	assert_int_equal(moved->since_ms, 7);
	moved_tags(all, "edge-2", &content, arena, &n);
	assert_int_equal(n, 0);
}

/* A value of the ledger that cannot be read is as good as none. */
static void test_what_is_no_value(void **state)
{
	static const char *const texts[] = {
		"", "[]", "{", "7", "{\"edge-1\":7}", "{\"edge-1\":{\"" IMAGE "\":[]}}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO_JSON json_t *all = json_kept(texts[i], BUF_MAX_TEXT);

		assert_null(moved_tag_followed(all, NODE, IMAGE));
		assert_true(json_is_object(all));
	}
}

static void test_which_can_move(void **state)
{
	(void)state;
	assert_true(moved_tag_can("nginx"));
	assert_true(moved_tag_can("127.0.0.1:5000/web:1"));
	assert_false(moved_tag_can("127.0.0.1:5000/web:1@sha256:00"));
	assert_false(moved_tag_tracks(NULL, "web"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_news_is_told_once),
		cmocka_unit_test(test_what_is_followed),
		cmocka_unit_test(test_what_differs_in_a_content),
		cmocka_unit_test(test_what_is_no_value),
		cmocka_unit_test(test_which_can_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

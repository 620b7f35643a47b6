#include "tests/support/test.h"
#include "tests/support/oom.h"

#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/vec.h"

static void use_values(void *arg)
{
	struct buf buf AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	struct arena *arena AUTO_ARENA = arena_new(16);
	struct map map AUTO_MAP = {0};
	VEC(size_t) numbers = {0};

	(void)arg;
	for (size_t i = 0; i < 40; i++) {
		char *name AUTO_FREE = mem_printf("name %zu", i);

		buf_addf(&buf, "%s,", name);
		map_put(&map, name, arena_strdup(arena, name));
		VEC_PUSH(&numbers, i);
	}
	VEC_FREE(&numbers);
}

static void test_values(void **state)
{
	(void)state;
	assert_in_range(oom_each(use_values, NULL, NULL), 80, 200);
}

static void use_json(void *arg)
{
	static const char text[] = "{\"a\":[1,2.5,\"x\",{\"b\":null}],\"c\":\"d\"}";
	json_t *value AUTO_JSON = json_read(text, sizeof text - 1, 1000, NULL);
	struct buf out AUTO_BUF = BUF_INIT(1000);

	(void)arg;
	json_put_str(value, "e", "bad \xff");
	json_write(value, &out);
}

/* Jansson reports an allocation that failed as a parse error; with our allocator it cannot. */
static void test_json(void **state)
{
	(void)state;
	assert_true(oom_each(use_json, NULL, NULL) > 10);
}

static void use_loop(void *arg)
{
	struct loop *loop = loop_new(NULL);
	struct loop_timer *timer = loop_timer_add(loop, 1000, free, NULL);

	(void)arg;
	loop_timer_del(&timer);
	loop_free(loop);
}

static void test_loop(void **state)
{
	(void)state;
	assert_true(oom_each(use_loop, NULL, NULL) >= 4);
}

static char *folder;

static void use_file(void *arg)
{
	struct buf content AUTO_BUF = BUF_INIT(1000);
	char *path AUTO_FREE = test_path(folder, "f");

	(void)arg;
	if (fs_read(path, 1000, &content, NULL) != 0)
		_exit(2);
	buf_adds(&content, "+");
	if (fs_write_atomic(path, content.ptr, content.len, 0600, NULL) != 0)
		_exit(3);
}

/* Old or new, and never a piece of either. */
static void check_file(void *arg)
{
	struct buf content AUTO_BUF = BUF_INIT(1000);
	char *path AUTO_FREE = test_path(folder, "f");

	(void)arg;
	assert_int_equal(fs_read(path, 1000, &content, NULL), 0);
	assert_true(content.len >= 6 && strspn(content.ptr + 6, "+") == content.len - 6);
	assert_memory_equal(content.ptr, "before", 6);
}

static void test_file(void **state)
{
	char *path;

	(void)state;
	folder = test_folder();
	path = test_path(folder, "f");
	assert_int_equal(fs_write_atomic(path, "before", 6, 0600, NULL), 0);
	assert_true(oom_each(use_file, NULL, check_file) > 1);
	check_file(NULL);
	free(path);
	test_folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

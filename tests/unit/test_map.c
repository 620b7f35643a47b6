#include "tests/support/test.h"

#include "base/map.h"
#include "base/vec.h"

static void test_empty(void **state)
{
	struct map map AUTO_MAP = {0};

	(void)state;
	assert_null(map_get(&map, "a"));
	assert_false(map_has(&map, "a"));
	assert_null(map_del(&map, "a"));
	assert_null(map_next(&map, NULL));
}

static void test_put_get_replace_remove(void **state)
{
	struct map map AUTO_MAP = {0};
	char one[] = "1", two[] = "2", key[] = "key";

	(void)state;
	assert_null(map_put(&map, key, one));
	key[0] = 'x'; /* the key was copied */
	assert_ptr_equal(map_get(&map, "key"), one);
	assert_ptr_equal(map_put(&map, "key", two), one);
	assert_int_equal(map.count, 1);
	assert_null(map_put(&map, "", one));
	assert_ptr_equal(map_get(&map, ""), one);
	assert_null(map_put(&map, "null", NULL));
	assert_true(map_has(&map, "null"));
	assert_null(map_get(&map, "null"));
	assert_ptr_equal(map_del(&map, "key"), two);
	assert_null(map_get(&map, "key"));
	assert_false(map_has(&map, "key"));
	assert_null(map_del(&map, "key"));
	assert_int_equal(map.count, 2);
	assert_null(map_put(&map, "key", one));
	assert_ptr_equal(map_get(&map, "key"), one);
}

static void test_order_of_insertion(void **state)
{
	struct map map AUTO_MAP = {0};
	char name[16];
	int seen = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "k%d", i);
		map_put(&map, name, NULL);
	}
	for (int i = 0; i < 1000; i += 2) {
		snprintf(name, sizeof name, "k%d", i);
		map_del(&map, name);
	}
	map_put(&map, "k0", NULL);
	for (const struct map_entry *e = NULL; (e = map_next(&map, e)); seen++) {
		snprintf(name, sizeof name, "k%d", seen < 500 ? 2 * seen + 1 : 0);
		assert_string_equal(e->key, name);
	}
	assert_int_equal(seen, 501);
}

static void test_removal_inside_the_walk(void **state)
{
	struct map map AUTO_MAP = {0};
	char name[16];
	int seen = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "k%d", i);
		map_put(&map, name, NULL);
	}
	for (struct map_entry *e = NULL; (e = map_next(&map, e)); seen++)
		map_del(&map, e->key);
	assert_int_equal(seen, 100);
	assert_int_equal(map.count, 0);
	assert_false(map_has(&map, "k5"));
}

/* Against a plain array, with many removals so that holes pile up. */
static void test_random_operations(void **state)
{
	struct map map AUTO_MAP = {0};
	static int values[512];
	bool there[512] = {0};
	uint32_t random = 2463534242u;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char name[16];
		size_t k;

		random ^= random << 13, random ^= random >> 17, random ^= random << 5;
		k = random % ARRAY_LEN(values);
		snprintf(name, sizeof name, "%zu", k);
		if (random >> 31) {
			assert_ptr_equal(map_put(&map, name, &values[k]),
					 there[k] ? &values[k] : NULL);
			count += !there[k];
			there[k] = true;
		} else {
			assert_ptr_equal(map_del(&map, name), there[k] ? &values[k] : NULL);
			count -= there[k];
			there[k] = false;
		}
		assert_int_equal(map.count, count);
	}
	for (size_t k = 0; k < ARRAY_LEN(values); k++) {
		char name[16];

		snprintf(name, sizeof name, "%zu", k);
		assert_ptr_equal(map_get(&map, name), there[k] ? &values[k] : NULL);
	}
	assert_true(map.cap <= 4 * ARRAY_LEN(values)); /* holes do not make it grow for ever */
}

static void test_release_with_frees_each_value(void **state)
{
	struct map map = {0};

	(void)state;
	map_put(&map, "a", mem_strdup("1"));
	map_put(&map, "b", mem_strdup("2"));
	free(map_del(&map, "a"));
	map_put(&map, "c", NULL);
	map_release_with(&map, free);
	assert_int_equal(map.count, 0);
	assert_null(map.entries);
	map_release(&map);
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void test_vec(void **state)
{
	struct pair {
		int a, b;
	};
	VEC(int) numbers = {0};
	VEC(struct pair) pairs = {0};

	(void)state;
	VEC_SORT(&numbers, by_value);
	for (int i = 0; i < 10000; i++)
		VEC_PUSH(&numbers, (i * 7919) % 10000);
	VEC_SORT(&numbers, by_value);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(numbers.v[i], i);
	VEC_CLEAR(&numbers);
	assert_int_equal(numbers.n, 0);
	assert_true(numbers.cap >= 10000);
	VEC_FREE(&numbers);
	assert_null(numbers.v);
	assert_int_equal(numbers.cap, 0);
	VEC_PUSH(&pairs, (struct pair){1, 2});
	assert_int_equal(pairs.v[0].b, 2);
	VEC_FREE(&pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_put_get_replace_remove),
		cmocka_unit_test(test_order_of_insertion),
		cmocka_unit_test(test_removal_inside_the_walk),
		cmocka_unit_test(test_random_operations),
		cmocka_unit_test(test_release_with_frees_each_value),
		cmocka_unit_test(test_vec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/test.h"

#include "source/oid_map.h"

#define MANY 10000u

static struct oid number(uint32_t n)
{
	struct oid id = {.raw = {1}};

	memcpy(id.raw + 16, &n, sizeof n);
	return id;
}

static void test_many(void **state)
{
	struct oid_map map CLEANUP(oid_map_release) = {0};

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		struct oid id = number(i);
		uint32_t *value = oid_map_at(&map, &id);

		assert_int_equal(*value, 0);
		*value = i + 1;
	}
	assert_int_equal(map.used, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		struct oid id = number(i);

		assert_int_equal(*oid_map_at(&map, &id), i + 1);
	}
	assert_int_equal(map.used, MANY);
}

static void test_no_id(void **state)
{
	struct oid_map map CLEANUP(oid_map_release) = {0};
	const struct oid none = {{0}};

	(void)state;
	assert_null(oid_map_at(&map, &none));
	assert_int_equal(map.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Sets of files against a plain list: random patches, and what differs between two.
 */
#include "tests/support/test.h"

#include "schema/decode.h"

#define PATHS 400

static struct file *make(uint32_t path, uint32_t blob)
{
	struct oid id = {0};
	char name[32];

	memcpy(id.raw, &blob, sizeof blob);
	snprintf(name, sizeof name, "nodes/n%05u.yaml", (unsigned)path);
	return file_decode(name, &id, "", 0);
}

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % sides;
}

/* What is at each path: the plain list. NULL: nothing. */
struct plain {
	struct file *at[PATHS];
};

static void assert_same(const struct file_set *set, const struct plain *plain)
{
	size_t n = 0;

	for (size_t i = 0; i < PATHS; i++) {
		if (!plain->at[i])
			continue;
		assert_true(n < set->n);
		assert_ptr_equal(set->v[n], plain->at[i]);
		assert_int_equal(file_set_find(set, plain->at[i]->path), n);
		n++;
	}
	assert_int_equal(set->n, n);
}

/* A few random changes of the list; what they are, by path. */
static void change(struct plain *plain, uint32_t *seed, file_changes *out)
{
	static uint32_t blob;
	uint32_t rarity = 1 + dice(seed, 200);

	for (uint32_t i = 0; i < PATHS; i++) {
		struct file_change change = {.before = plain->at[i]};

		if (dice(seed, rarity))
			continue;
		if (!change.before || dice(seed, 2))
			change.now = make(i, ++blob);
		VEC_PUSH(out, change);
		plain->at[i] = change.now;
	}
}

static void forget(file_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		file_unref(changes->v[i].now);
	VEC_FREE(changes);
}

static void patches_and_differences(void **state)
{
	struct plain plain = {0};
	struct file_set set = {0};
	uint32_t seed = 11;

	(void)state;
	for (size_t step = 0; step < 500; step++) {
		file_changes changes = {0}, found = {0};
		struct file_set next, copy;

		change(&plain, &seed, &changes);
		file_set_patch(&next, &set, changes.v, changes.n);
		assert_same(&next, &plain);
		file_set_compare(&set, &next, &found);
		assert_int_equal(found.n, changes.n);
		if (found.n)
			assert_memory_equal(found.v, changes.v, found.n * sizeof *found.v);
		file_set_copy(&copy, &next);
		/* What came is held by the sets alone now, what went by the set before. */
		forget(&changes);
		VEC_FREE(&found);
		file_set_release(&set);
		file_set_release(&next);
		assert_same(&copy, &plain);
		set = copy;
	}
	file_set_release(&set);
	file_set_release(&set);
}

/* A patch of one file touches neither the others nor their leaves. */
static void what_stays_is_shared(void **state)
{
	struct file *files[PATHS];
	struct file_set set, next;
	struct file_change one;
	size_t shared = 0;

	(void)state;
	for (uint32_t i = 0; i < PATHS; i++)
		files[i] = make(i, 0);
	file_set_take(&set, files, PATHS);
	one = (struct file_change){files[7], make(7, 1)};
	file_set_patch(&next, &set, &one, 1);
	for (size_t i = 0; i < PATHS; i++)
		shared += files[i]->references == 1;
	assert_true(shared >= PATHS - 64);
	file_unref(one.now);
	file_set_release(&set);
	assert_int_equal(next.n, PATHS);
	file_set_release(&next);
}

static void borrowed_files_are_held_by_a_copy(void **state)
{
	struct file *file = make(1, 1), *other = make(2, 1);
	struct file_set borrowed = {.v = &file, .n = 1}, copy, patched;
	const struct file_change came = {.now = other};

	(void)state;
	file_set_copy(&copy, &borrowed);
	file_set_patch(&patched, &borrowed, &came, 1);
	file_set_release(&borrowed);
	assert_int_equal(file->references, 3);
	file_unref(file);
	file_unref(other);
	assert_int_equal(patched.n, 2);
	file_set_release(&copy);
	file_set_release(&patched);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patches_and_differences),
		cmocka_unit_test(what_stays_is_shared),
		cmocka_unit_test(borrowed_files_are_held_by_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

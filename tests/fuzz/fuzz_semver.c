/*
 * Two lines that are versions have an order that does not depend on which is asked first, and that
 * the ranges made of one of them agree with. A line that is a range takes no version that its first
 * comparison alone does not take.
 */
#include "base/sys.h"
#include "schema/semver.h"
#include "tests/fuzz/fuzz.h"

static bool within(const struct semver *version, const char *operator, const char * bound)
{
	char *range AUTO_FREE = mem_printf("%s%s", operator, bound);

	FUZZ_CHECK(semver_is_range(range));
	return semver_fits(version, range);
}

static void check_order(const char *left, const char *right)
{
	struct semver a, b;
	int order;

	if (!semver_parse(left, &a) || !semver_parse(right, &b))
		return;
	order = semver_cmp(&a, &b);
	FUZZ_CHECK((order > 0) == (semver_cmp(&b, &a) < 0));
	FUZZ_CHECK((order == 0) == (semver_cmp(&b, &a) == 0));
	FUZZ_CHECK(semver_cmp(&a, &a) == 0);
	FUZZ_CHECK(within(&a, "", right) == (order == 0));
	FUZZ_CHECK(within(&a, "= ", right) == (order == 0));
	FUZZ_CHECK(within(&a, ">", right) == (order > 0));
	FUZZ_CHECK(within(&a, ">= ", right) == (order >= 0));
	FUZZ_CHECK(within(&a, "<", right) == (order < 0));
	FUZZ_CHECK(within(&a, "<= ", right) == (order <= 0));
}

static void check_range(const char *version, const char *range)
{
	size_t first = strcspn(range, ",");
	char *part AUTO_FREE = mem_strndup(range, first);
	struct semver parsed;

	if (!semver_is_range(range) || !semver_is_range(part) || !semver_parse(version, &parsed))
		return;
	FUZZ_CHECK(!semver_fits(&parsed, range) || semver_fits(&parsed, part));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text AUTO_FREE = mem_zalloc(1, size + 1), *second;

	if (size)
		memcpy(text, data, size);
	second = strchr(text, '\n');
	if (!second)
		return 0;
	*second++ = '\0';
	check_order(text, second);
	check_range(text, second);
	return 0;
}

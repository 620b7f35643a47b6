/* Whatever a parser of figures takes is shown in a form that reads back as the same value. */
#include "base/sys.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

static void check_quantity(const char *text, int (*parse)(const char *, int64_t *),
			   const char *(*format)(int64_t, char *))
{
	char shown[NUM_TEXT_MAX];
	int64_t value, again;

	if (parse(text, &value) != 0)
		return;
	FUZZ_CHECK(value >= 0);
	FUZZ_CHECK(parse(format(value, shown), &again) == 0 && again == value);
}

static void check_integer(const char *text)
{
	char shown[NUM_TEXT_MAX];
	int64_t value;

	if (num_parse_int(text, INT64_MIN, INT64_MAX, &value) != 0)
		return;
	snprintf(shown, sizeof shown, "%lld", (long long)value);
	FUZZ_CHECK(str_eq(shown, text));
}

static void check_time(const char *text)
{
	char shown[CLOCK_TEXT_MAX];
	int64_t value, again;

	/* offsets lead out of the years that have four digits */
	if (clock_parse(text, &value) != 0 || value < -62167219200000 || value > 253402300799999)
		return;
	FUZZ_CHECK(clock_parse(clock_format(value, shown), &again) == 0 && again == value);
}

static void check_cut(const char *text, size_t size)
{
	for (size_t len = 0; utf8_is_valid(text, size) && len <= size && len < 256; len++)
		FUZZ_CHECK(utf8_is_valid(text, utf8_cut(text, len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text AUTO_FREE = mem_zalloc(1, size + 1);

	if (size)
		memcpy(text, data, size);
	check_integer(text);
	check_quantity(text, num_parse_duration, num_format_duration);
	check_quantity(text, num_parse_size, num_format_size);
	check_quantity(text, num_parse_cpu, num_format_cpu);
	check_time(text);
	check_cut(text, size);
	return 0;
}

#include "base/sys.h"
#include "schema/check.h"

#define LONGEST 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Edit distance (insert, delete, replace, swap neighbours), large and small letters being the same.
 * Three rows of the usual table: the one before the last is for swaps.
 */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][LONGEST + 1];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3], *twice = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			bool same = ascii_lower(a[i - 1]) == ascii_lower(b[j - 1]);

			row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && ascii_lower(a[i - 1]) == ascii_lower(b[j - 2]) &&
			    ascii_lower(a[i - 2]) == ascii_lower(b[j - 1]))
				row[j] = least(row[j], twice[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

const char *check_nearest(const char *word, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t len = strlen(word), best_distance = len / 3 + 1;

	if (len > LONGEST)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(candidates[i]);
		size_t found;

		if (other > LONGEST || other + best_distance <= len || len + best_distance <= other)
			continue;
		found = distance(word, len, candidates[i], other);
		if (found < best_distance) {
			best = candidates[i];
			best_distance = found;
		}
	}
	return best;
}

int check_suggest(const char *word, const char *const *candidates, size_t n, struct err *err)
{
	const char *near = check_nearest(word, candidates, n);
	AUTO_FREE char *said = err ? mem_strdup(err->text) : NULL;

	return near && err ? err_set(err, err->code, "%s: did you mean %s?", said, near) : -1;
}

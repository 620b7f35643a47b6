/*
 * semver.h - semantic versions (semver.org 2.0.0) and ranges of them. Pure; nothing is allocated.
 *
 * A version is major[.minor[.patch]], where what is missing counts as 0; one that is whole may go
 * on with -pre-release and +build. So "2", "2.1" and "2.1.0-rc.1" are semantic, "v2", "02" and the
 * date 2026-01-02 are not. Numbers may be of any length.
 *
 * A range is comparisons that must all hold, with blanks or a comma between them: ">= 2.0.0 < 3",
 * ">=2.0.0, <3". A version without an operator must be that very one. A pre-release is a version
 * like any other: 2.0.0-rc.1 comes before 2.0.0 and does not satisfy ">= 2.0.0".
 */
#ifndef TRUEUP_SCHEMA_SEMVER_H
#define TRUEUP_SCHEMA_SEMVER_H

#include "base/sys.h"

/* A stretch of the text that was parsed. */
struct semver_part {
	const char *text;
	size_t len;
};
/* Borrows from the text. The build is not kept: it has no part in the order. */
struct semver {
	struct semver_part number[3]; /* major, minor, patch */
	struct semver_part pre;	      /* len 0: none */
};

/* False when the text (NULL too) is no semantic version; *out is then not to be used. */
bool semver_parse(const char *text, struct semver *out);
/* Negative, 0 or positive, by the rules of precedence (item 11). */
int semver_cmp(const struct semver *a, const struct semver *b);

bool semver_is_range(const char *text);
/* Is the version within? False also when the text is not a range. */
bool semver_fits(const struct semver *version, const char *range);

#endif

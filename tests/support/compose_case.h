/*
 * compose_case.h - the cases of tests/data/compose (README.md there).
 */
#ifndef TRUEUP_TESTS_COMPOSE_CASE_H
#define TRUEUP_TESTS_COMPOSE_CASE_H

#include "base/buf.h"
#include "base/vec.h"
#include "schema/compose.h"

#define COMPOSE_CASES "tests/data/compose"
#define COMPOSE_CASE_MAX ((size_t)4 << 20)

struct compose_case {
	struct buf text;
	VEC(struct compose_file) files; /* sorted by name */
	const char *expected;		/* in text */
};
void compose_case_read(const char *path, struct compose_case *compose);
void compose_case_release(struct compose_case *compose);
/* Calls use() with the path of each case of a sort ("good", "wrong"); how many there are. */
size_t compose_case_each(const char *sort, void (*use)(void *arg, const char *path), void *arg);

#endif

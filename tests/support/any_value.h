/*
 * any_value.h - random values of whatever kinds.def knows, made by walking it, so that a new field
 * is covered from the day it is in the table.
 */
#ifndef TRUEUP_TESTS_SUPPORT_ANY_VALUE_H
#define TRUEUP_TESTS_SUPPORT_ANY_VALUE_H

#include "base/buf.h"
#include "schema/kinds.h"

/* A number below n, which is not 0. Same seed, which must not be 0 either: same numbers (xorshift).
 */
size_t any_below(uint64_t *seed, size_t n);
/* An object as JSON on one line, every field of which fits by itself. nulls: some of them are null.
 */
void any_object(uint64_t *seed, const struct object_type *type, bool nulls, struct buf *out);

#endif

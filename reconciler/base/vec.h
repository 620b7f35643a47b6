/*
 * vec.h - a growing array of any element type, as a macro over one function.
 *
 *	VEC(struct step) steps = {0};
 *	VEC_PUSH(&steps, step);           // by value; returns nothing
 *	for (size_t i = 0; i < steps.n; i++) use(&steps.v[i]);
 *	VEC_FREE(&steps);
 *
 * The elements are in one malloc'ed block `v`; pointers to elements die at the
 * next push.
 */
#ifndef TRUEUP_BASE_VEC_H
#define TRUEUP_BASE_VEC_H

#include "base/sys.h"

/* clang-format off */
#define VEC(type) struct { type *v; size_t n; size_t cap; }
/* clang-format on */

/* Makes room for one more element; returns the new block. */
void *vec_grow(void *block, size_t n, size_t *cap, size_t element_size);

#define VEC_PUSH(vec, ...)                                                                         \
	((vec)->n == (vec)->cap                                                                    \
		 ? (void)((vec)->v = vec_grow((vec)->v, (vec)->n, &(vec)->cap, sizeof(*(vec)->v))) \
		 : (void)0,                                                                        \
	 (vec)->v[(vec)->n++] = (__VA_ARGS__))

#define VEC_FREE(vec) (free((vec)->v), (vec)->v = NULL, (vec)->n = 0, (vec)->cap = 0)
#define VEC_CLEAR(vec) ((vec)->n = 0)
#define VEC_SORT(vec, cmp)                                                                         \
	do {                                                                                       \
		if ((vec)->n > 1)                                                                  \
			qsort((vec)->v, (vec)->n, sizeof(*(vec)->v), (cmp));                       \
	} while (0)

#endif

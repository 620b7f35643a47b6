/*
 * oom.h - what happens when memory runs out, at each allocation in turn.
 *
 * For programs named test_<module>_oom.c only: the Makefile links those so that every allocation
 * trueup's own objects make goes through here. (Libraries keep their allocator, but for jansson,
 * which uses ours.)
 */
#ifndef TRUEUP_TESTS_OOM_H
#define TRUEUP_TESTS_OOM_H

#include "base/sys.h"

/*
 * Runs body(arg) in a child process again and again, with its first allocation failing, its
 * second, and so on until it gets through. Each time, but for the last, the child must end as
 * base/sys.h promises: status EXIT_ERROR and one line on standard error; after each, check(arg),
 * unless NULL, looks at what was left behind. Fails the running test otherwise. Returns the number
 * of allocations.
 */
size_t oom_each(void (*body)(void *arg), void *arg, void (*check)(void *arg));

#endif

/*
 * sys.h - included first by every file of trueup.
 *
 * Pulls in the handful of standard headers that everything uses, names the
 * compiler attributes, declares the allocators that never return NULL, and
 * makes the functions that have no safe use refuse to compile.
 */
#ifndef TRUEUP_BASE_SYS_H
#define TRUEUP_BASE_SYS_H

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h> /* here because it declares functions that are poisoned below */

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
/*
 * Runs fn(&variable) when the variable leaves its scope: the one release idiom. A variable that is
 * only held (a lock) counts as used.
 */
#define CLEANUP(fn) __attribute__((cleanup(fn), unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Allocation never fails visibly: when memory runs out the process says so and
 * leaves with status 1 (EXIT_ERROR). A run that cannot get memory is a failed
 * run, never a wrong one; the next start looks at the nodes and carries on.
 * All results are released with free().
 */
void *mem_alloc(size_t size) __attribute__((malloc));
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc));
void *mem_realloc(void *ptr, size_t size);
void *mem_realloc_array(void *ptr, size_t count, size_t size);
char *mem_strdup(const char *text) __attribute__((malloc));
char *mem_strndup(const char *text, size_t len) __attribute__((malloc));
char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((malloc));
/* What they do when there is none: one line on standard error, then _exit(EXIT_ERROR). */
void mem_exhausted(void) NORETURN;
/* For CLEANUP(mem_free_ptr) on any pointer variable; takes the variable's address. */
void mem_free_ptr(void *address_of_pointer);
#define AUTO_FREE CLEANUP(mem_free_ptr)

/* strcmp that takes NULL as "less than any string". */
int str_cmp(const char *a, const char *b);
static inline bool str_eq(const char *a, const char *b)
{
	return a && b ? *a == *b && strcmp(a, b) == 0 : a == b;
}
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
/* A to Z become small, a to z large; all else, in any locale, stays. */
static inline char ascii_upper(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - ('a' - 'A'));
	return c;
}
static inline char ascii_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + ('a' - 'A'));
	return c;
}

/* Exit codes of every command (reconciler/README.md says when each is used). */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_ERROR = 1,
	EXIT_CHANGES = 2,
	EXIT_FAILED = 3,
	EXIT_USAGE = 64,
	EXIT_REFUSED = 65,
	EXIT_NOT_FOUND = 66,
	EXIT_UNREACHABLE = 69,
	EXIT_CONFLICT = 73,
	EXIT_BUSY = 75,
	EXIT_NOT_PERMITTED = 77,
	EXIT_NO_CHANGESET = 78,
	EXIT_WAIT_RAN_OUT = 124,
};

/* Functions without a safe use: unbounded, locale-bound, racy, or a way to a shell. */
#ifndef TRUEUP_ALLOW_BANNED
#undef alloca /* these three are macros in some builds */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atoll
#pragma GCC poison system popen tmpnam mktemp tempnam asctime ctime gmtime localtime
#endif

#endif

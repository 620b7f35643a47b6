#include "tests/support/test.h"
#include "tests/support/oom.h"

#include <unistd.h>

/* With -Wl,--wrap=NAME the linker makes calls of NAME go to __wrap_NAME, and __real_NAME to NAME.
 */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__real_reallocarray(void *ptr, size_t count, size_t size);
int __real_vasprintf(char **text, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void *__wrap_reallocarray(void *ptr, size_t count, size_t size);
int __wrap_vasprintf(char **text, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
int __wrap___vasprintf_chk(char **text, int flag, const char *fmt, va_list args) PRINTF_LIKE(3, 0);

static size_t made, failing; /* failing: the number of the one that fails; 0: none */

static bool fails(void)
{
	return ++made == failing;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
	return fails() ? NULL : __real_realloc(ptr, size);
}

void *__wrap_reallocarray(void *ptr, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(ptr, count, size);
}

int __wrap_vasprintf(char **text, const char *fmt, va_list args)
{
	return fails() ? -1 : __real_vasprintf(text, fmt, args);
}

/* What vasprintf is with _FORTIFY_SOURCE. */
int __wrap___vasprintf_chk(char **text, int flag, const char *fmt, va_list args)
{
	(void)flag;
	return __wrap_vasprintf(text, fmt, args);
}

enum { GOT_THROUGH = 0, SURVIVED = 99 };

struct run {
	void (*body)(void *arg);
	void *arg;
	size_t failing;
};

static void run_once(void *arg)
{
	const struct run *run = arg;

	made = 0;
	failing = run->failing;
	run->body(run->arg);
	_exit(made < failing ? GOT_THROUGH : SURVIVED);
}

size_t oom_each(void (*body)(void *arg), void *arg, void (*check)(void *arg))
{
	struct run run = {.body = body, .arg = arg, .failing = 1};
	char text[4096];
	int status;

	while ((status = test_in_child(run_once, &run, text, sizeof text)) != GOT_THROUGH) {
		if (status != EXIT_ERROR << 8 || !str_eq(text, "trueup: out of memory\n"))
			fail_msg("allocation %zu: wait status %#x, \"%s\"", run.failing,
				 (unsigned)status, text);
		if (check)
			check(arg);
		run.failing++;
	}
	return run.failing - 1;
}

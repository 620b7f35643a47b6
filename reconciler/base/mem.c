#include "base/sys.h"

#include <unistd.h>

/*
 * No stdio, no cleanup, no atexit: whatever they would do may need memory too, and a run that
 * stops dead is what every other part is built to survive.
 */
void mem_exhausted(void)
{
	static const char text[] = "trueup: out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);

	(void)ignored;
	_exit(EXIT_ERROR);
}

static void *must(void *ptr)
{
	if (!ptr)
		mem_exhausted();
	return ptr;
}

/* malloc(0) may give NULL, which would look like exhaustion. */
static size_t at_least_one(size_t size)
{
	return size ? size : 1;
}

void *mem_alloc(size_t size)
{
	return must(malloc(at_least_one(size)));
}

void *mem_zalloc(size_t count, size_t size)
{
	return must(calloc(at_least_one(count), at_least_one(size)));
}

void *mem_realloc(void *ptr, size_t size)
{
	return must(realloc(ptr, at_least_one(size)));
}

void *mem_realloc_array(void *ptr, size_t count, size_t size)
{
	return must(reallocarray(ptr, at_least_one(count), at_least_one(size)));
}

char *mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t len)
{
	size_t taken = strnlen(text, len);
	char *copy = mem_alloc(taken + 1);

	memcpy(copy, text, taken);
	copy[taken] = '\0';
	return copy;
}

char *mem_printf(const char *fmt, ...)
{
	va_list args;
	char *text = NULL;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		mem_exhausted();
	return text;
}

void mem_free_ptr(void *address_of_pointer)
{
	void **address = address_of_pointer;

	free(*address);
	*address = NULL;
}

int str_cmp(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
	size_t text_len = strlen(text), suffix_len = strlen(suffix);

	return text_len >= suffix_len &&
	       memcmp(text + text_len - suffix_len, suffix, suffix_len) == 0;
}

#include "base/sys.h"
#include "base/arena.h"

#define FIRST_DEFAULT 512
#define CHUNK_MAX ((size_t)256 << 10)
#define ALIGN _Alignof(max_align_t)

struct chunk {
	struct chunk *next;
	size_t size, used;
	_Alignas(max_align_t) char bytes[];
};

/* The first chunk stands behind it: most arenas are small, and have no other. */
struct arena {
	struct chunk *others;  /* a list */
	struct chunk *current; /* pieces come from here */
	size_t next_size, used, held;
	_Alignas(max_align_t) struct chunk first;
};

/* Zeroed room for a head and so many bytes behind it. */
static void *with_bytes(size_t head, size_t size)
{
	if (size > SIZE_MAX - head)
		mem_exhausted();
	return mem_zalloc(1, head + size);
}

/* As an arena is that nothing was taken from yet. */
static void begin(struct arena *arena)
{
	size_t size = arena->first.size;

	arena->current = &arena->first;
	arena->used = 0;
	arena->held = sizeof *arena + size;
	arena->next_size = size < CHUNK_MAX / 2 ? size * 2 : CHUNK_MAX;
}

struct arena *arena_new(size_t first_chunk)
{
	size_t size = first_chunk ? first_chunk : FIRST_DEFAULT;
	struct arena *arena = with_bytes(sizeof *arena, size);

	arena->first.size = size;
	begin(arena);
	return arena;
}

static struct chunk *add_other(struct arena *arena, size_t size)
{
	struct chunk *chunk = with_bytes(sizeof *chunk, size);

	chunk->size = size;
	chunk->next = arena->others;
	arena->others = chunk;
	arena->held += sizeof *chunk + size;
	return chunk;
}

static void free_others(struct arena *arena)
{
	struct chunk *next;

	for (struct chunk *chunk = arena->others; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena->others = NULL;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	free_others(arena);
	free(arena);
}

void arena_free_ptr(struct arena **arena)
{
	arena_free(*arena);
	*arena = NULL;
}

void arena_clear(struct arena *arena)
{
	struct chunk *first = &arena->first;

	free_others(arena);
	memset(first->bytes, 0, first->used);
	first->used = 0;
	begin(arena);
}

static void *take(struct arena *arena, size_t size, size_t align)
{
	struct chunk *chunk = arena->current;
	size_t start = (chunk->used + align - 1) & ~(align - 1);

	arena->used += size;
	if (start <= chunk->size && size <= chunk->size - start) {
		chunk->used = start + size;
		return chunk->bytes + start;
	}
	/* A piece that would fill most of a fresh chunk gets its own; the current one goes on. */
	if (size > arena->next_size / 2)
		return add_other(arena, size)->bytes;
	chunk = add_other(arena, arena->next_size);
	if (arena->next_size < CHUNK_MAX)
		arena->next_size =
			arena->next_size < CHUNK_MAX / 2 ? arena->next_size * 2 : CHUNK_MAX;
	chunk->used = size;
	arena->current = chunk;
	return chunk->bytes;
}

/* A piece of no bytes still has an address of its own. */
void *arena_alloc(struct arena *arena, size_t size)
{
	return take(arena, size ? size : 1, ALIGN);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		mem_exhausted();
	return arena_alloc(arena, total);
}

void *arena_memdup(struct arena *arena, const void *bytes, size_t len)
{
	void *copy = arena_alloc(arena, len);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	size_t taken;
	char *copy;

	if (!text)
		return NULL;
	taken = strnlen(text, len);
	copy = take(arena, taken + 1, 1);
	memcpy(copy, text, taken);
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		mem_exhausted();
	text = take(arena, (size_t)len + 1, 1);
	vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return text;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}

size_t arena_held(const struct arena *arena)
{
	return arena->held;
}

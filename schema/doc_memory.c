#include "base/sys.h"
#include "schema/doc_memory.h"

#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

/* Class 0 are pieces of 16 bytes, each class has twice those of the one before, the last 64 KiB. */
#define SMALLEST_BITS 4
#define CLASSES 13
#define ALONE CLASSES /* in place of a class: a piece of malloc's own */
/* What libyaml begins with takes two thirds; a manifest seldom wants more of what is left. */
#define POOL_BYTES ((size_t)128 << 10)

struct piece {
	union {
		size_t size;	    /* as it was asked for */
		struct piece *next; /* given back: another one of the class */
	};
	size_t class;
	_Alignas(max_align_t) char bytes[];
};

static struct {
	unsigned readings;
	bool in_use; /* there is a reading, and libyaml asks */
	bool left_out;
	size_t taken;
	size_t used; /* of bytes */
	struct piece *given_back[CLASSES];
	_Alignas(max_align_t) char bytes[POOL_BYTES];
} pool;

static size_t class_size(size_t class)
{
	return (size_t)1 << (SMALLEST_BITS + class);
}

/* The smallest class that holds so many bytes; beyond the last there is none. */
static size_t class_of(size_t size)
{
	const unsigned top = 8 * sizeof(unsigned long) - SMALLEST_BITS;

	return size <= class_size(0) ? 0 : top - (unsigned)__builtin_clzl(size - 1);
}

void doc_memory_begin(void)
{
	pool.readings++;
	pool.in_use = !pool.left_out;
}

void doc_memory_check(void)
{
	if (pool.taken)
		return;
	pool.left_out = true;
	pool.in_use = false;
}

void doc_memory_end(void)
{
	if (--pool.readings)
		return;
	ASAN_UNPOISON_MEMORY_REGION(pool.bytes, pool.used);
	memset(pool.given_back, 0, sizeof pool.given_back);
	pool.used = 0;
	pool.in_use = false;
}

size_t doc_memory_taken(void)
{
	return pool.taken;
}

static struct piece *piece_of(void *ptr)
{
	return (struct piece *)(void *)((char *)ptr - offsetof(struct piece, bytes));
}

/* One that was given back, or a new one; NULL when neither is there. */
static struct piece *take_of_class(size_t class)
{
	struct piece *piece = pool.given_back[class];
	size_t whole = sizeof *piece + class_size(class);

	if (piece) {
		pool.given_back[class] = piece->next;
		return piece;
	}
	if (whole > POOL_BYTES - pool.used)
		return NULL;
	piece = (struct piece *)(void *)(pool.bytes + pool.used);
	pool.used += whole;
	piece->class = class;
	ASAN_POISON_MEMORY_REGION(piece->bytes, class_size(class));
	return piece;
}

/* piece: NULL, or one of malloc's own that is to grow. */
static struct piece *take_alone(struct piece *piece, size_t size)
{
	if (size > SIZE_MAX - sizeof *piece)
		mem_exhausted();
	piece = mem_realloc(piece, sizeof *piece + size);
	piece->class = ALONE;
	piece->size = size;
	return piece;
}

void *yaml_malloc(size_t size)
{
	size_t class = class_of(size);
	struct piece *piece = NULL;

	if (!pool.in_use)
		return mem_alloc(size);
	if (class < CLASSES)
		piece = take_of_class(class);
	if (!piece)
		piece = take_alone(NULL, size);
	pool.taken++;
	piece->size = size;
	ASAN_UNPOISON_MEMORY_REGION(piece->bytes, size);
	return piece->bytes;
}

static void give_back(struct piece *piece)
{
	ASAN_POISON_MEMORY_REGION(piece->bytes, class_size(piece->class));
	piece->next = pool.given_back[piece->class];
	pool.given_back[piece->class] = piece;
}

void yaml_free(void *ptr)
{
	struct piece *piece;

	if (!ptr)
		return;
	if (!pool.in_use) {
		free(ptr);
		return;
	}
	piece = piece_of(ptr);
	pool.taken--;
	if (piece->class == ALONE)
		free(piece);
	else
		give_back(piece);
}

static void *move(void *ptr, size_t size)
{
	void *bigger = yaml_malloc(size);

	memcpy(bigger, ptr, piece_of(ptr)->size);
	yaml_free(ptr);
	return bigger;
}

/* libyaml only ever asks for more. */
void *yaml_realloc(void *ptr, size_t size)
{
	struct piece *piece;

	if (!pool.in_use)
		return mem_realloc(ptr, size);
	if (!ptr)
		return yaml_malloc(size);
	piece = piece_of(ptr);
	if (piece->class == ALONE)
		return take_alone(piece, size)->bytes;
	if (size > class_size(piece->class))
		return move(ptr, size);
	piece->size = size;
	ASAN_UNPOISON_MEMORY_REGION(piece->bytes, size);
	return ptr;
}

unsigned char *yaml_strdup(const unsigned char *text)
{
	size_t size = text ? strlen((const char *)text) + 1 : 0;

	return text ? memcpy(yaml_malloc(size), text, size) : NULL;
}

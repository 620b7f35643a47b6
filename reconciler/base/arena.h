/*
 * arena.h - memory that is released all at once.
 *
 * Values that live and die together (one decoded file, one plan) come from one
 * arena. Everything allocated is zeroed and aligned for any type (texts are
 * packed). There is no way to free a single piece.
 */
#ifndef TRUEUP_BASE_ARENA_H
#define TRUEUP_BASE_ARENA_H

#include "base/sys.h"

struct arena;

#define AUTO_ARENA CLEANUP(arena_free_ptr)

/* first_chunk: bytes to start with (0: 512); later chunks double up to 256 KiB. */
struct arena *arena_new(size_t first_chunk);
void arena_free(struct arena *arena);
void arena_free_ptr(struct arena **arena);
/* Frees every piece but keeps the first chunk for reuse. */
void arena_clear(struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);
void *arena_memdup(struct arena *arena, const void *bytes, size_t len);
/* NULL in, NULL out. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Bytes asked for so far (since the last clear) and bytes held from the system. */
size_t arena_used(const struct arena *arena);
size_t arena_held(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_array((arena), (count), sizeof(type)))

#endif

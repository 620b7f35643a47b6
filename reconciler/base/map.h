/*
 * map.h - string keys to pointers, in order of insertion.
 *
 * Keys are copied; values are the caller's. The hash is seeded at random once
 * per process, so hostile keys cannot make it slow.
 */
#ifndef TRUEUP_BASE_MAP_H
#define TRUEUP_BASE_MAP_H

#include "base/sys.h"

struct map_entry {
	char *key; /* NULL: a removed entry, skip it */
	void *value;
	uint64_t hash;
};

struct map {
	struct map_entry *entries; /* in order of insertion, `used` of them, holes included */
	size_t used, cap;
	size_t count; /* without holes */
	uint32_t *index;
	size_t index_size;
};

#define AUTO_MAP CLEANUP(map_release)

/* An all-zero struct is an empty map. */
void map_release(struct map *map);
/* Calls free_value for each value first. */
void map_release_with(struct map *map, void (*free_value)(void *value));
void *map_get(const struct map *map, const char *key);
bool map_has(const struct map *map, const char *key);
/* Returns the value that was there before, or NULL. */
void *map_put(struct map *map, const char *key, void *value);
void *map_del(struct map *map, const char *key);

/* for (struct map_entry *e = NULL; (e = map_next(&map, e));) ... ; del of e is allowed inside. */
struct map_entry *map_next(const struct map *map, const struct map_entry *after);

#endif

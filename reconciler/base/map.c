#include "base/sys.h"
#include "base/hash.h"
#include "base/map.h"

/*
 * `index` is an open-addressing table of positions in `entries`, plus one; 0 is a free place.
 * It has at least twice as many places as there are entries, so a search always meets a free
 * one. A removed entry leaves its position in the index, so searches walk on past it; both go
 * when the table is next built anew.
 */

void map_release(struct map *map)
{
	map_release_with(map, NULL);
}

void map_release_with(struct map *map, void (*free_value)(void *value))
{
	for (size_t i = 0; i < map->used; i++) {
		if (map->entries[i].key && free_value)
			free_value(map->entries[i].value);
		free(map->entries[i].key);
	}
	free(map->entries);
	free(map->index);
	*map = (struct map){0};
}

static uint32_t *first_place(const struct map *map, uint64_t hash)
{
	return &map->index[hash & (map->index_size - 1)];
}

static uint32_t *next_place(const struct map *map, uint32_t *place)
{
	return ++place == map->index + map->index_size ? map->index : place;
}

static struct map_entry *find(const struct map *map, const char *key, uint64_t hash)
{
	if (map->count == 0)
		return NULL;
	for (uint32_t *place = first_place(map, hash); *place; place = next_place(map, place)) {
		struct map_entry *entry = &map->entries[*place - 1];

		if (entry->key && entry->hash == hash && strcmp(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

static uint64_t hash_of(const char *key)
{
	return hash_seeded(key, strlen(key));
}

void *map_get(const struct map *map, const char *key)
{
	const struct map_entry *entry = map->count ? find(map, key, hash_of(key)) : NULL;

	return entry ? entry->value : NULL;
}

bool map_has(const struct map *map, const char *key)
{
	return map->count && find(map, key, hash_of(key));
}

static void enter(struct map *map, size_t position)
{
	uint32_t *place = first_place(map, map->entries[position].hash);

	while (*place)
		place = next_place(map, place);
	*place = (uint32_t)position + 1;
}

static void drop_holes(struct map *map)
{
	size_t kept = 0;

	for (size_t i = 0; i < map->used; i++) {
		if (map->entries[i].key)
			map->entries[kept++] = map->entries[i];
	}
	map->used = kept;
}

/* Called when `entries` is full: removes the holes and makes room for as many again. */
static void rebuild(struct map *map)
{
	drop_holes(map);
	if (map->used > UINT32_MAX / 4)
		mem_exhausted();
	map->cap = map->used < 4 ? 8 : map->used * 2;
	map->entries = mem_realloc_array(map->entries, map->cap, sizeof *map->entries);
	for (map->index_size = 16; map->index_size < map->cap * 2;)
		map->index_size *= 2;
	free(map->index);
	map->index = mem_zalloc(map->index_size, sizeof *map->index);
	for (size_t i = 0; i < map->used; i++)
		enter(map, i);
}

void *map_put(struct map *map, const char *key, void *value)
{
	uint64_t hash = hash_of(key);
	struct map_entry *entry = find(map, key, hash);

	if (entry) {
		void *before = entry->value;

		entry->value = value;
		return before;
	}
	if (map->used == map->cap)
		rebuild(map);
	map->entries[map->used] =
		(struct map_entry){.key = mem_strdup(key), .value = value, .hash = hash};
	enter(map, map->used++);
	map->count++;
	return NULL;
}

void *map_del(struct map *map, const char *key)
{
	struct map_entry *entry = map->count ? find(map, key, hash_of(key)) : NULL;
	void *value;

	if (!entry)
		return NULL;
	value = entry->value;
	free(entry->key);
	entry->key = NULL;
	entry->value = NULL;
	map->count--;
	return value;
}

struct map_entry *map_next(const struct map *map, const struct map_entry *after)
{
	size_t i = after ? (size_t)(after - map->entries) + 1 : 0;

	for (; i < map->used; i++) {
		if (map->entries[i].key)
			return &map->entries[i];
	}
	return NULL;
}

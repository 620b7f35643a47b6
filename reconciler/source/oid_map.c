#include "base/sys.h"
#include "source/oid_map.h"

#include "base/hash.h"

#define FIRST_SIZE 256 /* places; a power of two, as all sizes are */

/* The place where id stands, or where it would have to. */
static size_t place_of(const struct oid_map *map, const struct oid *id)
{
	size_t at = hash_seeded(id->raw, sizeof id->raw) & (map->size - 1);

	while (!oid_is_zero(&map->keys[at]) && !oid_eq(&map->keys[at], id))
		at = (at + 1) & (map->size - 1);
	return at;
}

static void grow(struct oid_map *map)
{
	struct oid_map larger = {.size = map->size ? map->size * 2 : FIRST_SIZE, .used = map->used};

	larger.keys = mem_zalloc(larger.size, sizeof *larger.keys);
	larger.values = mem_zalloc(larger.size, sizeof *larger.values);
	for (size_t i = 0; i < map->size; i++) {
		size_t at;

		if (oid_is_zero(&map->keys[i]))
			continue;
		at = place_of(&larger, &map->keys[i]);
		larger.keys[at] = map->keys[i];
		larger.values[at] = map->values[i];
	}
	oid_map_release(map);
	*map = larger;
}

uint32_t *oid_map_at(struct oid_map *map, const struct oid *id)
{
	size_t at;

	if (oid_is_zero(id))
		return NULL;
	if (map->used * 2 >= map->size)
		grow(map);
	at = place_of(map, id);
	if (oid_is_zero(&map->keys[at])) {
		map->keys[at] = *id;
		map->used++;
	}
	return &map->values[at];
}

void oid_map_release(struct oid_map *map)
{
	free(map->keys);
	free(map->values);
	*map = (struct oid_map){0};
}

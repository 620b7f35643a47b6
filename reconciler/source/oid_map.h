/*
 * oid_map.h - private to this folder: object ids to numbers.
 *
 * Ids come from outside and could be chosen, so the hash is seeded. An all-zero struct is empty.
 */
#ifndef TRUEUP_SOURCE_OID_MAP_H
#define TRUEUP_SOURCE_OID_MAP_H

#include "base/oid.h"

struct oid_map {
	struct oid *keys; /* all zero: a free place */
	uint32_t *values;
	size_t size, used;
};

/*
 * The value of id, which is 0 when it is new, to be read or changed until the next call. NULL for
 * the all-zero id, which names no object.
 */
uint32_t *oid_map_at(struct oid_map *map, const struct oid *id);
void oid_map_release(struct oid_map *map);

#endif

/*
 * oid.h - a Git object id (SHA-1), as a value.
 */
#ifndef TRUEUP_BASE_OID_H
#define TRUEUP_BASE_OID_H

#include "base/sys.h"

#define OID_HEX_SIZE 41 /* with the NUL */

struct oid {
	unsigned char raw[20];
};

const char *oid_hex(const struct oid *id, char out[OID_HEX_SIZE]);
/* 40 hex digits exactly; 0, or -1. */
int oid_parse(const char *hex, struct oid *out);
static inline bool oid_eq(const struct oid *a, const struct oid *b)
{
	return memcmp(a->raw, b->raw, sizeof a->raw) == 0;
}
bool oid_is_zero(const struct oid *id);

#endif

/*
 * bombs.h - files that are made to be expensive, as a list: whoever reads manifests refuses each,
 * quickly and with little memory.
 */
#ifndef TRUEUP_TESTS_BOMBS_H
#define TRUEUP_TESTS_BOMBS_H

#include "base/buf.h"

#define BOMB_MILLISECONDS 50 /* what the contract grants */
#define BOMB_BYTES ((size_t)16 << 20)

/* Appends the text; `whole` of them is too long for a manifest, else it is as long as one may be.
 */
struct bomb {
	const char *name;
	void (*make)(struct buf *out, bool whole);
};

extern const struct bomb bombs[];
extern const size_t bombs_n;

/* Room for the largest. */
#define BOMB_TEXT_MAX ((size_t)128 << 20)

#endif

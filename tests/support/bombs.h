/*
 * bombs.h - files that are made to be expensive, as a list: whoever reads manifests refuses each,
 * quickly and with little memory.
 */
#ifndef TRUEUP_TESTS_BOMBS_H
#define TRUEUP_TESTS_BOMBS_H

#include "base/buf.h"
#include "schema/model.h"

#define BOMB_MILLISECONDS 50 /* what the contract grants */
#define BOMB_BYTES ((size_t)16 << 20)

/* What stands between `before` and `after`. */
enum bomb_filler {
	BOMB_REPEATED, /* `text`, a million times */
	BOMB_NUMBERED, /* `text`, a number from 0, `text_after`, a million times */
	BOMB_FILLED,   /* one text of 100 MiB */
};
/* What it is the text of. */
enum bomb_place {
	BOMB_MANIFEST,
	BOMB_COMPOSE, /* a Compose file in a folder of a stage */
	BOMB_ENV,     /* the .env beside one */
};
struct bomb {
	const char *name;
	enum bomb_place place;
	const char *before;
	enum bomb_filler filler;
	const char *text, *text_after; /* NULL where the filler has none */
	const char *after;
};

extern const struct bomb bombs[];
extern const size_t bombs_n;

/* Appends the text; not `whole`: only as much of it as fits into a manifest. */
void bomb_make(const struct bomb *bomb, bool whole, struct buf *out);
/* The text as it is decoded; the caller's reference. */
struct file *bomb_decode(const struct bomb *bomb, const struct buf *text);
/* Room for the largest. */
#define BOMB_TEXT_MAX ((size_t)128 << 20)

#endif

/*
 * memory_store.h - where a pretended node keeps its things: a folder, or this process.
 *
 * A store is a handful of shelves with texts on them, by name. The memory driver (memory.c) keeps
 * nothing anywhere else, so that both kinds behave the same, and so that a folder looks the same to
 * every process that opens it.
 */
#ifndef TRUEUP_DRIVERS_MEMORY_STORE_H
#define TRUEUP_DRIVERS_MEMORY_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum shelf {
	SHELF_NODE, /* "behaviour" (what a test wants to happen) and "marker" (whose node it is) */
	SHELF_CONTAINERS, /* by their present name */
	SHELF_VOLUMES,
	SHELF_IMAGES, /* pulled ones, by digest */
	SHELF_PORTS,  /* host ports in use, "8080-tcp": who has it */
	SHELVES,
};

/* Longest text on a shelf. */
#define MEMORY_STORE_TEXT_MAX BUF_MAX_TEXT

struct memory_store;

/*
 * All of them: E_BAD_INPUT for a name that could not be a file's, E_NODE_UNREACHABLE when the
 * folder fails.
 */
struct memory_store_ops {
	/* 1 and the text appended to *out, 0 when there is none. */
	int (*get)(struct memory_store *store, enum shelf shelf, const char *name, struct buf *out,
		   struct err *err);
	/* The old text or the new one is there at every moment, never half of one. */
	int (*put)(struct memory_store *store, enum shelf shelf, const char *name, const char *text,
		   size_t len, struct err *err);
	/* 1, or 0 when there was none. */
	int (*del)(struct memory_store *store, enum shelf shelf, const char *name, struct err *err);
	/* 1, 0 when there is no `name`; E_CONFLICT when there is a `to`. */
	int (*move)(struct memory_store *store, enum shelf shelf, const char *name, const char *to,
		    struct err *err);
	/* All names on a shelf, sorted, in arena; those that vanish meanwhile may be among them. */
	int (*list)(struct memory_store *store, enum shelf shelf, struct arena *arena,
		    const char ***names, size_t *n, struct err *err);
	/* Keeps other processes out until unlock, and tidies up after those that were killed. */
	int (*lock)(struct memory_store *store, struct err *err);
	void (*unlock)(struct memory_store *store);
	/* As in struct driver_ops; the store closes the descriptor. */
	int (*watch)(struct memory_store *store, struct err *err);
	int (*watch_read)(struct memory_store *store, int fd, struct err *err);
	void (*watch_end)(struct memory_store *store, int fd);
	/* The same text for the same place, however it was opened; appended. */
	int (*identity)(struct memory_store *store, struct buf *out, struct err *err);
	void (*free)(struct memory_store *store);
};

/* Every store's struct begins with this. */
struct memory_store {
	const struct memory_store_ops *ops;
};

/* In this process; a forked child has a copy of its own. */
struct memory_store *memory_store_process(void);
/* One small JSON file for each text; the folder is made when the first one is put there. */
struct memory_store *memory_store_folder(const char *folder);
/* NULL is allowed. */
void memory_store_free(struct memory_store *store);

/* What can be the name of a text: a file name, not hidden, at most 200 bytes. */
bool memory_store_is_name(const char *name);
/* qsort for names. */
int memory_store_name_cmp(const void *a, const void *b);

#endif

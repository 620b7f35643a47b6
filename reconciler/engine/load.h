/*
 * load.h - from a listing of files to decoded files.
 *
 * Only blobs that are not decoded already are read: in the daemon by children (readers.h), and a
 * child that dies or overruns refuses the commit with `reader-died` and the name of the file it was
 * at. Once all files are there nobody waits until their readers are gone.
 */
#ifndef TRUEUP_ENGINE_LOAD_H
#define TRUEUP_ENGINE_LOAD_H

#include "base/loop.h"
#include "schema/decode.h"
#include "source/tree.h"

/* The files of one unit become those that `from` has of it, which may be none. Stays sorted. */
void file_set_replace_unit(struct file_set *set, const struct file_set *from,
			   const struct unit *unit);

struct load_request {
	struct repo *repo;
	const char *url, *state_dir;  /* for the child, which opens the repository for itself */
	const struct tree *tree;      /* alive until done */
	const struct file_set *known; /* files that may be taken over; alive until done */
	/* The listing that `known` was read from, or NULL: spares looking at each of its files. */
	const struct tree *known_tree;
};

struct load;
/* done: *set is the receiver's when failure is NULL. Called once, never from load_start itself. */
struct load *load_start(struct loop *loop, const struct load_request *request,
			void (*done)(void *owner, struct file_set *set, const struct err *failure),
			void *owner, struct err *err);
void load_cancel(struct load **load);

/* Without a child: for the author's own machine. */
int load_now(const struct load_request *request, struct file_set *set, struct err *err);

#endif

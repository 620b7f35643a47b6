/*
 * watch.h - inotify on a local repository's refs: a push is seen when it lands. A hint, never
 * truth.
 */
#ifndef TRUEUP_SOURCE_WATCH_H
#define TRUEUP_SOURCE_WATCH_H

#include "source/repo.h"

struct ref_watch;

/* Watches loose refs (folders that come and go included), packed-refs, reftable-free repositories,
 * and HEAD for worktrees. Reading its descriptor is the caller's loop. */
int ref_watch_open(struct repo *repo, const char *branch, struct ref_watch **out, struct err *err);
void ref_watch_close(struct ref_watch **watch);
int ref_watch_fd(const struct ref_watch *watch);
/*
 * Empties the queue. 1: the branch may have moved; 0: something else happened; -1: events were lost
 * or the repository was replaced: look at everything (the watch has been set up anew if it could).
 */
int ref_watch_read(struct ref_watch *watch, struct err *err);

#endif

/*
 * watch.h - inotify on a local repository's refs: a push is seen when it lands. A hint, never
 * truth.
 *
 * Watched are the branch's ref and every folder above it inside the repository (they come and go:
 * git removes refs/heads/feature with the last branch in it), packed-refs, HEAD when the branch is
 * HEAD's, and the repository's own folder. Where it was moved away or deleted, its place is watched
 * until a repository stands there again. Not seen: a change of a folder above that place, and file
 * systems without events (NFS); the caller's poll is for those.
 */
#ifndef TRUEUP_SOURCE_WATCH_H
#define TRUEUP_SOURCE_WATCH_H

#include "source/repo.h"

struct ref_watch;

/*
 * branch NULL: HEAD's. E_NOT_SUPPORTED for a mirror (nobody pushes there); E_IO when the system's
 * limits on inotify are reached, naming the limit.
 */
int ref_watch_open(struct repo *repo, const char *branch, struct ref_watch **out, struct err *err);
void ref_watch_close(struct ref_watch **watch);
#define AUTO_REF_WATCH CLEANUP(ref_watch_close)
/* For the caller's loop, non-blocking; stays the same for as long as the watch is open. */
int ref_watch_fd(const struct ref_watch *watch);
/*
 * Empties the queue; may be called at any time, and should be after each poll while -1 comes back.
 * 1: the branch may have moved. 0: nothing that matters. -1: events were lost, or the repository is
 * gone or was replaced: look at everything, and open it anew (the watch itself has been set up
 * anew, as far as there is something to watch); err says what happened.
 */
int ref_watch_read(struct ref_watch *watch, struct err *err);

#endif

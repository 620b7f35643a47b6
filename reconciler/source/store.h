/*
 * store.h - private to this folder: the bare repositories that trueup itself writes.
 *
 * <state>/objects.git            what accepted commits need, for as long as they are needed
 * <state>/mirror-<hash>.git      what was fetched from the address with that hash
 *
 * Each has one writer at a time (the state lock says so) and any number of readers. A writer may be
 * killed at any moment: packs and refs are written under another name, synced and renamed, so that
 * what is seen is whole; leftovers go when the next writer comes.
 */
#ifndef TRUEUP_SOURCE_STORE_H
#define TRUEUP_SOURCE_STORE_H

#include "source/gitlib.h"

#define STORE_PACKS_MAX 50 /* more are made into one */

/* The places, to be freed by the caller. */
char *store_keep_path(const char *state_dir);
char *store_mirror_path(const char *state_dir, const char *url);

/* Makes an empty bare repository, unless there is one; whole or not at all. */
int store_create(const char *path, struct err *err);
/* Removes what a killed writer left behind. */
int store_sweep(const char *path, struct err *err);

/* "refs/..." in the store becomes id, or goes. Names come from branches and ids, never from trees.
 */
int store_ref_write(const char *path, const char *name, const struct oid *id, struct err *err);
int store_ref_remove(const char *path, const char *name, struct err *err);

/* How many packs there are; -1 with err. */
int store_packs(const char *path, struct err *err);
/*
 * Puts what `fill` adds to the builder into one pack and removes all others: `fill` has to add all
 * that is still wanted.
 */
int store_repack(const char *path, int (*fill)(git_packbuilder *pack, void *arg, struct err *err),
		 void *arg, struct err *err);
/* A packbuilder that starts no threads. */
git_packbuilder *store_pack_new(git_repository *git);
/* Writes the pack, if anything is in it, to the store at path. */
int store_pack_write(git_packbuilder *pack, const char *path, struct err *err);

#endif

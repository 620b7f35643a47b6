/*
 * repo.h - the configuration repository, read from its object store; with tree.c and fetch.c the
 * only includers of <git2.h> (through gitlib.h).
 *
 * Nothing is ever checked out and nothing of the repository is executed: its
 * `config`, hooks and attributes are ignored. A local repository (a path or
 * file://, bare or not) is read where it is; a remote one (https://, ssh://,
 * user@host:path, git:// on loopback) through a mirror in the state directory
 * that fetch.h fills. Objects that were accepted are kept in the state
 * directory's own store (repo_keep), so that a force-push with gc takes nothing
 * away; reads look there too.
 */
#ifndef TRUEUP_SOURCE_REPO_H
#define TRUEUP_SOURCE_REPO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/oid.h"

struct repo;

#define REPO_OBJECT_MAX ((size_t)16 << 20) /* bytes of one object */

/* Is it an address that has to be fetched? E_USAGE for a form that is not known. */
int repo_is_remote(const char *url, bool *remote, struct err *err);

/*
 * Opens a local repository, or the mirror of a remote one (made when absent: empty until fetch.h
 * has filled it).
 * state_dir may be NULL for a local repository: nothing is kept then.
 * E_REPO_UNREADABLE, E_REPO_UNSUPPORTED (SHA-256, reftable: named).
 */
int repo_open(const char *url, const char *state_dir, struct repo **out, struct err *err);
void repo_close(struct repo **repo);
#define AUTO_REPO CLEANUP(repo_close)
/*
 * After a fetch, a repo_keep or a gc by others, or when that may have been: new packs are looked
 * for when they are needed, which is not before a branch has moved or a revision is asked for.
 */
void repo_refresh(struct repo *repo);

/* The commit a branch points at; NULL: HEAD's (a worktree has its own). E_BRANCH_MISSING. */
int repo_branch(struct repo *repo, const char *branch, struct oid *commit, struct err *err);
/*
 * The commit that a revision means: a branch, a tag, an id or its first four digits or more, and
 * behind it any of ~ ~N ^ ^N. E_NOT_FOUND, E_AMBIGUOUS.
 */
int repo_revision(struct repo *repo, const char *revision, struct oid *commit, struct err *err);
/*
 * Does `tip` descend from `base` by any parent (or is it the same)? 1, 0, or -1. Where history is
 * missing (rewritten and collected, or a shallow clone) it ends there; the same holds below.
 */
int repo_descends(struct repo *repo, const struct oid *tip, const struct oid *base,
		  struct err *err);

/* Texts are UTF-8 without control characters but \n and \t. */
struct commit_info {
	struct oid id;
	const char *author; /* "Ann <ann@example.org>" */
	const char *subject;
	const char *message; /* with trailers, cut after 64 KiB */
	int64_t when_ms;     /* author's date, wall time */
	unsigned parents;
};
int repo_commit(struct repo *repo, const struct oid *id, struct arena *arena,
		struct commit_info *out, struct err *err);
/*
 * Values of a trailer ("Trueup-Prune") in any commit reachable from tip and not from base (NULL:
 * tip alone), newest first; at most 1,000 commits are looked at.
 */
int repo_trailers(struct repo *repo, const struct oid *tip, const struct oid *base, const char *key,
		  struct arena *arena, const char ***values, size_t *n, struct err *err);
/*
 * The newest non-merge commit from `tip` back to `base` (exclusive; NULL: the first) that touched
 * one of the paths; tip itself when none did.
 */
int repo_last_touch(struct repo *repo, const struct oid *tip, const struct oid *base,
		    const char *const *paths, size_t n, struct arena *arena,
		    struct commit_info *out, struct err *err);

/* A blob appended to out; E_TOO_LARGE past max bytes, or REPO_OBJECT_MAX if that is less. */
int repo_blob(struct repo *repo, const struct oid *blob, size_t max, struct buf *out,
	      struct err *err);

/*
 * Keeps what tree.h and repo_blob need of the commits in the state directory's own store: the
 * commits, their trees, their manifests and what is in folders that are read as a whole below the
 * configuration's root (not other files, not their ancestors). Slow (it copies):
 * called in a child; another process sees it after repo_refresh. Commits that are not in `keep` any
 * more are dropped (all-zero ids in it mean nothing), and their objects go when the store is next
 * repacked (here, when it holds more than 50 packs). Killed at any moment, it leaves the store as
 * it was or as it is to be.
 */
int repo_keep(struct repo *repo, const char *root, const struct oid *keep, size_t n,
	      struct err *err);

/* Is an existing folder one of a repository, or inside of one? */
bool repo_around(const char *folder);
/*
 * Makes an existing folder a repository with a working tree and no commit yet, on the branch main
 * (init.c). E_IO, E_DISK_FULL; what was made of it then is the caller's to remove.
 */
int repo_init(const char *folder, struct err *err);

#endif

/*
 * gitlib.h - private to this folder: the only includer of libgit2's headers.
 *
 * The library is set up once per process by gitlib_setup: no configuration of the
 * system or of a user is read, no owner is asked for (nothing of a repository is
 * executed), nothing is cached that is read only once, and everything written is
 * synced to disk.
 */
#ifndef TRUEUP_SOURCE_GITLIB_H
#define TRUEUP_SOURCE_GITLIB_H

/* One by one: <git2.h> has a field with the name of a function that base/sys.h forbids. */
#include <git2/commit.h>
#include <git2/config.h>
#include <git2/errors.h>
#include <git2/global.h>
#include <git2/message.h>
#include <git2/object.h>
#include <git2/odb.h>
#include <git2/pack.h>
#include <git2/refs.h>
#include <git2/remote.h>
#include <git2/repository.h>
#include <git2/revwalk.h>
#include <git2/sys/repository.h>
#include <git2/sys/transport.h>
#include <git2/tree.h>

#include "source/repo.h"

struct repo {
	git_repository *git;
	git_odb *odb;
	char *url;	 /* as it was given, for messages */
	char *path;	 /* where it is, absolute */
	char *store;	 /* <state>/objects.git; NULL: nothing is kept */
	bool store_read; /* the store is one of the places odb reads from */
	bool mirror;	 /* of a remote, in the state directory; path is the mirror's */
	bool stale;	 /* there may be packs that odb does not know */
	struct oid tip;	 /* where the branch was when it was last looked at */
};

void gitlib_setup(void);

/*
 * Fills *err with "context: what libgit2 says"; returns -1. A full disk and a missing object keep
 * their own meaning whatever code says: E_DISK_FULL, E_REPO_UNREADABLE.
 */
int gitlib_fail(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * Opens a bare repository, one with a working tree, or a worktree, without a search upwards and
 * without its configuration. E_REPO_UNREADABLE, E_REPO_UNSUPPORTED.
 */
int gitlib_open(const char *path, git_repository **out, struct err *err);

/*
 * Reads an object of a known type; E_TOO_LARGE past max, told from its header before it is read;
 * E_REPO_UNREADABLE when it is missing, damaged or of another type.
 */
int gitlib_read(git_odb *odb, const struct oid *id, git_object_t type, size_t max,
		git_odb_object **out, struct err *err);
/* A commit, parsed; the same errors. */
int gitlib_commit(struct repo *repo, const struct oid *id, git_commit **out, struct err *err);
/* The tree of a commit, told from the commit's own bytes. */
int gitlib_commit_tree(git_odb *odb, const struct oid *commit, struct oid *tree, struct err *err);

static inline git_oid gitlib_id(const struct oid *id)
{
	git_oid out;

	memcpy(out.id, id->raw, sizeof out.id);
	return out;
}
static inline struct oid gitlib_id_back(const git_oid *id)
{
	struct oid out;

	memcpy(out.raw, id->id, sizeof out.raw);
	return out;
}

#define GIT_RELEASE(type)                                                                          \
	static inline void type##_release(type **object)                                           \
	{                                                                                          \
		type##_free(*object);                                                              \
		*object = NULL;                                                                    \
	}
GIT_RELEASE(git_commit)
GIT_RELEASE(git_object)
GIT_RELEASE(git_odb)
GIT_RELEASE(git_odb_object)
GIT_RELEASE(git_packbuilder)
GIT_RELEASE(git_reference)
GIT_RELEASE(git_remote)
GIT_RELEASE(git_repository)
GIT_RELEASE(git_revwalk)
GIT_RELEASE(git_tree)
GIT_RELEASE(git_tree_entry)
#undef GIT_RELEASE
#define AUTO_GIT(type) CLEANUP(type##_release)

#endif

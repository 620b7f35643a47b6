/*
 * fs.h - files: bounded reads, atomic writes, locks, trees.
 *
 * Everything is opened with O_CLOEXEC. A path that ends in a symbolic link is
 * not followed where the text says "no link".
 */
#ifndef TRUEUP_BASE_FS_H
#define TRUEUP_BASE_FS_H

#include <dirent.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* For CLEANUP(fs_close_ptr) on an int; -1 is ignored; sets the variable to -1. */
void fs_close_ptr(int *fd);
#define AUTO_FD CLEANUP(fs_close_ptr)
/* The same for a DIR *; NULL is ignored. */
void fs_close_dir_ptr(DIR **dir);
#define AUTO_DIR CLEANUP(fs_close_dir_ptr)

/*
 * Whole file appended to *out, which is as before on failure. E_TOO_LARGE past max bytes or past
 * the buffer's own maximum, E_NOT_FOUND when absent, E_BAD_INPUT when not a regular file.
 */
int fs_read(const char *path, size_t max, struct buf *out, struct err *err);
int fs_read_at(int dir, const char *name, size_t max, struct buf *out, struct err *err);
/* The rest of an open file, pipe or socket that blocks; name is for the error text. */
int fs_read_fd(int fd, const char *name, size_t max, struct buf *out, struct err *err);
/* All of len bytes, or -1 with errno; EINTR is retried. */
int fs_write_all(int fd, const void *bytes, size_t len);
/* Temp file beside it, write, fsync, rename, fsync of the folder: old or new, never half. */
int fs_write_atomic(const char *path, const void *bytes, size_t len, mode_t mode, struct err *err);
/* Same without the two fsyncs, for what may be lost with the power but not torn. */
int fs_write_replace(const char *path, const void *bytes, size_t len, mode_t mode, struct err *err);
/*
 * Both leave a file ".<8 hex digits>.<pid>.tmp" behind when the process is killed in the middle;
 * this removes those of processes that are gone. Call it once at start for folders written to.
 */
int fs_remove_stale_temps(const char *path, struct err *err);
/* mkdir -p; folders made get mode whatever the umask; an existing folder is success. */
int fs_make_dirs(const char *path, mode_t mode, struct err *err);
/*
 * rm -r of a tree of any depth, read-only folders too; no link followed, other file systems not
 * entered (an error); absent is success.
 */
int fs_remove_tree(const char *path, struct err *err);
int fs_remove_tree_at(int dir, const char *name, struct err *err);
/* fsync of a folder, so that a rename in it is on disk. */
int fs_sync_dir(const char *path, struct err *err);
/* Anything by that name, a dangling link too. */
bool fs_exists(const char *path);
bool fs_is_dir(const char *path);

/* Longest path built; longer ones are E_TOO_LARGE. */
#define FS_PATH_MAX 4096
/* "a/b" in out (FS_PATH_MAX bytes); -1 when too long. */
int fs_join(char *out, const char *dir, const char *name) MUST_CHECK;
/*
 * True when path is relative, not empty, has no "." or ".." or empty part and no NUL: it cannot
 * leave the folder it is joined to (links apart: see fs_open_beneath).
 */
bool fs_is_inner_path(const char *path);
/*
 * openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) of an inner path below dir; falls back to a walk
 * part by part with O_NOFOLLOW where the kernel lacks openat2. Returns the descriptor or -1/errno.
 */
int fs_open_beneath(int dir, const char *path, int flags, mode_t mode);
/* The walk alone. */
int fs_open_beneath_walk(int dir, const char *path, int flags, mode_t mode);

/*
 * An advisory lock (flock) on a file that names its holder: one line "<pid> <purpose>\n".
 * Returns the descriptor that holds it (close it to let go; it is inherited by fork, not exec), or
 * -1 with E_STATE_BUSY whose text names the holder. wait_ms 0: try once.
 */
int fs_lock(const char *path, const char *purpose, int64_t wait_ms, struct err *err);
/* The holder's line without its newline into out, "" when none is written. */
void fs_lock_holder(const char *path, char *out, size_t size);

#endif

/*
 * file_set.h - the decoded files of one state, by path, and what differs between two states.
 *
 * Thousands of files stay the same from commit to commit, so nothing here touches a file that did.
 * A set holds its files through leaves of a few dozen, which sets that follow each other share: a
 * set that differs from another in one file costs one new leaf and a copy of the list. And as files
 * are shared, what two sets have in common shows by address.
 */
#ifndef TRUEUP_SCHEMA_FILE_SET_H
#define TRUEUP_SCHEMA_FILE_SET_H

#include "base/vec.h"

struct file;
struct file_leaf;

/* All-zero is empty and ready. */
struct file_set {
	struct file **v; /* by path */
	size_t n;
	struct file_leaf **leaves; /* what holds them; NULL: borrowed, somebody else does */
	size_t leaves_n;
};
void file_set_release(struct file_set *set);
/* Takes over one reference to each of n files, which are sorted by path; not the array. */
void file_set_take(struct file_set *set, struct file *const *files, size_t n);
/* The copy holds its files also when `from` only borrows them. */
void file_set_copy(struct file_set *to, const struct file_set *from);

/* What became of one path: before NULL: it came; now NULL: it went; never both. */
struct file_change {
	struct file *before, *now;
};
typedef VEC(struct file_change) file_changes;
/* Appends, by path, every file that is not the very same in both sets. Borrowed pointers. */
void file_set_compare(const struct file_set *before, const struct file_set *now, file_changes *out);
/*
 * `from` with n changes, sorted by path, each of whose `before` it has. References to the files
 * that came are not taken over.
 */
void file_set_patch(struct file_set *to, const struct file_set *from,
		    const struct file_change *changes, size_t n);
/* Index of the first file that is not before path. */
size_t file_set_find(const struct file_set *set, const char *path);
/* The file with this path; NULL when there is none. */
struct file *file_set_get(const struct file_set *set, const char *path);

#endif

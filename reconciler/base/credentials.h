/*
 * credentials.h - a folder of the credentials directory: one value a file, for the reconciler
 * alone.
 *
 * The folder must be closed to group and others and belong to the reconciler's user or root; so
 * must the files in it. What is no secret (ca.pem, cert.pem, known_hosts) may be read by others,
 * but not written. Links are not followed.
 */
#ifndef TRUEUP_BASE_CREDENTIALS_H
#define TRUEUP_BASE_CREDENTIALS_H

#include "base/buf.h"
#include "base/err.h"

#define CREDENTIALS_FILE_MAX ((size_t)64 << 10)

/* The folder of that name, below dir, or where that is NULL below the state's own; to be freed. */
char *credentials_folder(const char *dir, const char *state_dir, const char *name);
/*
 * One value ("token") appended to out, without its last newline. E_NOT_FOUND: there is no such file
 * in it; E_CREDENTIALS: the folder is missing, the owner or the mode is wrong (with the command
 * that mends it), or it is empty or larger than 64 KiB.
 */
int credentials_read(const char *dir, const char *name, struct buf *out, struct err *err);
/* The same for a value that has to be one line of text without control characters. */
int credentials_read_line(const char *dir, const char *name, struct buf *out, struct err *err);
/* Overwrites what a buffer held, then releases it. */
void credentials_wipe(struct buf *secret);
#define AUTO_SECRET CLEANUP(credentials_wipe)

#endif

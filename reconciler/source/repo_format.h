/*
 * repo_format.h - private to this folder: can this repository be read at all?
 *
 * The one thing that is looked for in a repository's configuration (gitrepository-layout(5),
 * https://git-scm.com/docs/repository-version): the version of its format and its extensions.
 * Nothing else in that file means anything to us, and no file that it includes is read.
 */
#ifndef TRUEUP_SOURCE_REPO_FORMAT_H
#define TRUEUP_SOURCE_REPO_FORMAT_H

#include "base/err.h"

/* git_dir: with the file `config` (none: the oldest format). E_REPO_UNSUPPORTED, E_REPO_UNREADABLE.
 */
int repo_format_check(const char *git_dir, struct err *err);

#endif

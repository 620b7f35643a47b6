/*
 * shell.h - for tests that need real repositories and servers: a few lines of bash.
 */
#ifndef TRUEUP_TESTS_SHELL_H
#define TRUEUP_TESTS_SHELL_H

#include "base/oid.h"

/*
 * Runs the script in the folder with `bash -eu -o pipefail`, HOME being that folder, and returns
 * what it wrote without the last newline (to be freed); the test fails, with the script's messages,
 * when the script does. Git knows no configuration but init.defaultBranch=main and has a name and a
 * fixed date to commit with.
 */
char *test_shell(const char *folder, const char *script, ...) PRINTF_LIKE(2, 3);
/* The same where only the effect counts. */
void test_run(const char *folder, const char *script, ...) PRINTF_LIKE(2, 3);
/* The same for a script that writes the id of an object. */
struct oid test_shell_id(const char *folder, const char *script, ...) PRINTF_LIKE(2, 3);

#endif

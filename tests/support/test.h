/*
 * test.h - what every unit test includes first: cmocka in the order it needs, and a few helpers.
 */
#ifndef TRUEUP_TESTS_TEST_H
#define TRUEUP_TESTS_TEST_H

#include "base/sys.h"

#include <setjmp.h>
#include <cmocka.h>

#include "base/err.h"

/* Skips the running test and says why in the report. */
#define SKIP_BECAUSE(reason)                                                                       \
	do {                                                                                       \
		print_message("# %s\n", reason);                                                   \
		skip();                                                                            \
	} while (0)

/* The call must succeed; shows the error's text when it does not. */
#define assert_done(call, err)                                                                     \
	do {                                                                                       \
		if ((call) != 0)                                                                   \
			fail_msg("%s: %s", #call, (err).text);                                     \
	} while (0)
/* The call must give -1 with this code. */
#define assert_fails(call, err, wanted)                                                            \
	do {                                                                                       \
		err_clear(&(err));                                                                 \
		assert_int_equal((call), -1);                                                      \
		if ((err).code != (wanted))                                                        \
			print_message("# %s\n", (err).text);                                       \
		assert_string_equal(err_code_name((err).code), err_code_name(wanted));             \
	} while (0)

/* A new empty folder below TMPDIR (or /tmp); the text is the caller's to free. */
char *test_folder(void);
/* Removes the folder and all in it, frees the text, sets the variable to NULL. */
void test_folder_remove(char **folder);
/* "folder/name", to be freed by the caller. */
char *test_path(const char *folder, const char *name);

/*
 * Runs body in a child process and returns its wait status; standard error goes to text (size
 * bytes, NUL-terminated) unless text is NULL.
 */
int test_in_child(void (*body)(void *arg), void *arg, char *text, size_t size);

#endif

#include "base/sys.h"
#include "source/gitlib.h"

/* A repository for an author: the only one that is made outside of a state directory. */

bool repo_around(const char *folder)
{
	git_buf found = {0};
	bool there;

	gitlib_setup();
	there = git_repository_discover(&found, folder, 1, NULL) == 0;
	git_buf_dispose(&found);
	return there;
}

int repo_init(const char *folder, struct err *err)
{
	git_repository *git AUTO_GIT(git_repository) = NULL;
	git_repository_init_options opts = {
		.version = GIT_REPOSITORY_INIT_OPTIONS_VERSION,
		.flags = GIT_REPOSITORY_INIT_NO_REINIT,
		.initial_head = "main",
	};

	gitlib_setup();
	if (git_repository_init_ext(&git, folder, &opts) != 0)
		return gitlib_fail(err, E_IO, "make a Git repository in %s", folder);
	return 0;
}

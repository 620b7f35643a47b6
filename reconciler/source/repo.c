#include "base/sys.h"
#include "source/repo.h"

#include "base/fs.h"
#include "base/num.h"
#include "source/gitlib.h"
#include "source/store.h"
#include "source/url.h"

#define STEPS_MAX 100000 /* in "main~N" */

/*
 * Objects that were kept are found as if they were the repository's own. The store comes to be with
 * the first commit that is kept, perhaps in another process, so it is looked for again and again.
 */
static void read_store_too(struct repo *repo)
{
	char *objects AUTO_FREE = NULL;

	if (!repo->store || repo->store_read)
		return;
	objects = mem_printf("%s/objects", repo->store);
	if (fs_is_dir(objects))
		repo->store_read = git_odb_add_disk_alternate(repo->odb, objects) == 0;
}

static int find_mirror(struct repo *repo, const char *state_dir, struct err *err)
{
	if (!state_dir)
		return err_set(err, E_USAGE,
			       "%s is not on this machine: a state directory is needed", repo->url);
	repo->mirror = true;
	repo->path = store_mirror_path(state_dir, repo->url);
	return store_create(repo->path, err);
}

static int open_parts(struct repo *repo, const char *state_dir, struct err *err)
{
	struct url url AUTO_URL = {0};

	if (url_parse(repo->url, &url, err) != 0)
		return -1;
	if (url.scheme == URL_PATH)
		repo->path = mem_strdup(url.path);
	else if (find_mirror(repo, state_dir, err) != 0)
		return -1;
	if (gitlib_open(repo->path, &repo->git, err) != 0)
		return -1;
	if (git_repository_odb(&repo->odb, repo->git) != 0)
		return gitlib_fail(err, E_REPO_UNREADABLE, "%s", repo->url);
	return 0;
}

int repo_open(const char *url, const char *state_dir, struct repo **out, struct err *err)
{
	struct repo *repo AUTO_REPO = mem_zalloc(1, sizeof *repo);

	repo->url = mem_strdup(url);
	if (open_parts(repo, state_dir, err) != 0)
		return -1;
	if (state_dir)
		repo->store = store_keep_path(state_dir);
	read_store_too(repo);
	*out = repo;
	repo = NULL;
	return 0;
}

void repo_close(struct repo **slot)
{
	struct repo *repo = *slot;

	if (!repo)
		return;
	git_odb_free(repo->odb);
	git_repository_free(repo->git);
	free(repo->url);
	free(repo->path);
	free(repo->store);
	free(repo);
	*slot = NULL;
}

void repo_refresh(struct repo *repo)
{
	read_store_too(repo);
	repo->stale = true;
}

/* The library looks for new packs by itself only when an object is missing. */
static void look_for_packs(struct repo *repo)
{
	if (repo->stale)
		(void)git_odb_refresh(repo->odb);
	repo->stale = false;
}

/* ---------------------------------------------------------------- names for commits */

static int branch_missing(const struct repo *repo, const char *branch, struct err *err)
{
	return err_set(err, E_BRANCH_MISSING,
		       "%s has no branch %s: push it, or name another (branch)", repo->url, branch);
}

static int resolve(struct repo *repo, const char *ref, const char *branch, struct oid *commit,
		   struct err *err)
{
	char hex[OID_HEX_SIZE];
	size_t size;
	git_object_t type;
	git_oid id;
	int result = git_reference_name_to_id(&id, repo->git, ref);

	if (result == GIT_ENOTFOUND || result == GIT_EINVALIDSPEC)
		return branch_missing(repo, branch, err);
	if (result != 0)
		return gitlib_fail(err, E_REPO_UNREADABLE, "%s, branch %s", repo->url, branch);
	*commit = gitlib_id_back(&id);
	if (!oid_eq(commit, &repo->tip))
		look_for_packs(repo);
	repo->tip = *commit;
	if (git_odb_read_header(&size, &type, repo->odb, &id) != 0)
		return gitlib_fail(err, E_REPO_UNREADABLE, "%s, branch %s", repo->url, branch);
	if (type != GIT_OBJECT_COMMIT)
		return err_set(err, E_REPO_UNREADABLE, "%s, branch %s: %s is not a commit",
			       repo->url, branch, oid_hex(commit, hex));
	return 0;
}

int repo_branch(struct repo *repo, const char *branch, struct oid *commit, struct err *err)
{
	char *ref AUTO_FREE = branch ? mem_printf("refs/heads/%s", branch) : mem_strdup("HEAD");

	return resolve(repo, ref, branch ? branch : "HEAD", commit, err);
}

static int no_revision(const struct repo *repo, const char *revision, struct err *err)
{
	return err_set(err, E_NOT_FOUND, "%s has no revision %s", repo->url, revision);
}

/* A branch, a tag, another ref, or an id of which at least four digits are given. */
static int find_named(struct repo *repo, const char *name, git_object **out)
{
	git_reference *ref AUTO_GIT(git_reference) = NULL, *end AUTO_GIT(git_reference) = NULL;
	size_t len = strlen(name);
	git_oid id;

	if (len == 0)
		return GIT_ENOTFOUND; /* the library would take HEAD */
	if (len < OID_HEX_SIZE - 1 && git_reference_dwim(&ref, repo->git, name) == 0) {
		if (git_reference_resolve(&end, ref) != 0)
			return GIT_ENOTFOUND;
		return git_object_lookup(out, repo->git, git_reference_target(end), GIT_OBJECT_ANY);
	}
	if (len < GIT_OID_MINPREFIXLEN || len > OID_HEX_SIZE - 1 ||
	    git_oid_fromstrn(&id, name, len) != 0)
		return GIT_ENOTFOUND;
	return git_object_lookup_prefix(out, repo->git, &id, len, GIT_OBJECT_ANY);
}

/* "~3" goes back three times by the first parent, "^2" once by the second; 0, or -1. */
static int go_back(git_commit **commit, char kind, unsigned n)
{
	git_commit *to = NULL;
	int result;

	if (kind == '~')
		result = git_commit_nth_gen_ancestor(&to, *commit, n);
	else
		result = n ? git_commit_parent(&to, *commit, n - 1) : git_commit_dup(&to, *commit);
	if (result != 0)
		return -1;
	git_commit_free(*commit);
	*commit = to;
	return 0;
}

/* Follows all of "~1^2". */
static int follow(git_commit **commit, const char *suffix)
{
	while (*suffix) {
		char kind = *suffix++;
		size_t len = strspn(suffix, "0123456789");
		char *digits AUTO_FREE = mem_strndup(suffix, len);
		int64_t n = 1;

		if ((kind != '~' && kind != '^') ||
		    (len && num_parse_int(digits, 0, STEPS_MAX, &n) != 0) ||
		    go_back(commit, kind, (unsigned)n) != 0)
			return -1;
		suffix += len;
	}
	return 0;
}

/*
 * Of git's language for revisions, names and ids with `~` and `^`: what people need, without the
 * searches and dates that the library would look for in the same text.
 */
int repo_revision(struct repo *repo, const char *revision, struct oid *commit, struct err *err)
{
	size_t name_len = strcspn(revision, "~^");
	char *name AUTO_FREE = mem_strndup(revision, name_len);
	git_object *named AUTO_GIT(git_object) = NULL, *peeled AUTO_GIT(git_object) = NULL;
	git_commit *at AUTO_GIT(git_commit) = NULL;
	int result;

	look_for_packs(repo);
	result = find_named(repo, name, &named);
	if (result == GIT_EAMBIGUOUS)
		return err_set(err, E_AMBIGUOUS, "%s: %s fits several objects", repo->url, name);
	if (result != 0)
		return no_revision(repo, revision, err);
	if (git_object_peel(&peeled, named, GIT_OBJECT_COMMIT) != 0)
		return err_set(err, E_NOT_FOUND, "%s: %s is not a commit", repo->url, revision);
	at = (git_commit *)peeled;
	peeled = NULL;
	if (follow(&at, revision + name_len) != 0)
		return no_revision(repo, revision, err);
	*commit = gitlib_id_back(git_commit_id(at));
	return 0;
}

/* ---------------------------------------------------------------- blobs */

int repo_blob(struct repo *repo, const struct oid *blob, size_t max, struct buf *out,
	      struct err *err)
{
	git_odb_object *object AUTO_GIT(git_odb_object) = NULL;
	char hex[OID_HEX_SIZE];

	if (max > REPO_OBJECT_MAX)
		max = REPO_OBJECT_MAX;
	if (gitlib_read(repo->odb, blob, GIT_OBJECT_BLOB, max, &object, err) != 0)
		return -1;
	buf_add(out, git_odb_object_data(object), git_odb_object_size(object));
	if (out->overflow)
		return err_set(err, E_TOO_LARGE, "object %s does not fit into %zu bytes",
			       oid_hex(blob, hex), out->max);
	return 0;
}

#include "base/sys.h"
#include "source/gitlib.h"

#include "base/fs.h"
#include "source/repo_format.h"

/*
 * As it starts, libgit2 makes ready what it would speak SSH and HTTPS with: OpenSSL, and every
 * authority that the machine trusts, parsed one by one. That is 2 MB and most of its start, and
 * here fetch_ssh.c and fetch_http.c speak both. A function of the program comes before one of the
 * same name in a library, so that it finds these. Were it ever to make a connection itself, it
 * would trust nobody.
 */
int libssh2_init(int flags);
int mbedtls_x509_crt_parse_file(void *chain, const char *path);
int mbedtls_x509_crt_parse_path(void *chain, const char *path);

int libssh2_init(int flags)
{
	(void)flags;
	return 0;
}

int mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
	(void)chain;
	(void)path;
	return 0;
}

int mbedtls_x509_crt_parse_path(void *chain, const char *path)
{
	return mbedtls_x509_crt_parse_file(chain, path);
}

/* Configuration of the machine and of users could send a fetch elsewhere or name files to read. */
static void forget_user_configuration(void)
{
	static const git_config_level_t levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA,
						    GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
						    GIT_CONFIG_LEVEL_GLOBAL};

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
}

void gitlib_setup(void)
{
	static bool ready;

	if (ready)
		return;
	if (git_libgit2_init() < 0)
		mem_exhausted();
	forget_user_configuration();
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	ready = true;
}

int gitlib_fail(struct err *err, enum err_code code, const char *fmt, ...)
{
	const git_error *why = git_error_last();
	const char *reason = why && why->message ? why->message : "no reason given";
	char context[ERR_TEXT_MAX];
	va_list args;

	if (why && why->klass == GIT_ERROR_NOMEMORY)
		mem_exhausted();
	va_start(args, fmt);
	if (vsnprintf(context, sizeof context, fmt, args) < 0)
		context[0] = '\0';
	va_end(args);
	if (strstr(reason, strerror(ENOSPC)) || strstr(reason, strerror(EDQUOT)))
		code = E_DISK_FULL;
	else if (why && why->klass == GIT_ERROR_ODB)
		code = E_REPO_UNREADABLE;
	return err_set(err, code, "%s: %s", context, reason);
}

/* Set, so that nothing that the library does later reads the repository's own. */
static void forget_configuration(git_repository *git)
{
	git_config *none = NULL;

	if (git_config_new(&none) != 0 || git_repository_set_config(git, none) != 0)
		mem_exhausted();
	git_config_free(none);
}

/* In a worktree ".git" is a file: "gitdir: PATH". NULL with err when it says something else. */
static char *follow_link(const char *path, const char *file, struct err *err)
{
	static const char word[] = "gitdir: ";
	struct buf text AUTO_BUF = BUF_INIT(FS_PATH_MAX);
	const char *target;

	if (fs_read(file, FS_PATH_MAX, &text, err) != 0)
		return NULL;
	if (!str_starts(buf_str(&text), word)) {
		err_set(err, E_REPO_UNREADABLE, "%s is not a link to a Git repository", file);
		return NULL;
	}
	text.ptr[strcspn(text.ptr, "\r\n")] = '\0';
	target = text.ptr + strlen(word);
	return *target == '/' ? mem_strdup(target) : mem_printf("%s/%s", path, target);
}

/* The folder that holds HEAD: path itself, or what ".git" in it is. */
static char *find_git_dir(const char *path, struct err *err)
{
	char *inside AUTO_FREE = mem_printf("%s/.git", path);

	if (fs_is_dir(inside))
		return mem_strdup(inside);
	if (fs_exists(inside))
		return follow_link(path, inside, err);
	return mem_strdup(path);
}

/* A folder inside of a work tree is none: the way out is its top. */
static int no_repository(const char *path, struct err *err)
{
	char *top AUTO_FREE = mem_strdup(path);
	char *inside AUTO_FREE = NULL;
	char *slash;

	while ((slash = strrchr(top, '/')) && slash != top) {
		*slash = '\0';
		free(inside);
		inside = mem_printf("%s/.git", top);
		if (fs_exists(inside))
			return err_set(err, E_REPO_UNREADABLE,
				       "%s: there is no Git repository; the one around it is %s",
				       path, top);
	}
	return err_set(err, E_REPO_UNREADABLE, "%s: there is no Git repository", path);
}

/*
 * Opened as a bare one, which is what it is to us: the library then does not look at its
 * configuration (where it would lose memory with each extension, too).
 */
int gitlib_open(const char *path, git_repository **out, struct err *err)
{
	char *git_dir AUTO_FREE = find_git_dir(path, err);
	git_repository *git AUTO_GIT(git_repository) = NULL;
	int result;

	if (!git_dir)
		return -1;
	gitlib_setup();
	result = git_repository_open_bare(&git, git_dir);
	if (result == GIT_ENOTFOUND)
		return no_repository(path, err);
	if (result != 0)
		return gitlib_fail(err, E_REPO_UNREADABLE, "%s", path);
	if (repo_format_check(git_repository_commondir(git), err) != 0)
		return -1;
	forget_configuration(git);
	*out = git;
	git = NULL;
	return 0;
}

static int check_header(git_odb *odb, const struct oid *id, git_object_t type, size_t max,
			struct err *err)
{
	git_oid object = gitlib_id(id);
	char hex[OID_HEX_SIZE];
	git_object_t found;
	size_t size;

	if (git_odb_read_header(&size, &found, odb, &object) != 0)
		return gitlib_fail(err, E_REPO_UNREADABLE, "object %s", oid_hex(id, hex));
	if (found != type)
		return err_set(err, E_REPO_UNREADABLE, "object %s is a %s where a %s was expected",
			       oid_hex(id, hex), git_object_type2string(found),
			       git_object_type2string(type));
	if (size > max)
		return err_set(err, E_TOO_LARGE, "object %s has %zu bytes, more than %zu",
			       oid_hex(id, hex), size, max);
	return 0;
}

int gitlib_read(git_odb *odb, const struct oid *id, git_object_t type, size_t max,
		git_odb_object **out, struct err *err)
{
	git_oid object = gitlib_id(id);
	char hex[OID_HEX_SIZE];

	if (check_header(odb, id, type, max, err) != 0)
		return -1;
	if (git_odb_read(out, odb, &object) != 0)
		return gitlib_fail(err, E_REPO_UNREADABLE, "object %s", oid_hex(id, hex));
	return 0;
}

int gitlib_commit(struct repo *repo, const struct oid *id, git_commit **out, struct err *err)
{
	git_oid object = gitlib_id(id);
	char hex[OID_HEX_SIZE];

	if (check_header(repo->odb, id, GIT_OBJECT_COMMIT, REPO_OBJECT_MAX, err) != 0)
		return -1;
	if (git_commit_lookup(out, repo->git, &object) != 0)
		return gitlib_fail(err, E_REPO_UNREADABLE, "commit %s", oid_hex(id, hex));
	return 0;
}

int gitlib_commit_tree(git_odb *odb, const struct oid *commit, struct oid *tree, struct err *err)
{
	static const char head[] = "tree ";
	const size_t head_len = sizeof head - 1, hex_len = OID_HEX_SIZE - 1;
	git_odb_object *object AUTO_GIT(git_odb_object) = NULL;
	char hex[OID_HEX_SIZE];
	const char *text;

	if (gitlib_read(odb, commit, GIT_OBJECT_COMMIT, REPO_OBJECT_MAX, &object, err) != 0)
		return -1;
	text = git_odb_object_data(object);
	if (git_odb_object_size(object) > head_len + hex_len && memcmp(text, head, head_len) == 0) {
		memcpy(hex, text + head_len, hex_len);
		hex[hex_len] = '\0';
		if (oid_parse(hex, tree) == 0)
			return 0;
	}
	return err_set(err, E_REPO_UNREADABLE, "commit %s is malformed", oid_hex(commit, hex));
}

#include "base/sys.h"
#include "source/gitlib.h"

#include "base/fs.h"

/* Configuration of the machine and of users could send a fetch elsewhere or name files to read. */
static void forget_user_configuration(void)
{
	static const git_config_level_t levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA,
						    GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
						    GIT_CONFIG_LEVEL_GLOBAL};

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
}

/* Extensions that say nothing about how objects and refs are stored. */
static void accept_harmless_extensions(void)
{
	static const char *names[] = {"worktreeconfig", "preciousobjects"};

	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, names, ARRAY_LEN(names));
}

void gitlib_setup(void)
{
	static bool ready;

	if (ready)
		return;
	if (git_libgit2_init() < 0)
		mem_exhausted();
	forget_user_configuration();
	accept_harmless_extensions();
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

static int open_failed(int result, const char *path, struct err *err)
{
	const git_error *why = git_error_last();
	const char *reason = why && why->message ? why->message : "";

	if (result == GIT_ENOTFOUND)
		return err_set(err, E_REPO_UNREADABLE, "%s: there is no Git repository", path);
	if (strstr(reason, "extensions.objectformat"))
		return err_set(err, E_REPO_UNSUPPORTED,
			       "%s: the repository has SHA-256 object ids; only SHA-1 is supported",
			       path);
	if (strstr(reason, "extensions.refstorage"))
		return err_set(err, E_REPO_UNSUPPORTED,
			       "%s: the repository keeps its refs as reftable; only files are "
			       "supported (git refs migrate --ref-format=files)",
			       path);
	if (strstr(reason, "unsupported"))
		return gitlib_fail(err, E_REPO_UNSUPPORTED, "%s", path);
	return gitlib_fail(err, E_REPO_UNREADABLE, "%s", path);
}

/* The format was checked when it was opened; nothing else of the configuration is wanted. */
static void forget_configuration(git_repository *git)
{
	git_config *none = NULL;

	if (git_config_new(&none) != 0 || git_repository_set_config(git, none) != 0)
		mem_exhausted();
	git_config_free(none);
}

/*
 * Opened as a bare one, which is what it is to us, whatever its core.worktree says. A bare one is
 * not looked for in ".git" by the library (a folder, or in a worktree a file that names one).
 */
int gitlib_open(const char *path, git_repository **out, struct err *err)
{
	const unsigned flags = GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE;
	char *inside AUTO_FREE = mem_printf("%s/.git", path);
	int result;

	gitlib_setup();
	result = git_repository_open_ext(out, fs_exists(inside) ? inside : path, flags, NULL);
	if (result != 0)
		return open_failed(result, path, err);
	forget_configuration(*out);
	return 0;
}

int gitlib_read(git_odb *odb, const struct oid *id, git_object_t type, size_t max,
		git_odb_object **out, struct err *err)
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
	if (git_odb_read(out, odb, &object) != 0)
		return gitlib_fail(err, E_REPO_UNREADABLE, "object %s", oid_hex(id, hex));
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

#include "base/sys.h"
#include "source/repo_format.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/num.h"

#define CONFIG_MAX ((size_t)1 << 20)
#define WORD_MAX 128

struct format {
	char section[WORD_MAX]; /* "" when it is none of ours */
	int64_t version;
	char unsupported[2 * WORD_MAX]; /* the first extension that is not known */
};

/* Extensions that say nothing about how objects and refs are stored, or say what is usual. */
static const struct {
	const char *name, *value; /* NULL: any */
} known[] = {
	{"noop", NULL},		  {"preciousobjects", NULL},
	{"worktreeconfig", NULL}, {"relativeworktrees", NULL},
	{"objectformat", "sha1"}, {"refstorage", "files"},
};

/* ---------------------------------------------------------------- the form of the file */

/* Copies in small letters what `allowed` spans; returns the rest. A longer word becomes "". */
static const char *take_word(const char *text, const char *allowed, char out[WORD_MAX])
{
	size_t len = strspn(text, allowed);

	out[0] = '\0';
	if (len >= WORD_MAX)
		return text + len;
	for (size_t i = 0; i < len; i++)
		out[i] = ascii_lower(text[i]);
	out[len] = '\0';
	return text + len;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char *skip_space(const char *text)
{
	return text + strspn(text, " \t\r");
}

/* "[core]"; one with a subsection is none of ours. */
static const char *take_section(struct format *format, const char *line)
{
	const char *rest = take_word(line + 1, LETTERS DIGITS "-.", format->section);
	const char *end = strchr(rest, ']');

	if (*rest != ']')
		format->section[0] = '\0';
	return end ? skip_space(end + 1) : "";
}

static void take_extension(struct format *format, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (str_eq(known[i].name, name) &&
		    (!known[i].value || str_eq(known[i].value, value)))
			return;
	}
	if (!*format->unsupported)
		snprintf(format->unsupported, sizeof format->unsupported, "%s=%s", name, value);
}

static void take_line(struct format *format, const char *line)
{
	char name[WORD_MAX], value[WORD_MAX] = "true";

	line = skip_space(line);
	if (*line == '[')
		line = take_section(format, line);
	line = skip_space(take_word(line, LETTERS DIGITS "-", name));
	if (*line == '=') {
		line = skip_space(line + 1);
		(void)take_word(line + (*line == '"'), LETTERS DIGITS "-_.:/", value);
	}
	if (!*name)
		return;
	if (str_eq(format->section, "extensions"))
		take_extension(format, name, value);
	if (str_eq(format->section, "core") && str_eq(name, "repositoryformatversion") &&
	    num_parse_int(value, 0, INT32_MAX, &format->version) != 0)
		format->version = INT32_MAX;
}

/* ---------------------------------------------------------------- what it means */

static int judge(const struct format *format, const char *git_dir, struct err *err)
{
	const char *bad = format->unsupported;

	if (str_starts(bad, "objectformat="))
		return err_set(err, E_REPO_UNSUPPORTED,
			       "%s: the repository has %s object ids; only SHA-1 is supported",
			       git_dir, str_ends(bad, "=sha256") ? "SHA-256" : bad);
	if (format->version > 1)
		return err_set(err, E_REPO_UNSUPPORTED,
			       "%s: the repository's format is newer than this program", git_dir);
	if (format->version == 0 || !*bad)
		return 0; /* the oldest format has no extensions */
	if (str_starts(bad, "refstorage="))
		return err_set(err, E_REPO_UNSUPPORTED,
			       "%s: the repository keeps its refs as %s; only files are supported "
			       "(git refs migrate --ref-format=files)",
			       git_dir, bad + strlen("refstorage="));
	return err_set(err, E_REPO_UNSUPPORTED,
		       "%s: the repository has the extension %s, which is not supported", git_dir,
		       bad);
}

int repo_format_check(const char *git_dir, struct err *err)
{
	char *path AUTO_FREE = mem_printf("%s/config", git_dir);
	struct buf text AUTO_BUF = BUF_INIT(CONFIG_MAX);
	struct format format = {0};
	struct err why = ERR_INIT;

	if (fs_read(path, CONFIG_MAX, &text, &why) != 0)
		return why.code == E_NOT_FOUND ? 0
					       : err_set(err, E_REPO_UNREADABLE, "%s", why.text);
	for (char *line = text.ptr, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		take_line(&format, line);
	}
	return judge(&format, git_dir, err);
}

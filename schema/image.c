#include "base/sys.h"
#include "schema/image.h"

#include "base/hash.h"

#define TAG_MAX 128

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Between letters and digits: one dot, one or two underscores, any number of dashes. */
static size_t separator_length(const char *text, const char *end)
{
	size_t n = 0;

	if (*text == '.')
		return 1;
	if (*text == '_')
		return text + 1 < end && text[1] == '_' ? 2 : 1;
	while (text + n < end && text[n] == '-')
		n++;
	return n;
}

static bool is_path_part(const char *text, const char *end)
{
	if (text == end || !is_lower_or_digit(*text))
		return false;
	while (text < end) {
		if (is_lower_or_digit(*text)) {
			text++;
			continue;
		}
		size_t n = separator_length(text, end);

		if (n == 0 || text + n == end || !is_lower_or_digit(text[n]))
			return false;
		text += n;
	}
	return true;
}

static int check_path(const char *path, struct err *err)
{
	const char *part = path;

	for (;;) {
		const char *end = strchrnul(part, '/');

		if (!is_path_part(part, end))
			return err_set(
				err, E_BAD_INPUT,
				"\"%.*s\" cannot be a part of an image's path; small letters "
				"and digits, with single dots, underscores or dashes "
				"between them",
				(int)(end - part), part);
		if (!*end)
			return 0;
		part = end + 1;
	}
}

static int check_tag(const char *tag, struct err *err)
{
	size_t len = strlen(tag), fit = 0;

	while (is_word(tag[fit]) || (fit && (tag[fit] == '.' || tag[fit] == '-')))
		fit++;
	if (len == 0 || len > TAG_MAX || fit != len)
		return err_set(err, E_BAD_INPUT,
			       "\"%s\" cannot be a tag; up to 128 letters, digits, and behind the "
			       "first one dots, dashes and underscores",
			       tag);
	return 0;
}

static int check_digest(const char *digest, struct err *err)
{
	if (!hash_digest_hex(digest))
		return err_set(err, E_BAD_INPUT,
			       "\"%s\" is not a digest; sha256: and 64 hex digits in small letters",
			       digest);
	return 0;
}

static int check_host(const char *host, struct err *err)
{
	const char *port = strchr(host, ':');
	size_t len = port ? (size_t)(port - host) : strlen(host);

	for (size_t i = 0; i < len; i++) {
		if (!is_word(host[i]) && host[i] != '.' && host[i] != '-')
			return err_set(err, E_BAD_INPUT, "\"%s\" is not a registry's address",
				       host);
	}
	if (len == 0 || (port && (port[1] == '\0' || port[1 + strspn(port + 1, "0123456789")])))
		return err_set(err, E_BAD_INPUT, "\"%s\" is not a registry's address", host);
	return 0;
}

static bool is_host(const char *first)
{
	return strpbrk(first, ".:") || str_eq(first, "localhost");
}

/* Ends the text before the mark; the part behind it, or NULL where there is no mark. */
static char *cut(char *mark)
{
	if (!mark)
		return NULL;
	*mark = '\0';
	return mark + 1;
}

/* The colon of a tag stands behind the last slash; one before it belongs to a host. */
static char *tag_mark(char *text)
{
	char *slash = strrchr(text, '/');

	return strchr(slash ? slash : text, ':');
}

static int check_parts(const struct image_ref *ref, struct err *err)
{
	if (ref->source == IMAGE_HOST && check_host(ref->registry, err) != 0)
		return -1;
	if (ref->source == IMAGE_NAMED && check_path(ref->registry, err) != 0)
		return -1;
	if (check_path(ref->path, err) != 0)
		return -1;
	if (ref->tag && check_tag(ref->tag, err) != 0)
		return -1;
	if (ref->digest && check_digest(ref->digest, err) != 0)
		return -1;
	if (ref->source == IMAGE_LOCAL && !ref->tag)
		return err_set(err, E_BAD_INPUT, "a local image needs a tag: local/%s:<tag>",
			       ref->path);
	return 0;
}

/* text is cut into pieces. */
static int take_apart(char *text, struct image_ref *ref, struct err *err)
{
	char *rest;

	ref->digest = cut(strchr(text, '@'));
	ref->tag = cut(tag_mark(text));
	rest = cut(strchr(text, '/'));
	ref->registry = rest ? text : NULL;
	ref->path = rest ? rest : text;
	if (!rest)
		ref->source = IMAGE_HUB;
	else if (str_eq(text, "local"))
		ref->source = IMAGE_LOCAL;
	else
		ref->source = is_host(text) ? IMAGE_HOST : IMAGE_NAMED;
	return check_parts(ref, err);
}

static int check_length(const char *text, struct err *err)
{
	if (strlen(text) <= IMAGE_TEXT_MAX)
		return 0;
	return err_set(err, E_BAD_INPUT, "longer than %d bytes", IMAGE_TEXT_MAX);
}

int image_ref_check(const char *text, struct err *err)
{
	char copy[IMAGE_TEXT_MAX + 1];
	struct image_ref ref = {0};

	if (check_length(text, err) != 0)
		return -1;
	memcpy(copy, text, strlen(text) + 1);
	return take_apart(copy, &ref, err);
}

int image_ref_parse(struct arena *arena, const char *text, struct image_ref *out, struct err *err)
{
	struct image_ref ref = {0};

	if (check_length(text, err) != 0 || take_apart(arena_strdup(arena, text), &ref, err) != 0)
		return -1;
	*out = ref;
	return 0;
}

#include "base/sys.h"
#include "source/url.h"

#include <unistd.h>

#include "base/num.h"
#include "base/utf8.h"
#include "source/repo.h"

static const struct {
	const char *prefix;
	enum url_scheme scheme;
	unsigned port;
} schemes[] = {
	{"https://", URL_HTTPS, 443},
	{"ssh://", URL_SSH, 22},
	{"git://", URL_GIT, 9418},
};

void url_release(struct url *url)
{
	free(url->path);
	url->path = NULL;
}

/* An address with a login in it is not repeated: it may hold a password. */
static int refuse(struct err *err, const char *text, const char *reason)
{
	if (strchr(text, '@') && strstr(text, "://"))
		return err_set(err, E_USAGE, "the repository's address: %s", reason);
	return err_set(err, E_USAGE, "repository \"%s\": %s", text, reason);
}

/* Copies len bytes, in small letters; false when they are none, too many or hold another byte. */
static bool take_word(char *out, size_t size, const char *text, size_t len, const char *allowed)
{
	if (len == 0 || len >= size)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = ascii_lower(text[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(allowed, c)))
			return false;
		out[i] = c;
	}
	out[len] = '\0';
	return true;
}

/* A host must not begin with "-": no program may take it for an option. */
static bool take_host(struct url *out, const char *text, size_t len)
{
	if (len > 2 && text[0] == '[' && text[len - 1] == ']')
		return take_word(out->host, sizeof out->host, text + 1, len - 2, ":.");
	return take_word(out->host, sizeof out->host, text, len, ".-_") && out->host[0] != '-';
}

/* The user's own letters are kept: logins know large and small ones. */
static bool take_user(struct url *out, const char *text, size_t len)
{
	if (!take_word(out->user, sizeof out->user, text, len, ".-_") || out->user[0] == '-')
		return false;
	memcpy(out->user, text, len);
	return true;
}

static bool take_port(struct url *out, const char *text)
{
	int64_t port;

	if (num_parse_int(text, 1, 65535, &port) != 0)
		return false;
	out->port = (unsigned)port;
	return true;
}

static bool is_loopback(const char *host)
{
	return str_eq(host, "localhost") || str_eq(host, "::1") ||
	       (str_starts(host, "127.") && strspn(host, "0123456789.") == strlen(host));
}

/* "[user@]host[:port]" */
static int take_authority(struct url *out, const char *text, char *authority, struct err *err)
{
	char *at = strrchr(authority, '@'), *host = at ? at + 1 : authority;
	const char *bracket = strrchr(host, ']');
	char *colon = strrchr(bracket ? bracket : host, ':');

	if (at) {
		*at = '\0';
		if (strchr(authority, ':'))
			return refuse(err, text,
				      "a password belongs into the credentials folder, which the "
				      "setting `credentials` names");
		if (out->scheme != URL_SSH)
			return refuse(err, text, "a user belongs into the credentials folder");
		if (!take_user(out, authority, strlen(authority)))
			return refuse(err, text, "the user is malformed");
	}
	if (colon) {
		*colon = '\0';
		if (!take_port(out, colon + 1))
			return refuse(err, text, "the port must be a number from 1 to 65535");
	}
	if (!take_host(out, host, strlen(host)))
		return refuse(err, text, "the host is malformed");
	return 0;
}

static int take_remote(struct url *out, const char *text, const char *rest, struct err *err)
{
	const char *slash = strchr(rest, '/');
	char *authority AUTO_FREE = NULL;

	if (!slash || !slash[1])
		return refuse(err, text, "there is no path behind the host");
	if (strpbrk(slash, "?#"))
		return refuse(err, text, "\"?\" and \"#\" have no meaning in it");
	authority = mem_strndup(rest, (size_t)(slash - rest));
	if (take_authority(out, text, authority, err) != 0)
		return -1;
	if (out->scheme == URL_GIT && !is_loopback(out->host))
		return refuse(err, text,
			      "git:// proves nothing about the server and is for loopback only; "
			      "use https:// or ssh://");
	return 0;
}

/* "[user@]host:path" */
static int take_scp_form(struct url *out, const char *text, const char *colon, struct err *err)
{
	char *authority AUTO_FREE = mem_strndup(text, (size_t)(colon - text));

	*out = (struct url){.scheme = URL_SSH, .port = 22, .user = "git"};
	if (!colon[1])
		return refuse(err, text, "there is no path behind the host");
	return take_authority(out, text, authority, err);
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

/* %20 and the like become bytes; false for a broken one. */
static bool decode_percent(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++, to++) {
		int high, low;

		*to = *from;
		if (*from != '%')
			continue;
		if ((high = hex_digit(from[1])) < 0 || (low = hex_digit(from[2])) < 0 ||
		    (high == 0 && low == 0))
			return false;
		*to = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return true;
}

static int take_path(struct url *out, const char *path, struct err *err)
{
	char *here AUTO_FREE = NULL;

	out->scheme = URL_PATH;
	if (path[0] == '/') {
		out->path = mem_strdup(path);
		return 0;
	}
	here = getcwd(NULL, 0);
	if (!here)
		return err_errno(err, E_IO, "the current folder");
	out->path = mem_printf("%s/%s", here, path);
	return 0;
}

static int take_file_url(struct url *out, const char *text, const char *rest, struct err *err)
{
	char *path AUTO_FREE = mem_strdup(rest);

	if (rest[0] != '/')
		return refuse(err, text, "a file:// address has three slashes and no host");
	if (!decode_percent(path))
		return refuse(err, text, "a \"%\" is not followed by two hex digits");
	return take_path(out, path, err);
}

int url_parse(const char *text, struct url *out, struct err *err)
{
	const char *colon = strchr(text, ':');

	*out = (struct url){.scheme = URL_PATH};
	if (!*text)
		return err_set(err, E_USAGE, "the repository's address is empty");
	if (!utf8_is_plain(text, strlen(text)))
		return refuse(err, text, "it holds a control character or is not UTF-8");
	if (str_starts(text, "file://"))
		return take_file_url(out, text, text + strlen("file://"), err);
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (!str_starts(text, schemes[i].prefix))
			continue;
		out->scheme = schemes[i].scheme;
		out->port = schemes[i].port;
		if (out->scheme == URL_SSH)
			memcpy(out->user, "git", sizeof "git");
		return take_remote(out, text, text + strlen(schemes[i].prefix), err);
	}
	if (strstr(text, "://") && strstr(text, "://") < strchr(text, '/') + 1)
		return refuse(err, text, "the scheme is none of https, ssh, git and file");
	if (colon && colon != text && !memchr(text, '/', (size_t)(colon - text)))
		return take_scp_form(out, text, colon, err);
	return take_path(out, text, err);
}

int repo_is_remote(const char *text, bool *remote, struct err *err)
{
	struct url url AUTO_URL = {0};

	if (url_parse(text, &url, err) != 0)
		return -1;
	*remote = url.scheme != URL_PATH;
	return 0;
}

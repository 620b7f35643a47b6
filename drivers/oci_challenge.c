/*
 * WWW-Authenticate, by the grammar of RFC 9110 (5.6, 11.2 to 11.4 and 11.6.1): challenges in a
 * list, each a scheme and then either parameters or one word (token68). Parameters and challenges
 * are parted by the same comma, so that only what stands behind a word tells which it is.
 */
#include "base/sys.h"
#include "drivers/oci.h"

struct reader {
	const char *at;
	struct arena *arena;
};

/* ---- words ---- */

static bool is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static size_t token_length(const char *at)
{
	size_t len = 0;

	while (is_token_char(at[len]))
		len++;
	return len;
}

/* NULL: there is none. */
static const char *read_token(struct reader *in)
{
	size_t len = token_length(in->at);
	const char *start = in->at;

	in->at += len;
	return len ? arena_strndup(in->arena, start, len) : NULL;
}

/* What stands between quotes; NULL: no end, or something that is no text. */
static const char *read_quoted(struct reader *in)
{
	char *out = arena_alloc(in->arena, strlen(in->at) + 1);
	const char *at = in->at + 1;
	size_t n = 0;

	for (; *at != '"'; at++) {
		if (*at == '\\')
			at++;
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return NULL;
		out[n++] = *at;
	}
	in->at = at + 1;
	return out;
}

/* Is it one word, as of a login that goes on: not a parameter, which has a value? */
static bool skip_token68(struct reader *in)
{
	const char *at = in->at;

	while (is_token_char(*at) || *at == '/')
		at++;
	while (*at == '=')
		at++;
	if (at == in->at || (*skip_blanks(at) != '\0' && *skip_blanks(at) != ','))
		return false;
	in->at = at;
	return true;
}

/* ---- challenges ---- */

/* Is a parameter next? Else it is the next challenge. */
static bool at_parameter(const struct reader *in)
{
	size_t len = token_length(in->at);

	return len && *skip_blanks(in->at + len) == '=';
}

static const char **slot_of(struct oci_challenge *challenge, const char *name)
{
	if (strcasecmp(name, "realm") == 0)
		return &challenge->realm;
	if (strcasecmp(name, "service") == 0)
		return &challenge->service;
	if (strcasecmp(name, "scope") == 0)
		return &challenge->scope;
	return NULL;
}

/* A parameter that is given twice has no meaning. */
static int read_parameter(struct reader *in, struct oci_challenge *challenge)
{
	const char *name = read_token(in), *value;
	const char **slot = slot_of(challenge, name);

	in->at = skip_blanks(skip_blanks(in->at) + 1);
	value = *in->at == '"' ? read_quoted(in) : read_token(in);
	if (!value || (slot && *slot))
		return -1;
	if (slot)
		*slot = value;
	return 0;
}

/* Commas, of which there may be too many; -1: something else stands there. */
static int skip_commas(struct reader *in)
{
	const char *start = in->at = skip_blanks(in->at);

	in->at += strspn(in->at, " \t,");
	return *in->at == '\0' || in->at > start ? 0 : -1;
}

static int read_parameters(struct reader *in, struct oci_challenge *challenge)
{
	while (at_parameter(in)) {
		if (read_parameter(in, challenge) != 0 || skip_commas(in) != 0)
			return -1;
	}
	return 0;
}

static int read_challenge(struct reader *in, struct oci_challenge *out)
{
	const char *scheme = read_token(in);

	*out = (struct oci_challenge){0};
	if (!scheme)
		return -1;
	if (strcasecmp(scheme, "Bearer") == 0)
		out->scheme = OCI_BEARER;
	else if (strcasecmp(scheme, "Basic") == 0)
		out->scheme = OCI_BASIC;
	in->at = skip_blanks(in->at);
	if (at_parameter(in) && !skip_token68(in))
		return read_parameters(in, out);
	if (*in->at != ',' && token_length(in->at))
		(void)skip_token68(in);
	return skip_commas(in);
}

int oci_challenge_read(const char *header, struct arena *arena, struct oci_challenge *out,
		       struct err *err)
{
	struct reader in = {header, arena};
	struct oci_challenge best = {0}, one;

	if (strnlen(header, OCI_CHALLENGE_MAX + 1) > OCI_CHALLENGE_MAX)
		return err_set(err, E_BAD_INPUT, "what it wants to see is longer than %zu bytes",
			       OCI_CHALLENGE_MAX);
	if (skip_commas(&in) != 0 && !token_length(in.at))
		return err_set(err, E_BAD_INPUT,
			       "it does not say in due form what it wants to see");
	while (*in.at) {
		if (read_challenge(&in, &one) != 0)
			return err_set(err, E_BAD_INPUT,
				       "it does not say in due form what it wants to see");
		if (one.scheme > best.scheme)
			best = one;
	}
	if (!best.scheme)
		return err_set(err, E_NOT_SUPPORTED,
			       "it wants to see something else than a login or a token");
	*out = best;
	return 0;
}

/*
 * What a registry wants to see: a login, or a token that a token server gives for it, to strangers
 * as well (distribution.github.io/distribution/spec/auth/token).
 */
#include "base/sys.h"
#include "drivers/oci_ask.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"

#define TOKEN_MAX ((size_t)16 << 10)
#define USUAL_LIFE_S 60 /* where a token server does not say; by the specification */
#define LONGEST_LIFE_S 3600
#define SAFETY_MS 5000 /* a token is not shown in its last seconds */

/* ---- a login as it is ---- */

static void add_basic(const struct oci_login *login, struct buf *out)
{
	struct buf pair AUTO_SECRET = BUF_INIT(3 * CREDENTIALS_FILE_MAX);

	buf_add(&pair, buf_str(&login->user), login->user.len);
	buf_addc(&pair, ':');
	buf_add(&pair, buf_str(&login->password), login->password.len);
	buf_adds(out, "Authorization: Basic ");
	base64_add(out, buf_str(&pair), pair.len);
}

static int permit_basic(struct oci_asking *asking, struct err *err)
{
	if (!asking->login.user.len)
		return err_set(err, E_CREDENTIALS, "it wants a username and a password; %s",
			       oci_way_out(asking));
	add_basic(&asking->login, &asking->permit);
	return 0;
}

/* ---- tokens that are kept ---- */

static const char *token_key(struct oci_asking *asking, const struct oci_challenge *challenge)
{
	const struct registry *registry = asking->question->registry;

	return arena_printf(asking->arena, "%s\n%s\n%s\n%s", registry ? registry->name : "",
			    challenge->realm, challenge->service ? challenge->service : "",
			    challenge->scope);
}

static const char *find_token(const struct oci *oci, const char *key)
{
	for (size_t i = 0; i < oci->tokens.n; i++) {
		if (str_eq(oci->tokens.v[i].key, key) &&
		    oci->tokens.v[i].until > clock_boot_ms() + SAFETY_MS)
			return oci->tokens.v[i].value;
	}
	return NULL;
}

/* A token becomes a header: it must be one word. */
static bool is_word(const char *token)
{
	for (const char *at = token; *at; at++) {
		if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f)
			return false;
	}
	return *token && strlen(token) <= TOKEN_MAX;
}

static const char *keep_token(struct oci *oci, const char *key, const json_t *json)
{
	const char *value = json_str(json, "token", json_str(json, "access_token", ""));
	int64_t life = json_int(json, "expires_in", USUAL_LIFE_S);
	struct oci_token token = {0};

	if (!is_word(value))
		return NULL;
	if (life < 0 || life > LONGEST_LIFE_S)
		life = life < 0 ? 0 : LONGEST_LIFE_S;
	token.key = mem_strdup(key);
	token.value = mem_strdup(value);
	token.until = clock_boot_ms() + life * 1000;
	VEC_PUSH(&oci->tokens, token);
	return token.value;
}

/* ---- token servers ---- */

/* The host of a URL without its port, "[::1]" as it is. */
static size_t host_of(const char *url, const char **host)
{
	const char *scheme = strstr(url, "://");
	size_t len;

	*host = scheme ? scheme + strlen("://") : url;
	len = strcspn(*host, "/?#");
	while (len && (*host)[len - 1] >= '0' && (*host)[len - 1] <= '9')
		len--;
	return len && (*host)[len - 1] == ':' ? len - 1 : strcspn(*host, "/?#");
}

/* Who it may be shown to is said in oci.h. */
static bool may_have_login(const struct oci_asking *asking, const char *realm)
{
	const char *host, *own, *known = asking->type->realm_host;
	size_t len = host_of(realm, &host), own_len = host_of(asking->base, &own);

	if (len == own_len && strncasecmp(host, own, len) == 0)
		return true;
	if (known && strlen(known) == len && strncasecmp(host, known, len) == 0)
		return true;
	return asking->login.realm.len && str_eq(buf_str(&asking->login.realm), realm);
}

static int check_realm(const struct oci_asking *asking, const char *realm, struct err *err)
{
	if (!realm || !is_word(realm) || strpbrk(realm, "@\\#") || !oci_may_go_to(asking, realm))
		return err_set(err, E_BAD_INPUT,
			       "its tokens are to be had from an address that is no https:// one");
	if (asking->login.user.len && !may_have_login(asking, realm))
		return err_set(err, E_CREDENTIALS,
			       "its tokens are to be had from %s, which is another host: if that "
			       "may have the login, write the address into %s/realm",
			       realm, asking->folder);
	return 0;
}

static const char *token_url(struct oci_asking *asking, const struct oci_challenge *challenge)
{
	struct buf url AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	buf_addf(&url, "%s%cscope=", challenge->realm, strchr(challenge->realm, '?') ? '&' : '?');
	buf_add_percent(&url, challenge->scope);
	if (challenge->service) {
		buf_adds(&url, "&service=");
		buf_add_percent(&url, challenge->service);
	}
	return arena_strdup(asking->arena, buf_str(&url));
}

static int fetch_token(struct oci_asking *asking, const struct oci_challenge *challenge,
		       struct oci_answer *answer, struct err *err)
{
	struct buf basic AUTO_SECRET = BUF_INIT(8 * CREDENTIALS_FILE_MAX);

	if (asking->login.user.len)
		add_basic(&asking->login, &basic);
	if (oci_fetch(asking, "GET", token_url(asking, challenge), basic.ptr, answer, NULL, err) !=
	    0)
		return -1;
	if (answer->status == 200)
		return 0;
	if (answer->status == 404)
		return err_set(err, E_BAD_INPUT, "it is not there");
	return oci_refused(asking, answer, err);
}

static const char *ask_for_token(struct oci_asking *asking, const struct oci_challenge *challenge,
				 const char *key, struct err *err)
{
	struct oci_answer answer CLEANUP(oci_answer_release) = OCI_ANSWER_INIT;
	AUTO_JSON json_t *json = NULL;
	const char *token;

	if (fetch_token(asking, challenge, &answer, err) != 0) {
		err_wrap(err, "its token server");
		return NULL;
	}
	json = json_read(buf_str(&answer.body), answer.body.len, 2 * TOKEN_MAX, NULL);
	token = keep_token(asking->oci, key, json);
	if (!token)
		err_set(err, E_BAD_INPUT, "its token server gives no token");
	return token;
}

static int permit_bearer(struct oci_asking *asking, struct oci_challenge *challenge,
			 struct err *err)
{
	const char *token = asking->login.token.len ? buf_str(&asking->login.token) : NULL;
	const char *key;

	if (!token) {
		if (check_realm(asking, challenge->realm, err) != 0)
			return -1;
		if (!challenge->scope)
			challenge->scope =
				arena_printf(asking->arena, "repository:%s:pull", asking->name);
		key = token_key(asking, challenge);
		token = find_token(asking->oci, key);
		if (!token)
			token = ask_for_token(asking, challenge, key, err);
	}
	if (!token)
		return -1;
	buf_addf(&asking->permit, "Authorization: Bearer %s", token);
	return 0;
}

int oci_permit(struct oci_asking *asking, const char *challenges, struct err *err)
{
	struct oci_challenge challenge;

	if (!*challenges)
		return err_set(err, E_BAD_INPUT, "it wants to see a login and does not say which");
	if (oci_challenge_read(challenges, asking->arena, &challenge, err) != 0)
		return -1;
	buf_clear(&asking->permit);
	return challenge.scheme == OCI_BASIC ? permit_basic(asking, err)
					     : permit_bearer(asking, &challenge, err);
}

#include "base/sys.h"
#include "drivers/oci.h"

#include "base/base64.h"
#include "base/credentials.h"
#include "drivers/driver.h"
#include "schema/registry.h"

/* ---- types ---- */

/*
 * Docker Hub: docs.docker.com/reference/api/registry/auth. GitHub: a package is read with any user
 * and a token (docs.github.com, "Working with the Container registry"). GitLab: docs.gitlab.com,
 * "Authenticate with the container registry". Google: cloud.google.com/artifact-registry/docs,
 * "Configure authentication to Artifact Registry for Docker".
 */
static const struct oci_type types[registry_type_end_] = {
	[REGISTRY_HUB] = {.api_host = "registry-1.docker.io", .realm_host = "auth.docker.io"},
	[REGISTRY_GITHUB] = {.token_user = "x-access-token"},
	[REGISTRY_GITLAB] = {.realm_host = "gitlab.com", .token_user = "oauth2"},
	[REGISTRY_GOOGLE] = {.token_user = "oauth2accesstoken", .key_user = "_json_key"},
};

const struct oci_type *oci_type_of(const struct registry *registry, const char *host)
{
	if (registry_host_is_hub(host))
		return &types[REGISTRY_HUB];
	return &types[registry && registry->type != REGISTRY_HUB ? registry->type : REGISTRY_V2];
}

/* ---- reading ---- */

char *oci_credentials_folder(const struct driver_env *env, const char *name)
{
	return credentials_folder(env->settings->credentials_dir, env->state_dir, name);
}

/* 1 when it is there, 0 when not. */
static int read_if_there(const char *folder, const char *name, bool is_line, struct buf *out,
			 struct err *err)
{
	struct err why = ERR_INIT;

	if ((is_line ? credentials_read_line : credentials_read)(folder, name, out, &why) == 0)
		return 1;
	return why.code == E_NOT_FOUND ? 0 : err_set(err, why.code, "%s", why.text);
}

/* A token is a password, of a user that its type knows or the folder names; or it is sent as it is.
 */
static int place_token(const char *folder, const struct oci_type *type, struct oci_login *out,
		       struct err *err)
{
	bool is_key = type->key_user && str_starts(buf_str(&out->token), "{");
	const char *user = is_key ? type->key_user : type->token_user;

	if (!out->user.len && user)
		buf_adds(&out->user, user);
	if (out->user.len) {
		buf_add(&out->password, buf_str(&out->token), out->token.len);
		credentials_wipe(&out->token);
		return 0;
	}
	if (type->api_host)
		return err_set(err, E_CREDENTIALS,
			       "a token of Docker Hub is the password of its user: put that "
			       "name into %s/username",
			       folder);
	if (strpbrk(buf_str(&out->token), " \t\r\n"))
		return err_set(err, E_CREDENTIALS, "%s/token is not one word", folder);
	return 0;
}

static int read_folder(const char *folder, const struct oci_type *type, struct oci_login *out,
		       struct err *err)
{
	int has_token = read_if_there(folder, "token", false, &out->token, err);
	int has_user =
		has_token < 0 ? -1 : read_if_there(folder, "username", true, &out->user, err);

	if (has_user < 0 || read_if_there(folder, "realm", true, &out->realm, err) < 0)
		return -1;
	if (strchr(buf_str(&out->user), ':'))
		return err_set(err, E_CREDENTIALS, "%s/username has a colon in it", folder);
	if (has_token)
		return place_token(folder, type, out, err);
	if (!has_user)
		return err_set(err, E_CREDENTIALS, "%s has neither username and password nor token",
			       folder);
	if (credentials_read(folder, "password", &out->password, err) == 0)
		return 0;
	if (err && err->code == E_NOT_FOUND)
		err->code = E_CREDENTIALS;
	return -1;
}

int oci_login_read(const struct driver_env *env, const struct registry *registry,
		   struct oci_login *out, struct err *err)
{
	AUTO_FREE char *folder = NULL;
	struct err why = ERR_INIT;

	if (!registry || !registry->credentials)
		return 0;
	folder = oci_credentials_folder(env, registry->credentials);
	if (read_folder(folder, oci_type_of(registry, registry_host(registry)), out, &why) == 0)
		return 0;
	return err_set(err, why.code, "Registry %s: %s", registry->name, why.text);
}

bool oci_login_is_empty(const struct oci_login *login)
{
	return !login->user.len && !login->token.len;
}

void oci_login_wipe(struct oci_login *login)
{
	credentials_wipe(&login->user);
	credentials_wipe(&login->password);
	credentials_wipe(&login->token);
	credentials_wipe(&login->realm);
}

/* ---- for engines ---- */

static void add_member(struct buf *json, const char *key, const char *value)
{
	buf_addf(json, "%s\"%s\":", json->len ? "," : "{", key);
	buf_add_json(json, value);
}

/* Docker's Engine API, "Authentication": JSON in base64, in the letters that are fit for a URL. */
void oci_login_for_engine(const struct oci_login *login, const char *host, struct buf *out)
{
	struct buf json AUTO_SECRET = BUF_INIT(32 * CREDENTIALS_FILE_MAX);

	if (oci_login_is_empty(login))
		return;
	if (login->token.len) {
		add_member(&json, "registrytoken", buf_str(&login->token));
	} else {
		add_member(&json, "username", buf_str(&login->user));
		add_member(&json, "password", buf_str(&login->password));
	}
	add_member(&json, "serveraddress", host);
	buf_addc(&json, '}');
	base64_add(out, buf_str(&json), json.len);
	for (char *at = out->ptr; at && *at; at++) {
		if (*at == '+')
			*at = '-';
		else if (*at == '/')
			*at = '_';
	}
}

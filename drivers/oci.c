#include "base/sys.h"
#include "drivers/oci_ask.h"

#include "base/hash.h"
#include "schema/registry.h"

/* ---- what is remembered ---- */

struct oci *oci_new(const struct driver_env *env)
{
	struct oci *oci = mem_zalloc(1, sizeof *oci);

	oci->env = env;
	oci->session = httpc_session_new();
	return oci;
}

void oci_free(struct oci *oci)
{
	if (!oci)
		return;
	for (size_t i = 0; i < oci->tokens.n; i++) {
		struct oci_token *token = &oci->tokens.v[i];

		explicit_bzero(token->value, strlen(token->value));
		free(token->value);
		free(token->key);
	}
	for (size_t i = 0; i < oci->silent.n; i++)
		free(oci->silent.v[i].base);
	VEC_FREE(&oci->tokens);
	VEC_FREE(&oci->silent);
	httpc_session_free(oci->session);
	free(oci);
}

static const struct oci_silent *find_silent(const struct oci *oci, const char *base)
{
	for (size_t i = 0; i < oci->silent.n; i++) {
		if (str_eq(oci->silent.v[i].base, base))
			return &oci->silent.v[i];
	}
	return NULL;
}

/* The next image is not worth another wait, nor another of too many questions. */
static void leave_alone(struct oci *oci, const char *base, const struct err *why)
{
	VEC_PUSH(&oci->silent, (struct oci_silent){mem_strdup(base), *why});
}

/* ---- what the answers mean ---- */

static bool is_good(const struct oci_answer *answer)
{
	return answer->status == 200;
}

/* The body must be what was announced: by the head of the answer, or by the digest asked for. */
static int check_body(const struct oci_answer *answer, const char *announced, char digest[],
		      struct err *err)
{
	char found[HASH_HEX_SIZE];

	hash_hex(buf_str(&answer->body), answer->body.len, found);
	snprintf(digest, sizeof answer->digest, HASH_PREFIX "%s", found);
	if (*announced && !str_eq(announced, digest))
		return err_set(err, E_BAD_INPUT, "it announces %s and sends %s", announced, digest);
	return 0;
}

static int check_kind(const struct oci_answer *answer, enum oci_manifest_kind *kind,
		      struct err *err)
{
	struct buf clean AUTO_BUF = BUF_INIT(4 * sizeof answer->type);

	*kind = oci_manifest_kind(answer->type);
	if (*kind)
		return 0;
	buf_add_clean(&clean, answer->type, strlen(answer->type));
	return err_set(err, E_BAD_INPUT, "it has no image of a kind that is known, but \"%s\"",
		       buf_str(&clean));
}

static const char *platform_of(const struct oci_question *question)
{
	return question->platform ? question->platform(question->platform_arg) : NULL;
}

/* Reads the manifest: where its head says too little, or an index has to have the platform. */
static int read_whole(struct oci_asking *asking, struct oci_answer *answer, char *digest,
		      struct err *err)
{
	const struct oci_question *question = asking->question;
	const char *reference = *digest ? digest : question->reference, *platform;
	enum oci_manifest_kind kind;
	char announced[sizeof answer->digest];

	snprintf(announced, sizeof announced, "%s", digest);
	if (oci_ask(asking, "GET", reference, answer, err) != 0)
		return -1;
	if (!is_good(answer))
		return oci_refused(asking, answer, err);
	if (check_kind(answer, &kind, err) != 0 ||
	    check_body(answer, *announced ? announced : answer->digest, digest, err) != 0)
		return -1;
	platform = kind == OCI_INDEX ? platform_of(question) : NULL;
	return platform ? oci_index_check(buf_str(&answer->body), answer->body.len, platform, err)
			: 0;
}

/*
 * The head of the manifest is enough for most, and not counted where pulls are. Registries that
 * have no heads are asked for the whole; so are those to which another one leads, since what they
 * announce is worth what the body proves.
 */
static int look_up(struct oci_asking *asking, char *digest, struct err *err)
{
	struct oci_answer answer CLEANUP(oci_answer_release) = OCI_ANSWER_INIT;
	enum oci_manifest_kind kind;

	if (oci_ask(asking, "HEAD", asking->question->reference, &answer, err) != 0)
		return -1;
	if (answer.status == 400 || answer.status == 405)
		return read_whole(asking, &answer, digest, err);
	if (!is_good(&answer))
		return oci_refused(asking, &answer, err);
	if (check_kind(&answer, &kind, err) != 0)
		return -1;
	if (hash_digest_hex(answer.digest) && !answer.elsewhere)
		memcpy(digest, answer.digest, sizeof answer.digest);
	if (*digest && (kind == OCI_IMAGE || !platform_of(asking->question)))
		return 0;
	return read_whole(asking, &answer, digest, err);
}

/* ---- whom to ask ---- */

static int find_ca(struct oci_asking *asking, struct err *err)
{
	struct buf pem AUTO_SECRET = BUF_INIT(CREDENTIALS_FILE_MAX);
	struct err why = ERR_INIT;

	if (!asking->folder)
		return 0;
	if (credentials_read(asking->folder, "ca.pem", &pem, &why) == 0)
		asking->ca_file = arena_printf(asking->arena, "%s/ca.pem", asking->folder);
	else if (why.code != E_NOT_FOUND)
		return err_set(err, why.code, "%s", why.text);
	return 0;
}

static int find_login(struct oci_asking *asking, struct err *err)
{
	const struct registry *registry = asking->question->registry;
	AUTO_FREE char *folder = NULL;

	if (!registry || !registry->credentials)
		return 0;
	folder = oci_credentials_folder(asking->oci->env, registry->credentials);
	asking->folder = arena_strdup(asking->arena, folder);
	if (oci_login_read(asking->oci->env, registry, &asking->login, err) != 0)
		return -1;
	return find_ca(asking, err);
}

/* Without a Registry's word for it plain http is for loopback, and with it as well. */
static int find_base(struct oci_asking *asking, struct err *err)
{
	const struct registry *registry = asking->question->registry;
	bool loopback = registry_host_is_loopback(asking->host);
	bool plain = registry ? registry_is_plain(registry) : loopback;

	if (plain && !loopback)
		return err_set(err, E_BAD_INPUT,
			       "by plain http only a registry on this machine is "
			       "asked");
	asking->base = arena_printf(asking->arena, "%s://%s", plain ? "http" : "https",
				    asking->type->api_host ? asking->type->api_host : asking->host);
	return 0;
}

static int prepare(struct oci_asking *asking, struct err *err)
{
	const struct oci_question *question = asking->question;
	const char *slash = strchr(question->repository, '/');

	if (!slash)
		return err_set(err, E_BAD_INPUT, "%s names no registry", question->repository);
	asking->host = arena_strndup(asking->arena, question->repository,
				     (size_t)(slash - question->repository));
	asking->name = slash + 1;
	asking->type = oci_type_of(question->registry, asking->host);
	return find_base(asking, err) != 0 || find_login(asking, err) != 0 ? -1 : 0;
}

static int resolve(struct oci_asking *asking, char *digest, struct err *err)
{
	const struct oci_silent *silent;

	if (prepare(asking, err) != 0)
		return -1;
	silent = find_silent(asking->oci, asking->base);
	if (silent) {
		*err = silent->why;
		return -1;
	}
	if (look_up(asking, digest, err) == 0)
		return 0;
	if (err->code == E_REGISTRY || err->code == E_CERTIFICATE)
		leave_alone(asking->oci, asking->base, err);
	return -1;
}

int oci_resolve(struct oci *oci, const struct oci_question *question, struct buf *digest,
		bool *answered, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct oci_asking asking = {
		.oci = oci,
		.question = question,
		.arena = arena,
		.login = OCI_LOGIN_INIT,
		.permit = BUF_INIT(8 * CREDENTIALS_FILE_MAX),
	};
	char found[sizeof((struct oci_answer){0}).digest] = "";
	struct err why = ERR_INIT;
	int result = resolve(&asking, found, &why);

	if (result == 0) {
		buf_adds(digest, found);
	} else {
		err_set(err, why.code, "image %s: registry %s: %s", question->image,
			asking.host ? asking.host : "", why.text);
		err_rest(err, why.rest_ms);
	}
	if (answered)
		*answered = asking.answered;
	oci_login_wipe(&asking.login);
	credentials_wipe(&asking.permit);
	return result;
}

/*
 * What a reference means now, and how an image gets to an engine. The engine asks the registry,
 * with the login of the Registry if that has one, and passes on what it is told.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include "base/clock.h"
#include "base/credentials.h"
#include "base/num.h"
#include "schema/registry.h"

#define LINE_MAX_BYTES ((size_t)1 << 20)

int64_t docker_pull_patience_ms = 60000;

/* ---- whoever asks ---- */

/* The value of X-Registry-Auth; stays empty where the Registry has no credentials. */
static int read_login(struct docker *docker, const struct docker_place *place, struct buf *out,
		      struct err *err)
{
	struct oci_login login AUTO_LOGIN = OCI_LOGIN_INIT;

	if (oci_login_read(docker->env, place->registry, &login, err) != 0)
		return -1;
	if (place->registry)
		oci_login_for_engine(&login, registry_host(place->registry), out);
	return 0;
}

/* ---- words of registries, as engines pass them on ---- */

/* What is none of these may be another moment: a registry that is down, slow or has enough of us.
 */
static enum err_code meaning_of(const char *words)
{
	static const struct {
		const char *words;
		enum err_code code;
	} rows[] = {
		{"manifest unknown", E_IMAGE_UNKNOWN},
		{"name unknown", E_IMAGE_UNKNOWN},
		{"not found", E_IMAGE_UNKNOWN},
		{"repository does not exist", E_IMAGE_UNKNOWN},
		{"unauthorized", E_CREDENTIALS},
		{"authentication required", E_CREDENTIALS},
		{"no basic auth credentials", E_CREDENTIALS},
		{"denied", E_CREDENTIALS},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcasestr(words, rows[i].words))
			return rows[i].code;
	}
	return E_REGISTRY;
}

static int refused(const char *image, const char *words, struct err *err)
{
	enum err_code code = meaning_of(words);

	if (code == E_IMAGE_UNKNOWN)
		return docker_image_unknown(image, words, err);
	return err_set(err, code, "image %s: %s", image, words);
}

/* ---- pulling ---- */

/* What a pull tells, line by line; it answers 200 first, and what goes wrong is in a line of it. */
struct pulling {
	struct buf line;
	char problem[512];
	struct docker_progress progress;
	struct op_result *result; /* whom to tell; NULL: nobody */
	bool stalled;
};

static void tell(const struct pulling *pulling)
{
	struct op_result *result = pulling->result;
	struct op_progress sum = docker_progress_sum(&pulling->progress);

	if (result && result->progress && sum.layers)
		result->progress(result->progress_arg, &sum);
}

static void take_line(void *arg, struct buf *line)
{
	struct pulling *pulling = arg;
	AUTO_JSON json_t *json = json_read(buf_str(line), line->len, LINE_MAX_BYTES, NULL);
	const char *words = json_str(json, "error", json_str(json, "message", NULL));
	struct buf clean AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	docker_progress_take(&pulling->progress, json);
	if (words && !*pulling->problem) {
		buf_add_clean(&clean, words, strlen(words));
		snprintf(pulling->problem, sizeof pulling->problem, "%s", buf_str(&clean));
	}
}

/* Asked also while nothing comes: then it is told, and judged, all the same. */
static int look_on(void *arg)
{
	struct pulling *pulling = arg;

	tell(pulling);
	pulling->stalled = docker_progress_stalls(&pulling->progress, docker_pull_patience_ms,
						  clock_boot_ms());
	return pulling->line.overflow || pulling->stalled ? -1 : 0;
}

static int take_progress(void *arg, const void *bytes, size_t len)
{
	struct pulling *pulling = arg;

	buf_take_lines(&pulling->line, bytes, len, take_line, pulling);
	return look_on(pulling);
}

/* An engine that says nothing in time is one that cannot be reached. */
static int gave_up(const struct err *why, struct err *err)
{
	return err_set(err, why->code == E_DEADLINE ? E_NODE_UNREACHABLE : why->code, "%s",
		       why->text);
}

/* An engine that answers still has been waiting for its registry. */
static int stalled(struct docker *docker, const struct docker_place *place,
		   const struct pulling *pulling, struct err *err)
{
	struct op_progress sum = docker_progress_sum(&pulling->progress);
	struct buf words AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	char patience[NUM_TEXT_MAX];
	struct err why = ERR_INIT;

	if (docker_get(docker, NULL, &why, "/version") < 0)
		return gave_up(&why, err);
	op_progress_words(&sum, &words);
	return err_set(err, E_REGISTRY,
		       "image %s: registry %.*s has stalled: less than 1 KiB/s for %s%s%s",
		       place->image, (int)strcspn(place->repository, "/"), place->repository,
		       num_format_duration(docker_pull_patience_ms, patience),
		       words.len ? ", at " : "", buf_str(&words));
}

/* How it ended, from what the engine told and, for what it did not, from the end of its answer. */
static int outcome(struct docker *docker, const struct docker_place *place,
		   const struct pulling *pulling, const struct err *why, struct err *err)
{
	if (*pulling->problem)
		return refused(place->image, pulling->problem, err);
	if (pulling->stalled)
		return stalled(docker, place, pulling, err);
	if (why->code == E_NOT_FOUND)
		return docker_image_unknown(place->image, NULL, err);
	return why->code == E_NONE ? 0 : gave_up(why, err);
}

/* reference: a tag, or a digest; result: whom to tell how far it is, or NULL. */
static int pull(struct docker *docker, struct arena *arena, const struct docker_place *place,
		const char *reference, struct op_result *result, struct err *err)
{
	struct pulling pulling = {.line = BUF_INIT(LINE_MAX_BYTES), .result = result};
	struct buf login AUTO_SECRET = BUF_INIT(8 * CREDENTIALS_FILE_MAX);
	struct docker_request request = {
		.method = "POST",
		.path = arena_printf(arena, "/images/create?fromImage=%s&tag=%s",
				     docker_quote(arena, place->repository),
				     docker_quote(arena, reference)),
		.total_ms = -1,
		.sink = take_progress,
		.sink_arg = &pulling,
		.tick = look_on,
		.tick_arg = &pulling,
	};
	struct err why = ERR_INIT;

	if (read_login(docker, place, &login, err) != 0)
		return -1;
	request.auth = login.ptr;
	docker_ask(docker, &request, NULL, &why);
	take_line(&pulling, &pulling.line); /* the last one may have no end */
	buf_release(&pulling.line);
	return outcome(docker, place, &pulling, &why, err);
}

/* ---- what a reference means ---- */

/* A local image: one that is on the engine under that name. */
static int find_local(struct docker *docker, struct arena *arena, const struct docker_place *place,
		      json_t **out, struct err *err)
{
	int there = docker_image_find(docker, arena, place->name, out, err);

	/* what Podman's own commands make has a host before it */
	if (there == 0 && docker->is_podman)
		there = docker_image_find(
			docker, arena, arena_printf(arena, "localhost/%s", place->name), out, err);
	return there;
}

/* The digest by which the image is known in that repository; false: by none. */
static bool digest_in(const json_t *image, const char *repository, struct buf *out)
{
	const json_t *digests = json_object_get(image, "RepoDigests");
	size_t len = strlen(repository);

	for (size_t i = 0; i < json_array_size(digests); i++) {
		const char *one = json_string_value(json_array_get(digests, i));

		if (one && strncmp(one, repository, len) == 0 && one[len] == '@') {
			buf_adds(out, one + len + 1);
			return true;
		}
	}
	return false;
}

/* Podman has no call that asks a registry; it pulls, which is quick where nothing is new. */
static int resolve_by_pull(struct docker *docker, struct arena *arena,
			   const struct docker_place *place, struct buf *digest, struct err *err)
{
	AUTO_JSON json_t *found = NULL;

	if (pull(docker, arena, place, docker_place_tag(place), NULL, err) != 0 ||
	    docker_image_find(docker, arena, place->name, &found, err) < 0)
		return -1;
	if (!digest_in(found, place->repository, digest))
		return err_set(err, E_BAD_INPUT, "image %s: node %s does not tell its digest",
			       place->image, docker->node->name);
	return 0;
}

static int resolve_by_asking(struct docker *docker, struct arena *arena,
			     const struct docker_place *place, struct buf *digest, struct err *err)
{
	struct buf login AUTO_SECRET = BUF_INIT(8 * CREDENTIALS_FILE_MAX);
	AUTO_JSON json_t *json = NULL;
	struct docker_request request = {.path = arena_printf(arena, "/distribution/%s/json",
							      docker_quote(arena, place->name))};
	struct err why = ERR_INIT;
	const char *found;

	if (read_login(docker, place, &login, err) != 0)
		return -1;
	request.auth = login.ptr;
	if (docker_ask(docker, &request, &json, &why) < 0) {
		if (why.code == E_NOT_FOUND)
			return docker_image_unknown(place->image, NULL, err);
		return why.code == E_NODE_UNREACHABLE ? err_set(err, why.code, "%s", why.text)
						      : refused(place->image, why.text, err);
	}
	found = json_str(json_object_get(json, "Descriptor"), "digest", "");
	if (!hash_digest_hex(found))
		return err_set(err, E_BAD_INPUT, "image %s: node %s does not tell its digest",
			       place->image, docker->node->name);
	buf_adds(digest, found);
	return 0;
}

/* What its images run on, "linux/amd64", asked once; NULL where the engine does not say. */
static const char *platform(void *arg)
{
	struct docker *docker = arg;
	AUTO_JSON json_t *version = NULL;
	const char *os, *arch;

	if (!*docker->platform && docker_get(docker, &version, NULL, "/version") >= 0) {
		os = json_str(version, "Os", "");
		arch = json_str(version, "Arch", "");
		if (*os && *arch)
			snprintf(docker->platform, sizeof docker->platform, "%s/%s", os, arch);
	}
	return *docker->platform ? docker->platform : NULL;
}

static int ask_registry(struct docker *docker, const struct docker_place *place, struct buf *digest,
			bool *answered, struct err *err)
{
	const struct oci_question question = {
		.image = place->image,
		.registry = place->registry,
		.repository = place->repository,
		.reference = docker_place_tag(place),
		.platform = platform,
		.platform_arg = docker,
	};

	if (!docker->oci)
		docker->oci = oci_new(docker->env);
	return oci_resolve(docker->oci, &question, digest, answered, err);
}

static int ask_engine(struct docker *docker, struct arena *arena, const struct docker_place *place,
		      struct buf *digest, struct err *err)
{
	if (!docker->is_podman)
		return resolve_by_asking(docker, arena, place, digest, err);
	if (docker->env->only_ask)
		return err_set(err, E_REGISTRY,
			       "image %s: there is no way from here to its registry, and Podman "
			       "cannot ask it without pulling",
			       place->image);
	return resolve_by_pull(docker, arena, place, digest, err);
}

/*
 * The registry is asked from here, the same way for every engine. An engine may stand elsewhere,
 * with a way there that we have not: then it is asked. What loopback means to it we cannot know, so
 * that there its word counts more.
 */
static int resolve_remote(struct docker *docker, struct arena *arena,
			  const struct docker_place *place, struct buf *digest, struct err *err)
{
	const char *host = arena_strndup(arena, place->repository, strcspn(place->repository, "/"));
	bool loopback = registry_host_is_loopback(host), answered = false;
	struct err ours = ERR_INIT, theirs = ERR_INIT;

	if (loopback && !docker->endpoint.unix_path)
		return ask_engine(docker, arena, place, digest, err);
	if (str_eq(docker->out_of_reach, host))
		return err_set(err, E_REGISTRY, "image %s: registry %s has just not answered",
			       place->image, host);
	if (ask_registry(docker, place, digest, &answered, &ours) == 0)
		return 0;
	if ((!answered || loopback) && ask_engine(docker, arena, place, digest, &theirs) == 0)
		return 0;
	if (answered) {
		err_set(err, ours.code, "%s", ours.text);
		return err_rest(err, ours.rest_ms);
	}
	if (theirs.code == E_NODE_UNREACHABLE || theirs.code == E_REGISTRY) {
		free(docker->out_of_reach);
		docker->out_of_reach = mem_strdup(host);
	}
	return err_set(err, theirs.code, "%s", theirs.text);
}

static int resolve(struct docker *docker, struct arena *arena, const struct docker_place *place,
		   struct buf *digest, struct err *err)
{
	AUTO_JSON json_t *local = NULL;
	int there;

	if (place->ref.digest) {
		buf_adds(digest, place->ref.digest);
		return 0;
	}
	if (docker_meet(docker, err) != 0)
		return -1;
	if (place->ref.source != IMAGE_LOCAL)
		return resolve_remote(docker, arena, place, digest, err);
	there = find_local(docker, arena, place, &local, err);
	if (there <= 0)
		return there < 0 ? -1 : docker_image_unknown(place->image, NULL, err);
	buf_adds(digest, json_str(local, "Id", ""));
	return 0;
}

int docker_resolve(struct docker *docker, const char *image, struct buf *digest, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct docker_place place;

	if (docker_place_find(docker, arena, image, &place, err) != 0)
		return -1;
	return resolve(docker, arena, &place, digest, err);
}

/* ---- getting it here ---- */

/* It could not be had by its digest: because it is another one now, or none at all? */
static int gone(struct docker_call *call, const struct docker_place *place, const char *digest,
		struct err *err)
{
	struct buf now AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	if (resolve(call->docker, call->arena, place, &now, err) != 0)
		return -1;
	return err_set(err, E_IMAGE_CHANGED, "image %s is now %s, not %s", place->image,
		       buf_str(&now), digest);
}

int docker_image_bring(struct docker_call *call, const struct docker_place *place,
		       const char *digest, struct err *err)
{
	struct err why = ERR_INIT;

	/* a local one is there, or it is not */
	if (place->ref.source == IMAGE_LOCAL)
		return gone(call, place, digest, err);
	if (pull(call->docker, call->arena, place, digest, call->result, &why) == 0)
		return 0;
	if (why.code == E_IMAGE_UNKNOWN)
		return gone(call, place, digest, err);
	return err_set(err, why.code, "%s", why.text);
}

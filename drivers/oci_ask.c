#include "base/sys.h"
#include "drivers/oci_ask.h"

#include "base/json.h"
#include "base/num.h"
#include "schema/registry.h"

#define TOTAL_MS 15000
#define REDIRECTS_MAX 3
#define URL_MAX 1024		/* an image reference is shorter than IMAGE_TEXT_MAX */
#define WORDS_MAX ((size_t)300) /* of a registry, in an error */

/* ---- one request ---- */

void oci_answer_release(struct oci_answer *answer)
{
	buf_release(&answer->body);
	buf_release(&answer->challenges);
}

static void note_header(void *arg, const char *name, const char *value)
{
	struct oci_answer *answer = arg;

	if (strcasecmp(name, "Docker-Content-Digest") == 0)
		snprintf(answer->digest, sizeof answer->digest, "%s", value);
	else if (strcasecmp(name, "Content-Type") == 0)
		snprintf(answer->type, sizeof answer->type, "%s", value);
	else if (strcasecmp(name, "WWW-Authenticate") == 0)
		buf_addf(&answer->challenges, "%s%s", answer->challenges.len ? ", " : "", value);
}

static void clear(struct oci_answer *answer)
{
	buf_clear(&answer->body);
	buf_clear(&answer->challenges);
	answer->status = 0;
	answer->rest_ms = 0;
	*answer->digest = *answer->type = '\0';
}

/* What is said of a peer that cannot be reached is said of a registry here. */
static int not_reached(const struct err *why, struct err *err)
{
	bool is_way = why->code == E_NODE_UNREACHABLE || why->code == E_DEADLINE;

	return err_set(err, is_way ? E_REGISTRY : why->code, "%s", why->text);
}

int oci_fetch(struct oci_asking *asking, const char *method, const char *url, const char *permit,
	      struct oci_answer *out, char *location, struct err *err)
{
	AUTO_FREE char *accept = mem_printf("Accept: %s", oci_accept);
	const char *headers[] = {accept, permit, NULL};
	struct httpc_reply reply = {.body = out->body};
	struct err why = ERR_INIT;
	const struct httpc_request request = {
		.method = method,
		.url = url,
		.headers = headers,
		.total_ms = TOTAL_MS,
		.ca_file = asking->ca_file,
		.session = asking->oci->session,
		.header = note_header,
		.header_arg = out,
	};
	int result;

	clear(out);
	reply.body = out->body;
	result = httpc_fetch(&request, &reply, &why);
	out->body = reply.body;
	out->status = reply.status;
	out->rest_ms = reply.retry_after_ms;
	if (location)
		snprintf(location, HTTPC_LOCATION_MAX, "%s", reply.location);
	return result == 0 ? 0 : not_reached(&why, err);
}

/* ---- where it may go ---- */

static size_t origin_length(const char *url)
{
	const char *scheme = strstr(url, "://");
	size_t start = scheme ? (size_t)(scheme - url) + strlen("://") : 0;

	return start + strcspn(url + start, "/?#");
}

bool oci_same_origin(const char *a, const char *b)
{
	size_t len = origin_length(a);

	return len == origin_length(b) && strncasecmp(a, b, len) == 0;
}

bool oci_may_go_to(const struct oci_asking *asking, const char *url)
{
	if (str_starts(url, "https://"))
		return true;
	if (!str_starts(url, "http://") || !str_starts(asking->base, "http://"))
		return false;
	url += strlen("http://");
	AUTO_FREE char *host = mem_strndup(url, strcspn(url, "/?#"));
	return registry_host_is_loopback(host);
}

static bool is_redirect(const struct oci_answer *answer, const char *location)
{
	return answer->status >= 301 && answer->status <= 308 && *location;
}

/* The login, or the token, is for the registry alone. */
static int follow(struct oci_asking *asking, const char *method, char url[URL_MAX],
		  struct oci_answer *out, struct err *err)
{
	char location[HTTPC_LOCATION_MAX];

	out->elsewhere = false;
	for (int hops = 0; hops <= REDIRECTS_MAX; hops++) {
		bool own = oci_same_origin(url, asking->base);

		out->elsewhere |= !own;
		if (oci_fetch(asking, method, url,
			      own && asking->permit.len ? asking->permit.ptr : NULL, out, location,
			      err) != 0)
			return -1;
		asking->answered = true;
		if (!is_redirect(out, location))
			return 0;
		if (strlen(location) == HTTPC_LOCATION_MAX - 1 || !oci_may_go_to(asking, location))
			return err_set(err, E_BAD_INPUT,
				       "it leads to %.60s, which is too long or no "
				       "https://",
				       location);
		snprintf(url, URL_MAX, "%s", location);
	}
	return err_set(err, E_BAD_INPUT, "it leads on more than %d times", REDIRECTS_MAX);
}

static int request(struct oci_asking *asking, const char *method, const char *reference,
		   struct oci_answer *out, struct err *err)
{
	char url[URL_MAX];
	int len = snprintf(url, sizeof url, "%s/v2/%s/manifests/%s", asking->base, asking->name,
			   reference);

	if (len < 0 || (size_t)len >= sizeof url)
		return err_set(err, E_BAD_INPUT, "the reference is too long");
	return follow(asking, method, url, out, err);
}

int oci_ask(struct oci_asking *asking, const char *method, const char *reference,
	    struct oci_answer *out, struct err *err)
{
	if (request(asking, method, reference, out, err) != 0)
		return -1;
	if (out->status != 401 || out->elsewhere)
		return 0;
	if (oci_permit(asking, buf_str(&out->challenges), err) != 0)
		return -1;
	return request(asking, method, reference, out, err);
}

/* ---- answers that are not good ---- */

const char *oci_way_out(const struct oci_asking *asking)
{
	const struct registry *registry = asking->question->registry;

	if (asking->folder)
		return arena_printf(asking->arena,
				    "its login is in %s: username and password, or token",
				    asking->folder);
	if (registry)
		return arena_printf(asking->arena,
				    "Registry %s names no credentials, under which its login would "
				    "be found",
				    registry->name);
	return arena_printf(asking->arena,
			    "a Registry for it (kind: Registry) names the credentials under which "
			    "its login is found");
}

/* "MANIFEST_UNKNOWN: manifest unknown": the first of what it says, {"errors":[{...}]}. */
static const char *words_of(struct oci_asking *asking, const struct oci_answer *answer)
{
	AUTO_JSON json_t *json =
		json_read(buf_str(&answer->body), answer->body.len, OCI_MANIFEST_MAX, NULL);
	const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
	const char *message = json_str(first, "message", json_str(first, "code", ""));
	struct buf clean AUTO_BUF = BUF_INIT(4 * WORDS_MAX);

	buf_add_clean_line(&clean, message, strnlen(message, WORDS_MAX));
	return clean.len ? arena_printf(asking->arena, ": %s", buf_str(&clean)) : "";
}

/* It has too much to do, or is ill: when it says for how long, it is left alone for so long. */
static int has_no_time(struct oci_asking *asking, const struct oci_answer *answer, const char *what,
		       struct err *err)
{
	int64_t rest = answer->rest_ms < OCI_REST_MAX_MS ? answer->rest_ms : OCI_REST_MAX_MS;
	const char *words = words_of(asking, answer);
	char duration[NUM_TEXT_MAX];

	if (rest <= 0)
		return err_set(err, E_REGISTRY, "%s%s", what, words);
	err_set(err, E_REGISTRY, "%s and wants %s of rest%s", what,
		num_format_duration(rest, duration), words);
	return err_rest(err, rest);
}

int oci_refused(struct oci_asking *asking, const struct oci_answer *answer, struct err *err)
{
	const char *words = words_of(asking, answer);

	switch (answer->status) {
	case 401:
	case 403:
		return err_set(err, E_CREDENTIALS, "it refuses%s%s; %s",
			       oci_login_is_empty(&asking->login)
				       ? " whoever has no login, also when there is no such image"
				       : " that login",
			       words, oci_way_out(asking));
	case 404:
		return err_set(err, E_IMAGE_UNKNOWN, "there is no such image%s", words);
	case 429:
		return has_no_time(asking, answer, "it has been asked too often", err);
	default:
		break;
	}
	if (answer->status >= 500)
		return has_no_time(
			asking, answer,
			arena_printf(asking->arena, "it is ill (status %ld)", answer->status), err);
	return err_set(err, E_BAD_INPUT, "it answers with status %ld%s", answer->status, words);
}

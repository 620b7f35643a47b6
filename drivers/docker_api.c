/*
 * One request, one answer. An engine's answers are hostile input: capped, read to their end, and
 * its words cleaned before anybody prints them. The API is Docker's published Engine API, version
 * 1.41 (docs.docker.com/reference/api/engine), which Podman speaks as well.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include "base/num.h"

#define WORDS_MAX 600 /* of an engine's refusal */

/* ---- what an answer means ---- */

void docker_words(const struct buf *body, struct buf *out)
{
	AUTO_JSON json_t *json = json_read(buf_str(body), body->len, DOCKER_ANSWER_MAX, NULL);
	const char *message = json_str(json, "message", NULL);
	size_t len = message ? strlen(message) : body->len;

	buf_add_clean_line(out, message ? message : buf_str(body),
			   len < WORDS_MAX ? len : WORDS_MAX);
	while (out->len > 0 && out->ptr[out->len - 1] == ' ')
		buf_cut(out, out->len - 1);
}

static enum err_code meaning(long status)
{
	switch (status) {
	case 401:
	case 403:
		return E_CREDENTIALS;
	case 404:
		return E_NOT_FOUND;
	case 409:
		return E_CONFLICT;
	case 502:
	case 503:
	case 504:
		return E_NODE_UNREACHABLE;
	default:
		return E_ENGINE;
	}
}

/* Podman finds a container and then has no more of it: that is a 500, of which only words tell. */
static bool has_gone(const struct docker *docker, const char *words)
{
	return docker->is_podman && strstr(words, "no such container");
}

static int refuse(const struct docker *docker, const struct docker_request *request,
		  const struct httpc_reply *reply, struct err *err)
{
	struct buf words AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	docker_words(&reply->body, &words);
	if (words.len == 0)
		buf_addf(&words, "%s %s gives status %ld",
			 request->method ? request->method : "GET", request->path, reply->status);
	return err_set(err,
		       has_gone(docker, buf_str(&words)) ? E_NOT_FOUND : meaning(reply->status),
		       "node %s: %s", docker->node->name, buf_str(&words));
}

static int read_answer(const struct docker *docker, const struct docker_request *request,
		       struct httpc_reply *reply, json_t **out, struct err *err)
{
	if (reply->status != 304 && (reply->status < 200 || reply->status > 299))
		return refuse(docker, request, reply, err);
	if (request->raw && request->text)
		buf_add(request->text, buf_str(&reply->body), reply->body.len);
	else if (out) {
		/* who asks for an answer is not content with none: it would look like nothing there
		 */
		*out = json_read(reply->body.ptr, reply->body.len, DOCKER_ANSWER_MAX, err);
		if (!*out)
			return err_wrap(err, "node %s: %s", docker->node->name, request->path);
	}
	return (int)reply->status;
}

/* ---- asking ---- */

/* What an engine says of itself in the head of every answer. */
struct greeting {
	char api[16];
	char podman[32]; /* "4.3.1"; "" where it is none */
	char server[96]; /* "Docker/20.10.24 (linux)" */
};

static void note_header(void *arg, const char *name, const char *value)
{
	struct greeting *greeting = arg;

	if (strcasecmp(name, "Api-Version") == 0)
		snprintf(greeting->api, sizeof greeting->api, "%s", value);
	else if (strcasecmp(name, "Libpod-Api-Version") == 0)
		snprintf(greeting->podman, sizeof greeting->podman, "%s", value);
	else if (strcasecmp(name, "Server") == 0)
		snprintf(greeting->server, sizeof greeting->server, "%s", value);
}

/* greeting: gets what the engine says of itself; NULL: nobody asks. */
static int fetch(struct docker *docker, const struct docker_request *request, const char *version,
		 struct greeting *greeting, struct httpc_reply *reply, struct err *err)
{
	AUTO_FREE char *url = mem_printf("%s%s%s", docker->endpoint.base, version, request->path);
	AUTO_FREE char *auth =
		request->auth ? mem_printf("X-Registry-Auth: %s", request->auth) : NULL;
	struct buf body AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	const char *headers[] = {request->bytes ? "Content-Type: application/x-tar"
						: "Content-Type: application/json",
				 auth, NULL};
	struct httpc_request http = {
		.method = request->method,
		.url = url,
		.headers = headers,
		.body = request->bytes,
		.body_len = request->bytes_len,
		.total_ms = docker->patience_ms ? docker->patience_ms : request->total_ms,
		.ca_file = docker->endpoint.ca_file,
		.cert_file = docker->endpoint.cert_file,
		.key_file = docker->endpoint.key_file,
		.unix_path = docker->endpoint.unix_path,
		.session = docker->session,
		.sink = request->sink,
		.sink_arg = request->sink_arg,
		.tick = request->tick,
		.tick_arg = request->tick_arg,
		.header = greeting ? note_header : NULL,
		.header_arg = greeting,
	};

	if (request->body) {
		json_write(request->body, &body);
		if (body.overflow)
			return err_set(err, E_TOO_LARGE, "what is asked is larger than %zu bytes",
				       body.max);
	}
	if (!request->bytes && request->method) {
		/* an empty body says its length, too */
		http.body = buf_str(&body);
		http.body_len = body.len;
	}
	if (httpc_fetch(&http, reply, err) != 0)
		return err_wrap(err, "node %s", docker->node->name);
	return 0;
}

int docker_ask(struct docker *docker, const struct docker_request *request, json_t **out,
	       struct err *err)
{
	struct httpc_reply reply = {.body = BUF_INIT(DOCKER_ANSWER_MAX)};
	int result = -1;

	if (out)
		*out = NULL;
	if (docker_meet(docker, err) == 0 &&
	    fetch(docker, request, docker->api, NULL, &reply, err) == 0)
		result = read_answer(docker, request, &reply, out, err);
	buf_release(&reply.body);
	return result;
}

PRINTF_LIKE(5, 0)
static int ask_path(struct docker *docker, struct docker_request request, json_t **out,
		    struct err *err, const char *fmt, va_list args)
{
	struct buf path AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	buf_addfv(&path, fmt, args);
	request.path = buf_str(&path);
	return docker_ask(docker, &request, out, err);
}

int docker_get(struct docker *docker, json_t **out, struct err *err, const char *fmt, ...)
{
	va_list args;
	int result;

	va_start(args, fmt);
	result = ask_path(docker, (struct docker_request){0}, out, err, fmt, args);
	va_end(args);
	return result;
}

int docker_look_up(struct docker *docker, json_t **out, struct err *err, const char *fmt, ...)
{
	struct err why = ERR_INIT;
	va_list args;
	int result;

	va_start(args, fmt);
	result = ask_path(docker, (struct docker_request){0}, out, &why, fmt, args);
	va_end(args);
	if (result >= 0)
		return 1;
	return why.code == E_NOT_FOUND ? 0 : err_set(err, why.code, "%s", why.text);
}

int docker_do(struct docker *docker, const char *method, const json_t *body, struct err *err,
	      const char *fmt, ...)
{
	va_list args;
	int result;

	va_start(args, fmt);
	result = ask_path(docker, (struct docker_request){.method = method, .body = body}, NULL,
			  err, fmt, args);
	va_end(args);
	return result;
}

/* ---- what the engine is ---- */

/* "1.41" as 1041. */
static int read_version(const char *text, int64_t *out)
{
	const char *dot = text ? strchr(text, '.') : NULL;
	AUTO_FREE char *major = dot ? mem_strndup(text, (size_t)(dot - text)) : NULL;
	int64_t first, second;

	if (!dot || num_parse_int(major, 0, 99, &first) != 0 ||
	    num_parse_int(dot + 1, 0, 999, &second) != 0)
		return -1;
	*out = first * 1000 + second;
	return 0;
}

/* "Docker Engine 20.10.24", "Podman 4.3.1" */
static void name_engine(const struct greeting *greeting, struct docker *docker)
{
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	const char *version = strchr(greeting->server, '/');

	docker->is_podman = *greeting->podman != '\0';
	if (docker->is_podman)
		version = greeting->podman;
	else
		version = version ? version + 1 : "of unknown version";
	buf_adds(&text, docker->is_podman ? "Podman " : "Docker Engine ");
	buf_add_clean(&text, version, strcspn(version, " ("));
	snprintf(docker->engine, sizeof docker->engine, "%s", buf_str(&text));
}

/* The oldest version that an engine still speaks: those of later years have given up old ones. */
static int64_t oldest_version(struct docker *docker, int64_t otherwise)
{
	const struct docker_request request = {.path = "/version"};
	struct httpc_reply reply = {.body = BUF_INIT(DOCKER_ANSWER_MAX)};
	AUTO_JSON json_t *version = NULL;
	int64_t oldest = otherwise;

	if (fetch(docker, &request, "", NULL, &reply, NULL) == 0 &&
	    read_answer(docker, &request, &reply, &version, NULL) >= 0)
		(void)read_version(json_str(version, "MinAPIVersion", NULL), &oldest);
	buf_release(&reply.body);
	return oldest;
}

static int agree(const struct greeting *greeting, struct docker *docker, struct err *err)
{
	int64_t newest, spoken = DOCKER_API_MAJOR * 1000 + DOCKER_API_MINOR;

	if (read_version(greeting->api, &newest) != 0)
		return err_set(
			err, E_NOT_SUPPORTED,
			"node %s: what answers is no container engine: it names no version of "
			"the Engine API",
			docker->node->name);
	name_engine(greeting, docker);
	if (newest < spoken)
		return err_set(err, E_NOT_SUPPORTED,
			       "node %s: %s speaks API %s: Docker Engine 20.10, or a Podman that "
			       "speaks API %d.%d, is needed",
			       docker->node->name, docker->engine, greeting->api, DOCKER_API_MAJOR,
			       DOCKER_API_MINOR);
	if (newest > spoken) {
		int64_t oldest = oldest_version(docker, spoken);

		spoken = oldest > spoken ? oldest : spoken;
	}
	snprintf(docker->api, sizeof docker->api, "/v%d.%d", (int)(spoken / 1000),
		 (int)(spoken % 1000));
	return 0;
}

int docker_meet(struct docker *docker, struct err *err)
{
	const struct docker_request request = {.path = "/_ping", .raw = true};
	struct httpc_reply reply = {.body = BUF_INIT(DOCKER_ANSWER_MAX)};
	struct greeting greeting = {.api = ""};
	int result = -1;

	if (*docker->api)
		return 0;
	if (fetch(docker, &request, "", &greeting, &reply, err) != 0)
		result = -1;
	else if (reply.status != 200)
		result = refuse(docker, &request, &reply, err);
	else
		result = agree(&greeting, docker, err);
	buf_release(&reply.body);
	return result;
}

const char *docker_quote(struct arena *arena, const char *text)
{
	struct buf out AUTO_BUF = BUF_INIT(3 * strlen(text));

	buf_add_percent(&out, text);
	return arena_strdup(arena, buf_str(&out));
}

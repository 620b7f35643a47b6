#include "base/sys.h"
#include "base/httpc_ways.h"

#include <curl/curl.h>
#include <dlfcn.h>

#define CONNECT_MS 5000
#define TOTAL_MS 30000

const char *httpc_library = "libcurl.so.4";

/* ---- the library --------------------------------------------------------------------------- */

/* All that is called of it. The types are those of its header, which the compiler holds us to. */
#define FUNCTIONS(X)                                                                               \
	X(global_init)                                                                             \
	X(easy_init)                                                                               \
	X(easy_setopt)                                                                             \
	X(easy_perform)                                                                            \
	X(easy_getinfo)                                                                            \
	X(easy_reset)                                                                              \
	X(easy_strerror)                                                                           \
	X(easy_cleanup)                                                                            \
	X(slist_append)                                                                            \
	X(slist_free_all)

#define MEMBER(name) __typeof__(curl_##name) *name;
static struct {
	FUNCTIONS(MEMBER)
} curl;

#define PLACE(name) {"curl_" #name, &curl.name},
static const struct {
	const char *name;
	void *pointer; /* of a pointer to a function, where dlsym's answer goes, as POSIX has it */
} places[] = {FUNCTIONS(PLACE)};

static int find_functions(void *library, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		void *function = dlsym(library, places[i].name);

		if (!function)
			return err_set(err, E_LIBRARY, "%s: no %s in it", httpc_library,
				       places[i].name);
		memcpy(places[i].pointer, &function, sizeof function);
	}
	return 0;
}

/* Once in a process, which keeps it. */
static int load(struct err *err)
{
	static bool ready;
	void *library;

	if (ready)
		return 0;
	library = dlopen(httpc_library, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return err_set(err, E_LIBRARY, "%s (Debian has it in libcurl4)", dlerror());
	if (find_functions(library, err) != 0)
		return -1;
	if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, E_INTERNAL, "%s cannot be set up", httpc_library);
	ready = true;
	return 0;
}

/* ---- a connection that is kept -----------------------------------------------------------------
 */

void httpc_curl_end(struct httpc_session *session)
{
	if (session->curl)
		curl.easy_cleanup(session->curl);
	session->curl = NULL;
}

/* A handle without options; those of the last request are forgotten, its connection is not. */
static CURL *session_handle(struct httpc_session *session)
{
	if (session->curl)
		curl.easy_reset(session->curl);
	else
		session->curl = curl.easy_init();
	return session->curl;
}

/* ---- a request ----------------------------------------------------------------------------- */

static void cleanup_handle(CURL **handle)
{
	if (*handle)
		curl.easy_cleanup(*handle);
}

static void free_list(struct curl_slist **list)
{
	if (*list)
		curl.slist_free_all(*list);
}

struct exchange {
	const struct httpc_request *request;
	struct httpc_reply *reply;
	char problem[CURL_ERROR_SIZE];
};

/* Taking less than was offered makes curl stop with CURLE_WRITE_ERROR. */
static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *exchange = arg;
	const struct httpc_request *request = exchange->request;
	struct buf *body = &exchange->reply->body;

	if (request->sink)
		return request->sink(request->sink_arg, bytes, size * count) == 0 ? size * count
										  : 0;
	buf_add(body, bytes, size * count);
	return body->overflow ? 0 : size * count;
}

/* A line of the answer's head; what is no header (the status, the end) is left out. */
static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *exchange = arg;
	const struct httpc_request *request = exchange->request;
	AUTO_FREE char *line = mem_strndup(bytes, size * count);
	char *value = strchr(line, ':');

	if (value) {
		*value++ = '\0';
		value += strspn(value, " \t");
		value[strcspn(value, "\r\n")] = '\0';
		request->header(request->header_arg, line, value);
	}
	return size * count;
}

static void append(struct curl_slist **list, const char *header)
{
	struct curl_slist *longer = curl.slist_append(*list, header);

	if (!longer)
		mem_exhausted();
	*list = longer;
}

/* curl calls it about once a second while nothing comes, and whenever something does. */
static int on_tick(void *arg, curl_off_t to_come UNUSED, curl_off_t came UNUSED,
		   curl_off_t to_send UNUSED, curl_off_t sent UNUSED)
{
	const struct exchange *exchange = arg;

	return exchange->request->tick(exchange->request->tick_arg);
}

/* "Expect:" keeps curl from asking first, which some peers answer only after a second. */
static struct curl_slist *make_headers(const struct httpc_request *request)
{
	struct curl_slist *list = NULL;

	append(&list, "Expect:");
	for (const char *const *header = request->headers; header && *header; header++)
		append(&list, *header);
	return list;
}

/*
 * curl's header checks calls by name; a call through the table is checked here: each option's
 * number, in steps of 10,000, says what kind of value it takes.
 */
/* clang-format off */
#define KIND_OF(value) _Generic((value), \
	long: CURLOPTTYPE_LONG, \
	curl_write_callback: CURLOPTTYPE_FUNCTIONPOINT, \
	curl_xferinfo_callback: CURLOPTTYPE_FUNCTIONPOINT, \
	default: CURLOPTTYPE_OBJECTPOINT)
/* clang-format on */
#define SET(option, value)                                                                         \
	do {                                                                                       \
		_Static_assert((option) / 10000 == KIND_OF(value) / 10000, "kind of value");       \
		if (curl.easy_setopt(handle, (option), (value)) != CURLE_OK)                       \
			return -1;                                                                 \
	} while (0)

/* curl's 0 is no limit, ours is the usual one. */
static long total_ms(const struct httpc_request *request)
{
	if (request->total_ms < 0)
		return 0;
	return (long)(request->total_ms ? request->total_ms : TOTAL_MS);
}

static int set_limits(CURL *handle, const struct httpc_request *request)
{
	SET(CURLOPT_USERAGENT, "trueup");
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(request->connect_ms ? request->connect_ms : CONNECT_MS));
	SET(CURLOPT_TIMEOUT_MS, total_ms(request));
	return 0;
}

/* The folder of authorities that curl was built with counts besides a file of one's own. */
static int set_trust(CURL *handle, const struct httpc_request *request)
{
	if (request->cert_file) {
		SET(CURLOPT_SSLCERT, request->cert_file);
		SET(CURLOPT_SSLKEY, request->key_file);
	}
	if (!request->ca_file)
		return 0;
	SET(CURLOPT_CAINFO, request->ca_file);
	SET(CURLOPT_CAPATH, NULL);
	return 0;
}

static int set_request(CURL *handle, struct curl_slist *headers, struct exchange *exchange)
{
	const struct httpc_request *request = exchange->request;

	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_ERRORBUFFER, exchange->problem);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, exchange);
	if (request->header) {
		SET(CURLOPT_HEADERFUNCTION, take_header);
		SET(CURLOPT_HEADERDATA, exchange);
	}
	if (request->tick) {
		SET(CURLOPT_NOPROGRESS, 0L);
		SET(CURLOPT_XFERINFOFUNCTION, on_tick);
		SET(CURLOPT_XFERINFODATA, exchange);
	}
	if (request->body) {
		SET(CURLOPT_POSTFIELDSIZE, (long)request->body_len);
		SET(CURLOPT_POSTFIELDS, request->body);
	}
	if (str_eq(request->method, "HEAD"))
		SET(CURLOPT_NOBODY, 1L);
	else if (request->method)
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	return 0;
}

/* curl has one code for a scheme that is off and for a peer that does not speak HTTP. */
static bool is_url_refused(CURL *handle, CURLcode code)
{
	long connections = 0;

	(void)curl.easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &connections);
	return code == CURLE_URL_MALFORMAT || code == CURLE_LOGIN_DENIED ||
	       (code == CURLE_UNSUPPORTED_PROTOCOL && connections == 0);
}

static int explain(CURL *handle, CURLcode code, const struct exchange *exchange, struct err *err)
{
	const char *text = *exchange->problem ? exchange->problem : curl.easy_strerror(code);
	const char *url = exchange->request->url;
	enum err_code meaning = E_NODE_UNREACHABLE;

	if (exchange->reply->body.overflow)
		return err_set(err, E_TOO_LARGE, "%s: the answer is larger than %zu bytes", url,
			       exchange->reply->body.max);
	if (code == CURLE_OUT_OF_MEMORY)
		mem_exhausted();
	if (code == CURLE_OPERATION_TIMEDOUT || code == CURLE_ABORTED_BY_CALLBACK)
		meaning = E_DEADLINE;
	if (code == CURLE_WRITE_ERROR)
		meaning = E_TOO_LARGE;
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		meaning = E_CERTIFICATE;
	if (code == CURLE_SSL_CERTPROBLEM)
		meaning = E_CREDENTIALS;
	if (is_url_refused(handle, code))
		meaning = E_BAD_INPUT;
	return err_set(err, meaning, "%s: %s", url, text);
}

static int read_status(CURL *handle, struct httpc_reply *reply)
{
	const char *location = NULL;
	curl_off_t retry_after = 0;

	if (curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply->status) != CURLE_OK ||
	    curl.easy_getinfo(handle, CURLINFO_REDIRECT_URL, &location) != CURLE_OK ||
	    curl.easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after) != CURLE_OK)
		return -1;
	/* A date that is over is below 0, one without end may be beyond any number of ms. */
	if (retry_after > 0)
		reply->retry_after_ms = (retry_after < INT32_MAX ? retry_after : INT32_MAX) * 1000;
	snprintf(reply->location, sizeof reply->location, "%s", location ? location : "");
	return 0;
}

int httpc_curl_fetch(const struct httpc_request *request, struct httpc_reply *reply,
		     struct err *err)
{
	CURL *own CLEANUP(cleanup_handle) = NULL;
	CURL *handle;
	struct curl_slist *headers CLEANUP(free_list) = NULL;
	struct exchange exchange = {.request = request, .reply = reply};
	CURLcode code;

	buf_clear(&reply->body);
	reply->retry_after_ms = 0;
	if (load(err) != 0)
		return err_wrap(err, "%s", request->url);
	handle = request->session ? session_handle(request->session) : (own = curl.easy_init());
	headers = make_headers(request);
	if (!handle || set_limits(handle, request) != 0 || set_trust(handle, request) != 0 ||
	    set_request(handle, headers, &exchange) != 0)
		return err_set(err, E_INTERNAL, "%s: curl cannot be set up", request->url);
	code = curl.easy_perform(handle);
	if (code != CURLE_OK)
		return explain(handle, code, &exchange, err);
	if (read_status(handle, reply) != 0)
		return err_set(err, E_INTERNAL, "%s: no status", request->url);
	return 0;
}

#include "base/sys.h"
#include "base/httpc.h"

#include <curl/curl.h>

#define CONNECT_MS 5000
#define TOTAL_MS 30000

static void cleanup_handle(CURL **handle)
{
	curl_easy_cleanup(*handle);
}

static void free_list(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

/* Taking less than was offered makes curl stop with CURLE_WRITE_ERROR. */
static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct buf *body = arg;

	buf_add(body, bytes, size * count);
	return body->overflow ? 0 : size * count;
}

static void append(struct curl_slist **list, const char *header)
{
	struct curl_slist *longer = curl_slist_append(*list, header);

	if (!longer)
		mem_exhausted();
	*list = longer;
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

#define SET(option, value)                                                                         \
	do {                                                                                       \
		if (curl_easy_setopt(handle, (option), (value)) != CURLE_OK)                       \
			return -1;                                                                 \
	} while (0)

static int set_limits(CURL *handle, const struct httpc_request *request)
{
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
	SET(CURLOPT_TIMEOUT_MS, (long)(request->total_ms ? request->total_ms : TOTAL_MS));
	return 0;
}

static int set_request(CURL *handle, const struct httpc_request *request,
		       struct curl_slist *headers, struct buf *body, char *problem)
{
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_ERRORBUFFER, problem);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, body);
	if (request->body) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
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

	(void)curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &connections);
	return code == CURLE_URL_MALFORMAT || code == CURLE_LOGIN_DENIED ||
	       (code == CURLE_UNSUPPORTED_PROTOCOL && connections == 0);
}

static int explain(CURL *handle, CURLcode code, const char *problem,
		   const struct httpc_request *request, const struct httpc_reply *reply,
		   struct err *err)
{
	const char *text = *problem ? problem : curl_easy_strerror(code);
	enum err_code meaning = E_NODE_UNREACHABLE;

	if (reply->body.overflow)
		return err_set(err, E_TOO_LARGE, "%s: the answer is larger than %zu bytes",
			       request->url, reply->body.max);
	if (code == CURLE_OUT_OF_MEMORY)
		mem_exhausted();
	if (code == CURLE_OPERATION_TIMEDOUT)
		meaning = E_DEADLINE;
	if (is_url_refused(handle, code))
		meaning = E_BAD_INPUT;
	return err_set(err, meaning, "%s: %s", request->url, text);
}

static CURL *make_handle(void)
{
	static bool ready;
	CURL *handle;

	if (!ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	ready = true;
	handle = curl_easy_init();
	if (handle)
		(void)curl_easy_setopt(handle, CURLOPT_USERAGENT, "trueup");
	return handle;
}

int httpc_fetch(const struct httpc_request *request, struct httpc_reply *reply, struct err *err)
{
	CURL *handle CLEANUP(cleanup_handle) = make_handle();
	struct curl_slist *headers CLEANUP(free_list) = make_headers(request);
	char problem[CURL_ERROR_SIZE] = "";
	CURLcode code;

	buf_clear(&reply->body);
	if (!handle || set_limits(handle, request) != 0 ||
	    set_request(handle, request, headers, &reply->body, problem) != 0)
		return err_set(err, E_INTERNAL, "%s: curl cannot be set up", request->url);
	code = curl_easy_perform(handle);
	if (code != CURLE_OK)
		return explain(handle, code, problem, request, reply, err);
	if (curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply->status) != CURLE_OK)
		return err_set(err, E_INTERNAL, "%s: no status", request->url);
	return 0;
}

#include "base/sys.h"
#include "source/fetch_http.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/httpc.h"
#include "base/base64.h"
#include "source/stall.h"

#define SERVICE "git-upload-pack"
#define REQUEST_MAX ((size_t)8 << 20) /* what we ask for, and name as known */

struct transport {
	git_smart_subtransport base;
	struct http_origin *origin;
};

struct stream {
	git_smart_subtransport_stream base;
	struct http_origin *origin;
	bool advertisement; /* the list of refs; else a pack */
	struct buf request;
	int spool; /* the answer; -1: not asked yet */
};

/* ---------------------------------------------------------------- credentials */

/* 1: read; 0: there is no such value; -1. */
static int read_optional(const char *dir, const char *name, struct buf *out, struct err *err)
{
	struct err why = ERR_INIT;

	if (credentials_read_line(dir, name, out, &why) == 0)
		return 1;
	return why.code == E_NOT_FOUND ? 0 : err_set(err, why.code, "%s", why.text);
}

/* A token goes where the password goes; code hosts take any user with it, unless one is named. */
static int read_password(struct http_origin *origin, const char *dir, struct err *err)
{
	struct buf login AUTO_SECRET = BUF_INIT(4 * CREDENTIALS_FILE_MAX);
	int user = read_optional(dir, "username", &login, err), secret;

	if (user < 0)
		return -1;
	if (!user)
		buf_adds(&login, "git");
	buf_addc(&login, ':');
	secret = read_optional(dir, "token", &login, err);
	if (secret == 0)
		secret = read_optional(dir, "password", &login, err);
	if (secret < 0)
		return -1;
	if (!secret && user)
		return err_set(err, E_CREDENTIALS, "%s holds a username but no password or token",
			       dir);
	if (secret) {
		buf_adds(&origin->authorization, "Authorization: Basic ");
		base64_add(&origin->authorization, login.ptr, login.len);
	}
	return 0;
}

int http_login_read(struct http_origin *origin, const char *dir, struct err *err)
{
	struct buf ca AUTO_BUF = BUF_INIT(CREDENTIALS_FILE_MAX);
	struct err why = ERR_INIT;

	origin->authorization = (struct buf)BUF_INIT(8 * CREDENTIALS_FILE_MAX);
	if (read_password(origin, dir, err) != 0)
		return -1;
	if (credentials_read(dir, "ca.pem", &ca, &why) == 0)
		origin->ca_file = mem_printf("%s/ca.pem", dir);
	else if (why.code != E_NOT_FOUND)
		return err_set(err, why.code, "%s", why.text);
	return 0;
}

void http_origin_release(struct http_origin *origin)
{
	credentials_wipe(&origin->authorization);
	free(origin->ca_file);
	origin->ca_file = NULL;
}

/* ---------------------------------------------------------------- one exchange */

static int open_spool(const struct http_origin *origin)
{
	char *path AUTO_FREE = mem_printf("%s/fetch.body", origin->spool);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(origin->err, E_IO, "make %s", path);
	(void)unlink(path);
	return fd;
}

static int take(void *arg, const void *bytes, size_t len)
{
	struct stream *stream = arg;
	struct http_origin *origin = stream->origin;

	stall_watch(origin->stall_ms);
	origin->received += len;
	if (origin->received > origin->max)
		return err_set(origin->err, E_TOO_LARGE,
			       "%s sends more than %zu bytes in one fetch", origin->url,
			       origin->max);
	if (fs_write_all(stream->spool, bytes, len) != 0)
		return err_errno(origin->err, E_IO, "write what %s sends", origin->url);
	return 0;
}

static int judge_status(const struct http_origin *origin, const struct httpc_reply *reply)
{
	struct err *err = origin->err;

	if (reply->status == 200)
		return 0;
	if (reply->status == 401 || reply->status == 403)
		return err_set(err, E_REMOTE_AUTH, "%s answers %ld: %s", origin->url, reply->status,
			       origin->authorization.len
				       ? "the credentials are refused"
				       : "it wants credentials (the setting `credentials`)");
	if (reply->status == 404)
		return err_set(err, E_REMOTE_UNREACHABLE,
			       "%s answers 404: there is no such repository%s", origin->url,
			       origin->authorization.len ? ", or not for these credentials" : "");
	if (reply->status / 100 == 3)
		return err_set(err, E_REMOTE_UNREACHABLE,
			       "%s redirects to %s; redirects are not followed: if that is the "
			       "right place, make it the repository's address",
			       origin->url, *reply->location ? reply->location : "nowhere");
	return err_set(err, E_REMOTE_UNREACHABLE, "%s answers %ld", origin->url, reply->status);
}

/* A failure that the sink has explained already keeps that explanation. */
static int explain(const struct http_origin *origin, const struct err *why)
{
	if (origin->err->code != E_NONE)
		return -1;
	if (why->code == E_CERTIFICATE)
		return err_set(origin->err, E_REMOTE_AUTH, "%s (%s)", why->text,
			       origin->ca_file ? "trusted is only what ca.pem holds"
					       : "for an authority of your own, put its ca.pem "
						 "into the credentials folder");
	return err_set(origin->err, why->code == E_LIBRARY ? E_LIBRARY : E_REMOTE_UNREACHABLE, "%s",
		       why->text);
}

static int ask(struct stream *stream)
{
	struct http_origin *origin = stream->origin;
	size_t len = strlen(origin->url) - (str_ends(origin->url, "/") ? 1 : 0);
	char *url AUTO_FREE =
		mem_printf("%.*s%s", (int)len, origin->url,
			   stream->advertisement ? "/info/refs?service=" SERVICE : "/" SERVICE);
	const char *headers[] = {
		/* some servers speak the protocol only with what looks like git */
		"User-Agent: git/2.0 (trueup)",
		stream->advertisement ? "Accept: */*" : "Accept: application/x-" SERVICE "-result",
		stream->advertisement ? "Pragma: no-cache"
				      : "Content-Type: application/x-" SERVICE "-request",
		origin->authorization.ptr, /* NULL: none, and the list ends here */
		NULL,
	};
	struct httpc_request request = {
		.url = url,
		.headers = headers,
		.body = stream->advertisement ? NULL : buf_str(&stream->request),
		.body_len = stream->request.len,
		.connect_ms = origin->connect_ms,
		.total_ms = origin->total_ms,
		.ca_file = origin->ca_file,
		.sink = take,
		.sink_arg = stream,
	};
	struct httpc_reply reply = {.body = BUF_INIT(0)};
	struct err why = ERR_INIT;

	if (httpc_fetch(&request, &reply, &why) != 0)
		return explain(origin, &why);
	if (judge_status(origin, &reply) != 0)
		return -1;
	if (lseek(stream->spool, 0, SEEK_SET) != 0)
		return err_errno(origin->err, E_IO, "read what %s sent", origin->url);
	return 0;
}

/* ---------------------------------------------------------------- what libgit2 calls */

/* It wants a message of its own beside the code; ours is in origin->err. */
static int failed(void)
{
	git_error_set_str(GIT_ERROR_HTTP, "the request failed");
	return -1;
}

static struct stream *stream_of(git_smart_subtransport_stream *base)
{
	return (struct stream *)(void *)base;
}

static int stream_read(git_smart_subtransport_stream *base, char *out, size_t size, size_t *got)
{
	struct stream *stream = stream_of(base);
	ssize_t n;

	if (stream->spool < 0) {
		stream->spool = open_spool(stream->origin);
		if (stream->spool < 0 || ask(stream) != 0)
			return failed();
	}
	n = read(stream->spool, out, size);
	if (n < 0)
		return failed();
	*got = (size_t)n;
	return 0;
}

static int stream_write(git_smart_subtransport_stream *base, const char *bytes, size_t len)
{
	struct stream *stream = stream_of(base);

	buf_add(&stream->request, bytes, len);
	return stream->request.overflow ? failed() : 0;
}

static void stream_free(git_smart_subtransport_stream *base)
{
	struct stream *stream = stream_of(base);

	fs_close_ptr(&stream->spool);
	buf_release(&stream->request);
	free(stream);
}

static int transport_action(git_smart_subtransport_stream **out, git_smart_subtransport *base,
			    const char *url, git_smart_service_t action)
{
	struct transport *transport = (struct transport *)(void *)base;
	struct stream *stream;

	(void)url;
	if (action != GIT_SERVICE_UPLOADPACK_LS && action != GIT_SERVICE_UPLOADPACK)
		return failed();
	stream = mem_zalloc(1, sizeof *stream);
	*stream = (struct stream){
		.base = {.subtransport = base,
			 .read = stream_read,
			 .write = stream_write,
			 .free = stream_free},
		.origin = transport->origin,
		.advertisement = action == GIT_SERVICE_UPLOADPACK_LS,
		.request = BUF_INIT(REQUEST_MAX),
		.spool = -1,
	};
	*out = &stream->base;
	return 0;
}

static int transport_close(git_smart_subtransport *base)
{
	(void)base;
	return 0;
}

static void transport_free(git_smart_subtransport *base)
{
	free(base);
}

static int transport_new(git_smart_subtransport **out, git_transport *owner, void *param)
{
	struct transport *transport = mem_zalloc(1, sizeof *transport);

	(void)owner;
	*transport = (struct transport){
		.base = {.action = transport_action,
			 .close = transport_close,
			 .free = transport_free},
		.origin = param,
	};
	*out = &transport->base;
	return 0;
}

int http_transport(git_transport **out, git_remote *owner, struct http_origin *origin)
{
	git_smart_subtransport_definition definition = {
		.callback = transport_new, .rpc = 1, .param = origin};

	return git_transport_smart(out, owner, &definition);
}

#include "base/sys.h"
#include "source/fetch.h"

#include "source/fetch_http.h"
#include "source/fetch_ssh.h"
#include "source/gitlib.h"
#include "source/mirror.h"
#include "source/stall.h"
#include "source/url.h"

struct fetch {
	const char *url_text;
	struct url url;
	struct mirror mirror;
	git_remote *remote;
	struct http_origin http;
	struct ssh_login ssh;
	size_t pack_max;
	int64_t connect_ms, stall_ms;
	struct err why; /* set by a callback: the reason why libgit2 then fails */
};

static void fetch_release(struct fetch *fetch)
{
	git_remote_free(fetch->remote);
	mirror_release(&fetch->mirror);
	http_origin_release(&fetch->http);
	ssh_login_release(&fetch->ssh);
	url_release(&fetch->url);
}

/* ---------------------------------------------------------------- callbacks of libgit2 */

static int on_sideband(const char *text, int len, void *arg)
{
	const struct fetch *fetch = arg;

	(void)text;
	(void)len;
	stall_watch(fetch->stall_ms);
	return 0;
}

static int on_progress(const git_indexer_progress *progress, void *arg)
{
	struct fetch *fetch = arg;

	stall_watch(fetch->stall_ms);
	if (progress->received_bytes > fetch->pack_max)
		return err_set(&fetch->why, E_TOO_LARGE,
			       "%s sends more than %zu bytes in one fetch", fetch->url_text,
			       fetch->pack_max);
	return 0;
}

static int on_certificate(git_cert *certificate, int known, const char *host, void *arg)
{
	struct fetch *fetch = arg;

	(void)host;
	stall_watch(fetch->stall_ms);
	if (certificate->cert_type != GIT_CERT_HOSTKEY_LIBSSH2)
		return err_set(&fetch->why, E_INTERNAL, "a certificate of an unexpected kind");
	return ssh_judge_host(&fetch->ssh, (const git_cert_hostkey *)(const void *)certificate,
			      known == 1, &fetch->why);
}

static int on_credentials(git_credential **out, const char *url, const char *user, unsigned types,
			  void *arg)
{
	struct fetch *fetch = arg;

	(void)url;
	(void)user;
	return ssh_credential(&fetch->ssh, types, out, &fetch->why);
}

static int on_transport(git_transport **out, git_remote *owner, void *arg)
{
	struct fetch *fetch = arg;

	return http_transport(out, owner, &fetch->http);
}

static git_remote_callbacks callbacks(struct fetch *fetch)
{
	git_remote_callbacks out = {
		.version = GIT_REMOTE_CALLBACKS_VERSION,
		.sideband_progress = on_sideband,
		.transfer_progress = on_progress,
		.payload = fetch,
	};

	if (fetch->url.scheme == URL_HTTPS)
		out.transport = on_transport;
	if (fetch->url.scheme == URL_SSH) {
		out.certificate_check = on_certificate;
		out.credentials = on_credentials;
	}
	return out;
}

/* ---------------------------------------------------------------- the conversation */

/* A key that cannot be read is only told in words. */
static bool is_login_failure(int result)
{
	const git_error *why = git_error_last();

	return result == GIT_EAUTH ||
	       (why && why->message && strstr(why->message, "Failed to authenticate"));
}

/* What a callback said counts for more than what libgit2 makes of it. */
static int failed(const struct fetch *fetch, int result, struct err *err)
{
	if (fetch->why.code != E_NONE)
		return err_set(err, fetch->why.code, "%s", fetch->why.text);
	if (stall_end())
		return err_set(err, E_REMOTE_UNREACHABLE, "%s is silent", fetch->url_text);
	if (is_login_failure(result))
		return gitlib_fail(err, E_REMOTE_AUTH, "%s, with %s/id_ed25519", fetch->url_text,
				   fetch->ssh.dir);
	return gitlib_fail(err, E_REMOTE_UNREACHABLE, "%s", fetch->url_text);
}

static int connect_remote(struct fetch *fetch, struct err *err)
{
	const git_remote_create_options create = {
		.version = GIT_REMOTE_CREATE_OPTIONS_VERSION,
		.repository = fetch->mirror.git,
		.flags =
			GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC,
	};
	const git_remote_connect_options options = {
		.version = GIT_REMOTE_CONNECT_OPTIONS_VERSION,
		.callbacks = callbacks(fetch),
		.proxy_opts = {.version = GIT_PROXY_OPTIONS_VERSION, .type = GIT_PROXY_NONE},
		.follow_redirects = GIT_REMOTE_REDIRECT_NONE,
	};
	int result = git_remote_create_with_opts(&fetch->remote, fetch->url_text, &create);

	if (result != 0)
		return gitlib_fail(err, E_INTERNAL, "%s", fetch->url_text);
	stall_watch(fetch->connect_ms);
	result = git_remote_connect_ext(fetch->remote, GIT_DIRECTION_FETCH, &options);
	stall_watch(fetch->stall_ms);
	return result == 0 ? 0 : failed(fetch, result, err);
}

static int find_branch(struct fetch *fetch, const char *branch, struct oid *commit, struct err *err)
{
	const git_remote_head **heads;
	size_t n;
	int result = git_remote_ls(&heads, &n, fetch->remote);

	if (result != 0)
		return failed(fetch, result, err);
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(heads[i]->name, fetch->mirror.ref))
			continue;
		*commit = gitlib_id_back(&heads[i]->oid);
		return 0;
	}
	return err_set(err, E_BRANCH_MISSING,
		       "%s has no branch %s: push it, or name another (branch)", fetch->url_text,
		       branch);
}

static int download(struct fetch *fetch, struct err *err)
{
	char *spec AUTO_FREE = mem_printf("+%s:%s", fetch->mirror.ref, fetch->mirror.ref);
	const git_strarray specs = {.strings = &spec, .count = 1};
	const git_fetch_options options = {
		.version = GIT_FETCH_OPTIONS_VERSION,
		.callbacks = callbacks(fetch),
		.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE,
		.proxy_opts = {.version = GIT_PROXY_OPTIONS_VERSION, .type = GIT_PROXY_NONE},
		.follow_redirects = GIT_REMOTE_REDIRECT_NONE,
	};
	int result = git_remote_download(fetch->remote, &specs, &options);

	return result == 0 ? 0 : failed(fetch, result, err);
}

static int converse(struct fetch *fetch, const char *branch, struct oid *commit, struct err *err)
{
	struct oid tip = mirror_tip(&fetch->mirror);

	if (connect_remote(fetch, err) != 0 || find_branch(fetch, branch, commit, err) != 0)
		return -1;
	if (oid_eq(commit, &tip))
		return 0;
	if (download(fetch, err) != 0)
		return -1;
	(void)stall_end(); /* from here on, nobody else is waited for */
	if (mirror_move(&fetch->mirror, commit, err) != 0)
		return -1;
	return mirror_shrink(&fetch->mirror, err);
}

/* ---------------------------------------------------------------- beginning and end */

static int read_credentials(struct fetch *fetch, const struct fetch_request *request,
			    struct err *err)
{
	if (fetch->url.scheme == URL_SSH)
		return ssh_login_read(&fetch->ssh, &fetch->url, request->credentials_dir,
				      request->state_dir, err);
	if (fetch->url.scheme == URL_HTTPS && request->credentials_dir)
		return http_login_read(&fetch->http, request->credentials_dir, err);
	return 0;
}

static int prepare(struct fetch *fetch, const struct fetch_request *request, struct err *err)
{
	fetch->url_text = request->url;
	fetch->pack_max = request->pack_max ? request->pack_max : FETCH_PACK_MAX;
	fetch->connect_ms = request->connect_ms ? request->connect_ms : FETCH_CONNECT_MS;
	fetch->stall_ms = request->stall_ms ? request->stall_ms : FETCH_STALL_MS;
	if (url_parse(request->url, &fetch->url, err) != 0)
		return -1;
	if (fetch->url.scheme == URL_PATH)
		return err_set(err, E_USAGE, "%s is on this machine: there is nothing to fetch",
			       request->url);
	if (mirror_open(&fetch->mirror, request->state_dir, request->url, request->branch, err) !=
		    0 ||
	    read_credentials(fetch, request, err) != 0)
		return -1;
	git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, (size_t)FETCH_OBJECTS_MAX);
	fetch->http.url = request->url;
	fetch->http.spool = fetch->mirror.path;
	fetch->http.max = fetch->pack_max;
	fetch->http.connect_ms = fetch->connect_ms;
	fetch->http.stall_ms = fetch->stall_ms;
	fetch->http.total_ms = FETCH_DEADLINE_MS;
	fetch->http.err = &fetch->why;
	return 0;
}

int fetch_branch(const struct fetch_request *request, struct oid *commit, struct err *err)
{
	struct fetch fetch CLEANUP(fetch_release) = {0};
	int result;

	if (prepare(&fetch, request, err) != 0)
		return -1;
	result = converse(&fetch, request->branch, commit, err);
	(void)stall_end();
	return result;
}

#include "base/sys.h"
#include "base/httpc_ways.h"

struct httpc_session *httpc_session_new(void)
{
	struct httpc_session *session = mem_zalloc(1, sizeof *session);

	session->unix_fd = -1;
	return session;
}

void httpc_session_free(struct httpc_session *session)
{
	if (!session)
		return;
	httpc_curl_end(session);
	httpc_unix_end(session);
	free(session);
}

int httpc_fetch(const struct httpc_request *request, struct httpc_reply *reply, struct err *err)
{
	return request->unix_path ? httpc_unix_fetch(request, reply, err)
				  : httpc_curl_fetch(request, reply, err);
}

#include "base/sys.h"
#include "base/http_answer.h"

#include <http_parser.h>

struct http_answer {
	http_parser parser;
	const struct httpc_request *request;
	struct httpc_reply *reply;
	struct buf name, value; /* of the header that is being read */
	bool has_value;		/* and its value has begun */
	size_t head_len;
	bool whole, keeps;
	enum err_code refused; /* what stopped the parser from within; E_NONE: nothing */
};

static struct http_answer *answer_of(http_parser *parser)
{
	return parser->data;
}

/* Whatever a callback gives but 0 ends the parsing. */
static int refuse(struct http_answer *answer, enum err_code code)
{
	answer->refused = code;
	return -1;
}

/* ---- the head ---- */

/* One that only announces another one is not what was asked for. */
static bool is_final(const struct http_answer *answer)
{
	return answer->parser.status_code / 100 != 1;
}

static void tell_header(struct http_answer *answer)
{
	const struct httpc_request *request = answer->request;
	const char *name = buf_str(&answer->name), *value = buf_str(&answer->value);

	if (strcasecmp(name, "Location") == 0)
		snprintf(answer->reply->location, sizeof answer->reply->location, "%s", value);
	if (request->header)
		request->header(request->header_arg, name, value);
}

static void end_header(struct http_answer *answer)
{
	struct buf *value = &answer->value;

	while (value->len && strchr(" \t", value->ptr[value->len - 1]))
		buf_cut(value, value->len - 1);
	if (answer->has_value && is_final(answer))
		tell_header(answer);
	buf_clear(&answer->name);
	buf_clear(value);
	answer->has_value = false;
}

static int take_head(struct http_answer *answer, struct buf *part, const char *bytes, size_t len)
{
	answer->head_len += len;
	if (answer->head_len > HTTP_ANSWER_HEAD_MAX || memchr(bytes, '\0', len))
		return refuse(answer, E_NODE_UNREACHABLE);
	buf_add(part, bytes, len);
	return 0;
}

static int on_field(http_parser *parser, const char *bytes, size_t len)
{
	struct http_answer *answer = answer_of(parser);

	if (answer->has_value)
		end_header(answer);
	return take_head(answer, &answer->name, bytes, len);
}

static int on_value(http_parser *parser, const char *bytes, size_t len)
{
	struct http_answer *answer = answer_of(parser);

	answer->has_value = true;
	return take_head(answer, &answer->value, bytes, len);
}

/* 1 tells the parser that no body follows, whatever the head says. */
static int on_head(http_parser *parser)
{
	struct http_answer *answer = answer_of(parser);

	end_header(answer);
	answer->head_len = 0; /* what trails a body has as much room again */
	return str_eq(answer->request->method, "HEAD");
}

/* ---- the body ---- */

static int on_body(http_parser *parser, const char *bytes, size_t len)
{
	struct http_answer *answer = answer_of(parser);
	const struct httpc_request *request = answer->request;
	struct buf *body = &answer->reply->body;

	if (request->sink)
		return request->sink(request->sink_arg, bytes, len) == 0
			       ? 0
			       : refuse(answer, E_TOO_LARGE);
	buf_add(body, bytes, len);
	return body->overflow ? refuse(answer, E_TOO_LARGE) : 0;
}

static int on_whole(http_parser *parser)
{
	struct http_answer *answer = answer_of(parser);

	if (answer->has_value) /* of what trails the body */
		end_header(answer);
	if (!is_final(answer))
		return 0;
	answer->whole = true;
	answer->keeps = http_should_keep_alive(parser);
	answer->reply->status = (long)parser->status_code;
	http_parser_pause(parser, 1);
	return 0;
}

/* ---- from outside ---- */

struct http_answer *http_answer_new(const struct httpc_request *request, struct httpc_reply *reply)
{
	struct http_answer *answer = mem_zalloc(1, sizeof *answer);

	answer->request = request;
	answer->reply = reply;
	answer->name = answer->value = (struct buf)BUF_INIT(HTTP_ANSWER_HEAD_MAX);
	http_parser_init(&answer->parser, HTTP_RESPONSE);
	answer->parser.data = answer;
	buf_clear(&reply->body);
	reply->status = 0;
	reply->retry_after_ms = 0; /* engines ask for none */
	*reply->location = '\0';
	return answer;
}

void http_answer_free(struct http_answer *answer)
{
	if (!answer)
		return;
	buf_release(&answer->name);
	buf_release(&answer->value);
	free(answer);
}

static int explain(const struct http_answer *answer, struct err *err)
{
	const struct buf *body = &answer->reply->body;

	if (answer->refused == E_TOO_LARGE && body->overflow)
		return err_set(err, E_TOO_LARGE, "the answer is larger than %zu bytes", body->max);
	if (answer->refused == E_TOO_LARGE)
		return err_set(err, E_TOO_LARGE, "the answer is larger than what it is for");
	return err_set(err, E_NODE_UNREACHABLE, "the answer is no HTTP: %s",
		       answer->refused ? "its head is too long, or has a NUL in it"
				       : http_errno_description(answer->parser.http_errno));
}

int http_answer_take(struct http_answer *answer, const char *bytes, size_t len, struct err *err)
{
	static const http_parser_settings settings = {
		.on_header_field = on_field,
		.on_header_value = on_value,
		.on_headers_complete = on_head,
		.on_body = on_body,
		.on_message_complete = on_whole,
	};
	size_t taken = http_parser_execute(&answer->parser, &settings, bytes, len);

	if (answer->whole) {
		/* nothing was asked that could be answered behind it */
		answer->keeps = answer->keeps && taken == len;
		return 1;
	}
	if (answer->parser.http_errno != HPE_OK || answer->parser.upgrade)
		return explain(answer, err);
	return 0;
}

int http_answer_end(struct http_answer *answer, struct err *err)
{
	struct err why = ERR_INIT;

	/* to the parser no bytes are the end */
	if (answer->parser.status_code && http_answer_take(answer, "", 0, &why) > 0)
		return 1;
	return err_set(err, E_NODE_UNREACHABLE, "the connection ended before the answer did");
}

bool http_answer_keeps(const struct http_answer *answer)
{
	return answer->whole && answer->keeps;
}

/*
 * http_answer.h - an HTTP/1.1 answer (RFC 9112), taken as it comes; the only includer of
 * http_parser.h. No I/O.
 *
 *	answer = http_answer_new(request, reply)
 *	while ((taken = http_answer_take(answer, bytes, n, err)) == 0) read on
 *	...		http_answer_end(answer, err) where nothing more comes
 *	http_answer_free(answer)
 *
 * The body goes where the request wants it: to its sink, or to reply->body. Answers that only
 * announce another one (1xx) are passed over.
 */
#ifndef TRUEUP_BASE_HTTP_ANSWER_H
#define TRUEUP_BASE_HTTP_ANSWER_H

#include "base/httpc.h"

/* Longest head of an answer, in bytes; the parser's own limit may be lower. */
#define HTTP_ANSWER_HEAD_MAX ((size_t)64 << 10)

struct http_answer;

/* Both are borrowed, and outlive it. */
struct http_answer *http_answer_new(const struct httpc_request *request, struct httpc_reply *reply);
void http_answer_free(struct http_answer *answer); /* NULL is allowed */

/*
 * 1 when the answer is whole (the rest is not looked at), 0 when more has to come; -1:
 * E_NODE_UNREACHABLE for what is no HTTP, E_TOO_LARGE when the body does not fit or the sink wants
 * no more.
 */
int http_answer_take(struct http_answer *answer, const char *bytes, size_t len, struct err *err);
/* The peer has closed: 1 when that is how the answer ends, or -1, E_NODE_UNREACHABLE. */
int http_answer_end(struct http_answer *answer, struct err *err);
/* Of a whole answer: may the connection be used once more? */
bool http_answer_keeps(const struct http_answer *answer);

#endif

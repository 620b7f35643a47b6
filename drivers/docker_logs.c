#include "base/sys.h"
#include "drivers/docker.h"

#include "drivers/docker_frames.h"

#define NS_IN_S 1000000000

/* Without a terminal both streams come in frames. */
static bool is_framed(const json_t *inspect)
{
	return !json_flag(json_object_get(inspect, "Config"), "Tty", false);
}

/* "/containers/ID/logs?...": since is inclusive, in seconds with nine decimals. */
static const char *logs_path(struct arena *arena, const json_t *inspect,
			     const struct log_request *request)
{
	const char *path =
		arena_printf(arena, "/containers/%s/logs?stdout=1&stderr=1&timestamps=1&follow=%d",
			     docker_quote(arena, json_str(inspect, "Id", "")), request->follow);

	if (request->lines != LOG_ALL)
		path = arena_printf(arena, "%s&tail=%d", path, request->lines);
	if (request->after_ns)
		path = arena_printf(arena, "%s&since=%lld.%09lld", path,
				    (long long)(request->after_ns / NS_IN_S),
				    (long long)(request->after_ns % NS_IN_S));
	return path;
}

struct reading {
	struct docker_frames *frames;
	struct err err;	    /* of taking it apart */
	struct buf refusal; /* from there on: the words of a refusal come the same way */
	bool full;
};

static int take(void *arg, const void *bytes, size_t len)
{
	struct reading *reading = arg;
	int result = reading->err.code == E_NONE
			     ? docker_frames_take(reading->frames, bytes, len, &reading->err)
			     : -1;

	if (result < 0)
		buf_add(&reading->refusal, bytes, len);
	reading->full = result > 0;
	return reading->full || reading->refusal.overflow ? -1 : 0;
}

static int explain(const struct docker *docker, const struct reading *reading, int status,
		   const struct err *why, struct err *err)
{
	struct buf words AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	if (reading->full)
		return 0;
	if (reading->refusal.len == 0)
		return status < 0 ? err_set(err, why->code, "%s", why->text) : 0;
	docker_words(&reading->refusal, &words);
	return err_set(err, status < 0 ? why->code : reading->err.code, "node %s: %s",
		       docker->node->name, status < 0 ? buf_str(&words) : reading->err.text);
}

static int read_log(struct docker *docker, const char *path, bool framed,
		    const struct log_request *asked, struct err *err)
{
	struct reading reading = {.frames = docker_frames_new(asked, framed),
				  .err = ERR_INIT,
				  .refusal = BUF_INIT(BUF_MAX_LINE)};
	const struct docker_request request = {.path = path,
					       .sink = take,
					       .sink_arg = &reading,
					       .total_ms = asked->follow ? -1 : 0};
	struct err why = ERR_INIT;
	int status = docker_ask(docker, &request, NULL, &why);
	int result = explain(docker, &reading, status, &why, err);

	if (result == 0)
		docker_frames_end(reading.frames);
	docker_frames_free(reading.frames);
	buf_release(&reading.refusal);
	return result;
}

int docker_logs(struct docker *docker, const struct log_request *request, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct docker_call call = {.docker = docker, .arena = arena};
	AUTO_JSON json_t *inspect = NULL;
	int there = docker_find(&call, request->name, &inspect, err);

	if (there < 0)
		return -1;
	if (there == 0)
		return err_set(err, E_NOT_FOUND, "node %s has no container %s", docker->node->name,
			       request->name);
	return read_log(docker, logs_path(arena, inspect, request), is_framed(inspect), request,
			err);
}

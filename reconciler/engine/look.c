#include "base/sys.h"

#include "base/json.h"
#include "engine/look.h"

/* What was started again has to run so long before it is taken to run well. */
#define FRESH_START_MS 60000

enum look_message { LOOK_OBSERVED = JOB_MSG_FIRST, LOOK_MEMO, LOOK_IMAGE, LOOK_LOG };

struct look {
	struct job *job;
	struct look_request request;
	struct look_result *result;
	struct err failure;
	VEC(struct look_image) images;
	VEC(struct look_log) logs;
	void (*done)(void *owner, struct look_result *result, const struct err *failure);
	void *owner;
};

/* ---- in the child ---- */

static int send_json(int fd, uint32_t type, const json_t *json, struct err *err)
{
	AUTO_BUF struct buf buf = BUF_INIT(MSG_MAX);
	json_write(json, &buf);
	if (buf.overflow)
		return err_set(err, E_TOO_LARGE, "the node's answer is larger than %zu bytes",
			       MSG_MAX);
	return msg_send(fd, type, buf.ptr, buf.len, err);
}

static json_t *resolve_image(struct driver *driver, const char *image)
{
	struct err err = ERR_INIT;
	AUTO_BUF struct buf digest = BUF_INIT(512);
	json_t *json = json_object();
	json_put_str(json, "image", image);
	if (driver->ops->resolve(driver, image, &digest, &err) == 0) {
		json_put_str(json, "digest", buf_str(&digest));
	} else {
		json_put_str(json, "error", err.text);
		json_put_str(json, "code", err_code_name(err.code));
		json_object_set_new(json, "rest", json_integer(err.rest_ms));
	}
	return json;
}

static json_t *read_log(struct driver *driver, const char *name)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);
	json_t *json = json_object();
	driver_tail(driver, name, LOOK_LOG_LINES, &text, NULL);
	json_put_str(json, "name", name);
	json_put_str(json, "text", buf_str(&text));
	return json;
}

/*
 * One that ends again and again may run in the moment of a look, and one that does not come up says
 * why while it is still on its way.
 */
static bool runs_well(const struct workload *workload)
{
	bool fresh = workload->restarts > 0 && workload->running_ms < FRESH_START_MS;
	return workload->state == RUN_RUNNING && !fresh &&
	       (workload->health == HEALTH_NONE || workload->health == HEALTH_HEALTHY);
}

static int send_observed(int fd, const struct observed *observed, struct err *err)
{
	AUTO_JSON json_t *json = observed_json(observed);
	size_t len = observed->memo ? strlen(observed->memo) : 0;
	if (send_json(fd, LOOK_OBSERVED, json, err) < 0)
		return -1;
	/* one that is too large is no loss */
	return len && len <= MSG_MAX ? msg_send(fd, LOOK_MEMO, observed->memo, len, err) : 0;
}

static int send_images(int fd, struct driver *driver, const struct look_request *request,
		       struct err *err)
{
	for (size_t i = 0; i < request->images_n; i++) {
		AUTO_JSON json_t *image = resolve_image(driver, request->images[i]);
		if (send_json(fd, LOOK_IMAGE, image, err) < 0)
			return -1;
	}
	return 0;
}

/* What a container said is asked in the same look that finds it ailing: it may soon be gone. */
static int send_logs(int fd, struct driver *driver, const struct observed *observed,
		     struct err *err)
{
	for (size_t i = 0; i < observed->workloads_n; i++) {
		if (runs_well(&observed->workloads[i]))
			continue;
		AUTO_JSON json_t *log = read_log(driver, observed->workloads[i].name);
		if (send_json(fd, LOOK_LOG, log, err) < 0)
			return -1;
	}
	return 0;
}

static int look_body(int fd, void *arg)
{
	const struct look_request *request = arg;
	struct err err = ERR_INIT;
	AUTO_ARENA struct arena *arena = arena_new(4096);
	AUTO_DRIVER struct driver *driver = NULL;
	struct observed observed = {0};
	bool whole = !request->only_images;
	if (driver_open(request->node, request->env, &driver, &err) < 0 ||
	    (whole && driver->ops->observe(driver, arena, &observed, &err) < 0) ||
	    (whole && send_observed(fd, &observed, &err) < 0) ||
	    send_images(fd, driver, request, &err) < 0 ||
	    send_logs(fd, driver, &observed, &err) < 0)
		return job_fail(fd, &err);
	return 0;
}

/* ---- in the parent ---- */

static void take_image(struct look *look, const json_t *json)
{
	struct arena *arena = look->result->arena;
	struct look_image image = {
		.image = arena_strdup(arena, json_str(json, "image", "")),
		.digest = arena_strdup(arena, json_str(json, "digest", NULL)),
		.error = arena_strdup(arena, json_str(json, "error", NULL)),
		.code = err_code_find(json_str(json, "code", "")),
		.rest_ms = json_int(json, "rest", 0),
	};
	VEC_PUSH(&look->images, image);
}

static void take_log(struct look *look, const json_t *json)
{
	struct arena *arena = look->result->arena;
	struct look_log log = {
		.name = arena_strdup(arena, json_str(json, "name", "")),
		.text = arena_strdup(arena, json_str(json, "text", "")),
	};
	VEC_PUSH(&look->logs, log);
}

static void take_message(void *owner, const struct msg *msg)
{
	struct look *look = owner;
	if (msg->type == LOOK_MEMO) {
		look->result->observed.memo =
			arena_strndup(look->result->arena, msg->data, msg->len);
		return;
	}
	AUTO_JSON json_t *json = json_read(msg->data, msg->len, MSG_MAX, &look->failure);
	if (!json)
		return;
	if (msg->type == LOOK_OBSERVED)
		observed_from_json(json, look->result->arena, &look->result->observed,
				   &look->failure);
	else if (msg->type == LOOK_IMAGE)
		take_image(look, json);
	else if (msg->type == LOOK_LOG)
		take_log(look, json);
}

static void copy_lists(struct look *look)
{
	struct look_result *result = look->result;
	result->images_n = look->images.n;
	result->logs_n = look->logs.n;
	if (look->images.n)
		result->images = arena_memdup(result->arena, look->images.v,
					      look->images.n * sizeof *look->images.v);
	if (look->logs.n)
		result->logs = arena_memdup(result->arena, look->logs.v,
					    look->logs.n * sizeof *look->logs.v);
}

static void free_look(struct look *look)
{
	look_result_free(look->result);
	VEC_FREE(&look->images);
	VEC_FREE(&look->logs);
	free(look);
}

static void look_ended(void *owner, const struct err *failure)
{
	struct look *look = owner;
	look->job = NULL;
	if (failure)
		look->failure = *failure;
	copy_lists(look);
	struct look_result *result = look->result;
	look->result = NULL;
	if (look->failure.code != E_NONE) {
		look_result_free(result);
		result = NULL;
	}
	look->done(look->owner, result, result ? NULL : &look->failure);
	free_look(look);
}

struct look *look_start(struct loop *loop, const struct look_request *request,
			void (*done)(void *owner, struct look_result *result,
				     const struct err *failure),
			void *owner, struct err *err)
{
	struct look *look = mem_zalloc(1, sizeof *look);
	look->request = *request;
	look->done = done;
	look->owner = owner;
	look->result = mem_zalloc(1, sizeof *look->result);
	look->result->arena = arena_new(1024);
	AUTO_FREE char *role = mem_printf("look %s", request->node->name);
	struct job_opts opts = {
		.role = role,
		.deadline_ms = request->deadline_ms ? request->deadline_ms : LOOK_DEADLINE_MS,
		.body = look_body,
		.arg = &look->request,
		.message = take_message,
		.ended = look_ended,
		.owner = look,
	};
	look->job = job_start(loop, &opts, err);
	if (look->job)
		return look;
	free_look(look);
	return NULL;
}

void look_cancel(struct look **look)
{
	if (!*look)
		return;
	job_cancel(&(*look)->job);
	free_look(*look);
	*look = NULL;
}

void look_result_free(struct look_result *result)
{
	if (!result)
		return;
	arena_free(result->arena);
	free(result);
}

struct look_now_state {
	struct look_result *result;
	struct err failure;
	bool done;
};

static void look_now_done(void *owner, struct look_result *result, const struct err *failure)
{
	struct look_now_state *state = owner;
	state->result = result;
	state->done = true;
	if (failure)
		state->failure = *failure;
}

struct look_result *look_now(const struct look_request *request, struct err *err)
{
	struct loop *loop = loop_new(err);
	if (!loop)
		return NULL;
	struct look_now_state state = {.failure = ERR_INIT};
	struct look *look = look_start(loop, request, look_now_done, &state, err);
	while (look && !state.done && loop_once(loop, -1, err) == 0)
		;
	if (state.done && !state.result && err)
		*err = state.failure;
	loop_free(loop);
	return state.result;
}

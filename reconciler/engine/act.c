#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "engine/act.h"

/* A child says no oftener than this how far it is, and what it has said already so often. */
#define PROGRESS_NEWS_MS 1000
#define PROGRESS_AGAIN_MS 5000

enum act_message { ACT_RESULT = JOB_MSG_FIRST, ACT_PROGRESS };

struct act {
	struct job *job;
	struct act_request request;
	void (*result)(void *owner, const struct act_result *result);
	void (*done)(void *owner, const struct err *failure);
	void *owner;
};

/* ---- in the child ---- */

static int send_result(int fd, const struct act_result *result, struct err *err)
{
	AUTO_JSON json_t *json = json_object();
	json_object_set_new(json, "group", json_integer((json_int_t)result->group));
	json_object_set_new(json, "op", json_integer((json_int_t)result->op));
	json_object_set_new(json, "ok", json_boolean(result->ok));
	json_object_set_new(json, "changed", json_boolean(result->changed));
	json_object_set_new(json, "took", json_integer(result->took_ms));
	json_put_str(json, "unheard", result->unheard);
	json_put_str(json, "code", err_code_name(result->code));
	json_put_str(json, "text", result->text);
	AUTO_BUF struct buf buf = BUF_INIT(MSG_MAX);
	json_write(json, &buf);
	return msg_send(fd, ACT_RESULT, buf.ptr, buf.len, err);
}

struct telling {
	int fd;
	size_t group, op;
	int64_t told_at; /* boot ms; 0: nothing yet */
	struct op_progress told;
};

static bool is_news(const struct op_progress *told, const struct op_progress *now)
{
	return told->layers != now->layers || told->layers_done != now->layers_done ||
	       told->bytes != now->bytes || told->total != now->total;
}

/* A driver speaks also when it has no news: what came too early to be told is told later. */
static void send_progress(void *arg, const struct op_progress *progress)
{
	struct telling *telling = arg;
	int64_t now = clock_boot_ms();
	int64_t rest = is_news(&telling->told, progress) ? PROGRESS_NEWS_MS : PROGRESS_AGAIN_MS;
	if (telling->told_at && now < telling->told_at + rest)
		return;
	telling->told_at = now;
	telling->told = *progress;
	AUTO_JSON json_t *json =
		json_pack("{s:I,s:I,s:o}", "group", (json_int_t)telling->group, "op",
			  (json_int_t)telling->op, "progress", op_progress_json(progress));
	AUTO_BUF struct buf buf = BUF_INIT(BUF_MAX_LINE);
	json_write(json, &buf);
	msg_send(telling->fd, ACT_PROGRESS, buf.ptr, buf.len, NULL);
}

/* Returns false when the group cannot go on. */
static bool act_one(int fd, struct driver *driver, const struct op *op, size_t group, size_t index)
{
	struct err err = ERR_INIT;
	struct telling telling = {.fd = fd, .group = group, .op = index};
	struct op_result done = {.detail = BUF_INIT(BUF_MAX_LINE),
				 .progress = send_progress,
				 .progress_arg = &telling};
	bool ok = driver->ops->apply(driver, op, &done, &err) == 0;
	struct act_result result = {
		.group = group,
		.op = index,
		.ok = ok,
		.changed = done.changed,
		.took_ms = done.took_ms,
		.unheard = done.unheard,
		.code = ok ? E_NONE : err.code,
		.text = ok ? buf_str(&done.detail) : err.text,
	};
	bool sent = send_result(fd, &result, NULL) == 0;
	buf_release(&done.detail);
	return ok && sent;
}

static int act_body(int fd, void *arg)
{
	const struct act_request *request = arg;
	struct err err = ERR_INIT;
	AUTO_DRIVER struct driver *driver = NULL;
	if (driver_open(request->node, request->env, &driver, &err) < 0)
		return job_fail(fd, &err);
	for (size_t g = 0; g < request->groups_n; g++) {
		const struct act_group *group = &request->groups[g];
		for (size_t i = 0; i < group->ops_n; i++)
			if (!act_one(fd, driver, &group->ops[i], g, i))
				break;
	}
	return 0;
}

/* ---- in the parent ---- */

static void take_progress(struct act *act, const json_t *json)
{
	struct act_progress progress = {
		.group = (size_t)json_int(json, "group", 0),
		.op = (size_t)json_int(json, "op", 0),
		.progress = op_progress_from_json(json_object_get(json, "progress")),
	};
	if (act->request.progress)
		act->request.progress(act->owner, &progress);
}

static void take_result(struct act *act, const json_t *json)
{
	struct act_result result = {
		.group = (size_t)json_int(json, "group", 0),
		.op = (size_t)json_int(json, "op", 0),
		.ok = json_flag(json, "ok", false),
		.changed = json_flag(json, "changed", false),
		.took_ms = json_int(json, "took", 0),
		.unheard = json_str(json, "unheard", ""),
		.code = err_code_find(json_str(json, "code", "")),
		.text = json_str(json, "text", ""),
	};
	act->result(act->owner, &result);
}

static void take_message(void *owner, const struct msg *msg)
{
	struct act *act = owner;
	AUTO_JSON json_t *json = json_read(msg->data, msg->len, MSG_MAX, NULL);
	if (msg->type == ACT_RESULT)
		take_result(act, json);
	else if (msg->type == ACT_PROGRESS)
		take_progress(act, json);
}

static void act_ended(void *owner, const struct err *failure)
{
	struct act *act = owner;
	void (*done)(void *, const struct err *) = act->done;
	void *who = act->owner;
	free(act);
	done(who, failure);
}

struct act *act_start(struct loop *loop, const struct act_request *request,
		      void (*result)(void *owner, const struct act_result *result),
		      void (*done)(void *owner, const struct err *failure), void *owner,
		      struct err *err)
{
	struct act *act = mem_zalloc(1, sizeof *act);
	act->request = *request;
	act->result = result;
	act->done = done;
	act->owner = owner;
	AUTO_FREE char *role = mem_printf("apply %s", request->node->name);
	struct job_opts opts = {
		.role = role,
		.deadline_ms = ACT_DEADLINE_MS,
		.body = act_body,
		.arg = &act->request,
		.message = take_message,
		.ended = act_ended,
		.owner = act,
	};
	act->job = job_start(loop, &opts, err);
	if (act->job)
		return act;
	free(act);
	return NULL;
}

void act_hurry(struct act *act)
{
	if (act)
		job_hurry(act->job);
}

#include "base/sys.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/proc.h"
#include "engine/job.h"

struct job {
	struct loop *loop;
	struct child child;
	struct loop_fd *source;
	struct loop_timer *timer;
	struct msg_reader reader;
	struct err failure;
	char role[64];
	bool open;    /* the pipe may bring more */
	bool running; /* the process has not been reaped */
	bool overran; /* TERM was sent because of the deadline */
	void (*message)(void *owner, const struct msg *msg);
	void (*ended)(void *owner, const struct err *failure);
	void *owner; /* ended NULL: cancelled */
};

static int kept_fd = -1;
static size_t cancelled; /* jobs whose end nobody but us waits for */

void job_keep(int fd)
{
	kept_fd = fd;
}

static void free_job(struct job *job)
{
	loop_fd_del(&job->source);
	loop_timer_del(&job->timer);
	msg_reader_release(&job->reader);
	if (job->child.fd >= 0)
		close(job->child.fd);
	free(job);
}

static void finish_if_done(struct job *job)
{
	if (job->open || job->running)
		return;
	void (*ended)(void *, const struct err *) = job->ended;
	void *owner = job->owner;
	struct err failure = job->failure;
	free_job(job);
	cancelled -= !ended;
	if (ended)
		ended(owner, failure.code == E_NONE ? NULL : &failure);
}

static void close_pipe(struct job *job)
{
	loop_fd_del(&job->source);
	job->open = false;
}

static void read_error(struct job *job, const struct msg *msg)
{
	AUTO_JSON json_t *json = json_read(msg->data, msg->len, BUF_MAX_LINE, NULL);
	enum err_code code = err_code_find(json_str(json, "code", ""));
	err_set(&job->failure, code == E_NONE ? E_INTERNAL : code, "%s",
		json_str(json, "text", "?"));
}

/* Takes what has come; returns false when the stream is over or torn. */
static bool take_messages(struct job *job)
{
	struct err err = ERR_INIT;
	int more = msg_reader_fill(&job->reader, job->child.fd, &err);
	struct msg msg;
	int got;
	while ((got = msg_reader_next(&job->reader, &msg, &err)) > 0) {
		if (msg.type == JOB_MSG_ERROR)
			read_error(job, &msg);
		else if (job->ended && job->message)
			job->message(job->owner, &msg);
	}
	if ((more < 0 || got < 0) && job->failure.code == E_NONE)
		job->failure = err;
	return more > 0 && got >= 0;
}

static void on_readable(void *arg, uint32_t events UNUSED)
{
	struct job *job = arg;
	if (!take_messages(job))
		close_pipe(job);
	finish_if_done(job);
}

static void on_exit_status(void *arg, int status)
{
	struct job *job = arg;
	job->running = false;
	loop_timer_del(&job->timer);
	/*
	 * What it wrote before it ended is still in the pipe. Its end of that may live on in a
	 * process of its own that it left behind: nobody waits for more.
	 */
	while (job->open && take_messages(job) && !job->reader.drained)
		;
	if (job->open)
		close_pipe(job);
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (!clean && job->failure.code == E_NONE) {
		char text[64];
		proc_status_text(status, text, sizeof text);
		err_set(&job->failure, job->overran ? E_DEADLINE : E_CHILD_DIED, "%s: %s%s",
			job->role, job->overran ? "did not end in time, " : "", text);
	}
	finish_if_done(job);
}

static void on_kill(void *arg)
{
	struct job *job = arg;
	job->timer = NULL;
	proc_kill(&job->child);
}

void job_hurry(struct job *job)
{
	if (!job->running)
		return;
	proc_terminate(&job->child);
	loop_timer_del(&job->timer);
	job->timer = loop_timer_add(job->loop, JOB_KILL_AFTER_MS, on_kill, job);
}

static void on_deadline(void *arg)
{
	struct job *job = arg;
	job->timer = NULL;
	job->overran = true;
	job_hurry(job);
}

struct job *job_start(struct loop *loop, const struct job_opts *opts, struct err *err)
{
	struct job *job = mem_zalloc(1, sizeof *job);
	job->loop = loop;
	job->child.fd = -1;
	job->message = opts->message;
	job->ended = opts->ended;
	job->owner = opts->owner;
	snprintf(job->role, sizeof job->role, "%s", opts->role);
	int keep[2];
	struct child_opts child = {.role = opts->role, .keep = keep};
	if (kept_fd >= 0)
		keep[child.keep_n++] = kept_fd;
	if (opts->keep)
		keep[child.keep_n++] = opts->keep;
	if (proc_fork(&job->child, &child, opts->body, opts->arg, err) < 0) {
		err_wrap(err, "%s", opts->role);
		free(job);
		return NULL;
	}
	job->open = job->running = true;
	job->source = loop_fd_add(loop, job->child.fd, EPOLLIN, on_readable, job);
	loop_child_add(loop, job->child.pid, on_exit_status, job);
	if (opts->deadline_ms > 0)
		job->timer = loop_timer_add(loop, opts->deadline_ms, on_deadline, job);
	return job;
}

void job_cancel(struct job **job)
{
	if (!*job)
		return;
	(*job)->ended = NULL;
	cancelled++;
	job_hurry(*job);
	*job = NULL;
}

void job_drain(struct loop *loop)
{
	while (cancelled && loop_once(loop, -1, NULL) == 0)
		;
}

int job_fail(int fd, const struct err *err)
{
	AUTO_JSON json_t *json = json_object();
	json_put_str(json, "code", err_code_name(err->code));
	json_put_str(json, "text", err->text);
	AUTO_BUF struct buf buf = BUF_INIT(BUF_MAX_LINE);
	json_write(json, &buf);
	msg_send(fd, JOB_MSG_ERROR, buf.ptr, buf.len, NULL);
	return 1;
}

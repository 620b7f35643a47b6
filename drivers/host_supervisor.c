#include "base/sys.h"
#include "drivers/host_supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/utf8.h"
#include "drivers/host.h"
#include "drivers/host_children.h"
#include "drivers/host_control.h"
#include "drivers/host_guard.h"
#include "drivers/host_health.h"
#include "drivers/host_live.h"
#include "drivers/host_log.h"
#include "drivers/host_orphans.h"
#include "drivers/host_place.h"
#include "drivers/host_run.h"

struct host_backoff host_backoff = {.first_ms = 1000, .max_ms = 300000, .reset_ms = 10000};

/* A status that could not be written is written again after this time: the disk may be full. */
#define WRITE_AGAIN_MS 1000

/*
 * Phases and events; the table at the end of this file says what happens.
 */
enum phase {
	PHASE_RUNNING,	/* the command runs */
	PHASE_STOPPING, /* it was asked to end; killed when its time is over */
	PHASE_CLEARING, /* it ended; what it left behind is killed */
	PHASE_WAITING,	/* to start it again */
	PHASES,
};
enum event {
	EVENT_ENDED, /* the command did */
	EVENT_ALONE, /* no child is left */
	EVENT_STOP,  /* somebody wants it stopped */
	EVENT_TIMER,
	EVENTS,
};

struct supervisor {
	const char *data_root;
	int dir, lock, ready; /* ready: -1 once it was told */
	struct arena *arena;
	struct loop *loop;
	struct host_spec spec;
	struct host_live live;
	struct host_cgroups cgroups;
	struct host_limits limits;
	struct host_run run, check;
	struct host_health health;
	struct host_log log;
	struct host_guard guard;
	enum phase phase;
	pid_t pid; /* of the command; 0 once it was reaped */
	bool stop; /* is wanted */
	bool gone; /* the control folder is: nobody will read a status any more */
	struct loop_timer *timer, *write_timer;
	int64_t backoff_ms;
	struct host_status status;
};

static void dispatch(struct supervisor *supervisor, enum event event);

/* ---- small things -------------------------------------------------------------------------- */

static void set_note(struct host_status *status, const char *text)
{
	size_t room = sizeof status->note - 1, len = strlen(text);

	len = len > room ? utf8_cut(text, room) : len;
	memcpy(status->note, text, len);
	status->note[len] = '\0';
}

static void timer_due(void *arg)
{
	struct supervisor *supervisor = arg;

	supervisor->timer = NULL;
	dispatch(supervisor, EVENT_TIMER);
}

static void set_timer(struct supervisor *supervisor, int64_t delay_ms)
{
	loop_timer_del(&supervisor->timer);
	supervisor->timer = loop_timer_add(supervisor->loop, delay_ms, timer_due, supervisor);
}

static void say_ready(struct supervisor *supervisor, const struct err *problem)
{
	AUTO_FREE char *line =
		problem ? mem_printf("%s: %s\n", err_code_name(problem->code), problem->text)
			: mem_strdup(HOST_READY "\n");

	if (supervisor->ready >= 0)
		(void)fs_write_all(supervisor->ready, line, strlen(line));
	fs_close_ptr(&supervisor->ready);
}

static void write_again(void *arg);

/* What cannot be written now stays in memory and is written later. */
static int write_status(struct supervisor *supervisor, struct err *err)
{
	struct host_status *status = &supervisor->status;

	status->health = supervisor->health.health;
	snprintf(status->check, sizeof status->check, "%s", supervisor->health.text);
	snprintf(status->limits, sizeof status->limits, "%s", supervisor->limits.text);
	loop_timer_del(&supervisor->write_timer);
	if (host_status_write(supervisor->dir, status, err) == 0)
		return 0;
	supervisor->write_timer =
		loop_timer_add(supervisor->loop, WRITE_AGAIN_MS, write_again, supervisor);
	return -1;
}

/* The last status is on disk: whoever starts the workload next need not wait for us to be gone. */
static void let_go(struct supervisor *supervisor)
{
	fs_close_ptr(&supervisor->lock);
	loop_stop(supervisor->loop);
}

static void write_again(void *arg)
{
	struct supervisor *supervisor = arg;
	bool over =
		supervisor->status.state == RUN_EXITED || supervisor->status.state == RUN_STOPPED;

	supervisor->write_timer = NULL;
	if (write_status(supervisor, NULL) == 0 && over)
		let_go(supervisor);
}

static void health_changed(void *arg)
{
	(void)write_status(arg, NULL);
}

/* ---- children ------------------------------------------------------------------------------ */

static void signal_command(const struct supervisor *supervisor, int signal_number)
{
	if (supervisor->pid)
		kill(-supervisor->pid, signal_number);
}

static void command_ended(struct supervisor *supervisor, int wait_status)
{
	struct host_status *status = &supervisor->status;
	int64_t oom_kills = host_limits_oom_kills(&supervisor->limits);

	supervisor->pid = 0;
	status->exit_code =
		WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
	proc_status_text(wait_status, status->note, sizeof status->note);
	if (oom_kills > 0)
		snprintf(status->note, sizeof status->note,
			 "killed by the kernel: it wanted more memory than its bound");
	dispatch(supervisor, EVENT_ENDED);
}

/* Everything that has ended is looked at before it is reaped: until then its number is its own. */
static void reap(struct supervisor *supervisor)
{
	siginfo_t info;
	int status;

	for (;;) {
		info = (siginfo_t){0};
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
			break;
		status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
						    : W_EXITCODE(0, info.si_status);
		if (!host_health_ended(&supervisor->health, info.si_pid, status) &&
		    info.si_pid == supervisor->pid)
			command_ended(supervisor, status);
		(void)waitpid(info.si_pid, &status, 0);
	}
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD)
		dispatch(supervisor, EVENT_ALONE);
	else if (supervisor->phase == PHASE_CLEARING)
		host_children_signal(SIGKILL, 0);
}

static void caught_child(void *arg, int signal_number)
{
	(void)signal_number;
	reap(arg);
}

/* ---- starting and ending ------------------------------------------------------------------- */

static void finish(struct supervisor *supervisor, enum run_state state)
{
	struct host_status *status = &supervisor->status;

	loop_timer_del(&supervisor->timer);
	(void)host_place_tmp(supervisor->data_root, &supervisor->spec.spec, &supervisor->run.user,
			     false, NULL);
	host_limits_remove(&supervisor->cgroups, supervisor->spec.id);
	status->state = state;
	status->stopping = false;
	status->pid = 0;
	status->run[0] = '\0'; /* nothing of it is left to be looked for */
	if (write_status(supervisor, NULL) == 0 || supervisor->gone)
		let_go(supervisor);
}

static bool wants_restart(const struct supervisor *supervisor)
{
	return host_live_restarts(&supervisor->live, supervisor->status.exit_code);
}

static void wait_for_restart(struct supervisor *supervisor)
{
	struct host_status *status = &supervisor->status;
	AUTO_FREE char *why = mem_strdup(status->note);
	char delay[NUM_TEXT_MAX];

	if (clock_boot_ms() - status->started_ms >= host_backoff.reset_ms)
		supervisor->backoff_ms = host_backoff.first_ms;
	snprintf(status->note, sizeof status->note, "%.200s; starts again after %s", why,
		 num_format_duration(supervisor->backoff_ms, delay));
	status->state = RUN_RESTARTING;
	status->pid = 0;
	supervisor->phase = PHASE_WAITING;
	set_timer(supervisor, supervisor->backoff_ms);
	supervisor->backoff_ms *= 2;
	if (supervisor->backoff_ms > host_backoff.max_ms)
		supervisor->backoff_ms = host_backoff.max_ms;
	(void)write_status(supervisor, NULL);
}

static void run_is_over(struct supervisor *supervisor)
{
	host_log_close_pipe(&supervisor->log);
	if (supervisor->stop)
		finish(supervisor, RUN_STOPPED);
	else if (wants_restart(supervisor))
		wait_for_restart(supervisor);
	else
		finish(supervisor, RUN_EXITED);
}

static int spawn(struct supervisor *supervisor, struct err *err)
{
	struct host_status *status = &supervisor->status;
	int output AUTO_FD = -1;

	status->starts++;
	status->started_ms = clock_boot_ms();
	status->note[0] = '\0';
	if (host_place_tmp(supervisor->data_root, &supervisor->spec.spec, &supervisor->run.user,
			   true, err) != 0)
		return -1;
	output = host_log_open_pipe(&supervisor->log, err);
	if (output < 0)
		return -1;
	supervisor->pid = host_run_spawn(&supervisor->run, output, err);
	if (supervisor->pid < 0) {
		supervisor->pid = 0;
		return -1;
	}
	status->pid = supervisor->pid;
	status->start_time = proc_start_time(supervisor->pid);
	status->state = RUN_RUNNING;
	supervisor->phase = PHASE_RUNNING;
	host_health_start(&supervisor->health);
	return 0;
}

static void start_again(struct supervisor *supervisor)
{
	struct err problem = ERR_INIT;

	if (spawn(supervisor, &problem) == 0) {
		(void)write_status(supervisor, NULL);
		return;
	}
	supervisor->status.exit_code = 127;
	set_note(&supervisor->status, problem.text);
	run_is_over(supervisor);
}

/* ---- what happens -------------------------------------------------------------------------- */

static void stop_command(struct supervisor *supervisor)
{
	supervisor->stop = true;
	supervisor->phase = PHASE_STOPPING;
	supervisor->status.stopping = true;
	host_health_stop(&supervisor->health);
	(void)write_status(supervisor, NULL);
	signal_command(supervisor, supervisor->live.stop_signal);
	signal_command(supervisor, SIGCONT); /* one that is stopped could not hear it */
	set_timer(supervisor, supervisor->live.stop_timeout_ms);
}

static void kill_all(struct supervisor *supervisor)
{
	signal_command(supervisor, SIGKILL);
	host_children_signal(SIGKILL, 0);
	supervisor->phase = PHASE_CLEARING;
}

static void clear_rest(struct supervisor *supervisor)
{
	supervisor->phase = PHASE_CLEARING;
	host_health_stop(&supervisor->health);
}

/* Those who left its process group have not been asked yet. */
static void ask_rest(struct supervisor *supervisor)
{
	host_children_signal(supervisor->live.stop_signal, (pid_t)supervisor->status.pid);
}

static void want_stop(struct supervisor *supervisor)
{
	supervisor->stop = true;
}

static void give_up_waiting(struct supervisor *supervisor)
{
	supervisor->stop = true;
	run_is_over(supervisor);
}

static void ignore(struct supervisor *supervisor)
{
	(void)supervisor;
}

static void (*const table[PHASES][EVENTS])(struct supervisor *supervisor) = {
	/*                   ENDED         ALONE         STOP              TIMER */
	[PHASE_RUNNING] = {clear_rest, ignore, stop_command, ignore},
	[PHASE_STOPPING] = {ask_rest, run_is_over, ignore, kill_all},
	[PHASE_CLEARING] = {ignore, run_is_over, want_stop, ignore},
	[PHASE_WAITING] = {ignore, ignore, give_up_waiting, start_again},
};

static void dispatch(struct supervisor *supervisor, enum event event)
{
	table[supervisor->phase][event](supervisor);
}

static void folder_gone(void *arg)
{
	struct supervisor *supervisor = arg;

	supervisor->gone = true;
	dispatch(supervisor, EVENT_STOP);
}

/* ---- signals ------------------------------------------------------------------------------- */

static void caught_stop(void *arg, int signal_number)
{
	(void)signal_number;
	dispatch(arg, EVENT_STOP);
}

static void take_live(struct supervisor *supervisor, const struct container *config)
{
	host_live_read(config, &supervisor->live);
	host_limits_set(&supervisor->limits, &supervisor->cgroups, supervisor->spec.id,
			&supervisor->live.resources);
}

static void adopt(void *arg, pid_t pid, int pidfd)
{
	(void)pidfd;
	host_limits_adopt(arg, pid);
}

/* The rest of the spec cannot change in a workload that exists. */
static void caught_reload(void *arg, int signal_number)
{
	struct supervisor *supervisor = arg;
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct host_spec now;

	(void)signal_number;
	if (host_spec_read(supervisor->dir, arena, &now, NULL) != 0)
		return;
	take_live(supervisor, now.spec.config);
	(void)host_run_each(supervisor->status.run, adopt, &supervisor->limits, NULL);
	(void)write_status(supervisor, NULL);
	if (supervisor->phase == PHASE_WAITING && !wants_restart(supervisor))
		finish(supervisor, RUN_EXITED);
}

static void caught_nothing(void *arg, int signal_number)
{
	(void)arg;
	(void)signal_number;
}

static int take_signals(struct supervisor *supervisor, struct err *err)
{
	static const struct {
		int number;
		void (*caught)(void *arg, int signal_number);
	} signals[] = {
		{SIGTERM, caught_stop},	  {SIGHUP, caught_reload},   {SIGCHLD, caught_child},
		{SIGINT, caught_nothing}, {SIGQUIT, caught_nothing}, {SIGPIPE, caught_nothing},
	};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		if (loop_signal_add(supervisor->loop, signals[i].number, signals[i].caught,
				    supervisor, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- the beginning ------------------------------------------------------------------------- */

static int open_workload(struct supervisor *supervisor, const char *name, struct err *err)
{
	AUTO_FREE char *path = mem_printf("%s/" HOST_WORKLOADS "/%s", supervisor->data_root, name);

	supervisor->dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (supervisor->dir < 0)
		return err_errno(err, E_NOT_FOUND, "%s", path);
	supervisor->log = (struct host_log)HOST_LOG_INIT(supervisor->dir, supervisor->loop);
	supervisor->lock = host_lock_take(supervisor->dir, err);
	if (supervisor->lock < 0 ||
	    host_guard_open(&supervisor->guard, supervisor->loop, supervisor->dir, folder_gone,
			    supervisor, err) != 0)
		return -1;
	return host_spec_read(supervisor->dir, supervisor->arena, &supervisor->spec, err);
}

/* The run id is on record before the first process has it: see the top of host.h. */
static int open_run(struct supervisor *supervisor, struct err *err)
{
	struct host_status *status = &supervisor->status, last;
	unsigned char random[(HOST_RUN_SIZE - 1) / 2];

	if (host_status_read(supervisor->dir, &last, NULL) != 0)
		last = (struct host_status)HOST_STATUS_INIT;
	*status = (struct host_status)HOST_STATUS_INIT;
	status->starts = last.starts;
	status->exit_code = last.exit_code;
	hash_random(random, sizeof random);
	hash_to_hex(random, sizeof random, status->run);
	host_boot_id(status->boot);
	return write_status(supervisor, err);
}

static int prepare(struct supervisor *supervisor, struct err *err)
{
	const struct spec *spec = &supervisor->spec.spec;
	const struct health_check *check = spec->config->health_check;
	struct host_health *health = &supervisor->health;

	if (host_run_prepare(supervisor->arena, supervisor->data_root, spec, supervisor->status.run,
			     &supervisor->run, err) != 0)
		return -1;
	health->check = check;
	health->like = &supervisor->run;
	health->changed = health_changed;
	health->arg = supervisor;
	if (check && check->command.n > 0) {
		if (host_run_command(supervisor->arena, &supervisor->run, supervisor->data_root,
				     spec, &check->command, &supervisor->check, err) != 0)
			return err_wrap(err, "health check");
		health->command = &supervisor->check;
	}
	host_cgroups_find(&supervisor->cgroups);
	take_live(supervisor, spec->config);
	supervisor->run.limits = &supervisor->limits;
	return 0;
}

static int begin(struct supervisor *supervisor, const char *name, struct err *err)
{
	struct err problem = ERR_INIT;

	supervisor->loop = loop_new(err);
	if (!supervisor->loop || take_signals(supervisor, err) != 0)
		return -1;
	host_health_init(&supervisor->health, supervisor->loop);
	if (open_workload(supervisor, name, err) != 0 || open_run(supervisor, err) != 0)
		return -1;
	if (prepare(supervisor, &problem) == 0 && spawn(supervisor, &problem) == 0 &&
	    write_status(supervisor, &problem) == 0)
		return 0;
	/* What was started although its status could not be written is ended like everything. */
	supervisor->live.restart = RESTART_NO;
	kill_all(supervisor);
	supervisor->status.exit_code = 127;
	set_note(&supervisor->status, problem.text);
	if (!supervisor->pid) {
		host_log_close_pipe(&supervisor->log);
		finish(supervisor, RUN_EXITED);
	}
	say_ready(supervisor, &problem);
	return 0;
}

static void release(struct supervisor *supervisor)
{
	host_health_stop(&supervisor->health);
	host_log_close_pipe(&supervisor->log);
	loop_timer_del(&supervisor->timer);
	loop_timer_del(&supervisor->write_timer);
	host_guard_release(&supervisor->guard);
	loop_free(supervisor->loop);
	buf_release(&supervisor->health.output);
	host_run_release(&supervisor->run);
	host_limits_release(&supervisor->limits);
	host_cgroups_release(&supervisor->cgroups);
	host_log_release(&supervisor->log);
	fs_close_ptr(&supervisor->lock);
	fs_close_ptr(&supervisor->dir);
	arena_free(supervisor->arena);
}

int host_supervise(int argc, char **argv)
{
	struct supervisor supervisor = {
		.dir = -1, .lock = -1, .ready = -1, .run.directory = -1, .guard = HOST_GUARD_INIT};
	struct err problem = ERR_INIT;
	int status = EXIT_DONE;

	if (argc != 4)
		return EXIT_USAGE;
	supervisor.data_root = argv[2];
	supervisor.ready = fcntl(HOST_READY_FD, F_SETFD, FD_CLOEXEC) == 0 ? HOST_READY_FD : -1;
	supervisor.arena = arena_new(0);
	supervisor.log = (struct host_log)HOST_LOG_INIT(-1, NULL);
	supervisor.backoff_ms = host_backoff.first_ms;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (begin(&supervisor, argv[3], &problem) == 0) {
		say_ready(&supervisor, NULL);
		if (loop_run(supervisor.loop, NULL) != 0)
			status = EXIT_ERROR;
	} else {
		say_ready(&supervisor, &problem);
		status = EXIT_ERROR;
	}
	release(&supervisor);
	return status;
}

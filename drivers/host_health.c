#include "base/sys.h"
#include "drivers/host_health.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/proc.h"
#include "drivers/probe.h"
#include "schema/kinds.h"

#define OUTPUT_MAX ((size_t)4096)

#define SETTING(health, name) KIND_OR((health)->check, health_check, name)

void host_health_init(struct host_health *health, struct loop *loop)
{
	*health = (struct host_health){
		.loop = loop, .health = HEALTH_NONE, .pipe = -1, .output = BUF_INIT(OUTPUT_MAX)};
}

/* ---- HTTP and TCP, in a child -------------------------------------------------------------- */

/* The exit status. Whoever started this ends it in time. */
static int ask_once(const struct health_check *check)
{
	struct probe_target target = probe_target_of(check, NULL);
	struct buf why AUTO_BUF = BUF_INIT(OUTPUT_MAX);
	struct probe probe AUTO_PROBE;

	target.timeout_ms = INT_MAX;
	probe_begin(&probe, &target);
	probe_all(&probe, 1);
	if (probe_judge(&probe, check, &why))
		return 0;
	dprintf(STDOUT_FILENO, "%s\n", buf_str(&why));
	return 1;
}

/* In a session of its own, as commands are, so that one signal ends all of it. */
NORETURN
static void be_check(const struct host_health *health, pid_t parent, int output)
{
	if (setsid() < 0 || host_user_become(&health->like->user) != 0 ||
	    host_run_child(parent, output, STDERR_FILENO) != 0)
		_exit(1);
	_exit(ask_once(health->check));
}

static pid_t spawn_check(struct host_health *health, int output)
{
	struct err problem = ERR_INIT;
	pid_t parent = getpid(), pid;

	if (health->command) {
		pid = host_run_spawn(health->command, output, &problem);
		if (pid < 0)
			buf_adds(&health->output, problem.text);
		return pid;
	}
	pid = fork();
	if (pid == 0)
		be_check(health, parent, output);
	return pid;
}

/* ---- results ------------------------------------------------------------------------------- */

static void check_now(void *arg);

static void schedule(struct host_health *health)
{
	health->next = loop_timer_add(health->loop, health->count.delay_ms, check_now, health);
}

/* The last line of what a check wrote, fit for people. */
static void take_text(struct host_health *health, const char *why)
{
	struct buf clean AUTO_BUF = BUF_INIT(OUTPUT_MAX);
	const char *text, *line;

	buf_add_clean(&clean, buf_str(&health->output), health->output.len);
	while (clean.len && clean.ptr[clean.len - 1] == '\n')
		clean.ptr[--clean.len] = '\0';
	text = buf_str(&clean);
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	snprintf(health->text, sizeof health->text, "%s%s%s", why, *why && *line ? ": " : "", line);
}

static void finish(struct host_health *health, bool success, const char *why)
{
	enum run_health before = health->health;
	char text_before[sizeof health->text];

	memcpy(text_before, health->text, sizeof text_before);
	loop_timer_del(&health->deadline);
	loop_fd_del(&health->pipe_source);
	fs_close_ptr(&health->pipe);
	health->pid = 0;
	if (success)
		health->text[0] = '\0';
	else
		take_text(health, why);
	health_note(&health->count, health->check, success, clock_boot_ms());
	health->health = health->count.health;
	buf_clear(&health->output);
	schedule(health);
	if (before != health->health || !str_eq(text_before, health->text))
		health->changed(health->arg);
}

static void read_output(struct host_health *health)
{
	char bytes[1024];
	ssize_t n = 0;

	while (health->pipe >= 0 && (n = read(health->pipe, bytes, sizeof bytes)) > 0) {
		if (health->output.len + (size_t)n <= OUTPUT_MAX)
			buf_add(&health->output, bytes, (size_t)n);
	}
	if (health->pipe >= 0 && n == 0)
		loop_fd_del(&health->pipe_source);
}

static void output_ready(void *arg, uint32_t events)
{
	(void)events;
	read_output(arg);
}

bool host_health_ended(struct host_health *health, pid_t pid, int wait_status)
{
	char why[96] = "";

	if (pid != health->pid || pid == 0)
		return false;
	read_output(health);
	kill(-pid, SIGKILL); /* what it may have left behind */
	if (health->timed_out)
		snprintf(why, sizeof why, "no answer within %lld ms",
			 (long long)SETTING(health, timeout));
	else if (health->command)
		proc_status_text(wait_status, why, sizeof why);
	finish(health, !health->timed_out && wait_status == 0, why);
	return true;
}

/* ---- running ------------------------------------------------------------------------------- */

static void too_late(void *arg)
{
	struct host_health *health = arg;

	health->deadline = NULL;
	health->timed_out = true;
	kill(-health->pid, SIGKILL);
	kill(health->pid, SIGKILL); /* it may not have made its session yet */
}

static void check_now(void *arg)
{
	struct host_health *health = arg;
	int ends[2];

	health->next = NULL;
	health->timed_out = false;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		finish(health, false, "no pipe for the check");
		return;
	}
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	health->pipe = ends[0];
	health->pid = spawn_check(health, ends[1]);
	close(ends[1]);
	if (health->pid < 0) {
		finish(health, false, "the check could not be started");
		return;
	}
	health->pipe_source = loop_fd_add(health->loop, ends[0], EPOLLIN, output_ready, health);
	health->deadline = loop_timer_add(health->loop, SETTING(health, timeout), too_late, health);
}

void host_health_start(struct host_health *health)
{
	health->text[0] = '\0';
	health->health = health->check ? HEALTH_STARTING : HEALTH_NONE;
	if (!health->check)
		return;
	health_begin(&health->count, health->check, 0, clock_boot_ms());
	schedule(health);
}

void host_health_stop(struct host_health *health)
{
	loop_timer_del(&health->next);
	loop_timer_del(&health->deadline);
	loop_fd_del(&health->pipe_source);
	fs_close_ptr(&health->pipe);
	if (health->pid > 0) {
		kill(-health->pid, SIGKILL);
		kill(health->pid, SIGKILL);
	}
	health->pid = 0;
	buf_clear(&health->output);
	health->text[0] = '\0';
	health->health = health->check ? HEALTH_UNKNOWN : HEALTH_NONE;
}

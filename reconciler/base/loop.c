#include "base/sys.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/vec.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS_A_TURN 64
/* How often a child is looked at for which there was no descriptor left. */
#define LOOK_AGAIN_MS 50

struct loop_fd {
	struct loop *loop;
	int fd; /* -1: removed, freed at the end of the turn */
	void (*ready)(void *arg, uint32_t events);
	void *arg;
};

struct loop_timer {
	struct loop *loop;
	int64_t due_us;
	uint64_t number; /* timers of one time run in the order they were added */
	size_t place;	 /* in the heap */
	void (*due)(void *arg);
	void *arg;
};

struct loop_child {
	struct loop *loop;
	pid_t pid; /* 0: removed, freed at the end of the turn */
	int pidfd; /* -1: there was none to be had; looked at by timer */
	struct loop_fd *source;
	void (*ended)(void *arg, int wait_status);
	void *arg;
};

struct loop_signal {
	void (*caught)(void *arg, int signal);
	void *arg;
	bool unblock; /* it was not blocked before */
};

struct loop {
	int epoll, timer, signals;
	struct loop_fd *timer_source, *signal_source;
	int64_t armed_us;		 /* what the timer is set to; 0: off */
	VEC(struct loop_timer *) timers; /* a binary heap */
	uint64_t timers_added;
	VEC(struct loop_fd *) removed_fds;
	VEC(struct loop_child *) children, removed_children;
	struct loop_timer *child_timer;
	struct loop_signal handlers[NSIG];
	sigset_t caught;
	void (*turn)(void *arg);
	void *turn_arg;
	bool stopped;
};

/* ---- descriptors --------------------------------------------------------------------------- */

struct loop_fd *loop_fd_add(struct loop *loop, int fd, uint32_t events,
			    void (*ready)(void *arg, uint32_t events), void *arg)
{
	struct loop_fd *source = mem_alloc(sizeof *source);
	struct epoll_event event = {.events = events, .data.ptr = source};

	*source = (struct loop_fd){.loop = loop, .fd = fd, .ready = ready, .arg = arg};
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		int number = errno;

		free(source);
		errno = number;
		return NULL;
	}
	return source;
}

void loop_fd_set(struct loop_fd *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	epoll_ctl(source->loop->epoll, EPOLL_CTL_MOD, source->fd, &event);
}

void loop_fd_del(struct loop_fd **source)
{
	struct loop_fd *gone = *source;

	*source = NULL;
	if (!gone)
		return;
	epoll_ctl(gone->loop->epoll, EPOLL_CTL_DEL, gone->fd, NULL);
	gone->fd = -1;
	VEC_PUSH(&gone->loop->removed_fds, gone);
}

/* ---- timers -------------------------------------------------------------------------------- */

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->number < b->number;
}

static void put_at(struct loop *loop, size_t place, struct loop_timer *timer)
{
	loop->timers.v[place] = timer;
	timer->place = place;
}

static void sift_up(struct loop *loop, struct loop_timer *timer)
{
	size_t place = timer->place;

	while (place > 0 && is_before(timer, loop->timers.v[(place - 1) / 2])) {
		put_at(loop, place, loop->timers.v[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put_at(loop, place, timer);
}

static void sift_down(struct loop *loop, struct loop_timer *timer)
{
	size_t place = timer->place;

	for (;;) {
		size_t child = 2 * place + 1;

		if (child >= loop->timers.n)
			break;
		if (child + 1 < loop->timers.n &&
		    is_before(loop->timers.v[child + 1], loop->timers.v[child]))
			child++;
		if (!is_before(loop->timers.v[child], timer))
			break;
		put_at(loop, place, loop->timers.v[child]);
		place = child;
	}
	put_at(loop, place, timer);
}

struct loop_timer *loop_timer_add(struct loop *loop, int64_t delay_ms, void (*due)(void *arg),
				  void *arg)
{
	struct loop_timer *timer = mem_alloc(sizeof *timer);
	int64_t delay_us;

	if (delay_ms < 0)
		delay_ms = 0;
	if (__builtin_mul_overflow(delay_ms, 1000, &delay_us) || delay_us > INT64_MAX / 2)
		delay_us = INT64_MAX / 2;
	*timer = (struct loop_timer){.loop = loop,
				     .due_us = clock_boot_us() + delay_us,
				     .number = loop->timers_added++,
				     .place = loop->timers.n,
				     .due = due,
				     .arg = arg};
	VEC_PUSH(&loop->timers, timer);
	sift_up(loop, timer);
	return timer;
}

void loop_timer_del(struct loop_timer **timer)
{
	struct loop_timer *gone = *timer, *last;
	struct loop *loop;

	*timer = NULL;
	if (!gone)
		return;
	loop = gone->loop;
	last = loop->timers.v[--loop->timers.n];
	if (last != gone) {
		last->place = gone->place;
		sift_up(loop, last);
		sift_down(loop, last);
	}
	free(gone);
}

/* What a callback adds, even without delay, is for the next turn: descriptors get theirs first. */
static void run_due_timers(struct loop *loop)
{
	int64_t now = clock_boot_us();
	uint64_t added_before = loop->timers_added;

	while (loop->timers.n) {
		struct loop_timer *first = loop->timers.v[0];
		struct loop_timer copy = *first;

		if (copy.due_us > now || copy.number >= added_before)
			return;
		loop_timer_del(&first);
		copy.due(copy.arg);
	}
}

/*
 * The wait ends by a timerfd and not by epoll's own timeout, since that one stands still while the
 * machine sleeps. It is set only when the first time changes.
 */
static int arm(struct loop *loop, struct err *err)
{
	int64_t first = loop->timers.n ? loop->timers.v[0]->due_us : 0;
	struct itimerspec when = {
		.it_value = {.tv_sec = first / 1000000, .tv_nsec = first % 1000000 * 1000}};

	if (first == loop->armed_us)
		return 0;
	if (timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &when, NULL) != 0)
		return err_errno(err, E_INTERNAL, "set timer");
	loop->armed_us = first;
	return 0;
}

/* Nothing to do but to wake: due timers run in every turn, and arm() clears the readiness. */
static void timer_ready(void *arg, uint32_t events)
{
	struct loop *loop = arg;

	(void)events;
	loop->armed_us = -1;
}

/* ---- signals ------------------------------------------------------------------------------- */

static void signal_ready(void *arg, uint32_t events)
{
	struct loop *loop = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(loop->signals, &info, sizeof info) == sizeof info) {
		const struct loop_signal *handler = &loop->handlers[info.ssi_signo];

		if (handler->caught)
			handler->caught(handler->arg, (int)info.ssi_signo);
	}
}

static int watch_signals(struct loop *loop)
{
	int fd = signalfd(loop->signals, &loop->caught, SFD_NONBLOCK | SFD_CLOEXEC);

	if (fd < 0)
		return -1;
	loop->signals = fd;
	if (!loop->signal_source)
		loop->signal_source = loop_fd_add(loop, fd, EPOLLIN, signal_ready, loop);
	return loop->signal_source ? 0 : -1;
}

int loop_signal_add(struct loop *loop, int signal, void (*caught)(void *arg, int signal), void *arg,
		    struct err *err)
{
	sigset_t one, before;

	if (signal <= 0 || signal >= NSIG)
		return err_set(err, E_INTERNAL, "there is no signal %d", signal);
	sigemptyset(&one);
	sigaddset(&one, signal);
	sigprocmask(SIG_BLOCK, &one, &before);
	sigaddset(&loop->caught, signal);
	if (watch_signals(loop) != 0)
		return err_errno(err, E_INTERNAL, "watch signals");
	if (!loop->handlers[signal].caught)
		loop->handlers[signal].unblock = !sigismember(&before, signal);
	loop->handlers[signal].caught = caught;
	loop->handlers[signal].arg = arg;
	return 0;
}

/* ---- children ------------------------------------------------------------------------------ */

static void forget_child(struct loop_child *child)
{
	struct loop *loop = child->loop;

	for (size_t i = 0; i < loop->children.n; i++) {
		if (loop->children.v[i] == child)
			loop->children.v[i] = loop->children.v[--loop->children.n];
	}
	loop_fd_del(&child->source);
	fs_close_ptr(&child->pidfd);
	child->pid = 0;
	VEC_PUSH(&loop->removed_children, child);
}

/* Calls `ended` when the child has ended, also when somebody else took its status (-1). */
static void look_at_child(struct loop_child *child)
{
	int status = -1;
	pid_t pid = child->pid ? waitpid(child->pid, &status, WNOHANG) : 0;

	if (pid == 0 || (pid < 0 && errno != ECHILD))
		return;
	forget_child(child);
	child->ended(child->arg, pid < 0 ? -1 : status);
}

static void child_ready(void *arg, uint32_t events)
{
	(void)events;
	look_at_child(arg);
}

static void look_at_children(void *arg)
{
	struct loop *loop = arg;
	bool more = false;

	loop->child_timer = NULL;
	/* Backwards, since one that has ended is replaced by the last. */
	for (size_t i = loop->children.n; i-- > 0;) {
		if (i < loop->children.n && !loop->children.v[i]->source)
			look_at_child(loop->children.v[i]);
	}
	for (size_t i = 0; i < loop->children.n; i++)
		more = more || !loop->children.v[i]->source;
	if (more && !loop->child_timer)
		loop->child_timer = loop_timer_add(loop, LOOK_AGAIN_MS, look_at_children, loop);
}

void loop_child_add(struct loop *loop, pid_t pid, void (*ended)(void *arg, int wait_status),
		    void *arg)
{
	struct loop_child *child = mem_alloc(sizeof *child);

	*child = (struct loop_child){
		.loop = loop, .pid = pid, .pidfd = pidfd_open(pid, 0), .ended = ended, .arg = arg};
	if (child->pidfd >= 0)
		child->source = loop_fd_add(loop, child->pidfd, EPOLLIN, child_ready, child);
	if (!child->source && !loop->child_timer)
		loop->child_timer = loop_timer_add(loop, 0, look_at_children, loop);
	VEC_PUSH(&loop->children, child);
}

void loop_child_del(struct loop *loop, pid_t pid)
{
	for (size_t i = 0; i < loop->children.n; i++) {
		if (loop->children.v[i]->pid == pid) {
			forget_child(loop->children.v[i]);
			return;
		}
	}
}

/* ---- the loop itself ----------------------------------------------------------------------- */

struct loop *loop_new(struct err *err)
{
	struct loop *loop = mem_zalloc(1, sizeof *loop);

	loop->signals = -1;
	sigemptyset(&loop->caught);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->epoll >= 0 && loop->timer >= 0)
		loop->timer_source = loop_fd_add(loop, loop->timer, EPOLLIN, timer_ready, loop);
	if (!loop->timer_source) {
		err_errno(err, E_INTERNAL, "make event loop");
		loop_free(loop);
		return NULL;
	}
	return loop;
}

static void free_removed(struct loop *loop)
{
	for (size_t i = 0; i < loop->removed_fds.n; i++)
		free(loop->removed_fds.v[i]);
	VEC_CLEAR(&loop->removed_fds);
	for (size_t i = 0; i < loop->removed_children.n; i++)
		free(loop->removed_children.v[i]);
	VEC_CLEAR(&loop->removed_children);
}

static void unblock_signals(const struct loop *loop)
{
	sigset_t ours;

	sigemptyset(&ours);
	for (int signal = 1; signal < NSIG; signal++) {
		if (loop->handlers[signal].unblock)
			sigaddset(&ours, signal);
	}
	sigprocmask(SIG_UNBLOCK, &ours, NULL);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->children.n)
		forget_child(loop->children.v[0]);
	for (size_t i = 0; i < loop->timers.n; i++)
		free(loop->timers.v[i]);
	loop_fd_del(&loop->timer_source);
	loop_fd_del(&loop->signal_source);
	free_removed(loop);
	VEC_FREE(&loop->removed_fds);
	VEC_FREE(&loop->removed_children);
	VEC_FREE(&loop->children);
	VEC_FREE(&loop->timers);
	fs_close_ptr(&loop->epoll);
	fs_close_ptr(&loop->timer);
	fs_close_ptr(&loop->signals);
	unblock_signals(loop);
	free(loop);
}

void loop_turn_set(struct loop *loop, void (*turn)(void *arg), void *arg)
{
	loop->turn = turn;
	loop->turn_arg = arg;
}

static void dispatch(const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		const struct loop_fd *source = events[i].data.ptr;

		/* An earlier callback of this turn may have removed it. */
		if (source->fd >= 0)
			source->ready(source->arg, events[i].events);
	}
}

int loop_once(struct loop *loop, int64_t timeout_ms, struct err *err)
{
	struct epoll_event events[EVENTS_A_TURN];
	int timeout = timeout_ms < 0 ? -1 : timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
	int n;

	if (arm(loop, err) != 0)
		return -1;
	n = epoll_wait(loop->epoll, events, EVENTS_A_TURN, timeout);
	if (n < 0 && errno != EINTR)
		return err_errno(err, E_INTERNAL, "wait for events");
	dispatch(events, n);
	run_due_timers(loop);
	if (loop->turn)
		loop->turn(loop->turn_arg);
	free_removed(loop);
	return 0;
}

int loop_run(struct loop *loop, struct err *err)
{
	/* What was prepared before may need no event at all. */
	int64_t timeout_ms = 0;

	while (!loop->stopped) {
		if (loop_once(loop, timeout_ms, err) != 0)
			return -1;
		timeout_ms = -1;
	}
	loop->stopped = false;
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

int loop_descriptor(struct loop *loop, struct err *err)
{
	return arm(loop, err) == 0 ? loop->epoll : -1;
}

#include "base/sys.h"

#include <malloc.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/control.h"
#include "engine/streams.h"
#include "engine/watcher.h"
#include "schema/kinds.h"
#include "source/watch.h"

/* Time for children to end after SIGTERM before they are left to their own death. */
#define STOP_MS 8000

struct daemon {
	struct engine engine;
	struct ref_watch *refs;
	struct loop_fd *refs_source;
	bool refs_lost; /* the watch could not be set up anew yet */
	struct watcher *watcher;
	struct control *control;
	struct loop_timer *stop_timer;
	bool worked; /* since memory was last given back */
};

/* ---- systemd ---- */

/* One datagram to the socket that systemd names: sd_notify(3) describes the protocol. */
static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path)
		return;
	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
	close(fd);
}

/* ---- triggers ---- */

static void watch_refs(struct daemon *daemon);

static void on_refs(void *arg, uint32_t events UNUSED)
{
	struct daemon *daemon = arg;
	struct err err = ERR_INIT;
	int seen = ref_watch_read(daemon->refs, &err);
	daemon->refs_lost = seen < 0;
	/* Lost events mean a full look, which is what a pass does anyway. */
	if (seen != 0)
		tip_want(&daemon->engine);
}

static void watch_refs(struct daemon *daemon)
{
	struct err err = ERR_INIT;
	if (daemon->engine.remote)
		return;
	if (ref_watch_open(daemon->engine.repo, daemon->engine.branch, &daemon->refs, &err) < 0) {
		log_event(LOG_WARN, "pushes are seen by polling only", "error", err.text, NULL);
		return;
	}
	daemon->refs_source = loop_fd_add(daemon->engine.loop, ref_watch_fd(daemon->refs), EPOLLIN,
					  on_refs, daemon);
}

static void keep_watching_nodes(struct daemon *daemon)
{
	if (daemon->engine.stopping || !daemon->engine.tip.outcome.desired ||
	    watcher_is_current(daemon->watcher, &daemon->engine))
		return;
	watcher_stop(&daemon->watcher);
	daemon->watcher = watcher_start(&daemon->engine);
}

/* ---- signals ---- */

static void on_stop_time(void *arg)
{
	struct daemon *daemon = arg;
	daemon->stop_timer = NULL;
	log_event(LOG_WARN, "stopping", "children left", log_int((int64_t)daemon->engine.children),
		  NULL);
	loop_stop(daemon->engine.loop);
}

/* What has begun is finished, nothing new begins, workloads are not touched. */
static void on_stop(void *arg, int signal UNUSED)
{
	struct daemon *daemon = arg;
	if (daemon->engine.stopping)
		return;
	daemon->engine.stopping = true;
	notify("STOPPING=1");
	log_event(LOG_INFO, "stopping", NULL);
	watcher_stop(&daemon->watcher);
	daemon->stop_timer = loop_timer_add(daemon->engine.loop, STOP_MS, on_stop_time, daemon);
}

static void on_reload(void *arg, int signal UNUSED)
{
	struct daemon *daemon = arg;
	struct engine *engine = &daemon->engine;
	struct err err = ERR_INIT;
	if (!engine->options.reload)
		return;
	const struct settings *settings = engine->options.reload(engine->options.reload_arg, &err);
	if (!settings) {
		log_event(LOG_ERROR, "settings not reloaded", "error", err.text, NULL);
		return;
	}
	/* Repository and state directory are for life; the rest holds from now on. */
	engine->settings = settings;
	engine->env.settings = settings;
	engine->tip.force = true;
	log_event(LOG_INFO, "settings reloaded", NULL);
	tip_want(engine);
	nodes_want_look_all(engine);
}

static int catch_signals(struct daemon *daemon, struct err *err)
{
	struct loop *loop = daemon->engine.loop;
	signal(SIGPIPE, SIG_IGN);
	if (loop_signal_add(loop, SIGTERM, on_stop, daemon, err) < 0 ||
	    loop_signal_add(loop, SIGINT, on_stop, daemon, err) < 0)
		return -1;
	return loop_signal_add(loop, SIGHUP, on_reload, daemon, err);
}

/* ---- turns ---- */

/* Between two commits it does nothing, for days perhaps: what the last piece of work took goes. */
static void rest(struct daemon *daemon)
{
	struct engine *engine = &daemon->engine;
	bool works = engine->children || engine->tip.state != TIP_IDLE;
	if (daemon->worked && !works) {
		ledger_rest(engine->ledger);
		malloc_trim(0);
	}
	daemon->worked = works;
}

static bool may_leave(const struct daemon *daemon)
{
	return daemon->engine.stopping && daemon->engine.children == 0;
}

static void on_turn(void *arg)
{
	struct daemon *daemon = arg;
	struct engine *engine = &daemon->engine;
	nodes_turn(engine);
	if (daemon->refs_lost)
		daemon->refs_lost = ref_watch_read(daemon->refs, NULL) < 0;
	keep_watching_nodes(daemon);
	control_turn(daemon->control);
	rest(daemon);
	if (may_leave(daemon) || !engine_stands(engine))
		loop_stop(engine->loop);
}

/* ---- the whole ---- */

static int open_daemon(struct daemon *daemon, const struct engine_options *options, struct err *err)
{
	/* One arena of malloc for one thread; give back what a large pass took. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 128 << 10);
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	if (engine_open(&daemon->engine, options, "run", err) < 0 ||
	    catch_signals(daemon, err) < 0 ||
	    control_open(&daemon->engine, &daemon->control, err) < 0)
		return -1;
	loop_turn_set(daemon->engine.loop, on_turn, daemon);
	watch_refs(daemon);
	return 0;
}

static void close_daemon(struct daemon *daemon)
{
	loop_timer_del(&daemon->stop_timer);
	loop_fd_del(&daemon->refs_source);
	ref_watch_close(&daemon->refs);
	watcher_stop(&daemon->watcher);
	control_close(&daemon->control);
	streams_stop(&daemon->engine);
	engine_close(&daemon->engine);
}

/* From opening to closing. What the next life needs, if there is to be one, goes to *options. */
static int live(struct engine_options *options, char instance[STATE_INSTANCE_SIZE], bool *again,
		struct err *err)
{
	struct daemon daemon = {0};
	struct engine *engine = &daemon.engine;
	int status = open_daemon(&daemon, options, err);
	*again = false;
	if (status == 0) {
		log_event(LOG_INFO, "running", "repository", engine->url, "branch", engine->branch,
			  "state", engine->state.dir, NULL);
		notify("READY=1");
		tip_want(engine);
		status = loop_run(engine->loop, err);
		*again = status == 0 && engine->lost.code != E_NONE && !engine->stopping;
	}
	if (*again) {
		log_event(LOG_ERROR, "begins anew", "error", engine->lost.text, NULL);
		memcpy(instance, engine->state.instance, STATE_INSTANCE_SIZE);
		options->instance = instance;
		options->settings = engine->settings;
	}
	close_daemon(&daemon);
	return status;
}

int engine_run(const struct engine_options *options, struct err *err)
{
	struct engine_options lived = *options;
	char instance[STATE_INSTANCE_SIZE];
	bool again;
	int status;
	do {
		status = live(&lived, instance, &again, err);
	} while (again);
	if (status < 0)
		return err_code_exit(err->code);
	log_event(LOG_INFO, "stopped", NULL);
	return EXIT_DONE;
}

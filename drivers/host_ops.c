/*
 * The changes. Each looks first and is content when it is already so; what was begun by one that
 * was killed is completed. The order of effects, and so what a death in between leaves:
 *
 *   create   records and folders of the workload and its volumes (data, ours, harmless); the
 * control folder under a hidden name, then its rename: the workload is there or not start leftovers
 * of a dead supervisor are killed; files and links; the supervisor, which locks, writes the run id,
 * starts the command, writes "running" and says so stop     the supervisor ends its workload,
 * writes "stopped", unlocks; for a dead supervisor we do the same in its place, holding the lock
 *   remove   stop; what start put into the folder; the folder, if empty; the control folder last:
 *            until then the workload is seen, and removed again
 *   rename   one rename of the control folder, which its supervisor holds open
 */
#include "base/sys.h"
#include "drivers/host.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "drivers/host_control.h"
#include "drivers/host_image.h"
#include "drivers/host_launch.h"
#include "drivers/host_limits.h"
#include "drivers/host_live.h"
#include "drivers/host_orphans.h"
#include "drivers/host_place.h"
#include "drivers/host_user.h"
#include "drivers/policy.h"

struct call {
	struct host *host;
	const struct op *op;
	struct op_result *result; /* never NULL */
	struct arena *arena;
	struct err *err;
};

/* A workload that is there: its control folder, open, and what it says. */
struct target {
	int dir;
	struct host_spec spec;
	bool readable; /* the spec */
	struct host_status status;
};
#define TARGET_INIT                                                                                \
	{                                                                                          \
		.dir = -1                                                                          \
	}
#define AUTO_TARGET CLEANUP(target_release)

static void target_release(struct target *target)
{
	fs_close_ptr(&target->dir);
}

/* 1 there, 0 not, -1. A spec that is torn is told by `readable`, not as an error. */
static int target_open(struct call *call, const char *name, struct target *out)
{
	AUTO_FREE char *path = host_path(call->host, HOST_WORKLOADS, name);
	struct err problem = ERR_INIT;

	*out = (struct target)TARGET_INIT;
	if (!host_name_is_workload(name))
		return err_set(call->err, E_BAD_INPUT, "%s is no name for a workload", name);
	out->dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out->dir < 0)
		return errno == ENOENT ? 0 : err_errno(call->err, E_IO, "open %s", path);
	out->readable = host_spec_read(out->dir, call->arena, &out->spec, &problem) == 0;
	if (host_status_read(out->dir, &out->status, NULL) != 0)
		out->status = (struct host_status)HOST_STATUS_INIT;
	if (out->readable && !owner_same(out->spec.spec.labels.owner, call->host->env->owner))
		return err_set(call->err, E_NAME_FOREIGN, "%s belongs to %s", name,
			       out->spec.spec.labels.owner);
	if (!out->readable && host_lock_is_held(out->dir))
		return err_set(call->err, E_NAME_FOREIGN, "%s runs, and cannot be read: %s", name,
			       problem.text);
	return 1;
}

/* As above; absent is E_NOT_FOUND, unreadable what it is. */
static int target_need(struct call *call, const char *name, struct target *out)
{
	int there = target_open(call, name, out);

	if (there == 0)
		return err_set(call->err, E_NOT_FOUND, "%s is not on node %s", name,
			       call->host->node->name);
	if (there > 0 && !out->readable)
		return host_spec_read(out->dir, call->arena, &out->spec, call->err);
	return there < 0 ? -1 : 0;
}

static int64_t stop_timeout_of(const struct target *target)
{
	struct host_live live = {.stop_timeout_ms = 10000};

	if (target->readable)
		host_live_read(target->spec.spec.config, &live);
	return live.stop_timeout_ms;
}

/* ---- what a workload needs before it may exist, and again before it may start --------------- */

static int check_host_paths(struct call *call, const struct spec *spec)
{
	struct strings allowed =
		policy_host_paths(call->host->env->settings, call->host->node->name);
	const struct container *config = spec->config;

	for (size_t i = 0; i < config->volumes.n; i++) {
		const char *path = config->volumes.v[i].host_path;
		char real[PATH_MAX];

		if (!path)
			continue;
		if (!realpath(path, real) || !fs_is_dir(real))
			return err_set(call->err, E_BAD_INPUT, "hostPath %s is no folder", path);
		if (!policy_path_within(real, &allowed))
			return err_set(call->err, E_POLICY,
				       "hostPath %s is %s, which the settings' policy.hostPaths "
				       "does not list",
				       path, real);
	}
	return 0;
}

static int check_needs(struct call *call, const struct spec *spec, struct host_user *user)
{
	const struct host_policy *policy =
		policy_host_driver(call->host->env->settings, call->host->node->name);

	if (host_image_prove(call->host, spec->digest, call->err) != 0 ||
	    host_user_find(spec->config->user, user, call->err) != 0 ||
	    host_user_allow(user, spec->config->user, policy, call->err) != 0)
		return -1;
	return check_host_paths(call, spec);
}

/* ---- claim, images ------------------------------------------------------------------------- */

/* Also tidies up: each run of a reconciler begins with it. */
static int op_claim(struct call *call)
{
	static const char *const parts[] = {HOST_WORKLOADS, HOST_IMAGES, HOST_VOLUMES};

	if (host_owner_claim(call->host, &call->result->changed, call->err) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		int lock AUTO_FD = host_lock(call->host, parts[i], call->err);

		if (lock < 0 || host_sweep(call->host, parts[i], call->err) != 0)
			return -1;
	}
	return 0;
}

static int op_pull(struct call *call)
{
	return host_image_pull(call->host, call->op->spec, &call->result->changed, call->err);
}

struct search {
	struct call *call;
	const char *wanted; /* a digest, or a volume's name */
	const char *found;  /* the workload that has it */
};

static int uses_image(void *arg, const char *name, struct err *err)
{
	struct search *search = arg;
	struct target target AUTO_TARGET = TARGET_INIT;

	(void)err;
	if (host_name_is_workload(name) && target_open(search->call, name, &target) > 0 &&
	    target.readable && str_eq(target.spec.spec.digest, search->wanted))
		search->found = arena_strdup(search->call->arena, name);
	return 0;
}

static int uses_volume(void *arg, const char *name, struct err *err)
{
	struct search *search = arg;
	struct target target AUTO_TARGET = TARGET_INIT;
	const struct spec *spec = &target.spec.spec;

	(void)err;
	if (!host_name_is_workload(name) || target_open(search->call, name, &target) <= 0 ||
	    !target.readable)
		return 0;
	for (size_t i = 0; i < spec->config->volumes.n; i++) {
		if (str_eq(volume_node_name(search->call->arena, spec->labels.prefix,
					    &spec->config->volumes.v[i]),
			   search->wanted))
			search->found = arena_strdup(search->call->arena, name);
	}
	return 0;
}

static int search_workloads(struct call *call, const char *wanted,
			    int (*use)(void *arg, const char *name, struct err *err),
			    const char **found)
{
	AUTO_FREE char *path = host_path(call->host, HOST_WORKLOADS, NULL);
	struct search search = {.call = call, .wanted = wanted};
	int done = host_each_entry(path, use, &search, call->err);

	*found = search.found;
	return done;
}

static int op_image_remove(struct call *call)
{
	const char *user;

	if (search_workloads(call, call->op->name, uses_image, &user) != 0)
		return -1;
	return user ? 0
		    : host_image_remove(call->host, call->op->name, &call->result->changed,
					call->err);
}

static int op_volume_remove(struct call *call)
{
	const char *name = call->op->name, *user;
	AUTO_FREE char *path = host_path(call->host, HOST_VOLUMES, name);
	int lock AUTO_FD = -1;
	int recorded;

	if (!host_name_is_volume(name))
		return err_set(call->err, E_BAD_INPUT, "%s is no name for a volume", name);
	if (search_workloads(call, name, uses_volume, &user) != 0)
		return -1;
	if (user)
		return err_set(call->err, E_CONFLICT, "volume %s is used by %s", name, user);
	recorded = host_record_look(call->host, HOST_VOLUME_RECORDS, name, call->err);
	if (recorded < 0)
		return -1;
	if (!recorded)
		return fs_exists(path) ? err_set(call->err, E_NAME_FOREIGN,
						 "%s was not made by trueup", path)
				       : 0;
	call->result->changed = true;
	lock = host_lock(call->host, HOST_VOLUMES, call->err);
	if (lock < 0 || host_vanish(call->host, HOST_VOLUMES, name, call->err) != 0)
		return -1;
	return host_record_remove(call->host, HOST_VOLUME_RECORDS, name, call->err);
}

/* ---- create -------------------------------------------------------------------------------- */

static int make_control(struct call *call)
{
	const struct op *op = call->op;
	AUTO_FREE char *hidden_name = mem_printf(".new-%s", op->name);
	AUTO_FREE char *hidden = host_path(call->host, HOST_WORKLOADS, hidden_name);
	AUTO_FREE char *path = host_path(call->host, HOST_WORKLOADS, op->name);
	unsigned char random[(HOST_ID_SIZE - 1) / 2];
	char id[HOST_ID_SIZE];
	int dir AUTO_FD = -1;

	hash_random(random, sizeof random);
	hash_to_hex(random, sizeof random, id);
	if (mkdir(hidden, 0700) != 0)
		return err_errno(call->err, E_IO, "make folder %s", hidden);
	dir = open(hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_errno(call->err, E_IO, "open %s", hidden);
	if (host_spec_write(dir, id, op->spec, call->err) != 0)
		return -1;
	if (rename(hidden, path) != 0)
		return err_errno(call->err, E_IO, "rename %s", hidden);
	return 0;
}

static int check_names(struct call *call)
{
	const struct op *op = call->op;
	AUTO_FREE char *folder = host_folder_name(op->name);

	if (!host_name_is_workload(op->name) || !str_eq(folder, op->spec->name))
		return err_set(call->err, E_BAD_INPUT, "%s is no name for workload %s", op->name,
			       op->spec->name);
	return op->spec->labels.prefix
		       ? 0
		       : err_set(call->err, E_INTERNAL, "%s has no prefix", op->name);
}

static int op_create(struct call *call)
{
	const struct op *op = call->op;
	struct target target AUTO_TARGET = TARGET_INIT;
	struct host_user user;
	int lock AUTO_FD = -1;
	int there;

	if (check_names(call) != 0)
		return -1;
	lock = host_lock(call->host, HOST_WORKLOADS, call->err);
	if (lock < 0)
		return -1;
	there = target_open(call, op->name, &target);
	if (there < 0)
		return -1;
	if (there && target.readable)
		return str_eq(target.spec.spec.labels.spec, op->spec->labels.spec)
			       ? 0
			       : err_set(call->err, E_CONFLICT,
					 "%s is there with another configuration", op->name);
	if (there && host_vanish(call->host, HOST_WORKLOADS, op->name, call->err) != 0)
		return -1;
	if (check_needs(call, op->spec, &user) != 0 ||
	    host_place_make(call->host, op->spec, &user, call->err) != 0 ||
	    host_sweep(call->host, HOST_WORKLOADS, call->err) != 0 || make_control(call) != 0)
		return -1;
	call->result->changed = true;
	return 0;
}

/* ---- start and stop ------------------------------------------------------------------------ */

/*
 * What a supervisor that died could not do any more: end the processes of its run, and, when it is
 * wanted, write how that went.
 */
static int clean_up(struct call *call, struct target *target, enum run_state state, bool *changed)
{
	struct host_status *status = &target->status;
	char boot[HOST_BOOT_SIZE];
	int lock AUTO_FD = -1;
	int found = 0;

	/* Again, now that nobody holds the lock: what was read before may not be its last word. */
	if (host_status_read(target->dir, status, call->err) != 0)
		return -1;
	*changed = status->state == RUN_RUNNING || status->state == RUN_RESTARTING;
	host_boot_id(boot);
	if (str_eq(status->boot, boot) && host_orphans_kill(status->run, &found, call->err) != 0)
		return -1;
	*changed = *changed || found > 0;
	if (!*changed || state == RUN_UNKNOWN)
		return 0;
	lock = host_lock_take(target->dir, call->err);
	if (lock < 0)
		return -1;
	(void)host_status_settle(status, false, boot);
	status->state = state;
	status->run[0] = '\0';
	return host_status_write(target->dir, status, call->err);
}

/* It was asked to end by another signal, and ended by KILL. */
static void tell_of_kill(struct call *call, const struct target *target)
{
	struct op_result *result = call->result;
	struct host_status status;
	struct host_live live;

	if (!target->readable || host_status_read(target->dir, &status, NULL) != 0 ||
	    status.exit_code != 128 + SIGKILL)
		return;
	host_live_read(target->spec.spec.config, &live);
	if (live.stop_signal != SIGKILL)
		snprintf(result->unheard, sizeof result->unheard, "SIG%s",
			 sigabbrev_np(live.stop_signal));
}

static int stop(struct call *call, struct target *target, bool *changed)
{
	enum run_state before = target->status.state;
	bool dismissed;

	if (host_dismiss(target->dir, stop_timeout_of(target), &dismissed, call->err) != 0)
		return -1;
	if (!dismissed)
		return clean_up(call, target, RUN_STOPPED, changed);
	/* A supervisor lives a moment longer than the workload that it saw end. */
	*changed = before != RUN_EXITED && before != RUN_STOPPED;
	if (*changed)
		tell_of_kill(call, target);
	return 0;
}

static int op_stop(struct call *call)
{
	struct target target AUTO_TARGET = TARGET_INIT;
	int there = target_open(call, call->op->name, &target);

	return there <= 0 ? there : stop(call, &target, &call->result->changed);
}

/* Its supervisor, if it is still there, has nothing left to do but to go. */
static bool is_ending(const struct host_status *status)
{
	return status->stopping || status->state == RUN_EXITED || status->state == RUN_STOPPED;
}

/*
 * The copy was there when the workload was made. One that somebody removed, or that has rotted, is
 * made again if the source is still the same; if not, that is what is said.
 */
static int bring_image(struct call *call, const struct spec *spec)
{
	struct err missing = ERR_INIT;
	bool copied;

	if (host_image_prove(call->host, spec->digest, &missing) == 0)
		return 0;
	if (missing.code != E_IMAGE_UNKNOWN)
		return err_set(call->err, missing.code, "%s", missing.text);
	return host_image_pull(call->host, spec, &copied, call->err);
}

/* Volumes that somebody removed do not come back by themselves: there was data in them. */
static int bring_home(struct call *call, const struct spec *spec, const struct host_user *user)
{
	AUTO_FREE char *home = host_path(call->host, "", spec->name);
	int lock AUTO_FD = -1;

	if (fs_is_dir(home))
		return 0;
	lock = host_lock(call->host, HOST_WORKLOADS, call->err);
	return lock < 0 ? -1 : host_place_home(call->host, spec, user, call->err);
}

static int op_start(struct call *call)
{
	const char *name = call->op->name;
	struct target target AUTO_TARGET = TARGET_INIT;
	struct host_user user;
	bool changed;

	if (target_need(call, name, &target) != 0)
		return -1;
	if (host_lock_is_held(target.dir) && is_ending(&target.status) &&
	    host_await_end(target.dir, stop_timeout_of(&target), call->err) != 0)
		return -1;
	if (host_lock_is_held(target.dir))
		return 0;
	call->result->changed = true;
	if (bring_image(call, &target.spec.spec) != 0 ||
	    check_needs(call, &target.spec.spec, &user) != 0 ||
	    bring_home(call, &target.spec.spec, &user) != 0 ||
	    clean_up(call, &target, RUN_UNKNOWN, &changed) != 0 ||
	    host_place_fill(call->host->data_root, &target.spec.spec, &user, call->err) != 0)
		return -1;
	return host_launch(call->host, name, call->err);
}

/* ---- remove, rename, update ---------------------------------------------------------------- */

/* The workload that shares the folder: the one that replaces this one, or that this one replaces.
 */
static int open_sibling(struct call *call, const char *name, struct target *out)
{
	AUTO_FREE char *folder = host_folder_name(name);
	AUTO_FREE char *next = mem_printf("%s" NEXT_SUFFIX, folder);

	return target_open(call, str_eq(name, folder) ? next : folder, out);
}

static int clear_place(struct call *call, const struct target *target)
{
	struct target sibling AUTO_TARGET = TARGET_INIT;
	int shared = open_sibling(call, call->op->name, &sibling);
	bool kept;

	if (shared < 0 || (shared && !sibling.readable))
		return shared < 0 ? -1 : 0;
	if (host_place_clear(call->host, &target->spec.spec, shared ? &sibling.spec.spec : NULL,
			     &kept, call->err) != 0)
		return -1;
	if (kept)
		buf_addf(&call->result->detail, "%s/%s is kept, since it holds data",
			 call->host->data_root, target->spec.spec.name);
	return 0;
}

static int op_remove(struct call *call)
{
	const char *name = call->op->name;
	struct target target AUTO_TARGET = TARGET_INIT;
	struct host_cgroups cgroups AUTO_CGROUPS = {0};
	int there = target_open(call, name, &target);
	int lock AUTO_FD = -1;
	bool changed;

	if (there <= 0)
		return there;
	call->result->changed = true;
	if (stop(call, &target, &changed) != 0)
		return -1;
	if (target.readable) {
		host_cgroups_find(&cgroups);
		host_limits_remove(&cgroups, target.spec.id);
		if (clear_place(call, &target) != 0)
			return -1;
	}
	/* What takes its time is done: the others need not wait for a stop. */
	lock = host_lock(call->host, HOST_WORKLOADS, call->err);
	if (lock < 0 || host_vanish(call->host, HOST_WORKLOADS, name, call->err) != 0)
		return -1;
	return host_sweep(call->host, HOST_WORKLOADS, call->err);
}

/* Processes of a host have no names on a network. */
static int op_alias(struct call *call)
{
	struct target target AUTO_TARGET = TARGET_INIT;

	return target_need(call, call->op->name, &target);
}

static int op_rename(struct call *call)
{
	const struct op *op = call->op;
	AUTO_FREE char *from = host_path(call->host, HOST_WORKLOADS, op->name);
	AUTO_FREE char *to = host_path(call->host, HOST_WORKLOADS, op->to);
	AUTO_FREE char *folder = host_folder_name(op->name), *to_folder = host_folder_name(op->to);

	if (!host_name_is_workload(op->name) || !host_name_is_workload(op->to))
		return err_set(call->err, E_BAD_INPUT, "%s or %s is no name for a workload",
			       op->name, op->to);
	if (!str_eq(folder, to_folder))
		return err_set(call->err, E_NOT_SUPPORTED,
			       "%s cannot become %s: its folder has its name", op->name, op->to);
	if (!fs_exists(from))
		return fs_exists(to) ? 0
				     : err_set(call->err, E_NOT_FOUND, "%s is not on node %s",
					       op->name, call->host->node->name);
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0)
		return errno == EEXIST ? err_set(call->err, E_CONFLICT, "%s is still there", op->to)
				       : err_errno(call->err, E_IO, "rename %s", from);
	call->result->changed = true;
	return 0;
}

static int op_update(struct call *call)
{
	const struct op *op = call->op;
	struct target target AUTO_TARGET = TARGET_INIT;
	struct spec *spec = &target.spec.spec;

	if (target_need(call, op->name, &target) != 0 ||
	    driver_check_update(&driver_host, spec->digest, spec->config, op->spec, call->err) != 0)
		return -1;
	if (str_eq(spec->labels.spec, op->spec->labels.spec))
		return 0;
	spec->config = op->spec->config;
	spec->labels.spec = op->spec->labels.spec;
	if (host_spec_write(target.dir, target.spec.id, spec, call->err) != 0)
		return -1;
	host_reload(target.dir);
	call->result->changed = true;
	return 0;
}

/* ---- all of them --------------------------------------------------------------------------- */

static int (*const changes[OPS_COUNT])(struct call *call) = {
	[OP_CLAIM] = op_claim,
	[OP_PULL] = op_pull,
	[OP_CREATE] = op_create,
	[OP_START] = op_start,
	[OP_STOP] = op_stop,
	[OP_ALIAS] = op_alias,
	[OP_REMOVE] = op_remove,
	[OP_RENAME] = op_rename,
	[OP_UPDATE] = op_update,
	[OP_VOLUME_REMOVE] = op_volume_remove,
	[OP_IMAGE_REMOVE] = op_image_remove,
};

int host_apply(struct host *host, const struct op *op, struct op_result *result, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct op_result unwanted = {.detail = BUF_INIT(0)};
	struct call call = {.host = host,
			    .op = op,
			    .result = result ? result : &unwanted,
			    .arena = arena,
			    .err = err};
	int64_t began = clock_boot_ms();

	call.result->changed = false;
	if (host_owner_check(host, err) != 0)
		return -1;
	if (op->kind != OP_CLAIM && host_layout_make(host, err) != 0)
		return -1;
	if (changes[op->kind](&call) != 0)
		return err_wrap(err, "%s%s%s", op_word(op->kind), op->name ? " " : "",
				op->name ? op->name : "");
	call.result->took_ms = clock_boot_ms() - began;
	return 0;
}

#include "base/sys.h"
#include "drivers/host.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/vec.h"
#include "drivers/host_control.h"

struct look {
	const struct host *host;
	struct arena *arena;
	char boot[HOST_BOOT_SIZE];
	VEC(struct workload) workloads;
	VEC(struct volume_seen) volumes;
	VEC(const char *) images;
	VEC(const char *) foreign;
};

static void look_release(struct look *look)
{
	VEC_FREE(&look->workloads);
	VEC_FREE(&look->volumes);
	VEC_FREE(&look->images);
	VEC_FREE(&look->foreign);
}

/* ---- workloads ----------------------------------------------------------------------------- */

static void add_part(struct buf *text, const char *label, const char *part)
{
	if (*part)
		buf_addf(text, "%s%s%s", text->len ? "; " : "", label, part);
}

static const char *detail_of(struct arena *arena, const struct host_status *status)
{
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	add_part(&text, "", status->note);
	add_part(&text, "health check: ", status->check);
	add_part(&text, "", status->limits);
	return text.len ? arena_strdup(arena, buf_str(&text)) : NULL;
}

static void take_status(struct look *look, int dir, struct workload *out)
{
	struct host_status status;
	struct err problem = ERR_INIT;
	/* The lock first: a supervisor writes its last status before it lets go. */
	bool supervised = host_lock_is_held(dir);
	int64_t running_ms;

	if (host_status_read(dir, &status, &problem) != 0) {
		out->state = RUN_UNKNOWN;
		out->health = HEALTH_UNKNOWN;
		out->detail = arena_strdup(look->arena, problem.text);
		return;
	}
	/* By no fault of its own: it is to run again. Of a job nobody knows how far it got. */
	if (host_status_settle(&status, supervised, look->boot) && !container_is_job(out->config))
		status.state = RUN_STOPPED;
	running_ms = clock_boot_ms() - status.started_ms;
	out->state = status.state;
	out->health = status.health;
	out->running_ms = status.state == RUN_RUNNING && running_ms > 0 ? running_ms : 0;
	out->restarts = status.starts > 1 ? status.starts - 1 : 0;
	out->exit_code = status.exit_code;
	out->detail = detail_of(look->arena, &status);
	if (out->config && out->config->health_check && status.health == HEALTH_NONE)
		out->health = HEALTH_UNKNOWN;
}

static int see_workload(void *arg, const char *name, struct err *err)
{
	struct look *look = arg;
	AUTO_FREE char *path = host_path(look->host, HOST_WORKLOADS, name);
	int dir AUTO_FD = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct workload seen = {.state = RUN_UNKNOWN, .health = HEALTH_UNKNOWN, .exit_code = -1};
	struct host_spec spec;
	bool readable;

	if (!host_name_is_workload(name) || (dir < 0 && errno == ENOENT))
		return 0;
	if (dir < 0)
		return err_errno(err, E_NODE_UNREACHABLE, "open %s", path);
	/* Only a power loss can tear a spec, and then nothing runs: it is as if it were not there.
	 */
	readable = host_spec_read(dir, look->arena, &spec, NULL) == 0;
	if (!readable && !host_lock_is_held(dir))
		return 0;
	if (!readable || !owner_same(spec.spec.labels.owner, look->host->env->owner)) {
		VEC_PUSH(&look->foreign, arena_strdup(look->arena, name));
		return 0;
	}
	seen.name = arena_strdup(look->arena, name);
	seen.id = arena_strdup(look->arena, spec.id);
	seen.image = spec.spec.image;
	seen.digest = spec.spec.digest;
	seen.config = spec.spec.config;
	seen.labels = spec.spec.labels;
	take_status(look, dir, &seen);
	VEC_PUSH(&look->workloads, seen);
	return 0;
}

/* ---- images, volumes and what is not ours -------------------------------------------------- */

/* A pull or a removal that was killed left the digits at the end of a hidden name. */
static int see_image(void *arg, const char *name, struct err *err UNUSED)
{
	struct look *look = arg;
	size_t len = strlen(name), hex_len = HASH_HEX_SIZE - 1;
	const char *hex = name[0] == '.' && len > hex_len ? name + len - hex_len : name;

	if (hash_is_hex(hex))
		VEC_PUSH(&look->images, arena_printf(look->arena, HASH_PREFIX "%s", hex));
	return 0;
}

static int see_volume(void *arg, const char *name, struct err *err)
{
	struct look *look = arg;
	struct labels labels;

	(void)err;
	if (!host_name_is_volume(name) ||
	    host_record_read(look->host, HOST_VOLUME_RECORDS, name, look->arena, &labels, NULL) !=
		    0 ||
	    !owner_same(labels.owner, look->host->env->owner))
		return 0;
	VEC_PUSH(&look->volumes, ((struct volume_seen){.name = arena_strdup(look->arena, name),
						       .project = labels.project,
						       .stage = labels.stage,
						       .deployment = labels.deployment}));
	return 0;
}

static int see_folder(void *arg, const char *name, struct err *err)
{
	struct look *look = arg;

	(void)err;
	if (host_name_is_workload(name) &&
	    host_record_look(look->host, HOST_FOLDER_RECORDS, name, NULL) != 1)
		VEC_PUSH(&look->foreign, arena_strdup(look->arena, name));
	return 0;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int see(struct look *look, const char *part,
	       int (*use)(void *arg, const char *name, struct err *err), struct err *err)
{
	AUTO_FREE char *path = host_path(look->host, part, NULL);
	struct err problem = ERR_INIT;

	if (host_each_entry(path, use, look, &problem) != 0)
		return err_set(err, E_NODE_UNREACHABLE, "%s", problem.text);
	return 0;
}

#define COPY_LIST(look, list, type)                                                                \
	((look)->list.n                                                                            \
		 ? arena_memdup((look)->arena, (look)->list.v, (look)->list.n * sizeof(type))      \
		 : NULL)

/* Of a sorted list; how many are left. */
static size_t drop_doubles(const char **names, size_t all)
{
	size_t n = 0;

	for (size_t i = 0; i < all; i++) {
		if (n == 0 || !str_eq(names[n - 1], names[i]))
			names[n++] = names[i];
	}
	return n;
}

static void take_lists(struct look *look, struct observed *out)
{
	out->workloads = COPY_LIST(look, workloads, struct workload);
	out->workloads_n = look->workloads.n;
	out->volumes = COPY_LIST(look, volumes, struct volume_seen);
	out->volumes_n = look->volumes.n;
	out->images = COPY_LIST(look, images, const char *);
	out->images_n = look->images.n;
	out->foreign = COPY_LIST(look, foreign, const char *);
	out->foreign_n = look->foreign.n;
	observed_sort(out);
	/* A name of another's is found twice: its control folder and its own folder. */
	out->foreign_n = drop_doubles(out->foreign, out->foreign_n);
	out->images_n = drop_doubles(out->images, out->images_n);
}

/* Two nodes with one data root are one engine, whatever links lead there. */
static const char *identity(struct look *look)
{
	char real[PATH_MAX];

	return arena_printf(look->arena, "host:%s",
			    realpath(look->host->data_root, real) ? real : look->host->data_root);
}

int host_observe(struct host *host, struct arena *arena, struct observed *out, struct err *err)
{
	struct look look CLEANUP(look_release) = {.host = host, .arena = arena};
	AUTO_FREE char *owner = NULL;
	struct err problem = ERR_INIT;

	*out = (struct observed){.node = arena_strdup(arena, host->node->name), .engine = "host"};
	host_boot_id(look.boot);
	if (host_owner_read(host, &owner, &problem) != 0)
		return err_set(err, E_NODE_UNREACHABLE, "%s", problem.text);
	if (see(&look, HOST_WORKLOADS, see_workload, err) != 0 ||
	    see(&look, HOST_VOLUME_RECORDS, see_volume, err) != 0 ||
	    see(&look, HOST_IMAGES, see_image, err) != 0 || see(&look, "", see_folder, err) != 0)
		return -1;
	out->engine_id = identity(&look);
	out->owner = arena_strdup(arena, owner);
	take_lists(&look, out);
	return 0;
}

/*
 * host.h - the host driver: plain processes on the reconciler's own machine, no engine.
 *
 * This header is what its files share, and the map of what it keeps on the node:
 *
 *	<dataRoot>/
 *	  images/<digest hex>/          read-only copies of image folders (host_image.c)
 *	  volumes/<prefix>-<volume>/    named volumes
 *	  <prefix>-<container>/         a workload's own folder, its TRUEUP_DIR (host_place.c)
 *	  .trueup/                      control, mode 0700, nobody else's business:
 *	    owner                       the marker: who this folder belongs to
 *	    images/<digest hex>         the boot in which that copy was last proven
 *	    volumes/<name>              labels of a volume; older than the volume itself
 *	    folders/<name>              labels of a workload's folder; older than the folder itself
 *	    workloads/<name>/           one workload (host_control.c):
 *	      spec.json                 what it is: id, spec, labels
 *	      status.json               how it is, written by its supervisor alone
 *	      lock                      held by its supervisor for as long as that lives
 *	      log, log.1, log.2         what it wrote
 *
 * Names of workloads and volumes always contain a dash, "images" and "volumes" do not and
 * ".trueup" begins with a dot: they cannot meet.
 *
 * Crash safety. Whoever is killed at whichever system call:
 *  - Every file is written under a temporary name and renamed; a workload and an image copy appear
 *    by one rename of a finished folder and disappear by one rename to a name that begins with a
 *    dot. Such leftovers are swept by the next change of their kind, or claim.
 *  - A record in volumes/ and folders/ is on disk before the folder that it claims, and goes after
 *    it: a folder without a record is never ours and never touched.
 *  - The lock, not status.json, says whether a supervisor lives. One that died left its last
 *    status: "running" without a lock means that the workload was killed with it.
 *  - status.json names, before the first process is started, a random run id that every process of
 *    the run has in its environment: so whatever a dead supervisor left behind is found and ended
 *    before the workload is started again or removed (host_orphans.c).
 *  - Nothing else is flushed to disk on the way: after a power loss nothing runs anyway, and copies
 *    of images are proven again once in each boot before they are used.
 */
#ifndef TRUEUP_DRIVERS_HOST_H
#define TRUEUP_DRIVERS_HOST_H

#include "drivers/driver.h"

struct host_watch;

struct host {
	struct driver driver;
	const struct node *node;
	const struct driver_env *env;
	char *data_root;
	struct host_watch *watch; /* NULL until watch() */
};

/* The parts of the data root; "<part>/<name>" is the rest of the path. */
#define HOST_IMAGES "images"
#define HOST_VOLUMES "volumes"
#define HOST_CONTROL ".trueup"
#define HOST_OWNER HOST_CONTROL "/owner"
#define HOST_IMAGE_RECORDS HOST_CONTROL "/images"
#define HOST_VOLUME_RECORDS HOST_CONTROL "/volumes"
#define HOST_FOLDER_RECORDS HOST_CONTROL "/folders"
#define HOST_WORKLOADS HOST_CONTROL "/workloads"

/* ---- host_layout.c ---- */

/* <data root>/<part>[/<name>]; the caller frees it. part "" is the data root itself. */
char *host_path(const struct host *host, const char *part, const char *name);
/*
 * True for what a workload may be called: a name with a dash inside, at most 80 bytes, with or
 * without NEXT_SUFFIX. Volumes: the same without the suffix, up to 127 bytes.
 */
bool host_name_is_workload(const char *name);
bool host_name_is_volume(const char *name);
/* The name without NEXT_SUFFIX: that of the folder that a workload and its successor share. */
char *host_folder_name(const char *name);

/* Makes the folders that everything else is in. */
int host_layout_make(const struct host *host, struct err *err);
/* The marker's owner into *owner (NULL: no marker), to be freed by the caller. */
int host_owner_read(const struct host *host, char **owner, struct err *err);
/* E_NODE_OWNED when the marker is another's. */
int host_owner_check(const struct host *host, struct err *err);
int host_owner_claim(const struct host *host, bool *changed, struct err *err);

/*
 * Records of what is ours. A record is written before the folder is made; making a folder that is
 * there without a record is E_NAME_FOREIGN. `part` holds the folder, `records` its record.
 */
int host_folder_make(const struct host *host, const char *part, const char *records,
		     const char *name, const struct labels *labels, bool *made, struct err *err);
/* 1: there is one and it is ours, 0: there is none, -1: E_NAME_FOREIGN when it is another's. */
int host_record_look(const struct host *host, const char *records, const char *name,
		     struct err *err);
int host_record_read(const struct host *host, const char *records, const char *name,
		     struct arena *arena, struct labels *out, struct err *err);
int host_record_remove(const struct host *host, const char *records, const char *name,
		       struct err *err);

/* Calls use for each entry of a folder but "." and ".."; an absent folder has none. */
int host_each_entry(const char *path, int (*use)(void *arg, const char *name, struct err *err),
		    void *arg, struct err *err);
/*
 * What is made or removed has a hidden name for a while, and what is hidden is swept as a leftover:
 * both are done under the lock of their part. The descriptor holds it until it is closed.
 */
int host_lock(const struct host *host, const char *part, struct err *err);
/* Renames to a hidden name beside it, then removes it: gone at once or not at all. */
int host_vanish(const struct host *host, const char *part, const char *name, struct err *err);
/* Removes what earlier processes left in a part: entries whose names begin with a dot. */
int host_sweep(const struct host *host, const char *part, struct err *err);

/* The id of this boot, as the kernel gives it; "" where it does not. */
#define HOST_BOOT_SIZE 40
void host_boot_id(char out[HOST_BOOT_SIZE]);

/* ---- the operations (host_ops.c), what is seen (host_observe.c), what is refused (host_check.c)
 */

int host_apply(struct host *host, const struct op *op, struct op_result *result, struct err *err);
int host_observe(struct host *host, struct arena *arena, struct observed *out, struct err *err);
void host_check(const struct node *node, const struct driver_env *env, const struct spec *spec,
		const struct unit *unit, struct diags *diags);
/* Default <state>/nodes/<node>; the caller frees it. */
char *host_data_root(const struct node *node, const struct driver_env *env);

/* ---- host_watch.c ---- */

int host_watch(struct host *host, struct err *err);
int host_watch_read(struct host *host, struct err *err);
void host_watch_free(struct host_watch **watch);

#endif

/*
 * host_place.h - a workload's own folder: its volumes and files.
 *
 * Paths are relative to the folder, TRUEUP_DIR. A named volume is <data
 * root>/volumes/<prefix>-<name> and a link at its path leads there; one with hostPath is a link to
 * that folder of the node; one of type tmp is a folder at its path, emptied before each start and
 * gone at the end. A file is written before each start of the workload. None of this goes through a
 * link that the workload may have made, and what is in the way of a volume is never moved or
 * removed: E_NAME_FOREIGN.
 *
 * A workload and the one that comes up beside it to replace it (NEXT_SUFFIX) share the folder.
 */
#ifndef TRUEUP_DRIVERS_HOST_PLACE_H
#define TRUEUP_DRIVERS_HOST_PLACE_H

#include "drivers/host.h"
#include "drivers/host_user.h"

/* Where a volume really is; NULL for one of type tmp. */
const char *host_place_target(struct arena *arena, const char *data_root, const struct spec *spec,
			      const struct volume *volume);

/* Makes the folder alone, when it is not there. */
int host_place_home(const struct host *host, const struct spec *spec, const struct host_user *user,
		    struct err *err);
/* Makes the folder and the named volumes, owned by the user; data that is there stays as it is. */
int host_place_make(const struct host *host, const struct spec *spec, const struct host_user *user,
		    struct err *err);
/* Makes links, empty tmp folders and files as the spec wants them. */
int host_place_fill(const char *data_root, const struct spec *spec, const struct host_user *user,
		    struct err *err);
/* Empties (again) or removes the tmp folders alone. */
int host_place_tmp(const char *data_root, const struct spec *spec, const struct host_user *user,
		   bool keep, struct err *err);
/*
 * Takes away what fill made and `other` (NULL: none), which shares the folder, does not want; and
 * the folder, when that leaves it empty and there is no other. Its data stays: *kept.
 */
int host_place_clear(const struct host *host, const struct spec *spec, const struct spec *other,
		     bool *kept, struct err *err);

#endif
